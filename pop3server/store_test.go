package pop3server_test

import (
	"context"
	"errors"
	"io"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"postfach/maildrop"
	"postfach/pop3"
	"postfach/pop3server"
)

// A disk is a store with a maildrop for each user, whose calls block where the test
// wants it: at "u Read", say.
type disk struct {
	may int // how many calls there may be at once

	mu           sync.Mutex // guards what follows
	drops        map[string]*drop
	stalled      map[string]chan struct{}
	inside, most int
	calls        []string // that have begun
}

// stall lets the next calls of this name block until mended is called.
func (d *disk) stall(call string) (mended func()) {
	d.mu.Lock()
	defer d.mu.Unlock()
	c := make(chan struct{})
	d.stalled[call] = c
	return sync.OnceFunc(func() {
		d.mu.Lock()
		defer d.mu.Unlock()
		delete(d.stalled, call)
		close(c)
	})
}

// call begins a call, and returns its end.
func (d *disk) call(name string) (end func()) {
	d.mu.Lock()
	d.inside++
	d.most = max(d.most, d.inside)
	d.calls = append(d.calls, name)
	stalled := d.stalled[name]
	d.mu.Unlock()
	if stalled != nil {
		<-stalled
	}
	return func() {
		d.mu.Lock()
		defer d.mu.Unlock()
		d.inside--
	}
}

// of returns the maildrop of a user, with one message.
func (d *disk) of(user string) *drop {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.drops[user] == nil {
		d.drops[user] = newDrop("Subject: x\r\n\r\n" + strings.Repeat("x\r\n", 80_000))
	}
	return d.drops[user]
}

func (d *disk) Open(ctx context.Context, user string) (maildrop.Maildrop, error) {
	defer d.call(user + " Open")()
	if _, err := d.of(user).Open(ctx, user); err != nil {
		return nil, err
	}
	return &diskDrop{d.of(user), d, user}, nil
}

type diskDrop struct {
	*drop
	disk *disk
	user string
}

func (d *diskDrop) Content(ctx context.Context, id pop3.UniqueID) (io.ReadCloser, error) {
	defer d.disk.call(d.user + " Content")()
	content, err := d.drop.Content(ctx, id)
	return &diskContent{content, d}, err
}

func (d *diskDrop) Update(ctx context.Context, ids []pop3.UniqueID) error {
	defer d.disk.call(d.user + " Update")()
	return d.drop.Update(ctx, ids)
}

func (d *diskDrop) Close() error {
	defer d.disk.call(d.user + " Close")()
	return d.drop.Close()
}

type diskContent struct {
	io.ReadCloser
	drop *diskDrop
}

// Read has io.EOF in a call of its own.
func (c *diskContent) Read(p []byte) (int, error) {
	n, err := c.ReadCloser.Read(p)
	if err != nil {
		defer c.drop.disk.call(c.drop.user + " EOF")()
	} else {
		defer c.drop.disk.call(c.drop.user + " Read")()
	}
	return n, err
}

func (c *diskContent) Close() error {
	defer c.drop.disk.call(c.drop.user + " Content.Close")()
	return c.ReadCloser.Close()
}

// onDisk is a server whose store is a disk, with so many turns. At the end of the
// test all of them must have come back.
func onDisk(t *testing.T, turns int) (*pop3server.Server, *disk, *logBuffer) {
	srv, _, log := guarded()
	d := &disk{may: turns, drops: map[string]*drop{}, stalled: map[string]chan struct{}{}}
	srv.Store = d
	srv.Limits.StoreCalls = turns
	t.Cleanup(func() {
		if s := srv.Stats(); s.InStore != 0 || s.ForStore != 0 || s.Connections != 0 {
			t.Errorf("at the end: %+v", s)
		}
		for user, drop := range d.drops {
			if drop.locked {
				t.Errorf("the maildrop of %s is locked", user)
			}
		}
		if d.most > d.may {
			t.Errorf("%d calls were in the store, and %d may be", d.most, d.may)
		}
	})
	return srv, d, log
}

