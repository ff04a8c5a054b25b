package main

import (
	"bytes"
	"crypto/tls"
	"encoding/pem"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	ll "github.com/landlock-lsm/go-landlock/landlock/syscall"
	"golang.org/x/sys/unix"

	"postfach/internal/config"
	"postfach/internal/peer"
)

// hasLandlock reports whether this kernel can confine. Where it cannot, the log
// has to say so.
func hasLandlock() bool {
	abi, err := ll.LandlockGetABIVersion()
	return err == nil && abi >= 2
}

// writeFor makes a file that the server's user, and nobody else, can read.
func writeFor(t *testing.T, owner, name, content string) {
	t.Helper()
	must(t, os.WriteFile(name, []byte(content), 0o600))
	giveAs(t, owner, name)
}

// giveAs gives a file to whom another one belongs.
func giveAs(t *testing.T, owner, name string) {
	t.Helper()
	if os.Getuid() != 0 {
		return
	}
	info, err := os.Stat(owner)
	must(t, err)
	stat := info.Sys().(*syscall.Stat_t)
	must(t, os.Lchown(name, int(stat.Uid), int(stat.Gid)))
}

// A confined world is a data folder, configuration and accounts elsewhere, and
// something that is no business of the server's.
type world struct {
	t                                  *testing.T
	data, conf, accounts, secret, mail string
	password                           string
}

func newWorld(t *testing.T) *world {
	t.Helper()
	top := tempDir(t)
	w := &world{t: t, data: newData(t), conf: filepath.Join(top, "conf"), secret: filepath.Join(top, "secret"), mail: filepath.Join(top, "mail")}
	serveIn(t, w.data).end() // makes all that a server needs
	w.password = firstPassword(t, w.data)
	for _, dir := range []string{w.conf, w.secret, w.mail} {
		must(t, os.Mkdir(dir, 0o700))
		giveAs(t, w.data, dir)
	}
	w.accounts = filepath.Join(w.conf, "accounts")
	w.write(w.accounts, w.line())
	w.write(filepath.Join(w.secret, "file"), "secret")
	return w
}

// write replaces a file by renaming, as tools do.
func (w *world) write(name, content string) {
	w.t.Helper()
	writeFor(w.t, w.data, name+".new", content)
	must(w.t, os.Rename(name+".new", name))
}

// line is what the first start has written, which is a good line for accounts.
func (w *world) line() string {
	w.t.Helper()
	octets, err := os.ReadFile(filepath.Join(w.data, "accounts"))
	must(w.t, err)
	lines := strings.Split(strings.TrimSpace(string(octets)), "\n")
	return lines[len(lines)-1] + "\n"
}

// account is line for another user, with a Maildir of its own.
func (w *world) account(user, maildir string) string {
	_, rest, _ := strings.Cut(w.line(), ":")
	line := user + ":" + strings.TrimRight(rest, "\n")
	line += strings.Repeat(":", max(0, 7-strings.Count(line, ":")))
	if !strings.HasSuffix(line, ":") {
		line += " "
	}
	return line + "userdb_mail=maildir:" + maildir + "\n"
}

// start starts postfachd with more configuration.
func (w *world) start(more string) *program {
	w.t.Helper()
	cert, err := os.ReadFile(filepath.Join(w.data, "tls", "cert.pem"))
	must(w.t, err)
	key, err := os.ReadFile(filepath.Join(w.data, "tls", "key.pem"))
	must(w.t, err)
	w.write(filepath.Join(w.conf, "cert.pem"), string(cert))
	w.write(filepath.Join(w.conf, "key.pem"), string(key))
	name := filepath.Join(w.conf, "postfachd.toml")
	if !strings.Contains(more, "[[source]]") {
		more = fmt.Sprintf("accounts = %q\n", w.accounts) + more
	}
	w.write(name, more+"\n[tls]\ncertificate = \"cert.pem\"\nkey = \"key.pem\"\n")
	p := serveIn(w.t, w.data, "--config", name)
	p.stderr.wait(w.t, "msg=listening protocol=pop3s")
	return p
}

