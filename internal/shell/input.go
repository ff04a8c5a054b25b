package shell

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"golang.org/x/term"

	"postfach/internal/popwire"
)

// A prompt says what is asked for.
type prompt struct {
	text     string
	hidden   bool // without echo
	question bool // an answer to the shell: neither command nor history
	response bool // a line of a SASL exchange, which may be empty
}

// An input is where lines come from. It is read by one goroutine at a time.
type input interface {
	// read returns the next line. io.EOF: there are no more. errCancelled: the
	// person does not want to answer.
	read(ctx context.Context, p prompt) (string, error)
}

var errCancelled = errors.New("cancelled")

// isCancel says that a question was not answered.
func isCancel(err error) bool { return errors.Is(err, errCancelled) || errors.Is(err, io.EOF) }

func isTimeout(err error) bool { return errors.Is(err, os.ErrDeadlineExceeded) }

// openInput finds out whether a person sits there. restore gives the terminal
// back as it was.
func (s *session) openInput(interrupt func()) (restore func(), err error) {
	in, isFile := s.o.In.(*os.File)
	out, isFileToo := s.o.Out.(*os.File)
	switch {
	case !isFile || !term.IsTerminal(fd(in)):
		s.in = &script{r: bufio.NewReaderSize(s.o.In, longestLine)}
		return func() {}, nil
	case !isFileToo || !term.IsTerminal(fd(out)):
		// The terminal would echo what is typed, passwords too.
		return nil, fmt.Errorf("%w: it is typed at a terminal, and standard output is none", ErrScript)
	}
	e, err := openEditor(in, out, s.o.History, s.o.Look.Dumb, interrupt)
	if err != nil {
		return nil, err
	}
	s.in, s.interactive = e, true
	e.complete = s.completions
	s.screen.out = e.terminal
	if s.o.Look.Width == 0 {
		s.screen.width = e.width
	}
	return e.close, nil
}

// prompt is what stands before the person's line.
func (s *session) prompt() string { return "pop3> " }

// A script is lines without a terminal: comments (#) and empty lines are left
// out, but not from a SASL exchange, where an empty line is a response.
type script struct {
	r     *bufio.Reader
	begun bool
}

func (s *script) read(_ context.Context, p prompt) (string, error) {
	for {
		octets, err := s.r.ReadSlice('\n')
		switch {
		case errors.Is(err, bufio.ErrBufferFull):
			return "", fmt.Errorf("%w: %w", ErrScript, popwire.ErrLineTooLong)
		case err != nil && len(octets) == 0:
			return "", err
		}
		line := string(popwire.TrimLine(octets))
		if !s.begun { // programs on Windows begin a text with this mark
			line = strings.TrimPrefix(line, "\ufeff")
			s.begun = true
		}
		if p.response || line != "" && !strings.HasPrefix(line, "#") {
			return line, nil
		}
	}
}

// fd returns the descriptor. Other than Fd it leaves the file as it is, so that
// a waiting read can be ended.
func fd(f *os.File) (n int) {
	conn, err := f.SyscallConn()
	if err != nil {
		return -1
	}
	if conn.Control(func(d uintptr) { n = int(d) }) != nil {
		return -1
	}
	return n
}
