package shell

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strings"

	"postfach/internal/explain"
)

// local carries out a command of the shell, which the server never hears.
func (s *session) local(ctx context.Context, line string) error {
	command, arg, _ := strings.Cut(line, " ")
	arg = strings.TrimSpace(arg)
	switch strings.ToLower(command) {
	case "/help", "/?":
		return s.help(arg)
	case "/show":
		return s.showLast(ctx)
	case "/save":
		return s.save(arg)
	case "/lang":
		return s.language(arg)
	case "/quit", "/exit":
		return s.hangup(errStop)
	}
	return &refusal{fmt.Sprintf(s.screen.words().unknownLocal, visible(command))}
}

// help shows all commands, or one.
func (s *session) help(keyword string) error {
	words, lang := s.screen.words(), s.talk.lang
	if keyword != "" {
		usage, means, ok := explain.CommandHelp(lang, keyword)
		if !ok {
			return &refusal{fmt.Sprintf(words.unknownKeyword, visible(keyword))}
		}
		s.screen.row(usage, means)
		return nil
	}
	for _, k := range explain.Keywords() {
		usage, means, _ := explain.CommandHelp(lang, k)
		s.screen.row(usage, means)
	}
	s.screen.print("\n")
	for i, means := range words.local {
		s.screen.row(words.localUsage[i], means)
	}
	return nil
}

// row is one line of the help, with its sentence beside it.
func (sc *screen) row(usage, means string) {
	if sc.narrow() {
		sc.print(sc.paint(usage, strong), "\n")
		for _, l := range wrap(means, sc.width()-3) {
			sc.print("  ", sc.paint(l, meaning), "\n")
		}
		return
	}
	const left = 22
	first := fmt.Sprintf("%-*s", left, usage)
	for _, l := range wrap(means, sc.width()-1-left) {
		sc.print(sc.paint(first, strong), sc.paint(l, meaning), "\n")
		first = strings.Repeat(" ", left)
	}
}

// showLast shows the last long reply in full.
func (s *session) showLast(ctx context.Context) error {
	if s.last == nil {
		return &refusal{s.screen.words().nothing}
	}
	r, err := s.last.reader()
	if err != nil {
		return &refusal{err.Error()}
	}
	lines := bufio.NewReaderSize(r, longestLine)
	for {
		if ctx.Err() != nil {
			return s.interrupted()
		}
		line, err := lines.ReadSlice('\n')
		if len(line) > 0 {
			text, ended := strings.CutSuffix(string(line), "\n")
			s.screen.print(visible(strings.TrimSuffix(text, "\r")))
			if ended || err != nil && !errors.Is(err, bufio.ErrBufferFull) {
				s.screen.print("\n")
			}
		}
		switch {
		case errors.Is(err, bufio.ErrBufferFull): // the rest of the line follows
		case errors.Is(err, io.EOF):
			return nil
		case err != nil:
			return &refusal{err.Error()}
		}
	}
}

// save writes the last long reply to a new file, octet for octet.
func (s *session) save(name string) error {
	words := s.screen.words()
	switch {
	case s.last == nil:
		return &refusal{words.nothing}
	case name == "":
		return &refusal{words.saveWhere}
	}
	r, err := s.last.reader()
	if err != nil {
		return &refusal{err.Error()}
	}
	f, err := os.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	switch {
	case errors.Is(err, fs.ErrExist):
		return &refusal{fmt.Sprintf(words.saveExists, visible(name))}
	case err != nil:
		return &refusal{visible(err.Error())}
	}
	n, err := io.Copy(f, r)
	if err = errors.Join(err, f.Close()); err != nil {
		return &refusal{visible(errors.Join(err, os.Remove(name)).Error())}
	}
	s.screen.say(fmt.Sprintf(words.saved, words.octets(n), visible(name)), meaning)
	return nil
}

// language changes what explanations are written in.
func (s *session) language(name string) error {
	switch lang := explain.Language(strings.ToLower(name)); lang {
	case explain.English, explain.German:
		s.talk.lang, s.screen.look.Lang = lang, lang
		s.screen.say(s.screen.words().languageIs, meaning)
		return nil
	}
	return &refusal{s.screen.words().whichLanguage}
}
