package tui

import (
	"context"

	tea "charm.land/bubbletea/v2"

	"postfach/internal/message"
)

// A tree lists the parts of a message, each below the one that it is in.
type tree struct {
	r     *reader
	parts []branch
	at    int
}

type branch struct {
	part  *message.Part
	depth int
}

// showParts opens the tree, at the part that is read.
func (r *reader) showParts(a *app) tea.Cmd {
	tr := &tree{r: r}
	tr.add(r.msg.Root, 0)
	for i, b := range tr.parts {
		if b.part == r.part {
			tr.at = i
		}
	}
	return a.push(tr)
}

// add is bounded by message.MaxDepth and message.MaxParts.
func (tr *tree) add(p *message.Part, depth int) {
	if p == nil {
		return
	}
	tr.parts = append(tr.parts, branch{p, depth})
	for _, child := range p.Parts {
		tr.add(child, depth+1)
	}
}

func (tr *tree) title() shown {
	return many(len(tr.parts), "part") + " of " + numbered(tr.r.entry)
}

func (tr *tree) keys(*app) []key {
	keys := []key{
		{on: "esc q t tab", name: "esc", does: "back", run: (*app).pop},
		{on: "enter", does: "read", help: "read the part under the cursor", run: tr.read},
		{on: "w", does: "save", help: "save the part under the cursor, under its name", run: tr.save},
		{on: "S", does: "source", help: "the message as it crossed the wire", run: tr.r.showSource},
	}
	return append(keys, moves(func(_ *app, n int) tea.Cmd {
		tr.at = max(0, min(tr.at+n, len(tr.parts)-1))
		return nil
	}, func() int { return 10 })...)
}

func (tr *tree) read(a *app) tea.Cmd {
	p := tr.parts[tr.at].part
	r, msg := tr.r, tr.r.msg
	return a.start("reading the part", func(_ context.Context, j *job) then {
		next := &reader{msg: msg} // r is on the screen meanwhile
		next.turnTo(p)
		return func(a *app) tea.Cmd {
			if j.stopping {
				a.fail(errStopped)
				return nil
			}
			r.part, r.text, r.cut, r.why, r.top = next.part, next.text, next.cut, next.why, 0
			r.stale()
			a.popTo(r)
			return nil
		}
	})
}

func (tr *tree) save(a *app) tea.Cmd {
	p := tr.parts[tr.at].part
	if len(p.Parts) > 0 {
		a.tell(plain, "this part has parts of its own: save those, or the whole message")
		return nil
	}
	return a.savePart(tr.r.msg, p)
}

func (tr *tree) rows(a *app, w, h int) []string {
	t := a.theme
	top := max(0, min(tr.at-h/2, len(tr.parts)-h))
	var out []string
	for i := top; i < min(top+h, len(tr.parts)); i++ {
		over := plain
		if i == tr.at {
			over = cursor
		}
		out = append(out, t.draw(tr.branch(t, tr.parts[i], w), w, over))
	}
	return append(out, t.page(nil, w, h-len(out))...)
}

// branch draws a part. Deep ones are indented no further than a third of the
// screen; their depth is written instead.
func (tr *tree) branch(t *theme, b branch, w int) row {
	indent := spaces(1 + 2*b.depth)
	if t.width(indent) > w/3 {
		indent = spaces(w/3-6) + t.right(count(b.depth)+"› ", 6)
	}
	kind := line(b.part.Type)
	if b.part.Charset != "" {
		kind += ", " + line(b.part.Charset)
	}
	r := row{{indent, dim}, {orNone(kind, "unknown type"), plain}}
	if b.part.Name != "" || len(b.part.Parts) == 0 && !isText(b.part) {
		r = append(r, span{" " + line(b.part.FileName()), strong})
	}
	switch {
	case b.part == tr.r.part:
		r = append(r, span{" (this is read)", accent})
	case !b.part.Inline && len(b.part.Parts) == 0:
		r = append(r, span{" (attachment)", dim})
	}
	if b.part.Problem != "" {
		r = append(r, span{" ! " + line(b.part.Problem), warning})
	}
	return r
}
