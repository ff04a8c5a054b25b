package pop3check

import (
	"bytes"
	"cmp"
	"crypto/hmac"
	"crypto/md5"
	"crypto/pbkdf2"
	"crypto/rand"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/sha512"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"hash"
	"regexp"
	"strconv"
	"strings"

	"postfach/sasl"
)

func scramChecks() []row {
	return []row{
		{"P3-SCRAM-01", Login, scramFlow},
		{"P3-SCRAM-03", Login, scramIterations},
		{"P3-SCRAM-04", Login, scramNonces},
		{"P3-SCRAM-06", Login, scramHeader},
		{"P3-SCRAM-07", Login, scramExtensions},
		{"P3-SCRAM-08", Login, scramNames},
		{"P3-SCRAM-09", Login, scramPrepares},
		{"P3-SCRAM-10", Clear, scramPlusInClear},
		{"P3-SCRAM-12", Login, scramDowngrade},
		{"P3-SCRAM-13", Login, scramExporterTaken},
		{"P3-SCRAM-14", Login, scramExporter},
		{"P3-SCRAM-15", Login, scramEndPoint},
		{"P3-SCRAM-16", Login, scramBindsOnce},
		{"P3-SCRAM-17", Login, scramWrongProof},
		{"P3-SCRAM-18", 0, scramUnknownUser},
	}
}

// A scramKind is a mechanism of the family.
type scramKind struct {
	name string
	hash func() hash.Hash
}

// scramOf returns the mechanism of the family that is announced, the zero value
// if none is.
func scramOf(p *probe) scramKind {
	switch {
	case p.offers("SCRAM-SHA-256"):
		return scramKind{"SCRAM-SHA-256", sha256.New}
	case p.offers("SCRAM-SHA-1"):
		return scramKind{"SCRAM-SHA-1", sha1.New}
	}
	return scramKind{}
}

func (p *probe) needsSCRAM() scramKind {
	m := scramOf(p)
	if m.name == "" {
		p.skip("the server announces no SCRAM")
	}
	return m
}

func (m scramKind) plus() scramKind {
	m.name += "-PLUS"
	return m
}

// A scramTry is what is said otherwise than a plain login says it.
type scramTry struct {
	header    string // GS2 header; "": "n,,"
	extension string // in front of n=
	name      string // as it is written; "": the account's
	tail      string // behind the client's nonce
	nonce     string // the client's; "": a fresh one
	password  string // "": the account's
	channel   string // what c= has: the header and binding data; "": the header
	spoil     bool   // the nonce in the last message is not the server's
}

// A scramTalk is what the server said.
type scramTalk struct {
	nonce  string // the client's
	first  string // server-first
	final  string // server-final
	signed bool   // server-final proves that the server knows the password
	reply  reply
}

// maxIterations bounds what the checker computes for a server.
const maxIterations = 10_000_000

// scram plays an exchange to its end.
func (c *conn) scram(m scramKind, try scramTry) (s scramTalk) {
	header := cmp.Or(try.header, "n,,")
	s.nonce = cmp.Or(try.nonce, rand.Text())
	bare := try.extension + "n=" + cmp.Or(try.name, c.scramName()) + ",r=" + s.nonce + try.tail
	challenge, r, more := c.begin(m.name)
	if s.reply = r; !more {
		return s
	}
	c.p.want(len(challenge) == 0, "an empty challenge", "%q", challenge)
	c.respond([]byte(header + bare))
	if challenge, s.reply, more = c.challenge(); !more {
		return s
	}
	s.first = string(challenge)
	if strings.HasPrefix(s.first, "e=") {
		c.respond(nil)
		s.reply = c.verdict()
		return s
	}
	nonce, salt, iterations, ok := s.parse()
	if !ok {
		c.p.skip("the server's first message has not nonce, salt and iterations: %q", s.first)
		return s
	}
	if try.spoil {
		nonce = nonce[:len(nonce)-1] + "~"
	}
	last := "c=" + encode(cmp.Or(try.channel, header)) + ",r=" + nonce
	password, err := sasl.PreparePassword(cmp.Or(try.password, c.p.t.Password))
	if err != nil {
		c.p.skip("the password: %v", err)
	}
	salted, err := pbkdf2.Key(m.hash, password, salt, iterations, m.hash().Size())
	if err != nil {
		c.p.skip("%v", err)
	}
	all := []byte(bare + "," + s.first + "," + last)
	c.respond([]byte(last + ",p=" + base64.StdEncoding.EncodeToString(m.proof(salted, all))))
	if challenge, s.reply, more = c.challenge(); !more {
		return s
	}
	s.final = string(challenge)
	signature := mac(m.hash, mac(m.hash, salted, []byte("Server Key")), all)
	s.signed = s.final == "v="+base64.StdEncoding.EncodeToString(signature)
	c.respond(nil)
	s.reply = c.verdict()
	return s
}

