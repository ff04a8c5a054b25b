package explore

import (
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"

	"postfach/pop3test"
)

// problems are the numbers of the messages that have a problem.
func problems(e *Explorer) (numbers []int) {
	for _, entry := range e.Page(Query{}).Entries {
		if entry.Problem != "" {
			numbers = append(numbers, entry.Number)
		}
	}
	return numbers
}

// all is more than any reply has: the connection ends behind it.
const all = 1 << 20

// With commands on the way for many messages, the connection ends behind the
// complete reply for message 4, and the reply for message 5 never comes.
func TestMessageBehindTheOneThatEndsTheConnectionIsNotBlamed(t *testing.T) {
	for name, c := range map[string]struct {
		drop pop3test.Rule
		want []int
	}{
		"each time":           {pop3test.Rule{On: "TOP", Match: "TOP 4 ", DropAfter: new(all)}, []int{4}},
		"once":                {pop3test.Rule{On: "TOP", Match: "TOP 4 ", Times: 1, DropAfter: new(all)}, nil},
		"once, in the middle": {pop3test.Rule{On: "TOP", Match: "TOP 4 ", Times: 1, DropAfter: new(30)}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			srv := serverWith(t, 9)
			rule(t, srv, c.drop)
			e := held(t, srv, Options{})
			e.Page(Query{})
			known(t, e, 9)
			until(t, e, "the end", func() bool { s := e.Status(); return s.State == Held && s.Busy == "" })
			if got := problems(e); !slices.Equal(got, c.want) {
				t.Errorf("%v have a problem, want %v", got, c.want)
			}
			if n := len(srv.Recordings()); n > 3 {
				t.Errorf("%d connections", n)
			}
		})
	}
}

// A server may end connections at random: nobody is blamed for it.
func TestConnectionThatEndsAtTheNextCommandIsNoMessagesFault(t *testing.T) {
	srv := serverWith(t, 9)
	rule(t, srv, pop3test.Rule{DropCommand: 12, Session: 1})
	e := held(t, srv, Options{})
	e.Page(Query{})
	known(t, e, 9)
	if got := problems(e); got != nil {
		t.Errorf("%v have a problem", got)
	}
}

func TestMessageThatCannotBeLoadedHasAProblem(t *testing.T) {
	srv := serverWith(t, 3)
	rule(t, srv, pop3test.Rule{On: "RETR", Match: "RETR 2", Times: 2, DropAfter: new(20)})
	e := held(t, srv, Options{NoHeaders: true})
	k := keys(e)[1]
	for range 2 { // of the list, and of the list anew
		_, err := e.Open(t.Context(), k)
		if !errors.Is(err, io.ErrUnexpectedEOF) || !strings.Contains(err.Error(), "message 2: the server closed the connection") || strings.Contains(err.Error(), "EOF") {
			t.Errorf("%v", err)
		}
		connect(t, e)
		if got := problems(e); !slices.Equal(got, []int{2}) {
			t.Errorf("%v have a problem", got)
		}
		if entry, _ := e.Entry(k); entry.Problem != endsAtLoad {
			t.Errorf("%+v", entry)
		}
		if _, err := e.Preview(t.Context(), k, 1); err != nil {
			t.Error(err)
		}
		if got := problems(e); !slices.Equal(got, []int{2}) {
			t.Errorf("it was not loaded, and %v have a problem", got)
		}
	}
	if _, err := e.Save(t.Context(), k, io.Discard); err != nil {
		t.Error(err)
	}
	if got := problems(e); got != nil {
		t.Errorf("%v have a problem", got)
	}
}

func TestLossIsSaidInPlainWords(t *testing.T) {
	for _, c := range []struct {
		loss lossError
		want string
	}{
		{lossError{5, 0, false, fmt.Errorf("RETR: %w", io.ErrUnexpectedEOF)}, "message 5: the server closed the connection instead of sending it"},
		{lossError{5, 1, true, fmt.Errorf("message 5: %w", io.ErrUnexpectedEOF)}, "message 5: the server closed the connection after 1 octet"},
		{lossError{5, 70, true, fmt.Errorf("message 5: %w", errStalled)}, "message 5: the server does not answer any more, after 70 octets"},
	} {
		if got := c.loss.Error(); got != c.want {
			t.Errorf("%q, want %q", got, c.want)
		}
	}
}

func TestNoticeOfALostConnectionEndsWithCommit(t *testing.T) {
	srv := serverWith(t, 3)
	rule(t, srv, pop3test.Rule{On: "RETR", Times: 1, DropAfter: new(20)})
	e := held(t, srv, Options{NoHeaders: true})
	k := keys(e)[1]
	markAll(t, e, k)
	if _, err := e.Open(t.Context(), k); err == nil {
		t.Error("no error")
	}
	wantNotice(t, e, "the connection was lost")
	if out, err := e.Commit(t.Context(), []Key{k}); err != nil || len(out.Deleted) != 1 {
		t.Errorf("%+v, %v", out, err)
	}
	if s := e.Status(); s.State != Away || s.Notice != "" {
		t.Errorf("%+v", s)
	}
	wantLeft(t, srv, "1", "3")
}
