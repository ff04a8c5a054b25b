package config

import (
	"errors"
	"fmt"
	"net/netip"
	"strings"

	"postfach/internal/hint"
)

// checkProxies looks at the networks from which PROXY headers are believed.
func (c *Config) checkProxies(d *document) error {
	var errs []error
	for i, l := range c.Listeners {
		for j, text := range l.ProxyProtocol {
			path := fmt.Sprintf("listener.%d.proxy_protocol.%d", i, j)
			network, err := parseNetwork(text)
			switch {
			case err != nil:
				errs = append(errs, hint.Add(d.wrong(path, "expected a network or an address"), `"10.0.0.0/8", "2001:db8::/32", or "192.0.2.1" for one machine`))
			case network.Bits() == 0:
				errs = append(errs, hint.Add(d.wrong(path, "everybody would be believed"), "name the proxies: whoever is believed can claim to be any address"))
			}
		}
	}
	return hint.Join(errs...)
}

// Proxies are the networks of ProxyProtocol.
func (l Listener) Proxies() []netip.Prefix {
	var networks []netip.Prefix
	for _, text := range l.ProxyProtocol {
		if network, err := parseNetwork(text); err == nil { // checkProxies has seen it
			networks = append(networks, network)
		}
	}
	return networks
}

// parseNetwork understands a network or an address. Bits behind the mask do not
// matter. A zone is refused: it is a name of this machine's for a wire, and addresses
// are compared without it.
func parseNetwork(text string) (netip.Prefix, error) {
	if strings.Contains(text, "/") {
		network, err := netip.ParsePrefix(text)
		if err == nil && network.Addr().Is4In6() {
			// Clients' addresses are compared as IPv4.
			network, err = network.Addr().Unmap().Prefix(network.Bits() - 96)
		}
		return network.Masked(), err
	}
	address, err := netip.ParseAddr(text)
	if err == nil && address.Zone() != "" {
		err = errors.New("an address with a zone")
	}
	if err != nil {
		return netip.Prefix{}, err
	}
	address = address.Unmap()
	return netip.PrefixFrom(address, address.BitLen()), nil
}
