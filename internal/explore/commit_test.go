package explore

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"

	"postfach/pop3"
	"postfach/pop3client"
	"postfach/pop3test"
)

func TestCommitDeletesWhatWasShown(t *testing.T) {
	srv := serverWith(t, 5)
	e := held(t, srv, Options{})
	all := keys(e)
	known(t, e, 5)
	markAll(t, e, all[1], all[3], all[4])
	if err := e.Unmark(all[3]); err != nil {
		t.Fatal(err)
	}
	for _, other := range [][]Key{nil, all[1:2], {all[1], all[4], all[0]}, {all[1], all[0]}, {all[1], all[4], "no such key"}} {
		if _, err := e.Commit(t.Context(), other); !errors.Is(err, ErrOtherMarks) {
			t.Errorf("%q: %v", other, err)
		}
	}
	if e.Status().State != Held {
		t.Errorf("%+v", e.Status())
	}
	out, err := e.Commit(t.Context(), []Key{all[4], all[1]})
	if err != nil || len(out.Deleted) != 2 || out.Deleted[0].Key != all[1] || len(out.Refused)+len(out.Gone)+len(out.Changed)+len(out.Unknown) != 0 {
		t.Errorf("%+v, %v", out, err)
	}
	if s := e.Status(); s.State != Away || s.Marked != 0 || s.MarkedOctets != 0 || s.Messages != 3 || s.Known != 3 {
		t.Errorf("%+v", s)
	}
	wantLeft(t, srv, "1", "3", "4")
	if _, ok := e.Entry(all[1]); ok {
		t.Error("a deleted message is in the list")
	}
	lines := clientSaid(t, srv, 0)
	if !slices.Equal(lines[len(lines)-3:], []string{"DELE 5", "DELE 2", "QUIT"}) {
		t.Errorf("the client said %q", lines)
	}
	if err := e.Mark(all[1]); !errors.Is(err, ErrGone) {
		t.Errorf("%v", err)
	}
	if out, err := e.Commit(t.Context(), nil); err != nil || len(out.Deleted) != 0 {
		t.Errorf("%+v, %v", out, err)
	}
}

func TestOnlyCommitSaysDele(t *testing.T) {
	srv := serverWith(t, 3)
	e := held(t, srv, Options{})
	all := keys(e)
	markAll(t, e, all...)
	known(t, e, 3)
	if _, err := e.Save(t.Context(), all[0], io.Discard); err != nil {
		t.Fatal(err)
	}
	release(t, e)
	connect(t, e)
	e.Close()
	for connection := range 2 {
		for _, line := range clientSaid(t, srv, connection) {
			if strings.HasPrefix(line, "DELE") {
				t.Errorf("the client said %s", line)
			}
		}
	}
	wantLeft(t, srv, "1", "2", "3")
}

func TestCommitComesBackFirst(t *testing.T) {
	srv := serverWith(t, 3)
	e := held(t, srv, Options{})
	all := keys(e)
	markAll(t, e, all...)
	release(t, e)
	other := held(t, srv, Options{})
	markAll(t, other, all[0])
	if _, err := other.Commit(t.Context(), all[:1]); err != nil {
		t.Fatal(err)
	}
	out, err := e.Commit(t.Context(), all)
	if err != nil || len(out.Deleted) != 2 || len(out.Gone) != 1 || out.Gone[0].Key != all[0] {
		t.Errorf("%+v, %v", out, err)
	}
	wantLeft(t, srv)
}

func TestRefusedDeleteLeavesTheOthers(t *testing.T) {
	srv := serverWith(t, 3)
	rule(t, srv, pop3test.Rule{On: "DELE", Match: "DELE 2", Reply: "-ERR no\r\n"})
	e := held(t, srv, Options{})
	all := keys(e)
	markAll(t, e, all...)
	out, err := e.Commit(t.Context(), all)
	var no *pop3.Error
	if err != nil || len(out.Deleted) != 2 || len(out.Refused) != 1 || !errors.As(out.Refused[all[1]], &no) {
		t.Errorf("%+v, %v", out, err)
	}
	wantLeft(t, srv, "2")
	if s := e.Status(); s.Marked != 1 {
		t.Errorf("%+v", s)
	}
}

func TestLostConnectionBeforeQuitDeletesNothing(t *testing.T) {
	for name, r := range map[string]pop3test.Rule{
		"at the second DELE": {On: "DELE", After: 1, DropAfter: new(0)},
		"behind it":          {On: "DELE", After: 1, DropAfter: new(100)},
	} {
		t.Run(name, func(t *testing.T) {
			srv := serverWith(t, 3, "no-pipelining")
			rule(t, srv, r)
			e := held(t, srv, Options{})
			all := keys(e)
			markAll(t, e, all...)
			out, err := e.Commit(t.Context(), all)
			if err == nil || len(out.Deleted)+len(out.Unknown) != 0 || !strings.Contains(err.Error(), "nothing was deleted") {
				t.Errorf("%+v, %v", out, err)
			}
			wantLeft(t, srv, "1", "2", "3")
			if s := e.Status(); s.State != Away || s.Marked != 3 {
				t.Errorf("%+v", s)
			}
			if err := e.Unmark(all[0]); err != nil {
				t.Error(err)
			}
		})
	}
}

