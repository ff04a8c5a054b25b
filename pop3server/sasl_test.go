package pop3server_test

import (
	"bufio"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"crypto/tls"
	"encoding/base64"
	"errors"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	"postfach/pop3server"
	"postfach/sasl"
)

// Here are accounts for all mechanisms. Everywhere "u" is let in and "broken"
// cannot be answered.
const (
	appPassword = "app word"
	token       = "abc.DEF-0123456789_~+/=="
	iterations  = 4096
)

var errDatabase = errors.New("database says: secret detail")

// verifiers know u's password and an app password.
type verifiers struct{ onlySHA256 bool }

func (v verifiers) Offers(h sasl.ScramHash) bool { return h == sasl.SHA256 || !v.onlySHA256 }

func (verifiers) Scram(_ context.Context, p *pop3server.Peer, h sasl.ScramHash, name string) (*pop3server.ScramAccount, error) {
	switch {
	case p == nil:
		return nil, errors.New("no peer")
	case name == "broken":
		return nil, errDatabase
	case name == "u" || name == "a,b":
		return scramOfU()[h], nil
	}
	mac := hmac.New(sha256.New, []byte("key of decoys"))
	mac.Write([]byte(name))
	seed := mac.Sum(nil)
	size := h.New().Size()
	return &pop3server.ScramAccount{
		Verifier: sasl.ScramVerifier{
			Salt: seed[:16], Iterations: iterations,
			Keys: []sasl.ScramKeys{{StoredKey: seed[:size], ServerKey: seed[:size]}},
		},
		Identities: []pop3server.Identity{{User: "nobody"}},
	}, nil
}

var scramOfU = sync.OnceValue(func() map[sasl.ScramHash]*pop3server.ScramAccount {
	all := map[sasl.ScramHash]*pop3server.ScramAccount{}
	for _, h := range []sasl.ScramHash{sasl.SHA256, sasl.SHA1} {
		salt := []byte("salt of 16 octet")
		a := &pop3server.ScramAccount{
			Verifier:   sasl.ScramVerifier{Salt: salt, Iterations: iterations},
			Identities: []pop3server.Identity{{User: "u"}, {User: "u", Credential: "telephone"}},
		}
		for _, password := range []string{"p w", appPassword} {
			keys, err := sasl.NewScramKeys(h, password, salt, iterations)
			if err != nil {
				panic(err)
			}
			a.Verifier.Keys = append(a.Verifier.Keys, keys)
		}
		all[h] = a
	}
	return all
})

// tokens know one of u's, and one that is long.
type tokens struct{}

func longToken() string { return strings.Repeat("t", 8<<10) }

func (tokens) Token(_ context.Context, p *pop3server.Peer, name, said string) (pop3server.Identity, error) {
	switch {
	case p.TLS == nil:
		return pop3server.Identity{}, errors.New("a token in clear")
	case name == "broken":
		return pop3server.Identity{}, errDatabase
	case (name == "" || name == "u") && (said == token || said == longToken()):
		return pop3server.Identity{User: "u", Credential: "token"}, nil
	}
	return pop3server.Identity{}, pop3server.ErrCredentials
}

func (tokens) Discovery() (configuration, scope string) {
	return "https://issuer.example.com/.well-known/openid-configuration", "mail"
}

// certificates let in whom a certificate names.
type certificates struct{}

func (certificates) Certificate(_ context.Context, p *pop3server.Peer, identity string) (pop3server.Identity, error) {
	name := p.TLS.VerifiedChains[0][0].Subject.CommonName
	switch {
	case name == "broken":
		return pop3server.Identity{}, errDatabase
	case name == "u" && (identity == "" || identity == "u"):
		return pop3server.Identity{User: "u", Credential: "certificate"}, nil
	}
	return pop3server.Identity{}, pop3server.ErrCredentials
}

// shared are secrets for CRAM-MD5.
type shared struct{ off bool }

func (s *shared) Available() bool { return !s.off }

func (s *shared) Secret(_ context.Context, _ *pop3server.Peer, name string) (who pop3server.Identity, secret string, err error) {
	switch name {
	case "broken":
		return who, "", errDatabase
	case "empty": // as if nothing had been set
		return pop3server.Identity{User: "u"}, "", nil
	case "u", "a b":
		return pop3server.Identity{User: "u"}, "tanstaaf", nil
	}
	return who, "", pop3server.ErrCredentials
}

// offerAll lets a server have all mechanisms, and no delays.
func offerAll(srv *pop3server.Server) {
	srv.Auth, srv.Login, srv.SCRAM, srv.Tokens, srv.Certificates, srv.CRAM = passwords{}, true, verifiers{}, tokens{}, certificates{}, &shared{}
	srv.Limits.FailureDelay = time.Nanosecond
	srv.Limits.FailedLogins = 100
}

