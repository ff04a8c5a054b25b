package explore

import (
	"fmt"
	"math"
	"os"
	"path/filepath"
	"reflect"
	"strconv"
	"strings"
	"testing"
	"unicode"
)

// storedText is a message with these octets.
func storedText(t *testing.T, octets string) *Stored {
	t.Helper()
	s := new(spool)
	if _, err := s.Write([]byte(octets)); err != nil {
		t.Fatal(err)
	}
	stored := newStored(s.content("k", int64(len(octets))))
	t.Cleanup(func() { stored.Close() })
	return stored
}

func rawLines(t *testing.T, s *Stored, first, count int) []RawLine {
	t.Helper()
	lines, err := s.RawLines(first, count)
	if err != nil {
		t.Fatal(err)
	}
	return lines
}

func TestRawLinesShowWhatCrossedTheWire(t *testing.T) {
	for _, c := range []struct {
		octets string
		want   []RawLine
	}{
		{"", nil},
		{"a\r\nb\r\n", []RawLine{{Text: "a", End: "CRLF"}, {Text: "b", End: "CRLF"}}},
		{"a\nb", []RawLine{{Text: "a", End: "LF"}, {Text: "b"}}},
		{"\r\n\n", []RawLine{{End: "CRLF"}, {End: "LF"}}},
		{"a\rb\r\n\r", []RawLine{{Text: `a\x0db`, End: "CRLF"}, {Text: `\x0d`}}},
		{"a\r\r\n", []RawLine{{Text: `a\x0d`, End: "CRLF"}}},
		{".\r\n..x\r\n.", []RawLine{{Text: ".", Stuffed: true, End: "CRLF"}, {Text: "..x", Stuffed: true, End: "CRLF"}, {Text: ".", Stuffed: true}}},
		{"a\n.b\r\n", []RawLine{{Text: "a", End: "LF"}, {Text: ".b", End: "CRLF"}}}, // LF ends no line on the wire
		{"a\x00b\x1b[31m\x7f\r\n", []RawLine{{Text: `a\x00b\x1b[31m\x7f`, End: "CRLF"}}},
		{"\tx \\ {y} \r\n", []RawLine{{Text: `\tx \\ {y} `, End: "CRLF"}}},
		{"grüße \xe4\xff \u202e\u00a0\U0001F600", []RawLine{{Text: `grüße \xe4\xff \xe2\x80\xae\xc2\xa0` + "\U0001F600"}}},
		{strings.Repeat("x", maxRawText) + "\r\n", []RawLine{{Text: strings.Repeat("x", maxRawText), End: "CRLF"}}},
		{strings.Repeat("x", maxRawText+5) + "\r\ny\n", []RawLine{{Text: strings.Repeat("x", maxRawText), End: "CRLF", Cut: 5}, {Text: "y", End: "LF"}}},
		{strings.Repeat("\x00", maxRawText), []RawLine{{Text: strings.Repeat(`\x00`, maxRawText/4), Cut: maxRawText - maxRawText/4}}},
		{"x" + strings.Repeat("é", maxRawText), []RawLine{{Text: "x" + strings.Repeat("é", maxRawText/2-1), Cut: maxRawText + 2}}},
	} {
		s := storedText(t, c.octets)
		if got := rawLines(t, s, 0, 100); !reflect.DeepEqual(got, c.want) {
			t.Errorf("%.60q:\ngot  %.200q\nwant %.200q", c.octets, fmt.Sprint(got), fmt.Sprint(c.want))
		}
		if n, err := s.Lines(); err != nil || n != len(c.want) {
			t.Errorf("%.60q: %d lines, %v", c.octets, n, err)
		}
	}
}

