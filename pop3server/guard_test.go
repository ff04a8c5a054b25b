package pop3server_test

import (
	"bufio"
	"context"
	"fmt"
	"net"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"postfach/maildrop"
	"postfach/pop3server"
)

// connectFrom is connect for a client at an IP address.
func connectFrom(t *testing.T, srv *pop3server.Server, ip string) *client {
	t.Helper()
	ours, theirs := net.Pipe()
	c := &client{t: t, conn: ours, r: bufio.NewReader(ours), done: make(chan struct{})}
	go func() {
		defer close(c.done)
		srv.ServeConn(&conn{Conn: theirs, remote: &net.TCPAddr{IP: net.ParseIP(ip), Port: 40000}})
	}()
	t.Cleanup(func() {
		ours.Close()
		<-c.done
	})
	return c
}

// A conn is a pipe that has an address.
type conn struct {
	net.Conn
	remote net.Addr
}

func (c *conn) RemoteAddr() net.Addr { return c.remote }

// A book is an Authenticator that notes when it was asked for whom. Right is only
// the password "right".
type book struct {
	mu    sync.Mutex // guards what follows
	begun time.Time
	takes time.Duration // for each check
	asked map[string][]time.Duration
	busy  int
	most  int // at once
}

func newBook() *book { return &book{begun: time.Now(), asked: map[string][]time.Duration{}} }

func (b *book) Authenticate(_ context.Context, _ *pop3server.Peer, name, password string) (pop3server.Identity, error) {
	b.mu.Lock()
	b.asked[name] = append(b.asked[name], time.Since(b.begun))
	b.busy++
	b.most = max(b.most, b.busy)
	b.mu.Unlock()
	if b.takes > 0 {
		time.Sleep(b.takes)
	}
	b.mu.Lock()
	b.busy--
	b.mu.Unlock()
	if password != "right" {
		return pop3server.Identity{}, pop3server.ErrCredentials
	}
	return pop3server.Identity{User: name}, nil
}

// times are when a name was looked up.
func (b *book) times(name string) []time.Duration {
	b.mu.Lock()
	defer b.mu.Unlock()
	return slices.Clone(b.asked[name])
}

// A crowd is a store with as many maildrops as there are users.
type crowd struct {
	mu     sync.Mutex // guards what follows
	locked map[string]bool
}

func (s *crowd) Open(_ context.Context, user string) (maildrop.Maildrop, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.locked[user] {
		return nil, maildrop.ErrLocked
	}
	if s.locked == nil {
		s.locked = map[string]bool{}
	}
	s.locked[user] = true
	return &ofCrowd{newDrop(), s, user}, nil
}

type ofCrowd struct {
	*drop
	store *crowd
	user  string
}

func (d *ofCrowd) Close() error {
	d.store.mu.Lock()
	defer d.store.mu.Unlock()
	delete(d.store.locked, d.user)
	return nil
}

// guarded is a server whose logins a book notes. Connections bear many failures.
func guarded() (*pop3server.Server, *book, *logBuffer) {
	srv, log := newServer(nil)
	b := newBook()
	srv.Auth, srv.Store = b, new(crowd)
	srv.Limits.FailedLogins = 1000
	srv.Limits.Login = time.Hour
	return srv, b, log
}

// try says USER and PASS and returns whether that was right, and how long the
// answer took. An error is the end of the connection.
func (c *client) try(name, password string) (right bool, took time.Duration, err error) {
	begun := time.Now()
	go fmt.Fprintf(c.conn, "USER %s\r\nPASS %s\r\n", name, password) // the greeting may not have been read
	for {
		line, err := c.r.ReadString('\n')
		switch {
		case err != nil:
			return false, time.Since(begun), err
		case strings.HasPrefix(line, "-ERR"):
			return false, time.Since(begun), nil
		case strings.HasPrefix(line, "+OK maildrop"):
			return true, time.Since(begun), nil
		}
	}
}

// guess tries wrong passwords, each another one.
func (c *client) guess(name string, times int) {
	c.t.Helper()
	for i := range times {
		if right, _, err := c.try(name, fmt.Sprintf("guess %d", i)); right || err != nil {
			c.t.Errorf("guess %d at %s: %v, %v", i, name, right, err)
		}
	}
}