// within wants this conversation to take so long, of fake time.
func (c *client) within(least, most time.Duration, conversation string) {
	c.t.Helper()
	begun := time.Now()
	c.talk(conversation)
	if took := time.Since(begun); took < least || took > most {
		c.t.Errorf("took %v, want %v to %v:%s", took, least, most, conversation)
	}
}

// end closes the client's side and waits for the server's.
func (c *client) end() {
	c.conn.Close()
	<-c.done
}

// Promise 17, P3-UPD-02, P3-UPD-03: while as many calls as may be hang in the store,
// others end in errors, after a bounded time, and remove nothing. When the disk
// answers again, what it was asked for happens, and all is as before.
func TestStoreThatHangsCostsErrorsOnly(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		srv, d, log := onDisk(t, 2)
		a, b, c, e := loggedIn(t, srv, "192.0.2.1", "a"), loggedIn(t, srv, "192.0.2.1", "b"), loggedIn(t, srv, "192.0.2.1", "c"), loggedIn(t, srv, "192.0.2.1", "e")
		for _, who := range []*client{a, b, c} {
			who.talk("C: DELE 1\nS: +OK ...\nC: RSET\nS: +OK ...\nC: DELE 1\nS: +OK ...")
		}
		mendA, mendB := d.stall("a Update"), d.stall("b Update")
		a.send("QUIT\r\n")
		b.send("QUIT\r\n")
		synctest.Wait()

		late := connectFrom(t, srv, "192.0.2.2")
		late.within(30*time.Second, 30*time.Second, "S: +OK ...\nC: USER f\nS: +OK ...\nC: PASS right\nS: -ERR [SYS/TEMP] internal error, try again later")
		late.within(0, 0, "C: QUIT\nS: +OK ...\n(close)")
		e.within(30*time.Second, 30*time.Second, "C: RETR 1\nS: -ERR [SYS/TEMP] message 1 cannot be read")
		e.within(30*time.Second, 30*time.Second, "C: TOP 1 0\nS: -ERR [SYS/TEMP] message 1 cannot be read")
		e.within(0, 0, "C: LIST 1\nS: +OK ...")
		e.within(time.Second, 3*time.Second, "C: QUIT\nS: +OK ...\n(close)")
		c.within(30*time.Second, 33*time.Second, "C: QUIT\nS: -ERR [SYS/TEMP] 1 deleted messages not removed\n(close)")
		if len(d.of("c").messages) != 1 {
			t.Error("a QUIT without a turn removes messages")
		}
		synctest.Wait()
		if s := srv.Stats(); s.InStore != 2 || s.ForStore != 2 || s.Connections != 4 {
			t.Errorf("%+v: c and e wait to unlock", s)
		}
		for _, want := range []string{"maildrop cannot be opened", "message not readable", "deleted messages not removed", "a disk that does not answer?"} {
			if !strings.Contains(log.String(), want) {
				t.Errorf("no %q in the log:\n%s", want, log)
			}
		}

		mendB()
		b.talk("S: +OK ...\n(close)")
		for _, who := range []*client{b, c, e} {
			<-who.done
		}
		loggedIn(t, srv, "192.0.2.1", "c").within(0, 0, "C: STAT\nS: +OK 1 240014\nC: QUIT\nS: +OK ...\n(close)")
		mendA()
		a.talk("S: +OK ...\n(close)")
		if len(d.of("a").messages)+len(d.of("b").messages) != 0 {
			t.Error("what was on its way to the disk was not removed")
		}
	})
}

