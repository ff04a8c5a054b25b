//go:build unix

package sql

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"go.uber.org/goleak"

	"postfach/internal/accounts"
	"postfach/internal/peer"
	"postfach/maildrop"
	"postfach/pop3server"
	"postfach/sasl"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const schema = `
CREATE TABLE users (name text, account text, password text, scram text, maildir text, nets text, closed boolean);
CREATE TABLE apps (account text, name text, secret text);
CREATE TABLE wishes (n int);
`

const query = `SELECT password, scram AS scram_sha_256, account AS "user", maildir, nets AS allow_nets, closed FROM users WHERE name = @user -- and no more`

const appQuery = `SELECT name, secret FROM apps WHERE account IN (SELECT account FROM users WHERE name = @user)`

// ssha is Dovecot's form of a salted hash.
func ssha(password string) string {
	sum := sha256.Sum256([]byte(password + "salt"))
	return "{SSHA256}" + base64.StdEncoding.EncodeToString(append(sum[:], "salt"...))
}

func scram(t *testing.T, password, salt string) string {
	t.Helper()
	keys, err := sasl.NewScramKeys(sasl.SHA256, password, []byte(salt), 4096)
	if err != nil {
		t.Fatal(err)
	}
	b64 := base64.StdEncoding.EncodeToString
	return fmt.Sprintf("{SCRAM-SHA-256}4096,%s,%s,%s", b64([]byte(salt)), b64(keys.StoredKey), b64(keys.ServerKey))
}

// execute runs statements as the administrator.
func execute(t *testing.T, server *peer.Postgres, sql string, args ...any) {
	t.Helper()
	c, err := pgx.Connect(t.Context(), server.URL())
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close(context.Background())
	if _, err := c.Exec(t.Context(), sql, args...); err != nil {
		t.Fatal(err)
	}
}

// start starts a server with some accounts.
func start(t *testing.T) *peer.Postgres {
	t.Helper()
	server := peer.StartPostgres(t)
	execute(t, server, schema)
	add := func(name, account, password, verifier, maildir, nets, closed any) {
		t.Helper()
		execute(t, server, "INSERT INTO users VALUES ($1, $2, $3, $4, $5, $6, $7)", name, account, password, verifier, maildir, nets, closed)
	}
	add("anna", nil, scram(t, "anna's secret", "salt of anna"), nil, nil, nil, nil)
	add("anna@example.org", "anna", scram(t, "anna's secret", "salt of anna"), nil, "maildir:/srv/mail/a", "192.0.2.7, 2001:db8::/32", false)
	add("berta", nil, ssha("berta's secret"), scram(t, "berta's secret", "salt of berta"), "/srv/mail/b", "", nil)
	add("closed", nil, ssha("closed's secret"), nil, nil, nil, true)
	add("twice", nil, ssha("one"), nil, nil, nil, nil)
	add("twice", nil, ssha("two"), nil, nil, nil, nil)
	add("weak", nil, "{ROT13}frperg", nil, nil, nil, nil)
	add("nothing", nil, nil, nil, nil, nil, nil)
	add("lost", nil, ssha("lost's secret"), nil, "relative", nil, nil)
	add("nets", nil, ssha("nets's secret"), nil, nil, "everywhere", nil)
	add("odd", "Not A Name", ssha("odd's secret"), nil, nil, nil, nil)
	add("apps", "apps", nil, nil, nil, nil, nil)
	for _, app := range [][2]string{
		{"phone", scram(t, "phone's secret", "salt of apps")},
		{"laptop", scram(t, "laptop's secret", "salt of apps")},
		{"desk", scram(t, "desk's secret", "another salt")},
		{"tablet", ssha("tablet's secret")},
		{"phone", scram(t, "twice's secret", "salt of apps")},
		{"main", ssha("main's secret")},
		{"broken", "{SSHA256}broken"},
	} {
		execute(t, server, "INSERT INTO apps VALUES ('apps', $1, $2)", app[0], app[1])
	}
	return server
}

