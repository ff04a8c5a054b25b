package main

import (
	"context"
	_ "embed"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"syscall"
)

// What is added to the configuration that Debian ships: dovecot-needed.conf for both,
// dovecot-tuned.conf for the tuned one.
var (
	//go:embed dovecot-needed.conf
	dovecotNeeded string
	//go:embed dovecot-tuned.conf
	dovecotTuned string
)

// dovecotRelease is the one whose configuration is known here.
const dovecotRelease = "2.3."

// dovecots returns the two Dovecots.
func (l *lab) dovecots(ctx context.Context) ([]*peer, error) {
	root, program := "", installed("dovecot")
	if program == "" || installed("doveconf") == "" {
		var err error
		if root, err = l.unpack(ctx, "dovecot-pop3d"); err != nil {
			return nil, without("Dovecot", err)
		}
		if err := l.dovecotRoot(root); err != nil {
			return nil, without("Dovecot", err)
		}
		program = "/usr/sbin/dovecot"
	}
	version := packageVersion(ctx, root, "dovecot-core")
	if !strings.HasPrefix(afterEpoch(version), dovecotRelease) {
		return nil, without("Dovecot", fmt.Errorf("its version is %s; the configuration here is for %s", version, dovecotRelease))
	}
	make := func(id, name, extra string) *peer {
		p := &peer{id: id, name: name, version: version, root: root, fill: fillMaildirs, forget: forgetDovecot}
		p.start = func(ctx context.Context, s *site) (*server, error) {
			return serve(ctx, s, func(ports []string) (*process, error) { return l.startDovecot(p, program, extra, s, ports) })
		}
		return p
	}
	return []*peer{make(shipped, "Dovecot, as shipped", ""), make(tuned, "Dovecot, tuned", dovecotTuned)}, nil
}

// dovecotRoot makes what the package's scripts would: accounts, and a certificate that the
// configuration names until local.conf names ours.
func (l *lab) dovecotRoot(root string) error {
	if err := chrootAccounts(root, "dovecot:x:201:201::/:/bin/false\ndovenull:x:202:202::/:/bin/false\n"); err != nil {
		return err
	}
	private := filepath.Join(root, "etc/dovecot/private")
	if err := errors.Join(os.MkdirAll(private, 0o755), os.MkdirAll(filepath.Join(root, "etc/ssl/certs"), 0o755)); err != nil {
		return err
	}
	if err := l.copyPair(private, 0); err != nil {
		return err
	}
	return errors.Join(os.Rename(filepath.Join(private, "cert.pem"), filepath.Join(private, "dovecot.pem")),
		os.Rename(filepath.Join(private, "key.pem"), filepath.Join(private, "dovecot.key")))
}

// afterEpoch is a Debian version without the number in front.
func afterEpoch(version string) string {
	if _, rest, ok := strings.Cut(version, ":"); ok {
		return rest
	}
	return version
}

// startDovecot writes a configuration: Debian's files, unchanged but for the accounts, and
// a local.conf, which they read last.
func (l *lab) startDovecot(p *peer, program, extra string, s *site, ports []string) (*process, error) {
	conf := filepath.Join(s.dir, "etc")
	if err := copyDovecotConf(filepath.Join(p.root, "/usr/share/dovecot"), conf); err != nil {
		return nil, err
	}
	inside := strings.TrimPrefix(s.dir, p.root)
	local := strings.NewReplacer("@DIR@", inside, "@PLAIN@", ports[0], "@TLS@", ports[1], "@CORES@", strconv.Itoa(runtime.NumCPU()),
		"@OWNER@", strconv.Itoa(nobody)).Replace(dovecotNeeded + extra)
	if err := os.WriteFile(filepath.Join(conf, "local.conf"), []byte(local), 0o644); err != nil {
		return nil, err
	}
	if err := s.accounts(filepath.Join(s.dir, "users"), func(user, secret string) string { return user + ":" + secret }); err != nil {
		return nil, err
	}
	if err := l.copyPair(s.dir, 0); err != nil {
		return nil, err
	}
	cmd := exec.Command(program, "-F", "-c", filepath.Join(inside, "etc", "dovecot.conf"))
	cmd.Dir = "/"
	if p.root != "" {
		cmd.SysProcAttr = &syscall.SysProcAttr{Chroot: p.root}
	}
	return spawn(cmd, filepath.Join(s.dir, "output"))
}

// copyDovecotConf copies what Debian puts into /etc/dovecot. The source of accounts that
// would be asked first, PAM, is taken out.
func copyDovecotConf(from, to string) error {
	names, err := filepath.Glob(filepath.Join(from, "conf.d", "*"))
	if err != nil || len(names) == 0 {
		return fmt.Errorf("%s has no conf.d", from)
	}
	if err := os.MkdirAll(filepath.Join(to, "conf.d"), 0o755); err != nil {
		return err
	}
	for _, name := range append(names, filepath.Join(from, "dovecot.conf")) {
		text, err := os.ReadFile(name)
		if err != nil {
			return err
		}
		rest, err := filepath.Rel(from, name)
		if err != nil {
			return err
		}
		changed := strings.ReplaceAll(string(text), "\n!include auth-system.conf.ext", "\n#!include auth-system.conf.ext")
		if err := os.WriteFile(filepath.Join(to, rest), []byte(changed), 0o644); err != nil {
			return err
		}
	}
	return nil
}

// forgetDovecot removes its index files, and its list of unique-ids.
func forgetDovecot(s *site) error { return removeAll(s.maildirs(), "*", "dovecot*") }

// removeAll removes what matches a pattern.
func removeAll(parts ...string) error {
	names, err := filepath.Glob(filepath.Join(parts...))
	for _, name := range names {
		if err == nil {
			err = os.RemoveAll(name)
		}
	}
	return err
}

// copyPair puts the certificate and its key into a folder, for one owner.
func (l *lab) copyPair(dir string, owner int) error {
	for _, name := range []string{l.cert, l.key} {
		text, err := os.ReadFile(name)
		if err != nil {
			return err
		}
		file := filepath.Join(dir, filepath.Base(name))
		if err := os.WriteFile(file, text, 0o600); err != nil {
			return err
		}
		if err := os.Chown(file, owner, owner); err != nil {
			return err
		}
	}
	return nil
}

// chrootAccounts gives a root the system's accounts: root, nobody, and those.
func chrootAccounts(root, more string) error {
	passwd := "root:x:0:0::/root:/bin/sh\nnobody:x:65534:65534::/:/bin/false\n" + more
	groups := "root:x:0:\nmail:x:8:\nnogroup:x:65534:\n"
	shadow := ""
	for line := range strings.Lines(passwd) {
		f := strings.Split(line, ":")
		shadow += f[0] + ":*:19000:0:99999:7:::\n"
		if f[2] != "0" && f[2] != "65534" {
			groups += f[0] + ":x:" + f[3] + ":\n"
		}
	}
	etc := filepath.Join(root, "etc")
	for name, text := range map[string]string{
		"passwd": passwd, "group": groups, "shadow": shadow, "hosts": "127.0.0.1 localhost\n",
		"nsswitch.conf": "passwd: files\ngroup: files\nshadow: files\nhosts: files\n",
	} {
		if err := os.WriteFile(filepath.Join(etc, name), []byte(text), 0o644); err != nil {
			return err
		}
	}
	return nil
}
