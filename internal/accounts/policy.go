package accounts

import (
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"postfach/internal/hint"
	"postfach/pop3server"
)

// ParseNetworks understands a list of addresses and networks, separated by commas,
// such as "10.0.0.0/8,2001:db8::1,local": Dovecot's allow_nets. "local" is where
// there is no IP address. An empty list is an error: nobody could log in.
func ParseNetworks(list string) ([]netip.Prefix, error) {
	var networks []netip.Prefix
	for text := range strings.SplitSeq(list, ",") {
		network, err := parseNetwork(strings.TrimSpace(text))
		if err != nil {
			return nil, hint.Add(fmt.Errorf("%.64q is no network: expected networks, such as %s=10.0.0.0/8,2001:db8::1", text, netsField), "separated by commas, without spaces")
		}
		networks = append(networks, network)
	}
	return networks, nil
}

func parseNetwork(text string) (netip.Prefix, error) {
	if text == "local" {
		return netip.Prefix{}, nil
	}
	network, err := netip.ParsePrefix(text)
	if !strings.Contains(text, "/") {
		var a netip.Addr
		if a, err = netip.ParseAddr(text); err == nil && a.Zone() == "" {
			network = netip.PrefixFrom(a, a.BitLen())
		}
	}
	if err == nil && network.Addr().Is4In6() { // peers' addresses are unmapped
		if network.Bits() < 96 {
			return netip.Prefix{}, errors.New("part of a network of two kinds")
		}
		network = netip.PrefixFrom(network.Addr().Unmap(), network.Bits()-96)
	}
	if err == nil && !network.IsValid() {
		err = errors.New("not a network")
	}
	return network.Masked(), err
}

// policies are what holds for an account: its own, its domain's and that of all.
// Each has to be content.
func (d *Directory) policies(e *Entry) []Policy {
	all := []Policy{e.Policy, d.Domains["*"]}
	if i := strings.LastIndexByte(e.User, '@'); i >= 0 {
		all = append(all, d.Domains[e.User[i+1:]])
	}
	return all
}

// refuses says why nobody logs in to an account from there, for the log; empty:
// somebody may.
func (d *Directory) refuses(e *Entry, p *pop3server.Peer) string {
	if e.Closed != "" {
		return "closed by " + e.Closed
	}
	for _, policy := range d.policies(e) {
		switch {
		case policy.NoPOP3:
			return "not by POP3"
		case !policy.allows(p):
			return "not from this network"
		case policy.RequireTLS && (p == nil || p.TLS == nil):
			return "not without TLS"
		case policy.RequireCertificate && !d.owns(e, p):
			return "not without a client certificate"
		}
	}
	return ""
}

// allows reports whether a peer is in one of the networks.
func (policy Policy) allows(p *pop3server.Peer) bool {
	if len(policy.Networks) == 0 {
		return true
	}
	if p == nil {
		return false
	}
	a := p.Address()
	return slices.ContainsFunc(policy.Networks, func(n netip.Prefix) bool {
		return n == netip.Prefix{} && !a.IsValid() || n.Contains(a)
	})
}

// appsOnly reports whether the account's own password lets nobody in.
func (d *Directory) appsOnly(e *Entry) bool {
	return slices.ContainsFunc(d.policies(e), func(p Policy) bool { return p.AppPasswordsOnly })
}
