package sasl

import (
	"errors"

	"github.com/xdg-go/scram"
)

type scramClient struct {
	user, password string
	conv           *scram.ClientConversation
}

// NewScramSHA256Client returns SCRAM-SHA-256's client end, without channel
// binding (RFC 7677). The server proves that it knows the password, too: Next
// fails when it cannot (P3-SCRAM-05).
func NewScramSHA256Client(user, password string) Client {
	return &scramClient{user: user, password: password}
}

func (c *scramClient) Start() (mech string, ir []byte, err error) {
	client, err := scram.SHA256.NewClient(c.user, c.password, "")
	if err != nil {
		return "", nil, err
	}
	c.conv = client.WithMinIterations(4096).NewConversation() // P3-SCRAM-03
	first, err := c.conv.Step("")
	return ScramSHA256, []byte(first), err
}

func (c *scramClient) Next(challenge []byte) ([]byte, error) {
	response, err := c.conv.Step(string(challenge))
	if err != nil {
		return nil, err
	}
	if c.conv.Done() && !c.conv.Valid() {
		return nil, errors.New("the server does not know the password")
	}
	return []byte(response), nil
}

// Finished reports whether the server has proved itself. A client must not
// take +OK for success before (P3-SCRAM-05).
func (c *scramClient) Finished() bool { return c.conv != nil && c.conv.Done() && c.conv.Valid() }
