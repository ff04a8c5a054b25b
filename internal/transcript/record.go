package transcript

import (
	"bytes"
	"fmt"
	"io"
	"sync"
	"time"

	"postfach/pop3"
)

// longestPiece is how much of a line the Recorder keeps before it writes what
// it has: a line of any length costs no more.
const longestPiece = 16 << 10

// A Recorder writes a protocol log: a script of what crossed the connections.
// It may be used from many goroutines.
type Recorder struct {
	mu       sync.Mutex // guards what is below
	w        io.Writer
	current  string // the session of the last line
	begun    bool
	sessions map[string]*recorded // only those in the middle of something
	err      error
}

// recorded is a session in the middle of a line.
type recorded struct {
	client, server []byte // the line that is not complete yet
	time           time.Time
}

// NewRecorder returns a Recorder that writes to w. Close writes what is left.
func NewRecorder(w io.Writer) *Recorder {
	return &Recorder{w: w, sessions: make(map[string]*recorded)}
}

// Record adds an event. Lines are written when they are complete; errors of
// the writer are kept for Close.
func (r *Recorder) Record(ev pop3.TraceEvent) {
	r.mu.Lock()
	defer r.mu.Unlock()
	s := r.sessions[ev.Session]
	if s == nil {
		s = new(recorded)
		r.sessions[ev.Session] = s
	}
	s.time = ev.Time
	if ev.TLS {
		r.enter(ev.Session, s)
		r.printf("(tls)\n")
	}
	pending := &s.server
	if ev.Client {
		pending = &s.client
	}
	for octets := ev.Octets; len(octets) > 0; {
		i := bytes.IndexByte(octets, '\n')
		if i < 0 {
			*pending = append(*pending, octets...)
			break
		}
		*pending = append(*pending, octets[:i+1]...)
		octets = octets[i+1:]
		r.line(ev.Session, s, ev.Client, *pending)
		*pending = (*pending)[:0]
	}
	if len(*pending) > longestPiece {
		r.line(ev.Session, s, ev.Client, *pending)
		*pending = (*pending)[:0]
	}
	if len(s.client) == 0 && len(s.server) == 0 {
		delete(r.sessions, ev.Session)
	}
}

// line writes a line, or a piece of one, with the session's name if another
// spoke before.
func (r *Recorder) line(session string, s *recorded, client bool, octets []byte) {
	r.enter(session, s)
	line, ended := bytes.CutSuffix(octets, []byte("\r\n"))
	r.printf("%s\n", formatLine(client, Escape(string(line)), !ended))
}

// enter writes the session's name if another one was the last.
func (r *Recorder) enter(session string, s *recorded) {
	if !r.begun || r.current != session {
		r.begun, r.current = true, session
		r.printf("# %s %s\n%s\n", s.time.UTC().Format(time.RFC3339Nano),
			Escape(session), connectionLine(session))
	}
}

func (r *Recorder) printf(format string, args ...any) {
	if r.err == nil {
		_, r.err = fmt.Fprintf(r.w, format, args...)
	}
}

// Close writes lines that never ended and returns the first error of the
// writer, which stays open.
func (r *Recorder) Close() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	for session, s := range r.sessions {
		if len(s.client) > 0 {
			r.line(session, s, true, s.client)
		}
		if len(s.server) > 0 {
			r.line(session, s, false, s.server)
		}
	}
	clear(r.sessions)
	return r.err
}
