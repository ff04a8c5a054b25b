//go:build unix

package main

import (
	"encoding/pem"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"postfach/internal/certificates"
	"postfach/internal/config"
	"postfach/internal/confine"
	"postfach/internal/datafolder"
	"postfach/internal/hint"
	"postfach/internal/peer"
)

// silentServer accepts connections and never says a word. Each is an event.
func silentServer(t *testing.T) (address string, came <-chan struct{}) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	must(t, err)
	connections := make(chan struct{}, 1000)
	go func() {
		var all []net.Conn
		for {
			c, err := l.Accept()
			if err != nil {
				for _, c := range all {
					c.Close()
				}
				return
			}
			all = append(all, c)
			connections <- struct{}{}
		}
	}()
	t.Cleanup(func() { l.Close() })
	return l.Addr().String(), connections
}

// Promise 20: a reload that waits for somebody holds up nobody, and however many
// SIGHUPs wait behind it, SIGTERM is heard.
func TestSIGTERMIsNotLostBehindSIGHUPs(t *testing.T) {
	address, asked := silentServer(t)
	name := filepath.Join(tempDir(t), "postfachd.toml")
	writeOpen(t, name, fmt.Appendf(nil, "[[source]]\ntype = \"ldap\"\nurl = \"ldap://%s\"\nbase = \"dc=x\"\nfilter = \"(uid={user})\"\ntimeout = \"1h\"\n", address))
	p := serveIn(t, begunData(t), "--config", name)
	p.stderr.wait(t, "msg=listening protocol=pop3s")
	for len(asked) > 0 {
		<-asked
	}
	p.signal(syscall.SIGHUP)
	<-asked // the reload waits for the directory
	// Those that come too fast are one. So the server has to have heard each.
	for range 50 {
		p.signal(syscall.SIGHUP)
		if got := p.dial().line(); !strings.HasPrefix(got, "+OK") {
			t.Error(got)
		}
	}
	p.signal(syscall.SIGTERM)
	if code := p.wait(); code != 0 {
		t.Errorf("exit code %d", code)
	}
	if log := p.stderr.String(); strings.Contains(log, "msg=reloaded") || strings.Contains(log, "reload incomplete") || !strings.Contains(log, "msg=ended") {
		t.Errorf("SIGTERM has waited for the reload:\n%s", log)
	}
}

// A configuration holds as a whole or not at all.
func TestConfigurationIsPutIntoForceWholeOrNotAtAll(t *testing.T) {
	dir, data := tempDir(t), begunData(t)
	name := filepath.Join(dir, "postfachd.toml")
	pair := func(name string, from *peer.Certificate) string {
		for ending, file := range map[string]string{".pem": from.CertFile, ".key": from.KeyFile} {
			octets, err := os.ReadFile(file)
			must(t, err)
			writeOpen(t, filepath.Join(dir, name+ending), octets)
		}
		return fmt.Sprintf("certificate = \"%[1]s.pem\"\nkey = \"%[1]s.key\"\n", name)
	}
	first, second := peer.NewCertificate(t), peer.NewCertificate(t)
	writeOpen(t, filepath.Join(dir, "nonsense"), []byte("nonsense\n"))
	writeOpen(t, name, []byte("confine = false\ngreeting = \"first\"\n[tls]\n"+pair("first", first)))
	p := serveIn(t, data, "--config", name)
	for wrong, c := range map[string]struct{ top, tls string }{
		"certificate not reloaded":                 {"", "certificate = \"nonsense\"\nkey = \"nonsense\"\n"},
		"accounts not reloaded":                    {"accounts = \"nonsense\"\n", pair("second", second)},
		"certificate not reloaded\" err=\"root of": {"", pair("second", second) + "[tls.acme]\nhosts = [\"mail.example.org\"]\nagree = true\nca = \"nonsense\"\nlisten = \"127.0.0.1:0\"\n"},
	} {
		writeOpen(t, name, []byte("confine = false\ngreeting = \"second\"\n"+c.top+"[tls]\n"+c.tls))
		if log := p.hup(); !strings.Contains(log, wrong) || !strings.Contains(log, `msg="reload incomplete"`) {
			t.Errorf("%s is not in\n%s", wrong, log)
		}
		if got := p.dial().line(); got != "+OK first" {
			t.Errorf("%s: greeting %q", wrong, got)
		}
		if _, err := p.greet("pop3s", first.Client); err != nil {
			t.Errorf("%s: not the certificate of before: %v", wrong, err)
		}
	}
	writeOpen(t, name, []byte("confine = false\ngreeting = \"third\"\n[tls]\n"+pair("second", second)))
	if log := p.hup(); !strings.Contains(log, "msg=reloaded") {
		t.Errorf("logged:\n%s", log)
	}
	if got := p.dial().line(); got != "+OK third" {
		t.Errorf("greeting %q", got)
	}
	if _, err := p.greet("pop3s", second.Client); err != nil {
		t.Error(err)
	}
	p.end()
}

