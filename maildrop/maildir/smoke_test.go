package maildir

import (
	"io"
	"strings"
	"testing"

	"postfach/internal/vfs"
	"postfach/pop3"
)

func TestSmoke(t *testing.T) {
	fs := vfs.NewStrict()
	s := &Store{FS: fs, Path: func(u string) (string, error) { return "/mail/" + u, nil }}
	if err := s.Create("/mail/a"); err != nil {
		t.Fatal(err)
	}
	id, err := s.Deliver(t.Context(), "a", strings.NewReader("a: b\n\nc\n"))
	if err != nil {
		t.Fatal(err)
	}
	d, err := s.Open(t.Context(), "a")
	if err != nil {
		t.Fatal(err)
	}
	t.Log(d.Messages())
	r, err := d.Content(t.Context(), id)
	if err != nil {
		t.Fatal(err)
	}
	b, err := io.ReadAll(r)
	t.Logf("%q %v", b, err)
	r.Close()
	if err := d.Update(t.Context(), []pop3.UniqueID{id}); err != nil {
		t.Fatal(err)
	}
	d.Close()
	d, err = s.Open(t.Context(), "a")
	if err != nil || len(d.Messages()) > 0 {
		t.Fatal(err)
	}
}
