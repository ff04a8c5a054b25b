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
		s.wire.r.Tap = func(p []byte) { s.trace(false, p) }
		_, err := io.Copy(io.MultiWriter(b.file, u), popwire.NewBodyReader(s.wire.r, popwire.Lenient))
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
	u.fold()
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
	shown  int
	folded int
}

// Write takes octets of the body, cut anywhere.
func (u *unfolding) Write(p []byte) (int, error) {
	n := len(p)
	for len(p) > 0 {
		i := bytes.IndexByte(p, '\n')
		piece := p
		if i >= 0 {
			piece = p[:i]
		}
		u.line = append(u.line, piece[:min(len(piece), max(0, longestShown+1-len(u.line)))]...)
		if i < 0 {
			break
		}
		u.end(string(bytes.TrimSuffix(u.line, []byte{'\r'})))
		u.line = u.line[:0]
		p = p[i+1:]
	}
	return n, nil
}

// end explains a line, stuffed as it came.
func (u *unfolding) end(line string) {
	if len(line) > 0 && line[0] == '.' {
		line = "." + line
	}
	note := u.s.talk.line(false, line)
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

// fold says how many lines were not shown.
func (u *unfolding) fold() {
	if len(u.line) > 0 {
		u.end(string(u.line))
		u.line = nil
	}
	if u.folded > 0 {
		u.s.screen.folded(u.folded)
	}
}

// item remembers what a line of a listing says.
func (s *session) item(keyword, line string) {
	switch keyword {
	case "LIST":
		s.rememberSize(line)
	case "CAPA":
		if c, ok := popwire.ParseCapability(line); ok && len(s.caps) < mostCaps {
			s.caps = append(s.caps, c)
		}
	}
}
