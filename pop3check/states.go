package pop3check

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"time"

	"postfach/pop3"
	"postfach/sasl"
)

func statesChecks() []row {
	return []row{
		{"P3-ST-01", Login, statesInOrder},
		{"P3-ST-02", 0, statesQuitBefore},
		{"P3-ST-03", Login | Destructive, statesHangup},
		{"P3-ST-04", Login | Slow, statesTenMinutes},
		{"P3-ST-05", Login | Slow, statesTimerRestarts},
		{"P3-ST-06", Login | Slow, statesSilentLogout},
		{"P3-ST-07", Login, statesAfterRefusal},
		{"P3-ST-08", 0, statesSomeMechanism},
		{"P3-ST-09", Login, statesMinimum},
		{"P3-ST-10", Login, statesNoSecondLogin},
		{"P3-ST-11", Login, statesCloses},
		{"P3-ST-12", Login, statesAnyOrder},
		{"P3-ST-13", Login, statesForgets},
		{"P3-ST-14", 0, statesLimit},
	}
}

// statesUnchecked says why rules of P3-ST are no checks.
func statesUnchecked() map[string]string {
	return map[string]string{
		"P3-ST-15": "needs the operator, who shuts the server down in the middle of a reply",
	}
}

func statesInOrder(p *probe) {
	if r, open := p.connect().answer("STAT"); open {
		p.want(!r.ok, "the AUTHORIZATION state at first, in which STAT is refused", "%s", r)
	}
	c := p.enter()
	c.ok("STAT")
	r := c.quit()
	p.want(r.ok, "+OK to QUIT", "%s", r)
}

func statesQuitBefore(p *probe) {
	c := p.connect()
	r := c.quit()
	p.want(r.ok, "+OK to QUIT before login", "%s", r)
}

// statesHangup marks a message and ends the session in two ways that are no
// QUIT.
func statesHangup(p *probe) {
	c := p.filled(2)
	for _, reset := range []bool{true, false} {
		numbers, ids := c.all(0), c.idsIfAny()
		c.ok("DELE %d", c.anyMessage())
		c.hangup(reset)
		p.pause(p.t.quiet()) // the server may need a moment to do wrong
		c = p.enter()
		how := map[bool]string{true: "a reset", false: "the end of the connection"}[reset]
		left := c.all(0)
		p.want(slices.Equal(left, numbers), "nothing removed after DELE and "+how, "%d messages instead of %d", len(left), len(numbers))
		sameListing(p, "the same unique-ids after DELE and "+how, ids, c.idsIfAny())
	}
}

// idsIfAny asks for the unique-ids if the server has them.
func (c *conn) idsIfAny() map[int]string {
	if !c.p.b.has(pop3.CapUIDL) {
		return nil
	}
	return c.uidl()
}

// pause waits.
func (p *probe) pause(d time.Duration) {
	if p.over() {
		return
	}
	select {
	case <-time.After(d):
	case <-p.ctx.Done():
	}
}

// idle waits for d and fails the check when the server says something or
// closes the connection.
func (c *conn) idle(want string, d time.Duration) {
	if c.dead() {
		return
	}
	since := time.Now()
	line, closed := c.atEnd(d)
	after := time.Since(since).Round(time.Second)
	switch {
	case line != "":
		c.p.fail(want, "%q after %v", line, after)
	case closed:
		c.p.fail(want, "the connection's end after %v", after)
	}
}

func statesTenMinutes(p *probe) {
	c := p.enter()
	c.ok("NOOP")
	c.idle("a session that waits ten minutes for a command", 599*time.Second)
	c.ok("NOOP")
}

// Longer than the usual timers, and never quiet for long, since how long a
// timer is does not matter here.
func statesTimerRestarts(p *probe) {
	c := p.enter()
	for i := range 26 {
		c.idle("each command to restart the auto-logout timer", min(time.Second<<i, time.Minute))
		c.ok("NOOP")
	}
}

// longestTimer is how long an auto-logout is waited for.
const longestTimer = 35 * time.Minute

