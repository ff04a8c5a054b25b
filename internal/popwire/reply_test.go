package popwire

import (
	"bytes"
	"errors"
	"strings"
	"testing"
	"unicode/utf8"

	"postfach/pop3"
)

// Any text makes one line of at most 512 octets that reads back (P3-SYN-10,
// P3-SYN-20, P3-RSP-12, P3-LANG-05).
func FuzzReply(f *testing.F) {
	f.Add(true, "", "hello")
	f.Add(false, "SYS/TEMP", "try again\r\n+OK")
	f.Add(false, "", "[1.2.3.4] x")
	f.Add(true, "", strings.Repeat("ä", 400))
	f.Add(true, "AUTH", "[")
	f.Fuzz(func(t *testing.T, ok bool, code, text string) {
		if len(code) > 100 || code != "" && !pop3.Code(code).Valid() {
			return
		}
		r := Reply{OK: ok, Code: pop3.Code(code), Text: text}
		out := AppendReply([]byte("x"), r)[1:]
		line, hasEnd := bytes.CutSuffix(out, []byte("\r\n"))
		if !hasEnd || len(out) > MaxReply || bytes.ContainsAny(line, "\r\n\x00\x1b\x7f") || !utf8.Valid(line) {
			t.Fatalf("%+v: %q", r, out)
		}
		back, err := ParseReply(line, Strict)
		if err != nil || back.OK != ok || back.Code != r.Code {
			t.Fatalf("%+v: %q became %+v %v", r, out, back, err)
		}
		if again := AppendReply(nil, back); !bytes.Equal(again, out) {
			t.Fatalf("%q became %q", out, again)
		}
	})
}

func TestParseReply(t *testing.T) {
	for _, tt := range []struct {
		line string
		how  Strictness
		want Reply
	}{
		{"+OK", Strict, Reply{OK: true}}, // P3-SYN-12
		{"+OK ", Strict, Reply{OK: true}},
		{"-ERR no", Strict, Reply{Text: "no"}},
		{"-ERR [IN-USE] busy", Strict, Reply{Code: "IN-USE", Text: "busy"}},
		{"-ERR [sys/temp/disk]x", Strict, Reply{Code: "sys/temp/disk", Text: "x"}},
		{"-ERR [no code", Strict, Reply{Text: "[no code"}},
		{"-ERR [a b] c", Strict, Reply{Text: "[a b] c"}},
		{"-ERR  [AUTH] x", Strict, Reply{Text: " [AUTH] x"}},
		{"+OK [XCLIENT] ready <1.2@h>", Strict, Reply{OK: true, Code: "XCLIENT", Text: "ready <1.2@h>"}}, // P3-GRT-07
		{"+ok x", Lenient, Reply{OK: true, Text: "x"}},                                                   // P3-SYN-28
		{"-Err x", Lenient, Reply{Text: "x"}},
	} {
		if got, err := ParseReply([]byte(tt.line), tt.how); err != nil || got != tt.want {
			t.Errorf("%q: %+v %v", tt.line, got, err)
		}
	}
	for _, line := range []string{"", "OK hi", "+OKAY", "-ERROR", "+", "+ ", " +OK", "* BYE", strings.Repeat("x", 1000)} {
		for _, how := range []Strictness{Strict, Lenient} {
			got, err := ParseReply([]byte(line), how)
			var wrong *pop3.ProtocolError
			if !errors.As(err, &wrong) || len(wrong.Got) > 100 {
				t.Errorf("%q: %+v %v", line, got, err)
			}
		}
	}
	if _, err := ParseReply([]byte("+ok"), Strict); err == nil { // P3-SYN-09
		t.Error("+ok is taken")
	}
}

// C1 controls are control characters, too: U+009B begins an escape sequence.
func TestReplyHasNoC1Controls(t *testing.T) {
	if out := AppendReply(nil, Reply{Text: "a\u009b31m\u0085b"}); string(out) != "-ERR a?31m?b\r\n" {
		t.Errorf("%q", out)
	}
}
