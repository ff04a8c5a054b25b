package sasl_test

import (
	"errors"
	"strings"
	"testing"

	"postfach/sasl"
)

// P3-PLAIN-01, P3-PLAIN-02.
func TestPlainGrammar(t *testing.T) {
	long := strings.Repeat("x", 255)
	for _, test := range []struct {
		response string
		ok       bool
	}{
		{"\x00u\x00p w", true},
		{"u\x00u\x00p w", true},
		{long + "\x00" + long + "\x00" + long, true},
		{"", false},
		{"u", false},
		{"\x00u", false},
		{"\x00u\x00p\x00w", false},
		{"\x00\x00p", false},
		{"\x00u\x00", false},
		{"\x00" + long + "x\x00p", false},
		{"\x00u\x00\xff", false},
		{"\x00u\r\nDELE 1\x00p", false},
		{"\x00u\x00p\n", false},
	} {
		asked := false
		server := sasl.NewPlainServer(func(identity, user, password string) error {
			asked = true
			if got := identity + "\x00" + user + "\x00" + password; got != test.response {
				t.Errorf("%q: check got %q", test.response, got)
			}
			return nil
		})
		_, done, err := server.Next([]byte(test.response))
		if ok := done && err == nil; ok != test.ok || asked != test.ok || !ok && !errors.Is(err, sasl.ErrMessage) {
			t.Errorf("%q: done %v, %v", test.response, done, err)
		}
	}
}

// P3-AUTH-10.
func TestPlainAsksWhenThereIsNoInitialResponse(t *testing.T) {
	refusal := errors.New("no")
	server := sasl.NewPlainServer(func(_, _, _ string) error { return refusal })
	if challenge, done, err := server.Next(nil); len(challenge) > 0 || done || err != nil {
		t.Fatalf("%q, %v, %v", challenge, done, err)
	}
	if _, _, err := server.Next([]byte("\x00u\x00x")); !errors.Is(err, refusal) {
		t.Errorf("got %v", err)
	}
}

func TestPlainClient(t *testing.T) {
	mech, ir, err := sasl.NewPlainClient("", "u", "p w").Start()
	if mech != sasl.Plain || string(ir) != "\x00u\x00p w" || err != nil {
		t.Errorf("%s, %q, %v", mech, ir, err)
	}
	if _, _, err := sasl.NewPlainClient("", "u", "a\x00b").Start(); err == nil {
		t.Error("a NUL went into the message")
	}
}

// P3-UTF-07, P3-USR-05.
func TestPreparation(t *testing.T) {
	for in, want := range map[string]string{
		" pw ": " pw ", "p w": "p w", "I\u00adX": "IX", "\u00aa": "a", "\u2168": "IX", "m\u00fcller": "m\u00fcller",
	} {
		if got, err := sasl.PreparePassword(in); got != want || err != nil {
			t.Errorf("%q: %q, %v", in, got, err)
		}
	}
	// RFC 4013 section 2.5: characters that are newer than Unicode 3.2 may be asked for, and
	// not be stored.
	for _, newer := range []string{"key \U0001f511", "\u1e9e", "10 \u20bf"} {
		if got, err := sasl.PrepareQuery(newer); got != newer || err != nil {
			t.Errorf("%q is asked for as %q, %v", newer, got, err)
		}
		if got, err := sasl.PreparePassword(newer); err == nil {
			t.Errorf("%q is stored as %q", newer, got)
		}
	}
	for in, want := range map[string]string{"I\u00adX": "IX", "\u2168": "IX", "a\x07": "", "a\ue000": "", "": "", "\u00ad": "", "\u0627\u0031": ""} {
		if got, err := sasl.PrepareQuery(in); got != want || (err == nil) != (want != "") || err != nil && strings.Contains(err.Error(), in) && in != "" {
			t.Errorf("%q is asked for as %q, %v", in, got, err)
		}
	}
	for _, bad := range []string{"", "\u00ad", "a\x07", "a\x00b", "\u0627\u0031", "\xc3\x28"} {
		if got, err := sasl.PrepareName(bad); err == nil {
			t.Errorf("%q became %q", bad, got)
		}
	}
}
