package explore

import (
	"errors"
	"net"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"postfach/pop3"
	"postfach/pop3test"
)

func TestHeadersOfWhatIsLookedAtAreReadFirst(t *testing.T) {
	srv := serverWith(t, 300)
	e := held(t, srv, Options{Ahead: 10})
	p := e.Page(Query{Offset: 100, Limit: 20})
	if p.Total != 300 || len(p.Entries) != 20 || p.Entries[0].Number != 101 {
		t.Fatalf("page: total %d, %d entries", p.Total, len(p.Entries))
	}
	known(t, e, 30)
	release(t, e)
	var asked []string
	for _, line := range clientSaid(t, srv, 0) {
		if n, ok := strings.CutPrefix(line, "TOP "); ok {
			asked = append(asked, strings.TrimSuffix(n, " 0"))
		}
	}
	if len(asked) != 30 || asked[0] != "101" || asked[19] != "120" || slices.Contains(asked, "126") || !slices.Contains(asked, "125") || !slices.Contains(asked, "96") {
		t.Errorf("asked for %q", asked)
	}
	srv.Assert(t, pop3test.PipeliningAnnounced, pop3test.QuitAtEnd)
}

func TestSearchReadsAllHeaders(t *testing.T) {
	srv := serverWith(t, 300)
	e := held(t, srv, Options{Ahead: -1})
	q := Query{Search: "ADA letter 299", Limit: 10}
	if p := e.Page(q); p.Unknown == 0 {
		t.Errorf("nothing is unknown at first: %+v", p)
	}
	until(t, e, "the search", func() bool { return e.Page(q).Unknown == 0 })
	p := e.Page(q)
	if p.Total != 1 || p.Entries[0].Summary.Subject != "letter 299" || p.Entries[0].Summary.From != "Ada" {
		t.Errorf("found %+v", p)
	}
}

func TestOrderReadsAllHeaders(t *testing.T) {
	srv := serverWith(t, 120, "no-pipelining")
	e := held(t, srv, Options{Ahead: -1})
	q := Query{Sort: BySubject, Descending: true, Limit: 3}
	until(t, e, "the order", func() bool { return e.Page(q).Unknown == 0 })
	if p := e.Page(q); p.Total != 120 || p.Entries[0].Summary.Subject != "letter 99" || p.Entries[2].Summary.Subject != "letter 97" {
		t.Errorf("page %+v", p)
	}
}

func TestNoHeadersReadsNothing(t *testing.T) {
	srv := serverWith(t, 3)
	e := held(t, srv, Options{NoHeaders: true})
	if p := e.Page(Query{Sort: ByDate}); len(p.Entries) != 3 || p.Unknown != 0 {
		t.Errorf("page %+v", p)
	}
	release(t, e)
	for _, line := range clientSaid(t, srv, 0) {
		if strings.HasPrefix(line, "TOP") {
			t.Errorf("the client said %s", line)
		}
	}
}

func TestServerWithoutTopListsWithoutHeaders(t *testing.T) {
	for _, name := range []string{"no-top", "minimal"} {
		t.Run(name, func(t *testing.T) {
			srv := serverWith(t, 3, name)
			e := held(t, srv, Options{})
			e.Page(Query{Sort: BySubject})
			until(t, e, "the notice", func() bool { return e.Status().Notice != "" })
			wantNotice(t, e, "this server has no TOP")
			p := e.Page(Query{Sort: BySubject})
			for _, entry := range p.Entries {
				if entry.Problem != "" || entry.Known {
					t.Errorf("entry %+v", entry)
				}
			}
			if len(p.Entries) != 3 || p.Unknown != 0 || e.Status().State != Held {
				t.Errorf("page %+v", p)
			}
			e.Seen()
			release(t, e)
			connect(t, e)
			e.Page(Query{})
			release(t, e)
			if n := e.Status().Notice; n != "" {
				t.Errorf("told again: %s", n)
			}
		})
	}
}

func TestUnannouncedTopIsUsed(t *testing.T) {
	srv := serverWith(t, 70, "no-capa")
	e := held(t, srv, Options{})
	e.Page(Query{})
	known(t, e, 70)
}