func TestCancelledCommitDeletesNothing(t *testing.T) {
	srv := serverWith(t, 3, "no-pipelining")
	ctx, cancel := context.WithCancel(t.Context())
	srv.Use(pop3test.Fault{Command: func(e *pop3test.Exchange) bool {
		if e.Is("DELE") && e.Args == "1" { // the last
			cancel()
		}
		return false
	}})
	e := held(t, srv, Options{})
	all := keys(e)
	markAll(t, e, all...)
	if out, err := e.Commit(ctx, all); !errors.Is(err, context.Canceled) || len(out.Deleted)+len(out.Unknown) != 0 {
		t.Errorf("%+v, %v", out, err)
	}
	if lines := clientSaid(t, srv, 0); slices.Contains(lines, "QUIT") {
		t.Errorf("the client said %q", lines)
	}
	wantLeft(t, srv, "1", "2", "3")
	if e.Status().Marked != 3 {
		t.Errorf("%+v", e.Status())
	}
}

func TestUnansweredQuitIsUnknownUntilTheNextListing(t *testing.T) {
	srv := serverWith(t, 3, "quit-closes")
	e := held(t, srv, Options{})
	all := keys(e)
	markAll(t, e, all[0], all[2])
	out, err := e.Commit(t.Context(), []Key{all[0], all[2]})
	if !errors.Is(err, pop3client.ErrQuitUnknown) || len(out.Unknown) != 2 || len(out.Deleted) != 0 {
		t.Errorf("%+v, %v", out, err)
	}
	if s := e.Status(); s.Marked != 2 || s.Messages != 3 {
		t.Errorf("%+v", s)
	}
	connect(t, e)
	wantNotice(t, e, "2 of 2 are gone")
	if s := e.Status(); s.Marked != 0 || s.Messages != 1 || strings.Contains(s.Notice, "not there any more") {
		t.Errorf("%+v", s)
	}
	wantLeft(t, srv, "2")
}

func TestFailedQuitIsUnknownUntilTheNextListing(t *testing.T) {
	srv := serverWith(t, 3, "quit-fails")
	e := held(t, srv, Options{})
	all := keys(e)
	markAll(t, e, all[1])
	out, err := e.Commit(t.Context(), all[1:2])
	var no *pop3.Error
	if !errors.As(err, &no) || len(out.Unknown) != 1 {
		t.Errorf("%+v, %v", out, err)
	}
	srv.Behave()
	connect(t, e)
	wantNotice(t, e, "0 of 1 are gone")
	if out, err := e.Commit(t.Context(), all[1:2]); err != nil || len(out.Deleted) != 1 {
		t.Errorf("%+v, %v", out, err)
	}
	wantLeft(t, srv, "1", "3")
}

func TestDeadConnectionIsReplacedBeforeCommit(t *testing.T) {
	srv := serverWith(t, 3)
	dropAt(t, srv, "RSET")
	e := held(t, srv, Options{})
	all := keys(e)
	markAll(t, e, all[1])
	if out, err := e.Commit(t.Context(), all[1:2]); err != nil || len(out.Deleted) != 1 {
		t.Errorf("%+v, %v", out, err)
	}
	wantLeft(t, srv, "1", "3")
}

func TestDeadConnectionEndsBoundMarks(t *testing.T) {
	srv := serverWith(t, 3, "no-uidl")
	dropAt(t, srv, "RSET")
	e := held(t, srv, Options{})
	all := keys(e)
	markAll(t, e, all[1])
	if out, err := e.Commit(t.Context(), all[1:2]); !errors.Is(err, errBound) {
		t.Errorf("%+v, %v", out, err)
	}
	wantNotice(t, e, "1 mark ended with the session")
	wantLeft(t, srv, "1", "2", "3")
}

func TestReadOnlyRefusesMarks(t *testing.T) {
	srv := serverWith(t, 1)
	e := explorerOf(t, Account{User: pop3test.User, Dial: clearDial(srv.Addr), Login: login, ReadOnly: true}, Options{})
	connect(t, e)
	k := keys(e)[0]
	if err := e.Mark(k); !errors.Is(err, ErrReadOnly) {
		t.Errorf("%v", err)
	}
	if _, err := e.Commit(t.Context(), []Key{k}); !errors.Is(err, ErrReadOnly) {
		t.Errorf("%v", err)
	}
}

func TestMarksStayWhileTheyAreDeleted(t *testing.T) {
	srv := serverWith(t, 2)
	var e *Explorer
	var all []Key
	srv.Use(pop3test.Fault{Command: func(x *pop3test.Exchange) bool {
		if x.Is("DELE") {
			if err := e.Unmark(all[0]); err == nil {
				t.Error("a mark was taken away")
			}
			if err := e.Mark(all[1]); err == nil {
				t.Error("a mark was set")
			}
			if s := e.Status(); s.State != Committing {
				t.Errorf("%+v", s)
			}
		}
		return false
	}})
	e = held(t, srv, Options{})
	all = keys(e)
	markAll(t, e, all[0])
	if _, err := e.Commit(t.Context(), all[:1]); err != nil {
		t.Fatal(err)
	}
	wantLeft(t, srv, "2")
}

