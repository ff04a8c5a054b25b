//go:build unix

package maildir

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"postfach/internal/vfs"
	"postfach/maildrop"
	"postfach/maildrop/maildroptest"
)

// rewrite replaces the content in the same inode, as a new file does that gets
// the number of a removed one, and gives it another time.
func rewrite(t *testing.T, name, content string, mtime time.Time) {
	t.Helper()
	f, err := os.OpenFile(name, os.O_WRONLY|os.O_TRUNC, 0)
	if err == nil {
		_, err = f.WriteString(content)
		err = errors.Join(err, f.Close(), os.Chtimes(name, mtime, mtime))
	}
	if err != nil {
		t.Fatal(err)
	}
}

// P3-UIDL-06: another message with the inode, the name and the size of one that
// is gone is not served in its place, and not removed in its place.
func TestReusedInode(t *testing.T) {
	for name, change := range map[string]struct {
		content string
		later   time.Duration
	}{
		"another time":   {"body 2\n", time.Hour},
		"another length": {"body\n", 0},
	} {
		t.Run(name, func(t *testing.T) {
			root := t.TempDir()
			s := newStore(t, vfs.OS{}, root)
			dir := filepath.Join(root, maildroptest.User)
			putAt(t, dir, "cur/1.x:2,", "body 1\n", 5)
			info, err := os.Stat(filepath.Join(dir, "cur/1.x:2,"))
			if err != nil {
				t.Fatal(err)
			}
			d := mustOpen(t, s)
			defer d.Close()
			rewrite(t, filepath.Join(dir, "cur/1.x:2,"), change.content, info.ModTime().Add(change.later))
			if text, err := fetch(t, d, "1.x"); !errors.Is(err, maildrop.ErrChanged) || text != "" {
				t.Errorf("content: %q, %v", text, err)
			}
			rename(t, dir, "cur/1.x:2,", "cur/1.x:2,S")
			if _, err := fetch(t, d, "1.x"); !errors.Is(err, maildrop.ErrChanged) {
				t.Errorf("content, after a flag was set: %v", err)
			}
			if got := remaining(t, d.Update(t.Context(), messageIDs([]string{"1.x"}))); len(got) != 1 {
				t.Error("it was removed, and nobody has read it")
			}
		})
	}
}

// Promise 6: octets of two contents with one size never look like a message.
func TestRewrittenWhileItIsRead(t *testing.T) {
	root := t.TempDir()
	s := newStore(t, vfs.OS{}, root)
	dir := filepath.Join(root, maildroptest.User)
	putAt(t, dir, "cur/1.x:2,", strings.Repeat("a\n", 1000), 5)
	d := mustOpen(t, s)
	defer d.Close()
	r, err := d.Content(t.Context(), "1.x")
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	if _, err := r.Read(make([]byte, 100)); err != nil {
		t.Fatal(err)
	}
	rewrite(t, filepath.Join(dir, "cur/1.x:2,"), strings.Repeat("b\n", 1000), time.Now())
	var rest bytes.Buffer
	if _, err := rest.ReadFrom(r); !errors.Is(err, maildrop.ErrChanged) {
		t.Errorf("read %d octets more, and then %v", rest.Len(), err)
	}
}

// A starved is a file system on which no file can be opened or read.
type starved struct {
	vfs.FS
	err error
}

func (s starved) Open(name string) (vfs.File, error) {
	return nil, &fs.PathError{Op: "open", Path: name, Err: s.err}
}

// A size that is guessed because files have run out would cut a later RETR.
func TestNoSizeIsGuessedForAMoment(t *testing.T) {
	for err, opens := range map[error]bool{
		syscall.EMFILE: false, syscall.ENFILE: false, syscall.ENOMEM: false,
		syscall.EACCES: true, syscall.EIO: true,
	} {
		root := t.TempDir()
		s := newStore(t, vfs.OS{}, root)
		putAt(t, filepath.Join(root, maildroptest.User), "cur/1.x:2,", "text\n", 5)
		s.FS = starved{s.FS, err}
		d, openErr := s.Open(t.Context(), maildroptest.User)
		if opens != (openErr == nil) || !opens && !errors.Is(openErr, err) {
			t.Errorf("%v: open: %v", err, openErr)
		}
		if openErr == nil {
			d.Close()
		}
	}
}

