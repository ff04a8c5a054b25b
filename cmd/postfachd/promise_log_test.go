package main

import (
	"bytes"
	"encoding/base64"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"unicode"
	"unicode/utf8"

	"postfach/internal/datafolder"
)

// Promise 14 holds for every program that a test starts: when the test is over its
// log is searched for panics, for control octets, and for whatever clients have
// said that is a secret.

// secrets are what clients have said that is in no log.
type secrets struct {
	mu   sync.Mutex // guards what follows
	said []string
}

// note takes the secrets out of command lines.
func (s *secrets) note(lines string) {
	if s == nil {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for line := range strings.Lines(lines) {
		keyword, rest, _ := strings.Cut(strings.TrimRight(line, "\r\n"), " ")
		switch strings.ToUpper(keyword) {
		case "PASS":
			s.said = append(s.said, rest)
		case "AUTH", "APOP": // mechanism or name, then the secret
			_, secret, _ := strings.Cut(rest, " ")
			s.said = append(s.said, secret)
			if octets, err := base64.StdEncoding.DecodeString(secret); err == nil {
				s.said = append(s.said, string(octets[bytes.LastIndexByte(octets, 0)+1:])) // PLAIN's
			}
		}
	}
}

func (s *secrets) all() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.said)
}

// checkLog looks at the log of a program that has ended.
func (p *program) checkLog() {
	p.t.Helper()
	for _, fault := range logFaults(p.stderr.String(), append(p.secrets.all(), p.firstSecret()), p.mayPanic) {
		p.t.Errorf("promise 14: %s", fault)
	}
}

// firstSecret is the password that a first start has made, if the program has a
// data folder.
func (p *program) firstSecret() string {
	i := slices.Index(p.cmd.Args, "--data")
	if i < 0 || i+1 == len(p.cmd.Args) {
		return ""
	}
	octets, _ := os.ReadFile(datafolder.Folder(p.cmd.Args[i+1]).FirstLogin())
	_, password, _ := strings.Cut(strings.TrimSpace(string(octets)), "password ")
	return password
}

// logFaults says what is in a log that must not be.
func logFaults(log string, secrets []string, mayPanic bool) (faults []string) {
	slices.Sort(secrets)
	secrets = slices.Compact(secrets)
	for line := range strings.SplitSeq(log, "\n") {
		shown := strconv.Quote(line[:min(len(line), 300)])
		if !utf8.ValidString(line) || strings.ContainsFunc(line, unicode.IsControl) {
			faults = append(faults, "control octets in the log: "+shown)
		}
		for _, sign := range []string{"panic: ", "fatal error: ", "DATA RACE"} {
			if strings.HasPrefix(line, sign) || sign == "DATA RACE" && strings.Contains(line, sign) {
				faults = append(faults, "the program has crashed: "+shown)
			}
		}
		if strings.Contains(line, "msg=panic") && !mayPanic {
			faults = append(faults, "a panic: "+shown)
		}
		for _, secret := range secrets {
			if hasSecret(line, secret) {
				faults = append(faults, "a secret is in the log: "+shown)
			}
		}
	}
	return faults
}

// hasSecret reports whether a line has a secret in it; a short one, which words may
// have in them, as a value of its own.
func hasSecret(line, secret string) bool {
	if strings.TrimSpace(secret) == "" {
		return false
	}
	quoted := strconv.Quote(secret)
	if len(secret) >= 10 {
		return strings.Contains(line, secret) || strings.Contains(line, quoted[1:len(quoted)-1])
	}
	for _, value := range []string{secret, quoted} {
		for _, after := range []string{"=", ": "} {
			if strings.Contains(line+" ", after+value+" ") {
				return true
			}
		}
	}
	twice := strconv.Quote(quoted)
	return strings.Contains(line, quoted) || strings.Contains(line, twice[1:len(twice)-1])
}

// The search finds what it is for.
func TestLogIsSearched(t *testing.T) {
	const plain = `time=2026-11-23T06:40:00.123+01:00 level=INFO msg=login session=3f.K7ZQ2MWA user=anna`
	for line, want := range map[string]bool{
		plain:                                     false,
		plain + "\n" + plain:                      false,
		plain + " x=\x1b[0m":                      true,
		plain + "\r":                              true,
		plain + "\x7f":                            true,
		plain + " x=\xff":                         true,
		plain + " x=\u0085":                       true,
		"panic: runtime error":                    true,
		"fatal error: concurrent":                 true,
		"WARNING: DATA RACE":                      true,
		"level=ERROR msg=panic x=y":               true,
		plain + " x=long-and-secret":              true,
		plain + ` err="PASS long-and-secret: no"`: true,
		plain + ` x="p w"`:                        true,
		plain + ` err="x \"p w\" y"`:              true,
		plain + " x=secret":                       true,
		plain + " x=secretary":                    false,
	} {
		got := logFaults(line, []string{"", "p w", "secret", "long-and-secret"}, false)
		if (len(got) > 0) != want {
			t.Errorf("%q: %q", line, got)
		}
	}
}

// Names with anything in them are one line each, at once, and quoted: control
// octets, line ends, keys of ours. What is no login leaves no line of its own.
func TestHostileTextIsQuotedInTheLog(t *testing.T) {
	h := newHouse(t)
	h.config = []string{"--config", filepath.Join(tempDir(t), "f.toml")}
	configured(t, h.config[1], "")
	p := h.serve()
	names := []string{
		"x rip=198.51.100.66", `x" msg="login`, "x\nmsg=login user=x", "a\x1b[2Jb", "a\tb", "a\rb", "a\x7fb", "a\x80\xffb", "\u0085\u202e", "%s%n%d", strings.Repeat("x", 1900),
	}
	tries := 0
	for _, name := range names {
		c := p.dial()
		c.line()
		for _, command := range []string{"XYZZY " + name, name, "STAT " + name, "USER " + name} {
			if !strings.Contains(command, "\n") {
				c.say(command)
			}
		}
		before := p.stderr.count()
		if c.say("AUTH PLAIN "+base64.StdEncoding.EncodeToString([]byte("\x00"+name+"\x00not the password of anybody"))) != "-ERR [AUTH] login failed" {
			continue // malformed, and so no try
		}
		tries++
		line := p.stderr.waitAfter(t, before, `msg="login failed"`)
		if !strings.Contains(line, " rip=127.0.0.1 mechanism=PLAIN name=") || strings.Contains(line, "not the password of anybody") {
			t.Errorf("%q: %s", name, line)
		}
	}
	p.end()
	log := p.stderr.String()
	for line := range strings.SplitSeq(log, "\n") {
		if !strings.HasPrefix(line, "time=") {
			t.Errorf("a line that is not ours: %q", line)
		}
	}
	if n := strings.Count(log, `msg="login failed"`); n != tries || tries < 5 {
		t.Errorf("%d lines of failed logins for %d tries", n, tries)
	}
}
