package accounts

import (
	"context"
	"errors"
	"net/netip"
	"path/filepath"
	"strings"

	"postfach/internal/hint"
	"postfach/internal/vfs"
)

// MaildirPath understands where a source says that a maildrop is: an absolute
// path, or "maildir:" and one, which is what Dovecot's tables have. It is taken
// literally.
func MaildirPath(value string) (string, error) {
	path := strings.TrimPrefix(value, "maildir:")
	if !filepath.IsAbs(path) || strings.ContainsAny(path, "%~:\x00") {
		return "", hint.Add(errors.New("expected an absolute path for the maildrop"), "without %%, ~ and further settings")
	}
	return filepath.Clean(path), nil
}

// MaildirIn returns the path that a template, such as "/srv/mail/{user}", means
// for a user, whose name CheckName lets pass. An empty template means the usual
// place, which is empty, too.
func MaildirIn(template, user string) string {
	if template == "" {
		return ""
	}
	return filepath.Clean(strings.ReplaceAll(template, "{user}", user))
}

// ReadSecret returns the first line of a file that nobody but its owner may
// touch, such as one with the password for a database.
func ReadSecret(name string) (string, error) {
	content, _, err := readSecretFile(vfs.OS{}, name, false)
	if err != nil {
		return "", err
	}
	line, _, _ := strings.Cut(string(content), "\n")
	line = strings.TrimSuffix(line, "\r")
	if line == "" {
		return "", hint.Add(errors.New(name+": expected a secret in the first line"), "the file must not be empty")
	}
	return line, nil
}

type remoteKey struct{}

// WithRemote notes from where somebody tries to log in, for sources that tell it
// to others.
func WithRemote(ctx context.Context, ip netip.Addr) context.Context {
	return context.WithValue(ctx, remoteKey{}, ip)
}

// Remote returns what WithRemote noted, or the zero Addr.
func Remote(ctx context.Context) netip.Addr {
	ip, _ := ctx.Value(remoteKey{}).(netip.Addr)
	return ip
}
