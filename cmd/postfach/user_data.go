package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"strings"

	"github.com/alecthomas/kong"

	"postfach/internal/accounts"
	"postfach/internal/accounts/sources"
	"postfach/internal/config"
	"postfach/internal/datafolder"
	"postfach/internal/hint"
	"postfach/maildrop"
)

// installedConfig is what the installed service reads.
const installedConfig = "/etc/postfach/postfachd.toml"

// dataFlag says which accounts all these commands work on: those of a data folder,
// or those that a server's configuration names.
type dataFlag struct {
	Data   string `help:"Data folder (default: $$XDG_STATE_HOME/postfach, ~/.local/state/postfach; /var/lib/postfach for root). It goes before what --config says, as it does for postfachd." placeholder:"DIR"`
	Config string `help:"The server's configuration, which says where accounts and maildrops are (default: none; for root /etc/postfach/postfachd.toml, if that is about the same data folder)." placeholder:"FILE" type:"path"`

	cfg   *config.Config `kong:"-"` // nil: not read yet
	named bool           `kong:"-"` // it is certain which accounts are meant, whoever runs this
}

// load reads the configuration, once, and before root is given up: it says what the
// data folder is.
func (d *dataFlag) load() error {
	if d.cfg != nil {
		return nil
	}
	cfg, err := d.configuration(installedConfig, os.Geteuid() == 0)
	if err != nil {
		return configHint(err)
	}
	d.cfg = cfg
	if d.Data == "" {
		d.Data = string(datafolder.Or(cfg.Data))
	}
	d.Data = kong.ExpandPath(d.Data)
	return nil
}

// configuration is the file that was named, or for root that of the installed service,
// or what holds without one. One that is there and cannot be read or understood is an
// error: it may say that there are more accounts than those of the folder.
func (d *dataFlag) configuration(installed string, root bool) (*config.Config, error) {
	if d.Config != "" {
		d.named = true
		return config.Load(d.Config)
	}
	_, err := os.Stat(installed)
	missing := errors.Is(err, fs.ErrNotExist)
	d.named = d.Data != "" && missing // else root and others mean different accounts
	if missing || !root {
		return config.Default(), nil
	}
	cfg, err := config.Load(installed)
	switch {
	case err != nil:
		return nil, err
	case d.Data != "" && filepath.Clean(d.Data) != string(datafolder.Or(cfg.Data)):
		return config.Default(), nil // about another folder
	}
	d.Config = installed
	return cfg, nil
}

func (d *dataFlag) folder() datafolder.Folder {
	if d.Data == "" { // whose expansion is the working directory
		return datafolder.Default()
	}
	return datafolder.Folder(kong.ExpandPath(d.Data))
}

// configHint says what to do about a configuration that cannot be read. What is wrong
// in one that can be has a hint.
func configHint(err error) error {
	path, ok := errors.AsType[*fs.PathError](err)
	switch {
	case !ok:
		return err
	case errors.Is(err, fs.ErrNotExist):
		return hint.Add(err, "--config names the file that the server is started with; without a configuration there is --data DIR")
	case errors.Is(err, fs.ErrPermission):
		return hint.Add(err, "run this as root, or as a user who may read %s", path.Path)
	}
	return hint.Add(err, "--config names a file: the server's configuration")
}

// flags are how a person names the same accounts again.
func (d *dataFlag) flags() string {
	if d.Config != "" {
		return "--config " + d.Config
	}
	return "--data " + string(d.folder())
}

// where is what has the accounts, for people.
func (d *dataFlag) where() string {
	if d.Config != "" {
		return d.Config
	}
	return string(d.folder())
}

// enter makes a tool of root's the owner of the folder, before it looks at
// anything in it. The folder has its name by then: the default one is another
// one for another user.
func (d *dataFlag) enter() (datafolder.Folder, error) {
	if err := d.load(); err != nil {
		return "", err
	}
	f := d.folder()
	return f, d.hinted(f.Enter())
}

// editors are those of the files with accounts, in the order in which the server
// asks, and the types of its other sources.
func (d *dataFlag) editors() (all []accounts.Editor, others []string, err error) {
	if err := d.keepsFiles(); err != nil {
		return nil, nil, err
	}
	f, err := d.enter()
	if err != nil {
		return nil, nil, err
	}
	for _, spec := range sources.Of(d.cfg) {
		if spec.Type != config.FileSource {
			others = append(others, string(spec.Type))
			continue
		}
		all = append(all, accounts.Editor{Path: sources.FilePath(spec, f), Shared: f.Outside(sources.FilePath(spec, f)), Key: f.APOPKey()})
	}
	return all, others, nil
}

