package shell

import (
	"context"
	"fmt"
	"strings"
	"unicode/utf8"

	"postfach/internal/explain"
	"postfach/internal/popwire"
)

// obey carries out one typed line: a command of the shell, a login, QUIT, or
// anything else, which goes out as it is. A *refusal leaves the session as it
// was.
func (s *session) obey(ctx context.Context, line string) error {
	if strings.TrimSpace(line) == "" {
		return nil
	}
	s.before = s.secrets.forget()
	s.token = false
	if err := s.sendable(line); err != nil {
		return err
	}
	if strings.HasPrefix(line, "/") {
		return s.local(ctx, line)
	}
	words := strings.FieldsFunc(line, func(r rune) bool { return r == ' ' })
	login := strings.TrimLeft(line, " ")
	switch keyword := strings.ToUpper(words[0]); keyword {
	case "PASS":
		return s.pass(ctx, login)
	case "APOP":
		return s.apop(ctx, login, words)
	case "AUTH":
		return s.auth(ctx, login, words)
	case "QUIT":
		return s.quit(ctx, line)
	case "USER":
		if _, name, ok := strings.Cut(login, " "); ok {
			s.user = strings.TrimSpace(name)
		}
	}
	if isHidden(line) && s.mayWriteCredentials() != nil {
		return &refusal{s.screen.words().perhapsSecret}
	}
	return s.command(ctx, line)
}

// isHidden says that a line is no command that is known, or more than one: it may
// be, or hold, a password.
func isHidden(line string) bool { return string(popwire.Redact([]byte(line))) != line }

// command sends a line and hears the reply, with the responses that the server
// asks for.
func (s *session) command(ctx context.Context, line string) error {
	shown := string(popwire.Redact([]byte(line)))
	if shown != line {
		s.secrets.keepLine(line, shown)
	}
	if err := s.send([]byte(line), shown); err != nil {
		return err
	}
	if err := s.hear(ctx); err != nil {
		return err
	}
	if s.talk.expect() == explain.Response {
		s.screen.say(s.screen.words().byHand, meaning)
	}
	for s.talk.expect() == explain.Response {
		if err := s.respondByHand(ctx); err != nil {
			return err
		}
	}
	return nil
}

// sendable refuses what is no text: it could end the line (P3-SYN-26).
func (s *session) sendable(line string) error {
	for _, r := range line {
		if r < ' ' || r == 0x7f {
			return &refusal{fmt.Sprintf(s.screen.words().control, r)}
		}
	}
	if !utf8.ValidString(line) {
		return &refusal{s.screen.words().notText}
	}
	if len(line) > longestLine-2 || s.interactive && utf8.RuneCountInString(line) >= longestTyped {
		return &refusal{s.screen.words().tooLong}
	}
	return nil
}
