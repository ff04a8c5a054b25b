//go:build unix

package maildir

import (
	"bytes"
	"errors"
	"io"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"postfach/internal/popwire"
	"postfach/internal/unprivileged"
	"postfach/internal/vfs"
	"postfach/maildrop"
	"postfach/maildrop/maildroptest"
	"postfach/pop3"
)

// One bad file never blocks the maildrop (promise 7).
func TestOddFiles(t *testing.T) {
	if !unprivileged.Run(t) {
		return
	}
	root := t.TempDir()
	s := newStore(t, vfs.OS{}, root)
	dir := filepath.Join(root, maildroptest.User)
	secret := filepath.Join(root, "secret")
	closed := filepath.Join(dir, "cur/2.closed:2,")
	err := errors.Join(
		put(s.fs(), dir, "cur/1.good:2,S", "good\n"),
		put(s.fs(), dir, "cur/2.closed:2,", "closed\n"),
		put(s.fs(), dir, "new/3.last", "last\n"),
		put(s.fs(), dir, "new/.hidden", "hidden\n"),
		os.Chmod(closed, 0),
		os.WriteFile(secret, []byte("secret\n"), 0o600),
		os.Symlink(secret, filepath.Join(dir, "new/0.link-out")),
		os.Symlink("../cur/1.good:2,S", filepath.Join(dir, "new/0.link-in")),
		os.Mkdir(filepath.Join(dir, "cur/0.folder"), 0o700),
		syscall.Mkfifo(filepath.Join(dir, "cur/0.fifo"), 0o600),
	)
	if err != nil {
		t.Fatal(err)
	}
	socket, err := net.Listen("unix", filepath.Join(dir, "new/0.socket"))
	if err != nil {
		t.Fatal(err)
	}
	defer socket.Close()

	d := mustOpen(t, s)
	if got := ids(d); strings.Join(got, " ") != "1.good 2.closed 3.last" {
		t.Fatalf("listed: %q", got)
	}
	for id, want := range map[pop3.UniqueID]string{"1.good": "good\n", "3.last": "last\n"} {
		if got, err := fetch(t, d, id); got != want || err != nil {
			t.Errorf("%s: %q, %v", id, got, err)
		}
	}
	if _, err := d.Content(t.Context(), "2.closed"); !errors.Is(err, os.ErrPermission) {
		t.Errorf("an unreadable file: %v", err)
	}
}

// A disk that is not mounted must not look like an empty maildrop.
func TestMissingFolders(t *testing.T) {
	root := t.TempDir()
	s := newStore(t, vfs.OS{}, root)
	dir := filepath.Join(root, maildroptest.User)
	os.Remove(filepath.Join(dir, "new"))
	mustOpen(t, s).Close()
	if _, err := s.Deliver(t.Context(), maildroptest.User, strings.NewReader("a\n")); err != nil {
		t.Errorf("new/ is missing: %v", err)
	}
	os.RemoveAll(filepath.Join(dir, "new"))
	os.Remove(filepath.Join(dir, "cur"))
	if _, err := s.Open(t.Context(), maildroptest.User); err == nil || errors.Is(err, maildrop.ErrNoUser) {
		t.Errorf("both are missing: %v", err)
	}
	os.Symlink(root, filepath.Join(dir, "cur"))
	if _, err := s.Open(t.Context(), maildroptest.User); !errors.Is(err, ErrNotFolder) {
		t.Errorf("cur is a link: %v", err)
	}
	os.RemoveAll(dir)
	if _, err := s.Open(t.Context(), maildroptest.User); !errors.Is(err, maildrop.ErrNoUser) {
		t.Errorf("no Maildir: %v", err)
	}
}

// A hint that lies costs one cut RETR and heals itself.
func TestLyingHints(t *testing.T) {
	root := t.TempDir()
	s := newStore(t, vfs.OS{}, root)
	var log bytes.Buffer
	s.Log = slog.New(slog.NewTextHandler(&log, nil))
	dir := filepath.Join(root, maildroptest.User)
	err := errors.Join(
		put(s.fs(), dir, "cur/1.wire,S=4,W=7:2,", "a\nb\n"),
		put(s.fs(), dir, "cur/2.length,S=5,W=5:2,", "a\nb\n"),
		put(s.fs(), dir, "cur/3.absurd,W=99:2,", "a\nb\n"),
	)
	if err != nil {
		t.Fatal(err)
	}
	d := mustOpen(t, s)
	if _, err := fetch(t, d, "1.wire"); !errors.Is(err, maildrop.ErrChanged) {
		t.Errorf("a wrong W=: %v", err)
	}
	for _, id := range []pop3.UniqueID{"2.length", "3.absurd"} {
		if _, err := fetch(t, d, id); err != nil {
			t.Errorf("%s: %v", id, err)
		}
	}
	d.Close()
	if n := strings.Count(log.String(), "\n"); n != 1 {
		t.Errorf("%d log lines, want 1:\n%s", n, log.String())
	}
	d = mustOpen(t, s)
	if _, err := fetch(t, d, "1.wire"); err != nil {
		t.Errorf("the next session: %v", err)
	}
	d.Close()
}

