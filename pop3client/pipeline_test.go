package pop3client

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"postfach/internal/transcript"
	"postfach/pop3"
)

// retrAll collects what RetrAll yields: "number:body" or "number!error".
func retrAll(t *testing.T, c *Client, numbers ...int) []string {
	var got []string
	for m, err := range c.RetrAll(t.Context(), numbers) {
		switch _, no := errors.AsType[*pop3.Error](err); {
		case no:
			got = append(got, fmt.Sprintf("%d!no", m.Number))
		case err != nil:
			got = append(got, fmt.Sprintf("%d!end", m.Number))
		default:
			text, err := io.ReadAll(m)
			if err != nil {
				text = append(text, '?')
			}
			got = append(got, fmt.Sprintf("%d:%s", m.Number, text))
		}
	}
	return got
}

// TestPipelineOrder: replies in order, and a refusal leaves the others alone
// (P3-PIPE-02).
func TestPipelineOrder(t *testing.T) {
	c := open(t, pipelined+`C: RETR 1
C: RETR 2
C: RETR 3
S: +OK
S: one
S: .
S: -ERR [UTF8] no
S: +OK
S: three
S: .
C: DELE 1
C: DELE 2
C: DELE 3
S: +OK
S: -ERR gone
S: +OK
C: TOP 1 0
C: TOP 3 0
S: +OK
S: .
S: +OK
S: x
S: .
C: NOOP
S: +OK
(hangup)
`, nil)
	if got := retrAll(t, c, 1, 2, 3); !slices.Equal(got, []string{"1:one\r\n", "2!no", "3:three\r\n"}) {
		t.Errorf("%q", got)
	}
	var outcomes []string
	for n, err := range c.DeleAll(t.Context(), []int{1, 2, 3}) {
		outcomes = append(outcomes, fmt.Sprint(n, err == nil))
	}
	if !slices.Equal(outcomes, []string{"1 true", "2 false", "3 true"}) {
		t.Error(outcomes)
	}
	for m, err := range c.TopAll(t.Context(), []int{1, 3}, 0) {
		check(t, err)
		body(t, m)
	}
	check(t, c.Noop(t.Context()))
	check(t, c.Close())
}

// TestLockStep: without PIPELINING one command at a time (P3-PIPE-04).
func TestLockStep(t *testing.T) {
	c := open(t, hello+"C: RETR 1\nS: +OK\nS: .\nC: RETR 2\nS: +OK\nS: .\n(hangup)\n", nil)
	if got := retrAll(t, c, 1, 2); !slices.Equal(got, []string{"1:", "2:"}) {
		t.Error(got)
	}
	check(t, c.Close())

	// The server sees no second command before it has answered the first.
	client, server := pipe(t)
	early := make(chan int, 1)
	go func() {
		r := bufio.NewReader(server)
		server.Write([]byte("+OK\r\n"))
		r.ReadString('\n')
		server.Write([]byte("-ERR\r\n"))
		most := 0
		for {
			if _, err := r.ReadString('\n'); err != nil {
				early <- most
				return
			}
			most = max(most, r.Buffered())
			server.Write([]byte("+OK\r\n.\r\n"))
		}
	}()
	c, err := New(t.Context(), client, nil)
	check(t, err)
	equal(t, len(retrAll(t, c, 1, 2, 3, 4)), 4)
	check(t, c.Close())
	equal(t, <-early, 0)
}

// crowd is a server that announces PIPELINING and counts how many commands
// wait for an answer, which it gives when nothing more comes.
func crowd(t *testing.T, conn net.Conn, announced string, answer string) (most func() int) {
	result := make(chan int, 1)
	go func() {
		defer conn.Close()
		lines := make(chan string)
		go func() {
			defer close(lines)
			r := bufio.NewReader(conn)
			for {
				line, err := r.ReadString('\n')
				if err != nil {
					return
				}
				lines <- strings.TrimSpace(line)
			}
		}()
		io.WriteString(conn, "+OK\r\n")
		most, waiting := 0, 0
		for {
			select {
			case line, ok := <-lines:
				switch {
				case !ok:
					result <- most
					return
				case line == "CAPA":
					io.WriteString(conn, "+OK\r\nPIPELINING\r\n.\r\n")
				case line == "LIST":
					io.WriteString(conn, "+OK\r\n"+announced+".\r\n")
				default:
					waiting++
					most = max(most, waiting)
				}
			case <-after0(waiting):
				io.WriteString(conn, answer)
				waiting--
			}
		}
	}()
	return func() int { return <-result }
}