func statesSilentLogout(p *probe) {
	c := p.enter()
	sizes := c.list()
	if p.t.Destructive && len(sizes) > 0 {
		c.ok("DELE %d", slices.Max(slices.Collect(maps.Keys(sizes))))
	}
	line, closed := c.atEnd(longestTimer)
	switch {
	case line != "":
		p.fail("the connection's end and no reply when the auto-logout timer expires", "%q", line)
	case !closed:
		p.skip("no auto-logout within %v", longestTimer)
	}
	sameListing(p, "nothing removed by an auto-logout", sizes, p.enter().list())
}

// wrongLogin tries a wrong password, in the way in which tryAuth tries the right
// one.
func (c *conn) wrongLogin() reply {
	c.guarded()
	if !c.withUser() {
		return c.sasl(sasl.NewPlainClient("", c.p.t.User, wrongPassword))
	}
	if r := c.cmd("USER %s", c.p.t.User); !r.ok {
		return r
	}
	return c.cmd("PASS %s", wrongPassword)
}

// withUser reports whether USER and PASS are a way to log in here.
func (c *conn) withUser() bool {
	capa, known := c.capa()
	return !known || capa.Has(pop3.CapUser)
}

func statesAfterRefusal(p *probe) {
	c := p.connect()
	r := c.wrongLogin()
	p.want(!r.ok, "-ERR to a wrong password", "%s", r)
	again, open := c.answer("USER %s", p.t.User)
	switch {
	case !open:
		p.note("the server closes the connection")
	case !again.ok && c.withUser():
		p.fail("a new USER to be taken, or the connection closed", "%s", again)
	default:
		p.note("the client may try again")
	}
}

func statesForgets(p *probe) {
	c := p.connect()
	r := c.wrongLogin()
	p.want(!r.ok, "-ERR to a wrong password", "%s", r)
	r, open := c.answer("STAT")
	if !open {
		return
	}
	p.want(!r.ok, "the AUTHORIZATION state after a failed login", "%q to STAT", r)
	if r, open = c.answer("PASS %s", p.t.Password); open {
		p.want(!r.ok, "PASS without a new USER to be refused", "%s", r)
	}
}

func statesSomeMechanism(p *probe) {
	c := p.connect()
	capa, known := c.capa()
	if !known {
		if r := c.cmd("USER " + nobody); r.ok || strings.Contains(c.greeting.raw, "<") {
			return
		}
		p.fail("USER to work, or a timestamp in the greeting", "%q, no CAPA, and USER is refused", c.greeting)
	}
	if !c.tls && !someMechanism(c, capa) && capa.Has(pop3.CapSTLS) {
		c.stls()
		capa, _ = c.capa()
	}
	p.want(someMechanism(c, capa), "USER or SASL in CAPA, or a timestamp in the greeting", "%q and %q", capa, c.greeting)
}

func someMechanism(c *conn, capa pop3.Capabilities) bool {
	return capa.Has(pop3.CapUser) || len(capa.Mechanisms()) > 0 || strings.Contains(c.greeting.raw, "<")
}

func statesMinimum(p *probe) {
	c := p.filled(1)
	n := c.anyMessage()
	c.ok("STAT")
	c.ok("LIST")
	c.body()
	c.ok("LIST %d", n)
	c.ok("NOOP")
	c.ok("RSET")
	c.ok("RETR %d", n)
	c.body()
	if p.t.Destructive {
		c.ok("DELE %d", n)
		c.ok("RSET")
	}
	c.hangup(false) // no QUIT in a session that has read a message
	p.enter().ok("QUIT")
}

func statesNoSecondLogin(p *probe) {
	p.enter().eachRefused(p.enter, "NOOP", loginCommands()...)
}

func statesCloses(p *probe) {
	p.connect().quit()
	p.enter().quit()
}