// newFullServer is newTLSServer with all mechanisms; it asks clients for
// certificates.
func newFullServer(d *drop) (*pop3server.Server, *logBuffer) {
	srv, log := newTLSServer(d)
	offerAll(srv)
	_, srv.TLS.ClientCAs = clientCertificate("u")
	srv.TLS.ClientAuth = tls.VerifyClientCertIfGiven
	return srv, log
}

// trusting is a client's configuration.
func trusting(version uint16) *tls.Config {
	_, pool := certificate()
	return &tls.Config{ServerName: "pop.example.com", RootCAs: pool, MinVersion: version, MaxVersion: version}
}

// handshake is the client's part of it.
func (c *client) handshake(config *tls.Config) *tls.ConnectionState {
	c.t.Helper()
	conn := tls.Client(c.conn, config)
	c.conn, c.r = conn, bufio.NewReader(conn)
	if err := conn.Handshake(); err != nil {
		c.t.Fatal(err)
	}
	state := conn.ConnectionState()
	return &state
}

// connectFull connects by TLS and reads the greeting.
func connectFull(t *testing.T, srv *pop3server.Server, config *tls.Config) (*client, *tls.ConnectionState) {
	t.Helper()
	c := connectTLS(t, srv)
	state := c.handshake(config)
	c.talk("S: +OK POP3 server ready")
	return c, state
}

// connectTCP is connect over the loopback interface: where both ends write at
// once, such as tickets in a handshake, a pipe would wait for ever.
func connectTCP(t *testing.T, srv *pop3server.Server) *client {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	ours, err := net.Dial("tcp", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	theirs, err := l.Accept()
	if err != nil {
		t.Fatal(err)
	}
	c := &client{t: t, conn: ours, r: bufio.NewReader(ours), done: make(chan struct{})}
	go func() {
		defer close(c.done)
		srv.ServeConn(theirs)
	}()
	t.Cleanup(func() {
		ours.Close()
		<-c.done
	})
	return c
}

// line sends a line and returns the answer.
func (c *client) line(line string) string {
	c.t.Helper()
	c.send(line + "\r\n")
	return c.answer()
}

func (c *client) answer() string {
	c.t.Helper()
	got, err := c.r.ReadString('\n')
	if err != nil || !strings.HasSuffix(got, "\r\n") {
		c.t.Fatalf("got %q, %v", got, err)
	}
	return strings.TrimSuffix(got, "\r\n")
}

// enter plays an exchange to its end and returns the reply, with the initial
// response in the line of AUTH.
func (c *client) enter(m sasl.Client) string { return c.exchange(m, true) }

// enterSlowly is enter without an initial response.
func (c *client) enterSlowly(m sasl.Client) string { return c.exchange(m, false) }

func (c *client) exchange(m sasl.Client, initial bool) string {
	c.t.Helper()
	name, ir, err := m.Start()
	if err != nil {
		c.t.Fatal(err)
	}
	line := "AUTH " + name
	switch {
	case ir != nil && initial && len(ir) == 0:
		line += " ="
	case ir != nil && initial:
		line += " " + base64.StdEncoding.EncodeToString(ir)
	}
	got := c.line(line)
	if ir != nil && !initial {
		if got != "+ " {
			return got
		}
		got = c.line(base64.StdEncoding.EncodeToString(ir))
	}
	for {
		challenge, more := strings.CutPrefix(got, "+ ")
		if !more {
			return got
		}
		octets, err := base64.StdEncoding.Strict().DecodeString(challenge)
		if err != nil {
			c.t.Fatalf("challenge %q: %v", got, err)
		}
		response, err := m.Next(octets)
		if err != nil {
			got = c.line("*")
			continue
		}
		got = c.line(base64.StdEncoding.EncodeToString(response))
	}
}

// announced returns the SASL line of CAPA, without the tag.
func (c *client) announced() string {
	c.t.Helper()
	list := ""
	for got := c.line("CAPA"); got != "."; got = c.answer() {
		if rest, ok := strings.CutPrefix(got, "SASL "); ok {
			list = rest
		}
	}
	return list
}

// want wants a reply that begins so.
func (c *client) want(got, prefix string) {
	c.t.Helper()
	if !strings.HasPrefix(got, prefix) {
		c.t.Errorf("got %q, want %q", got, prefix)
	}
}

const (
	refused   = "-ERR [AUTH] login failed"
	malformed = "-ERR [AUTH] malformed authentication data"
	welcome   = "+OK maildrop has 3 messages (100 octets)"
)
