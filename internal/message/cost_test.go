package message

import (
	"fmt"
	"strings"
	"testing"
	"time"
)

// assertQuick fails if f takes longer than any reader would wait. A slow machine
// gets a lot more time than f needs; what is not linear needs a lot more than that.
func assertQuick(t *testing.T, f func()) {
	t.Helper()
	begin := time.Now()
	f()
	if d := time.Since(begin); d > 2*time.Second {
		t.Errorf("took %v", d)
	}
}

// A start part without text made Body look at everything twice, at each level.
func TestNestedStartsWithoutTextCostLinearTime(t *testing.T) {
	var b strings.Builder
	for i := range 40 {
		fmt.Fprintf(&b, "Content-ID: <s>\nContent-Type: multipart/related; boundary=b%d; start=\"<s>\"\n\n--b%d\n", i, i)
	}
	m := open(b.String() + "Content-ID: <s>\nContent-Type: image/png\n\n")
	assertQuick(t, func() {
		if p := m.Body(true); p != nil {
			t.Errorf("%+v", p)
		}
	})
}

// The character set of raw octets was looked for again between any two words.
func TestRawOctetsBetweenWordsCostLinearTime(t *testing.T) {
	contentType := "Content-Type: text/plain" + strings.Repeat("; a*=utf-8''%C3%BC"+strings.Repeat("x", 140), 95) + "; charset=koi8-r\n"
	field := "X: " + strings.Repeat("\xff=?a?q?b?=", 90) + "\n"
	assertQuick(t, func() {
		m := open(contentType + strings.Repeat(field, 900) + "\n")
		if value := m.Header[1].Value; !strings.HasPrefix(value, "ЪbЪb") {
			t.Errorf("%.20q", value)
		}
	})
}

func TestColonsInAddressesCostLinearTime(t *testing.T) {
	assertQuick(t, func() {
		for range 20 {
			ReadSummary([]byte("From: " + strings.Repeat("a", 8000) + "@" + strings.Repeat(":", 8000) + "\n"))
		}
	})
}

// What costs little to send must cost little to read.
func TestHostileMessagesCostLinearTime(t *testing.T) {
	deep := strings.Repeat("Content-Type: message/rfc822\n\n", MaxDepth-1)
	for name, s := range map[string]string{
		"escape sequences":       "Content-Type: text/plain; charset=iso-2022-jp\n\n" + strings.Repeat("\x1b$B\x1b(B", 200_000),
		"shifts of UTF-7":        "Content-Type: text/plain; charset=utf-7\n\n" + strings.Repeat("+AA", 400_000),
		"a long shift":           "Content-Type: text/plain; charset=utf-7\n\n+" + strings.Repeat("A", 1<<20),
		"shifts of HZ":           "Content-Type: text/plain; charset=hz\n\n" + strings.Repeat("~{~}", 300_000),
		"half characters":        "Content-Type: text/plain; charset=gb18030\n\n" + strings.Repeat("\x81\x30\x81", 400_000),
		"entities":               "Content-Type: text/html\n\n" + strings.Repeat("&CounterClockwiseContourIntegral;&#x10ffff;&a", 30_000),
		"words":                  "Subject: " + strings.Repeat("=?a?b?=?=?q?", 90_000) + "\n\n",
		"words of many sets":     "Subject: " + strings.Repeat("=?utf-7?q?+AA?= =?hz?q?x?= =?x-none?q?x?=", 25_000) + "\n\n",
		"indices":                "Content-Type: a/b; " + strings.Repeat("name*2147483647*=x; name*0=y;", 30_000) + "\n\n",
		"comments in a date":     "Date: " + strings.Repeat("(", 900_000) + "\n\n",
		"comments in an address": "From: " + strings.Repeat("(a", 400_000) + "\n\n",
		"names with marks":       "Content-Type: a/b; name=" + strings.Repeat("\u0301\u200d", 200_000) + "\n\n",
		"deep messages":          deep + strings.Repeat("\xff: =?a?q?b?=\n", 100_000),
		"quoted-printable":       "Content-Transfer-Encoding: quoted-printable\n\n" + strings.Repeat("=", 1<<20),
		"white space":            "Content-Transfer-Encoding: quoted-printable\n\n" + strings.Repeat(" \t", 1<<20),
		"many boundaries": func() string {
			var b strings.Builder
			for i := range MaxDepth {
				fmt.Fprintf(&b, "Content-Type: multipart/mixed; boundary=%s\n\n--%s\n", strings.Repeat("b", i+1), strings.Repeat("b", i+1))
			}
			return b.String() + strings.Repeat("--"+strings.Repeat("b", 500)+"\n", 2000)
		}(),
		"many parts":  "Content-Type: multipart/mixed; boundary=b\n\n" + strings.Repeat("--b\nContent-Type: message/rfc822\n\n\n", MaxParts),
		"empty lines": strings.Repeat("\n", 1<<20),
	} {
		t.Run(name, func(t *testing.T) {
			assertQuick(t, func() {
				m := open(s)
				for p := range m.Parts() {
					if len(p.Parts) > 0 {
						continue
					}
					text, _, err := m.Text(p, 4<<20)
					if err != nil {
						t.Fatal(err)
					}
					p.FileName()
					if p.Type == "text/html" {
						text = HTMLText(text)
					}
					if n := len(Printable(text)); n > 5*len(s)+1000 {
						t.Errorf("%d octets become %d", len(s), n)
					}
				}
				m.Body(true)
				m.Attachments()
			})
		})
	}
}
