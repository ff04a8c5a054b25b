package main

import (
	"bytes"
	"context"
	"encoding/json"
	"encoding/xml"
	"errors"
	"io"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/emersion/go-smtp"

	"postfach/internal/vfs"
	"postfach/pop3test"
)

// conformanceCmd judges srv in clear.
func conformanceCmd(srv *pop3test.Server, ids ...string) *checkCmd {
	return &checkCmd{
		Host: srv.Addr, IDs: ids, Conformance: true, Cleartext: true, User: pop3test.User,
		accountPassword: accountPassword{PasswordCommand: "echo '" + pop3test.Password + "'"},
		Timeout:         5 * time.Second,
	}
}

func TestConformanceReportsInEachForm(t *testing.T) {
	srv := pop3test.NewServer(t)
	if err := srv.Break("P3-NOOP-01"); err != nil {
		t.Fatal(err)
	}
	c := conformanceCmd(srv, "P3-STAT-03", "P3-NOOP")
	dir := t.TempDir()
	c.JSON, c.JUnit, c.HTML = true, filepath.Join(dir, "r.xml"), filepath.Join(dir, "r.html")
	out, err := capture(t, func() error { return c.conformance(t.Context()) })
	if exitCode(err) != exitFindings {
		t.Errorf("exit code %d: %v", exitCode(err), err)
	}
	var report struct {
		Results []struct{ ID, Level, Status, Want, Got string }
	}
	if err := json.Unmarshal([]byte(out), &report); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	status := make(map[string]string)
	for _, r := range report.Results {
		status[r.ID] = r.Status
	}
	if status["P3-NOOP-01"] != "fail" || status["P3-STAT-03"] != "pass" {
		t.Errorf("%v", status)
	}
	junit, err := os.ReadFile(c.JUnit)
	if err != nil || xml.Unmarshal(junit, new(struct{})) != nil || !bytes.Contains(junit, []byte(`<failure message="want `)) {
		t.Errorf("%v\n%s", err, junit)
	}
	html, err := os.ReadFile(c.HTML)
	if err != nil || !bytes.Contains(html, []byte(`id="P3-NOOP-01"`)) {
		t.Errorf("%v\n%s", err, html)
	}
}

func TestConformanceExitCodes(t *testing.T) {
	srv := pop3test.NewServer(t)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	closed := l.Addr().String()
	l.Close()
	for name, test := range map[string]struct {
		change func(*checkCmd)
		want   int
	}{
		"all well":                 {func(*checkCmd) {}, 0},
		"no such rule":             {func(c *checkCmd) { c.IDs = []string{"P3-NOOP-77"} }, exitUsage},
		"no check":                 {func(c *checkCmd) { c.IDs = []string{"P3-SYN-07"} }, exitUsage},
		"no host":                  {func(c *checkCmd) { c.Host = "a/b" }, exitUsage},
		"no port":                  {func(c *checkCmd) { c.Host = "localhost:99999" }, exitUsage},
		"bad pin":                  {func(c *checkCmd) { c.Pin = "abc" }, exitUsage},
		"bad deliver":              {func(c *checkCmd) { c.Deliver = "pigeon:home" }, exitUsage},
		"nobody there":             {func(c *checkCmd) { c.Host = closed }, exitUnreachable},
		"wrong password":           {func(c *checkCmd) { c.PasswordCommand = "echo wrong" }, exitUnreachable},
		"foreign root":             {func(c *checkCmd) { c.Cleartext, c.STLS = false, true }, exitUnreachable},
		"another's pin":            {func(c *checkCmd) { c.Cleartext, c.STLS, c.Pin = false, true, strings.Repeat("ab", 32) }, exitUnreachable},
		"nothing could be checked": {func(c *checkCmd) { c.IDs, c.Nagios = []string{"P3-UPD-01"}, true }, nagiosUnknown},
		"unwritable file":          {func(c *checkCmd) { c.HTML = filepath.Join(t.TempDir(), "no", "r.html") }, exitUsage},
	} {
		c := conformanceCmd(srv, "P3-NOOP")
		test.change(c)
		_, err := capture(t, func() error { return c.conformance(t.Context()) })
		if got := exitCode(err); got != test.want {
			t.Errorf("%s: exit code %d, want %d: %v", name, got, test.want, err)
		}
	}
}

