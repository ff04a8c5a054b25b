package pop3check

import (
	"bufio"
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"regexp"
	"strings"
	"time"

	"postfach/internal/popwire"
	"postfach/pop3"
	"postfach/pop3client"
)

// maxBody bounds a multi-line reply, and maxLine any other line, in octets.
const (
	maxBody = 128 << 20
	maxLine = 64 << 10
)

// errEndless: a line is longer than anybody needs.
var errEndless = errors.New("a line without end")

// A conn is one connection: octets out, lines in. It is spelled out here, not
// taken from the client library, for a checker must be able to say and to hear
// what no client would. Its first trouble ends the check.
type conn struct {
	p        *probe
	raw      net.Conn // the network's
	nc       net.Conn // raw, or TLS over it
	br       *bufio.Reader
	tls      bool
	greeting reply
	loggedIn bool
	mayBeIn  bool // credentials, true or made up, were sent
	touched  bool // a message was read or marked: no QUIT by itself
	hidden   bool // what is sent is a secret
	mute     bool // nothing goes into the trace
	mayEnd   bool // the server may close the connection (P3-ST-07): what comes then is a zero reply
	refusals int  // negative replies so far
	closed   bool
	numbers  map[string]int // of our messages in this session
}

// A reply is the first line of a reply.
type reply struct {
	raw  string // as it came, with its line end
	ok   bool
	code pop3.Code
	text string // behind status and code
}

// String returns the line without its line end.
func (r reply) String() string { return strings.TrimRight(r.raw, "\r\n") }

// dial makes the network connection and nothing else.
func (p *probe) dial() *conn {
	c := &conn{p: p, numbers: make(map[string]int)}
	if p.over() {
		return c
	}
	ctx, cancel := context.WithTimeout(p.ctx, p.t.timeout())
	defer cancel()
	dial := p.t.DialContext
	if dial == nil {
		dial = new(net.Dialer).DialContext
	}
	nc, err := dial(ctx, "tcp", p.t.Addr)
	if err != nil {
		p.fail("a connection", "%v", err)
		return c
	}
	c.use(nc)
	c.raw = nc
	p.conns = append(p.conns, c)
	if len(p.conns) > 1 {
		c.note(fmt.Sprintf("(connection %d)", len(p.conns)))
	}
	return c
}

func (c *conn) use(nc net.Conn) { c.nc, c.br = nc, bufio.NewReaderSize(nc, 64<<10) }

// clear connects and reads the greeting; no STLS.
func (p *probe) clear() *conn {
	c := p.dial()
	if p.t.Security == pop3client.ImplicitTLS {
		c.handshake()
	}
	c.greeting = c.reply()
	return c
}

// connect connects as Target.Security says, up to the AUTHORIZATION state.
func (p *probe) connect() *conn {
	c := p.clear()
	if p.t.Security == pop3client.RequireSTLS {
		c.stls()
	}
	return c
}

// stls begins TLS by STLS.
func (c *conn) stls() {
	c.ok("STLS")
	c.handshake()
}

// tlsConfig is the target's, completed.
func (t *Target) tlsConfig() *tls.Config {
	conf := &tls.Config{}
	if t.TLS != nil {
		conf = t.TLS.Clone()
	}
	if conf.ServerName == "" {
		conf.ServerName, _, _ = net.SplitHostPort(t.Addr)
	}
	return conf
}

// handshake makes TLS. What has been received and not read is lost, as it must
// be (P3-TLS-06).
func (c *conn) handshake() {
	if err := c.tryHandshake(c.p.t.tlsConfig()); err != nil {
		c.p.fail("a TLS handshake", "%v", err)
	}
}

func (c *conn) tryHandshake(conf *tls.Config) error {
	if c.dead() {
		return nil
	}
	ctx, cancel := context.WithTimeout(c.p.ctx, c.p.t.timeout())
	defer cancel()
	c.deadline(c.p.t.timeout()) // that of an earlier read may be over
	tc := tls.Client(c.raw, conf)
	if err := tc.HandshakeContext(ctx); err != nil {
		c.note("# TLS: " + printable(err.Error()))
		return err
	}
	c.note("(tls)")
	c.use(tc)
	c.tls = true
	return nil
}

