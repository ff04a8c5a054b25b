package explore

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"postfach/internal/hint"
	"postfach/pop3"
	"postfach/pop3client"
	"postfach/pop3test"
)

func TestMarksAreKeptByUniqueID(t *testing.T) {
	srv := serverWith(t, 5)
	e := held(t, srv, Options{})
	all := keys(e)
	markAll(t, e, all[1], all[3], all[4])
	release(t, e)
	if s := e.Status(); s.State != Away || s.Marked != 3 || s.Notice != "" || e.Page(Query{}).Entries[0].Number != 0 {
		t.Errorf("%+v", s)
	}
	wantLeft(t, srv, "1", "2", "3", "4", "5")

	other := held(t, srv, Options{}) // the owner's mail program
	markAll(t, other, all[0], all[3])
	if _, err := other.Commit(t.Context(), []Key{all[0], all[3]}); err != nil {
		t.Fatal(err)
	}
	connect(t, e)
	marked := e.Marked()
	if len(marked) != 2 || marked[0].Key != all[1] || marked[0].Number != 1 || marked[1].Key != all[4] || marked[1].Number != 3 {
		t.Errorf("marked are %+v", marked)
	}
	wantNotice(t, e, "1 marked message is not there any more")
	if _, err := e.Commit(t.Context(), []Key{all[1], all[4]}); err != nil {
		t.Fatal(err)
	}
	wantLeft(t, srv, "3")
}

func TestMarkOfAnotherSizeIsDropped(t *testing.T) {
	srv := serverWith(t, 3)
	e := held(t, srv, Options{})
	all := keys(e)
	markAll(t, e, all[0], all[1])
	release(t, e)
	rule(t, srv, pop3test.Rule{On: "LIST", Replace: []string{"\r\n2 ", "\r\n2 9"}})
	out, err := e.Commit(t.Context(), all[:2])
	if err != nil || len(out.Deleted) != 1 || len(out.Changed) != 1 || out.Changed[0].Key != all[1] {
		t.Errorf("%+v, %v", out, err)
	}
	wantNotice(t, e, "1 marked message has another size now")
	wantLeft(t, srv, "2", "3")
	if s := e.Status(); s.Marked != 0 || s.Messages != 2 {
		t.Errorf("%+v", s)
	}
}

func TestMessagesWithoutTheirOwnIDAreBoundToTheSession(t *testing.T) {
	for name, own := range map[string]int{"no-uidl": 0, "double-uidl": 1, "uidl-missing": 2, "uidl-illegal": 3} {
		t.Run(name, func(t *testing.T) {
			srv := serverWith(t, 3, name)
			e := held(t, srv, Options{})
			all := keys(e)
			markAll(t, e, all...)
			bound := 0
			for _, k := range all {
				if k.bound() {
					bound++
				}
				if strings.Trim(string(k), "!\"#$%&'()*+,-./0123456789:;<=>?@ABCDEFGHIJKLMNOPQRSTUVWXYZ[\\]^_`abcdefghijklmnopqrstuvwxyz{|}~") != "" {
					t.Errorf("key %q", k)
				}
			}
			if bound != 3-own {
				t.Errorf("keys %q", all)
			}
			release(t, e)
			if s := e.Status(); s.Marked != own {
				t.Errorf("%+v", s)
			}
			connect(t, e)
			if s := e.Status(); s.Marked != own || s.Messages != 3 {
				t.Errorf("%+v", s)
			}
			if bound > 0 {
				wantNotice(t, e, fmt.Sprintf("%d mark", bound), "ended with the session")
			}
			if _, err := e.Preview(t.Context(), all[0], 0); (bound > 0) != errors.Is(err, ErrGone) {
				t.Errorf("%v", err)
			}
		})
	}
}

func TestBoundMarksAreCommittedInTheirSession(t *testing.T) {
	srv := serverWith(t, 4, "no-uidl", "renumbers")
	e := held(t, srv, Options{})
	all := keys(e)
	known(t, e, 4)
	markAll(t, e, all[0], all[2])
	out, err := e.Commit(t.Context(), []Key{all[0], all[2]})
	if err != nil || len(out.Deleted) != 2 {
		t.Errorf("%+v, %v", out, err)
	}
	wantLeft(t, srv, "2", "4")
}

