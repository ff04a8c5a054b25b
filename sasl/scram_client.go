package sasl

import (
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/xdg-go/scram"
)

// A server says how often the password is hashed. Fewer times would make guessing
// cheap for whoever listens, more would keep this end busy (P3-SCRAM-03).
const (
	fewestIterations = 4096
	mostIterations   = 10_000_000
)

type scramClient struct {
	*login
	hash      ScramHash
	binding   *ChannelBinding // nil: none
	couldBind bool
	nonce     func() string // nil: the library's; for the vectors of the RFCs

	conv  *scram.ClientConversation
	own   string // nonce
	heard int    // messages of the server
}

// NewScramClient returns SCRAM's client end, without channel binding (RFC 5802,
// RFC 7677). The server proves that it knows the password, too: Next fails when
// it cannot (P3-SCRAM-05). couldBind says that the client can bind, and that the
// server has not offered it: if the server did, somebody in between hid that, and
// it refuses (P3-SCRAM-11).
//
// It is a Prover. Next takes as long as the server's iteration count says,
// seconds at the very most; below 4,096 and above 10 million it fails.
func NewScramClient(h ScramHash, couldBind bool, user, password string) Client {
	return &scramClient{login: &login{user, password}, hash: h, couldBind: couldBind}
}

// NewScramPlusClient is NewScramClient with channel binding: its mechanism is the
// one whose name ends in -PLUS.
func NewScramPlusClient(h ScramHash, binding ChannelBinding, user, password string) Client {
	return &scramClient{login: &login{user, password}, hash: h, binding: &binding}
}

func (c *scramClient) Start() (mech string, ir []byte, err error) {
	user, err := PrepareName(c.user)
	if err != nil {
		return "", nil, fmt.Errorf("user name: %w", err)
	}
	password, err := PreparePassword(c.password)
	if err != nil {
		return "", nil, fmt.Errorf("password: %w", err)
	}
	client, err := c.hash.generator().NewClientUnprepped(user, password, "")
	if err != nil {
		return "", nil, err
	}
	client.WithMinIterations(fewestIterations)
	if c.nonce != nil {
		client.WithNonceGenerator(c.nonce)
	}
	if c.conv, err = c.converse(client); err != nil {
		return "", nil, err
	}
	first, err := c.conv.Step("")
	_, c.own, _ = strings.Cut(first, ",r=")
	c.heard = 0
	return c.hash.Mechanism(c.binding != nil), []byte(first), err
}

// converse begins the conversation with the flag that P3-SCRAM-11 wants.
func (c *scramClient) converse(client *scram.Client) (*scram.ClientConversation, error) {
	if c.binding == nil && c.couldBind {
		return client.NewConversationAdvertisingChannelBinding(), nil
	}
	if c.binding == nil {
		return client.NewConversation(), nil
	}
	binding := c.binding.library()
	if !binding.IsSupported() { // the library would do without
		return nil, ErrBinding
	}
	return client.NewConversationWithChannelBinding(binding), nil
}

// library is the binding as the library wants it.
func (b ChannelBinding) library() scram.ChannelBinding {
	return scram.ChannelBinding{Type: scram.ChannelBindingType(b.Type), Data: b.Data}
}

func (c *scramClient) Next(challenge []byte) ([]byte, error) {
	c.heard++
	attributes, err := scramMessage(challenge)
	if err != nil {
		return nil, err
	}
	if c.conv == nil || c.heard > 2 {
		return nil, ErrMessage
	}
	if said, refused := strings.CutPrefix(attributes[0], "e="); refused {
		return nil, fmt.Errorf("the server refuses: %q", tame(said, ""))
	}
	if c.heard == 2 {
		return c.prove(string(challenge))
	}
	if err := c.judge(attributes); err != nil {
		return nil, err
	}
	response, err := c.conv.Step(string(challenge))
	if err != nil { // its text has the server's in it
		return nil, ErrMessage
	}
	return []byte(response), nil
}

// judge looks at server-first more closely than the library does.
func (c *scramClient) judge(attributes []string) error {
	nonce, nonceErr := attribute(attributes, 0, "r")
	_, saltErr := attribute(attributes, 1, "s")
	count, countErr := attribute(attributes, 2, "i")
	if err := errors.Join(nonceErr, saltErr, countErr); err != nil {
		return ErrMessage
	}
	theirs, extends := strings.CutPrefix(nonce, c.own)
	if !extends || !validNonce(theirs) { // P3-SCRAM-04
		return fmt.Errorf("%w: the nonce", ErrMessage)
	}
	iterations, err := strconv.ParseUint(count, 10, 63)
	if err != nil && !errors.Is(err, strconv.ErrRange) {
		return ErrMessage
	}
	if iterations < fewestIterations || iterations > mostIterations {
		return fmt.Errorf("the server wants %d iterations, and %d to %d are taken", iterations, fewestIterations, mostIterations)
	}
	return nil
}

// prove compares the server's signature. The answer is empty, and is there
// because POP3 cannot carry data with +OK (P3-AUTH-21).
func (c *scramClient) prove(final string) ([]byte, error) {
	if _, err := c.conv.Step(final); err != nil || !c.Finished() {
		return nil, ErrProof
	}
	return []byte{}, nil
}

// Finished implements Prover.
func (c *scramClient) Finished() bool { return c.conv != nil && c.conv.Done() && c.conv.Valid() }
