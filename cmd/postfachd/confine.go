package main

import (
	"crypto/x509"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"slices"
	"strings"
	"sync"
	"time"

	"postfach/internal/config"
	"postfach/internal/confine"
	"postfach/internal/datafolder"
	"postfach/internal/hint"
)

// A confinement is what the server has given up beside root.
type confinement struct {
	rules     confine.Rules
	asked     bool // by confine = true
	enforced  bool // by Landlock; else what rules say of files is not in force
	noSockets bool // none can be made any more, whatever Landlock does
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
	c := confinement{rules: rulesFor(cfg, folder).Existing(), asked: cfg.Confine}
	if c.rules.Connect {
		// The system's authorities are read once, and may be anywhere. Without any,
		// whoever needs them says so.
		_, _ = x509.SystemCertPool()
	}
	landlock := "not enforced: confine = false"
	if cfg.Confine {
		landlock, err = confine.Landlock(c.rules)
		c.enforced = err == nil
		if err != nil {
			landlock = "not enforced: " + err.Error()
		}
	}
	var sockets string
	sockets, c.noSockets = giveUpSockets(cfg, c.rules)
	values := []any{"landlock", landlock, "sockets", sockets}
	if status != nil {
		more, err := status.Values()
		if err != nil {
			log.Warn("who the server is, is not known", "err", err)
		}
		values = append(values, more...)
	}
	log.Info("confinement", values...)
	if c.enforced {
		warnOutOfReach(cfg, log)
		log.Info("files within reach", "write", strings.Join(c.rules.Write, " "), "read", strings.Join(c.rules.Read, " "), "run", strings.Join(c.rules.Run, " "))
	}
	return c
}

// warnOutOfReach says which folders of the configuration are not there: what comes to
// be there later is out of reach.
func warnOutOfReach(cfg *config.Config, log *slog.Logger) {
	if !cfg.Confine {
		return
	}
	for _, folder := range slices.Concat(cfg.ConfineMail, cfg.ConfineRead) {
		if _, err := os.Stat(folder); err != nil {
			log.Warn("a folder stays out of reach", "err", err, "hint", "make it, or mount it, before the server starts")
		}
	}
}

// giveUpSockets gives up making sockets where nobody is asked and no program is run.
// It says in words what is so, and whether they are gone.
func giveUpSockets(cfg *config.Config, rules confine.Rules) (said string, gone bool) {
	switch {
	case !cfg.Confine:
		return "kept: confine = false", false
	case rules.Connect || rules.Bind:
		return "kept: the configuration needs them", false
	}
	if err := confine.NoSockets(); err != nil {
		return "not given up: " + err.Error(), false
	}
	return "given up", true
}

// reach is path, which says where a user's maildrop is, with an error that names
// the setting where that is out of the server's reach.
func (d *daemon) reach(path func(user string) (string, error)) func(user string) (string, error) {
	known := reached{within: map[string]time.Time{}}
	return func(user string) (string, error) {
		dir, err := path(user)
		if err == nil && d.confined.enforced && !known.has(dir) {
			if !d.confined.rules.Writable(dir) {
				return "", d.outOfReach(dir)
			}
			known.add(dir)
		}
		return dir, err
	}
}

// reached remembers for a minute which maildrops were within reach: to follow all links
// takes longer than to open one. What the kernel lets the server do is another matter.
type reached struct {
	mu     sync.Mutex           // guards what follows
	within map[string]time.Time // since when
}

const (
	reachedFor = time.Minute
	maxReached = 10_000
)

func (r *reached) has(dir string) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	since, ok := r.within[dir]
	return ok && time.Since(since) < reachedFor
}

func (r *reached) add(dir string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.within) >= maxReached {
		clear(r.within)
	}
	r.within[dir] = time.Now()
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

// hasAll reports whether a new configuration can have all that it needs, and says what
// is missing.
func (d *daemon) hasAll(cfg *config.Config) bool {
	missing := d.confined.lacks(rulesFor(cfg, d.folder).Existing())
	if len(missing) > 0 {
		d.log.Warn("the server has given up what the configuration needs now", "missing", strings.Join(missing, ", "),
			"hint", "restart the server: what a running one has given up, it cannot get back")
	}
	return len(missing) == 0
}

// confinesAlike reports whether a new configuration says of confine what the one said
// with which the server began.
func (d *daemon) confinesAlike(cfg *config.Config) bool {
	if cfg.Confine != d.confined.asked {
		d.log.Warn("confine has changed", "hint", "restart the server: a running one cannot get back what it has given up, and gives up nothing more")
	}
	return cfg.Confine == d.confined.asked
}

// lacks is what was given up of what is wanted.
func (c *confinement) lacks(wanted confine.Rules) (missing []string) {
	if c.enforced {
		for _, list := range []struct {
			paths []string
			have  func(path string) bool
		}{{wanted.Write, c.rules.Writable}, {wanted.Read, c.rules.Readable}, {wanted.Run, c.rules.Runnable}} {
			missing = append(missing, slices.DeleteFunc(slices.Clone(list.paths), list.have)...)
		}
	}
	if wanted.Connect && !c.rules.Connect && (c.enforced || c.noSockets) {
		missing = append(missing, "other machines")
	}
	if wanted.Bind && !c.rules.Bind && (c.enforced || c.noSockets) {
		missing = append(missing, "ports for helper programs")
	}
	return missing
}
