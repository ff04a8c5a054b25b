package config

import (
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"postfach/internal/hint"
)

// A Source is one place that knows accounts. Which keys it has depends on its
// type.
type Source struct {
	Type SourceType `toml:"type"`

	// Path is the file of the type "file". Empty: the data folder's.
	Path string `toml:"path" path:"file"`

	// URL is the server of the types "ldap" and "sql", CA a PEM file with the
	// authorities that its certificate is verified against (empty: the system's),
	// PasswordFile has the password that it wants from us.
	URL          string `toml:"url"`
	CA           string `toml:"ca" path:"file"`
	PasswordFile string `toml:"password_file" path:"file"`

	// Of the type "ldap": how to get in, where accounts are and which they are.
	StartTLS          bool   `toml:"starttls"`
	BindDN            string `toml:"bind_dn"`            // empty: anonymously
	Base              string `toml:"base"`               // below which accounts are
	Scope             string `toml:"scope"`              // "sub" (also for empty), "one" or "base"
	Filter            string `toml:"filter"`             // in which {user} stands for the name
	Verify            string `toml:"verify"`             // "bind" (also for empty) or "compare"
	PasswordAttribute string `toml:"password_attribute"` // for "compare"
	UserAttribute     string `toml:"user_attribute"`     // empty: the name that was asked for
	MaildirAttribute  string `toml:"maildir_attribute"`  // empty: none
	DecoyDN           string `toml:"decoy_dn"`           // empty: one that does not exist

	// Of the type "sql": the queries, in which @user stands for the name.
	Query        string `toml:"query"`
	AppPasswords string `toml:"app_passwords"` // empty: there are none

	// Command is the program of the type "program", with its arguments.
	Command []string `toml:"command" path:"program"`

	// Timeout is for one question, AtOnce how many there are at once. 0: the type's
	// own.
	Timeout Duration `toml:"timeout"`
	AtOnce  int      `toml:"at_once"`

	// Maildir is where the maildrops are, for types that do not say so themselves:
	// a path in which {user} stands for the user's name. Empty: the data folder.
	Maildir string `toml:"maildir" path:"folder"`
}

// A SourceType says what kind of place it is.
type SourceType string

// The types of sources.
const (
	FileSource    SourceType = "file"    // in the form of Dovecot's passwd-file
	LDAPSource    SourceType = "ldap"    // a directory server
	SQLSource     SourceType = "sql"     // PostgreSQL
	ProgramSource SourceType = "program" // a program in the manner of checkpassword
)

// sourceKeys are the keys of each type.
func sourceKeys() map[SourceType][]string {
	remote := []string{"type", "timeout", "at_once", "maildir"}
	return map[SourceType][]string{
		FileSource: {"type", "path"},
		LDAPSource: append([]string{
			"url", "ca", "password_file", "starttls", "bind_dn", "base", "scope", "filter", "verify",
			"password_attribute", "user_attribute", "maildir_attribute", "decoy_dn",
		}, remote...),
		SQLSource:     append([]string{"url", "ca", "password_file", "query", "app_passwords"}, remote...),
		ProgramSource: append([]string{"command"}, remote...),
	}
}

func (c *Config) checkSources(d *document) error {
	var errs []error
	if c.Accounts != "" && len(c.Sources) > 0 {
		errs = append(errs, hint.Add(d.wrong("accounts", "is not read where there is a [[source]]"), "make it one of them: type = \"file\" and path = %q", c.Accounts))
	}
	for i := range c.Sources {
		s, path := &c.Sources[i], fmt.Sprintf("source.%d", i)
		for _, check := range []func(*document, string) error{s.checkKeys, s.checkValues, s.checkLDAP, s.checkSQL, s.checkMaildir} {
			if err := check(d, path); err != nil {
				errs = append(errs, err)
				break // what it is decides what else is wrong
			}
		}
		if s.Type == ProgramSource && i != len(c.Sources)-1 {
			errs = append(errs, hint.Add(d.wrong(path+".type", "a program must be the last source"), "it knows no names, so that none behind it would be asked for one"))
		}
	}
	return hint.Join(errs...)
}

// checkKeys refuses keys that do not belong to the type: who wrote them expects
// something that does not happen.
func (s *Source) checkKeys(d *document, path string) error {
	all := sourceKeys()
	mine, ok := all[s.Type]
	if !ok {
		return hint.Add(d.wrong(path+".type", `expected "file", "ldap", "sql" or "program"`), "docs/sources.md has an example of each")
	}
	for _, e := range d.keys {
		key, here := strings.CutPrefix(e.path, path+".")
		key, _, _ = strings.Cut(key, ".")
		if !here || slices.Contains(mine, key) {
			continue
		}
		var others []string
		for _, t := range []SourceType{FileSource, LDAPSource, SQLSource, ProgramSource} {
			if slices.Contains(all[t], key) {
				others = append(others, strconv.Quote(string(t)))
			}
		}
		return hint.Add(d.wrong(e.path, "a source of type %q has no such key", s.Type), "it is one of %s; remove it here", strings.Join(others, " and "))
	}
	return nil
}

