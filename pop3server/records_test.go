package pop3server_test

import (
	"bufio"
	"bytes"
	"crypto/tls"
	"fmt"
	"net"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// recordPiece is what a TLS record holds, at most.
const recordPiece = 16 << 10

// tlsClient is logged in over TLS. wrap changes the server's end.
func tlsClient(t *testing.T, d *drop, wrap func(net.Conn) net.Conn) (*client, *tls.Conn) {
	t.Helper()
	srv, _ := newTLSServer(d)
	ours, theirs := net.Pipe()
	raw := &client{t: t, conn: ours, done: make(chan struct{})}
	go func() {
		defer close(raw.done)
		srv.ServeConnTLS(wrap(theirs))
	}()
	t.Cleanup(func() {
		ours.Close()
		<-raw.done
	})
	conn := tls.Client(ours, trusting(0))
	c := &client{t: t, conn: conn, r: bufio.NewReader(conn), done: raw.done}
	c.talk(login)
	return c, conn
}

// The end of a message is in one record, wherever records part.
func TestEndOfAMessageIsInOneRecord(t *testing.T) {
	var all []string
	for _, around := range []int{recordPiece, 2 * recordPiece, 4 * recordPiece, 5 * recordPiece} {
		for octets := around - 60; octets < around+10; octets++ {
			all = append(all, strings.Repeat("x", octets)+"\r\n")
		}
	}
	c, conn := tlsClient(t, newDrop(all...), func(conn net.Conn) net.Conn { return conn })
	record := make([]byte, recordPiece)
	for i, want := range all {
		c.send(fmt.Sprintf("RETR %d\r\n", i+1))
		for left := len(fmt.Sprintf("+OK %d octets\r\n", len(want))) + len(want) + len(".\r\n"); left > 0; {
			n, err := conn.Read(record) // never of two records
			if err != nil {
				t.Fatal(err)
			}
			if left -= n; left == 0 && !bytes.HasSuffix(record[:n], []byte("\r\n.\r\n")) {
				t.Errorf("%d octets: the last record is %q", len(want), record[:n])
			}
		}
	}
}

// largest notes the largest write.
type largest struct {
	net.Conn
	octets int
}

func (l *largest) Write(p []byte) (int, error) {
	l.octets = max(l.octets, len(p))
	return l.Conn.Write(p)
}

// Several records are one write.
func TestRecordsGoOutTogether(t *testing.T) {
	var seen *largest
	c, _ := tlsClient(t, newDrop("Subject: long\r\n\r\n"+strings.Repeat("x\r\n", 100_000)), func(conn net.Conn) net.Conn {
		seen = &largest{Conn: conn}
		return seen
	})
	c.send("RETR 1\r\n")
	for c.answer() != "." {
	}
	c.talk("C: QUIT\nS: +OK...")
	<-c.done
	if seen.octets < 4*recordPiece || seen.octets > 4*recordPiece+256 {
		t.Errorf("the largest write has %d octets", seen.octets)
	}
}

// Where a record was cut off, nothing follows it: no close_notify either.
func TestNothingFollowsATornRecord(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var after int
		c, conn := tlsClient(t, newDrop("Subject: long\r\n\r\n"+strings.Repeat("x\r\n", 100_000)), func(conn net.Conn) net.Conn {
			return &tornWriter{Conn: conn, after: &after}
		})
		c.send("RETR 1\r\n")
		synctest.Wait()
		conn.NetConn().Read(make([]byte, 100)) // and no more
		begun := time.Now()
		<-c.done
		if took := time.Since(begun); took != 5*time.Minute || after > 0 {
			t.Errorf("after %v; %d writes after the one that failed", took, after)
		}
	})
}

// A tornWriter counts what is written after a write that failed.
type tornWriter struct {
	net.Conn
	failed bool
	after  *int
}

func (w *tornWriter) Write(p []byte) (int, error) {
	if w.failed {
		*w.after++
	}
	n, err := w.Conn.Write(p)
	w.failed = w.failed || err != nil
	return n, err
}
