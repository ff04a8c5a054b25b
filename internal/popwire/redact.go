package popwire

import (
	"bytes"
	"strings"
)

// Secret stands in traces where a secret was said (P3-USR-12).
const Secret = "<secret>"

// open are the keywords whose lines have no secrets.
const open = " CAPA DELE LANG LAST LIST NOOP QUIT RETR RSET STAT STLS TOP UIDL USER UTF8 XTND "

// Redact returns a client's line, without line end, as a trace may show it:
// nothing behind PASS, no digest behind APOP, no initial response behind AUTH.
// A line that is no command may be a password that somebody typed a moment too
// early or with a slip of the hand: of it only a first word of up to four octets
// is shown.
func Redact(line []byte) []byte {
	word, rest, _ := bytes.Cut(line, []byte{' '})
	keyword := upper(word)
	switch {
	case strings.Contains(open, " "+keyword+" "):
		return line
	case (keyword == "APOP" || keyword == "AUTH") && len(rest) > 0 && rest[0] != ' ':
		// What comes next is a name.
		name, secret, more := bytes.Cut(rest, []byte{' '})
		if !more || len(secret) == 0 {
			return line
		}
		return hidden(line[:len(word)+1+len(name)])
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