// statesAnyOrder plays many commands in random order, the same in each run, and
// knows what each must answer.
func statesAnyOrder(p *probe) {
	c := p.filled(3)
	ids := c.idsIfAny() // first: a server that writes them into the messages changes their sizes
	m := &model{p: p, c: c, sizes: c.list(), ids: ids, marked: make(map[int]bool)}
	m.numbers = slices.Sorted(maps.Keys(m.sizes))
	if len(m.numbers) == 0 {
		return
	}
	random := rand.New(rand.NewPCG(1939, 2449))
	for i := 0; i < 500 && !p.over(); i++ {
		m.play(random.IntN(9), m.numbers[random.IntN(min(len(m.numbers), 20))])
	}
	p.note("500 commands answered as they must")
}

// A model is what a session must know of its maildrop.
type model struct {
	p       *probe
	c       *conn
	numbers []int
	sizes   map[int]int64
	ids     map[int]string
	marked  map[int]bool
}

// maxRead bounds the size of messages that are read over and over.
const maxRead = 64 << 10

// play sends one command and judges its reply.
func (m *model) play(command, n int) {
	m.goOn(m.marked[n])
	c, there := m.c, !m.marked[n]
	switch {
	case command == 0:
		c.ok("NOOP")
	case command == 1:
		m.wantLine(c.cmd("STAT"), true, fmt.Sprintf("+OK %d", len(m.sizes)-len(m.marked)))
	case command == 2:
		m.wantLine(c.cmd("LIST %d", n), there, fmt.Sprintf("+OK %d %d", n, m.sizes[n]))
	case command == 3 && m.ids != nil:
		m.wantLine(c.cmd("UIDL %d", n), there, fmt.Sprintf("+OK %d %s", n, m.ids[n]))
	case command == 4 && m.sizes[n] <= maxRead:
		m.wantBody("RETR %d", n)
	case command == 5 && c.p.b.has(pop3.CapTop) && m.sizes[n] <= maxRead:
		m.wantBody("TOP %d 0", n)
	case command == 6 && c.p.t.Destructive:
		m.wantLine(c.cmd("DELE %d", n), there, "+OK")
		m.marked[n] = true
	case command == 7:
		c.ok("RSET")
		clear(m.marked)
	case command == 8 && len(m.numbers) <= 50:
		m.wantList()
	}
}

// goOn begins a new session, in which no message is marked, where the next
// refusal might be one too many for the server. Once that is known, refusals are
// spared: sessions cost time.
func (m *model) goOn(refused bool) {
	if m.c.closed && !m.p.over() {
		m.c.wornOut()
		m.c = m.p.enter()
		clear(m.marked)
	}
	if refused && m.p.b.patience > 0 && m.c.worn() {
		m.c.ok("RSET")
		clear(m.marked)
	}
}

// wantLine judges a reply of one line.
func (m *model) wantLine(r reply, there bool, line string) {
	switch {
	case !there:
		m.p.want(!r.ok, "-ERR for a message that is marked as deleted", "%s", r)
		m.c.mayEnd = m.c.refusals >= fewRefusals
		m.c.ok("NOOP") // there are limits to bad commands in a row
		m.c.mayEnd = false
	default:
		rest, found := strings.CutPrefix(r.String(), line)
		m.c.p.want(found && (rest == "" || rest[0] == ' '), line, "%s", r)
	}
}

func (m *model) wantList() {
	want := maps.Clone(m.sizes)
	maps.DeleteFunc(want, func(n int, _ int64) bool { return m.marked[n] })
	sameListing(m.c.p, "LIST of all that is not marked", want, m.c.list())
}

func (m *model) wantBody(format string, n int) {
	r := m.c.cmd(format, n)
	m.wantLine(r, !m.marked[n], "+OK")
	if r.ok {
		m.c.body()
	}
}

// badCommands is how many may follow each other before a server that goes on
// answering is taken for one without limit.
const badCommands = 1000

func statesLimit(p *probe) {
	c := p.connect()
	for i := 0; i < badCommands && !p.over(); i++ {
		r, open := c.answer("XYZZ")
		if !open {
			p.note("closed after %d bad commands", i)
			return
		}
		p.want(!r.ok, "-ERR", "%s", r)
	}
	p.fail("an end after many bad commands", "%d answers and the connection is still open", badCommands)
}