// keepsFiles returns an error where the configuration has no file with accounts. It
// looks at nothing else, so that nobody is asked for a password in vain.
func (d *dataFlag) keepsFiles() error {
	if err := d.load(); err != nil {
		return err
	}
	var others []string
	for _, spec := range sources.Of(d.cfg) {
		if spec.Type == config.FileSource {
			return nil
		}
		others = append(others, string(spec.Type))
	}
	return hint.Add(fmt.Errorf("no source of %s is a file: its accounts are kept by %s", d.Config, strings.Join(others, ", ")), "change them there")
}

// editor enters the folder, and returns the editor of the file that has an account,
// or of the first file there is, which gets new ones.
func (d *dataFlag) editor(user string) (accounts.Editor, error) {
	all, _, err := d.editors()
	if err != nil {
		return accounts.Editor{}, err
	}
	chosen, err := chooseEditor(all, user)
	if err != nil {
		return accounts.Editor{}, d.hinted(err)
	}
	return chosen, d.isRead(chosen.Path)
}

// chooseEditor returns the editor of the first file that has an account, or of the first
// one of all. A file that cannot be read may have it.
func chooseEditor(all []accounts.Editor, user string) (accounts.Editor, error) {
	if len(all) == 1 {
		return all[0], nil // whoever uses it says what is wrong with it
	}
	for _, e := range all {
		if has, err := e.Has(user); has || err != nil {
			return e, err
		}
	}
	return all[0], nil
}

// findAccount returns an account of a file. accounts.ErrNoUser: there is none.
func findAccount(editor accounts.Editor, user string) (accounts.Account, error) {
	list, err := editor.List()
	if err != nil {
		return accounts.Account{}, err
	}
	for _, a := range list {
		if a.User == user {
			return a, nil
		}
	}
	return accounts.Account{}, fmt.Errorf("user %s: %w", user, accounts.ErrNoUser)
}

// maildrop returns where a user's maildrop is, as the server would find it, whatever
// kind of source has the account. maildrop.ErrNoUser: no source knows the name.
func (d *dataFlag) maildrop(ctx context.Context, user string) (dir string, err error) {
	folder, err := d.enter()
	if err != nil {
		return "", err
	}
	quiet := slog.New(slog.DiscardHandler) // what is wrong with accounts is the server's to say
	who := &accounts.Directory{Mail: folder.Mail(), Log: quiet}
	var program *config.Source
	for _, spec := range sources.Of(d.cfg) {
		if spec.Type == config.ProgramSource {
			program = &spec
			continue
		}
		source, err := sources.New(spec, folder, nil, quiet)
		if err != nil {
			return "", err
		}
		if c, ok := source.(io.Closer); ok {
			defer c.Close()
		}
		if f, ok := source.(*accounts.File); ok {
			if err := f.Load(); err != nil {
				return "", err
			}
		}
		who.Sources = append(who.Sources, source)
	}
	if filepath.IsAbs(user) {
		return "", maildrop.ErrNoUser
	}
	dir, err = who.Maildir(user)
	if errors.Is(err, maildrop.ErrNoUser) && program != nil && accounts.CheckName(user) == nil {
		dir = accounts.MaildirIn(program.Maildir, user)
		if dir == "" {
			dir = filepath.Join(folder.Mail(), user)
		}
		return dir, errProgram
	}
	return dir, err
}

// errProgram: no other source knows the name, and a program knows no names, only
// passwords.
var errProgram = errors.New("whether there is such an account, only a program knows, and only with the password")

// hinted says what to do about an error that nothing else explains.
func (d *dataFlag) hinted(err error) error {
	switch {
	case err == nil:
		return nil
	case errors.Is(err, fs.ErrPermission) && !d.folder().IsMine(): // whatever else was advised was for the owner
		return hint.Add(err, "run this as the owner of %s, or as root, who becomes the owner for it", d.folder())
	case hint.Of(err) != "":
		return err
	case errors.Is(err, accounts.ErrNoUser):
		return hint.Add(err, "postfach user list %s", d.flags())
	case errors.Is(err, fs.ErrNotExist) && d.lost() != nil:
		return hint.Add(err, "%s", hint.Of(d.lost()))
	case errors.Is(err, fs.ErrNotExist):
		return hint.Add(err, "there are no accounts in %s: is its disk mounted? else name the data folder with --data DIR, or make an account with postfach user add", d.folder())
	case errors.Is(err, fs.ErrPermission):
		return d.denied(err)
	}
	return err
}

// lost is an error, with a hint, where a file with accounts is gone that there was.
func (d *dataFlag) lost() error {
	if d.cfg == nil {
		return nil
	}
	for _, spec := range sources.Of(d.cfg) {
		if spec.Type != config.FileSource {
			continue
		}
		if err := d.folder().LostAccounts(sources.FilePath(spec, d.folder())); err != nil {
			return err
		}
	}
	return nil
}
