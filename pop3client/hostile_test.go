package pop3client

import (
	"context"
	"errors"
	"io"
	"net"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"postfach/internal/transcript"
	"postfach/pop3"
)

// flood is a server that says the beginning and then the same for ever.
func flood(t *testing.T, beginning, more string) net.Conn {
	client, server := pipe(t)
	heard := make(chan bool, 10)
	go func() {
		for line := readLine(server); line != ""; line = readLine(server) {
			heard <- true
		}
	}()
	go func() {
		defer server.Close()
		for i, piece := range strings.SplitAfter(beginning, "\r\n") {
			if i > 0 && strings.IndexAny(piece, "+-") == 0 {
				<-heard
			}
			io.WriteString(server, piece)
		}
		chunk := strings.Repeat(more, 1+8192/len(more))
		for {
			if _, err := io.WriteString(server, chunk); err != nil {
				return
			}
		}
	}()
	return client
}

// TestEndless: nothing that does not end is read for ever, or kept.
func TestEndless(t *testing.T) {
	limits := Limits{Listing: 1 << 20}
	for name, test := range map[string]struct {
		beginning, more string
		run             func(context.Context, *Client) error
	}{
		"greeting":  {"+OK", "x", nil},
		"CAPA line": {"+OK\r\n+OK\r\n", "x", nil},
		"CAPA":      {"+OK\r\n+OK\r\n", "X\r\n", nil},
		"status":    {"+OK\r\n-ERR\r\n+OK", "x", func(ctx context.Context, c *Client) error { return c.Noop(ctx) }},
		"LIST": {"+OK\r\n-ERR\r\n+OK\r\n", "1 1\r\n", func(ctx context.Context, c *Client) error {
			_, err := c.List(ctx)
			return err
		}},
		"UIDL line": {"+OK\r\n-ERR\r\n+OK\r\n1 ", "x", func(ctx context.Context, c *Client) error {
			_, err := c.UIDL(ctx)
			return err
		}},
		"challenge": {"+OK\r\n-ERR\r\n+ ", "AAAA", func(ctx context.Context, c *Client) error {
			return c.Auth(ctx, &mechanism{name: "X"})
		}},
	} {
		t.Run(name, func(t *testing.T) {
			c, err := New(t.Context(), flood(t, test.beginning, test.more), &Options{Limits: limits})
			if err == nil && test.run != nil {
				err = test.run(t.Context(), c)
			}
			if _, ok := errors.AsType[*pop3.ProtocolError](err); !ok {
				t.Errorf("%v", err)
			}
		})
	}
}

// TestLongLine: lines of messages have no limit (P3-MSG-11).
func TestLongLine(t *testing.T) {
	const size = 10 << 20
	client, server := pipe(t)
	go func() {
		io.WriteString(server, "+OK\r\n")
		readLine(server)
		io.WriteString(server, "-ERR\r\n")
		readLine(server)
		io.WriteString(server, "+OK\r\n"+strings.Repeat("x", size)+"\r\n.\r\n")
	}()
	c, err := New(t.Context(), client, nil)
	check(t, err)
	m, err := c.Retr(t.Context(), 1)
	check(t, err)
	n, err := io.Copy(io.Discard, m)
	check(t, err)
	equal(t, n, size+2)
	check(t, c.Close())
}