// maildir makes one, with a message.
func (w *world) maildir(dir string) {
	w.t.Helper()
	for _, name := range []string{dir, filepath.Join(dir, "new"), filepath.Join(dir, "cur"), filepath.Join(dir, "tmp")} {
		must(w.t, os.MkdirAll(name, 0o700))
		giveAs(w.t, w.data, name)
	}
	writeFor(w.t, w.data, filepath.Join(dir, "new", "1234567890.M1P1.test"), "Subject: x\n\nx\n")
}

// What the server does not need it cannot have: seen from outside, it still does
// all that it is for. What a process inside can do is tried in internal/confine.
func TestConfinedServerServes(t *testing.T) {
	w := newWorld(t)
	p := w.start("")
	line := p.stderr.wait(t, "msg=confinement")
	if !hasLandlock() {
		if !strings.Contains(line, `landlock="not enforced: `) || strings.Contains(p.stderr.String(), "files within reach") {
			t.Errorf("no Landlock, and logged: %s", line)
		}
		return
	}
	if !regexp.MustCompile(`landlock="ABI \d+: files`).MatchString(line) || !strings.Contains(line, "nonewprivs=1") || !strings.Contains(line, "capeff=0000000000000000") || !strings.Contains(line, `sockets="given up"`) {
		t.Errorf("logged: %s", line)
	}
	if reach := p.stderr.wait(t, "files within reach"); !strings.Contains(reach, w.conf) || strings.Contains(reach, w.secret) || strings.Contains(reach, "/etc ") {
		t.Errorf("logged: %s", reach)
	}

	// Serve, remove, and take mail that somebody else delivers.
	c := p.dialTLS(w.data)
	c.login("postfach", w.password)
	c.say("DELE 1")
	if got := c.say("QUIT"); !strings.HasPrefix(got, "+OK") {
		t.Errorf("QUIT: %s", got)
	}
	c = p.dialTLS(w.data)
	c.login("postfach", w.password)
	if got := c.say("STAT"); !strings.HasPrefix(got, "+OK 2 ") {
		t.Errorf("STAT: %s", got)
	}
	c.say("QUIT")

	// Accounts that were replaced hold at once.
	w.maildir(filepath.Join(w.data, "mail", "other"))
	w.write(w.accounts, w.line()+w.account("berta", filepath.Join(w.data, "mail", "other")))
	c = p.dialTLS(w.data)
	c.login("berta", w.password)
	c.say("QUIT")

	// Certificates that were replaced hold after SIGHUP.
	fresh := peer.NewCertificate(t)
	for name, file := range map[string]string{"cert.pem": fresh.CertFile, "key.pem": fresh.KeyFile} {
		octets, err := os.ReadFile(file)
		must(t, err)
		w.write(filepath.Join(w.conf, name), string(octets))
	}
	if log := p.hup(); strings.Contains(log, "not reloaded") || strings.Contains(log, "given up") {
		t.Errorf("logged:\n%s", log)
	}
	conn, err := tls.Dial("tcp", p.address("pop3s"), fresh.Client)
	must(t, err)
	c = newClient(t, conn)
	c.login("postfach", w.password)
	p.end()
}

