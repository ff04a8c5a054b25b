//go:build unix

package interop

import (
	"context"
	cryptotls "crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"postfach/fetch"
	into "postfach/fetch/deliver"
	"postfach/internal/peer"
	"postfach/internal/vfs"
	"postfach/pop3check"
	"postfach/pop3client"
	"postfach/pop3test"
)

// A reported client is one that is led through all scenarios.
type reported struct {
	name, needs string
	// version is what the table of deviations is about, and flag asks the
	// program for its own.
	version, flag string
	// auth are the ways to log in that it can be told to use.
	auth []string
	// run fetches and deletes all mail, as the scenario says, and returns its
	// exit status. Files that it leaves in out are messages.
	run func(t *testing.T, ctx context.Context, at place) (exit int, output string)
}

// A place is where and how a client is to fetch.
type place struct {
	sc        pop3test.Scenario
	security  string // clear, stls, tls
	auth      string // "": as the client likes
	port      string
	ca        string // file
	home, out string // folders
}

func (p place) tls() bool { return p.security != "clear" }

func reportedClients(w *world) []reported {
	sasl := []string{"PLAIN", "CRAM-MD5", "SCRAM-SHA-256", "EXTERNAL", "DIGEST-MD5", "OAUTHBEARER", "XOAUTH2"}
	return []reported{
		{"curl", "curl", "7.88.1", "--version", []string{"APOP", "PLAIN", "CRAM-MD5", "EXTERNAL", "DIGEST-MD5", "OAUTHBEARER", "XOAUTH2"}, reportCurl},
		{"fetchmail", "fetchmail", "6.4.37", "--version", []string{"APOP", "CRAM-MD5", "EXTERNAL"}, reportFetchmail},
		{"mpop", "mpop", "1.4.18", "--version", append([]string{"APOP"}, sasl...), reportMpop},
		{"poplib", "python3", "3.11.7", "--version", []string{"APOP"}, reportPoplib},
		{"postfach get", "", "", "", []string{"APOP", "PLAIN", "SCRAM-SHA-256"}, w.reportGet},
		{"pop3client and fetch", "", "", "", []string{"APOP", "PLAIN", "SCRAM-SHA-256"}, reportLibrary},
	}
}

// isVersion says in the log when the installed client is another one than the
// table's: then a failure may be the client's news.
func (c reported) isVersion(t *testing.T) {
	t.Helper()
	if c.flag == "" {
		return
	}
	out, err := exec.Command(c.needs, c.flag).Output()
	if line, _, _ := strings.Cut(string(out), "\n"); !strings.Contains(line, c.version) {
		t.Logf("%s is not version %s, which the table is about: %s %v", c.name, c.version, line, err)
	}
}

// Every client is led through all scenarios. The rules that it breaks are those
// in the table, and no others.
func TestClientReports(t *testing.T) {
	w := build(t)
	for _, c := range reportedClients(w) {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			if c.needs != "" {
				peer.Need(t, c.needs)
			}
			c.isVersion(t)
			failed := make(map[string]bool)
			var unlisted []string
			for _, r := range pop3check.JudgeClient(w.lead(t, c)) {
				if r.Status != pop3check.Fail {
					continue
				}
				failed[r.ID] = true
				if !isKnown(c.name, r.ID) {
					unlisted = append(unlisted, fmt.Sprintf("%s: want %s; got %s\n\t%s", r.ID, r.Want, r.Got, strings.Join(r.Trace, "\n\t")))
				}
			}
			if n := withheld()[c.name]; len(unlisted) != n {
				t.Errorf("%d rules fail that the table does not name, %d are known:\n%s", len(unlisted), n, strings.Join(unlisted, "\n"))
			}
			for _, d := range deviations() {
				if d.client == c.name && !failed[d.rule] {
					t.Errorf("%s: the table says that it fails, and it does not", d.rule)
				}
			}
		})
	}
}

// docs/clients.md is the table. POSTFACH_UPDATE=1 writes it.
func TestClientTableIsTheOneInTheDocuments(t *testing.T) {
	const name = "../../docs/clients.md"
	want := clientTable()
	if os.Getenv("POSTFACH_UPDATE") != "" {
		write(t, name, want, 0o644)
	}
	got, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	if string(got) != want {
		t.Errorf("docs/clients.md is not the table: POSTFACH_UPDATE=1 go test ./internal/interop -run %s", t.Name())
	}
}

