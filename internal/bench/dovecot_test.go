//go:build unix

package bench

import (
	"testing"

	"postfach/internal/peer"
)

// Another server's replies are checked like ours, and found right.
func TestScenariosWithDovecot(t *testing.T) {
	users := []peer.User{{Name: "user1", Password: "secret"}, {Name: "user2", Password: "secret"}}
	d := peer.StartDovecot(t, users...)
	var mail Messages
	for _, u := range users {
		for n := range 40 {
			d.Deliver(t, u.Name, n+1, stored(nil, mail.Append(nil, n, 500+200*n)))
		}
		d.Deliver(t, u.Name, 50, []byte("Subject: not made here\n\n.\n..\n"))
	}
	for _, name := range []string{"login", "poll", "retr", "top", "list", "idle"} {
		for _, s := range []Security{Clear, STLS, TLS} {
			target := Target{Addr: d.Plain, Security: s, User: "user%d", Password: "secret"}
			if s == TLS {
				target.Addr = d.TLS
			}
			r := flawless(t, Load{Scenario: name, Target: target, AtOnce: 2, Count: 4, Hold: 1})
			if want := int64(4 * 41); (name == "retr" || name == "top") && r.Operations != want {
				t.Errorf("%s: %d messages, want %d", name, r.Operations, want)
			}
		}
	}
}
