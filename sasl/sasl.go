// Package sasl has the authentication mechanisms of POP3, both ends, without a
// network (RFC 4422). Client and Server have the method sets of
// github.com/emersion/go-sasl, so that a mechanism written for that library
// can be used here.
package sasl

import (
	"errors"

	"github.com/xdg-go/stringprep"
)

// The names of the mechanisms here, as AUTH and CAPA spell them.
const (
	Plain       = "PLAIN"         // RFC 4616
	ScramSHA256 = "SCRAM-SHA-256" // RFC 7677
)

// A Client is the client's end of one exchange.
type Client interface {
	// Start returns the mechanism's name and its initial response. nil means
	// that there is none: the server speaks first. An empty response that is
	// not nil is sent as one.
	Start() (mech string, ir []byte, err error)
	// Next answers a challenge. On an error the exchange is cancelled.
	Next(challenge []byte) (response []byte, err error)
}

// A Server is the server's end of one exchange.
type Server interface {
	// Next takes the client's response and returns the next challenge, or
	// done. The first response is the initial one; it is nil when the client
	// sent none. An error refuses the client.
	Next(response []byte) (challenge []byte, done bool, err error)
}

// ErrMessage says that the peer's message breaks the mechanism's grammar.
var ErrMessage = errors.New("message does not follow the mechanism's grammar")

// PrepareName applies SASLprep to a user name that is to be looked up (RFC
// 4013, query string: P3-UTF-07, P3-AUTH-27). A name that fails, or of which
// nothing is left, is an error.
func PrepareName(name string) (string, error) { return prepare(name) }

// PreparePassword applies SASLprep to a password (P3-PLAIN-04). Printable
// ASCII, spaces at the ends included, comes back as it is.
func PreparePassword(password string) (string, error) { return prepare(password) }

func prepare(s string) (string, error) {
	prepared, err := stringprep.SASLprep.Prepare(s)
	if err != nil {
		return "", err
	}
	if prepared == "" {
		return "", errors.New("nothing is left of it")
	}
	return prepared, nil
}
