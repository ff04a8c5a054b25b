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

// checkKeys refuses keys that do not exist, and values of a wrong type.
func (d *document) checkKeys() error {
	known := schema()
	for _, e := range d.keys {
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
	case t.Kind() == reflect.Int || t.Kind() == reflect.Int64:
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
	best, distance := "", len(path)/3+2
	var here []string
	parent := path[:max(strings.LastIndexByte(path, '.'), 0)]
	for key := range known {
		if d := hint.Edits(path, key); d < distance || d == distance && key < best {
			best, distance = key, d
		}
		if key[:max(strings.LastIndexByte(key, '.'), 0)] == parent {
			here = append(here, key[strings.LastIndexByte(key, '.')+1:])
		}
	}
	// The right key in the wrong section is near, too.
	for key := range known {
		if best == "" && key[strings.LastIndexByte(key, '.')+1:] == path[strings.LastIndexByte(path, '.')+1:] {
			best = key
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
