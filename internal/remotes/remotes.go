// Package remotes knows accounts on other people's servers: how they are written
// in a file or on the command line, and how one connects to them.
package remotes

import (
	"postfach/pop3"
	"postfach/sasl"
)

// An Account is one that mail is fetched from, or looked at.
type Account struct {
	Name string // what the file calls it; empty: it is from no file
	URL  *pop3.URL
	// PasswordCommand is run with sh; the first line that it prints is the
	// password. Empty: a person is asked.
	PasswordCommand string
	// TokenCommand is the same for a bearer token, which takes the place of the
	// password.
	TokenCommand string
	// ClientCert is a PEM file with the certificate that says who the client is,
	// and ClientKey the one with its key; empty: the same file. It is for this
	// account alone (P3-EXT-04).
	ClientCert, ClientKey string
	ClientCertAt          string // where ClientCert is written, for errors; empty: in no file
	CAFile                string // PEM; empty: what the system trusts
	CAFileAt              string // where CAFile is written, for errors; empty: in no file
	Pin                   string // SHA-256 of the certificate to trust and no other, in hexadecimal; wants TLS. Empty: chain and name decide
	STLS                  bool   // require STLS even to this machine
	AllowCleartext        bool
}

// Auth says how to log in, as ;AUTH= of a pop URL does: what the URL says, else
// what goes with what the account has. Empty: with a password.
func (a *Account) Auth() string {
	switch {
	case a.TokenCommand != "" && (a.URL.Auth == "" || a.URL.Auth == "*"):
		return byToken
	case a.URL.Auth != "":
		return a.URL.Auth
	case a.ClientCert != "" && a.PasswordCommand == "":
		return byCertificate
	}
	return ""
}

// What Auth may say beside what URLs do. byToken is any mechanism that takes one.
const (
	byToken       = "+TOKEN"
	byCertificate = "EXTERNAL"
)

// misusesToken reports whether a mechanism would get the token that takes passwords, and
// might send it in clear.
func (a *Account) misusesToken() bool {
	return a.TokenCommand != "" && a.Auth() != byToken && !sasl.TakesToken(a.Auth())
}

const tokenHint = "tokens are for OAUTHBEARER and XOAUTH2; leave the mechanism out, and the one is taken that the server offers"

// NeedsNoSecret reports whether the login is by the certificate alone.
func (a *Account) NeedsNoSecret() bool { return a.Auth() == byCertificate }

// HasCommand reports whether a command knows the secret.
func (a *Account) HasCommand() bool { return a.PasswordCommand != "" || a.TokenCommand != "" }
