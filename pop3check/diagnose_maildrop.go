package pop3check

import (
	"bytes"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"postfach/pop3"
)

// A listing is LIST or UIDL: words by message number, in the server's order.
type listing struct {
	numbers []int
	words   []string
}

// maxListing bounds a listing, in lines.
const maxListing = 2_000_000

// maildrop looks at what is there. Nothing is marked as deleted, and when a
// message was read the session does not end with QUIT: some servers mark what
// was read, or remove it, at QUIT.
func (e *exam) maildrop() {
	m := &MaildropReport{UniqueIDs: -1}
	e.x.d.Maildrop = m
	m.Expire, m.LoginDelay = e.expireInWords(), e.loginDelayInWords()
	if !e.stat(m) {
		return
	}
	sizes, ok := e.list(m, e.p.trace)
	if !ok || !e.uidl(m, sizes) {
		return
	}
	if e.samples(m, sizes) && e.pipelining(m) {
		e.end()
	}
}

// end leaves the session so that nothing has happened in it.
func (e *exam) end() {
	e.begin()
	if !e.c.touched {
		e.c.say("QUIT")
		e.c.reply()
	} else {
		e.c.cmd("RSET")
	}
	e.c.nc.Close() // over TLS it says that this is the end (P3-TLS-17)
	e.c.close()
}

// over ends a step that the server broke: the session is of no more use.
func (e *exam) over(id string) bool {
	e.can.cause = "session"
	e.done(id)
	e.c.close()
	return false
}

func (e *exam) stat(m *MaildropReport) bool {
	e.begin()
	began := time.Now()
	m.Count, m.Octets = e.c.stat()
	if e.p.over() {
		return e.over("stat")
	}
	e.time("stat", began)
	e.p.note("%d messages, %d octets", m.Count, m.Octets)
	return e.done("stat")
}

// lines asks for a listing. known is false when the server says -ERR.
func (e *exam) lines(command string) (all listing, known bool) {
	r := e.c.cmd("%s", command)
	if !r.ok {
		return listing{}, false
	}
	shown := len(e.p.trace)
	e.allow(listBudget)
	b := e.c.body()
	e.allow(talkBudget)
	if n := len(e.p.trace) - shown; n > 24 {
		e.p.trace = slices.Concat(e.p.trace[:shown+10], []string{fmt.Sprintf("# %d lines left out", n-20)}, e.p.trace[len(e.p.trace)-10:])
	}
	for _, line := range b.lines() {
		n, word, _ := strings.Cut(line, " ")
		number, err := strconv.Atoi(n)
		if err != nil || word == "" || len(all.numbers) == maxListing {
			e.p.fail("lines of a message number, a space and a word", "%q", cut(line))
			break
		}
		all.numbers = append(all.numbers, number)
		all.words = append(all.words, word)
	}
	return all, true
}

// list compares LIST with STAT, whose conversation it shows, too.
func (e *exam) list(m *MaildropReport, stat []string) (map[int]int64, bool) {
	e.begin()
	began := time.Now()
	all, known := e.lines("LIST")
	if !known && !e.p.over() {
		e.p.fail("+OK to LIST", "-ERR")
	}
	sizes := make(map[int]int64)
	for i, n := range all.numbers {
		word, _, _ := strings.Cut(all.words[i], " ") // P3-LIST-07
		size, err := strconv.ParseInt(word, 10, 64)
		if err != nil || size < 0 {
			e.p.fail("a size", "%q", cut(all.words[i]))
		}
		sizes[n] = size
		m.Sum += size
	}
	m.Listed = len(all.numbers)
	if e.p.over() {
		return nil, e.over("list")
	}
	e.time("list", began)
	e.p.note("%d messages", m.Listed)
	trace := e.p.trace
	e.done("list")

	e.begin()
	e.p.trace = slices.Concat(stat, trace)
	e.p.want(m.Count == m.Listed && m.Octets == m.Sum, "STAT to be the sum of LIST",
		"STAT: %d messages, %d octets; LIST: %d messages, %d octets", m.Count, m.Octets, m.Listed, m.Sum)
	e.p.note("%d messages, %d octets", m.Listed, m.Sum)
	e.done("P3-STAT-05")

	e.begin()
	e.p.trace = trace
	for i, n := range all.numbers {
		e.p.want(n == i+1, "messages numbered 1, 2, 3 and so on", "%d at place %d", n, i+1)
	}
	e.done("P3-MSG-01")
	return sizes, true
}