// dropAt makes the server end the first connection at this command.
func dropAt(t testing.TB, srv *pop3test.Server, on string) {
	t.Helper()
	rule(t, srv, pop3test.Rule{On: on, Session: 1, DropAfter: new(0)})
}

func TestLostConnectionDeletesNothingAndKeepsMarks(t *testing.T) {
	srv := serverWith(t, 3)
	rule(t, srv, pop3test.Rule{On: "RETR", Times: 1, DropAfter: new(60)})
	e := held(t, srv, Options{NoHeaders: true})
	all := keys(e)
	markAll(t, e, all[0], all[1])
	_, err := e.Save(t.Context(), all[2], io.Discard)
	if !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Errorf("%v", err)
	}
	if s := e.Status(); s.State != Away || s.Marked != 2 {
		t.Errorf("%+v", s)
	}
	wantNotice(t, e, "the connection was lost", "nothing was deleted", "2 marks are kept here")
	wantLeft(t, srv, "1", "2", "3")
	// The next request comes back by itself.
	var text strings.Builder
	if n, err := e.Save(t.Context(), all[2], &text); err != nil || text.String() != letter("Ada", "letter 3") || n != int64(text.Len()) {
		t.Errorf("%q, %v", text.String(), err)
	}
	if s := e.Status(); s.State != Held || s.Notice != "" {
		t.Errorf("%+v", s)
	}
}

// Servers end connections that are silent for a minute. A person does not notice.
func TestConnectionThatEndedInSilenceIsReplaced(t *testing.T) {
	srv := serverWith(t, 3)
	dropAt(t, srv, "TOP")
	e := held(t, srv, Options{NoHeaders: true})
	all := keys(e)
	markAll(t, e, all[1])
	if octets, err := e.Preview(t.Context(), all[2], 1); err != nil || !strings.HasSuffix(string(octets), "The first line.\r\n") {
		t.Errorf("%q, %v", octets, err)
	}
	if s := e.Status(); s.State != Held || s.Marked != 1 || s.Notice != "" {
		t.Errorf("%+v", s)
	}
}

func TestConnectionIsReplacedOnce(t *testing.T) {
	srv := serverWith(t, 3)
	rule(t, srv, pop3test.Rule{On: "TOP", DropAfter: new(0)})
	e := held(t, srv, Options{NoHeaders: true})
	if _, err := e.Preview(t.Context(), keys(e)[2], 1); err == nil {
		t.Error("no error")
	}
	wantNotice(t, e, "the connection was lost")
	if n := len(srv.Recordings()); n != 2 {
		t.Errorf("%d connections", n)
	}
}

func TestNewMailShowsAfterConnect(t *testing.T) {
	srv := serverWith(t, 2)
	e := held(t, srv, Options{})
	markAll(t, e, keys(e)[1])
	known(t, e, 2)
	put(t, srv, letter("Bob", "letter 3"))
	if err := e.Connect(t.Context(), ""); err != nil {
		t.Fatal(err)
	}
	if s := e.Status(); s.Messages != 3 || s.Marked != 1 || s.Known < 2 || s.Notice != "" {
		t.Errorf("%+v", s)
	}
}

func TestLoginDelayIsObeyed(t *testing.T) {
	srv := serverWith(t, 2)
	rule(t, srv, pop3test.Rule{On: "CAPA", Replace: []string{"\r\nUIDL\r\n", "\r\nUIDL\r\nLOGIN-DELAY 900\r\n"}})
	e := held(t, srv, Options{})
	if err := e.Connect(t.Context(), ""); err != nil {
		t.Fatal(err)
	}
	wantNotice(t, e, "new mail shows in 15m0s at the earliest")
	if n := len(srv.Recordings()); n != 1 || e.Status().State != Held {
		t.Errorf("%d connections, %+v", n, e.Status())
	}
}