func TestMaildirsElsewhere(t *testing.T) {
	w := newWorld(t)
	known, later, listed := filepath.Join(w.mail, "known"), filepath.Join(w.secret, "later"), filepath.Join(w.mail, "listed")
	for _, dir := range []string{known, later} {
		w.maildir(dir)
	}
	must(t, os.Mkdir(listed, 0o700))
	giveAs(t, w.data, listed)
	w.write(w.accounts, w.line()+w.account("anna", known))
	p := w.start(fmt.Sprintf("confine_mail = [%q]", listed))
	read := func(user string) string {
		t.Helper()
		c := p.dialTLS(w.data)
		c.line()
		c.say("USER " + user)
		answer := c.say("PASS " + w.password)
		if strings.HasPrefix(answer, "+OK") {
			answer = c.say("STAT")
			c.say("QUIT")
		}
		return answer
	}
	// What an account named at the start, and what is in confine_mail, later too.
	if got := read("anna"); !strings.HasPrefix(got, "+OK 1 ") {
		t.Errorf("anna: %s", got)
	}
	w.maildir(filepath.Join(listed, "berta"))
	w.write(w.accounts, w.line()+w.account("anna", known)+w.account("berta", filepath.Join(listed, "berta"))+w.account("carla", later))
	if got := read("berta"); !strings.HasPrefix(got, "+OK 1 ") {
		t.Errorf("berta: %s", got)
	}
	// Elsewhere is out of reach, and the log names the setting. The client hears
	// what it hears of all such trouble.
	got := read("carla")
	if !hasLandlock() {
		return
	}
	if !strings.HasPrefix(got, "-ERR [SYS/TEMP]") || strings.Contains(got, later) {
		t.Errorf("carla: %s", got)
	}
	line := p.stderr.wait(t, `msg="maildrop cannot be opened"`)
	for _, want := range []string{"session=", "confine_mail", "user=carla", later, "hint=\"restart the server"} {
		if !strings.Contains(line, want) {
			t.Errorf("%s is not in\n%s", want, line)
		}
	}
	if strings.Count(line, "open maildrop") != 1 {
		t.Error(line)
	}
	// A folder that is not there is nobody's setting.
	missing := filepath.Join(w.secret, "missing")
	w.write(w.accounts, w.line()+w.account("anna", known)+w.account("carla", later)+w.account("dora", missing))
	read("dora")
	if line := p.stderr.wait(t, "there is no maildrop"); !strings.Contains(line, missing) || !strings.Contains(line, "hint=\"make it") {
		t.Error(line)
	}
	if log := p.hup(); !strings.Contains(log, "has given up what the configuration needs") || !strings.Contains(log, later) {
		t.Errorf("logged:\n%s", log)
	}
	p.end()
	p = w.start(fmt.Sprintf("confine_mail = [%q]", listed))
	if got := read("carla"); !strings.HasPrefix(got, "+OK 1 ") {
		t.Errorf("carla after a restart: %s", got)
	}
	p.end()
}

func TestConfinementCanBeSwitchedOff(t *testing.T) {
	w := newWorld(t)
	p := w.start("confine = false")
	if line := p.stderr.wait(t, "msg=confinement"); !strings.Contains(line, `landlock="not enforced: confine = false"`) || !strings.Contains(line, "nonewprivs=1") {
		t.Error(line)
	}
	w.maildir(filepath.Join(w.secret, "anna"))
	w.write(w.accounts, w.line()+w.account("anna", filepath.Join(w.secret, "anna")))
	c := p.dialTLS(w.data)
	c.login("anna", w.password)
	p.end()
}

