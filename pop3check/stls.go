package pop3check

import (
	"crypto/tls"
	"net"

	"postfach/pop3"
	"postfach/pop3client"
)

func stlsChecks() []row {
	return []row{
		{"P3-TLS-01", beginning, implicitTLS},
		{"P3-TLS-02", 0, tlsVersions},
		{"P3-TLS-03", Login, stlsState},
		{"P3-TLS-04", 0, stlsTwice},
		{"P3-TLS-06", STLS, stlsInjection},
		{"P3-TLS-09", STLS | Login, stlsForgets},
		{"P3-TLS-10", STLS, stlsFailed},
		{"P3-TLS-11", STLS, authNothingInClear},
		{"P3-TLS-12", STLS, stlsWorks},
		{"P3-TLS-17", 0, closeNotify},
		{"P3-TLS-23", 0, alpn},
		{"P3-TLS-24", 0, certificateValid},
	}
}

// toTLS connects up to the point where the handshake begins. A target in clear
// is asked for STLS.
func (p *probe) toTLS() *conn {
	if p.t.Security == pop3client.Cleartext && !p.b.survey.clear.Has(pop3.CapSTLS) {
		p.skip("the server does not announce STLS")
	}
	if p.over() {
		return p.dial()
	}
	c := p.dial()
	if p.t.Security != pop3client.ImplicitTLS {
		c.greeting = c.reply()
		c.ok("STLS")
	}
	p.skipInstead("no way to TLS")
	return c
}

// tryTLS connects with TLS, up to the handshake.
func (p *probe) tryTLS(conf *tls.Config) (*conn, error) {
	c := p.toTLS()
	return c, c.tryHandshake(conf)
}

// secureWith connects with TLS and this configuration. Where the target is to
// be judged in clear, a failure of TLS is not what the check is about.
func (p *probe) secureWith(conf *tls.Config) *conn {
	c, err := p.tryTLS(conf)
	if err != nil {
		p.fail("a TLS handshake", "%v", err)
		if p.t.Security == pop3client.Cleartext {
			p.skipInstead("no TLS by STLS")
		}
		return c
	}
	if p.t.Security == pop3client.ImplicitTLS {
		c.mayEnd = true // TLS 1.3: a refused certificate shows here
		c.greeting = c.reply()
		c.mayEnd = false
		p.want(!c.closed, "a greeting", "the connection's end")
	}
	return c
}

// secure connects with TLS, by STLS where the target is to be judged in clear.
func (p *probe) secure() *conn { return p.secureWith(p.t.tlsConfig()) }

// anyCertificate is the target's configuration without a look at the
// certificate, for checks that say nothing secret.
func (p *probe) anyCertificate() *tls.Config {
	conf := p.t.tlsConfig()
	conf.InsecureSkipVerify = true
	return conf
}

func implicitTLS(p *probe) {
	if p.t.Security != pop3client.ImplicitTLS {
		p.skip("the connection is not TLS from its first octet")
	}
	c := p.dial()
	err := c.tryHandshake(p.anyCertificate())
	p.want(err == nil, "a TLS handshake", "%v", err)
	c.greeting = c.reply()
	p.want(c.greeting.ok, "a greeting in TLS", "%s", c.greeting)
	c.leave()
	c = p.dial()
	c.heardInClear()
}

// heardInClear sends commands where a handshake should begin: nobody may obey.
func (c *conn) heardInClear() {
	c.mayEnd = true
	c.send("CAPA\r\nCAPA\r\n")
	line, _ := c.atEnd(c.p.t.quiet())
	_, isReply := parseReply(line)
	c.p.want(!isReply, "no reply in clear where TLS should begin", "%q", line)
}

// tlsVersions tries one version at a time, with all ciphers that the checker
// has. SSL 2 and 3 it does not have.
func tlsVersions(p *probe) {
	negotiates := func(version uint16) error {
		conf := p.anyCertificate()
		conf.MinVersion, conf.MaxVersion = version, version
		for _, suites := range [][]*tls.CipherSuite{tls.CipherSuites(), tls.InsecureCipherSuites()} {
			for _, s := range suites {
				conf.CipherSuites = append(conf.CipherSuites, s.ID)
			}
		}
		c, err := p.tryTLS(conf)
		c.close()
		return err
	}
	err := negotiates(tls.VersionTLS12)
	p.want(err == nil, "TLS 1.2", "%v", err)
	for _, old := range []uint16{tls.VersionTLS11, tls.VersionTLS10} {
		p.want(p.over() || negotiates(old) != nil, "no "+tls.VersionName(old), "it is negotiated")
	}
	if err := negotiates(tls.VersionTLS13); err != nil {
		p.note("no TLS 1.3, which there SHOULD be: %v", err)
	}
}

func stlsState(p *probe) {
	c := p.enter()
	c.no("STLS")
	c.ok("NOOP")
	c.leave()
	if p.t.Security == pop3client.ImplicitTLS || !p.b.survey.clear.Has(pop3.CapSTLS) {
		return
	}
	c = p.secure()
	c.no("STAT")
	c.ok("CAPA")
	c.body()
}

func stlsTwice(p *probe) {
	c := p.secureWith(p.anyCertificate())
	c.no("STLS")
	c.mayEnd = true
	c.ok("QUIT")
}

