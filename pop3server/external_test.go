package pop3server_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"math/big"
	"strings"
	"sync"
	"testing"
	"time"

	"postfach/sasl"
)

// An authority issues client certificates.
type authority struct {
	key  *ecdsa.PrivateKey
	cert *x509.Certificate
	pool *x509.CertPool
}

var theAuthority = sync.OnceValue(func() authority {
	key, cert := issue(nil, &x509.Certificate{IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign})
	pool := x509.NewCertPool()
	pool.AddCert(cert)
	return authority{key, cert, pool}
})

// issue makes a certificate, signed by a or by itself.
func issue(a *authority, template *x509.Certificate) (*ecdsa.PrivateKey, *x509.Certificate) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		panic(err)
	}
	template.SerialNumber = big.NewInt(1)
	template.NotBefore, template.NotAfter = time.Unix(0, 0), time.Date(2100, 1, 1, 0, 0, 0, 0, time.UTC)
	parent, signer := template, key
	if a != nil {
		parent, signer = a.cert, a.key
	}
	der, err := x509.CreateCertificate(rand.Reader, template, parent, key.Public(), signer)
	if err != nil {
		panic(err)
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		panic(err)
	}
	return key, cert
}

// clientCertificate is one for a name, and the pool that trusts it.
func clientCertificate(name string) (tls.Certificate, *x509.CertPool) {
	a := theAuthority()
	key, cert := issue(&a, &x509.Certificate{
		Subject: pkix.Name{CommonName: name}, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth},
	})
	return tls.Certificate{Certificate: [][]byte{cert.Raw}, PrivateKey: key, Leaf: cert}, a.pool
}

// showing is trusting with a client certificate.
func showing(version uint16, name string) *tls.Config {
	config := trusting(version)
	cert, _ := clientCertificate(name)
	config.Certificates = []tls.Certificate{cert}
	return config
}

// P3-EXT-01 to P3-EXT-03, P3-AUTH-08, P3-AUTH-10.
func TestCertificateLogsInByExternalOnly(t *testing.T) {
	for _, version := range []uint16{tls.VersionTLS12, tls.VersionTLS13} {
		t.Run(tls.VersionName(version), func(t *testing.T) {
			srv, log := newFullServer(three())
			c, _ := connectFull(t, srv, showing(version, "u"))
			if list := c.announced(); !strings.Contains(list, sasl.External) {
				t.Errorf("SASL %s", list)
			}
			c.talk(`
				C: STAT
				S: -ERR not in this state of the session
				C: AUTH EXTERNAL b3RoZXI=
				S: -ERR [AUTH] login failed
				C: AUTH EXTERNAL wq0=
				S: -ERR [AUTH] login failed
				C: AUTH EXTERNAL
				S: + ...
				C: *
				S: -ERR authentication cancelled
				C: AUTH EXTERNAL =
				S: +OK maildrop has 3 messages (100 octets)
				C: QUIT
				S: +OK ...
				(close)
			`)
			<-c.done
			for _, want := range []string{"login failed\" session=", "mechanism=EXTERNAL name=other", "mechanism=EXTERNAL credential=certificate"} {
				if !strings.Contains(log.String(), want) {
					t.Errorf("no %q in the log:\n%s", want, log)
				}
			}
			for _, how := range []func(*client, sasl.Client) string{(*client).enter, (*client).enterSlowly} {
				for _, identity := range []string{"", "u", "u\u00ad"} { // prepared, it is "u"
					srv, _ := newFullServer(three())
					c, _ := connectFull(t, srv, showing(version, "u"))
					c.want(how(c, sasl.NewExternalClient(identity)), welcome)
				}
			}
		})
	}
}

