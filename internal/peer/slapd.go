//go:build unix

package peer

import (
	"net"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// A Slapd is a running OpenLDAP server for dc=example,dc=org.
type Slapd struct {
	Plain, TLS string // URLs: ldap, with StartTLS, and ldaps
	Socket     string // the URL of its socket: ldapi
	Cert       *Certificate
	dir        string
	program    string
	process    *Process
}

// What the server's administrator is called, and its password.
const (
	SlapdRoot     = "cn=admin,dc=example,dc=org"
	SlapdPassword = "admin secret"
)

// StartSlapd starts a server that holds the entries of an LDIF text below
// dc=example,dc=org, which is there. Schemas: core, cosine, inetorgperson. more
// goes into slapd.conf, before the database.
func StartSlapd(t testing.TB, ldif, more string) *Slapd {
	t.Helper()
	s := &Slapd{program: Need(t, "slapd"), Cert: NewCertificate(t)}
	slapadd := Need(t, "slapadd")
	// Not the folder of the test: the path of a socket has at most 107 octets.
	dir, err := os.MkdirTemp("", "ldap")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	s.dir = dir
	if err := os.Mkdir(filepath.Join(dir, "db"), 0o700); err != nil {
		t.Fatal(err)
	}
	conf := strings.NewReplacer("DIR", dir, "CERTFILE", s.Cert.CertFile, "KEYFILE", s.Cert.KeyFile, "ROOTDN", SlapdRoot, "ROOTPW", SlapdPassword, "MORE", more).Replace(slapdConfig)
	for name, text := range map[string]string{"slapd.conf": conf, "entries.ldif": slapdBase + ldif} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	add := exec.Command(slapadd, "-f", filepath.Join(dir, "slapd.conf"), "-l", filepath.Join(dir, "entries.ldif"))
	if out, err := add.CombinedOutput(); err != nil {
		t.Fatalf("slapadd: %v\n%s", err, out)
	}
	s.Socket = "ldapi://" + url.PathEscape(filepath.Join(dir, "ldapi"))
	s.Plain = "ldap://" + net.JoinHostPort("127.0.0.1", freePort(t))
	s.TLS = "ldaps://" + net.JoinHostPort("localhost", freePort(t))
	s.Start(t)
	return s
}

// Start starts a server that was stopped. What it held is still there.
func (s *Slapd) Start(t testing.TB) {
	t.Helper()
	up := make(chan struct{})
	began := false
	urls := strings.Join([]string{s.Plain, strings.Replace(s.TLS, "localhost", "127.0.0.1", 1), s.Socket}, " ")
	cmd := exec.Command(s.program, "-d", "256", "-h", urls, "-f", filepath.Join(s.dir, "slapd.conf"))
	s.process = Start(t, cmd, func(line string) {
		if !began && strings.Contains(line, "slapd starting") {
			began = true
			close(up)
		}
	})
	wait(t, s.process, up)
	s.listens(t)
}

// listens returns when the server listens, which it says a little too early.
func (s *Slapd) listens(t testing.TB) {
	t.Helper()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for range 2000 {
		// The last one that it listens on.
		if c, err := net.Dial("unix", filepath.Join(s.dir, "ldapi")); err == nil {
			c.Close()
			return
		}
		select {
		case <-s.process.Done():
			t.Fatalf("slapd does not start:\n%s", s.process.Output())
		case <-tick.C:
		}
	}
	t.Fatal("slapd does not listen")
}

// Stop ends the server, and returns when it has ended.
func (s *Slapd) Stop() { s.process.Stop() }

// Log returns what the server wrote: a line for each operation.
func (s *Slapd) Log() string { return s.process.Output() }

const slapdConfig = `
include /etc/ldap/schema/core.schema
include /etc/ldap/schema/cosine.schema
include /etc/ldap/schema/inetorgperson.schema
modulepath /usr/lib/ldap
moduleload back_mdb
pidfile DIR/pid
TLSCertificateFile CERTFILE
TLSCertificateKeyFile KEYFILE
access to attrs=userPassword by anonymous auth by * none
access to * by * read
MORE
database mdb
suffix "dc=example,dc=org"
rootdn "ROOTDN"
rootpw "ROOTPW"
directory DIR/db
maxsize 10485760
`

const slapdBase = `dn: dc=example,dc=org
objectClass: domain
dc: example

`
