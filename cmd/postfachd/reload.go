package main

import (
	"slices"
	"time"

	"postfach/internal/config"
)

// reload reads configuration, accounts and certificate again. Each that cannot
// be used is complained about, and the old one stays in force. Sessions go on
// as they began.
func (d *daemon) reload() {
	incomplete := false
	cfg, err := d.flags.configuration()
	if err != nil {
		d.log.Error("configuration not reloaded", "err", err)
		incomplete = true
		cfg = d.cfg
	} else {
		for _, w := range cfg.Warnings {
			d.log.Warn("configuration", "warning", w)
		}
		d.keepListeners(cfg)
		if cfg.Data != d.cfg.Data { // as it is written: the default is another one for root
			d.log.Warn("the data folder has changed", "hint", "restart the server to use the new one")
			cfg.Data = d.cfg.Data
		}
		d.capacity = checkDescriptors(cfg, d.log, d.capacity)
		d.checkConfined(cfg)
	}
	if err := d.tls.load(cfg); err != nil {
		d.log.Error("certificate not reloaded", "err", err)
		incomplete = true
	}
	who, err := d.newDirectory(cfg, d.accounts)
	if err == nil {
		err = who.Load()
	}
	if err != nil {
		d.log.Error("accounts not reloaded", "err", err)
		incomplete = true
		who.closeExcept(d.accounts)
		who = d.accounts
	} else {
		who.probe(d.log)
		who.TellMechanisms()
	}
	d.use(cfg, who)
	d.tellAccountFiles()
	if incomplete {
		d.log.Warn("reload incomplete", "hint", "what the lines before name is as it was; mend it, and reload again")
		return
	}
	d.log.Info("reloaded")
}

// use puts configuration and accounts into force, for sessions to come. The
// store stays as long as it can: it knows what is in the maildrops.
func (d *daemon) use(cfg *config.Config, who *directory) {
	old := d.accounts
	if !old.sameMaildrops(who) || hostname(cfg) != hostname(d.cfg) || cfg.CreateMaildirs != d.cfg.CreateMaildirs {
		d.store = d.newStore(cfg, who)
	}
	d.cfg, d.accounts = cfg, who
	d.start()
	if old != who {
		time.AfterFunc(cfg.Limits.Login.Duration+graceOfSources, func() { old.closeExcept(who) })
	}
}

// graceOfSources is how long sources that a reload has replaced stay open, beyond
// the time for a login: somebody may be about to log in.
const graceOfSources = time.Minute

// keepListeners takes over what can change about an open address. Which
// addresses there are cannot: their ports may need a root that is gone.
func (d *daemon) keepListeners(cfg *config.Config) {
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
	}
}
