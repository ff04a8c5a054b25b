package explore

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"postfach/internal/remotes"
	"postfach/pop3"
	"postfach/pop3test"
)

// mailServer has these messages for pop3test.User.
func mailServer(t *testing.T, mails ...string) *pop3test.Server {
	t.Helper()
	srv := pop3test.NewServer(t)
	for _, m := range mails {
		if _, err := srv.Put(pop3test.User, m); err != nil {
			t.Fatal(err)
		}
	}
	return srv
}

// remoteOf is the server's account, in clear, as a person would write it.
func remoteOf(t *testing.T, srv *pop3test.Server) Account {
	t.Helper()
	a, err := remotes.Parse(pop3test.User + "@" + srv.Addr)
	if err != nil {
		t.Fatal(err)
	}
	return Remote(*a, time.Minute)
}

// opened is an Explorer that holds the account's maildrop, and the keys of the
// messages in their order.
func opened(t *testing.T, a Account) (*Explorer, []Key) {
	t.Helper()
	e := New(a, Options{NoHeaders: true, Idle: -1})
	t.Cleanup(func() { e.Close() })
	password := pop3test.Password
	if a.NoPassword {
		password = ""
	}
	if err := e.Connect(t.Context(), password); err != nil {
		t.Fatal(err)
	}
	var keys []Key
	for _, entry := range e.Page(Query{}).Entries {
		keys = append(keys, entry.Key)
	}
	return e, keys
}

// said counts lines of all conversations that begin like this.
func said(srv *pop3test.Server, line string) (n int) {
	for _, text := range srv.Transcripts() {
		n += strings.Count(text, "\nC: "+line)
	}
	return n
}

// mustOpen opens a message for as long as the test runs.
func mustOpen(t *testing.T, e *Explorer, k Key) *Stored {
	t.Helper()
	s, err := e.Open(t.Context(), k)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

func octetsOf(t *testing.T, s *Stored) string {
	t.Helper()
	octets, err := io.ReadAll(io.NewSectionReader(s, 0, s.Size()))
	if err != nil {
		t.Fatal(err)
	}
	return string(octets)
}

// largeMail is one that is kept in a file.
var largeMail = "Subject: large\r\n\r\n" + strings.Repeat(".dots and all\r\n", 1+inMemory/15)

func TestOpenGivesTheOctetsOfTheMessage(t *testing.T) {
	mails := []string{"Subject: one\r\n\r\n.\r\n..\r\n\x00\xff\r alone\r\n", largeMail, "\r\n"}
	e, keys := opened(t, remoteOf(t, mailServer(t, mails...)))
	for i, k := range keys {
		s := mustOpen(t, e, k)
		if got := octetsOf(t, s); got != mails[i] || s.Size() != int64(len(mails[i])) {
			t.Errorf("message %d: %d octets, %.80q", i+1, s.Size(), got)
		}
		var saved bytes.Buffer
		if n, err := e.Save(t.Context(), k, &saved); err != nil || n != s.Size() || saved.String() != mails[i] {
			t.Errorf("message %d: saved %d octets, %v", i+1, n, err)
		}
		if s.Message() == nil || s.Message() != mustOpen(t, e, k).Message() {
			t.Errorf("message %d is not parsed once", i+1)
		}
	}
}

// entries returns what is in a folder.
func entries(t *testing.T, dir string) (names []string) {
	t.Helper()
	all, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, one := range all {
		names = append(names, one.Name())
	}
	return names
}

func TestOpenedMessageHasNoNameInTheFileSystem(t *testing.T) {
	tmp := t.TempDir()
	t.Setenv("TMPDIR", tmp)
	e, keys := opened(t, remoteOf(t, mailServer(t, largeMail)))
	s := mustOpen(t, e, keys[0])
	if s.content.file == nil {
		t.Fatal("a large message is kept in memory")
	}
	if names := entries(t, tmp); len(names) != 0 {
		t.Errorf("%q", names)
	}
	s.Close()
	e.Close()
	if _, err := s.ReadAt(make([]byte, 1), 0); !errors.Is(err, os.ErrClosed) {
		t.Errorf("the file is still open: %v", err)
	}
}

// Where an open file cannot be removed it goes at Close.
func TestFileThatHasANameIsRemovedAtClose(t *testing.T) {
	name := filepath.Join(t.TempDir(), "m")
	f, err := os.Create(name)
	if err != nil {
		t.Fatal(err)
	}
	s := newStored((&spool{file: f, name: name}).content("k", 0))
	s.Close()
	s.Close()
	if _, err := os.Stat(name); !errors.Is(err, os.ErrNotExist) {
		t.Error(err)
	}
}

func TestOpenedMessagesAreRemembered(t *testing.T) {
	var mails []string
	for i := range keptMessages + 1 {
		mails = append(mails, fmt.Sprintf("Subject: %d\r\n\r\n", i))
	}
	srv := mailServer(t, mails...)
	e, keys := opened(t, remoteOf(t, srv))
	for _, k := range append(keys, keys[1:]...) {
		mustOpen(t, e, k)
	}
	if n := said(srv, "RETR"); n != len(keys) {
		t.Errorf("%d RETR for %d messages", n, len(keys))
	}
	if err := e.Release(t.Context()); err != nil {
		t.Fatal(err)
	}
	first := octetsOf(t, mustOpen(t, e, keys[len(keys)-1]))
	if _, err := e.Save(t.Context(), keys[len(keys)-1], io.Discard); err != nil || first != mails[len(mails)-1] {
		t.Errorf("%q, %v", first, err)
	}
	if e.Status().State != Away {
		t.Error("what is remembered was asked for")
	}
	mustOpen(t, e, keys[0]) // pushed out by the last one
	if n := said(srv, "RETR"); n != len(keys)+1 {
		t.Errorf("%d RETR for %d messages", n, len(keys))
	}
}

func TestManyOpensLoadOnce(t *testing.T) {
	srv := mailServer(t, largeMail)
	e, keys := opened(t, remoteOf(t, srv))
	var all sync.WaitGroup
	for range 20 {
		all.Go(func() {
			s, err := e.Open(t.Context(), keys[0])
			if err != nil {
				t.Error(err)
				return
			}
			defer s.Close()
			octets, err := io.ReadAll(io.NewSectionReader(s, 0, s.Size()))
			if err != nil || string(octets) != largeMail {
				t.Errorf("%d octets, %v", len(octets), err)
			}
			if _, err := s.Lines(); err != nil {
				t.Error(err)
			}
			s.Message()
		})
	}
	all.Wait()
	if n := said(srv, "RETR"); n != 1 {
		t.Errorf("%d RETR", n)
	}
}

func TestFailedLoadIsTriedAgain(t *testing.T) {
	srv := mailServer(t, "Subject: x\r\n\r\n")
	fault, err := pop3test.Rule{On: "RETR", Times: 1, Reply: "-ERR not now\r\n"}.Fault()
	if err != nil {
		t.Fatal(err)
	}
	srv.Use(fault)
	e, keys := opened(t, remoteOf(t, srv))
	var no *pop3.Error
	if _, err := e.Open(t.Context(), keys[0]); !errors.As(err, &no) {
		t.Fatal(err)
	}
	mustOpen(t, e, keys[0])
	if _, err := e.Open(t.Context(), "no such"); !errors.Is(err, ErrGone) {
		t.Error(err)
	}
}

// A message that was cut off is none.
func TestCutOffMessageIsNotOpened(t *testing.T) {
	tmp := t.TempDir()
	t.Setenv("TMPDIR", tmp)
	srv := mailServer(t, largeMail)
	fault, err := pop3test.Rule{On: "RETR", Times: 1, DropAfter: new(inMemory + 1000)}.Fault()
	if err != nil {
		t.Fatal(err)
	}
	srv.Use(fault)
	e, keys := opened(t, remoteOf(t, srv))
	if s, err := e.Open(t.Context(), keys[0]); !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Fatal(s, err)
	}
	if len(e.stored.kept) != 0 || len(e.stored.loading) != 0 || len(entries(t, tmp)) != 0 {
		t.Errorf("%+v", &e.stored)
	}
}

