package pop3

import (
	"errors"
	"testing"
)

func TestParseURL(t *testing.T) {
	for s, want := range map[string]URL{
		"pop://h":                       {Host: "h"},
		"pop3://u@h":                    {User: "u", Host: "h"},
		"POP3S://u@h":                   {TLS: true, User: "u", Host: "h"},
		"pops://u@h:1995":               {TLS: true, User: "u", Host: "h", Port: 1995},
		"pop3s://u@h/":                  {TLS: true, User: "u", Host: "h"},
		"pop://rg@mailsrv.qualcomm.com": {User: "rg", Host: "mailsrv.qualcomm.com"}, // RFC 2384 section 7
		"pop://rg;AUTH=+APOP@mail.eudora.com:8110": {User: "rg", Auth: "+APOP", Host: "mail.eudora.com", Port: 8110},
		"pop://baz;AUTH=SCRAM-MD5@foo.bar":         {User: "baz", Auth: "SCRAM-MD5", Host: "foo.bar"},
		"pop://u;auth=plain@h":                     {User: "u", Auth: "PLAIN", Host: "h"},
		"pop://u;AUTH=*@h":                         {User: "u", Auth: "*", Host: "h"},
		"pop://a%3Bb%40c%20d@h":                    {User: "a;b@c d", Host: "h"}, // P3-URL-02
		"pop://a@b@h":                              {User: "a@b", Host: "h"},
		"pop://u@[::1]:110":                        {User: "u", Host: "::1", Port: 110},
		"pop://[2001:db8::1]":                      {Host: "2001:db8::1"},
	} {
		got, err := ParseURL(s)
		if err != nil || *got != want {
			t.Errorf("%s: %+v %v, want %+v", s, got, err, want)
		}
	}
}

func TestParseURLRefuses(t *testing.T) {
	for s, want := range map[string]error{
		"pop://u:pw@h":            ErrURLPassword,
		"pop://u:pw;AUTH=PLAIN@h": ErrURLPassword,
		"pop://h/INBOX":           ErrURLPath,
		"pop://h?x":               ErrURLPath,
		"pop://h#x":               ErrURLPath,
		"pop://h//":               ErrURLPath,
		"h":                       nil,
		"imap://h":                nil,
		"pop:h":                   nil,
		"pop://":                  nil,
		"pop://@h":                nil,
		"pop://;AUTH=+APOP@h":     nil,
		"pop://u;AUTH=@h":         nil,
		"pop://u;X=y@h":           nil,
		"pop://u@":                nil,
		"pop://u@h:0":             nil,
		"pop://u@h:65536":         nil,
		"pop://u@h:1x":            nil,
		"pop://u@h:+1":            nil,
		"pop://u@[::1":            nil,
		"pop://u@[h]":             nil,
		"pop://u@[::1]x":          nil,
		"pop://u%0d%0aDELE%201@h": nil, // P3-SYN-26
		"pop://u@h%00":            nil,
		"pop://%zz@h":             nil,
		"pop://u;AUTH=%00@h":      nil,
		"pop://a%3Ab":             nil, // no host name has a colon
	} {
		got, err := ParseURL(s)
		if err == nil || want != nil && !errors.Is(err, want) {
			t.Errorf("%s: %+v %v", s, got, err)
		}
	}
}

func TestURLAddr(t *testing.T) {
	for s, want := range map[string]string{
		"pop://h": "h:110", "pop3s://h": "h:995", "pop://h:8110": "h:8110", "pops://[::1]": "[::1]:995",
	} {
		u, err := ParseURL(s)
		if err != nil {
			t.Fatal(err)
		}
		if u.Addr() != want {
			t.Errorf("%s: %s", s, u.Addr())
		}
	}
}

// What parses formats to a URL that parses to the same.
func FuzzURL(f *testing.F) {
	for _, s := range []string{
		"pop://rg;AUTH=+APOP@mail.eudora.com:8110", "pop3s://a%3Bb%40c@[::1]:995", "pop://h/", "pop://u;AUTH=*@h", "pop://%c3%a4@h",
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		u, err := ParseURL(s)
		if err != nil {
			return
		}
		again, err := ParseURL(u.String())
		if err != nil {
			t.Fatalf("%q became %q: %v", s, u, err)
		}
		if *again != *u {
			t.Fatalf("%q: %+v became %+v", s, u, again)
		}
	})
}