// dead reports whether there is nothing to talk to any more.
func (c *conn) dead() bool { return c.p.over() || c.nc == nil || c.closed }

func (c *conn) deadline(d time.Duration) {
	at := time.Now().Add(d)
	if by, ok := c.p.ctx.Deadline(); ok && by.Before(at) {
		at = by
	}
	c.nc.SetDeadline(at)
}

// say sends a line.
func (c *conn) say(format string, args ...any) { c.send(fmt.Sprintf(format, args...) + "\r\n") }

// send sends these octets in one write.
func (c *conn) send(octets string) {
	if c.dead() {
		return
	}
	if why := c.harm(octets); why != "" {
		c.p.skip("%s", why)
		return
	}
	c.noteSent(octets)
	c.deadline(c.p.t.timeout())
	if _, err := io.WriteString(c.nc, octets); err != nil && !c.ended(err) {
		c.gaveUp("", err)
		c.p.fail("the server to take what is sent", "%v", err)
	}
}

// harm says why octets must not be sent to a maildrop whose messages matter: the
// checks see to that themselves, and this sees to it that none forgets.
func (c *conn) harm(octets string) string {
	if c.p.t.Destructive {
		return ""
	}
	for line := range strings.Lines(strings.ToUpper(octets)) {
		word, _, _ := strings.Cut(strings.TrimRight(line, "\r\n"), " ")
		switch {
		case word == "DELE":
			return "removes messages; that is not allowed here"
		case c.p.b != nil && c.p.b.expires0() && (word == "RETR" || word == "TOP" || word == "QUIT" && c.mayBeIn):
			return "the server announces EXPIRE 0: it may remove what is read, and that is not allowed here"
		}
	}
	return ""
}

