package popwire

import (
	"bytes"
	"testing"
)

func FuzzChallenge(f *testing.F) {
	f.Add([]byte(""), "+ ")
	f.Add([]byte("\x00u\x00p"), "AHUAcA==")
	f.Fuzz(func(t *testing.T, octets []byte, line string) {
		out, hasEnd := bytes.CutSuffix(AppendChallenge(nil, octets), []byte("\r\n"))
		back, is, ok := ParseChallenge(out, Strict)
		if !hasEnd || !is || !ok || !bytes.Equal(back, octets) {
			t.Fatalf("%q: %q became %q", octets, out, back)
		}
		back, ok = DecodeInitial(EncodeInitial(octets))
		if !ok || back == nil || !bytes.Equal(back, octets) {
			t.Fatalf("%q became %q", octets, back)
		}
		out, _ = bytes.CutSuffix(AppendResponse(nil, octets), []byte("\r\n"))
		back, ok = DecodeBase64(string(out))
		if !ok || !bytes.Equal(back, octets) {
			t.Fatalf("%q: %q became %q", octets, out, back)
		}
		// What decodes encodes to the same: there is one spelling.
		if d, ok := DecodeBase64(line); ok {
			if out, _ := bytes.CutSuffix(AppendResponse(nil, d), []byte("\r\n")); string(out) != line {
				t.Fatalf("%q became %q", line, out)
			}
		}
		if d, is, ok := ParseChallenge([]byte(line), Strict); is && ok {
			if out, _ := bytes.CutSuffix(AppendChallenge(nil, d), []byte("\r\n")); string(out) != line {
				t.Fatalf("%q became %q", line, out)
			}
		}
	})
}

func TestBase64IsStrict(t *testing.T) { // P3-AUTH-15
	for _, s := range []string{"=", "=AAA", "AAA", "AAA=BBB", "AA A", "AAA\n", "AA\r\nAA", "!!!!", "QQ=", "QR==", "AAAA=", "AAAA===="} {
		if d, ok := DecodeBase64(s); ok {
			t.Errorf("%q: %q", s, d)
		}
	}
}

func TestEmptyChallenge(t *testing.T) {
	if out := AppendChallenge(nil, nil); string(out) != "+ \r\n" { // P3-AUTH-05
		t.Errorf("%q", out)
	}
	if _, is, ok := ParseChallenge([]byte("+"), Lenient); !is || !ok { // AMB-12
		t.Error("+ alone is no challenge")
	}
	for _, line := range []string{"+", "+OK", "-ERR", ""} {
		if _, is, _ := ParseChallenge([]byte(line), Strict); is {
			t.Errorf("%q is a challenge", line)
		}
	}
	if _, is, ok := ParseChallenge([]byte("+ %%%"), Strict); !is || ok { // P3-AUTH-16
		t.Error("a challenge that does not decode")
	}
	if _, ok := DecodeInitial(""); ok {
		t.Error("no initial response is one")
	}
}