// Promise 6: where the reader leaves counting to others, it still checks what they say.
func TestCountedByWhoReads(t *testing.T) {
	root := t.TempDir()
	s := newStore(t, vfs.OS{}, root)
	dir := filepath.Join(root, maildroptest.User)
	err := errors.Join(
		put(s.fs(), dir, "cur/1.right:2,", "a\nb\n"),
		put(s.fs(), dir, "cur/2.wrong,S=4,W=7:2,", "a\nb\n"),
	)
	if err != nil {
		t.Fatal(err)
	}
	read := func(d maildrop.Maildrop, id pop3.UniqueID) error {
		r, err := d.Content(t.Context(), id)
		if err != nil {
			return err
		}
		defer r.Close()
		var c popwire.Counter
		r.(maildrop.Countable).CountedBy(&c)
		_, err = io.Copy(&c, r)
		return err
	}
	d := mustOpen(t, s)
	if err := read(d, "1.right"); err != nil {
		t.Error(err)
	}
	if err := read(d, "2.wrong"); !errors.Is(err, maildrop.ErrChanged) {
		t.Errorf("a wrong W=: %v", err)
	}
	d.Close()
	d = mustOpen(t, s)
	defer d.Close()
	if err := read(d, "2.wrong"); err != nil {
		t.Errorf("the next session: %v", err)
	}
}

// Promise 6: a body that turns out different never looks complete.
func TestGrowingAndShrinking(t *testing.T) {
	root := t.TempDir()
	s := newStore(t, vfs.OS{}, root)
	dir := filepath.Join(root, maildroptest.User)
	for name, change := range map[string]func(string) error{
		"shrinks": func(p string) error { return os.Truncate(p, 3) },
		"grows":   func(p string) error { return os.WriteFile(p, bytes.Repeat([]byte("x\n"), 100_000), 0o600) },
		"emptied": func(p string) error { return os.Truncate(p, 0) },
	} {
		if err := put(s.fs(), dir, "cur/1."+name, "one\ntwo\n"); err != nil {
			t.Fatal(err)
		}
		d := mustOpen(t, s)
		if err := change(filepath.Join(dir, "cur/1."+name)); err != nil {
			t.Fatal(err)
		}
		if _, err := fetch(t, d, pop3.UniqueID("1."+name)); !errors.Is(err, maildrop.ErrChanged) {
			t.Errorf("%s: %v", name, err)
		}
		d.Close()
		d = mustOpen(t, s)
		if _, err := fetch(t, d, pop3.UniqueID("1."+name)); err != nil {
			t.Errorf("%s, the next session: %v", name, err)
		}
		d.Close()
	}
}

// Another program renames behind an open session.
func TestRenamedBehindTheSession(t *testing.T) {
	root := t.TempDir()
	s := newStore(t, vfs.OS{}, root)
	dir := filepath.Join(root, maildroptest.User)
	if err := errors.Join(put(s.fs(), dir, "new/1.a", "a\n"), put(s.fs(), dir, "new/2.b", "b\n")); err != nil {
		t.Fatal(err)
	}
	d := mustOpen(t, s)
	rename := func(from, to string) {
		t.Helper()
		if err := os.Rename(filepath.Join(dir, from), filepath.Join(dir, to)); err != nil {
			t.Fatal(err)
		}
	}
	rename("new/1.a", "cur/1.a:2,S")
	if got, err := fetch(t, d, "1.a"); got != "a\n" || err != nil {
		t.Errorf("after a move: %q, %v", got, err)
	}
	rename("cur/1.a:2,S", "cur/1.a:2,FS")
	// A stranger takes the place of the marked message: it must survive.
	if err := put(s.fs(), dir, "new/1.a", "another\n"); err != nil {
		t.Fatal(err)
	}
	if err := d.Update(t.Context(), []pop3.UniqueID{"1.a"}); err != nil {
		t.Fatal(err)
	}
	d.Close()
	d = mustOpen(t, s)
	defer d.Close()
	if len(d.Messages()) != 2 {
		t.Fatalf("listed: %q", ids(d))
	}
	for _, m := range d.Messages() {
		if m.ID == "1.a" {
			t.Error("the unique-id of the removed message was inherited")
		}
	}
}

// Two files with one name: the one that stays keeps its unique-id.
func TestTwinKeepsItsID(t *testing.T) {
	root := t.TempDir()
	s := newStore(t, vfs.OS{}, root)
	dir := filepath.Join(root, maildroptest.User)
	putAt(t, dir, "cur/1.a:2,", "a\n", 2)
	putAt(t, dir, "cur/1.a:2,S", "b\n", 1)
	d := mustOpen(t, s)
	twin := listing(t, d)["b\n"]
	if err := d.Update(t.Context(), []pop3.UniqueID{"1.a"}); err != nil {
		t.Fatal(err)
	}
	d.Close()
	d = mustOpen(t, s)
	defer d.Close()
	if got, err := fetch(t, d, twin); len(d.Messages()) != 1 || got != "b\n" || err != nil {
		t.Errorf("%q: %q, %v", ids(d), got, err)
	}
	names, _ := s.fs().ReadDir(filepath.Join(dir, "cur"))
	if len(names) != 1 || names[0] != string(twin)+":2,S" {
		t.Errorf("cur/ has %q", names)
	}
}

func mustOpen(t testing.TB, s *Store) maildrop.Maildrop {
	t.Helper()
	d, err := s.Open(t.Context(), maildroptest.User)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func ids(d maildrop.Maildrop) (ids []string) {
	for _, m := range d.Messages() {
		ids = append(ids, string(m.ID))
	}
	return ids
}

func fetch(t testing.TB, d maildrop.Maildrop, id pop3.UniqueID) (string, error) {
	r, err := d.Content(t.Context(), id)
	if err != nil {
		return "", err
	}
	defer r.Close()
	octets, err := io.ReadAll(r)
	return string(octets), err
}