// mustLogIn wants a login that takes no longer than it may.
func mustLogIn(t *testing.T, srv *pop3server.Server, ip, name string, may time.Duration) {
	t.Helper()
	c := connectFrom(t, srv, ip)
	right, took, err := c.try(name, "right")
	if !right || err != nil || took > may {
		t.Errorf("login of %s from %s: %v, %v after %v; at most %v", name, ip, right, err, took, may)
	}
	c.conn.Close()
	<-c.done
}

func seconds(all ...float64) (d []time.Duration) {
	for _, s := range all {
		d = append(d, time.Duration(s*float64(time.Second)))
	}
	return d
}

// Promise 13: 2 s, 4 s, 8 s, then 15 s between two guesses.
func TestGuessesFromOneAddressAreSpaced(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		srv, b, _ := guarded()
		connectFrom(t, srv, "192.0.2.1").guess("u", 7)
		if got, want := b.times("u"), seconds(0, 2, 6, 14, 29, 44, 59); !slices.Equal(got, want) {
			t.Errorf("checked at %v, want %v", got, want)
		}
	})
}

// What one connection did, the next one from there waits for; one from the same
// /64, too.
func TestGuessesAreCountedPerAddressAndNotPerConnection(t *testing.T) {
	for first, second := range map[string]string{"192.0.2.1": "192.0.2.1", "2001:db8::1": "2001:db8::f:2", "::ffff:192.0.2.1": "192.0.2.1", "127.0.0.1": "127.0.0.1"} {
		synctest.Test(t, func(t *testing.T) {
			srv, b, _ := guarded()
			connectFrom(t, srv, first).guess("u", 4)
			<-time.After(time.Second) // 17 s: the fifth may be checked at 29 s
			connectFrom(t, srv, second).guess("v", 1)
			if got, want := b.times("v"), seconds(29); !slices.Equal(got, want) {
				t.Errorf("from %s after %s: checked at %v, want %v", second, first, got, want)
			}
		})
	}
}

// Promise 13: not for one moment.
func TestOwnerElsewhereNeverWaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		srv, _, _ := guarded()
		for guesser, owner := range map[string]string{"192.0.2.1": "192.0.2.2", "2001:db8::1": "2001:db8:0:1::1"} {
			connectFrom(t, srv, guesser).guess("u", 8)
			mustLogIn(t, srv, owner, "u", 0)
		}
	})
}

// Sixty guesses at once are not sixty guesses for the price of one.
func TestParallelGuessesCountBeforeTheirResult(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		srv, b, _ := guarded()
		b.takes = 500 * time.Millisecond // enough for all to come in the meantime
		var all sync.WaitGroup
		for i := range 60 {
			c := connectFrom(t, srv, "192.0.2.1")
			all.Go(func() { c.try("u", fmt.Sprintf("guess %d", i)) })
		}
		<-time.After(time.Minute)
		got := b.times("u")
		at := func(d time.Duration) (n int) {
			for _, t := range got {
				if t <= d {
					n++
				}
			}
			return n
		}
		if at(10*time.Second) != 10 || len(got) != 10+3 || b.most != 10 {
			t.Errorf("%d at once, checked at %v", b.most, got)
		}
		for i, when := range got[10:] { // each 15 s after the end of the one before
			if want := 500*time.Millisecond + time.Duration(i+1)*15*time.Second + time.Duration(i)*500*time.Millisecond; when != want {
				t.Errorf("guess %d at %v, want %v", 11+i, when, want)
			}
		}
		if w := srv.Stats().Waiting; w != 47 {
			t.Errorf("%d wait", w)
		}
		if err := srv.Close(); err != nil {
			t.Error(err)
		}
		all.Wait()
		if n := len(b.times("u")); n != 13 {
			t.Errorf("%d more were checked at the end", n-13)
		}
	})
}

// An office that begins its day does not wait.
func TestParallelLoginsFromOneAddress(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		srv, b, _ := guarded()
		b.takes = 100 * time.Millisecond
		var all sync.WaitGroup
		for i := range 50 {
			all.Go(func() { mustLogIn(t, srv, "192.0.2.1", fmt.Sprintf("u%d", i), 500*time.Millisecond) })
		}
		all.Wait()
		if b.most != 10 {
			t.Errorf("%d checks at once", b.most)
		}
	})
}

