package main

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"log/slog"
	"math/big"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"postfach/internal/peer"
	"postfach/internal/remotes"
	"postfach/maildrop/memory"
	"postfach/pop3"
	"postfach/pop3server"
)

// holder writes a client certificate for "u" and its key, once in two files and
// once in one.
func holder(t *testing.T) (cert, key, both string, leaf *x509.Certificate) {
	t.Helper()
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "u"}, BasicConstraintsValid: true, IsCA: true,
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour), ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth},
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, private.Public(), private)
	if err != nil {
		t.Fatal(err)
	}
	if leaf, err = x509.ParseCertificate(der); err != nil {
		t.Fatal(err)
	}
	pkcs8, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	certPEM := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
	keyPEM := pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: pkcs8})
	write := func(name string, octets []byte) string {
		name = filepath.Join(dir, name)
		if err := os.WriteFile(name, octets, 0o600); err != nil {
			t.Fatal(err)
		}
		return name
	}
	return write("cert.pem", certPEM), write("key.pem", keyPEM), write("both.pem", append(keyPEM, certPEM...)), leaf
}

// doorman lets "u" in, by a token or a certificate as well.
type doorman struct{ onePassword }

func (doorman) Token(_ context.Context, _ *pop3server.Peer, name, token string) (pop3server.Identity, error) {
	if name == "u" && token == "secret.token" {
		return pop3server.Identity{User: "u"}, nil
	}
	return pop3server.Identity{}, pop3server.ErrCredentials
}

func (doorman) Discovery() (configuration, scope string) { return "https://id.example.org", "mail" }

func (doorman) Certificate(_ context.Context, p *pop3server.Peer, identity string) (pop3server.Identity, error) {
	if name := p.TLS.PeerCertificates[0].Subject.CommonName; name != "u" || identity != "u" {
		return pop3server.Identity{}, pop3server.ErrCredentials
	}
	return pop3server.Identity{User: "u"}, nil
}

