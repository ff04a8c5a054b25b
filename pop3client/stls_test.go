package pop3client

import (
	"context"
	"crypto/tls"
	"errors"
	"net"
	"testing"

	"postfach/internal/transcript"
	"postfach/pop3"
)

// dialer connects to a server that plays the script; each call plays the next.
func dialer(t *testing.T, scripts ...string) func(context.Context, string, string) (net.Conn, error) {
	return func(context.Context, string, string) (net.Conn, error) {
		if len(scripts) == 0 {
			t.Error("one connection too many")
			return nil, errors.New("no more scripts")
		}
		script := scripts[0]
		scripts = scripts[1:]
		return remote{play(t, script, transcript.Options{TLS: serverTLS()})}, nil
	}
}

const beforeTLS = `S: +OK ready <1.2@mail.test>
C: CAPA
S: +OK
S: STLS
S: SASL SCRAM-SHA-256 PLAIN
S: .
C: STLS
`

// TestSTLS: what was announced in clear is forgotten (P3-TLS-08, P3-CAPA-08),
// nothing is sent between STLS and the handshake (P3-TLS-05, P3-PIPE-06), and
// APOP does not use the greeting (P3-APOP-09).
func TestSTLS(t *testing.T) {
	c, err := Dial(t.Context(), "mail.test", &Options{
		Security: RequireSTLS, TLS: clientTLS(),
		DialContext: dialer(t, beforeTLS+`S: +OK begin
(tls)
C: CAPA
S: +OK
S: UIDL
S: .
C: USER u
S: +OK
C: PASS secret
S: +OK
C: CAPA
S: -ERR
C: QUIT
S: +OK
(hangup)
`),
	})
	check(t, err)
	if state, ok := c.TLS(); !ok || state.Version < tls.VersionTLS12 {
		t.Error("no TLS")
	}
	if err := c.APOP(t.Context(), "u", "secret"); !errors.Is(err, ErrNoTimestamp) {
		t.Errorf("APOP: %v", err)
	}
	if err := c.STLS(t.Context()); err == nil {
		t.Error("second STLS works")
	}
	check(t, c.Login(t.Context(), "u", "secret"))
	check(t, c.Quit(t.Context()))
}

// What the server says of EXPIRE holds until it says something else, and what
// somebody said in clear does not (P3-CAPA-14, P3-TLS-08).
func TestExpires0(t *testing.T) {
	const taken, kept, nothing = "C: CAPA\nS: +OK\nS: EXPIRE 0\nS: .\n", "C: CAPA\nS: +OK\nS: EXPIRE NEVER\nS: .\n", "C: CAPA\nS: +OK\nS: UIDL\nS: .\n"
	c, err := New(t.Context(), play(t, "S: +OK\n"+taken+nothing+"C: CAPA\nS: -ERR\n"+kept+nothing+taken+"(hangup)\n", transcript.Options{}), nil)
	check(t, err)
	equal(t, c.Expires0(), true)
	for i, want := range []bool{true, true, false, false, true} {
		c.Capa(t.Context())
		if got := c.Expires0(); got != want {
			t.Errorf("answer %d: %t", i, got)
		}
	}
	check(t, c.Close())
	c, err = Dial(t.Context(), "mail.test", &Options{
		Security: RequireSTLS, TLS: clientTLS(),
		DialContext: dialer(t, "S: +OK\nC: CAPA\nS: +OK\nS: STLS\nS: EXPIRE 0\nS: .\nC: STLS\nS: +OK\n(tls)\n"+nothing+"(hangup)\n"),
	})
	check(t, err)
	equal(t, c.Expires0(), false)
	check(t, c.Close())
}

// TestSTLSForced: a person may insist on the greeting's timestamp.
func TestSTLSForced(t *testing.T) {
	c, err := Dial(t.Context(), "mail.test", &Options{
		Security: RequireSTLS, TLS: clientTLS(), AllowStaleTimestamp: true,
		DialContext: dialer(t, beforeTLS+`S: +OK begin
(tls)
C: CAPA
S: -ERR
C: APOP u `+pop3.APOPDigest("<1.2@mail.test>", "secret")+`
S: +OK
C: CAPA
S: -ERR
(hangup)
`),
	})
	check(t, err)
	check(t, c.APOP(t.Context(), "u", "secret"))
	check(t, c.Close())
}

// TestSTLSRequired: whatever a server does instead of TLS, no credentials
// follow and the connection is closed (P3-TLS-07, P3-TLS-10, P3-TLS-11).
func TestSTLSRequired(t *testing.T) {
	for name, script := range map[string]string{
		"stripped":  "S: +OK\nC: CAPA\nS: +OK\nS: SASL PLAIN\nS: USER\nS: .\n(hangup)\n",
		"refused":   beforeTLS + "S: -ERR not now\n(hangup)\n",
		"injected":  beforeTLS + "S: +OK go\\x0d\\x0a+OK fake\n(hangup)\n",
		"half line": beforeTLS + "S: +OK go\\x0d\\x0a+O\\\n(hangup)\n",
		"garbage":   beforeTLS + "S: whatever\n(hangup)\n",
		"closed":    beforeTLS + "(close)\n",
		"no CAPA":   "S: +OK\nC: CAPA\nS: -ERR what\nC: STLS\nS: -ERR what\n(hangup)\n",
	} {
		t.Run(name, func(t *testing.T) {
			c, err := Dial(t.Context(), "mail.test", &Options{
				Security: RequireSTLS, TLS: clientTLS(), AllowCleartext: true, DialContext: dialer(t, script),
			})
			if err == nil {
				c.Close()
				t.Fatal("connected")
			}
			if name == "stripped" && !errors.Is(err, ErrNoSTLS) {
				t.Error(err)
			}
			if name == "injected" || name == "half line" {
				if _, ok := errors.AsType[*pop3.ProtocolError](err); !ok {
					t.Error(err)
				}
			}
		})
	}
}

