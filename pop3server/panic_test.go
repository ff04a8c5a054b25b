package pop3server_test

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"runtime"
	"strings"
	"testing"

	"postfach/maildrop"
	"postfach/pop3"
	"postfach/pop3server"
)

// A mine panics where it is set off, as a store, accounts, and all that a session
// calls.
type mine struct {
	*drop
	at string
}

func (m *mine) step(name string) {
	if m.at == name {
		panic("mine at " + name)
	}
}

func (m *mine) Open(ctx context.Context, user string) (maildrop.Maildrop, error) {
	m.step("Open")
	if _, err := m.drop.Open(ctx, user); err != nil {
		return nil, err
	}
	return m, nil
}

func (m *mine) Messages() []maildrop.Message {
	m.step("Messages")
	return m.drop.Messages()
}

func (m *mine) Content(ctx context.Context, id pop3.UniqueID) (io.ReadCloser, error) {
	m.step("Content")
	c, err := m.drop.Content(ctx, id)
	return &minedContent{c, m}, err
}

func (m *mine) Update(ctx context.Context, ids []pop3.UniqueID) error {
	m.step("Update")
	return m.drop.Update(ctx, ids)
}

func (m *mine) Close() error {
	m.drop.Close()
	m.step("Close")
	return nil
}

func (m *mine) Authenticate(ctx context.Context, p *pop3server.Peer, name, password string) (pop3server.Identity, error) {
	m.step("Authenticate")
	return passwords{}.Authenticate(ctx, p, name, password)
}

func (m *mine) Available() bool {
	m.step("Available")
	return true
}

func (m *mine) Secret(ctx context.Context, p *pop3server.Peer, name string) (pop3server.Identity, string, error) {
	m.step("Secret")
	return (&secrets{}).Secret(ctx, p, name)
}

type minedContent struct {
	io.ReadCloser
	mine *mine
}

func (c *minedContent) Read(p []byte) (int, error) {
	c.mine.step("Read")
	return c.ReadCloser.Read(p)
}

func (c *minedContent) Close() error {
	c.mine.step("Content.Close")
	return c.ReadCloser.Close()
}

// A minedConn panics at RemoteAddr.
type minedConn struct {
	net.Conn
	mine *mine
}

func (c *minedConn) RemoteAddr() net.Addr {
	c.mine.step("RemoteAddr")
	return c.Conn.RemoteAddr()
}

// Promises 8 and 18: wherever a panic comes from, it costs one session, is
// counted and logged with its stack, and no lock is left. The message is there,
// unless the panic came after it was removed.
func TestPanicAnywhereCostsOneSession(t *testing.T) {
	const all = "APOP u 0\r\nUSER u\r\nPASS p w\r\nDELE 1\r\nTOP 2 0\r\nRETR 2\r\nQUIT\r\n"
	for _, at := range []string{
		"RemoteAddr", "Available", "Secret", "Authenticate", "Open", "Messages", "LoggedIn", "Content", "Read", "Content.Close", "Update", "Close", "Trace",
	} {
		t.Run(at, func(t *testing.T) {
			m := &mine{drop: three(), at: at}
			srv, log := newServer(nil)
			srv.Store, srv.Auth, srv.APOP = m, m, m
			srv.Limits.FailureDelay = 1
			srv.Limits.StoreCalls = 1 // and it comes back
			srv.LoggedIn = func(*pop3server.Peer, pop3server.Identity, string) { m.step("LoggedIn") }
			srv.Trace = func(pop3.TraceEvent) { m.step("Trace") }
			ours, theirs := net.Pipe()
			go io.WriteString(ours, all)
			read := make(chan struct{})
			go func() {
				defer close(read)
				io.Copy(io.Discard, ours)
			}()
			if err := srv.ServeConn(&minedConn{theirs, m}); err != nil {
				t.Fatal(err)
			}
			<-read // it was closed
			ours.Close()
			if s := srv.Stats(); s.Panics == 0 || s.Connections != 0 || s.LoggedIn != 0 || s.Waiting != 0 || srv.Sessions() != 0 {
				t.Errorf("%+v", s)
			}
			if text := log.String(); !strings.Contains(text, "mine at "+at) || !strings.Contains(text, "panic_test.go") || !strings.Contains(text, "reason=panic") {
				t.Errorf("log:\n%s", text)
			}
			if m.locked || len(m.messages) != 3 && at != "Close" {
				t.Errorf("locked %v, %d messages", m.locked, len(m.messages))
			}
			m.at = ""
			c := connect(t, srv)
			c.talk("S: +OK ...\nC: USER u\nS: +OK ...\nC: PASS p w\nS: +OK ...\nC: QUIT\nS: +OK ...\n(close)")
		})
	}
}

// A handshake has a goroutine of its own. A panic there is the session's, too.
func TestPanicInAHandshakeCostsOneSession(t *testing.T) {
	srv, log := newTLSServer(three())
	cert, _ := certificate()
	broken := true
	srv.TLS = &tls.Config{GetCertificate: func(*tls.ClientHelloInfo) (*tls.Certificate, error) {
		if broken {
			panic("mine in a handshake")
		}
		return &cert, nil
	}}
	c := connectTLS(t, srv)
	if err := c.startTLS(); err == nil {
		t.Error("a handshake without a certificate")
	}
	<-c.done
	if s := srv.Stats(); s.Panics != 1 || s.Connections != 0 || !strings.Contains(log.String(), "mine in a handshake") || !strings.Contains(log.String(), "panic_test.go") {
		t.Errorf("%+v, log:\n%s", s, log)
	}
	broken = false
	c = connectTLS(t, srv)
	if err := c.startTLS(); err != nil {
		t.Error(err)
	}
	c.talk("S: +OK ...")
}

// A quitter ends the goroutine in which it is asked, as t.Fatal does.
type quitter struct{}

func (quitter) Authenticate(context.Context, *pop3server.Peer, string, string) (pop3server.Identity, error) {
	runtime.Goexit()
	return pop3server.Identity{}, pop3server.ErrCredentials
}

// An askedStore notes whose maildrop it is asked for.
type askedStore struct {
	*drop
	asked *[]string
}

func (s askedStore) Open(ctx context.Context, user string) (maildrop.Maildrop, error) {
	*s.asked = append(*s.asked, user)
	return s.drop.Open(ctx, "u")
}

// Promise 8: a check that did not return has let nobody in.
func TestGoexitIsNoLogin(t *testing.T) {
	srv, _ := newServer(nil)
	var asked []string
	srv.Store, srv.Auth = askedStore{three(), &asked}, quitter{}
	c := connect(t, srv)
	c.talk("S: +OK ...\nC: USER u\nS: +OK ...\n")
	c.send("PASS wrong\r\nNOOP\r\n") // a session that has let somebody in answers the second one
	if line, err := c.r.ReadString('\n'); line != "" || !errors.Is(err, io.EOF) {
		t.Errorf("the answer is %q, %v", line, err)
	}
	if len(asked) > 0 {
		t.Errorf("the store is asked for %q", asked)
	}
}
