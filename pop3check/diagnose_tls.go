package pop3check

import (
	"cmp"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"math"
	"net"
	"strings"
	"time"

	"postfach/pop3"
	"postfach/pop3client"
)

// TLSReport is what TLS is like.
type TLSReport struct {
	Version, Cipher string
	// Name is the one that the certificate must be for.
	Name  string
	Chain []Certificate // the server's own first, as it sent them
	// Days are whole days until the server's own expires.
	Days int
	// Pin is its SHA-256, to be copied.
	Pin string
	// Trusted: it may have a password. Problems say why not.
	Trusted  bool
	Problems []string

	causes []string // of Problems
}

// A Certificate is one of a chain.
type Certificate struct {
	Subject, Issuer     string
	Names               []string
	NotBefore, NotAfter time.Time
	SHA256              string
}

// tlsConfig takes any certificate: the report is to say all that is wrong with
// it, not only the first. certify judges it.
func (e *exam) tlsConfig() *tls.Config {
	conf := &tls.Config{}
	if e.x.q.TLS != nil {
		conf = e.x.q.TLS.Clone()
	}
	conf.ServerName = cmp.Or(conf.ServerName, e.can.Host)
	conf.InsecureSkipVerify = true
	conf.MinVersion = max(conf.MinVersion, tls.VersionTLS12)
	if len(conf.NextProtos) == 0 {
		conf.NextProtos = []string{pop3.ALPN}
	}
	return conf
}

// handshake makes TLS, and judges it.
func (e *exam) handshake() bool {
	e.begin()
	began := time.Now()
	if err := e.c.tryHandshake(e.tlsConfig()); err != nil {
		return e.tlsTrouble(err)
	}
	e.time("tls", began)
	e.can.progress = max(e.can.progress, reachedTLS)
	state := e.c.nc.(*tls.Conn).ConnectionState()
	report := e.certify(state)
	e.can.TLS = report
	e.p.note("%s, %s", report.Version, report.Cipher)
	e.done("tls")
	e.certificateFindings(report)
	return true
}

func (e *exam) certificateFindings(report *TLSReport) {
	wrong := make(map[string]string)
	for i, c := range report.causes {
		id := c
		switch c {
		case "certificate-expired", "certificate-early", "certificate-soon":
			id = "certificate-time"
		case "certificate-chain":
			id = "certificate-issuer"
		}
		wrong[id] = report.Problems[i]
	}
	ids := []string{"certificate-name", "certificate-time", "certificate-issuer"}
	if e.x.q.Pin != "" {
		ids = []string{"certificate-pin"}
	}
	for _, id := range ids {
		e.begin()
		if why := wrong[id]; why != "" {
			e.p.fail(strings.TrimSuffix(requirement(id).Rule, "."), "%s", why)
		} else {
			e.p.note("%s, %d days left", report.Chain[0].Subject, report.Days)
		}
		e.p.note1("# certificate of " + printable(report.Chain[0].Subject) + " by " + printable(report.Chain[0].Issuer))
		e.done(id)
	}
}

// certify says what is good and bad about a certificate.
func (e *exam) certify(state tls.ConnectionState) *TLSReport {
	r := &TLSReport{Version: tls.VersionName(state.Version), Cipher: tls.CipherSuiteName(state.CipherSuite), Name: e.tlsConfig().ServerName}
	leaf := state.PeerCertificates[0] // a server always sends one
	for _, c := range state.PeerCertificates {
		r.Chain = append(r.Chain, describeCertificate(c))
	}
	r.Pin = r.Chain[0].SHA256
	r.Days = int(math.Floor(leaf.NotAfter.Sub(e.x.now).Hours() / 24))
	problem := func(cause, text string, args ...any) {
		r.causes = append(r.causes, cause)
		r.Problems = append(r.Problems, printable(fmt.Sprintf(text, args...)))
	}
	if e.x.q.Pin != "" {
		if pin := plainHex(e.x.q.Pin); pin != r.Pin {
			problem("certificate-pin", "its SHA-256 is %s, the pin is %s", r.Pin, pin)
		}
		r.Trusted = len(r.Problems) == 0
		return r
	}
	if leaf.VerifyHostname(r.Name) != nil {
		problem("certificate-name", "it is for %s, not for %s", cmp.Or(strings.Join(r.Chain[0].Names, ", "), "no name"), r.Name)
	}
	switch left := leaf.NotAfter.Sub(e.x.now); {
	case left <= 0:
		problem("certificate-expired", "it expired on %s", leaf.NotAfter.UTC().Format(time.DateOnly))
	case e.x.now.Before(leaf.NotBefore):
		problem("certificate-early", "it begins on %s", leaf.NotBefore.UTC().Format(time.DateOnly))
	}
	if cause, text := e.chainTrouble(state); cause != "" {
		problem(cause, "%s", text)
	}
	r.Trusted = len(r.Problems) == 0
	if expiresSoon(leaf, e.x.now) && r.Trusted {
		problem("certificate-soon", "it expires on %s, in %d days", leaf.NotAfter.UTC().Format(time.DateOnly), r.Days)
	}
	return r
}

// expiresSoon reports whether a certificate should have been renewed by now: two weeks
// before its end, later if it lives for weeks only.
func expiresSoon(c *x509.Certificate, now time.Time) bool {
	return c.NotAfter.Sub(now) < min(14*24*time.Hour, c.NotAfter.Sub(c.NotBefore)/6)
}

