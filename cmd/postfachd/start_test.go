package main

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"io/fs"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"postfach/internal/accounts"
	"postfach/internal/certificates"
	"postfach/internal/datafolder"
	"postfach/internal/peer"
	"postfach/internal/vfs"
)

func TestFirstStartComesUpAndSaysWhatToType(t *testing.T) {
	data := newData(t)
	p := serveIn(t, data)
	p.stdout.wait(t, "Your own account")
	said := p.stdout.String()
	password := firstPassword(t, data)
	_, port, err := net.SplitHostPort(p.address("pop3s"))
	must(t, err)
	for _, want := range []string{"curl --netrc-file ", "--cacert " + filepath.Join(data, "tls", "cert.pem"), "--ssl-reqd pop3://localhost:", "pop3s://localhost:" + port + "/", "Thunderbird", "postfach get "} {
		if !strings.Contains(said, want) {
			t.Errorf("not said: %s", want)
		}
	}
	if strings.Contains(said+p.stderr.String(), password) {
		t.Error("the password is printed: it may end in a log")
	}
	c := p.dialTLS(data)
	c.login("postfach", password)
	if got := c.say("STAT"); !strings.HasPrefix(got, "+OK 3 ") {
		t.Errorf("STAT: %s", got)
	}
	p.end()
}

func TestFirstStartIsClosedToOthers(t *testing.T) {
	data := newData(t)
	serveIn(t, data).end()
	must(t, filepath.WalkDir(data, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := d.Info()
		if err == nil && info.Mode().Perm()&0o077 != 0 {
			t.Errorf("%s: mode %o", path, info.Mode().Perm())
		}
		return err
	}))
	for _, part := range []string{"mail/postfach/new", "accounts", "tls/cert.pem", "tls/key.pem", "keys", "run", "first-login.txt"} {
		if !exists(filepath.Join(data, part)) {
			t.Errorf("%s is missing", part)
		}
	}
}

// Others follow the printed lines: curl does what they say.
func TestPrintedCommandsWork(t *testing.T) {
	peer.Need(t, "curl")
	p := serveIn(t, newData(t))
	p.stdout.wait(t, "Your own account")
	for line := range strings.Lines(p.stdout.String()) {
		if !strings.HasPrefix(line, "  curl ") {
			continue
		}
		out, err := exec.Command("sh", "-c", strings.TrimSpace(line)+" --silent --show-error --max-time 20").CombinedOutput()
		if err != nil || len(out) == 0 {
			t.Errorf("%s: %v\n%s", line, err, out)
		}
	}
}

// snapshot is all that a start could change, save in run/ and lastlogin/.
func snapshot(t *testing.T, data string) string {
	t.Helper()
	var b strings.Builder
	must(t, filepath.WalkDir(data, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := d.Info()
		if err != nil {
			return err
		}
		if d.IsDir() && (d.Name() == "run" || d.Name() == "lastlogin") { // for what happens, not for what is
			return fs.SkipDir
		}
		all, err := vfs.OS{}.Lstat(path)
		must(t, err)
		fmt.Fprintln(&b, path, all.Mode, all.ModTime, all.ChangeTime, all.ID, info.Sys().(*syscall.Stat_t).Uid)
		if info.Mode().IsRegular() {
			octets, err := os.ReadFile(path)
			must(t, err)
			fmt.Fprintf(&b, "%x\n", octets)
		}
		return nil
	}))
	return b.String()
}

func TestSecondStartChangesNothing(t *testing.T) {
	data := newData(t)
	serveIn(t, data).end()
	before := snapshot(t, data)
	p := serveIn(t, data)
	c := p.dialTLS(data)
	c.login("postfach", firstPassword(t, data))
	c.say("QUIT")
	p.end()
	if after := snapshot(t, data); after != before {
		t.Errorf("before:\n%s\nafter:\n%s", before, after)
	}
	if strings.Contains(p.stdout.String(), "first") {
		t.Errorf("the second start says:\n%s", p.stdout)
	}
}

// A first start that was cut short is still the first one: of what it has made nothing
// is made again.
func TestFirstStartThatWasCutShortGoesOn(t *testing.T) {
	data := newData(t)
	serveIn(t, data).end()
	for _, later := range []string{"accounts", "keys/decoy", "keys/tickets"} {
		must(t, os.Remove(filepath.Join(data, later)))
	}
	p := serveIn(t, data)
	p.stdout.wait(t, "Your own account")
	p.end()
	mail, err := os.ReadDir(filepath.Join(data, "mail", "postfach", "new"))
	must(t, err)
	if len(mail) != 3 {
		t.Errorf("%d messages", len(mail))
	}
}

