package popwire

import (
	"bytes"
	"io"
	"testing"
)

// top is Top written the slow way, on the wire's lines.
func top(message []byte, k int) []byte {
	var out []byte
	body := false
	for line := range bytes.Lines(message) {
		if body {
			if k == 0 {
				return out
			}
			k--
		}
		out = append(out, line...)
		if !body && (string(line) == "\r\n" || string(line) == "\n") {
			body = true
		}
	}
	if !body { // P3-TOP-10
		if n := len(out); n > 0 && out[n-1] != '\n' {
			out = append(out, "\r\n"...)
		}
		out = append(out, "\r\n"...)
	}
	return out
}

// TOP of any octets: header, empty line, k lines; with a huge k the whole
// message (P3-TOP-01 to P3-TOP-05, P3-TOP-10).
func FuzzTop(f *testing.F) {
	for _, s := range []string{
		"", "a", "a\n", "a\n\n", "a\n\nb\nc\n", "a\r\n\r\nb\r\nc", "\n", "\nb\n", "\r\n", "a\r", "a\n\rb\n\nc\n", "\r\r\n\n", "a\n\r",
	} {
		f.Add([]byte(s), 1, 2)
	}
	f.Fuzz(func(t *testing.T, message []byte, k, n int) {
		k, n = abs(k)%5, 1+abs(n)%40
		got, err := io.ReadAll(Top(&pieces{bytes.Clone(message), n}, k))
		if err != nil {
			t.Fatal(err)
		}
		if want := top(message, k); !bytes.Equal(got, want) {
			t.Fatalf("TOP %d of %q: %q, want %q", k, message, got, want)
		}
		got, err = io.ReadAll(Top(&pieces{bytes.Clone(message), n}, 1<<31-1))
		if err != nil {
			t.Fatal(err)
		}
		if want := top(message, 1<<31-1); !bytes.Equal(got, want) || !bytes.HasPrefix(got, message) {
			t.Fatalf("the whole %q: %q", message, got)
		}
	})
}

// A read that fails in the middle is no end.
func TestTopPassesErrorsOn(t *testing.T) {
	broken := io.MultiReader(bytes.NewReader([]byte("Subject: x\n")), errReader{})
	if _, err := io.ReadAll(Top(broken, 1)); err == nil {
		t.Error("a broken message looks whole")
	}
}

type errReader struct{}

func (errReader) Read([]byte) (int, error) { return 0, io.ErrNoProgress }
