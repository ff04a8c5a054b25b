package message

import (
	"errors"
	"fmt"
	"io"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"
)

func open(s string) *Message { return Open(strings.NewReader(s), int64(len(s))) }

// outline writes the structure of a message: each part's path, type and, if it
// is a leaf, its content.
func outline(t *testing.T, m *Message) []string {
	t.Helper()
	var lines []string
	for p := range m.Parts() {
		line := p.Path + " " + p.Type
		if len(p.Parts) == 0 {
			line += " " + fmt.Sprintf("%q", content(t, m, p))
		}
		lines = append(lines, strings.TrimSpace(line))
	}
	return lines
}

func content(t *testing.T, m *Message, p *Part) string {
	t.Helper()
	r, err := m.Content(p)
	if err != nil {
		t.Fatal(err)
	}
	octets, err := io.ReadAll(r)
	if err != nil {
		t.Fatal(err)
	}
	return string(octets)
}

func TestStructures(t *testing.T) {
	const mixed = "Content-Type: multipart/mixed; boundary=b\n"
	for name, c := range map[string]struct {
		message string
		want    []string
	}{
		"no MIME":   {"Subject: a\n\nbody\n", []string{`text/plain "body\n"`}},
		"nothing":   {"", []string{`text/plain ""`}},
		"no header": {"\nbody", []string{`text/plain "body"`}},
		"no body":   {"Subject: a\n", []string{`text/plain ""`}},
		"no empty line before the body": {
			"Subject: a\nThis is text.\n\nMore.\n", []string{`text/plain "This is text.\n\nMore.\n"`},
		},
		"two parts": {
			mixed + "\npreamble\n--b\n\none\n--b\nContent-Type: text/html\n\ntwo\n\n--b--\nepilogue\n",
			[]string{"multipart/mixed", `1 text/plain "one"`, `2 text/html "two\n"`},
		},
		"CRLF": {
			strings.ReplaceAll(mixed+"\n--b\n\none\n--b--\n", "\n", "\r\n"),
			[]string{"multipart/mixed", `1 text/plain "one"`},
		},
		"white space behind the boundary": {
			mixed + "\n--b \t\n\none\n--b-- \n", []string{"multipart/mixed", `1 text/plain "one"`},
		},
		"no end":               {mixed + "\n--b\n\none\n", []string{"multipart/mixed", `1 text/plain "one\n"`}},
		"cut in a header":      {mixed + "\n--b\nContent-Type: text/ht", []string{"multipart/mixed", `1 text/ht ""`}},
		"an empty part":        {mixed + "\n--b\n--b\n\n--b--", []string{"multipart/mixed", `1 text/plain ""`, `2 text/plain ""`}},
		"parts behind the end": {mixed + "\n--b\n\none\n--b--\n--b\n\ntwo\n", []string{"multipart/mixed", `1 text/plain "one"`, `2 text/plain "two\n"`}},
		"no boundary given":    {"Content-Type: multipart/mixed\n\n--b\n\none\n", []string{`text/plain "--b\n\none\n"`}},
		"no boundary found":    {mixed + "\none\n", []string{`text/plain "one\n"`}},
		"no empty line before the first boundary": {
			mixed + "--b\n\none\n--b--\n", []string{"multipart/mixed", `1 text/plain "one"`},
		},
		"no empty line in a part": {
			mixed + "\n--b\nContent-Type: text/html\n<p>one\n--b--\n", []string{"multipart/mixed", `1 text/html "<p>one"`},
		},
		"boundaries that begin alike": {
			mixed + "\n--b\nContent-Type: multipart/mixed; boundary=bb\n\n--bb\n\none\n--bbb\n--bb--\n--b\n\ntwo\n--b--\n",
			[]string{"multipart/mixed", "1 multipart/mixed", `1.1 text/plain "one\n--bbb"`, `2 text/plain "two"`},
		},
		"a boundary that looks like an end": {
			"Content-Type: multipart/mixed; boundary=\"b--\"\n\n--b--\n\none\n--b----\n", []string{"multipart/mixed", `1 text/plain "one"`},
		},
		"an inner multipart without end": {
			mixed + "\n--b\nContent-Type: multipart/mixed; boundary=c\n\n--c\n\none\n--b\n\ntwo\n--b--\n",
			[]string{"multipart/mixed", "1 multipart/mixed", `1.1 text/plain "one"`, `2 text/plain "two"`},
		},
		"the same boundary inside": {
			mixed + "\n--b\n" + mixed + "\n--b\n\none\n--b--\n--b\n\ntwo\n--b--\n",
			[]string{"multipart/mixed", "1 multipart/mixed", `1.1 text/plain "one"`, `2 text/plain "two"`},
		},
		"a message inside": {
			mixed + "\n--b\nContent-Type: message/rfc822\n\nSubject: in\nContent-Type: text/html\n\n<p>\n--b--\n",
			[]string{"multipart/mixed", "1 message/rfc822", `1.1 text/html "<p>"`},
		},
		"a message inside without anything": {
			mixed + "\n--b\nContent-Type: message/rfc822\n--b--\n", []string{"multipart/mixed", "1 message/rfc822", `1.1 text/plain ""`},
		},
		"a message in base64": {
			"Content-Type: message/rfc822\nContent-Transfer-Encoding: base64\n\nQ29udGVudC1UeXBlOiB0ZXh0L2h0bWwKCmhp\n",
			[]string{"message/rfc822", `1 text/html "hi"`},
		},
		"a digest": {
			"Content-Type: multipart/digest; boundary=b\n\n--b\n\nSubject: in\n\none\n--b--\n",
			[]string{"multipart/digest", "1 message/rfc822", `1.1 text/plain "one"`},
		},
		"a type without quotes, semicolons and sense": {"Content-Type: ///;;;=\n\na", []string{`application/octet-stream "a"`}},
		"an old type":                        {"Content-Type: text\n\na", []string{`text/plain "a"`}},
		"a parameter in an unfolded line":    {"Content-Type: multipart/mixed;\nboundary=b\n\n--b\n\none\n--b--\n", []string{"multipart/mixed", `1 text/plain "one"`}},
		"two types":                          {"Content-Type: text/html\nContent-Type: text/plain\n\na", []string{`text/html "a"`}},
		"a line longer than any buffer":      {mixed + "\n--b\n\n" + strings.Repeat("x", 70_000) + "\n--b--\n", []string{"multipart/mixed", `1 text/plain "` + strings.Repeat("x", 70_000) + `"`}},
		"a boundary within a very long line": {mixed + "\n--b\n\n" + strings.Repeat("x", scanBuffer) + "--b\n--b--\n", []string{"multipart/mixed", `1 text/plain "` + strings.Repeat("x", scanBuffer) + `--b"`}},
	} {
		t.Run(name, func(t *testing.T) {
			if got := outline(t, open(c.message)); !slices.Equal(got, c.want) {
				t.Errorf("got\n%.2000s\nwant\n%.2000s", strings.Join(got, "\n"), strings.Join(c.want, "\n"))
			}
		})
	}
}