// noteSent writes what is sent into the trace.
func (c *conn) noteSent(octets string) {
	for _, word := range []string{"RETR", "DELE", "TOP"} {
		c.touched = c.touched || strings.Contains(strings.ToUpper(octets), word)
	}
	for line := range strings.Lines(octets) {
		for _, word := range []string{"PASS", "APOP", "AUTH"} {
			c.mayBeIn = c.mayBeIn || strings.HasPrefix(strings.ToUpper(line), word)
		}
		text := strings.TrimSuffix(line, "\r\n")
		shown := ""
		if c.hidden {
			shown = c.p.hide(text)
		} else {
			shown = c.p.safeLine(text)
		}
		end := ""
		if !strings.HasSuffix(line, "\r\n") {
			end = `\`
		}
		c.note("C: " + escape(cut(shown)) + end)
	}
}

// scramSignature is how a SCRAM server proves that it knows the password, in
// base64: who sees it can try passwords on it.
var scramSignature = regexp.MustCompile(`dj[0-3][A-Za-z0-9+/=]{20,}`)

// readLine returns the next line with its line end. At the end of the
// connection it returns what came before it, and io.EOF.
func (c *conn) readLine(patience time.Duration) (string, error) {
	return c.readLineOf(maxLine, patience)
}

// readLineOf is readLine for lines of up to so many octets.
func (c *conn) readLineOf(limit int, patience time.Duration) (string, error) {
	c.deadline(patience)
	var octets []byte
	var err error
	for {
		var part []byte
		part, err = c.br.ReadSlice('\n')
		if octets = append(octets, part...); len(octets) > limit {
			octets, err = octets[:limit], errEndless
			break
		}
		if !errors.Is(err, bufio.ErrBufferFull) {
			break
		}
	}
	line := string(octets)
	if line != "" {
		end := ""
		text, whole := strings.CutSuffix(line, "\r\n")
		if !whole {
			end = `\`
		}
		if strings.HasPrefix(text, "+") {
			text = scramSignature.ReplaceAllString(text, popwire.Secret)
		}
		c.note("S: " + escape(cut(c.p.safe(text))) + end)
	}
	return line, err
}

// reply reads the first line of a reply. Anything that does not begin with a
// status indicator, in any case, ends the check.
func (c *conn) reply() reply {
	if c.dead() {
		return reply{}
	}
	line, err := c.readLine(c.p.t.timeout())
	if line == "" && c.ended(err) {
		return reply{}
	}
	if c.gaveUp(line, err); err != nil {
		c.p.fail("a reply", "%s", c.trouble(line, err))
		return reply{}
	}
	r, ok := parseReply(line)
	if !ok {
		c.p.fail("a line that begins with +OK or -ERR", "%q", line)
	}
	c.count(r, ok)
	return r
}

// ended reports whether err is the end of a connection that the server may
// close.
func (c *conn) ended(err error) bool {
	if err == nil || isTimeout(err) || !c.mayEnd {
		return false
	}
	c.note("(close)")
	c.close()
	return true
}

func (c *conn) trouble(line string, err error) string {
	switch {
	case errors.Is(err, io.EOF) && line != "":
		return fmt.Sprintf("%q and the connection's end", line)
	case errors.Is(err, io.EOF):
		return "the connection's end"
	case isTimeout(err) && line != "":
		return fmt.Sprintf("%d octets without a line end, and nothing more in %v", len(line), c.p.t.timeout())
	case isTimeout(err):
		return fmt.Sprintf("nothing in %v", c.p.t.timeout())
	}
	return err.Error()
}

func isTimeout(err error) bool {
	var ne net.Error
	return errors.As(err, &ne) && ne.Timeout()
}

func parseReply(line string) (reply, bool) {
	r := reply{raw: line}
	text := strings.TrimRight(line, "\r\n")
	status, rest, _ := strings.Cut(text, " ")
	switch strings.ToUpper(status) {
	case "+OK":
		r.ok = true
	case "-ERR":
	default:
		return r, false
	}
	r.text = rest
	if code, after, found := strings.Cut(rest, "]"); found && strings.HasPrefix(code, "[") {
		r.code, r.text = pop3.Code(code[1:]), strings.TrimPrefix(after, " ")
	}
	return r, true
}

// cmd sends a command and reads the first line of its reply.
func (c *conn) cmd(format string, args ...any) reply {
	c.say(format, args...)
	return c.reply()
}

// ok is cmd for a command that must succeed.
func (c *conn) ok(format string, args ...any) reply {
	r := c.cmd(format, args...)
	c.p.want(r.ok || c.mayEnd && c.closed, "+OK to "+c.p.shown(fmt.Sprintf(format, args...)), "%s", r)
	return r
}

// no is cmd for a command that must be refused.
func (c *conn) no(format string, args ...any) reply {
	r := c.cmd(format, args...)
	c.p.want(!r.ok, "-ERR to "+c.p.shown(fmt.Sprintf(format, args...)), "%s", r)
	return r
}

// shown is a command as a finding may repeat it.
func (p *probe) shown(command string) string {
	return fmt.Sprintf("%q", cut(p.safeLine(command)))
}

// A body is what follows the first line of a multi-line reply, as it came: with
// byte-stuffing and the terminator.
type body []byte

// body reads multi-line data up to a line that is only ".".
func (c *conn) body() body {
	var all body
	for !c.dead() {
		line, err := c.readLineOf(max(0, maxBody-len(all)), c.p.t.timeout())
		all = append(all, line...)
		switch {
		case err != nil:
			c.p.fail(`a multi-line reply that ends with "."`, "%s after %d octets", c.trouble("", err), len(all))
		case len(all) > maxBody:
			c.p.fail(`a multi-line reply that ends with "."`, "more than %d octets without it", maxBody)
		case strings.TrimRight(line, "\r\n") == ".":
			return all
		}
	}
	return nil
}

// data returns what was stuffed: without terminator and stuffing.
func (b body) data() []byte {
	var data []byte
	for line := range bytes.Lines(b) {
		if isEnd(line) {
			break
		}
		data = append(data, bytes.TrimPrefix(line, []byte("."))...)
	}
	return data
}

// lines returns the lines, unstuffed, without line ends and terminator.
func (b body) lines() []string {
	var all []string
	for line := range bytes.Lines(b) {
		if isEnd(line) {
			break
		}
		all = append(all, strings.TrimRight(string(bytes.TrimPrefix(line, []byte("."))), "\r\n"))
	}
	return all
}

func isEnd(line []byte) bool { return string(bytes.TrimRight(line, "\r\n")) == "." }

// header returns a message's header with the empty line behind it.
func header(message []byte) []byte {
	if i := bytes.Index(message, []byte("\r\n\r\n")); i >= 0 {
		return message[:i+4]
	}
	return message
}

// silent fails the check when anything comes, or the connection ends.
func (c *conn) silent(want string) {
	if c.dead() {
		return
	}
	line, err := c.readLine(c.p.t.quiet())
	if line != "" || !isTimeout(err) {
		c.p.fail(want, "%s", c.heard(line, err))
	}
}

// ends waits for the server to close the connection, within patience. Anything
// that comes before fails the check.
func (c *conn) ends(want string, patience time.Duration) {
	if c.dead() {
		return
	}
	line, err := c.readLine(patience)
	if line == "" && err != nil && !isTimeout(err) {
		c.note("(close)")
		c.close()
		return
	}
	c.p.fail(want, "%s", c.heard(line, err))
}

// atEnd reads a line, or reports that the server closed the connection.
func (c *conn) atEnd(patience time.Duration) (line string, closed bool) {
	if c.dead() {
		return "", true
	}
	line, err := c.readLine(patience)
	if err != nil && !isTimeout(err) {
		c.note("(close)")
		c.close()
		return line, true
	}
	return line, false
}

func (c *conn) heard(line string, err error) string {
	switch {
	case line != "":
		return fmt.Sprintf("%q", line)
	case isTimeout(err):
		return "nothing came, and the connection is still open"
	}
	return "the connection's end"
}

// quit ends the session with QUIT and waits for the end of the connection.
func (c *conn) quit() reply {
	r := c.cmd("QUIT")
	c.ends("the server to close the connection after QUIT", c.p.t.timeout())
	return r
}

// hangup closes the connection without QUIT. reset: with RST instead of FIN.
func (c *conn) hangup(reset bool) {
	if c.dead() {
		return
	}
	if tcp, ok := c.raw.(*net.TCPConn); ok && reset {
		tcp.SetLinger(0)
	}
	c.note("(hangup)")
	c.close()
}

func (c *conn) close() {
	if c.raw != nil && !c.closed {
		c.closed = true
		c.raw.Close()
	}
}

// leave ends the connection as quietly as it can: with QUIT where that changes
// nothing, else by closing it, which never removes or marks a message.
func (c *conn) leave() {
	if c.raw == nil || c.closed {
		return
	}
	if !c.touched && !c.hidden && c.harm("QUIT") == "" {
		c.raw.SetDeadline(time.Now().Add(min(c.p.t.timeout(), 2*time.Second)))
		if _, err := io.WriteString(c.nc, "QUIT\r\n"); err == nil {
			c.outlast()
		}
	}
	c.close()
}

// outlast reads up to the end of the connection, where QUIT is obeyed: not when
// it was refused, or taken for a response.
func (c *conn) outlast() {
	for octets := 0; octets < 1<<20; {
		line, err := c.br.ReadString('\n')
		if err != nil || strings.HasPrefix(line, "-ERR") || strings.HasPrefix(line, "+ ") {
			return
		}
		octets += len(line)
	}
}

func (c *conn) note(line string) {
	if !c.mute {
		c.p.note1(line)
	}
}

// maxTracedLine bounds what a trace shows of one line that the server sent.
const maxTracedLine = 1000

// cut leaves out the end of a line that is too long for a trace.
func cut(text string) string {
	if len(text) <= maxTracedLine {
		return text
	}
	return fmt.Sprintf("%s [%d octets left out]", text[:maxTracedLine], len(text)-maxTracedLine)
}

// escape writes octets as transcripts do.
func escape(octets string) string {
	var b strings.Builder
	for _, o := range []byte(octets) {
		switch {
		case o == '\\':
			b.WriteString(`\\`)
		case o < ' ' || o > '~':
			fmt.Fprintf(&b, `\x%02x`, o)
		default:
			b.WriteByte(o)
		}
	}
	return b.String()
}
