package main

import (
	"slices"
	"strings"
	"testing"

	"github.com/alecthomas/kong"
)

func TestArgumentsMayStandAnywhere(t *testing.T) {
	t.Parallel()
	for line, want := range map[string][]string{
		"h --conformance P3-TOP --json P3-UIDL":            {"h", "P3-TOP", "P3-UIDL"},
		"--conformance P3-TOP --user u h":                  {"P3-TOP", "h"},
		"--user=u --conformance --junit f h P3-TOP --slow": {"h", "P3-TOP"},
		"--json -- h P3-TOP":                               {"h", "P3-TOP"},
		"h":                                                {"h"},
	} {
		var c cli
		parser, err := kong.New(&c)
		if err != nil {
			t.Fatal(err)
		}
		var check *kong.Node
		for _, n := range parser.Model.Leaves(false) {
			if n.Name == "check" {
				check = n
			}
		}
		if _, err := parser.Parse(append([]string{"check"}, together(check, strings.Fields(line))...)); err != nil {
			t.Errorf("%s: %v", line, err)
		}
		if !slices.Equal(c.Check.Args, want) {
			t.Errorf("%s: %q, want %q", line, c.Check.Args, want)
		}
	}
}
