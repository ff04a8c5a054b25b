package main

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"reflect"
	"slices"
	"strings"
	"sync"
	"time"

	"postfach/internal/accounts"
	"postfach/internal/accounts/ldap"
	"postfach/internal/accounts/oidc"
	checkpassword "postfach/internal/accounts/program"
	"postfach/internal/accounts/sql"
	"postfach/internal/config"
	"postfach/internal/hint"
	"postfach/internal/lastlogin"
	"postfach/pop3server"
	"postfach/sasl"
)

// A directory is who may log in by one configuration.
type directory struct {
	*accounts.Directory
	sources []source
	issuer  *oidc.Issuer // nil: nobody's tokens are taken
	oidc    config.OIDC  // what it was made from
}

// A source is one of its sources, and what it was made from.
type source struct {
	accounts.Source
	spec config.Source
}

// newDirectory builds the sources of a configuration. Those that old has already
// stay as they are: they know what they have read, and have connections.
func (d *daemon) newDirectory(cfg *config.Config, old *directory) (*directory, error) {
	specs := sourcesOf(cfg)
	fresh := &directory{Directory: &accounts.Directory{
		Domains:          map[string]accounts.Policy{},
		Mail:             d.folder.Mail(),
		Key:              d.decoyKey,
		ScramHashes:      scramHashes(cfg),
		CertificateNames: cfg.ClientCertificateNames,
		Log:              d.log,
	}}
	for _, spec := range specs {
		s, err := d.newSource(spec, old)
		if err != nil {
			fresh.closeExcept(old)
			return nil, err
		}
		fresh.sources = append(fresh.sources, source{s, spec})
		fresh.Sources = append(fresh.Sources, s)
	}
	for _, domain := range cfg.Domains {
		policy, err := policyOf(domain)
		if err != nil {
			fresh.closeExcept(old)
			return nil, err
		}
		fresh.Domains[domain.Name] = policy
	}
	if err := fresh.useIssuer(cfg.OIDC, old, d.log); err != nil {
		fresh.closeExcept(old)
		return nil, err
	}
	return fresh, nil
}

// sourcesOf are the sources of a configuration. A file without a path is the data
// folder's.
func sourcesOf(cfg *config.Config) []config.Source {
	if len(cfg.Sources) == 0 {
		return []config.Source{{Type: config.FileSource, Path: cfg.Accounts}}
	}
	return cfg.Sources
}

// usesOwnFile reports whether the data folder's file is a source.
func usesOwnFile(cfg *config.Config) bool {
	return slices.ContainsFunc(sourcesOf(cfg), func(s config.Source) bool { return s.Type == config.FileSource && s.Path == "" })
}

// useIssuer takes the tokens of an issuer, if one is configured: the one that old
// has, if it is the same.
func (a *directory) useIssuer(c config.OIDC, old *directory, log *slog.Logger) error {
	switch {
	case c.Issuer == "":
		return nil
	case old != nil && old.issuer != nil && reflect.DeepEqual(old.oidc, c):
		a.issuer = old.issuer
	default:
		var err error
		a.issuer, err = oidc.New(oidc.Config{
			Issuer: c.Issuer, Audience: c.Audience, Scope: c.Scope, Claim: c.Claim,
			ClientID: c.ClientID, SecretFile: c.ClientSecretFile, CA: c.CA,
			Leeway: c.Leeway.Duration, Timeout: c.Timeout.Duration, Log: log,
		})
		if err != nil {
			return err
		}
	}
	a.oidc, a.Tokens = c, a.issuer
	return nil
}

func (d *daemon) newSource(spec config.Source, old *directory) (accounts.Source, error) {
	if old != nil {
		for _, s := range old.sources {
			if reflect.DeepEqual(s.spec, spec) {
				return s.Source, nil
			}
		}
	}
	switch spec.Type {
	case config.FileSource:
		path := spec.Path
		if path == "" {
			path = d.folder.Accounts()
		}
		return &accounts.File{Path: path, Key: d.folder.APOPKey(), Mail: d.folder.Mail(), DecoyKey: d.decoyKey, Log: d.log}, nil
	case config.LDAPSource:
		return made(ldap.New(ldap.Config{
			URL: spec.URL, StartTLS: spec.StartTLS, CA: spec.CA, BindDN: spec.BindDN, PasswordFile: spec.PasswordFile,
			Base: spec.Base, Scope: spec.Scope, Filter: spec.Filter, Verify: spec.Verify, PasswordAttribute: spec.PasswordAttribute,
			UserAttribute: spec.UserAttribute, MaildirAttribute: spec.MaildirAttribute, Maildir: spec.Maildir, DecoyDN: spec.DecoyDN,
			Timeout: spec.Timeout.Duration, AtOnce: spec.AtOnce, Log: d.log,
		}))
	case config.SQLSource:
		return made(sql.New(sql.Config{
			URL: spec.URL, CA: spec.CA, PasswordFile: spec.PasswordFile, Query: spec.Query, AppPasswords: spec.AppPasswords, Maildir: spec.Maildir,
			Timeout: spec.Timeout.Duration, AtOnce: spec.AtOnce, Log: d.log,
		}))
	case config.ProgramSource:
		return made(checkpassword.New(checkpassword.Config{Command: spec.Command, Maildir: spec.Maildir, Timeout: spec.Timeout.Duration, AtOnce: spec.AtOnce}))
	}
	return nil, hint.Add(fmt.Errorf("accounts of type %q are not known here", spec.Type), "type in [[source]] is file, ldap, sql or program")
}

