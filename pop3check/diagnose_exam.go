package pop3check

import (
	"cmp"
	"context"
	"crypto/rand"
	"errors"
	"io"
	"net"
	"net/netip"
	"os"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"time"

	"postfach/pop3"
	"postfach/pop3client"
)

// An exam is one connection to a candidate. Each step has a probe of its own:
// its trace is what the step's finding shows.
type exam struct {
	x    *course
	ctx  context.Context
	can  *Candidate
	addr netip.AddrPort // that took the connection
	p    *probe
	c    *conn

	noCapa bool // the server hangs up when it hears CAPA
	silent bool // the steps leave no findings: it is not the first time
}

// How far a candidate got.
const (
	reachedName = iota + 1
	reachedConnect
	reachedTalk
	reachedTLS
	reachedCertificate
)

// examine tries a candidate, up to the login.
func (x *course) examine(ctx context.Context, can *Candidate) {
	if can == nil {
		return
	}
	e := &exam{x: x, ctx: ctx, can: can}
	defer e.leave()
	if !e.connect() {
		return
	}
	if !e.talk() {
		return
	}
	can.Works = true
	can.Outcome = "answers as POP3 servers do"
	can.Secure = can.Security == pop3client.Cleartext || can.TLS != nil && can.TLS.Trusted
	if !can.Secure {
		can.Outcome = "answers, but its certificate cannot be trusted"
		can.progress = reachedCertificate
	}
	if can.Security != pop3client.ImplicitTLS {
		e.cleartextLogin()
	}
	if can.Security == pop3client.RequireSTLS {
		e.keepsClear()
	}
}

// begin begins a step.
func (e *exam) begin() {
	e.p = &probe{ctx: e.ctx, t: e.target()}
	if e.c != nil {
		e.c.p = e.p
	}
}

func (e *exam) target() *Target {
	return &Target{Addr: e.can.Addr(), Security: e.can.Security, Timeout: e.x.q.timeout()}
}

// done ends a step, with a finding, and reports whether all was well.
func (e *exam) done(id string) bool {
	r := e.p.result(requirement(id))
	r.Got = cut(r.Got)
	r.Trace = append([]string{"# " + e.can.Addr() + ", " + e.can.How()}, r.Trace...)
	if !e.silent {
		e.can.findings = append(e.can.findings, r)
	}
	if r.Status == Fail {
		e.can.trace = r.Trace
	}
	return r.Status != Fail
}

// broken ends a step that ends the examination, and says why.
func (e *exam) broken(id, why, got string, args ...any) bool {
	e.p.fail(strings.TrimSuffix(requirement(id).Rule, "."), got, args...)
	if len(e.p.trace) == 0 {
		e.p.note1("# " + printable(e.p.got)) // there was no conversation
	}
	e.can.cause = why
	e.can.Outcome = e.x.fill(causes()[why].says, e.can)
	return e.done(id)
}

// time notes how long something took.
func (e *exam) time(name string, since time.Time) {
	if !e.silent {
		e.can.Phases = append(e.can.Phases, Phase{name, time.Since(since)})
	}
}

// resolved is what the name service said about a host.
type resolved struct {
	ips  []netip.Addr
	err  error
	time time.Duration
}

// maxAddresses bounds how many addresses of a host are tried.
const maxAddresses = 8

func (x *course) resolve(ctx context.Context, host string) *resolved {
	if r := x.names[host]; r != nil {
		return r
	}
	began := time.Now()
	r := new(resolved)
	if ip, err := netip.ParseAddr(host); err == nil {
		r.ips = []netip.Addr{ip}
	} else {
		ctx, cancel := context.WithTimeout(ctx, lookupTime(x.q))
		defer cancel()
		r.ips, r.err = x.q.resolver().LookupNetIP(ctx, "ip", host)
	}
	r.ips = r.ips[:min(len(r.ips), maxAddresses)]
	for i, ip := range r.ips {
		r.ips[i] = ip.Unmap()
	}
	r.time = time.Since(began)
	if x.names == nil {
		x.names = make(map[string]*resolved)
	}
	x.names[host] = r
	return r
}

// connect makes the network connection, to the first address that takes it.
func (e *exam) connect() bool {
	e.begin()
	name := e.x.resolve(e.ctx, e.can.Host)
	if !e.silent {
		e.can.Phases = append(e.can.Phases, Phase{"name", name.time})
	}
	if name.err != nil || len(name.ips) == 0 {
		return e.nameTrouble(name.err)
	}
	e.can.progress = max(e.can.progress, reachedName)
	var worst error
	for _, ip := range name.ips {
		began := time.Now()
		err := e.dial(netip.AddrPortFrom(ip, uint16(e.can.Port)))
		if err == nil {
			e.time("connect", began)
			e.reached(ip, "connected")
			e.can.progress = max(e.can.progress, reachedConnect)
			e.p.note("%s took %v", e.addr, time.Since(began).Round(time.Microsecond))
			return e.done("connect") && e.others(worst)
		}
		e.reached(ip, e.x.fill(causes()[dialCause(err)].says, e.can))
		if worst == nil || dialCause(err) == "port-refused" {
			worst = err
		}
	}
	return e.broken("connect", dialCause(worst), "%v", worst)
}

