package pop3check

import (
	"bytes"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"postfach/pop3"
)

// list asks for the scan listing: sizes by message number.
func (c *conn) list() map[int]int64 {
	c.ok("LIST")
	sizes := make(map[int]int64)
	for _, line := range c.body().lines() {
		n, size, ok := sized(line)
		if !ok {
			c.p.fail("lines of a message number and a size", "%q", line)
		}
		sizes[n] = size
	}
	return sizes
}

// uidl asks for the unique-ids by message number.
func (c *conn) uidl() map[int]string {
	c.ok("UIDL")
	ids := make(map[int]string)
	for _, line := range c.body().lines() {
		n, id, ok := numbered(line)
		if !ok {
			c.p.fail("lines of a message number and a unique-id", "%q", line)
		}
		ids[n] = id
	}
	return ids
}

// numbered parts a line into its number and the word behind it.
func numbered(line string) (n int, word string, ok bool) {
	f := strings.Fields(line)
	if len(f) < 2 {
		return 0, "", false
	}
	n, err := strconv.Atoi(f[0])
	return n, f[1], err == nil
}

// sized parts a scan listing into number and size.
func sized(line string) (n int, size int64, ok bool) {
	n, word, ok := numbered(line)
	size, err := strconv.ParseInt(word, 10, 64)
	return n, size, ok && err == nil
}

// all returns the message numbers, in order, of at least so many messages.
func (c *conn) all(least int) []int {
	numbers := slices.Sorted(maps.Keys(c.list()))
	if len(numbers) < least && !c.p.over() {
		c.p.skip("needs %d messages, there are %d", least, len(numbers))
	}
	return numbers
}

// anyMessage returns the number of some message, the last one.
func (c *conn) anyMessage() int {
	numbers := c.all(1)
	if len(numbers) == 0 {
		return 0
	}
	return numbers[len(numbers)-1]
}

// number returns the message number of one of our messages that login was
// asked for.
func (c *conn) number(name string) int {
	n := c.numbers[name]
	if n == 0 {
		c.p.skip("message %s is not there", name)
	}
	return n
}

// searchLimit bounds how many messages are looked into for ours, newest first.
const searchLimit = 400

// find looks for messages of ours and notes their numbers. It returns the names
// of those that are not there. What it says is not in the trace, and what goes
// wrong is no verdict about the check: it is skipped.
func (c *conn) find(names []string) (missing []string) {
	if len(names) == 0 || c.dead() {
		return nil
	}
	defer c.aside()()
	var ids map[int]string
	if c.p.b.has(pop3.CapUIDL) {
		ids = c.uidl()
	}
	numbers := c.all(0)
	slices.Reverse(numbers)
	looked := 0
	for _, n := range numbers {
		name, known := c.p.b.known[ids[n]]
		if (!known || ids[n] == "") && looked < searchLimit {
			looked++
			name = c.nameOf(n)
			if ids[n] != "" && !c.p.over() {
				c.p.b.known[ids[n]] = name
			}
		}
		if name != "" && c.numbers[name] == 0 {
			c.numbers[name] = n
		}
		if c.hasAll(names) {
			break
		}
	}
	for _, name := range names {
		if c.numbers[name] == 0 {
			missing = append(missing, name)
		}
	}
	return missing
}

// aside begins something that a check needs and that is not what it is about.
// What it returns is called at the end.
func (c *conn) aside() (end func()) {
	over := c.p.over()
	c.mute = true
	return func() {
		c.mute = false
		if c.p.status == Fail && !over {
			c.p.status, c.p.got = Skip, "could not look for the messages of the check: "+c.p.got
		}
	}
}

func (c *conn) hasAll(names []string) bool {
	return !slices.ContainsFunc(names, func(name string) bool { return c.numbers[name] == 0 })
}

// nameOf returns the name of message n if it is one of ours.
func (c *conn) nameOf(n int) string {
	r := reply{}
	if c.p.b.has(pop3.CapTop) {
		r = c.cmd("TOP %d 0", n)
	}
	if !r.ok {
		r = c.cmd("RETR %d", n)
	}
	if !r.ok {
		return ""
	}
	for line := range bytes.Lines(c.body().data()) {
		if value, ok := bytes.CutPrefix(line, []byte(marker+": ")); ok {
			return nameOfMark(strings.TrimSpace(string(value)))
		}
	}
	return ""
}

// perhaps is login for messages that a delivery may refuse or alter. Those that
// are not there in the end have no number.
func (p *probe) perhaps(names ...string) *conn {
	c := p.enter()
	missing := c.find(names)
	if len(missing) == 0 || p.over() || p.t.Deliver == nil {
		return c
	}
	c.leave()
	for _, name := range missing {
		p.t.Deliver(p.ctx, ourMessage(name).stored) // if it fails the message is not there
	}
	c = p.after(missing, p.enter)
	c.find(names)
	return c
}

// sampleLimit bounds how many messages are read for a rule about every message.
const sampleLimit = 50

// sample connects and logs in for a rule about every message. It returns the
// numbers of those to look at: ours of these names, or, where they cannot be
// delivered, the newest ones, whatever they are.
func (p *probe) sample(names ...string) (c *conn, numbers []int) {
	if p.t.Deliver == nil {
		c = p.enter()
		numbers = c.all(1)
		return c, numbers[max(0, len(numbers)-sampleLimit):]
	}
	c = p.login(names...)
	for _, name := range names {
		numbers = append(numbers, c.number(name))
	}
	if p.over() {
		return c, nil
	}
	return c, numbers
}