// after0 fires when nothing else happens, in the time of a synctest bubble.
func after0(waiting int) <-chan time.Time {
	if waiting == 0 {
		return nil
	}
	return time.After(time.Millisecond)
}

// TestWindow: by count, and by announced octets.
func TestWindow(t *testing.T) {
	var small, large strings.Builder
	numbers := make([]int, 3000)
	for i := range numbers {
		numbers[i] = i + 1
		fmt.Fprintf(&small, "%d 10\r\n", i+1)
		fmt.Fprintf(&large, "%d 3000000\r\n", i+1)
	}
	for name, test := range map[string]struct {
		list string
		want int
	}{"count": {small.String(), 1000}, "octets": {large.String(), 2}, "unknown": {"", 1000}} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				client, server := pipe(t)
				most := crowd(t, server, test.list, "+OK\r\nx\r\n.\r\n")
				c, err := New(t.Context(), client, nil)
				check(t, err)
				_, err = c.List(t.Context())
				check(t, err)
				equal(t, len(retrAll(t, c, numbers...)), len(numbers))
				check(t, c.Close())
				equal(t, most(), test.want)
			})
		})
	}
}

// TestNoDeadlock: a server that reads nothing while it cannot write, over a
// connection that buffers nothing (P3-PIPE-03).
func TestNoDeadlock(t *testing.T) {
	client, server := pipe(t)
	go func() {
		defer server.Close()
		server.Write([]byte("+OK\r\n"))
		r := bufio.NewReaderSize(server, 16)
		r.ReadString('\n')
		server.Write([]byte("+OK\r\nPIPELINING\r\n.\r\n"))
		for {
			if _, err := r.ReadString('\n'); err != nil {
				return
			}
			if _, err := io.WriteString(server, "+OK\r\n"+strings.Repeat("0123456789\r\n", 1000)+".\r\n"); err != nil {
				return
			}
		}
	}()
	c, err := New(t.Context(), client, nil)
	check(t, err)
	numbers := make([]int, 1000)
	for i := range numbers {
		numbers[i] = i + 1
	}
	equal(t, len(retrAll(t, c, numbers...)), len(numbers))
	check(t, c.Close())
}

// TestSlowConsumer: as long as nobody reads here, a write that waits is not the
// server's fault.
func TestSlowConsumer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		client, server := pipe(t)
		go func() {
			defer server.Close()
			r := bufio.NewReaderSize(server, 16)
			server.Write([]byte("+OK\r\n"))
			r.ReadString('\n')
			server.Write([]byte("+OK\r\nPIPELINING\r\n.\r\n"))
			for {
				if _, err := r.ReadString('\n'); err != nil {
					return
				}
				io.WriteString(server, "+OK\r\n"+strings.Repeat("x", 100000)+"\r\n.\r\n")
			}
		}()
		c, err := New(t.Context(), client, &Options{Timeout: time.Minute})
		check(t, err)
		n := 0
		for m, err := range c.RetrAll(t.Context(), []int{1, 2, 3, 4, 5}) {
			check(t, err)
			<-time.After(10 * time.Minute) // fake time: storing takes long
			body(t, m)
			n++
		}
		equal(t, n, 5)
		check(t, c.Close())
	})
}

// TestServerStops: when nothing moves any more, the time limit ends it, and
// the writer's goroutine with it.
func TestServerStops(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		client, server := pipe(t)
		go func() {
			server.Write([]byte("+OK\r\n"))
			readLine(server)
			server.Write([]byte("+OK\r\nPIPELINING\r\n.\r\n")) // and reads no more
		}()
		c, err := New(t.Context(), client, nil)
		check(t, err)
		begin := time.Now()
		got := retrAll(t, c, 1, 2, 3)
		if !slices.Equal(got, []string{"1!end"}) {
			t.Error(got)
		}
		if took := time.Since(begin); took > 3*time.Minute {
			t.Error(took)
		}
	})
}

