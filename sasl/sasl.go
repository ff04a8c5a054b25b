// Package sasl has the authentication mechanisms of POP3, both ends, without a
// network (RFC 4422). Client and Server have the method sets of
// github.com/emersion/go-sasl, so that a mechanism written for that library
// can be used here.
package sasl

import "errors"

// The names of the mechanisms here, as AUTH and CAPA spell them.
const (
	Plain           = "PLAIN"              // RFC 4616
	Login           = "LOGIN"              // draft-murchison-sasl-login
	External        = "EXTERNAL"           // RFC 4422 appendix A
	ScramSHA256     = "SCRAM-SHA-256"      // RFC 7677
	ScramSHA256Plus = "SCRAM-SHA-256-PLUS" // RFC 7677
	ScramSHA1       = "SCRAM-SHA-1"        // RFC 5802
	ScramSHA1Plus   = "SCRAM-SHA-1-PLUS"   // RFC 5802
	OAuthBearer     = "OAUTHBEARER"        // RFC 7628
	XOAuth2         = "XOAUTH2"            // Google's, before there was an RFC
	CramMD5         = "CRAM-MD5"           // RFC 2195
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

// A Prover is a Client that knows whether the server has proved who it is. Until
// Finished says yes, +OK is no success (P3-SCRAM-05).
type Prover interface{ Finished() bool }

// A Refusable is a Client whose server says why it refuses, in a challenge
// before the -ERR (P3-OAUTH-05).
type Refusable interface {
	// Refusal returns the reason once the server has said it; nil before that.
	Refusal() *TokenError
}

// A Server is the server's end of one exchange.
type Server interface {
	// Next takes the client's response and returns the next challenge, or
	// done. The first response is the initial one; it is nil when the client
	// sent none. An error refuses the client.
	Next(response []byte) (challenge []byte, done bool, err error)
}

// Errors of both ends of an exchange.
var (
	// ErrMessage says that the peer's message breaks the mechanism's grammar.
	ErrMessage = errors.New("message does not follow the mechanism's grammar")
	// ErrCredential says that a name, password or token cannot be sent: it is
	// empty or no UTF-8, or has NUL, CR or LF in it. Nothing was sent.
	ErrCredential = errors.New("user name or password is empty, or has characters that cannot be sent")
	// ErrProof says that the peer has not proved what it had to: the client that
	// it knows the password, or the server that it does.
	ErrProof = errors.New("the other end has not proved that it knows the password")
	// ErrBinding says that the exchange is not bound to its connection as it has
	// to be. Perhaps somebody is in between (P3-SCRAM-12).
	ErrBinding = errors.New("the exchange is not bound to this connection as it has to be")
)