// Behind the same address: who is known there waits in a lane of their own; who is
// new waits with the guessers.
func TestKnownOwnersDoNotWaitBehindGuessers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		srv, _, _ := guarded()
		mustLogIn(t, srv, "192.0.2.1", "owner", 0)
		var all sync.WaitGroup
		for i := range 40 {
			c := connectFrom(t, srv, "192.0.2.1")
			all.Go(func() { c.try("root", fmt.Sprintf("guess %d", i)) })
		}
		<-time.After(20 * time.Second)
		mustLogIn(t, srv, "192.0.2.1", "owner", 0)
		newcomer := connectFrom(t, srv, "192.0.2.1")
		all.Go(func() {
			if _, took, _ := newcomer.try("newcomer", "right"); took < time.Minute {
				t.Errorf("a newcomer waits %v only", took)
			}
		})
		<-time.After(time.Minute)
		srv.Close()
		all.Wait()
	})
}

// The name of a known owner is no free lane.
func TestGuessesAtAKnownOwnerAreSpaced(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		srv, b, _ := guarded()
		mustLogIn(t, srv, "192.0.2.1", "owner", 0)
		connectFrom(t, srv, "192.0.2.1").guess("owner", 4)
		if got, want := b.times("owner"), seconds(0, 0, 2, 6, 14); !slices.Equal(got, want) {
			t.Errorf("checked at %v, want %v", got, want)
		}
		connectFrom(t, srv, "192.0.2.1").guess("v", 1) // and they count for the address
		if got, want := b.times("v"), seconds(29); !slices.Equal(got, want) {
			t.Errorf("the next name was checked at %v, want %v", got, want)
		}
	})
}

// A guesser with an account of their own gains nothing by it.
func TestGoodLoginDoesNotClearAnAddress(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		srv, b, _ := guarded()
		mustLogIn(t, srv, "192.0.2.1", "mallory", 0)
		for i := range 4 {
			connectFrom(t, srv, "192.0.2.1").guess(fmt.Sprintf("u%d", i), 1)
			mustLogIn(t, srv, "192.0.2.1", "mallory", 0)
		}
		connectFrom(t, srv, "192.0.2.1").guess("last", 1)
		if got, want := b.times("last"), seconds(29); !slices.Equal(got, want) {
			t.Errorf("checked at %v, want %v", got, want)
		}
	})
}

// Who has a right password and wants to be somebody else has failed: they are no owner
// who has logged in from there, and wait with the others.
func TestForeignIdentityIsAFailure(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		srv, _, _ := guarded()
		c := connectFrom(t, srv, "192.0.2.1")
		go fmt.Fprintf(c.conn, "AUTH PLAIN %s\r\n", b64("root\x00u\x00right"))
		for line := ""; !strings.HasPrefix(line, "-ERR"); {
			var err error
			if line, err = c.r.ReadString('\n'); err != nil {
				t.Fatal(err)
			}
		}
		connectFrom(t, srv, "192.0.2.1").guess("v", 4)
		if right, took, err := connectFrom(t, srv, "192.0.2.1").try("u", "right"); !right || err != nil || took < 5*time.Second {
			t.Errorf("login behind four guesses: %v, %v after %v", right, err, took)
		}
	})
}

func TestFailuresAreForgotten(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		srv, b, _ := guarded()
		connectFrom(t, srv, "192.0.2.1").guess("u", 20)
		<-time.After(6 * time.Minute)
		before := len(b.times("v"))
		connectFrom(t, srv, "192.0.2.1").guess("v", 3)
		got := b.times("v")[before:]
		// Not all of them yet.
		if gap := got[2] - got[1]; gap < 8*time.Second {
			t.Errorf("after six minutes: %v", got)
		}
		<-time.After(11 * time.Minute)
		begun := time.Since(b.begun)
		connectFrom(t, srv, "192.0.2.1").guess("w", 3)
		if got, want := b.times("w"), []time.Duration{begun, begun + 2*time.Second, begun + 6*time.Second}; !slices.Equal(got, want) {
			t.Errorf("checked at %v, want %v", got, want)
		}
	})
}

// A wait ends with the login deadline.
func TestWaitEndsWithTheLoginDeadline(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		srv, b, log := guarded()
		srv.Limits.Login = time.Minute
		var all sync.WaitGroup
		for i := range 20 {
			c := connectFrom(t, srv, "192.0.2.1")
			all.Go(func() {
				if _, took, _ := c.try("u", fmt.Sprint(i)); took > time.Minute {
					t.Errorf("waits %v", took)
				}
			})
		}
		all.Wait()
		if n := len(b.times("u")); n > 14 || !strings.Contains(log.String(), `reason="login deadline"`) {
			t.Errorf("%d checked, log:\n%s", n, log)
		}
		<-time.After(9 * time.Minute)
		mustLogIn(t, srv, "192.0.2.1", "v", 0)
		if w := srv.Stats().Waiting; w != 0 {
			t.Errorf("%d wait for nothing", w)
		}
	})
}

