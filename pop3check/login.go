package pop3check

import (
	"encoding/base64"
	"fmt"
	"net"
	"strings"
	"time"

	"postfach/pop3"
	"postfach/sasl"
)

// login connects and logs in, with these messages of ours in the maildrop. What
// goes wrong here is no verdict about the check: it is skipped.
func (p *probe) login(names ...string) *conn { return p.loginBy(p.enter, names...) }

// loginBy is login in the way of enter.
func (p *probe) loginBy(enter func() *conn, names ...string) *conn {
	c := enter()
	missing := c.find(names)
	if len(missing) == 0 || p.over() {
		return c
	}
	if p.t.Deliver == nil {
		p.skip("needs messages of its own making: a way to deliver them was not given")
		return c
	}
	c.leave()
	for _, name := range missing {
		if err := p.t.Deliver(p.ctx, ourMessage(name).stored); err != nil {
			p.skip("message %s was not delivered: %v", name, err)
		}
	}
	c = p.after(missing, enter)
	if missing := c.find(names); len(missing) > 0 {
		p.skip("messages were delivered and are not in the maildrop: %v", missing)
	}
	return c
}

// filled connects and logs in, with at least so many messages in the maildrop,
// whatever they are. Where there are fewer they are delivered.
func (p *probe) filled(least int) *conn {
	return p.filledBy(least, func(c *conn) int { return len(c.all(0)) })
}

// filledBy is filled for a check that must not believe LIST.
func (p *probe) filledBy(least int, counted func(*conn) int) *conn {
	c := p.enter()
	count := counted(c)
	if count >= least || p.over() {
		return c
	}
	if p.t.Deliver == nil {
		p.skip("needs %d messages, there are %d, and a way to deliver them was not given", least, count)
		return c
	}
	c.leave()
	for ; count < least && !p.over(); count++ {
		if err := p.t.Deliver(p.ctx, newMessage("filler", filler(count)).stored); err != nil {
			p.skip("a message was not delivered: %v", err)
		}
	}
	c = p.enter()
	if count = counted(c); count < least {
		p.skip("needs %d messages, there are %d", least, count)
	}
	return c
}

// enter connects and logs in.
func (p *probe) enter() *conn {
	if p.over() {
		return &conn{p: p}
	}
	c := p.connect()
	c.auth()
	why := "could not log in"
	if p.b.spoilt != nil {
		why += fmt.Sprintf(", since messages were delivered that the server does not bear, of %v", p.b.spoilt)
	}
	p.skipInstead(why)
	return c
}

// after is enter when these messages have been delivered. A server may take one
// of them for a reason to open the maildrop no more.
func (p *probe) after(delivered []string, enter func() *conn) *conn {
	if p.over() {
		return &conn{p: p}
	}
	c := enter()
	if p.over() && !c.loggedIn && p.b.spoilt == nil {
		p.b.spoilt = delivered
		p.got += fmt.Sprintf(" (after the delivery of %v)", delivered)
	}
	return c
}

// inUse bounds how long a login waits for the lock of the session before it.
func (t *Target) inUse() time.Duration { return min(t.timeout(), 5*time.Second) }

// auth logs in the best way that the server announces. The credentials are
// written over TLS, to loopback, or when the target allows it.
func (c *conn) auth() {
	if !c.mayWriteSecrets() {
		c.p.skip("the password would cross the network in clear")
	}
	r := c.again(c.tryAuth)
	c.p.want(r.ok, "the account to be let in", "%s", r)
	c.loggedIn = r.ok
}

// again makes a try to log in, and the next one while the maildrop is in use.
func (c *conn) again(try func() reply) reply {
	refusals := c.refusals
	for end := time.Now().Add(c.p.t.inUse()); ; {
		c.refusals = refusals // that the maildrop is in use is not the client's mistake
		r := try()
		if c.dead() || r.ok || !r.code.Is(pop3.CodeInUse) || time.Now().After(end) {
			return r
		}
		// Nothing tells when the server has noticed that the session before
		// this one is over.
		select {
		case <-time.After(100 * time.Millisecond):
		case <-c.p.ctx.Done():
		}
	}
}

