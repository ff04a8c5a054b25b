package shell

import (
	"strings"
	"testing"

	"postfach/internal/popwire"
	"postfach/internal/transcript"
)

// A server that repeats the password does not get it onto the screen or into
// the log.
func TestRepeatedPasswordIsHidden(t *testing.T) {
	addr := fake(t, `S: +OK
C: PASS hunter22
S: -ERR no "hunter22"
C: AUTH PLAIN aHVudGVyMjI=
S: -ERR no aHVudGVyMjI=
(hangup)
`, transcript.Options{})
	p := play(t, addr, "PASS hunter22\nAUTH PLAIN aHVudGVyMjI=\n", nil)
	contains(t, p.out, `no "<secret>"`, "no <secret>")
	if text := p.out + p.log; strings.Contains(text, "hunter22") || strings.Contains(text, "aHVudGVyMjI=") {
		t.Error(text)
	}
}

// What is hidden because it may be a secret, and what a response holds, is
// hidden also where the server repeats it, at once or in a line of its own.
func TestRepeatedSecretsAreHidden(t *testing.T) {
	for name, c := range map[string]struct{ script, wire string }{
		"slip of the hand": {"PSAS hunter22", "C: PSAS hunter22\nS: -ERR what is PSAS hunter22?\n"},
		"longer slip":      {"PASSS hunter22", "C: PASSS hunter22\nS: -ERR what is PASSS hunter22?\n"},
		"too early":        {"hunter22", "C: hunter22\nS: -ERR what is hunter22 aHVudGVyMjI=?\n"},
		"short":            {"PASS x22", "C: PASS x22\nS: -ERR what is PASS x22?\n"},
		"decoded":          {"AUTH PLAIN AGJlbgBodW50ZXIyMg==", "C: AUTH PLAIN AGJlbgBodW50ZXIyMg==\nS: -ERR not hunter22\n"},
		"by hand":          {"AUTH X-FOO\nAGJlbgBodW50ZXIyMg==", "C: AUTH X-FOO\nS: +\nC: AGJlbgBodW50ZXIyMg==\nS: -ERR not hunter22\n"},
		"second line":      {"PASS hunter22\nNOOP", "C: PASS hunter22\nS: -ERR no\\x0d\\x0a-ERR not hunter22\nC: NOOP\nS: -ERR no\n"},
	} {
		t.Run(name, func(t *testing.T) {
			p := play(t, fake(t, "S: +OK\n"+c.wire+"(hangup)\n", transcript.Options{}), c.script+"\n", nil)
			if p.err != nil {
				t.Error(p.err)
			}
			contains(t, p.out, popwire.Secret, "-ERR ")
			for _, secret := range []string{"hunter22", "aHVudGVyMjI=", "x22"} {
				if strings.Contains(p.out+p.log, secret) {
					t.Errorf("%s is shown:\n%s%s", secret, p.out, p.log)
				}
			}
		})
	}
}
