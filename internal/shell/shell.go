// Package shell is a telnet for POP3 that says beside each line what it means.
// What a person types goes to the server as it is; passwords are hidden,
// STLS begins TLS, and QUIT says what it will delete.
package shell

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"time"

	"postfach/internal/explain"
	"postfach/pop3"
)

// Options say where a Shell connects and how it behaves. In and Out are needed.
type Options struct {
	Target Target
	// TLS is copied. No version below 1.2 is negotiated; an empty ServerName
	// becomes the host, an empty NextProtos "pop3".
	TLS *tls.Config
	// DialContext makes the connection. nil: a net.Dialer.
	DialContext func(ctx context.Context, network, addr string) (net.Conn, error)
	// AllowCleartext lets passwords cross the network unprotected (P3-USR-08).
	AllowCleartext bool
	// Timeout bounds how long the server may be silent when it owes a reply. 0:
	// two minutes, which opening a huge maildrop can take.
	Timeout time.Duration

	// In is where lines come from. When it and Out are terminals they are
	// edited, else they are a script.
	In  io.Reader
	Out io.Writer
	// Password is asked in a script when PASS, APOP or AUTH stands without one.
	// nil: there is none.
	Password func(ctx context.Context, user, host string) (string, error)
	// User is the account's name, where a person does not say another.
	User string
	// Strict ends a script at the first -ERR, and nothing is deleted.
	Strict bool
	// History is the file with the lines of earlier sessions; never a secret.
	// Empty: they are forgotten.
	History string

	Look Look
	// Trace, if not nil, sees what crosses the wire, secrets replaced.
	Trace func(pop3.TraceEvent)
}

// A Look says how lines are shown.
type Look struct {
	Lang explain.Language
	// Width is in columns. 0: the terminal's, or 100.
	Width int
	// Color: with escape sequences for colours.
	Color bool
	// Dumb: the terminal knows no escape sequences.
	Dumb bool
	// NoTimes: without time stamps. NoExplain: without what lines mean.
	NoTimes, NoExplain bool
}

// How a session can end badly.
var (
	// ErrConnect: there is no connection, or the server does not greet.
	ErrConnect = errors.New("no connection")
	// ErrNoSTLS: there is no connection, because the server refuses STLS.
	ErrNoSTLS = errors.New("the server refuses STLS")
	// ErrLost: the connection ended, or was given up, before QUIT was answered.
	ErrLost = errors.New("the connection ended")
	// ErrRefused: a server said -ERR to a strict script.
	ErrRefused = errors.New("the server refused")
	// ErrScript: a line of a script cannot be carried out.
	ErrScript = errors.New("bad line in the script")
)

// errStop ends a session well.
var errStop = errors.New("stop")

// Run connects and leads the session until it ends; ctx cuts it off. Errors
// wrap one of those above. What was shown is on Out, also about an error.
func Run(ctx context.Context, o Options) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	s := newSession(o)
	restore, err := s.openInput(cancel)
	if err != nil {
		return err
	}
	defer restore()
	defer s.close()
	if err := s.connect(ctx); err != nil {
		return err
	}
	if err := s.loop(ctx); !errors.Is(err, errStop) {
		return err
	}
	return nil
}

// loop carries out one line after the other.
func (s *session) loop(ctx context.Context) error {
	for {
		line, err := s.read(ctx, prompt{text: s.prompt()})
		switch {
		case errors.Is(err, errCancelled):
			continue
		case errors.Is(err, io.EOF):
			return s.hangup(errStop)
		case err != nil:
			return err
		}
		err = s.obey(ctx, line)
		var no *refusal
		switch {
		case errors.As(err, &no) && s.interactive:
			s.screen.say(no.Error(), warning)
		case errors.As(err, &no):
			s.screen.say(no.Error(), warning)
			return s.hangup(fmt.Errorf("%w: %w", ErrScript, no))
		case err != nil:
			return err
		}
	}
}

// A refusal says why the shell does not do what a line asks for. The session
// goes on.
type refusal struct{ text string }

func (r *refusal) Error() string { return r.text }
