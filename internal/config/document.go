package config

import (
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/pelletier/go-toml/v2/unstable"

	"postfach/internal/hint"
)

// A document knows on which line each key of a file is.
type document struct {
	name string
	keys []entry // in the order of the file
}

// An entry is one key. The elements of arrays have their index in the path, as
// in "listener.0.address".
type entry struct {
	path string
	line int
	kind unstable.Kind
	text string // the value, of a simple one
}

// locate finds the keys of a file.
func locate(name string, content []byte) (*document, error) {
	d := &document{name: name}
	var p unstable.Parser
	p.Reset(content)
	table := ""
	count := map[string]int{} // of the tables in each array
	for p.NextExpression() {
		node := p.Expression()
		switch node.Kind {
		case unstable.Table, unstable.ArrayTable:
			path, line := d.key(&p, "", node, count)
			table = path
			d.keys = append(d.keys, entry{path: path, line: line, kind: node.Kind})
		case unstable.KeyValue:
			d.value(&p, table, node)
		}
	}
	if err := p.Error(); err != nil {
		return nil, d.parserError(&p, err)
	}
	return d, nil
}

// key returns the path and the line of a table or of a key.
func (d *document) key(p *unstable.Parser, parent string, node *unstable.Node, count map[string]int) (path string, line int) {
	path = parent
	for it := node.Key(); it.Next(); {
		if line == 0 {
			line = p.Shape(it.Node().Raw).Start.Line
		}
		path = join(path, string(it.Node().Data))
		if n, isArray := count[path]; isArray && (node.Kind == unstable.Table || !it.IsLast()) {
			path = join(path, strconv.Itoa(n-1))
		}
	}
	if node.Kind == unstable.ArrayTable {
		count[path]++
		path = join(path, strconv.Itoa(count[path]-1))
	}
	return path, line
}

// value notes a key and what is inside its value.
func (d *document) value(p *unstable.Parser, parent string, node *unstable.Node) {
	path, line := d.key(p, parent, node, nil)
	d.inside(p, path, line, node.Value())
}

func (d *document) inside(p *unstable.Parser, path string, line int, value *unstable.Node) {
	d.keys = append(d.keys, entry{path: path, line: line, kind: value.Kind, text: string(value.Data)})
	children := value.Children()
	switch value.Kind {
	case unstable.InlineTable:
		for children.Next() {
			d.value(p, path, children.Node())
		}
	case unstable.Array:
		for i := 0; children.Next(); i++ {
			d.inside(p, join(path, strconv.Itoa(i)), line, children.Node())
		}
	}
}

func join(parent, key string) string {
	if parent == "" {
		return key
	}
	return parent + "." + key
}

func (d *document) has(path string) bool {
	for _, e := range d.keys {
		if e.path == path || strings.HasPrefix(e.path, path+".") {
			return true
		}
	}
	return false
}

// wrong is an error about a key: where it is, and what was expected. A key
// that is not there is looked for in what it is part of.
func (d *document) wrong(path, format string, args ...any) error {
	at := d.name
	for p := path; p != ""; {
		if line := d.line(p); line > 0 {
			at = fmt.Sprintf("%s:%d", d.name, line)
			break
		}
		i := max(strings.LastIndexByte(p, '.'), 0)
		p = p[:i]
	}
	return fmt.Errorf("%s: %s: %s", at, plain(path), fmt.Sprintf(format, args...))
}

func (d *document) line(path string) int {
	for _, e := range d.keys {
		if e.path == path {
			return e.line
		}
	}
	return 0
}

// plain is a path as people write it, without indexes.
func plain(path string) string {
	var parts []string
	for _, part := range strings.Split(path, ".") {
		if _, err := strconv.Atoi(part); err != nil {
			parts = append(parts, part)
		}
	}
	return strings.Join(parts, ".")
}

func (d *document) parserError(p *unstable.Parser, err error) error {
	var pe *unstable.ParserError
	if !errors.As(err, &pe) {
		return d.malformed(0, err.Error())
	}
	return d.malformed(p.Shape(p.Range(pe.Highlight)).Start.Line, pe.Message)
}

// malformed is an error about what is no TOML.
func (d *document) malformed(line int, message string) error {
	return hint.Add(fmt.Errorf("%s:%d: %s", d.name, line, strings.TrimPrefix(message, "toml: ")),
		`the form is TOML: key = "text", key = 5, key = true, sections in [brackets]`)
}
