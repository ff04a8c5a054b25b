package explore

import (
	"bufio"
	"context"
	"errors"
	"io"
	"net"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"postfach/maildrop"
	"postfach/pop3"
	"postfach/pop3client"
	"postfach/pop3test"
)

// A scripted server says what a test wants. answers has the replies to keywords,
// others hear +OK; a function of the same name goes on where the reply ends.
type scripted struct {
	answers map[string]string
	then    map[string]func(w io.Writer)
	wg      sync.WaitGroup
}

func newScripted(t testing.TB) *scripted {
	s := &scripted{
		answers: map[string]string{
			"CAPA": "-ERR no\r\n",
			"LIST": "+OK\r\n1 100\r\n2 100\r\n.\r\n",
			"UIDL": "+OK\r\n1 a\r\n2 b\r\n.\r\n",
			"TOP":  "+OK\r\nSubject: x\r\n\r\n.\r\n",
		},
		then: make(map[string]func(io.Writer)),
	}
	t.Cleanup(s.wg.Wait)
	return s
}

func (s *scripted) serve(c net.Conn) {
	defer c.Close()
	io.WriteString(c, "+OK\r\n")
	in := bufio.NewScanner(c)
	for in.Scan() {
		keyword, _, _ := strings.Cut(in.Text(), " ")
		answer, ok := s.answers[keyword]
		if !ok {
			answer = "+OK\r\n"
		}
		if _, err := io.WriteString(c, answer); err != nil || keyword == "QUIT" {
			return
		}
		if then := s.then[keyword]; then != nil {
			then(c)
		}
	}
}

func (s *scripted) account() Account {
	return Account{User: pop3test.User, Host: "localhost", Login: func(ctx context.Context, c *pop3client.Client, password string) error {
		return errors.Join(c.User(ctx, pop3test.User), c.Pass(ctx, password))
	}, Dial: func(ctx context.Context, trace func(pop3.TraceEvent)) (*pop3client.Client, error) {
		client, server := net.Pipe()
		s.wg.Go(func() { s.serve(server) })
		return pop3client.New(ctx, client, &pop3client.Options{Trace: trace})
	}}
}

// drip sends a line each second, for ever.
func drip(w io.Writer) {
	for {
		if _, err := io.WriteString(w, "x\r\n"); err != nil {
			return
		}
		time.Sleep(time.Second)
	}
}

func TestDrippingHeaderHoldsTheMaildropNotForEver(t *testing.T) {
	for name, person := range map[string]bool{"nobody waits": false, "somebody waits": true} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := newScripted(t)
				s.answers["TOP"], s.then["TOP"] = "+OK\r\nSubject: ", drip
				e := New(s.account(), Options{})
				defer e.Close()
				connect(t, e)
				e.Page(Query{})
				if person {
					time.Sleep(time.Second)
					began := time.Now()
					release(t, e)
					if took := time.Since(began); took > time.Minute {
						t.Errorf("took %v", took)
					}
					return
				}
				time.Sleep(time.Hour)
				if now := e.Status(); now.State != Away {
					t.Errorf("%+v", now)
				}
			})
		})
	}
}

func TestDrippingListingIsNotWaitedForUnasked(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newScripted(t)
		s.answers["TOP"] = ""
		listing := s.answers["LIST"]
		s.answers["LIST"] = ""
		sessions := 0
		s.then["LIST"] = func(w io.Writer) {
			if sessions++; sessions == 1 {
				io.WriteString(w, listing)
				return
			}
			io.WriteString(w, "+OK\r\n")
			for {
				if _, err := io.WriteString(w, "1 100\r\n"); err != nil {
					return
				}
				time.Sleep(time.Minute)
			}
		}
		e := New(s.account(), Options{Idle: -1})
		defer e.Close()
		connect(t, e)
		e.Page(Query{})
		time.Sleep(24 * time.Hour)
		if now := e.Status(); now.State != Away || !strings.Contains(now.Notice, "could not be opened again") {
			t.Errorf("%+v", now)
		}
	})
}

