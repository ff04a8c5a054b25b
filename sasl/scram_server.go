package sasl

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/subtle"
	"encoding/base64"
	"errors"
	"slices"
	"strings"

	"github.com/xdg-go/scram"
)

type scramServer struct {
	hash     ScramHash
	plus     bool
	bindings []ChannelBinding
	lookup   func(identity, name string) (*ScramVerifier, error)
	proved   func(key int) error
	nonce    func() string // the server's part; the vectors of the RFCs have their own

	asked bool
	next  func(message []byte) (challenge []byte, done bool, err error)

	verifier   *ScramVerifier
	bare, said string                                           // client-first without its header, server-first
	talk       func(key int) (*scram.ServerConversation, error) // the library's, client-first heard
}

// NewScramServer returns SCRAM's server end (RFC 5802, RFC 7677), with channel
// binding required when plus is set. bindings are what the connection can be
// bound to: without plus they are there to see a downgrade (P3-SCRAM-12). lookup
// gets identity and name as the client sent them, not prepared; identity may be
// empty. proved is called with the index of the key that fitted, before the
// server proves itself; its error refuses the client.
//
// Next fails with ErrProof when no key fits, with ErrBinding when the exchange is
// not bound as it must be, with ErrMessage when it breaks the grammar, and with
// the errors of lookup and proved as they are. It is done when the client has
// answered the server's proof with an empty response (P3-AUTH-21). The reason of
// a refusal is not told in a challenge (P3-SCRAM-17).
func NewScramServer(h ScramHash, plus bool, bindings []ChannelBinding, lookup func(identity, name string) (*ScramVerifier, error), proved func(key int) error) Server {
	s := &scramServer{hash: h, plus: plus, bindings: bindings, lookup: lookup, proved: proved, nonce: rand.Text}
	s.next = s.first
	return s
}

func (s *scramServer) Next(response []byte) (challenge []byte, done bool, err error) {
	if response == nil && !s.asked { // P3-AUTH-10
		s.asked = true
		return nil, false, nil
	}
	s.asked = true
	next := s.next
	s.next = over
	return next(response)
}

// over is what follows the end, and every error.
func over([]byte) ([]byte, bool, error) { return nil, false, ErrMessage }

// first takes client-first and returns server-first.
func (s *scramServer) first(message []byte) ([]byte, bool, error) {
	attributes, err := scramMessage(message)
	if err != nil {
		return nil, false, err
	}
	binding, err := s.binding(attributes[0])
	if err != nil {
		return nil, false, err
	}
	if nonce, err := attribute(attributes, 3, "r"); err != nil || !validNonce(nonce) || attributes[1] == "a=" {
		return nil, false, ErrMessage
	}
	own := s.nonce()
	var failed error
	var talk *scram.ServerConversation
	talk, err = s.begin(binding, own, func(name string) (scram.StoredCredentials, error) {
		if name == "" || !acceptable(name, talk.AuthzID()) {
			return scram.StoredCredentials{}, ErrMessage
		}
		if s.verifier, failed = s.lookup(talk.AuthzID(), name); failed != nil {
			return scram.StoredCredentials{}, failed
		}
		if !s.verifier.fits(s.hash) {
			return scram.StoredCredentials{}, errVerifier
		}
		return s.verifier.credentials(0), nil
	})
	if err != nil {
		return nil, false, err
	}
	challenge, err := talk.Step(string(message))
	switch {
	case failed != nil:
		return nil, false, failed
	case errors.Is(err, errVerifier):
		return nil, false, err
	case err != nil:
		return nil, false, ErrMessage
	}
	first := string(message)
	s.bare, s.said = strings.Join(attributes[2:], ","), challenge
	// All keys have one salt, and the nonce is the same, so what was said holds for each.
	s.talk = func(key int) (*scram.ServerConversation, error) {
		talk, err := s.begin(binding, own, func(string) (scram.StoredCredentials, error) { return s.verifier.credentials(key), nil })
		if err != nil {
			return nil, err
		}
		_, err = talk.Step(first)
		return talk, err
	}
	s.next = s.final
	return []byte(challenge), false, nil
}

