package message

import (
	"bytes"
	"encoding/base64"
	"io"
	"mime/quotedprintable"
	"strings"
	"testing"
	"testing/iotest"
	"unicode/utf8"
)

func FuzzOpen(f *testing.F) {
	for _, seed := range []string{
		"Subject: a\n\nb",
		"Content-Type: multipart/mixed; boundary=b\n\n--b\n\none\n--b\nContent-Type: message/rfc822\n\nA: b\n\nx\n--b--\n",
		"Content-Type: message/rfc822\nContent-Transfer-Encoding: base64\n\nQTogYgoKYw==\n",
		"Content-Type: text/html\nContent-Transfer-Encoding: quoted-printable\n\n<meta charset=koi8-r>=F0=\n",
		"Content-Disposition: attachment; filename*0*=utf-7'x'+AOQ-; filename*1=.exe\n\n",
		"Content-Type: multipart/alternative; boundary=\"--\"\n------\n\n\n",
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, octets []byte) {
		m := Open(bytes.NewReader(octets), int64(len(octets)))
		assertPrintable(t, m.Problem)
		for _, h := range m.Header {
			assertPrintable(t, h.Name+h.Value)
		}
		for p := range m.Parts() {
			look(t, m, p)
		}
		m.Body(true)
		m.Body(false)
		m.Attachments()
	})
}

// look reads all that there is of a part.
func look(t *testing.T, m *Message, p *Part) {
	t.Helper()
	if m.Part(p.Path) != p {
		t.Fatalf("%q is another part", p.Path)
	}
	if p.Size() < 0 {
		t.Fatalf("%q has %d octets", p.Path, p.Size())
	}
	assertPrintable(t, p.Type+p.Charset+p.Name+p.ID+p.Encoding+p.Problem)
	name := p.FileName()
	assertPrintable(t, name)
	if name == "" || len(name) > longestFileName || strings.ContainsAny(name, "/\\\n\t") || name[0] == '.' || name[0] == '-' {
		t.Fatalf("file name %q of %q", name, p.Name)
	}
	r, err := m.Content(p)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := io.Copy(io.Discard, r); err != nil {
		t.Fatal(err)
	}
	text, _, err := m.Text(p, 10_000)
	if err != nil || len(text) > 10_000 || !utf8.ValidString(text) {
		t.Fatalf("text of %q: %v", p.Path, err)
	}
}

func FuzzSummary(f *testing.F) {
	for _, seed := range []string{
		"From: =?utf-8?q?J=C3=B6rg?= <a@b>\nTo: x: \"y\" <c@d>, e;\nSubject: =?iso-2022-jp?b?GyRC?= =?b?\nDate: 1 Jan 99 1:2 PM EST\n",
		"Subject: \x1b$B\n\tx\nContent-Type: a; charset=koi8-r\nDate: 2026-01-31T12:00:00Z\n",
		"\xff\xfeS\x00",
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, octets []byte) {
		s := ReadSummary(octets)
		for _, text := range []string{s.From, s.Address, s.To, s.Subject} {
			assertPrintable(t, text)
			if strings.ContainsAny(text, "\n\t") || utf8.RuneCountInString(text) > longestText {
				t.Fatalf("%q", text)
			}
		}
		if y := s.Date.Year(); y < 0 || y > 10_000 {
			t.Fatalf("year %d", y)
		}
	})
}

func FuzzTransfer(f *testing.F) {
	for _, seed := range []string{"a=C3=\n =\r\n= \t\r\n \t\n=4", "YWI=\nYWJj YQ=YQ==\n--\nlist", strings.Repeat(" ", 1200) + "\n"} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, octets []byte) {
		for _, transfer := range []transfer{base64Transfer, quotedPrintable} {
			whole, err := io.ReadAll(transfer.reader(bytes.NewReader(octets)))
			if err != nil || len(whole) > len(octets) {
				t.Fatalf("%d octets become %d: %v", len(octets), len(whole), err)
			}
			pieces, err := io.ReadAll(transfer.reader(iotest.OneByteReader(bytes.NewReader(octets))))
			if err != nil || !bytes.Equal(whole, pieces) {
				t.Fatalf("as a whole %q, octet by octet %q, %v", whole, pieces, err)
			}
		}
		var encoded bytes.Buffer
		w := quotedprintable.NewWriter(&encoded)
		w.Binary = true
		w.Write(octets)
		w.Close()
		if decoded, _ := io.ReadAll(quotedPrintable.reader(&encoded)); !bytes.Equal(decoded, octets) {
			t.Fatalf("%q came back as %q", octets, decoded)
		}
		if decoded := decodeBase64([]byte(base64.StdEncoding.EncodeToString(octets))); !bytes.Equal(decoded, octets) {
			t.Fatalf("%q came back as %q", octets, decoded)
		}
	})
}

func FuzzHTMLText(f *testing.F) {
	for _, seed := range []string{
		"<p>a<ul><li>b<ol><li>c</ol></ul><a href=http://x>y</a><table><tr><td>1<td>2</table><pre>\n x",
		"<script><!--<script></script>-->x", "<blockquote><dd><textarea>", "<img alt=x><hr>&euro;&#0;",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, page string) {
		assertPrintable(t, Printable(HTMLText(page)))
	})
}

func FuzzPrintable(f *testing.F) {
	for _, seed := range []string{"\x1b[0m\u009b\x9b\u202e", "a\r\nb\r", "e\u0301\u200d\U000e0041\ufffe"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, s string) {
		text, line := Printable(s), PrintableLine(s)
		assertPrintable(t, text)
		assertPrintable(t, line)
		if strings.ContainsAny(line, "\n\t") {
			t.Fatalf("%q is no line", line)
		}
		if again := Printable(text); again != text {
			t.Fatalf("%q becomes %q", text, again)
		}
	})
}
