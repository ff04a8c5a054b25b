//go:build unix

package interop

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"

	"postfach/internal/peer"
)

// The accounts of TestSourcesOfEveryKind: each source has one that is open and one
// that is closed.
const (
	directoryEntries = `dn: ou=people,dc=example,dc=org
objectClass: organizationalUnit
ou: people

dn: cn=postfach,dc=example,dc=org
objectClass: person
cn: postfach
sn: postfach
userPassword: for searches only

dn: uid=linda,ou=people,dc=example,dc=org
objectClass: inetOrgPerson
uid: linda
mail: linda@example.org
cn: L
sn: L
userPassword: lindas secret

dn: uid=lost,ou=people,dc=example,dc=org
objectClass: inetOrgPerson
uid: lost
cn: L
sn: L
employeeType: former
userPassword: losts secret

`
	databaseSchema = `CREATE TABLE users (name text, password text, maildir text, active boolean);
CREATE ROLE postfach LOGIN PASSWORD 'for queries only';
GRANT SELECT ON users TO postfach`
	helperProgram = `#!/bin/sh
login=$(tr '\000' '|' <&3 | cut -d'|' -f1,2)
[ "$login" = 'paula|paulas secret' ]
`
)

// startDatabase starts a PostgreSQL that wants a password on the network.
func startDatabase(t *testing.T, w *world) *peer.Postgres {
	t.Helper()
	server := peer.StartPostgres(t)
	c, err := pgx.Connect(t.Context(), server.URL())
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close(context.Background())
	execute := func(sql string, args ...any) {
		t.Helper()
		if _, err := c.Exec(t.Context(), sql, args...); err != nil {
			t.Fatal(err)
		}
	}
	execute(databaseSchema)
	for user, active := range map[string]bool{"sandra": true, "sven": false} {
		sum := sha256.Sum256([]byte(user + "s secret" + "salt"))
		hash := "{SSHA256}" + base64.StdEncoding.EncodeToString(append(sum[:], "salt"...))
		execute("INSERT INTO users VALUES ($1, $2, $3, $4)", user, hash, filepath.Join(w.dir, "sql", user), active)
	}
	server.RequirePassword(t)
	return server
}

// helper installs helperProgram in a folder of its own: what lies beside the data is
// not run.
func (w *world) helper(t *testing.T) string {
	t.Helper()
	bin := filepath.Join(w.dir, "bin")
	if err := os.Mkdir(bin, 0o755); err != nil {
		t.Fatal(err)
	}
	return write(t, filepath.Join(bin, "helper"), helperProgram, 0o755)
}

