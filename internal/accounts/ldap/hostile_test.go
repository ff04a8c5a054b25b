//go:build unix

package ldap

import (
	"testing"

	"github.com/go-ldap/ldap/v3"
)

// The Kelvin sign is a capital k to Unicode. Whoever may write one into the directory
// is not kate.
func TestNamesOfOthersAreNotMade(t *testing.T) {
	s := open(t, Config{URL: "ldaps://127.0.0.1:1", Base: "dc=example", Filter: "(uid={user})", UserAttribute: "uid"})
	for value, want := range map[string]string{"Kate": "kate", "\u212aate": "", "\u0130": "", "\uff4bate": "", "kate ": ""} {
		e := s.entry(t.Context(), "x", ldap.NewEntry("uid=x,dc=example", map[string][]string{"uid": {value}}))
		if got := e.User; e.Closed == "" && got != want || (want == "") != (e.Closed != "") {
			t.Errorf("%+q is user %q, closed %q", value, got, e.Closed)
		}
	}
}
