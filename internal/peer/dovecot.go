//go:build unix

package peer

import (
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"
)

// A Dovecot is a running Dovecot: POP3 with STLS, and POP3S.
type Dovecot struct {
	Plain, TLS string // addresses
	Cert       *Certificate
	mechanisms string
	dir        string
	owner      int // of the Maildirs; -1: whoever runs the test
}

// A User is an account of a peer.
type User struct{ Name, Password string }

// nobody owns the mail when root runs the tests: Dovecot reads none as root.
const nobody = 65534

// StartDovecot starts a Dovecot with these accounts and empty maildrops.
func StartDovecot(t testing.TB, users ...User) *Dovecot {
	t.Helper()
	return StartDovecotWith(t, "plain apop", users...)
}

// StartDovecotWith is StartDovecot with other ways to log in, as Dovecot's
// configuration names them.
func StartDovecotWith(t testing.TB, mechanisms string, users ...User) *Dovecot {
	t.Helper()
	program := Need(t, "dovecot")
	// The folder of the test is closed to Dovecot's users.
	dir, err := os.MkdirTemp("", "dovecot")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	if err := os.Chmod(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	d := &Dovecot{Cert: NewCertificate(t), mechanisms: mechanisms, dir: dir, owner: -1}
	if os.Getuid() == 0 {
		d.owner = nobody
	}
	d.accounts(t, users)
	// Two ports that are free now may be taken a moment later by others.
	for try := 1; ; try++ {
		if d.start(t, program) {
			return d
		}
		if try == 3 {
			t.Fatal("dovecot does not start")
		}
	}
}

func (d *Dovecot) accounts(t testing.TB, users []User) {
	t.Helper()
	var file strings.Builder
	for _, u := range users {
		// APOP needs the password itself.
		fmt.Fprintf(&file, "%s:{PLAIN}%s\n", u.Name, u.Password)
		for _, sub := range []string{"cur", "new", "tmp"} {
			d.mkdir(t, filepath.Join(d.Maildir(u.Name), sub))
		}
	}
	if err := os.WriteFile(filepath.Join(d.dir, "users"), []byte(file.String()), 0o644); err != nil {
		t.Fatal(err)
	}
}

// mkdir makes a folder that Dovecot's mail user owns, and those above it.
func (d *Dovecot) mkdir(t testing.TB, name string) {
	t.Helper()
	if err := os.MkdirAll(name, 0o755); err != nil {
		t.Fatal(err)
	}
	for ; d.owner >= 0 && name != d.dir; name = filepath.Dir(name) {
		if err := os.Chown(name, d.owner, d.owner); err != nil {
			t.Fatal(err)
		}
	}
}

// Maildir returns the folder of an account's maildrop.
func (d *Dovecot) Maildir(user string) string { return filepath.Join(d.dir, "mail", user) }

// Deliver puts a message into a maildrop. Messages come in the order of
// number.
func (d *Dovecot) Deliver(t testing.TB, user string, number int, octets []byte) {
	t.Helper()
	name := filepath.Join(d.Maildir(user), "new", fmt.Sprintf("%d.M%dP1.test", 1_600_000_000+number, number))
	if err := os.WriteFile(name, octets, 0o644); err != nil {
		t.Fatal(err)
	}
	if d.owner >= 0 {
		if err := os.Chown(name, d.owner, d.owner); err != nil {
			t.Fatal(err)
		}
	}
}

func (d *Dovecot) start(t testing.TB, program string) bool {
	t.Helper()
	plain, implicit := freePort(t), freePort(t)
	d.Plain = net.JoinHostPort("127.0.0.1", plain)
	d.TLS = net.JoinHostPort("127.0.0.1", implicit)
	conf := filepath.Join(d.dir, "dovecot.conf")
	if err := os.WriteFile(conf, []byte(d.config(version(t, program), plain, implicit)), 0o644); err != nil {
		t.Fatal(err)
	}
	up := make(chan struct{})
	began := false
	p := Start(t, exec.Command(program, "-F", "-c", conf), func(line string) {
		if !began && strings.Contains(line, "starting up for") { // it listens now
			began = true
			close(up)
		}
	})
	late := time.NewTimer(20 * time.Second)
	defer late.Stop()
	select {
	case <-up:
		return true
	case <-late.C:
		p.Stop()
	case <-p.Done():
	}
	t.Logf("dovecot: %s", p.Output())
	return false
}

func version(t testing.TB, program string) string {
	t.Helper()
	out, err := exec.Command(program, "--version").Output()
	if err != nil {
		t.Fatalf("dovecot --version: %v", err)
	}
	version, _, _ := strings.Cut(strings.TrimSpace(string(out)), " ")
	return version
}

// config returns dovecot.conf: sessions exclude each other as RFC 1939 wants,
// LAST and APOP are on, and no failure waits.
func (d *Dovecot) config(version, plain, implicit string) string {
	user, uid, gid := "", os.Getuid(), os.Getgid()
	if d.owner >= 0 {
		uid, gid = d.owner, d.owner
	} else {
		me := strconv.Itoa(os.Getuid())
		if out, err := exec.Command("id", "-un").Output(); err == nil {
			me = strings.TrimSpace(string(out))
		}
		user = "default_internal_user = " + me + "\ndefault_login_user = " + me + "\n" +
			"service anvil {\n  chroot =\n}\nservice stats {\n  chroot =\n}\n"
		if out, err := exec.Command("id", "-gn").Output(); err == nil {
			user += "default_internal_group = " + strings.TrimSpace(string(out)) + "\n"
		}
	}
	own := oldDovecot
	if newer := !strings.HasPrefix(version, "2.3") && !strings.HasPrefix(version, "2.2"); newer {
		own = newDovecot
	}
	return strings.NewReplacer(
		"MECHANISMS", d.mechanisms, "DIR", d.dir, "VERSION", version, "PLAIN", plain, "IMPLICIT", implicit,
		"CERT", d.Cert.CertFile, "KEY", d.Cert.KeyFile,
		"UID", strconv.Itoa(uid), "GID", strconv.Itoa(gid),
	).Replace(own+commonDovecot) + user
}

const commonDovecot = `
protocols = pop3
listen = 127.0.0.1
base_dir = DIR/run
state_dir = DIR/state
log_path = /dev/stderr
ssl = yes
auth_mechanisms = MECHANISMS
auth_failure_delay = 0
first_valid_uid = 1
mail_max_userip_connections = 0
pop3_lock_session = yes
pop3_enable_last = yes
service anvil {
  unix_listener anvil-auth-penalty {
    mode = 0
  }
}
service pop3-login {
  chroot =
  inet_listener pop3 {
    port = PLAIN
  }
  inet_listener pop3s {
    port = IMPLICIT
    ssl = yes
  }
}
`

const oldDovecot = `
mail_location = maildir:DIR/mail/%u
disable_plaintext_auth = no
ssl_cert = <CERT
ssl_key = <KEY
passdb {
  driver = passwd-file
  args = scheme=PLAIN username_format=%u DIR/users
}
userdb {
  driver = static
  args = uid=UID gid=GID home=DIR/mail/%u
}
`

const newDovecot = `
dovecot_config_version = VERSION
dovecot_storage_version = VERSION
mail_driver = maildir
mail_path = DIR/mail/%{user}
mail_home = DIR/mail/%{user}
mail_uid = UID
mail_gid = GID
auth_allow_cleartext = yes
ssl_server_cert_file = CERT
ssl_server_key_file = KEY
passdb passwd-file {
  passwd_file_path = DIR/users
  default_password_scheme = PLAIN
}
userdb static {
  fields {
    uid = UID
    gid = GID
    home = DIR/mail/%{user}
  }
}
`

// freePort returns a loopback port that nobody listens on.
func freePort(t testing.TB) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	_, port, _ := net.SplitHostPort(l.Addr().String())
	return port
}