// clientTable writes docs/clients.md.
func clientTable() string {
	var b strings.Builder
	b.WriteString(aboutClients)
	rules := make(map[string]pop3check.Requirement)
	for _, r := range pop3check.Requirements() {
		rules[r.ID] = r
	}
	for _, c := range reportedClients(nil) {
		version := c.version
		if version == "" {
			version = "of this tree"
		}
		fmt.Fprintf(&b, "\n## %s, %s\n\n", c.name, version)
		shown := false
		for _, d := range deviations() {
			if d.client != c.name {
				continue
			}
			if !shown {
				b.WriteString("| rule | level | what it does |\n|---|---|---|\n")
				shown = true
			}
			fmt.Fprintf(&b, "| %s | %s | %s |\n", d.rule, rules[d.rule].Level, d.what)
		}
		switch n := withheld()[c.name]; {
		case n > 0:
			fmt.Fprintf(&b, "\nIts makers hear of %d more first.\n", n)
		case !shown:
			b.WriteString("Breaks no rule in any scenario.\n")
		}
	}
	b.WriteString(aboutScenarios)
	for _, sc := range pop3test.Scenarios() {
		fmt.Fprintf(&b, "| %s | %s | %s |\n", sc.Name, sc.Doc, strings.Join(sc.Rules(), " "))
	}
	return b.String()
}

const aboutScenarios = `
## Judging another client

Without more, ` + "`postfach check --client`" + ` prints where a client has to fetch mail, and
waits for it. With ` + "`--run COMMAND`" + ` it runs a command for each scenario, in a new
folder, with these variables:

| variable | what it is |
|---|---|
| POSTFACH_HOST, POSTFACH_PORT | the server, in clear or with STLS |
| POSTFACH_TLS_PORT | its port with TLS from the first octet |
| POSTFACH_SECURITY | what to use: clear, stls or tls |
| POSTFACH_USER, POSTFACH_PASSWORD | the account; for OAUTHBEARER and XOAUTH2 the password is the token |
| POSTFACH_AUTH | SASL mechanisms, or APOP: use one of these; empty: as the client likes |
| POSTFACH_CAFILE | the root certificate to trust |
| POSTFACH_SCENARIO | the scenario's name |
| POSTFACH_OUT | an empty folder; messages that are put there are compared |

    postfach check --client --cleartext --run 'curl -sS --fail-early \
      -u "$POSTFACH_USER:$POSTFACH_PASSWORD" \
      "pop3://localhost:$POSTFACH_PORT/[1-3]" -o "$POSTFACH_OUT/#1"'

The scenarios, and the rules that are judged in some only; all others are judged
in every one:

| scenario | what the server does | rules |
|---|---|---|
`

const aboutClients = `# Clients, and what the test server saw of them

` + "`postfach check --client`" + ` leads a client through the scenarios of ` + "`pop3test`" + ` and
judges what it says, by the rules of the requirements catalogue. This is what
comes out for the clients that the tests run; ` + "`internal/interop`" + ` runs them anew
each time and fails when a line here is no longer true. The versions are those
of Debian 12, Python's is its own.

PRACTICE is what no RFC asks for. A rule may be broken only in a scenario that
no sound server plays. Where a client can be set, it fetches and then deletes
everything (curl only fetches), with its defaults otherwise. poplib is a library:
what it leaves to its caller is done as its documentation does it.

Rules that a client never came to, because it lacks the feature, are not broken.
What is not public is counted and not listed: its makers hear of it first.
`

// lead leads a client through all scenarios that it can be set for.
func (w *world) lead(t *testing.T, c reported) []pop3check.ClientRun {
	t.Helper()
	srv := pop3test.NewServer(t)
	home := w.home(t)
	ca := write(t, filepath.Join(home, "root.pem"), string(srv.RootPEM()), 0o644)
	var runs []pop3check.ClientRun
	for _, sc := range pop3test.Scenarios() {
		p := place{sc: sc, security: sc.Security, ca: ca, home: filepath.Join(home, sc.Name)}
		if p.security == "" {
			p.security = "clear"
		}
		if sc.Auth != nil {
			i := slices.IndexFunc(sc.Auth, func(m string) bool { return slices.Contains(c.auth, m) })
			if i < 0 {
				continue
			}
			p.auth = sc.Auth[i]
		}
		addr := srv.Addr
		if p.security == "tls" {
			addr = srv.AddrTLS
		}
		_, p.port, _ = net.SplitHostPort(addr)
		p.out = filepath.Join(p.home, "mail")
		if err := os.MkdirAll(p.out, 0o755); err != nil {
			t.Fatal(err)
		}
		run, err := srv.Try(t.Context(), sc, p.security, func(ctx context.Context) pop3test.Outcome {
			ctx, cancel := context.WithTimeout(ctx, patient)
			defer cancel()
			exit, output := c.run(t, ctx, p)
			return pop3test.Outcome{Exit: &exit, Output: output, Delivered: filesIn(t, p.out), DeliveredKnown: true}
		})
		if err != nil {
			t.Fatal(err)
		}
		runs = append(runs, run)
	}
	return runs
}

