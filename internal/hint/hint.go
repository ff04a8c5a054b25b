// Package hint carries beside an error what a person can do about it. Programs
// print "hint: ..." below the error.
package hint

import (
	"errors"
	"fmt"
	"io"
	"strings"
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

// Several are errors that stand beside each other. Print shows each with its hint.
type Several []error

// Join returns what is wrong of errs: nil where nothing is, and Several for more than
// one. Several in errs are taken apart.
func Join(errs ...error) error {
	var all Several
	for _, err := range errs {
		if several, ok := err.(Several); ok {
			all = append(all, several...)
		} else if err != nil {
			all = append(all, err)
		}
	}
	switch len(all) {
	case 0:
		return nil
	case 1:
		return all[0]
	}
	return all
}

// Error implements error: all of them, in one line.
func (s Several) Error() string {
	var texts []string
	for _, err := range s {
		texts = append(texts, err.Error())
	}
	return strings.Join(texts, "; ")
}

// Unwrap lets errors.Is and errors.As look into them.
func (s Several) Unwrap() []error { return s }

// Print writes "program: error" and, on a second line, the hint.
func Print(w io.Writer, program string, err error) {
	if several, ok := err.(Several); ok {
		for _, err := range several {
			Print(w, program, err)
		}
		return
	}
	fmt.Fprintf(w, "%s: %v\n", program, err)
	if h := Of(err); h != "" {
		fmt.Fprintf(w, "hint: %s\n", h)
	}
}