// uidl looks at the unique-ids.
func (e *exam) uidl(m *MaildropReport, sizes map[int]int64) bool {
	e.begin()
	began := time.Now()
	all, known := e.lines("UIDL")
	if e.p.over() {
		return e.over("uidl")
	}
	e.time("uidl", began)
	if !known {
		if e.can.Inside.Has(pop3.CapUIDL) {
			e.p.fail("+OK to UIDL, which CAPA lists", "-ERR")
			e.done("P3-UIDL-08")
			return true
		}
		e.p.skip("the server has no UIDL: programs cannot tell new messages from old ones")
		e.done("uidl")
		return true
	}
	m.UniqueIDs = len(all.numbers)
	trace := e.p.trace
	e.p.note("%d unique-ids", m.UniqueIDs)
	e.done("uidl")

	e.begin()
	e.p.trace = trace
	e.p.want(m.UniqueIDs == m.Listed, "a line of UIDL for each of LIST", "LIST has %d, UIDL %d", m.Listed, m.UniqueIDs)
	for _, n := range all.numbers {
		_, listed := sizes[n]
		e.p.want(listed, "a line of UIDL for each of LIST", "LIST has no message %d", n)
	}
	e.done("P3-UIDL-01")

	e.begin()
	e.p.trace = trace
	for i, id := range all.words {
		e.p.want(pop3.UniqueID(id).Valid(), "unique-ids of 1 to 70 octets from 0x21 to 0x7E", "message %d: %q", all.numbers[i], id)
	}
	e.done("P3-UIDL-03")

	e.begin()
	e.p.trace = trace
	first := make(map[string]int)
	for i, id := range all.words {
		if before, twice := first[id]; twice {
			e.p.fail("each message to have a unique-id of its own", "messages %d and %d both have %q", before, all.numbers[i], id)
		}
		first[id] = all.numbers[i]
	}
	e.done("P3-UIDL-04")
	return true
}

// samples reads a few messages and compares them with what was said of them.
func (e *exam) samples(m *MaildropReport, sizes map[int]int64) bool {
	numbers := e.choose(m.Listed, sizes)
	if e.expires() {
		e.begin()
		e.p.skip("no message was read: EXPIRE 0 says that this removes it")
		e.done("retr")
		return true
	}
	if e.x.q.samples() < 0 {
		e.begin()
		e.p.skip("no message was read: that was not asked for")
		e.done("retr")
		return true
	}
	if len(numbers) == 0 {
		e.begin()
		e.p.skip("there is no message of at most %d octets", e.x.q.sampleSize())
		e.done("retr")
		return true
	}
	for i, n := range numbers {
		if !e.sample(m, n, sizes[n], i == 0) {
			return false
		}
	}
	return true
}

// expires reports whether CAPA said anywhere that what is read is removed: it
// may say so before the login only.
func (e *exam) expires() bool {
	for _, all := range []pop3.Capabilities{e.can.Clear, e.can.InTLS, e.can.Inside} {
		if capa, _ := all.Lookup(pop3.CapExpire); capa.Has("0") {
			return true
		}
	}
	return false
}

// choose picks the first message, the last, and some between them, of those
// that are small enough.
func (e *exam) choose(listed int, sizes map[int]int64) []int {
	var small []int
	for n := range listed {
		if size, ok := sizes[n+1]; ok && size <= e.x.q.sampleSize() {
			small = append(small, n+1)
		}
	}
	want := min(e.x.q.samples(), len(small), 100)
	var chosen []int
	for i := range max(want, 0) {
		at := 0
		if want > 1 {
			at = i * (len(small) - 1) / (want - 1)
		}
		chosen = append(chosen, small[at])
	}
	return slices.Compact(chosen)
}

// sample reads one message. Its text is not for the report.
func (e *exam) sample(m *MaildropReport, n int, announced int64, first bool) bool {
	e.begin()
	began := time.Now()
	e.c.ok("RETR %d", n)
	whole := e.message(2*announced + 64<<10)
	if e.p.over() {
		return e.over("retr")
	}
	if first {
		e.time("retr", began)
	}
	s := Sample{Number: n, Announced: announced, Octets: int64(len(whole)), Top: "not there"}
	trace := slices.Clone(e.p.trace)
	if s.Octets == announced {
		e.p.note("message %d has the %d octets that LIST says", n, announced)
	}
	e.p.want(s.Octets == announced, "RETR to send the octets that LIST says", "message %d: LIST says %d octets, RETR sent %d", n, announced, s.Octets)
	e.done("P3-MSG-05")

	e.begin()
	r := e.c.cmd("TOP %d 0", n)
	switch {
	case e.p.over():
		return e.over("top")
	case !r.ok && e.can.Inside.Has(pop3.CapTop):
		e.p.fail("+OK to TOP, which CAPA lists", "%s", r)
		e.done("P3-TOP-07")
	case !r.ok:
		e.p.skip("the server has no TOP")
		e.done("P3-TOP-03")
	default:
		top := e.message(2*announced + 64<<10)
		if e.p.over() {
			return e.over("top")
		}
		s.Top = "the header of RETR"
		if !sameHeader(whole, top) {
			s.Top = fmt.Sprintf("%d octets, RETR's header has %d", len(top), len(headerOf(whole)))
			e.p.fail("TOP with 0 to send the header and the empty line, as RETR does", "message %d: TOP sent %s", n, s.Top)
		}
		e.p.note("message %d: %d octets", n, len(top))
		e.p.trace = append(trace, e.p.trace...)
		e.done("P3-TOP-03")
	}
	m.Samples = append(m.Samples, s)
	return true
}

