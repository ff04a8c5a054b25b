package pop3check_test

import (
	"crypto/hmac"
	"crypto/md5"
	"encoding/base64"
	"encoding/hex"
	"slices"
	"strings"
	"testing"

	"postfach/pop3check"
	"postfach/pop3client"
	"postfach/pop3test"
)

// babbling makes a server repeat what the client said, whatever it was, and
// more that it knows.
func babbling(secrets ...string) pop3test.Fault {
	return pop3test.Fault{
		Name: "babbles", Doc: "Negative replies repeat the client's line and its secrets.",
		Edit: func(e *pop3test.Exchange) {
			if strings.HasPrefix(e.Reply, "-ERR") {
				e.Reply = "-ERR " + strings.TrimRight(e.Line, "\r\n") + "; " + strings.Join(secrets, "; ") + "\r\n"
			}
		},
	}
}

// P3-USR-12: no result shows the password, nor what it can be made of, whatever
// the server repeats.
func TestResultsKeepSecrets(t *testing.T) {
	t.Parallel()
	const password = `p w"ü\`
	plain := base64.StdEncoding.EncodeToString([]byte("\x00checked\x00" + password))
	for _, tr := range transports {
		t.Run(tr.name, func(t *testing.T) {
			t.Parallel()
			srv := pop3test.NewServer(t)
			srv.AddUser("checked", password)
			srv.Use(pop3test.Mechanisms(), babbling(password, plain))
			judged := target(srv, tr.security)
			judged.User, judged.Password = "checked", password
			judged.Deliver, judged.Destructive = nil, false
			for r := range judged.Run(t.Context(), pop3check.Checks()) {
				all := strings.Join(append(slices.Clone(r.Trace), r.Want, r.Got), "\n")
				for _, secret := range []string{password, plain, `p w\"`, `p w"`} {
					if strings.Contains(all, secret) {
						t.Errorf("%s shows %q:\n%s", r.ID, secret, all)
					}
				}
			}
		})
	}
}

// The digest of APOP and a response of CRAM-MD5 are enough to guess passwords
// against.
func TestTracesHideDigests(t *testing.T) {
	t.Parallel()
	srv := pop3test.NewServer(t)
	srv.AllowAPOP(pop3test.User, pop3test.Password)
	srv.Use(pop3test.Mechanisms())
	checks, _ := pop3check.Select("P3-APOP-01", "P3-CRAM-01", "P3-SCRAM-01")
	for r := range target(srv, pop3client.Cleartext).Run(t.Context(), checks) {
		if r.Status == pop3check.Fail {
			t.Errorf("%s: %s", r.ID, r.Got)
		}
		for _, line := range r.Trace {
			name, found := strings.CutPrefix(line, "C: APOP ")
			if found && name != pop3test.User+" <secret>" {
				t.Errorf("%s shows %q", r.ID, line)
			}
			response, err := base64.StdEncoding.DecodeString(strings.TrimPrefix(line, "C: "))
			if err == nil && len(response) > 0 && strings.HasPrefix(line, "C: ") {
				if !strings.Contains(r.ID, "CRAM") || !isWrongDigest(response, r.Trace) {
					t.Errorf("%s shows %q", r.ID, line)
				}
			}
		}
	}
}

// isWrongDigest reports whether a response of CRAM-MD5 is that of a password
// that checks make up.
func isWrongDigest(response []byte, trace []string) bool {
	for _, line := range trace {
		challenge, _ := base64.StdEncoding.DecodeString(strings.TrimPrefix(line, "S: + "))
		mac := hmac.New(md5.New, []byte("wrong-postfach-pw"))
		mac.Write(challenge)
		if strings.HasSuffix(string(response), hex.EncodeToString(mac.Sum(nil))) {
			return true
		}
	}
	return false
}

// What is no secret is there to be read.
func TestTracesShowTheRest(t *testing.T) {
	t.Parallel()
	srv := pop3test.NewServer(t)
	for id, lines := range map[string][]string{
		"P3-SYN-04":  {"C: NOOPS", "C: STATISTICS", "C: USER " + pop3test.User, "C: PASS <secret>"},
		"P3-SYN-05":  {`C: LIST \x7f`},
		"P3-SYN-14":  {"C: XYZZ with arguments"},
		"P3-AUTH-08": {"C: AUTH PLAIN ="},
		"P3-AUTH-14": {"C: AUTH PLAIN !!!!"},
		"P3-APOP-03": {"C: APOP " + pop3test.User},
	} {
		checks, _ := pop3check.Select(id)
		for r := range target(srv, pop3client.ImplicitTLS).Run(t.Context(), checks) {
			for _, line := range lines {
				if !slices.Contains(r.Trace, line) {
					t.Errorf("%s does not show %q:\n%s", id, line, strings.Join(r.Trace, "\n"))
				}
			}
		}
	}
}
