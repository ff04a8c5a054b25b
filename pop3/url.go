package pop3

import (
	"errors"
	"fmt"
	"net"
	"net/url"
	"strconv"
	"strings"
)

// A URL names an account on a server: pop://[user[;AUTH=auth]@]host[:port]
// (RFC 2384). The schemes pop3 (the same as pop) and pops, pop3s (TLS from the
// first octet, P3-URL-05) are widely used extensions.
type URL struct {
	TLS  bool   // pops, pop3s
	User string // decoded; empty: not given
	Auth string // "", "*", "+APOP" or a SASL mechanism in upper case
	Host string // without the brackets of an IPv6 address
	Port int    // 0: not given
}

// Errors of ParseURL that a person can do something about.
var (
	ErrURLPassword = errors.New("a pop URL has no place for a password")
	ErrURLPath     = errors.New("a pop URL has no path")
)

// ParseURL parses s. A password, a path, a query or a fragment is an error
// (P3-URL-01).
func ParseURL(s string) (*URL, error) {
	u, err := parseURL(s)
	if err != nil {
		// s may hold a password: it is not repeated.
		return nil, fmt.Errorf("pop URL: %w", err)
	}
	return u, nil
}

func parseURL(s string) (*URL, error) {
	scheme, rest, ok := strings.Cut(s, "://")
	if !ok {
		return nil, errors.New("want pop3s://user@host or pop://user@host")
	}
	u := new(URL)
	switch strings.ToLower(scheme) {
	case "pop", "pop3":
	case "pops", "pop3s":
		u.TLS = true
	default:
		return nil, errors.New("unknown scheme: want pop, pop3, pops or pop3s")
	}
	if i := strings.IndexAny(rest, "/?#"); i >= 0 {
		if rest[i:] != "/" { // a lone final slash is a habit of people
			return nil, ErrURLPath
		}
		rest = rest[:i]
	}
	hostport := rest
	if i := strings.LastIndexByte(rest, '@'); i >= 0 {
		hostport = rest[i+1:]
		if err := u.parseUser(rest[:i]); err != nil {
			return nil, err
		}
	}
	return u, u.parseHost(hostport)
}

// parseUser reads user[;AUTH=auth] (RFC 2384 section 3).
func (u *URL) parseUser(s string) (err error) {
	user, params, hasParams := strings.Cut(s, ";")
	if strings.Contains(user, ":") {
		return ErrURLPassword
	}
	if u.User, err = unescape(user); err != nil {
		return err
	}
	if u.User == "" {
		return errors.New("the user name is empty")
	}
	if !hasParams {
		return nil
	}
	name, value, ok := strings.Cut(params, "=")
	if !ok || !strings.EqualFold(name, "AUTH") {
		return errors.New("the only parameter is ;AUTH=mechanism")
	}
	if u.Auth, err = unescape(value); err != nil {
		return err
	}
	u.Auth = strings.ToUpper(u.Auth)
	if u.Auth == "" {
		return errors.New("the mechanism after ;AUTH= is empty")
	}
	return nil
}

func (u *URL) parseHost(hostport string) error {
	host, port := hostport, ""
	unsafe := " ;@/:"                     // no host name has them, not even escaped
	if strings.HasPrefix(hostport, "[") { // [IPv6] or [IPv6]:port
		unsafe = ""
		end := strings.IndexByte(hostport, ']')
		if end < 0 {
			return errors.New("the address has no closing bracket")
		}
		host = hostport[1:end]
		if rest := hostport[end+1:]; rest != "" {
			if rest[0] != ':' {
				return errors.New("want :port after the address")
			}
			port = rest[1:]
		}
		if net.ParseIP(host) == nil {
			return errors.New("no IPv6 address between the brackets")
		}
	} else if i := strings.IndexByte(hostport, ':'); i >= 0 {
		host, port = hostport[:i], hostport[i+1:]
	}
	var err error
	if u.Host, err = unescape(host); err != nil {
		return err
	}
	if u.Host == "" || strings.ContainsAny(u.Host, unsafe) {
		return errors.New("want a host name")
	}
	if port == "" {
		return nil
	}
	n, err := strconv.ParseUint(port, 10, 16)
	if err != nil || n == 0 {
		return errors.New("want a port from 1 to 65535")
	}
	u.Port = int(n)
	return nil
}

// unescape decodes %XX. Control characters are refused: they could end a
// command (P3-SYN-26).
func unescape(s string) (string, error) {
	d, err := url.PathUnescape(s)
	if err != nil {
		return "", errors.New("bad % escape")
	}
	for i := range len(d) {
		if d[i] < 0x20 || d[i] == 0x7f {
			return "", errors.New("control character")
		}
	}
	return d, nil
}

// Addr returns host:port, with the registered port where none was given.
func (u *URL) Addr() string {
	port := u.Port
	switch {
	case port != 0:
	case u.TLS:
		port = PortTLS
	default:
		port = Port
	}
	return net.JoinHostPort(u.Host, strconv.Itoa(port))
}

// String returns the URL with everything unsafe escaped (P3-URL-02). Parsing
// it again gives the same URL.
func (u *URL) String() string {
	var b strings.Builder
	b.WriteString("pop")
	if u.TLS {
		b.WriteString("3s")
	}
	b.WriteString("://")
	if u.User != "" {
		b.WriteString(escape(u.User))
		if u.Auth != "" {
			b.WriteString(";AUTH=" + escape(u.Auth))
		}
		b.WriteByte('@')
	}
	if strings.Contains(u.Host, ":") {
		b.WriteString("[" + u.Host + "]")
	} else {
		b.WriteString(escape(u.Host))
	}
	if u.Port != 0 {
		b.WriteString(":" + strconv.Itoa(u.Port))
	}
	return b.String()
}

// escape leaves what RFC 2384 calls achar and encodes the rest.
func escape(s string) string {
	const hex = "0123456789ABCDEF"
	var b strings.Builder
	for i := range len(s) {
		c := s[i]
		switch {
		case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', '0' <= c && c <= '9',
			strings.IndexByte("-_.~!$'()*+,&=", c) >= 0:
			b.WriteByte(c)
		default:
			b.WriteByte('%')
			b.WriteByte(hex[c>>4])
			b.WriteByte(hex[c&15])
		}
	}
	return b.String()
}
