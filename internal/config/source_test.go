package config

import (
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"postfach/internal/hint"
)

// What sources of each type need at least.
var sourceTexts = map[SourceType]string{
	FileSource:    "",
	LDAPSource:    "url = \"ldaps://l.example\"\nbase = \"dc=example\"\nfilter = \"(uid={user})\"\n",
	SQLSource:     "url = \"postgres://a@d.example/mail?sslmode=verify-full\"\nquery = \"SELECT password FROM users WHERE name = @user\"\n",
	ProgramSource: "command = [\"/bin/check\"]\n",
}

// section is one source, as text. Keys that are given again replace the others.
func section(kind SourceType, more string) string {
	text := "[[source]]\ntype = \"" + string(kind) + "\"\n"
	for line := range strings.Lines(sourceTexts[kind]) {
		key, _, _ := strings.Cut(line, "=")
		if !strings.HasPrefix(more, key) && !strings.Contains(more, "\n"+key) {
			text += line
		}
	}
	return text + more + "\n"
}

func TestSourcesArrive(t *testing.T) {
	name := filepath.Join(t.TempDir(), "postfachd.toml")
	text := section(FileSource, "path = \"users\"") +
		section(LDAPSource, "ca = \"ca.pem\"\nbind_dn = \"cn=x\"\npassword_file = \"secret\"\ntimeout = \"3s\"\nat_once = 7\nmaildir = \"mail/{user}\"") +
		section(SQLSource, "maildir = \"/srv/{user}/Maildir\"") +
		section(ProgramSource, "command = [\"check\", \"-x\"]") +
		"[oidc]\nissuer = \"https://i.example\"\naudience = [\"pop\"]\nclient_id = \"c\"\nclient_secret_file = \"oidc-secret\"\n"
	c, err := Parse(name, []byte(text))
	if err != nil {
		t.Fatal(err, hint.Of(err))
	}
	if len(c.Sources) != 4 || c.Sources[1].Timeout.Duration != 3*time.Second || c.Sources[1].AtOnce != 7 || c.Sources[2].Maildir != "/srv/{user}/Maildir" {
		t.Errorf("got %+v", c.Sources)
	}
	if got, want := c.Files(), []string{"users", "ca.pem", "secret", "oidc-secret"}; !slices.Equal(got, want) {
		t.Errorf("files %q", got)
	}
	if got, want := c.Programs(), []string{"check"}; !slices.Equal(got, want) {
		t.Errorf("programs %q", got)
	}
	if o := c.OIDC; o.Claim != "email" || o.Leeway.Duration != 30*time.Second || o.Audience[0] != "pop" {
		t.Errorf("got %+v", o)
	}
}

// Else it would be ignored, and who wrote it would not know.
func TestAccountsBesideSourcesAreRefused(t *testing.T) {
	_, err := Parse("f", []byte("accounts = \"users\"\n"+section(LDAPSource, "")))
	if err == nil || err.Error() != "f:1: accounts: is not read where there is a [[source]]" || hint.Of(err) != `make it one of them: type = "file" and path = "users"` {
		t.Errorf("got %v, hint %q", err, hint.Of(err))
	}
	for _, text := range []string{"accounts = \"users\"", "accounts = \"\"\n" + section(LDAPSource, ""), section(FileSource, "path = \"users\"")} {
		if _, err := Parse("f", []byte(text)); err != nil {
			t.Errorf("%s: %v", text, err)
		}
	}
}

// Each key of a source belongs to some types, and is refused with the others.
func TestKeysOfOtherTypesAreRefused(t *testing.T) {
	values := map[string]string{"timeout": `"1s"`, "at_once": "1", "starttls": "true", "command": `["/x"]`}
	seen := map[string]bool{}
	for key := range schema() {
		key, isSource := strings.CutPrefix(key, "source.")
		if !isSource || key == "type" {
			continue
		}
		seen[key] = true
		value := values[key]
		if value == "" {
			value = `"x"`
		}
		taken := 0
		for kind, keys := range sourceKeys() {
			_, err := Parse("f", []byte(section(kind, key+" = "+value)))
			other := err != nil && strings.Contains(err.Error(), "has no such key")
			if other == slices.Contains(keys, key) {
				t.Errorf("%s in %s: got %v", key, kind, err)
			}
			if other && !strings.Contains(hint.Of(err), "it is one of \"") {
				t.Errorf("%s in %s: hint %q", key, kind, hint.Of(err))
			}
			if !other {
				taken++
			}
		}
		if taken == 0 {
			t.Errorf("%s belongs to no type", key)
		}
	}
	for kind, keys := range sourceKeys() {
		for _, key := range keys {
			if !seen[key] && key != "type" {
				t.Errorf("%s: there is no key %s", kind, key)
			}
		}
	}
}

