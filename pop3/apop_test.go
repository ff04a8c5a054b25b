package pop3

import "testing"

// The vectors of the catalogue's section 22.2.
func TestAPOPDigest(t *testing.T) {
	for _, tt := range []struct{ timestamp, secret, want string }{
		{"<1896.697170952@dbc.mtview.ca.us>", "tanstaaf", "c4c9334bac560ecc979e58001b3e22fb"}, // RFC 1939 section 7
		{"<7.1795372410.c0ffee@pop.example.com>", "correct horse battery staple", "fe2ad154bc644fcc019330f7920e9319"},
		{"<32568.1095545686@mail.example.com>", "meinkennwort", "35e91d8b878bbffb514254414296567a"},
	} {
		if got := APOPDigest(tt.timestamp, tt.secret); got != tt.want {
			t.Errorf("%s %q: %s, want %s", tt.timestamp, tt.secret, got, tt.want)
		}
	}
}

// The digest printed in the document that Postfach began with belongs to no
// secret that the document names.
func TestPrintedDigestDoesNotMatch(t *testing.T) {
	for _, secret := range []string{"meinkennwort", "meinuser", "meinusername", ""} {
		if APOPDigest("<32568.1095545686@mail.example.com>", secret) == "4af68473a5e730048d54f221c9647575" {
			t.Errorf("%q matches", secret)
		}
	}
}

func TestTimestamp(t *testing.T) {
	for greeting, want := range map[string]string{
		"POP3 server ready <1896.697170952@dbc.mtview.ca.us>": "<1896.697170952@dbc.mtview.ca.us>",
		"<1@h> ready":     "<1@h>",
		"ready":           "",
		"ready <1@h":      "",
		"ready <>":        "",
		"ready <@>":       "",
		"ready <1@>":      "",
		"ready <@h>":      "",
		"ready <1h>":      "",
		"ready <1@h@i>":   "", // P3-GRT-09: not one "@"
		"ready <1 @h>":    "",
		"ready <<1@h>>":   "",
		"ready <\x80@h>":  "", // CVE-2007-1558
		"ready <1@\x01>":  "",
		"ready <1\x7f@h>": "",
	} {
		got, ok := Timestamp(greeting)
		if got != want || ok != (want != "") {
			t.Errorf("%q: %q %v, want %q", greeting, got, ok, want)
		}
	}
}