// chainTrouble says what is wrong with a chain beside the name and the dates of
// the server's own certificate.
func (e *exam) chainTrouble(state tls.ConnectionState) (cause, text string) {
	leaf := state.PeerCertificates[0]
	opts := x509.VerifyOptions{CurrentTime: e.x.now, Intermediates: x509.NewCertPool()}
	if e.x.q.TLS != nil {
		opts.Roots = e.x.q.TLS.RootCAs
	}
	for _, c := range state.PeerCertificates[1:] {
		opts.Intermediates.AddCert(c)
	}
	if e.x.now.After(leaf.NotAfter) || e.x.now.Before(leaf.NotBefore) {
		opts.CurrentTime = leaf.NotAfter.Add(-time.Second) // its dates are another matter
	}
	_, err := leaf.Verify(opts)
	var unknown x509.UnknownAuthorityError
	switch {
	case err == nil:
		return "", ""
	case errors.As(err, &unknown) && len(state.PeerCertificates) == 1 && leaf.Issuer.String() == leaf.Subject.String():
		return "certificate-issuer", "it is signed by itself"
	case errors.As(err, &unknown) && len(state.PeerCertificates) == 1:
		return "certificate-issuer", fmt.Sprintf("%s, who signed it, is not trusted here, or the server forgets to send a certificate between", leaf.Issuer)
	case errors.As(err, &unknown):
		return "certificate-issuer", fmt.Sprintf("%s, who signed it, is not trusted here", state.PeerCertificates[len(state.PeerCertificates)-1].Issuer)
	}
	return "certificate-chain", err.Error()
}

func describeCertificate(c *x509.Certificate) Certificate {
	sum := sha256.Sum256(c.Raw)
	d := Certificate{
		Subject: printable(cmp.Or(c.Subject.CommonName, c.Subject.String())), Issuer: printable(c.Issuer.String()),
		NotBefore: c.NotBefore.UTC(), NotAfter: c.NotAfter.UTC(), SHA256: hex.EncodeToString(sum[:]),
	}
	for _, name := range c.DNSNames {
		d.Names = append(d.Names, printable(name))
	}
	for _, ip := range c.IPAddresses {
		d.Names = append(d.Names, ip.String())
	}
	if d.Subject == "" && len(d.Names) > 0 {
		d.Subject = d.Names[0]
	}
	return d
}

// plainHex takes the colons and spaces out of a fingerprint.
func plainHex(s string) string {
	return strings.ToLower(strings.NewReplacer(":", "", " ", "").Replace(s))
}

// tlsTrouble says why there is no TLS.
func (e *exam) tlsTrouble(err error) bool {
	var header tls.RecordHeaderError
	switch {
	case errors.As(err, &header) && e.can.Security == pop3client.ImplicitTLS:
		return e.inClear(header)
	case isTimeout(err):
		return e.broken("tls", "silent", "no answer to this side's beginning of TLS in %v", e.x.q.timeout())
	case strings.Contains(err.Error(), "protocol version") && e.oldTLS():
		return e.broken("tls", "tls-old", "%v", err)
	case strings.Contains(err.Error(), "no application protocol"):
		return e.broken("tls", "not-pop3", "TLS here is for other protocols than POP3: %v", err)
	case errors.Is(err, io.EOF):
		return e.broken("tls", "tls", "the server closes the connection instead of an answer")
	}
	return e.broken("tls", "tls", "%v", err)
}

// inClear finds out what speaks on a port without TLS.
func (e *exam) inClear(header tls.RecordHeaderError) bool {
	c := e.aside()
	defer c.close()
	line := string(header.RecordHeader[:])
	if !c.dead() {
		if first, _ := c.readLine(min(e.x.q.timeout(), hello)); first != "" {
			line = first
		}
	}
	e.p.status = ""
	if r, ok := parseReply(line); ok || strings.HasPrefix(line, "+OK") {
		return e.broken("tls", "plain-on-tls", "%q in clear", cmp.Or(r.String(), line))
	}
	return e.broken("tls", speaks(line), "%q in clear", line)
}

// answersTLS reports whether TLS comes about on this port from the first octet.
func (e *exam) answersTLS() bool {
	c, err := e.connTo(e.addr)
	if err != nil {
		return false
	}
	defer c.close()
	c.note("# another connection, with TLS from the first octet")
	return c.tryHandshake(e.tlsConfig()) == nil
}

// oldTLS reports whether TLS older than 1.2 comes about. Nothing is said in it.
func (e *exam) oldTLS() bool {
	c := e.aside()
	defer c.close()
	if e.can.Security == pop3client.RequireSTLS {
		c.reply()
		c.cmd("STLS")
	}
	if e.p.over() {
		return false
	}
	conf := e.tlsConfig()
	conf.MinVersion, conf.MaxVersion = tls.VersionTLS10, tls.VersionTLS11
	return c.tryHandshake(conf) == nil
}

// loopback reports whether what the connection carries stays on this machine.
func (e *exam) loopback() bool {
	_, isTCP := e.c.raw.RemoteAddr().(*net.TCPAddr)
	return isTCP && e.addr.Addr().IsLoopback()
}
