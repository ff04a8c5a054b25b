// Package accounts knows who may log in. It reads and edits one file, in the
// form that Dovecot's administrators know as passwd-file:
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
}

// Errors of an Editor.
var (
	ErrExists   = errors.New("there is such an account already")
	ErrNoUser   = errors.New("there is no such account")
	ErrPassword = errors.New("the password cannot be used")
)