// proof is the client's.
func (m scramKind) proof(salted, all []byte) []byte {
	key := mac(m.hash, salted, []byte("Client Key"))
	stored := m.hash()
	stored.Write(key)
	for i, o := range mac(m.hash, stored.Sum(nil), all) {
		key[i] ^= o
	}
	return key
}

func mac(h func() hash.Hash, key, octets []byte) []byte {
	m := hmac.New(h, key)
	m.Write(octets)
	return m.Sum(nil)
}

// parse takes the server's first message apart.
func (s scramTalk) parse() (nonce string, salt []byte, iterations int, ok bool) {
	for _, field := range strings.Split(s.first, ",") {
		value := field[min(2, len(field)):]
		switch {
		case strings.HasPrefix(field, "r="):
			nonce = value
		case strings.HasPrefix(field, "s="):
			salt, _ = base64.StdEncoding.DecodeString(value)
		case strings.HasPrefix(field, "i="):
			iterations, _ = strconv.Atoi(value)
		}
	}
	return nonce, salt, iterations, nonce != "" && len(salt) > 0 && iterations > 0 && iterations <= maxIterations
}

// scramName is the account's name as SCRAM writes it.
func (c *conn) scramName() string {
	name, err := sasl.PrepareName(c.p.t.User)
	if err != nil {
		c.p.skip("the account's name: %v", err)
	}
	return strings.NewReplacer("=", "=3D", ",", "=2C").Replace(name)
}

// enterBySCRAM logs in, or skips the check: the server may not have what SCRAM
// needs for this account.
func (p *probe) enterBySCRAM(m scramKind, try scramTry) (*conn, scramTalk) {
	c := p.connect()
	c.guarded()
	var s scramTalk
	c.again(func() reply {
		s = c.scram(m, try)
		return s.reply
	})
	if !s.reply.ok {
		p.skip("could not log in with %s: %s", m.name, s.reply)
	}
	return c, s
}

// refusesSCRAM fails the check if the account is let in, in the words of what.
func (p *probe) refusesSCRAM(what string, m scramKind, try scramTry) {
	c := p.connect()
	c.guarded()
	s := c.scram(m, try)
	p.want(!s.reply.ok && !s.signed, "-ERR to "+what, "%s", s.reply)
	c.leave()
}

func scramFlow(p *probe) {
	m := p.needsSCRAM()
	c := p.connect()
	c.guarded()
	var s scramTalk
	r := c.again(func() reply {
		s = c.scram(m, scramTry{})
		return s.reply
	})
	if s.first != "" {
		order := regexp.MustCompile(`^r=[!-+\--~]+,s=[A-Za-z0-9+/]+={0,2},i=[1-9][0-9]*(,.+)?$`)
		p.want(order.MatchString(s.first), "r=, s= and i=, in this order", "%q", s.first)
	}
	p.want(!r.ok || s.signed, "v= with the server's signature before +OK", "no signature, or another one")
	if !r.ok {
		p.skip("could not log in with %s: %s", m.name, r)
	}
}

