package pop3server

import (
	"context"
	"strings"

	"postfach/internal/popwire"
)

// langCommand is LANG (RFC 6856 section 3).
func (s *session) langCommand(_ context.Context, args []string) error {
	if len(args) == 0 {
		return s.listLanguages()
	}
	l := s.srv.language // P3-LANG-04: the same for everybody
	if args[0] != "*" {
		var ok bool
		if l, ok = matchLanguage(args[0]); !ok {
			return &refusal{text: textNoLanguage} // P3-LANG-03
		}
	}
	s.lang = l
	return s.reply(popwire.Reply{OK: true, Text: languages[l].tag + " " + textLanguageIs.in(l)})
}

func (s *session) listLanguages() error {
	if err := s.ok(textLanguages); err != nil {
		return err
	}
	var lines []byte
	for _, l := range languages {
		lines = popwire.AppendDataLine(lines, l.tag+" "+l.name)
	}
	return s.write(popwire.AppendTerminator(lines))
}

// matchLanguage finds the language of a basic language range: RFC 4647's
// lookup, so that "de-AT" is served by "de" (P3-LANG-02).
func matchLanguage(tag string) (language, bool) {
	primary, _, _ := strings.Cut(tag, "-")
	for i, l := range languages {
		if strings.EqualFold(primary, l.tag) {
			return language(i), true
		}
	}
	return english, false
}
