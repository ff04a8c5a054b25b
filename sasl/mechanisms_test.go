package sasl_test

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"postfach/sasl"
)

// said plays responses, nil for none, and returns the challenges up to the end.
func said(server sasl.Server, responses ...[]byte) (challenges []string, done bool, err error) {
	for _, r := range responses {
		var challenge []byte
		if challenge, done, err = server.Next(r); done || err != nil {
			return challenges, done, err
		}
		challenges = append(challenges, string(challenge))
	}
	return challenges, done, err
}

// P3-AUTH-33: two challenges; an initial response is the name.
func TestLoginServer(t *testing.T) {
	long := strings.Repeat("x", 256)
	ask := []string{"Username:", "Password:"}
	for _, test := range []struct {
		responses  []string // "-": none
		challenges []string
		ok         bool
	}{
		{[]string{"-", "u", "p w"}, ask, true},
		{[]string{"u", "p w"}, ask[1:], true},
		{[]string{"-", ""}, ask[:1], false},
		{[]string{""}, nil, false},
		{[]string{"-", "-"}, ask[:1], false},
		{[]string{"-", "u", ""}, ask, false},
		{[]string{"-", "u\x00v"}, ask[:1], false},
		{[]string{"-", "u\nv"}, ask[:1], false},
		{[]string{"-", "u", "p\r"}, ask, false},
		{[]string{"-", "\xff"}, ask[:1], false},
		{[]string{"-", long}, ask[:1], false},
		{[]string{"-", "u", long}, ask, false},
	} {
		asked := ""
		server := sasl.NewLoginServer(func(user, password string) error {
			asked = user + "/" + password
			return nil
		})
		var responses [][]byte
		for _, r := range test.responses {
			if r == "-" {
				responses = append(responses, nil)
				continue
			}
			responses = append(responses, append([]byte{}, r...))
		}
		challenges, done, err := said(server, responses...)
		if done != test.ok || !slices.Equal(challenges, test.challenges) || (asked == "u/p w") != test.ok || !test.ok && !errors.Is(err, sasl.ErrMessage) {
			t.Errorf("%.40q: %q, %v, %v, asked %q", test.responses, challenges, done, err, asked)
		}
	}
	refusal := errors.New("no")
	if _, _, err := said(sasl.NewLoginServer(func(_, _ string) error { return refusal }), nil, []byte("u"), []byte("p")); !errors.Is(err, refusal) {
		t.Error(err)
	}
}

func TestLoginClient(t *testing.T) {
	client := sasl.NewLoginClient("u", "p w")
	if mech, ir, err := client.Start(); mech != sasl.Login || ir != nil || err != nil {
		t.Errorf("%s, %q, %v", mech, ir, err)
	}
	user, err1 := client.Next([]byte("User Name\x00"))
	password, err2 := client.Next(nil)
	if string(user) != "u" || string(password) != "p w" || err1 != nil || err2 != nil {
		t.Errorf("%q, %q, %v, %v", user, password, err1, err2)
	}
	if _, err := client.Next([]byte("and your PIN?")); err == nil {
		t.Error("a third challenge was answered")
	}
	for _, bad := range [][2]string{{"", "p"}, {"u", ""}, {"u\n", "p"}, {"u", "p\x00"}} {
		if _, _, err := sasl.NewLoginClient(bad[0], bad[1]).Start(); !errors.Is(err, sasl.ErrCredential) {
			t.Errorf("%q: %v", bad, err)
		}
	}
}

