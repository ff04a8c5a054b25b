package shell

import (
	"cmp"
	"context"
	"encoding/hex"
	"fmt"
	"strings"

	"postfach/internal/popwire"
	"postfach/pop3"
	"postfach/sasl"
)

// mayWriteCredentials is asked each time one is about to be written.
func (s *session) mayWriteCredentials() error {
	if s.way().MayCarry(false) {
		return nil
	}
	return &refusal{s.screen.words().cleartext}
}

// mayAuth is mayWriteCredentials for a mechanism.
func (s *session) mayAuth(mechanism string) error {
	if err := s.mayWriteCredentials(); err != nil {
		return err
	}
	if s.way().MayCarry(sasl.TakesToken(mechanism)) {
		return nil
	}
	return &refusal{s.screen.words().clearToken}
}

func (s *session) way() popwire.Way {
	return popwire.Way{TLS: s.wire.secure, Local: s.wire.local, AllowCleartext: s.o.AllowCleartext}
}

// pass sends PASS. The password may stand in the line; else it is asked for.
func (s *session) pass(ctx context.Context, line string) error {
	if err := s.mayWriteCredentials(); err != nil {
		return err
	}
	_, password, _ := strings.Cut(line, " ") // all of it: a password may have spaces (P3-USR-05)
	if password == "" {
		var err error
		if password, err = s.secret(ctx, fmt.Sprintf(s.screen.words().passwordOf, cmp.Or(visible(s.user), s.screen.words().somebody))); err != nil {
			return err
		}
		line = strings.TrimRight(line, " ") + " " + password
	}
	s.secrets.keep(password)
	return s.command(ctx, line)
}

// apop sends APOP. Where the digest is missing it is computed from a secret.
func (s *session) apop(ctx context.Context, line string, fields []string) error {
	if err := s.mayWriteCredentials(); err != nil {
		return err
	}
	if len(fields) != 2 {
		return s.command(ctx, line)
	}
	words, name := s.screen.words(), fields[1]
	switch {
	case s.stale:
		return &refusal{words.staleStamp}
	case s.stamp == "":
		return &refusal{words.noStamp}
	}
	secret, err := s.secret(ctx, fmt.Sprintf(words.apopSecretOf, visible(name)))
	if err != nil {
		return err
	}
	digest := secret
	if !isDigest(secret) {
		if secret, err = prepared(secret); err != nil {
			return &refusal{err.Error()}
		}
		digest = pop3.APOPDigest(s.stamp, secret)
		s.screen.say(words.digest, meaning)
	}
	s.secrets.keep(secret)
	s.secrets.keep(digest)
	return s.command(ctx, "APOP "+name+" "+digest)
}

// isDigest says that somebody has computed the digest already.
func isDigest(secret string) bool {
	octets, err := hex.DecodeString(secret)
	return err == nil && len(octets) == 16 && secret == strings.ToLower(secret)
}

// prepared is the secret as APOP takes it: SASLprep where it is no ASCII
// (P3-APOP-06).
func prepared(secret string) (string, error) {
	if strings.IndexFunc(secret, func(r rune) bool { return r > 0x7e }) < 0 {
		return secret, nil
	}
	return sasl.PreparePassword(secret)
}

// secret gets a secret: from the keyboard without echo, or as the script's
// caller knows it.
func (s *session) secret(ctx context.Context, question string) (string, error) {
	words := s.screen.words()
	var secret string
	var err error
	switch {
	case s.interactive:
		secret, err = s.read(ctx, prompt{text: question, hidden: true})
	case s.o.Password == nil:
		return "", &refusal{words.noPassword}
	default:
		secret, err = s.o.Password(ctx, s.user, s.o.Target.Host)
		if err != nil {
			return "", &refusal{err.Error()}
		}
	}
	switch {
	case isCancel(err):
		return "", &refusal{words.cancelled}
	case err != nil:
		return "", err
	case secret == "":
		return "", &refusal{words.emptySecret}
	}
	return secret, s.sendable(secret)
}
