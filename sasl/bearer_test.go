package sasl_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"reflect"
	"strings"
	"testing"

	"postfach/sasl"
)

// A clerk notes what check was asked.
type clerk struct {
	got   []sasl.Bearer
	reply error
}

func (c *clerk) check(b sasl.Bearer) error {
	c.got = append(c.got, b)
	return c.reply
}

// P3-OAUTH-02, P3-OAUTH-03, P3-OAUTH-06, P3-OAUTH-07.
func TestOAuthBearerGrammar(t *testing.T) {
	full := sasl.Bearer{User: "user@example.com", Token: "tok123", Host: "pop.example.com", Port: 995}
	long := strings.Repeat("x", 256)
	for _, test := range []struct {
		message string
		want    *sasl.Bearer
	}{
		{"n,a=user@example.com,\x01host=pop.example.com\x01port=995\x01auth=Bearer tok123\x01\x01", &full},
		{"y,a=user@example.com,\x01port=995\x01auth=bEARER  tok123\x01foo=bar\x01host=pop.example.com\x01\x01", &full},
		{"n,,\x01auth=Bearer t.-_~+/=\x01\x01", &sasl.Bearer{Token: "t.-_~+/="}},
		{"n,a=a=2Cb=3Dc,\x01auth=Bearer t\x01\x01", &sasl.Bearer{User: "a,b=c", Token: "t"}},
		{"", nil},
		{"\x01", nil},
		{"n,,", nil},
		{"n,,\x01", nil},
		{"n,,\x01\x01", nil},
		{"n,,\x01auth=Bearer t\x01", nil},
		{"n,,\x01auth=Bearer t", nil},
		{"n,,auth=Bearer t\x01\x01", nil},
		{"n,,\x01auth=Bearer \x01\x01", nil},
		{"n,,\x01auth=Bearer\x01\x01", nil},
		{"n,,\x01auth=Basic t\x01\x01", nil},
		{"n,,\x01auth=t\x01\x01", nil},
		{"n,,\x01auth=Bearer a b\x01\x01", nil},
		{"n,,\x01auth=Bearer t\u00fc\x01\x01", nil},
		{"n,,\x01auth=Bearer t\x00\x01\x01", nil},
		{"n,,\x01auth=Bearer t\x01auth=Bearer u\x01\x01", nil},
		{"n,,\x01auth=Bearer t\x01\x01foo=bar\x01\x01", nil},
		{"n,,\x01auth\x01\x01", nil},
		{"n,,\x01=x\x01auth=Bearer t\x01\x01", nil},
		{"n,,\x01port=0\x01auth=Bearer t\x01\x01", nil},
		{"n,,\x01port=65536\x01auth=Bearer t\x01\x01", nil},
		{"n,,\x01port=+995\x01auth=Bearer t\x01\x01", nil},
		{"n,,\x01port=\x01auth=Bearer t\x01\x01", nil},
		{"n,,\x01host=a b\x01auth=Bearer t\x01\x01", nil},
		{"n,,\x01host=" + long + "\x01auth=Bearer t\x01\x01", nil},
		{"p=tls-exporter,,\x01auth=Bearer t\x01\x01", nil},
		{"n,a=,\x01auth=Bearer t\x01\x01", nil},
		{"n,user,\x01auth=Bearer t\x01\x01", nil},
		{"n,a=a=b,\x01auth=Bearer t\x01\x01", nil},
		{"n,a=a\r\nb,\x01auth=Bearer t\x01\x01", nil},
		{"n,a=a\x00b,\x01auth=Bearer t\x01\x01", nil},
		{"n,a=\xff,\x01auth=Bearer t\x01\x01", nil},
		{"n,a=" + long + ",\x01auth=Bearer t\x01\x01", nil},
		{"n,,\x01auth=Bearer " + strings.Repeat("x", 1<<17) + "\x01\x01", nil},
	} {
		judge(t, sasl.NewOAuthBearerServer, test.message, test.want)
	}
}