// Mail for accounts that nobody knows any more bounces for good. So a folder whose
// accounts file is gone gets no new one.
func TestLostAccountsFileIsNoFirstStart(t *testing.T) {
	data := newData(t)
	serveIn(t, data).end()
	accounts := filepath.Join(data, "accounts")
	must(t, os.Rename(accounts, accounts+".x"))
	free := []string{"--data", data, "--pop3", "127.0.0.1:0", "--pop3s", ""}
	refused(t, "the accounts file "+accounts+" is gone, and "+filepath.Join(data, "keys"), "put it back", free...)
	refused(t, "the accounts file "+accounts+" is gone", "is its disk mounted?", append(free, "--check")...)
	if exists(accounts) {
		t.Error("there is a new one")
	}
	must(t, os.Rename(accounts+".x", accounts))
	serveIn(t, data).end()
}

// Who has brought Maildirs along, and no server has served yet, needs accounts: advice
// about what was lost would have mail for all of them bounce.
func TestMailWithoutAccountsIsNoLoss(t *testing.T) {
	data := newData(t)
	must(t, datafolder.Folder(data).Make())
	must(t, os.MkdirAll(filepath.Join(data, "mail", "anna", "new"), 0o700))
	giveToOwner(t, data)
	free := []string{"--data", data, "--pop3", "127.0.0.1:0", "--pop3s", ""}
	refused(t, "there is no accounts file "+filepath.Join(data, "accounts"), "postfach user add NAME --data "+data, free...)
	p := launch(t, append(free, "--check")...)
	p.wait()
	if said := p.stderr.String(); strings.Contains(said, "empty file") || !strings.Contains(said, "postfach user add NAME") {
		t.Errorf("--check:\n%s", said)
	}
}

// An accounts file that is gone from elsewhere is not mistaken for one that is not there
// yet.
func TestLostAccountsFileElsewhereIsTold(t *testing.T) {
	data, dir := begunData(t), tempDir(t)
	serveIn(t, data).end()
	name := filepath.Join(dir, "postfachd.toml")
	writeOpen(t, name, fmt.Appendf(nil, "accounts = %q\n[[listener]]\naddress = \"127.0.0.1:0\"\n", filepath.Join(dir, "users")))
	refused(t, "the accounts file "+filepath.Join(dir, "users")+" is gone", "is its disk mounted?", "--data", data, "--config", name)
}

// A first start that was cut short while it made the Maildir leaves none that is half
// there.
func TestFirstStartThatWasCutShortLeavesNoHalfMaildir(t *testing.T) {
	for _, half := range []string{"mail/.new-postfach/tmp", "mail/postfach/tmp"} { // the second as older versions left it
		data := newData(t)
		must(t, datafolder.Folder(data).Make())
		must(t, os.MkdirAll(filepath.Join(data, half), 0o700))
		must(t, os.MkdirAll(filepath.Join(data, "maildirs"), 0o700))
		must(t, os.WriteFile(filepath.Join(data, "maildirs", "postfach"), nil, 0o600))
		giveToOwner(t, data)
		p := serveIn(t, data)
		c := p.dialTLS(data)
		c.login("postfach", firstPassword(t, data))
		if got := c.say("STAT"); !strings.HasPrefix(got, "+OK 3 ") {
			t.Errorf("%s: %s", half, got)
		}
		p.end()
		if left, err := os.ReadDir(filepath.Join(data, "mail")); err != nil || len(left) != 1 {
			t.Errorf("%s: %v, %v", half, left, err)
		}
	}
}

// Where a disk is not mounted, there is an empty folder. A server with a configuration
// is no trial, and makes no account there; nor anything else.
func TestServerWithAConfigurationMakesNoAccount(t *testing.T) {
	data, name := newData(t), filepath.Join(tempDir(t), "postfachd.toml")
	must(t, os.WriteFile(name, []byte("[[listener]]\naddress = \"127.0.0.1:0\"\n"), 0o644))
	must(t, os.Mkdir(data, 0o700))
	for _, args := range [][]string{{"--data", data, "--config", name}, {"--data", data, "--config", name, "--check"}} {
		refused(t, "there is no accounts file "+filepath.Join(data, "accounts"), "postfach user add NAME --data "+data, args...)
	}
	left, err := os.ReadDir(data)
	must(t, err)
	if len(left) > 0 {
		t.Errorf("left in the folder: %v", left)
	}
	// An operator has said that there are accounts, or none.
	must(t, os.WriteFile(filepath.Join(data, "accounts"), nil, 0o600))
	giveToOwner(t, data)
	p := launch(t, "--data", data, "--config", name)
	p.address("pop3")
	p.end()
}

