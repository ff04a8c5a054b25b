package popwire

import (
	"bytes"
	"errors"
	"slices"
	"strings"
	"testing"
)

func TestParseCommand(t *testing.T) {
	for line, want := range map[string]Command{
		"QUIT":          {Keyword: "QUIT"},
		"quit":          {Keyword: "QUIT"},
		"UTF8":          {Keyword: "UTF8"}, // P3-SYN-04
		"TOP 1 2":       {"TOP", "1 2", true},
		"PASS  p w ":    {"PASS", " p w ", true}, // P3-USR-05
		"PASS ":         {"PASS", "", true},
		"PASS":          {"PASS", "", false},
		"USER \xc3\xa4": {"USER", "\xc3\xa4", true},
	} {
		if got, ok := ParseCommand([]byte(line)); !ok || got != want {
			t.Errorf("%q: %+v %v", line, got, ok)
		}
	}
	for _, line := range []string{"", " ", "QU", "RETRX 1", "QUIT\t", " QUIT", "N\xc3\xa4P", "PASS a\x00b", "NOOP\rNOOP", "NOOP a\nb", "\x00\x00\x00\x00"} {
		if got, ok := ParseCommand([]byte(line)); ok {
			t.Errorf("%q: %+v", line, got)
		}
	}
}

func FuzzCommand(f *testing.F) {
	f.Add([]byte("PASS  p w "))
	f.Add([]byte("noop"))
	f.Fuzz(func(t *testing.T, line []byte) {
		c, ok := ParseCommand(line)
		if !ok {
			return
		}
		out, err := AppendCommand([]byte("x"), c)
		if err != nil {
			t.Fatal(err)
		}
		out, hasEnd := bytes.CutSuffix(out[1:], []byte("\r\n"))
		back, ok := ParseCommand(out)
		if !hasEnd || !ok || back != c {
			t.Fatalf("%q: %+v became %q", line, c, out)
		}
		if fields, ok := c.Fields(); ok {
			for _, f := range fields {
				if f == "" || strings.ContainsAny(f, " \t\r\n\x00") {
					t.Fatalf("field %q", f)
				}
			}
			again, _ := CommandFor(c.Keyword, fields...).Fields()
			if !slices.Equal(again, fields) {
				t.Fatalf("%q became %q", fields, again)
			}
		}
	})
}

// Nothing that ends a line gets into one (P3-SYN-26).
func TestAppendCommandRefuses(t *testing.T) {
	for _, c := range []Command{
		{"USER", "a\r\nDELE 1", true},
		{"USER", "a\nb", true},
		{"USER", "a\x00", true},
		{"NO OP", "", false},
		{"NOOP\r\n", "", false},
	} {
		if out, err := AppendCommand(nil, c); !errors.Is(err, ErrUnsafe) || len(out) != 0 {
			t.Errorf("%+v: %q %v", c, out, err)
		}
	}
}

// Numbers are digits, and do not wrap around (P3-SYN-21, P3-SYN-22).
func TestParseNumber(t *testing.T) {
	for s, want := range map[string]int64{"0": 0, "1": 1, "01": 1, "2147483647": 1<<31 - 1, "9223372036854775807": 1<<63 - 1} {
		if n, ok := ParseNumber(s); !ok || n != want {
			t.Errorf("%q: %d %v", s, n, ok)
		}
	}
	for _, s := range []string{"", "-1", "+1", "1x", "0x1", "1.5", " 1", "1 ", "9223372036854775808", "18446744073709551617", "99999999999999999999", "\u0661"} {
		if n, ok := ParseNumber(s); ok {
			t.Errorf("%q: %d", s, n)
		}
	}
	for _, s := range []string{"2147483648", "4294967298", "00000000001"} {
		if n, ok := ParseMessageNumber(s); ok {
			t.Errorf("%q: %d", s, n)
		}
	}
}

func FuzzCapability(f *testing.F) {
	f.Add("SASL PLAIN  SCRAM-SHA-256")
	f.Fuzz(func(t *testing.T, line string) {
		c, ok := ParseCapability(line)
		if !ok {
			return
		}
		back, ok := ParseCapability(c.String())
		if !ok || back.Tag != c.Tag || !slices.Equal(back.Params, c.Params) {
			t.Fatalf("%q: %v became %v", line, c, back)
		}
	})
}

// Of what a server says in a login, SCRAM's proof is hidden, and with a token all.
func TestRedactChallenge(t *testing.T) {
	for line, want := range map[string][2]string{
		"+ dj1wcm9vZg==\r\n": {"+ <secret>\r\n", "+ <secret>\r\n"},
		"+ dj1wcm9vZg==":     {"+ <secret>", "+ <secret>"},
		"+ cj1h\r\n":         {"+ cj1h\r\n", "+ <secret>\r\n"},
		"+ \r\n":             {"+ \r\n", "+ \r\n"},
		"+\r\n":              {"+\r\n", "+\r\n"},
		"+OK dj1w\r\n":       {"+OK dj1w\r\n", "+OK dj1w\r\n"},
		"-ERR no":            {"-ERR no", "-ERR no"},
		"":                   {"", ""},
	} {
		for i, all := range []bool{false, true} {
			if got := string(RedactChallenge([]byte(line), all)); got != want[i] {
				t.Errorf("%q, %t: %q", line, all, got)
			}
		}
	}
}

// What a trace shows has no secret in it, whatever the case and the spaces
// (P3-USR-12).
func TestRedact(t *testing.T) {
	for line, want := range map[string]string{
		"PASS geheim":              "PASS " + Secret,
		"pass  ge heim":            "pass " + Secret,
		"PASSgeheim":               Secret,
		"PASS\tgeheim":             Secret,
		" PASS geheim":             Secret,
		"PAS geheim":               "PAS " + Secret,
		"geheimes":                 Secret,
		"PASS":                     "PASS",
		"APOP u geheim":            "APOP u " + Secret,
		"APOP geheim":              "APOP " + Secret,
		"APOP":                     "APOP",
		"AUTH geheim":              "AUTH " + Secret,
		"AUTH":                     "AUTH",
		"USER u geheim":            "USER u " + Secret,
		"AUTH PLAIN geheim":        "AUTH PLAIN " + Secret,
		"AUTH PLAIN geheim geheim": "AUTH PLAIN " + Secret,
		"AUTH PLAIN":               "AUTH PLAIN",
		"AUTH\tPLAIN geheim":       Secret,
		"AUTH  PLAIN geheim":       "AUTH " + Secret,
		"USER  u":                  "USER  " + Secret,
		"XYZZ":                     "XYZZ",
		"USER u":                   "USER u",
		"":                         "",
	} {
		if got := string(Redact([]byte(line))); got != want {
			t.Errorf("%q: %q, want %q", line, got, want)
		}
	}
}
