package shell

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"time"

	"postfach/internal/explain"
	"postfach/internal/popwire"
	"postfach/pop3"
)

// A session is one connection and the person, or script, that leads it. One
// goroutine owns it; others only wait for a line, from either end, and hand it
// over.
type session struct {
	o           Options
	screen      *screen
	in          input
	interactive bool
	wire        *wire

	talk    *talk
	secrets secrets
	before  secrets // of the line before
	token   bool    // a login with a token goes on, which the server may repeat
	user    string  // of the last USER
	caps    pop3.Capabilities
	stamp   string // the greeting's timestamp, while it can be trusted
	stale   bool   // it had one, before STLS
	last    *body

	arrivals chan arrival
	asked    bool // a goroutine waits for the server's next line
	typed    chan entry
	asking   bool // a goroutine waits for the person's next line
	quitting bool // QUIT has been answered: the server may close
	refused  bool // the last reply was -ERR
}

// An arrival is a line of the server, and the octets that it was.
type arrival struct {
	line   string
	octets []byte
	err    error
}

// An entry is a line of the person.
type entry struct {
	line string
	err  error
}

func newSession(o Options) *session {
	o.Timeout = cmp.Or(o.Timeout, 2*time.Minute)
	s := &session{
		o: o, user: cmp.Or(o.User, o.Target.User),
		talk: newTalk(o.Look.Lang), arrivals: make(chan arrival, 1), typed: make(chan entry, 1),
	}
	s.screen = newScreen(o.Out, o.Look)
	return s
}

// close ends the connection and forgets the last body. What waits for a line
// ends, too.
func (s *session) close() {
	if s.wire != nil {
		s.wire.conn.Close()
		if s.asked {
			<-s.arrivals
			s.asked = false
		}
	}
	s.last.close()
}

// ask lets a goroutine wait for the server's next line. It is never asked for
// before a handshake: the line would be taken from TLS.
func (s *session) ask() {
	if s.asked {
		return
	}
	s.asked = true
	go func() {
		var octets []byte
		s.wire.r.Tap = func(p []byte) { octets = append(octets, p...) }
		line, err := s.wire.r.ReadLine(longestLine)
		s.wire.r.Tap = nil
		s.arrivals <- arrival{string(line), octets, err}
	}()
}

// read waits for the next line that is typed. Meanwhile the server may say
// something, or close.
func (s *session) read(ctx context.Context, p prompt) (string, error) {
	if !s.asking {
		s.asking = true
		go func() {
			line, err := s.in.read(ctx, p)
			s.typed <- entry{line, err}
		}()
	}
	s.wire.raw.rest()
	for {
		s.ask()
		select {
		case e := <-s.typed:
			s.asking = false
			return e.line, e.err
		case a := <-s.arrivals:
			s.asked = false
			if err := s.arrived(a); err != nil {
				return "", err
			}
			s.showServer(a.line)
		case <-ctx.Done():
			return "", s.interrupted()
		}
	}
}

// send writes one line. shown is what traces and the screen say of it.
func (s *session) send(line []byte, shown string) error {
	if s.asked { // what came without being asked for is no answer to this line
		select {
		case a := <-s.arrivals:
			s.asked = false
			if err := s.arrived(a); err != nil {
				return err
			}
			s.showServer(a.line)
		default:
		}
	}
	s.trace(true, popwire.EndLine([]byte(shown)))
	s.screen.show(true, shown, s.talk.line(true, shown))
	s.wire.raw.expect()
	if _, err := s.wire.conn.Write(popwire.EndLine(slices.Clone(line))); err != nil {
		return s.lost(err)
	}
	return nil
}

// hear waits until the command that was sent has its whole reply, or until the
// server waits for a response.
func (s *session) hear(ctx context.Context) error {
	for {
		line, err := s.hearLine(ctx)
		if err != nil {
			return err
		}
		note := s.showServer(line)
		s.refused = note.Refused
		if note.Place == explain.Reply && note.Keyword == "STLS" && !note.Refused {
			return s.startTLS(ctx) // before anything else is read
		}
		switch s.talk.expect() {
		case explain.Item, explain.Content:
			if err := s.hearBody(ctx, note.Keyword); err != nil {
				return err
			}
		case explain.Response:
			return nil
		}
		if s.talk.waiting() == 0 {
			break
		}
	}
	if s.refused && s.o.Strict && !s.interactive {
		return s.hangup(ErrRefused)
	}
	return nil
}

// hearLine waits for one line of the server.
func (s *session) hearLine(ctx context.Context) (string, error) {
	s.ask()
	select {
	case a := <-s.arrivals:
		s.asked = false
		return a.line, s.arrived(a)
	case <-ctx.Done():
		return "", s.interrupted()
	}
}

// arrived traces what has come.
func (s *session) arrived(a arrival) error {
	if len(a.octets) > 0 {
		s.trace(false, popwire.RedactChallenge(a.octets, s.token))
	}
	if a.err != nil {
		return s.lost(a.err)
	}
	return nil
}

// showServer explains a line of the server, and remembers what it says.
func (s *session) showServer(line string) explain.Note {
	line = s.hide(string(popwire.RedactChallenge([]byte(line), s.token)))
	note := s.talk.line(false, line)
	s.screen.show(false, line, note)
	if note.Place == explain.Reply && note.Keyword == "CAPA" {
		s.caps = nil
	}
	return note
}

// mostCaps bounds what the session remembers of CAPA.
const mostCaps = 200

// lost says why the server's next line did not come, and ends the session.
func (s *session) lost(err error) error {
	words := s.screen.words()
	switch {
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		note := s.talk.closed(false)
		s.screen.event(note)
		if s.quitting {
			return errStop
		}
		return fmt.Errorf("%w: the server has closed it", ErrLost)
	case errors.Is(err, os.ErrDeadlineExceeded):
		s.screen.say(words.timeout, warning)
	case errors.Is(err, popwire.ErrLineTooLong):
		s.screen.say(words.lineTooLong, warning)
	default:
		s.screen.say(err.Error(), warning)
	}
	s.screen.event(s.talk.closed(true))
	return fmt.Errorf("%w: %w", ErrLost, err)
}

// interrupted hangs up in the middle of something: Ctrl-C, or a signal.
func (s *session) interrupted() error {
	return s.hangup(fmt.Errorf("%w: interrupted", ErrLost))
}

// hangup closes without QUIT, so that nothing is deleted (P3-UPD-06), and
// returns err.
func (s *session) hangup(err error) error {
	s.wire.conn.Close()
	s.screen.event(s.talk.closed(true))
	return err
}

// hide replaces what is secret in what the server says.
func (s *session) hide(text string) string {
	return slices.Concat(s.before, s.secrets).hide(text)
}

// traceTLS says that TLS has begun.
func (s *session) traceTLS() {
	if s.o.Trace != nil {
		s.o.Trace(pop3.TraceEvent{Session: s.o.Target.Addr(), Time: time.Now(), TLS: true})
	}
}

func (s *session) trace(client bool, octets []byte) {
	if s.o.Trace == nil {
		return
	}
	if !client {
		octets = []byte(s.hide(string(octets)))
	}
	s.o.Trace(pop3.TraceEvent{Session: s.o.Target.Addr(), Time: time.Now(), Client: client, Octets: octets})
}
