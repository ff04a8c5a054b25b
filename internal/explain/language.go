package explain

import (
	"fmt"
	"strings"
	"unicode/utf8"

	"postfach/internal/transcript"
)

// A phrase is one text in both languages. It is written without field names,
// so that a text that lacks a language does not compile. %s and %d take
// arguments; where a language wants another order it says %[2]s.
type phrase struct{ english, german string }

// in returns the text in a language; English in one that is not known.
func (p phrase) in(l Language) string {
	if l == German {
		return p.german
	}
	return p.english
}

// A speaker is an argument of a phrase that every language writes its own way.
type speaker interface{ in(l Language) string }

// say writes a phrase with its arguments.
func (l Language) say(p phrase, args ...any) string {
	if len(args) == 0 {
		return p.in(l)
	}
	written := make([]any, len(args))
	for i, a := range args {
		written[i] = a
		if s, ok := a.(speaker); ok {
			written[i] = s.in(l)
		}
	}
	return fmt.Sprintf(p.in(l), written...)
}

// A quoted text is what the peer said, repeated in a sentence: shortened, escaped, in
// the language's quotation marks.
type quoted string

// longestQuote is how many octets of the peer's words a sentence repeats.
const longestQuote = 60

func (q quoted) in(l Language) string {
	return l.say(phrase{"“%s”", "„%s“"}, plain(q))
}

// plain makes the peer's words fit for a sentence: shortened and escaped.
func plain[S ~string](words S) string {
	s := string(words)
	if len(s) > longestQuote {
		end := longestQuote
		for end > longestQuote-utf8.UTFMax && !utf8.RuneStart(s[end]) {
			end--
		}
		s = s[:end] + "…"
	}
	return strings.ReplaceAll(transcript.Escape(s), `\x7b`, "{") // which is special in scripts only
}

// join puts sentences behind each other.
func join(sentences ...string) string {
	full := sentences[:0]
	for _, s := range sentences {
		if s != "" {
			full = append(full, s)
		}
	}
	return strings.Join(full, " ")
}

// The conjunctions of a list.
var (
	and = phrase{"%s and %s", "%s und %s"}
	or  = phrase{"%s or %s", "%s oder %s"}
)

// list enumerates: "a, b and c".
func (l Language) list(conjunction phrase, words []string) string {
	if len(words) < 2 {
		return strings.Join(words, "")
	}
	last := len(words) - 1
	return l.say(conjunction, strings.Join(words[:last], ", "), words[last])
}
