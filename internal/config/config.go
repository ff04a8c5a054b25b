// Package config reads postfachd's configuration: one file in TOML, in which
// nothing is guessed. An unknown key, a wrong type or a value that makes no
// sense is an error with file and line, what was expected, and a hint.
//
// docs/postfachd.toml is the reference: each key with its default.
package config

import (
	"slices"
	"time"

	"postfach/pop3server"
)

// A Config is what postfachd can be told. Paths are absolute, or as they were
// given on the command line; those that are empty lie in the data folder.
type Config struct {
	File string `toml:"-" path:"file"` // where Load has read it; empty: nowhere

	Data     string `toml:"data" path:"folder"`   // the data folder; empty: the default one
	Accounts string `toml:"accounts" path:"file"` // empty: the data folder's
	Hostname string `toml:"hostname"`             // empty: the machine's name
	// CreateMaildirs makes the Maildir of an account that never had one and has no
	// path of its own, at the first login or delivery.
	CreateMaildirs bool `toml:"create_maildirs"`

	Greeting         string `toml:"greeting"`          // empty: the server's own
	SignOff          string `toml:"sign_off"`          // empty: the server's own
	Language         string `toml:"language"`          // "en" or "de"
	ExpireDays       int    `toml:"expire_days"`       // 0: never
	Last             bool   `toml:"last"`              // the command LAST
	AnnounceHistoric bool   `toml:"announce_historic"` // APOP and LAST in CAPA

	// Mechanisms are the SASL mechanisms that are offered. Empty: those that work
	// for all accounts.
	Mechanisms []string `toml:"mechanisms"`
	// ClientCertificateNames believes the names in client certificates.
	ClientCertificateNames bool `toml:"client_certificate_names"`

	// Confine gives up, once the server listens, all files that it does not need.
	// ConfineMail are the folders with Maildirs elsewhere than in the data folder,
	// for accounts that come later, too; ConfineRead is what helper programs read.
	Confine     bool     `toml:"confine"`
	ConfineMail []string `toml:"confine_mail"`
	ConfineRead []string `toml:"confine_read"`

	ShutdownGrace Duration   `toml:"shutdown_grace"` // how long SIGTERM waits for sessions
	TLS           TLS        `toml:"tls"`
	Limits        Limits     `toml:"limits"`
	Listeners     []Listener `toml:"listener"`
	Sources       []Source   `toml:"source"` // empty: the file Accounts
	Domains       []Domain   `toml:"domain"`
	OIDC          OIDC       `toml:"oidc"`

	// Warnings are about what is allowed, and may still be a mistake.
	Warnings []string `toml:"-"`
}

// Limits are pop3server.Limits.
type Limits struct {
	Login        Duration `toml:"login"`
	Idle         Duration `toml:"idle"`
	Write        Duration `toml:"write"`
	FailureDelay Duration `toml:"failure_delay"`
	FailedLogins int      `toml:"failed_logins"`
	BadCommands  int      `toml:"bad_commands"`
	AddressDelay Duration `toml:"address_delay"`

	Connections           int `toml:"connections"`
	ConnectionsPerAddress int `toml:"connections_per_address"`
	SessionsPerUser       int `toml:"sessions_per_user"`
	StoreCalls            int `toml:"store_calls"`
}

// A Listener is one address.
type Listener struct {
	Address        string  `toml:"address"` // host:port; port 0: any free one
	TLS            TLSMode `toml:"tls"`
	AllowCleartext bool    `toml:"allow_cleartext"`
	// ProxyProtocol are the networks whose connections begin with a PROXY header,
	// which is believed. Connections from elsewhere have none.
	ProxyProtocol []string `toml:"proxy_protocol"`
}

// A TLSMode says when TLS begins on a connection.
type TLSMode string

// The TLS modes. Empty means STLS.
const (
	STLS     TLSMode = "stls"     // when the client asks for it
	Implicit TLSMode = "implicit" // at once
	NoTLS    TLSMode = "none"
)

// A Duration is a text like "90s" or "10m".
type Duration struct{ time.Duration }

// UnmarshalText implements encoding.TextUnmarshaler.
func (d *Duration) UnmarshalText(text []byte) (err error) {
	d.Duration, err = time.ParseDuration(string(text))
	return err
}

// Default returns what holds without a file: everything on loopback.
func Default() *Config {
	return &Config{
		Language: "en",
		Confine:  true,

		CreateMaildirs: true,

		ShutdownGrace: Duration{10 * time.Second},
		OIDC:          OIDC{Claim: "email", Leeway: Duration{30 * time.Second}, Timeout: Duration{5 * time.Second}},
		TLS: TLS{ACME: ACME{
			Directory:      letsEncrypt,
			Challenge:      HTTP01,
			DNSHookTimeout: Duration{2 * time.Minute},
		}},
		Limits: Limits{
			Login:        Duration{60 * time.Second},
			Idle:         Duration{pop3server.MinIdle},
			Write:        Duration{5 * time.Minute},
			FailureDelay: Duration{2 * time.Second},
			FailedLogins: 3,
			BadCommands:  20,
			AddressDelay: Duration{15 * time.Second},

			Connections:           10_000,
			ConnectionsPerAddress: 200,
			SessionsPerUser:       10,
			StoreCalls:            256,
		},
		Listeners: []Listener{
			{Address: "127.0.0.1:1110", TLS: STLS},
			{Address: "127.0.0.1:1995", TLS: Implicit},
		},
	}
}

// Listen puts an address from the command line in the place of the listeners
// of one kind. It has TLS and takes nothing over from them: what was said of
// another address, such as allow_cleartext, was not said of this one. An empty
// address leaves none.
func (c *Config) Listen(implicit bool, address string) {
	c.Listeners = slices.DeleteFunc(c.Listeners, func(l Listener) bool { return (l.TLS == Implicit) == implicit })
	switch {
	case address == "":
	case implicit:
		c.Listeners = append(c.Listeners, Listener{Address: address, TLS: Implicit})
	default:
		c.Listeners = append([]Listener{{Address: address, TLS: STLS}}, c.Listeners...)
	}
}
