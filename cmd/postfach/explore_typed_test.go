package main

import (
	"errors"
	"strings"
	"testing"

	"postfach/internal/explore"
	"postfach/pop3"
	"postfach/pop3test"
)

// Who chooses STLS never gets a connection in clear, to this machine neither.
func TestTypedSTLSIsRequiredOnThisMachine(t *testing.T) {
	srv := pop3test.NewServer(t)
	_, port, _ := strings.Cut(srv.Addr, ":")
	for _, cmd := range []exploreCmd{{}, {AllowCleartext: true}} {
		cmd.Config = exploreFile(t, exploreAccounts)
		p, err := cmd.picker(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		a, err := p.ParseSTLS("pop3://me@localhost:" + port)
		if err != nil {
			t.Fatal(err)
		}
		c, err := a.Dial(t.Context(), func(pop3.TraceEvent) {})
		if c != nil {
			c.Close()
		}
		if _, ok := errors.AsType[*explore.UntrustedError](err); !ok {
			t.Errorf("%+v: %v, want a doubt about the certificate", cmd, err)
		}
	}
}
