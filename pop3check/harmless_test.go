package pop3check_test

import (
	"context"
	"net"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"postfach/pop3check"
	"postfach/pop3client"
	"postfach/pop3test"
)

// Without Destructive no command that removes is sent, whatever the server does
// with those that are sent, and all mail is there in the end.
func TestNothingIsRemovedUnlessAllowed(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"", "expire-0-takes-all"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			srv := pop3test.NewServer(t)
			for range 4 {
				if _, err := srv.Put(pop3test.User, "Subject: dear\r\n\r\nold mail\r\n"); err != nil {
					t.Fatal(err)
				}
			}
			if fault, ok := pop3test.Named(name); ok {
				srv.Use(fault...)
			} else if name != "" {
				t.Fatal("no such fault")
			}
			target := target(srv, pop3client.RequireSTLS)
			target.Destructive, target.Deliver = false, nil
			made := 0
			for r := range target.Run(t.Context(), pop3check.Checks()) {
				if r.Status != pop3check.Skip {
					made++
				}
			}
			if made < 50 {
				t.Errorf("only %d checks were made", made)
			}
			for _, rec := range srv.Recordings() {
				for _, e := range rec.Events {
					if e.Kind == pop3check.ClientSaid && strings.HasPrefix(strings.ToUpper(e.Octets), "DELE") {
						t.Errorf("connection %d: %q", rec.Number, e.Octets)
					}
				}
			}
			if left, err := srv.Messages(pop3test.User); err != nil || len(left) != 4 {
				t.Errorf("%d of 4 messages are left, %v", len(left), err)
			}
		})
	}
}

// A server that never ends a line costs neither memory nor time.
func TestALineWithoutEndIsNotReadToItsEnd(t *testing.T) {
	t.Parallel()
	var taken atomic.Int64
	target := &pop3check.Target{
		Addr: "server.example:110", Security: pop3client.Cleartext, Timeout: 20 * time.Second,
		DialContext: func(context.Context, string, string) (net.Conn, error) {
			ours, theirs := net.Pipe()
			go func() {
				defer theirs.Close()
				for octets := []byte("+OK " + strings.Repeat("A", 4092)); ; {
					n, err := theirs.Write(octets)
					taken.Add(int64(n))
					if err != nil || taken.Load() > 64<<20 {
						return
					}
				}
			}()
			return ours, nil
		},
	}
	if err := target.Reach(t.Context()); err == nil {
		t.Error("a greeting without end was taken")
	} else if len(err.Error()) > 10000 {
		t.Errorf("the error has %d octets", len(err.Error()))
	}
	if n := taken.Load(); n > 1<<20 {
		t.Errorf("%d octets of it were read", n)
	}
}

// Text that changes what a terminal or a page shows is escaped.
func TestReportsHoldNoInvisibleOctets(t *testing.T) {
	t.Parallel()
	srv := pop3test.NewServer(t)
	srv.Use(pop3test.Fault{Name: "odd-noop", Command: func(e *pop3test.Exchange) bool {
		if !e.Is("NOOP") {
			return false
		}
		e.Reply = "-ERR \u202egnirts\u2066 \x1b[31m\r\n"
		return true
	}})
	checks, _ := pop3check.Select("P3-NOOP-01")
	for r := range target(srv, pop3client.Cleartext).Run(t.Context(), checks) {
		if r.Status != pop3check.Fail || strings.ContainsAny(r.Got, "\u202e\u2066\x1b") {
			t.Errorf("%s %q", r.Status, r.Got)
		}
	}
}