// P3-EXT-03: a certificate that nobody has verified is nobody's.
func TestExternalNeedsAVerifiedCertificate(t *testing.T) {
	t.Run("none shown", func(t *testing.T) {
		srv, _ := newFullServer(three())
		c, _ := connectFull(t, srv, trusting(0))
		if list := c.announced(); strings.Contains(list, sasl.External) {
			t.Errorf("SASL %s", list)
		}
		c.talk("C: AUTH EXTERNAL =\nS: -ERR no verified client certificate on this connection\nC: AUTH EXTERNAL\nS: -ERR no verified ...")
	})
	t.Run("not verified", func(t *testing.T) {
		for _, ask := range []tls.ClientAuthType{tls.RequestClientCert, tls.RequireAnyClientCert} {
			srv, _ := newFullServer(three())
			srv.TLS.ClientAuth = ask
			c, _ := connectFull(t, srv, showing(0, "u"))
			if list := c.announced(); strings.Contains(list, sasl.External) {
				t.Errorf("%v: SASL %s", ask, list)
			}
			c.talk("C: AUTH EXTERNAL =\nS: -ERR no verified client certificate on this connection")
		}
	})
	t.Run("of somebody else", func(t *testing.T) {
		srv, log := newFullServer(three())
		c, _ := connectFull(t, srv, showing(0, "eve"))
		c.talk("C: AUTH EXTERNAL =\nS: -ERR [AUTH] login failed\nC: AUTH EXTERNAL dQ==\nS: -ERR [AUTH] login failed")
		if !strings.Contains(log.String(), "mechanism=EXTERNAL name=eve") {
			t.Errorf("log:\n%s", log)
		}
	})
	t.Run("no source", func(t *testing.T) {
		srv, _ := newFullServer(three())
		srv.Certificates = nil
		c, _ := connectFull(t, srv, showing(0, "u"))
		c.talk("C: AUTH EXTERNAL =\nS: -ERR mechanism not available")
	})
	t.Run("broken source", func(t *testing.T) {
		srv, log := newFullServer(three())
		c, _ := connectFull(t, srv, showing(0, "broken"))
		c.talk("C: AUTH EXTERNAL =\nS: -ERR [SYS/TEMP] internal error, try again later")
		if !strings.Contains(log.String(), "secret detail") {
			t.Errorf("log:\n%s", log)
		}
	})
	t.Run("in clear", func(t *testing.T) {
		srv, _ := newFullServer(three())
		connect(t, srv).talk("S: +OK ...\nC: AUTH EXTERNAL =\nS: -ERR TLS required, use STLS")
	})
}

// P3-EXT-01: whether clients are asked for certificates is the operator's word.
func TestCertificateIsAskedForOnlyIfConfigured(t *testing.T) {
	for _, ask := range []tls.ClientAuthType{tls.NoClientCert, tls.VerifyClientCertIfGiven} {
		srv, _ := newFullServer(three())
		srv.TLS.ClientAuth = ask
		asked := false
		config := trusting(0)
		config.GetClientCertificate = func(*tls.CertificateRequestInfo) (*tls.Certificate, error) {
			asked = true
			return new(tls.Certificate), nil
		}
		c, _ := connectFull(t, srv, config)
		c.talk("C: QUIT\nS: +OK ...")
		if want := ask != tls.NoClientCert; asked != want {
			t.Errorf("%v: asked %v", ask, asked)
		}
	}
}

// What accounts know of the client is new when TLS has begun.
func TestAccountsHearOfSTLS(t *testing.T) {
	srv, _ := newFullServer(three())
	c := connectTCP(t, srv)
	c.talk("S: +OK ...")
	c.want(c.enter(sasl.NewPlainClient("", "u", "wrong")), refused) // they have looked at it in clear
	c.talk("C: STLS\nS: +OK ...")
	state := c.handshake(showing(0, "u"))
	if list := c.announced(); list != allOf {
		t.Errorf("SASL %s", list)
	}
	c.want(c.enter(sasl.NewScramPlusClient(sasl.SHA256, exporterOf(t, state), "u", "p w")), welcome)
}

// A session of TLS that is resumed is still its owner's, and stays so.
func TestResumedSessionKeepsItsCertificate(t *testing.T) {
	for _, version := range []uint16{tls.VersionTLS12, tls.VersionTLS13} {
		t.Run(tls.VersionName(version), func(t *testing.T) {
			srv, _ := newFullServer(three())
			config := showing(version, "u")
			config.ClientSessionCache = tls.NewLRUClientSessionCache(1)
			for resumed := range 3 {
				c := connectTCP(t, srv)
				c.talk("S: +OK ...\nC: STLS\nS: +OK ...")
				state := c.handshake(config)
				if state.DidResume != (resumed > 0) {
					t.Fatalf("connection %d: resumed %v", resumed, state.DidResume)
				}
				c.talk("C: AUTH EXTERNAL =\nS: " + welcome + "\nC: QUIT\nS: +OK ...\n(close)")
			}
			// Without a certificate there is nothing to resume for others.
			config.Certificates = nil
			config.ClientSessionCache = nil
			c, _ := connectFull(t, srv, config)
			c.talk("C: AUTH EXTERNAL =\nS: -ERR no verified client certificate on this connection")
		})
	}
}