func scramIterations(p *probe) {
	m := p.needsSCRAM()
	_, s := p.enterBySCRAM(m, scramTry{})
	_, _, iterations, _ := s.parse()
	p.want(iterations >= 4096, "4096 iterations or more", "%d", iterations)
	p.note("%d iterations", iterations)
}

func scramNonces(p *probe) {
	m := p.needsSCRAM()
	own := rand.Text()
	c, s1 := p.enterBySCRAM(m, scramTry{nonce: own})
	c.leave()
	_, s2 := p.enterBySCRAM(m, scramTry{nonce: own})
	one, _, _, _ := s1.parse()
	two, _, _, _ := s2.parse()
	p.want(strings.HasPrefix(one, own) && len(one) > len(own), "a nonce that begins with the client's and is longer", "%q for %q", one, own)
	p.want(one != two, "a fresh nonce in each exchange", "%q twice", one)
	p.leave()
	p.refusesSCRAM("another nonce in the client's last message", m, scramTry{spoil: true})
}

func scramHeader(p *probe) {
	m := p.needsSCRAM()
	c, _ := p.enterBySCRAM(m, scramTry{})
	c.leave()
	p.refusesSCRAM("c= with another header than the one that was sent", m, scramTry{channel: "y,,"})
	p.refusesSCRAM(`a message that begins with neither "n", "y" nor "p="`, m, scramTry{header: "x,,"})
}

func scramExtensions(p *probe) {
	m := p.needsSCRAM()
	c, _ := p.enterBySCRAM(m, scramTry{})
	c.leave()
	p.refusesSCRAM("a mandatory extension, m=", m, scramTry{extension: "m=x,"})
	c = p.connect()
	r := c.again(func() reply { return c.scram(m, scramTry{tail: ",z=1"}).reply })
	p.want(r.ok, "an unknown optional attribute, z=1, to change nothing", "%s", r)
}

// scramNames spells the first octet of the account's name in hexadecimal, as
// only "," and "=" may be.
func scramNames(p *probe) {
	m := p.needsSCRAM()
	c, _ := p.enterBySCRAM(m, scramTry{})
	name := c.scramName()
	c.leave()
	p.refusesSCRAM(`a name with "=" that is neither =2C nor =3D`, m, scramTry{name: "=" + strings.ToUpper(hexOctet(name)) + name[min(1, len(name)):]})
	p.refusesSCRAM(`the name "a=b"`, m, scramTry{name: "a=b"})
}

// scramPrepares puts into the name what SASLprep forbids, and who does not
// prepare refuses: nobody may take it for the account's. What preparation makes
// of passwords needs an account whose password it changes.
func scramPrepares(p *probe) {
	m := p.needsSCRAM()
	c, _ := p.enterBySCRAM(m, scramTry{})
	name := c.scramName()
	c.leave()
	for _, forbidden := range []struct{ what, octets string }{{"U+0007", "\x07"}, {"U+E000", "\ue000"}, {"an octet that is no UTF-8", "\xff"}} {
		p.refusesSCRAM("a name with "+forbidden.what, m, scramTry{name: name + forbidden.octets})
	}
}

func hexOctet(s string) string {
	if s == "" {
		return "00"
	}
	const digits = "0123456789abcdef"
	return string([]byte{digits[s[0]>>4], digits[s[0]&15]})
}

func scramPlusInClear(p *probe) {
	c := p.clear()
	capa, _ := c.capa()
	for _, name := range upper(capa.Mechanisms()) {
		p.want(!strings.HasSuffix(name, "-PLUS"), "no channel binding announced without TLS", "%s", name)
	}
}

func scramDowngrade(p *probe) {
	m := p.needsSCRAM()
	c, _ := p.enterBySCRAM(m, scramTry{})
	c.leave()
	p.refusesSCRAM("a channel binding of an unknown type", m, scramTry{header: "p=postfach-none,,"})
	if p.offers(m.plus().name) {
		p.refusesSCRAM("the flag y, although the server does support channel binding", m, scramTry{header: "y,,"})
		p.refusesSCRAM("a channel binding of an unknown type", m.plus(), scramTry{header: "p=postfach-none,,"})
	}
}

