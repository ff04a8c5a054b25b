package main

import (
	"fmt"
	"io"
	"log/slog"
	"net/netip"
	"os"
	"path/filepath"
	"strings"

	"postfach/internal/accounts/sources"
	"postfach/internal/config"
	"postfach/internal/datafolder"
	"postfach/internal/vfs"
)

// announce tells where the server listens, on stdout and in the run folder.
func announce(folder datafolder.Folder, sockets []*socket, stdout io.Writer) error {
	var b strings.Builder
	for _, s := range sockets {
		fmt.Fprintf(&b, "listening %s %s\n", s.protocol(), s.Addr())
	}
	if err := vfs.WriteFile(vfs.OS{}, folder.Listeners(), []byte(b.String()), 0o600); err != nil {
		return fmt.Errorf("tell where the server listens: %w", err)
	}
	_, err := io.WriteString(stdout, b.String())
	return err
}

// logListening says of each socket where it comes from and whom it believes.
func logListening(opened []*socket, log *slog.Logger) {
	for _, s := range opened {
		values := []any{"protocol", s.protocol(), "address", s.Addr(), "from", s.from}
		if proxies := s.spec.Proxies(); len(proxies) > 0 {
			values = append(values, "proxies", join(proxies))
		}
		log.Info("listening", values...)
	}
}

func join(networks []netip.Prefix) string {
	var texts []string
	for _, network := range networks {
		texts = append(texts, network.String())
	}
	return strings.Join(texts, " ")
}

// tellAccountFiles tells the tools which files the server reads accounts from: an
// account that is added to another one lets nobody in.
func (d *daemon) tellAccountFiles() {
	var b strings.Builder
	for _, spec := range sources.Of(d.cfg) {
		if spec.Type != config.FileSource {
			continue
		}
		path, err := filepath.Abs(sources.FilePath(spec, d.folder))
		if err == nil {
			b.WriteString(path + "\n")
		}
	}
	if err := vfs.WriteFile(vfs.OS{}, d.folder.AccountFiles(), []byte(b.String()), 0o600); err != nil {
		d.log.Warn("tools do not know where the accounts are", "err", err)
	}
}

// withdraw takes back what a server has told in the run folder, with what a server that
// was killed has left of it. The caller has the lock of the folder.
func withdraw(folder datafolder.Folder) {
	for _, name := range []string{folder.Listeners(), folder.AccountFiles(), folder.FirstLogin(), folder.DecoyKey(), folder.Tickets()} {
		vfs.Sweep(vfs.OS{}, name)
	}
	os.Remove(folder.Listeners())
	os.Remove(folder.AccountFiles())
}

// status is what systemctl status shows.
func (d *daemon) status() string {
	var where []string
	for _, s := range d.sockets {
		where = append(where, fmt.Sprintf("%s %s", s.protocol(), s.Addr()))
	}
	return "listening: " + strings.Join(where, ", ")
}