func TestBoundMarksAreNotClaimedToBeKept(t *testing.T) {
	srv := serverWith(t, 3, "no-uidl", "no-pipelining")
	rule(t, srv, pop3test.Rule{On: "DELE", DropAfter: new(0)})
	e := held(t, srv, Options{NoHeaders: true})
	all := keys(e)
	markAll(t, e, all[1])
	_, err := e.Commit(t.Context(), all[1:2])
	if err == nil || !strings.Contains(err.Error(), "nothing was deleted") || strings.Contains(err.Error(), "kept") {
		t.Errorf("%v", err)
	}
	if n := e.Status().Marked; n != 0 {
		t.Errorf("%d are marked", n)
	}
	wantNotice(t, e, "1 mark ended with the session")
}

// A message whose unique-id is not told any more, or not its own any more, may
// well be there.
func TestMessageThatCannotBeToldFromOthersIsNotClaimedToBeGone(t *testing.T) {
	for name, r := range map[string]pop3test.Rule{
		"no UIDL":   {On: "UIDL", Reply: "-ERR [SYS/TEMP] not now\r\n"},
		"double id": {On: "UIDL", Reply: "+OK\r\n1 x\r\n2 x\r\n3 y\r\n.\r\n"},
		"no LIST":   {On: "LIST", Reply: "+OK\r\n1 142\r\n3 142\r\n.\r\n"},
		"no id":     {On: "UIDL", Reply: "+OK\r\n1 x\r\n3 y\r\n.\r\n"},
	} {
		t.Run(name, func(t *testing.T) {
			srv := serverWith(t, 3)
			e := held(t, srv, Options{NoHeaders: true})
			all := keys(e)
			markAll(t, e, all[1])
			release(t, e)
			rule(t, srv, r)
			out, err := e.Commit(t.Context(), all[1:2])
			if err != nil || len(out.Gone)+len(out.Deleted) != 0 || out.Refused[all[1]] == nil {
				t.Errorf("%+v, %v", out, err)
			}
			wantNotice(t, e, "1 marked message cannot be found", "no longer marked")
			if n := e.Status().Notice; strings.Contains(n, "not there any more") {
				t.Errorf("%q", n)
			}
			wantLeft(t, srv, "1", "2", "3")
		})
	}
}

func TestUnconfirmedDeletionIsNotClaimedWithoutUniqueIDs(t *testing.T) {
	srv := serverWith(t, 3, "quit-fails")
	e := held(t, srv, Options{NoHeaders: true})
	all := keys(e)
	markAll(t, e, all[1])
	if out, err := e.Commit(t.Context(), all[1:2]); err == nil || len(out.Unknown) != 1 {
		t.Errorf("%+v, %v", out, err)
	}
	rule(t, srv, pop3test.Rule{On: "UIDL", Reply: "-ERR [SYS/TEMP] not now\r\n"})
	connect(t, e)
	wantNotice(t, e, "was not confirmed", "cannot be found")
	if n := e.Status().Notice; strings.Contains(n, "gone") {
		t.Errorf("%q", n)
	}
}

func TestNoticeAboutMarksOutlivesOthers(t *testing.T) {
	srv := serverWith(t, 2)
	e := held(t, srv, Options{NoHeaders: true})
	all := keys(e)
	markAll(t, e, all[0])
	release(t, e)
	other := held(t, srv, Options{NoHeaders: true})
	markAll(t, other, all[0])
	if _, err := other.Commit(t.Context(), all[:1]); err != nil {
		t.Fatal(err)
	}
	connect(t, e)
	for n := range 1000 {
		e.tell1(fmt.Sprintf("something happened for the %dth time", n))
	}
	wantNotice(t, e, "1 marked message is not there any more", "the 999th time")
	if n := len(e.Status().Notice); n > 2*maxNotice {
		t.Errorf("%d octets", n)
	}
}

// A message that the cursor rests on is not looked at behind a person's back: the
// maildrop that was let go stays so.
func TestGlanceOpensNoMaildrop(t *testing.T) {
	srv := serverWith(t, 3)
	e := held(t, srv, Options{NoHeaders: true})
	all := keys(e)
	if octets, err := e.Glance(t.Context(), all[0], 1); err != nil || len(octets) == 0 {
		t.Errorf("%q, %v", octets, err)
	}
	markAll(t, e, all[1])
	if _, err := e.Commit(t.Context(), all[1:2]); err != nil {
		t.Fatal(err)
	}
	if _, err := e.Glance(t.Context(), all[0], 1); !errors.Is(err, ErrAway) {
		t.Errorf("%v", err)
	}
	if s := e.Status(); s.State != Away || len(srv.Recordings()) != 1 {
		t.Errorf("%+v, %d connections", s, len(srv.Recordings()))
	}
}
