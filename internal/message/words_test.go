package message

import (
	"slices"
	"strings"
	"testing"
	"time"
)

func TestEncodedWords(t *testing.T) {
	for raw, want := range map[string]string{
		"plain":                                 "plain",
		"=?utf-8?q?J=C3=B6rg?=":                 "Jörg",
		"=?UTF-8?Q?J=c3=b6rg_M?= x":             "Jörg M x",
		"a =?utf-8?b?w7w=?= b":                  "a ü b",
		"=?utf-8?b?w7w=?= =?utf-8?b?w7w=?=":     "üü",
		"=?utf-8?b?w7w=?=\r\n\t=?utf-8?q?=C3?=": "ü�",
		"=?utf-8?q?=C3?= =?utf-8?q?=BC?=":       "ü", // cut within a character
		"=?utf-8?q?=C3?= =?UTF-8?b?vA==?=":      "ü",
		"=?utf-8?b?YQ?= =?utf-8?b?Yg?=":         "ab",   // no padding
		"=?utf-8?q?a?= =?iso-8859-1?q?=FC?=":    "aü",   // two character sets
		"=?iso-8859-1*de?q?=FC?=":               "ü",    // RFC 2231
		"=?utf-8?q?a b?=":                       "a b",  // spaces inside
		"=?utf-8?b?w7 zD\r\n vA==?=":            "üü",   // spaces inside
		"x=?utf-8?q?=C3=BC?=y":                  "xüy",  // no spaces around
		"=?utf-8?q?a?==?utf-8?q?b?=":            "ab",   // no space between
		"=?utf-8?q?=zz=?=":                      "=zz=", // wrong escapes stay
		"=?utf-8?q?what?now?=":                  "what?now",
		"=?utf-8?q?a":                           "=?utf-8?q?a",
		"=?utf-8?x?a?=":                         "=?utf-8?x?a?=",
		"=?utf-8?q?a =?utf-8?q?b?=":             "=?utf-8?q?a b",
		"=?":                                    "=?",
		"=??q?a?=":                              "=??q?a?=",
		"=?no-such-set?q?=FC?=":                 "ü",
		"=?no-such-set?q?=C3=BC?=":              "ü",
		"=?us-ascii?q?=C3=BC?=":                 "ü",
		"=?utf-8?q?=FC?=":                       "�",
		"=?gb2312?q?=C4=E3=BA=C3?=":             "你好",
		"=?big5?b?p0Gmbg==?=":                   "你好",
		"=?euc-kr?q?=BE=C8=B3=E7?=":             "안녕",
		"=?ks_c_5601-1987?q?=BE=C8=B3=E7?=":     "안녕",
		"=?koi8-r?b?8NLJ18XU?=":                 "Привет",
		"=?windows-1251?b?z/Do4uXy?=":           "Привет",
		"=?iso-2022-jp?b?GyRCRnxLXBsoQg==?=":    "日本",
		"=?shift_jis?b?k/qWew==?=":              "日本",
		"=?cp932?q?=93=FA=96{?=":                "日本",
		"=?utf-7?q?+AOQ-?=":                     "ä",
		"=?utf-16?b?/v8A5A==?=":                 "ä",
		"=?iso-8859-15?q?=A4?=":                 "€",
		"\"=?utf-8?q?J=C3=B6rg?=\"":             "\"Jörg\"",
	} {
		if got := decodeText([]byte(raw), nil); got != want {
			t.Errorf("%q: %q, want %q", raw, got, want)
		}
	}
}

func TestWordsWithoutEndCostLinearTime(t *testing.T) {
	begin := time.Now()
	for _, piece := range []string{"=?a?q?", "=?", "=?a?q?x?", "?=", "=?a?b?=?="} {
		decodeText([]byte(strings.Repeat(piece, 1<<20/len(piece))), nil)
	}
	if d := time.Since(begin); d > 5*time.Second {
		t.Errorf("took %v", d)
	}
}