// A hangup ends the session when so much was read.
type hangup struct {
	vfs.FS
	end   context.CancelFunc
	reads *int
}

func (h hangup) Open(name string) (vfs.File, error) {
	f, err := h.FS.Open(name)
	return hangupFile{f, h}, err
}

type hangupFile struct {
	vfs.File
	h hangup
}

func (f hangupFile) Read(p []byte) (int, error) {
	*f.h.reads++
	f.h.end()
	return f.File.Read(p)
}

// Nobody waits for the size of a huge file any more: the count ends, and the
// lock is free.
func TestCountEndsWithTheSession(t *testing.T) {
	root := t.TempDir()
	s := newStore(t, vfs.OS{}, root)
	name := filepath.Join(root, maildroptest.User, "cur/1.huge:2,")
	if err := errors.Join(put(s.FS, filepath.Dir(filepath.Dir(name)), "cur/1.huge:2,", ""), os.Truncate(name, 1<<30)); err != nil {
		t.Fatal(err)
	}
	ctx, end := context.WithCancel(t.Context())
	reads := 0
	s.FS = hangup{vfs.OS{}, end, &reads}
	if _, err := s.Open(ctx, maildroptest.User); !errors.Is(err, context.Canceled) || reads != 1 {
		t.Errorf("open: %v after %d buffers", err, reads)
	}
	lock, err := vfs.OS{}.Lock(filepath.Join(root, maildroptest.User))
	if err != nil {
		t.Fatal(err)
	}
	lock.Close()
}

func (s starved) Lock(dir string) (vfs.Lock, error) { return lockThrough(s, s.FS, dir) }

func (s starved) OpenFolder(dir string) (vfs.Folder, error) { return openThrough(s, s.FS, dir) }

func (h hangup) Lock(dir string) (vfs.Lock, error) { return lockThrough(h, h.FS, dir) }

func (h hangup) OpenFolder(dir string) (vfs.Folder, error) { return openThrough(h, h.FS, dir) }

// A countingFS counts the readings of folders.
type countingFS struct {
	agedFS
	readings *int
}

func (c countingFS) Lock(dir string) (vfs.Lock, error) { return lockThrough(c, c.OS, dir) }

func (c countingFS) OpenFolder(dir string) (vfs.Folder, error) { return openThrough(c, c.OS, dir) }

func (c countingFS) ReadDir(name string) ([]string, error) {
	*c.readings++
	return c.agedFS.ReadDir(name)
}

// Goal 1: a backup is put back, with the names that were there and other inodes. The
// session after that reads them all.
func TestRestoredMaildropIsReadAnew(t *testing.T) {
	const n = 200
	s, dir := agedStore(t, n)
	aside := filepath.Join(dir, "aside") // so that no inode gets the number that it had
	if err := os.Mkdir(aside, 0o700); err != nil {
		t.Fatal(err)
	}
	for i := range n {
		name := fmt.Sprintf("%d.x:2,", 1000+i)
		if err := os.Rename(filepath.Join(dir, "cur", name), filepath.Join(aside, name)); err != nil {
			t.Fatal(err)
		}
	}
	for i := range n {
		name := fmt.Sprintf("%d.x:2,", 1000+i)
		octets, readErr := os.ReadFile(filepath.Join(aside, name))
		info, err := os.Stat(filepath.Join(aside, name))
		file := filepath.Join(dir, "cur", name)
		if err := errors.Join(readErr, err, os.WriteFile(file, octets, 0o600), os.Chtimes(file, info.ModTime(), info.ModTime())); err != nil {
			t.Fatal(err)
		}
	}
	nextTick(t, dir)
	readings := 0
	s.FS = countingFS{readings: &readings}
	d := mustOpen(t, s)
	defer d.Close()
	readings = 0
	for _, m := range d.Messages() {
		if _, err := fetch(t, d, m.ID); err != nil {
			t.Fatalf("%s: %v", m.ID, err)
		}
	}
	if readings > 0 {
		t.Errorf("%d readings of folders", readings)
	}
}
