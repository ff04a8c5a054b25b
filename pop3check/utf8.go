package pop3check

import (
	"bytes"
	"fmt"
	"mime"
	"net/mail"
	"regexp"
	"strings"

	"postfach/pop3"
)

func utf8Checks() []row {
	return []row{
		{"P3-UTF-01", Login, utf8Command},
		{"P3-UTF-03", Login | Mail, utf8AsStored},
		{"P3-UTF-04", Login | Mail, utf8NotRaw},
		{"P3-UTF-05", Login | Mail, utf8NotBinary},
		{"P3-UTF-06", Login | Mail, utf8Code},
		{"P3-UTF-07", Login, utf8Names},
		{"P3-UTF-10", Login | Mail, utf8StandardSurrogate},
		{"P3-UTF-11", Login | Mail, utf8Surrogate},
		{"P3-UTF-12", Login | Mail, utf8SurrogateLines},
		{"P3-UTF-14", Login, utf8SameIDs},
	}
}

// utf8Unchecked says why rules of P3-UTF are no checks.
func utf8Unchecked() map[string]string {
	return map[string]string{
		"P3-UTF-02": "a permission: nothing can break it",
	}
}

// utf8Mode connects and enters UTF-8 mode, in the AUTHORIZATION state. A server
// may refuse that (P3-UTF-02).
func (p *probe) utf8Mode() *conn {
	p.announces(pop3.CapUTF8)
	c := p.connect()
	if r := c.cmd("UTF8"); !r.ok {
		p.skip("the server does not enter UTF-8 mode: %s", r)
	}
	return c
}

// enterUTF8 is enter in UTF-8 mode.
func (p *probe) enterUTF8() *conn {
	if p.over() {
		return &conn{p: p}
	}
	c := p.utf8Mode()
	c.auth()
	p.skipInstead("could not log in")
	return c
}

// loginUTF8 is login in UTF-8 mode.
func (p *probe) loginUTF8(name string) *conn {
	return p.loginBy(p.enterUTF8, name)
}

// plainly logs in without UTF-8 mode, and says which number our message has. It
// is found in UTF-8 mode, for without it it may be refused.
func (p *probe) plainly(name string) (c *conn, n int) {
	c = p.loginUTF8(name)
	n = c.number(name)
	c.hangup(false)
	return p.enter(), n
}

func utf8Command(p *probe) {
	p.announces(pop3.CapUTF8)
	for _, capa := range []pop3.Capabilities{p.b.survey.before, p.b.survey.after} {
		c, found := capa.Lookup(pop3.CapUTF8)
		p.want(found || capa == nil, "UTF8 in CAPA before and after login", "%q", capa)
		for _, param := range c.Params {
			p.want(strings.EqualFold(param, "USER"), "no parameter of UTF8 but USER", "%q", c)
		}
	}
	p.connect().no("UTF8 USER")
	c := p.enter()
	c.no("UTF8")
	c.ok("NOOP")
	r := p.connect().cmd("UTF8") // which may be refused (P3-UTF-02)
	p.note("UTF8 before login: %s", r)
}

func utf8AsStored(p *probe) {
	c := p.loginUTF8("utf8-address")
	c.ok("RETR %d", c.number("utf8-address"))
	p.sameMessage("the message as it is stored, in UTF-8 mode", ourMessage("utf8-address").wire, c.body().data())
}

func utf8NotRaw(p *probe) {
	c, n := p.plainly("utf8-address")
	for _, format := range []string{"RETR %d", "TOP %d 0"} {
		if strings.HasPrefix(format, "TOP") && !p.b.has(pop3.CapTop) {
			continue
		}
		command := fmt.Sprintf(format, n)
		r := c.cmd("%s", command)
		if !r.ok {
			continue
		}
		raw := header(c.body().data())
		p.want(!has8Bit(string(raw)), "-ERR or an ASCII header to "+command+" without UTF-8 mode", "raw octets above 0x7F in the header")
	}
}

// An 8-bit body may be refused outside UTF-8 mode (AMB-17), not in it.
func utf8NotBinary(p *probe) {
	c := p.loginUTF8("eight-bit")
	c.ok("RETR %d", c.number("eight-bit"))
	p.eightBitLines(c.body().data())
	c.hangup(false)
	c, n := p.plainly("eight-bit")
	if r := c.cmd("RETR %d", n); r.ok {
		p.eightBitLines(c.body().data())
	}
}

