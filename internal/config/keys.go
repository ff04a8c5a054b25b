package config

import (
	"fmt"
	"reflect"
	"sort"
	"strconv"
	"strings"
	"time"

	"github.com/pelletier/go-toml/v2/unstable"

	"postfach/internal/hint"
)

// schema returns the type of each key that there is, found in Config itself.
func schema() map[string]reflect.Type {
	keys := map[string]reflect.Type{}
	collect(keys, "", reflect.TypeFor[Config]())
	return keys
}

func collect(keys map[string]reflect.Type, prefix string, t reflect.Type) {
	for field := range t.Fields() {
		name := field.Tag.Get("toml")
		if name == "-" {
			continue
		}
		path := join(prefix, name)
		keys[path] = field.Type
		if section := sectionOf(field.Type); section != nil {
			collect(keys, path, section)
		}
	}
}

// sectionOf is the struct that holds the keys of a section, of one in double
// brackets, too. nil: t is a value.
func sectionOf(t reflect.Type) reflect.Type {
	if t.Kind() == reflect.Slice {
		t = t.Elem()
	}
	if t.Kind() != reflect.Struct || t == reflect.TypeFor[Duration]() {
		return nil
	}
	return t
}

// checkKeys refuses keys that do not exist, and values of a wrong type: all of them,
// and nothing that is inside such a one.
func (d *document) checkKeys() error {
	known := schema()
	var errs []error
	wrong := map[string]bool{}
	for _, e := range d.keys {
		if inside(wrong, e.path) {
			continue
		}
		if err := d.checkKey(e, known); err != nil {
			errs = append(errs, err)
			wrong[e.path] = true
		}
	}
	return hint.Join(errs...)
}

// inside reports whether a path is below, or is, one of some.
func inside(some map[string]bool, path string) bool {
	for p := path; p != ""; p = p[:max(strings.LastIndexByte(p, '.'), 0)] {
		if some[p] {
			return true
		}
	}
	return false
}

func (d *document) checkKey(e entry, known map[string]reflect.Type) error {
	path := plain(e.path)
	t, ok := known[path]
	if !ok {
		return hint.Add(fmt.Errorf("%s:%d: unknown key %s", d.name, e.line, path), "%s", nearest(path, known))
	}
	element := t.Kind() == reflect.Slice && e.element()
	if element {
		t = t.Elem()
	}
	if want := expected(t, element, e); want != "" {
		return hint.Add(d.wrong(e.path, "expected %s", want), "docs/postfachd.toml explains each key")
	}
	return nil
}

// element reports whether e is in a list, or is one of several sections of the
// same name.
func (e entry) element() bool {
	_, err := strconv.Atoi(e.path[strings.LastIndexByte(e.path, '.')+1:])
	return err == nil
}

// expected says what a key of type t, or an element of one, wants, when it is
// not what e is.
func expected(t reflect.Type, element bool, e entry) string {
	if t.Kind() == reflect.Pointer { // for keys whose absence means something else than zero
		t = t.Elem()
	}
	switch {
	case t == reflect.TypeFor[Duration]():
		if _, err := time.ParseDuration(e.text); e.kind != unstable.String || err != nil {
			return `a duration in quotes, such as "90s" or "10m"`
		}
	case t.Kind() == reflect.String:
		if e.kind != unstable.String {
			return "a text in quotes"
		}
	case t.Kind() == reflect.Bool:
		if e.kind != unstable.Bool {
			return "true or false"
		}
	case t.Kind() == reflect.Int:
		if e.kind != unstable.Integer {
			return "a whole number, without quotes"
		}
	case t.Kind() == reflect.Slice:
		if e.kind == unstable.Array {
			return ""
		}
		if sectionOf(t) == nil {
			return `a list in brackets, such as ["a", "b"]`
		}
		return "a section in double brackets: [[" + plain(e.path) + "]]"
	case !element && e.kind == unstable.ArrayTable, e.kind != unstable.Table && e.kind != unstable.ArrayTable && e.kind != unstable.InlineTable:
		return "a section in brackets: [" + plain(e.path) + "]"
	}
	return ""
}

// nearest is the hint beside an unknown key.
func nearest(path string, known map[string]reflect.Type) string {
	parent, last := split(path)
	best, distance := "", 0
	var here []string
	for key := range known {
		section, name := split(key)
		d, limit := hint.Edits(path, key), 3
		if section == parent {
			d, limit = hint.Edits(last, name), len(last)/3+2
			here = append(here, name)
		}
		if section != parent && name == last && d >= limit { // the right key in the wrong section
			d, limit = 1000, 1001
		}
		if d < limit && !strings.HasPrefix(path, key+".") && (best == "" || d < distance || d == distance && key < best) {
			best, distance = key, d
		}
	}
	if best != "" {
		return "did you mean " + best + "?"
	}
	sort.Strings(here)
	if len(here) == 0 {
		return "docs/postfachd.toml has all keys"
	}
	return "the keys there are " + strings.Join(here, ", ")
}

// split takes the last part off a path.
func split(path string) (parent, last string) {
	i := strings.LastIndexByte(path, '.')
	return path[:max(i, 0)], path[i+1:]
}