func TestExpire0IsLeftWithoutQuit(t *testing.T) {
	expire0 := pop3test.Rule{On: "CAPA", Replace: []string{"EXPIRE NEVER", "EXPIRE 0"}}
	t.Run("read", func(t *testing.T) {
		srv := serverWith(t, 3, "deletes-on-retr")
		rule(t, srv, expire0)
		e := held(t, srv, Options{NoHeaders: true})
		all := keys(e)
		if _, err := e.Save(t.Context(), all[0], io.Discard); err != nil {
			t.Fatal(err)
		}
		markAll(t, e, all[1])
		release(t, e)
		wantNotice(t, e, "EXPIRE 0")
		if lines := clientSaid(t, srv, 0); slices.Contains(lines, "QUIT") {
			t.Errorf("the client said %q", lines)
		}
		wantLeft(t, srv, "1", "2", "3")

		if _, err := e.Save(t.Context(), all[2], io.Discard); err != nil {
			t.Fatal(err)
		}
		if out, err := e.Commit(t.Context(), all[1:2]); err != nil || len(out.Deleted) != 1 {
			t.Errorf("%+v, %v", out, err)
		}
		wantLeft(t, srv, "1", "3")
	})
	t.Run("not read", func(t *testing.T) {
		srv := serverWith(t, 1)
		rule(t, srv, expire0)
		release(t, held(t, srv, Options{}))
		if lines := clientSaid(t, srv, 0); !slices.Contains(lines, "QUIT") {
			t.Errorf("the client said %q", lines)
		}
	})
}

// Some servers do so in spite of RSET.
func TestServerThatDeletesWhatWasReadIsStopped(t *testing.T) {
	for _, name := range []string{"deletes-on-retr", "retr-deletes"} {
		t.Run(name, func(t *testing.T) {
			srv := serverWith(t, 3, name)
			e := held(t, srv, Options{})
			all := keys(e)
			if _, err := e.Save(t.Context(), all[0], io.Discard); err != nil {
				t.Fatal(err)
			}
			release(t, e)
			wantLeft(t, srv, "1", "2", "3")
			if _, err := e.Save(t.Context(), all[0], io.Discard); err != nil {
				t.Fatal(err)
			}
			markAll(t, e, all[1])
			if _, err := e.Commit(t.Context(), all[1:2]); err != nil {
				t.Fatal(err)
			}
			wantLeft(t, srv, "1", "3")
		})
	}
}

func TestCommitWaitsForNoLoginDelay(t *testing.T) {
	srv := serverWith(t, 3, "deletes-on-retr")
	rule(t, srv, pop3test.Rule{On: "CAPA", Replace: []string{"\r\nUIDL\r\n", "\r\nUIDL\r\nLOGIN-DELAY 900\r\n"}})
	e := held(t, srv, Options{NoHeaders: true})
	all := keys(e)
	if _, err := e.Save(t.Context(), all[0], io.Discard); err != nil {
		t.Fatal(err)
	}
	markAll(t, e, all[1])
	if out, err := e.Commit(t.Context(), all[1:2]); err != nil || len(out.Deleted) != 1 {
		t.Errorf("%+v, %v", out, err)
	}
	wantLeft(t, srv, "1", "3")
	if n := len(srv.Recordings()); n != 1 {
		t.Errorf("%d connections", n)
	}
}

type badWriter struct{ left int }

var errDisk = errors.New("the disk is full")

func (w *badWriter) Write(p []byte) (int, error) {
	if w.left -= len(p); w.left < 0 {
		return 0, errDisk
	}
	return len(p), nil
}

func TestWriterThatFailsCostsNoConnection(t *testing.T) {
	srv := serverWith(t, 1)
	e := held(t, srv, Options{NoHeaders: true})
	k := keys(e)[0]
	if _, err := e.Save(t.Context(), k, &badWriter{}); !errors.Is(err, errDisk) {
		t.Errorf("%v", err)
	}
	if _, err := e.Preview(t.Context(), k, 0); err != nil {
		t.Error(err)
	}
	if n := len(srv.Recordings()); n != 1 || e.Status().Notice != "" {
		t.Errorf("%d connections, %+v", n, e.Status())
	}
}

