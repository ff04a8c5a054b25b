package pop3server_test

import (
	"bytes"
	"crypto/tls"
	"io"
	"net"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// drip sends octets one by one, for as long as the other side bears it.
func drip(conn net.Conn, octets []byte, pause time.Duration) {
	for _, o := range octets {
		if _, err := conn.Write([]byte{o}); err != nil {
			return
		}
		<-time.After(pause)
	}
}

// hello is what a TLS client says first.
func hello() []byte {
	ours, theirs := net.Pipe()
	defer ours.Close()
	go tls.Client(theirs, trusting(0)).Handshake()
	octets := make([]byte, 4096)
	n, _ := ours.Read(octets)
	return octets[:n]
}

// Promise 16: octets that come one by one do not move the login deadline, wherever
// the connection is.
func TestDripsDoNotMoveTheLoginDeadline(t *testing.T) {
	first := hello()
	for name, where := range map[string]struct {
		tls  bool
		talk string
		drip []byte
	}{
		"TLS handshake":  {true, "", first},
		"command":        {false, "S: +OK ...", bytes.Repeat([]byte("x"), 100)},
		"short commands": {false, "S: +OK ...", bytes.Repeat([]byte("\n"), 15)},
		"SASL":           {false, "S: +OK ...\nC: AUTH PLAIN\nS: +...", bytes.Repeat([]byte("A"), 100)},
		"STLS":           {false, "S: +OK ...\nC: STLS\nS: +OK ...", first},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				srv, log := newTLSServer(three())
				srv.AllowCleartext = true
				c := connect
				if where.tls {
					c = connectTLS
				}
				client := c(t, srv)
				client.talk(where.talk)
				begun := time.Now()
				var both sync.WaitGroup
				both.Go(func() { io.Copy(io.Discard, client.conn) }) // replies
				both.Go(func() { drip(client.conn, where.drip, 7*time.Second) })
				<-client.done
				if took := time.Since(begun); took != time.Minute {
					t.Errorf("after %v, log:\n%s", took, log)
				}
				both.Wait()
			})
		})
	}
}

// Before the login, a client that does not read has no more time than one that
// does not write.
func TestUnreadGreetingEndsWithTheLoginDeadline(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		srv, _ := newServer(three())
		begun := time.Now()
		c := connect(t, srv)
		<-c.done
		if took := time.Since(begun); took != time.Minute {
			t.Errorf("after %v", took)
		}
	})
}

// A client that reads nothing of a message has five minutes, and the lock is free.
func TestUnreadMessageIsCutOff(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDrop("Subject: long\r\n\r\n" + strings.Repeat(strings.Repeat("x", 70)+"\r\n", 4000))
		srv, log := newServer(d)
		c := connect(t, srv)
		c.talk(login)
		c.send("RETR 1\r\n")
		begun := time.Now()
		<-c.done
		if took := time.Since(begun); took != 5*time.Minute || d.locked || !strings.Contains(log.String(), `reason="reply cut off"`) {
			t.Errorf("after %v, locked %v, log:\n%s", took, d.locked, log)
		}
	})
}
