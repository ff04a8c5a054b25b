// Package accounts knows who may log in. A Directory decides; Sources are the
// places where accounts are kept. One of them is here, a file in the form that
// Dovecot's administrators know as passwd-file:
//
//	user:{SCHEME}secret:uid:gid:gecos:home:shell:extra fields
//
// A File answers the server; an Editor is what tools change the file with.
// People may edit it with whatever they like: comments, and fields that mean
// nothing here, stay as they are.
package accounts

import "errors"

// An Account is what may be told about one line of the file: no secrets.
type Account struct {
	User    string `json:"user"`
	Scheme  string `json:"scheme"`            // how the password is kept, as in "SCRAM-SHA-256"
	Maildir string `json:"maildir,omitempty"` // where userdb_mail says; empty: the usual place
	APOP    bool   `json:"apop"`              // has a secret for APOP
	Closed  string `json:"closed,omitempty"`  // the extra field for which nobody gets in; empty: open

	ScramSHA1        bool          `json:"scram_sha_1,omitempty"` // can use SCRAM-SHA-1 beside what Scheme is good for
	AppPasswords     []AppPassword `json:"app_passwords,omitempty"`
	AppPasswordsOnly bool          `json:"app_passwords_only,omitempty"` // the account's own password lets nobody in
	Certificates     []string      `json:"certificates,omitempty"`       // fingerprints of its client certificates

	Restrictions []string `json:"restrictions,omitempty"` // extra fields that keep some logins out, as the file has them: "tls=required"
	Unknown      []string `json:"unknown,omitempty"`      // what means nothing here, and may be misspelt
}

// Errors of an Editor.
var (
	ErrExists   = errors.New("there is such an account already")
	ErrNoUser   = errors.New("there is no such account")
	ErrPassword = errors.New("the password cannot be used")

	ErrAppExists = errors.New("there is such an app password already")
	ErrNoApp     = errors.New("there is no such app password")

	ErrCertificateExists = errors.New("the account has this certificate already")
	ErrNoCertificate     = errors.New("the account has no such certificate")
)
