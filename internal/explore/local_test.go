package explore

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"postfach/internal/hint"
	"postfach/maildrop"
	"postfach/maildrop/maildir"
	"postfach/maildrop/memory"
	"postfach/pop3"
)

// maildirOf is a store in a real folder, with these messages for ada.
func maildirOf(t *testing.T, mails ...string) (*maildir.Store, string) {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "ada")
	store := &maildir.Store{
		LockWait: time.Millisecond,
		Path: func(user string) (string, error) {
			if user != "ada" {
				return "", maildrop.ErrNoUser
			}
			return dir, nil
		},
	}
	if err := store.Create(dir); err != nil {
		t.Fatal(err)
	}
	for _, m := range mails {
		if _, err := store.Deliver(t.Context(), "ada", strings.NewReader(m)); err != nil {
			t.Fatal(err)
		}
	}
	return store, dir
}

var localMails = []string{"Subject: one\r\n\r\n.\r\n", "Subject: two\r\n\r\n", "Subject: three\r\n\r\n"}

func TestLocalMaildropIsExploredLikeAnyOther(t *testing.T) {
	store, dir := maildirOf(t, localMails...)
	a := Local(store, "ada", dir, false)
	e, keys := opened(t, a)
	var got []string
	for _, k := range keys {
		got = append(got, octetsOf(t, mustOpen(t, e, k)))
	}
	if !slices.Equal(got, localMails) || a.Host != dir || a.User != "ada" {
		t.Errorf("%q, %+v", got, a)
	}
	if _, err := e.Diagnose(t.Context()); !errors.Is(err, ErrNoServer) {
		t.Error(err)
	}
}

// Neither the Explorer nor a client that goes around it deletes anything.
func TestLocalMaildropIsReadOnlyUnlessAsked(t *testing.T) {
	store, dir := maildirOf(t, localMails...)
	a := Local(store, "ada", dir, false)
	e, keys := opened(t, a)
	if err := e.Mark(keys[0]); !errors.Is(err, ErrReadOnly) {
		t.Error(err)
	}
	e.Close()
	c, err := a.Dial(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if err := errors.Join(a.Login(t.Context(), c, ""), c.Dele(t.Context(), 1)); err != nil {
		t.Fatal(err)
	}
	var no *pop3.Error
	if err := c.Quit(t.Context()); !errors.As(err, &no) {
		t.Error(err)
	}
	if files := entries(t, filepath.Join(dir, "new")); len(files) != 3 {
		t.Errorf("%q", files)
	}
}

func TestLocalMaildropWithWriteLosesWhatIsMarked(t *testing.T) {
	store, dir := maildirOf(t, localMails...)
	e, keys := opened(t, Local(store, "ada", dir, true))
	if err := e.Mark(keys[1]); err != nil {
		t.Fatal(err)
	}
	outcome, err := e.Commit(t.Context(), keys[1:2])
	if err != nil || len(outcome.Deleted) != 1 {
		t.Fatalf("%+v, %v", outcome, err)
	}
	var left []string
	for _, name := range entries(t, filepath.Join(dir, "new")) {
		octets, err := os.ReadFile(filepath.Join(dir, "new", name))
		if err != nil {
			t.Fatal(err)
		}
		left = append(left, string(octets))
	}
	if want := []string{localMails[0], localMails[2]}; !slices.Equal(left, want) {
		t.Errorf("%q", left)
	}
}

// slowStore takes a while to give a maildrop back.
type slowStore struct {
	maildrop.Store
	wait   func()
	closed atomic.Bool
}

func (s *slowStore) Open(ctx context.Context, user string) (maildrop.Maildrop, error) {
	drop, err := s.Store.Open(ctx, user)
	return slowDrop{drop, s}, err
}

type slowDrop struct {
	maildrop.Maildrop
	store *slowStore
}

func (d slowDrop) Close() error {
	d.store.wait()
	d.store.closed.Store(true)
	return d.Maildrop.Close()
}

// When the connection is closed the maildrop is free, unless the store hangs.
func TestLocalMaildropIsFreeAfterClose(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		inMemory := memory.New()
		inMemory.Create("ada")
		hang := make(chan struct{})
		for _, store := range []*slowStore{
			{Store: inMemory, wait: func() { <-time.After(localEnd / 2) }},
			{Store: inMemory, wait: func() { <-hang }},
		} {
			a := Local(store, "ada", "memory", false)
			c, err := a.Dial(t.Context(), nil)
			if err != nil {
				t.Fatal(err)
			}
			if err := a.Login(t.Context(), c, ""); err != nil {
				t.Fatal(err)
			}
			before := time.Now()
			c.Close()
			if took := time.Since(before); took > localEnd || store.closed.Load() != (took < localEnd) {
				t.Errorf("closed after %v: %v", took, store.closed.Load())
			}
		}
		close(hang)
		synctest.Wait()
	})
}

func TestLocalMaildropThatCannotBeOpenedSaysWhy(t *testing.T) {
	store, dir := maildirOf(t)
	held, err := store.Open(t.Context(), "ada")
	if err != nil {
		t.Fatal(err)
	}
	defer held.Close()
	for _, c := range []struct {
		a    Account
		code pop3.Code
		want string
	}{
		{Local(store, "ada", dir, true), pop3.CodeInUse, `somebody has the maildrop of "ada" open`},
		{Local(store, "eve", dir, true), pop3.CodeSysPerm, "no such maildrop"},
		{Local(brokenStore{}, "ada", dir, false), pop3.CodeSysTemp, "disk on fire?bad sector"},
	} {
		e := New(c.a, Options{NoHeaders: true})
		err := e.Connect(t.Context(), "")
		if pop3.CodeOf(err) != c.code || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%v", err)
		}
		if strings.Contains(err.Error(), "AUTH") {
			t.Errorf("%v: what is that to a person?", err)
		}
		if c.code == pop3.CodeInUse && hint.Of(err) == "" {
			t.Error("no hint")
		}
		e.Close()
	}
}

type brokenStore struct{}

func (brokenStore) Open(context.Context, string) (maildrop.Maildrop, error) {
	return nil, fmt.Errorf("disk on fire\nbad sector %s", strings.Repeat("x", 5000))
}

// Nobody else can use the server: not even another user who knows of it.
func TestLocalServerServesOneMaildrop(t *testing.T) {
	store := memory.New()
	for _, user := range []string{"ada", "eve"} {
		store.Create(user)
	}
	a := Local(store, "ada", "memory", true)
	c, err := a.Dial(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond) // the server lets guessers wait
	defer cancel()
	if err := c.Login(ctx, "ada", ""); err == nil {
		t.Error("logged in without the password")
	}
	l := &local{store: store, user: "ada", secret: "s"}
	if user, err := l.Authenticate(t.Context(), nil, "eve", "s"); user.User != "ada" || err != nil {
		t.Errorf("%q, %v", user, err)
	}
	if _, err := l.Authenticate(t.Context(), nil, "ada", ""); err == nil {
		t.Error("no password is needed")
	}
}
