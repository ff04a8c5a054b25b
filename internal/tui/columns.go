package tui

import (
	"fmt"
	"strings"
	"time"

	"postfach/internal/explore"
)

// columns are the widths of the list's columns; 0: there is no room for it.
type columns struct {
	number, size, date, from, subject, id int
	dateForm                              string
}

// layOut divides w cells. What matters least goes first when it gets narrow.
func layOut(w, messages int) columns {
	c := columns{number: max(3, len(fmt.Sprint(messages))), size: 6}
	switch {
	case w >= 100:
		c.date, c.dateForm = 16, "2006-01-02 15:04"
	case w >= 64:
		c.date, c.dateForm = 10, "2006-01-02"
	case w >= 50:
		c.date, c.dateForm = 6, "02 Jan"
	}
	if w >= 110 {
		c.id = min(26, (w-80)/3)
	}
	rest := w - c.number - 4 - c.size // with the gaps and the mark
	for _, n := range []int{c.date, c.id} {
		if n > 0 {
			rest -= n + 1
		}
	}
	c.from = max(7, (rest-2)*2/5)
	if c.from > 32 {
		c.from = 32
	}
	c.subject = max(0, rest-c.from-2)
	return c
}

func (l *list) header(t *theme, c columns) row {
	name := func(s explore.Sort, title shown) shown {
		switch {
		case l.query.Sort != s:
			return title
		case l.query.Descending:
			return title + "↓"
		}
		return title + "↑"
	}
	r := row{{t.right(name(explore.ByNumber, "#"), c.number) + "   " + t.right(name(explore.BySize, "size"), c.size) + " ", strong}}
	if c.date > 0 {
		r = append(r, span{t.fit(name(explore.ByDate, "date"), c.date) + " ", strong})
	}
	r = append(r, span{t.fit(name(explore.ByFrom, "from"), c.from) + " " + t.fit(name(explore.BySubject, "subject"), c.subject), strong})
	if c.id > 0 {
		r = append(r, span{" " + t.fit("unique-id", c.id), strong})
	}
	return r
}

// entry draws a message: number, mark, size, date, from, subject, unique-id. What
// is not read yet is blank.
func (c columns) entry(t *theme, e explore.Entry) row {
	number := shown("–")
	if e.Number > 0 {
		number = shown(fmt.Sprint(e.Number))
	}
	r := row{{t.right(number, c.number) + " ", dim}, flags(e), {t.right(octets(e.Size), c.size) + " ", plain}}
	s := e.Summary
	if c.date > 0 {
		r = append(r, span{t.fit(date(s.Date, c.dateForm), c.date) + " ", plain})
	}
	switch {
	case e.Problem != "" && !e.Known:
		r = append(r, span{t.fit("cannot be looked at: "+line(e.Problem), c.from+1+c.subject), warning})
	case !e.Known:
		r = append(r, span{t.fit("…", c.from+1+c.subject), dim})
	default:
		r = append(r, span{t.fit(orNone(line(s.From), "(no sender)"), c.from) + " ", plain}, span{t.fit(orNone(line(s.Subject), "(no subject)"), c.subject), plain})
	}
	if c.id > 0 {
		r = append(r, span{" " + t.fit(line(string(e.ID)), c.id), dim})
	}
	return r
}

// flags are two signs: D is marked for deletion, ! is trouble.
func flags(e explore.Entry) span {
	switch {
	case e.Marked:
		return span{"D ", warning}
	case e.Problem != "":
		return span{"! ", warning}
	}
	return span{"  ", plain}
}

func date(d time.Time, form string) shown {
	if d.IsZero() {
		return ""
	}
	return line(d.Local().Format(form))
}

func orNone(s, none shown) shown {
	if strings.TrimSpace(string(s)) == "" {
		return none
	}
	return s
}

// A space is how the list's part of the screen is divided.
type space struct {
	lines  int // messages
	width  int // of the list
	beside int // cells of the preview to the right
	below  int // lines of the preview beneath
}

func (l *list) space(a *app) space {
	s := space{lines: a.room() - 1, width: a.width}
	switch {
	case !l.preview.shows:
	case a.width >= 130 && s.lines >= 10:
		s.beside = a.width * 2 / 5
		s.width = a.width - s.beside - 1
	case s.lines >= 18:
		s.below = s.lines / 2
		s.lines -= s.below
	}
	return s
}

func (l *list) rows(a *app, w, h int) []string {
	t := a.theme
	s := l.space(a)
	c := layOut(s.width, a.status.Messages)
	lines := []string{t.draw(l.header(t, c), s.width, plain)}
	for i, e := range l.page.Entries[:min(len(l.page.Entries), s.lines)] {
		over := plain
		if l.top+i == l.at {
			over = cursor
		}
		lines = append(lines, t.draw(c.entry(t, e), s.width, over))
	}
	if l.page.Total == 0 {
		lines = append(lines, t.draw(text(dim, l.nothing(a)), s.width, plain))
	}
	lines = append(lines, t.page(nil, s.width, max(0, s.lines+1-len(lines)))...)
	switch {
	case s.beside > 0:
		for i, p := range l.preview.draw(a, s.beside, s.lines+1) {
			lines[i] += t.draw(text(dim, "│"), 1, plain) + p
		}
	case s.below > 0:
		lines = append(lines, l.preview.draw(a, w, s.below)...)
	}
	return lines[:min(len(lines), h)]
}

// nothing says why the list is empty.
func (l *list) nothing(a *app) shown {
	switch {
	case l.query.Search != "" && l.page.Unknown > 0:
		return "nothing found yet: reading…"
	case l.query.Search != "":
		return "nothing found; esc shows all"
	case l.query.MarkedOnly:
		return "nothing is marked; m shows all"
	case a.status.State == explore.Connecting:
		return "…"
	}
	return "the mailbox is empty"
}
