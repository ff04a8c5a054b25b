package config

import (
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"postfach/internal/hint"
	"postfach/pop3server"
)

// Each limit has its row in docs/limits.md, its key here, and the default of the
// server.
func TestEveryLimitIsConfiguredAndDocumented(t *testing.T) {
	text, err := os.ReadFile(filepath.Join("..", "..", "docs", "limits.md"))
	if err != nil {
		t.Fatal(err)
	}
	server, ours := reflect.TypeFor[pop3server.Limits](), reflect.TypeFor[Limits]()
	defaults := reflect.ValueOf(Default().Limits)
	for i := range server.NumField() {
		name := server.Field(i).Name
		field, ok := ours.FieldByName(name)
		if !ok {
			t.Errorf("%s cannot be configured", name)
			continue
		}
		key := field.Tag.Get("toml")
		if value := defaults.FieldByName(name); value.IsZero() {
			t.Errorf("%s has no default", key)
		}
		rows := 0
		for line := range strings.Lines(string(text)) {
			if strings.HasPrefix(line, "| `"+key+"` |") {
				rows++
				if cells := strings.Split(line, "|"); len(cells) != 6 || len(strings.TrimSpace(cells[4])) < 20 {
					t.Errorf("%s: want key, default, what and why: %s", key, line)
				}
			}
		}
		if rows != 1 {
			t.Errorf("docs/limits.md has %d rows for %s", rows, key)
		}
	}
	if ours.NumField() != server.NumField() {
		t.Errorf("%d keys for %d limits", ours.NumField(), server.NumField())
	}
}

func TestLimitsThatMakeNoSense(t *testing.T) {
	for text, want := range map[string]string{
		"address_delay = \"0s\"":         `f:2: limits.address_delay: expected at least "1ms"`,
		"connections_per_address = 0":    "f:2: limits.connections_per_address: expected a number above 0",
		"sessions_per_user = -1":         "f:2: limits.sessions_per_user: expected a number above 0",
		"connections = 0":                "f:2: limits.connections: expected a number above 0",
		"connections_per_address = \"\"": "f:2: limits.connections_per_address: expected a whole number",
	} {
		if _, err := Parse("f", []byte("[limits]\n"+text)); err == nil || !strings.HasPrefix(err.Error(), want) || hint.Of(err) == "" {
			t.Errorf("%s\n got %v\nwant %s", text, err, want)
		}
	}
	c, err := Parse("f", []byte("[limits]\naddress_delay = \"2m\""))
	if err != nil || len(c.Warnings) != 1 || !strings.Contains(c.Warnings[0], "never gets in") {
		t.Errorf("%v, %v", c, err)
	}
}
