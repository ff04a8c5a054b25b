package main

import (
	"crypto/rand"
	"errors"
	"fmt"
	"net"
	"path/filepath"
	"strings"

	"postfach/internal/accounts"
	"postfach/internal/config"
	"postfach/internal/datafolder"
	"postfach/internal/vfs"
	"postfach/maildrop/maildir"
)

// firstUser is the account that the first start makes.
const firstUser = "postfach"

// A firstLogin is what the first start has made. nil: this was not the first.
type firstLogin struct{ user, password string }

// firstStart makes what is missing to serve: a certificate and, where there is
// no accounts file, an account with some mail. It leaves what exists alone. The
// accounts file is the last to be made, so that a start that is cut short is
// still the first one.
func firstStart(cfg *config.Config, folder datafolder.Folder) (*firstLogin, error) {
	if err := makeCertificate(cfg, folder); err != nil {
		return nil, err
	}
	if cfg.Accounts != "" || exists(folder.Accounts()) {
		return nil, nil
	}
	first := &firstLogin{firstUser, newPassword()}
	if err := first.make(cfg, folder); err != nil {
		return nil, fmt.Errorf("make the first account: %w", err)
	}
	return first, nil
}

func (l *firstLogin) make(cfg *config.Config, folder datafolder.Folder) error {
	dir := filepath.Join(folder.Mail(), l.user)
	store := &maildir.Store{
		Path:     func(string) (string, error) { return dir, nil },
		Hostname: hostname(cfg),
	}
	if !exists(dir) {
		if err := store.Create(dir); err != nil {
			return err
		}
		if err := welcome(store, l.user); err != nil {
			return err
		}
	}
	if err := vfs.WriteFile(vfs.OS{}, folder.FirstLogin(), []byte(l.netrc()), 0o600); err != nil {
		return err
	}
	err := accounts.Editor{Path: folder.Accounts(), Key: folder.APOPKey()}.
		Add(accounts.NewAccount{User: l.user, Password: l.password})
	if errors.Is(err, accounts.ErrExists) {
		return nil
	}
	return err
}

// newPassword returns 80 random bits that can be copied by hand.
func newPassword() string {
	letters := strings.ToLower(rand.Text())
	return letters[:4] + "-" + letters[4:8] + "-" + letters[8:12] + "-" + letters[12:16]
}

// netrc is the login in the form of a .netrc file, which curl and other clients
// read, and people can, too.
func (l *firstLogin) netrc() string {
	return fmt.Sprintf("machine localhost\nlogin %s\npassword %s\n", l.user, l.password)
}

// next says what a person types next. The password is only in its file: what is
// printed here often ends in a log.
func (l *firstLogin) next(folder datafolder.Folder, sockets []*socket) string {
	var b strings.Builder
	p := func(format string, args ...any) { fmt.Fprintf(&b, format+"\n", args...) }
	p("")
	p("This was the first start. It has made an account with some mail to read:")
	p("  user %s, password in %s", l.user, folder.FirstLogin())
	p("")
	p("To look at the mailbox, type one of these:")
	curl := fmt.Sprintf("  curl --netrc-file %s --cacert %s", quote(folder.FirstLogin()), quote(folder.Certificate()))
	for _, s := range sockets {
		_, port, _ := net.SplitHostPort(s.Addr().String())
		switch {
		case s.spec.TLS == config.Implicit:
			p("%s pop3s://localhost:%s/", curl, port)
		case s.spec.TLS == config.STLS:
			p("%s --ssl-reqd pop3://localhost:%s/1", curl, port)
		}
	}
	for _, s := range sockets {
		_, port, _ := net.SplitHostPort(s.Addr().String())
		if s.spec.TLS == config.Implicit {
			p("  %s", getCommand(l.user, port, folder))
			p("")
			p("In Thunderbird: POP3, server localhost, port %s, SSL/TLS, normal password, user name %s,", port, l.user)
			p("and confirm the exception for the server's own certificate once.")
		}
	}
	p("")
	p("Your own account: postfach user add NAME --data %s", quote(string(folder)))
	return b.String()
}

// getCommand is how postfach fetches this mailbox.
func getCommand(user, port string, folder datafolder.Folder) string {
	return fmt.Sprintf("POSTFACH_PASSWORD=$(sed -n 's/^password //p' %s) postfach get pop3s://%s@localhost:%s --cafile %s --to maildir:Mail",
		quote(folder.FirstLogin()), user, port, quote(folder.Certificate()))
}

// quote makes one word of the shell of a path.
func quote(path string) string {
	if strings.Trim(path, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789/._-+@:") == "" {
		return path
	}
	return "'" + strings.ReplaceAll(path, "'", `'\''`) + "'"
}
