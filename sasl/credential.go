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
func PrepareName(name string) (string, error) { return prepare(query, name) }

// isPrintable reports whether text is ASCII without control characters.
func isPrintable(text string) bool {
	return !strings.ContainsFunc(text, func(r rune) bool { return r < ' ' || r > '~' })
}

// PreparePassword applies SASLprep to a password that is to be stored, and to one that
// SCRAM sends nothing but a proof of (RFC 4013, stored string: P3-PLAIN-04). Printable
// ASCII, spaces at the ends included, comes back as it is. Its error tells
// nothing of the password.
func PreparePassword(password string) (string, error) {
	return silent(prepare(stored, password))
}

// PrepareQuery is PreparePassword for a password that is to be compared with what is
// stored somewhere (RFC 4013, query string). It lets characters pass that are newer than
// Unicode 3.2, of which SASLprep knows nothing: those who keep the password may.
func PrepareQuery(password string) (string, error) {
	return silent(prepare(query, password))
}

func stored() stringprep.Profile { return stringprep.SASLprep }

// query is SASLprep without its table of unassigned code points (RFC 3454 section 7).
func query() stringprep.Profile {
	profile := stringprep.SASLprep
	profile.Prohibits = []stringprep.Set{
		stringprep.TableC1_2, stringprep.TableC2_1, stringprep.TableC2_2, stringprep.TableC3, stringprep.TableC4,
		stringprep.TableC5, stringprep.TableC6, stringprep.TableC7, stringprep.TableC8, stringprep.TableC9,
	}
	return profile
}

// silent takes the character out of an error that has it.
func silent(prepared string, err error) (string, error) {
	var wrong stringprep.Error
	if errors.As(err, &wrong) {
		return "", errors.New(wrong.Msg)
	}
	return prepared, err
}

func prepare(profile func() stringprep.Profile, s string) (string, error) {
	if s != "" && isPrintable(s) { // no table has anything to say about it
		return s, nil
	}
	prepared, err := profile().Prepare(s)
	if err != nil {
		return "", err
	}
	if prepared == "" {
		return "", errors.New("nothing is left of it")
	}
	return prepared, nil
}
