package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
)

// A fetching is what a client is to do: fetch a maildrop into a Maildir.
type fetching struct {
	addr string // of the server
	to   string // a Maildir that is not there yet, or is empty
	home string // a folder of its own
}

// mpops returns the fetcher, as it is and without its syncs.
func (l *lab) mpops(ctx context.Context) ([]*peer, error) {
	command, root, err := l.findMpop(ctx)
	if err != nil {
		return nil, without("mpop", err)
	}
	version := packageVersion(ctx, root, "mpop")
	make := func(id, name, preload string) *peer {
		return &peer{id: id, name: name, version: version, fetch: func(ctx context.Context, f fetching) error {
			return runMpop(ctx, command, preload, f)
		}}
	}
	all := []*peer{make(mpop, "mpop", "")}
	library, err := l.withoutSync(ctx)
	if err != nil {
		return all, without("mpop without its syncs", err)
	}
	return append(all, make(unsynced, "mpop without fsync", library)), nil
}

// findMpop returns the command: the program, or the dynamic linker of the folder in which
// it was unpacked, and what comes behind.
func (l *lab) findMpop(ctx context.Context) (command []string, root string, err error) {
	if program := installed("mpop"); program != "" {
		return []string{program}, "", nil
	}
	if root, err = l.unpack(ctx, "mpop"); err != nil {
		return nil, "", err
	}
	loaders, _ := filepath.Glob(filepath.Join(root, "usr/lib*/ld-linux*.so.*"))
	libraries, _ := filepath.Glob(filepath.Join(root, "usr/lib/*-linux-gnu*"))
	if len(loaders) == 0 || len(libraries) == 0 {
		return nil, "", errors.New("what was unpacked has no dynamic linker")
	}
	return []string{loaders[0], "--library-path", libraries[0], filepath.Join(root, "usr/bin/mpop")}, root, nil
}

func runMpop(ctx context.Context, command []string, preload string, f fetching) error {
	host, port, err := net.SplitHostPort(f.addr)
	if err != nil {
		return err
	}
	for _, sub := range []string{"", "tmp", "new", "cur"} {
		if err := os.MkdirAll(filepath.Join(f.to, sub), 0o700); err != nil {
			return err
		}
	}
	args := append(command[1:len(command):len(command)], "--host="+host, "--port="+port, "--user=user1", "--passwordeval=echo "+password, "--auth=user", "--tls=off",
		"--keep=on", "--pipelining=auto", "--quiet", "--uidls-file="+filepath.Join(f.home, "uidls"), "--delivery=maildir,"+f.to)
	cmd := exec.CommandContext(ctx, command[0], args...)
	cmd.Env = append(os.Environ(), "HOME="+f.home)
	if preload != "" {
		cmd.Env = append(cmd.Env, "LD_PRELOAD="+preload)
	}
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("mpop: %w: %s", err, out)
	}
	return nil
}

// nothingSyncs is a library that says of every file that it is synced.
const nothingSyncs = "int fsync(int fd) { (void)fd; return 0; }\nint fdatasync(int fd) { (void)fd; return 0; }\nvoid sync(void) {}\n"

// withoutSync compiles it.
func (l *lab) withoutSync(ctx context.Context) (library string, err error) {
	cc := installed("cc")
	if cc == "" {
		return "", errors.New("needs a C compiler")
	}
	source, library := filepath.Join(l.work, "nosync.c"), filepath.Join(l.work, "nosync.so")
	if err := os.WriteFile(source, []byte(nothingSyncs), 0o644); err != nil {
		return "", err
	}
	_, err = output(ctx, cc, "-shared", "-fPIC", "-o", library, source)
	return library, err
}

// get is Postfach's client.
func (l *lab) get(ctx context.Context, f fetching) error {
	cmd := exec.CommandContext(ctx, l.postfach, "get", "pop3://user1@"+f.addr, "--to", "maildir:"+f.to, "--keep")
	cmd.Env = append(os.Environ(), "HOME="+f.home, "POSTFACH_PASSWORD="+password)
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("postfach get: %w: %s", err, out)
	}
	return nil
}
