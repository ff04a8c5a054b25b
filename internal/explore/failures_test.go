package explore

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"postfach/pop3test"
)

// A step is what happens at the n-th operation on the connections of a test.
type step struct {
	n    int32
	done atomic.Int32 // operations so far
	// at does it, in the place of the operation or around it.
	at func(c net.Conn, write bool, do func() (int, error)) (int, error)
}

func (s *step) fired() bool { return s.done.Load() >= s.n }

func (s *step) wrap(c net.Conn) net.Conn { return &stepped{c, s} }

type stepped struct {
	net.Conn
	step *step
}

func (c *stepped) Read(p []byte) (int, error) {
	return c.run(false, func() (int, error) { return c.Conn.Read(p) })
}

func (c *stepped) Write(p []byte) (int, error) {
	return c.run(true, func() (int, error) { return c.Conn.Write(p) })
}

func (c *stepped) run(write bool, do func() (int, error)) (int, error) {
	if c.step.done.Add(1) == c.step.n {
		return c.step.at(c.Conn, write, do)
	}
	return do()
}

// stored are the letters' numbers in a store that nobody uses.
func stored(t *testing.T, p *pipeServer) (numbers []string) {
	t.Helper()
	drop, err := p.store.Open(t.Context(), pop3test.User)
	if err != nil {
		t.Fatal(err)
	}
	defer drop.Close()
	for _, m := range drop.Messages() {
		r, err := drop.Content(t.Context(), m.ID)
		if err != nil {
			t.Fatal(err)
		}
		octets, err := io.ReadAll(r)
		if err = errors.Join(err, r.Close()); err != nil {
			t.Fatal(err)
		}
		_, subject, _ := strings.Cut(string(octets), "Subject: letter ")
		number, _, _ := strings.Cut(subject, "\r\n")
		numbers = append(numbers, number)
	}
	return numbers
}

// Each operation on the connection fails once, or the person changes his mind
// there. What the Explorer says of it is true, nothing is deleted that was not
// marked, and no mark is lost without a word.
func TestWhateverFailsTheOutcomeIsTrue(t *testing.T) {
	broken := errors.New("broken")
	steps := map[string]func(cancel func()) func(net.Conn, bool, func() (int, error)) (int, error){
		"fails before it": func(func()) func(net.Conn, bool, func() (int, error)) (int, error) {
			return func(c net.Conn, _ bool, _ func() (int, error)) (int, error) {
				c.Close()
				return 0, broken
			}
		},
		"fails behind it": func(func()) func(net.Conn, bool, func() (int, error)) (int, error) {
			return func(c net.Conn, _ bool, do func() (int, error)) (int, error) {
				n, err := do()
				c.Close()
				return n, err
			}
		},
		"cancelled before it": func(cancel func()) func(net.Conn, bool, func() (int, error)) (int, error) {
			return func(_ net.Conn, _ bool, do func() (int, error)) (int, error) {
				cancel()
				return do()
			}
		},
		"cancelled behind it": func(cancel func()) func(net.Conn, bool, func() (int, error)) (int, error) {
			return func(_ net.Conn, _ bool, do func() (int, error)) (int, error) {
				defer cancel()
				return do()
			}
		},
	}
	for name, at := range steps {
		for _, away := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s away %v", name, away), func(t *testing.T) {
				for n := int32(1); ; n++ {
					ctx, cancel := context.WithCancel(t.Context())
					s := &step{n: n, at: at(cancel)}
					committing(t, ctx, s, away)
					cancel()
					if t.Failed() {
						t.Fatalf("at operation %d", n)
					}
					if !s.fired() {
						if n < 20 {
							t.Errorf("only %d operations", n)
						}
						return
					}
				}
			})
		}
	}
}

// committing deletes letters 2 and 4 of 5 while something happens at a step.
func committing(t *testing.T, ctx context.Context, s *step, away bool) {
	p := newPipeServer(t)
	for n := range 5 {
		p.put(t, letter("Ada", fmt.Sprintf("letter %d", n+1)))
	}
	p.wrap = s.wrap
	e := New(p.account(), Options{NoHeaders: true})
	defer e.Close()
	for e.Connect(ctx, pop3test.Password) != nil { // until one comes through
		ctx = t.Context()
	}
	all := keys(e)
	markAll(t, e, all[1], all[3])
	e.Preview(ctx, all[0], 1)
	e.Save(ctx, all[2], io.Discard)
	if away {
		e.Release(ctx)
	}
	if n := len(e.Marked()); n != 2 {
		t.Errorf("%d are marked", n)
	}
	e.Seen()
	if ctx.Err() != nil {
		ctx = t.Context()
	}
	out, err := e.Commit(ctx, []Key{all[1], all[3]})
	said := e.Status()
	if said.State != Away {
		t.Errorf("%+v", said)
	}
	p.wg.Wait()
	left := stored(t, p)
	if !slices.Contains(left, "1") || !slices.Contains(left, "3") || !slices.Contains(left, "5") {
		t.Errorf("left are %q", left)
	}
	gone := 5 - len(left)
	if len(out.Deleted) > gone || len(out.Deleted)+len(out.Unknown) < gone {
		t.Errorf("%d gone, %+v", gone, out)
	}
	claim := said.Notice
	if err != nil {
		claim += err.Error()
	}
	if strings.Contains(claim, "nothing was deleted") && gone > 0 {
		t.Errorf("%d gone, %q", gone, claim)
	}
	if err == nil && len(out.Deleted) != 2 {
		t.Errorf("no error, %+v", out)
	}
	if strings.Contains(claim, "all marks are kept") && said.Marked != 2 {
		t.Errorf("%d marks, %q", said.Marked, claim)
	}

	p.wrap = nil
	connect(t, e)
	now := e.Status()
	if now.Messages != len(left) || now.Marked != 2-gone {
		t.Errorf("%d gone, %+v", gone, now)
	}
	if want := fmt.Sprintf("%d of %d are gone", gone, len(out.Unknown)); (len(out.Unknown) > 0) != strings.Contains(now.Notice, want) {
		t.Errorf("%+v, %q", out, now.Notice)
	}
}
