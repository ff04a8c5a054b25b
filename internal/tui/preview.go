package tui

import (
	"bytes"
	"context"
	"errors"
	"time"

	tea "charm.land/bubbletea/v2"

	"postfach/internal/explore"
	"postfach/internal/message"
)

const (
	// previewAfter is how long the cursor must rest: nobody wants a preview of
	// what is scrolled past.
	previewAfter = 150 * time.Millisecond
	previewLines = 40
	// maxPreview bounds the text that is drawn, in octets.
	maxPreview = 64 << 10
)

// A preview shows the header and the first lines of the message under the cursor,
// by TOP.
type preview struct {
	shows bool
	of    explore.Key // what text is of, or will be
	pager
	text    []shown
	problem error
	ready   bool
	// readOnly: nothing can be marked.
	readOnly bool
	cancel   context.CancelFunc
	// bad are messages that could not be had. A message that ends the connection
	// must not do so again because the cursor passes.
	bad map[explore.Key]error
}

type (
	previewDue struct{ of explore.Key }
	previewed  struct {
		of   explore.Key
		text []shown
		err  error
	}
)

// follow begins with the message under the cursor, when that is another one.
func (p *preview) follow(a *app) tea.Cmd {
	on := a.list.under()
	if !p.shows || on.Key == "" || !p.may(a, on) || on.Key == p.of {
		return nil
	}
	p.set(on.Key)
	if err := p.bad[on.Key]; err != nil {
		p.came(previewed{of: on.Key, err: err})
		return nil
	}
	return tea.Tick(previewAfter, func(time.Time) tea.Msg { return previewDue{on.Key} })
}

// forgive looks again at a message that could be had after all.
func (p *preview) forgive(k explore.Key) {
	if p.bad[k] == nil {
		return
	}
	delete(p.bad, k)
	if p.of == k {
		p.set("")
	}
}

func (p *preview) set(k explore.Key) {
	if p.cancel != nil {
		p.cancel()
		p.cancel = nil
	}
	p.of, p.text, p.problem, p.ready, p.top = k, nil, nil, false, 0
	p.stale()
}

// may says whether looking is harmless: the maildrop is ours anyhow, and the
// header of this message could be had.
func (p *preview) may(a *app, e explore.Entry) bool {
	s := a.list.space(a)
	return s.beside+s.below > 0 && a.status.State == explore.Held && e.Known && e.Problem == ""
}

func (p *preview) due(a *app, due previewDue) tea.Cmd {
	on, ok := a.e.Entry(due.of)
	if due.of != p.of || p.ready || !ok || !p.may(a, on) {
		if due.of == p.of && !p.ready {
			p.of = "" // follow tries again when it may
		}
		return nil
	}
	ctx, cancel := context.WithCancel(a.ctx)
	p.cancel = cancel
	e := a.e
	a.running.Add(1)
	return func() tea.Msg {
		defer a.running.Done()
		octets, err := e.Glance(ctx, due.of, previewLines)
		if err != nil {
			return previewed{of: due.of, err: err}
		}
		return previewed{of: due.of, text: firstText(octets)}
	}
}

// firstText is what the beginning of a message says.
func firstText(octets []byte) []shown {
	m := message.Open(bytes.NewReader(octets), int64(len(octets)))
	lines, _, why := bodyText(m, m.Body(true), maxPreview)
	if why != "" {
		return []shown{"(" + why + ")"}
	}
	return lines
}

func (p *preview) came(msg previewed) {
	if msg.of != p.of || errors.Is(msg.err, context.Canceled) {
		return
	}
	if errors.Is(msg.err, explore.ErrAway) {
		p.of = "" // follow tries again when it may
		return
	}
	if msg.err != nil {
		if p.bad == nil {
			p.bad = map[explore.Key]error{}
		}
		p.bad[msg.of] = msg.err
	}
	p.text, p.problem, p.ready = msg.text, msg.err, true
	p.stale()
}

// draw shows a header line and the text.
func (p *preview) draw(a *app, w, h int) []string {
	t := a.theme
	on := a.list.under()
	head := p.head(a, on, w)
	head = head[:min(len(head), h)]
	out := t.page(head, w, len(head))
	if on.Key != p.of || !p.ready || p.problem != nil && on.Problem != "" { // the head says it
		return append(out, t.page(nil, w, h-len(out))...)
	}
	p.readOnly = a.account.ReadOnly
	p.build = p.rows
	return append(out, p.pager.draw(t, w, h-len(out))...)
}

func (p *preview) rows(t *theme, w int) []row {
	if p.problem != nil {
		rows := complaint(t, p.problem, w)
		if p.readOnly {
			return rows
		}
		return append(rows, t.paragraph(nil, plain, "You can mark it all the same (space) and delete it (D).", w)...)
	}
	var rows []row
	for _, l := range p.text {
		for _, part := range t.wrap(l, w) {
			rows = append(rows, text(plain, part))
		}
	}
	return rows
}

// head is what the list knows, and what to do where that is little.
func (p *preview) head(a *app, e explore.Entry, w int) []row {
	t := a.theme
	rule := func(s shown) row { return text(dim, s+" "+dashes(w-t.width(s)-1)) }
	switch {
	case e.Key == "":
		return []row{rule("─ preview")}
	case e.Problem != "":
		rows := []row{rule("─ this message cannot be looked at")}
		rows = append(rows, t.paragraph(row{{"! ", warning}}, warning, line(e.Problem), w)...)
		advice := "It may be the one that " + a.mailProgram() + " chokes on. "
		if a.account.ReadOnly {
			advice += "It can be deleted where the mailbox is not open for reading only."
		} else {
			advice += "You can mark it (space) and delete it (D) without reading it, or save it as it is (w)."
		}
		rows = append(rows, t.paragraph(nil, plain, advice, w)...)
		if e.Known {
			rows = append(rows, nil)
			return append(rows, fields(e.Summary)...)
		}
		return rows
	case !e.Known && a.picker.Options.NoHeaders:
		return []row{rule("─ no preview: headers are not read here; enter loads the message")}
	case !e.Known:
		return []row{rule("─ preview: the header is not read yet")}
	}
	return append(append([]row{rule("─ preview")}, fields(e.Summary)...), nil)
}

// fields are the usual ones of a header.
func fields(s message.Summary) []row {
	var rows []row
	for _, f := range []struct{ name, value shown }{
		{"From:    ", sender(s)},
		{"To:      ", line(s.To)},
		{"Date:    ", date(s.Date, "Mon, 2 Jan 2006 15:04:05 -0700")},
		{"Subject: ", line(s.Subject)},
	} {
		if f.value != "" {
			rows = append(rows, row{{f.name, dim}, {f.value, plain}})
		}
	}
	return rows
}

func sender(s message.Summary) shown {
	if s.Address == "" || s.Address == s.From {
		return line(s.From)
	}
	return line(s.From) + " <" + line(s.Address) + ">"
}

func dashes(n int) shown {
	r := make([]rune, max(0, n))
	for i := range r {
		r[i] = '─'
	}
	return shown(r)
}
