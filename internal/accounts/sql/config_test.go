//go:build unix

package sql

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"postfach/internal/hint"
)

func TestQueriesAreChecked(t *testing.T) {
	for _, good := range []string{
		"SELECT password FROM users WHERE name = @user",
		"SELECT password FROM users WHERE name = @user OR mail = lower(@user)",
		"SELECT password::text FROM users WHERE name = @user AND tags @> array['a'] AND n % 2 = 0 -- don't: it's",
		"SELECT '{SHA512-CRYPT}' || password AS password FROM users WHERE name = @user",
		"SELECT password FROM users WHERE name = @user AND data->'a' IS NULL AND kind LIKE 'p%'",
	} {
		if err := checkQuery(good); err != nil {
			t.Errorf("%s: %v", good, err)
		}
	}
	for _, bad := range []string{
		"",
		"SELECT password FROM users",
		"SELECT password FROM users WHERE name = '@user'",
		"SELECT password FROM users WHERE name = '%u'",
		"SELECT password FROM users WHERE name = %s AND x = @user",
		"SELECT password FROM users WHERE name = '%Lu' OR name = @user AND '%{user}' = ''",
		"SELECT password FROM users WHERE name = '{user}' AND x = @user",
		"SELECT password FROM users WHERE name = ${user} AND x = @user",
		"SELECT password FROM users WHERE name = $1",
		"SELECT password FROM users WHERE name = $1 OR name = @user",
		"SELECT password FROM users WHERE name = ? OR name = @user",
		"SELECT password FROM users WHERE name = :user OR name = @user",
		"SELECT password FROM users WHERE name = @name",
		"SELECT password FROM users WHERE name = @name OR name = @user",
		"SELECT password FROM users WHERE name = @User",
		"SELECT password FROM users -- WHERE name = @user",
		"SELECT password FROM users WHERE name = 'x@user' OR name = '@user' AND a = @user",
		"SELECT password FROM users WHERE name = @user\x00",
		"SELECT password FROM users WHERE name = $$@user$$",
	} {
		err := checkQuery(bad)
		if err == nil || hint.Of(err) == "" {
			t.Errorf("%s: got %v", bad, err)
		}
	}
}

// What passes asks for one parameter, and no name changes the text.
func FuzzQuery(f *testing.F) {
	f.Add(query, "anna")
	f.Add("SELECT E'\\'@user' || @user /* @user", "';--")
	f.Add("SELECT $a$ @user $a$ @user", "$1")
	f.Add("\xff@user", "x")
	f.Fuzz(func(t *testing.T, query, user string) {
		if checkQuery(query) != nil {
			return
		}
		first, one, err := named(user).RewriteQuery(context.Background(), nil, query, nil)
		if err != nil || len(one) != 1 || one[0] != user {
			t.Fatalf("%q: got %q %v", query, one, err)
		}
		second, _, err := named("other").RewriteQuery(context.Background(), nil, query, nil)
		if err != nil || first != second || !strings.Contains(first, "$1") || strings.Contains(first, "$2") {
			t.Errorf("%q: got %q and %q", query, first, second)
		}
	})
}

func TestConfigurationsThatCannotWorkAreRefused(t *testing.T) {
	for url, want := range map[string]string{
		"postgres://a@db.example.org/mail":                                                  "would not be verified", // prefers TLS, and does without
		"postgres://a@db.example.org/mail?sslmode=disable":                                  "would not be verified",
		"postgres://a@db.example.org/mail?sslmode=require":                                  "would not be verified",
		"postgres://a@localhost,db.example.org/mail?sslmode=prefer":                         "would not be verified",
		"host=db.example.org user=a":                                                        "would not be verified",
		"postgres://a:b@localhost/mail":                                                     "a password in the URL",
		"postgres://a@localhost/mail?password=b":                                            "a password in the URL",
		"host=localhost user=a password=b":                                                  "a password in the URL",
		"host=localhost user=a password = b":                                                "a password in the URL",
		"postgres://a@localhost/mail?pass%77ord=b":                                          "a password in the URL",
		"postgres://a@localhost/mail?sslpassword=b":                                         "a password in the URL",
		"postgres://a@localhost/password=mail":                                              "",
		"postgres://a@localhost:x/mail":                                                     "expected the URL",
		"mysql://a:secret@localhost/mail":                                                   "expected the URL",
		"postgres://a@localhost/mail?default_query_exec_mode=simple_protocol":               "simple protocol",
		"postgres://a@localhost/mail":                                                       "",
		"postgres://a@127.0.0.1/mail?sslmode=disable":                                       "",
		"postgres://a@/mail?host=/run/postgresql":                                           "",
		"postgres://a@db.example.org/mail?sslmode=verify-full&default_query_exec_mode=exec": "",
	} {
		s, err := New(Config{URL: url, Query: query})
		if err == nil {
			s.Close()
		}
		if (err == nil) != (want == "") || err != nil && (!strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "secret") || hint.Of(err) == "") {
			t.Errorf("%s: got %v", url, err)
		}
	}
	lax := filepath.Join(t.TempDir(), "password")
	if err := os.WriteFile(lax, []byte("x"), 0o644); err != nil {
		t.Fatal(err)
	}
	for _, c := range []Config{
		{URL: "postgres://a@localhost/mail", Query: "SELECT 1"},
		{URL: "postgres://a@localhost/mail", Query: query, AppPasswords: "SELECT 1"},
		{URL: "postgres://a@localhost/mail", Query: query, PasswordFile: lax},
		{URL: "postgres://a@localhost/mail", Query: query, PasswordFile: "/nowhere/password"},
	} {
		if _, err := New(c); err == nil {
			t.Errorf("%+v: no error", c)
		}
	}
}
