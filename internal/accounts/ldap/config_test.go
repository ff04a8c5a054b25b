//go:build unix

package ldap

import (
	"os"
	"strings"
	"testing"

	ber "github.com/go-asn1-ber/asn1-ber"
	"github.com/go-ldap/ldap/v3"

	"postfach/internal/hint"
)

func TestConfigurationsThatCannotWorkAreRefused(t *testing.T) {
	good := Config{URL: "ldaps://ldap.example.org", Base: "dc=example,dc=org", Filter: "(uid={user})"}
	if _, err := New(good); err != nil {
		t.Fatal(err)
	}
	open := secretFile(t, "x")
	if err := os.Chmod(open, 0o644); err != nil {
		t.Fatal(err)
	}
	for want, change := range map[string]func(*Config){
		"unprotected":                     func(c *Config) { c.URL = "ldap://ldap.example.org" },
		"expected the URL":                func(c *Config) { c.URL = "http://ldap.example.org" },
		`"ldap:": expected the URL`:       func(c *Config) { c.URL = "ldap:" },
		"ldaps://a/?x":                    func(c *Config) { c.URL = "ldaps://a/?x" },
		"ldaps://u:p@a":                   func(c *Config) { c.URL = "ldaps://u:p@a" },
		"ldapi://":                        func(c *Config) { c.URL = "ldapi://" },
		`"ldaps://b": expected`:           func(c *Config) { c.URL, c.StartTLS = "ldaps://b", true },
		"lacks {user}":                    func(c *Config) { c.Filter = "(uid=%u)" },
		"variable that is not known":      func(c *Config) { c.Filter = "(|(uid={user})(mail=%u))" },
		"has a variable":                  func(c *Config) { c.Filter = "(|(uid={user})(mail={mail}))" },
		"where no value is":               func(c *Config) { c.Filter = "({user}=x)" },
		"{user} where no value":           func(c *Config) { c.Filter = "(|(uid={user})({user}=x))" },
		"the filter has {user} where":     func(c *Config) { c.Filter = `(uid=\{user})` },
		"cannot be read":                  func(c *Config) { c.Filter = "(uid={user}" },
		"expected a base":                 func(c *Config) { c.Base = "" },
		"is no DN":                        func(c *Config) { c.Base = "people" },
		"both bind_dn and":                func(c *Config) { c.BindDN = "cn=x" },
		"unknown way":                     func(c *Config) { c.Verify = "guess" },
		"attribute to compare":            func(c *Config) { c.Verify = "compare" },
		"unknown scope":                   func(c *Config) { c.Scope = "all" },
		"no such file":                    func(c *Config) { c.CA = "/nowhere/ca.pem" },
		"there is no certificate":         func(c *Config) { c.CA = secretFile(t, "x") },
		"/nowhere/secret":                 func(c *Config) { c.BindDN, c.PasswordFile = "cn=x", "/nowhere/secret" },
		strings.TrimSuffix(open, "ecret"): func(c *Config) { c.BindDN, c.PasswordFile = "cn=x", open }, // others can read it
	} {
		c := good
		change(&c)
		_, err := New(c)
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %s", err, want)
		}
		if !strings.Contains(want, "no") && hint.Of(err) == "" {
			t.Errorf("%v: no hint", err)
		}
	}
}

// A name is a value, whatever it is: it changes nothing else of a filter.
func FuzzFilter(f *testing.F) {
	f.Add(filter, "anna")
	f.Add("(uid={user})", "*)(uid=*")
	f.Add("(&(uid=*{user}*)(cn=a))", `\2a`)
	f.Add("(cn:dn:2.4.6.8.10:={user})", "\x00(")
	f.Add("(uid={user}{user})", "é")
	f.Fuzz(func(t *testing.T, filter, user string) {
		if checkFilter(filter) != nil || user == "" {
			return
		}
		want, err := ldap.CompileFilter(fill(filter, "x"))
		if err != nil {
			t.Fatalf("%q: %v", filter, err)
		}
		got, err := ldap.CompileFilter(fill(filter, user))
		if err != nil {
			t.Fatalf("%q %q: %v", filter, user, err)
		}
		if !alike(got, want) {
			t.Errorf("%q %q: another filter", filter, user)
		}
	})
}

// alike compares the shape of two filters.
func alike(a, b *ber.Packet) bool {
	if a.ClassType != b.ClassType || a.TagType != b.TagType || a.Tag != b.Tag || len(a.Children) != len(b.Children) {
		return false
	}
	for i := range a.Children {
		if !alike(a.Children[i], b.Children[i]) {
			return false
		}
	}
	return true
}
