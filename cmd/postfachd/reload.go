package main

import (
	"context"
	"errors"
	"slices"
	"strings"
	"time"

	"postfach/internal/config"
)

// A plan is a configuration with all that was made of it. Nothing of it is in force.
type plan struct {
	cfg      *config.Config
	capacity capacity
	tls      tlsPlan
	who      *directory
	restart  []string // keys that only a restart puts into force
	stale    string   // what to do so that the new configuration can be used; cfg is the old one. Empty: it is the new one
}

// reload begins to read configuration, accounts and certificates again. The plan that
// comes of it is for use; nil: something cannot be used, and the log says what.
// Sessions do not wait for that, nor does the end: a disk or another server may
// take its time.
func (d *daemon) reload(ctx context.Context) <-chan *plan {
	ready := make(chan *plan, 1)
	go func() { ready <- d.plan(ctx) }()
	return ready
}

// plan changes nothing, and complains about all that cannot be used.
func (d *daemon) plan(ctx context.Context) *plan {
	p := &plan{cfg: d.cfg, capacity: d.capacity}
	switch cfg, err := d.newConfiguration(); {
	case err != nil:
		d.log.Error("configuration not reloaded", "err", err)
		p.stale = "mend it, and reload again"
	case !d.hasAll(cfg): // nobody could reach the accounts of a directory that cannot be asked
		p.stale = "restart the server"
	default:
		p.take(d, cfg)
	}
	var errTLS, err error
	if p.tls, errTLS = d.tls.plan(p.cfg); errTLS != nil {
		d.log.Error("certificate not reloaded", "err", errTLS)
	}
	if p.tls.changed {
		d.log.Warn("the ACME challenge has changed", "hint", "restart the server to use the new one; the old one stays until then")
		p.restart = append(p.restart, "tls.acme")
	}
	if p.who, err = d.newDirectory(p.cfg, d.accounts); err == nil {
		err = p.who.Load()
	}
	if err != nil {
		d.log.Error("accounts not reloaded", "err", err)
	}
	if errors.Join(err, errTLS) != nil {
		p.who.closeExcept(d.accounts)
		return nil
	}
	p.who.probe(ctx, d.log)
	return p
}

// newConfiguration reads the configuration again.
func (d *daemon) newConfiguration() (*config.Config, error) {
	cfg, err := d.flags.configuration()
	if err != nil {
		return nil, err
	}
	for _, w := range cfg.Warnings {
		d.log.Warn("configuration", "warning", w)
	}
	return cfg, checkPrograms(cfg, d.folder)
}

// take makes a configuration that of the plan, as far as a running server can have it.
func (p *plan) take(d *daemon, cfg *config.Config) {
	p.cfg = cfg
	if cfg.Data != d.cfg.Data { // as it is written: the default is another one for root
		d.log.Warn("the data folder has changed", "hint", "restart the server to use the new one")
		cfg.Data = d.cfg.Data
		p.restart = append(p.restart, "data")
	}
	if !d.confinesAlike(cfg) {
		p.restart = append(p.restart, "confine")
	}
	cfg.Limits.Connections, p.capacity = checkDescriptors(cfg, d.log, d.capacity)
}

// use puts a plan into force, for sessions to come: all of it, or nothing. The store
// stays as long as it can: it knows what is in the maildrops.
func (d *daemon) use(p *plan) {
	if p == nil || d.tls.use(p.tls) != nil {
		d.log.Warn("reload incomplete", "hint", "nothing has changed: mend what the lines before name, and reload again")
		return
	}
	if !d.keepListeners(p.cfg) {
		p.restart = append(p.restart, "listener")
	}
	cfg, who, old := p.cfg, p.who, d.accounts
	if !old.sameMaildrops(who) || hostname(cfg) != hostname(d.cfg) || cfg.CreateMaildirs != d.cfg.CreateMaildirs {
		d.store = d.newStore(cfg, who)
	}
	d.capacity = p.capacity
	d.cfg, d.accounts = cfg, who
	d.start()
	time.AfterFunc(cfg.Limits.Login.Duration+graceOfSources, func() { old.closeExcept(who) })
	who.TellMechanisms()
	d.tellAccountFiles()
	switch {
	case p.stale != "":
		d.log.Warn("reload incomplete", "hint", "accounts and certificates were read again, and the configuration is as it was: "+p.stale)
	case len(p.restart) > 0:
		d.log.Warn("reload incomplete", "restart", strings.Join(p.restart, " "), "hint", "restart the server for what the lines before name; the rest is in force")
	default:
		d.log.Info("reloaded")
	}
}

// graceOfSources is how long sources that a reload has replaced stay open, beyond
// the time for a login: somebody may be about to log in.
const graceOfSources = time.Minute

// keepListeners takes over what can change about an open address, and reports
// whether that is all. Which addresses there are cannot: their ports may need a root
// that is gone.
func (d *daemon) keepListeners(cfg *config.Config) (all bool) {
	wanted, missing := slices.Clone(cfg.Listeners), false
	for _, s := range d.sockets {
		i := slices.IndexFunc(wanted, func(l config.Listener) bool { return l.Address == s.spec.Address && l.TLS == s.spec.TLS })
		if i < 0 {
			missing = true
			continue
		}
		s.spec = wanted[i]
		wanted = slices.Delete(wanted, i, i+1) // several may have port 0
	}
	if missing || len(wanted) > 0 {
		d.log.Warn("the listeners have changed", "hint", "restart the server to use the new ones; the old ones stay until then")
		return false
	}
	return true
}