// P3-OAUTH-08.
func TestXOAuth2Grammar(t *testing.T) {
	for _, test := range []struct {
		message string
		want    *sasl.Bearer
	}{
		{"user=user@example.com\x01auth=Bearer tok123\x01\x01", &sasl.Bearer{User: "user@example.com", Token: "tok123"}},
		{"user=a=b\x01x=y\x01auth=bearer t\x01\x01", &sasl.Bearer{User: "a=b", Token: "t"}},
		{"", nil},
		{"\x01", nil},
		{"user=u\x01\x01", nil},
		{"auth=Bearer t\x01user=u\x01\x01", nil},
		{"user=u\x01auth=Bearer t\x01", nil},
		{"user=u\x01user=v\x01auth=Bearer t\x01\x01", nil},
		{"user=u\nv\x01auth=Bearer t\x01\x01", nil},
		{"user=u\x00\x01auth=Bearer t\x01\x01", nil},
		{"n,a=u,\x01auth=Bearer t\x01\x01", nil},
	} {
		judge(t, sasl.NewXOAuth2Server, test.message, test.want)
	}
}

func judge(t *testing.T, server func(func(sasl.Bearer) error) sasl.Server, message string, want *sasl.Bearer) {
	t.Helper()
	c := &clerk{}
	_, done, err := server(c.check).Next([]byte(message))
	if want == nil {
		if done || !errors.Is(err, sasl.ErrMessage) || len(c.got) > 0 {
			t.Errorf("%.60q: %v, %v", message, done, err)
		}
		return
	}
	if !done || err != nil || len(c.got) != 1 || c.got[0] != *want {
		t.Errorf("%.60q: %v, %v", message, done, err)
	}
}

// P3-OAUTH-05, P3-OAUTH-08: the client hears why, answers, and only then is it
// refused. The answer may be anything.
func TestTokenRefused(t *testing.T) {
	why := &sasl.TokenError{Status: "insufficient_scope", Scope: "mail", Configuration: "https://id.example.com/.well-known/openid-configuration"}
	for name, test := range map[string]struct {
		client sasl.Client
		server func(func(sasl.Bearer) error) sasl.Server
		reply  error
		json   string
		answer string
		heard  sasl.TokenError
	}{
		"OAUTHBEARER": {
			sasl.NewOAuthBearerClient(sasl.Bearer{User: "u", Token: "t"}), sasl.NewOAuthBearerServer, fmt.Errorf("login: %w", why),
			`{"status":"insufficient_scope","scope":"mail","openid-configuration":"https://id.example.com/.well-known/openid-configuration"}`, "\x01", *why,
		},
		"OAUTHBEARER, other error": {
			sasl.NewOAuthBearerClient(sasl.Bearer{User: "u", Token: "t"}), sasl.NewOAuthBearerServer, errors.New("the database is at /var/lib/x"),
			`{"status":"invalid_token"}`, "\x01",
			sasl.TokenError{Status: "invalid_token"},
		},
		"XOAUTH2": {
			sasl.NewXOAuth2Client("u", "t"), sasl.NewXOAuth2Server, why,
			`{"status":"401","schemes":"bearer","scope":"mail"}`, "",
			sasl.TokenError{Status: "401", Scope: "mail"},
		},
	} {
		for _, answer := range []string{test.answer, "", "\x01", "other"} {
			c := &clerk{reply: test.reply}
			server := test.server(c.check)
			_, message, err := test.client.Start()
			if err != nil {
				t.Fatal(err)
			}
			challenge, done, err := server.Next(message)
			if string(challenge) != test.json || done || err != nil {
				t.Errorf("%s: %s, %v, %v", name, challenge, done, err)
			}
			if _, done, err = server.Next([]byte(answer)); done || !errors.Is(err, test.reply) || len(c.got) != 1 {
				t.Errorf("%s, answer %q: %v, %v", name, answer, done, err)
			}
		}
		answer, err := test.client.Next([]byte(test.json))
		refusal := test.client.(sasl.Refusable).Refusal()
		if string(answer) != test.answer || answer == nil || err != nil || refusal == nil || *refusal != test.heard || finished(test.client) {
			t.Errorf("%s: client %q, %v, %+v", name, answer, err, refusal)
		}
		if _, err := test.client.Next([]byte(test.json)); err == nil {
			t.Errorf("%s: a second challenge was answered", name)
		}
	}
}

// P3-AUTH-10, P3-AUTH-08.
func TestBearerInitialResponse(t *testing.T) {
	for _, server := range []func(func(sasl.Bearer) error) sasl.Server{sasl.NewOAuthBearerServer, sasl.NewXOAuth2Server} {
		s := server(func(sasl.Bearer) error { return nil })
		if challenge, done, err := s.Next(nil); len(challenge) > 0 || done || err != nil {
			t.Errorf("%q, %v, %v", challenge, done, err)
		}
		if _, done, err := s.Next([]byte{}); done || !errors.Is(err, sasl.ErrMessage) {
			t.Errorf("%v, %v", done, err)
		}
	}
}

