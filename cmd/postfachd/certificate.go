package main

import (
	"log/slog"
	"net"
	"os"
	"reflect"
	"sync"
	"time"

	"postfach/internal/certificates"
	"postfach/internal/config"
	"postfach/internal/datafolder"
	"postfach/internal/vfs"
)

// A tlsState is what the daemon holds for TLS, for its whole life.
type tlsState struct {
	folder datafolder.Folder
	log    *slog.Logger

	certificates *certificates.Set
	minute       <-chan time.Time        // when it is time to look after them
	responder    *certificates.Responder // nil: no challenges are answered
	answered     challenge               // what it answers
	ending       sync.WaitGroup          // ACMEs that have been replaced
}

// A challenge is what an ACME server asks, and the address where it is answered, as
// the configuration has it. The zero value is none, or one that needs no address.
type challenge struct {
	kind    config.Challenge
	address string
}

func challengeOf(cfg *config.Config) challenge {
	address := cfg.TLS.ACME.ListenAddress()
	if address == "" {
		return challenge{}
	}
	return challenge{cfg.TLS.ACME.Challenge, address}
}

// A tlsPlan is what a configuration means for TLS. Nothing of it is in force.
type tlsPlan struct {
	certificates func()                // puts those from files into force
	acme         certificates.ACMESpec // without hosts: there is none
	changed      bool                  // the challenge, which needs a restart
	keep         bool                  // the ACME that there is: the new one's challenge would not be answered
}

// newTLS reads the certificates and the keys of session tickets.
func newTLS(cfg *config.Config, folder datafolder.Folder, log *slog.Logger) (*tlsState, error) {
	t := &tlsState{folder: folder, log: log, certificates: &certificates.Set{Log: log}, minute: time.Tick(time.Minute)}
	if err := t.certificates.Load(certificateFiles(cfg, folder)); err != nil {
		return nil, err
	}
	t.certificates.Tickets = certificates.OpenTickets(folder.Tickets(), time.Now(), log)
	return t, nil
}

// begin answers challenges, which arrive at l, and gets certificates from an ACME
// server, if that is configured. close ends both, and closes l.
func (t *tlsState) begin(cfg *config.Config, l net.Listener) error {
	if l != nil {
		t.answered = challengeOf(cfg)
		t.responder = certificates.Respond(l, certificates.Challenge(t.answered.kind), t.log)
	}
	spec, err := t.acmeSpec(cfg)
	if err != nil {
		return err
	}
	return t.useACME(spec)
}

// look begins to look after the certificates. What comes of it is to be called, and says
// whether servers need another Config.
func (t *tlsState) look(now time.Time) <-chan func() bool {
	ready := make(chan func() bool, 1)
	go func() { ready <- t.certificates.Look(now) }()
	return ready
}

func (t *tlsState) close() {
	t.certificates.ACME().Close()
	t.ending.Wait()
	certificates.ReleaseLocks(t.log)
	t.responder.Close()
}

// plan reads the files of a configuration.
func (t *tlsState) plan(cfg *config.Config) (p tlsPlan, err error) {
	wanted := challengeOf(cfg)
	p.changed = wanted != t.answered
	p.keep = wanted.address != "" && wanted.kind != t.answered.kind
	if p.acme, err = t.acmeSpec(cfg); err != nil {
		return p, err
	}
	p.certificates, err = t.certificates.Read(certificateFiles(cfg, t.folder))
	return p, err
}

// use puts a plan into force, all of it, or nothing after an error, which it logs.
func (t *tlsState) use(p tlsPlan) error {
	if !p.keep {
		if err := t.useACME(p.acme); err != nil {
			t.log.Error("certificate not reloaded", "err", err)
			return err
		}
	}
	p.certificates()
	return nil
}

// acmeSpec is what a configuration wants of an ACME server.
func (t *tlsState) acmeSpec(cfg *config.Config) (certificates.ACMESpec, error) {
	spec, err := acmeSpec(cfg, t.folder)
	if challengeOf(cfg).address != "" && t.responder != nil {
		spec.Listening = t.responder.Addr().String()
	}
	return spec, err
}

// acmeSpec reads the root of the ACME server. Where challenges are answered is left
// out. Without hosts it is empty.
func acmeSpec(cfg *config.Config, folder datafolder.Folder) (certificates.ACMESpec, error) {
	a := cfg.TLS.ACME
	if len(a.Hosts) == 0 {
		return certificates.ACMESpec{}, nil
	}
	roots, err := certificates.ReadRoots(a.CA)
	return certificates.ACMESpec{
		Hosts: a.Hosts, Email: a.Email, Directory: a.Directory, Roots: roots,
		Folder:    folder.ACME(),
		Challenge: certificates.Challenge(a.Challenge), Hook: a.DNSHook, HookTimeout: a.DNSHookTimeout.Duration,
	}, err
}

// useACME begins to get certificates from an ACME server, or ends that, or goes on
// with it, when nothing about it has changed.
func (t *tlsState) useACME(spec certificates.ACMESpec) error {
	old := t.certificates.ACME()
	if reflect.DeepEqual(old.Spec(), spec) {
		return nil
	}
	var fresh *certificates.ACME
	if len(spec.Hosts) > 0 {
		var err error
		if fresh, err = certificates.StartACME(spec, t.log); err != nil {
			return err
		}
	}
	t.certificates.Use(fresh)
	t.ending.Go(old.Close) // which may take a moment
	return nil
}

// certificateFiles are the configured ones, or those of the data folder.
func certificateFiles(cfg *config.Config, folder datafolder.Folder) certificates.Files {
	f := certificates.Files{
		ClientCA: cfg.TLS.ClientCA, ClientCRL: cfg.TLS.ClientCRL,
		Private: string(folder),
		Pairs:   []certificates.Pair{{Certificate: cfg.TLS.Certificate, Key: cfg.TLS.Key}},
	}
	if cfg.TLS.Certificate == "" {
		f.Pairs[0] = ownCertificate(folder)
		f.OwnDefault = true
	}
	for _, p := range cfg.TLS.More {
		f.Pairs = append(f.Pairs, certificates.Pair(p))
	}
	return f
}

func ownCertificate(folder datafolder.Folder) certificates.Pair {
	return certificates.Pair{Certificate: folder.Certificate(), Key: folder.Key()}
}

// makeCertificate makes a self-signed certificate in the data folder where
// there is neither certificate nor key, and none is configured.
func makeCertificate(cfg *config.Config, folder datafolder.Folder) error {
	if cfg.TLS.Certificate != "" {
		return nil
	}
	return certificates.MakeSelfSigned(ownCertificate(folder), hostname(cfg), time.Now())
}

func exists(name string) bool { return vfs.Exists(name) }

// hostname is the configured name, or the machine's.
func hostname(cfg *config.Config) string {
	if cfg.Hostname != "" {
		return cfg.Hostname
	}
	name, err := os.Hostname()
	if err != nil || !config.IsHostname(name) {
		return "localhost"
	}
	return name
}
