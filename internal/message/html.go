package message

import (
	"strings"
	"unicode"

	"golang.org/x/net/html"
	"golang.org/x/net/html/atom"
)

// HTMLText returns HTML as text: paragraphs, lists, links with their targets,
// tables in rows; no scripts, styles or pictures but their descriptions. What
// becomes longer than 4 MiB is cut.
//
// It reads tokens and builds no tree, so that nothing a sender nests can exhaust
// it. It is not Printable yet.
func HTMLText(page string) string {
	w := htmlWriter{lists: make([]list, 0, mostIndent)}
	z := html.NewTokenizer(strings.NewReader(page))
	for !w.full() {
		switch z.Next() {
		case html.ErrorToken:
			return w.finish()
		case html.TextToken:
			w.text(z)
		case html.StartTagToken, html.SelfClosingTagToken:
			w.start(z)
		case html.EndTagToken:
			name, _ := z.TagName()
			w.end(atom.Lookup(name))
		}
	}
	return w.finish()
}

const (
	longestHTMLText = 4 << 20 // octets
	longestLink     = 2000    // octets
	mostIndent      = 10      // levels of lists, and of quotes, that are shown
)

// A htmlWriter writes what a reader of the page sees.
type htmlWriter struct {
	out    strings.Builder
	breaks int  // line ends that are due before the next text
	space  bool // a space is due before the next text
	marker string
	row    bool // the table's row has a cell already
	cell   bool // a sign between two cells is due before the next text

	skipped atom.Atom // the element whose text nobody sees; 0: none
	pre     int
	quotes  int
	deeper  int // lists beyond mostIndent
	lists   []list

	link     string // where the link goes that is open; empty: none is
	linkText int    // where its text begins in out
	lastLink string
}

// A list counts its items; a negative number says that they have none.
type list struct{ number int }

func (w *htmlWriter) full() bool { return w.out.Len() >= longestHTMLText }

func (w *htmlWriter) finish() string {
	w.endLink()
	text := strings.TrimSpace(w.out.String())
	if w.full() {
		text += " […]"
	}
	return text
}

// hidden says whether an element's text is for no reader. The tokenizer gives it
// in one piece, whatever is in it.
func hidden(a atom.Atom) bool {
	switch a {
	case atom.Script, atom.Style, atom.Title, atom.Noscript, atom.Noframes, atom.Noembed, atom.Iframe:
		return true
	}
	return false
}

// blockBreaks returns the line ends that an element needs before and behind
// itself: 2 leave an empty line.
func blockBreaks(a atom.Atom) int {
	switch a {
	case atom.P, atom.H1, atom.H2, atom.H3, atom.H4, atom.H5, atom.H6, atom.Blockquote, atom.Pre, atom.Table,
		atom.Hr, atom.Dl, atom.Figure, atom.Fieldset, atom.Address, atom.Plaintext, atom.Xmp:
		return 2
	case atom.Div, atom.Section, atom.Article, atom.Header, atom.Footer, atom.Main, atom.Nav, atom.Aside, atom.Form,
		atom.Li, atom.Tr, atom.Dt, atom.Dd, atom.Center, atom.Caption, atom.Legend, atom.Option, atom.Figcaption,
		atom.Details, atom.Summary, atom.Body, atom.Textarea:
		return 1
	}
	return 0
}

func (w *htmlWriter) start(z *html.Tokenizer) {
	name, more := z.TagName()
	a := atom.Lookup(name)
	if hidden(a) {
		w.skipped = a
		return
	}
	w.skipped = 0
	w.lineBreak(blockBreaks(a))
	switch a {
	case atom.Br:
		w.breaks = min(w.breaks+1, 3)
	case atom.Hr:
		w.write("--------")
		w.lineBreak(2)
	case atom.Pre, atom.Textarea, atom.Xmp, atom.Plaintext:
		w.pre++
	case atom.Blockquote:
		w.quotes++
	case atom.Ul, atom.Ol, atom.Menu, atom.Dir:
		w.startList(a == atom.Ol)
	case atom.Li:
		w.item()
	case atom.Dd:
		w.marker = "  "
	case atom.Tr:
		w.row, w.cell = false, false
	case atom.Td, atom.Th:
		w.startCell()
	case atom.A:
		w.endLink()
		w.startLink(attribute(z, more, "href"))
	case atom.Img, atom.Area:
		if alt := strings.Join(strings.Fields(attribute(z, more, "alt")), " "); alt != "" {
			w.write("[" + alt + "]")
		}
	}
}

func (w *htmlWriter) end(a atom.Atom) {
	if a == w.skipped {
		w.skipped = 0
	}
	if hidden(a) {
		return
	}
	w.lineBreak(blockBreaks(a))
	switch a {
	case atom.Pre, atom.Textarea, atom.Xmp:
		w.pre = max(w.pre-1, 0)
	case atom.Blockquote:
		w.quotes = max(w.quotes-1, 0)
	case atom.Ul, atom.Ol, atom.Menu, atom.Dir:
		w.endList()
	case atom.A:
		w.endLink()
	}
}

// attribute returns the value of the tag's first attribute of this name.
func attribute(z *html.Tokenizer, more bool, name string) string {
	for more {
		var key, value []byte
		key, value, more = z.TagAttr()
		if string(key) == name {
			return string(value)
		}
	}
	return ""
}

func (w *htmlWriter) text(z *html.Tokenizer) {
	if w.skipped != 0 {
		return
	}
	text := string(z.Text())
	if w.pre > 0 {
		w.writePre(text)
		return
	}
	for text != "" {
		i := strings.IndexFunc(text, unicode.IsSpace)
		if i < 0 {
			w.write(text)
			return
		}
		if i > 0 {
			w.write(text[:i])
		}
		text = strings.TrimLeftFunc(text[i:], unicode.IsSpace)
		w.space = true
		if w.full() {
			return
		}
	}
}

// write writes a word, and before it what is due.
func (w *htmlWriter) write(word string) {
	if strings.TrimFunc(word, showsNothing) == "" {
		return // fills the line that mail programs show beside the subject
	}
	w.beforeText()
	w.out.WriteString(word)
}

// showsNothing says whether r alone cannot be seen.
func showsNothing(r rune) bool { return isJoiner(r) || isInvisible(r) }

// beforeText writes the line ends, markers and spaces that are due.
func (w *htmlWriter) beforeText() {
	empty := w.out.Len() == 0
	newLine := empty || w.breaks > 0
	switch {
	case newLine:
		if !empty {
			w.newLines(w.breaks)
		}
		w.writePrefix()
	case w.cell:
		w.out.WriteString(" | ")
	case w.space:
		w.out.WriteByte(' ')
	}
	w.breaks, w.space, w.cell = 0, false, false
}

func (w *htmlWriter) newLines(n int) {
	for ; n > 0; n-- {
		w.out.WriteByte('\n')
	}
}

// writePrefix begins a line: quotes, indent, and the item's marker.
func (w *htmlWriter) writePrefix() {
	for range min(w.quotes, mostIndent) {
		w.out.WriteString("> ")
	}
	for range len(w.lists) - 1 {
		w.out.WriteString("  ")
	}
	if len(w.lists) > 0 && w.marker == "" {
		w.out.WriteString("  ")
	}
	w.out.WriteString(w.marker)
	w.marker = ""
}

// lineBreak asks for at least n line ends before the next text.
func (w *htmlWriter) lineBreak(n int) { w.breaks = max(w.breaks, n) }
