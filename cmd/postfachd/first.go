package main

import (
	"crypto/rand"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"postfach/internal/accounts"
	"postfach/internal/accounts/sources"
	"postfach/internal/config"
	"postfach/internal/datafolder"
	"postfach/internal/hint"
	"postfach/internal/vfs"
	"postfach/maildrop/maildir"
)

// firstUser is the account that the first start makes.
const firstUser = "postfach"

// A firstLogin is what the first start has made. nil: this was not the first.
type firstLogin struct {
	user, password string
	host           string // the name by which this machine's clients reach the server
	trust          string // the certificate that they have to be told to trust
}

// checkAccountsFile refuses to start without an accounts file that there was, wherever it
// lies, and where the first start must not make one: in a folder with mail, and for a
// server with a configuration, which is no trial. The disk may not be mounted, and mail
// for accounts that are not there bounces for good.
func checkAccountsFile(cfg *config.Config, folder datafolder.Folder) error {
	for _, spec := range sources.Of(cfg) {
		if spec.Type != config.FileSource {
			continue
		}
		if err := folder.LostAccounts(sources.FilePath(spec, folder)); err != nil {
			return err
		}
	}
	file := folder.Accounts()
	if !usesOwnFile(cfg) || exists(file) {
		return nil
	}
	why := "a server with a configuration makes none"
	if trace := folder.Used(firstUser); trace != "" {
		why = trace + " shows that this is no first start"
	} else if cfg.File == "" {
		return nil
	}
	return hint.Add(fmt.Errorf("there is no accounts file %s, and %s", file, why),
		"is the disk of %s mounted? a new server gets its first account by: postfach user add NAME --data %s", folder, quote(string(folder)))
}

// firstStart makes what is missing to serve: a certificate and, where there is
// no accounts file, an account with some mail. It leaves what exists alone. The
// accounts file is the last to be made, so that a start that is cut short is
// still the first one.
func firstStart(cfg *config.Config, folder datafolder.Folder, sockets []*socket) (*firstLogin, error) {
	if err := makeCertificate(cfg, folder); err != nil {
		return nil, err
	}
	if !usesOwnFile(cfg) || exists(folder.Accounts()) {
		return nil, nil
	}
	first := &firstLogin{user: firstUser, password: newPassword(), host: "localhost", trust: folder.Certificate()}
	if !onLoopback(sockets) {
		first.host = hostname(cfg)
	}
	if err := first.make(cfg, folder); err != nil {
		return nil, fmt.Errorf("make the first account: %w", err)
	}
	return first, nil
}

func (l *firstLogin) make(cfg *config.Config, folder datafolder.Folder) error {
	if _, err := folder.MakeMaildir(filepath.Join(folder.Mail(), l.user), true, func(dir string) error { return l.fill(dir, hostname(cfg)) }); err != nil {
		return err
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

// fill makes the account's Maildir, and puts the first mail into it where there is none.
func (l *firstLogin) fill(dir, hostname string) error {
	store := &maildir.Store{Path: func(string) (string, error) { return dir, nil }, Hostname: hostname}
	if err := store.Create(dir); err != nil {
		return err
	}
	for _, sub := range []string{"new", "cur"} {
		if mail, err := os.ReadDir(filepath.Join(dir, sub)); err != nil || len(mail) > 0 {
			return err
		}
	}
	return welcome(store, l.user)
}

// onLoopback reports whether a client on this machine can say localhost.
func onLoopback(sockets []*socket) bool {
	return slices.ContainsFunc(sockets, func(s *socket) bool {
		tcp, ok := s.Addr().(*net.TCPAddr)
		return ok && (tcp.IP.IsLoopback() || tcp.IP.IsUnspecified())
	})
}

// newPassword returns 80 random bits that can be copied by hand.
func newPassword() string {
	letters := strings.ToLower(rand.Text())
	return letters[:4] + "-" + letters[4:8] + "-" + letters[8:12] + "-" + letters[12:16]
}

// netrc is the login in the form of a .netrc file, which curl and other clients
// read, and people can, too.
func (l *firstLogin) netrc() string {
	return fmt.Sprintf("machine %s\nlogin %s\npassword %s\n", l.host, l.user, l.password)
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
	for _, s := range sockets {
		switch {
		case s.spec.TLS == config.Implicit:
			p("  %s pop3s://%s:%s/", l.curl(folder), l.host, s.port())
		case s.spec.TLS == config.STLS:
			p("  %s --ssl-reqd pop3://%s:%s/1", l.curl(folder), l.host, s.port())
		}
	}
	for _, s := range sockets {
		if s.spec.TLS == config.Implicit {
			p("  %s", l.get(folder, s.port()))
			p("")
			p("In Thunderbird: POP3, server %s, port %s, SSL/TLS, normal password, user name %s.", l.host, s.port(), l.user)
			p("It asks once whether to trust the server's own certificate: confirm the exception.")
		}
	}
	p("")
	p("Your own account: %s user add NAME --data %s", tool(), quote(string(folder)))
	return b.String()
}

// curl is the command, up to the URL.
func (l *firstLogin) curl(folder datafolder.Folder) string {
	return "curl --netrc-file " + quote(folder.FirstLogin()) + " --cacert " + quote(l.trust)
}

// tool is what a person types for postfach: whoever used "go run" has no such
// program yet.
func tool() string {
	exe, err := os.Executable()
	if err == nil && filepath.Base(exe) == "postfachd" && strings.Contains(exe, "go-build") {
		return "go run ./cmd/postfach"
	}
	return "postfach"
}

// get is how postfach fetches this mailbox.
func (l *firstLogin) get(folder datafolder.Folder, port string) string {
	return fmt.Sprintf("POSTFACH_PASSWORD=$(sed -n 's/^password //p' %s) %s get pop3s://%s@%s:%s --to maildir:Mail --cafile %s",
		quote(folder.FirstLogin()), tool(), l.user, l.host, port, quote(l.trust))
}

// quote makes one word of the shell of a path.
func quote(path string) string {
	if strings.Trim(path, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789/._-+@:") == "" {
		return path
	}
	return "'" + strings.ReplaceAll(path, "'", `'\''`) + "'"
}
