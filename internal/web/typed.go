package web

import (
	"errors"
	"net"
	"strconv"
	"strings"

	"postfach/internal/explore"
	"postfach/internal/hint"
	"postfach/pop3"
)

// typed is the form for another account. The password is not shown again.
type typed struct{ Server, Security, User string }

// parse makes an account of the form. What a person chose as encryption holds:
// it is never less, and none only to this machine.
func (v *visit) parse(t typed) (explore.Account, error) {
	p := v.face.picker
	if p.Parse == nil {
		return explore.Account{}, errors.New("no other accounts can be opened here")
	}
	u, err := t.url()
	if err != nil {
		return explore.Account{}, err
	}
	switch t.Security {
	case "tls":
		u.TLS = true
		return p.Parse(u.String())
	case "stls":
		if p.ParseSTLS == nil {
			return explore.Account{}, errors.New("STLS cannot be chosen here")
		}
		return p.ParseSTLS(inClear(u))
	case "none":
		if !thisMachine(u.Host) {
			return explore.Account{}, hint.Add(errors.New("without encryption everybody on the way could read the password"), "choose TLS or STLS; only a server on this machine can be opened without")
		}
		return p.Parse(inClear(u))
	}
	return explore.Account{}, errors.New("choose an encryption")
}

// url is where the account is.
func (t typed) url() (*pop3.URL, error) {
	user, server := t.User, t.Server
	if user == "" {
		return nil, errors.New("the user name is missing")
	}
	if server == "" { // a mail address names it
		at := strings.LastIndexByte(user, '@')
		if at <= 0 {
			return nil, hint.Add(errors.New("the mail server is missing"), "your mail program shows it under incoming mail")
		}
		user, server = user[:at], user[at+1:]
	}
	host, port, err := net.SplitHostPort(server)
	if err != nil {
		host = strings.Trim(server, "[]")
	}
	if host == "" || strings.ContainsAny(host, " /@?#\\") {
		return nil, hint.Add(errors.New("the server is a name such as pop.example.org"), "a port may follow: pop.example.org:995")
	}
	u := &pop3.URL{User: user, Host: host}
	if port != "" {
		if u.Port, err = strconv.Atoi(port); err != nil || u.Port < 1 || u.Port > 65535 {
			return nil, errors.New("the port is a number from 1 to 65535")
		}
	}
	return u, nil
}

// inClear is a URL whose connection begins without TLS.
func inClear(u *pop3.URL) string {
	return strings.Replace(u.String(), "pop://", "pop3://", 1)
}

func thisMachine(host string) bool {
	ip := net.ParseIP(host)
	return strings.EqualFold(host, "localhost") || ip != nil && ip.IsLoopback()
}