// capture returns what f prints to standard output.
func capture(t *testing.T, f func() error) (string, error) {
	t.Helper()
	file, err := os.CreateTemp(t.TempDir(), "")
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	stdout := os.Stdout
	os.Stdout = file
	err = f()
	os.Stdout = stdout
	out, readErr := os.ReadFile(file.Name())
	if readErr != nil {
		t.Fatal(readErr)
	}
	return string(out), err
}

// What --deliver maildir: writes has the line ends of files, and the owner of
// the Maildir.
func TestDeliverIntoAMaildir(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	for _, sub := range []string{"new", "cur", "tmp"} {
		if err := os.Mkdir(filepath.Join(dir, sub), 0o700); err != nil {
			t.Fatal(err)
		}
		if os.Geteuid() == 0 {
			if err := os.Chown(filepath.Join(dir, sub), 65534, 65534); err != nil {
				t.Fatal(err)
			}
		}
	}
	deliver, err := (&checkCmd{Deliver: "maildir:" + dir}).deliverer()
	if err != nil {
		t.Fatal(err)
	}
	if err := deliver(t.Context(), []byte("A: b\r\n\r\n.\r\n")); err != nil {
		t.Fatal(err)
	}
	files, err := os.ReadDir(filepath.Join(dir, "new"))
	if err != nil || len(files) != 1 {
		t.Fatal(files, err)
	}
	name := filepath.Join(dir, "new", files[0].Name())
	if got, err := os.ReadFile(name); err != nil || string(got) != "A: b\n\n.\n" {
		t.Errorf("%q %v", got, err)
	}
	folder, err := vfs.OS{}.Lstat(filepath.Dir(name))
	if err != nil {
		t.Fatal(err)
	}
	if file, err := (vfs.OS{}).Lstat(name); err != nil || file.Owner != folder.Owner {
		t.Errorf("the file is %+v's, %v, and the folder %+v's", file.Owner, err, folder.Owner)
	}
	if err := os.Remove(name); err != nil {
		t.Fatal(err)
	}
	if err := os.RemoveAll(filepath.Join(dir, "new")); err != nil {
		t.Fatal(err)
	}
	if err := os.RemoveAll(filepath.Join(dir, "cur")); err != nil {
		t.Fatal(err)
	}
	if deliver(t.Context(), []byte("x")) == nil {
		t.Error("delivered into a folder that is no Maildir")
	}
}

func TestDeliverByACommand(t *testing.T) {
	t.Parallel()
	to := filepath.Join(t.TempDir(), "mail")
	deliver, err := (&checkCmd{Deliver: "command:cat >" + to}).deliverer()
	if err != nil {
		t.Fatal(err)
	}
	if err := deliver(t.Context(), []byte("A: b\r\n\r\n")); err != nil {
		t.Fatal(err)
	}
	if got, err := os.ReadFile(to); err != nil || string(got) != "A: b\n\n" {
		t.Errorf("%q %v", got, err)
	}
	fails, err := (&checkCmd{Deliver: "command:exit 3"}).deliverer()
	if err != nil {
		t.Fatal(err)
	}
	if fails(t.Context(), []byte("x")) == nil {
		t.Error("a command that fails delivered")
	}
}

// An inbox is an LMTP server's one mailbox.
type inbox struct {
	to       string
	messages chan string
}

func (b *inbox) NewSession(*smtp.Conn) (smtp.Session, error) { return b, nil }
func (b *inbox) Reset()                                      {}
func (b *inbox) Logout() error                               { return nil }
func (b *inbox) Mail(string, *smtp.MailOptions) error        { return nil }
func (b *inbox) Rcpt(to string, _ *smtp.RcptOptions) error {
	if to != b.to {
		return errors.New("no such user")
	}
	return nil
}

func (b *inbox) Data(r io.Reader) error { return b.LMTPData(r, nil) }

func (b *inbox) LMTPData(r io.Reader, status smtp.StatusCollector) error {
	octets, err := io.ReadAll(r)
	if err != nil {
		return err
	}
	if status != nil {
		status.SetStatus(b.to, nil)
	}
	b.messages <- string(octets)
	return nil
}

