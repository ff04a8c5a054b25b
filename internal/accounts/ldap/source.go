// Package ldap finds accounts in a directory server (RFC 4511), which checks their
// passwords itself: none leaves it.
package ldap

import (
	"cmp"
	"context"
	"fmt"
	"log/slog"
	"strings"
	"time"

	"github.com/go-ldap/ldap/v3"

	"postfach/internal/accounts"
	"postfach/maildrop"
)

// A Source is an accounts.Source over one directory server. A server that is away
// is an error of the moment, never an account that does not exist.
type Source struct {
	accounts.Unannounced // the server keeps what SCRAM would need

	config Config
	scope  int

	// Who binds becomes somebody else, so searches have connections of their own.
	searches, checks *pool

	reminder accounts.Reminder
}

// New returns a Source. It connects to nobody yet.
func New(c Config) (*Source, error) {
	if err := c.check(); err != nil {
		return nil, fmt.Errorf("ldap: %w", err)
	}
	network, address, host, err := c.address()
	if err != nil {
		return nil, fmt.Errorf("ldap: %q: %w", c.URL, err)
	}
	d := dialer{network: network, address: address, startTLS: c.StartTLS}
	if strings.HasPrefix(c.URL, "ldaps:") || c.StartTLS {
		if d.tls, err = c.tls(host); err != nil {
			return nil, fmt.Errorf("ldap: %w", err)
		}
	}
	if c.DecoyKey == nil {
		c.DecoyKey = accounts.NewKey()
	}
	if c.Timeout <= 0 {
		c.Timeout = 5 * time.Second
	}
	if c.AtOnce <= 0 {
		c.AtOnce = 4
	}
	c.Log = cmp.Or(c.Log, slog.Default())
	s := &Source{config: c, reminder: accounts.NewReminder(), checks: newPool(d, c.AtOnce)}
	if s.scope, err = c.scope(); err != nil {
		return nil, fmt.Errorf("ldap: %w", err)
	}
	d.dn = c.BindDN
	if d.password, err = c.secret(); err != nil {
		return nil, fmt.Errorf("ldap: %w", err)
	}
	s.searches = newPool(d, c.AtOnce)
	return s, nil
}

// Close ends the connections.
func (s *Source) Close() error {
	s.searches.close()
	s.checks.close()
	return nil
}

// Probe asks the server for nobody, to see whether it answers.
func (s *Source) Probe(ctx context.Context) error {
	_, err := s.search(ctx, s.nobody(""))
	return err
}

// Lookup implements accounts.Source.
func (s *Source) Lookup(ctx context.Context, user string) (*accounts.Entry, error) {
	found, err := s.search(ctx, user)
	switch {
	case err != nil:
		return nil, err
	case len(found) == 0:
		return nil, maildrop.ErrNoUser
	case len(found) > 1:
		return s.closed(ctx, user, "several entries in the directory: make the filter narrower"), nil
	}
	return s.entry(ctx, user, found[0]), nil
}

// entry understands what was found. What cannot be understood lets nobody in.
func (s *Source) entry(ctx context.Context, user string, found *ldap.Entry) *accounts.Entry {
	if found.DN == "" { // to bind as nobody may succeed
		return s.closed(ctx, user, "an entry without a name in the directory")
	}
	e := &accounts.Entry{User: user}
	if a := s.config.UserAttribute; a != "" {
		names := found.GetEqualFoldAttributeValues(a)
		if len(names) != 1 {
			return s.closed(ctx, user, fmt.Sprintf("%d values of %s in the directory, and user_attribute needs one", len(names), a))
		}
		e.User = accounts.SmallLetters(names[0]) // a directory tells no case apart in names
		if accounts.CheckName(e.User) != nil {
			return s.closed(ctx, user, "a value of "+a+" in the directory that is no name for a user")
		}
	}
	if e.User != user {
		e.Confirm = func(ctx context.Context) (string, error) { return s.claimed(ctx, e.User, found.DN) }
	}
	e.Maildir = accounts.MaildirIn(s.config.Maildir, e.User)
	if a := s.config.MaildirAttribute; a != "" {
		paths := found.GetEqualFoldAttributeValues(a)
		if len(paths) > 1 {
			return s.closed(ctx, user, fmt.Sprintf("%d values of %s in the directory", len(paths), a))
		}
		if len(paths) == 1 {
			path, err := accounts.MaildirPath(paths[0])
			if err != nil {
				return s.closed(ctx, user, "a value of "+a+" in the directory: "+err.Error())
			}
			e.Maildir = path
		}
	}
	e.Credentials = []accounts.Credential{s.credential(found.DN, true)}
	return e
}

