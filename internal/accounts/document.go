package accounts

import (
	"slices"
	"strings"
)

// head is what a new file begins with.
const head = `# Who may log in: user:{SCHEME}secret:uid:gid:gecos:home:shell:extra fields
# Changes hold at once. Keep this file closed to others (mode 0600).
# postfach user --help says which commands edit it.
`

// A document is a file that can be changed.
type document struct {
	lines []string // with their ends
	bad   badLines // which lines cannot be understood, before it is changed
}

func newDocument(content string) *document {
	return &document{lines: slices.Collect(strings.Lines(content))}
}

// find returns the index of an account's line, or -1.
func (d *document) find(user string) int {
	return slices.IndexFunc(d.lines, func(line string) bool {
		line = strings.TrimRight(line, "\r\n")
		return !blank(line) && splitLine(line)[0] == user
	})
}

// line returns the index of an account's line, or -1, and the line without its end.
func (d *document) line(user string) (int, string) {
	i := d.find(user)
	if i < 0 {
		return i, ""
	}
	return i, strings.TrimRight(d.lines[i], "\r\n")
}

func (d *document) append(line string) { d.lines = append(d.lines, line+"\n") }

func (d *document) String() string { return strings.Join(d.lines, "") }
