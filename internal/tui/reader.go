package tui

import (
	"context"
	"slices"
	"strings"

	tea "charm.land/bubbletea/v2"

	"postfach/internal/explore"
	"postfach/internal/message"
)

// maxText bounds how much of a part is shown as text, in octets. The source shows
// the rest.
const maxText = 1 << 20

// A reader shows a message that was loaded: its header, one of its parts as text.
type reader struct {
	entry  explore.Entry
	stored *explore.Stored
	msg    *message.Message
	part   *message.Part // nil: there is none to read
	text   []shown
	cut    bool
	why    shown // why there is no text
	whole  bool  // all header fields
	pager
}

// load loads a message, and gives it to use, which must close it or push a screen
// that does.
func (a *app) load(entry explore.Entry, use func(*app, *reader) tea.Cmd) tea.Cmd {
	e := a.e
	return a.start("loading the message, "+octets(entry.Size)+" octets", func(ctx context.Context, j *job) then {
		stored, err := e.Open(ctx, entry.Key)
		if err != nil {
			return func(a *app) tea.Cmd { a.fail(stopped(err)); return nil }
		}
		a.hold(stored)
		r := &reader{entry: entry, stored: stored}
		r.build = r.page
		r.msg = stored.Message()
		r.turnTo(r.msg.Body(true))
		return func(a *app) tea.Cmd {
			if j.stopping {
				a.drop(stored)
				a.fail(errStopped)
				return nil
			}
			if now, ok := e.Entry(entry.Key); ok {
				r.entry = now // it has a number by now
			}
			a.list.preview.forgive(entry.Key)
			return use(a, r)
		}
	})
}

// open reads a message. One that has no text is shown as it is.
func (a *app) open(entry explore.Entry) tea.Cmd {
	return a.load(entry, func(a *app, r *reader) tea.Cmd {
		a.push(r)
		if r.part != nil || len(r.msg.Attachments()) > 0 {
			return nil
		}
		a.tell(warning, r.why+"; this is its source, esc goes back")
		return r.showSource(a)
	})
}

// openSource shows a message as it crossed the wire.
func (a *app) openSource(entry explore.Entry) tea.Cmd {
	return a.load(entry, func(a *app, r *reader) tea.Cmd {
		a.push(r)
		return r.showSource(a)
	})
}

// turnTo reads another part.
func (r *reader) turnTo(p *message.Part) {
	r.part = p
	r.text, r.cut, r.why = bodyText(r.msg, p, maxText)
	r.top = 0
	r.stale()
}

// bodyText returns a part as lines that may be shown; why says why there are
// none.
func bodyText(m *message.Message, p *message.Part, limit int64) (lines []shown, cut bool, why shown) {
	switch {
	case p == nil:
		return nil, false, "there is no text in this message"
	case len(p.Parts) > 0:
		return nil, false, "this part has parts of its own"
	case !isText(p):
		return nil, false, "this part is no text: " + line(p.Type)
	}
	s, cut, err := m.Text(p, limit)
	if err != nil {
		return nil, false, "this part cannot be read: " + errorLine(err)
	}
	if p.Type == "text/html" {
		s = message.HTMLText(s)
	}
	return block(s), cut, ""
}

func isText(p *message.Part) bool { return p.Type == "" || len(p.Type) > 5 && p.Type[:5] == "text/" }

func (r *reader) closed(a *app) { a.drop(r.stored) }

func (r *reader) title() shown { return numbered(r.entry) + r.below() }

// numbered is what a message is called in this session.
func numbered(e explore.Entry) shown {
	if e.Number == 0 {
		return "message"
	}
	return sayf("message %d", e.Number)
}

