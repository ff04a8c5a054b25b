package popwire

import (
	"bytes"
	"io"
	"testing"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// pieces is a reader that returns its octets n at a time, and a writer's twin
// of it.
type pieces struct {
	octets []byte
	n      int
}

func (p *pieces) Read(b []byte) (int, error) {
	if len(p.octets) == 0 {
		return 0, io.EOF
	}
	n := copy(b, p.octets[:min(max(p.n, 1), len(p.octets))])
	p.octets = p.octets[n:]
	return n, nil
}

// writeIn writes octets to w, n at a time.
func writeIn(t *testing.T, w io.Writer, octets []byte, n int) {
	t.Helper()
	for n = max(n, 1); len(octets) > 0; {
		k := min(n, len(octets))
		if m, err := w.Write(octets[:k]); err != nil || m != k {
			t.Fatalf("wrote %d of %d: %v", m, k, err)
		}
		octets = octets[k:]
	}
}

// writes remembers each Write.
type writes struct{ all [][]byte }

func (w *writes) Write(p []byte) (int, error) {
	w.all = append(w.all, bytes.Clone(p))
	return len(p), nil
}

// newWriter returns a Writer on w with a buffer of size octets.
func newWriter(w io.Writer, size int) *Writer {
	return NewWriter(w, func() []byte { return make([]byte, 0, size) }, func([]byte) {})
}

// wire is what a message has on the wire, without stuffing: written once more,
// the slow way.
func wire(stored []byte) []byte {
	var b bytes.Buffer
	var last byte
	for _, c := range stored {
		if c == '\n' && last != '\r' {
			b.WriteByte('\r')
		}
		b.WriteByte(c)
		last = c
	}
	if last != '\n' && len(stored) > 0 {
		b.WriteString("\r\n")
	}
	return b.Bytes()
}

// stuffed is the whole multi-line reply behind the first line, the slow way.
func stuffed(wire []byte) []byte {
	var b bytes.Buffer
	start := true
	for i, c := range wire {
		if start && c == '.' {
			b.WriteByte('.')
		}
		b.WriteByte(c)
		start = c == '\n' && i > 0 && wire[i-1] == '\r'
	}
	b.WriteString(".\r\n")
	return b.Bytes()
}
