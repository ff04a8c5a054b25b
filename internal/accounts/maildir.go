package accounts

import (
	"errors"
	"fmt"
	"path/filepath"
	"strings"

	"postfach/internal/hint"
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

// userdbMail returns the path in "maildir:/path". It is taken literally: a
// variable in it, which Dovecot would expand, is refused.
func userdbMail(value string) (string, error) {
	path, err := MaildirPath(value)
	if err != nil || !strings.HasPrefix(value, "maildir:") {
		return "", hint.Add(fmt.Errorf("expected %s=maildir:/path", mailField), "an absolute path without %%, ~ and further settings")
	}
	return path, nil
}
