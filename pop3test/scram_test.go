package pop3test_test

import (
	"context"
	"crypto/tls"
	"errors"
	"testing"

	"github.com/xdg-go/scram"

	"postfach/pop3"
	"postfach/pop3client"
	"postfach/pop3test"
	"postfach/sasl"
)

// rightMechanisms has all mechanisms, of which none that is used here is wrong:
// what each fault breaks is elsewhere.
func rightMechanisms(t *testing.T) *pop3test.Server {
	t.Helper()
	srv := pop3test.NewServer(t)
	srv.Use(pop3test.Mechanisms())
	return srv
}

func dialTo(t *testing.T, srv *pop3test.Server, security pop3client.Security) *pop3client.Client {
	t.Helper()
	addr := srv.Addr
	if security == pop3client.ImplicitTLS {
		addr = srv.AddrTLS
	}
	c, err := pop3client.Dial(t.Context(), addr, &pop3client.Options{Security: security, TLS: srv.ClientTLS()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	if _, err := c.Capa(t.Context()); err != nil {
		t.Fatal(err)
	}
	return c
}

// P3-SCRAM-01: our client chooses SCRAM-SHA-256, and both ends prove that they
// know the password.
func TestSCRAMLetsOurClientIn(t *testing.T) {
	t.Parallel()
	for _, security := range []pop3client.Security{pop3client.Cleartext, pop3client.RequireSTLS, pop3client.ImplicitTLS} {
		srv := rightMechanisms(t)
		c := dialTo(t, srv, security)
		if err := c.Login(t.Context(), pop3test.User, pop3test.Password); err != nil {
			t.Fatalf("%v: %v", security, err)
		}
		if _, err := c.Stat(t.Context()); err != nil {
			t.Errorf("%v: %v", security, err)
		}
		wantSaid(t, srv, "AUTH SCRAM-SHA-256")
		c = dialTo(t, srv, security)
		var refused *pop3.Error
		if err := c.Login(t.Context(), pop3test.User, "wrong"); !errors.As(err, &refused) || refused.Code != pop3.CodeAuth {
			t.Errorf("%v: a wrong password: %v", security, err)
		}
	}
}

// A scramClient is SCRAM's client as somebody else wrote it.
type scramClient struct {
	name string
	conv *scram.ClientConversation
}

func (c scramClient) Start() (mech string, ir []byte, err error) {
	first, err := c.conv.Step("")
	return c.name, []byte(first), err
}

func (c scramClient) Next(challenge []byte) ([]byte, error) {
	response, err := c.conv.Step(string(challenge))
	return []byte(response), err
}

// P3-SCRAM-02, P3-SCRAM-13 to P3-SCRAM-15.
func TestSCRAMLetsAnotherClientIn(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name string
		hash scram.HashGeneratorFcn
		bind func(*tls.ConnectionState) (scram.ChannelBinding, error)
	}{
		{"SCRAM-SHA-1", scram.SHA1, nil},
		{"SCRAM-SHA-256", scram.SHA256, nil},
		{"SCRAM-SHA-256-PLUS", scram.SHA256, scram.NewTLSExporterBinding},
		{"SCRAM-SHA-256-PLUS", scram.SHA256, scram.NewTLSServerEndpointBinding},
		{"SCRAM-SHA-1-PLUS", scram.SHA1, scram.NewTLSExporterBinding},
	} {
		c := dialTo(t, rightMechanisms(t), pop3client.ImplicitTLS)
		other, err := test.hash.NewClient(pop3test.User, pop3test.Password, "")
		if err != nil {
			t.Fatal(err)
		}
		conv := other.NewConversation()
		if test.bind != nil {
			state, _ := c.TLS()
			binding, err := test.bind(&state)
			if err != nil {
				t.Fatal(err)
			}
			conv = other.NewConversationWithChannelBinding(binding)
		}
		if err := c.Auth(t.Context(), scramClient{test.name, conv}); err != nil || !conv.Valid() {
			t.Errorf("%s: %v, server proved: %v", test.name, err, conv.Valid())
		}
	}
}

// P3-PLAIN-03: what is not played by hand is left to the real server.
func TestPlainBesideMechanisms(t *testing.T) {
	t.Parallel()
	c := dialTo(t, rightMechanisms(t), pop3client.ImplicitTLS)
	if err := c.Auth(context.Background(), sasl.NewPlainClient("", pop3test.User, pop3test.Password)); err != nil {
		t.Error(err)
	}
}

// wantSaid wants a line of a client that begins like this.
func wantSaid(t *testing.T, srv *pop3test.Server, line string) {
	t.Helper()
	for _, rec := range srv.Recordings() {
		for _, e := range rec.Events {
			if len(e.Octets) >= len(line) && e.Octets[:len(line)] == line {
				return
			}
		}
	}
	t.Errorf("no client said %s", line)
}
