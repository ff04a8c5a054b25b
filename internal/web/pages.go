package web

import (
	"bytes"
	"embed"
	"fmt"
	"html/template"
	"io/fs"
	"net/http"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"postfach/internal/explore"
	"postfach/internal/message"
)

//go:embed templates static
var files embed.FS

// pages are the templates, each with the layout around it.
type pages struct{ byName map[string]*template.Template }

func readPages() (*pages, error) {
	layout, err := template.New("layout.html").Funcs(words()).ParseFS(files, "templates/layout.html", "templates/pieces.html")
	if err != nil {
		return nil, err
	}
	names, err := fs.Glob(files, "templates/*.html")
	if err != nil {
		return nil, err
	}
	p := &pages{byName: make(map[string]*template.Template)}
	for _, path := range names {
		t, err := layout.Clone()
		if err != nil {
			return nil, err
		}
		if _, err := t.ParseFS(files, path); err != nil {
			return nil, err
		}
		name := strings.TrimSuffix(strings.TrimPrefix(path, "templates/"), ".html")
		p.byName[name] = t
	}
	return p, nil
}

// A view is what every page gets.
type view struct {
	Title string
	Home  string // path of all pages
	Form  string // what forms must carry; empty for strangers
	Bar   *bar   // the account that the page is about, or nil
	Here  string // the page's name
	Page  any    // its own part
}

// show answers with a page.
func (v *visit) show(name, title string, status int, own any) {
	view := &view{Title: title, Home: v.face.home, Here: name, Page: own}
	if v.session != nil {
		view.Form = v.session.form
	}
	if v.account != nil {
		view.Bar = newBar(v.account)
	}
	v.render(name, "layout.html", status, view)
}

// render answers with one template of a page.
func (v *visit) render(name, template string, status int, data any) {
	var b bytes.Buffer
	if err := v.face.pages.byName[name].ExecuteTemplate(&b, template, data); err != nil {
		panic(err) // a mistake of ours
	}
	v.w.Header().Set("Content-Type", "text/html; charset=utf-8")
	v.w.WriteHeader(status)
	if v.r.Method != http.MethodHead {
		v.w.Write(b.Bytes())
	}
}

// words are what templates can say.
func words() template.FuncMap {
	return template.FuncMap{
		"octets":    octets,
		"size":      size,
		"count":     count[int],
		"messages":  func(n int) string { return plural(n, "message", "messages") },
		"date":      func(t time.Time) string { return t.Local().Format("2 Jan 2006 15:04") },
		"day":       func(t time.Time) string { return t.Local().Format("2 January 2006") },
		"clock":     func(t time.Time) string { return t.Local().Format("15:04:05") },
		"exactly":   func(t time.Time) string { return t.Local().Format("15:04:05.000") },
		"machine":   func(t time.Time) string { return t.Format(time.RFC3339) },
		"printable": message.Printable,
		"line":      message.PrintableLine,
		"key":       formatKey,
		"from":      from,
		"subject":   subject,
		"id":        func(e explore.Entry) string { return message.PrintableLine(string(e.ID)) },
		"short":     shortly,
		"named":     named,
		"sentence":  sentence,
		"dict":      dict,
	}
}

// dict makes a map of names and values, for templates that need two things.
func dict(pairs ...any) map[string]any {
	m := make(map[string]any)
	for pair := range slices.Chunk(pairs, 2) {
		m[pair[0].(string)] = pair[1]
	}
	return m
}

func plural(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return count(n) + " " + many
}

// count writes a number with commas: 25,750.
func count[N int | int64](n N) string {
	s := fmt.Sprint(n)
	for i := len(s) - 3; i > 0; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}

func octets(n int64) string {
	if n == 1 {
		return "1 octet"
	}
	return count(n) + " octets"
}

// size is a number of octets for people.
func size(n int64) string {
	switch {
	case n < 1000:
		return fmt.Sprintf("%d B", n)
	case n < 1_000_000:
		return fmt.Sprintf("%.1f kB", float64(n)/1e3)
	case n < 1_000_000_000:
		return fmt.Sprintf("%.1f MB", float64(n)/1e6)
	}
	return fmt.Sprintf("%.1f GB", float64(n)/1e9)
}

func from(e explore.Entry) string {
	switch s := e.Summary; {
	case s.From != "":
		return message.PrintableLine(s.From)
	case s.Address != "":
		return message.PrintableLine(s.Address)
	case e.Known:
		return "(no sender)"
	}
	return ""
}

func subject(e explore.Entry) string {
	switch {
	case e.Summary.Subject != "":
		return message.PrintableLine(e.Summary.Subject)
	case e.Known:
		return "(no subject)"
	case e.Problem != "":
		return "(cannot be read)"
	}
	return "(not read yet)"
}

// named names a message in a few words, for labels.
func named(e explore.Entry) string {
	switch {
	case e.Number > 0 && e.Summary.Subject != "":
		return fmt.Sprintf("message %d “%s”", e.Number, subject(e))
	case e.Number > 0:
		return fmt.Sprintf("message %d", e.Number)
	case e.Summary.Subject != "":
		return "message “" + subject(e) + "”"
	}
	return "message " + message.PrintableLine(string(e.ID))
}

// sentence gives what the engine says a capital letter and a full stop.
func sentence(s string) string {
	s = message.PrintableLine(s)
	r, n := utf8.DecodeRuneInString(s)
	s = string(unicode.ToUpper(r)) + s[n:]
	if !strings.HasSuffix(s, ".") {
		s += "."
	}
	return s
}

// shortly is a duration with as many digits as anybody reads.
func shortly(d time.Duration) string {
	switch {
	case d >= time.Second:
		d = d.Round(10 * time.Millisecond)
	case d >= time.Millisecond:
		d = d.Round(100 * time.Microsecond)
	default:
		d = d.Round(time.Microsecond)
	}
	return d.String()
}
