package pop3server_test

import (
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/sha512"
	"crypto/tls"
	"crypto/x509"
	"math/big"
	"slices"
	"strings"
	"testing"
	"time"

	"postfach/pop3server"
	"postfach/sasl"
)

// The client's view of bindings, computed here once more.
func exporterOf(t *testing.T, state *tls.ConnectionState) sasl.ChannelBinding {
	t.Helper()
	data, err := state.ExportKeyingMaterial("EXPORTER-Channel-Binding", []byte{}, 32)
	if err != nil {
		t.Fatal(err)
	}
	return sasl.ChannelBinding{Type: "tls-exporter", Data: data}
}

func endPointOf(state *tls.ConnectionState) sasl.ChannelBinding {
	digest := sha256.Sum256(state.PeerCertificates[0].Raw)
	return sasl.ChannelBinding{Type: "tls-server-end-point", Data: digest[:]}
}

func uniqueOf(state *tls.ConnectionState) sasl.ChannelBinding {
	return sasl.ChannelBinding{Type: "tls-unique", Data: state.TLSUnique}
}

// P3-SCRAM-10, P3-SCRAM-13 to P3-SCRAM-15: each type of each version of TLS, with
// TLS from the first octet and by STLS, for our client and another one.
func TestScramBindsToTheConnection(t *testing.T) {
	for _, version := range []uint16{tls.VersionTLS12, tls.VersionTLS13} {
		for _, kind := range []string{sasl.TLSExporter, sasl.TLSServerEndPoint, sasl.TLSUnique} {
			if kind == sasl.TLSUnique && version == tls.VersionTLS13 {
				continue
			}
			for _, h := range []sasl.ScramHash{sasl.SHA256, sasl.SHA1} {
				t.Run(tls.VersionName(version)+" "+kind+" "+h.Mechanism(true), func(t *testing.T) {
					srv, log := newFullServer(three())
					for i, newClient := range []func(b sasl.ChannelBinding) sasl.Client{
						func(b sasl.ChannelBinding) sasl.Client { return sasl.NewScramPlusClient(h, b, "u", "p w") },
						func(b sasl.ChannelBinding) sasl.Client { return foreignScram(t, h, &b, "u", "p w") },
					} {
						var c *client
						var state *tls.ConnectionState
						if i == 0 {
							c, state = connectFull(t, srv, trusting(version))
						} else {
							c = connectTCP(t, srv)
							c.talk("S: +OK ...\nC: STLS\nS: +OK ...")
							state = c.handshake(trusting(version))
						}
						b := map[string]sasl.ChannelBinding{
							sasl.TLSExporter: exporterOf(t, state), sasl.TLSServerEndPoint: endPointOf(state), sasl.TLSUnique: uniqueOf(state),
						}[kind]
						wrong := sasl.ChannelBinding{Type: b.Type, Data: slices.Clone(b.Data)}
						wrong.Data[5]++
						c.want(c.enter(newClient(wrong)), refused)
						c.want(c.enter(newClient(b)), welcome)
						c.talk("C: QUIT\nS: +OK ...\n(close)")
						<-c.done
					}
					if strings.Count(log.String(), "perhaps somebody is in between") != 2 || strings.Count(log.String(), "login failed") != 2 {
						t.Errorf("log:\n%s", log)
					}
				})
			}
		}
	}
}

// An exchange that somebody in between passes on is bound to another connection.
func TestExchangeCannotBePassedOn(t *testing.T) {
	for _, version := range []uint16{tls.VersionTLS12, tls.VersionTLS13} {
		srv, _ := newFullServer(three())
		_, victim := connectFull(t, srv, trusting(version))
		c, _ := connectFull(t, srv, trusting(version))
		c.want(c.enter(sasl.NewScramPlusClient(sasl.SHA256, exporterOf(t, victim), "u", "p w")), refused)
		if version == tls.VersionTLS12 {
			c.want(c.enter(sasl.NewScramPlusClient(sasl.SHA256, uniqueOf(victim), "u", "p w")), refused)
		}
	}
}

// bindings asks accounts what a connection can be bound to.
type bindings struct {
	pop3server.Authenticator
	got chan []sasl.ChannelBinding
}

func (b bindings) Authenticate(_ context.Context, p *pop3server.Peer, _, _ string) (pop3server.Identity, error) {
	b.got <- p.ChannelBindings()
	return pop3server.Identity{}, pop3server.ErrCredentials
}

