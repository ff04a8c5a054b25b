// Package hint carries beside an error what a person can do about it. Programs
// print "hint: ..." below the error.
package hint

import (
	"errors"
	"fmt"
	"io"
)

type hinted struct {
	error
	hint string
}

func (h *hinted) Unwrap() error { return h.error }

// Add returns err with a hint. A nil err stays nil.
func Add(err error, format string, args ...any) error {
	if err == nil {
		return nil
	}
	return &hinted{err, fmt.Sprintf(format, args...)}
}

// Of returns the outermost hint in err's chain, or "".
func Of(err error) string {
	var h *hinted
	if errors.As(err, &h) {
		return h.hint
	}
	return ""
}

// Print writes "program: error" and, on a second line, the hint.
func Print(w io.Writer, program string, err error) {
	fmt.Fprintf(w, "%s: %v\n", program, err)
	if h := Of(err); h != "" {
		fmt.Fprintf(w, "hint: %s\n", h)
	}
}