func TestAddresses(t *testing.T) {
	for raw, want := range map[string][]address{
		"ada@example.org":                       {{"", "ada@example.org"}},
		"<ada@example.org>":                     {{"", "ada@example.org"}},
		"Ada <ada@example.org>":                 {{"Ada", "ada@example.org"}},
		"\"Lovelace, Ada\" <a@b>, c@d":          {{"Lovelace, Ada", "a@b"}, {"", "c@d"}},
		"\"quo\\\"ted\" <a@b>":                  {{"quo\"ted", "a@b"}},
		"a@b (Ada (the) Countess)":              {{"Ada (the) Countess", "a@b"}},
		"(Ada) <a@b>":                           {{"Ada", "a@b"}},
		"=?utf-8?q?Doe,_J?= <a@b>":              {{"Doe, J", "a@b"}},
		"\"=?utf-8?q?J=C3=B6rg?=\" <a@b>":       {{"Jörg", "a@b"}},
		"=?utf-8?q?A?=\r\n =?utf-8?q?B?= <a@b>": {{"AB", "a@b"}},
		"friends: a@b, C <c@d>; e@f":            {{"", "a@b"}, {"C", "c@d"}, {"", "e@f"}},
		"undisclosed-recipients:;":              {{"undisclosed-recipients", ""}},
		"<@a,@b:c@d>":                           {{"", "c@d"}},
		"Ada <a@b, c@d":                         {{"Ada", "a@b"}, {"", "c@d"}},
		"Ada \"the <a@b>":                       {{"Ada the", "a@b"}},
		"a@b>":                                  {{"", "a@b"}},
		"Pete(A nice \\) chap) <pete(his account)@silly.test(his host)>": {{"Pete", "pete@silly.test"}},
		"\"john doe\"@example.org":                                       {{"", "\"john doe\"@example.org"}},
		"a @ b . c":                                                      {{"", "a@b.c"}},
		"a@[IPv6:::1]":                                                   {{"", "a@[IPv6:::1]"}},
		"J\xf6rg <a@b>":                                                  {{"Jörg", "a@b"}},
		"Just a name":                                                    {{"Just a name", ""}},
		",,a@b,,":                                                        {{"", "a@b"}},
		"\x1b[2J <a\x1b@b>":                                              {{"␛[2J", "a␛@b"}},
		"":                                                               nil,
		"<>":                                                             nil,
	} {
		var got []address
		readAddresses([]byte(raw), nil, func(a address) bool { got = append(got, a); return true })
		if !slices.Equal(got, want) {
			t.Errorf("%q: %q, want %q", raw, got, want)
		}
	}
}

func TestHostileAddressesCostLinearTime(t *testing.T) {
	begin := time.Now()
	for _, piece := range []string{`"\`, `"`, "(", "<", "(,", "a:", "@:", "<@,"} {
		readAddresses([]byte(strings.Repeat(piece, 1<<20/len(piece))), nil, func(address) bool { return true })
	}
	if d := time.Since(begin); d > 5*time.Second {
		t.Errorf("took %v", d)
	}
}

func TestParameters(t *testing.T) {
	for raw, want := range map[string]struct{ value, name, text string }{
		"text/plain; charset=utf-8":                                            {"text/plain", "charset", "utf-8"},
		" Text/Plain ;CHARSET = \"UTF-8\" ":                                    {"text/plain", "charset", "UTF-8"},
		"text/plain charset=utf-8":                                             {"text/plain", "charset", "utf-8"},
		"charset=utf-8":                                                        {"", "charset", "utf-8"},
		"text/plain; charset=us-ascii (Plain text)":                            {"text/plain", "charset", "us-ascii"},
		"text/plain (comment); charset=a b=c":                                  {"text/plain", "charset", "a"},
		"text/plain;; ; charset=a; charset=b":                                  {"text/plain", "charset", "a"},
		"text/plain; junk; charset=a":                                          {"text/plain", "charset", "a"},
		"text/plain; charset=\"a":                                              {"text/plain", "charset", "a"},
		"multipart/mixed; boundary=--a b--":                                    {"multipart/mixed", "boundary", "--a b--"},
		"multipart/mixed;\r\n\tboundary=\"=_a(b)/c:?\"":                        {"multipart/mixed", "boundary", "=_a(b)/c:?"},
		"a/b; name=report (1).pdf":                                             {"a/b", "name", "report (1).pdf"},
		"a/b; name=\"a \\\"b\\\" C:\\d\"":                                      {"a/b", "name", `a "b" C:\d`},
		"a/b; name=\"=?utf-8?q?=C3=BC.txt?=\"":                                 {"a/b", "name", "ü.txt"},
		"a/b; name==?utf-8?q?=C3=BC.txt?=":                                     {"a/b", "name", "ü.txt"},
		"a/b; name=\"=?utf-8?q?=C3?=\r\n =?utf-8?q?=BC.t?=\"":                  {"a/b", "name", "ü.t"},
		"a/b; name=\xfc.txt":                                                   {"a/b", "name", "ü.txt"},
		"attachment; filename*=utf-8''%c3%bc%20x.txt":                          {"attachment", "filename", "ü x.txt"},
		"attachment; filename*=iso-8859-1'de'%fc":                              {"attachment", "filename", "ü"},
		"attachment; filename*=%c3%bc":                                         {"attachment", "filename", "ü"},
		"attachment; filename*1*=%bc.t; filename*2=xt; filename*0*=utf-8''%c3": {"attachment", "filename", "ü.txt"},
		"attachment; filename*0=a; filename*1=b; filename*3=d":                 {"attachment", "filename", "ab"},
		"attachment; filename=a; filename*=utf-8''b":                           {"attachment", "filename", "b"},
		"attachment; filename*x*=a":                                            {"attachment", "filename", ""},
		"attachment; filename*99999999999999999999=a":                          {"attachment", "filename", ""},
		"attachment; =a; filename=b":                                           {"attachment", "filename", "b"},
		"":                                                                     {},
		"=":                                                                    {},
		";;;":                                                                  {},
	} {
		value, params := parseParams([]byte(raw))
		if got := params.text(want.name, nil); value != want.value || got != want.text {
			t.Errorf("%q: %q, %q, want %q, %q", raw, value, got, want.value, want.text)
		}
	}
}