// twins connects and logs in, with two copies of one message in the maildrop,
// and returns their numbers.
func (p *probe) twins() (c *conn, first, second int) {
	const name = "twin"
	c = p.login(name)
	copies := c.copies(name)
	if len(copies) == 1 && p.t.Deliver != nil {
		c.leave()
		if err := p.t.Deliver(p.ctx, ourMessage(name).stored); err != nil {
			p.skip("message %s was not delivered a second time: %v", name, err)
		}
		c = p.enter()
		copies = c.copies(name)
	}
	if len(copies) < 2 {
		p.skip("needs two copies of a message")
		return c, 0, 0
	}
	return c, copies[0], copies[1]
}

// copies returns the numbers of all copies of one of our messages. It does not
// trust unique-ids. What it says is not in the trace.
func (c *conn) copies(name string) (numbers []int) {
	defer c.aside()()
	all := c.all(0)
	for _, n := range all[max(0, len(all)-searchLimit):] {
		if c.nameOf(n) == name {
			numbers = append(numbers, n)
		}
	}
	return numbers
}

// emptied connects and logs in, with an empty maildrop. If it is not empty and
// may not be emptied, the check is skipped.
func (p *probe) emptied() *conn {
	c := p.enter()
	if count, _ := c.stat(); count == 0 || p.over() {
		return c
	}
	if !p.t.Destructive {
		p.skip("needs an empty maildrop; removing messages is not allowed here")
		return c
	}
	for _, n := range c.all(0) {
		c.ok("DELE %d", n)
	}
	c.quit()
	p.skipInstead("the maildrop could not be emptied")
	c = p.enter()
	if left, _ := c.stat(); left > 0 {
		p.skip("the maildrop could not be emptied: %d messages are left", left)
	}
	return c
}

// identities returns by what each message is known again in another session:
// its unique-id, or, where there are none, its size.
func (c *conn) identities() map[int]string {
	if c.p.b.has(pop3.CapUIDL) {
		return c.uidl()
	}
	all := make(map[int]string)
	for n, size := range c.list() {
		all[n] = strconv.FormatInt(size, 10) + " octets"
	}
	return all
}

// goneList is what is missing. A finding shows some of it.
type goneList []string

func (g goneList) String() string {
	if len(g) > 5 {
		return fmt.Sprintf("%q and %d more", []string(g[:5]), len(g)-5)
	}
	return fmt.Sprintf("%q", []string(g))
}

// sameListing fails the check unless two listings are the same: sizes or
// unique-ids by message number.
func sameListing[V comparable](p *probe, want string, before, after map[int]V) {
	if !p.over() && !maps.Equal(before, after) {
		p.fail(want, "%s", difference(before, after))
	}
}

// difference says in which message two listings differ first.
func difference[V comparable](before, after map[int]V) string {
	numbers := slices.Sorted(maps.Keys(before))
	for _, n := range append(numbers, slices.Sorted(maps.Keys(after))...) {
		a, was := before[n]
		b, is := after[n]
		switch {
		case !is:
			return fmt.Sprintf("message %d is missing; %d instead of %d messages", n, len(after), len(before))
		case !was:
			return fmt.Sprintf("message %d is new; %d instead of %d messages", n, len(after), len(before))
		case a != b:
			return fmt.Sprintf("message %d: %v instead of %v", n, b, a)
		}
	}
	return "no difference"
}

// gone returns the messages of before that are not in after, by identity.
func gone(before, after map[int]string) (missing goneList) {
	left := make(map[string]int)
	for _, id := range after {
		left[id]++
	}
	for _, n := range slices.Sorted(maps.Keys(before)) {
		if left[before[n]]--; left[before[n]] < 0 {
			missing = append(missing, before[n])
		}
	}
	return missing
}

// refuses sends a command, which has a place for the message number, for
// messages that are not there. It returns the connection to go on with, as
// eachRefused does.
func (c *conn) refuses(command string) *conn {
	return c.eachRefused(c.p.enter, "", c.absently(command)...)
}

// absently is a command for messages that are not there.
func (c *conn) absently(command string) []string {
	absent := c.absent()
	return []string{fmt.Sprintf(command, 0), fmt.Sprintf(command, absent), fmt.Sprintf(command, absent+98)}
}

// halfMade is noted where a rule has a part that cannot be tried.
const halfMade = "kept as far as it was tried: not with a marked message, because messages may not be removed here"

// refusesMarked is refuses for a message that is marked as deleted, where
// messages may be.
func (c *conn) refusesMarked(command string, n int) {
	if !c.p.t.Destructive {
		c.p.note("%s", halfMade)
		return
	}
	if c.worn() || c.refusals >= fewRefusals-1 {
		c.leave()
		c = c.p.enter()
	}
	c.ok("DELE %d", n)
	c.no(command, n)
	c.mayEnd = c.refusals >= fewRefusals
	c.ok("RSET")
}

// absent returns a message number that is not in use, behind those that are.
func (c *conn) absent() int {
	numbers := c.all(0)
	if len(numbers) == 0 {
		return 1
	}
	return numbers[len(numbers)-1] + 1
}
