package maildir

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"postfach/internal/vfs"
	"postfach/maildrop"
)

// Missing is asked once, however many come at a time, and what it says is what they
// hear.
func TestMissingMaildirIsMadeOnce(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "anna")
	s := &Store{Path: func(string) (string, error) { return dir, nil }}
	refusal := errors.New("not here")
	s.Missing = func(string) error { return refusal }
	_, err := s.Open(t.Context(), "anna")
	if !errors.Is(err, maildrop.ErrNoUser) || !errors.Is(err, refusal) {
		t.Errorf("open: %v", err)
	}
	if _, err := s.Deliver(t.Context(), "anna", strings.NewReader("x\n")); !errors.Is(err, maildrop.ErrNoUser) || !errors.Is(err, refusal) {
		t.Errorf("deliver: %v", err)
	}
	var made atomic.Int32
	s.Missing = func(dir string) error {
		if made.Add(1) > 1 {
			return refusal
		}
		half := dir + ".new"
		return errors.Join(s.Create(half), os.Rename(half, dir))
	}
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			if _, err := s.Deliver(t.Context(), "anna", strings.NewReader("x\n")); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	d, err := s.Open(t.Context(), "anna")
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	if n := len(d.Messages()); n != 8 || made.Load() != 1 {
		t.Errorf("%d messages, made %d times", n, made.Load())
	}
}

// An appearing Maildir is there, whole, from the moment on in which somebody has looked
// for it.
type appearing struct {
	vfs.FS
	appear func() error
}

func (a *appearing) OpenFolder(name string) (vfs.Folder, error) {
	f, err := a.FS.OpenFolder(name)
	if a.appear != nil {
		appear := a.appear
		a.appear = nil
		if err := appear(); err != nil {
			return nil, err
		}
	}
	return f, err
}

// A Maildir that appears while it is looked for is no folder without new/ and cur/.
func TestMaildirThatAppearsIsWhole(t *testing.T) {
	strict := vfs.NewStrict()
	s := storeOn(strict, strictRoot)
	s.FS = &appearing{FS: strict, appear: func() error { return storeOn(strict, strictRoot).Create(strictRoot + "/anna") }}
	if _, err := s.Deliver(t.Context(), "anna", strings.NewReader("x\n")); err != nil {
		t.Error(err)
	}
}
