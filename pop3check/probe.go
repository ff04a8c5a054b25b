package pop3check

import (
	"bytes"
	"context"
	"fmt"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// A probe is one check being made. The first deviation ends it: what a check
// does after that does nothing and returns zero values, so that checks read as
// conversations, without a condition behind each line. Loops that wait for the
// server must be bounded by what it has already said.
type probe struct {
	ctx context.Context
	b   *bench
	t   *Target

	status    Status // "": all is well so far
	wish, got string
	conns     []*conn
	trace     []string
	untraced  int // lines left out
	secrets   *strings.Replacer
	hidden    []string // digests and responses that were sent, and no trace shows
}

func (p *probe) over() bool { return p.status != "" }

// fail ends the check: the server broke the rule.
func (p *probe) fail(want, got string, args ...any) {
	p.end(Fail, want, fmt.Sprintf(got, args...))
}

// skip ends the check without a verdict.
func (p *probe) skip(why string, args ...any) {
	p.end(Skip, "", fmt.Sprintf(why, args...))
}

// skipInstead turns a failure on the way to what a check is about into no
// verdict.
func (p *probe) skipInstead(why string) {
	if p.status == Fail {
		p.status, p.got = Skip, why+": "+p.got
	}
}

func (p *probe) end(s Status, want, got string) {
	if !p.over() {
		p.status, p.wish, p.got = s, want, got
	}
}

// note says what was seen when nothing is wrong.
func (p *probe) note(format string, args ...any) {
	if !p.over() {
		p.got = fmt.Sprintf(format, args...)
	}
}

// want fails the check unless ok. want completes "want ...".
func (p *probe) want(ok bool, want, got string, args ...any) {
	if !ok {
		p.fail(want, got, args...)
	}
}

// same fails the check unless the octets are the same. what completes "want ...".
func (p *probe) same(what string, want, got []byte) {
	if p.over() || bytes.Equal(want, got) {
		return
	}
	at := 0
	for at < min(len(want), len(got)) && want[at] == got[at] {
		at++
	}
	from := max(0, at-20)
	p.fail(what, "%d octets instead of %d; they differ at octet %d: %q instead of %q", len(got), len(want), at,
		got[from:min(len(got), at+40)], want[from:min(len(want), at+40)])
}

// announces skips the check unless the server has all of these capabilities.
func (p *probe) announces(tags ...string) {
	for _, tag := range tags {
		if !p.over() && !p.b.has(tag) {
			p.skip("the server does not have %s", tag)
		}
	}
}

// leave ends all connections of the check.
func (p *probe) leave() {
	for _, c := range p.conns {
		c.leave()
	}
}

// maxTrace bounds the lines of a trace: who reads it wants the end.
const maxTrace = 200

func (p *probe) note1(line string) {
	if len(p.trace) == maxTrace {
		p.trace = slices.Delete(p.trace, 0, 1)
		p.untraced++
	}
	p.trace = append(p.trace, line)
}

func (p *probe) result(r Requirement) Result {
	status := p.status
	if status == "" {
		status = Pass
	}
	trace := p.trace
	if p.untraced > 0 {
		trace = append([]string{fmt.Sprintf("# %d lines left out", p.untraced)}, trace...)
	}
	return Result{Requirement: r, Status: status, Want: printable(cut(p.safe(p.wish))), Got: printable(cut(p.safe(p.got))), Trace: trace}
}

// printable escapes what a terminal must not see.
func printable(s string) string {
	var b strings.Builder
	for _, r := range s {
		if !unicode.IsPrint(r) && r != utf8.RuneError { // controls, and what turns text round
			fmt.Fprintf(&b, `\x%02x`, r)
			continue
		}
		b.WriteRune(r)
	}
	return strings.ToValidUTF8(b.String(), "?")
}
