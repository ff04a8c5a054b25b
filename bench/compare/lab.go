package main

import (
	"context"
	"crypto/ecdsa"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"postfach/internal/bench"
)

// nobody owns the mail and the data of all servers.
const nobody = 65534

// A lab is the scratch folder, and what all servers have in common.
type lab struct {
	root     string // of the module
	work     string // readable by all: servers give up root
	memory   string // a folder in memory; "": there is none
	self     string // this program
	postfach string
	daemon   string // postfachd
	cert     string // PEM files
	key      string
	short    bool
	sites    map[string]*site
	fresh    int // sites that were made for one measurement
}

// newLab makes the scratch folder and builds the programs. close takes all of it away.
func newLab(ctx context.Context, o options) (l *lab, err error) {
	if os.Getuid() != 0 {
		return nil, errors.New("servers change their user: run it as root")
	}
	l = &lab{short: o.short, sites: make(map[string]*site)}
	defer func() {
		if err != nil {
			l.close()
		}
	}()
	if l.self, err = os.Executable(); err != nil {
		return l, err
	}
	root, err := output(ctx, "go", "list", "-m", "-f", "{{.Dir}}")
	if err != nil {
		return l, err
	}
	l.root = strings.TrimSpace(root)
	if l.work, err = scratch(""); err != nil {
		return l, err
	}
	if info, err := os.Stat(shm); err == nil && info.IsDir() {
		if l.memory, err = scratch(shm); err != nil {
			return l, err
		}
	}
	if err := l.certificate(); err != nil {
		return l, err
	}
	return l, l.build(ctx)
}

// shm is a file system in memory that every Linux has.
const shm = "/dev/shm"

// scratch makes a folder that others may enter.
func scratch(where string) (string, error) {
	dir, err := os.MkdirTemp(where, "compare")
	if err != nil {
		return "", err
	}
	return dir, os.Chmod(dir, 0o755)
}

func (l *lab) close() {
	for _, dir := range []string{l.work, l.memory} {
		if dir != "" {
			os.RemoveAll(dir)
		}
	}
}

// build builds the programs that are measured, as they are in the tree.
func (l *lab) build(ctx context.Context) error {
	bin := filepath.Join(l.work, "bin") + string(filepath.Separator)
	if err := os.Mkdir(bin, 0o755); err != nil {
		return err
	}
	cmd := exec.CommandContext(ctx, "go", "build", "-o", bin, "./cmd/postfach", "./cmd/postfachd")
	cmd.Dir, cmd.Env = l.root, append(os.Environ(), "CGO_ENABLED=0")
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("go build: %w: %s", err, out)
	}
	l.postfach, l.daemon = filepath.Join(bin, "postfach"), filepath.Join(bin, "postfachd")
	return nil
}

// certificate makes the one that all servers have, with a P-256 key.
func (l *lab) certificate() error {
	conf, err := bench.SelfSigned()
	if err != nil {
		return err
	}
	pair := conf.Certificates[0]
	key, err := x509.MarshalPKCS8PrivateKey(pair.PrivateKey.(*ecdsa.PrivateKey))
	if err != nil {
		return err
	}
	l.cert, l.key = filepath.Join(l.work, "cert.pem"), filepath.Join(l.work, "key.pem")
	return errors.Join(
		os.WriteFile(l.cert, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: pair.Certificate[0]}), 0o644),
		os.WriteFile(l.key, pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: key}), 0o600))
}

// installed returns where a program is; "": nowhere.
func installed(program string) string {
	for _, dir := range append(filepath.SplitList(os.Getenv("PATH")), "/usr/sbin", "/sbin") {
		name := filepath.Join(dir, program)
		if info, err := os.Stat(name); err == nil && info.Mode().IsRegular() && info.Mode()&0o111 != 0 {
			return name
		}
	}
	return ""
}

// unpack puts packages, with all that they depend on, into a folder that is a root for
// their programs.
func (l *lab) unpack(ctx context.Context, packages ...string) (root string, err error) {
	root = filepath.Join(l.work, "roots", packages[0])
	if _, err := os.Stat(root); err == nil {
		return root, nil
	}
	cmd := exec.CommandContext(ctx, filepath.Join(l.root, "scripts", "unpack-peer"), append([]string{root}, packages...)...)
	cmd.WaitDelay = stopTime
	if out, err := cmd.CombinedOutput(); err != nil {
		os.RemoveAll(root)
		return "", fmt.Errorf("unpack %s: %w: %s", packages[0], err, out)
	}
	return root, nil
}

// packageVersion returns the version of a Debian package, installed or unpacked.
func packageVersion(ctx context.Context, root, name string) string {
	if root == "" {
		v, err := output(ctx, "dpkg-query", "-W", "-f", "${Version}", name)
		if err != nil {
			return "unknown"
		}
		return v
	}
	text, _ := os.ReadFile(filepath.Join(root, "packages"))
	for line := range strings.Lines(string(text)) {
		if rest, ok := strings.CutPrefix(strings.TrimSpace(line), name+"_"); ok {
			v, _, _ := strings.Cut(rest, "_")
			return strings.ReplaceAll(v, "%3a", ":")
		}
	}
	return "unknown"
}

// say writes a line about how it goes.
func say(progress io.Writer, format string, args ...any) { fmt.Fprintf(progress, format+"\n", args...) }
