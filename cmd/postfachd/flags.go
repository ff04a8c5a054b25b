package main

import (
	"fmt"

	"github.com/alecthomas/kong"

	"postfach/internal/config"
	"postfach/internal/hint"
)

// flags is the command line. What it says goes before the configuration.
type flags struct {
	Config      string  `help:"Configuration, in TOML. Without it, defaults hold, and the first start makes an account; with it, postfach user add does." placeholder:"FILE" type:"path"`
	Data        string  `help:"Data folder (default: $$XDG_STATE_HOME/postfach, ~/.local/state/postfach; /var/lib/postfach for root)." placeholder:"DIR"`
	Pop3        *string `name:"pop3" help:"Listen here and on no other address without implicit TLS; TLS by STLS (default: 127.0.0.1:1110). Port 0: a free one. Empty: do not." placeholder:"ADDR"`
	Pop3s       *string `name:"pop3s" help:"Listen here and on no other address with implicit TLS (default: 127.0.0.1:1995). Empty: do not." placeholder:"ADDR"`
	ProtocolLog string  `help:"Append what crosses the wire, secrets replaced, to this file." placeholder:"FILE" type:"path"`
	Check       bool    `help:"Read configuration, accounts and certificates, say what is wrong with them, and end. Listens on nothing and changes nothing."`

	Version kong.VersionFlag `help:"Say which version this is, and end."`
}

// addresses looks at what the command line says of them. Empty is none.
func (f *flags) addresses() error {
	for _, l := range []struct {
		flag    string
		address *string
	}{{"--pop3", f.Pop3}, {"--pop3s", f.Pop3s}} {
		if l.address == nil || *l.address == "" {
			continue
		}
		if err := config.CheckAddress(*l.address); err != nil {
			return fmt.Errorf("%s %w", l.flag, err)
		}
	}
	return nil
}

// configuration is the file and, over it, the command line.
func (f *flags) configuration() (*config.Config, error) {
	cfg := config.Default()
	if f.Config != "" {
		var err error
		if cfg, err = config.Load(f.Config); err != nil {
			return nil, err
		}
	}
	if f.Data != "" {
		cfg.Data = kong.ExpandPath(f.Data) // not type:"path", which takes "" for the current folder
	}
	if f.Pop3 != nil {
		cfg.Listen(false, *f.Pop3)
	}
	if f.Pop3s != nil {
		cfg.Listen(true, *f.Pop3s)
	}
	if len(cfg.Listeners) == 0 {
		return nil, hint.Add(fmt.Errorf("there is nothing to listen on"), "give --pop3 or --pop3s an address")
	}
	return cfg, nil
}