func TestProblemsAreTold(t *testing.T) {
	const mixed = "Content-Type: multipart/mixed; boundary=b\n\n"
	for message, want := range map[string]string{
		"Subject: a\n\nbody\n":                                "",
		mixed + "--b\n\none\n--b--\n":                         "",
		"Content-Type: text\n\na":                             "",
		mixed + "--b\n\none\n":                                "its end is missing",
		mixed + "one\n":                                       "it should have parts and has none: shown as text",
		mixed + "--b\n\n--b--\n--b\n\n":                       "there are parts behind its end",
		"Content-Type: multipart/mixed\n\none\n":              "its parts cannot be told apart: shown as text",
		"Content-Type: nonsense\n\na":                         "its type cannot be read",
		"A: b\nno field\nC: d\n\na":                           "lines in its header are no fields",
		"Content-Transfer-Encoding: base64\n\nYWJj\n":         "",
		"Content-Transfer-Encoding: base64\n\nYW Jj\n YWI=\n": "it should be base64 and is not: shown as it is",
		"Content-Transfer-Encoding: base64\n\n" + strings.Repeat("YWJj", 19) + "!": "octets between the base64 are left out",
		"Content-Transfer-Encoding: base64\n\nYWI=\nYWI=\n":                        "there is more behind the end of the base64",
		"Content-Transfer-Encoding: base64\n\nYWJjYW\n":                            "the base64 ends too early",
		"Content-Transfer-Encoding: quoted-printable\n\na=C3=bc=\nb\n":             "",
		"Content-Transfer-Encoding: quoted-printable\n\na=b c\n":                   "some quoted-printable is wrong: shown as it is",
		"Content-Transfer-Encoding: x-rot13\n\na\n":                                "its transfer encoding is not known: shown as it is",
		"Content-Type: text/plain; charset=x-klingon\n\na\n":                       "its character set is not known: guessed",
		"Content-Type: text/plain; charset=us-ascii\n\n\xfc\n":                     "it should be ASCII and is not: the character set is guessed",
	} {
		if got := open(message).Root.Problem; got != want {
			t.Errorf("%q: %q, want %q", message, got, want)
		}
	}
}

