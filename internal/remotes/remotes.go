// Package remotes knows accounts on other people's servers: how they are written
// in a file or on the command line, and how one connects to them.
package remotes

import (
	"postfach/pop3"
)

// An Account is one that mail is fetched from, or looked at.
type Account struct {
	Name string // what the file calls it; empty: it is from no file
	URL  *pop3.URL
	// PasswordCommand is run with sh; the first line that it prints is the
	// password. Empty: a person is asked.
	PasswordCommand string
	CAFile          string // PEM; empty: what the system trusts
	CAFileAt        string // where CAFile is written, for errors; empty: in no file
	Pin             string // SHA-256 of the certificate to trust and no other, in hexadecimal; wants TLS. Empty: chain and name decide
	STLS            bool   // require STLS even to this machine
	AllowCleartext  bool
}