// "reloaded" is said when all is in force. What needs a restart is named.
func TestReloadedIsSaidWhenAllIsInForce(t *testing.T) {
	const acme = "[tls.acme]\nhosts = [\"mail.example.org\"]\nagree = true\ndirectory = \"https://127.0.0.1:1/directory\"\n"
	const listening = "listen = \"127.0.0.1:0\"\n"
	const listener = "[[listener]]\naddress = \"127.0.0.1:0\"\n"
	for what, c := range map[string]struct{ before, after, restart string }{
		"another address":            {listener, "[[listener]]\naddress = \"127.0.0.2:0\"\n", "listener"},
		"one address less":           {listener + listener, listener, "listener"},
		"another data folder":        {listener, "data = \"/elsewhere\"\n" + listener, "data"},
		"confined":                   {"confine = false\n" + listener, listener, "confine"},
		"another ACME address":       {listener + acme + listening, listener + acme + "listen = \"127.0.0.2:0\"\n", "tls.acme"},
		"no ACME any more":           {listener + acme + listening, listener, "tls.acme"},
		"ACME from now on":           {"confine = false\n" + listener, "confine = false\n" + listener + acme + listening, "tls.acme"},
		"another ACME challenge":     {listener + acme + listening, listener + acme + listening + "challenge = \"tls-alpn-01\"\n", "tls.acme"},
		"nothing":                    {listener + acme + listening, listener + acme + listening, ""},
		"something about an address": {listener, listener + "allow_cleartext = true\n", ""},
	} {
		t.Run(what, func(t *testing.T) {
			dir := tempDir(t)
			name := filepath.Join(dir, "postfachd.toml")
			args := []string{"--config", name}
			if what != "another data folder" {
				args = append(args, "--data", begunData(t))
			} else {
				data := begunData(t)
				c.before, c.after = fmt.Sprintf("data = %q\n", data)+c.before, fmt.Sprintf("data = %q\n", data+"2")+listener
			}
			writeOpen(t, name, []byte(c.before))
			p := launch(t, args...)
			p.stderr.wait(t, "msg=listening")
			writeOpen(t, name, []byte(c.after))
			log := p.hup()
			if got := strings.Contains(log, "msg=reloaded"); got != (c.restart == "") {
				t.Errorf("logged:\n%s", log)
			}
			if c.restart != "" && !strings.Contains(log, `msg="reload incomplete" restart=`+c.restart+" ") {
				t.Errorf("%s is not named:\n%s", c.restart, log)
			}
			p.end()
		})
	}
}

// Where sockets were given up, a directory on another machine waits for the restart, and
// the accounts of before get in.
func TestReloadPutsNoAccountsIntoForceThatNobodyReaches(t *testing.T) {
	address, _ := silentServer(t)
	data, name := begunData(t), filepath.Join(tempDir(t), "postfachd.toml")
	writeOpen(t, name, []byte("greeting = \"old\"\n"))
	p := serveIn(t, data, "--config", name)
	if line := p.stderr.wait(t, "msg=confinement"); !strings.Contains(line, `sockets="given up"`) {
		t.Skip("sockets cannot be given up here")
	}
	writeOpen(t, name, fmt.Appendf(nil, "greeting = \"new\"\n[[source]]\ntype = \"ldap\"\nurl = \"ldap://%s\"\nbase = \"dc=x\"\nfilter = \"(uid={user})\"\n[[source]]\ntype = \"file\"\n", address))
	log := p.hup()
	for _, want := range []string{"has given up what the configuration needs now", `other machines"`, "the configuration is as it was: restart the server"} {
		if !strings.Contains(log, want) {
			t.Errorf("%s is not in\n%s", want, log)
		}
	}
	if got := p.dial().line(); got != "+OK old" {
		t.Errorf("greeting %q", got)
	}
	p.dialTLS(data).login("postfach", firstPassword(t, data))
	p.end()
}