// nested returns a message with this many multiparts in each other.
func nested(depth int) string {
	var b strings.Builder
	for i := range depth {
		fmt.Fprintf(&b, "Content-Type: multipart/mixed; boundary=b%d\n\n--b%d\n", i, i)
	}
	b.WriteString("\ninnermost\n")
	for i := depth - 1; i >= 0; i-- {
		fmt.Fprintf(&b, "--b%d--\n", i)
	}
	return b.String()
}

func TestDepth(t *testing.T) {
	m := open(nested(120))
	leaf := m.Part(strings.TrimSuffix(strings.Repeat("1.", 120), "."))
	if leaf == nil || leaf.Depth() != 120 || content(t, m, leaf) != "innermost" {
		t.Fatalf("the innermost part is %+v", leaf)
	}
	if m.Problem != "" || m.Body(true) != leaf {
		t.Errorf("problem %q, body %+v", m.Problem, m.Body(true))
	}

	for _, deep := range []string{nested(MaxDepth + 50), strings.Repeat("Content-Type: message/rfc822\n\n", MaxDepth+50)} {
		m := open(deep)
		if m.Problem != "it is nested too deep" {
			t.Errorf("problem %q", m.Problem)
		}
		for p := range m.Parts() {
			if p.Depth() > MaxDepth {
				t.Fatalf("a part at depth %d", p.Depth())
			}
		}
	}
}

func TestTooManyParts(t *testing.T) {
	m := open("Content-Type: multipart/mixed; boundary=b\n\n" + strings.Repeat("--b\n\nx\n", MaxParts+10))
	if n := len(slices.Collect(m.Parts())); n != MaxParts || m.Problem != "it has too many parts" {
		t.Errorf("%d parts, problem %q", n, m.Problem)
	}
	if last := m.Part(fmt.Sprint(MaxParts - 1)); content(t, m, last) != "x" {
		t.Errorf("the last part is %q", content(t, m, last))
	}
}

func TestHugeHeadersAreCut(t *testing.T) {
	m := open("Subject: a\n" + strings.Repeat("X-Long: "+strings.Repeat("x", 1000)+"\n", 2000) + "\nbody\n")
	if m.Problem != "a header is too long" || content(t, m, m.Root) != "body\n" || m.Summary.Subject != "a" {
		t.Errorf("problem %q, body %.100q, subject %q", m.Problem, content(t, m, m.Root), m.Summary.Subject)
	}
	m = open(strings.Repeat("x:\n", maxFields+1) + "\nbody\n")
	if m.Problem != "it has too many header fields" || len(m.Header) != maxFields {
		t.Errorf("problem %q, %d fields", m.Problem, len(m.Header))
	}
}

// pattern is a message of any size that needs no memory.
type pattern struct {
	head, line string
	size       int64
}

