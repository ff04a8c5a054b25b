package remotes

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"go.uber.org/goleak"

	"postfach/internal/hint"
	"postfach/internal/peer"
	"postfach/pop3"
	"postfach/pop3client"
	"postfach/sasl"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestWhatPeopleType(t *testing.T) {
	for typed, want := range map[string]string{
		"pop3s://ada@host:5":          "pop3s://ada@host:5",
		"pop3://ada;AUTH=+APOP@host":  "pop://ada;AUTH=+APOP@host",
		"pop3s://host":                "pop3s://host",
		"ada@mail.example.org":        "pop3s://ada@mail.example.org",
		" ada@mail.example.org ":      "pop3s://ada@mail.example.org",
		"ada@example.org@pop.example": "pop3s://ada%40example.org@pop.example",
		"50% off@host":                "pop3s://50%25%20off@host",
		"host":                        "pop3s://host",
		"host:995":                    "pop3s://host:995",
		"host:110":                    "pop://host:110",
		"ada@host:110":                "pop://ada@host:110",
		"host:1995":                   "pop3s://host:1995",
		"localhost":                   "pop3s://localhost",
		"localhost:1110":              "pop://localhost:1110",
		"127.0.0.1:1110":              "pop://127.0.0.1:1110",
		"LOCALHOST:995":               "pop3s://LOCALHOST:995",
		"::1":                         "pop3s://[::1]",
		"[::1]":                       "pop3s://[::1]",
		"[::1]:1110":                  "pop://[::1]:1110",
		"[2001:db8::1]:1110":          "pop3s://[2001:db8::1]:1110",
	} {
		a, err := Parse(typed)
		if err != nil || a.URL.String() != want || a.Name != "" {
			t.Errorf("%q: %+v, %v; want %s", typed, a, err, want)
		}
	}
}

func TestWhatIsNoAccountHasAHint(t *testing.T) {
	for _, typed := range []string{
		"", " ", "@host", "ada@", "host:", "host:x", "host:0", "host:65536", "a b", "host/x", "a:b:c", "ada@ho\x00st", "imaps://ada@host",
		"pop3s://ada:hunter2@host", "ada:hunter2@host", "pop3s://ada:hunter2@host/x", "imaps://ada:hunter2@host",
	} {
		a, err := Parse(typed)
		if err == nil || hint.Of(err) == "" {
			t.Errorf("%q: %+v, %v", typed, a, err)
			continue
		}
		if strings.Contains(err.Error()+hint.Of(err), "hunter2") {
			t.Errorf("%q: the password is in the error: %v", typed, err)
		}
	}
}

// There is no "if possible": what was asked for happens or is an error.
func TestOptionsSayHowAConnectionIsProtected(t *testing.T) {
	const implicit, stls, clear = pop3client.ImplicitTLS, pop3client.RequireSTLS, pop3client.Cleartext
	for _, c := range []struct {
		url                 string
		stls, allow         bool
		cert                bool
		want                pop3client.Security
		credentialsAnywhere bool
	}{
		{url: "pop3s://u@host", want: implicit},
		{url: "pop3s://u@localhost", want: implicit},
		{url: "pop3s://u@host", allow: true, want: implicit},
		{url: "pop3s://u@host", stls: true, want: implicit},
		{url: "pop3://u@host", want: stls},
		{url: "pop3://u@host", stls: true, want: stls},
		{url: "pop3://u@host", allow: true, want: clear, credentialsAnywhere: true},
		{url: "pop3://u@host", stls: true, allow: true, want: stls, credentialsAnywhere: true},
		{url: "pop3://u@localhost", want: clear},
		{url: "pop3://u@LocalHost:5", want: clear},
		{url: "pop3://u@127.8.8.8", want: clear},
		{url: "pop3://u@[::1]", want: clear},
		{url: "pop3://u@localhost", stls: true, want: stls},
		{url: "pop3://u@localhost.example.org", want: stls},
		{url: "pop3://u@10.0.0.1", want: stls},
		{url: "pop3://u@localhost", cert: true, want: stls},
	} {
		u, err := pop3.ParseURL(c.url)
		if err != nil {
			t.Fatal(err)
		}
		a := Account{URL: u, STLS: c.stls, AllowCleartext: c.allow}
		if c.cert {
			a.ClientCert = pair(t)
		}
		o, err := a.Options()
		if err != nil || o.Security != c.want || o.AllowCleartext != c.credentialsAnywhere || o.TLS == nil || o.TLS.InsecureSkipVerify {
			t.Errorf("%+v: %+v, %v", c, o, err)
		}
	}
}

func TestCAFileMustHaveCertificates(t *testing.T) {
	u := &pop3.URL{TLS: true, User: "u", Host: "h"}
	for _, file := range []string{filepath.Join(t.TempDir(), "none"), "remotes.go"} {
		if o, err := (&Account{URL: u, CAFile: file}).Options(); err == nil || !strings.Contains(err.Error(), file) {
			t.Errorf("%s: %+v, %v", file, o, err)
		}
	}
}

