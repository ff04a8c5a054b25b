package main

import (
	"bytes"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"postfach/pop3"
	"postfach/pop3check"
)

// width is how many columns a report needs.
const width = 80

// text writes the report for people: the verdict, what to do, then the details.
func (r *diagnosisReport) text(w io.Writer) error {
	t := &page{}
	d := r.d
	t.wrap("", d.Verdict)
	if d.Whose != "" {
		t.wrap("  whose fault: ", string(d.Whose))
	}
	for _, line := range d.Advice {
		t.wrap("  -> ", line)
	}
	if !d.OK && len(d.Exchange) > 0 {
		t.title("What was said")
		for _, line := range lastLines(d.Exchange, 30) {
			t.said(line)
		}
	}
	t.names(d)
	if d.Used != nil {
		t.server(d, d.Used)
		t.capabilities(d.Used)
	}
	t.maildrop(d.Maildrop)
	t.times(r.phases())
	t.findings(d)
	_, err := w.Write(t.b.Bytes())
	return err
}

// lastLines returns the last n, and says so.
func lastLines(lines []string, n int) []string {
	if len(lines) <= n {
		return lines
	}
	return append([]string{fmt.Sprintf("# %d lines left out", len(lines)-n)}, lines[len(lines)-n:]...)
}

// A page is text of width columns.
type page struct{ b bytes.Buffer }

func (t *page) title(s string) { fmt.Fprintf(&t.b, "\n%s\n", s) }

// wrap writes text behind a label. Further lines begin below the text.
func (t *page) wrap(label, text string) {
	indent := strings.Repeat(" ", len([]rune(label)))
	line := label
	for i, word := range strings.Fields(visibleLine(text)) {
		switch {
		case i == 0:
			line += word
		case len([]rune(line))+1+len([]rune(word)) > width:
			t.b.WriteString(line + "\n")
			line = indent + word
		default:
			line += " " + word
		}
	}
	t.b.WriteString(strings.TrimRight(line, " ") + "\n")
}

// said writes a line of a conversation, octet for octet, in pieces if it must.
func (t *page) said(line string) {
	runes := []rune(visibleLine(line))
	for indent := "  "; ; indent = "     " {
		n := min(len(runes), width-len(indent))
		t.b.WriteString(indent + string(runes[:n]) + "\n")
		if runes = runes[n:]; len(runes) == 0 {
			return
		}
	}
}

// row writes a named value; an empty one is left out.
func (t *page) row(name, value string) {
	if value != "" {
		t.wrap(fmt.Sprintf("  %-12s  ", name), value)
	}
}

func (t *page) names(d *pop3check.Diagnosis) {
	if len(d.Lookups) > 0 {
		t.title("Names asked for")
		for _, l := range d.Lookups {
			t.wrap("  ", l.What+": "+l.Outcome+" ("+short(l.Time)+")")
		}
	}
	if len(d.Candidates) > 0 {
		t.title("Servers tried")
	}
	for _, c := range d.Candidates {
		mark := " "
		if c == d.Used {
			mark = "*"
		}
		source := ""
		if len(d.Lookups) > 0 {
			source = ", from " + c.Source
		}
		t.wrap(mark+" ", c.Addr()+", "+c.How()+source+": "+c.Outcome)
		for _, a := range c.Addresses {
			if a.IP.String() != c.Host {
				t.wrap("    ", a.IP.String()+": "+a.Outcome)
			}
		}
	}
}

func (t *page) server(d *pop3check.Diagnosis, c *pop3check.Candidate) {
	t.title("The server at " + c.Addr())
	if g := c.Greeting; g != nil {
		t.row("greeting", g.Line)
		if g.Version != "" {
			t.row("", "gives away a version: "+g.Version)
		}
		if g.Timestamp != "" {
			t.row("", "has a timestamp for APOP")
		}
	}
	t.certificate(c.TLS)
	if c.CleartextLogin != "" {
		t.row("without TLS", "passwords: "+c.CleartextLogin)
	}
	if c.KeepsClear != "" {
		t.row("behind STLS", "octets sent in clear: "+c.KeepsClear)
	}
	switch {
	case d.LoggedIn:
		t.row("login", "as "+d.User+", with "+c.Mechanism)
	case !d.LoginAsked:
		t.row("login", "not tried: no user or no password was given")
	case c.Mechanism != "":
		t.row("login", "refused: "+d.User+", with "+c.Mechanism)
	default:
		t.row("login", "not tried")
	}
}