// TestGarbage: what is no reply ends the connection (P3-SYN-28).
func TestGarbage(t *testing.T) {
	run := map[string]func(*Client) error{
		"NOOP":   func(c *Client) error { return c.Noop(t.Context()) },
		"STAT":   func(c *Client) error { _, err := c.Stat(t.Context()); return err },
		"LIST":   func(c *Client) error { _, err := c.List(t.Context()); return err },
		"LIST 2": func(c *Client) error { _, err := c.ListOne(t.Context(), 2); return err },
		"UIDL":   func(c *Client) error { _, err := c.UIDL(t.Context()); return err },
		"UIDL 2": func(c *Client) error { _, err := c.UIDLOne(t.Context(), 2); return err },
		"LAST":   func(c *Client) error { _, err := c.Last(t.Context()); return err },
		"LANG x": func(c *Client) error { _, err := c.Lang(t.Context(), "x"); return err },
	}
	for _, test := range []struct{ command, reply string }{
		{"NOOP", "OK hi"},
		{"NOOP", "+OKAY"},
		{"NOOP", " +OK"},
		{"NOOP", "* OK"},
		{"NOOP", "+ "},
		{"STAT", "+OK"},
		{"STAT", "+OK many"},
		{"STAT", "+OK -1 3"},
		{"STAT", "+OK 1 99999999999999999999"},
		{"LIST", "+OK\nS: 0 1"},
		{"LIST", "+OK\nS: x"},
		{"LIST", "+OK\nS: 1"},
		{"LIST", "+OK\nS: +1 1"},
		{"LIST 2", "+OK 1 1"},
		{"LIST 2", "+OK"},
		{"UIDL", "+OK\nS: x y"},
		{"UIDL", "+OK\nS: 0 a"},
		{"UIDL 2", "+OK 3 a"},
		{"LAST", "+OK none"},
		{"LANG x", "+OK"},
	} {
		c := open(t, hello+"C: "+test.command+"\nS: "+strings.ReplaceAll(test.reply, "+ ", "+\\x20")+"\n(hangup)\n", nil)
		err := run[test.command](c)
		if _, ok := errors.AsType[*pop3.ProtocolError](err); !ok {
			t.Errorf("%s: %s: %v", test.command, test.reply, err)
		}
		if err := c.Noop(t.Context()); !errors.Is(err, ErrClosed) {
			t.Errorf("%s: %s: the connection goes on: %v", test.command, test.reply, err)
		}
	}
}

// TestOddListings: what servers in use send (P3-UIDL-10, P3-UIDL-11).
func TestOddListings(t *testing.T) {
	c := open(t, hello+"C: UIDL\nS: +OK\nS: +OK 1 a\nS: 2  a\nS: 3\nS: 5 "+strings.Repeat("é", 100)+"\nS: .\nC: LIST\nS: +OK\nS: .\n(hangup)\n", nil)
	ids, err := c.UIDL(t.Context())
	check(t, err)
	equal(t, len(ids), 4)
	equal(t, ids[1], pop3.IDListing{Number: 2, ID: "a"})
	equal(t, ids[2], pop3.IDListing{Number: 3})
	list, err := c.List(t.Context())
	check(t, err)
	equal(t, len(list), 0)
	check(t, c.Close())
}

// TestOneReplyTooMany: what follows cannot be told apart any more.
func TestOneReplyTooMany(t *testing.T) {
	c := open(t, hello+"C: NOOP\nS: +OK\\x0d\\x0a+OK\n(hangup)\n", nil)
	check(t, c.Noop(t.Context()))
	_, err := c.Retr(t.Context(), 1)
	if _, ok := errors.AsType[*pop3.ProtocolError](err); !ok {
		t.Error(err)
	}
	if err := c.Noop(t.Context()); !errors.Is(err, ErrClosed) {
		t.Error(err)
	}
}

// TestGreetingRefused (P3-GRT-13).
func TestGreetingRefused(t *testing.T) {
	_, err := New(t.Context(), play(t, "S: -ERR [SYS/TEMP] busy\n(hangup)\n", transcript.Options{}), nil)
	if !errors.Is(err, &pop3.Error{Code: pop3.CodeSysTemp}) {
		t.Error(err)
	}
}