// TestWrongCertificate: nothing but the handshake happens (P3-AUTH-25,
// P3-TLS-13, P3-TLS-19).
func TestWrongCertificate(t *testing.T) {
	for name, config := range map[string]*tls.Config{
		"unknown authority": nil,
		"other name":        {RootCAs: clientTLS().RootCAs, ServerName: "other.test"},
	} {
		for _, security := range []Security{ImplicitTLS, RequireSTLS} {
			t.Run(name, func(t *testing.T) {
				// Not net.Pipe: both ends write at the same time here.
				client, server := loopbackPair(t)
				said := make(chan string, 1)
				go func() {
					defer server.Close()
					if security == RequireSTLS {
						server.Write([]byte("+OK\r\n"))
						readLine(server)
						server.Write([]byte("+OK\r\nSTLS\r\n.\r\n"))
						readLine(server)
						server.Write([]byte("+OK\r\n"))
					}
					conn := tls.Server(server, serverTLS())
					conn.Write([]byte("+OK\r\n"))
					said <- readLine(conn)
				}()
				_, err := Dial(t.Context(), "mail.test", &Options{
					Security: security, TLS: config, AllowCleartext: true,
					DialContext: func(context.Context, string, string) (net.Conn, error) { return client, nil },
				})
				if err == nil {
					t.Error("connected")
				}
				equal(t, <-said, "")
			})
		}
	}
}

// readLine reads up to a line end, octet by octet.
func readLine(conn net.Conn) string {
	var line []byte
	for {
		var b [1]byte
		if _, err := conn.Read(b[:]); err != nil || b[0] == '\n' {
			return string(line)
		}
		line = append(line, b[0])
	}
}

// TestImplicitTLS: ALPN is offered (P3-TLS-23), close_notify is sent
// (P3-TLS-17), the version is never below 1.2 (P3-TLS-02).
func TestImplicitTLS(t *testing.T) {
	client, server := net.Pipe()
	type seen struct {
		protocols []string
		versions  []uint16
		end       error
	}
	result := make(chan seen, 1)
	go func() {
		var s seen
		config := serverTLS()
		config.NextProtos = []string{pop3.ALPN}
		config.GetConfigForClient = func(h *tls.ClientHelloInfo) (*tls.Config, error) {
			s.protocols, s.versions = h.SupportedProtos, h.SupportedVersions
			return nil, nil
		}
		conn := tls.Server(server, config)
		conn.Write([]byte("+OK\r\n"))
		readLine(conn)
		conn.Write([]byte("-ERR\r\n"))
		_, s.end = conn.Read(make([]byte, 1))
		server.Close()
		result <- s
	}()
	config := clientTLS()
	config.ServerName = ""
	config.MinVersion = tls.VersionTLS10
	c, err := Dial(t.Context(), "mail.test", &Options{
		TLS:         config,
		DialContext: func(context.Context, string, string) (net.Conn, error) { return client, nil },
	})
	check(t, err)
	check(t, c.Close())
	s := <-result
	if len(s.protocols) != 1 || s.protocols[0] != "pop3" {
		t.Errorf("ALPN %v", s.protocols)
	}
	for _, v := range s.versions {
		if v < tls.VersionTLS12 {
			t.Errorf("version %x offered", v)
		}
	}
	if s.end == nil || s.end.Error() != "EOF" {
		t.Errorf("no close_notify: %v", s.end)
	}
	if config.ServerName != "" || config.MinVersion != tls.VersionTLS10 {
		t.Error("the caller's configuration was changed")
	}
}

// TestCapaHangup: a server that closes at CAPA is called again without, but
// what happens in clear does not count inside TLS.
func TestCapaHangup(t *testing.T) {
	c, err := Dial(t.Context(), "mail.test", &Options{
		Security: RequireSTLS, TLS: clientTLS(),
		DialContext: dialer(t,
			"S: +OK\nC: CAPA\n(close)\n",
			"S: +OK\nC: STLS\nS: +OK\n(tls)\nC: CAPA\n(close)\n",
			"S: +OK\nC: STLS\nS: +OK\n(tls)\nC: USER u\nS: +OK\nC: PASS p\nS: +OK\n(hangup)\n"),
	})
	check(t, err)
	check(t, c.Login(t.Context(), "u", "p"))
	check(t, c.Close())

	_, err = New(t.Context(), play(t, "S: +OK\nC: CAPA\n(close)\n", transcript.Options{}), nil)
	if !errors.Is(err, ErrCapaHangup) {
		t.Errorf("New: %v", err)
	}
}

// TestSTLSNotAfterUTF8 (P3-TLS-22).
func TestSTLSNotAfterUTF8(t *testing.T) {
	c := open(t, "S: +OK\nC: CAPA\nS: +OK\nS: STLS\nS: UTF8\nS: .\nC: UTF8\nS: +OK\n(hangup)\n", nil)
	check(t, c.UTF8(t.Context()))
	if err := c.STLS(t.Context()); err == nil {
		t.Error("STLS after UTF8")
	}
	check(t, c.Close())
}