// message reads a message of at most so many octets and returns it without
// byte-stuffing. The trace gets its length only.
func (e *exam) message(most int64) []byte {
	var all body
	e.c.mute = true
	e.allow(listBudget)
	defer func() {
		e.c.mute = false
		e.allow(talkBudget)
	}()
	for !e.c.dead() {
		line, err := e.c.readLine(e.x.q.timeout())
		all = append(all, line...)
		switch {
		case err != nil:
			e.p.fail(`a message that ends with "."`, "%s after %d octets", e.c.trouble("", err), len(all))
		case isEnd([]byte(line)):
			e.p.note1(fmt.Sprintf(`# %d octets, and "."`, len(all)-len(line)))
			return all.data()
		case int64(len(all)) > most:
			e.p.fail(`a message that ends with "."`, "more than %d octets without it", most)
		}
	}
	return nil
}

// headerOf is header for messages that may begin with the empty line.
func headerOf(message []byte) []byte {
	if bytes.HasPrefix(message, []byte("\r\n")) {
		return message[:2]
	}
	return header(message)
}

// sameHeader reports whether top is the header of a message. Where the message
// has no empty line TOP may send one (P3-TOP-10).
func sameHeader(message, top []byte) bool {
	want := headerOf(message)
	return bytes.Equal(want, top) || bytes.Equal(append(slices.Clone(want), '\r', '\n'), top) && len(want) == len(message)
}

// pipelining sends three commands at once.
func (e *exam) pipelining(m *MaildropReport) bool {
	e.begin()
	announced := e.can.Inside.Has(pop3.CapPipelining)
	e.c.send("STAT\r\nNOOP\r\nSTAT\r\n")
	want := fmt.Sprintf("%d %d", m.Count, m.Octets)
	for i := range 3 {
		r := e.c.reply()
		isStat := strings.HasPrefix(r.text, want)
		if !e.p.over() && (!r.ok || i != 1 && !isStat || i == 1 && isStat) {
			e.p.fail("replies to STAT, NOOP and STAT, in this order", "%s as the reply %d", r, i+1)
		}
	}
	broke := e.p.over()
	switch {
	case announced && broke:
		m.Pipelining = "announced, and it does not work"
	case announced:
		m.Pipelining = "works"
	case broke:
		m.Pipelining = "not announced, and it does not work"
	default:
		m.Pipelining = "not announced, but it works"
	}
	if !announced {
		e.p.status, e.p.wish, e.p.got = "", "", ""
		e.p.skip("%s", m.Pipelining)
	}
	e.p.note("%s", m.Pipelining)
	e.done("P3-PIPE-01")
	if broke {
		e.c.close() // whose reply the next one would be nobody knows
	}
	return !broke
}

// expireInWords says how long mail may stay.
func (e *exam) expireInWords() string {
	capa, ok := e.can.Inside.Lookup(pop3.CapExpire)
	if !ok || len(capa.Params) == 0 {
		return "the server does not say how long it keeps mail"
	}
	days := capa.Params[0]
	switch n, err := strconv.Atoi(days); {
	case strings.EqualFold(days, "NEVER"):
		return "the server removes no mail by itself"
	case err != nil:
		return "EXPIRE " + days + ", which means nothing"
	case n == 0:
		return "mail may not be left on the server: what is fetched is removed"
	case n == 1:
		return "the server keeps mail for at least one day"
	default:
		return fmt.Sprintf("the server keeps mail for at least %d days", n)
	}
}

// loginDelayInWords says how often one may log in.
func (e *exam) loginDelayInWords() string {
	capa, ok := e.can.Inside.Lookup(pop3.CapLoginDelay)
	if !ok || len(capa.Params) == 0 {
		return "the server names no time between logins"
	}
	n, err := strconv.Atoi(capa.Params[0])
	switch {
	case err != nil || n < 0:
		return "LOGIN-DELAY " + capa.Params[0] + ", which means nothing"
	case n == 0:
		return "logins may follow each other at once"
	}
	return fmt.Sprintf("look for mail every %d seconds at most", n)
}