func TestDeliverByLMTP(t *testing.T) {
	t.Parallel()
	box := &inbox{to: "ada@localhost", messages: make(chan string, 1)}
	srv := smtp.NewServer(box)
	srv.LMTP, srv.Domain = true, "localhost"
	socket := filepath.Join(t.TempDir(), "lmtp")
	l, err := net.Listen("unix", socket)
	if err != nil {
		t.Fatal(err)
	}
	served := make(chan error, 1)
	go func() { served <- srv.Serve(l) }()
	t.Cleanup(func() { srv.Close(); <-served })
	deliver, err := (&checkCmd{Deliver: "lmtp:" + socket, User: "ada@localhost", Timeout: 5 * time.Second}).deliverer()
	if err != nil {
		t.Fatal(err)
	}
	if err := deliver(t.Context(), []byte("A: b\r\n\r\n.\r\n..two\r\n")); err != nil {
		t.Fatal(err)
	}
	if got := <-box.messages; got != "A: b\r\n\r\n.\r\n..two\r\n" {
		t.Errorf("%q", got)
	}
	nobody, err := (&checkCmd{Deliver: "lmtp:" + socket, User: "nobody@localhost", Timeout: 5 * time.Second}).deliverer()
	if err != nil {
		t.Fatal(err)
	}
	if nobody(t.Context(), []byte("x\r\n")) == nil {
		t.Error("delivered to a recipient that was refused")
	}
}

// For monitoring there is always one line, and what did not come about has the
// exit code of a plugin, too.
func TestConformanceForNagios(t *testing.T) {
	srv := pop3test.NewServer(t)
	for name, test := range map[string]struct {
		change func(*checkCmd)
		line   string
		want   int
	}{
		"all well":       {func(*checkCmd) {}, "POP3 OK - ", 0},
		"nobody there":   {func(c *checkCmd) { c.Args = []string{closedPort(t)} }, "POP3 CRITICAL - no connection: ", nagiosCritical},
		"wrong password": {func(c *checkCmd) { c.PasswordCommand = "echo wrong" }, "POP3 CRITICAL - no login: ", nagiosCritical},
		"no such rule":   {func(c *checkCmd) { c.Args = append(c.Args, "P3-NOOP-77") }, "POP3 UNKNOWN - no check is called ", nagiosUnknown},
		"two hosts":      {func(c *checkCmd) { c.Args = append(c.Args, "a|b") }, "POP3 UNKNOWN - one server at a time: ", nagiosUnknown},
	} {
		c := conformanceCmd(srv)
		c.Host, c.Args, c.Nagios = "", []string{srv.Addr, "P3-NOOP"}, true
		test.change(c)
		out, err := capture(t, func() error { return c.Run(t.Context()) })
		if got := exitCode(err); got != test.want || !strings.HasPrefix(out, test.line) || strings.Count(out, "\n") != 1 || strings.Contains(out, "a|b") {
			t.Errorf("%s: exit code %d, want %d: %v\n%s", name, got, test.want, err, out)
		}
	}
}

// What a server says when it refuses the login is shown, but neither the
// password nor what steers a terminal.
func TestConformanceShowsNoSecretOfARefusal(t *testing.T) {
	t.Parallel()
	srv := pop3test.NewServer(t)
	srv.Use(pop3test.Fault{Command: func(e *pop3test.Exchange) bool {
		e.Reply = "-ERR \x1b[31mnot \u202e" + e.Args + "\r\n"
		return e.Is("PASS")
	}})
	c := conformanceCmd(srv, "P3-NOOP")
	c.PasswordCommand = "echo opensesame"
	err := c.conformance(t.Context())
	if exitCode(err) != exitUnreachable || !strings.Contains(err.Error(), "31mnot") || strings.ContainsAny(err.Error(), "\x1b\u202e") || strings.Contains(err.Error(), "opensesame") {
		t.Errorf("%q", err)
	}
}

// A report that cannot be written keeps no other from being written, and is no
// finding.
func TestConformanceWritesWhatItCan(t *testing.T) {
	srv := pop3test.NewServer(t)
	c := conformanceCmd(srv, "P3-NOOP")
	dir := t.TempDir()
	c.JSON, c.JUnit, c.HTML = true, filepath.Join(dir, "no", "r.xml"), filepath.Join(dir, "r.html")
	out, err := capture(t, func() error { return c.conformance(t.Context()) })
	if exitCode(err) != exitUsage || !json.Valid([]byte(out)) {
		t.Errorf("%v\n%s", err, out)
	}
	if _, err := os.Stat(c.HTML); err != nil {
		t.Error(err)
	}
}

// A command that does not take its message is ended, with what it started.
func TestDeliverEndsACommandThatDoesNotEnd(t *testing.T) {
	t.Parallel()
	deliver, err := (&checkCmd{Deliver: "command:sleep 1000; true"}).deliverer()
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	began := time.Now()
	if err := deliver(ctx, make([]byte, 1<<20)); err == nil || time.Since(began) > time.Minute {
		t.Errorf("%v after %v", err, time.Since(began))
	}
}
