//go:build unix

package interop

import (
	"bytes"
	"context"
	gotls "crypto/tls" // tls is a mode here
	"crypto/x509"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"

	"postfach/internal/peer"
	"postfach/pop3check"
	"postfach/pop3client"
)

// ways are the three kinds of connections, each with an account of its own, so
// that they can be checked at the same time.
var ways = []struct {
	name     string
	security pop3client.Security
}{
	{"clear", pop3client.Cleartext},
	{"stls", pop3client.RequireSTLS},
	{"tls", pop3client.ImplicitTLS},
}

// outcomes are the results of one rule over all ways.
type outcomes map[string]*[3]pop3check.Result

// judge runs all checks over all ways. target makes the target for a way.
func judge(t *testing.T, target func(way string, security pop3client.Security) *pop3check.Target) outcomes {
	t.Helper()
	all := make(outcomes)
	for _, c := range pop3check.Checks() {
		all[c.ID] = new([3]pop3check.Result)
	}
	var running sync.WaitGroup
	for i, way := range ways {
		running.Go(func() {
			for r := range target(way.name, way.security).Run(t.Context(), pop3check.Checks()) {
				all[r.ID][i] = r
			}
		})
	}
	running.Wait()
	return all
}

// failures reports each failed check that known does not name, and each name
// in known that is not needed. withheld is how many rules may fail beside those:
// not public yet, so that their makers hear of them first.
func (o outcomes) failures(t *testing.T, known map[string]string, withheld int) {
	t.Helper()
	rules := 0
	var unlisted []string
	for _, c := range pop3check.Checks() {
		failed := false
		for i, r := range o[c.ID] {
			if r.Status != pop3check.Fail {
				continue
			}
			if known[c.ID] == "" {
				unlisted = append(unlisted, fmt.Sprintf("%s (%s): want %s; got %s\n\t%s", c.ID, ways[i].name, r.Want, r.Got, strings.Join(r.Trace, "\n\t")))
			}
			failed = true
		}
		if !failed && known[c.ID] != "" {
			t.Errorf("%s does not fail: take it out of the list", c.ID)
		}
		if failed && known[c.ID] == "" {
			rules++
		}
	}
	if rules != withheld {
		t.Errorf("%d rules fail that are not listed, %d are known to:\n%s", rules, withheld, strings.Join(unlisted, "\n"))
	}
}

// ourDeviations are the rules that postfachd does not keep, and why.
func ourDeviations() map[string]string {
	return map[string]string{
		"P3-APOP-04": "an account that may use APOP may use its password, too. The rule is from a time when both were the same secret; here the APOP secret is a separate one",
		"P3-UTF-04":  "messages go out as they are stored in UTF-8 mode and out of it: the server parses no headers, and no server that we know of does this",
	}
}