// unescaped is escape's twin.
func unescaped(t *testing.T, text string) string {
	t.Helper()
	var b strings.Builder
	for i := 0; i < len(text); i++ {
		if text[i] != '\\' {
			b.WriteByte(text[i])
			continue
		}
		i++
		switch text[i] {
		case 't':
			b.WriteByte('\t')
		case 'x':
			c, err := strconv.ParseUint(text[i+1:i+3], 16, 8)
			if err != nil {
				t.Fatal(err)
			}
			b.WriteByte(byte(c))
			i += 2
		default:
			b.WriteByte(text[i])
		}
	}
	return b.String()
}

// checkRawLines compares all lines with the message, and pieces of them from
// anywhere with all.
func checkRawLines(t *testing.T, octets string, steps ...int) {
	t.Helper()
	s := storedText(t, octets)
	var all []RawLine
	for {
		more := rawLines(t, s, len(all), 997)
		if len(more) == 0 {
			break
		}
		all = append(all, more...)
	}
	rest := octets
	for i, line := range all {
		text, _, _ := strings.Cut(rest, "\n")
		rest = rest[min(len(text)+1, len(rest)):]
		if line.End == "CRLF" {
			text = strings.TrimSuffix(text, "\r")
		}
		got := unescaped(t, line.Text)
		if !strings.HasPrefix(text, got) || int64(len(text)-len(got)) != line.Cut {
			t.Fatalf("line %d: %.80q for %.80q", i, line.Text, text)
		}
		if len(line.Text) > maxRawText || strings.ContainsFunc(line.Text, func(r rune) bool { return !unicode.IsPrint(r) }) {
			t.Fatalf("line %d cannot be printed: %.80q", i, line.Text)
		}
	}
	if rest != "" {
		t.Fatalf("%d octets are missing", len(rest))
	}
	again := storedText(t, octets)
	for _, step := range steps {
		for first := len(all) + 1; first >= 0; first -= step {
			want := all[min(first, len(all)):min(first+3, len(all))]
			if got := rawLines(t, again, first, 3); len(got) != len(want) || len(want) > 0 && !reflect.DeepEqual(got, want) {
				t.Fatalf("from line %d on: %.200q", first, fmt.Sprint(got))
			}
		}
	}
}

func TestRawLinesComeFromAnywhere(t *testing.T) {
	var b strings.Builder
	ends := []string{"\r\n", "\n", "\r\n", "\r\n"}
	for i := range 12_345 {
		fmt.Fprintf(&b, "%s%d%s", strings.Repeat(".", i%3), i, ends[i%4])
	}
	b.WriteString(strings.Repeat("long ", 600_000) + "\r\n")
	for i := range 20 {
		fmt.Fprintf(&b, "%d behind\r\n", i)
	}
	checkRawLines(t, b.String(), 499)
	checkRawLines(t, strings.Repeat("\n", 150_000), 10_007)
}

func TestRawLinesOutsideOfTheMessageAreNone(t *testing.T) {
	s := storedText(t, "a\r\nb\r\n")
	for _, ask := range [][2]int{{2, 5}, {math.MaxInt, math.MaxInt}, {0, 0}, {0, -1}, {5, 1}} {
		if lines := rawLines(t, s, ask[0], ask[1]); len(lines) != 0 {
			t.Errorf("%v: %v", ask, lines)
		}
	}
	if lines := rawLines(t, s, -5, math.MaxInt); len(lines) != 2 {
		t.Errorf("%v", lines)
	}
	many := storedText(t, strings.Repeat("\n", 2*maxRawLines))
	if lines := rawLines(t, many, 0, math.MaxInt); len(lines) != maxRawLines {
		t.Errorf("%d lines", len(lines))
	}
}

func TestRawLinesOfTheCorpus(t *testing.T) {
	names, err := filepath.Glob("../../../shared/corpus/*.eml")
	if err != nil {
		t.Fatal(err)
	}
	if len(names) == 0 {
		t.Log("the corpus is not here")
		return
	}
	for _, name := range names {
		octets, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		checkRawLines(t, string(octets), max(1, strings.Count(string(octets), "\n")/7))
	}
}
