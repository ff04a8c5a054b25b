package main

import (
	"strings"

	"github.com/alecthomas/kong"
)

// together moves the arguments that are no flags behind those that are: kong
// takes a list of arguments only when no flag parts it, and people write
// "check HOST --conformance P3-TOP --json P3-UIDL".
func together(command *kong.Node, args []string) []string {
	takesValue := make(map[string]bool)
	for _, group := range command.AllFlags(false) {
		for _, f := range group {
			takesValue["--"+f.Name] = !f.IsBool() && !f.IsCounter()
		}
	}
	var flags, others []string
	for i := 0; i < len(args); i++ {
		switch arg := args[i]; {
		case arg == "--":
			return append(append(append(flags, arg), others...), args[i+1:]...)
		case !strings.HasPrefix(arg, "-") || arg == "-":
			others = append(others, arg)
		case takesValue[arg] && i+1 < len(args):
			flags = append(flags, arg, args[i+1])
			i++
		default:
			flags = append(flags, arg)
		}
	}
	return append(flags, others...)
}