// How get logs in: by a mechanism, a token or a client certificate, as the flags
// and the URL say, and with what hint when that fails.
func TestGetLogins(t *testing.T) {
	t.Setenv("POSTFACH_PASSWORD", "secret word")
	cert, key, both, leaf := holder(t)
	store := memory.New()
	store.Create("u")
	files := peer.NewCertificate(t)
	conf := files.Server.Clone()
	conf.ClientAuth, conf.ClientCAs = tls.VerifyClientCertIfGiven, x509.NewCertPool()
	conf.ClientCAs.AddCert(leaf)
	s := &pop3server.Server{
		Store: store, Auth: doorman{}, Login: true, Tokens: doorman{}, Certificates: doorman{}, TLS: conf,
		Log: slog.New(slog.DiscardHandler), Limits: pop3server.Limits{FailureDelay: time.Millisecond, AddressDelay: time.Millisecond},
	}
	l := listen(t)
	go s.ServeTLS(l)
	t.Cleanup(func() { s.Close() })
	at := "@" + port(l)
	shows := clientCertificate{ClientCert: cert, ClientKey: key}
	for name, test := range map[string]struct {
		cmd  getCmd
		said string // in the protocol log
		code int
		hint string
	}{
		"password":            {getCmd{URL: "pop3s://u" + at}, "AUTH PLAIN", 0, ""},
		"--auth":              {getCmd{URL: "pop3s://u" + at, accountLogin: accountLogin{Auth: "login"}}, "AUTH LOGIN", 0, ""},
		"URL":                 {getCmd{URL: "pop3s://u;AUTH=LOGIN" + at}, "AUTH LOGIN", 0, ""},
		"both":                {getCmd{URL: "pop3s://u;AUTH=PLAIN" + at, accountLogin: accountLogin{Auth: "LOGIN"}}, "", exitUsage, "one of the two"},
		"unknown":             {getCmd{URL: "pop3s://u" + at, accountLogin: accountLogin{Auth: "NTLM"}}, "", exitUsage, "PLAIN"},
		"token":               {getCmd{URL: "pop3s://u" + at, accountLogin: accountLogin{TokenCommand: "echo secret.token"}}, "AUTH OAUTHBEARER", 0, ""},
		"XOAUTH2":             {getCmd{URL: "pop3s://u;AUTH=XOAUTH2" + at, accountLogin: accountLogin{TokenCommand: "echo secret.token"}}, "AUTH XOAUTH2", 0, ""},
		"wrong token":         {getCmd{URL: "pop3s://u" + at, accountLogin: accountLogin{TokenCommand: "echo other"}}, "AUTH OAUTHBEARER", exitLogin, "get a new one"},
		"token by PLAIN":      {getCmd{URL: "pop3s://u;AUTH=PLAIN" + at, accountLogin: accountLogin{TokenCommand: "echo secret.token"}}, "", exitUsage, "OAUTHBEARER"},
		"token by --auth":     {getCmd{URL: "pop3s://u" + at, accountLogin: accountLogin{Auth: "login", TokenCommand: "echo secret.token"}}, "", exitUsage, "OAUTHBEARER"},
		"token by any":        {getCmd{URL: "pop3s://u;AUTH=*" + at, accountLogin: accountLogin{TokenCommand: "echo secret.token"}}, "AUTH OAUTHBEARER", 0, ""},
		"agent":               {getCmd{URL: "pop3s://u" + at, accountPassword: accountPassword{PasswordCommand: "sleep 3 & echo secret word"}}, "AUTH PLAIN", 0, ""},
		"its pin":             {getCmd{URL: "pop3s://u" + at, Pin: remotes.PinOf(files.Server.Certificates[0].Leaf).String()}, "AUTH PLAIN", 0, ""},
		"another's pin":       {getCmd{URL: "pop3s://u" + at, Pin: strings.Repeat("ab", 32)}, "", exitConnect, "pin"},
		"no pin":              {getCmd{URL: "pop3s://u" + at, Pin: "abc"}, "", exitUsage, "postfach check"},
		"pin in clear":        {getCmd{URL: "pop3://u" + at, AllowCleartext: true, Pin: strings.Repeat("ab", 32)}, "", exitUsage, "TLS"},
		"no token":            {getCmd{URL: "pop3s://u" + at, accountLogin: accountLogin{TokenCommand: "true"}}, "", exitUsage, "--token-command"},
		"token command":       {getCmd{URL: "pop3s://u" + at, accountLogin: accountLogin{TokenCommand: "exit 3"}}, "", exitFailed, "sh runs it"},
		"certificate":         {getCmd{URL: "pop3s://u" + at, accountLogin: accountLogin{clientCertificate: shows}}, "AUTH EXTERNAL", 0, ""},
		"one file":            {getCmd{URL: "pop3s://u" + at, accountLogin: accountLogin{clientCertificate: clientCertificate{ClientCert: both}}}, "AUTH EXTERNAL", 0, ""},
		"somebody else":       {getCmd{URL: "pop3s://v" + at, accountLogin: accountLogin{clientCertificate: shows}}, "AUTH EXTERNAL", exitLogin, "password"},
		"and a password":      {getCmd{URL: "pop3s://u" + at, accountPassword: accountPassword{PasswordCommand: "echo secret word"}, accountLogin: accountLogin{clientCertificate: shows}}, "AUTH PLAIN", 0, ""},
		"and a mechanism":     {getCmd{URL: "pop3s://u" + at, accountLogin: accountLogin{Auth: "PLAIN", clientCertificate: shows}}, "AUTH PLAIN", 0, ""},
		"none":                {getCmd{URL: "pop3s://u;AUTH=EXTERNAL" + at}, "CAPA", exitLogin, "client certificate"},
		"key without":         {getCmd{URL: "pop3s://u" + at, accountLogin: accountLogin{clientCertificate: clientCertificate{ClientKey: key}}}, "", exitUsage, "--client-cert"},
		"no certificate file": {getCmd{URL: "pop3s://u" + at, accountLogin: accountLogin{clientCertificate: clientCertificate{ClientCert: key}}}, "", exitUsage, "PEM"},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			test.cmd.To, test.cmd.CAFile, test.cmd.ProtocolLog = "dir:"+dir+"/mail", files.CAFile, dir+"/log"
			code, _, help := getRun(t, test.cmd)
			if code != test.code || !strings.Contains(help, test.hint) {
				t.Errorf("%d %s", code, help)
			}
			log, err := os.ReadFile(dir + "/log")
			if err != nil && test.said != "" || strings.Contains(string(log), "secret.token") || strings.Contains(help, "secret.token") {
				t.Errorf("%v\n%s%s", err, log, help)
			}
			if n := strings.Count(string(log), "C: AUTH"); n > 1 || (n == 1) != strings.HasPrefix(test.said, "AUTH") || !strings.Contains(string(log), test.said) {
				t.Errorf("want %q:\n%s", test.said, log)
			}
		})
	}
}