// eightBitLines fails the check unless octets are lines as 8bit content has
// them.
func (p *probe) eightBitLines(octets []byte) {
	bare := bytes.ReplaceAll(octets, []byte("\r\n"), nil)
	p.want(!bytes.ContainsAny(bare, "\r\n"), "lines that end with CR LF", "%q", octets)
	p.want(!bytes.ContainsRune(octets, 0), "no NUL", "%q", octets)
}

func utf8Code(p *probe) {
	c, n := p.plainly("utf8-address")
	refused := 0
	for _, format := range []string{"RETR %d", "TOP %d 0", "LIST %d"} {
		if strings.HasPrefix(format, "TOP") && !p.b.has(pop3.CapTop) {
			continue
		}
		r := c.cmd(format, n)
		switch {
		case !r.ok:
			refused++
			p.want(r.code.Is(pop3.CodeUTF8), "[UTF8] when a message is refused outside UTF-8 mode", "%s", r)
		case !strings.HasPrefix(format, "LIST"):
			c.body()
		}
	}
	if refused == 0 {
		p.skip("no message is refused outside UTF-8 mode")
	}
}

// A name that is no UTF-8 may be refused with its password only: it must not be
// taken for the account's, of which it is made. That the account's own name in
// full-width letters is the same, as SASLprep has it, SHOULD be.
func utf8Names(p *probe) {
	p.announces(pop3.CapUTF8)
	c := p.connect()
	if capa, found := p.b.survey.before.Lookup(pop3.CapUTF8); !found || !capa.Has("USER") {
		p.skip("the server does not have UTF8 with USER")
	}
	if !c.withUser() {
		p.skip("the server does not have USER here")
	}
	ascii := c.cmd("USER " + nobody)
	c.leave()
	c = p.connect()
	r := c.cmd("USER niem\xc3\xa4nd-\xe2\x82\xac")
	p.want(r.ok == ascii.ok, "a name in UTF-8 to be answered like one in ASCII", "%s", r)
	c.leave()
	c = p.connect()
	if !c.mayWriteSecrets() {
		return
	}
	c.leave()
	user := p.t.User
	for _, wrong := range []struct{ what, name string }{
		{"a letter in an overlong form", string([]byte{0xc0 | user[0]>>6, 0x80 | user[0]&0x3f}) + user[1:]},
		{"an octet that is no UTF-8", user + "\xc3"},
		{"a private character, which SASLprep prohibits", user + "\ue000"},
	} {
		r := p.namedSo(wrong.name)
		p.want(!r.ok && !r.code.Is(pop3.CodeInUse), "a name with "+wrong.what+" refused", "%s", r)
	}
	wide, changed := fullWidth(user)
	if !changed {
		return
	}
	if r := p.namedSo(wide); !r.ok && !r.code.Is(pop3.CodeInUse) {
		p.note("the account's name in full-width letters, which SHOULD be the same name (SASLprep), is refused: %s", r)
	}
}

// namedSo sends USER with this name and the account's password.
func (p *probe) namedSo(name string) reply {
	c := p.connect()
	r := c.cmd("USER %s", name)
	if r.ok {
		r = c.cmd("PASS %s", p.t.Password)
	}
	c.leave()
	return r
}

// fullWidth writes ASCII letters as U+FF21 and so on, which NFKC makes ASCII
// letters again.
func fullWidth(name string) (wide string, changed bool) {
	wide = strings.Map(func(r rune) rune {
		if 'a' <= r && r <= 'z' || 'A' <= r && r <= 'Z' {
			return r - '!' + 0xff01
		}
		return r
	}, name)
	return wide, wide != name
}

// surrogate returns what stands for our message, which has number n, outside
// UTF-8 mode. A server that has none of it skips the check.
func (p *probe) surrogate() (c *conn, n int, octets []byte) {
	c, n = p.plainly("utf8-address")
	r := c.cmd("RETR %d", n)
	if !r.ok {
		p.skip("the message is refused outside UTF-8 mode: there is no surrogate")
		return c, n, nil
	}
	octets = c.body().data()
	if has8Bit(string(header(octets))) {
		p.skip("the message is sent as it is outside UTF-8 mode (P3-UTF-04): there is no surrogate")
	}
	return c, n, octets
}

