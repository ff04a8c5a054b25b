package message

import (
	"strings"
	"testing"
	"time"
	"unicode/utf8"
)

func TestSummaryOfAwkwardHeaders(t *testing.T) {
	for name, c := range map[string]struct {
		header string
		want   Summary
	}{
		"an ordinary one": {
			"From: Ada Lovelace <ada@example.org>\r\nTo: Ben <ben@example.org>, cy@example.org\r\nSubject: Hello\r\n\r\nSubject: body",
			Summary{From: "Ada Lovelace", Address: "ada@example.org", To: "Ben, cy@example.org", Subject: "Hello"},
		},
		"nothing":            {"", Summary{}},
		"no header":          {"\nSubject: body\n", Summary{}},
		"cut in a name":      {"Subject: a\nFro", Summary{Subject: "a"}},
		"cut in a value":     {"Subject: half a sub", Summary{Subject: "half a sub"}},
		"cut after the name": {"Subject: a\nFrom:", Summary{Subject: "a"}},
		"bare LF, folded":    {"Subject: a\n b\n\tc\n\n", Summary{Subject: "a b c"}},
		"folded by a line of white space": {
			"Subject: a\n  \n b\nTo: c\n\n", Summary{Subject: "a b", To: "c"},
		},
		"an mbox line first":       {"From ada@example.org Thu Jan  1 12:00:00 2026\nSubject: a\n\n", Summary{Subject: "a"}},
		"a quoted mbox line first": {">From ada@example.org Thu Jan  1 12:00:00 2026\nSubject: a\n\n", Summary{Subject: "a"}},
		"a byte order mark first":  {"\uFEFFSubject: a\n\n", Summary{Subject: "a"}},
		"lines that are no fields": {"Subject: a\nno field\nTo: b\n\n", Summary{Subject: "a", To: "b"}},
		"names in any case":        {"SUBJECT : a\nto: b\n\n", Summary{Subject: "a", To: "b"}},
		"fields twice":             {"Subject: a\nSubject: b\n\n", Summary{Subject: "a"}},
		"an empty field first":     {"Subject:\nSubject: b\n\n", Summary{Subject: "b"}},
		"a sender alone":           {"Sender: b@example.org\n\n", Summary{From: "b@example.org", Address: "b@example.org"}},
		"raw UTF-8":                {"Subject: Grüße\n\n", Summary{Subject: "Grüße"}},
		"raw Windows-1252":         {"Subject: Gr\xfc\xdfe \x80\n\n", Summary{Subject: "Grüße €"}},
		"raw octets of the body's character set": {
			"Subject: \xf0\xd2\xc9\xd7\xc5\xd4\nContent-Type: text/plain; charset=koi8-r\n\n", Summary{Subject: "Привет"},
		},
		"raw ISO-2022-JP": {"Subject: \x1b$BF|K\\\x1b(B\n\n", Summary{Subject: "日本"}},
		"controls": {
			"Subject: \x1b[31mred\x07 \u202eexe.gpj\n\n", Summary{Subject: "␛[31mred␇ \uFFFDexe.gpj"},
		},
		"the body begins without an empty line": {"Subject: a\n--b\nTo: c\n\n", Summary{Subject: "a"}},
	} {
		t.Run(name, func(t *testing.T) {
			if got := ReadSummary([]byte(c.header)); got != c.want {
				t.Errorf("got %+v, want %+v", got, c.want)
			}
		})
	}
}

// Nobody knows where a server or a buffer cuts.
func TestSummaryOfAHeaderCutAnywhere(t *testing.T) {
	header := "From: =?utf-8?q?J=C3=B6rg?= <j@example.org>\r\nTo: \"a, b\" <c@d>, (x) e@f\r\nSubject: =?utf-8?b?w7zDvA==?=\r\n\tx\r\nDate: Thu, 1 Jan 2026 12:00:00 +0100\r\n\r\n"
	for n := range len(header) + 1 {
		s := ReadSummary([]byte(header[:n]))
		if !utf8.ValidString(s.From+s.To+s.Subject) || strings.ContainsAny(s.From+s.To+s.Subject, "\r\n") {
			t.Errorf("cut at %d: %+v", n, s)
		}
	}
}

func TestSummaryTextsAreBounded(t *testing.T) {
	long := strings.Repeat("ü", 100_000)
	s := ReadSummary([]byte("From: " + long + "\nTo: " + strings.Repeat(long+"@x, ", 10) + "\nSubject: " + long + "\n\n"))
	for _, text := range []string{s.From, s.To, s.Subject} {
		if n := utf8.RuneCountInString(text); n != longestText || !strings.HasSuffix(text, "…") {
			t.Errorf("%d characters", n)
		}
	}
}