// A system that cannot tell right from wrong is no guesser's fault.
func TestErrorsAreNoFailures(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		srv, _, _ := guarded()
		srv.Auth = passwords{}
		c := connectFrom(t, srv, "192.0.2.1")
		for range 10 {
			if _, took, err := c.try("broken", "x"); took != 0 || err != nil {
				t.Fatalf("after %v, %v", took, err)
			}
		}
	})
}

// Servers that share a Guard share what it knows: a reload forgives nothing.
func TestServersShareAGuard(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		first, b, _ := guarded()
		second, _, _ := guarded()
		first.Guard = new(pop3server.Guard)
		second.Guard, second.Auth = first.Guard, b
		connectFrom(t, first, "192.0.2.1").guess("u", 4)
		connectFrom(t, second, "192.0.2.1").guess("v", 1)
		if got, want := b.times("v"), seconds(29); !slices.Equal(got, want) {
			t.Errorf("checked at %v, want %v", got, want)
		}
		if s := second.Stats(); s.FailedLogins != 5 {
			t.Errorf("%+v", s)
		}
	})
}

// A telephone that polls with an old password costs its address one failure, not
// one each minute.
func TestRepeatedPasswordCountsOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		srv, b, _ := guarded()
		poll := func(password func(int) string, times int, pause time.Duration) {
			for i := range times {
				c := connectFrom(t, srv, "192.0.2.1")
				c.try("telephone", password(i))
				c.conn.Close()
				<-c.done
				<-time.After(pause)
			}
		}
		poll(func(int) string { return "old" }, 61, time.Second) // not 60: a failure of three minutes ago is just forgotten then
		before := time.Since(b.begun)
		mustLogIn(t, srv, "192.0.2.1", "neighbor", 2*time.Second)
		// But each is slow, and they are never checked side by side.
		for i, when := range b.times("telephone") {
			if i > 0 && when-b.times("telephone")[i-1] < 2*time.Second {
				t.Errorf("polls at %v", b.times("telephone"))
			}
		}
		var all sync.WaitGroup
		for range 5 {
			c := connectFrom(t, srv, "192.0.2.1")
			all.Go(func() { c.try("telephone", "old") })
		}
		all.Wait()
		got := b.times("telephone")[61:]
		if got[4]-got[0] < 8*time.Second {
			t.Errorf("five at once, at %v: checked at %v", before, got)
		}
		<-time.After(10 * time.Minute)
		poll(func(i int) string { return fmt.Sprint("guess ", i) }, 12, time.Second)
		waits := connectFrom(t, srv, "192.0.2.1")
		if _, took, _ := waits.try("neighbor2", "right"); took < 5*time.Second {
			t.Errorf("a guesser at the same pace makes others wait %v only", took)
		}
	})
}

// A login that waits for its turn is woken by an eviction, and checks nothing.
func TestWaitEndsWithEviction(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		srv, b, log := guarded()
		srv.Limits.Connections = 1
		c := connectFrom(t, srv, "192.0.2.1")
		c.guess("u", 4)
		go c.try("u", "waits")
		<-time.After(time.Second)
		mustLogIn(t, srv, "192.0.2.2", "v", 0)
		<-c.done
		if n := len(b.times("u")); n != 4 || !strings.Contains(log.String(), "reason=evicted") {
			t.Errorf("%d tries checked, log:\n%s", n, log)
		}
	})
}

// The delay of a failed login ends with the deadline, too.
func TestFailureDelayEndsWithTheLoginDeadline(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		srv, _, log := guarded()
		srv.Limits.Login, srv.Limits.FailureDelay = 3*time.Second, time.Minute
		c := connectFrom(t, srv, "192.0.2.1")
		if _, took, err := c.try("u", "x"); took != 3*time.Second || err == nil {
			t.Errorf("after %v: %v", took, err)
		}
		<-c.done
		if !strings.Contains(log.String(), `reason="login deadline"`) {
			t.Errorf("log:\n%s", log)
		}
	})
}
