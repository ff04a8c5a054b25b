package remotes

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/pelletier/go-toml/v2"
	"github.com/pelletier/go-toml/v2/unstable"

	"postfach/internal/hint"
)

// A document knows on which line each key of a file is, and their order.
type document struct {
	name string
	keys []key
}

// A key is a place in the file. The words of its path may have any octets.
type key struct {
	path []string
	line int
}

// locate finds the keys of a file.
func locate(name string, content []byte) (*document, error) {
	d := &document{name: name}
	var p unstable.Parser
	p.Reset(content)
	var table []string
	for p.NextExpression() {
		node := p.Expression()
		switch node.Kind {
		case unstable.Table, unstable.ArrayTable:
			table = d.add(&p, nil, node)
		case unstable.KeyValue:
			d.value(&p, table, node)
		}
	}
	if err := p.Error(); err != nil {
		line := 0
		var pe *unstable.ParserError
		if errors.As(err, &pe) {
			line = p.Shape(p.Range(pe.Highlight)).Start.Line
			err = errors.New(pe.Message)
		}
		return nil, d.form(line, err)
	}
	return d, nil
}

func (d *document) add(p *unstable.Parser, parent []string, node *unstable.Node) []string {
	k := key{path: slices.Clone(parent)}
	for it := node.Key(); it.Next(); {
		if k.line == 0 {
			k.line = p.Shape(it.Node().Raw).Start.Line
		}
		k.path = append(k.path, string(it.Node().Data))
	}
	d.keys = append(d.keys, k)
	return k.path
}

// value notes a key and the keys inside its value.
func (d *document) value(p *unstable.Parser, parent []string, node *unstable.Node) {
	path := d.add(p, parent, node)
	if node.Value().Kind != unstable.InlineTable {
		return
	}
	for children := node.Value().Children(); children.Next(); {
		d.value(p, path, children.Node())
	}
}

// checkKeys refuses keys that do not exist. Their lines are told better here
// than by the decoder, and one of them has its own answer.
func (d *document) checkKeys() error {
	for _, k := range d.keys {
		err := fmt.Errorf("%s:%d: unknown key %s", d.name, k.line, printable(strings.Join(k.path, ".")))
		switch {
		case k.path[0] != "accounts":
			return hint.Add(err, "an account begins with [accounts.NAME]; %s", reference)
		case len(k.path) < 3 || slices.Contains(strings.Split(keys, ", "), k.path[2]) && len(k.path) == 3:
		case k.path[2] == "password":
			err := fmt.Errorf("%s:%d: %s: a password does not belong here", d.name, k.line, printable(strings.Join(k.path, ".")))
			return hint.Add(err, passwordHint)
		default:
			return hint.Add(err, "the keys there are %s", keys)
		}
	}
	return nil
}

// accounts returns the names of the accounts, in their order.
func (d *document) accounts() []string {
	var names []string
	for _, k := range d.keys {
		if len(k.path) > 1 && !slices.Contains(names, k.path[1]) {
			names = append(names, k.path[1])
		}
	}
	return names
}

// wrong is an error about a key of an account: where it is, and what was
// expected. A key that is not there is looked for where it would be.
func (d *document) wrong(account, name, format string, args ...any) error {
	return fmt.Errorf("%s: %w", d.where(account, name), fmt.Errorf(format, args...))
}

// where is the place of a key of an account, for people.
func (d *document) where(account, name string) string {
	line := 0
	for _, k := range d.keys {
		if len(k.path) < 2 || k.path[1] != account {
			continue
		}
		if line == 0 || len(k.path) == 3 && k.path[2] == name {
			line = k.line
		}
	}
	path := "accounts." + printable(account)
	if name != "" {
		path += "." + name
	}
	return fmt.Sprintf("%s:%d: %s", d.name, line, path)
}

// syntax is an error of the decoder, told like all others.
func (d *document) syntax(err error) error {
	var decode *toml.DecodeError
	if !errors.As(err, &decode) {
		return fmt.Errorf("%s: %w", d.name, err)
	}
	line, _ := decode.Position()
	return d.form(line, errors.New(strings.Join(append(decode.Key(), strings.TrimPrefix(decode.Error(), "toml: ")), ": ")))
}

func (d *document) form(line int, err error) error {
	return hint.Add(fmt.Errorf("%s:%d: %w", d.name, line, err), `the form is TOML: [accounts.NAME], and below it key = "text" or key = true; %s`, reference)
}

// path makes a file name absolute: "~/" is the home folder, and others are
// relative to the file that they stand in.
func (d *document) path(name string) (string, error) {
	rest, home := strings.CutPrefix(name, "~/")
	switch {
	case name == "" || filepath.IsAbs(name):
		return name, nil
	case home:
		dir, err := os.UserHomeDir()
		return filepath.Join(dir, rest), err
	}
	dir, err := filepath.Abs(filepath.Dir(d.name))
	return filepath.Join(dir, name), err
}

// printable is a text of the file's in a message.
func printable(s string) string {
	if quoted := fmt.Sprintf("%q", s); quoted != `"`+s+`"` {
		return quoted
	}
	return s
}
