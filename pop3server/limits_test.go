package pop3server_test

import (
	"bufio"
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"strings"
	"sync"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"postfach/maildrop"
	"postfach/pop3server"
)

// greeted wants a greeting.
func (c *client) greeted() *client {
	c.t.Helper()
	c.talk("S: +OK POP3 server ready")
	return c
}

// loggedIn is a client that is logged in.
func loggedIn(t *testing.T, srv *pop3server.Server, ip, name string) *client {
	t.Helper()
	c := connectFrom(t, srv, ip)
	if right, _, err := c.try(name, "right"); !right || err != nil {
		t.Fatalf("login of %s: %v, %v", name, right, err)
	}
	return c
}

const tooMany = "S: -ERR [SYS/TEMP] too many connections, try again later\n(close)"

// Promise 16: when there are too many, the oldest that has not logged in goes.
func TestOldestStrangerGoesFirst(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		srv, _, log := guarded()
		srv.Limits.Connections = 3
		owner := loggedIn(t, srv, "192.0.2.1", "u")
		second := connectFrom(t, srv, "192.0.2.2").greeted()
		third := connectFrom(t, srv, "192.0.2.3").greeted()
		fourth := connectFrom(t, srv, "192.0.2.4").greeted()
		second.talk("(close)")
		<-second.done
		if !strings.Contains(log.String(), "rip=192.0.2.2 reason=evicted") {
			t.Errorf("log:\n%s", log)
		}
		third.talk("C: USER v\nS: +OK send PASS\nC: PASS right\nS: +OK ...")
		fourth.talk("C: USER w\nS: +OK send PASS\nC: PASS right\nS: +OK ...")
		connectFrom(t, srv, "192.0.2.5").talk(tooMany)
		owner.talk("C: QUIT\nS: +OK ...\n(close)")
		<-owner.done
		connectFrom(t, srv, "192.0.2.6").greeted()
		if s := srv.Stats(); s.Connections != 3 || s.LoggedIn != 2 || s.Evicted != 1 || s.Refused != 1 {
			t.Errorf("%+v", s)
		}
	})
}

// One address cannot have all connections, and pays with its own.
func TestConnectionsPerAddress(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		srv, _, log := guarded()
		srv.Limits.ConnectionsPerAddress = 2
		elsewhere := connectFrom(t, srv, "2001:db8:1::1").greeted() // the oldest of all
		first := connectFrom(t, srv, "2001:db8::1").greeted()
		connectFrom(t, srv, "2001:db8::2").greeted()
		third := connectFrom(t, srv, "2001:db8::3").greeted()
		first.talk("(close)")
		elsewhere.talk("C: USER u\nS: +OK send PASS\nC: PASS right\nS: +OK ...")
		third.talk("C: USER v\nS: +OK send PASS\nC: PASS right\nS: +OK ...")
		loggedIn(t, srv, "2001:db8::4", "w")
		connectFrom(t, srv, "2001:db8::5").talk(tooMany)
		<-first.done
		if !strings.Contains(log.String(), "rip=2001:db8::1 reason=evicted") {
			t.Errorf("log:\n%s", log)
		}
		third.talk("C: QUIT\nS: +OK ...\n(close)")
		<-third.done
		connectFrom(t, srv, "2001:db8::6").greeted()
	})
}

// Local proxies and webmail stand for many people.
func TestLoopbackHasNoLimitOfItsOwn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		srv, _, _ := guarded()
		srv.Limits.ConnectionsPerAddress = 1
		for _, ip := range []string{"127.0.0.1", "::1", "::ffff:127.0.0.1"} {
			for i := range 3 {
				loggedIn(t, srv, ip, fmt.Sprint(ip, i))
			}
		}
	})
}