func filesIn(t *testing.T, dir string) []string {
	t.Helper()
	names, err := filepath.Glob(filepath.Join(dir, "*"))
	if err != nil {
		t.Fatal(err)
	}
	var all []string
	for _, name := range names {
		octets, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, string(octets))
	}
	return all
}

// command runs a program and returns its exit status, -1 if its time was over.
func command(t *testing.T, ctx context.Context, p place, stdin, name string, args ...string) (exit int, output string) {
	t.Helper()
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Dir = p.home
	cmd.Env = append(os.Environ(), "HOME="+p.home, "LC_ALL=C", "TMPDIR="+p.home)
	cmd.Stdin = strings.NewReader(stdin)
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
	out, err := cmd.CombinedOutput()
	var exited *exec.ExitError
	if err != nil && !errors.As(err, &exited) {
		t.Fatal(err)
	}
	return cmd.ProcessState.ExitCode(), string(out)
}

// patient is how long a client may take for a scenario. Some wait for ever in
// one.
const patient = 10 * time.Second

// unable is for scenarios that a client cannot be set for: it is not run.
const unable = 64

func reportCurl(t *testing.T, ctx context.Context, p place) (int, string) {
	args := []string{"-q", "-sS", "--fail-early", "--cacert", p.ca}
	scheme := "pop3"
	switch p.security {
	case "tls":
		scheme = "pop3s"
	case "stls":
		args = append(args, "--ssl-reqd")
	}
	account := p.sc.User + ":" + p.sc.Password
	switch p.auth {
	case "":
	case "APOP":
		args = append(args, "--login-options", "AUTH=+APOP")
	case "OAUTHBEARER", "XOAUTH2":
		args = append(args, "--login-options", "AUTH="+p.auth, "--oauth2-bearer", p.sc.Password)
		account = p.sc.User + ":"
	case "EXTERNAL":
		args = append(args, "--login-options", "AUTH="+p.auth)
		account = p.sc.User + ":"
	default:
		args = append(args, "--login-options", "AUTH="+p.auth)
	}
	args = append(args, "--user", account,
		fmt.Sprintf("%s://localhost:%s/[1-%d]", scheme, p.port, len(p.sc.Mail)), "-o", filepath.Join(p.out, "#1"))
	return command(t, ctx, p, "", "curl", args...)
}

func reportFetchmail(t *testing.T, ctx context.Context, p place) (int, string) {
	if strings.Contains(p.sc.User, "\n") {
		return unable, ""
	}
	protocol, security, auth := "POP3", "sslproto ''", ""
	switch p.security {
	case "stls":
		security = "sslproto TLS1.2+ sslcertck sslcertfile " + p.ca
	case "tls":
		security = "ssl sslcertck sslcertfile " + p.ca
	}
	switch p.auth {
	case "APOP":
		protocol = "APOP"
	case "CRAM-MD5":
		auth = "auth cram-md5"
	case "EXTERNAL":
		auth = "auth external"
	}
	mda := p.mda(t)
	rc := fmt.Sprintf(`set invisible
set no bouncemail
poll localhost protocol %s %s port %s no dns no envelope bad-header accept timeout 5
  user "%s" password "%s" %s
  fetchall nokeep no rewrite no mimedecode no stripcr pass8bits no dropdelivered no dropstatus
  mda "%s"
`, protocol, auth, p.port, p.sc.User, p.sc.Password, security, mda)
	file := write(t, filepath.Join(p.home, "fetchmailrc"), rc, 0o600)
	return command(t, ctx, p, "", "fetchmail", "--nodetach", "--nosyslog", "-f", file, "--pidfile", filepath.Join(p.home, "pid"), "-i", filepath.Join(p.home, "ids"))
}