// The end does not wait for a disk that has certificates.
func TestSIGTERMDoesNotWaitForACertificate(t *testing.T) {
	dir := tempDir(t)
	cert := peer.NewCertificate(t)
	pair := certificates.Pair{Certificate: filepath.Join(dir, "cert.pem"), Key: cert.KeyFile}
	text, err := os.ReadFile(cert.CertFile)
	must(t, err)
	must(t, os.WriteFile(pair.Certificate, text, 0o600))
	log := slog.New(slog.DiscardHandler)
	set := &certificates.Set{Log: log}
	must(t, set.Load(certificates.Files{Pairs: []certificates.Pair{pair}}))
	must(t, os.Remove(pair.Certificate))
	must(t, syscall.Mkfifo(pair.Certificate, 0o600))
	minute := make(chan time.Time)
	d := &daemon{cfg: config.Default(), log: log, tls: &tlsState{certificates: set, minute: minute}, failed: make(chan error, 1)}
	heard, ended := signals{hup: make(chan os.Signal), end: make(chan os.Signal, 1)}, make(chan error)
	go func() { ended <- d.run(heard) }()
	minute <- time.Now()
	disk, err := os.OpenFile(pair.Certificate, os.O_WRONLY, 0) // when somebody reads it
	must(t, err)
	defer disk.Close()
	heard.end <- syscall.SIGTERM
	select {
	case err := <-ended:
		must(t, err)
	case <-time.After(patience):
		t.Fatal("the end waits for the disk")
	}
}

// An ACME server's new root is used after SIGHUP, although its file is called as
// before.
func TestNewRootBehindTheSamePathIsRead(t *testing.T) {
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
	dir := tempDir(t)
	ca := filepath.Join(dir, "ca.pem")
	_, stranger, _ := signed(t, ecdsaKey(t), nil, nil)
	writeOpen(t, ca, stranger)
	name := filepath.Join(dir, "postfachd.toml")
	writeOpen(t, name, fmt.Appendf(nil, "[tls.acme]\nhosts = [\"mail.example.org\"]\nagree = true\ndirectory = \"%s/directory\"\nca = \"ca.pem\"\nlisten = \"127.0.0.1:0\"\n", server.URL))
	p := serveIn(t, begunData(t), "--config", name)
	p.stderr.wait(t, "certificate signed by unknown authority")
	if len(asked) > 0 {
		t.Fatal("a stranger is believed")
	}
	writeOpen(t, ca, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw}))
	if log := p.hup(); !strings.Contains(log, "msg=reloaded") {
		t.Errorf("logged:\n%s", log)
	}
	select {
	case path := <-asked:
		if path != "/directory" {
			t.Error(path)
		}
	case <-time.After(patience):
		t.Error("the new root is not used")
	}
	p.end()
}

// What a person has put where the server can write is not run.
func TestProgramsWhereTheServerWritesAreRefused(t *testing.T) {
	dir, data := tempDir(t), begunData(t)
	mail := filepath.Join(dir, "mail")
	for _, name := range []string{mail, filepath.Join(dir, "bin")} {
		must(t, os.Mkdir(name, 0o755))
	}
	name := filepath.Join(dir, "postfachd.toml")
	for where, c := range map[string]struct {
		program, more string
		refused       bool
	}{
		"in the data folder":          {filepath.Join(data, "helper"), "", true},
		"below confine_mail":          {filepath.Join(mail, "helper"), fmt.Sprintf("confine_mail = [%q]\n", mail), true},
		"above what is written":       {filepath.Join(dir, "helper"), fmt.Sprintf("confine_mail = [%q]\n", mail), true},
		"in a folder of its own":      {filepath.Join(dir, "bin", "helper"), fmt.Sprintf("confine_mail = [%q]\n", mail), false},
		"in the data folder, and not": {filepath.Join(data, "helper"), "confine = false\n", false},
	} {
		t.Run(where, func(t *testing.T) {
			must(t, os.WriteFile(c.program, []byte("#!/bin/sh\nexit 1\n"), 0o755))
			must(t, os.Chmod(c.program, 0o755))
			defer os.Remove(c.program)
			writeOpen(t, name, fmt.Appendf(nil, "%s[[source]]\ntype = \"program\"\ncommand = [%q]\n", c.more, c.program))
			free := []string{"--data", data, "--config", name, "--pop3", "127.0.0.1:0", "--pop3s", ""}
			if c.refused {
				refused(t, "can write", "folder of its own", free...)
				refused(t, "can write", "folder of its own", append(free, "--check")...)
				return
			}
			if p := launch(t, append(slices.Clone(free), "--check")...); p.wait() != 0 {
				t.Errorf("--check:\n%s", p.stderr)
			}
			p := launch(t, free...)
			p.stdout.wait(t, "listening pop3 ")
			p.end()
		})
	}
}

