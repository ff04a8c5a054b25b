package sasl

import (
	"errors"
	"slices"
	"strings"
)

// Params are what the client's ends of all mechanisms may need.
type Params struct {
	User   string // with EXTERNAL whom to act as, and may be empty
	Secret string // password, or token where TakesToken says so

	// Host and Port are where the client has connected to (P3-OAUTH-02); "" and 0:
	// not said.
	Host string
	Port int

	Bindings  []ChannelBinding // that the connection has, preferred first; none: no TLS
	Announced []string         // the mechanisms that the server has listed; none: it is not known
}

// Errors of NewClient.
var (
	// ErrMechanism says that there is no such mechanism here.
	ErrMechanism = errors.New("unknown login mechanism")
	// ErrNoBinding says that a mechanism whose name ends in -PLUS has nothing to
	// bind to.
	ErrNoBinding = errors.New("the connection has nothing for channel binding")
)

// NewClient makes the client's end of the mechanism with that name, which is in
// capital letters.
func NewClient(name string, p Params) (Client, error) {
	switch name {
	case ScramSHA256, ScramSHA256Plus:
		return p.scram(SHA256, name)
	case ScramSHA1, ScramSHA1Plus:
		return p.scram(SHA1, name)
	case Plain:
		return NewPlainClient("", p.User, p.Secret), nil
	case Login:
		return NewLoginClient(p.User, p.Secret), nil
	case CramMD5:
		return NewCramMD5Client(p.User, p.Secret), nil
	case OAuthBearer:
		return NewOAuthBearerClient(Bearer{User: p.User, Token: p.Secret, Host: p.Host, Port: p.Port}), nil
	case XOAuth2:
		return NewXOAuth2Client(p.User, p.Secret), nil
	case External:
		return NewExternalClient(p.User), nil
	}
	return nil, ErrMechanism
}

// scram says to a server that it could bind only where the server has listed what it
// has, and not this: one that was not asked may have it, and has to refuse then
// (P3-SCRAM-11, P3-SCRAM-12).
func (p Params) scram(h ScramHash, name string) (Client, error) {
	plus := h.Mechanism(true)
	switch {
	case name != plus:
		listed := slices.ContainsFunc(p.Announced, func(m string) bool { return strings.EqualFold(m, plus) })
		return NewScramClient(h, len(p.Bindings) > 0 && len(p.Announced) > 0 && !listed, p.User, p.Secret), nil
	case len(p.Bindings) == 0:
		return nil, ErrNoBinding
	}
	return NewScramPlusClient(h, p.Bindings[0], p.User, p.Secret), nil
}

// TakesToken reports whether the secret of a mechanism is a bearer token: whoever reads
// it can use it elsewhere, so that it is for TLS (P3-OAUTH-01). The case of name does
// not matter.
func TakesToken(name string) bool {
	return strings.EqualFold(name, OAuthBearer) || strings.EqualFold(name, XOAuth2)
}

// InitialWithAUTH reports whether a mechanism's initial response may go with AUTH.
// XOAUTH2's does not: the form with two lines is the one that its servers document
// (P3-OAUTH-09).
func InitialWithAUTH(name string) bool { return name != XOAuth2 }