// made keeps a source that is nil from looking like one.
func made[S accounts.Source](s S, err error) (accounts.Source, error) {
	if err != nil {
		return nil, err
	}
	return s, nil
}

// A prober can be asked whether it answers.
type prober interface {
	Probe(ctx context.Context) error
}

// probeTime is how long a start waits for servers that may be away.
const probeTime = 3 * time.Second

// probe warns about sources that do not answer. They may answer later, and keep no
// server from starting.
func (a *directory) probe(log *slog.Logger) {
	ctx, cancel := context.WithTimeout(context.Background(), probeTime)
	defer cancel()
	var all sync.WaitGroup
	look := func(what string, p prober) {
		all.Go(func() {
			if err := p.Probe(ctx); err != nil {
				log.Warn("accounts cannot be asked for now", "type", what, "err", err, "hint", hint.Of(err))
			}
		})
	}
	for _, s := range a.sources {
		if p, ok := s.Source.(prober); ok {
			look(string(s.spec.Type), p)
		}
	}
	if a.issuer != nil {
		look("oidc", a.issuer)
	}
	all.Wait()
}

// Load reads the files again. Other sources are asked when somebody logs in.
func (a *directory) Load() error {
	for _, s := range a.sources {
		if f, ok := s.Source.(*accounts.File); ok {
			if err := f.Load(); err != nil {
				return err
			}
		}
	}
	return nil
}

// closeExcept ends the connections of sources that kept does not use.
func (a *directory) closeExcept(kept *directory) error {
	if a == nil {
		return nil
	}
	var errs []error
	for _, s := range a.sources {
		used := kept != nil && slices.ContainsFunc(kept.sources, func(k source) bool { return k.Source == s.Source })
		if c, ok := s.Source.(io.Closer); ok && !used {
			errs = append(errs, c.Close())
		}
	}
	if a.issuer != nil && (kept == nil || kept.issuer != a.issuer) {
		errs = append(errs, a.issuer.Close())
	}
	return errors.Join(errs...)
}

// sameMaildrops reports whether both find maildrops in the same places.
func (a *directory) sameMaildrops(b *directory) bool {
	return slices.EqualFunc(a.sources, b.sources, func(x, y source) bool { return x.Source == y.Source })
}

// scramHashes are those of the mechanisms that the configuration lists. nil: it
// lists none, and what all accounts can use is offered.
func scramHashes(cfg *config.Config) []sasl.ScramHash {
	if len(cfg.Mechanisms) == 0 {
		return nil
	}
	hashes := []sasl.ScramHash{}
	for _, h := range []sasl.ScramHash{sasl.SHA256, sasl.SHA1} {
		if cfg.Offers(h.Mechanism(false)) {
			hashes = append(hashes, h)
		}
	}
	return hashes
}

// policyOf is a section [[domain]].
func policyOf(domain config.Domain) (accounts.Policy, error) {
	p := accounts.Policy{
		NoPOP3:             domain.POP3 != nil && !*domain.POP3,
		RequireTLS:         domain.RequireTLS,
		RequireCertificate: domain.RequireClientCertificate,
		AppPasswordsOnly:   domain.AppPasswordsOnly,
	}
	var err error
	if len(domain.Networks) > 0 {
		p.Networks, err = accounts.ParseNetworks(strings.Join(domain.Networks, ","))
	}
	if err != nil {
		return p, fmt.Errorf("domain %s: %w", domain.Name, err)
	}
	return p, nil
}

// letIn gives a server the ways to log in that the configuration offers.
func (d *daemon) letIn(s *pop3server.Server) {
	c, who := d.cfg, d.accounts
	s.APOP = who
	if c.Offers(sasl.Plain) {
		s.Auth, s.Login = who, c.Offers(sasl.Login)
	}
	if c.Offers(sasl.ScramSHA256) || c.Offers(sasl.ScramSHA1) {
		s.SCRAM = who
	}
	if c.TLS.ClientCA != "" && c.Offers(sasl.External) {
		s.Certificates = who
	}
	if who.Tokens != nil && c.Offers(sasl.OAuthBearer) {
		s.Tokens = who
	}
	if c.Offers(sasl.CramMD5) {
		s.CRAM = who
	}
	s.LoggedIn = d.noteLogin
}

// noteLogin has the login written down.
func (d *daemon) noteLogin(p *pop3server.Peer, who pop3server.Identity, mechanism string) {
	l := lastlogin.Login{Time: time.Now().Round(time.Second), Mechanism: mechanism}
	if a := p.Address(); a.IsValid() {
		l.Address = a.String()
	}
	if p.TLS != nil {
		l.TLS = tls.VersionName(p.TLS.Version)
	}
	d.logins.Note(who.User, who.Credential, l)
}

// readDecoyKey reads the key of decoys, and makes it at the first start. Without
// it the server works, too: then the salts of names that do not exist change when
// it restarts, and those of others do not.
func (d *daemon) readDecoyKey(log *slog.Logger) {
	var err error
	if d.decoyKey, err = accounts.MakeKey(nil, d.folder.DecoyKey()); err != nil {
		log.Warn("key for names that do not exist", "err", err, "hint", hint.Of(err), "instead", "one that ends with the process")
		d.decoyKey = accounts.NewKey()
	}
}

// graceOfSources is how long sources that a reload has replaced stay open, beyond
// the time for a login: somebody may be about to log in.
const graceOfSources = time.Minute