func TestEndlessMessageIsNotSavedForEver(t *testing.T) {
	s := newScripted(t)
	s.answers["RETR"] = "+OK\r\n"
	s.then["RETR"] = func(w io.Writer) {
		lines := []byte(strings.Repeat(strings.Repeat("y", 998)+"\r\n", 1000))
		for {
			if _, err := w.Write(lines); err != nil {
				return
			}
		}
	}
	e := New(s.account(), Options{NoHeaders: true})
	defer e.Close()
	connect(t, e)
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	n, err := e.Save(ctx, keys(e)[0], io.Discard)
	if !errors.Is(err, errTooLong) || n > longest(100) {
		t.Errorf("%d octets, %v", n, err)
	}
}

// lingering is a store that notices late that a session has ended.
type lingering struct{ maildrop.Store }

type lingeringDrop struct{ maildrop.Maildrop }

func (l lingering) Open(ctx context.Context, user string) (maildrop.Maildrop, error) {
	drop, err := l.Store.Open(ctx, user)
	if err != nil {
		return nil, err
	}
	return lingeringDrop{drop}, nil
}

func (d lingeringDrop) Close() error {
	time.Sleep(4 * time.Second)
	return d.Maildrop.Close()
}

// A server notices a moment later that a connection has ended. Until then the
// lock is the Explorer's own, and no other program has the maildrop open.
func TestLockOfTheOwnLostConnectionIsWaitedFor(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPipeServer(t)
		p.server.Store = lingering{p.store}
		p.put(t, letter("Ada", "letter"))
		s := &step{at: func(c net.Conn, _ bool, _ func() (int, error)) (int, error) {
			c.Close()
			return 0, errors.New("broken")
		}}
		p.wrap = s.wrap
		e := New(p.account(), Options{NoHeaders: true})
		defer e.Close()
		connect(t, e)
		s.n = s.done.Load() + 1
		if _, err := e.Preview(t.Context(), keys(e)[0], 0); err != nil {
			t.Error(err)
		}
		release(t, e)
		time.Sleep(time.Minute)
		// Somebody else's lock is told at once.
		other, err := p.store.Open(t.Context(), pop3test.User)
		if err != nil {
			t.Fatal(err)
		}
		defer other.Close()
		before := e.logins
		if err := e.Connect(t.Context(), pop3test.Password); !pop3.CodeOf(err).Is(pop3.CodeInUse) || e.logins != before+1 {
			t.Errorf("after %d logins: %v", e.logins-before, err)
		}
	})
}

// slowQuit answers QUIT late.
type slowQuit struct {
	net.Conn
	asked atomic.Bool
}

func (c *slowQuit) Write(p []byte) (int, error) {
	if strings.HasPrefix(string(p), "QUIT") {
		c.asked.Store(true)
	}
	return c.Conn.Write(p)
}

func (c *slowQuit) Read(p []byte) (int, error) {
	if c.asked.Load() {
		time.Sleep(10 * time.Second)
	}
	return c.Conn.Read(p)
}

func TestCloseWaitsForACommitThatIsConnecting(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPipeServer(t)
		p.put(t, letter("Ada", "letter"))
		a := p.account()
		dial := a.Dial
		a.Dial = func(ctx context.Context, trace func(pop3.TraceEvent)) (*pop3client.Client, error) {
			time.Sleep(time.Second)
			return dial(ctx, trace)
		}
		p.wrap = func(c net.Conn) net.Conn { return &slowQuit{Conn: c} }
		e := New(a, Options{NoHeaders: true})
		connect(t, e)
		all := keys(e)
		markAll(t, e, all...)
		release(t, e)
		var wg sync.WaitGroup
		wg.Go(func() {
			if out, err := e.Commit(t.Context(), all); err != nil || len(out.Deleted) != 1 {
				t.Errorf("%+v, %v", out, err)
			}
		})
		time.Sleep(time.Second / 2)
		e.Close()
		wg.Wait()
	})
}

func TestErrorOfAnExportNamesNoNumberWhenAway(t *testing.T) {
	srv := serverWith(t, 1)
	rule(t, srv, pop3test.Rule{On: "RETR", DropAfter: new(30)})
	e := held(t, srv, Options{NoHeaders: true})
	err := e.Export(t.Context(), io.Discard, Mbox, keys(e), nil)
	if err == nil || strings.Contains(err.Error(), "message 0") {
		t.Errorf("%v", err)
	}
}
