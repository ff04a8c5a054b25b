package pop3check

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"

	"postfach/pop3"
)

func langChecks() []row {
	return []row{
		{"P3-LANG-01", Login, langList},
		{"P3-LANG-02", 0, langSelect},
		{"P3-LANG-03", 0, langFailure},
		{"P3-LANG-04", Login, langPreferred},
		{"P3-LANG-05", Login, langOnlyText},
	}
}

// langUnchecked says why rules of P3-LANG are no checks.
func langUnchecked() map[string]string { return nil }

// languageLine is a language listing: a tag, and perhaps a description.
var languageLine = regexp.MustCompile(`^[A-Za-z]{1,8}(-[A-Za-z0-9]{1,8})*( .*)?$`)

// languages asks for the languages. A server may refuse to list them: then
// there are none.
func (c *conn) languages() (tags []string) {
	if r := c.cmd("LANG"); !r.ok {
		return nil
	}
	for _, line := range c.body().lines() {
		c.p.want(languageLine.MatchString(line), "lines of a language tag and perhaps a space and a description", "%q", line)
		c.p.want(utf8.ValidString(line), "descriptions in UTF-8", "%q", line)
		tag, _, _ := strings.Cut(line, " ")
		tags = append(tags, tag)
	}
	return tags
}

// someLanguages are as many as a check selects.
func (p *probe) someLanguages() []string {
	p.announces(pop3.CapLang)
	c := p.connect()
	tags := c.languages()
	c.leave()
	if len(tags) == 0 {
		p.skip("the server lists no languages")
	}
	return tags[max(0, len(tags)-4):]
}

func langList(p *probe) {
	p.announces(pop3.CapLang)
	before := p.connect().languages()
	after := p.enter().languages()
	p.note("%q before login, %q after", before, after)
}

// Whether a longer range, de-AT, finds a shorter tag, de, is not said; its own
// tag each language must have, in any case.
func langSelect(p *probe) {
	for _, tag := range p.someLanguages() {
		c := p.connect()
		for _, name := range []string{tag, strings.ToUpper(tag), strings.ToLower(tag)} {
			r := c.ok("LANG %s", name)
			said, _, more := strings.Cut(strings.TrimPrefix(r.raw, "+OK "), " ")
			p.want(strings.EqualFold(said, tag) && more, fmt.Sprintf("+OK %s and a text", tag), "%q", r)
			p.want(utf8.ValidString(r.raw), "a text in UTF-8", "%q", r)
		}
		c.leave()
	}
}

// An error that says nothing about its command is the same each time, in one
// language.
func langFailure(p *probe) {
	for _, tag := range p.someLanguages() {
		c := p.connect()
		c.ok("LANG %s", tag)
		before := c.no("XYZZ")
		c.ok("CAPA") // there are limits to bad commands in a row
		c.body()
		c.no("LANG xx")
		c.ok("CAPA")
		c.body()
		after := c.no("XYZZ")
		p.want(before.raw == after.raw, "the language as it was after LANG has failed", "%q instead of %q", after, before)
		c.leave()
	}
}

func langPreferred(p *probe) {
	p.announces(pop3.CapLang)
	c := p.connect()
	if !c.withUser() {
		p.skip("the server does not have USER here")
	}
	c.guarded()
	first := c.cmd("LANG *")
	c.leave()
	for _, name := range []string{nobody, p.t.User} {
		c = p.connect()
		c.cmd("USER %s", name)
		r := c.cmd("LANG *")
		p.want(r.raw == first.raw, "LANG * to say the same whatever the name", "%q instead of %q", r, first)
		bad := c.cmd("XYZZ")
		c.leave()
		c = p.connect()
		c.cmd("LANG *")
		r = c.cmd("XYZZ")
		p.want(r.raw == bad.raw, "the same language whatever the name", "%q instead of %q", bad, r)
		c.leave()
	}
}

// In each language all that programs read is the same.
func langOnlyText(p *probe) {
	status := regexp.MustCompile(`^(\+OK|-ERR)( .*)?\r\n$`)
	var stat string
	var sizes map[int]int64
	var tags []string
	for i, tag := range p.someLanguages() {
		inLanguage := func() *conn {
			c := p.enter()
			c.ok("LANG %s", tag)
			return c
		}
		c := p.enter()
		replies := []reply{c.ok("LANG %s", tag), c.cmd("NOOP")}
		for _, command := range []string{"XYZZ", "LIST 999999999", "RETR"} {
			var r reply
			c, r = c.try(inLanguage, command)
			replies = append(replies, r)
		}
		if c.refusals >= fewRefusals-1 {
			c.leave()
			c = inLanguage()
		}
		for _, r := range replies {
			p.want(status.MatchString(r.raw), "+OK or -ERR in all languages", "%q", r)
			p.want(len(r.raw) <= maxReplyLine, "at most 512 octets", "%d octets", len(r.raw))
			p.want(utf8.ValidString(r.raw), "whole characters", "%q", r)
		}
		count, size := c.stat()
		said := fmt.Sprintf("%d %d", count, size)
		list := c.list()
		capa, _ := c.capa()
		var now []string
		for _, line := range capa {
			now = append(now, line.Tag)
		}
		slices.Sort(now)
		if i == 0 {
			stat, sizes, tags = said, list, now
		}
		p.want(said == stat, "the same STAT in all languages", "%q instead of %q", said, stat)
		p.want(maps.Equal(list, sizes), "the same LIST in all languages", "other numbers in %s", tag)
		p.want(slices.Equal(now, tags), "the same capabilities in all languages", "%q instead of %q", now, tags)
		c.leave()
	}
}
