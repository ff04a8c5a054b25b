package shell

import (
	"bytes"
	"context"
	"errors"
	"io"
	"os"

	"postfach/internal/explain"
	"postfach/internal/popwire"
)

// How many lines of a long reply are shown before the rest folds, and how much
// of one line.
const (
	unfoldedContent = 8
	unfoldedItems   = 40
	longestShown    = 2000 // octets
)

// A body is the last long reply, as it was before byte-stuffing. It waits in a
// file without a name: messages may be large.
type body struct {
	file *os.File
	name string // where a nameless file cannot be
}

func newBody() (*body, error) {
	f, err := os.CreateTemp("", "postfach-*")
	if err != nil {
		return nil, err
	}
	b := &body{file: f}
	if os.Remove(f.Name()) != nil { // an open file keeps its name on Windows
		b.name = f.Name()
	}
	return b, nil
}

// close forgets the body. b may be nil.
func (b *body) close() {
	if b == nil {
		return
	}
	b.file.Close()
	if b.name != "" {
		os.Remove(b.name)
	}
}

// reader reads the body from its start.
func (b *body) reader() (io.Reader, error) {
	_, err := b.file.Seek(0, io.SeekStart)
	return b.file, err
}

// hearBody reads the rest of a long reply, shows its first lines and keeps all
// of it.
func (s *session) hearBody(ctx context.Context, keyword string) error {
	s.last.close()
	s.last = nil
	b, err := newBody()
	if err != nil {
		return s.lost(err)
	}
	u := &unfolding{s: s, limit: unfoldedItems}
	if s.talk.expect() == explain.Content {
		u.limit = unfoldedContent
	}
	if keyword == "CAPA" {
		u.limit = mostCaps
	}
	done := make(chan error, 1)
	go func() {
		s.wire.r.Tap = func(p []byte) {
			s.trace(false, p)
			u.add(p)
		}
		_, err := io.Copy(b.file, popwire.NewBodyReader(s.wire.r, popwire.Lenient))
		s.wire.r.Tap = nil
		done <- err
	}()
	select {
	case err = <-done:
	case <-ctx.Done():
		s.wire.conn.Close()
		<-done
		b.close()
		return s.interrupted()
	}
	u.fold(err == nil)
	if err != nil {
		b.close()
		if errors.Is(err, io.ErrUnexpectedEOF) {
			s.screen.say(s.screen.words().cut, warning)
		}
		return s.lost(err)
	}
	s.last = b
	s.screen.show(false, ".", s.talk.line(false, "."))
	return nil
}

// An unfolding explains the lines of a long reply and shows the first of them.
type unfolding struct {
	s      *session
	limit  int
	line   []byte // the start of one that is not complete
	cut    int    // how many octets of it are missing
	last   byte   // its last octet
	dot    bool   // the line before was only a dot: the end, unless more comes
	shown  int
	folded int
}

// add takes octets as they came, cut anywhere.
func (u *unfolding) add(octets []byte) {
	for len(octets) > 0 {
		piece, rest, complete := bytes.Cut(octets, []byte{'\n'})
		octets = rest
		if len(piece) > 0 {
			room := min(len(piece), max(0, longestShown+1-len(u.line)))
			u.line = append(u.line, piece[:room]...)
			u.cut += len(piece) - room
			u.last = piece[len(piece)-1]
		}
		if complete {
			u.end()
		}
	}
}

// end takes a complete line. One that is only a dot waits.
func (u *unfolding) end() {
	switch {
	case u.last != '\r':
	case u.cut > 0:
		u.cut--
	default:
		u.line = u.line[:len(u.line)-1]
	}
	line, cut := string(u.line), u.cut
	u.line, u.cut, u.last = u.line[:0], 0, 0
	u.flush()
	if u.dot = line == "." && cut == 0; !u.dot {
		u.explain(line, line, cut)
	}
}

// flush shows the dot that was not the end.
func (u *unfolding) flush() {
	if u.dot {
		u.dot = false
		u.explain(".", "..", 0)
	}
}

// explain shows a line, unless enough have been shown. heard is what the
// conversation hears of it.
func (u *unfolding) explain(line, heard string, cut int) {
	note := u.s.talk.body(heard, cut)
	if note.Place == explain.Item {
		u.s.item(note.Keyword, line)
	}
	if u.shown == u.limit {
		u.folded++
		return
	}
	u.shown++
	u.s.screen.show(false, line, note)
}

// fold says how many lines were not shown. whole: the last one was the end.
func (u *unfolding) fold(whole bool) {
	if !whole {
		u.flush()
		if len(u.line) > 0 {
			u.end()
		}
	}
	if u.folded > 0 {
		u.s.screen.folded(u.folded)
	}
}

// item remembers what a line of a listing says.
func (s *session) item(keyword, line string) {
	if keyword != "CAPA" {
		return
	}
	if c, ok := popwire.ParseCapability(line); ok && len(s.caps) < mostCaps {
		s.caps = append(s.caps, c)
	}
}
