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
	if len(c.Listeners) == 0 {
		return hint.Add(d.wrong("listener", "expected at least one"), `[[listener]] with address = "127.0.0.1:1110"`)
	}
	first := map[string]bool{}
	for i, l := range c.Listeners {
		path := fmt.Sprintf("listener.%d", i)
		host, err := splitAddress(l.Address)
		switch {
		case err != nil:
			return hint.Add(d.wrong(path+".address", "expected host:port"), `"127.0.0.1:1110", "[::1]:1110", or ":110" for all addresses`)
		case first[l.Address] && !strings.HasSuffix(l.Address, ":0"):
			return hint.Add(d.wrong(path+".address", "%s is listened on already", l.Address), "remove one of the two listeners")
		case !slices.Contains([]TLSMode{STLS, Implicit, NoTLS}, l.TLS):
			return hint.Add(d.wrong(path+".tls", `expected "stls", "implicit" or "none"`), `"implicit" is for port 995, "stls" for port 110`)
		case l.AllowCleartext && l.TLS == Implicit:
			return hint.Add(d.wrong(path+".allow_cleartext", `nothing is in clear with tls = "implicit"`), "remove the key")
		case l.AllowCleartext && !loopback(host):
			c.warn(d, path+".allow_cleartext", "passwords may cross the network unprotected")
		case l.TLS == NoTLS && !l.AllowCleartext && !loopback(host):
			c.warn(d, path+".tls", "nobody but this machine can log in here: there is no TLS, and no allow_cleartext")
		}
		first[l.Address] = true
	}
	return nil
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
