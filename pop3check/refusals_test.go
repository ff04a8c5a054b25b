package pop3check_test

import (
	"slices"
	"strconv"
	"strings"
	"testing"

	"postfach/pop3check"
	"postfach/pop3client"
	"postfach/pop3test"
)

// impatient makes a server end a connection behind so many negative replies.
func impatient(bears int) pop3test.Fault {
	return pop3test.Fault{
		Name: "impatient", Doc: "A few negative replies end a connection.",
		Edit: func(e *pop3test.Exchange) {
			if !strings.HasPrefix(e.Reply, "-ERR") {
				return
			}
			n, _ := e.Values["negative"].(int)
			e.Values["negative"] = n + 1
			e.Hangup = e.Hangup || n+1 == bears
		},
	}
}

// P3-ST-14: a server that ends connections after some negative replies does what
// it should. No check takes that for a mistake, and few cannot be made.
func TestChecksBearImpatientServers(t *testing.T) {
	t.Parallel()
	for _, bears := range []int{3, 4, 5, 10} {
		t.Run(strconv.Itoa(bears), func(t *testing.T) {
			t.Parallel()
			srv := pop3test.NewServer(t)
			srv.Use(impatient(bears))
			for r := range target(srv, pop3client.Cleartext).Run(t.Context(), pop3check.Checks()) {
				switch {
				case r.Status == pop3check.Fail && !slices.Contains(deviations(), r.ID):
					t.Errorf("%s: want %s; got %s\n\t%s", r.ID, r.Want, r.Got, strings.Join(r.Trace, "\n\t"))
				case r.Status == pop3check.Skip && strings.Contains(r.Got, "negative replies"):
					t.Errorf("%s could not be made: %s", r.ID, r.Got)
				}
			}
		})
	}
}