// pair writes a client certificate and its key into one file.
func pair(t *testing.T) string {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1)}
	cert, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	private, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	name := filepath.Join(t.TempDir(), "pair.pem")
	octets := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: cert})
	octets = append(octets, pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: private})...)
	if err := os.WriteFile(name, octets, 0o600); err != nil {
		t.Fatal(err)
	}
	return name
}

// P3-EXT-04: the certificate is part of the account's options, and what is wrong
// with its file has a place and a hint.
func TestClientCertificate(t *testing.T) {
	u := &pop3.URL{TLS: true, User: "u", Host: "h"}
	for name, a := range map[string]Account{
		"one file": {ClientCert: pair(t)},
		"none":     {},
		"missing":  {ClientCert: filepath.Join(t.TempDir(), "none"), ClientCertAt: "f:3: accounts.a.client_cert"},
		"no key":   {ClientCert: pair(t), ClientKey: "remotes.go"},
		"other":    {ClientCert: pair(t), ClientKey: pair(t)},
	} {
		a.URL = u
		o, err := a.Options()
		bad := name == "missing" || name == "no key" || name == "other"
		if (err != nil) != bad || bad && (hint.Of(err) == "" || !strings.HasPrefix(err.Error(), a.ClientCertAt)) {
			t.Errorf("%s: %v, hint %q", name, err, hint.Of(err))
		}
		if want := map[string]int{"one file": 1}[name]; err == nil && len(o.TLS.Certificates) != want {
			t.Errorf("%s: %d certificates", name, len(o.TLS.Certificates))
		}
	}
}

// A token's command is run like a password's.
func TestTokenCommand(t *testing.T) {
	u := &pop3.URL{TLS: true, User: "u", Host: "h"}
	a := Account{URL: u, TokenCommand: "echo tok; echo more"}
	if got, err := a.Password(t.Context()); got != "tok" || err != nil || a.Auth() != "+TOKEN" || a.NeedsNoSecret() || !a.HasCommand() {
		t.Errorf("%q, %v, %s", got, err, a.Auth())
	}
	a = Account{URL: u, TokenCommand: "true"}
	if _, err := a.Password(t.Context()); err == nil || !strings.Contains(err.Error(), "token") || hint.Of(err) == "" {
		t.Error(err)
	}
}

// A token is no password, and what takes passwords does not get it (P3-OAUTH-01).
func TestTokenIsForNothingElse(t *testing.T) {
	for auth, want := range map[string]string{
		"": "+TOKEN", "*": "+TOKEN", "+TOKEN": "+TOKEN", "OAUTHBEARER": "OAUTHBEARER", "XOAUTH2": "XOAUTH2",
		"PLAIN": "", "LOGIN": "", "+APOP": "", "SCRAM-SHA-256": "", "EXTERNAL": "",
	} {
		a := Account{URL: &pop3.URL{TLS: true, User: "u", Host: "h", Auth: auth}, TokenCommand: "echo tok"}
		if _, err := a.Options(); (err == nil) != (want != "") || err != nil && !strings.Contains(hint.Of(err), "OAUTHBEARER") || err == nil && a.Auth() != want {
			t.Errorf("%s: %v, %s", auth, err, a.Auth())
		}
	}
}

// A pin and a client certificate are for TLS, whoever says so: file or flags.
func TestCleartextGoesWithNoCertificate(t *testing.T) {
	pin := strings.Repeat("ab", 32)
	for what, c := range map[string]struct {
		Account
		fine bool
	}{
		"pin":         {Account{URL: &pop3.URL{User: "u", Host: "h"}, Pin: pin, AllowCleartext: true}, false},
		"certificate": {Account{URL: &pop3.URL{User: "u", Host: "h"}, ClientCert: pair(t), AllowCleartext: true}, false},
		"TLS":         {Account{URL: &pop3.URL{TLS: true, User: "u", Host: "h"}, Pin: pin, AllowCleartext: true}, true},
		"STLS":        {Account{URL: &pop3.URL{User: "u", Host: "h"}, Pin: pin, STLS: true, AllowCleartext: true}, true},
	} {
		if _, err := c.Options(); (err == nil) != c.fine || err != nil && hint.Of(err) == "" {
			t.Errorf("%s: %v", what, err)
		}
	}
}