func (t *page) certificate(r *pop3check.TLSReport) {
	if r == nil {
		t.row("TLS", "none")
		return
	}
	t.row("TLS", r.Version+", "+r.Cipher)
	leaf := r.Chain[0]
	t.row("certificate", "for "+strings.Join(leaf.Names, ", "))
	t.row("", fmt.Sprintf("until %s, %d days", leaf.NotAfter.Format(time.DateOnly), r.Days))
	for _, c := range r.Chain {
		t.row("", "signed by "+c.Issuer)
	}
	for _, problem := range r.Problems {
		t.row("", "! "+problem)
	}
	t.row("pin", r.Pin)
}

// capabilities writes CAPA as it was first, and what changed.
func (t *page) capabilities(c *pop3check.Candidate) {
	t.title("Capabilities")
	var before pop3.Capabilities
	for _, stage := range []struct {
		name string
		capa pop3.Capabilities
	}{{"in clear", c.Clear}, {"in TLS", c.InTLS}, {"after login", c.Inside}} {
		if stage.capa == nil {
			continue
		}
		if before == nil {
			t.row(stage.name, strings.Join(capaLines(stage.capa), ", "))
		} else {
			t.row(stage.name, difference(before, stage.capa))
		}
		before = stage.capa
	}
	if before == nil {
		t.row("none", "the server does not know CAPA")
	}
}

// difference says which lines came and which went.
func difference(before, after pop3.Capabilities) string {
	var all []string
	old, now := capaLines(before), capaLines(after)
	for _, line := range old {
		if !slices.Contains(now, line) {
			all = append(all, "-"+line)
		}
	}
	for _, line := range now {
		if !slices.Contains(old, line) {
			all = append(all, "+"+line)
		}
	}
	if len(all) == 0 {
		return "the same"
	}
	return strings.Join(all, ", ")
}

func (t *page) maildrop(m *pop3check.MaildropReport) {
	if m == nil {
		return
	}
	t.title("The maildrop")
	t.row("STAT", fmt.Sprintf("%s, %d octets", messages(m.Count), m.Octets))
	t.row("LIST", fmt.Sprintf("%s, %d octets", messages(m.Listed), m.Sum))
	if m.UniqueIDs < 0 {
		t.row("UIDL", "not there")
	} else {
		t.row("UIDL", messages(m.UniqueIDs))
	}
	for _, s := range m.Samples {
		t.row(fmt.Sprintf("message %d", s.Number), fmt.Sprintf("LIST says %d octets, RETR sent %d; TOP: %s", s.Announced, s.Octets, s.Top))
	}
	t.row("pipelining", m.Pipelining)
	t.row("keeping", m.Expire)
	t.row("polling", m.LoginDelay)
}

func (t *page) times(phases []pop3check.Phase) {
	t.title("Times")
	var all []string
	for _, p := range phases {
		all = append(all, p.Name+" "+short(p.Time))
	}
	t.wrap("  ", strings.Join(all, ", "))
}

// short is a duration with as many digits as anybody reads.
func short(d time.Duration) string {
	switch {
	case d >= time.Second:
		d = d.Round(10 * time.Millisecond)
	case d >= 10*time.Millisecond:
		d = d.Round(time.Millisecond)
	case d >= time.Millisecond:
		d = d.Round(100 * time.Microsecond)
	default:
		d = d.Round(time.Microsecond)
	}
	return d.String()
}

// findings lists what failed; what does not count is a note.
func (t *page) findings(d *pop3check.Diagnosis) {
	failed := 0
	for _, one := range d.Findings {
		if one.Status != pop3check.Fail {
			continue
		}
		failed++
		if d.Used == nil {
			continue // the servers that were tried say it
		}
		if failed == 1 {
			t.title("Findings")
		}
		kind := "finding"
		if !d.Counts(one) {
			kind = "note"
		}
		text := one.ID + ": " + one.Got
		if strings.HasPrefix(one.ID, "P3-") {
			text = one.ID + ": want " + one.Want + "; got " + one.Got
		}
		t.wrap(fmt.Sprintf("  %-7s  ", kind), text)
	}
	t.b.WriteString("\n")
	t.wrap("", fmt.Sprintf("Checks: %d, failed: %d. Each with its conversation: --json", len(d.Findings), failed))
}