// stlsInjection sends octets in clear behind STLS: none may count inside TLS.
func stlsInjection(p *probe) {
	// A command in the segment of STLS, or in the next one.
	for _, segments := range [][2]string{{"STLS\r\nCAPA\r\n", ""}, {"STLS\r\n", "CAPA\r\n"}} {
		c := p.injected(segments[0], segments[1])
		line, closed := c.atEnd(p.t.quiet())
		p.want(line == "", "no reply inside TLS to what came in clear", "%q", line)
		if !closed {
			c.ok("CAPA")
			c.body()
		}
	}
	// Half a command, and the other half inside TLS.
	for _, segments := range [][2]string{{"STLS\r\nCA", ""}, {"STLS\r\n", "CA"}} {
		if c := p.injected(segments[0], segments[1]); !c.dead() {
			c.mayEnd = true
			r := c.cmd("PA")
			p.want(!r.ok, "half a command from before TLS forgotten", "+OK to its other half")
		}
	}
}

// injected sends segments around the reply to STLS, and begins TLS. The
// connection is closed where the server wants no more of it, as is best.
func (p *probe) injected(first, second string) *conn {
	c := p.clear()
	c.mayEnd = true
	c.send(first)
	r := c.reply()
	if !r.ok {
		c.close()
		return c
	}
	if second != "" {
		c.send(second)
	}
	if c.tryHandshake(p.anyCertificate()) != nil {
		c.close()
	}
	c.mayEnd = false
	return c
}

// stlsForgets gives the name in clear and the password inside TLS.
func stlsForgets(p *probe) {
	c := p.clear()
	c.guarded()
	if r := c.cmd("USER %s", p.t.User); !r.ok && !p.over() {
		p.skip("USER is refused in clear: %s", r)
	}
	c.stls()
	p.skipInstead("no TLS by STLS")
	r := c.cmd("PASS %s", p.t.Password)
	p.want(!r.ok && !r.code.Is(pop3.CodeInUse), "the name from before TLS forgotten", "%s", r)
}

// stlsFailed goes on in clear where the handshake should begin.
func stlsFailed(p *probe) {
	c := p.clear()
	c.ok("STLS")
	c.heardInClear()
}

func stlsWorks(p *probe) {
	c := p.clear()
	c.ok("STLS")
	err := c.tryHandshake(p.anyCertificate())
	p.want(err == nil, "a TLS handshake, for STLS is announced", "%v", err)
}

// closeNotify ends a session of TLS 1.2, where one sees which records are
// alerts: crypto/tls does not tell an end with close_notify from one without.
func closeNotify(p *probe) {
	c := p.toTLS()
	watch := &alertWatch{Conn: c.raw}
	conf := p.anyCertificate()
	conf.MaxVersion = tls.VersionTLS12
	if c.dead() {
		return
	}
	c.raw = watch
	if err := c.tryHandshake(conf); err != nil {
		p.skip("no TLS 1.2: %v", err)
	}
	if p.t.Security == pop3client.ImplicitTLS {
		c.greeting = c.reply()
	}
	c.ok("QUIT")
	c.ends("the server to close the connection after QUIT", p.t.timeout())
	p.want(watch.alerts > 0, "close_notify before the connection's end", "no alert")
}

// An alertWatch counts the records with alerts that a connection receives.
type alertWatch struct {
	net.Conn
	header []byte // of the next record, as far as it came
	left   int    // octets of the record that are still to come
	alerts int
}

func (w *alertWatch) Read(p []byte) (int, error) {
	const headerLength, alert = 5, 21
	n, err := w.Conn.Read(p)
	for rest := p[:n]; len(rest) > 0; {
		if w.left > 0 {
			skip := min(w.left, len(rest))
			w.left, rest = w.left-skip, rest[skip:]
			continue
		}
		w.header, rest = append(w.header, rest[0]), rest[1:]
		if len(w.header) < headerLength {
			continue
		}
		if w.header[0] == alert {
			w.alerts++
		}
		w.left, w.header = int(w.header[3])<<8|int(w.header[4]), nil
	}
	return n, err
}

func alpn(p *probe) {
	offer := func(protocols ...string) error {
		conf := p.anyCertificate()
		conf.NextProtos = protocols
		c, err := p.tryTLS(conf)
		c.close()
		return err
	}
	err := offer(pop3.ALPN)
	p.want(err == nil, "a handshake with ALPN pop3", "%v", err)
	err = offer()
	p.want(err == nil, "a handshake without ALPN", "%v", err)
	p.want(p.over() || offer("h2") != nil, "no handshake with a client that speaks HTTP/2 only", "one")
}

// certificateValid verifies chain, name and dates as the target is configured
// to. Where all connections are made so, the run ends before this check.
func certificateValid(p *probe) {
	conf := p.t.tlsConfig()
	_, err := p.tryTLS(conf)
	p.want(err == nil, "a certificate that is valid for the server's name", "%v", err)
	p.note("valid for %s", conf.ServerName)
}

// stlsUnchecked says why rules of P3-TLS are no checks.
func stlsUnchecked() map[string]string {
	return map[string]string{
		"P3-TLS-16": "needs the names of two domains that the provider serves on one address",
		"P3-TLS-21": "a server's log is not on the wire",
		"P3-TLS-22": "the client's part; to the server it is a permission",
	}
}