// Mail among the system's folders is not mistaken for programs. Where programs are, it is
// refused, and the hint says what has to move.
func TestMailBesideTheSystemsProgramsIsNoReasonToRefuse(t *testing.T) {
	cfg := config.Default()
	cfg.Sources = []config.Source{{Type: config.ProgramSource, Command: []string{"/usr/local/libexec/helper"}}}
	folder := datafolder.Folder(t.TempDir())
	for mail, want := range map[string]string{
		"/usr/local/vmail":   "", // need not be there
		"/usr/share/doc":     "",
		"/usr":               "keep mail and data elsewhere",
		"/usr/local/libexec": "put helper programs into a folder of its own",
	} {
		cfg.ConfineMail = []string{mail}
		err := checkPrograms(cfg, folder)
		if (err != nil) != (want != "") || !strings.Contains(hint.Of(err), want) {
			t.Errorf("%s: %v, hint %q", mail, err, hint.Of(err))
		}
		if want == "" {
			rules := rulesFor(cfg, folder)
			if rules.Runnable(filepath.Join(mail, "x")) || !rules.Runnable("/usr/bin/env") || !rules.Runnable("/usr/local/libexec/helper") {
				t.Errorf("%s: run %q", mail, rules.Run)
			}
		}
	}
}

// Sockets are given up without Landlock, too, and a reload that needs them says so.
func TestReloadSaysWhatWasGivenUpWithoutLandlock(t *testing.T) {
	cfg := config.Default()
	away := config.Default()
	away.OIDC.Issuer = "https://login.example.org"
	helper := config.Default()
	helper.TLS.ACME = config.ACME{Hosts: []string{"a.example"}, Challenge: config.DNS01, DNSHook: []string{"/usr/bin/true"}}
	free := config.Default()
	free.Confine = false
	folder := datafolder.Folder(t.TempDir())
	had := rulesFor(cfg, folder).Existing()
	for name, c := range map[string]struct {
		given confinement
		cfg   *config.Config
		want  string // in the log; empty: nothing
	}{
		"the same":                  {confinement{rules: had, asked: true, noSockets: true}, cfg, ""},
		"other machines":            {confinement{rules: had, asked: true, noSockets: true}, away, "other machines"},
		"a program":                 {confinement{rules: had, asked: true, noSockets: true}, helper, "ports for helper programs"},
		"a program, with Landlock":  {confinement{rules: had, asked: true, enforced: true}, helper, "/usr,"},
		"nothing was given up":      {confinement{rules: had, asked: true}, helper, ""},
		"not confined from now on":  {confinement{rules: had, asked: true, noSockets: true}, free, "confine has changed"},
		"confined, and was not yet": {confinement{rules: had}, cfg, "confine has changed"},
	} {
		var log strings.Builder
		d := &daemon{folder: folder, confined: c.given, log: slog.New(slog.NewTextHandler(&log, nil))}
		if all := d.hasAll(c.cfg) && d.confinesAlike(c.cfg); all != (c.want == "") || !strings.Contains(log.String(), c.want) || all != (log.Len() == 0) {
			t.Errorf("%s: all is there %t, logged %s", name, all, &log)
		}
	}
	// What may only be read cannot be run.
	reads := confine.Rules{Read: []string{"/usr"}}
	if missing := (&confinement{rules: reads, enforced: true}).lacks(confine.Rules{Run: []string{"/usr/bin"}}); !slices.Equal(missing, []string{"/usr/bin"}) {
		t.Errorf("missing %q", missing)
	}
}
