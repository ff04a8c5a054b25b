// Package sources makes the sources of accounts that a configuration names, for
// the server and for the tools beside it.
package sources

import (
	"fmt"
	"log/slog"

	"postfach/internal/accounts"
	"postfach/internal/accounts/ldap"
	"postfach/internal/accounts/sql"
	"postfach/internal/config"
	"postfach/internal/datafolder"
	"postfach/internal/hint"
)

// Of returns the sources of a configuration. Without any there is one: a file, whose path
// is empty where it is the data folder's.
func Of(cfg *config.Config) []config.Source {
	if len(cfg.Sources) == 0 {
		return []config.Source{{Type: config.FileSource, Path: cfg.Accounts}}
	}
	return cfg.Sources
}

// FilePath is where the accounts of a source of the type file are.
func FilePath(spec config.Source, folder datafolder.Folder) string {
	if spec.Path == "" {
		return folder.Accounts()
	}
	return spec.Path
}

// New makes a source that is a file, a directory server or a database. It asks
// nobody yet. decoyKey may be nil. The caller closes what is an io.Closer.
func New(spec config.Source, folder datafolder.Folder, decoyKey []byte, log *slog.Logger) (accounts.Source, error) {
	switch spec.Type {
	case config.FileSource:
		path := FilePath(spec, folder)
		return &accounts.File{Path: path, Shared: folder.Outside(path), Key: folder.APOPKey(), DecoyKey: decoyKey, Log: log}, nil
	case config.LDAPSource:
		return Made(ldap.New(ldap.Config{
			URL: spec.URL, StartTLS: spec.StartTLS, CA: spec.CA, BindDN: spec.BindDN, PasswordFile: spec.PasswordFile,
			Base: spec.Base, Scope: spec.Scope, Filter: spec.Filter, Verify: spec.Verify, PasswordAttribute: spec.PasswordAttribute,
			UserAttribute: spec.UserAttribute, MaildirAttribute: spec.MaildirAttribute, Maildir: spec.Maildir, DecoyDN: spec.DecoyDN,
			DecoyKey: decoyKey, Timeout: spec.Timeout.Duration, AtOnce: spec.AtOnce, Log: log,
		}))
	case config.SQLSource:
		return Made(sql.New(sql.Config{
			URL: spec.URL, CA: spec.CA, PasswordFile: spec.PasswordFile, Query: spec.Query, AppPasswords: spec.AppPasswords, Maildir: spec.Maildir,
			DecoyKey: decoyKey, Timeout: spec.Timeout.Duration, AtOnce: spec.AtOnce, Log: log,
		}))
	}
	return nil, hint.Add(fmt.Errorf("accounts of type %q are not known here", spec.Type), "type in [[source]] is file, ldap, sql or program")
}

// Made keeps a source that is nil from looking like one.
func Made[S accounts.Source](s S, err error) (accounts.Source, error) {
	if err != nil {
		return nil, err
	}
	return s, nil
}
