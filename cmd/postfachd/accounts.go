package main

import (
	"cmp"
	"context"
	"crypto/sha256"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"reflect"
	"slices"
	"strings"
	"sync"
	"time"

	"postfach/internal/accounts"
	"postfach/internal/accounts/oidc"
	checkpassword "postfach/internal/accounts/program"
	"postfach/internal/accounts/sources"
	"postfach/internal/config"
	"postfach/internal/hint"
	"postfach/internal/lastlogin"
	"postfach/pop3server"
)

// A directory is who may log in by one configuration.
type directory struct {
	*accounts.Directory
	sources   []source
	issuer    *oidc.Issuer // nil: nobody's tokens are taken
	oidc      config.OIDC  // what it was made from
	oidcFiles digest
}

// A source is one of its sources, and what it was made from.
type source struct {
	accounts.Source
	spec  config.Source
	files digest
}

// A digest is that of files which are read once, when a source is made: passwords
// and authorities.
type digest [sha256.Size]byte

// digestOf is that of some files, or of none where a name is empty. One that cannot be
// read has a digest, too: whoever makes the source says what is wrong. It stays in
// memory, because secrets could be tried against it.
func digestOf(names ...string) (d digest) {
	h := sha256.New()
	for _, name := range names {
		content, err := os.ReadFile(name)
		fmt.Fprintf(h, "%d %t ", len(content), err == nil)
		h.Write(content)
	}
	return digest(h.Sum(d[:0]))
}

// newDirectory builds the sources of a configuration. Those that old has already, with
// the same passwords and authorities in their files, stay as they are: they know what
// they have read, and have connections.
func (d *daemon) newDirectory(cfg *config.Config, old *directory) (*directory, error) {
	specs := sources.Of(cfg)
	fresh := &directory{Directory: &accounts.Directory{
		Domains:          map[string]accounts.Policy{},
		Mail:             d.folder.Mail(),
		Key:              d.decoyKey,
		ScramHashes:      scramHashes(cfg),
		CertificateNames: cfg.ClientCertificateNames,
		Log:              d.log,
	}}
	for _, spec := range specs {
		files := digestOf(spec.PasswordFile, spec.CA)
		s := old.find(spec, files)
		if s == nil {
			var err error
			if s, err = d.newSource(spec); err != nil {
				fresh.closeExcept(old)
				return nil, err
			}
		}
		fresh.sources = append(fresh.sources, source{s, spec, files})
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
	fresh.Mechanisms = offered(cfg, fresh.Directory)
	return fresh, nil
}

// usesOwnFile reports whether the data folder's file is a source.
func usesOwnFile(cfg *config.Config) bool {
	return slices.ContainsFunc(sources.Of(cfg), func(s config.Source) bool { return s.Type == config.FileSource && s.Path == "" })
}

// useIssuer takes the tokens of an issuer, if one is configured: the one that old
// has, if it is the same.
func (a *directory) useIssuer(c config.OIDC, old *directory, log *slog.Logger) error {
	a.oidc, a.oidcFiles = c, digestOf(c.ClientSecretFile, c.CA)
	switch {
	case c.Issuer == "":
		return nil
	case old != nil && old.issuer != nil && old.oidcFiles == a.oidcFiles && reflect.DeepEqual(old.oidc, c):
		a.issuer = old.issuer
	default:
		var err error
		a.issuer, err = oidc.New(oidc.Config{
			Issuer: c.Issuer, Audience: c.Audience, Scope: c.Scope, Claim: c.Claim, TrustEmail: c.TrustEmail,
			ClientID: c.ClientID, SecretFile: c.ClientSecretFile, CA: c.CA,
			Leeway: c.Leeway.Duration, Timeout: c.Timeout.Duration, Log: log,
		})
		if err != nil {
			return err
		}
	}
	a.Tokens = a.issuer
	return nil
}

// find returns the source that was made from the same. nil: there is none.
func (a *directory) find(spec config.Source, files digest) accounts.Source {
	if a == nil {
		return nil
	}
	for _, s := range a.sources {
		if s.files == files && reflect.DeepEqual(s.spec, spec) {
			return s.Source
		}
	}
	return nil
}

func (d *daemon) newSource(spec config.Source) (accounts.Source, error) {
	if spec.Type != config.ProgramSource {
		return sources.New(spec, d.folder, d.decoyKey, d.log)
	}
	return sources.Made(checkpassword.New(checkpassword.Config{
		Command: spec.Command, Maildir: spec.Maildir,
		DecoyKey: d.decoyKey, Timeout: spec.Timeout.Duration, AtOnce: spec.AtOnce,
	}))
}

// A prober can be asked whether it answers.
type prober interface {
	Probe(ctx context.Context) error
}

// probeTime is how long a start waits for servers that may be away.
const probeTime = 3 * time.Second

// notAsked is what the log says of a source that does not answer.
const notAsked = "accounts cannot be asked for now"

// probe warns about sources that do not answer. They may answer later, and keep no
// server from starting.
func (a *directory) probe(parent context.Context, log *slog.Logger) {
	ctx, cancel := context.WithTimeout(parent, probeTime)
	defer cancel()
	var all sync.WaitGroup
	look := func(what string, p prober) {
		all.Go(func() {
			if err := p.Probe(ctx); err != nil && parent.Err() == nil {
				log.Warn(notAsked, "type", what, "err", err, "hint", cmp.Or(hint.Of(err), askingRemedy(what, err)))
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
		log.Warn("key for names that do not exist", "err", err, "instead", "one that ends with the process")
		d.decoyKey = accounts.NewKey()
	}
}
