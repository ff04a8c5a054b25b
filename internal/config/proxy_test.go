package config

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"postfach/internal/hint"
)

func TestProxiesAreNetworks(t *testing.T) {
	c, err := Parse("f", []byte(`
[[listener]]
address = ":110"
proxy_protocol = ["10.1.2.3/8", "192.0.2.1", "2001:db8::1", "::ffff:192.0.2.7", "2001:db8:1::/64", "::ffff:10.1.0.0/112"]
[[listener]]
address = ":995"
`))
	if err != nil {
		t.Fatal(err)
	}
	want := []string{"10.0.0.0/8", "192.0.2.1/32", "2001:db8::1/128", "192.0.2.7/32", "2001:db8:1::/64", "10.1.0.0/16"}
	var got []string
	for _, network := range c.Listeners[0].Proxies() {
		got = append(got, network.String())
	}
	if !slices.Equal(got, want) || c.Listeners[1].Proxies() != nil {
		t.Errorf("%q and %v", got, c.Listeners[1].Proxies())
	}
}

func TestProxiesAndFoldersAreChecked(t *testing.T) {
	for text, want := range map[string]string{
		"[[listener]]\naddress = \":110\"\nproxy_protocol = [\"10.0.0.0/8\", \"proxy\"]": "f:3: listener.proxy_protocol: expected a network or an address",
		"[[listener]]\naddress = \":110\"\nproxy_protocol = [\"fe80::1%eth0\"]":          "f:3: listener.proxy_protocol: expected a network or an address",
		"[[domain]]\nname = \"*\"\nnetworks = [\"fe80::1%eth0\"]":                        "f:3: domain.networks: expected a network",
		"[[domain]]\nname = \"*\"\nnetworks = [\"::ffff:10.0.0.0/90\"]":                  "f:3: domain.networks: expected a network",
		"[[listener]]\naddress = \":110\"\nproxy_protocol = [\"10.0.0.0/33\"]":           "f:3: listener.proxy_protocol: expected a network or an address",
		"[[listener]]\naddress = \":110\"\nproxy_protocol = [\"0.0.0.0/0\"]":             "f:3: listener.proxy_protocol: everybody would be believed",
		"[[listener]]\naddress = \":110\"\nproxy_protocol = [\"::/0\"]":                  "f:3: listener.proxy_protocol: everybody would be believed",
		"[[listener]]\naddress = \":110\"\nproxy_protocol = [\"::ffff:10.0.0.0/90\"]":    "f:3: listener.proxy_protocol: expected a network or an address",
		"[[listener]]\naddress = \":110\"\nproxy_protocol = [\"::ffff:10.0.0.0/96\"]":    "f:3: listener.proxy_protocol: everybody would be believed",
		"confine_mail = [\"mail\"]":                 "f:1: confine_mail: expected the path of a folder",
		"confine_mail = [\"/home/{user}\"]":         "f:1: confine_mail: expected the path of a folder",
		"\nconfine_read = [\"/srv\", \"/home/%u\"]": "f:2: confine_read: expected the path of a folder",
		"confine_mail = [\"/\"]":                    "f:1: confine_mail: that is everything",
		"confine_mail = [\"/x/..\"]":                "f:1: confine_mail: that is everything",
	} {
		if _, err := Parse("f", []byte(text)); err == nil || !strings.HasPrefix(err.Error(), want) || hint.Of(err) == "" {
			t.Errorf("%s\ngives %v, hint %q, want %s", text, err, hint.Of(err), want)
		}
	}
	c, err := Parse("f", []byte("confine = false\nconfine_mail = [\"/home\"]\n"))
	if err != nil || !strings.Contains(fmt.Sprint(c.Warnings), "mean nothing") {
		t.Errorf("%v, %v", c, err)
	}
}
