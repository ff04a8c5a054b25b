package sasl

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"unicode"
)

// A TokenError tells the client why its token is of no use (RFC 7628 section
// 3.2.2). What is empty is not said.
type TokenError struct {
	Status        string // "invalid_token" for empty
	Scope         string
	Configuration string // the address of the issuer's OpenID configuration
}

// Error implements error.
func (e *TokenError) Error() string {
	if e.Status == "" {
		return "token refused"
	}
	return fmt.Sprintf("token refused: %q", e.Status)
}

// defaultStatus is said where no reason is.
const defaultStatus = "invalid_token"

// tokenError is what the client hears of a refusal: nothing of errors that were
// not made for it.
func tokenError(err error) *TokenError {
	if e, ok := errors.AsType[*TokenError](err); ok {
		return e
	}
	return &TokenError{}
}

// A tokenRefusal is a TokenError on the wire.
type tokenRefusal struct {
	Status        any    `json:"status"` // a number with XOAUTH2 at times
	Schemes       string `json:"schemes,omitempty"`
	Scope         string `json:"scope,omitempty"`
	Configuration string `json:"openid-configuration,omitempty"`
}

// mostRefusal bounds each field of a refusal that is kept, in octets.
const mostRefusal = 1024

// parseTokenError understands what a server says. It may say anything: a refusal
// it is in any case. The token is not kept.
func parseTokenError(challenge []byte, token string) *TokenError {
	var said tokenRefusal
	if json.Unmarshal(challenge, &said) != nil {
		return &TokenError{}
	}
	status := ""
	switch s := said.Status.(type) {
	case string:
		status = s
	case float64:
		status = fmt.Sprint(s)
	}
	return &TokenError{tame(status, token), tame(said.Scope, token), tame(said.Configuration, token)}
}

// shortToken is the length below which a token would show itself by the gaps that it
// leaves.
const shortToken = 4

// tame makes text of a server's fit for messages: in one line, without the token, and
// short. It is cut last: a part of the token would not be found any more.
func tame(s, token string) string {
	s = strings.Map(func(r rune) rune {
		if !unicode.IsPrint(r) {
			return -1
		}
		return r
	}, strings.ToValidUTF8(s, ""))
	if len(token) >= shortToken {
		s = strings.ReplaceAll(s, token, "")
	}
	return strings.ToValidUTF8(s[:min(len(s), mostRefusal)], "")
}

func (r tokenRefusal) encode() []byte {
	out, _ := json.Marshal(r) // all strings, which cannot fail
	return out
}