func config(server *peer.Postgres) Config {
	return Config{
		URL: server.URL(), Query: query, AppPasswords: appQuery, Maildir: "/var/mail/{user}",
		Timeout: 20 * time.Second, Log: slog.New(slog.DiscardHandler),
	}
}

func open(t *testing.T, c Config) *Source {
	t.Helper()
	s, err := New(c)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

// Starting a server takes longer than all that is asked of it.
func TestWithServer(t *testing.T) {
	server := start(t)
	for _, test := range []struct {
		name string
		run  func(*testing.T, *peer.Postgres)
	}{
		{"PasswordsAreChecked", passwordsAreChecked},
		{"RowsSayWhoAndWhere", rowsSayWhoAndWhere},
		{"ColumnsOfOtherTypes", columnsOfOtherTypes},
		{"QueriesThatFailAreErrors", queriesThatFailAreErrors},
		{"HostileNamesAreParameters", hostileNamesAreParameters},
		{"DecoysLookLikeAccounts", decoysLookLikeAccounts},
		{"VersionsChangeWithPasswords", versionsChangeWithPasswords},
		{"ConnectionsAreBounded", connectionsAreBounded},
		{"ReadOnlyHoldsWithinTheQuery", readOnlyHoldsWithinTheQuery},
		{"CertificatesAreVerified", certificatesAreVerified},
	} {
		t.Run(test.name, func(t *testing.T) { test.run(t, server) })
	}
}

func passwordsAreChecked(t *testing.T, server *peer.Postgres) {
	s := open(t, config(server))
	if err := s.Probe(t.Context()); err != nil {
		t.Error(err)
	}
	d := &accounts.Directory{Sources: []accounts.Source{s}, Log: slog.New(slog.DiscardHandler)}
	for _, try := range []struct{ user, password, want, credential string }{
		{"anna", "anna's secret", "anna", ""},
		{"berta", "berta's secret", "berta", ""},
		{"apps", "phone's secret", "apps", "phone"},
		{"apps", "laptop's secret", "apps", "laptop"},
		{"apps", "desk's secret", "apps", "desk"},
		{"apps", "tablet's secret", "apps", "tablet"},
		{"apps", "twice's secret", "", ""},
		{"apps", "main's secret", "", ""},
		{"apps", "", "", ""},
		{"anna", "anna's secreT", "", ""},
		{"anna", "", "", ""},
		{"anna@example.org", "anna's secret", "", ""}, // not from here
		{"closed", "closed's secret", "", ""},
		{"twice", "one", "", ""},
		{"twice", "two", "", ""},
		{"weak", "secret", "", ""},
		{"nothing", "", "", ""},
		{"lost", "lost's secret", "", ""},
		{"nets", "nets's secret", "", ""},
		{"odd", "odd's secret", "", ""},
		{"unknown", "anna's secret", "", ""},
		{"' or ''='", "anna's secret", "", ""},
		{"anna' --", "anna's secret", "", ""},
	} {
		who, err := d.Authenticate(t.Context(), nil, try.user, try.password)
		if try.want == "" && !errors.Is(err, pop3server.ErrCredentials) || try.want != "" && err != nil || who.User != try.want || who.Credential != try.credential {
			t.Errorf("%q %q: got %+v %v", try.user, try.password, who, err)
		}
	}
}

func rowsSayWhoAndWhere(t *testing.T, server *peer.Postgres) {
	s := open(t, config(server))
	for _, want := range []struct {
		asked, user, maildir, closed, nets string
		scram                              int
	}{
		{"anna", "anna", "/var/mail/anna", "", "[]", 1},
		{"anna@example.org", "anna", "/srv/mail/a", "", "[192.0.2.7/32 2001:db8::/32]", 1},
		{"berta", "berta", "/srv/mail/b", "", "[]", 1},
		{"apps", "apps", "/var/mail/apps", "", "[]", 2},
		{"closed", "closed", "/var/mail/closed", "the database", "[]", 0},
		{"twice", "twice", "", "several rows in the database", "[]", -1},
		{"weak", "weak", "", `a row that cannot be used: scheme "ROT13" is unknown`, "[]", -1},
		{"nothing", "nothing", "", "a row that cannot be used: the account has no password", "[]", -1},
		{"lost", "lost", "", "a row that cannot be used: column maildir", "[]", -1},
		{"nets", "nets", "", `a row that cannot be used: column allow_nets: "everywhere" is no list`, "[]", -1},
		{"odd", "odd", "", "a row that cannot be used: column user", "[]", -1},
	} {
		e, err := s.Lookup(t.Context(), want.asked)
		if err != nil {
			t.Errorf("%s: %v", want.asked, err)
			continue
		}
		if e.User != want.user || e.Maildir != want.maildir || !strings.HasPrefix(e.Closed, want.closed) || want.closed == "" && e.Closed != "" || fmt.Sprint(e.Policy.Networks) != want.nets {
			t.Errorf("%s: got %q %q %q %v", want.asked, e.User, e.Maildir, e.Closed, e.Policy.Networks)
		}
		keys := 0
		if v := e.Scram[sasl.SHA256]; v != nil {
			keys = len(v.Verifier.Keys)
		}
		if want.scram >= 0 && keys != want.scram {
			t.Errorf("%s: %d keys for SCRAM", want.asked, keys)
		}
	}
	if _, err := s.Lookup(t.Context(), "unknown"); !errors.Is(err, maildrop.ErrNoUser) {
		t.Errorf("got %v", err)
	}
}

func columnsOfOtherTypes(t *testing.T, server *peer.Postgres) {
	secret := "'" + ssha("pw") + "'"
	for columns, want := range map[string]string{
		secret + "::bytea AS password":                                   "open []",
		secret + " AS password, array['10.0.0.0/8','::1'] AS allow_nets": "open [10.0.0.0/8 ::1/128]",
		secret + " AS password, array['10.0.0.0/8'::cidr] AS allow_nets": "open [10.0.0.0/8]",
		secret + " AS password, '10.1.2.3/8'::inet AS allow_nets":        "open [10.0.0.0/8]",
		secret + " AS password, array[]::text[] AS allow_nets":           "open []",
		secret + " AS password, array['a'] AS allow_nets":                "shut",
		secret + " AS password, 5 AS allow_nets":                         "shut",
		secret + " AS password, '::ffff:10.0.0.0/64' AS allow_nets":      "shut",
		secret + " AS password, 0 AS closed":                             "open []",
		secret + " AS password, 1 AS closed":                             "shut",
		secret + " AS password, '' AS closed":                            "open []",
		secret + " AS password, 'n' AS closed":                           "shut",
		secret + " AS password, 1.5 AS closed":                           "shut",
		secret + " AS password, 7 AS maildir":                            "shut",
		"7 AS password":                                                  "shut",
		secret + " AS password, '/a/../../b' AS maildir":                 "open []",
	} {
		c := config(server)
		c.Query, c.AppPasswords = "SELECT "+columns+" WHERE @user <> ''", ""
		e, err := open(t, c).Lookup(t.Context(), "anna")
		if err != nil {
			t.Errorf("%s: %v", columns, err)
			continue
		}
		got := "shut"
		if e.Closed == "" {
			got = fmt.Sprint("open ", e.Policy.Networks)
		}
		if got != want || e.Maildir != "" && strings.Contains(e.Maildir, "..") {
			t.Errorf("%s: got %s %s", columns, got, e.Closed)
		}
	}
}

// A slip in a query is an error of the moment: it lets nobody in, and nobody is
// told that there is no such account.
func queriesThatFailAreErrors(t *testing.T, server *peer.Postgres) {
	for query, want := range map[string]string{
		"SELECT password, close FROM users WHERE name = @user":                       `column "close" does not exist`,
		"SELECT password, true AS close FROM users WHERE name = @user":               `a column "close" that is not known`,
		"SELECT password, password FROM users WHERE name = @user":                    "twice",
		"SELECT maildir FROM users WHERE name = @user":                               "no column password",
		"SELECT password FROM users WHERE name = @user; DELETE FROM users":           "multiple commands",
		"DELETE FROM users WHERE name = @user RETURNING password":                    "read-only transaction",
		"INSERT INTO wishes SELECT 1 WHERE @user <> '' RETURNING n AS password":      "read-only transaction",
		"SELECT password FROM users, pg_sleep(100) WHERE name <> @user":              "statement timeout",
		"SELECT set_config('transaction_read_only', 'off', true) AS password, @user": "transaction read-write mode",
		"ELECT @user": "syntax error",
	} {
		for _, user := range []string{"anna", "unknown"} {
			c := config(server)
			c.Query = query
			if strings.Contains(query, "pg_sleep") {
				c.Timeout = 300 * time.Millisecond
			}
			_, err := open(t, c).Lookup(t.Context(), user)
			timeout := want == "statement timeout" && errors.Is(err, context.DeadlineExceeded)
			if err == nil || errors.Is(err, maildrop.ErrNoUser) || !strings.Contains(err.Error(), want) && !timeout {
				t.Errorf("%s: %s: got %v", query, user, err)
			}
		}
	}
	c := config(server)
	c.AppPasswords = "SELECT name, secret, account FROM apps WHERE account = @user"
	if _, err := open(t, c).Lookup(t.Context(), "apps"); err == nil || errors.Is(err, maildrop.ErrNoUser) {
		t.Errorf("got %v", err)
	}
}

func hostileNamesAreParameters(t *testing.T, server *peer.Postgres) {
	c := config(server)
	c.Query = "SELECT 'x' || @user AS password"
	s := open(t, c)
	for _, user := range []string{"'; DROP TABLE users; --", "$1", "@user", "\\'", "$$", "a' OR 'a'='a"} {
		if e, err := s.Lookup(t.Context(), user); err != nil || e.Closed == "" {
			t.Errorf("%q: got %+v %v", user, e, err)
		}
	}
	if _, err := s.Lookup(t.Context(), "\x00"); err == nil || errors.Is(err, maildrop.ErrNoUser) {
		t.Errorf("got %v", err)
	}
	if e, err := open(t, config(server)).Lookup(t.Context(), "anna"); err != nil || e.Closed != "" {
		t.Errorf("got %+v %v", e, err)
	}
}

func decoysLookLikeAccounts(t *testing.T, server *peer.Postgres) {
	s := open(t, config(server))
	if _, err := s.Lookup(t.Context(), "berta"); err != nil {
		t.Fatal(err)
	}
	d := s.Decoy(t.Context(), "unknown")
	again := s.Decoy(t.Context(), "unknown")
	if !slices.Equal(d.Scram[sasl.SHA256].Verifier.Salt, again.Scram[sasl.SHA256].Verifier.Salt) || d.Scram[sasl.SHA256].Verifier.Iterations != 4096 {
		t.Errorf("got %+v %+v", d.Scram[sasl.SHA256], again.Scram[sasl.SHA256])
	}
	for _, c := range d.Credentials {
		if c.Check == nil {
			t.Fatalf("berta's password is no SCRAM: %+v", c)
		}
		if right, err := c.Check(t.Context(), "berta's secret"); right || err != nil {
			t.Errorf("got %v %v", right, err)
		}
	}
}

func versionsChangeWithPasswords(t *testing.T, server *peer.Postgres) {
	s := open(t, config(server))
	version := func() string {
		t.Helper()
		e, err := s.Lookup(t.Context(), "closed")
		if err != nil || len(e.Credentials) == 0 || e.Credentials[0].Version == nil {
			t.Fatalf("%+v %v", e, err)
		}
		return string(e.Credentials[0].Version)
	}
	before := version()
	if version() != before {
		t.Error("the version changes by itself")
	}
	execute(t, server, "UPDATE users SET password = $1 WHERE name = 'closed'", ssha("new"))
	if version() == before {
		t.Error("the version stays")
	}
}

func TestRestartedServerIsAskedAgain(t *testing.T) {
	server := start(t)
	s := open(t, config(server))
	known := func(when string) {
		t.Helper()
		if e, err := s.Lookup(t.Context(), "anna"); err != nil || e.User != "anna" {
			t.Errorf("%s: got %+v %v", when, e, err)
		}
	}
	known("at first")
	server.Stop()
	for _, user := range []string{"anna", "unknown"} {
		if _, err := s.Lookup(t.Context(), user); err == nil || errors.Is(err, maildrop.ErrNoUser) {
			t.Errorf("the server is away: got %v", err)
		}
	}
	server.Start(t)
	known("the server is back")
	server.Stop()
	server.Start(t)
	known("the server was restarted")
}

func connectionsAreBounded(t *testing.T, server *peer.Postgres) {
	c := config(server)
	c.AtOnce = 2
	s := open(t, c)
	var all sync.WaitGroup
	for range 30 {
		all.Go(func() {
			if _, err := s.Lookup(t.Context(), "anna"); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	if got := s.pool.Stat().NewConnsCount(); got > 2 {
		t.Errorf("%d connections", got)
	}
	// And who finds none free gives up with its context.
	var taken []interface{ Release() }
	for range 2 {
		conn, err := s.pool.Acquire(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		taken = append(taken, conn)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if _, err := s.Lookup(ctx, "anna"); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("got %v", err)
	}
	for _, conn := range taken {
		conn.Release()
	}
}

func TestSecretsStayOutOfErrorsAndLogs(t *testing.T) {
	server := start(t)
	var log strings.Builder
	c := config(server)
	c.Log = slog.New(slog.NewTextHandler(&log, nil))
	c.PasswordFile = filepath.Join(t.TempDir(), "password")
	if err := os.WriteFile(c.PasswordFile, []byte("password of the database\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	s := open(t, c)
	for _, user := range []string{"weak", "twice", "nothing", "apps", "lost"} {
		if _, err := s.Lookup(t.Context(), user); err != nil {
			t.Error(err)
		}
	}
	server.Stop()
	_, err := s.Lookup(t.Context(), "weak")
	text := log.String() + fmt.Sprint(err)
	for _, secret := range []string{"frperg", "password of the database", "broken\"", ssha("one")[9:]} {
		if strings.Contains(text, secret) {
			t.Errorf("%q is in %s", secret, text)
		}
	}
	if !strings.Contains(text, "several rows") || !strings.Contains(text, "ROT13") {
		t.Errorf("got %s", text)
	}
}

func readOnlyHoldsWithinTheQuery(t *testing.T, server *peer.Postgres) {
	execute(t, server, "CREATE FUNCTION wish(name text) RETURNS text LANGUAGE plpgsql AS $$ BEGIN INSERT INTO wishes VALUES (1); RETURN name; END $$")
	c := config(server)
	c.Query, c.AppPasswords = "SELECT wish(@user) AS password", ""
	if _, err := open(t, c).Lookup(t.Context(), "anna"); err == nil || !strings.Contains(err.Error(), "read-only transaction") {
		t.Errorf("got %v", err)
	}
}

func certificatesAreVerified(t *testing.T, server *peer.Postgres) {
	stranger := peer.NewCertificate(t)
	for _, test := range []struct {
		host, ca string
		want     bool
	}{
		{"localhost", server.Cert.CAFile, true},
		{"127.0.0.1", server.Cert.CAFile, true},
		{"localhost", stranger.CAFile, false},
		{"localhost", "", false},
	} {
		c := config(server)
		c.CA = test.ca
		c.URL = "postgres://test@" + test.host + ":" + server.Port + "/postgres?sslmode=verify-full"
		if err := open(t, c).Probe(t.Context()); (err == nil) != test.want {
			t.Errorf("%+v: got %v", test, err)
		}
	}
}