// All kinds of sources in one configuration, with real servers, and everything as an
// operator has it: secrets in files of their own, TLS to an authority of one's own,
// and the server confined as far as the kernel can.
func TestSourcesOfEveryKind(t *testing.T) {
	peer.Need(t, "curl")
	w := build(t)
	w.addUser(t, "frida", "fridas secret", false)
	directory := peer.StartSlapd(t, directoryEntries, "")
	database := startDatabase(t, w)
	bindPassword := w.secretFile(t, "ldap-password", "for searches only\n")
	directoryCA := w.openFile(t, "ldap-ca.pem", directory.Cert.CAFile)
	config := w.configure(t, fmt.Sprintf(`confine_mail = [%q]
[[source]]
type = "file"
[[source]]
type = "ldap"
url = %q
ca = "ldap-ca.pem"
bind_dn = "cn=postfach,dc=example,dc=org"
password_file = "ldap-password"
base = "ou=people,dc=example,dc=org"
filter = "(&(objectClass=inetOrgPerson)(|(uid={user})(mail={user}))(!(employeeType=former)))"
user_attribute = "uid"
maildir = "ldap/{user}"
[[source]]
type = "sql"
url = "postgres://postfach@localhost:%s/postgres?sslmode=verify-full"
ca = %q
password_file = %q
query = '''SELECT name AS "user", password, maildir, NOT active AS closed FROM users WHERE @user IN (name, name || '@example.org')'''
[[source]]
type = "program"
command = [%q]
`, filepath.Join(w.dir, "sql"), directory.TLS, database.Port, w.openFile(t, "sql-ca.pem", database.Cert.CAFile), w.secretFile(t, "sql-password", "for queries only\n"),
		w.helper(t)))
	open := []string{"frida", "linda", "sandra", "paula"}
	mail := map[string]string{}
	for user, dir := range map[string]string{"frida": "data/mail", "linda": "ldap", "sandra": "sql", "paula": "data/mail"} {
		mail[user] = w.maildir(t, filepath.Join(w.dir, dir, user), user)
	}
	w.maildir(t, filepath.Join(w.dir, "sql", "sven"), "sven")
	for _, dir := range []string{"ldap", "sql"} {
		if err := w.giveAway(filepath.Join(w.dir, dir)); err != nil {
			t.Fatal(err)
		}
	}
	nologin(t, w, "fred", "freds secret")
	p := w.startLogged(t, "--config", config)

	// Everybody gets their own mail.
	letsIn := func(when string, names ...string) {
		t.Helper()
		for _, name := range names {
			user, _, _ := strings.Cut(name, "@")
			out, err := run(t, t.TempDir(), "", "curl", "-q", "-sS", "-4", "--cacert", w.ca(), "--user", name+":"+user+"s secret",
				"--login-options", "AUTH=PLAIN", "pop3s://localhost:"+w.tls+"/1")
			if got := strings.ReplaceAll(out, "\r\n", "\n"); err != nil || got != mail[user] {
				t.Errorf("%s: %s gets %q, %v", when, name, got, err)
			}
		}
	}
	letsIn("all are there", open...)
	letsIn("by another name", "linda@example.org", "sandra@example.org")

	// Nobody else gets in, and nobody can tell why.
	refused := map[string]string{} // replies, by whom
	for _, user := range append(open, "fred", "lost", "sven", "nobody-knows") {
		for _, password := range []string{user + "s secreT", " "} {
			refused[user+" "+password] = w.plainReply(t, user, password)
		}
	}
	for _, user := range []string{"fred", "lost", "sven", "nobody-knows"} {
		refused[user] = w.plainReply(t, user, user+"s secret")
	}
	refused["another's"] = w.plainReply(t, "linda", "sandras secret")
	refused["another name's"] = w.plainReply(t, "linda@example.org", "sandras secret")
	refused["another name, closed"] = w.plainReply(t, "sven@example.org", "svens secret")
	for who, reply := range refused {
		if reply != refused["nobody-knows"] || !strings.HasPrefix(reply, "-ERR [AUTH] ") {
			t.Errorf("%s: %s", who, reply)
		}
	}

	// A server that is away says nothing about anybody, and a later source is not
	// believed in its place.
	later := func(when string, users ...string) {
		t.Helper()
		for _, user := range users {
			for _, password := range []string{user + "s secret", user + "s secreT"} {
				if reply := w.plainReply(t, user, password); !strings.HasPrefix(reply, "-ERR [SYS/TEMP] ") {
					t.Errorf("%s: %s with %q: %s", when, user, password, reply)
				}
			}
		}
	}
	directory.Stop()
	later("without the directory", "linda", "lost", "sandra", "sven", "paula", "nobody-knows")
	letsIn("without the directory", "frida")
	directory.Start(t)
	letsIn("with the directory again", open...)
	database.Stop()
	later("without the database", "sandra", "sven", "paula", "nobody-knows")
	letsIn("without the database", "frida", "linda")
	database.Start(t)
	letsIn("with the database again", open...)

	// What is in the files is read again, although nothing has changed in the
	// configuration.
	for _, change := range []struct{ file, wrong, right string }{
		{bindPassword, "not this one\n", "for searches only\n"},
		{directoryCA, readFile(t, database.Cert.CAFile), readFile(t, directory.Cert.CAFile)},
	} {
		rewrite(t, change.file, change.wrong)
		letsIn("before the reload", "linda")
		if !p.reload(t) {
			t.Error("not reloaded")
		}
		later("with the wrong "+filepath.Base(change.file), "linda")
		rewrite(t, change.file, change.right)
		if !p.reload(t) {
			t.Error("not reloaded")
		}
		letsIn("with the right "+filepath.Base(change.file), open...)
	}
	rewrite(t, directoryCA, "no certificate")
	if p.reload(t) {
		t.Error("reloaded, without an authority")
	}
	letsIn("with what held before", open...)

	secrets := []string{"for searches only", "for queries only", "not this one"}
	for _, user := range append(open, "fred", "lost", "sven", "nobody-knows") {
		secrets = append(secrets, user+"s secret", user+"s secreT")
	}
	p.hides(t, secrets...)
}

