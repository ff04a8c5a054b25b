package config

import (
	"fmt"
	"net"
	"net/netip"
	"slices"
	"strconv"
	"strings"

	"postfach/internal/hint"
)

func (c *Config) checkListeners(d *document) error {
	var errs []error
	if len(c.Listeners) == 0 {
		errs = append(errs, hint.Add(d.wrong("listener", "expected at least one"), `[[listener]] with address = "127.0.0.1:1110"`))
	}
	first := map[string]bool{}
	for i, l := range c.Listeners {
		path := fmt.Sprintf("listener.%d", i)
		host, err := splitAddress(l.Address)
		switch {
		case err != nil:
			errs = append(errs, hint.Add(d.wrong(path+".address", "expected host:port"), `"127.0.0.1:1110", "[::1]:1110", or ":110" for all addresses`))
		case first[l.Address] && !strings.HasSuffix(l.Address, ":0"):
			errs = append(errs, hint.Add(d.wrong(path+".address", "%s is listened on already", l.Address), "remove one of the two listeners"))
		case !slices.Contains([]TLSMode{STLS, Implicit, NoTLS}, l.TLS):
			errs = append(errs, hint.Add(d.wrong(path+".tls", `expected "stls", "implicit" or "none"`), `"implicit" is for port 995, "stls" for port 110`))
		case l.AllowCleartext && l.TLS == Implicit:
			errs = append(errs, hint.Add(d.wrong(path+".allow_cleartext", `nothing is in clear with tls = "implicit"`), "remove the key"))
		case l.AllowCleartext && !loopback(host):
			c.warn(d, path+".allow_cleartext", "passwords may cross the network unprotected")
		case l.TLS == NoTLS && !l.AllowCleartext && !loopback(host):
			c.warn(d, path+".tls", "nobody but this machine can log in here: there is no TLS, and no allow_cleartext")
		}
		c.warnOfPort(d, path, l)
		first[l.Address] = true
	}
	return hint.Join(errs...)
}

// warnOfPort says when a standard port has the other one's TLS: clients and server wait
// for each other there.
func (c *Config) warnOfPort(d *document, path string, l Listener) {
	_, port, _ := net.SplitHostPort(l.Address)
	switch {
	case port == "995" && l.TLS != Implicit:
		c.warn(d, path+".tls", `clients begin with TLS on port 995, and the server does not: is tls = "implicit" missing?`)
	case port == "110" && l.TLS == Implicit:
		c.warn(d, path+".tls", `clients begin without TLS on port 110, and the server does not: tls = "implicit" is for port 995`)
	}
}

// CheckAddress says whether an address can be listened on.
func CheckAddress(address string) error {
	if _, err := splitAddress(address); err != nil {
		return hint.Add(fmt.Errorf("%q: expected host:port", address), "127.0.0.1:1110, [::1]:1110, :110 for all addresses, port 0 for a free one")
	}
	return nil
}

func splitAddress(address string) (host string, err error) {
	host, port, err := net.SplitHostPort(address)
	if err == nil {
		_, err = strconv.ParseUint(port, 10, 16)
	}
	return host, err
}

func loopback(host string) bool {
	ip, err := netip.ParseAddr(host)
	return host == "localhost" || err == nil && ip.IsLoopback()
}
