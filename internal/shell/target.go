package shell

import (
	"errors"
	"net"
	"net/netip"
	"strconv"
	"strings"
	"unicode"

	"postfach/internal/hint"
	"postfach/pop3"
)

// A Security says how a connection begins.
type Security uint8

const (
	// TLS from the first octet.
	TLS Security = iota
	// STLS is said by the shell, and must succeed.
	STLS
	// Cleartext: whoever types may say STLS.
	Cleartext
)

// A Target is a server.
type Target struct {
	Host     string
	Port     int
	User     string // empty: not named
	Security Security
}

// Addr returns host:port.
func (t Target) Addr() string { return net.JoinHostPort(t.Host, strconv.Itoa(t.Port)) }

// ParseTarget reads what a person writes, by the rule of package remotes: pop3s:// is
// TLS and pop3:// is STLS, to this machine in clear. Without a scheme port 110 is
// pop3://, as is any port of this machine but 995, and all else is pop3s://. forced, if
// not nil, decides instead, and about the port where none is named.
func ParseTarget(s string, forced *Security) (Target, error) {
	var t Target
	var err error
	if strings.Contains(s, "://") {
		t, err = parseURL(s)
	} else {
		t, err = parseHost(s)
	}
	if err != nil {
		return t, hint.Add(err, "for example pop.example.org, pop.example.org:110 or pop3s://me@pop.example.org")
	}
	if forced != nil {
		t.Security = *forced
	}
	if t.Port == 0 {
		t.Port = pop3.Port
		if t.Security == TLS {
			t.Port = pop3.PortTLS
		}
	}
	return t, nil
}

func parseURL(s string) (Target, error) {
	u, err := pop3.ParseURL(s)
	if err != nil {
		return Target{}, err
	}
	t := Target{Host: u.Host, Port: u.Port, User: u.User}
	if !u.TLS {
		t.Security = withoutTLS(u.Host)
	}
	return t, nil
}

// withoutTLS is how a connection to a host begins that is in clear at first.
func withoutTLS(host string) Security {
	if loopback(host) {
		return Cleartext
	}
	return STLS
}

func parseHost(s string) (Target, error) {
	if strings.Contains(s, "@") { // which may stand behind a password: it is not repeated
		return Target{}, errors.New("a user name goes with pop3s:// or --user, and a password nowhere here")
	}
	host, port, err := net.SplitHostPort(s)
	if err != nil {
		host, port = s, ""
		if inner, ok := strings.CutPrefix(s, "["); ok && strings.HasSuffix(inner, "]") {
			host = strings.TrimSuffix(inner, "]")
		}
	}
	strange := strings.ContainsFunc(s, func(r rune) bool { return r == '/' || r == ' ' || !unicode.IsPrint(r) })
	if strange || host == "" || err == nil && port == "" || strings.ContainsAny(host, ":[]") && !isAddress(host) {
		return Target{}, errors.New(strconv.Quote(s) + " is no host")
	}
	t := Target{Host: host}
	if port == "" {
		return t, nil
	}
	n, err := strconv.ParseUint(port, 10, 16)
	if err != nil || n == 0 {
		return Target{}, errors.New(strconv.Quote(port) + " is no port")
	}
	t.Port = int(n)
	if t.Port == pop3.Port || t.Port != pop3.PortTLS && loopback(host) {
		t.Security = withoutTLS(host)
	}
	return t, nil
}

// isAddress says that host is an address; one of IPv6 may have a zone.
func isAddress(host string) bool {
	_, err := netip.ParseAddr(host)
	return err == nil
}

func loopback(host string) bool {
	ip := net.ParseIP(host)
	return strings.EqualFold(host, "localhost") || ip != nil && ip.IsLoopback()
}
