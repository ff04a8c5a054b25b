package pop3server

import (
	"context"
	"errors"
	"fmt"
	"io"

	"postfach/internal/popwire"
	"postfach/maildrop"
)

// retr is RETR: the whole message, or no end. The terminator follows only a
// body that was read to its end and has the announced size, because a client
// takes it for leave to delete (P3-MLT-08, P3-MSG-05).
func (s *session) retr(ctx context.Context, args []string) error {
	n, m, err := s.box.message(args[0])
	if err != nil {
		return err
	}
	content, err := s.open(ctx, n, m)
	if err != nil {
		return err
	}
	defer content.Close()
	if err := s.ok(textOctets, m.Size); err != nil {
		return err
	}
	size, err := s.sendBody(content, filePiece)
	if err == nil && size != m.Size {
		err = maildrop.ErrChanged
	}
	if err != nil {
		return s.cut(n, err)
	}
	s.box.last = max(s.box.last, n) // P3-LAST-03
	s.sent++
	return s.terminate()
}

// open opens a message, while -ERR is still possible (P3-LCK-08).
func (s *session) open(ctx context.Context, n int, m maildrop.Message) (io.ReadCloser, error) {
	content, err := s.openContent(ctx, m.ID)
	switch {
	case err == nil:
		return content, nil
	case errors.Is(err, maildrop.ErrGone):
		return nil, &refusal{text: textGone, args: []any{n}}
	}
	s.log().Error("message not readable", "number", n, "id", m.ID, "err", err)
	return nil, &refusal{code: codeFor(err), text: textUnreadable, args: []any{n}}
}

// sendBody sends what src has to its end, so many octets at a time, through a borrowed
// buffer, and ends its last line. size is what a popwire.Counter would say of it.
func (s *session) sendBody(src io.Reader, atOnce int) (size int64, err error) {
	borrowed := filePieces.Get().(*[filePiece]byte)
	defer filePieces.Put(borrowed)
	buf := borrowed[:atOnce]
	s.body = popwire.BodyOn(s.w)
	body := &s.body
	s.content.CountedBy(body) // TOP's reader passes on all of it, where it comes to its end
	for err == nil {
		var n int
		n, err = src.Read(buf)
		if _, unsent := body.Write(buf[:n]); unsent != nil {
			return 0, unsent
		}
	}
	if !errors.Is(err, io.EOF) {
		return 0, err
	}
	return body.EndLine()
}

// cut ends the session in the middle of a reply: too late for -ERR, so the
// response can only be finished or cut off. With TLS there is no close_notify
// either: this is no orderly end.
func (s *session) cut(n int, err error) error {
	s.w.Flush() // earlier replies, and a body that has no terminator
	s.raw.Close()
	return &endError{endCut, &messageError{n, err}}
}

// A messageError says which message it is about.
type messageError struct {
	number int
	err    error
}

func (e *messageError) Error() string { return fmt.Sprintf("message %d: %v", e.number, e.err) }
func (e *messageError) Unwrap() error { return e.err }
