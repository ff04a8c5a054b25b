package explore

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"postfach/pop3"
)

// A lossError says in plain words how far a message came before the connection
// was lost.
type lossError struct {
	number int
	octets int64
	cut    bool // the message had begun
	err    error
}

// Error implements error.
func (l *lossError) Error() string {
	var wrong *pop3.ProtocolError
	switch {
	case errors.As(l.err, &wrong):
		text := strings.TrimPrefix(wrong.Error(), fmt.Sprintf("message %d: ", l.number))
		return fmt.Sprintf("message %d: %s", l.number, text)
	case silent(l.err):
		return fmt.Sprintf("message %d: the server does not answer any more, after %s", l.number, octets(l.octets))
	case l.octets == 0:
		return fmt.Sprintf("message %d: the server closed the connection instead of sending it", l.number)
	}
	return fmt.Sprintf("message %d: the server closed the connection after %s", l.number, octets(l.octets))
}

// Unwrap returns the reason.
func (l *lossError) Unwrap() error { return l.err }

// Is makes every message that is cut off io.ErrUnexpectedEOF.
func (l *lossError) Is(target error) bool { return l.cut && target == io.ErrUnexpectedEOF }

func octets(n int64) string { return count(int(n), "octet", "octets") }

// silent reports whether the server says nothing, rather than having gone.
func silent(err error) bool {
	return errors.Is(err, errStalled) || errors.Is(err, os.ErrDeadlineExceeded) || errors.Is(err, context.DeadlineExceeded)
}

// What a person reads beside a message that the connection was lost at.
const (
	endsAtLoad    = "the connection ends when it is loaded"
	endsAtPreview = "the connection ends when its first lines are loaded"
)

// blame notes that the connection ended when message k alone was asked for.
func (e *Explorer) blame(k Key, problem string) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if i, ok := e.list.index[k]; ok && e.life.Err() == nil {
		e.list.rows[i].broken = problem
		e.bell.ring()
	}
}

// mend takes back what blame noted. A message that was loaded whole has no
// problem; one whose first lines came may still have one.
func (e *Explorer) mend(k Key, problem string) {
	e.mu.Lock()
	defer e.mu.Unlock()
	i, ok := e.list.index[k]
	if !ok {
		return
	}
	r := &e.list.rows[i]
	if r.broken == problem || problem == endsAtLoad {
		r.broken = ""
	}
	if r.summary != nil {
		r.problem = ""
	}
	e.bell.ring()
}
