package pop3test

import (
	"crypto/md5"
	"encoding/hex"
	"strings"
	"time"
)

func greetingFaults() []Fault {
	return []Fault{
		{
			Name: "greeting-of-two-lines", Doc: "Two lines come at the beginning, each with +OK.",
			Rules: []string{"P3-GRT-01"},
			Greet: func(_ *Session, greeting string) string { return "+OK Welcome, wait a moment\r\n" + greeting },
		},
		{
			Name: "greeting-like-imap", Doc: "The greeting is that of an IMAP server.",
			Rules: []string{"P3-GRT-01"},
			Greet: func(*Session, string) string { return "* OK ready\r\n" },
		},
		{
			Name: "greeting-too-long", Doc: "The greeting has more than 512 octets.",
			Rules: []string{"P3-GRT-02"},
			Greet: func(_ *Session, greeting string) string {
				return "+OK " + strings.Repeat("Unauthorized use is forbidden. ", 17) + strings.TrimPrefix(greeting, "+OK ")
			},
		},
		stamped(Fault{
			Name: "timestamp-without-at", Doc: "The timestamp in the greeting has no \"@\" and a space; APOP works with it.",
			Rules: []string{"P3-GRT-03"},
		}, func() string { return "<1896.697170952 postoffice>" }),
		stamped(Fault{
			Name: "timestamp-always-the-same", Doc: "All greetings have the same timestamp; APOP works with it.",
			Rules: []string{"P3-GRT-04"},
		}, func() string { return "<1896.697170952@pop.example>" }),
		{
			Name: "timestamp-without-apop", Doc: "The greeting has a timestamp and APOP does not exist.",
			Rules: []string{"P3-GRT-05"},
			Greet: func(s *Session, _ string) string {
				return "+OK POP3 server ready <1896.69717" + itoa(s.Number) + "@pop.example>\r\n"
			},
			Command: func(e *Exchange) bool {
				if !e.Is("APOP") {
					return false
				}
				e.Reply = "-ERR unknown command\r\n"
				return true
			},
		},
		{
			Name: "capa-lists-apop", Doc: "CAPA lists APOP.",
			Rules: []string{"P3-GRT-05"},
			Edit: func(e *Exchange) {
				if e.Is("CAPA") && positive(e.Reply) {
					e.Reply = strings.TrimSuffix(e.Reply, ".\r\n") + "APOP\r\n.\r\n"
				}
			},
		},
		{
			Name: "greeting-with-angle-brackets", Doc: "The greeting has another \"<\" than that of the timestamp.",
			Rules: []string{"P3-GRT-06"},
			Greet: func(_ *Session, greeting string) string {
				return "+OK mail for <example> and <others>, " + strings.TrimPrefix(greeting, "+OK ")
			},
		},
		{
			Name: "greets-again-after-stls", Doc: "After STLS a second greeting comes.",
			Rules: []string{"P3-GRT-11"},
			Secured: func(s *Session) {
				s.Write("+OK POP3 server ready\r\n")
			},
		},
		{
			Name: "greets-in-clear-on-tls", Doc: "On the port for TLS a client that waits hears a greeting in clear.",
			Rules: []string{"P3-GRT-12"},
			Accept: func(s *Session) {
				if s.Number > 1 && s.ImplicitTLS && !s.Begins(10*time.Millisecond) {
					s.Write("+OK POP3 server ready\r\n")
				}
			},
		},
		{
			Name: "greeting-with-version", Doc: "The greeting tells the software and its version.",
			Rules: []string{"P3-GRT-14"},
			Greet: func(_ *Session, greeting string) string {
				return "+OK ExamplePOP 4.1.12 (build 20260817) " + strings.TrimPrefix(greeting, "+OK ")
			},
		},
	}
}

// stamped makes a greeting's timestamp another one, and APOP work with it.
func stamped(f Fault, stamp func() string) Fault {
	const real = "timestamp"
	f.Greet = func(s *Session, greeting string) string {
		i := strings.IndexByte(greeting, '<')
		if i < 0 {
			return greeting
		}
		s.Values[real] = strings.TrimRight(greeting[i:], "\r\n")
		return greeting[:i] + stamp() + "\r\n"
	}
	f.Command = func(e *Exchange) bool {
		name, digest, _ := strings.Cut(e.Args, " ")
		secret := accounts{e.Server}.find(name).secret
		challenge, ok := e.Values[real].(string)
		if !e.Is("APOP") || !ok || secret == "" || !strings.EqualFold(digest, digestOf(stamp()+secret)) {
			return false
		}
		e.Reply = e.Ask("APOP " + name + " " + digestOf(challenge+secret))
		return true
	}
	return f
}

func digestOf(s string) string {
	sum := md5.Sum([]byte(s))
	return hex.EncodeToString(sum[:])
}