// TestLineEnds: only CRLF "." CRLF ends a message, unless asked otherwise
// (P3-MLT-07).
func TestLineEnds(t *testing.T) {
	script := hello + "C: RETR 1\nS: +OK\nS: one\\x0a.\\x0d\\x0atwo\\x0a.\\x0a\\\n"
	c := open(t, script+"S: \\x0d\nS: .\n(hangup)\n", nil)
	m, err := c.Retr(t.Context(), 1)
	check(t, err)
	equal(t, body(t, m), "one\n.\r\ntwo\n.\n\r\r\n")
	check(t, c.Close())

	c = open(t, hello+"C: RETR 1\nS: +OK\nS: one\\x0a..two\\x0a.\\x0a\\\nC: NOOP\nS: +OK\n(hangup)\n", &Options{LenientLineEnds: true})
	m, err = c.Retr(t.Context(), 1)
	check(t, err)
	equal(t, body(t, m), "one\n.two\n")
	check(t, c.Noop(t.Context()))
	check(t, c.Close())
}

// TestCutBody: every way to lose the end is an error (P3-MLT-09, P3-TLS-18).
func TestCutBody(t *testing.T) {
	const reply = "+OK\r\none\r\n.\r\n"
	for cut := range len(reply) {
		client, server := pipe(t)
		go func() {
			io.WriteString(server, "+OK\r\n")
			readLine(server)
			io.WriteString(server, "-ERR\r\n")
			readLine(server)
			io.WriteString(server, reply[:cut])
			server.Close()
		}()
		c, err := New(t.Context(), client, nil)
		check(t, err)
		m, err := c.Retr(t.Context(), 1)
		if err == nil {
			_, err = io.ReadAll(m)
		}
		if !errors.Is(err, io.ErrUnexpectedEOF) {
			t.Errorf("cut at %d: %v", cut, err)
		}
	}
}

// TestQuitUnknown (P3-UPD-07).
func TestQuitUnknown(t *testing.T) {
	c := open(t, hello+"C: QUIT\n(close)\n", nil)
	if err := c.Quit(t.Context()); !errors.Is(err, ErrQuitUnknown) {
		t.Error(err)
	}
	c = open(t, hello+"C: QUIT\nS: -ERR [SYS/TEMP] some deleted messages not removed\n(hangup)\n", nil)
	err := c.Quit(t.Context())
	if errors.Is(err, ErrQuitUnknown) || !errors.Is(err, &pop3.Error{Code: pop3.CodeSysTemp}) {
		t.Error(err)
	}
}

// steps runs a whole session and returns its first error.
func steps(ctx context.Context, conn net.Conn, opts *Options) error {
	c, err := New(ctx, conn, opts)
	if err != nil {
		return err
	}
	defer c.Close()
	if err := c.Login(ctx, "u", "p"); err != nil {
		return err
	}
	if _, err := c.Stat(ctx); err != nil {
		return err
	}
	if _, err := c.List(ctx); err != nil {
		return err
	}
	m, err := c.Retr(ctx, 1)
	if err != nil {
		return err
	}
	if _, err := io.ReadAll(m); err != nil {
		return err
	}
	for m, err := range c.RetrAll(ctx, []int{1, 2}) {
		if err != nil {
			return err
		}
		if _, err := io.ReadAll(m); err != nil {
			return err
		}
	}
	for _, err := range c.DeleAll(ctx, []int{1, 2}) {
		if err != nil {
			return err
		}
	}
	return c.Quit(ctx)
}

// stepsReplies are the replies to steps, in pieces.
var stepsReplies = []string{
	"+OK\r\n",
	"+OK\r\n", "PIPELINING\r\n", ".\r\n",
	"+OK\r\n", "+OK\r\n",
	"+OK\r\n", "PIPELINING\r\n", ".\r\n",
	"+OK 2 2\r\n",
	"+OK\r\n", "1 3\r\n", "2 3\r\n", ".\r\n",
	"+OK\r\n", "x\r\n", ".\r\n",
	"+OK\r\n", "x\r\n", ".\r\n", "+OK\r\n", "x", "\r\n", ".\r\n",
	"+OK\r\n", "+OK\r\n",
	"+OK\r\n",
}

