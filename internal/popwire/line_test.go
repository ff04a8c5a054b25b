package popwire

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
)

// Lines of any octets, in any pieces, with any buffer (P3-SYN-01, P3-SYN-08,
// P3-SYN-24).
func FuzzReadLine(f *testing.F) {
	f.Add([]byte("NOOP\r\nNOOP\n\r\nA\rB\r\nlong long long long long\r\nhalf"), 3, 20)
	f.Fuzz(func(t *testing.T, octets []byte, n, limit int) {
		limit = 1 + abs(limit)%300
		r := NewReader(&pieces{bytes.Clone(octets), 1 + abs(n)%100}, 16)
		var tapped []byte
		r.Tap = func(p []byte) { tapped = append(tapped, p...) }
		for line := range bytes.Lines(octets) {
			got, err := r.ReadLine(limit)
			switch {
			case line[len(line)-1] != '\n': // P3-UPD-06
				if !errors.Is(err, io.ErrUnexpectedEOF) {
					t.Fatalf("%q: %q %v", line, got, err)
				}
			case len(line) > limit:
				if !errors.Is(err, ErrLineTooLong) {
					t.Fatalf("%q: %q %v", line, got, err)
				}
			default:
				want := bytes.TrimSuffix(line[:len(line)-1], []byte("\r"))
				if err != nil || !bytes.Equal(got, want) {
					t.Fatalf("%q: %q %v", line, got, err)
				}
			}
		}
		if _, err := r.ReadLine(limit); !errors.Is(err, io.EOF) {
			t.Fatalf("at the end: %v", err)
		}
		if !bytes.Equal(tapped, octets) {
			t.Fatalf("Tap saw %q of %q", tapped, octets)
		}
	})
}

// A long line costs no more memory than its limit.
func TestLongLinesAreNotKept(t *testing.T) {
	r := NewReader(io.MultiReader(&pieces{bytes.Repeat([]byte("A"), 10<<20), 4096}, strings.NewReader("\r\nNOOP\r\n")), 4096)
	if _, err := r.ReadLine(100); !errors.Is(err, ErrLineTooLong) {
		t.Fatal(err)
	}
	if cap(r.raw) > 4096 {
		t.Errorf("%d octets kept", cap(r.raw))
	}
	if line, err := r.ReadLine(100); err != nil || string(line) != "NOOP" {
		t.Errorf("%q %v", line, err)
	}
}

func TestLineBuffered(t *testing.T) {
	r := NewReader(strings.NewReader("A\r\nB\r\nC"), 16)
	for _, want := range []bool{true, false} {
		if _, err := r.ReadLine(10); err != nil {
			t.Fatal(err)
		}
		if r.LineBuffered() != want {
			t.Errorf("LineBuffered is %v", !want)
		}
	}
	if r.Buffered() != 1 {
		t.Errorf("%d octets buffered", r.Buffered())
	}
}

// The end of a message and the terminator go out in one write, whatever came
// before: several clients see the end only when one read finishes with it.
func TestTerminatorIsNotPartedFromTheLastLineEnd(t *testing.T) {
	const size = 1024
	for before := range 3*size + 10 {
		var out writes
		w := newWriter(&out, size)
		b := NewBody(w)
		b.Write([]byte("+" + strings.Repeat("x", before)))
		if _, err := b.EndLine(); err != nil {
			t.Fatal(err)
		}
		w.Write(AppendTerminator(nil))
		if err := w.Flush(); err != nil {
			t.Fatal(err)
		}
		last := out.all[len(out.all)-1]
		if !bytes.HasSuffix(last, []byte("\r\n.\r\n")) {
			t.Errorf("%d octets before: the last write is %q", before, last)
		}
		for _, p := range out.all {
			if len(p) > size {
				t.Errorf("a write of %d octets", len(p))
			}
		}
	}
}

func TestWriterKeepsOrderAndErrors(t *testing.T) {
	var out bytes.Buffer
	w := newWriter(&out, 600)
	var want strings.Builder
	for i := range 500 {
		s := fmt.Sprintf("line %d\r\n", i)
		want.WriteString(s)
		if i%2 == 0 {
			w.WriteString(s)
		} else {
			w.Write([]byte(s))
		}
		if i%100 == 0 {
			w.Flush()
		}
	}
	if err := w.Flush(); err != nil || out.String() != want.String() {
		t.Fatalf("%v", err)
	}

	w = newWriter(failing{}, 600)
	w.Write(make([]byte, 2000))
	if _, err := w.Write([]byte("x")); !errors.Is(err, io.ErrClosedPipe) {
		t.Error(err)
	}
	if err := w.Flush(); !errors.Is(err, io.ErrClosedPipe) {
		t.Error(err)
	}
}

type failing struct{}

func (failing) Write([]byte) (int, error) { return 0, io.ErrClosedPipe }

// Every borrowed buffer comes back, once.
func TestWriterGivesBuffersBack(t *testing.T) {
	out := 0
	w := NewWriter(io.Discard, func() []byte { out++; return make([]byte, 0, 600) }, func([]byte) { out-- })
	for range 3 {
		w.Write(make([]byte, 1500))
		w.Flush()
		w.WriteString("x")
		w.Discard()
		w.Flush()
		if out != 0 {
			t.Fatalf("%d buffers are out", out)
		}
	}
}
