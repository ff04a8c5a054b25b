package message

import (
	"strings"
	"testing"
	"unicode"
)

func TestPrintable(t *testing.T) {
	for s, want := range map[string]string{
		"":                                "",
		"plain\ttext\n":                   "plain\ttext\n",
		"two  spaces ":                    "two  spaces ",
		"\x1b[31mred":                     "␛[31mred",
		"\x9b31m":                         "�31m", // CSI in eight bits
		"\u009b31m":                       "�31m", // and in UTF-8
		"\u0085\u0090":                    "��",
		"a\x00b\x07\x08\x7f":              "a␀b␇␈␡",
		"a\r\nb\rc":                       "a\nb␍c",
		"a\r\r\nb":                        "a␍\nb",
		"\xff\xc3":                        "��",
		"\xed\xa0\x80":                    "���", // a surrogate
		"a\u202eb\u2066c\u2069":           "a�b�c�",
		"a\u200eb\u200fc\u061cd":          "abcd",
		"a\u2028b\u2029c":                 "a␤b␤c",
		"pay\u200bpal \u2060\ufeff\u00ad": "paypal ",
		"a\U000e0041\U000e007f":           "a",
		"a\ufffe\U0001ffff":               "a��",
		"🏳️\u200d🌈 👩\u200d💻":              "🏳️\u200d🌈 👩\u200d💻",
		"می\u200cخواهم":                   "می\u200cخواهم",
		"क्\u200dष é":                     "क्\u200dष é",
		"Grüße €":                         "Grüße €",
		"a" + strings.Repeat("\u0301", 100) + "b": "a" + strings.Repeat("\u0301", 8) + "b",
		"a" + strings.Repeat("\u200d", 100) + "b": "a" + strings.Repeat("\u200d", 8) + "b",
	} {
		if got := Printable(s); got != want {
			t.Errorf("%q: %q, want %q", s, got, want)
		}
	}
}

func TestPrintableLine(t *testing.T) {
	for s, want := range map[string]string{
		"":                         "",
		" ":                        "",
		"plain text":               "plain text",
		" a \t b\r\n c\u00a0d\n":   "a b c d",
		"a\u0085b":                 "a b",
		"\x1b\n\x1b":               "␛ ␛",
		"a\u2028b":                 "a b",
		"\u200b a \u200b \u00ad b": "a b",
	} {
		if got := PrintableLine(s); got != want {
			t.Errorf("%q: %q, want %q", s, got, want)
		}
	}
}

// Every character there is, alone and between letters.
func TestNothingOfUnicodeControlsATerminal(t *testing.T) {
	t.Parallel()
	for r := range rune(unicode.MaxRune + 1) {
		text := Printable(string(r))
		assertPrintable(t, text)
		if line := PrintableLine("a" + string(r) + "b"); strings.ContainsAny(line, "\n\t") {
			t.Errorf("%U makes two lines", r)
		}
		letter := unicode.In(r, unicode.L, unicode.N, unicode.P, unicode.S, unicode.Mc, unicode.Mn) &&
			!unicode.Is(unicode.Other_Default_Ignorable_Code_Point, r)
		if letter && text != string(r) {
			t.Errorf("%U becomes %q", r, text)
		}
	}
	for c := range 256 {
		assertPrintable(t, Printable("a"+string([]byte{byte(c)})+"b"))
	}
}

// assertPrintable fails if s could do anything to a terminal but show text.
func assertPrintable(t *testing.T, s string) {
	t.Helper()
	for _, r := range s {
		switch {
		case r == '\n', r == '\t', isJoiner(r):
		case r >= 0x600 && r <= 0x605, r == 0x6dd, r == 0x70f, r == 0x890, r == 0x891, r == 0x8e2, r == 0x110bd, r == 0x110cd:
			// Arabic, Syriac and Kaithi signs in front of numbers: format characters that show
		case unicode.In(r, unicode.Cc, unicode.Cf, unicode.Cs, unicode.Zl, unicode.Zp, unicode.Bidi_Control, unicode.Noncharacter_Code_Point),
			unicode.Is(unicode.Other_Default_Ignorable_Code_Point, r):
			t.Fatalf("%U in %.200q", r, s)
		}
	}
	if strings.ToValidUTF8(s, "") != s {
		t.Fatalf("%.200q is no UTF-8", s)
	}
}
