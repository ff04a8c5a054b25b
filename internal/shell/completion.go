package shell

import (
	"slices"
	"strings"

	"postfach/internal/explain"
)

// localCommands are the shell's own, in the order of the help.
func localCommands() []string { return []string{"/help", "/show", "/save", "/lang", "/quit"} }

// completions returns the last word of line and what it could become.
func (s *session) completions(line string) (word string, candidates []string) {
	start := strings.LastIndexByte(line, ' ') + 1
	word = line[start:]
	var all []string
	switch before := strings.ToUpper(strings.TrimSpace(line[:start])); before {
	case "":
		all = append(explain.Keywords(), localCommands()...)
	case "AUTH":
		if all = s.caps.Mechanisms(); len(all) == 0 {
			all = mechanismNames()
		}
	case "/HELP":
		all = explain.Keywords()
	case "/LANG":
		all = []string{string(explain.German), string(explain.English)}
	case "USER", "APOP":
		if s.user != "" {
			all = []string{s.user}
		}
	}
	for _, c := range all {
		if len(c) >= len(word) && strings.EqualFold(c[:len(word)], word) && visible(c) == c {
			candidates = append(candidates, c)
		}
	}
	slices.Sort(candidates)
	return word, slices.Compact(candidates)
}
