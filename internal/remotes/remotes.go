// Package remotes knows accounts on other people's servers: how they are written
// in a file or on the command line, and how one connects to them.
package remotes

import (
	"context"

	"postfach/pop3"
	"postfach/pop3client"
)

// An Account is one that mail is fetched from, or looked at.
type Account struct {
	Name string // what the file calls it
	URL  *pop3.URL
	// PasswordCommand is run with sh; the first line that it prints is the
	// password. Empty: a person is asked.
	PasswordCommand string
	CAFile          string // PEM; empty: what the system trusts
	STLS            bool   // require STLS even to this machine
	AllowCleartext  bool
}

// Load reads a file of accounts, in their order. Its errors name file and line.
// A file that is not there is no error and no accounts.
func Load(file string) ([]Account, error) { return nil, nil }

// DefaultFile returns where the file is without a flag.
func DefaultFile() string { return "" }

// Parse reads an account as people write it: pop3s://user@host, user@host,
// host:port, host.
func Parse(s string) (*Account, error) { return nil, nil }

// Options returns what pop3client needs.
func (a *Account) Options() (*pop3client.Options, error) { return nil, nil }

// Password runs PasswordCommand.
func (a *Account) Password(ctx context.Context) (string, error) { return "", nil }
