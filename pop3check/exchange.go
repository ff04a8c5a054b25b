package pop3check

import (
	"slices"
	"strings"
)

// Credentials that no server knows.
const (
	nobody        = "nosuch-postfach"
	wrongPassword = "wrong-postfach-pw"
)

// guarded skips the check where the account's credentials must not be written.
func (c *conn) guarded() {
	if !c.mayWriteSecrets() {
		c.p.skip("the account's name and password would cross the network in clear")
	}
}

// mechanisms returns the SASL mechanisms, in upper case, that CAPA announces
// before login on a connection that is made as Target.Security says.
func (p *probe) mechanisms() []string {
	return upper(p.b.survey.before.Mechanisms())
}

func upper(words []string) []string {
	var all []string
	for _, w := range words {
		all = append(all, strings.ToUpper(w))
	}
	return all
}

func (p *probe) offers(mechanism string) bool { return slices.Contains(p.mechanisms(), mechanism) }

// needsMechanism skips the check unless the server announces the mechanism.
func (p *probe) needsMechanism(name string) {
	if !p.offers(name) {
		p.skip("the server does not announce SASL %s", name)
	}
}

// begin starts an exchange without initial response.
func (c *conn) begin(mechanism string) (challenge []byte, r reply, more bool) {
	c.say("AUTH %s", mechanism)
	return c.challenge()
}

// challenged is begin where a challenge must come.
func (c *conn) challenged(mechanism string) (challenge []byte) {
	challenge, r, more := c.begin(mechanism)
	c.p.want(more || c.closed, "a challenge to AUTH "+mechanism, "%s", r)
	return challenge
}

// cancel gives an exchange up, and the connection with it.
func (c *conn) cancel() {
	c.say("*")
	c.close()
}

// verdict reads the reply that must end an exchange.
func (c *conn) verdict() reply {
	challenge, r, more := c.challenge()
	c.p.want(!more, "a reply that ends the exchange", "another challenge of %d octets", len(challenge))
	return r
}

// plain plays PLAIN with this message, in two lines, and returns the reply that
// ends the exchange.
func (c *conn) plain(message string) reply {
	_, r, more := c.begin("PLAIN")
	if !more {
		return r
	}
	c.respond([]byte(message))
	return c.verdict()
}

// secretly sends a line that the trace does not show.
func (c *conn) secretly(line string) {
	c.hidden = true
	c.say("%s", line)
	c.hidden = false
}

// line reads a line as it comes, with its line end.
func (c *conn) line() string {
	if c.dead() {
		return ""
	}
	line, err := c.readLine(c.p.t.timeout())
	if err != nil && (line != "" || !c.ended(err)) {
		c.p.fail("a line", "%s", c.trouble(line, err))
	}
	return line
}

// knock tries to log in by USER and PASS or, where they are not announced, by
// PLAIN. It returns all that the server said.
func (c *conn) knock(name, password string) (said string, r reply) {
	if !c.p.hasUser() {
		r = c.plain("\x00" + name + "\x00" + password)
		return r.uniform(name), r
	}
	r = c.cmd("USER %s", name)
	said = r.uniform(name)
	if r.ok {
		r = c.cmd("PASS %s", password)
		said += "; " + r.uniform(name)
	}
	return said, r
}

// needsPasswords skips the check where neither USER nor PLAIN is announced.
func (p *probe) needsPasswords() {
	if !p.hasUser() && !p.offers("PLAIN") {
		p.skip("the server announces neither USER nor SASL PLAIN")
	}
}

// uniform returns a reply without what differs from one time to the next: the
// name that it repeats, and words with digits, which are times and numbers of
// sessions.
func (r reply) uniform(name string) string {
	words := strings.Fields(strings.ReplaceAll(r.String(), name, "NAME"))
	for i, w := range words {
		if strings.ContainsAny(w, "0123456789") {
			words[i] = "#"
		}
	}
	return strings.Join(words, " ")
}