// A helper program is confined like the server, and still runs, is ended when it
// takes too long, and decides. Its source's maildrops are within reach.
func TestConfinedHelperPrograms(t *testing.T) {
	w := newWorld(t)
	bin := filepath.Join(filepath.Dir(w.conf), "bin")
	must(t, os.Mkdir(bin, 0o755))
	helper := filepath.Join(bin, "check")
	must(t, os.WriteFile(helper, fmt.Appendf(nil, `#!/bin/sh
said=$(head -c 512 <&3 | tr '\0' '\n')
name=$(echo "$said" | sed -n 1p)
[ "$name" = slow ] && sleep 3600
[ "$name" = thief ] && cat %s/file && exit 0
[ "$(echo "$said" | sed -n 2p)" = right ]
`, w.secret), 0o755))
	for _, user := range []string{"anna", "slow", "thief"} {
		w.maildir(filepath.Join(w.mail, user))
	}
	p := w.start(fmt.Sprintf("[[source]]\ntype = \"program\"\ncommand = [%q]\nmaildir = %q\ntimeout = \"2s\"\n[limits]\nfailure_delay = \"1ms\"\n", helper, filepath.Join(w.mail, "{user}")))
	for user, want := range map[string]string{"anna": "+OK", "slow": "-ERR [SYS/TEMP]"} {
		c := p.dialTLS(w.data)
		c.line()
		c.say("USER " + user)
		if got := c.say("PASS right"); !strings.HasPrefix(got, want) {
			t.Errorf("%s: %s, want %s", user, got, want)
		}
		c.say("QUIT")
	}
	if running := find(t, helper); len(running) > 0 {
		t.Errorf("not ended: %v", running)
	}
	line := p.stderr.wait(t, "msg=confinement")
	if hasLandlock() {
		if strings.Contains(line, "signals") || strings.Contains(line, "connecting") || !strings.Contains(line, "files") || !strings.Contains(line, `sockets="kept: `) {
			t.Errorf("logged: %s", line)
		}
		c := p.dialTLS(w.data)
		c.line()
		c.say("USER thief")
		if got := c.say("PASS wrong"); !strings.HasPrefix(got, "-ERR") {
			t.Errorf("the helper has read what it should not: %s", got)
		}
	}
	p.end()
}

// find returns the processes that run a program. They are killed when the test
// ends.
func find(t *testing.T, program string) (running []int) {
	t.Helper()
	all, err := filepath.Glob("/proc/[0-9]*/cmdline")
	must(t, err)
	for _, name := range all {
		pid, err := strconv.Atoi(filepath.Base(filepath.Dir(name)))
		must(t, err)
		if args, err := os.ReadFile(name); err == nil && bytes.Contains(args, []byte(program+"\x00")) && pid != os.Getpid() {
			running = append(running, pid)
			t.Cleanup(func() { syscall.Kill(-pid, syscall.SIGKILL) })
		}
	}
	return running
}

// A folder that is missing at the start stays out of reach, and that is told of.
func TestMissingFolderIsToldOf(t *testing.T) {
	w := newWorld(t)
	missing := filepath.Join(w.mail, "missing")
	p := w.start(fmt.Sprintf("confine_mail = [%q]", missing))
	if hasLandlock() {
		if line := p.stderr.wait(t, "stays out of reach"); !strings.Contains(line, missing) {
			t.Error(line)
		}
	}
	p.end()
}

// In a container files may lie in the root.
func TestRootIsNotWithinReach(t *testing.T) {
	cfg := config.Default()
	cfg.File, cfg.Accounts = "/postfachd.toml", "/accounts"
	cfg.Sources = []config.Source{{Type: config.FileSource, Maildir: "/{user}"}, {Type: config.ProgramSource, Command: []string{"/helper", "x"}}}
	rules := rulesFor(cfg, "/data")
	for _, list := range [][]string{rules.Write, rules.Read, rules.Run} {
		if slices.Contains(list, "/") {
			t.Errorf("all of it: %+v", rules)
		}
	}
	if !slices.Contains(rules.Read, "/accounts") || !slices.Contains(rules.Read, "/postfachd.toml") || !slices.Contains(rules.Run, "/helper") || !slices.Equal(rules.Write, []string{"/data"}) {
		t.Errorf("%+v", rules)
	}
}

// What a reload would need and a running server cannot have again is told of.
func TestReloadOutOfReachIsToldOf(t *testing.T) {
	w := newWorld(t)
	p := w.start("")
	name := filepath.Join(w.conf, "postfachd.toml")
	w.write(filepath.Join(w.secret, "accounts"), w.line())
	w.write(name, fmt.Sprintf("accounts = %q\n", filepath.Join(w.secret, "accounts")))
	log := p.hup()
	if hasLandlock() && (!strings.Contains(log, "the configuration is as it was: restart the server") || !strings.Contains(log, "has given up") || !strings.Contains(log, w.secret)) {
		t.Errorf("logged:\n%s", log)
	}
	c := p.dialTLS(w.data)
	c.login("postfach", w.password)
	w.write(name, fmt.Sprintf("accounts = %q\nconfine = false\n", w.accounts))
	if log := p.hup(); hasLandlock() && !strings.Contains(log, "has given up") {
		t.Errorf("logged:\n%s", log)
	}
	p.end()
}