// TestServerAnswersUnasked: replies that come before their commands are read
// do not leave the writer behind.
func TestServerAnswersUnasked(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		client, server := pipe(t)
		go func() {
			server.Write([]byte("+OK\r\n"))
			readLine(server)
			server.Write([]byte("+OK\r\nPIPELINING\r\n.\r\n"))
			server.Write([]byte("+OK\r\n.\r\n"))
		}()
		c, err := New(t.Context(), client, nil)
		check(t, err)
		retrAll(t, c, 1)
		if err := c.Noop(t.Context()); !errors.Is(err, ErrClosed) {
			t.Error(err)
		}
	})
}

// TestBreak: stopping early leaves a usable connection when little is left,
// and closes it when much is.
func TestBreak(t *testing.T) {
	script := pipelined + "C: RETR 1\nC: RETR 2\nS: +OK\nS: one\nS: .\nS: +OK\nS: " + strings.Repeat("x", 1000) + "\nS: .\n"
	for _, drain := range []int64{100, 10000} {
		after := "(hangup)\n"
		if drain == 10000 {
			after = "C: NOOP\nS: +OK\n(hangup)\n"
		}
		c := open(t, script+after, &Options{Limits: Limits{Drain: drain}})
		for range c.RetrAll(t.Context(), []int{1, 2}) {
			break
		}
		err := c.Noop(t.Context())
		equal(t, err == nil, drain == 10000)
		equal(t, errors.Is(err, ErrClosed), drain == 100)
		c.Close()
	}
}

// TestCloseMessage is the same for one message.
func TestCloseMessage(t *testing.T) {
	script := hello + "C: RETR 1\nS: +OK\nS: " + strings.Repeat("x", 100000) + "\nS: .\n"
	for _, drain := range []int64{0, 10000} {
		after := "(hangup)\n"
		if drain == 0 {
			after = "C: NOOP\nS: +OK\n(hangup)\n"
		}
		c := open(t, script+after, &Options{Limits: Limits{Drain: drain}})
		m, err := c.Retr(t.Context(), 1)
		check(t, err)
		check(t, m.Close())
		equal(t, c.Noop(t.Context()) == nil, drain == 0)
		c.Close()
	}
}

// TestPipelineCut: the connection ends inside a message (P3-MLT-09).
func TestPipelineCut(t *testing.T) {
	c := open(t, pipelined+"C: RETR 1\nC: RETR 2\nS: +OK\nS: one\nS: .\nS: +OK\nS: tw\\\n(close)\n", nil)
	got := retrAll(t, c, 1, 2, 3)
	if !slices.Equal(got, []string{"1:one\r\n", "2:tw?", "3!end"}) && !slices.Equal(got, []string{"1:one\r\n", "2:?", "3!end"}) {
		t.Errorf("%q", got)
	}
}

// TestPipelineOverTCP: the kernel buffers here.
func TestPipelineOverTCP(t *testing.T) {
	client, server := loopbackPair(t)
	s, err := transcript.Parse("tcp", pipelined+strings.Repeat("C: RETR 1\nS: +OK\nS: x\nS: .\n", 500)+"(hangup)\n")
	check(t, err)
	played := make(chan error, 1)
	go func() { played <- transcript.Serve(t.Context(), server, s, transcript.Options{}) }()
	c, err := New(t.Context(), client, nil)
	check(t, err)
	equal(t, len(retrAll(t, c, slices.Repeat([]int{1}, 500)...)), 500)
	check(t, c.Close())
	check(t, <-played)
}

// TestBeforeWait: whoever keeps messages back hears when nothing more has come,
// and not while there is more.
func TestBeforeWait(t *testing.T) {
	c := open(t, pipelined+"C: RETR 1\nC: RETR 2\nS: +OK\nS: one\nS: .\nS: +OK\nS: two\nS: .\nC: NOOP\nS: +OK\n(hangup)\n", nil)
	waits := 0
	c.BeforeWait(func() {
		waits++
		if n := c.r.Buffered(); n > 0 {
			t.Errorf("%d octets are still to be read", n)
		}
	})
	equal(t, len(retrAll(t, c, 1, 2)), 2)
	if waits == 0 {
		t.Error("it waited and did not tell")
	}
	c.BeforeWait(nil)
	waits = 0
	check(t, c.Noop(t.Context()))
	equal(t, waits, 0)
	check(t, c.Close())
}
