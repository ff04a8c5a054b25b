package main

import (
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
		d.complain("configuration not reloaded", err)
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
	if err := d.tls.load(cfg, d.folder, d.log); err != nil {
		d.complain("certificate not reloaded", err)
		incomplete = true
	}
	who, err := d.newDirectory(cfg, d.accounts)
	if err == nil {
		err = who.Load()
	}
	if err != nil {
		d.complain("accounts not reloaded", err)
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

// keepListeners takes over what can change about an open address. Which
// addresses there are cannot: their ports may need a root that is gone.
func (d *daemon) keepListeners(cfg *config.Config) {
	wanted := map[string]config.Listener{}
	for _, l := range cfg.Listeners {
		wanted[l.Address+" "+string(l.TLS)] = l
	}
	missing := len(cfg.Listeners) != len(d.sockets)
	for _, s := range d.sockets {
		if l, ok := wanted[s.spec.Address+" "+string(s.spec.TLS)]; ok {
			s.spec = l
		} else {
			missing = true
		}
	}
	if missing {
		d.log.Warn("the listeners have changed", "hint", "restart the server to use the new ones; the old ones stay until then")
	}
}
