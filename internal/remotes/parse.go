package remotes

import (
	"errors"
	"net"
	"strconv"
	"strings"

	"postfach/internal/hint"
	"postfach/pop3"
)

// Parse reads an account as people write it: a pop3s:// or pop3:// URL, or
// [user@]host[:port], where the user ends at the last "@". Without a scheme port
// 110 is STLS, another port of this machine is in clear, and all else is TLS. The
// URL may come without a user. Errors have a hint.
func Parse(s string) (*Account, error) {
	u, err := parse(strings.TrimSpace(s))
	switch { // s may hold a password: it is not repeated
	case errors.Is(err, pop3.ErrURLPassword):
		return nil, hint.Add(err, "leave the password out: it is asked for")
	case err != nil:
		return nil, hint.Add(err, "for example pop3s://me@mail.example.org, with %%40 for an @ in the user name, or me@mail.example.org")
	}
	return &Account{URL: u}, nil
}

func parse(s string) (*pop3.URL, error) {
	if strings.Contains(s, "://") {
		return pop3.ParseURL(s)
	}
	user, where := "", s
	if i := strings.LastIndexByte(s, '@'); i >= 0 {
		user, where = s[:i], s[i+1:]
		switch {
		case user == "":
			return nil, errors.New("the user name is empty")
		case strings.Contains(user, ":"):
			return nil, pop3.ErrURLPassword
		}
	}
	u := &pop3.URL{TLS: true, User: user, Host: strings.Trim(where, "[]")}
	host, port, err := net.SplitHostPort(where)
	if err == nil {
		n, err := strconv.ParseUint(port, 10, 16)
		if err != nil || n == 0 {
			return nil, errors.New("want a port from 1 to 65535")
		}
		u.Host, u.Port = host, int(n)
		u.TLS = u.Port == pop3.PortTLS || u.Port != pop3.Port && !loopback(host)
	}
	// The grammar of hosts is that of URLs.
	return pop3.ParseURL(u.String())
}