func TestWhoWaitsForALoadCanGiveUp(t *testing.T) {
	e := New(Account{}, Options{})
	defer e.Close()
	if c, loaded := e.stored.get("k", -1, false); c != nil || loaded != nil {
		t.Fatal("not the first")
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := e.Open(ctx, "k"); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	e.stored.put("k", nil)
}

// fakeContent says that it is large, and is not.
func fakeContent(k Key, size int64) *content {
	c := (&spool{}).content(k, size)
	c.size = size
	return c
}

func TestMemoryOfLoadedMessagesIsBounded(t *testing.T) {
	var s storedCache
	var inUse []*content
	for i := range 5 {
		k := Key(fmt.Sprint(i))
		s.get(k, keptOctets/3, true)
		c := fakeContent(k, keptOctets/3)
		inUse = append(inUse, c)
		s.put(k, c)
	}
	if len(s.kept) != 3 || s.kept[0].key != "2" {
		t.Errorf("%d kept, from %s on", len(s.kept), s.kept[0].key)
	}
	for i, c := range inUse {
		users := int32(1)
		if i >= 2 {
			users = 2
		}
		if got := c.refs.Load(); got != users {
			t.Errorf("message %d has %d users", i, got)
		}
	}
	s.close()
	s.get("9", 1, true)
	late := fakeContent("9", 1)
	s.put("9", late)
	if len(s.kept) != 0 || late.refs.Load() != 1 {
		t.Error("remembered after close")
	}
}

// Servers exist that give a unique-id to another message.
func TestMessageOfAnotherSizeIsAnother(t *testing.T) {
	var s storedCache
	for _, ask := range []struct {
		size   int64
		listed bool
	}{{11, true}, {10, false}} {
		s.get("k", 10, true)
		c := fakeContent("k", 10)
		s.put("k", c)
		if again, _ := s.get("k", 10, true); again != c {
			t.Fatal("not remembered")
		}
		if other, loaded := s.get("k", ask.size, ask.listed); other != nil || loaded != nil {
			t.Errorf("%+v: %v", ask, other)
		}
		s.put("k", nil)
	}
}

func TestEndlessMessageDoesNotFillTheDisk(t *testing.T) {
	const limit = 2 * inMemory
	s := new(spool)
	n, err := copyMessage(t.Context(), s, endless{}, limit)
	if !errors.Is(err, errTooLong) || n > limit {
		t.Errorf("%d, %v", n, err)
	}
	s.discard()
	if longest(-1) < 1<<20 || longest(1<<30) < 1<<31 || longest(math.MaxInt64) < 1<<40 {
		t.Error("too little for a server that counts wrong")
	}
}

type endless struct{}

func (endless) Read(p []byte) (int, error) { return len(p), nil }

func TestSaveOfARememberedMessageCanBeCancelled(t *testing.T) {
	e, keys := opened(t, remoteOf(t, mailServer(t, "Subject: x\r\n\r\n")))
	mustOpen(t, e, keys[0])
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if n, err := e.Save(ctx, keys[0], io.Discard); n != 0 || !errors.Is(err, context.Canceled) {
		t.Errorf("%d, %v", n, err)
	}
}