// bindingsOf are what a server sees on a connection.
func bindingsOf(c *client, srv *pop3server.Server) (kinds string, all []sasl.ChannelBinding) {
	c.t.Helper()
	b := bindings{got: make(chan []sasl.ChannelBinding, 1)}
	srv.Auth = b
	c.want(c.line("AUTH PLAIN AHUAcCB3"), refused)
	var names []string
	all = <-b.got
	for _, b := range all {
		names = append(names, b.Type)
	}
	return strings.Join(names, " "), all
}

// serverCertificate makes one with a key.
func serverCertificate(t *testing.T, key crypto.Signer, names ...string) tls.Certificate {
	t.Helper()
	template := &x509.Certificate{
		SerialNumber: big.NewInt(2), DNSNames: names, NotBefore: time.Unix(0, 0), NotAfter: time.Date(2100, 1, 1, 0, 0, 0, 0, time.UTC),
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key} // no Leaf, as in old programs
}

func newKey(t *testing.T, curve elliptic.Curve) *ecdsa.PrivateKey {
	t.Helper()
	key, err := ecdsa.GenerateKey(curve, rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

// anyCertificate is a client's configuration that takes all certificates.
func anyCertificate(version uint16, name string) *tls.Config {
	return &tls.Config{ServerName: name, InsecureSkipVerify: true, MinVersion: version, MaxVersion: version}
}

// P3-SCRAM-15: the hash is that of the certificate's signature.
func TestEndPointHasTheHashOfTheSignature(t *testing.T) {
	for _, version := range []uint16{tls.VersionTLS12, tls.VersionTLS13} {
		srv, _ := newFullServer(three())
		srv.TLS.Certificates = []tls.Certificate{serverCertificate(t, newKey(t, elliptic.P384()), "pop.example.com")}
		c, state := connectFull(t, srv, anyCertificate(version, "pop.example.com"))
		digest := sha512.Sum384(state.PeerCertificates[0].Raw)
		b := sasl.ChannelBinding{Type: sasl.TLSServerEndPoint, Data: digest[:]}
		c.want(c.enter(sasl.NewScramPlusClient(sasl.SHA256, b, "u", "p w")), welcome)
	}
}

// AMB-15: nothing can be said of such a certificate, and the rest still works.
func TestEd25519HasNoEndPoint(t *testing.T) {
	_, key, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	for version, want := range map[uint16]string{tls.VersionTLS12: "tls-exporter tls-unique", tls.VersionTLS13: "tls-exporter"} {
		srv, _ := newFullServer(three())
		srv.TLS.Certificates = []tls.Certificate{serverCertificate(t, key, "pop.example.com")}
		c, state := connectFull(t, srv, anyCertificate(version, "pop.example.com"))
		c.want(c.enter(sasl.NewScramPlusClient(sasl.SHA256, endPointOf(state), "u", "p w")), refused)
		if kinds, _ := bindingsOf(c, srv); kinds != want {
			t.Errorf("%s: %s", tls.VersionName(version), kinds)
		}
		c.want(c.enter(sasl.NewScramPlusClient(sasl.SHA256, exporterOf(t, state), "u", "p w")), welcome)
	}
}

// Which certificate was shown is known for each connection, however it was chosen.
func TestEndPointIsThatOfTheCertificateShown(t *testing.T) {
	one := serverCertificate(t, newKey(t, elliptic.P256()), "one.example.com")
	two := serverCertificate(t, newKey(t, elliptic.P256()), "two.example.com")
	three := serverCertificate(t, newKey(t, elliptic.P256()), "three.example.com")
	for name, choose := range map[string]func(*tls.Config){
		"list": func(c *tls.Config) { c.Certificates = []tls.Certificate{one, two, three} },
		"function": func(c *tls.Config) {
			c.Certificates = []tls.Certificate{one} // where the function has none
			c.GetCertificate = func(hello *tls.ClientHelloInfo) (*tls.Certificate, error) {
				return map[string]*tls.Certificate{"two.example.com": &two, "three.example.com": &three}[hello.ServerName], nil
			}
		},
		"configuration": func(c *tls.Config) {
			c.Certificates = []tls.Certificate{one}
			c.GetConfigForClient = func(hello *tls.ClientHelloInfo) (*tls.Config, error) {
				for name, cert := range map[string]tls.Certificate{"two.example.com": two, "three.example.com": three} {
					if hello.ServerName == name {
						return &tls.Config{Certificates: []tls.Certificate{cert}, MinVersion: tls.VersionTLS10}, nil
					}
				}
				return nil, nil
			}
		},
	} {
		for _, version := range []uint16{tls.VersionTLS12, tls.VersionTLS13} {
			t.Run(name+" "+tls.VersionName(version), func(t *testing.T) {
				srv, _ := newFullServer(newDrop())
				srv.TLS.Certificates = nil
				choose(srv.TLS)
				for sni, want := range map[string]tls.Certificate{"one.example.com": one, "two.example.com": two, "three.example.com": three, "": one} {
					c, state := connectFull(t, srv, anyCertificate(version, sni))
					if !slices.Equal(state.PeerCertificates[0].Raw, want.Certificate[0]) {
						t.Fatalf("%q: another certificate", sni)
					}
					c.want(c.enter(sasl.NewScramPlusClient(sasl.SHA256, endPointOf(state), "u", "p w")), "+OK")
					c.talk("C: QUIT\nS: +OK ...\n(close)")
				}
			})
		}
	}
}

// A client whose name there is no certificate for hears that.
func TestNameWithoutCertificateIsUnrecognized(t *testing.T) {
	srv, _ := newFullServer(newDrop())
	srv.TLS.Certificates = nil
	srv.TLS.GetCertificate = func(*tls.ClientHelloInfo) (*tls.Certificate, error) { return nil, nil }
	err := tls.Client(connectTLS(t, srv).conn, anyCertificate(0, "other.example.com")).Handshake()
	if err == nil || !strings.Contains(err.Error(), "unrecognized name") {
		t.Error(err)
	}
}

// P3-TLS-02 holds for what a function of the operator's chooses, too.
func TestChosenConfigurationIsNoWayAround(t *testing.T) {
	srv, _ := newFullServer(newDrop())
	cert, pool := certificate()
	srv.TLS.GetConfigForClient = func(*tls.ClientHelloInfo) (*tls.Config, error) {
		return &tls.Config{Certificates: []tls.Certificate{cert}, MinVersion: tls.VersionTLS10, NextProtos: []string{"h2"}}, nil
	}
	c := connectTLS(t, srv)
	old := tls.Client(c.conn, &tls.Config{ServerName: "pop.example.com", RootCAs: pool, MinVersion: tls.VersionTLS10, MaxVersion: tls.VersionTLS11})
	if err := old.Handshake(); err == nil {
		t.Error("TLS 1.1 was accepted")
	}
	if err := connectTLS(t, srv).startTLS("h2"); err == nil {
		t.Error("h2 was accepted")
	}
}

// A resumed session has shown no certificate: the one of now may be another.
func TestResumedSessionHasNoEndPoint(t *testing.T) {
	for version, want := range map[uint16][2]string{
		tls.VersionTLS12: {"tls-exporter tls-unique tls-server-end-point", "tls-exporter tls-unique"},
		tls.VersionTLS13: {"tls-exporter tls-server-end-point", "tls-exporter"},
	} {
		t.Run(tls.VersionName(version), func(t *testing.T) {
			srv, _ := newFullServer(three())
			config := trusting(version)
			config.ClientSessionCache = tls.NewLRUClientSessionCache(1)
			for i, want := range want {
				c := connectTCP(t, srv)
				c.talk("S: +OK ...\nC: STLS\nS: +OK ...")
				state := c.handshake(config)
				if state.DidResume != (i == 1) {
					t.Fatalf("resumed %v", state.DidResume)
				}
				kinds, all := bindingsOf(c, srv)
				if kinds != want {
					t.Errorf("%s", kinds)
				}
				for _, b := range all {
					if b.Type == sasl.TLSUnique && string(b.Data) != string(state.TLSUnique) {
						t.Error("tls-unique is not the client's")
					}
				}
				c.want(c.enter(sasl.NewScramPlusClient(sasl.SHA256, exporterOf(t, state), "u", "p w")), welcome)
				c.talk("C: QUIT\nS: +OK ...\n(close)")
			}
		})
	}
}

// Operators' functions see the connection that the listener accepted.
func TestOperatorsFunctionsSeeTheAcceptedConnection(t *testing.T) {
	srv, _ := newFullServer(newDrop())
	cert, _ := certificate()
	var seen []string
	srv.TLS.GetCertificate = func(hello *tls.ClientHelloInfo) (*tls.Certificate, error) {
		seen = append(seen, hello.Conn.RemoteAddr().Network())
		if _, ok := hello.Conn.(interface{ CloseWrite() error }); !ok {
			t.Errorf("got a %T", hello.Conn)
		}
		return &cert, nil
	}
	c := connectTCP(t, srv)
	c.talk("S: +OK ...\nC: STLS\nS: +OK ...")
	c.handshake(trusting(0))
	c.talk("C: QUIT\nS: +OK ...\n(close)")
	<-c.done
	if !slices.Equal(seen, []string{"tcp"}) {
		t.Error(seen)
	}
}