// mayWriteSecrets reports whether credentials may be written here.
func (c *conn) mayWriteSecrets() bool {
	if c.raw == nil || c.tls || c.p.t.AllowCleartext {
		return true
	}
	addr, ok := c.raw.RemoteAddr().(*net.TCPAddr)
	return !ok || addr.IP.IsLoopback() // not TCP: a pipe
}

// tryAuth logs in: SCRAM-SHA-256 and PLAIN when the account has them announced
// and USER is not, USER and PASS else.
func (c *conn) tryAuth() reply {
	t := c.p.t
	capa, known := c.capa()
	mechanisms := strings.Join(capa.Mechanisms(), " ")
	has := func(name string) bool { return strings.Contains(" "+strings.ToUpper(mechanisms)+" ", " "+name+" ") }
	switch {
	case !known || capa.Has(pop3.CapUser):
		if r := c.cmd("USER %s", t.User); !r.ok {
			return r
		}
		return c.cmd("PASS %s", t.Password)
	case has(sasl.Plain):
		return c.sasl(sasl.NewPlainClient("", t.User, t.Password))
	case has(sasl.ScramSHA256):
		return c.sasl(sasl.NewScramClient(sasl.SHA256, false, t.User, t.Password))
	}
	c.p.fail("a way to log in that the checker knows", "CAPA announces SASL %q and no USER", mechanisms)
	return reply{}
}

// sasl plays a mechanism's client, without initial response.
func (c *conn) sasl(mech sasl.Client) reply {
	name, response, err := mech.Start()
	if err != nil {
		c.p.skip("%v", err)
	}
	c.say("AUTH %s", name)
	for range 8 {
		challenge, r, more := c.challenge()
		if !more {
			return r
		}
		if len(challenge) > 0 || response == nil {
			if response, err = mech.Next(challenge); err != nil {
				c.p.fail("a challenge that "+name+" allows", "%v", err)
			}
		}
		c.respond(response)
		response = nil
	}
	c.p.fail("an end of the exchange", "more than eight challenges")
	return reply{}
}

// respond sends a SASL response. The trace shows it only if it is made up.
func (c *conn) respond(response []byte) {
	line := base64.StdEncoding.EncodeToString(response)
	c.hidden = !c.p.madeUp(line)
	c.say("%s", line)
	c.hidden = false
}

// challenge reads a challenge, or the reply that ends the exchange.
func (c *conn) challenge() (challenge []byte, r reply, more bool) {
	if c.dead() {
		return nil, reply{}, false
	}
	line, err := c.readLine(c.p.t.timeout())
	if line == "" && c.ended(err) {
		return nil, reply{}, false
	}
	if c.gaveUp(line, err); err != nil {
		c.p.fail("a challenge or a reply", "%s", c.trouble(line, err))
		return nil, reply{}, false
	}
	if r, ok := parseReply(line); ok {
		c.count(r, ok)
		return nil, r, false
	}
	text := strings.TrimRight(line, "\r\n")
	data, found := strings.CutPrefix(text, "+")
	challenge, err = base64.StdEncoding.DecodeString(strings.TrimPrefix(data, " "))
	if !found || err != nil {
		c.p.fail("a challenge: \"+\", a space, base64", "%q", line)
	}
	return challenge, reply{}, true
}

// capa asks for the capabilities. known is false when the server says -ERR.
func (c *conn) capa() (capa pop3.Capabilities, known bool) {
	r := c.cmd("CAPA")
	if !r.ok {
		return nil, false
	}
	capa = pop3.Capabilities{}
	for _, line := range c.body().lines() {
		if f := strings.Fields(line); len(f) > 0 {
			capa = append(capa, pop3.Capability{Tag: strings.ToUpper(f[0]), Params: f[1:]})
		}
	}
	return capa, true
}

// works sends a command with a multi-line reply and reports whether the server
// has it.
func (c *conn) works(command string) bool {
	r := c.cmd("%s", command)
	if r.ok {
		c.body()
	}
	return r.ok
}

// stat asks for the drop listing.
func (c *conn) stat() (count int, size int64) {
	r := c.ok("STAT")
	if _, err := fmt.Sscanf(r.text, "%d %d", &count, &size); err != nil && !c.p.over() {
		c.p.fail("STAT to say count and size", "%s", r)
	}
	return count, size
}
