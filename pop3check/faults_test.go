package pop3check_test

import (
	"context"
	"slices"
	"strings"
	"testing"
	"time"

	"postfach/pop3check"
	"postfach/pop3client"
	"postfach/pop3test"
)

// target is a pop3test server, to be judged over one kind of connection.
func target(srv *pop3test.Server, security pop3client.Security) *pop3check.Target {
	addr := srv.Addr
	if security == pop3client.ImplicitTLS {
		addr = srv.AddrTLS
	}
	return &pop3check.Target{
		Addr: addr, Security: security, TLS: srv.ClientTLS(),
		User: pop3test.User, Password: pop3test.Password,
		Deliver: func(_ context.Context, message []byte) error {
			_, err := srv.Put(pop3test.User, string(message))
			return err
		},
		Destructive: true, Timeout: 2 * time.Second, Quiet: 50 * time.Millisecond,
	}
}

// transports are the ways to reach a server. A fault is planted on one where
// its check can be made.
var transports = []struct {
	name     string
	security pop3client.Security
}{
	{"clear", pop3client.Cleartext},
	{"stls", pop3client.RequireSTLS},
	{"tls", pop3client.ImplicitTLS},
}

// Each check fails against each server that breaks its rule: one that cannot
// fail says nothing.
func TestEachCheckFailsAgainstItsFaults(t *testing.T) {
	t.Parallel()
	faults := pop3test.Faults()
	for _, c := range pop3check.Checks() {
		t.Run(c.ID, func(t *testing.T) {
			t.Parallel()
			broken := false
			for _, fault := range faults {
				if !slices.Contains(fault.Rules, c.ID) {
					continue
				}
				broken = true
				t.Run(fault.Name, func(t *testing.T) {
					t.Parallel()
					mustFail(t, c, fault)
				})
			}
			if !broken {
				t.Error("no fault breaks this rule")
			}
		})
	}
}

// mustFail makes a check against a server with a fault over one kind of
// connection after the other, until it fails.
func mustFail(t *testing.T, c pop3check.Check, fault pop3test.Fault) {
	t.Helper()
	var seen []string
	for _, tr := range transports {
		srv := pop3test.NewServer(t)
		prepare(t, srv, c)
		srv.Use(fault)
		judged := target(srv, tr.security)
		judged.Slow = true // the faults do not take minutes
		for r := range judged.Run(t.Context(), []pop3check.Check{c}) {
			if r.Status == pop3check.Fail {
				t.Logf("DUMP %s | %s | %s | %s | want %s | got %s", c.ID, fault.Name, fault.Doc, tr.name, r.Want, r.Got)
				return
			}
			seen = append(seen, tr.name+": "+string(r.Status)+" "+r.Got+"\n\t"+strings.Join(r.Trace, "\n\t"))
		}
	}
	t.Errorf("the check did not fail against: %s\n%s", fault.Doc, strings.Join(seen, "\n"))
}

// prepare switches on what a check's subject needs and a server does not have
// by itself.
func prepare(t *testing.T, srv *pop3test.Server, c pop3check.Check) {
	t.Helper()
	if c.Area() == "P3-APOP" || c.Area() == "P3-GRT" {
		srv.AllowAPOP(pop3test.User, pop3test.Password)
	}
}

// deviations are the rules that our server is known not to keep; docs/DESIGN.md
// says why.
func deviations() []string { return []string{"P3-APOP-04", "P3-UTF-04"} }

// Our server passes all checks but those, over each kind of connection: none
// fails that is made.
func TestOurServerPasses(t *testing.T) {
	t.Parallel()
	for _, tr := range transports {
		for _, apop := range []bool{false, true} {
			name := tr.name
			if apop {
				name += "-apop"
			}
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				srv := pop3test.NewServer(t)
				if apop {
					srv.AllowAPOP(pop3test.User, pop3test.Password)
				}
				for r := range target(srv, tr.security).Run(t.Context(), pop3check.Checks()) {
					if r.Status == pop3check.Fail && !slices.Contains(deviations(), r.ID) {
						t.Errorf("%s: want %s; got %s\n\t%s", r.ID, r.Want, r.Got, strings.Join(r.Trace, "\n\t"))
					}
				}
			})
		}
	}
}