// mda is a program that delivers into p.out.
func (p place) mda(t *testing.T) string {
	t.Helper()
	write(t, filepath.Join(p.home, "last"), "0\n", 0o600)
	return write(t, filepath.Join(p.home, "deliver"), deliver, 0o700)
}

func reportMpop(t *testing.T, ctx context.Context, p place) (int, string) {
	if strings.Contains(p.sc.User, "\n") {
		return unable, ""
	}
	security, auth := "tls off", "auth user"
	if p.tls() {
		security, auth = "tls on\ntls_starttls off\ntls_trust_file "+p.ca, "auth on"
	}
	if p.security == "stls" {
		security = "tls on\ntls_starttls on\ntls_trust_file " + p.ca
	}
	if p.auth != "" {
		auth = "auth " + strings.ToLower(p.auth)
	}
	rc := fmt.Sprintf(`account default
host localhost
port %s
user "%s"
password "%s"
%s
%s
timeout 5
keep off
received_header off
uidls_file %s
delivery mda %s
`, p.port, p.sc.User, p.sc.Password, auth, security, filepath.Join(p.home, "uidls"), p.mda(t))
	file := write(t, filepath.Join(p.home, "mpoprc"), rc, 0o600)
	return command(t, ctx, p, "", "mpop", "-C", file, "--quiet")
}

func reportPoplib(t *testing.T, ctx context.Context, p place) (int, string) {
	path, err := filepath.Abs(filepath.Join("testdata", "report_poplib.py"))
	if err != nil {
		t.Fatal(err)
	}
	return command(t, ctx, p, p.sc.Password+"\n", "python3", path, p.security, p.auth, "localhost", p.port, p.sc.User, p.ca, p.out)
}

// reportGet runs postfach get.
func (w *world) reportGet(t *testing.T, ctx context.Context, p place) (int, string) {
	scheme := "pop3"
	args := []string{"get", "--delete", "--to", "dir:" + p.out, "--password-stdin", "--timeout", "10s"}
	if p.tls() {
		args = append(args, "--cafile", p.ca)
	}
	switch p.security {
	case "tls":
		scheme = "pop3s"
	case "stls":
		args = append(args, "--stls")
	}
	who := strings.NewReplacer("%", "%25", "\r", "%0D", "\n", "%0A", " ", "%20").Replace(p.sc.User)
	if p.auth != "" {
		who += ";AUTH=" + urlAuth(p.auth)
	}
	return command(t, ctx, p, p.sc.Password+"\n", w.program("postfach"), append(args, scheme+"://"+who+"@localhost:"+p.port)...)
}

func urlAuth(auth string) string {
	if auth == "APOP" {
		return "+APOP"
	}
	return auth
}

// reportLibrary is a program of a few lines over our packages.
func reportLibrary(_ *testing.T, ctx context.Context, p place) (int, string) {
	if err := fetchAndDelete(ctx, p); err != nil {
		return 1, err.Error()
	}
	return 0, "all fetched"
}

func fetchAndDelete(ctx context.Context, p place) error {
	conf, err := rootsIn(p.ca)
	if err != nil {
		return err
	}
	opts := &pop3client.Options{TLS: conf, Security: map[string]pop3client.Security{
		"clear": pop3client.Cleartext, "stls": pop3client.RequireSTLS, "tls": pop3client.ImplicitTLS,
	}[p.security]}
	addr := net.JoinHostPort("localhost", p.port)
	c, err := pop3client.Dial(ctx, addr, opts)
	if err != nil {
		return err
	}
	defer c.Close()
	if err := fetch.Login(ctx, c, p.sc.User, p.sc.Password, urlAuth(p.auth)); err != nil {
		return err
	}
	target, err := into.Open(vfs.OS{}, "dir:"+p.out)
	if err != nil {
		return err
	}
	defer target.Close()
	result, err := fetch.Get(ctx, c, target, fetch.Options{Host: addr, User: p.sc.User, Delete: true})
	if err == nil && result.Failed > 0 {
		err = fmt.Errorf("%d messages failed", result.Failed)
	}
	return errors.Join(err, result.Quit)
}

// rootsIn trusts the certificates in a file.
func rootsIn(file string) (*cryptotls.Config, error) {
	octets, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(octets)
	return &cryptotls.Config{RootCAs: roots, MinVersion: cryptotls.VersionTLS12}, nil
}
