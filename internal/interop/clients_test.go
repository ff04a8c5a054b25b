//go:build unix

package interop

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"postfach/internal/peer"
)

// A mode is a way to log in.
type mode string

const (
	clear mode = "clear" // USER and PASS on loopback
	apop  mode = "APOP"
	stls  mode = "STLS"
	tls   mode = "TLS"
)

// A client is somebody else's mail program.
type client struct {
	name  string
	needs []string
	modes []mode
	// numbered: the files that fetch leaves are named after message numbers;
	// else they are 1, 2, 3 in the order of delivery.
	numbered bool
	// lf: the program, or where it delivers to, has LF line ends.
	lf bool
	// added removes what the program adds to every message.
	added func(octets []byte) []byte
	// fetch gets n messages into the folder "mail" of home.
	fetch func(t *testing.T, w *world, m mode, home string, n int) (output string, err error)
}

func clients() []client {
	all := []mode{clear, apop, stls, tls}
	return []client{
		{"curl", []string{"curl"}, all, true, false, nil, curl},
		{"fetchmail", []string{"fetchmail"}, all, false, false, nil, fetchmail},
		{"mpop", []string{"mpop"}, all, false, true, nil, mpop},
		{"getmail6", []string{"getmail", "/usr/bin/python3"}, []mode{clear, apop, tls}, false, true, withoutReturnPath, getmail}, // it has no STLS
		{"poplib", []string{"python3"}, all, true, false, nil, poplib},
		{"Net::POP3", []string{"perl"}, all, true, false, nil, netPOP3},
	}
}

// withoutReturnPath removes the line that getmail6 begins every message with.
// What is below it is what was fetched.
func withoutReturnPath(octets []byte) []byte {
	if line, rest, found := bytes.Cut(octets, []byte("\n")); found && bytes.HasPrefix(line, []byte("Return-Path: ")) {
		return rest
	}
	return octets
}

func (w *world) port(m mode) string {
	if m == tls {
		return w.tls
	}
	return w.plain
}

// curl writes each message to a file of its number.
func curl(t *testing.T, w *world, m mode, home string, n int) (string, error) {
	scheme := "pop3"
	args := []string{"-q", "-sS", "-4", "--cacert", w.ca(), "--user", user + ":" + password}
	switch m {
	case tls:
		scheme = "pop3s"
	case stls:
		args = append(args, "--ssl-reqd")
	case apop:
		args = append(args, "--login-options", "AUTH=+APOP")
	}
	args = append(args, fmt.Sprintf("%s://localhost:%s/[1-%d]", scheme, w.port(m), n), "-o", filepath.Join(home, "mail", "#1"))
	return run(t, home, "", "curl", args...)
}

// deliver is a program that writes standard input to mail/1, mail/2 and so on.
const deliver = `#!/bin/sh
set -e
cd "$(dirname "$0")"
n=$(($(cat last) + 1))
cat >"mail/$n"
echo "$n" >last
`

func mda(t *testing.T, home string) string {
	t.Helper()
	write(t, filepath.Join(home, "last"), "0\n", 0o600)
	return write(t, filepath.Join(home, "deliver"), deliver, 0o700)
}

// fetchmail passes each message to the delivery program.
func fetchmail(t *testing.T, w *world, m mode, home string, _ int) (string, error) {
	protocol, security := "POP3", "sslproto ''"
	switch m {
	case apop:
		protocol = "APOP"
	case stls:
		security = "sslproto TLS1.2+ sslcertck sslcertfile " + w.ca()
	case tls:
		security = "ssl sslcertck sslcertfile " + w.ca()
	}
	rc := fmt.Sprintf(`set invisible
set no bouncemail
poll localhost protocol %s port %s no dns no envelope bad-header accept
  user "%s" password "%s" %s
  fetchall keep no rewrite no mimedecode no stripcr pass8bits no dropdelivered no dropstatus
  mda "%s"
`, protocol, w.port(m), user, password, security, mda(t, home))
	file := write(t, filepath.Join(home, "fetchmailrc"), rc, 0o600)
	return run(t, home, "", "fetchmail", "--nodetach", "--nosyslog", "-f", file, "--pidfile", filepath.Join(home, "pid"), "-i", filepath.Join(home, "ids"))
}

// mpop passes each message to the delivery program.
func mpop(t *testing.T, w *world, m mode, home string, _ int) (string, error) {
	security, auth := "tls off", "auth user"
	switch m {
	case apop:
		auth = "auth apop"
	case stls:
		security = "tls on\ntls_starttls on\ntls_trust_file " + w.ca()
	case tls:
		security = "tls on\ntls_starttls off\ntls_trust_file " + w.ca()
	}
	rc := fmt.Sprintf(`account default
host localhost
port %s
user %s
password %s
%s
%s
keep on
received_header off
uidls_file %s
delivery mda %s
`, w.port(m), user, password, auth, security, filepath.Join(home, "uidls"), mda(t, home))
	file := write(t, filepath.Join(home, "mpoprc"), rc, 0o600)
	return run(t, home, "", "mpop", "-C", file, "--quiet")
}

// getmail passes each message to the delivery program.
func getmail(t *testing.T, w *world, m mode, home string, _ int) (string, error) {
	t.Helper()
	kind, more := "SimplePOP3Retriever", ""
	switch m {
	case apop:
		more = "use_apop = True"
	case tls:
		kind, more = "SimplePOP3SSLRetriever", "ca_certs = "+w.ca()
	}
	program, err := filepath.Abs(filepath.Join("testdata", "getmail.py"))
	if err != nil {
		t.Fatal(err)
	}
	rc := fmt.Sprintf(`[retriever]
type = %s
server = localhost
port = %s
username = %s
password = %s
timeout = 60
%s
[destination]
type = MDA_external
path = %s
allow_root_commands = True
[options]
read_all = True
delete = False
received = False
delivered_to = False
verbose = 0
`, kind, w.port(m), user, password, more, mda(t, home))
	file := write(t, filepath.Join(home, "getmailrc"), rc, 0o600)
	// The system's Python, which is the one that has getmail6.
	return run(t, home, "", "/usr/bin/python3", program, "--getmaildir", home, "--rcfile", file)
}

func poplib(t *testing.T, w *world, m mode, home string, _ int) (string, error) {
	return script(t, w, m, home, "python3", "fetch_poplib.py")
}

func netPOP3(t *testing.T, w *world, m mode, home string, _ int) (string, error) {
	return script(t, w, m, home, "perl", "fetch_netpop3.pl")
}

// script runs one of our scripts around somebody's library.
func script(t *testing.T, w *world, m mode, home, program, name string) (string, error) {
	t.Helper()
	path, err := filepath.Abs(filepath.Join("testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	return run(t, home, password+"\n", program, path, string(m), "localhost", w.port(m), user, w.ca(), filepath.Join(home, "mail"))
}

// available skips a client that is not there.
func (c client) available(t *testing.T) {
	t.Helper()
	for _, program := range c.needs {
		peer.Need(t, program)
	}
	if c.name == "Net::POP3" {
		if out, err := run(t, t.TempDir(), "", "perl", "-MNet::POP3", "-MIO::Socket::SSL", "-MDigest::MD5", "-e", "1"); err != nil {
			peer.Missing(t, "Perl lacks a module: %s", out)
		}
	}
}

// home makes a folder for one run of a client. Others than root may enter it.
func (w *world) home(t *testing.T) string {
	t.Helper()
	home, err := os.MkdirTemp(w.dir, "home")
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir(filepath.Join(home, "mail"), 0o755); err != nil {
		t.Fatal(err)
	}
	return home
}