func TestMistakesInSourcesAreNamed(t *testing.T) {
	ldap := func(more string) string { return section(LDAPSource, more) }
	sql := func(more string) string { return section(SQLSource, more) }
	for _, c := range []struct{ text, want string }{
		{"[[source]]\npath = \"x\"", "f:1: source.type: expected \"file\", \"ldap\", \"sql\" or \"program\""},
		{"[[source]]\ntype = \"mysql\"", "f:2: source.type: expected \"file\""},
		{section(FileSource, "url = \"ldaps://x\""), "f:3: source.url: a source of type \"file\" has no such key"},
		{section(ProgramSource, "") + section(FileSource, ""), "f:2: source.type: a program must be the last source"},
		{section(FileSource, "") + section(ProgramSource, "command = []"), "f:6: source.command: expected a program"},
		{section(ProgramSource, "timeout = \"-1s\""), "f:4: source.timeout: expected more"},
		{section(ProgramSource, "at_once = -1"), "f:4: source.at_once: expected a number"},
		{section(ProgramSource, "at_once = 1001"), "f:4: source.at_once: expected a number"},
		{section(ProgramSource, "maildir = \"/var/mail\""), "f:4: source.maildir: all accounts would have one maildrop"},
		{section(ProgramSource, "maildir = \"/var/mail/{user}/%d\""), "f:4: source.maildir: has a variable"},
		{section(ProgramSource, "maildir = \"~{user}\""), "f:4: source.maildir: has a variable"},
		{ldap("url = \"https://x\""), "f:5: source.url: expected the URL of a directory server"},
		{ldap("url = \"ldap://l.example\""), "f:5: source.url: passwords would cross the network unprotected"},
		{ldap("starttls = true"), "f:6: source.starttls: is for ldap:// only"},
		{ldap("base = \"\""), "f:5: source.base: expected a DN"},
		{ldap("filter = \"(uid=%u)\""), "f:5: source.filter: expected a filter with {user}"},
		{ldap("bind_dn = \"cn=x\""), "f:1: source: expected both bind_dn and password_file"},
		{ldap("scope = \"all\""), "f:6: source.scope: expected"},
		{ldap("verify = \"guess\""), "f:6: source.verify: expected"},
		{ldap("verify = \"compare\""), "f:1: source.password_attribute: belongs to"},
		{ldap("password_attribute = \"x\""), "f:6: source.password_attribute: belongs to"},
		{sql("url = \"mysql://x\""), "f:4: source.url: expected the URL of a PostgreSQL server"},
		{sql("query = \"SELECT 1\""), "f:4: source.query: expected a query with @user"},
		{sql("query = \"\""), "f:4: source.query: expected a query with @user"},
		{sql("app_passwords = \"SELECT 1\""), "f:5: source.app_passwords: expected a query with @user"},
		{"[oidc]\naudience = [\"x\"]", "f:1: oidc.issuer: expected an issuer"},
		{"[oidc]\nissuer = \"http://i.example\"", "f:2: oidc.issuer: expected an address that begins with https://"},
		{"[oidc]\nissuer = \"https://i.example?x\"", "f:2: oidc.issuer: expected"},
		{"[oidc]\nissuer = \"https://i.example\"", "f:1: oidc.audience: expected"},
		{"[oidc]\nissuer = \"https://i.example\"\naudience = [\"\"]", "f:3: oidc.audience: expected"},
		{"[oidc]\nissuer = \"https://i.example\"\naudience = [\"x\"]\nclaim = \"\"", "f:4: oidc.claim: expected"},
		{"[oidc]\nissuer = \"https://i.example\"\naudience = [\"x\"]\nclient_id = \"x\"", "f:1: oidc: expected both"},
		{"[oidc]\nissuer = \"https://i.example\"\naudience = [\"x\"]\nleeway = \"6m\"", "f:4: oidc.leeway: expected at most"},
		{"[oidc]\nissuer = \"https://i.example\"\naudience = [\"x\"]\ntimeout = \"0s\"", "f:4: oidc.timeout: expected"},
	} {
		_, err := Parse("f", []byte(c.text))
		if err == nil || !strings.HasPrefix(err.Error(), c.want) || hint.Of(err) == "" {
			t.Errorf("%s\n got %v (%s)\nwant %s", c.text, err, hint.Of(err), c.want)
		}
	}
	for kind := range sourceTexts {
		if _, err := Parse("f", []byte(section(kind, ""))); err != nil {
			t.Errorf("%s: %v", kind, err)
		}
	}
	for _, more := range []string{"url = \"ldap://localhost\"", "url = \"ldap://[::1]:3389\"", "url = \"ldap://l.example\"\nstarttls = true", "url = \"ldapi://%2Frun%2Fldapi\""} {
		if _, err := Parse("f", []byte(ldap(more))); err != nil {
			t.Errorf("%s: %v", more, err)
		}
	}
	if _, err := Parse("f", []byte("[oidc]\nissuer = \"http://127.0.0.1:8080/x\"\naudience = [\"x\"]")); err != nil {
		t.Error(err)
	}
}
