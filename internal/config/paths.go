package config

import (
	"iter"
	"reflect"
	"slices"
	"strings"

	"postfach/internal/hint"
)

// A pathKind says what is at the path in a key. Fields that hold one have it in
// their tag, as in `toml:"key" path:"file"`; Load then makes it absolute. A list
// holds one in its first element: the rest are arguments.
type pathKind string

const (
	aFile    pathKind = "file"    // that the server reads
	aFolder  pathKind = "folder"  // that the server uses
	aProgram pathKind = "program" // that the server runs
)

// A path is where a Config has one.
type path struct {
	kind  pathKind
	value *string
}

// Files returns the files that the server reads, as the configuration names
// them. Those in the data folder are not among them.
func (c *Config) Files() []string { return c.at(aFile) }

// Programs returns the programs that the server runs.
func (c *Config) Programs() []string { return c.at(aProgram) }

func (c *Config) at(kind pathKind) []string {
	var names []string
	for p := range c.paths() {
		if p.kind == kind && *p.value != "" {
			names = append(names, *p.value)
		}
	}
	return names
}

// paths yields all that a tag says is one.
func (c *Config) paths() iter.Seq[path] {
	return func(yield func(path) bool) { yieldPaths(reflect.ValueOf(c).Elem(), yield) }
}

func yieldPaths(v reflect.Value, yield func(path) bool) bool {
	switch {
	case v.Kind() == reflect.Slice && sectionOf(v.Type()) != nil:
		for i := range v.Len() {
			if !yieldPaths(v.Index(i), yield) {
				return false
			}
		}
	case v.Kind() == reflect.Struct:
		for field, value := range v.Fields() {
			kind := pathKind(field.Tag.Get("path"))
			if kind == "" {
				if !yieldPaths(value, yield) {
					return false
				}
				continue
			}
			if value.Kind() == reflect.Slice {
				if value.Len() == 0 {
					continue
				}
				value = value.Index(0)
			}
			if !yield(path{kind, value.Addr().Interface().(*string)}) {
				return false
			}
		}
	}
	return true
}

// checkHomes refuses paths that begin with ~, which a shell knows, and no file system:
// they would lead to a folder of that name.
func (c *Config) checkHomes(d *document) error {
	var errs []error
	for p := range c.paths() {
		if !strings.HasPrefix(*p.value, "~") {
			continue
		}
		i := slices.IndexFunc(d.keys, func(e entry) bool { return e.text == *p.value })
		if i >= 0 && !strings.Contains(d.keys[i].path, "maildir") { // which has a hint of its own
			errs = append(errs, hint.Add(d.wrong(d.keys[i].path, "~ is no folder here"), "write the path in full, as in /home/anna/postfach"))
		}
	}
	return hint.Join(errs...)
}