// A reply that has begun with +OK is finished or cut off, also when the next octets
// have no turn. While a client does not read, its session is not in the store.
func TestReplyWithoutATurnIsCutOff(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		srv, d, log := onDisk(t, 1)
		a, b := loggedIn(t, srv, "192.0.2.1", "a"), loggedIn(t, srv, "192.0.2.1", "b")
		a.send("RETR 1\r\n")
		synctest.Wait() // the reply waits for its reader
		mend := d.stall("b Content")
		b.send("RETR 1\r\n")
		synctest.Wait()
		if s := srv.Stats(); s.InStore != 1 || s.ForStore != 0 {
			t.Errorf("%+v", s)
		}
		begun := time.Now()
		got, _ := io.ReadAll(a.r)
		if took := time.Since(begun); took != 30*time.Second || !strings.HasPrefix(string(got), "+OK 240014 octets\r\n") || strings.HasSuffix(string(got), "\r\n.\r\n") {
			t.Errorf("after %v: %d octets that end with %.20q", took, len(got), got[max(0, len(got)-20):])
		}
		mend()
		io.CopyN(io.Discard, b.r, 240_000)
		b.end()
		<-a.done
		if !strings.Contains(log.String(), `reason="reply cut off"`) {
			t.Errorf("log:\n%s", log)
		}
	})
}

// To close a message may have to wait for a turn, too. A reply that is whole does
// not wait with it, and the message is closed before the maildrop.
func TestWholeReplyDoesNotWaitUntilItsMessageIsClosed(t *testing.T) {
	for _, end := range []string{"C: QUIT\nS: +OK ...\n(close)", "C: DELE 1\nS: +OK ...\nC: QUIT\nS: -ERR [SYS/TEMP] ...\n(close)", ""} {
		synctest.Test(t, func(t *testing.T) {
			srv, d, _ := onDisk(t, 1)
			a, b := loggedIn(t, srv, "192.0.2.1", "a"), loggedIn(t, srv, "192.0.2.1", "b")
			mendA, mendB := d.stall("a EOF"), d.stall("b Content")
			reply := make(chan string)
			go func() {
				io.WriteString(a.conn, "RETR 1\r\n")
				var whole strings.Builder
				for !strings.HasSuffix(whole.String(), "\r\n.\r\n") {
					line, err := a.r.ReadString('\n')
					if whole.WriteString(line); err != nil {
						break
					}
				}
				reply <- whole.String()
			}()
			synctest.Wait()
			b.send("RETR 1\r\n")
			synctest.Wait() // b is next
			mendA()
			begun := time.Now()
			got := <-reply
			if took := time.Since(begun); took > time.Second || len(got) != len("+OK 240014 octets\r\n")+240014+len(".\r\n") {
				t.Errorf("%d octets after %v", len(got), took)
			}
			if end == "" {
				a.conn.Close()
			} else {
				a.talk(end)
			}
			mendB()
			b.end()
			<-a.done
			text := strings.Join(d.calls, ", ")
			if closed, unlocked := strings.Index(text, "a Content.Close"), strings.Index(text, "a Close"); closed < 0 || unlocked < closed || strings.Count(text, "a Content.Close") != 1 {
				t.Errorf("calls: %s", text)
			}
		})
	}
}

// A message that could not be closed is closed with the next turn: a session that reads
// many on a slow disk does not keep them all open.
func TestMessageWithoutATurnIsClosedWithTheNextOne(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		srv, d, _ := onDisk(t, 1)
		a, b := loggedIn(t, srv, "192.0.2.1", "a"), loggedIn(t, srv, "192.0.2.1", "b")
		mendA, mendB := d.stall("a EOF"), d.stall("b Content")
		a.send("TOP 1 9999\r\n")
		reply := make(chan bool)
		drain := func() {
			for line := ""; line != ".\r\n"; {
				var err error
				if line, err = a.r.ReadString('\n'); err != nil {
					t.Error(err)
					break
				}
			}
			reply <- true
		}
		go drain()
		synctest.Wait()
		b.send("TOP 1 0\r\n")
		synctest.Wait() // b is next, and hangs
		mendA()
		<-reply
		synctest.Wait()
		<-time.After(2 * time.Second) // the message is not closed
		mendB()
		b.talk("S: +OK ...\nS: Subject: x\nS:\nS: .")
		a.send("TOP 1 9999\r\n")
		go drain()
		<-reply
		synctest.Wait()
		d.mu.Lock()
		calls := strings.Join(d.calls, ", ")
		d.mu.Unlock()
		if opened, closed := strings.Count(calls, "a Content,"), strings.Count(calls, "a Content.Close"); opened != 2 || closed != 2 {
			t.Errorf("%d opened, %d closed: %s", opened, closed, calls)
		}
		a.talk("C: QUIT\nS: +OK ...\n(close)")
		b.talk("C: QUIT\nS: +OK ...\n(close)")
		<-a.done
		<-b.done
	})
}