// bound plays the -PLUS mechanism with channel binding data of the connection.
func (p *probe) bound(kind string, data func(tls.ConnectionState) []byte) (s scramTalk) {
	m := p.needsSCRAM().plus()
	p.needsMechanism(m.name)
	c := p.connect()
	c.guarded()
	tc, ok := c.nc.(*tls.Conn)
	if !ok {
		p.skip("there is no TLS to bind to")
		return s
	}
	binding := data(tc.ConnectionState())
	if binding == nil {
		p.skip("this connection has no %s", kind)
	}
	header := "p=" + kind + ",,"
	c.again(func() reply {
		s = c.scram(m, scramTry{header: header, channel: header + string(binding)})
		return s.reply
	})
	c.leave()
	return s
}

// exported is the binding data of tls-exporter (RFC 9266).
func exported(state tls.ConnectionState) []byte {
	return exporting("EXPORTER-Channel-Binding", 32)(state)
}

// exporting exports octets from TLS 1.3.
func exporting(label string, length int) func(tls.ConnectionState) []byte {
	return func(state tls.ConnectionState) []byte {
		if state.Version != tls.VersionTLS13 {
			return nil
		}
		octets, err := state.ExportKeyingMaterial(label, []byte{}, length)
		if err != nil {
			return nil
		}
		return octets
	}
}

// scramExporterTaken: a server may refuse a type that it does not have at the
// first message or at the last one (RFC 5802 section 6).
func scramExporterTaken(p *probe) {
	s := p.bound("tls-exporter", exported)
	if s.reply.ok || p.over() {
		return
	}
	c, _ := p.enterBySCRAM(scramOf(p), scramTry{}) // else it is not the binding
	c.leave()
	p.fail("tls-exporter taken with TLS 1.3, where "+scramOf(p).plus().name+" is announced", "%s", s.reply)
}

// scramExporter: that the right data is refused is P3-SCRAM-13's. What another
// computation lets in was computed so.
func scramExporter(p *probe) {
	p.boundOnlyBy("tls-exporter", exported, []wrongBinding{
		{"with the label in lower case", exporting("EXPORTER-channel-binding", 32)},
		{"with 12 octets", exporting("EXPORTER-Channel-Binding", 12)},
		{"with 64 octets", exporting("EXPORTER-Channel-Binding", 64)},
		{"with none", func(tls.ConnectionState) []byte { return []byte{} }},
	})
}

// scramEndPoint: that the right data is refused may mean that the server does
// not have this type.
func scramEndPoint(p *probe) {
	p.boundOnlyBy("tls-server-end-point", endPoint, []wrongBinding{
		{"by SHA-1", hashed(sha1.New)},
		{"by MD5", hashed(md5.New)},
		{"by SHA-256", hashed(sha256.New)},
		{"by SHA-512", hashed(sha512.New)},
		{"by nothing", func(tls.ConnectionState) []byte { return []byte{} }},
	})
}

// A wrongBinding computes channel binding data otherwise.
type wrongBinding struct {
	how  string
	data func(tls.ConnectionState) []byte
}

// boundOnlyBy fails the check when data is taken that was computed otherwise:
// some of it, where the right data is taken, too.
func (p *probe) boundOnlyBy(kind string, right func(tls.ConnectionState) []byte, others []wrongBinding) {
	s := p.bound(kind, right)
	if s.reply.ok {
		others = others[:1]
	}
	for _, other := range others {
		if p.over() {
			return
		}
		same := false
		wrong := p.bound(kind, func(state tls.ConnectionState) []byte {
			data := other.data(state)
			same = bytes.Equal(data, right(state))
			return data
		})
		p.want(same || !wrong.reply.ok, "no channel binding data but the right one", "+OK to data made %s", other.how)
	}
	if !s.reply.ok {
		p.skip("the server refuses %s with the right data, and with wrong data, too: %s", kind, s.reply)
	}
}

