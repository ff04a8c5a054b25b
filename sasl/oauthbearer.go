package sasl

import (
	"cmp"
	"strconv"
	"strings"
)

// NewOAuthBearerClient returns OAUTHBEARER's client end (RFC 7628). It is a
// Refusable.
func NewOAuthBearerClient(b Bearer) Client {
	return &bearerClient{mechanism: OAuthBearer, bearer: &b, message: oauthMessage, answer: separator}
}

// oauthMessage is P3-OAUTH-02.
func oauthMessage(b Bearer) string {
	var m strings.Builder
	m.WriteString("n,")
	if b.User != "" {
		m.WriteString("a=" + encodeName(b.User))
	}
	m.WriteString("," + separator)
	if b.Host != "" {
		m.WriteString("host=" + b.Host + separator)
	}
	if b.Port != 0 {
		m.WriteString("port=" + strconv.Itoa(b.Port) + separator)
	}
	m.WriteString("auth=Bearer " + b.Token + separator + separator)
	return m.String()
}

// NewOAuthBearerServer returns OAUTHBEARER's server end. When check fails with a
// *TokenError in its chain, the client is told that before Next returns the
// error; so it is, with less in it, for any other error. Host and port are
// check's to compare (P3-OAUTH-04).
func NewOAuthBearerServer(check func(Bearer) error) Server {
	return &bearerServer{parse: parseOAuth, check: check, tell: func(e *TokenError) []byte {
		return tokenRefusal{Status: cmp.Or(e.Status, defaultStatus), Scope: e.Scope, Configuration: e.Configuration}.encode()
	}}
}

func parseOAuth(message string) (b Bearer, err error) {
	flag, rest, _ := strings.Cut(message, ",")
	identity, rest, found := strings.Cut(rest, ",")
	body, begins := strings.CutPrefix(rest, separator)
	if !found || !begins || flag != "n" && flag != "y" { // it cannot bind
		return b, ErrMessage
	}
	if identity != "" {
		name, hasName := strings.CutPrefix(identity, "a=")
		decoded, ok := decodeName(name)
		if !hasName || !ok || name == "" {
			return b, ErrMessage
		}
		b.User = decoded
	}
	all, err := pairs(body)
	if err != nil {
		return b, err
	}
	if b.Host = all["host"]; len(b.Host) > mostHost || !isGraphic(b.Host) {
		return b, ErrMessage
	}
	if port, said := all["port"]; said {
		n, err := strconv.ParseUint(port, 10, 16)
		if err != nil || n == 0 {
			return b, ErrMessage
		}
		b.Port = int(n)
	}
	token, ok := bearerToken(all["auth"])
	if !ok {
		return b, ErrMessage
	}
	b.Token = token
	return b, nil
}

// encodeName and decodeName are GS2's and SCRAM's way to write a name (P3-SCRAM-08).
func encodeName(name string) string {
	return strings.NewReplacer("=", "=3D", ",", "=2C").Replace(name)
}

func decodeName(name string) (decoded string, ok bool) {
	decoded = strings.NewReplacer("=3D", "=", "=2C", ",").Replace(name)
	return decoded, encodeName(decoded) == name
}
