package sasl

import (
	"errors"
	"strings"
	"unicode/utf8"

	"github.com/xdg-go/stringprep"
)

// A login is what a client end knows. Clients hold it by pointer, so that %v
// shows an address.
type login struct{ user, password string }

// mostField is the longest name or password that a server takes, in octets
// (P3-PLAIN-02).
const mostField = 255

// acceptable reports whether names and passwords that a client sent are text
// that can be looked at: what follows may write them to logs, files or another
// protocol.
func acceptable(fields ...string) bool {
	for _, f := range fields {
		if len(f) > mostField {
			return false
		}
	}
	return sendable(fields...)
}

// sendable is acceptable for those that are ours, which may be longer
// (P3-SYN-26).
func sendable(fields ...string) bool {
	for _, f := range fields {
		if strings.ContainsAny(f, "\x00\r\n") || !utf8.ValidString(f) {
			return false
		}
	}
	return true
}

// isGraphic reports whether text is visible ASCII: no space, nothing that ends a
// field, and printed without harm.
func isGraphic(text string) bool {
	return !strings.ContainsFunc(text, func(r rune) bool { return r <= ' ' || r > '~' })
}

// PrepareName applies SASLprep to a user name that is to be looked up (RFC
// 4013, query string: P3-UTF-07, P3-AUTH-27). A name that fails, or of which
// nothing is left, is an error.
func PrepareName(name string) (string, error) { return prepare(name) }

// PreparePassword applies SASLprep to a password (P3-PLAIN-04). Printable
// ASCII, spaces at the ends included, comes back as it is. Its error tells
// nothing of the password.
func PreparePassword(password string) (string, error) {
	prepared, err := prepare(password)
	var wrong stringprep.Error
	if errors.As(err, &wrong) { // it has the character
		return "", errors.New(wrong.Msg)
	}
	return prepared, err
}

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
