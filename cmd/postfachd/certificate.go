package main

import (
	"errors"
	"io/fs"
	"log/slog"
	"net"
	"os"
	"reflect"
	"time"

	"postfach/internal/certificates"
	"postfach/internal/config"
	"postfach/internal/datafolder"
)

// A tlsState is what the daemon holds for TLS, for its whole life.
type tlsState struct {
	folder datafolder.Folder
	log    *slog.Logger

	certificates *certificates.Set
	minute       <-chan time.Time        // when it is time to look after them
	responder    *certificates.Responder // nil: no challenges are answered
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
		t.responder = certificates.Respond(l, certificates.Challenge(cfg.TLS.ACME.Challenge), t.log)
	}
	return t.useACME(cfg)
}

func (t *tlsState) close() {
	t.certificates.ACME().Close()
	t.responder.Close()
}

// load reads the files of a configuration. After an error the old ones stay.
func (t *tlsState) load(cfg *config.Config) error {
	if err := t.certificates.Load(certificateFiles(cfg, t.folder)); err != nil {
		return err
	}
	return t.useACME(cfg)
}

// useACME begins to get certificates from an ACME server, or goes on with it,
// when nothing about it has changed.
func (t *tlsState) useACME(cfg *config.Config) error {
	a := cfg.TLS.ACME
	old := t.certificates.ACME()
	if len(a.Hosts) == 0 {
		t.certificates.Use(nil)
		old.Close()
		return nil
	}
	spec := certificates.ACMESpec{
		Hosts: a.Hosts, Email: a.Email, Directory: a.Directory, CA: a.CA,
		Folder:    t.folder.ACME(),
		Challenge: certificates.Challenge(a.Challenge), Hook: a.DNSHook, HookTimeout: a.DNSHookTimeout.Duration,
	}
	if a.ListenAddress() != "" {
		if t.responder == nil || t.responder.Challenge() != spec.Challenge {
			t.log.Warn("the ACME challenge has changed", "hint", "restart the server to use the new one; the old one stays until then")
			return nil
		}
		spec.Listening = t.responder.Addr().String()
	}
	if reflect.DeepEqual(old.Spec(), spec) {
		return nil
	}
	fresh, err := certificates.StartACME(spec, t.log)
	if err != nil {
		return err
	}
	t.certificates.Use(fresh)
	old.Close()
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
		f.Pairs = append(f.Pairs, certificates.Pair{Certificate: p.Certificate, Key: p.Key})
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

func exists(name string) bool {
	_, err := os.Lstat(name)
	return !errors.Is(err, fs.ErrNotExist)
}

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