func TestLongMessageThatNobodyWantsIsCut(t *testing.T) {
	srv := serverWith(t, 0)
	put(t, srv, "Subject: huge\r\n\r\n"+strings.Repeat(strings.Repeat("y", 998)+"\r\n", 9000))
	e := held(t, srv, Options{NoHeaders: true})
	k := keys(e)[0]
	markAll(t, e, k)
	ctx, cancel := context.WithCancel(t.Context())
	_, err := e.Save(ctx, k, writerFunc(func(p []byte) (int, error) {
		cancel()
		return len(p), nil
	}))
	if !errors.Is(err, context.Canceled) {
		t.Errorf("%v", err)
	}
	until(t, e, "coming back", func() bool { return e.Status().State == Held })
	if e.Status().Marked != 1 {
		t.Errorf("%+v", e.Status())
	}
	wantLeft(t, srv, left(t, srv)...)
}

type writerFunc func(p []byte) (int, error)

func (f writerFunc) Write(p []byte) (int, error) { return f(p) }

func TestRequestEndsWithItsContext(t *testing.T) {
	srv := serverWith(t, 2)
	e := held(t, srv, Options{NoHeaders: true})
	k := keys(e)[0]
	inside, goOn := make(chan bool), make(chan bool)
	var wg sync.WaitGroup
	wg.Go(func() {
		_, err := e.Save(t.Context(), k, writerFunc(func(p []byte) (int, error) {
			inside <- true
			<-goOn
			return len(p), nil
		}))
		if err != nil {
			t.Error(err)
		}
	})
	<-inside
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := e.Preview(ctx, k, 0); !errors.Is(err, context.Canceled) {
		t.Errorf("%v", err)
	}
	close(goOn)
	wg.Wait()
	if e.Status().State != Held {
		t.Errorf("%+v", e.Status())
	}
}

func TestPassword(t *testing.T) {
	srv := serverWith(t, 1)
	e := explorer(t, srv, Options{})
	if err := e.Connect(t.Context(), ""); !errors.Is(err, ErrPassword) {
		t.Errorf("%v", err)
	}
	err := e.Connect(t.Context(), "wrong")
	if !pop3.CodeOf(err).Is(pop3.CodeAuth) || hint.Of(err) == "" || e.Status().State != Away {
		t.Errorf("%v, hint %q", err, hint.Of(err))
	}
	if err := e.Connect(t.Context(), ""); !errors.Is(err, ErrPassword) {
		t.Errorf("a wrong password was remembered: %v", err)
	}
	connect(t, e)
	release(t, e)
	if err := e.Connect(t.Context(), ""); err != nil {
		t.Error(err)
	}

	// Coming back with a command that fails ends, too.
	release(t, e)
	failing := explorerOf(t, Account{User: pop3test.User, Dial: clearDial(srv.Addr), Login: login, Password: func(context.Context) (string, error) { return "", errors.New("no agent") }}, Options{})
	if err := failing.Connect(t.Context(), ""); err == nil || failing.Status().State != Away {
		t.Errorf("%v, %+v", err, failing.Status())
	}
	asked := explorerOf(t, Account{User: pop3test.User, Dial: clearDial(srv.Addr), Login: login, Password: func(context.Context) (string, error) { return pop3test.Password, nil }}, Options{})
	if err := asked.Connect(t.Context(), ""); err != nil {
		t.Error(err)
	}
}

func TestLockedMaildropHasAHint(t *testing.T) {
	srv := serverWith(t, 1, "login-in-use")
	err := explorer(t, srv, Options{}).Connect(t.Context(), pop3test.Password)
	if !pop3.CodeOf(err).Is(pop3.CodeInUse) || !strings.Contains(hint.Of(err), "another program") {
		t.Errorf("%v, hint %q", err, hint.Of(err))
	}
}

func TestCloseEndsEverything(t *testing.T) {
	srv := serverWith(t, 200)
	e := held(t, srv, Options{})
	e.Page(Query{})
	if err := e.Close(); err != nil {
		t.Fatal(err)
	}
	if e.Status().State != Away {
		t.Errorf("%+v", e.Status())
	}
	if err := e.Connect(t.Context(), pop3test.Password); !errors.Is(err, errClosed) {
		t.Errorf("%v", err)
	}
	if err := e.Close(); err != nil {
		t.Fatal(err)
	}
	srv.Assert(t, pop3test.QuitAtEnd)
}