// binding judges the flag of client-first (P3-SCRAM-06, P3-SCRAM-12).
func (s *scramServer) binding(flag string) (scram.ChannelBinding, error) {
	kind, binds := strings.CutPrefix(flag, "p=")
	switch {
	case flag == "n" && !s.plus:
		return scram.ChannelBinding{}, nil
	case flag == "y" && !s.plus && len(s.bindings) == 0:
		return scram.ChannelBinding{}, nil
	case flag == "n", flag == "y", binds && !s.plus:
		return scram.ChannelBinding{}, ErrBinding
	case !binds:
		return scram.ChannelBinding{}, ErrMessage
	}
	for _, b := range s.bindings {
		if b.Type == kind && len(b.Data) > 0 {
			return b.library(), nil
		}
	}
	return scram.ChannelBinding{}, ErrBinding
}

// begin begins the library's end of the conversation for one key.
func (s *scramServer) begin(binding scram.ChannelBinding, nonce string, credentials scram.CredentialLookup) (*scram.ServerConversation, error) {
	server, err := s.hash.generator().NewServer(credentials)
	if err != nil {
		return nil, err
	}
	server.WithNonceGenerator(func() string { return nonce })
	if s.plus {
		return server.NewConversationWithChannelBindingRequired(binding), nil
	}
	return server.NewConversation(), nil
}

// errVerifier is a mistake of lookup's.
var errVerifier = errors.New("a SCRAM verifier needs a salt, iterations, and keys of the hash's size")

// fits reports whether a verifier makes sense, and is of this hash.
func (v *ScramVerifier) fits(h ScramHash) bool {
	size := h.New().Size()
	return v != nil && len(v.Salt) > 0 && v.Iterations > 0 && len(v.Keys) > 0 &&
		!slices.ContainsFunc(v.Keys, func(k ScramKeys) bool { return len(k.StoredKey) != size || len(k.ServerKey) != size })
}

// credentials are those of one key, as the library wants them.
func (v *ScramVerifier) credentials(i int) scram.StoredCredentials {
	return scram.StoredCredentials{
		KeyFactors: scram.KeyFactors{Salt: string(v.Salt), Iters: v.Iterations},
		StoredKey:  v.Keys[i].StoredKey, ServerKey: v.Keys[i].ServerKey,
	}
}

// final takes client-final and returns server-final. The library judges it, with the key
// that fits, or else with the first.
func (s *scramServer) final(message []byte) ([]byte, bool, error) {
	if _, err := scramMessage(message); err != nil {
		return nil, false, err
	}
	key := s.fitting(string(message))
	talk, err := s.talk(max(key, 0))
	if err != nil {
		return nil, false, err
	}
	said, _ := talk.Step(string(message))
	if !talk.Valid() {
		return nil, false, refusalOf(said)
	}
	if err := s.proved(max(key, 0)); err != nil {
		return nil, false, err
	}
	s.next = s.end
	return []byte(said), false, nil
}

// leastTries is how many keys a proof is tried with at least: as many as an account of
// ours can have. How many it has must not show in the time.
const leastTries = 65

// fitting returns the index of the key that a proof was made with, or -1. All keys are
// tried, whichever fits.
func (s *scramServer) fitting(final string) int {
	without, encoded, _ := strings.Cut(final, ",p=")
	proof, err := base64.StdEncoding.DecodeString(encoded)
	if size := s.hash.New().Size(); err != nil || len(proof) != size {
		proof = make([]byte, size) // which the library refuses
	}
	auth := []byte(s.bare + "," + s.said + "," + without)
	keys, fitting := s.verifier.Keys, -1
	for i := range max(leastTries, len(keys)) {
		if i %= len(keys); s.hash.proves(proof, auth, keys[i].StoredKey) {
			fitting = i
		}
	}
	return fitting
}

// proves reports whether a proof is one of knowing the key that storedKey is the hash of
// (RFC 5802 section 3).
func (h ScramHash) proves(proof, auth, storedKey []byte) bool {
	mac := hmac.New(h.New, storedKey)
	mac.Write(auth)
	clientKey := mac.Sum(nil)
	subtle.XORBytes(clientKey, clientKey, proof)
	sum := h.New()
	sum.Write(clientKey)
	return subtle.ConstantTimeCompare(sum.Sum(nil), storedKey) == 1
}

// refusalOf translates what the library would have told the client.
func refusalOf(said string) error {
	switch said {
	case scram.ErrInvalidProof:
		return ErrProof
	case scram.ErrChannelBindingsDontMatch:
		return ErrBinding
	}
	return ErrMessage
}

// end takes the empty response to the server's proof.
func (s *scramServer) end(message []byte) ([]byte, bool, error) {
	if len(message) > 0 {
		return nil, false, ErrMessage
	}
	return nil, true, nil
}