// others notes that addresses before the one that works do not.
func (e *exam) others(worst error) bool {
	if worst != nil {
		e.begin()
		e.p.fail("the first address to work", "%v", worst)
		e.done("addresses")
	}
	return true
}

func (e *exam) reached(ip netip.Addr, outcome string) {
	if !e.silent {
		e.can.Addresses = append(e.can.Addresses, Address{ip, outcome})
	}
}

func (e *exam) nameTrouble(err error) bool {
	var dns *net.DNSError
	if err == nil || errors.As(err, &dns) && dns.IsNotFound {
		return e.broken("name", "name-unknown", "the name service knows no address of %s", e.can.Host)
	}
	return e.broken("name", "name-lookup", "%s", nameTrouble(err))
}

// dialCause says why there is no connection.
func dialCause(err error) string {
	switch {
	case errors.Is(err, context.Canceled):
		return "interrupted"
	case errors.Is(err, syscall.ECONNREFUSED):
		return "port-refused"
	case errors.Is(err, os.ErrDeadlineExceeded), errors.Is(err, context.DeadlineExceeded), isTimeout(err):
		return "port-filtered"
	case errors.Is(err, syscall.EHOSTUNREACH), errors.Is(err, syscall.ENETUNREACH):
		return "unreachable"
	}
	return "connect"
}

// dialTime bounds how long one address may take: there may be others.
func (e *exam) dialTime() time.Duration {
	longest := 10 * time.Second
	if e.x.where.port == 0 && len(e.x.d.Candidates) > 1 && e.x.d.Candidates[0].Works {
		longest = 3 * time.Second // something works already
	}
	return min(e.x.q.timeout(), longest)
}

// dial connects e to an address.
func (e *exam) dial(addr netip.AddrPort) error {
	c, err := e.connTo(addr)
	if err == nil {
		e.c, e.addr = c, addr
	}
	return err
}

func (e *exam) connTo(addr netip.AddrPort) (*conn, error) {
	ctx, cancel := context.WithTimeout(e.ctx, e.dialTime())
	defer cancel()
	dial := e.x.q.DialContext
	if dial == nil {
		dial = new(net.Dialer).DialContext
	}
	nc, err := dial(ctx, "tcp", addr.String())
	if err != nil {
		return nil, err
	}
	stop := context.AfterFunc(e.ctx, func() { nc.Close() })
	c := &conn{p: e.p, raw: &budgetConn{Conn: nc, left: talkBudget, stop: stop}, numbers: make(map[string]int)}
	c.use(c.raw)
	return c, nil
}

// How much a connection may bring, in octets: talkBudget in first lines and
// before the login, listBudget in a listing or a message, which is room for a
// million messages.
const (
	talkBudget = 4 << 20
	listBudget = 128 << 20
)

// allow lets the connection bring so many octets from now on.
func (e *exam) allow(octets int64) {
	if b, ok := e.c.raw.(*budgetConn); ok {
		b.left = octets
	}
}

// A budgetConn ends when it has brought too much, or the diagnosis is
// interrupted.
type budgetConn struct {
	net.Conn
	left int64
	stop func() bool // ends the waiting for an interruption
}

var errTooMuch = errors.New("too many octets came")

func (c *budgetConn) Close() error {
	c.stop()
	return c.Conn.Close()
}

func (c *budgetConn) Read(p []byte) (int, error) {
	if c.left <= 0 {
		return 0, errTooMuch
	}
	n, err := c.Conn.Read(p[:min(int64(len(p)), c.left)])
	c.left -= int64(n)
	return n, err
}

// leave ends the connection: with QUIT, unless it is no POP3 server that would
// hear that.
func (e *exam) leave() {
	if e.c == nil {
		return
	}
	e.begin()
	if e.can.progress < reachedTalk || e.can.cause != "" && e.can.Mechanism == "" {
		e.c.close()
	}
	e.c.leave()
	e.c = nil
}

// aside opens another connection to the same address, up to the greeting, for
// something that the first one would not survive. The caller leaves it.
func (e *exam) aside() *conn {
	c, err := e.connTo(e.addr)
	if err != nil {
		e.p.skip("no second connection: %v", err)
		return &conn{p: e.p}
	}
	c.note("# another connection")
	return c
}