// One account cannot have all connections either, not even while it waits.
func TestSessionsPerUser(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		srv, _, _ := guarded()
		srv.Limits.SessionsPerUser = 2
		queue := &queue{enter: make(chan struct{}), entered: make(chan struct{}, 9)}
		srv.Store = queue
		for range 2 {
			c := connectFrom(t, srv, "192.0.2.1")
			go c.try("u", "right")
			<-queue.entered
		}
		connectFrom(t, srv, "192.0.2.2").talk("S: +OK ...\nC: USER u\nS: +OK ...\nC: PASS right\nS: -ERR [IN-USE] another session has this maildrop")
		other := connectFrom(t, srv, "192.0.2.2")
		go other.try("v", "right")
		<-queue.entered
		close(queue.enter)
		synctest.Wait()
		connectFrom(t, srv, "192.0.2.2").talk("S: +OK ...\nC: USER u\nS: +OK ...\nC: PASS right\nS: -ERR [IN-USE] ...")
		if s := srv.Stats(); s.LoggedIn != 1 { // the two were refused by the store
			t.Errorf("%+v", s)
		}
	})
}

// A queue is a store in which only v gets in, and everybody waits first.
type queue struct {
	enter   chan struct{}
	entered chan struct{}
}

func (q *queue) Open(ctx context.Context, user string) (maildrop.Maildrop, error) {
	q.entered <- struct{}{}
	<-q.enter
	if user != "v" {
		return nil, maildrop.ErrLocked
	}
	return newDrop(), nil
}

// A limit counts over all servers that share a Guard.
func TestServersShareConnections(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		first, _, _ := guarded()
		second, _, _ := guarded()
		first.Guard = new(pop3server.Guard)
		second.Guard = first.Guard
		first.Limits.Connections, second.Limits.Connections = 1, 1
		old := connectFrom(t, first, "192.0.2.1").greeted()
		loggedIn(t, second, "192.0.2.1", "u")
		old.talk("(close)")
		connectFrom(t, first, "192.0.2.2").talk(tooMany)
	})
}

// Who is behind a proxy says so in the connection. Whoever says nothing holds up
// nobody, and not for ever.
func TestUnknownAddressHoldsUpNobody(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		srv, _, log := guarded()
		srv.Limits.Login = time.Minute
		l := &listener{conns: make(chan net.Conn), closed: make(chan struct{})}
		served := make(chan error, 1)
		go func() { served <- srv.Serve(l) }()
		ours, theirs := net.Pipe()
		defer ours.Close()
		l.conns <- &mute{Conn: theirs}
		begun := time.Now()
		ours2, theirs2 := net.Pipe()
		l.conns <- theirs2
		c := &client{t: t, conn: ours2, r: bufio.NewReader(ours2)}
		c.talk("S: +OK ...\nC: USER u\nS: +OK ...\nC: PASS right\nS: +OK ...\nC: QUIT\nS: +OK ...\n(close)")
		if time.Since(begun) > 0 {
			t.Errorf("a login took %v", time.Since(begun))
		}
		if _, err := io.ReadAll(ours); err != nil || time.Since(begun) != time.Minute {
			t.Errorf("the mute one ends after %v: %v", time.Since(begun), err)
		}
		if err := srv.Shutdown(t.Context()); err != nil {
			t.Error(err)
		}
		<-served
		if n := strings.Count(log.String(), `msg="session ended"`); n != 2 {
			t.Errorf("log:\n%s", log)
		}
	})
}

// A mute connection does not know its address until it has been read from.
type mute struct{ net.Conn }

func (m *mute) RemoteAddr() net.Addr {
	m.Read(make([]byte, 1))
	return m.Conn.RemoteAddr()
}

// A listener hands out what a test gives it.
type listener struct {
	conns  chan net.Conn
	errs   chan error
	closed chan struct{}
	once   sync.Once
}

func (l *listener) Accept() (net.Conn, error) {
	select {
	case c := <-l.conns:
		return c, nil
	case err := <-l.errs:
		return nil, err
	case <-l.closed:
		return nil, net.ErrClosed
	}
}

func (l *listener) Close() error {
	l.once.Do(func() { close(l.closed) })
	return nil
}

func (l *listener) Addr() net.Addr { return &net.TCPAddr{} }