func TestListenersAreInTheRunFolderWhileItRuns(t *testing.T) {
	data := newData(t)
	p := serveIn(t, data)
	octets, err := os.ReadFile(filepath.Join(data, "run", "listeners"))
	must(t, err)
	want := fmt.Sprintf("listening pop3 %s\nlistening pop3s %s\n", p.address("pop3"), p.address("pop3s"))
	if string(octets) != want {
		t.Errorf("got %q, want %q", octets, want)
	}
	p.end()
	if exists(filepath.Join(data, "run", "listeners")) {
		t.Error("the file outlives the server")
	}
}

// A start that cannot tell anybody leaves no file that says where it listens.
func TestListenersAreWithdrawnWhenTheStartFails(t *testing.T) {
	data := newData(t)
	unread, stdout, err := os.Pipe()
	must(t, err)
	must(t, unread.Close())
	defer stdout.Close()
	exe, err := os.Executable()
	must(t, err)
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	cmd := exec.CommandContext(ctx, exe, "--data", data, "--pop3", "127.0.0.1:0", "--pop3s", "127.0.0.1:0")
	cmd.Env, cmd.Stdout = append(os.Environ(), actAsProgram+"=1"), stdout
	if err := cmd.Run(); cmd.ProcessState.ExitCode() != exitFailed {
		t.Error(err)
	}
	if exists(filepath.Join(data, "run", "listeners")) {
		t.Error("the file outlives the server")
	}
}

// A listener without TLS offers none, and passwords only to this machine.
func TestListenerWithoutTLS(t *testing.T) {
	name := filepath.Join(tempDir(t), "postfachd.toml")
	must(t, os.WriteFile(name, []byte("[[listener]]\naddress = \"127.0.0.1:0\"\ntls = \"none\"\n"), 0o644))
	data := begunData(t)
	p := launch(t, "--config", name, "--data", data)
	c := p.dial()
	c.login("postfach", firstPassword(t, data))
	if got := c.say("STAT"); !strings.HasPrefix(got, "+OK 3 ") {
		t.Error(got)
	}
	if got := p.dial(); !strings.HasPrefix(got.line(), "+OK") || !strings.HasPrefix(got.say("STLS"), "-ERR") {
		t.Error("STLS without TLS")
	}
	p.end()
}

// With a certificate of the site's own, none is made.
func TestOwnCertificate(t *testing.T) {
	dir := tempDir(t)
	cert, key, err := certificates.SelfSigned("mail.example.org", time.Now())
	must(t, err)
	must(t, os.WriteFile(filepath.Join(dir, "cert.pem"), cert, 0o644))
	must(t, os.WriteFile(filepath.Join(dir, "key.pem"), key, 0o644))
	name := filepath.Join(dir, "postfachd.toml")
	must(t, os.WriteFile(name, []byte("hostname = \"mail.example.org\"\n[tls]\ncertificate = \"cert.pem\"\nkey = \"key.pem\"\n"), 0o644))
	data := begunData(t)
	p := serveIn(t, data, "--config", name)
	if exists(filepath.Join(data, "tls", "cert.pem")) {
		t.Error("a certificate was made that nobody uses")
	}
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(cert)
	conn, err := tls.Dial("tcp", p.address("pop3s"), &tls.Config{RootCAs: roots, ServerName: "mail.example.org"})
	must(t, err)
	newClient(t, conn).login("postfach", firstPassword(t, data))
	p.end()
}

func TestEmptyAddressSwitchesAListenerOff(t *testing.T) {
	p := launch(t, "--data", newData(t), "--pop3", "127.0.0.1:0", "--pop3s", "")
	p.address("pop3")
	p.stdout.wait(t, "Your own account")
	if strings.Contains(p.stdout.String(), "listening pop3s") {
		t.Error(p.stdout)
	}
	p.end()
}