// wrapped reports whether a surrogate has the message as an attachment: a way
// that neither RFC 6857 nor RFC 6858 has.
func wrapped(surrogate []byte) bool {
	return bytes.Contains(bytes.ToLower(surrogate), []byte("message/global"))
}

func utf8StandardSurrogate(p *probe) {
	const want = "a surrogate of RFC 6857 or RFC 6858"
	_, _, octets := p.surrogate()
	p.want(!wrapped(octets), want, "the message as an attachment, message/global")
	from := p.surrogateHeader(octets).Get("From")
	p.want(from == "" || nobodys(from), want+", both without an address that is somebody's", "From: %q", from)
}

// surrogateHeader returns a surrogate's header.
func (p *probe) surrogateHeader(octets []byte) mail.Header {
	if p.over() {
		return nil
	}
	m, err := mail.ReadMessage(bytes.NewReader(octets))
	if err != nil {
		p.fail("a surrogate that is a message", "%v", err)
		return nil
	}
	return m.Header
}

func utf8Surrogate(p *probe) {
	_, _, octets := p.surrogate()
	if wrapped(octets) {
		p.skip("the surrogate is not one of RFC 6858")
	}
	h := p.surrogateHeader(octets)
	from, subject := h.Get("From"), h.Get("Subject")
	p.want(from == "" || nobodys(from), "From without an address that is somebody's", "%q", from)
	decoded, err := new(mime.WordDecoder).DecodeHeader(subject)
	p.want(subject != "" && err == nil && decoded == utf8Subject, "the Subject as encoded words", "%q", subject)
}

// utf8Subject is the Subject of utf8-address.
const utf8Subject = "Gr\u00fc\u00dfe"

// nobodys reports whether all addresses of a field lead nowhere: under
// .invalid, or in an empty group.
func nobodys(field string) bool {
	list, err := mail.ParseAddressList(field)
	if err != nil {
		return !strings.Contains(field, "@")
	}
	for _, a := range list {
		if !strings.HasSuffix(strings.ToLower(a.Address), ".invalid") {
			return false
		}
	}
	return true
}

// The size may be that of either form.
func utf8SurrogateLines(p *probe) {
	c, n, octets := p.surrogate()
	size := c.list()[n]
	if p.over() {
		return
	}
	if size != int64(len(octets)) {
		c.hangup(false)
		u := p.enterUTF8()
		whole := u.read(n)
		u.hangup(false)
		c = p.enter()
		p.want(size == int64(len(whole)), fmt.Sprintf("LIST to say %d or %d, the size of the surrogate or of the message", len(octets), len(whole)), "%d", size)
	}
	if !p.b.has(pop3.CapTop) {
		return
	}
	head := header(octets)
	first, _, _ := bytes.Cut(octets[len(head):], []byte("\r\n"))
	c.ok("TOP %d 1", n)
	want := append(bytes.Clone(head), first...)
	if len(octets) > len(head) {
		want = append(want, "\r\n"...)
	}
	p.same("TOP with 1 to send one line of the surrogate", settled(want), settled(c.body().data()))
}

// settled returns a surrogate without what a server may make anew each time: the
// boundary of its parts, and numbers.
func settled(surrogate []byte) []byte {
	if m, err := mail.ReadMessage(bytes.NewReader(surrogate)); err == nil {
		_, params, _ := mime.ParseMediaType(m.Header.Get("Content-Type"))
		if boundary := params["boundary"]; boundary != "" {
			surrogate = bytes.ReplaceAll(surrogate, []byte(boundary), []byte("boundary"))
		}
	}
	return regexp.MustCompile(`[0-9]+`).ReplaceAll(surrogate, []byte("#"))
}

func utf8SameIDs(p *probe) {
	p.announces(pop3.CapUTF8, pop3.CapUIDL)
	c := p.filled(1)
	ids := c.uidl()
	c.leave()
	c = p.enterUTF8()
	sameListing(p, "the same unique-ids in UTF-8 mode", ids, c.uidl())
}
