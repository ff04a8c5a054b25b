package sasl

import (
	"crypto/sha1" //nolint:gosec // SCRAM-SHA-1 has it
	"crypto/sha256"
	"errors"
	"hash"
	"strings"

	"github.com/xdg-go/scram"
)

// A ScramHash is a hash function that SCRAM is used with.
type ScramHash uint8

// The hash functions of SCRAM. SHA-1 is there because RFC 5802 wants it to be
// (P3-SCRAM-02).
const (
	SHA256 ScramHash = iota
	SHA1
)

// New returns a new hash.
func (h ScramHash) New() hash.Hash {
	if h == SHA1 {
		return sha1.New() //nolint:gosec // as above
	}
	return sha256.New()
}

// Mechanism returns the mechanism's name, with channel binding or without.
func (h ScramHash) Mechanism(plus bool) string {
	switch {
	case h == SHA1 && plus:
		return ScramSHA1Plus
	case h == SHA1:
		return ScramSHA1
	case plus:
		return ScramSHA256Plus
	}
	return ScramSHA256
}

// generator is the hash as the library wants it.
func (h ScramHash) generator() scram.HashGeneratorFcn { return h.New }

// A ScramVerifier is what a server keeps in place of an account's passwords (RFC
// 5802 section 3). An account may have several, any of which lets its owner in;
// they have one salt and one work factor, because the client hears those before
// it says which password it has.
type ScramVerifier struct {
	Salt       []byte
	Iterations int
	Keys       []ScramKeys
}

// ScramKeys belong to one password.
type ScramKeys struct{ StoredKey, ServerKey []byte }

// NewScramKeys derives the keys of a password, which has been prepared. It takes
// as long as iterations say.
func NewScramKeys(h ScramHash, password string, salt []byte, iterations int) (ScramKeys, error) {
	if password == "" || len(salt) == 0 || iterations < 1 {
		return ScramKeys{}, errors.New("keys need a password, a salt and iterations")
	}
	client, err := h.generator().NewClientUnprepped("", password, "")
	if err != nil {
		return ScramKeys{}, err
	}
	c, err := client.GetStoredCredentialsWithError(scram.KeyFactors{Salt: string(salt), Iters: iterations})
	return ScramKeys{c.StoredKey, c.ServerKey}, err
}

// mostScram bounds a message of SCRAM, and mostNonce the part of the nonce that
// the other end chose, in octets.
const (
	mostScram = 64 << 10
	mostNonce = 1024
)

// scramMessage takes a message apart into attributes. It checks what is wrong in
// any message: an extension that has to be understood (P3-SCRAM-07), a line end
// or NUL, and no UTF-8.
func scramMessage(message []byte) (attributes []string, err error) {
	text := string(message)
	if len(text) > mostScram || !sendable(text) {
		return nil, ErrMessage
	}
	attributes = strings.Split(text, ",")
	for _, a := range attributes {
		if strings.HasPrefix(a, "m=") {
			return nil, ErrMessage
		}
	}
	return attributes, nil
}

// attribute returns the value of the i-th attribute, which must be that of key.
// An empty value is none.
func attribute(attributes []string, i int, key string) (value string, err error) {
	if i >= len(attributes) {
		return "", ErrMessage
	}
	value, ok := strings.CutPrefix(attributes[i], key+"=")
	if !ok || value == "" {
		return "", ErrMessage
	}
	return value, nil
}

// validNonce knows the grammar of one: printable, without a comma.
func validNonce(nonce string) bool {
	return nonce != "" && len(nonce) <= mostNonce && isGraphic(nonce) && !strings.Contains(nonce, ",")
}
