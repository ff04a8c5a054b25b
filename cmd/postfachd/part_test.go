package main

import (
	"context"
	"encoding/base64"
	"io"
	"log/slog"
	"mime"
	"mime/multipart"
	"mime/quotedprintable"
	"net"
	"net/mail"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"postfach/internal/accounts"
	"postfach/internal/config"
	"postfach/internal/sockets"
	"postfach/maildrop/maildir"
	"postfach/pop3"
	"postfach/pop3server"
)

func quiet() *slog.Logger { return slog.New(slog.DiscardHandler) }

func TestListenAllIsAllOrNothing(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	must(t, err)
	taken := l.Addr().String()
	must(t, l.Close())
	first, none := config.Listener{Address: taken}, make([]sockets.Listener, 2)
	if opened, err := listenAll([]config.Listener{first, {Address: "192.0.2.1:1"}}, none); err == nil {
		closeAll(opened)
		t.Fatal("listens on an address that is not here")
	}
	opened, err := listenAll([]config.Listener{first}, none)
	must(t, err) // it was closed again
	closeAll(opened)
}

// deliverer is a maildrop.Deliverer that shows what it gets.
type deliverer func(text string)

func (d deliverer) Deliver(_ context.Context, _ string, msg io.Reader) (pop3.UniqueID, error) {
	octets, err := io.ReadAll(msg)
	d(string(octets))
	return "x", err
}

func TestWelcomeMailIsGoodMIME(t *testing.T) {
	var texts []string
	must(t, welcome(deliverer(func(text string) { texts = append(texts, text) }), "anna"))
	if len(texts) != 3 {
		t.Fatalf("%d messages", len(texts))
	}
	for _, text := range texts {
		m, err := mail.ReadMessage(strings.NewReader(text))
		must(t, err)
		if _, err := m.Header.Date(); err != nil {
			t.Error(err)
		}
		if to, err := m.Header.AddressList("To"); err != nil || to[0].Address != "anna@localhost" {
			t.Errorf("To: %v, %v", to, err)
		}
		for line := range strings.Lines(text) {
			if len(line) > 79 || strings.Contains(line, "@USER@") || strings.ContainsFunc(line, func(r rune) bool { return r > 126 }) {
				t.Errorf("line %q", line)
			}
		}
	}
	umlauts, err := mail.ReadMessage(strings.NewReader(texts[1]))
	must(t, err)
	if got, err := new(mime.WordDecoder).DecodeHeader(umlauts.Header.Get("Subject")); got != "Grüße, Umlaute und ein Euro: €" || err != nil {
		t.Errorf("Subject %q, %v", got, err)
	}
	_, params, err := mime.ParseMediaType(umlauts.Header.Get("Content-Type"))
	must(t, err)
	parts := multipart.NewReader(umlauts.Body, params["boundary"])
	for _, want := range []string{"Grüße aus dem Postfach!", "Straße"} {
		part, err := parts.NextRawPart()
		must(t, err)
		var body io.Reader = quotedprintable.NewReader(part)
		if part.Header.Get("Content-Transfer-Encoding") == "base64" {
			body = base64.NewDecoder(base64.StdEncoding, part)
		}
		text, err := io.ReadAll(body)
		must(t, err)
		if !strings.Contains(string(text), want) {
			t.Errorf("%q is not in %s", want, text)
		}
	}
	if !strings.Contains(texts[2], "\n.\n") || !strings.Contains(texts[2], "\n..two\n") {
		t.Error("no dots to learn from")
	}
}

func TestQuote(t *testing.T) {
	for path, want := range map[string]string{"/a/b-c.d": "/a/b-c.d", "/a b": "'/a b'", "/it's": `'/it'\''s'`, "": ""} {
		if got := quote(path); got != want {
			t.Errorf("quote(%q) = %s, want %s", path, got, want)
		}
	}
}