func (p pattern) ReadAt(b []byte, off int64) (int, error) {
	for i := range b {
		at := off + int64(i)
		switch {
		case at >= p.size:
			return i, io.EOF
		case at < int64(len(p.head)):
			b[i] = p.head[at]
		default:
			b[i] = p.line[(at-int64(len(p.head)))%int64(len(p.line))]
		}
	}
	return len(b), nil
}

func TestLargeMessagesAreNotKept(t *testing.T) {
	r := pattern{"Content-Type: multipart/mixed; boundary=b\n\n--b\nContent-Type: image/png\n\n", strings.Repeat("x", 75) + "\n", 64 << 20}
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	m := Open(r, r.size)
	runtime.ReadMemStats(&after)
	if size := m.Part("1").Size(); size < 63<<20 {
		t.Errorf("the part has %d octets", size)
	}
	if n := after.TotalAlloc - before.TotalAlloc; n > 4<<20 {
		t.Errorf("%d octets of memory", n)
	}
}

// failing is a file whose disk breaks.
type failing struct{ io.ReaderAt }

func (f failing) ReadAt(b []byte, off int64) (int, error) {
	if off > 0 {
		return 0, errors.New("bad\x1bsector")
	}
	return f.ReaderAt.ReadAt(b[:min(len(b), 20)], off)
}

func TestAReadErrorIsTold(t *testing.T) {
	m := Open(failing{strings.NewReader("Subject: a\n\nbody and more")}, 1000)
	if m.Problem != "it cannot be read to its end: bad␛sector" || m.Summary.Subject != "a" {
		t.Errorf("problem %q, subject %q", m.Problem, m.Summary.Subject)
	}
}

func TestAMessageShorterThanItsSize(t *testing.T) {
	m := Open(strings.NewReader("Subject: a\n\nbody"), 1000)
	if content(t, m, m.Root) != "body" {
		t.Errorf("%q", content(t, m, m.Root))
	}
}

func TestPartsAreFound(t *testing.T) {
	m := open("Content-Type: multipart/related; boundary=b\n\n--b\n\nx\n--b\nContent-ID: <pic@x>\nContent-Type: image/png; name=a.png\n\ny\n--b--\n")
	p := m.ByID("pic@x")
	if p == nil || p != m.ByID("<pic@x>") || p != m.Part("2") || p.ID != "pic@x" || p.Name != "a.png" || !p.Inline {
		t.Errorf("%+v", p)
	}
	if m.ByID("") != nil || m.ByID("other") != nil || m.Part("3") != nil || m.Part("") != m.Root {
		t.Error("a part that is not there was found")
	}
	if _, err := m.Content(nil); err == nil {
		t.Error("no part has content")
	}
}

func TestHeadersAreDecoded(t *testing.T) {
	m := open("Subject: =?utf-8?q?=C3=BC?=\nX-Evil: \x1b[2J\nX-Long: " + strings.Repeat("x", 20_000) + "\n\n")
	want := []Field{{"Subject", "ü"}, {"X-Evil", "␛[2J"}, {"X-Long", strings.Repeat("x", longestField-1) + "…"}}
	if !slices.Equal(m.Header, want) {
		t.Errorf("%.200q", m.Header)
	}
}

// A message that looks at all lines for boundaries must not look long.
func TestHostileStructuresCostLinearTime(t *testing.T) {
	begin := time.Now()
	for _, piece := range []string{
		"--\n", "a:\n", "--b\n", "--b\nContent-Type: multipart/mixed; boundary=b\n\n",
		"--b\nContent-Type: message/rfc822\n\n", "--b--\n", "=?a?q?", `"\`,
	} {
		for _, head := range []string{"Content-Type: multipart/mixed; boundary=b\n\n", "To: ", "Content-Type: a/b;"} {
			m := open(head + strings.Repeat(piece, 1<<20/len(piece)))
			m.Body(true)
			m.Attachments()
		}
	}
	if d := time.Since(begin); d > 8*time.Second {
		t.Errorf("took %v", d)
	}
}