func TestDates(t *testing.T) {
	for raw, want := range map[string]string{
		"Thu, 01 Jan 2026 12:34:56 +0100":                "2026-01-01T12:34:56+01:00",
		"1 Jan 2026 12:34 +0000":                         "2026-01-01T12:34:00Z",
		"Thu, 01 Jan 2026 12:34:56 +0100 (CET)":          "2026-01-01T12:34:56+01:00",
		"Thu (a (nested) comment), 1 Jan 2026 1:02:03 Z": "2026-01-01T01:02:03Z",
		"Fri, 24 May 91 10:40:25 EDT":                    "1991-05-24T10:40:25-04:00",
		"Mon, 1 Jan 99 00:00:00 GMT":                     "1999-01-01T00:00:00Z",
		"Mon, 1 Jan 49 00:00:00 PST":                     "2049-01-01T00:00:00-08:00",
		"Mon, 1 Jan 126 00:00:00 UT":                     "2026-01-01T00:00:00Z",
		"Fri May 24 10:35:57 EDT 1991":                   "1991-05-24T10:35:57-04:00",
		"Wed Sep 30 19:56:38 2020 +1000":                 "2020-09-30T19:56:38+10:00",
		"Wed 29 May 2019 06:09:22 PM EDT":                "2019-05-29T18:09:22-04:00",
		"29 May 2019 12:09 AM":                           "2019-05-29T00:09:00Z",
		"Mon, 21 Aug 95 13:30:57 -600":                   "1995-08-21T13:30:57-06:00",
		"Fri, 1 Nov 2019 10:21:39 +070":                  "2019-11-01T10:21:39+07:00",
		"Tue, 17 Jul 2012 22:23:35.882 0000":             "2012-07-17T22:23:35Z",
		"01 Jan 2001 00:01+0000":                         "2001-01-01T00:01:00Z",
		"Thu, 01 Jan 2026 12:34:56 GMT+0100":             "2026-01-01T12:34:56+01:00",
		"Tue, 7 Apr 2026 10:00:t <rimap-test@x>":         "2026-04-07T10:00:00Z",
		"2026-01-31T12:00:00Z":                           "2026-01-31T12:00:00Z",
		"2026-01-31 12:00:00 +0530":                      "2026-01-31T12:00:00+05:30",
		"31-Jan-2026 12:00:00":                           "2026-01-31T12:00:00Z",
		"Sunday, the 4th of January 2026":                "2026-01-04T00:00:00Z",
		"1 Jan 2026 12:00:60 +0000":                      "2026-01-01T12:01:00Z",
		"1 Jan 2026 12:00:00 XYZ":                        "2026-01-01T12:00:00Z",
		"1 Jan 2026 12:00:00 +9999":                      "2026-01-01T12:00:00Z",
		"Sat, 20 Sep 2008 20:04:30 +0300 (\xf9\xf2)":     "2008-09-20T20:04:30+03:00",
		"31 Feb 2026 12:00:00 +0000":                     "",
		"1 Jan 2026 99:00:00 +0000":                      "",
		"Thu Jan 01 00:00:10 +0000":                      "", // no year
		"%DATE%":                                         "",
		"Thu,":                                           "",
		"":                                               "",
		"+":                                              "", "-": "", ":": "", "T:": "", "--": "", "1-2-": "", ":+": "",
	} {
		got := ""
		if d := parseDate([]byte(raw)); !d.IsZero() {
			got = d.Format(time.RFC3339)
		}
		if got != want {
			t.Errorf("%q: %q, want %q", raw, got, want)
		}
	}
}

func BenchmarkReadSummary(b *testing.B) {
	var header strings.Builder
	for header.Len() < 1700 {
		header.WriteString("Received: from mail.example.org (mail.example.org [192.0.2.1])\r\n\tby mx.example.net with ESMTPS id 4F2A; Thu, 01 Jan 2026 12:00:00 +0000\r\n")
	}
	header.WriteString("From: =?utf-8?q?J=C3=B6rg_M=C3=BCller?= <joerg@example.org>\r\nTo: Ada <ada@example.org>, \"Ben, too\" <ben@example.org>\r\n" +
		"Subject: =?utf-8?b?R3LDvMOfZSBhdXM=?= =?utf-8?b?IEvDtmxu?=\r\nDate: Thu, 01 Jan 2026 12:00:00 +0100\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n")
	octets := []byte(header.String())
	b.SetBytes(int64(len(octets)))
	b.ReportAllocs()
	for b.Loop() {
		ReadSummary(octets)
	}
}
