package popwire

import (
	"errors"
	"testing"
)

// endless is a line without end.
type endless struct{ read int }

func (e *endless) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = 'x'
	}
	e.read += len(p)
	return len(p), nil
}

// TestGiveUp: a line without end is an error near its limit.
func TestGiveUp(t *testing.T) {
	e := new(endless)
	r := NewReader(e, 64)
	r.GiveUp = true
	if _, err := r.ReadLine(1000); !errors.Is(err, ErrLineTooLong) {
		t.Error(err)
	}
	if e.read > 1200 {
		t.Errorf("read %d octets", e.read)
	}
}

// TestTrimLine: EndLine's twin, which cannot reach what follows the line.
func TestTrimLine(t *testing.T) {
	for line, want := range map[string]string{"a\r\n": "a", "a\n": "a", "a": "a", "\r\n": "", "": "", "a\r": "a\r", "\r\r\n": "\r"} {
		octets := []byte(line + "next")
		got := TrimLine(octets[:len(line)])
		if string(got) != want {
			t.Errorf("%q became %q", line, got)
		}
		EndLine(got)
		if rest := string(octets[len(line):]); rest != "next" {
			t.Errorf("%q: what follows became %q", line, rest)
		}
	}
}
