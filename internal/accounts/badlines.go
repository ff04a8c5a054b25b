package accounts

import (
	"errors"
	"fmt"
	"strings"
)

var errNoEnd = errors.New("the last line has no end")

// A badLine is a line of the file that cannot be understood.
type badLine struct {
	file   string
	number int
	user   string // as far as one can tell
	err    error
}

func (b badLine) Error() string { return fmt.Sprintf("%s:%d: %v", b.file, b.number, b.err) }

// reason is the same for a line that has moved, and when another one is in its way.
func (b badLine) reason() string {
	var again *againError
	var taken *takenError
	switch {
	case errors.As(b.err, &again):
		return "again"
	case errors.As(b.err, &taken):
		return "taken"
	}
	return b.err.Error()
}

// An againError is a second line of a user.
type againError struct {
	user  string
	first int // the line of the first one
}

func (e *againError) Error() string {
	return fmt.Sprintf("user %s again, first on line %d", e.user, e.first)
}

// A takenError is a certificate that is another account's.
type takenError struct{ user, other string }

func (e *takenError) Error() string {
	return fmt.Sprintf("user %s: the certificate is %s's already", e.user, e.other)
}

// badLines are all of a file: whoever repairs it wants to know them at once.
type badLines []badLine

// maxBadLines is how many are told.
const maxBadLines = 10

func (b badLines) Error() string {
	var lines []string
	for _, one := range b[:min(len(b), maxBadLines)] {
		lines = append(lines, one.Error())
	}
	if more := len(b) - maxBadLines; more > 0 {
		lines = append(lines, fmt.Sprintf("and %d more", more))
	}
	return strings.Join(lines, "\n")
}

// Unwrap returns the first: its hint is the one that is shown.
func (b badLines) Unwrap() error { return b[0].err }

// says reports whether a line of that user is bad for that reason.
func (b badLines) says(one badLine) bool {
	for _, other := range b {
		if other.user == one.user && other.reason() == one.reason() {
			return true
		}
	}
	return false
}

// worse says what an edit of one user's line has broken, or has left broken in that
// line. Other lines that were bad before are not in its way. nil: nothing.
func (b badLines) worse(before badLines, user string) error {
	var wrong badLines
	for _, one := range b {
		if one.user == user || !before.says(one) {
			wrong = append(wrong, one)
		}
	}
	if len(wrong) > 0 {
		return wrong
	}
	return nil
}