// P3-EXT-03, P3-AUTH-08 to P3-AUTH-10.
func TestExternal(t *testing.T) {
	for _, test := range []struct {
		responses [][]byte
		identity  string
		ok        bool
	}{
		{[][]byte{{}}, "", true},
		{[][]byte{nil, {}}, "", true},
		{[][]byte{[]byte("u")}, "u", true},
		{[][]byte{nil, []byte("j\u00f6rg")}, "j\u00f6rg", true},
		{[][]byte{[]byte("u\x00")}, "", false},
		{[][]byte{[]byte("u\r\nv")}, "", false},
		{[][]byte{[]byte("\xff")}, "", false},
		{[][]byte{[]byte(strings.Repeat("x", 256))}, "", false},
	} {
		asked, identity := 0, ""
		_, done, err := said(sasl.NewExternalServer(func(i string) error {
			asked++
			identity = i
			return nil
		}), test.responses...)
		if done != test.ok || identity != test.identity || asked != map[bool]int{true: 1}[test.ok] || !test.ok && !errors.Is(err, sasl.ErrMessage) {
			t.Errorf("%.40q: %v, %v, %q", test.responses, done, err, identity)
		}
	}
	refusal := errors.New("no certificate")
	if _, _, err := said(sasl.NewExternalServer(func(string) error { return refusal }), []byte{}); !errors.Is(err, refusal) {
		t.Error(err)
	}
	for _, identity := range []string{"", "u"} {
		client := sasl.NewExternalClient(identity)
		mech, ir, err := client.Start()
		if mech != sasl.External || string(ir) != identity || ir == nil || err != nil {
			t.Errorf("%s, %q, %v", mech, ir, err)
		}
		if _, err := client.Next([]byte("x")); err == nil {
			t.Error("a challenge was answered")
		}
	}
	if _, _, err := sasl.NewExternalClient("a\x00").Start(); !errors.Is(err, sasl.ErrCredential) {
		t.Error(err)
	}
}

const (
	cramChallenge = "<1896.697170952@postoffice.reston.mci.net>"
	cramSecret    = "tanstaaftanstaaf"
	cramDigest    = "b913a602c7eda7a495b4e6e7334d3890"
)

// P3-CRAM-01, with RFC 2195's example, P3-CRAM-02 and P3-AUTH-13.
func TestCramMD5Server(t *testing.T) {
	for response, name := range map[string]string{
		"tim " + cramDigest:                              "tim",
		"a b " + cramDigest:                              "a b",
		"tim " + strings.ToUpper(cramDigest):             "",
		"tim b913a602c7eda7a495b4e6e7334d3891":           "",
		"tim " + cramDigest + "0":                        "",
		"tim  " + cramDigest[:31]:                        "",
		cramDigest:                                       "",
		" " + cramDigest:                                 "",
		"":                                               "",
		"t\x00m " + cramDigest:                           "",
		"t\nm " + cramDigest:                             "",
		"\xff " + cramDigest:                             "",
		strings.Repeat("x", 256) + " " + cramDigest:      "",
		"tim " + cramDigest + " ":                        "",
		"tim " + strings.Repeat("0", 1<<17) + cramDigest: "",
	} {
		fitted := ""
		refusal := errors.New("no")
		server := sasl.NewCramMD5Server(cramChallenge, func(name string, fits func(string) bool) error {
			if fits("other") || !fits(cramSecret) {
				return refusal
			}
			fitted = name
			return nil
		})
		challenges, done, err := said(server, nil, append([]byte{}, response...))
		if !slices.Equal(challenges, []string{cramChallenge}) || done != (name != "") && err == nil || fitted != name {
			t.Errorf("%.60q: %v, %v, %q", response, done, err, fitted)
		}
	}
	server := sasl.NewCramMD5Server(cramChallenge, func(string, func(string) bool) error {
		t.Error("an initial response was judged")
		return nil
	})
	if _, done, err := server.Next([]byte("tim " + cramDigest)); done || !errors.Is(err, sasl.ErrMessage) {
		t.Errorf("initial response: %v, %v", done, err)
	}
}

func TestCramMD5Client(t *testing.T) {
	client := sasl.NewCramMD5Client("tim", cramSecret)
	if mech, ir, err := client.Start(); mech != sasl.CramMD5 || ir != nil || err != nil {
		t.Errorf("%s, %q, %v", mech, ir, err)
	}
	if response, err := client.Next([]byte(cramChallenge)); string(response) != "tim "+cramDigest || err != nil {
		t.Errorf("%q, %v", response, err)
	}
	if _, err := client.Next([]byte(cramChallenge)); err == nil {
		t.Error("a second challenge was answered")
	}
	for _, bad := range [][2]string{{"", "p"}, {"u", ""}, {"u\n", "p"}, {"u", "p\x00"}} {
		if response, err := sasl.NewCramMD5Client(bad[0], bad[1]).Next([]byte(cramChallenge)); err == nil {
			t.Errorf("%q: %q", bad, response)
		}
	}
	if _, err := sasl.NewCramMD5Client("u", "p").Next(nil); err == nil {
		t.Error("an empty challenge was answered")
	}
}
