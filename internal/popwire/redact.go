package popwire

import (
	"bytes"
	"slices"
	"strings"
)

// Secret stands in traces where a secret was said (P3-USR-12).
const Secret = "<secret>"

// What may be shown: the keywords whose lines have no secrets, and words behind
// AUTH that are no base64.
const (
	openKeywords = " CAPA DELE LANG LAST LIST NOOP QUIT RETR RSET STAT STLS TOP UIDL UTF8 XTND "
	mechanisms   = " ANONYMOUS CRAM-MD5 DIGEST-MD5 EXTERNAL GSSAPI LOGIN NTLM OAUTHBEARER PLAIN SCRAM-SHA-1 SCRAM-SHA-1-PLUS SCRAM-SHA-256 SCRAM-SHA-256-PLUS XOAUTH2 "
)

// Redact returns a client's line, without line end, as a trace may show it:
// nothing behind PASS, no digest behind APOP, no initial response behind AUTH.
// A line that is no command may be a password that somebody typed a moment too
// early or with a slip of the hand: of it only a first word of up to four octets
// is shown.
func Redact(line []byte) []byte {
	word, rest, _ := bytes.Cut(line, []byte{' '})
	keyword := upper(word)
	switch {
	case strings.Contains(openKeywords, " "+keyword+" "):
		return line
	case keyword == "USER" || keyword == "APOP" || keyword == "AUTH":
		shown, secret, more := bytes.Cut(rest, []byte{' '})
		switch {
		case keyword == "AUTH" && !strings.Contains(mechanisms, " "+upper(shown)+" "),
			keyword == "APOP" && !more: // a digest without its name
		case len(secret) == 0:
			return line
		default:
			return hidden(line[:len(word)+1+len(shown)])
		}
		if len(rest) == 0 {
			return line
		}
	case len(word) > len("PASS"):
		return []byte(Secret)
	case len(rest) == 0:
		return line
	}
	return hidden(word)
}

func hidden(shown []byte) []byte {
	if len(shown) == 0 {
		return []byte(Secret)
	}
	return append(append(append([]byte(nil), shown...), ' '), Secret...)
}

// RedactChallenge returns a server's line, with or without its line end, as a trace may
// show it: without SCRAM's proof, against which passwords can be tried with the rest of
// the exchange beside it. all: without any challenge, as in an exchange with a token,
// which a server may repeat. It is for lines that are no part of a message.
func RedactChallenge(line []byte, all bool) []byte {
	const proof = "dj" // "v=" in base64
	rest, is := bytes.CutPrefix(line, []byte("+ "))
	challenge := TrimLine(rest)
	if !is || len(challenge) == 0 || !all && !bytes.HasPrefix(challenge, []byte(proof)) {
		return line
	}
	return slices.Concat([]byte("+ "+Secret), rest[len(challenge):])
}