// Promise 17: without descriptors the accept loop rests, says so once, and takes
// one back from whoever has not logged in.
func TestAcceptWithoutDescriptors(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		srv, _, log := guarded()
		owner := loggedIn(t, srv, "192.0.2.1", "u")
		stranger := connectFrom(t, srv, "192.0.2.2").greeted()
		l := &listener{conns: make(chan net.Conn), errs: make(chan error), closed: make(chan struct{})}
		served := make(chan error, 1)
		go func() { served <- srv.Serve(l) }()
		begun := time.Now()
		l.errs <- &net.OpError{Op: "accept", Net: "tcp", Err: syscall.EMFILE}
		stranger.talk("(close)")
		tries := 1
		for time.Since(begun) < 10*time.Second {
			l.errs <- &net.OpError{Op: "accept", Net: "tcp", Err: syscall.EMFILE}
			tries++
		}
		if tries > 20 || strings.Count(log.String(), "connection not accepted") != 1 {
			t.Errorf("%d tries in 10 s, log:\n%s", tries, log)
		}
		owner.talk("C: NOOP\nS: +OK ...")
		ours, theirs := net.Pipe()
		defer ours.Close()
		l.conns <- theirs
		(&client{t: t, conn: ours, r: bufio.NewReader(ours)}).greeted()
		ours.Close()
		if err := srv.Close(); err != nil {
			t.Error(err)
		}
		<-served
	})
}

// Promise 17: a login that lacks descriptors has those of strangers, and no more
// than it needs.
func TestLoginHasTheDescriptorsOfStrangers(t *testing.T) {
	for lacking, want := range map[int]string{2: "+OK ...", 9: "-ERR [SYS/TEMP] ..."} {
		synctest.Test(t, func(t *testing.T) {
			srv, _, _ := guarded()
			srv.Store = &crammed{lacking: lacking}
			for range 5 {
				connectFrom(t, srv, "192.0.2.1").greeted()
			}
			c := connectFrom(t, srv, "192.0.2.2")
			c.talk("S: +OK ...\nC: USER u\nS: +OK ...\nC: PASS right\nS: " + want)
			if s := srv.Stats(); s.Evicted != uint64(min(lacking, 3)) {
				t.Errorf("%d descriptors lacking: %+v", lacking, s)
			}
		})
	}
}

// A crammed store lacks descriptors.
type crammed struct {
	crowd
	lacking int
}

func (c *crammed) Open(ctx context.Context, user string) (maildrop.Maildrop, error) {
	if c.lacking--; c.lacking >= 0 {
		return nil, fmt.Errorf("lock: %w", syscall.EMFILE)
	}
	return c.crowd.Open(ctx, user)
}

// Promise 16: a thousand that say nothing, half of them in front of a TLS
// handshake, do not keep anybody out, also where they fill all places.
func TestHalfOpenConnectionsStopNobody(t *testing.T) {
	for _, places := range []int{0, 100} {
		synctest.Test(t, func(t *testing.T) {
			srv, _, _ := guarded()
			cert, _ := certificate()
			srv.TLS = &tls.Config{Certificates: []tls.Certificate{cert}}
			srv.Limits.Connections = places
			for i := range 1000 {
				ours, theirs := net.Pipe()
				defer ours.Close()
				serve := srv.ServeConn
				if i%2 == 1 {
					serve = srv.ServeConnTLS
				}
				go serve(&conn{theirs, &net.TCPAddr{IP: net.IPv4(192, 0, byte(i), 1)}})
			}
			synctest.Wait()
			mustLogIn(t, srv, "198.51.100.1", "u", 0)
			if s := srv.Stats(); places > 0 && s.Connections > places {
				t.Errorf("%+v", s)
			}
			srv.Close()
		})
	}
}

// Promise 16: a client that takes an octet now and then is cut off, and gives the
// maildrop back.
func TestDrippingReaderIsCutOff(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDrop("Subject: long\r\n\r\n" + strings.Repeat(strings.Repeat("x", 70)+"\r\n", 4000))
		srv, _ := newServer(d)
		c := connect(t, srv)
		c.talk(login)
		c.send("RETR 1\r\n")
		var reader sync.WaitGroup
		reader.Go(func() {
			for {
				if _, err := io.CopyN(io.Discard, c.conn, 1); err != nil {
					return
				}
				<-time.After(10 * time.Second)
			}
		})
		defer reader.Wait()
		select {
		case <-c.done:
		case <-time.After(time.Hour):
			t.Error("an hour later it is still served")
			c.conn.Close()
			<-c.done
		}
	})
}