// postfachd keeps all rules that it does not say it deviates from, and
// docs/conformance.md says how each came out. POSTFACH_UPDATE=1 writes it.
func TestPostfachdKeepsTheRules(t *testing.T) {
	t.Parallel()
	w := build(t)
	for _, way := range ways {
		w.addUser(t, way.name, password, true)
	}
	if err := w.giveAway(w.data); err != nil {
		t.Fatal(err)
	}
	w.startHasty(t, "")
	roots := trusting(t, w.ca())
	got := judge(t, func(way string, security pop3client.Security) *pop3check.Target {
		port := w.plain
		if security == pop3client.ImplicitTLS {
			port = w.tls
		}
		return &pop3check.Target{
			Addr: "localhost:" + port, Security: security, TLS: roots, User: way, Password: password, Destructive: true,
			Deliver: func(ctx context.Context, message []byte) error {
				cmd := exec.CommandContext(ctx, w.program("postfach"), "deliver", way, "--data", w.data)
				cmd.Stdin = bytes.NewReader(message)
				if out, err := cmd.CombinedOutput(); err != nil {
					return fmt.Errorf("%w: %s", err, out)
				}
				return nil
			},
		}
	})
	got.failures(t, ourDeviations(), 0)
	page := got.page()
	const file = "../../docs/conformance.md"
	if os.Getenv("POSTFACH_UPDATE") != "" {
		if err := os.WriteFile(file, []byte(page), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	written, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if string(written) != page {
		t.Errorf("docs/conformance.md is not what came out: POSTFACH_UPDATE=1 go test ./internal/interop -run %s", t.Name())
	}
}

// trusting makes a configuration that trusts the certificate in a file.
func trusting(t *testing.T, file string) *gotls.Config {
	t.Helper()
	pem, err := os.ReadFile(file)
	roots := x509.NewCertPool()
	if err != nil || !roots.AppendCertsFromPEM(pem) {
		t.Fatalf("%s: no certificate: %v", file, err)
	}
	return &gotls.Config{RootCAs: roots, ServerName: "localhost"}
}

// page is docs/conformance.md.
func (o outcomes) page() string {
	var b strings.Builder
	b.WriteString(`# What of POP3 postfachd keeps

Each rule of the requirements catalogue that a server shows on the wire is a
check of ` + "`postfach check --conformance`" + `. This is what they found at
postfachd as it comes, over a connection in clear (on loopback), by STLS, and by
TLS from the first octet. A test makes this page and fails when it is not true.

`)
	if len(ourDeviations()) == 0 {
		b.WriteString("No check that is made fails.\n")
	}
	for _, c := range pop3check.Checks() {
		if why := ourDeviations()[c.ID]; why != "" {
			fmt.Fprintf(&b, "* **%s** (%s) is not kept: %s\n", c.ID, c.Level, why)
		}
	}
	b.WriteString(`
"kept" is a check that passed, "–" one that was not made: why stands below the
table. PRACTICE is what no RFC asks for. P3-ST-04, -05 and -06 take many minutes
and are made by hand, with --slow.
`)
	b.WriteString("\n| rule | level | clear | STLS | TLS | |\n|---|---|---|---|---|---|\n")
	notes := make(map[string][]string)
	var order []string
	for _, c := range pop3check.Checks() {
		fmt.Fprintf(&b, "| %s | %s |", c.ID, c.Level)
		made := false
		for _, r := range o[c.ID] {
			fmt.Fprintf(&b, " %s |", map[pop3check.Status]string{pop3check.Pass: "kept", pop3check.Fail: "**no**", pop3check.Skip: "–"}[r.Status])
			made = made || r.Status != pop3check.Skip
		}
		fmt.Fprintf(&b, " %s |\n", strings.ReplaceAll(c.Rule, "|", `\|`))
		if why := o[c.ID][0].Got; !made {
			if notes[why] == nil {
				order = append(order, why)
			}
			notes[why] = append(notes[why], c.ID)
		}
	}
	b.WriteString("\n## Checks that do not apply\n\n")
	for _, why := range order {
		fmt.Fprintf(&b, "* %s: %s\n", why, strings.Join(notes[why], ", "))
	}
	b.WriteString("\n## Rules for servers that are no checks\n\n| rule | level | why |\n|---|---|---|\n")
	unchecked := pop3check.Unchecked()
	for _, r := range pop3check.Requirements() {
		if why, ok := unchecked[r.ID]; ok {
			fmt.Fprintf(&b, "| %s | %s | %s |\n", r.ID, r.Level, strings.ReplaceAll(why, "|", `\|`))
		}
	}
	return b.String()
}

// dovecotDeviations are rules that Dovecot does not keep, as its project has
// published: documentation, source, or the AMB entries of the catalogue.
func dovecotDeviations() map[string]string {
	return map[string]string{
		"P3-SYN-13":  "it says +OK without text in places, as RFC 1939 allows",
		"P3-SYN-23":  "it ignores superfluous arguments (AMB-03)",
		"P3-MSG-05":  "LIST does not count the line end that RETR adds to a message without one",
		"P3-MSG-07":  "LIST does not count the line end that RETR adds to a message without one",
		"P3-TOP-10":  "it sends no empty line behind a header that has none, unless pop3_client_workarounds has oe-ns-eoh",
		"P3-APOP-04": "its configuration here allows both for one account",
		"P3-AUTH-29": "it announces SASL before login only (AMB-13)",
		"P3-CAPA-02": "it announces SASL and USER before login only (AMB-13)",
		"P3-CAPA-19": "it lists CAPA as a capability",
		"P3-TLS-23":  "version 2.3 does not look at ALPN",
	}
}

// What the suite finds at Dovecot is known, and nothing else: a finding that is
// not in the list is ours, until a raw transcript shows that it is not.
func TestDovecotKeepsTheRules(t *testing.T) {
	t.Parallel()
	var users []peer.User
	for _, way := range ways {
		users = append(users, peer.User{Name: way.name, Password: password})
	}
	d := peer.StartDovecot(t, users...)
	var mu sync.Mutex // guards number
	number := 0
	judge(t, func(way string, security pop3client.Security) *pop3check.Target {
		addr := d.Plain
		if security == pop3client.ImplicitTLS {
			addr = d.TLS
		}
		return &pop3check.Target{
			Addr: addr, Security: security, TLS: d.Cert.Client, User: way, Password: password, Destructive: true,
			Deliver: func(_ context.Context, message []byte) error {
				mu.Lock()
				defer mu.Unlock()
				number++
				d.Deliver(t, way, number, message)
				return nil
			},
		}
	}).failures(t, dovecotDeviations(), 6)
}
