package pop3

import (
	"errors"
	"fmt"
)

// An Error is a negative reply: the peer understood and said no. The
// connection goes on.
type Error struct {
	Code Code   // empty without a response code
	Text string // what follows, for people
}

// Error returns the reply as it stood on the wire, code first.
func (e *Error) Error() string {
	switch {
	case e.Code == "":
		return e.Text
	case e.Text == "":
		return fmt.Sprintf("[%s]", string(e.Code))
	}
	return fmt.Sprintf("[%s] %s", string(e.Code), e.Text)
}

// Is makes errors.Is(err, &Error{Code: CodeSysTemp}) ask for the code, with
// every code below it.
func (e *Error) Is(target error) bool {
	t, ok := target.(*Error)
	return ok && t.Text == "" && t.Code != "" && e.Code.Is(t.Code)
}

// A ProtocolError says that the peer broke the grammar. The connection cannot
// be trusted any more and is closed.
type ProtocolError struct {
	Want string // what the rules ask for here
	Got  string // what came, shortened; quote it with %q
}

func (e *ProtocolError) Error() string {
	if e.Got == "" {
		return "protocol error: want " + e.Want
	}
	return fmt.Sprintf("protocol error: want %s, got %q", e.Want, e.Got)
}

// CodeOf returns the response code of the negative reply in err's chain, or "".
func CodeOf(err error) Code {
	var e *Error
	if errors.As(err, &e) {
		return e.Code
	}
	return ""
}