// A pin trusts one certificate, whatever its names and dates, and no other, also where
// a chain would do.
func TestPinTrustsOneCertificate(t *testing.T) {
	shown, other := peer.NewCertificate(t), peer.NewCertificate(t)
	l, err := tls.Listen("tcp", "127.0.0.1:0", shown.Server)
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	for _, c := range []struct {
		what string
		pin  Pin
		name string
		want error
	}{
		{"its pin", PinOf(shown.Server.Certificates[0].Leaf), "another.name.example", nil},
		{"another's", PinOf(other.Server.Certificates[0].Leaf), "localhost", &PinError{}},
	} {
		near, err := net.Dial("tcp", l.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		far, err := l.Accept()
		if err != nil {
			t.Fatal(err)
		}
		done := make(chan error, 1)
		go func() { done <- far.(*tls.Conn).Handshake() }()
		conf := shown.Client.Clone()
		conf.ServerName = c.name
		c.pin.Apply(conf)
		err = tls.Client(near, conf).Handshake()
		wrong, ok := errors.AsType[*PinError](err)
		if (err == nil) != (c.want == nil) || err != nil && (!ok || !slices.Equal(wrong.Got, PinOf(shown.Server.Certificates[0].Leaf)) || !slices.Equal(wrong.Want, c.pin)) {
			t.Errorf("%s: %v", c.what, err)
		}
		near.Close()
		<-done
		far.Close()
	}
	conf := &tls.Config{}
	if Pin(nil).Apply(conf); conf.InsecureSkipVerify || conf.VerifyConnection != nil {
		t.Error("no pin changes what is trusted")
	}
}

// What a login came to has a hint.
func TestLoginHints(t *testing.T) {
	for err, want := range map[error]string{
		&sasl.TokenError{Status: "invalid_token"}: "get a new one",
		pop3client.ErrMechanism:                   "SCRAM-SHA-256",
		pop3client.ErrUnproved:                    "nothing was fetched",
		sasl.ErrProof:                             "nothing was fetched",
		pop3client.ErrNoToken:                     "password",
		pop3client.ErrNoExternal:                  "client certificate",
		pop3client.ErrNoBinding:                   "TLS",

		&pop3.Error{Text: "TLS required, use STLS"}: "leave --allow-cleartext out",
		&pop3.Error{Text: "no"}:                     "check user name and password",
	} {
		if got := hint.Of(LoginHint(fmt.Errorf("login: %w", err))); !strings.Contains(got, want) {
			t.Errorf("%v: %q", err, got)
		}
	}
}

func TestPasswordIsTheFirstLine(t *testing.T) {
	a := Account{PasswordCommand: "printf 'se cret\\r\\nmore\\n'; head -c 200000 /dev/zero"}
	if got, err := a.Password(t.Context()); got != "se cret" || err != nil {
		t.Errorf("%q, %v", got, err)
	}
	if _, err := new(Account).Password(t.Context()); !errors.Is(err, ErrNoCommand) {
		t.Error(err)
	}
	for command, want := range map[string]string{
		"printf 'a\\nno such \\033[31mkey\\n' >&2; exit 3": "exit status 3: no such \uFFFD[31mkey",
		"true":                         "printed no password",
		"echo; echo hunter2":           "printed no password",
		"cat; echo hunter2 >&2; false": "exit status 1", // standard input is empty
	} {
		a := Account{PasswordCommand: command}
		if got, err := a.Password(t.Context()); err == nil || got != "" || !strings.Contains(err.Error(), want) || hint.Of(err) == "" {
			t.Errorf("%s: %q, %v", command, got, err)
		}
	}
}

func TestPasswordCommandEndsWithItsContext(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	a := Account{PasswordCommand: "sleep 60"}
	if _, err := a.Password(ctx); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
}

// Programs that know passwords start an agent, which stays.
func TestPasswordOfACommandThatLeavesAProgramBehind(t *testing.T) {
	a := Account{PasswordCommand: "sleep 3 & echo secret"}
	if password, err := a.Password(t.Context()); password != "secret" || err != nil {
		t.Errorf("%q, %v", password, err)
	}
}

// A server that does not take the client's certificate ends TLS, and that is not a
// matter of ports.
func TestRefusedClientCertificateHasAHint(t *testing.T) {
	server, err := ClientCertificate(pair(t), "")
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		client bool
		want   string
	}{{true, "may be revoked"}, {false, "wants a client certificate"}} {
		here, there := net.Pipe()
		defer here.Close()
		go func() {
			conf := &tls.Config{Certificates: []tls.Certificate{server}, ClientAuth: tls.RequireAnyClientCert}
			conf.VerifyPeerCertificate = func([][]byte, [][]*x509.Certificate) error { return errors.New("revoked") }
			tls.Server(there, conf).Handshake()
			there.Close()
		}()
		conf := &tls.Config{InsecureSkipVerify: true}
		if c.client {
			conf.Certificates = []tls.Certificate{server}
		}
		client := tls.Client(here, conf)
		_, err := client.Read(make([]byte, 1))
		u := &pop3.URL{TLS: true, Host: "h"}
		if got := hint.Of(ConnectHint(fmt.Errorf("h:995: %w", err), u)); err == nil || !strings.Contains(got, c.want) {
			t.Errorf("%v: %q", err, got)
		}
	}
}
