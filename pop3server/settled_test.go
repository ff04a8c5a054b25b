package pop3server_test

import (
	"context"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"postfach/pop3server"
)

// P3-ST-05: a session that waits moves to another goroutine. Whatever comes while it does
// so is a command like any other, also when it comes in parts.
func TestNothingIsLostWhenASessionSettles(t *testing.T) {
	for _, tls := range []bool{false, true} {
		for _, pause := range []time.Duration{0, 2*time.Second - 1, 2 * time.Second, 2*time.Second + 1, 3 * time.Minute} {
			synctest.Test(t, func(t *testing.T) {
				d := three()
				srv, log := newTLSServer(d)
				srv.AllowCleartext = true
				var c *client
				if !tls {
					c = connect(t, srv)
				} else if c = connectTLS(t, srv); c.startTLS() != nil {
					t.Fatal("no TLS")
				}
				c.talk(login)
				for _, command := range []string{"DELE 1", "LIST 2", "NOOP"} {
					<-time.After(pause)
					c.send(command[:2])
					<-time.After(pause)
					c.send(command[2:] + "\r")
					<-time.After(pause)
					c.send("\n")
					c.talk("S: +OK ...")
				}
				<-time.After(pause)
				c.talk("C: QUIT\nS: +OK ...\n(close)")
				<-c.done
				if len(d.messages) != 2 || d.locked || !strings.Contains(log.String(), "reason=quit") || strings.Count(log.String(), "session ended") != 1 {
					t.Errorf("TLS %v, pauses of %v: %d messages, locked %v, log:\n%s", tls, pause, len(d.messages), d.locked, log)
				}
			})
		}
	}
}

// Promise 8: a session that has settled ends like any other.
func TestSettledSessionEnds(t *testing.T) {
	for name, how := range map[string]struct {
		end    func(srv *pop3server.Server, c *client)
		reason string
	}{
		"panic":    {func(_ *pop3server.Server, c *client) { c.send("RETR 1\r\n") }, "reason=panic"},
		"hang-up":  {func(_ *pop3server.Server, c *client) { c.conn.Close() }, "reason=hang-up"},
		"shutdown": {func(srv *pop3server.Server, _ *client) { srv.Shutdown(context.Background()) }, "reason=shutdown"},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				m := &mine{drop: three(), at: "Content"}
				srv, log := newServer(nil)
				srv.Store, srv.Auth = m, m
				c := connect(t, srv)
				c.talk(login)
				<-time.After(time.Minute)
				how.end(srv, c)
				<-c.done
				if s := srv.Stats(); s.Connections != 0 || s.LoggedIn != 0 || srv.Sessions() != 0 || m.locked || len(m.messages) != 3 {
					t.Errorf("%+v, locked %v, %d messages", s, m.locked, len(m.messages))
				}
				if text := log.String(); strings.Count(text, "session ended") != 1 || !strings.Contains(text, how.reason) {
					t.Errorf("log:\n%s", text)
				}
			})
		})
	}
}