// talk brings the connection to the AUTHORIZATION state, with TLS and CAPA.
func (e *exam) talk() bool {
	ok := e.tryTalk()
	if ok || !e.noCapa || e.can.cause != "" {
		return ok
	}
	// CAPA made the server hang up: once more, without.
	e.c.close()
	e.begin()
	if e.dial(e.addr) != nil {
		return e.broken("connect", "hangup", "no second connection")
	}
	was := e.silent
	e.silent = true
	defer func() { e.silent = was }()
	return e.tryTalk()
}

func (e *exam) tryTalk() bool {
	if e.can.Security == pop3client.ImplicitTLS {
		if !e.handshake() {
			return false
		}
		return e.greet() && e.askCapa(&e.can.InTLS)
	}
	if !e.greet() || !e.askCapa(&e.can.Clear) {
		return false
	}
	if e.can.Security == pop3client.Cleartext {
		return true
	}
	return e.stls() && e.askCapa(&e.can.InTLS)
}

// hello bounds how long a greeting is awaited before other explanations are
// looked for.
const hello = 5 * time.Second

// greet reads the greeting.
func (e *exam) greet() bool {
	e.begin()
	began := time.Now()
	patience := e.x.q.timeout()
	line, err := e.c.readLine(min(patience, hello))
	if line == "" && isTimeout(err) && !e.c.tls && e.answersTLS() {
		return e.broken("greeting", "tls-on-plain", "nothing until this side began TLS")
	}
	if line == "" && isTimeout(err) && patience > hello {
		line, err = e.c.readLine(patience - hello)
	}
	if line == "" && isTimeout(err) {
		// Too late for politeness: a web server speaks only when spoken to.
		e.c.say("CAPA")
		line, err = e.c.readLine(min(patience, 3*time.Second))
		if line == "" {
			return e.broken("greeting", "silent", "nothing in %v", patience)
		}
	}
	r, ok := parseReply(line)
	switch {
	case line == "":
		return e.broken("greeting", "hangup", "%s", e.c.trouble(line, err))
	case !ok:
		return e.broken("greeting", speaks(line), "%q", line)
	case !r.ok:
		return e.broken("greeting", "refused-greeting", "%s", r)
	}
	e.time("greeting", began)
	e.can.progress = max(e.can.progress, reachedTalk)
	e.can.Greeting = readGreeting(r)
	e.c.greeting = r
	e.p.note("%s", r)
	return e.done("greeting")
}

// speaks says by its first line what a server is that speaks no POP3.
func speaks(line string) string {
	upper := strings.ToUpper(line)
	switch {
	case strings.HasPrefix(line, "\x15\x03"), strings.HasPrefix(line, "\x16\x03"):
		return "tls-on-plain"
	case strings.HasPrefix(upper, "220"), strings.HasPrefix(upper, "554"), strings.HasPrefix(upper, "421"):
		return "smtp"
	case strings.HasPrefix(upper, "* OK"), strings.HasPrefix(upper, "* BYE"), strings.HasPrefix(upper, "* PREAUTH"):
		return "imap"
	case strings.HasPrefix(upper, "HTTP"), strings.HasPrefix(upper, "<"):
		return "http"
	}
	return "not-pop3"
}

var versionNumber = regexp.MustCompile(`\d+(\.\d+)+[0-9A-Za-z.-]*`)

func readGreeting(r reply) *Greeting {
	g := &Greeting{Line: printable(cut(r.String()))}
	text := r.text
	if stamp, ok := pop3.Timestamp(text); ok {
		g.Timestamp = printable(cut(stamp))
		text = strings.Replace(text, stamp, "", 1)
	}
	for _, found := range versionNumber.FindAllString(text, 8) {
		if _, err := netip.ParseAddr(found); err != nil {
			g.Version = printable(cut(found))
			break
		}
	}
	return g
}

// askCapa asks what the server can do.
func (e *exam) askCapa(to *pop3.Capabilities) bool {
	if e.noCapa {
		return true
	}
	e.begin()
	capa, known := e.c.capa()
	if e.p.over() {
		e.noCapa = true
		e.done("capa")
		return false
	}
	for i, c := range capa {
		capa[i].Tag = printable(cut(c.Tag))
		for j := range c.Params {
			c.Params[j] = printable(cut(c.Params[j]))
		}
	}
	*to = capa
	if !known {
		e.p.note("the server does not know CAPA")
	}
	return e.done("capa")
}