func TestConfigurationReachesTheServer(t *testing.T) {
	cfg, err := config.Parse("f", []byte(`
hostname = "mail.example.org"
greeting = "hello"
sign_off = "bye"
language = "de"
expire_days = 7
last = true
announce_historic = true
[limits]
login = "2m"
idle = "20m"
write = "3m"
failure_delay = "4s"
failed_logins = 5
bad_commands = 6
connections = 7
`))
	must(t, err)
	who := &directory{Directory: &accounts.Directory{}}
	store := &maildir.Store{}
	d := &daemon{cfg: cfg, accounts: who, store: store, log: quiet()}
	got := d.server(config.Listener{TLS: config.NoTLS, AllowCleartext: true})
	want := &pop3server.Server{
		Store: advising{store}, Auth: who, SCRAM: who, APOP: who, AllowCleartext: true, Hostname: "mail.example.org", Greeting: "hello", SignOff: "bye",
		Implementation: "Postfach",
		Language:       "de", ExpireDays: 7, Last: true, AnnounceHistoric: true, Log: d.log,
		Limits: pop3server.Limits{
			Login: 2 * time.Minute, Idle: 20 * time.Minute, Write: 3 * time.Minute, FailureDelay: 4 * time.Second,
			FailedLogins: 5, BadCommands: 6, Connections: 7,
			AddressDelay: 15 * time.Second, ConnectionsPerAddress: 200, SessionsPerUser: 10, StoreCalls: 256,
		},
		Guard: &d.guard,
	}
	if got.LoggedIn == nil {
		t.Error("nobody writes logins down")
	}
	got.LoggedIn = nil
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got  %+v\nwant %+v", got, want)
	}
	d.tls = testTLS(t)
	if s := d.server(config.Listener{TLS: config.STLS}); s.TLS == nil || s.AllowCleartext {
		t.Errorf("a listener with TLS has %v, AllowCleartext %v", s.TLS, s.AllowCleartext)
	}
}

// A reload leaves nothing behind but sessions.
func TestServersWithoutSessionsAreForgotten(t *testing.T) {
	opened, err := listenAll([]config.Listener{{Address: "127.0.0.1:0", TLS: config.NoTLS}}, make([]sockets.Listener, 1))
	must(t, err)
	d := &daemon{cfg: config.Default(), accounts: &directory{Directory: &accounts.Directory{}}, store: &maildir.Store{}, sockets: opened, log: quiet(), failed: make(chan error, 1)}
	d.start()
	first := d.serving[0]
	conn, err := net.Dial("tcp", opened[0].Addr().String())
	must(t, err)
	c := newClient(t, conn)
	c.line()
	for range 50 {
		last := d.serving[0]
		d.start()
		<-last.over
	}
	d.start()
	if len(d.retired) != 2 || d.retired[0] != first { // and the one from just now
		t.Errorf("%d retired servers are kept", len(d.retired))
	}
	<-d.retired[1].over
	if got := c.say("NOOP"); !strings.HasPrefix(got, "-ERR") {
		t.Errorf("NOOP before login: %s", got)
	}
	if all := d.all(); !slices.Contains(all, first.server) {
		t.Error("nobody would end the session that is left")
	}
	d.close()
	if first.server.Sessions() != 0 || !first.idle() {
		t.Error("a session is left")
	}
}

func TestCommandLineGoesBeforeTheFile(t *testing.T) {
	name := filepath.Join(t.TempDir(), "f.toml")
	must(t, os.WriteFile(name, []byte("data = \"/from/the/file\"\n"), 0o600))
	for given, want := range map[string]string{"": "/from/the/file", "/given": "/given"} {
		cfg, err := (&flags{Config: name, Data: given}).configuration()
		must(t, err)
		if cfg.Data != want {
			t.Errorf("--data %q: %s, want %s", given, cfg.Data, want)
		}
	}
	cfg, err := (&flags{Data: "relative"}).configuration()
	must(t, err)
	if !filepath.IsAbs(cfg.Data) {
		t.Errorf("data folder %s", cfg.Data)
	}
}