// Turns are counted over all servers that share a Guard, in the order in which
// they were asked for, and each server has its own idea of how many there are.
func TestServersShareTurnsInTheStore(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		old, d, _ := onDisk(t, 1)
		srv, _, _ := guarded()
		old.Guard = new(pop3server.Guard)
		srv.Guard, srv.Store, srv.Limits.StoreCalls = old.Guard, d, 1
		a, b, c := loggedIn(t, old, "192.0.2.1", "a"), loggedIn(t, srv, "192.0.2.1", "b"), loggedIn(t, srv, "192.0.2.1", "c")
		mend := d.stall("a Content")
		a.send("TOP 1 0\r\n")
		synctest.Wait()
		c.send("TOP 1 0\r\n")
		synctest.Wait()
		b.send("TOP 1 0\r\n")
		synctest.Wait()
		if s := srv.Stats(); s.InStore != 1 || s.ForStore != 2 {
			t.Errorf("%+v", s)
		}
		mend()
		for _, who := range []*client{a, b, c} {
			who.talk("S: +OK ...\nS: Subject: x\nS:\nS: .")
		}
		var contents []string
		for _, call := range d.calls {
			if strings.HasSuffix(call, " Content") {
				contents = append(contents, call)
			}
		}
		if got := strings.Join(contents, ", "); got != "a Content, c Content, b Content" {
			t.Errorf("in the order %s", got)
		}

		more, _, _ := guarded() // after a reload
		d.may = 2
		more.Guard, more.Store, more.Limits.StoreCalls = old.Guard, d, 2
		e := loggedIn(t, more, "192.0.2.1", "e")
		mend = d.stall("a Content")
		a.send("TOP 1 0\r\n")
		synctest.Wait()
		b.send("TOP 1 0\r\n")
		synctest.Wait()
		<-time.After(10 * time.Second)
		e.send("TOP 1 0\r\n")
		b.within(20*time.Second, 20*time.Second, "S: -ERR [SYS/TEMP] ...")
		e.talk("S: +OK ...\nS: Subject: x\nS:\nS: .") // b was before it, and has given up
		mend()
		a.talk("S: +OK ...\nS: Subject: x\nS:\nS: .")
		for _, who := range []*client{a, b, c, e} {
			who.end()
		}
	})
}

// A resting store is one whose maildrops are locked for a second and a half, in
// steps, as those in Maildirs may be.
type resting struct{ *disk }

func (r resting) Open(ctx context.Context, user string) (maildrop.Maildrop, error) {
	if user == "free" {
		return r.disk.Open(ctx, user)
	}
	for range 3 {
		err := maildrop.Rest(ctx, func() error {
			<-time.After(500 * time.Millisecond)
			return nil
		})
		if err != nil {
			return nil, err
		}
		r.disk.call(user + " tries")()
	}
	return nil, maildrop.ErrLocked
}