// status is what the kernel says of all threads.
func (p *program) status() (threads [][]byte) {
	p.t.Helper()
	tasks, err := os.ReadDir(fmt.Sprintf("/proc/%d/task", p.cmd.Process.Pid))
	must(p.t, err)
	for _, task := range tasks {
		status, err := os.ReadFile(fmt.Sprintf("/proc/%d/task/%s/status", p.cmd.Process.Pid, task.Name()))
		if err == nil {
			threads = append(threads, status)
		}
	}
	return threads
}

// Promise 19, for each way to start: while the server serves it is not root, and
// has no capability, none that it could take back, and none to hand on.
func TestNoPowersWhileServing(t *testing.T) {
	const nobody = 65534
	ways := map[string]func() *program{
		"user": func() *program { return nil },
	}
	if os.Getuid() == 0 {
		exe := program4All(t)
		start := func(who *syscall.SysProcAttr, wrap ...string) *program {
			data := newData(t)
			must(t, os.Chown(filepath.Dir(data), nobody, nobody))
			args := append(wrap, exe, "--data", data, "--pop3", "127.0.0.1:0", "--pop3s", "127.0.0.1:0")
			cmd := exec.Command(args[0], args[1:]...)
			cmd.SysProcAttr = who
			cmd.Dir = filepath.Dir(data)
			return started(t, cmd)
		}
		ways = map[string]func() *program{
			"root": func() *program { return start(nil) },
			"root with more to hand on": func() *program {
				return start(&syscall.SysProcAttr{AmbientCaps: []uintptr{unix.CAP_NET_BIND_SERVICE, unix.CAP_DAC_OVERRIDE}})
			},
			"user": func() *program {
				return start(&syscall.SysProcAttr{Credential: &syscall.Credential{Uid: nobody, Gid: nobody}})
			},
			"user with the capability": func() *program { // as AmbientCapabilities= does
				return start(&syscall.SysProcAttr{Credential: &syscall.Credential{Uid: nobody, Gid: nobody}, AmbientCaps: []uintptr{unix.CAP_NET_BIND_SERVICE}})
			},
			"by setpriv": func() *program {
				setpriv := peer.Need(t, "setpriv")
				return start(nil, setpriv, "--reuid=65534", "--regid=65534", "--clear-groups", "--inh-caps=+net_bind_service", "--ambient-caps=+net_bind_service")
			},
		}
	} else {
		ways["user"] = func() *program { return serveIn(t, newData(t)) }
	}
	for name, start := range ways {
		t.Run(name, func(t *testing.T) {
			p := start()
			p.stdout.wait(t, "listening pop3s ")
			for _, status := range p.status() {
				for _, want := range []string{"CapInh", "CapPrm", "CapEff", "CapAmb"} {
					if !bytes.Contains(status, []byte(want+":\t0000000000000000\n")) {
						t.Errorf("%s is not empty:\n%s", want, status)
					}
				}
				if !bytes.Contains(status, []byte("NoNewPrivs:\t1\n")) || regexp.MustCompile(`(?m)^(Uid|Gid|Groups):.*\b0\b`).Match(status) {
					t.Errorf("it is root, or could be:\n%s", status)
				}
			}
			line := p.stderr.wait(t, "msg=confinement")
			if strings.Contains(line, "uid=0 ") || !strings.Contains(line, "capeff=0000000000000000") || strings.Contains(p.stderr.String(), "not as confined") {
				t.Error(line)
			}
			p.end()
		})
	}
}