// nologin makes an account that is closed.
func nologin(t *testing.T, w *world, user, password string) {
	t.Helper()
	w.addUser(t, user, password, false)
	accounts := filepath.Join(w.data, "accounts")
	text := readFile(t, accounts)
	i := strings.Index(text, user+":")
	end := i + strings.IndexByte(text[i:], '\n')
	rewrite(t, accounts, text[:end]+"nologin"+text[end:])
}

func readFile(t *testing.T, name string) string {
	t.Helper()
	octets, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return string(octets)
}

// rewrite changes a file in place: owner and mode stay.
func rewrite(t *testing.T, name, text string) {
	t.Helper()
	if err := os.WriteFile(name, []byte(text), 0); err != nil {
		t.Fatal(err)
	}
}

// A file that the user that the server runs as cannot use keeps it from starting, with
// the name of the file and what to do. Else it would be noticed at the first login.
func TestSourceFilesMustBeWithinReach(t *testing.T) {
	w := build(t)
	w.addUser(t, "frida", "fridas secret", false)
	secret := w.secretFile(t, "ldap-password", "for searches only\n")
	authority := w.openFile(t, "ldap-ca.pem", peer.NewCertificate(t).CAFile)
	helper := w.helper(t)
	config := w.configure(t, fmt.Sprintf(`[[source]]
type = "ldap"
url = "ldaps://127.0.0.1:1"
ca = "ldap-ca.pem"
bind_dn = "cn=postfach,dc=example,dc=org"
password_file = "ldap-password"
base = "dc=example,dc=org"
filter = "(uid={user})"
[[source]]
type = "program"
command = [%q]
`, helper))
	for _, test := range []struct {
		file        string
		wrong, good os.FileMode // nobody runs the tests in its group: owner and others count
		want        string
	}{
		{secret, 0, 0o600, "must be able to read the file"},
		{secret, 0o644, 0o600, "chmod 600 " + secret},
		{authority, 0, 0o644, "must be able to read the file"},
		{helper, 0o654, 0o755, "must be able to run it"},
		{helper, 0o757, 0o755, "chmod o-w " + helper},
	} {
		chmod(t, test.file, test.wrong)
		out, err := run(t, w.dir, "", w.program("postfachd"), "--data", w.data, "--config", config, "--pop3", "127.0.0.1:0", "--pop3s", "")
		if err == nil || !strings.Contains(out, test.file) || !strings.Contains(out, "\nhint: ") || !strings.Contains(out, test.want) || strings.Contains(out, "listening") {
			t.Errorf("%s with mode %o: %v\n%s", filepath.Base(test.file), test.wrong, err, out)
		}
		chmod(t, test.file, test.good)
	}
	w.start(t, "--config", config)
}

func chmod(t *testing.T, name string, mode os.FileMode) {
	t.Helper()
	if err := os.Chmod(name, mode); err != nil {
		t.Fatal(err)
	}
}
