package main

import (
	"slices"
	"testing"

	"github.com/alecthomas/kong"
)

// A command that is looked at alone is what it is among the others.
func TestCommandAloneIsTheSame(t *testing.T) {
	t.Parallel()
	commands := func(args ...string) []*kong.Node {
		parser, err := kong.New(grammar(args))
		if err != nil {
			t.Fatal(err)
		}
		return parser.Model.Children
	}
	all := commands()
	for _, args := range [][]string{{"--help"}, {"--version"}, {"version"}, {"nothing"}, {""}} {
		if n := len(commands(args...)); n != len(all) {
			t.Errorf("%q may be %d commands, want %d", args, n, len(all))
		}
	}
	for _, command := range all {
		alone := commands(command.Name)
		if len(alone) != 1 {
			t.Fatalf("%s is one of %d", command.Name, len(alone))
		}
		if got, want := words(alone[0]), words(command); !slices.Equal(got, want) {
			t.Errorf("%s is %q, and alone %q", command.Name, want, got)
		}
	}
}

// words are what can be said below a command, and what is said of it.
func words(n *kong.Node) []string {
	all := []string{n.Summary(), n.Help}
	for _, group := range n.AllFlags(false) {
		for _, f := range group {
			all = append(all, f.String(), f.Help)
		}
	}
	for _, arg := range n.Positional {
		all = append(all, arg.Summary(), arg.Help)
	}
	for _, sub := range n.Children {
		all = append(all, words(sub)...)
	}
	return all
}
