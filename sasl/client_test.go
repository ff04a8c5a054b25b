package sasl_test

import (
	"errors"
	"strings"
	"testing"

	"postfach/sasl"
)

// A server that can bind refuses the flag y. So it is for a server that has said what
// it has, and -PLUS is not among it (P3-SCRAM-11, P3-SCRAM-12).
func TestFlagOfSCRAM(t *testing.T) {
	binding := []sasl.ChannelBinding{{Type: sasl.TLSExporter, Data: []byte("x")}}
	for _, c := range []struct {
		name string
		sasl.Params
		want string
	}{
		{sasl.ScramSHA256, sasl.Params{Bindings: binding}, "n,,"},
		{sasl.ScramSHA256, sasl.Params{Announced: []string{"PLAIN", "SCRAM-SHA-256"}}, "n,,"},
		{sasl.ScramSHA256, sasl.Params{Bindings: binding, Announced: []string{"SCRAM-SHA-256"}}, "y,,"},
		{sasl.ScramSHA256, sasl.Params{Bindings: binding, Announced: []string{"scram-sha-256-plus"}}, "n,,"},
		{sasl.ScramSHA1, sasl.Params{Bindings: binding, Announced: []string{"SCRAM-SHA-256-PLUS"}}, "y,,"},
		{sasl.ScramSHA256Plus, sasl.Params{Bindings: binding}, "p=tls-exporter,,"},
	} {
		c.User, c.Secret = "u", "p"
		m, err := sasl.NewClient(c.name, c.Params)
		if err != nil {
			t.Fatal(err)
		}
		name, initial, err := m.Start()
		if err != nil || name != c.name || !strings.HasPrefix(string(initial), c.want) {
			t.Errorf("%s, %+v: %s %q, %v", c.name, c.Params, name, initial, err)
		}
	}
	if _, err := sasl.NewClient(sasl.ScramSHA1Plus, sasl.Params{User: "u", Secret: "p"}); !errors.Is(err, sasl.ErrNoBinding) {
		t.Error(err)
	}
	if _, err := sasl.NewClient("X-FOO", sasl.Params{}); !errors.Is(err, sasl.ErrMechanism) {
		t.Error(err)
	}
}

// A server may repeat the token where it says why it refuses it, also where the text
// is cut, and between what is left out of it (P3-OAUTH-10).
func TestRefusalHasNoToken(t *testing.T) {
	const token = "secret.token.0123456789"
	for _, text := range []string{
		"no " + token, strings.Repeat("x", 1024-10) + token, token[:10] + "\\u0000" + token[10:], strings.Repeat("\\u0007", 1020) + token,
	} {
		for _, m := range []sasl.Client{
			sasl.NewOAuthBearerClient(sasl.Bearer{User: "u", Token: token}), sasl.NewXOAuth2Client("u", token),
		} {
			if _, _, err := m.Start(); err != nil {
				t.Fatal(err)
			}
			if _, err := m.Next([]byte(`{"status":"` + text + `","scope":"` + text + `","openid-configuration":"` + text + `"}`)); err != nil {
				t.Fatal(err)
			}
			why := m.(sasl.Refusable).Refusal()
			if all := why.Error() + why.Scope + why.Configuration; strings.Contains(all, "secret") {
				t.Errorf("%q: %q", text, all)
			}
		}
	}
}
