package popwire

import (
	"bytes"
	"fmt"
	"io"
	"strings"
	"testing"

	"postfach/pop3"
)

// stored is a message of about so many octets, with lines as mail has them: text,
// some dots, base64.
func stored(octets int, lineEnd string) []byte {
	var b bytes.Buffer
	fmt.Fprintf(&b, "From: anna@example.org%sSubject: figures%s%s", lineEnd, lineEnd, lineEnd)
	for i := 0; b.Len() < octets; i++ {
		switch {
		case i%40 == 7:
			b.WriteString(". is how this line begins")
		case i%40 == 9: // an empty one
		default:
			b.WriteString(strings.Repeat("QUJDREVG", 10)[:76])
		}
		b.WriteString(lineEnd)
	}
	return b.Bytes()
}

// sizes are what benchmarks go through: small and large, LF and CRLF.
func sizes(b *testing.B, run func(b *testing.B, message []byte)) {
	for _, size := range []struct {
		name   string
		octets int
	}{{"4KB", 4 << 10}, {"1MB", 1 << 20}} {
		for _, end := range []struct{ name, octets string }{{"LF", "\n"}, {"CRLF", crlf}} {
			message := stored(size.octets, end.octets)
			b.Run(size.name+"/"+end.name, func(b *testing.B) {
				b.SetBytes(int64(len(message)))
				b.ReportAllocs()
				run(b, message)
			})
		}
	}
}

// steady returns a Writer that always borrows the same buffer.
func steady(w io.Writer, size int) *Writer {
	buf := make([]byte, 0, size)
	return NewWriter(w, func() []byte { return buf }, func([]byte) {})
}

func BenchmarkBody(b *testing.B) {
	sizes(b, func(b *testing.B, message []byte) {
		w := steady(io.Discard, 64<<10)
		for b.Loop() {
			body := NewBody(w)
			for p := message; len(p) > 0; { // as a file is read
				n := min(len(p), 16<<10)
				body.Write(p[:n])
				p = p[n:]
			}
			body.EndLine()
			w.Write(AppendTerminator(nil))
			w.Flush()
		}
	})
}

func BenchmarkBodyReader(b *testing.B) {
	sizes(b, func(b *testing.B, message []byte) {
		var sent bytes.Buffer
		w := steady(&sent, 64<<10)
		body := NewBody(w)
		body.Write(message)
		body.EndLine()
		w.Write(AppendTerminator(nil))
		w.Flush()
		source := bytes.NewReader(sent.Bytes())
		r := NewReader(source, 16<<10)
		for b.Loop() {
			source.Reset(sent.Bytes())
			if _, err := NewBodyReader(r, Strict).WriteTo(io.Discard); err != nil {
				b.Fatal(err)
			}
		}
	})
}

func BenchmarkCounter(b *testing.B) {
	sizes(b, func(b *testing.B, message []byte) {
		for b.Loop() {
			var c Counter
			for p := message; len(p) > 0; {
				n := min(len(p), 16<<10)
				c.Write(p[:n])
				p = p[n:]
			}
			if c.Size() < int64(len(message)) {
				b.Fatal("too little")
			}
		}
	})
}

func BenchmarkTop(b *testing.B) {
	sizes(b, func(b *testing.B, message []byte) {
		source := bytes.NewReader(message)
		buf := make([]byte, 16<<10)
		for b.Loop() {
			source.Reset(message)
			for r := Top(source, 1<<30); ; {
				if _, err := r.Read(buf); err != nil {
					break
				}
			}
		}
	})
}

func BenchmarkParseCommand(b *testing.B) {
	for _, line := range []string{"NOOP", "RETR 1234", "TOP 1234 0", "user anna@example.org"} {
		b.Run(line, func(b *testing.B) {
			b.ReportAllocs()
			octets := []byte(line)
			for b.Loop() {
				if _, ok := ParseCommand(octets); !ok {
					b.Fatal("refused")
				}
			}
		})
	}
}

// repeating gives the same lines again and again.
type repeating struct{ lines string }

func (e repeating) Read(p []byte) (int, error) { return copy(p, e.lines), nil }

func BenchmarkReadLine(b *testing.B) {
	r := NewReader(repeating{strings.Repeat("RETR 1234\r\n", 93)}, 1<<10)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := r.ReadLine(MaxCommand); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkReply(b *testing.B) {
	var line []byte
	b.ReportAllocs()
	for b.Loop() {
		line = AppendReply(line[:0], Reply{OK: true, Text: "maildrop has 12 messages (345678 octets)"})
	}
}

func BenchmarkScanListing(b *testing.B) {
	var line []byte
	b.ReportAllocs()
	for b.Loop() {
		line = EndLine(AppendScanListing(line[:0], pop3.ScanListing{Number: 12_345, Size: 67_890}))
	}
}

func BenchmarkIDListing(b *testing.B) {
	var line []byte
	b.ReportAllocs()
	for b.Loop() {
		line = EndLine(AppendIDListing(line[:0], pop3.IDListing{Number: 12_345, ID: "1795416000.M123456P12345Q1.mail.example.org"}))
	}
}
