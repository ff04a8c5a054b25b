package main

import (
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"slices"
	"strings"

	"postfach/internal/config"
	"postfach/internal/confine"
	"postfach/internal/datafolder"
	"postfach/internal/hint"
)

// A confinement is what the server has given up beside root.
type confinement struct {
	rules    confine.Rules
	enforced bool // by Landlock; else nothing of rules is in force
}

// confineTo gives up all that the configuration does not need, and logs what is
// really in force, as the kernel says. All is open by now that must be, and
// nobody has been let in.
func confineTo(cfg *config.Config, folder datafolder.Folder, log *slog.Logger) confinement {
	status, err := confine.OpenStatus()
	if err != nil {
		log.Warn("who the server is, is not known", "err", err)
	} else {
		defer status.Close()
	}
	c := confinement{rules: rulesFor(cfg, folder).Existing()}
	landlock := "not enforced: confine = false"
	if cfg.Confine {
		landlock, err = confine.Landlock(c.rules)
		c.enforced = err == nil
		if err != nil {
			landlock = "not enforced: " + err.Error()
		}
	}
	values := []any{"landlock", landlock, "sockets", giveUpSockets(cfg, c.rules)}
	if status != nil {
		more, err := status.Values()
		if err != nil {
			log.Warn("who the server is, is not known", "err", err)
		}
		values = append(values, more...)
	}
	log.Info("confinement", values...)
	if c.enforced {
		for _, folder := range slices.Concat(cfg.ConfineMail, cfg.ConfineRead) {
			if _, err := os.Stat(folder); err != nil {
				log.Warn("a folder stays out of reach", "err", err, "hint", "make it, or mount it, before the server starts")
			}
		}
		log.Info("files within reach", "write", strings.Join(c.rules.Write, " "), "read", strings.Join(c.rules.Read, " "), "run", strings.Join(c.rules.Run, " "))
	}
	return c
}

// giveUpSockets gives up making sockets where nobody is asked and no program is run,
// and says so.
func giveUpSockets(cfg *config.Config, rules confine.Rules) string {
	switch {
	case !cfg.Confine:
		return "kept: confine = false"
	case rules.Connect || rules.Bind:
		return "kept: the configuration needs them"
	}
	if err := confine.NoSockets(); err != nil {
		return "not given up: " + err.Error()
	}
	return "given up"
}

// reach is path, which says where a user's maildrop is, with an error that names
// the setting where that is out of the server's reach.
func (d *daemon) reach(path func(user string) (string, error)) func(user string) (string, error) {
	return func(user string) (string, error) {
		dir, err := path(user)
		if err == nil && d.confined.enforced && !d.confined.rules.Writable(dir) {
			return "", d.outOfReach(dir)
		}
		return dir, err
	}
}

// outOfReach says why a maildrop is not within reach. What an accounts file named at
// the start is, if it was there.
func (d *daemon) outOfReach(dir string) error {
	if _, err := os.Stat(dir); errors.Is(err, fs.ErrNotExist) {
		return hint.Add(fmt.Errorf("there is no maildrop %s", dir),
			"make it, for uid %d, and restart the server: it was not there at the start, and what comes later is within reach only below a folder of confine_mail", os.Getuid())
	}
	return hint.Add(fmt.Errorf("the maildrop %s is not within reach: at the start it was not there, or no account had it", dir),
		"restart the server; add a folder above it to confine_mail, and later ones need no restart")
}

// checkConfined warns when a new configuration needs what has been given up.
func (d *daemon) checkConfined(cfg *config.Config) {
	if !d.confined.enforced {
		return
	}
	old, wanted := d.confined.rules, rulesFor(cfg, d.folder).Existing()
	var missing []string
	for _, folder := range wanted.Write {
		if !old.Writable(folder) {
			missing = append(missing, folder)
		}
	}
	for _, folder := range slices.Concat(wanted.Read, wanted.Run) {
		if !old.Readable(folder) {
			missing = append(missing, folder)
		}
	}
	if wanted.Connect && !old.Connect {
		missing = append(missing, "other machines")
	}
	if len(missing) > 0 || !cfg.Confine {
		d.log.Warn("the server has given up what the configuration needs now", "missing", strings.Join(missing, " "),
			"hint", "restart the server: what a running one has given up, it cannot get back")
	}
}