func TestRefusedTopIsAProblemOfThatMessage(t *testing.T) {
	srv := serverWith(t, 5)
	rule(t, srv, pop3test.Rule{On: "TOP", Match: "TOP 3 ", Reply: "-ERR \x1b[2Jcannot\r\n"})
	e := held(t, srv, Options{})
	e.Page(Query{})
	known(t, e, 4)
	entry := e.Page(Query{}).Entries[2]
	if entry.Known || !strings.Contains(entry.Problem, "cannot") || strings.Contains(entry.Problem, "\x1b") {
		t.Errorf("entry %+v", entry)
	}
	if p := e.Page(Query{Sort: ByDate}); p.Unknown != 0 || p.Entries[4].Number != 3 {
		t.Errorf("page %+v", p)
	}
}

// The message that blocks a mail program: the list must come to its end, show
// which one it is, and delete it.
func TestMessageThatEndsTheConnectionIsDeletedUnread(t *testing.T) {
	for name, drop := range map[string]pop3test.Rule{
		"before the reply": {On: "TOP", Match: "TOP 3 ", DropAfter: new(0)},
		"in the reply":     {On: "TOP", Match: "TOP 3 ", DropAfter: new(40)},
	} {
		t.Run(name, func(t *testing.T) {
			srv := serverWith(t, 6)
			rule(t, srv, drop)
			e := held(t, srv, Options{})
			markAll(t, e, keys(e)[4])
			known(t, e, 5)
			entry := e.Page(Query{}).Entries[2]
			if entry.Known || !strings.Contains(entry.Problem, "the server ends the connection") {
				t.Errorf("entry %+v", entry)
			}
			if s := e.Status(); s.State != Held || s.Marked != 1 || s.Notice != "" {
				t.Errorf("%+v", s)
			}
			if err := e.Unmark(); err != nil {
				t.Fatal(err)
			}
			markAll(t, e, entry.Key)
			out, err := e.Commit(t.Context(), []Key{entry.Key})
			if err != nil || len(out.Deleted) != 1 {
				t.Fatalf("%+v, %v", out, err)
			}
			wantLeft(t, srv, "1", "2", "4", "5", "6")
		})
	}
}

func TestServerThatEndsAtEachHeaderIsLeftAlone(t *testing.T) {
	for name, after := range map[string]int{"before the reply": 0, "behind the reply": all} {
		t.Run(name, func(t *testing.T) { endsAtEachHeader(t, after) })
	}
}

func endsAtEachHeader(t *testing.T, after int) {
	srv := serverWith(t, 9)
	rule(t, srv, pop3test.Rule{On: "TOP", DropAfter: &after})
	e := held(t, srv, Options{})
	e.Page(Query{})
	until(t, e, "giving up", func() bool {
		return strings.Contains(e.Status().Notice, "no more are read") && e.Status().State == Held
	})
	problems := 0
	for _, entry := range e.Page(Query{}).Entries {
		if entry.Problem != "" {
			problems++
		}
	}
	if problems > 2 { // the others were never asked for alone
		t.Errorf("%d problems", problems)
	}
}

// swallow is a connection whose server goes silent at a command.
type swallow struct {
	net.Conn
	command string
	gone    bool
}

// hangAt wraps connections so.
func hangAt(command string) func(net.Conn) net.Conn {
	return func(c net.Conn) net.Conn { return &swallow{Conn: c, command: command} }
}

func (s *swallow) Write(p []byte) (int, error) {
	if before, _, found := strings.Cut(string(p), s.command); found && !s.gone {
		s.gone = true
		if _, err := s.Conn.Write([]byte(before)); err != nil {
			return 0, err
		}
	} else if !s.gone {
		return s.Conn.Write(p)
	}
	return len(p), nil
}

func TestHangingHeaderIsLeftBehind(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPipeServer(t)
		for range 5 {
			p.put(t, letter("Ada", "letter"))
		}
		p.wrap = hangAt("TOP 3 0")
		e := explorerOf(t, p.account(), Options{})
		connect(t, e)
		e.Page(Query{})
		began := time.Now()
		for e.Status().Known < 4 {
			<-e.Changed()
		}
		if entry := e.Page(Query{}).Entries[2]; !strings.Contains(entry.Problem, "does not answer") {
			t.Errorf("entry %+v", entry)
		}
		if took := time.Since(began); took < stallPatience || took > 3*stallPatience {
			t.Errorf("took %v", took)
		}
		e.Close()
	})
}

