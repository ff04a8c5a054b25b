package config

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"reflect"
	"syscall"

	"github.com/pelletier/go-toml/v2"

	"postfach/internal/hint"
)

// Load reads a file. Paths in it are relative to the folder that it is in.
func Load(name string) (*Config, error) {
	content, err := os.ReadFile(name)
	if err != nil {
		return nil, hint.Add(fmt.Errorf("read the configuration: %w", err), "%s", remedy(err))
	}
	c, err := Parse(name, content)
	if err != nil {
		return nil, err
	}
	if c.File, err = filepath.Abs(name); err != nil {
		return nil, err
	}
	for path := range c.paths() {
		if *path.value != "" && !filepath.IsAbs(*path.value) {
			*path.value = filepath.Join(filepath.Dir(c.File), *path.value)
		}
	}
	return c, nil
}

// remedy is the hint for a file that cannot be read.
func remedy(err error) string {
	switch {
	case errors.Is(err, fs.ErrPermission):
		return fmt.Sprintf("uid %d must be able to read the file, and to pass the folders above it", os.Getuid())
	case errors.Is(err, syscall.EISDIR):
		return "name the file in it, such as postfachd.toml"
	}
	return "postfachd starts without one, too; docs/postfachd.toml is an example"
}

// Parse understands the content of a file. name is what errors call it.
func Parse(name string, content []byte) (*Config, error) {
	doc, err := locate(name, content)
	if err != nil {
		return nil, err
	}
	if err := doc.checkKeys(); err != nil {
		return nil, err
	}
	c := Default()
	if doc.has("listener") {
		c.Listeners = nil
	}
	decoder := toml.NewDecoder(bytes.NewReader(content)).DisallowUnknownFields()
	if err := decoder.Decode(c); err != nil {
		return nil, doc.syntax(err)
	}
	emptyIsNil(reflect.ValueOf(c).Elem())
	for i := range c.Listeners {
		if c.Listeners[i].TLS == "" {
			c.Listeners[i].TLS = STLS
		}
	}
	if err := c.check(doc); err != nil {
		return nil, err
	}
	return c, nil
}

// syntax is an error of the TOML decoder, told like all others.
func (d *document) syntax(err error) error {
	var decode *toml.DecodeError
	if !errors.As(err, &decode) {
		return fmt.Errorf("%s: %w", d.name, err)
	}
	line, _ := decode.Position()
	return d.malformed(line, decode.Error())
}

// emptyIsNil makes nil of lists without elements: a key that is there and says
// nothing is one that is not there.
func emptyIsNil(v reflect.Value) {
	switch v.Kind() {
	case reflect.Slice:
		if v.Len() == 0 {
			v.SetZero()
		}
		for i := range v.Len() {
			emptyIsNil(v.Index(i))
		}
	case reflect.Struct:
		for _, value := range v.Fields() {
			if value.CanSet() {
				emptyIsNil(value)
			}
		}
	}
}
