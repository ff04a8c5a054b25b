package pop3check

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"math/big"
	"slices"
	"time"

	"postfach/pop3"
	"postfach/pop3client"
)

func externalChecks() []row {
	return []row{
		{"P3-EXT-01", 0, certificateRequested},
		{"P3-EXT-02", 0, certificateIsNoLogin},
		{"P3-EXT-03", 0, externalWithout},
	}
}

// withoutCertificate is the target's configuration with no certificate of the
// client's own. asked becomes true when the server wants one.
func (p *probe) withoutCertificate(asked *bool) *tls.Config {
	conf := p.t.tlsConfig()
	conf.Certificates = nil
	conf.GetClientCertificate = func(*tls.CertificateRequestInfo) (*tls.Certificate, error) {
		*asked = true
		return new(tls.Certificate), nil
	}
	return conf
}

// certificateRequested: whoever shows none need not be offered EXTERNAL, so a
// server that asks is shown one.
func certificateRequested(p *probe) {
	asked := false
	p.secureWith(p.withoutCertificate(&asked))
	if p.over() || !asked {
		return
	}
	capa, _ := p.secureWith(p.withCertificate()).capa()
	if p.status == Fail {
		p.skipInstead("the server asks for a client certificate and does not take the checker's")
	}
	p.want(slices.Contains(upper(capa.Mechanisms()), "EXTERNAL"),
		"a request for a client certificate only where AUTH EXTERNAL can use it", "a request, and SASL %v", capa.Mechanisms())
}

// withCertificate is the target's configuration with a certificate of the
// client's: the target's, or one that nobody signed.
func (p *probe) withCertificate() *tls.Config {
	conf := p.t.tlsConfig()
	if len(conf.Certificates) == 0 && conf.GetClientCertificate == nil {
		cert, err := ownCertificate()
		if err != nil {
			p.skip("no certificate could be made: %v", err)
		}
		conf.GetClientCertificate = func(*tls.CertificateRequestInfo) (*tls.Certificate, error) { return cert, nil }
	}
	return conf
}

// certificateIsNoLogin shows the target's certificate, or one that nobody
// signed, to a server that asks for one.
func certificateIsNoLogin(p *probe) {
	c := p.secureWith(p.withCertificate())
	if p.status == Fail {
		p.skipInstead("the server does not trust the checker's certificate")
	}
	c.mayEnd = true // at the certificate
	c.no("STAT")
}

// ownCertificate makes a client certificate that is signed by itself.
func ownCertificate() (*tls.Certificate, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	now := time.Now()
	template := &x509.Certificate{
		SerialNumber: big.NewInt(now.UnixNano()), Subject: pkix.Name{CommonName: nobody},
		NotBefore: now.Add(-time.Hour), NotAfter: now.Add(time.Hour),
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth},
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	return &tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}, err
}

// externalWithout tries EXTERNAL where nothing outside says who the client is.
func externalWithout(p *probe) {
	var c *conn
	if p.t.Security == pop3client.Cleartext && !p.b.survey.clear.Has(pop3.CapSTLS) {
		c = p.clear()
	} else {
		asked := false
		c = p.secureWith(p.withoutCertificate(&asked))
	}
	_, r, more := c.begin("EXTERNAL =")
	if more { // the server asks again for what was there
		c.respond(nil)
		r = c.verdict()
	}
	p.want(!r.ok, "-ERR to AUTH EXTERNAL without a certificate", "%s", r)
}

// externalUnchecked says why rules of P3-EXT are no checks.
func externalUnchecked() map[string]string { return nil }
