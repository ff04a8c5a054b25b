package tui

import (
	"context"
	"path/filepath"
	"strings"

	tea "charm.land/bubbletea/v2"

	"postfach/internal/explore"
)

// export asks which messages, in which form and where to, and writes them there.
func (a *app) export() tea.Cmd {
	m := &menu{name: "export", above: []shown{"Copies are written; nothing is deleted. Which messages?"}}
	add := func(name shown, keys func() []explore.Key) {
		m.items = append(m.items, item{name: name, run: func(a *app) tea.Cmd { return a.exportForm(keys()) }})
	}
	if n := a.status.Marked; n > 0 {
		add("the marked ones: "+count(n), func() []explore.Key { return keysOf(a.e.Marked()) })
	}
	listed := shown("all")
	if a.list.query.Search != "" || a.list.query.MarkedOnly {
		listed = "all that are listed"
	}
	add(listed+": "+count(a.list.page.Total), func() []explore.Key { return keysOf(a.list.everything(a)) })
	if on := a.list.on; on != "" {
		add("this one: "+numbered(a.list.under()), func() []explore.Key { return []explore.Key{on} })
	}
	return a.push(m)
}

func keysOf(entries []explore.Entry) []explore.Key {
	keys := make([]explore.Key, len(entries))
	for i, e := range entries {
		keys[i] = e.Key
	}
	return keys
}

// exportForm asks for the form.
func (a *app) exportForm(keys []explore.Key) tea.Cmd {
	if len(keys) == 0 {
		a.tell(plain, "there is no message to export")
		return nil
	}
	m := &menu{name: "export", above: []shown{"How shall " + many(len(keys), "message") + " be stored?"}}
	for _, f := range forms() {
		m.items = append(m.items, item{f.title, f.beside, func(a *app) tea.Cmd { return a.exportTo(f, keys) }})
	}
	return a.push(m)
}

// A form is how messages can be stored.
type form struct {
	scheme, name  string // as ExportTo wants it, and what is proposed
	title, beside shown
}

func forms() []form {
	return []form{
		{"maildir:", "mail", "Maildir", "a folder that mail programs and servers read"},
		{"mbox:", "mail.mbox", "mbox", "one file that mail programs import"},
		{"dir:", "mail-eml", "folder of .eml files", "one file for each message, unchanged"},
		{"zip:", "mail.zip", "zip", "the .eml files in one archive"},
	}
}

// typedForm understands the form in front of a path, as the command line has it.
func typedForm(f form, typed string) (form, string) {
	typed = strings.TrimSpace(typed)
	for _, other := range forms() {
		if path, ok := strings.CutPrefix(typed, other.scheme); ok {
			return other, path
		}
	}
	return f, typed
}

// exportTo asks for the place, and goes.
func (a *app) exportTo(chosen form, keys []explore.Key) tea.Cmd {
	p := &prompt{label: chosen.title + ", where to:", input: newInput(filepath.Join(a.saveTo, chosen.name))}
	p.enter = func(a *app, typed string) tea.Cmd {
		f, path := typedForm(chosen, typed)
		path, err := place(path)
		if err != nil {
			p.again(a, err)
			return nil
		}
		e := a.e
		run := a.start("exporting", func(ctx context.Context, j *job) then {
			n, err := e.ExportTo(ctx, f.scheme+path, keys, func(done int) { j.done.Store(int64(done)) })
			return func(a *app) tea.Cmd { return a.exported(p, n, len(keys), f.title+" to "+whole(path), err) }
		})
		if run != nil {
			a.job.of = int64(len(keys))
		}
		return run
	}
	a.prompt = p
	return nil
}

// exported tells how it went; to names the form and the place.
func (a *app) exported(p *prompt, n, of int, to shown, err error) tea.Cmd {
	if err != nil && n == 0 && stopped(err) != errStopped {
		p.again(a, err)
		return nil
	}
	a.popTo(a.list)
	switch {
	case err != nil:
		a.fail(stopped(err))
	case n == of:
		a.tell(good, many(n, "message")+" exported as "+to)
	default:
		a.tell(good, many(n, "message")+" exported as "+to+"; "+count(of-n)+" were there already")
	}
	return nil
}