// hashed is the certificate's hash.
func hashed(newHash func() hash.Hash) func(tls.ConnectionState) []byte {
	return func(state tls.ConnectionState) []byte {
		if len(state.PeerCertificates) == 0 {
			return nil
		}
		h := newHash()
		h.Write(state.PeerCertificates[0].Raw)
		return h.Sum(nil)
	}
}

// scramBindsOnce logs in with channel binding and begins again.
func scramBindsOnce(p *probe) {
	plus := p.needsSCRAM().plus()
	p.needsMechanism(plus.name)
	c := p.connect()
	c.guarded()
	header, binding := c.anyBinding()
	r := c.again(func() reply { return c.scram(plus, scramTry{header: header, channel: header + binding}).reply })
	if !r.ok {
		p.skip("could not log in with %s: %s", plus.name, r)
	}
	_, r, more := c.begin(plus.name)
	p.want(!more && !r.ok, "-ERR to a second channel binding of one connection", "%s", heardInstead(r, more))
}

// anyBinding returns a GS2 header and the data of its binding: tls-exporter
// where there is TLS 1.3, as RFC 9266 wants it.
func (c *conn) anyBinding() (header, data string) {
	tc, ok := c.nc.(*tls.Conn)
	if !ok {
		c.p.skip("there is no TLS to bind to")
		return "", ""
	}
	state := tc.ConnectionState()
	if octets := exported(state); octets != nil {
		return "p=tls-exporter,,", string(octets)
	}
	octets := endPoint(state)
	if octets == nil {
		c.p.skip("this connection has no channel binding that the checker knows")
	}
	return "p=tls-server-end-point,,", string(octets)
}

// endPoint is the binding data of tls-server-end-point (RFC 5929 section 4.1),
// nil where it is not defined.
func endPoint(state tls.ConnectionState) []byte {
	if len(state.PeerCertificates) == 0 {
		return nil
	}
	cert := state.PeerCertificates[0]
	h := sha256.New()
	switch cert.SignatureAlgorithm {
	case x509.SHA384WithRSA, x509.ECDSAWithSHA384, x509.SHA384WithRSAPSS:
		h = sha512.New384()
	case x509.SHA512WithRSA, x509.ECDSAWithSHA512, x509.SHA512WithRSAPSS:
		h = sha512.New()
	case x509.PureEd25519, x509.UnknownSignatureAlgorithm:
		return nil
	}
	h.Write(cert.Raw)
	return h.Sum(nil)
}

// scramWrongProof: with e= or without, a wrong proof ends with -ERR.
func scramWrongProof(p *probe) {
	m := p.needsSCRAM()
	c := p.connect()
	c.guarded()
	s := c.scram(m, scramTry{password: wrongPassword})
	p.want(!s.reply.ok, "-ERR to a wrong proof", "%s", s.reply)
	p.want(s.final == "" || strings.HasPrefix(s.final, "e="), "e= in what the server sends before -ERR", "%.2q and more", s.final)
}

func scramUnknownUser(p *probe) {
	m := p.needsSCRAM()
	first := func() (s scramTalk) {
		c := p.connect()
		if challenge := c.challenged(m.name); len(challenge) > 0 || p.over() {
			return s
		}
		c.respond([]byte("n,,n=" + nobody + ",r=" + rand.Text()))
		challenge, r, more := c.challenge()
		p.want(more, "a first message for an unknown user, too", "%s", r)
		c.cancel()
		return scramTalk{first: string(challenge)}
	}
	_, salt, i1, ok := first().parse()
	_, again, i2, _ := first().parse()
	p.want(ok && bytes.Equal(salt, again), "the same salt for the same unknown user", "%x and %x", salt, again)
	p.want(i1 == i2, "the same number of iterations for the same unknown user", "%d and %d", i1, i2)
}

// scramUnchecked says why rules of P3-SCRAM are no checks.
func scramUnchecked() map[string]string {
	return map[string]string{
		"P3-SCRAM-02": "what a server implements and its operator does not offer is not visible",
	}
}