// refused starts postfachd and expects it to end with an error and a hint.
func refused(t *testing.T, want, hint string, args ...string) {
	t.Helper()
	p := launch(t, args...)
	if code := p.wait(); code == 0 {
		t.Error("exit code 0")
	}
	said := p.stderr.String()
	if !strings.Contains(said, "postfachd: ") || !strings.Contains(said, want) || !strings.Contains(said, "\nhint: ") || !strings.Contains(said, hint) {
		t.Errorf("got:\n%s\nwant %q, hint %q", said, want, hint)
	}
	if strings.Contains(p.stdout.String(), "listening") {
		t.Error("it said that it listens")
	}
}

func TestRefusesToStart(t *testing.T) {
	dir := tempDir(t)
	bad := filepath.Join(dir, "bad.toml")
	must(t, os.WriteFile(bad, []byte("\n[limits]\nidel = \"10m\"\n"), 0o644))
	free := []string{"--pop3", "127.0.0.1:0", "--pop3s", "127.0.0.1:0", "--data", filepath.Join(dir, "data")}
	refused(t, "there is nothing to listen on", "--pop3", "--pop3", "", "--pop3s", "", "--data", dir)
	refused(t, `"localhost": expected host:port`, "127.0.0.1:1110", "--pop3", "localhost")
	refused(t, bad+":3: unknown key limits.idel", "did you mean limits.idle?", append(free, "--config", bad)...)
	refused(t, "no such file", "example", append(free, "--config", filepath.Join(dir, "none.toml"))...)
	refused(t, "unknown flag --pop", "--help", "--pop", "x")
	l, err := net.Listen("tcp", "127.0.0.1:0")
	must(t, err)
	defer l.Close()
	refused(t, "address already in use", "another server has the port", append(free, "--pop3", l.Addr().String())...)
}

func TestTwoServersOnOneFolder(t *testing.T) {
	data := newData(t)
	p := serveIn(t, data)
	refused(t, "another postfachd uses the data folder", "--data DIR", "--data", data, "--pop3", "127.0.0.1:0", "--pop3s", "")
	p.dialTLS(data).login("postfach", firstPassword(t, data))
	if !exists(filepath.Join(data, "run", "listeners")) {
		t.Error("the refused server has removed the other one's file")
	}
	p.signal(syscall.SIGKILL)
	p.wait()
	serveIn(t, data).end() // the lock died with its owner
}

func TestAccountsOpenToOthersAreRefused(t *testing.T) {
	data := newData(t)
	serveIn(t, data).end()
	must(t, os.Chmod(filepath.Join(data, "accounts"), 0o640))
	refused(t, "is open to others", "chmod 600", "--data", data, "--pop3", "127.0.0.1:0", "--pop3s", "")
}

// giveToOwner gives what a test of root's has made to the folder's owner, whom
// the tools would have become.
func giveToOwner(t *testing.T, data string) {
	t.Helper()
	if os.Getuid() != 0 {
		return
	}
	info, err := os.Stat(data)
	must(t, err)
	owner := info.Sys().(*syscall.Stat_t)
	must(t, filepath.WalkDir(data, func(path string, _ fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		return os.Lchown(path, int(owner.Uid), int(owner.Gid))
	}))
}

func TestUserAddWorksWhileItServes(t *testing.T) {
	data := newData(t)
	p := serveIn(t, data)
	folder := datafolder.Folder(data)
	edit := accounts.Editor{Path: folder.Accounts(), Key: folder.APOPKey()}
	must(t, edit.SetPassword("postfach", "p w", "", false))
	giveToOwner(t, data)
	p.dialTLS(data).login("postfach", "p w")
	if greeting := p.dial().line(); strings.Contains(greeting, "<") {
		t.Errorf("APOP is offered to nobody: %s", greeting)
	}
	must(t, edit.SetAPOP("postfach", "0123456789abcdef"))
	giveToOwner(t, data)
	if greeting := p.dial().line(); !strings.Contains(greeting, "<") {
		t.Errorf("APOP is not offered: %s", greeting)
	}
	p.end()
}

// A data folder that other users can change is refused, by --check, too.
func TestFolderThatOthersCanChangeIsRefused(t *testing.T) {
	data := newData(t)
	serveIn(t, data).end()
	must(t, os.Chmod(filepath.Join(data, "keys"), 0o750))
	for _, args := range [][]string{{"--data", data, "--pop3", "127.0.0.1:0", "--pop3s", ""}, {"--check", "--data", data}} {
		p := launch(t, args...)
		if code := p.wait(); code != exitFailed {
			t.Errorf("%q: exit code %d", args, code)
		}
		p.stderr.wait(t, "keys has mode 0750")
		p.stderr.wait(t, "hint: chmod go= "+data)
	}
}