// program4All is the test's own program, where everybody can run it.
func program4All(t *testing.T) string {
	t.Helper()
	exe, err := os.Executable()
	must(t, err)
	octets, err := os.ReadFile(exe)
	must(t, err)
	program := filepath.Join(tempDir(t), "postfachd")
	must(t, os.WriteFile(program, octets, 0o755))
	return program
}

// The capability is for ports below 1024, and is gone when they are open.
func TestCapabilityBindsLowPortsFirst(t *testing.T) {
	needRoot(t)
	data := begunData(t)
	must(t, os.Chown(filepath.Dir(data), 65534, 65534))
	must(t, os.Chown(data, 65534, 65534))
	giveToOwner(t, data)
	// The port for ACME's challenges is one of them. Nobody answers at the other.
	name := filepath.Join(tempDir(t), "postfachd.toml")
	must(t, os.WriteFile(name, fmt.Appendf(nil, `
[[listener]]
address = "127.0.0.1:%d"
[tls.acme]
hosts = ["mail.example.org"]
agree = true
directory = "https://127.0.0.1:1/directory"
listen = "127.0.0.1:%d"
`, lowPort(t, 1023), lowPort(t, 800)), 0o644))
	cmd := exec.Command(program4All(t), "--data", data, "--config", name)
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: 65534, Gid: 65534}, AmbientCaps: []uintptr{unix.CAP_NET_BIND_SERVICE}}
	cmd.Dir = filepath.Dir(data)
	p := started(t, cmd)
	if got := p.dial().line(); !strings.HasPrefix(got, "+OK") {
		t.Error(got)
	}
	if line := p.stderr.wait(t, "msg=confinement"); !strings.Contains(line, "capeff=0000000000000000") {
		t.Error(line)
	}
	config, err := os.ReadFile(name)
	must(t, err)
	_, challenges, _ := strings.Cut(strings.TrimSpace(string(config)), `listen = "`)
	conn, err := net.Dial("tcp", strings.TrimSuffix(challenges, `"`))
	must(t, err)
	conn.Close()
	p.end()
}

// lowPort is a low one that nobody listens on, at most highest.
func lowPort(t *testing.T, highest int) int {
	t.Helper()
	for port := highest; port > highest-200; port-- {
		if l, err := net.Listen("tcp4", fmt.Sprintf("127.0.0.1:%d", port)); err == nil {
			l.Close()
			return port
		}
	}
	t.Fatal("no free port below 1024")
	return 0
}

// The authorities of the system may lie anywhere, behind links. They are trusted when
// files are given up, too.
func TestSystemAuthoritiesOutlastTheConfinement(t *testing.T) {
	asked := make(chan string, 100)
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		select {
		case asked <- r.URL.Path:
		default:
		}
		http.Error(w, "no", http.StatusTeapot)
	}))
	server.Config.ErrorLog = slog.NewLogLogger(slog.DiscardHandler, slog.LevelInfo)
	server.StartTLS()
	t.Cleanup(server.Close)
	elsewhere, links, dir := tempDir(t), tempDir(t), tempDir(t)
	writeOpen(t, filepath.Join(elsewhere, "bundle.pem"), pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw}))
	must(t, os.Symlink(filepath.Join(elsewhere, "bundle.pem"), filepath.Join(links, "bundle.pem")))
	t.Setenv("SSL_CERT_FILE", filepath.Join(links, "bundle.pem"))
	t.Setenv("SSL_CERT_DIR", links)
	name := filepath.Join(dir, "postfachd.toml")
	writeOpen(t, name, fmt.Appendf(nil, "[tls.acme]\nhosts = [\"mail.example.org\"]\nagree = true\ndirectory = \"%s/directory\"\nlisten = \"127.0.0.1:0\"\n", server.URL))
	p := serveIn(t, begunData(t), "--config", name)
	select {
	case <-asked:
	case <-time.After(patience):
		t.Error("the ACME server is not believed")
	}
	if reach := p.stderr.String(); strings.Contains(reach, elsewhere) {
		t.Errorf("it is within reach, so that this tests nothing:\n%s", reach)
	}
	p.end()
}