func (r *reader) keys(*app) []key {
	keys := []key{
		{on: "esc q", name: "esc", does: "back", run: (*app).pop},
		{on: "t tab", name: "t", does: "parts", help: "the parts of the message, attachments among them", run: r.showParts},
		{on: "S", does: "source", help: "the message as it crossed the wire", run: r.showSource},
		{on: "h", does: "headers", help: "all header fields, or the usual ones", run: func(*app) tea.Cmd { r.whole = !r.whole; r.top = 0; r.stale(); return nil }},
		{on: "w", does: "save", help: "save the whole message as it is", run: func(a *app) tea.Cmd { return a.saveMessage(r.entry) }},
		{on: "d", does: "mark", help: "mark the message for deletion", run: func(a *app) tea.Cmd { return a.markOne(r.entry, true) }},
		{on: "u", help: "take its mark away", run: func(a *app) tea.Cmd { return a.markOne(r.entry, false) }},
		{on: "right", name: "→", help: "the next message", run: r.other(1)},
		{on: "left", name: "←", help: "the message before", run: r.other(-1)},
		{on: "space", help: "one page down", run: func(*app) tea.Cmd { r.move(max(1, r.h-1)); return nil }},
	}
	return append(keys, r.pager.keys()...)
}

// other opens the message n lines further in the list.
func (r *reader) other(n int) func(*app) tea.Cmd {
	return func(a *app) tea.Cmd {
		at := a.list.at
		a.list.move(a, n)
		if a.list.at == at {
			a.tell(plain, "there is no other message that way")
			return nil
		}
		a.pop()
		return a.open(a.list.under())
	}
}

func (r *reader) rows(a *app, w, h int) []string { return r.draw(a.theme, w, h) }

// page is the header, the text, and what else there is.
func (r *reader) page(t *theme, w int) []row {
	rows := r.header(t, w)
	if r.msg.Problem != "" {
		rows = append(rows, t.paragraph(row{{"! ", warning}}, warning, line(r.msg.Problem)+"; S shows everything", w)...)
	}
	if r.part != nil && r.part.Problem != "" {
		rows = append(rows, t.paragraph(row{{"! ", warning}}, warning, line(r.part.Problem), w)...)
	}
	rows = append(rows, r.attachments(t, w)...)
	rows = append(rows, text(dim, dashes(w)))
	if r.why != "" {
		rows = append(rows, t.paragraph(nil, dim, "("+r.why+"; t shows the parts, S the source)", w)...)
	}
	for _, l := range r.text {
		for _, part := range t.wrap(l, w) {
			rows = append(rows, text(plain, part))
		}
	}
	if r.why == "" && blank(r.text) {
		rows = append(rows, text(dim, "(there is no text; S shows the source)"))
	}
	if r.cut {
		rows = append(rows, t.paragraph(nil, warning, "there is more: S shows all of it, w saves it", w)...)
	}
	return rows
}

func blank(lines []shown) bool {
	return !slices.ContainsFunc(lines, func(l shown) bool { return strings.TrimSpace(string(l)) != "" })
}

func (r *reader) header(t *theme, w int) []row {
	var rows []row
	field := func(name, value shown) {
		if value != "" {
			rows = append(rows, t.paragraph(row{{name + ": ", strong}}, plain, value, w)...)
		}
	}
	if r.whole {
		for _, f := range r.msg.Header {
			field(line(f.Name), line(f.Value))
		}
		return rows
	}
	s := r.msg.Summary
	field("From", sender(s))
	field("To", line(s.To))
	field("Date", date(s.Date, "Mon, 2 Jan 2006 15:04:05 -0700"))
	field("Subject", orNone(line(s.Subject), "(no subject)"))
	return rows
}

// attachments names what else is in the message.
func (r *reader) attachments(t *theme, w int) []row {
	all := r.msg.Attachments()
	if len(all) == 0 {
		return nil
	}
	names := many(len(all), "attachment") + " (t: list, save): "
	for i, p := range all[:min(len(all), 5)] {
		if i > 0 {
			names += ", "
		}
		names += line(p.FileName())
	}
	if len(all) > 5 {
		names += ", …"
	}
	return t.paragraph(row{{"+ ", accent}}, plain, names, w)
}
