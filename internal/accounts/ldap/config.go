package ldap

import (
	"cmp"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/go-ldap/ldap/v3"

	"postfach/internal/accounts"
	"postfach/internal/hint"
)

// A Config says where a directory is and how accounts are found there.
type Config struct {
	// URL is that of the server: ldaps://host, ldap://host, or ldapi:// and the
	// path of a socket, percent-encoded.
	URL string
	// StartTLS begins TLS on an ldap connection. Without it, ldap is for loopback.
	StartTLS bool
	// CA is a PEM file with the authorities that the server's certificate is
	// verified against. Empty: those of the system.
	CA string
	// BindDN and PasswordFile are what searches are made as. Empty: anonymously.
	BindDN, PasswordFile string

	// Base and Scope ("sub", "one", "base"; empty: "sub") are where accounts are.
	Base, Scope string
	// Filter finds one. {user} stands for the user's name.
	Filter string
	// Verify is how passwords are checked: "bind" (also for empty), or "compare"
	// with PasswordAttribute, which the server must know in clear.
	Verify, PasswordAttribute string
	// UserAttribute has the name that the account is known by here. Empty: the name
	// that was asked for, so that two names of one entry are two accounts.
	UserAttribute string
	// MaildirAttribute has the path of the maildrop. Where it is empty, or not
	// there, Maildir says it, in which {user} stands for the name.
	MaildirAttribute, Maildir string
	// DecoyDN is an entry that tries at unknown names are made at. Empty: one that
	// does not exist, which a server may tell faster than a wrong password.
	DecoyDN string
	// DecoyKey makes that an unknown name always leads to the same one, beyond the
	// life of the process. nil: as long as the Source.
	DecoyKey []byte

	Timeout time.Duration // of each question; 0: 5 s
	AtOnce  int           // connections for searches, and as many for checks; 0: 4
	Log     *slog.Logger  // nil: slog.Default
}

// The ways to check a password.
const (
	bind    = "bind"
	compare = "compare"
)

// placeholder stands for the user's name.
const placeholder = "{user}"

var errURL = errors.New("expected the URL of an LDAP server")

const urlHint = `"ldaps://ldap.example.org", "ldap://ldap.example.org" with starttls = true, or "ldapi://%2Frun%2Fslapd%2Fldapi"`

// address understands the URL.
func (c *Config) address() (network, address, host string, err error) {
	if path, ok := strings.CutPrefix(c.URL, "ldapi://"); ok { // whose host part package url does not take
		path, err := url.PathUnescape(strings.TrimSuffix(path, "/"))
		if err != nil || !strings.HasPrefix(path, "/") || c.StartTLS {
			return "", "", "", hint.Add(errURL, "%s", urlHint)
		}
		return "unix", path, "", nil
	}
	u, err := url.Parse(c.URL)
	if err != nil || u.User != nil || u.RawQuery != "" || u.Path != "" && u.Path != "/" {
		return "", "", "", hint.Add(errURL, "%s", urlHint)
	}
	port := u.Port()
	switch {
	case u.Scheme == "ldaps" && u.Hostname() != "" && !c.StartTLS:
		port = cmp.Or(port, ldap.DefaultLdapsPort)
	case u.Scheme == "ldap" && u.Hostname() != "":
		port = cmp.Or(port, ldap.DefaultLdapPort)
		if !c.StartTLS && !accounts.Loopback(u.Hostname()) {
			return "", "", "", hint.Add(errors.New("passwords would cross the network unprotected"), "use ldaps://, or starttls = true")
		}
	default:
		return "", "", "", hint.Add(errURL, "%s", urlHint)
	}
	return "tcp", net.JoinHostPort(u.Hostname(), port), u.Hostname(), nil
}

// tls returns what the server's certificate is verified with.
func (c *Config) tls(host string) (*tls.Config, error) {
	roots, err := accounts.Roots(c.CA)
	return &tls.Config{ServerName: host, MinVersion: tls.VersionTLS12, RootCAs: roots}, err
}

func (c *Config) scope() (int, error) {
	i := slices.Index([]string{"base", "one", "sub"}, cmp.Or(c.Scope, "sub"))
	if i < 0 {
		return 0, hint.Add(errors.New("unknown scope"), `"sub", "one" or "base"`)
	}
	return i, nil
}

// check refuses what cannot work.
func (c *Config) check() error {
	if err := checkFilter(c.Filter); err != nil {
		return err
	}
	for _, dn := range []string{c.BindDN, c.Base, c.DecoyDN} {
		if _, err := ldap.ParseDN(dn); err != nil {
			return hint.Add(fmt.Errorf("%q is no DN", dn), `as in "ou=people,dc=example,dc=org"`)
		}
	}
	switch {
	case c.Base == "":
		return hint.Add(errors.New("expected a base"), `as in "ou=people,dc=example,dc=org"`)
	case (c.BindDN == "") != (c.PasswordFile == ""):
		return hint.Add(errors.New("expected both bind_dn and password_file"), "without the two, searches are anonymous")
	case c.Verify != "" && c.Verify != bind && c.Verify != compare:
		return hint.Add(errors.New("unknown way to verify a password"), `"bind" or "compare"`)
	case c.Verify == compare && c.PasswordAttribute == "":
		return hint.Add(errors.New("expected the attribute to compare with"), `password_attribute = "userPassword"`)
	}
	return nil
}

// checkFilter refuses a filter that could not be filled in, or into which a name
// would get elsewhere than into a value.
func checkFilter(filter string) error {
	rest := strings.ReplaceAll(filter, placeholder, "")
	switch {
	case !strings.Contains(filter, placeholder):
		return hint.Add(errors.New("the filter lacks {user}"), `as in "(&(objectClass=inetOrgPerson)(uid={user}))"`)
	case strings.ContainsAny(rest, "{}%$"):
		return hint.Add(errors.New("the filter has a variable that is not known"), "{user} is the only one; it is escaped as it has to be")
	}
	for before, after, found := strings.Cut(filter, placeholder); found; {
		open := strings.LastIndexByte(before, '(')
		if !strings.Contains(before[open+1:], "=") || strings.HasSuffix(before, `\`) {
			return hint.Add(errors.New("the filter has {user} where no value is"), `as in "(uid={user})"`)
		}
		var more string
		more, after, found = strings.Cut(after, placeholder)
		before += "x" + more
	}
	if _, err := ldap.CompileFilter(fill(filter, "x")); err != nil {
		return hint.Add(errors.New("the filter cannot be read"), `as in "(&(objectClass=inetOrgPerson)(uid={user}))"`)
	}
	return nil
}

// fill puts a name into a filter.
func fill(filter, user string) string {
	return strings.ReplaceAll(filter, placeholder, ldap.EscapeFilter(user))
}

// secret reads the password for searches.
func (c *Config) secret() (string, error) {
	if c.PasswordFile == "" {
		return "", nil
	}
	return accounts.ReadSecret(c.PasswordFile)
}
