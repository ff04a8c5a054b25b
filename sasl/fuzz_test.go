package sasl_test

import (
	"bytes"
	"errors"
	"strings"
	"testing"

	"postfach/sasl"
)

// mostSaid bounds what an end says to a hostile one, in octets.
const mostSaid = 4096

// hostileClient plays a fuzzer's lines, parted by "|", at a server end that must
// never be done: nothing that the fuzzer knows is right.
func hostileClient(t *testing.T, server sasl.Server, lines []byte) {
	t.Helper()
	for i, line := range bytes.Split(lines, []byte("|")) {
		if i == 0 && len(line) == 0 {
			line = nil // no initial response
		}
		challenge, done, err := server.Next(line)
		if done && err == nil {
			t.Fatalf("%q let in", lines)
		}
		if len(challenge) > mostSaid {
			t.Fatalf("a challenge of %d octets", len(challenge))
		}
		if err != nil {
			break
		}
	}
}

// hostileServer plays a fuzzer's challenges at a client end.
func hostileServer(t *testing.T, client sasl.Client, challenges []byte) {
	t.Helper()
	if _, _, err := client.Start(); err != nil {
		t.Fatal(err)
	}
	for challenge := range bytes.SplitSeq(challenges, []byte("|")) {
		response, err := client.Next(challenge)
		if len(response) > len(challenges)+mostSaid {
			t.Fatalf("a response of %d octets", len(response))
		}
		if err != nil {
			break
		}
	}
}

var errNobody = errors.New("nobody")

func FuzzPlainServer(f *testing.F) {
	f.Add([]byte("|\x00u\x00p"))
	f.Add([]byte("a\x00u\x00p"))
	f.Fuzz(func(t *testing.T, lines []byte) {
		hostileClient(t, sasl.NewPlainServer(func(identity, user, password string) error {
			harmless(t, identity, user, password)
			return errNobody
		}), lines)
	})
}

func FuzzLoginServer(f *testing.F) {
	f.Add([]byte("|u|p"))
	f.Add([]byte("u|p"))
	f.Fuzz(func(t *testing.T, lines []byte) {
		hostileClient(t, sasl.NewLoginServer(func(user, password string) error {
			harmless(t, user, password)
			return errNobody
		}), lines)
	})
}

func FuzzExternalServer(f *testing.F) {
	f.Add([]byte("|u"))
	f.Fuzz(func(t *testing.T, lines []byte) {
		hostileClient(t, sasl.NewExternalServer(func(identity string) error {
			harmless(t, identity)
			return errNobody
		}), lines)
	})
}

func FuzzCramMD5Server(f *testing.F) {
	f.Add([]byte("|tim b913a602c7eda7a495b4e6e7334d3890"))
	f.Fuzz(func(t *testing.T, lines []byte) {
		hostileClient(t, sasl.NewCramMD5Server("<1@x>", func(name string, fits func(string) bool) error {
			harmless(t, name)
			if fits("a secret that nobody knows") {
				return nil
			}
			return errNobody
		}), lines)
	})
}

func FuzzBearerServers(f *testing.F) {
	f.Add([]byte("|n,a=u,\x01host=h\x01port=995\x01auth=Bearer t\x01\x01|\x01"))
	f.Add([]byte("user=u\x01auth=Bearer t\x01\x01|"))
	f.Fuzz(func(t *testing.T, lines []byte) {
		check := func(b sasl.Bearer) error {
			harmless(t, b.User, b.Host)
			if b.Token == "" || strings.ContainsAny(b.Token, " \x00\x01\r\n") || b.Port < 0 || b.Port > 65535 {
				t.Errorf("%q", b.Token)
			}
			return errNobody
		}
		hostileClient(t, sasl.NewOAuthBearerServer(check), lines)
		hostileClient(t, sasl.NewXOAuth2Server(check), lines)
	})
}

func FuzzScramServer(f *testing.F) {
	keys := verifier(f, sasl.SHA256, "a password", "that nobody", "knows")
	f.Add([]byte("|n,,n=user,r=abc|c=biws,r=abc,p=AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=|"), false)
	f.Add([]byte("p=tls-exporter,a=x,n==2C=3D,r=abc,z=1|c=biws,r=abc,z=1,p=|"), true)
	f.Fuzz(func(t *testing.T, lines []byte, plus bool) {
		hostileClient(t, sasl.NewScramServer(sasl.SHA256, plus, []sasl.ChannelBinding{exporter}, func(identity, name string) (*sasl.ScramVerifier, error) {
			harmless(t, identity, name)
			return keys, nil
		}, func(int) error {
			t.Errorf("%q proved a password", lines)
			return nil
		}), lines)
	})
}

// harmless is what names and passwords must be before anybody judges them.
func harmless(t *testing.T, fields ...string) {
	t.Helper()
	for _, f := range fields {
		if len(f) > 255 || strings.ContainsAny(f, "\x00\r\n") {
			t.Errorf("%q", f)
		}
	}
}

func FuzzScramClient(f *testing.F) {
	f.Add([]byte("r=abc,s=AAAA,i=4096|v=AAAA|"), true)
	f.Add([]byte("e=other-error"), false)
	f.Fuzz(func(t *testing.T, challenges []byte, extend bool) {
		client := sasl.NewScramClient(sasl.SHA256, false, "u", "p")
		_, first, err := client.Start()
		if err != nil {
			t.Fatal(err)
		}
		if _, nonce, _ := strings.Cut(string(first), ",r="); extend { // so that it gets further
			challenges = bytes.Replace(challenges, []byte("r="), []byte("r="+nonce), 1)
		}
		if bytes.Contains(challenges, []byte("i=")) && !bytes.Contains(challenges, []byte("i=4096")) {
			return // seconds of work: TestScramClientDoubts has the bounds
		}
		for challenge := range bytes.SplitSeq(challenges, []byte("|")) {
			response, err := client.Next(challenge)
			if len(response) > len(challenges)+mostSaid {
				t.Fatalf("a response of %d octets", len(response))
			}
			if err != nil {
				break
			}
		}
		if finished(client) {
			t.Errorf("%q proved the password", challenges)
		}
	})
}

func FuzzOtherClients(f *testing.F) {
	f.Add([]byte(`{"status":"invalid_token","scope":"mail"}|`))
	f.Add([]byte("Username:|Password:|"))
	f.Add([]byte("<1896.697170952@postoffice.reston.mci.net>"))
	f.Fuzz(func(t *testing.T, challenges []byte) {
		for _, client := range []sasl.Client{
			sasl.NewPlainClient("", "u", "p"), sasl.NewLoginClient("u", "p"), sasl.NewExternalClient(""), sasl.NewCramMD5Client("u", "p"),
			sasl.NewOAuthBearerClient(sasl.Bearer{User: "u", Token: "t"}), sasl.NewXOAuth2Client("u", "t"),
		} {
			hostileServer(t, client, challenges)
			r, ok := client.(sasl.Refusable)
			if !ok {
				continue
			}
			why := r.Refusal()
			if why == nil || finished(client) || len(why.Status)+len(why.Scope)+len(why.Configuration) > mostSaid {
				t.Errorf("%q: %+v", challenges, why)
			}
		}
	})
}