// claimed says why an entry does not get the maildrop of the name that it says it has:
// somebody else logs in with that name, and people may be able to write what is in their
// entries. Empty: nobody does, or only this one.
func (s *Source) claimed(ctx context.Context, user, dn string) (why string, err error) {
	found, err := s.search(ctx, user)
	switch {
	case err != nil:
		return "", err
	case len(found) > 1, len(found) == 1 && found[0].DN != dn:
		return "another entry in the directory has the name " + user, nil
	}
	return "", nil
}

// closed is an account that is there and that nobody gets in to.
func (s *Source) closed(ctx context.Context, user, why string) *accounts.Entry {
	if s.reminder.Due(why) {
		s.config.Log.Warn("the directory has an entry that cannot be used: nobody gets in", "user", user, "reason", why)
	}
	e := s.Decoy(ctx, user)
	e.Closed, e.Broken = why, true
	return e
}

// Decoy implements accounts.Source. Its check asks the server for a password, too,
// at an entry that is nobody's.
func (s *Source) Decoy(_ context.Context, name string) *accounts.Entry {
	dn := s.config.DecoyDN
	if dn == "" {
		dn = "cn=" + s.nobody(name) + "," + s.config.Base
	}
	return &accounts.Entry{User: name, Credentials: []accounts.Credential{s.credential(dn, false)}}
}

// nobody is whom the server is asked for in the place of a name that is nowhere.
func (s *Source) nobody(name string) string {
	return accounts.NobodysName(s.config.DecoyKey, "ldap", name)
}

// credential is a password that the server checks. Nothing fits that of a decoy.
func (s *Source) credential(dn string, real bool) accounts.Credential {
	return accounts.Credential{Of: dn, Remote: true, Check: func(ctx context.Context, password string) (bool, error) {
		right, err := s.verify(ctx, dn, password)
		return right && real, err
	}}
}

func (s *Source) verify(ctx context.Context, dn, password string) (bool, error) {
	// An empty password is no try: servers say yes to it, and mean that nobody has
	// logged in (RFC 4513 section 5.1.2).
	if password == "" {
		return false, nil
	}
	ctx, cancel := context.WithTimeout(ctx, s.config.Timeout)
	defer cancel()
	pool, ask := s.checks, func(c *connection) (bool, error) {
		err := c.Bind(dn, password)
		return err == nil, err
	}
	if s.config.Verify == compare {
		pool, ask = s.searches, func(c *connection) (bool, error) { return c.Compare(dn, s.config.PasswordAttribute, password) }
	}
	right := false
	err := pool.do(ctx, func(c *connection) (err error) {
		right, err = ask(c)
		if refused(err) { // here, where it can be nothing that came before the question
			return nil
		}
		return err
	})
	if err != nil {
		return false, fmt.Errorf("ask the directory server %s: %w", s.config.URL, err)
	}
	return right, nil
}

// refused reports whether an error is the server's no to a password, or to an
// account: wrong, without one, locked, expired, or not there.
func refused(err error) bool {
	return ldap.IsErrorAnyOf(err,
		ldap.LDAPResultInvalidCredentials, ldap.LDAPResultNoSuchObject, ldap.LDAPResultNoSuchAttribute,
		ldap.LDAPResultInappropriateAuthentication, ldap.LDAPResultConstraintViolation, ldap.LDAPResultUnwillingToPerform,
	)
}

// search returns the entries of a name: no more than two.
func (s *Source) search(ctx context.Context, user string) ([]*ldap.Entry, error) {
	ctx, cancel := context.WithTimeout(ctx, s.config.Timeout)
	defer cancel()
	request := &ldap.SearchRequest{
		BaseDN:       s.config.Base,
		Scope:        s.scope,
		DerefAliases: ldap.NeverDerefAliases,
		SizeLimit:    2,
		TimeLimit:    int(max(s.config.Timeout, time.Second) / time.Second),
		Filter:       fill(s.config.Filter, user),
		Attributes:   s.attributes(),
	}
	var found []*ldap.Entry
	err := s.searches.do(ctx, func(c *connection) error {
		result, err := c.Search(request)
		if result != nil {
			found = result.Entries // and no referrals: whom they lead to was not asked for
		}
		return err
	})
	if ldap.IsErrorWithCode(err, ldap.LDAPResultSizeLimitExceeded) && len(found) > 1 {
		err = nil
	}
	if err != nil {
		return nil, fmt.Errorf("search the directory server %s: %w", s.config.URL, err)
	}
	return found, nil
}

func (s *Source) attributes() []string {
	var names []string
	for _, a := range []string{s.config.UserAttribute, s.config.MaildirAttribute} {
		if a != "" {
			names = append(names, a)
		}
	}
	if names == nil {
		return []string{"1.1"} // none at all (RFC 4511 section 4.5.1.8)
	}
	return names
}

var _ accounts.Source = (*Source)(nil)
