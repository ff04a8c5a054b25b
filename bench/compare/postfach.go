package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// own returns Postfach, built from the tree: the server, and the client.
func (l *lab) own(ctx context.Context) ([]*peer, error) {
	version, err := output(ctx, l.postfach, "--version")
	if err != nil {
		return nil, without("Postfach", err)
	}
	p := &peer{id: postfach, name: "Postfach", version: strings.TrimSpace(version), fill: fillPostfach, forget: forgetPostfach, fetch: l.get}
	p.start = func(ctx context.Context, s *site) (*server, error) {
		return serve(ctx, s, func(ports []string) (*process, error) { return l.startPostfach(s, ports) })
	}
	return []*peer{p}, nil
}

func (s *site) data() string { return filepath.Join(s.dir, "data") }

// fillPostfach makes the Maildirs, and the accounts, which change as rarely as elsewhere:
// in the two seconds after a change the file is read anew at each login.
func fillPostfach(ctx context.Context, s *site) error {
	if err := fillMaildirs(ctx, s); err != nil {
		return err
	}
	data := s.data()
	if err := os.MkdirAll(data, 0o700); err != nil {
		return err
	}
	accounts := filepath.Join(data, "accounts")
	if err := s.accounts(accounts, func(user, secret string) string {
		return user + ":" + secret + "::::::userdb_mail=maildir:" + filepath.Join(s.maildirs(), user)
	}); err != nil {
		return err
	}
	if err := os.Chmod(accounts, 0o600); err != nil {
		return err
	}
	for _, name := range []string{data, accounts} {
		if err := os.Chown(name, nobody, nobody); err != nil {
			return err
		}
	}
	return nil
}

// postfachConfig is all that differs from the defaults: where things are, and room for
// 10,000 sessions and some more.
const postfachConfig = `data = %[1]q
confine_mail = [%[2]q]
[tls]
certificate = %[3]q
key = %[4]q
[limits]
connections = 12000
[[listener]]
address = "127.0.0.1:%[5]s"
[[listener]]
address = "127.0.0.1:%[6]s"
tls = "implicit"
`

// startPostfach starts the server as root, which it gives up for the owner of its data.
func (l *lab) startPostfach(s *site, ports []string) (*process, error) {
	data := s.data()
	if err := l.copyPair(data, nobody); err != nil {
		return nil, err
	}
	conf := filepath.Join(s.dir, "postfachd.toml")
	text := fmt.Sprintf(postfachConfig, data, s.maildirs(), filepath.Join(data, "cert.pem"), filepath.Join(data, "key.pem"), ports[0], ports[1])
	if err := os.WriteFile(conf, []byte(text), 0o644); err != nil {
		return nil, err
	}
	return spawn(exec.Command(l.daemon, "--config", conf), filepath.Join(s.dir, "log"))
}

// forgetPostfach removes its index.
func forgetPostfach(s *site) error { return os.RemoveAll(filepath.Join(s.dir, "data", "index")) }