func (s *Source) checkValues(d *document, path string) error {
	switch {
	case s.Timeout.Duration < 0:
		return hint.Add(d.wrong(path+".timeout", "expected more than nothing"), "leave the key out to have the default")
	case s.AtOnce < 0 || s.AtOnce > maxAtOnce:
		return hint.Add(d.wrong(path+".at_once", "expected a number from 1 to %d", maxAtOnce), "leave the key out to have the default")
	case s.Type == ProgramSource && (len(s.Command) == 0 || s.Command[0] == ""):
		return hint.Add(d.wrong(path+".command", "expected a program"), `command = ["/usr/local/bin/check-password"]: it is run directly, by no shell`)
	}
	return nil
}

// maxAtOnce bounds the connections to other servers, and the programs.
const maxAtOnce = 1000

func (s *Source) checkLDAP(d *document, path string) error {
	if s.Type != LDAPSource {
		return nil
	}
	scheme, rest, _ := strings.Cut(s.URL, "://")
	switch {
	case !slices.Contains([]string{"ldap", "ldaps", "ldapi"}, scheme) || rest == "":
		return hint.Add(d.wrong(path+".url", "expected the URL of a directory server"), `"ldaps://ldap.example.org", or "ldap://ldap.example.org" with starttls = true`)
	case s.StartTLS && scheme != "ldap":
		return hint.Add(d.wrong(path+".starttls", "is for ldap:// only"), "remove the key: ldaps:// is TLS from the start")
	case scheme == "ldap" && !s.StartTLS && !isLoopbackURL(s.URL):
		return hint.Add(d.wrong(path+".url", "passwords would cross the network unprotected"), "use ldaps://, or starttls = true")
	case s.Base == "":
		return hint.Add(d.wrong(path+".base", "expected a DN"), `below which accounts are, as in "ou=people,dc=example,dc=org"`)
	case !strings.Contains(s.Filter, "{user}"):
		return hint.Add(d.wrong(path+".filter", "expected a filter with {user}"), `as in "(&(objectClass=inetOrgPerson)(uid={user}))"`)
	case (s.BindDN == "") != (s.PasswordFile == ""):
		return hint.Add(d.wrong(path, "expected both bind_dn and password_file"), "without the two, searches are anonymous")
	case !slices.Contains([]string{"", "sub", "one", "base"}, s.Scope):
		return hint.Add(d.wrong(path+".scope", `expected "sub", "one" or "base"`), "how far below the base accounts are")
	case !slices.Contains([]string{"", "bind", "compare"}, s.Verify):
		return hint.Add(d.wrong(path+".verify", `expected "bind" or "compare"`), `"bind" logs in there with the password`)
	case (s.Verify == "compare") != (s.PasswordAttribute != ""):
		return hint.Add(d.wrong(path+".password_attribute", `belongs to verify = "compare"`), "both, or none of the two")
	}
	return nil
}

func isLoopbackURL(text string) bool {
	u, err := url.Parse(text)
	return err == nil && loopback(u.Hostname())
}

func (s *Source) checkSQL(d *document, path string) error {
	if s.Type != SQLSource {
		return nil
	}
	scheme, _, _ := strings.Cut(s.URL, "://")
	if scheme != "postgres" && scheme != "postgresql" {
		return hint.Add(d.wrong(path+".url", "expected the URL of a PostgreSQL server"), `"postgres://postfach@db.example.org/mail?sslmode=verify-full"`)
	}
	for _, q := range []struct{ key, text string }{{"query", s.Query}, {"app_passwords", s.AppPasswords}} {
		if !strings.Contains(q.text, "@user") && (q.text != "" || q.key == "query") {
			return hint.Add(d.wrong(path+"."+q.key, "expected a query with @user"), `as in "SELECT password FROM users WHERE name = @user", without quotes around @user`)
		}
	}
	return nil
}

func (s *Source) checkMaildir(d *document, path string) error {
	rest := strings.ReplaceAll(s.Maildir, "{user}", "")
	switch {
	case s.Maildir == "":
		return nil
	case rest == s.Maildir:
		return hint.Add(d.wrong(path+".maildir", "all accounts would have one maildrop"), `{user} stands for the name, as in "/var/mail/{user}"`)
	case strings.ContainsAny(rest, "{}%~"):
		return hint.Add(d.wrong(path+".maildir", "has a variable that is not known"), "{user} is the only one")
	}
	return nil
}
