//go:build unix

package peer

import (
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"
)

// A Postgres is a running PostgreSQL with one superuser, "test", who needs no
// password.
type Postgres struct {
	Socket  string // the folder of its socket
	Port    string // on loopback, with TLS or without
	Cert    *Certificate
	dir     string
	program string
	process *Process
}

// StartPostgres starts a PostgreSQL with an empty database.
func StartPostgres(t testing.TB) *Postgres {
	t.Helper()
	initdb := needPostgres(t, "initdb")
	// Not the folder of the test: the path of a socket has at most 107 octets.
	dir, err := os.MkdirTemp("", "pg")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	if os.Getuid() == 0 {
		if err := os.Chown(dir, nobody, nobody); err != nil {
			t.Fatal(err)
		}
	}
	p := &Postgres{Socket: dir, Port: freePort(t), Cert: NewCertificate(t), dir: dir, program: needPostgres(t, "postgres")}
	for name, from := range map[string]string{"cert.pem": p.Cert.CertFile, "key.pem": p.Cert.KeyFile} {
		p.give(t, name, from)
	}
	init := p.command(initdb, "-D", "data", "-U", "test", "-A", "trust", "--no-sync", "-E", "UTF8", "--locale=C")
	if out, err := init.CombinedOutput(); err != nil {
		t.Fatalf("initdb: %v\n%s", err, out)
	}
	p.Start(t)
	return p
}

// give copies a file for the server, which wants to own its key.
func (p *Postgres) give(t testing.TB, name, from string) {
	t.Helper()
	octets, err := os.ReadFile(from)
	if err != nil {
		t.Fatal(err)
	}
	name = filepath.Join(p.dir, name)
	if err := os.WriteFile(name, octets, 0o600); err != nil {
		t.Fatal(err)
	}
	if os.Getuid() == 0 {
		if err := os.Chown(name, nobody, nobody); err != nil {
			t.Fatal(err)
		}
	}
}

// needPostgres finds a program that Debian keeps in a folder for each version.
func needPostgres(t testing.TB, program string) string {
	t.Helper()
	if path, err := exec.LookPath(program); err == nil {
		return path
	}
	found, _ := filepath.Glob("/usr/lib/postgresql/*/bin/" + program)
	if len(found) == 0 {
		return Need(t, program)
	}
	slices.SortFunc(found, func(a, b string) int {
		if len(a) != len(b) { // 9 is older than 15
			return len(a) - len(b)
		}
		return strings.Compare(a, b)
	})
	return found[len(found)-1]
}

// command runs in the server's folder, as somebody else than root: PostgreSQL
// refuses root.
func (p *Postgres) command(program string, args ...string) *exec.Cmd {
	cmd := exec.Command(program, args...)
	cmd.Dir = p.dir
	if os.Getuid() == 0 {
		cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: nobody, Gid: nobody}}
	}
	return cmd
}

// Start starts a server that was stopped. What it held is still there.
func (p *Postgres) Start(t testing.TB) {
	t.Helper()
	up := make(chan struct{})
	began := false
	cmd := p.command(p.program, "-D", "data", "-k", p.Socket, "-p", p.Port, "-c", "listen_addresses=127.0.0.1",
		"-c", "ssl=on", "-c", "ssl_cert_file="+filepath.Join(p.dir, "cert.pem"), "-c", "ssl_key_file="+filepath.Join(p.dir, "key.pem"),
		"-c", "fsync=off", "-c", "synchronous_commit=off")
	p.process = Start(t, cmd, func(line string) {
		if !began && strings.Contains(line, "ready to accept connections") {
			began = true
			close(up)
		}
	})
	t.Cleanup(p.Stop)
	wait(t, p.process, up)
}

// Stop ends the server, and all connections to it, and returns when it has ended.
func (p *Postgres) Stop() {
	// SIGTERM, which Process.Stop sends, waits for the clients.
	p.process.Cmd.Process.Signal(syscall.SIGINT)
	late := time.AfterFunc(10*time.Second, p.process.Stop)
	defer late.Stop()
	<-p.process.Done()
}

// URL returns what clients connect with.
func (p *Postgres) URL() string {
	return "postgres://test@/postgres?host=" + p.Socket + "&port=" + p.Port
}

// wait returns when up is closed. A process that ends before, or takes too long,
// fails the test.
func wait(t testing.TB, p *Process, up <-chan struct{}) {
	t.Helper()
	late := time.NewTimer(30 * time.Second)
	defer late.Stop()
	select {
	case <-up:
	case <-late.C:
		t.Fatalf("%s does not start", p.Cmd.Path)
	case <-p.Done():
		t.Fatalf("%s does not start:\n%s", p.Cmd.Path, p.Output())
	}
}

// RequirePassword lets nobody in from the network who has no password, and no TLS.
// The socket stays open. It starts the server anew.
func (p *Postgres) RequirePassword(t testing.TB) {
	t.Helper()
	p.Stop()
	rules := "local all all trust\nhostssl all all 127.0.0.1/32 scram-sha-256\n"
	if err := os.WriteFile(filepath.Join(p.dir, "data", "pg_hba.conf"), []byte(rules), 0o600); err != nil {
		t.Fatal(err)
	}
	p.Start(t)
}