func TestCloseCutsOffWhatHangs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPipeServer(t)
		p.put(t, letter("Ada", "letter"))
		p.wrap = hangAt("RETR")
		e := explorerOf(t, p.account(), Options{NoHeaders: true})
		connect(t, e)
		k := keys(e)[0]
		var wg sync.WaitGroup
		wg.Go(func() {
			if _, err := e.Save(t.Context(), k, io.Discard); !errors.Is(err, errClosed) {
				t.Errorf("%v", err)
			}
		})
		synctest.Wait()
		began := time.Now()
		e.Close()
		wg.Wait()
		if took := time.Since(began); took > 2*closePatience {
			t.Errorf("took %v", took)
		}
	})
}

func TestIdleMaildropIsLetGo(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPipeServer(t)
		for range 3 {
			p.put(t, letter("Ada", "letter"))
		}
		e := explorerOf(t, p.account(), Options{})
		connect(t, e)
		e.Page(Query{})
		synctest.Wait()
		time.Sleep(time.Minute)
		e.Touch()
		if at := e.Status().ReleaseAt; time.Until(at) != 2*time.Minute {
			t.Errorf("to be released at %v", at)
		}
		markAll(t, e, keys(e)[0])
		time.Sleep(2*time.Minute - time.Second)
		if s := e.Status(); s.State != Held {
			t.Errorf("%+v", s)
		}
		e.Page(Query{}) // drawn again, not looked at
		time.Sleep(2 * time.Second)
		synctest.Wait()
		s := e.Status()
		if s.State != Away || s.Marked != 1 || s.Messages != 3 || !s.ReleaseAt.IsZero() {
			t.Errorf("%+v", s)
		}
		wantNotice(t, e, "after 2 minutes", "nothing is deleted, marks are kept")
		e.Seen()
		if n := e.Status().Notice; n != "" {
			t.Errorf("seen, and still %q", n)
		}
		if _, err := e.Preview(t.Context(), keys(e)[1], 0); err != nil || e.Status().State != Held {
			t.Errorf("%v, %+v", err, e.Status())
		}
		time.Sleep(2*time.Minute + time.Second)
		synctest.Wait()
		wantNotice(t, e, "after 2 minutes")
		connect(t, e)
		if n := e.Status().Notice; n != "" {
			t.Errorf("open again, and still %q", n)
		}
		e.Close()
	})
}

func TestNobodyIsIdleWhileAMessageComes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPipeServer(t)
		p.put(t, letter("Ada", "letter"))
		e := explorerOf(t, p.account(), Options{Idle: time.Second})
		connect(t, e)
		_, err := e.Save(t.Context(), keys(e)[0], writerFunc(func(b []byte) (int, error) {
			time.Sleep(time.Minute)
			if at := e.Status().ReleaseAt; !at.IsZero() {
				t.Errorf("to be released at %v", at)
			}
			return len(b), nil
		}))
		if s := e.Status(); err != nil || s.State != Held {
			t.Errorf("%v, %+v", err, s)
		}
		e.Close()
	})
}

func TestNegativeIdleHoldsForEver(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPipeServer(t)
		e := explorerOf(t, p.account(), Options{Idle: -1})
		connect(t, e)
		time.Sleep(9 * time.Minute)
		if s := e.Status(); s.State != Held || !s.ReleaseAt.IsZero() {
			t.Errorf("%+v", s)
		}
		e.Close()
	})
}

func TestComingBackUnaskedIsBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPipeServer(t)
		for range 3 {
			p.put(t, letter("Ada", "letter"))
		}
		a := p.account()
		dial := a.Dial
		var dials atomic.Int32
		a.Dial = func(ctx context.Context, trace func(pop3.TraceEvent)) (*pop3client.Client, error) {
			if dials.Add(1) > 1 {
				return nil, errors.New("no route")
			}
			return dial(ctx, trace)
		}
		p.wrap = hangAt("TOP 2")
		e := explorerOf(t, a, Options{Idle: -1})
		connect(t, e)
		e.Page(Query{})
		time.Sleep(time.Hour)
		if n := dials.Load(); n != 1+maxFailures {
			t.Errorf("%d times", n)
		}
		wantNotice(t, e, "could not be opened again: no route")
		e.Close()
	})
}

