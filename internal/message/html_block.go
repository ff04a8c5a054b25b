package message

import (
	"strconv"
	"strings"
)

// writePre writes text whose white space counts.
func (w *htmlWriter) writePre(text string) {
	for line := range strings.Lines(text) {
		line, ended := strings.CutSuffix(line, "\n")
		line = strings.TrimSuffix(line, "\r")
		if line != "" {
			w.beforeText()
			w.out.WriteString(line)
		}
		if ended {
			w.breaks++
		}
		if w.full() {
			return
		}
	}
}

// startList begins a list. The outermost one stands apart from the text.
func (w *htmlWriter) startList(numbered bool) {
	if len(w.lists) == 0 {
		w.lineBreak(2)
	}
	w.lineBreak(1)
	if len(w.lists) == mostIndent {
		w.deeper++
		return
	}
	l := list{number: -1}
	if numbered {
		l.number = 0
	}
	w.lists = append(w.lists, l)
}

func (w *htmlWriter) endList() {
	switch {
	case w.deeper > 0:
		w.deeper--
	case len(w.lists) > 0:
		w.lists = w.lists[:len(w.lists)-1]
	}
	w.lineBreak(1)
	if len(w.lists) == 0 {
		w.lineBreak(2)
	}
	w.marker = ""
}

// item begins an item of a list.
func (w *htmlWriter) item() {
	w.marker = "• "
	if len(w.lists) == 0 || w.deeper > 0 {
		return
	}
	if l := &w.lists[len(w.lists)-1]; l.number >= 0 {
		l.number++
		w.marker = strconv.Itoa(l.number) + ". "
	}
}

// startCell begins a cell of a table. Cells that stand in one line are told
// apart; cells with lines of their own need no sign.
func (w *htmlWriter) startCell() {
	w.cell = w.row && w.breaks == 0
	w.row = true
}

// startLink begins a link. Only what a person can follow counts.
func (w *htmlWriter) startLink(target string) {
	target = strings.Join(strings.Fields(target), "")
	colon := strings.IndexByte(target, ':')
	if colon < 0 || len(target) > longestLink {
		return
	}
	switch strings.ToLower(target[:colon]) {
	case "http", "https", "mailto", "ftp", "tel":
		w.link, w.linkText = target, w.out.Len()
	}
}

// endLink writes where a link goes, unless that is what its text says, or the
// link before it went there, too.
func (w *htmlWriter) endLink() {
	target := w.link
	w.link = ""
	if target == "" || target == w.lastLink {
		return
	}
	text := w.out.String()[w.linkText:]
	if len(text) <= longestLink*2 && sameTarget(strings.TrimSpace(text), target) {
		return
	}
	w.lastLink = target
	w.space = true
	w.write("<" + target + ">")
}

// sameTarget says whether a link's text is its target, so that a reader knows it
// already.
func sameTarget(text, target string) bool { return bareTarget(text) == bareTarget(target) }

func bareTarget(s string) string {
	for _, scheme := range []string{"http://", "https://", "mailto:", "tel:"} {
		s = strings.TrimPrefix(s, scheme)
	}
	return strings.TrimSuffix(s, "/")
}