// stls begins TLS on a connection in clear.
func (e *exam) stls() bool {
	e.begin()
	if e.can.Clear != nil && !e.can.Clear.Has(pop3.CapSTLS) {
		return e.broken("stls", "stls-missing", "CAPA does not have it: %s", capaLine(e.can.Clear))
	}
	r := e.c.cmd("STLS")
	switch {
	case !r.ok && e.can.Clear == nil:
		return e.broken("stls", "stls-missing", "%s", cmp.Or(r.String(), e.p.got))
	case !r.ok:
		return e.broken("stls", "stls-refused", "%s", cmp.Or(r.String(), e.p.got))
	}
	if n := e.c.br.Buffered(); n > 0 { // P3-TLS-07
		early, _ := e.c.br.Peek(n)
		e.c.note("S: " + escape(string(early)))
		return e.broken("stls-octets", "stls-octets", "%q", early)
	}
	e.done("stls")
	return e.handshake()
}

func capaLine(capa pop3.Capabilities) string {
	if len(capa) == 0 {
		return "nothing"
	}
	var all []string
	for _, c := range capa {
		all = append(all, c.String())
	}
	return strings.Join(all, ", ")
}

// cleartextLogin finds out whether the server would take a password without
// TLS. It asks with a name that nobody has.
func (e *exam) cleartextLogin() {
	e.begin()
	c := e.aside()
	defer c.close()
	c.greeting = c.reply()
	r := c.cmd("USER postfach-check-%s", strings.ToLower(rand.Text()[:8]))
	offered := e.can.Clear.Has(pop3.CapUser) || strings.Contains(" "+strings.ToUpper(strings.Join(e.can.Clear.Mechanisms(), " "))+" ", " PLAIN ")
	switch {
	case e.p.over():
		e.p.status = Skip
		e.can.CleartextLogin = "not known: " + e.p.got
	case r.ok && offered:
		e.can.CleartextLogin = "taken"
	case r.ok && e.can.Clear != nil:
		e.can.CleartextLogin = "not offered, but a user name is taken"
	case r.ok:
		e.can.CleartextLogin = "a user name is taken"
	case offered:
		e.can.CleartextLogin = "offered, but a user name is refused"
	default:
		e.can.CleartextLogin = "refused"
	}
	e.can.CleartextLogin = printable(cut(e.can.CleartextLogin))
	switch {
	case e.addr.Addr().IsLoopback():
		e.p.skip("%s; this is a loopback address, where nobody listens", e.can.CleartextLogin)
	case r.ok && !e.p.over():
		e.p.fail("-ERR to USER before TLS", "%s", r)
	default:
		e.p.note("%s", e.can.CleartextLogin)
	}
	e.done("cleartext-password")
	c.leave()
}

// keepsClear finds out whether octets that are sent in clear behind STLS are
// read inside TLS: somebody on the way could put commands into the session.
func (e *exam) keepsClear() {
	e.begin()
	c := e.aside()
	defer c.close()
	c.greeting = c.reply()
	c.send("STLS\r\nCAPA\r\n")
	r := c.reply()
	if e.p.over() {
		// A server that hangs up has kept nothing.
		e.p.status, e.p.wish = "", ""
		e.keeps("the server closes the connection")
		return
	}
	if !r.ok {
		e.keeps("STLS is refused: " + r.String())
		return
	}
	if err := c.tryHandshake(e.tlsConfig()); err != nil {
		how := "TLS does not come about then: " + err.Error()
		if errors.Is(err, io.EOF) || errors.Is(err, syscall.ECONNRESET) {
			how = "the server closes the connection"
		}
		e.keeps(how)
		return
	}
	c.say("QUIT")
	var lines int
	for !c.dead() && lines < 100 {
		if line, err := c.readLine(e.x.q.timeout()); line == "" || err != nil {
			break
		}
		lines++
	}
	if lines > 1 {
		e.can.KeepsClear = "kept: they run inside TLS"
		e.p.fail("one reply to QUIT inside TLS", "%d lines: CAPA, sent in clear behind STLS, was answered inside TLS", lines)
		e.done("P3-TLS-06")
		return
	}
	e.keeps("they are dropped")
}

func (e *exam) keeps(how string) {
	e.can.KeepsClear = printable(cut(how))
	e.p.got = ""
	e.p.note("%s", how)
	e.done("P3-TLS-06")
}

// fill puts the server's name into a text of causes.
func (x *course) fill(text string, c *Candidate) string {
	host, port, addr := cmp.Or(x.where.host, x.where.domain), "", x.d.Host
	if c != nil {
		host, port, addr = c.Host, strconv.Itoa(c.Port), c.Addr()
	}
	return strings.NewReplacer("HOST:PORT", addr, "HOST", host, "PORT", port, "ADDR", addr).Replace(text)
}