// stall is a server that says the first n pieces and then nothing.
func stall(t *testing.T, n int) net.Conn {
	client, server := pipe(t)
	go io.Copy(io.Discard, server)
	go func() {
		for _, piece := range stepsReplies[:n] {
			if _, err := io.WriteString(server, piece); err != nil {
				return
			}
		}
	}()
	return client
}

// TestCancelEverywhere: wherever a server stops, cancelling ends the call at
// once with the context's cause.
func TestCancelEverywhere(t *testing.T) {
	for n := range stepsReplies {
		synctest.Test(t, func(t *testing.T) {
			reason := errors.New("enough")
			ctx, cancel := context.WithCancelCause(t.Context())
			time.AfterFunc(time.Second, func() { cancel(reason) })
			begin := time.Now()
			if err := steps(ctx, stall(t, n), nil); !errors.Is(err, reason) {
				t.Errorf("after %d replies: %v", n, err)
			}
			equal(t, time.Since(begin), time.Second)
		})
	}
	if err := steps(t.Context(), stall(t, len(stepsReplies)), nil); err != nil {
		t.Error(err)
	}
}

// TestTimeoutEverywhere: and without anybody's help the time limit ends it.
func TestTimeoutEverywhere(t *testing.T) {
	for n := range stepsReplies {
		synctest.Test(t, func(t *testing.T) {
			begin := time.Now()
			err := steps(t.Context(), stall(t, n), &Options{Timeout: 10 * time.Second})
			var timeout net.Error
			if !errors.As(err, &timeout) || !timeout.Timeout() {
				t.Errorf("after %d replies: %v", n, err)
			}
			equal(t, time.Since(begin), 10*time.Second)
		})
	}
}

// TestDrip: a line that comes octet by octet does not outlive the time limit; a
// message does, as long as it moves.
func TestDrip(t *testing.T) {
	drip := func(server net.Conn, s string) {
		for i := range len(s) {
			<-time.After(9 * time.Second)
			if _, err := io.WriteString(server, s[i:i+1]); err != nil {
				return
			}
		}
	}
	opts := &Options{Timeout: 10 * time.Second}
	synctest.Test(t, func(t *testing.T) {
		client, server := pipe(t)
		over := make(chan bool)
		go func() { drip(server, "+OK hello\r\n"); close(over) }()
		if _, err := New(t.Context(), client, opts); err == nil {
			t.Error("a dripping greeting")
		}
		<-over
	})
	synctest.Test(t, func(t *testing.T) {
		client, server := pipe(t)
		go func() {
			io.WriteString(server, "+OK\r\n")
			readLine(server)
			io.WriteString(server, "-ERR\r\n")
			readLine(server)
			io.WriteString(server, "+OK\r\n")
			drip(server, strings.Repeat("x", 100)+"\r\n.\r\n")
		}()
		c, err := New(t.Context(), client, opts)
		check(t, err)
		m, err := c.Retr(t.Context(), 1)
		check(t, err)
		equal(t, len(body(t, m)), 102)
		check(t, c.Close())
	})
}

// TestCancelledBefore: nothing is said, and the connection stays.
func TestCancelledBefore(t *testing.T) {
	c := open(t, hello+"C: NOOP\nS: +OK\n(hangup)\n", nil)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := c.Noop(ctx); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	check(t, c.Noop(t.Context()))
	check(t, c.Close())
}

// TestUnsolicited: an -ERR before the end is the reply to what was asked
// (AMB-06).
func TestUnsolicited(t *testing.T) {
	c := open(t, hello+"S: -ERR Disconnected for inactivity.\nC: NOOP\n(close)\n", nil)
	if _, ok := errors.AsType[*pop3.Error](c.Noop(t.Context())); !ok {
		t.Error("no reply")
	}
	if err := c.Noop(t.Context()); !errors.Is(err, io.ErrUnexpectedEOF) && !errors.Is(err, io.ErrClosedPipe) {
		t.Error(err)
	}
}