// P3-EXT-04: what the command line says of logging in is for one account alone.
func TestExploreLoginIsForItsAccountOnly(t *testing.T) {
	t.Setenv("POSTFACH_PASSWORD", "env")
	cert, key, _, _ := holder(t)
	file := exploreFile(t, exploreAccounts)
	for _, test := range []struct {
		login    accountLogin
		account  string
		password string
		none     bool
	}{
		{accountLogin{TokenCommand: "echo tok"}, "me@one.example", "tok", false},
		{accountLogin{TokenCommand: "echo tok"}, "work", "tok", false},
		{accountLogin{clientCertificate: clientCertificate{ClientCert: cert, ClientKey: key}}, "me@one.example", "(asked for)", true},
		{accountLogin{clientCertificate: clientCertificate{ClientCert: cert, ClientKey: key}}, "work", "of the file", false},
	} {
		c := exploreCmd{Config: file, Account: test.account, accountLogin: test.login}
		p, err := c.picker(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if got := secretOf(t, p.Start); got != test.password || p.Start.NoPassword != test.none {
			t.Errorf("%s: %q, none %v", test.account, got, p.Start.NoPassword)
		}
		for _, typed := range []string{"me@other.example", "localhost", "work"} {
			a, err := p.Parse(typed)
			if err != nil || a.NoPassword || secretOf(t, &a) == "tok" || a.Question.TLS.Certificates != nil {
				t.Errorf("%s: %v, %q", typed, err, secretOf(t, &a))
			}
		}
	}
	for name, c := range map[string]exploreCmd{
		"no account": {accountLogin: accountLogin{TokenCommand: "echo tok"}},
		"no such":    {Account: "me@one.example", accountLogin: accountLogin{clientCertificate: clientCertificate{ClientCert: "missing"}}},
		"URL":        {Account: "pop3s://me;AUTH=PLAIN@one.example", accountLogin: accountLogin{Auth: "LOGIN"}},
	} {
		c.Config = file
		if err := c.run(t.Context(), os.Stdout, true); exitCode(err) != exitUsage {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// Flags go before what the file says, and a password before a certificate.
func TestAccountLogin(t *testing.T) {
	for _, test := range []struct {
		login    accountLogin
		url      pop3.URL
		file     remotes.Account
		password bool
		want     string
	}{
		{accountLogin{}, pop3.URL{}, remotes.Account{}, false, ""},
		{accountLogin{}, pop3.URL{}, remotes.Account{TokenCommand: "c"}, false, "+TOKEN"},
		{accountLogin{}, pop3.URL{}, remotes.Account{TokenCommand: "c"}, true, "*"},
		{accountLogin{}, pop3.URL{Auth: "XOAUTH2"}, remotes.Account{TokenCommand: "c"}, false, "XOAUTH2"},
		{accountLogin{}, pop3.URL{}, remotes.Account{ClientCert: "c"}, false, "EXTERNAL"},
		{accountLogin{}, pop3.URL{}, remotes.Account{ClientCert: "c"}, true, "*"},
		{accountLogin{}, pop3.URL{}, remotes.Account{ClientCert: "c", PasswordCommand: "c"}, false, ""},
		{accountLogin{}, pop3.URL{}, remotes.Account{ClientCert: "c", TokenCommand: "c"}, false, "+TOKEN"},
		{accountLogin{TokenCommand: "t"}, pop3.URL{}, remotes.Account{PasswordCommand: "c"}, false, "+TOKEN"},
		{accountLogin{Auth: "plain"}, pop3.URL{}, remotes.Account{ClientCert: "c"}, false, "PLAIN"},
		{accountLogin{}, pop3.URL{Auth: "XOAUTH2"}, remotes.Account{TokenCommand: "c"}, true, "XOAUTH2"},
		{accountLogin{Auth: "+apop"}, pop3.URL{}, remotes.Account{}, true, "+APOP"},
	} {
		a := test.file
		a.URL = &test.url
		before := test.url
		if err := test.login.addTo(&a, test.password); err != nil || a.Auth() != test.want || test.url != before || test.password && a.TokenCommand != "" {
			t.Errorf("%+v: %q, %v", test, a.Auth(), err)
		}
	}
}
