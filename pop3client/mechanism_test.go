package pop3client_test

import (
	"bufio"
	"crypto/tls"
	"encoding/base64"
	"errors"
	"net"
	"slices"
	"strings"
	"testing"

	"postfach/internal/peer"
	"postfach/pop3"
	"postfach/pop3client"
	"postfach/pop3test"
	"postfach/sasl"
)

// A heard is what a client said, line by line.
type heard []string

func (h *heard) trace(e pop3.TraceEvent) {
	if e.Client {
		*h = append(*h, strings.TrimRight(string(e.Octets), "\r\n"))
	}
}

// logins are the lines that say how it logged in.
func (h heard) logins() []string {
	var all []string
	for _, line := range h {
		if f := strings.Fields(line); len(f) > 1 && (f[0] == "AUTH" || f[0] == "USER") {
			all = append(all, f[0]+" "+f[1])
		}
	}
	return all
}

// tls12 is a client configuration for no more than TLS 1.2.
func tls12(conf *tls.Config) *tls.Config {
	conf = conf.Clone()
	conf.MaxVersion = tls.VersionTLS12
	return conf
}

func dial(t *testing.T, addr string, o pop3client.Options) (*pop3client.Client, *heard) {
	t.Helper()
	h := &heard{}
	o.Trace = h.trace
	c, err := pop3client.Dial(t.Context(), addr, &o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return c, h
}

// A board is a server of nothing but logins: it announces what it is told to,
// and plays each mechanism with the server end that mechanism makes.
type board struct {
	announced string
	mechanism func(name string, state *tls.ConnectionState) sasl.Server
	first     []string // what each AUTH said first, decoded
	done      chan struct{}
}

// serve plays one connection in TLS and returns its address.
func (b *board) serve(t *testing.T, conf *tls.Config) string {
	t.Helper()
	l, err := tls.Listen("tcp", "127.0.0.1:0", conf)
	if err != nil {
		t.Fatal(err)
	}
	b.done = make(chan struct{})
	go func() {
		defer close(b.done)
		conn, err := l.Accept()
		if err != nil {
			return
		}
		defer conn.Close()
		b.talk(conn.(*tls.Conn))
	}()
	t.Cleanup(func() { l.Close(); <-b.done })
	return l.Addr().String()
}

// over closes the connection, and waits until the board has seen that.
func (b *board) over(c *pop3client.Client) {
	c.Close()
	<-b.done
}

func (b *board) talk(conn *tls.Conn) {
	lines := bufio.NewScanner(conn)
	say := func(s string) { conn.Write([]byte(s + "\r\n")) }
	say("+OK ready")
	for lines.Scan() {
		f := strings.Fields(lines.Text())
		switch {
		case len(f) == 1 && f[0] == "CAPA":
			say("+OK\r\n" + b.announced + "\r\n.")
		case len(f) >= 2 && f[0] == "AUTH":
			state := conn.ConnectionState()
			server := b.mechanism(f[1], &state)
			var response []byte
			if len(f) == 3 {
				response, _ = base64.StdEncoding.DecodeString(strings.TrimPrefix(f[2], "="))
			}
			b.exchange(server, response, lines, say)
		default:
			say("-ERR")
		}
	}
}

func (b *board) exchange(server sasl.Server, response []byte, lines *bufio.Scanner, say func(string)) {
	for first := true; ; {
		if response != nil && first {
			b.first, first = append(b.first, string(response)), false
		}
		challenge, done, err := server.Next(response)
		if err != nil {
			say("-ERR [AUTH] " + err.Error())
			return
		}
		if done {
			say("+OK")
			return
		}
		say("+ " + base64.StdEncoding.EncodeToString(challenge))
		if !lines.Scan() || lines.Text() == "*" {
			say("-ERR cancelled")
			return
		}
		if response, err = base64.StdEncoding.DecodeString(lines.Text()); err != nil {
			say("-ERR")
			return
		}
	}
}

// scramBoard lets "user" in with the password "p w", and can bind to what the
// connection has.
func scramBoard(t *testing.T, announced string, cert *tls.Config) *board {
	t.Helper()
	leaf := cert.Certificates[0].Leaf
	return &board{announced: announced, mechanism: func(name string, state *tls.ConnectionState) sasl.Server {
		var bindings []sasl.ChannelBinding
		if strings.Contains(announced, "-PLUS") {
			if e, ok := sasl.ExporterBinding(state); ok {
				bindings = append(bindings, e)
			}
			if e, ok := sasl.EndPointBinding(leaf); ok {
				bindings = append(bindings, e)
			}
			bindings = append(bindings, sasl.ChannelBinding{Type: sasl.TLSUnique, Data: state.TLSUnique})
		}
		h := sasl.SHA256
		if strings.HasPrefix(name, sasl.ScramSHA1) {
			h = sasl.SHA1
		}
		salt := []byte("some salt")
		keys, err := sasl.NewScramKeys(h, "p w", salt, 4096)
		if err != nil {
			t.Error(err)
		}
		return sasl.NewScramServer(h, strings.HasSuffix(name, "-PLUS"), bindings, func(_, name string) (*sasl.ScramVerifier, error) {
			if name != "user" {
				return nil, errors.New("who?")
			}
			return &sasl.ScramVerifier{Salt: salt, Iterations: 4096, Keys: []sasl.ScramKeys{keys}}, nil
		}, func(int) error { return nil })
	}}
}

// P3-SCRAM-11, P3-SCRAM-13 to P3-SCRAM-15: the strongest mechanism that both ends
// know, bound to the connection where the server offers that, and the flag that
// tells a server of a downgrade.
func TestStrongestSCRAM(t *testing.T) {
	cert := peer.NewCertificate(t)
	for _, test := range []struct {
		announced, want, flag12, flag13 string
	}{
		{"SASL PLAIN SCRAM-SHA-1 SCRAM-SHA-256 SCRAM-SHA-1-PLUS SCRAM-SHA-256-PLUS", "AUTH SCRAM-SHA-256-PLUS", "p=tls-unique", "p=tls-exporter"},
		{"SASL SCRAM-SHA-256 SCRAM-SHA-1-PLUS SCRAM-SHA-1", "AUTH SCRAM-SHA-1-PLUS", "p=tls-unique", "p=tls-exporter"},
		{"SASL PLAIN SCRAM-SHA-1 SCRAM-SHA-256", "AUTH SCRAM-SHA-256", "y", "y"},
		{"SASL PLAIN SCRAM-SHA-1", "AUTH SCRAM-SHA-1", "y", "y"},
	} {
		for version, conf := range map[string]*tls.Config{"1.2": tls12(cert.Client), "1.3": cert.Client} {
			b := scramBoard(t, test.announced, cert.Server)
			c, h := dial(t, b.serve(t, cert.Server), pop3client.Options{TLS: conf})
			if err := c.Login(t.Context(), "user", "p w"); err != nil {
				t.Errorf("%s, TLS %s: %v", test.announced, version, err)
			}
			b.over(c)
			flag := map[string]string{"1.2": test.flag12, "1.3": test.flag13}[version]
			if got := h.logins(); !slices.Equal(got, []string{test.want}) || len(b.first) != 1 || !strings.HasPrefix(b.first[0], flag+",,") {
				t.Errorf("%s, TLS %s: %q, %q", test.announced, version, got, b.first)
			}
		}
	}
}

// A caller can bind to each of them, and to none with the flag that a server takes
// that offers to bind.
func TestEachChannelBinding(t *testing.T) {
	cert := peer.NewCertificate(t)
	const announced = "SASL SCRAM-SHA-256 SCRAM-SHA-256-PLUS"
	for version, test := range map[string]struct {
		conf  *tls.Config
		types []string
	}{
		"1.2": {tls12(cert.Client), []string{sasl.TLSUnique, sasl.TLSExporter, sasl.TLSServerEndPoint}},
		"1.3": {cert.Client, []string{sasl.TLSExporter, sasl.TLSServerEndPoint}},
	} {
		for i, kind := range test.types {
			b := scramBoard(t, announced, cert.Server)
			c, _ := dial(t, b.serve(t, cert.Server), pop3client.Options{TLS: test.conf})
			bindings := c.ChannelBindings()
			if len(bindings) != len(test.types) || bindings[i].Type != kind {
				t.Fatalf("TLS %s: %+v", version, bindings)
			}
			if err := c.Auth(t.Context(), sasl.NewScramPlusClient(sasl.SHA256, bindings[i], "user", "p w")); err != nil {
				t.Errorf("TLS %s, %s: %v", version, kind, err)
			}
		}
		b := scramBoard(t, announced, cert.Server)
		c, _ := dial(t, b.serve(t, cert.Server), pop3client.Options{TLS: test.conf})
		if err := c.LoginWith(t.Context(), sasl.ScramSHA256, "user", "p w"); err != nil {
			t.Errorf("TLS %s, without binding: %v", version, err)
		}
		b.over(c)
		if len(b.first) != 1 || !strings.HasPrefix(b.first[0], "n,,") {
			t.Errorf("%q", b.first)
		}
	}
	srv := pop3test.NewServer(t)
	c, _ := dial(t, srv.Addr, pop3client.Options{Security: pop3client.Cleartext})
	if b := c.ChannelBindings(); len(b) > 0 {
		t.Errorf("in clear: %+v", b)
	}
	if err := c.LoginWith(t.Context(), sasl.ScramSHA256Plus, pop3test.User, pop3test.Password); !errors.Is(err, pop3client.ErrNoBinding) {
		t.Errorf("in clear: %v", err)
	}
	if err := c.LoginWith(t.Context(), "X-OTHER", pop3test.User, pop3test.Password); !errors.Is(err, pop3client.ErrMechanism) {
		t.Errorf("%v", err)
	}
}

// Nothing weaker follows a refusal: not when somebody is between the two ends of
// TLS, and not when the server does not know the type of binding, which looks the
// same (P3-SCRAM-11, P3-SCRAM-12).
func TestRefusedBindingIsTheEnd(t *testing.T) {
	cert := peer.NewCertificate(t)
	b := &board{announced: "SASL SCRAM-SHA-256-PLUS SCRAM-SHA-256 PLAIN", mechanism: func(name string, state *tls.ConnectionState) sasl.Server {
		other := *state
		other.TLSUnique = []byte("that of another connection")
		return scramBoard(t, "SASL SCRAM-SHA-256-PLUS", cert.Server).mechanism(name, &other)
	}}
	c, h := dial(t, b.serve(t, cert.Server), pop3client.Options{TLS: tls12(cert.Client)})
	err := c.Login(t.Context(), "user", "p w")
	if !errors.Is(err, &pop3.Error{Code: pop3.CodeAuth}) || c.State() != pop3.Authorization {
		t.Errorf("%v, %v", err, c.State())
	}
	if got := h.logins(); len(got) != 1 {
		t.Errorf("%q", got)
	}

	// This server knows no tls-unique.
	srv := pop3test.NewServer(t)
	srv.Use(pop3test.Mechanisms())
	c, h = dial(t, srv.AddrTLS, pop3client.Options{TLS: tls12(srv.ClientTLS())})
	if err := c.Login(t.Context(), pop3test.User, pop3test.Password); err == nil {
		t.Error("logged in")
	}
	if got := h.logins(); !slices.Equal(got, []string{"AUTH SCRAM-SHA-256-PLUS"}) {
		t.Errorf("%q", got)
	}
	for i, kind := range []string{sasl.TLSExporter, sasl.TLSServerEndPoint} { // but these
		c, _ := dial(t, srv.AddrTLS, pop3client.Options{TLS: tls12(srv.ClientTLS())})
		binding := c.ChannelBindings()[i+1]
		if err := c.Auth(t.Context(), sasl.NewScramPlusClient(sasl.SHA256, binding, pop3test.User, pop3test.Password)); err != nil || binding.Type != kind {
			t.Errorf("%s: %v", binding.Type, err)
		}
		if err := c.Quit(t.Context()); err != nil {
			t.Error(err)
		}
	}
}

// Every mechanism, against a server of somebody else's making.
func TestEachMechanism(t *testing.T) {
	srv := pop3test.NewServer(t)
	srv.Use(pop3test.Mechanisms())
	for _, name := range pop3client.Mechanisms() {
		if name == sasl.Login || name == sasl.External { // it has not
			continue
		}
		c, h := dial(t, srv.AddrTLS, pop3client.Options{TLS: srv.ClientTLS()})
		if err := c.LoginWith(t.Context(), strings.ToLower(name), pop3test.User, "wrong password"); !errors.Is(err, &pop3.Error{Code: pop3.CodeAuth}) {
			t.Errorf("%s, wrong: %v", name, err)
		}
		err := c.LoginWith(t.Context(), name, pop3test.User, pop3test.Password)
		if err != nil || c.State() != pop3.Transaction {
			t.Errorf("%s: %v", name, err)
		}
		if got := h.logins(); !slices.Equal(got, []string{"AUTH " + name, "AUTH " + name}) {
			t.Errorf("%s: %q", name, got)
		}
		if err := c.Quit(t.Context()); err != nil {
			t.Error(err)
		}
	}
}

// Nobody guesses the password with what a trace has of an exchange: the server's
// proof is not in it, nor the client's (P3-USR-12).
func TestTraceHasNoProof(t *testing.T) {
	srv := pop3test.NewServer(t)
	srv.Use(pop3test.Mechanisms())
	var said strings.Builder
	for _, name := range []string{sasl.ScramSHA256, sasl.ScramSHA1, sasl.ScramSHA256Plus, sasl.CramMD5} {
		c, err := pop3client.Dial(t.Context(), srv.AddrTLS, &pop3client.Options{TLS: srv.ClientTLS(), Trace: func(e pop3.TraceEvent) { said.Write(e.Octets) }})
		if err != nil {
			t.Fatal(err)
		}
		if err := c.LoginWith(t.Context(), name, pop3test.User, pop3test.Password); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if err := c.Quit(t.Context()); err != nil {
			t.Error(err)
		}
	}
	if got := strings.Count(said.String(), "+ <secret>\r\n"); got != 3 {
		t.Errorf("%d of 3 proofs are hidden", got)
	}
	for line := range strings.Lines(said.String()) {
		octets, err := base64.StdEncoding.DecodeString(strings.TrimSpace(strings.TrimPrefix(line, "+ ")))
		if text := string(octets); err == nil && (strings.Contains(text, "v=") || strings.Contains(text, "p=") || strings.Contains(text, "user ")) {
			t.Errorf("%q is in the trace", octets)
		}
	}
}

// A server's faults that a client notices: P3-SCRAM-03 to P3-SCRAM-05, P3-SCRAM-07,
// P3-AUTH-21.
func TestServersThatCannotBeTrusted(t *testing.T) {
	for _, fault := range []string{"scram-few-iterations", "scram-order-turned", "scram-final-with-ok"} {
		srv := pop3test.NewServer(t)
		if err := srv.Be(fault); err != nil {
			t.Fatal(err)
		}
		c, _ := dial(t, srv.AddrTLS, pop3client.Options{TLS: srv.ClientTLS()})
		if err := c.Login(t.Context(), pop3test.User, pop3test.Password); err == nil || c.State() != pop3.Authorization {
			t.Errorf("%s: %v", fault, err)
		}
	}
}

// What comes last: USER and PASS, and LOGIN only where there is nothing else.
func TestWeakLogins(t *testing.T) {
	cert := peer.NewCertificate(t)
	for announced, want := range map[string]string{
		"SASL LOGIN PLAIN":        "AUTH PLAIN",
		"SASL LOGIN":              "AUTH LOGIN",
		"USER\r\nSASL LOGIN":      "USER user",
		"UIDL":                    "USER user",
		"SASL CRAM-MD5 XOAUTH2":   "USER user",
		"USER\r\nSASL SCRAM-SHA1": "USER user",
	} {
		b := &board{announced: announced, mechanism: func(name string, _ *tls.ConnectionState) sasl.Server {
			if name == sasl.Login {
				return sasl.NewLoginServer(func(user, password string) error {
					if user != "user" || password != "p w" {
						return errors.New("no")
					}
					return nil
				})
			}
			return sasl.NewPlainServer(func(_, _, _ string) error { return nil })
		}}
		c, h := dial(t, b.serve(t, cert.Server), pop3client.Options{TLS: cert.Client})
		err := c.Login(t.Context(), "user", "p w")
		if got := h.logins(); !slices.Equal(got, []string{want}) || (err == nil) != strings.HasPrefix(want, "AUTH") {
			t.Errorf("%q: %q, %v", announced, got, err)
		}
	}
}

// bearerBoard takes the token of "user" only.
func bearerBoard(announced, token string, seen *sasl.Bearer) *board {
	check := func(b sasl.Bearer) error {
		*seen = b
		if b.User != "user" || b.Token != token {
			return &sasl.TokenError{Status: "invalid_token", Scope: "mail", Configuration: "https://id.example.com/" + b.Token}
		}
		return nil
	}
	return &board{announced: announced, mechanism: func(name string, _ *tls.ConnectionState) sasl.Server {
		if name == sasl.XOAuth2 {
			return sasl.NewXOAuth2Server(check)
		}
		return sasl.NewOAuthBearerServer(check)
	}}
}

// P3-AUTH-11, P3-OAUTH-02, P3-OAUTH-05, P3-OAUTH-08 to P3-OAUTH-10.
func TestLoginToken(t *testing.T) {
	cert := peer.NewCertificate(t)
	long := strings.Repeat("0123456789.abcdef", 200)
	for _, test := range []struct {
		announced, token string
		right            bool
		want             []string
	}{
		{"SASL XOAUTH2 OAUTHBEARER", "tok.123", true, []string{"AUTH OAUTHBEARER <secret>"}},
		{"SASL OAUTHBEARER", long, true, []string{"AUTH OAUTHBEARER", "<secret>"}},
		{"SASL OAUTHBEARER", "tok.123", false, []string{"AUTH OAUTHBEARER <secret>", "<secret>"}},
		{"SASL PLAIN XOAUTH2", "tok.123", true, []string{"AUTH XOAUTH2", "<secret>"}},
		{"SASL PLAIN XOAUTH2", long, true, []string{"AUTH XOAUTH2", "<secret>"}},
		{"SASL PLAIN XOAUTH2", "tok.123", false, []string{"AUTH XOAUTH2", "<secret>", "<secret>"}},
		{"SASL PLAIN SCRAM-SHA-256", "tok.123", false, nil},
	} {
		token := "another token"
		if test.right {
			token = test.token
		}
		var seen sasl.Bearer
		b := bearerBoard(test.announced, token, &seen)
		addr := b.serve(t, cert.Server)
		c, h := dial(t, addr, pop3client.Options{TLS: cert.Client})
		err := c.LoginToken(t.Context(), "user", test.token)
		if (err == nil) != test.right {
			t.Errorf("%s: %v", test.announced, err)
		}
		if test.want == nil {
			if !errors.Is(err, pop3client.ErrNoToken) {
				t.Errorf("%s: %v", test.announced, err)
			}
			continue
		}
		b.over(c)
		if got := slices.DeleteFunc(slices.Clone(*h), func(l string) bool { return l == "CAPA" }); !slices.Equal(got, test.want) {
			t.Errorf("%s: %q", test.announced, got)
		}
		if strings.HasPrefix(test.want[0], "AUTH OAUTH") {
			host, port, _ := net.SplitHostPort(addr)
			if seen.Host != host || !strings.HasSuffix(addr, ":"+port) || seen.Port == 0 {
				t.Errorf("%s: %s", test.announced, seen)
			}
		}
		if test.right {
			continue
		}
		why, ok := errors.AsType[*sasl.TokenError](err)
		if !ok || why.Scope != "mail" || !errors.Is(err, &pop3.Error{Code: pop3.CodeAuth}) {
			t.Errorf("%s: %v", test.announced, err)
		}
		if ok && strings.Contains(why.Configuration+err.Error(), test.token) {
			t.Errorf("%s: the token is shown: %+v, %v", test.announced, why, err)
		}
	}
}

// refuses tells why a token is of no use, and then lets in.
type refuses bool

func (r *refuses) Next([]byte) ([]byte, bool, error) {
	told := bool(*r)
	*r = true
	return []byte(`{"status":"invalid_token"}`), told, nil
}

// A server that has refused the token and says +OK cannot be trusted.
func TestRefusedTokenLetsNobodyIn(t *testing.T) {
	cert := peer.NewCertificate(t)
	b := &board{announced: "SASL OAUTHBEARER", mechanism: func(string, *tls.ConnectionState) sasl.Server { return new(refuses) }}
	c, _ := dial(t, b.serve(t, cert.Server), pop3client.Options{TLS: cert.Client})
	err := c.LoginToken(t.Context(), "user", "tok.123")
	if _, ok := errors.AsType[*sasl.TokenError](err); !ok || c.State() != pop3.Authorization {
		t.Errorf("%v, %v", err, c.State())
	}
	if err := c.Noop(t.Context()); !errors.Is(err, pop3client.ErrClosed) {
		t.Error(err)
	}
}

// repeats refuses a token, and says it again in the reason.
type repeats bool

func (r *repeats) Next([]byte) ([]byte, bool, error) {
	if *r {
		return nil, false, sasl.ErrProof
	}
	*r = true
	return []byte(`{"status":"invalid tok.123.secret"}`), false, nil
}

// P3-OAUTH-10: not in base64 either.
func TestRepeatedTokenIsNotTraced(t *testing.T) {
	cert := peer.NewCertificate(t)
	for _, name := range []string{sasl.OAuthBearer, sasl.XOAuth2} {
		b := &board{announced: "SASL OAUTHBEARER XOAUTH2", mechanism: func(string, *tls.ConnectionState) sasl.Server { return new(repeats) }}
		addr := b.serve(t, cert.Server)
		var said strings.Builder
		c, err := pop3client.Dial(t.Context(), addr, &pop3client.Options{TLS: cert.Client, Trace: func(e pop3.TraceEvent) { said.Write(e.Octets) }})
		if err != nil {
			t.Fatal(err)
		}
		err = c.LoginWith(t.Context(), name, "user", "tok.123.secret")
		if err == nil || strings.Contains(err.Error(), "tok.123") {
			t.Errorf("%s: %v", name, err)
		}
		b.over(c)
		for line := range strings.Lines(said.String()) {
			octets, _ := base64.StdEncoding.DecodeString(strings.TrimSpace(strings.TrimPrefix(line, "+ ")))
			if strings.Contains(string(octets), "tok.123") {
				t.Errorf("%s: %q is in the trace", name, octets)
			}
		}
	}
}

// The credentials come first: without TLS it is ErrCleartext, whatever the server
// announces.
func TestTokenIsForTLSWhateverIsAnnounced(t *testing.T) {
	srv := pop3test.NewServer(t)
	c, _ := dial(t, srv.Addr, pop3client.Options{Security: pop3client.Cleartext})
	if err := c.LoginToken(t.Context(), "ada", "tok.123"); !errors.Is(err, pop3client.ErrCleartext) {
		t.Error(err)
	}
}

// P3-OAUTH-01.
func TestTokensNeedTLS(t *testing.T) {
	srv := pop3test.NewServer(t)
	if err := srv.Be("oauth-in-clear"); err != nil {
		t.Fatal(err)
	}
	srv.AddUser("ada", "tok.123")
	c, h := dial(t, srv.Addr, pop3client.Options{Security: pop3client.Cleartext})
	for _, err := range []error{
		c.LoginToken(t.Context(), "ada", "tok.123"),
		c.LoginWith(t.Context(), sasl.XOAuth2, "ada", "tok.123"),
		c.Auth(t.Context(), sasl.NewOAuthBearerClient(sasl.Bearer{User: "ada", Token: "tok.123"})),
	} {
		if !errors.Is(err, pop3client.ErrCleartext) || len(h.logins()) > 0 {
			t.Errorf("%v, %q", err, h.logins())
		}
	}
	if c, _ := dial(t, srv.Addr, pop3client.Options{Security: pop3client.Cleartext, AllowCleartext: true}); c.LoginToken(t.Context(), "ada", "tok.123") != nil {
		t.Error("AllowCleartext does not")
	}
	if err := c.LoginCertificate(t.Context(), ""); !errors.Is(err, pop3client.ErrNoExternal) {
		t.Errorf("%v", err)
	}
}

// P3-EXT-03, P3-EXT-04, P3-AUTH-09.
func TestLoginCertificate(t *testing.T) {
	cert := peer.NewCertificate(t)
	conf := cert.Server.Clone()
	conf.ClientAuth = tls.RequestClientCert
	mine := cert.Client.Clone()
	mine.Certificates = cert.Server.Certificates // any that the server would take
	for _, test := range []struct {
		conf      *tls.Config
		announced string
		identity  string
		want      error
	}{
		{mine, "SASL EXTERNAL", "", nil},
		{mine, "SASL EXTERNAL", "user", nil},
		{cert.Client, "SASL EXTERNAL", "", &pop3.Error{Code: pop3.CodeAuth}},
		{mine, "SASL PLAIN", "", pop3client.ErrNoExternal},
	} {
		shown := 0
		b := &board{announced: test.announced, mechanism: func(_ string, state *tls.ConnectionState) sasl.Server {
			return sasl.NewExternalServer(func(identity string) error {
				shown = len(state.PeerCertificates)
				if shown == 0 || identity != test.identity {
					return errors.New("no")
				}
				return nil
			})
		}}
		c, h := dial(t, b.serve(t, conf), pop3client.Options{TLS: test.conf})
		err := c.LoginCertificate(t.Context(), test.identity)
		if (err == nil) != (test.want == nil) || !errors.Is(err, test.want) {
			t.Errorf("%+v: %v", test.announced, err)
		}
		b.over(c)
		if test.want == nil && shown == 0 || test.identity == "" && err == nil && !slices.Contains(*h, "AUTH EXTERNAL =") && !slices.Contains(*h, "AUTH EXTERNAL <secret>") {
			t.Errorf("%q", *h)
		}
	}
}
