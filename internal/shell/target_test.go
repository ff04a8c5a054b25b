package shell

import (
	"strings"
	"testing"
)

func TestTargets(t *testing.T) {
	forced := func(s Security) *Security { return &s }
	for _, c := range []struct {
		text   string
		forced *Security
		want   Target
	}{
		{"pop.example.org", nil, Target{"pop.example.org", 995, "", TLS}},
		{"pop.example.org:995", nil, Target{"pop.example.org", 995, "", TLS}},
		{"pop.example.org:110", nil, Target{"pop.example.org", 110, "", STLS}},
		{"pop.example.org:110", forced(Cleartext), Target{"pop.example.org", 110, "", Cleartext}},
		{"pop.example.org:1100", nil, Target{"pop.example.org", 1100, "", TLS}},
		{"localhost", nil, Target{"localhost", 995, "", TLS}},
		{"localhost:995", nil, Target{"localhost", 995, "", TLS}},
		{"localhost:110", nil, Target{"localhost", 110, "", Cleartext}},
		{"localhost:1110", nil, Target{"localhost", 1110, "", Cleartext}},
		{"pop.example.org", forced(STLS), Target{"pop.example.org", 110, "", STLS}},
		{"pop.example.org", forced(Cleartext), Target{"pop.example.org", 110, "", Cleartext}},
		{"pop.example.org:1100", forced(TLS), Target{"pop.example.org", 1100, "", TLS}},
		{"pop3s://me@pop.example.org", nil, Target{"pop.example.org", 995, "me", TLS}},
		{"pop3://me@pop.example.org", nil, Target{"pop.example.org", 110, "me", STLS}},
		{"pop3://127.0.0.1:1100", nil, Target{"127.0.0.1", 1100, "", Cleartext}},
		{"pop3://localhost", forced(STLS), Target{"localhost", 110, "", STLS}},
		{"::1", nil, Target{"::1", 995, "", TLS}},
		{"[::1]", nil, Target{"::1", 995, "", TLS}},
		{"fe80::1%eth0", nil, Target{"fe80::1%eth0", 995, "", TLS}},
		{"[::1]:110", nil, Target{"::1", 110, "", Cleartext}},
	} {
		got, err := ParseTarget(c.text, c.forced)
		if err != nil || got != c.want {
			t.Errorf("%s: %+v, %v, want %+v", c.text, got, err, c.want)
		}
	}
	for _, text := range []string{"", "a b", "me@example.org", "host:", "host:0", "host:70000", "host:pop3s", "[::1", "::1]", "a:b:c", "http://x", "pop3://u:p@h"} {
		if got, err := ParseTarget(text, nil); err == nil {
			t.Errorf("%q: %+v", text, got)
		}
	}
}

// What a person writes instead of a server may hold a password: it is not
// repeated. Nor is what steers a terminal.
func TestTargetIsNotRepeated(t *testing.T) {
	for _, text := range []string{"me:hunter22@pop.example.org", "pop3s://me:hunter22@pop.example.org", "pop3s://me:hunt%zzer22@x", "ev\x1bil"} {
		_, err := ParseTarget(text, nil)
		if err == nil || strings.Contains(err.Error(), "hunter22") || strings.Contains(err.Error(), "\x1b") {
			t.Errorf("%q: %v", text, err)
		}
	}
}
