package accounts

import (
	"errors"
	"fmt"
	"path/filepath"
	"strings"

	"postfach/internal/hint"
)

// The extra fields that mean something here, spelled as Dovecot does where it
// has them.
const (
	mailField = "userdb_mail" // maildir:/path
	apopField = "apop"        // a sealed secret
)

// closing are Dovecot's fields that keep people out under conditions that are
// not looked at here. An account with one is closed: a file must not let in
// more people here than there.
func closing(field string) bool {
	switch field {
	case "nologin", "noauthenticate", "nopassword", "allow_nets", "allow_real_nets":
		return true
	}
	return false
}

// An account is one line, understood.
type account struct {
	Account
	verifier verifier
	sealed   string // the APOP secret; empty: none
}

// parseLine understands a line that is neither empty nor a comment.
func parseLine(line string) (*account, error) {
	fields := splitLine(line)
	if len(fields) < 2 {
		return nil, hint.Add(errors.New("expected user:{SCHEME}secret"), "fields are separated by colons; a comment begins with #")
	}
	user := fields[0]
	if err := CheckName(user); err != nil {
		return nil, err
	}
	scheme, v, err := parseSecret(fields[1])
	if err != nil {
		return nil, fmt.Errorf("user %s: %w", user, err)
	}
	a := &account{Account: Account{User: user, Scheme: scheme}, verifier: v}
	for _, extra := range extraFields(fields) {
		key, value, _ := strings.Cut(extra, "=")
		switch {
		case key == mailField:
			if a.Maildir, err = maildirOf(value); err != nil {
				return nil, fmt.Errorf("user %s: %w", user, err)
			}
		case key == apopField:
			a.sealed, a.APOP = value, true
		case closing(key):
			a.Closed = key
		}
	}
	return a, nil
}

// The place of the extra fields, and how many fields there are with them. The
// last one has colons of its own.
const (
	secretIndex = 1
	extraIndex  = 7
	fieldCount  = 8
)

func splitLine(line string) []string { return strings.SplitN(line, ":", fieldCount) }

func extraFields(fields []string) []string {
	if len(fields) <= extraIndex {
		return nil
	}
	return strings.Fields(fields[extraIndex])
}

// withSecret returns the line with another password.
func withSecret(line, secret string) string {
	fields := splitLine(line)
	fields[secretIndex] = secret
	return strings.Join(fields, ":")
}

// withExtra returns the line with another value of an extra field, or without
// the field when value is empty. Others stay as they are.
func withExtra(line, key, value string) string {
	fields := splitLine(line)
	var extra []string
	for _, e := range extraFields(fields) {
		if k, _, _ := strings.Cut(e, "="); k != key {
			extra = append(extra, e)
		}
	}
	if value != "" {
		extra = append(extra, key+"="+value)
	}
	for len(fields) < fieldCount {
		fields = append(fields, "")
	}
	fields[extraIndex] = strings.Join(extra, " ")
	return strings.Join(fields, ":")
}

// maildirOf returns the path in "maildir:/path". It is taken literally: a
// variable in it, which Dovecot would expand, is refused.
func maildirOf(value string) (string, error) {
	path, ok := strings.CutPrefix(value, "maildir:")
	if !ok || !filepath.IsAbs(path) || strings.ContainsAny(path, "%~:") {
		return "", hint.Add(fmt.Errorf("expected %s=maildir:/path", mailField), "an absolute path without %%, ~ and further settings")
	}
	return filepath.Clean(path), nil
}
