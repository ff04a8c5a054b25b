package message

import (
	"strings"
	"testing"
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
		"":                       "",
		" ":                      "",
		"plain text":             "plain text",
		" a \t b\r\n c\u00a0d\n": "a b c d",
		"a\u0085b":               "a b",
		"\x1b\n\x1b":             "␛ ␛",
		"a\u2028b":               "a b",
	} {
		if got := PrintableLine(s); got != want {
			t.Errorf("%q: %q, want %q", s, got, want)
		}
	}
}

// assertPrintable fails if s could do anything to a terminal but show text.
func assertPrintable(t *testing.T, s string) {
	t.Helper()
	for _, r := range s {
		switch {
		case r == '\n', r == '\t':
		case r < ' ', r >= 0x7f && r < 0xa0, r >= 0x202a && r <= 0x202e, r >= 0x2066 && r <= 0x2069,
			r == 0x200e, r == 0x200f, r == 0x061c, r == 0x2028, r == 0x2029, r >= 0xe0000 && r < 0xe0100:
			t.Fatalf("%U in %.200q", r, s)
		}
	}
	if strings.ToValidUTF8(s, "") != s {
		t.Fatalf("%.200q is no UTF-8", s)
	}
}