// Who waits for somebody else's session, and not for the disk, is in nobody's way.
func TestWaitingForALockTakesNoTurn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		srv, d, _ := onDisk(t, 1)
		srv.Store = resting{d}
		var polling sync.WaitGroup
		for range 9 {
			c := connectFrom(t, srv, "192.0.2.1")
			polling.Go(func() {
				c.within(1500*time.Millisecond, 1500*time.Millisecond, "S: +OK ...\nC: USER u\nS: +OK ...\nC: PASS right\nS: -ERR [IN-USE] ...")
				c.end()
			})
		}
		synctest.Wait()
		free := connectFrom(t, srv, "192.0.2.2")
		free.within(0, 0, "S: +OK ...\nC: USER free\nS: +OK ...\nC: PASS right\nS: +OK ...\nC: TOP 1 0\nS: +OK ...\nS: Subject: x\nS:\nS: .")
		polling.Wait()

		late := connectFrom(t, srv, "192.0.2.1") // the disk dies while it waits
		late.talk("S: +OK ...\nC: USER u\nS: +OK ...\nC: PASS right")
		synctest.Wait()
		mend := d.stall("free Content")
		free.send("TOP 1 0\r\n")
		late.within(30*time.Second, 31*time.Second, "S: -ERR [SYS/TEMP] internal error, try again later")
		late.end()
		mend()
		free.talk("S: +OK ...\nS: Subject: x\nS:\nS: .")
		free.end()
	})
}

// P3-ST-15: a shutdown takes no longer than it may, whoever hangs in the store or
// waits for it. It waits for no turn of those who have no reply yet.
func TestShutdownDoesNotWaitForAStoreThatHangs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		srv, d, _ := onDisk(t, 1)
		var all []*client
		for _, user := range []string{"a", "b", "c", "e"} {
			c := loggedIn(t, srv, "192.0.2.1", user)
			c.talk("C: DELE 1\nS: +OK ...\nC: RSET\nS: +OK ...")
			all = append(all, c)
		}
		mend := d.stall("a Update")
		all[0].send("DELE 1\r\n")
		all[0].talk("S: +OK ...")
		all[0].send("QUIT\r\n")
		synctest.Wait()
		all[1].send("RETR 1\r\n")
		all[2].talk("C: DELE 1\nS: +OK ...")
		all[2].send("QUIT\r\n")
		login := connectFrom(t, srv, "192.0.2.2")
		go login.try("f", "right")
		synctest.Wait()

		ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
		defer cancel()
		begun := time.Now()
		refused := make(chan time.Duration)
		go func() {
			all[1].talk("S: -ERR [SYS/TEMP] message 1 cannot be read\n(close)")
			refused <- time.Since(begun)
		}()
		go func() { io.Copy(io.Discard, all[2].r) }()
		if err := srv.Shutdown(ctx); !errors.Is(err, context.DeadlineExceeded) || time.Since(begun) > 7*time.Second {
			t.Errorf("%v after %v", err, time.Since(begun))
		}
		if took := <-refused; took > 3*time.Second {
			t.Errorf("RETR without a turn hears of the shutdown after %v", took)
		}
		mend()
		for _, c := range all {
			<-c.done
		}
		<-login.done
		if len(d.of("a").messages) != 0 || len(d.of("c").messages) != 1 {
			t.Error("what hung in the store is to happen, and what had no turn is not")
		}
	})
}

// The login deadline is for the login only: long after it, a session still waits for
// its turn.
func TestTurnAfterTheLoginDeadline(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		srv, d, _ := onDisk(t, 1)
		srv.Limits.Login = time.Minute
		a, b := loggedIn(t, srv, "192.0.2.1", "a"), loggedIn(t, srv, "192.0.2.1", "b")
		<-time.After(2 * time.Minute)
		mend := d.stall("a Content")
		a.send("RETR 1\r\n")
		synctest.Wait()
		b.send("RETR 1\r\n")
		synctest.Wait()
		<-time.After(5 * time.Second)
		mend()
		go io.Copy(io.Discard, a.conn)
		if line, err := b.r.ReadString('\n'); err != nil || !strings.HasPrefix(line, "+OK") {
			t.Errorf("%q %v", line, err)
		}
		go io.Copy(io.Discard, b.conn)
		a.conn.Close()
		b.conn.Close()
		<-a.done
		<-b.done
	})
}