// The vectors of the catalogue, section 22.7.
func TestBearerClients(t *testing.T) {
	for want, client := range map[string]sasl.Client{
		"n,a=user@example.com,\x01host=pop.example.com\x01port=995\x01auth=Bearer tok123\x01\x01": sasl.NewOAuthBearerClient(sasl.Bearer{User: "user@example.com", Token: "tok123", Host: "pop.example.com", Port: 995}),
		"n,a=a=2Cb=3D,\x01auth=Bearer t\x01\x01":                                                  sasl.NewOAuthBearerClient(sasl.Bearer{User: "a,b=", Token: "t"}),
		"n,,\x01auth=Bearer t\x01\x01":                                                            sasl.NewOAuthBearerClient(sasl.Bearer{Token: "t"}),
		"user=user@example.com\x01auth=Bearer tok123\x01\x01":                                     sasl.NewXOAuth2Client("user@example.com", "tok123"),
	} {
		if _, message, err := client.Start(); string(message) != want || err != nil || !finished(client) {
			t.Errorf("%q, %v\nwant %q", message, err, want)
		}
	}
	for _, bad := range []sasl.Bearer{{Token: ""}, {Token: "t\x01auth=Bearer x"}, {Token: "t\r\n"}, {User: "u\x01x", Token: "t"}, {User: "u\n", Token: "t"}, {Host: "h\x01", Token: "t"}} {
		for _, client := range []sasl.Client{sasl.NewOAuthBearerClient(bad), sasl.NewXOAuth2Client(bad.User+bad.Host, bad.Token)} {
			if _, message, err := client.Start(); !errors.Is(err, sasl.ErrCredential) {
				t.Errorf("%q, %v", message, err)
			}
		}
	}
}

// A server may say anything about a token.
func TestHostileTokenErrors(t *testing.T) {
	for said, want := range map[string]sasl.TokenError{
		``:                           {},
		`no`:                         {},
		`[]`:                         {},
		`{"status":{}}`:              {},
		`{"status":401,"scope":"x"}`: {Status: "401", Scope: "x"},
		`{"status":"a\u001b[2Jb\n"}`: {Status: "a[2Jb"},
		`{"status":"` + strings.Repeat("x", 5000) + `"}`: {Status: strings.Repeat("x", 1024)},
	} {
		client := sasl.NewXOAuth2Client("u", "t")
		if _, err := client.Next([]byte(said)); err != nil {
			t.Errorf("%.40q: %v", said, err)
		}
		got := client.(sasl.Refusable).Refusal()
		if got == nil || *got != want {
			t.Errorf("%.40q: %+v", said, got)
		}
		if strings.ContainsAny(got.Error(), "\x1b\n") {
			t.Errorf("%q", got.Error())
		}
	}
}

// P3-OAUTH-10: no verb, no log handler and no encoder shows the token.
func TestBearerHidesItsToken(t *testing.T) {
	b := sasl.Bearer{User: "u", Token: "sesame", Host: "h", Port: 1}
	type holder struct {
		B sasl.Bearer
		P *sasl.Bearer
	}
	var out strings.Builder
	for _, v := range []any{b, &b, holder{b, &b}, []sasl.Bearer{b}, map[string]sasl.Bearer{"x": b}} {
		for verb := range strings.FieldsSeq("%v %+v %#v %s %q %x %X %d %t") {
			fmt.Fprintf(&out, verb+"\n", v)
		}
		for _, h := range []slog.Handler{slog.NewTextHandler(&out, nil), slog.NewJSONHandler(&out, nil)} {
			slog.New(h).Info("x", "bearer", v)
		}
		if err := json.NewEncoder(&out).Encode(v); err != nil {
			t.Error(err)
		}
	}
	fmt.Fprintln(&out, fmt.Errorf("x: %v", b))
	if strings.Contains(out.String(), "sesame") || bytes.Contains([]byte(out.String()), []byte("736573616d65")) {
		t.Error(out.String())
	}
	if reflect.TypeFor[sasl.Bearer]().NumField() != 4 || !strings.Contains(b.String(), `"u"`) {
		t.Error(b)
	}
}
