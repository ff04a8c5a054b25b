//go:build unix

package interop

import (
	"bufio"
	gotls "crypto/tls"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"postfach/internal/peer"
)

// passwdSchemes are what doveadm writes for the file, one account each.
func passwdSchemes() []string {
	return []string{
		"SHA512-CRYPT", "SHA256-CRYPT", "BLF-CRYPT", "CRYPT", "MD5-CRYPT", "ARGON2I", "ARGON2ID", "PBKDF2", "SCRAM-SHA-256", "SCRAM-SHA-1",
		"SSHA", "SSHA256", "SSHA512.HEX", "SHA", "SHA1", "SHA256", "SHA512.B64", "SMD5", "MD5", "PLAIN-MD5", "LDAP-MD5", "CRAM-MD5", "PLAIN", "CLEARTEXT",
	}
}

// A site moves from Dovecot: its passwd-file, as doveadm wrote it, lets in and
// keeps out the same people in both servers.
func TestPasswdFileOfDovecotIsUsedUnchanged(t *testing.T) {
	doveadm := peer.Need(t, "doveadm")
	const right = "Blau. 42 Schafe"
	var file strings.Builder
	var users []string
	line := func(user, secret, extra string) {
		fmt.Fprintf(&file, "%s:%s:1000:1000::/home/%s::%s\n", user, secret, user, extra)
		users = append(users, user)
	}
	hash := func(scheme string) string {
		out, err := exec.Command(doveadm, "pw", "-s", scheme, "-p", right).Output()
		if err != nil {
			t.Fatal(err)
		}
		return strings.TrimSpace(string(out))
	}
	for _, scheme := range passwdSchemes() {
		line("u"+strings.ToLower(strings.ReplaceAll(scheme, ".", "-")), hash(scheme), "")
	}
	_, bare, _ := strings.Cut(hash("SHA512-CRYPT"), "}")
	scram := hash("SCRAM-SHA-256")
	line("bare", "{CRYPT}"+bare, "")
	line("near", scram, "allow_nets=127.0.0.0/8,::1")
	line("far", scram, "allow_nets=10.0.0.0/8")
	line("nologin", scram, "nologin")
	line("fields", scram, "app:phone=2026-11-23,"+scram+" userdb_quota_rule=*:storage=1G tls=required")

	var peers []peer.User
	for _, user := range users {
		peers = append(peers, peer.User{Name: user, Password: "replaced below"})
	}
	dovecot := peer.StartDovecotWith(t, "plain", peers...)
	theirs := filepath.Join(filepath.Dir(filepath.Dir(dovecot.Maildir("bare"))), "users")
	if err := os.WriteFile(theirs, []byte(file.String()), 0o644); err != nil {
		t.Fatal(err)
	}

	w := build(t)
	w.addUser(t, "first", "p", false)
	if err := os.WriteFile(filepath.Join(w.data, "accounts"), []byte(file.String()), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, user := range users {
		for _, part := range []string{"new", "cur", "tmp"} {
			if err := os.MkdirAll(filepath.Join(w.data, "mail", user, part), 0o700); err != nil {
				t.Fatal(err)
			}
		}
	}
	if err := w.giveAway(w.data); err != nil {
		t.Fatal(err)
	}
	w.startHasty(t, "")

	ours := net.JoinHostPort("127.0.0.1", w.tls)
	var all sync.WaitGroup
	atOnce := make(chan struct{}, 8) // Dovecot answers wrong passwords twice a second
	for _, user := range users {
		for _, password := range []string{right, right + "x", strings.ToLower(right), " " + right} {
			atOnce <- struct{}{}
			all.Go(func() {
				defer func() { <-atOnce }()
				here, err := letsIn(ours, user, password)
				there, theirErr := letsIn(dovecot.TLS, user, password)
				want := password == right && user != "far" && user != "nologin"
				if here != there || here != want || err != nil || theirErr != nil {
					t.Errorf("%s with %q: postfachd %v (%v), Dovecot %v (%v), want %v", user, password, here, err, there, theirErr, want)
				}
			})
		}
	}
	all.Wait()
}

// letsIn reports whether a server takes a password.
func letsIn(address, user, password string) (bool, error) {
	conn, err := gotls.Dial("tcp", address, &gotls.Config{InsecureSkipVerify: true}) //nolint:gosec // both servers are ours, on this machine
	if err != nil {
		return false, err
	}
	defer conn.Close()
	if err := conn.SetDeadline(time.Now().Add(30 * time.Second)); err != nil {
		return false, err
	}
	r := bufio.NewReader(conn)
	answer := ""
	for _, command := range []string{"", "USER " + user, "PASS " + password} {
		if command != "" {
			fmt.Fprintf(conn, "%s\r\n", command)
		}
		if answer, err = r.ReadString('\n'); err != nil {
			return false, fmt.Errorf("%q: %w", command, err)
		}
	}
	if strings.HasPrefix(answer, "+OK") {
		fmt.Fprint(conn, "QUIT\r\n")
		r.ReadString('\n') // the maildrop is unlocked then
	}
	return strings.HasPrefix(answer, "+OK"), nil
}
