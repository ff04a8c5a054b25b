package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"os"
	"sync"

	"golang.org/x/sys/unix"

	"postfach/internal/accounts"
	"postfach/internal/certificates"
	"postfach/internal/config"
	"postfach/internal/datafolder"
	"postfach/internal/hint"
)

// A checker looks at what a server would read, and writes down what is wrong. It
// opens no address and writes no file.
type checker struct {
	cfg    *config.Config
	folder datafolder.Folder

	mu    sync.Mutex // guards what follows: sources are asked all at once
	out   io.Writer
	wrong int
}

// check is --check: exit code 0 if a server could start with this, as far as
// files and the sources of accounts tell, else 1.
func check(f *flags, stdout, stderr io.Writer) int {
	c := &checker{out: stderr}
	var err error
	c.cfg, err = f.configuration()
	c.sayWhat(f, stdout)
	if err != nil {
		c.found(err)
		return exitFailed
	}
	c.folder = datafolder.Or(c.cfg.Data)
	for _, w := range c.cfg.Warnings {
		c.warn("%s", w)
	}
	c.lookAtFolder()
	warnOutOfReach(c.cfg, c.log())
	if c.lookAtFiles() {
		c.lookAtCertificates()
		c.lookAtAccounts()
	}
	if c.wrong > 0 {
		return exitFailed
	}
	fmt.Fprintf(stdout, "nothing is wrong, as far as uid %d can see\n", os.Getuid())
	return 0
}

// installedConfig is what the installed service reads, and the tools of root's.
const installedConfig = "/etc/postfach/postfachd.toml"

// sayWhat says which configuration it is about: a server without --config reads none.
func (c *checker) sayWhat(f *flags, stdout io.Writer) {
	if f.Config != "" {
		fmt.Fprintf(stdout, "the configuration is %s\n", f.Config)
		return
	}
	fmt.Fprintln(stdout, "there is no configuration: no --config was given")
	if _, err := os.Stat(installedConfig); err == nil {
		c.warn("%s was not looked at: give --config %[1]s to check what the installed service reads", installedConfig)
	}
}

// found says that something is wrong.
func (c *checker) found(err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.wrong++
	hint.Print(c.out, "postfachd", err)
}

// warn says what may be right all the same.
func (c *checker) warn(format string, args ...any) {
	c.mu.Lock()
	defer c.mu.Unlock()
	fmt.Fprintf(c.out, "postfachd: warning: "+format+"\n", args...)
}

// lookAtFolder looks whose the data folder is: who is not its owner can read other
// files than the server.
func (c *checker) lookAtFolder() {
	info, err := os.Stat(string(c.folder))
	switch {
	case errors.Is(err, fs.ErrNotExist):
		c.warn("the data folder %s is not there; the start makes it", c.folder)
		return
	case err != nil:
		c.found(hint.Add(err, "uid %d must be able to use the data folder", os.Getuid()))
		return
	case !info.IsDir():
		c.found(fmt.Errorf("the data folder %s is no folder", c.folder))
		return
	}
	if err := c.folder.Closed(); err != nil && !errors.Is(err, fs.ErrPermission) { // which another user than the server's meets
		c.found(err)
	}
	if err := c.folder.Readable(); err != nil {
		c.warn("%v\nhint: %s", err, hint.Of(err))
	}
	var stat unix.Stat_t
	if unix.Stat(string(c.folder), &stat) == nil && int(stat.Uid) != os.Geteuid() {
		c.warn("the data folder %s is uid %d's and the server will be that user; this is uid %d, which may read other files", c.folder, stat.Uid, os.Geteuid())
	}
}

// lookAtFiles reports whether all that the configuration names is there.
func (c *checker) lookAtFiles() bool {
	before := c.wrong
	for _, name := range c.cfg.Files() {
		if err := readable(name); err != nil {
			c.found(err)
		}
	}
	if hook := c.cfg.TLS.ACME.DNSHook; len(hook) > 0 {
		if err := unix.Access(hook[0], unix.X_OK); err != nil {
			c.found(hint.Add(&fs.PathError{Op: "run", Path: hook[0], Err: err}, "tls.acme.dns_hook: uid %d must be able to run the program", os.Getuid()))
		}
	}
	if err := checkPrograms(c.cfg, c.folder); err != nil {
		c.found(err)
	}
	return c.wrong == before
}

func (c *checker) lookAtCertificates() {
	files := certificateFiles(c.cfg, c.folder)
	if files.OwnDefault && !exists(files.Pairs[0].Certificate) && !exists(files.Pairs[0].Key) {
		files.Pairs = files.Pairs[1:] // the first start makes it
	}
	set := &certificates.Set{Log: c.log()}
	if err := set.Load(files); err != nil && !errors.Is(err, certificates.ErrNone) {
		c.found(err)
	}
	if _, err := acmeSpec(c.cfg, c.folder); err != nil {
		c.found(err)
	}
}

// lookAtAccounts reads files and asks the other sources, as a start does.
func (c *checker) lookAtAccounts() {
	d := &daemon{cfg: c.cfg, folder: c.folder, log: c.log(), decoyKey: accounts.NewKey()}
	who, err := d.newDirectory(c.cfg, nil)
	if err != nil {
		c.found(err)
		return
	}
	defer who.closeExcept(nil)
	if err := checkAccountsFile(c.cfg, c.folder); err != nil {
		c.found(err)
	} else if usesOwnFile(c.cfg) && !exists(c.folder.Accounts()) {
		c.warn("there is no accounts file %s yet; the first start makes it, with an account for a test", c.folder.Accounts())
	} else if err := who.Load(); err != nil {
		c.found(err)
		return
	}
	for _, dir := range maildirsElsewhere(c.cfg, c.folder) {
		if _, err := os.Stat(dir); err != nil {
			c.warn("a folder for mail is out of reach: %v", err)
		}
	}
	who.probe(context.Background(), d.log)
}

// log counts lines of the server's as what they are.
func (c *checker) log() *slog.Logger { return slog.New(hints{checkerLog{c}}) }

// A checkerLog has what the server would log. A source that does not answer keeps no
// server from starting, and nobody gets in: so that is wrong, too.
type checkerLog struct{ c *checker }

func (l checkerLog) Enabled(_ context.Context, level slog.Level) bool { return level >= slog.LevelWarn }

func (l checkerLog) Handle(_ context.Context, r slog.Record) error {
	text, advice := r.Message, ""
	r.Attrs(func(a slog.Attr) bool {
		if a.Key == "hint" {
			advice = a.Value.String()
		} else {
			text += fmt.Sprintf(" %s=%q", a.Key, a.Value.String())
		}
		return true
	})
	if r.Level >= slog.LevelError || r.Message == notAsked {
		err := errors.New(text)
		if advice != "" {
			err = hint.Add(err, "%s", advice)
		}
		l.c.found(err)
		return nil
	}
	if advice != "" {
		text += "\nhint: " + advice
	}
	l.c.warn("%s", text)
	return nil
}

func (l checkerLog) WithAttrs([]slog.Attr) slog.Handler { return l }

func (l checkerLog) WithGroup(string) slog.Handler { return l }