func TestPersonDoesNotWaitLongForAHangingHeader(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPipeServer(t)
		for range 5 {
			p.put(t, letter("Ada", "letter"))
		}
		p.wrap = hangAt("TOP 3 0")
		e := explorerOf(t, p.account(), Options{})
		connect(t, e)
		all := keys(e)
		synctest.Wait()
		began := time.Now()
		octets, err := e.Preview(t.Context(), all[4], 1)
		if err != nil || !strings.Contains(string(octets), "The first line.") {
			t.Errorf("%q, %v", octets, err)
		}
		if took := time.Since(began); took > stallHurried+2*time.Second {
			t.Errorf("took %v", took)
		}
		e.Close()
	})
}

// Servers end connections after a minute of silence; the message that is asked
// for next has no part in it.
func TestConnectionThatEndedInSilenceIsNoMessagesFault(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPipeServer(t)
		for range 300 {
			p.put(t, letter("Ada", "letter"))
		}
		p.wrap = func(c net.Conn) net.Conn {
			time.AfterFunc(time.Minute, func() { c.Close() })
			return c
		}
		e := explorerOf(t, p.account(), Options{Ahead: 20})
		connect(t, e)
		e.Page(Query{Limit: 20})
		time.Sleep(90 * time.Second)
		if s := e.Status(); s.State != Held || s.Known != 40 {
			t.Errorf("%+v", s)
		}
		for offset := 100; e.Status().Known < 80; {
			changed := e.Changed()
			e.Page(Query{Offset: offset, Limit: 20})
			<-changed
		}
		for _, entry := range e.Page(Query{}).Entries {
			if entry.Problem != "" {
				t.Errorf("%+v", entry)
			}
		}
		if n := e.Status().Notice; n != "" {
			t.Errorf("notice %q", n)
		}
		e.Close()
	})
}

func TestPreviewMendsAProblem(t *testing.T) {
	srv := serverWith(t, 2)
	rule(t, srv, pop3test.Rule{On: "TOP", Match: "TOP 2 ", Times: 1, Reply: "-ERR [SYS/TEMP] later\r\n"})
	e := held(t, srv, Options{})
	all := keys(e)
	until(t, e, "the problem", func() bool { entry, _ := e.Entry(all[1]); return entry.Problem != "" })
	if _, err := e.Preview(t.Context(), all[1], 0); err != nil {
		t.Fatal(err)
	}
	if entry, _ := e.Entry(all[1]); entry.Problem != "" || entry.Summary.Subject != "letter 2" {
		t.Errorf("entry %+v", entry)
	}
}

func TestHeaderOfAnyLengthIsRead(t *testing.T) {
	srv := serverWith(t, 0)
	put(t, srv, "Subject: long\r\n"+strings.Repeat("X-Field: "+strings.Repeat("x", 300)+"\r\n", 3500)+"\r\n\r\n")
	put(t, srv, letter("Ada", "letter 2"))
	e := held(t, srv, Options{})
	e.Page(Query{})
	known(t, e, 2)
	if p := e.Page(Query{}); p.Entries[0].Summary.Subject != "long" || p.Entries[1].Summary.Subject != "letter 2" {
		t.Errorf("%+v", p)
	}
	if s := e.Status(); s.Notice != "" || s.State != Held {
		t.Errorf("%+v", s)
	}
}

func TestWholeMessageForTopIsNotReadForEver(t *testing.T) {
	srv := serverWith(t, 0, "top-sends-all")
	put(t, srv, "Subject: huge\r\n\r\n"+strings.Repeat(strings.Repeat("y", 998)+"\r\n", 9000))
	put(t, srv, letter("Ada", "letter 2"))
	e := held(t, srv, Options{})
	e.Page(Query{})
	known(t, e, 2)
	if p := e.Page(Query{}); p.Entries[0].Problem != "" || p.Entries[0].Summary.Subject != "huge" {
		t.Errorf("%+v", p)
	}
	octets, err := e.Preview(t.Context(), keys(e)[0], 5)
	if err != nil || len(octets) != maxPreview {
		t.Errorf("%d octets, %v", len(octets), err)
	}
}

func TestPreviewWithoutTopIsRefused(t *testing.T) {
	srv := serverWith(t, 1, "no-top")
	e := held(t, srv, Options{})
	_, err := e.Preview(t.Context(), keys(e)[0], 5)
	var no *pop3.Error
	if !errors.As(err, &no) || e.Status().State != Held {
		t.Errorf("%v", err)
	}
}