func TestComingBackUnaskedIsSlow(t *testing.T) {
	synctest.Test(t, func(*testing.T) {
		var c comeback
		first := time.Now()
		for range maxReturns {
			if c.want(time.Now()); time.Now().Before(c.earliest) {
				t.Errorf("not before %v", c.earliest)
			}
			c.tried()
			time.Sleep(time.Second)
		}
		if c.want(time.Now()); !c.earliest.Equal(first.Add(returnTime)) {
			t.Errorf("from %v on, not %v", c.earliest, first.Add(returnTime))
		}
		time.Sleep(returnTime)
		over := time.Now().Add(900 * time.Second) // the server's login delay
		if c.want(over); !c.earliest.Equal(over) {
			t.Errorf("from %v on, not %v", c.earliest, over)
		}
	})
}

// Who changes his mind must not keep the next request out.
func TestCancelledConnectIsNoFailure(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPipeServer(t)
		p.put(t, letter("Ada", "letter"))
		a := p.account()
		dial, hang := a.Dial, false
		a.Dial = func(ctx context.Context, trace func(pop3.TraceEvent)) (*pop3client.Client, error) {
			if hang {
				<-ctx.Done()
				return nil, context.Cause(ctx)
			}
			return dial(ctx, trace)
		}
		e := explorerOf(t, a, Options{NoHeaders: true})
		connect(t, e)
		k := keys(e)[0]
		release(t, e)
		hang = true
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if _, err := e.Preview(ctx, k, 0); !errors.Is(err, context.DeadlineExceeded) || e.Status().State != Away {
			t.Errorf("%v, %+v", err, e.Status())
		}
		hang = false
		if _, err := e.Preview(t.Context(), k, 0); err != nil {
			t.Error(err)
		}
		e.Close()
	})
}

func TestServerAndLog(t *testing.T) {
	srv := serverWith(t, 2)
	var mu sync.Mutex
	events := 0
	e := held(t, srv, Options{Trace: func(pop3.TraceEvent) {
		mu.Lock()
		defer mu.Unlock()
		events++
	}})
	e.Page(Query{})
	known(t, e, 2)
	if s := e.Server(); s.Greeting == "" || !s.Capabilities.Has(pop3.CapTop) || s.TLS != nil || e.Status().TLS {
		t.Errorf("%+v", s)
	}
	release(t, e)
	lines, next := e.Log(0)
	if len(lines) == 0 || next != len(lines) {
		t.Fatalf("%d lines, next %d", len(lines), next)
	}
	texts := ""
	for _, l := range lines {
		texts += l.Text + "\n"
	}
	for _, want := range []string{"UIDL", "TOP 1 0", "QUIT"} {
		if !strings.Contains(texts, want) {
			t.Errorf("%q is not in the log", want)
		}
	}
	if strings.Contains(texts, pop3test.Password) {
		t.Error("the password is in the log")
	}
	if more, n := e.Log(next); len(more) != 0 || n != next {
		t.Errorf("%d more lines", len(more))
	}
	mu.Lock()
	defer mu.Unlock()
	if events == 0 {
		t.Error("nothing was traced")
	}
}

func TestOldLinesAreForgotten(t *testing.T) {
	p := newProtocol("", func() {})
	for n := range maxLines + 10 {
		p.event(pop3.TraceEvent{Session: "s", Client: true, Octets: fmt.Appendf(nil, "NOOP %d %s\r\n", n, strings.Repeat("x", 3000))})
	}
	lines, next := p.from(0)
	if len(lines) != maxLines || next < maxLines+10 || len(lines[0].Text) > maxLineText+10 {
		t.Errorf("%d lines, next %d", len(lines), next)
	}
	if last := lines[len(lines)-1].Text; !strings.HasPrefix(last, fmt.Sprintf("NOOP %d", maxLines+9)) {
		t.Errorf("the last one is %.40s", last)
	}
	if one, _ := p.from(next - 1); len(one) != 1 || one[0].Text != lines[len(lines)-1].Text {
		t.Errorf("%d lines", len(one))
	}
}
