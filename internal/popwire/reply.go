package popwire

import (
	"bytes"
	"strings"
	"unicode"
	"unicode/utf8"

	"postfach/pop3"
)

// A Reply is the first line of a reply: status, response code, text.
type Reply struct {
	OK   bool
	Code pop3.Code // empty: none
	Text string
}

// AppendReply appends the reply's first line, with CRLF. It is at most
// MaxReply octets: longer text is cut between characters (P3-SYN-10,
// P3-LANG-05). Control characters in text become "?", and text that begins
// with "[" but is no code gets a SP in front, which promises nothing
// (P3-RSP-12).
func AppendReply(dst []byte, r Reply) []byte {
	start := len(dst)
	if r.OK {
		dst = append(dst, "+OK "...)
	} else {
		dst = append(dst, "-ERR "...)
	}
	if r.Code != "" {
		dst = append(dst, '[')
		dst = append(dst, r.Code...)
		dst = append(dst, "] "...)
	} else if strings.HasPrefix(r.Text, "[") {
		dst = append(dst, ' ')
	}
	return append(appendText(dst, r.Text, start+MaxReply-len(crlf)), crlf...)
}

// AppendOK appends the beginning of a positive reply without a code. What follows is a
// text of the caller's making, of which nothing has to be looked at, and EndLine.
func AppendOK(dst []byte) []byte { return append(dst, "+OK "...) }

// appendText appends text until dst has most octets.
func appendText(dst []byte, text string, most int) []byte {
	if len(dst)+len(text) <= most && isPrintable(text) {
		return append(dst, text...)
	}
	for _, c := range text {
		if unicode.IsControl(c) {
			c = '?'
		}
		if len(dst)+utf8.RuneLen(c) > most {
			break
		}
		dst = utf8.AppendRune(dst, c)
	}
	return dst
}

// isPrintable reports whether text is ASCII without control characters.
func isPrintable(text string) bool {
	for i := range len(text) {
		if c := text[i]; c < 0x20 || c > 0x7e {
			return false
		}
	}
	return true
}

// ParseReply parses a first line without its line end. Strict wants the
// status in upper case, SP or nothing behind it; Lenient takes any case
// (P3-SYN-12, P3-SYN-28). Anything else is a *pop3.ProtocolError.
func ParseReply(line []byte, how Strictness) (Reply, error) {
	status, rest, _ := bytes.Cut(line, []byte{' '})
	var r Reply
	switch {
	case is(status, "+OK", how):
		r.OK = true
	case is(status, "-ERR", how):
	default:
		return r, &pop3.ProtocolError{Want: "+OK or -ERR", Got: Shorten(line)}
	}
	r.Code, r.Text = splitCode(string(rest))
	return r, nil
}

func is(status []byte, want string, how Strictness) bool {
	return string(status) == want || how == Lenient && upper(status) == want
}

// splitCode takes a response code from the start of a reply's text
// (P3-RSP-01). What is in brackets but no code stays text.
func splitCode(text string) (pop3.Code, string) {
	if !strings.HasPrefix(text, "[") {
		return "", text
	}
	code, rest, found := strings.Cut(text[1:], "]")
	if !found || !pop3.Code(code).Valid() {
		return "", text
	}
	return pop3.Code(code), strings.TrimPrefix(rest, " ")
}

// Shorten bounds what an error repeats of the peer's words.
func Shorten(line []byte) string {
	const most = 80
	if len(line) > most {
		return string(line[:most]) + "..."
	}
	return string(line)
}
