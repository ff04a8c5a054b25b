package main

import (
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"slices"

	"postfach/internal/accounts"
	"postfach/internal/datafolder"
	"postfach/internal/explore"
	"postfach/internal/hint"
	"postfach/maildrop"
	"postfach/maildrop/maildir"
)

// enterData adds the maildrops of the data folder. Root becomes the folder's owner
// first, before anything in it is looked at.
func (c *exploreCmd) enterData(p *explore.Picker) error {
	flag := dataFlag{Data: c.Data}
	folder, err := flag.enter()
	if err != nil {
		return err
	}
	return flag.hinted(c.local(p, folder))
}

// local adds the maildrops of a data folder.
func (c *exploreCmd) local(p *explore.Picker, folder datafolder.Folder) error {
	quiet := slog.New(slog.DiscardHandler) // the screen is no log
	file := &accounts.File{Path: folder.Accounts(), Log: quiet}
	m := &maildrops{folder: folder, directory: &accounts.Directory{Sources: []accounts.Source{file}, Mail: folder.Mail(), Log: quiet}}
	users, err := m.users()
	if err != nil {
		return err
	}
	store := &maildir.Store{Path: m.path, Hostname: hostname()}
	for _, user := range users {
		where, err := m.path(user)
		if err != nil {
			return err
		}
		a := explore.Local(store, user, where, c.Write)
		p.Accounts = append(p.Accounts, a)
		if user == c.User {
			p.Start = &a
		}
	}
	switch {
	case len(users) == 0:
		return &exitError{hint.Add(fmt.Errorf("there are no maildrops in %s", folder), "name the data folder with --data DIR; postfach user add makes an account"), exitUsage}
	case c.User != "" && p.Start == nil:
		return &exitError{hint.Add(fmt.Errorf("there is no maildrop of %q in %s", c.User, folder), "postfach user list --data %s", folder), exitUsage}
	}
	return nil
}

// maildrops are those of a data folder: of its accounts, and what removed
// accounts left behind.
type maildrops struct {
	folder    datafolder.Folder
	directory *accounts.Directory
	accounts  bool // there is a file
}

// users returns whose maildrops there are, in alphabetical order.
func (m *maildrops) users() ([]string, error) {
	all, err := accounts.Editor{Path: m.folder.Accounts()}.List()
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	m.accounts = err == nil
	var users []string
	for _, a := range all {
		users = append(users, a.User)
	}
	entries, err := os.ReadDir(m.folder.Mail())
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	for _, entry := range entries {
		if entry.IsDir() && accounts.CheckName(entry.Name()) == nil {
			users = append(users, entry.Name())
		}
	}
	slices.Sort(users)
	return slices.Compact(users), nil
}

// path returns a user's Maildir.
func (m *maildrops) path(user string) (string, error) {
	if m.accounts {
		dir, err := m.directory.Maildir(user)
		if !errors.Is(err, maildrop.ErrNoUser) {
			return dir, err
		}
	}
	if err := accounts.CheckName(user); err != nil {
		return "", fmt.Errorf("%w: %w", maildrop.ErrNoUser, err)
	}
	return filepath.Join(m.folder.Mail(), user), nil
}
