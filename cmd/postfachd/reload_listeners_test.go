package main

import (
	"testing"

	"postfach/internal/config"
)

// Several listeners may have port 0. A reload leaves each what was said of it.
func TestReloadKeepsListenersApart(t *testing.T) {
	cfg := config.Default()
	cfg.Listeners = []config.Listener{
		{Address: "127.0.0.1:0", TLS: config.STLS},
		{Address: "127.0.0.1:0", TLS: config.STLS, AllowCleartext: true},
	}
	d := &daemon{log: quiet()}
	for _, l := range cfg.Listeners {
		d.sockets = append(d.sockets, &socket{spec: l})
	}
	d.keepListeners(cfg)
	for i, s := range d.sockets {
		if s.spec.AllowCleartext != cfg.Listeners[i].AllowCleartext {
			t.Errorf("listener %d has allow_cleartext %t", i, s.spec.AllowCleartext)
		}
	}
}
