package popwire

import (
	"bytes"
	"errors"
	"io"
	"strings"
	"testing"

	"postfach/pop3"
)

// send returns what Body makes of a message that is written n octets at a
// time, with terminator, and the size that it says.
func send(t *testing.T, stored []byte, n, buffer int) (octets []byte, size int64) {
	t.Helper()
	var out bytes.Buffer
	w := newWriter(&out, buffer)
	b := NewBody(w)
	writeIn(t, b, stored, n)
	before := b.Size()
	size, err := b.EndLine()
	if err != nil || size != before || size != b.Size() {
		t.Fatalf("size %d, %d before the last line end, %d after it: %v", size, before, b.Size(), err)
	}
	if _, err := w.Write(AppendTerminator(nil)); err != nil {
		t.Fatal(err)
	}
	if err := w.Flush(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes(), size
}

// Any octets, cut anywhere, come out as they went in, but for line ends; and
// there is one size (P3-MSG-03 to P3-MSG-07, P3-MSG-13, P3-MLT-02, P3-MLT-06).
func FuzzBody(f *testing.F) {
	for _, s := range []string{
		"", ".", "..", "a\n.\nb\n", "a\r\n.\r\n", "a\r", "\r", "\n", "\r\n", "\r\r\n", "a\rb\n.c", "\n.\n\r\n.\r", ".\r", "\x00\xff.\n",
	} {
		for _, n := range []int{1, 2, 3, 100} {
			f.Add([]byte(s), n, 16)
		}
	}
	f.Fuzz(func(t *testing.T, stored []byte, n, buffer int) {
		n, buffer = 1+abs(n)%200, 16+abs(buffer)%200
		want := wire(stored)

		var counter Counter
		writeIn(t, &counter, stored, n)
		if got := counter.Size(); got != int64(len(want)) {
			t.Fatalf("Counter: %d, want %d", got, len(want))
		}
		octets, size := send(t, stored, n, MaxReply+buffer)
		if size != int64(len(want)) {
			t.Fatalf("Body: %d, want %d", size, len(want))
		}
		if !bytes.Equal(octets, stuffed(want)) {
			t.Fatalf("sent %q, want %q", octets, stuffed(want))
		}
		for _, how := range []Strictness{Strict, Lenient} {
			rest := "+OK next\r\n"
			r := NewReader(&pieces{append(bytes.Clone(octets), rest...), n}, buffer)
			back, err := io.ReadAll(NewBodyReader(r, how))
			if err != nil || !bytes.Equal(back, want) {
				t.Fatalf("%d: read %q %v, want %q", how, back, err, want)
			}
			if line, err := r.ReadLine(MaxReply); err != nil || string(line) != "+OK next" {
				t.Fatalf("what follows: %q %v", line, err)
			}
			var out bytes.Buffer
			r = NewReader(&pieces{bytes.Clone(octets), n}, buffer)
			if _, err := NewBodyReader(r, how).WriteTo(&out); err != nil || !bytes.Equal(out.Bytes(), want) {
				t.Fatalf("%d: WriteTo %q %v, want %q", how, out.Bytes(), err, want)
			}
		}
	})
}

func abs(n int) int {
	if n < 0 {
		return -(n + 1)
	}
	return n
}

// Any octets as a reply's body: the same whatever the pieces, never more than
// came, and no end but the terminator (P3-MLT-03, P3-MLT-07, P3-MLT-09).
func FuzzBodyReader(f *testing.F) {
	for _, s := range []string{
		".\r\n", "a\r\n.\r\n", "..\r\n.\r\n", "a\n.\r\nb\r\n.\r\n", ".\n.\r\n", ".a\r\n.\r\n", "\r\n.\r", "a\r\r\n.\r\n", "x.\r\n",
	} {
		f.Add([]byte(s), 3)
	}
	f.Fuzz(func(t *testing.T, octets []byte, n int) {
		for _, how := range []Strictness{Strict, Lenient} {
			whole, most, wantErr := unstuffed(octets, how)
			for _, buffer := range []int{16, 17, 4096} {
				r := NewReader(&pieces{bytes.Clone(octets), 1 + abs(n)%50}, buffer)
				got, err := io.ReadAll(NewBodyReader(r, how))
				if !errors.Is(err, wantErr) || !bytes.HasPrefix(got, whole) || !bytes.HasPrefix(most, got) {
					t.Fatalf("%d: %q %v, want %q %v", how, got, err, whole, wantErr)
				}
			}
		}
	})
}

// unstuffed is a BodyReader written the slow way. most is what it may give out
// when the connection ends in the middle of a line.
func unstuffed(octets []byte, how Strictness) (whole, most []byte, err error) {
	var out []byte
	for {
		end := 0 // of the line, with its line end
		for i, c := range octets {
			if c == '\n' && (how == Lenient || i > 0 && octets[i-1] == '\r') {
				end = i + 1
				break
			}
		}
		if end == 0 {
			cut := bytes.TrimPrefix(octets, []byte("."))
			return out, append(bytes.Clone(out), cut...), io.ErrUnexpectedEOF
		}
		line := string(octets[:end])
		octets = octets[end:]
		if line == ".\r\n" || how == Lenient && line == ".\n" {
			return out, out, nil
		}
		out = append(out, strings.TrimPrefix(line, ".")...)
	}
}

// A cut connection is never the end of a message, wherever it is cut
// (P3-MLT-09).
func TestCutBodyIsNoMessage(t *testing.T) {
	const reply = "Subject: x\r\n\r\n..\r\nlast\r\n.\r\n"
	for n := range len(reply) {
		r := NewReader(strings.NewReader(reply[:n]), 64)
		if _, err := io.Copy(io.Discard, NewBodyReader(r, Strict)); !errors.Is(err, io.ErrUnexpectedEOF) {
			t.Errorf("%q: %v", reply[:n], err)
		}
	}
}

func FuzzListings(f *testing.F) {
	f.Add("1 120", 1, int64(120), "abc")
	f.Add(" 2  3 x", 1<<31-1, int64(1<<63-1), "~!")
	f.Fuzz(func(t *testing.T, line string, number int, size int64, id string) {
		if l, ok := ParseScanListing(line); ok {
			if back, ok := ParseScanListing(string(AppendScanListing(nil, l))); !ok || back != l {
				t.Fatalf("%q: %v became %v", line, l, back)
			}
		}
		if l, ok := ParseIDListing(line); ok {
			if back, ok := ParseIDListing(string(AppendIDListing(nil, l))); !ok || back != l {
				t.Fatalf("%q: %v became %v", line, l, back)
			}
		}
		if l, ok := ParseDropListing(line); ok {
			if back, ok := ParseDropListing(string(AppendDropListing(nil, l))); !ok || back != l {
				t.Fatalf("%q: %v became %v", line, l, back)
			}
		}
		if number < 0 || number > 1<<31-1 || size < 0 {
			return
		}
		s := pop3.ScanListing{Number: number, Size: size}
		if back, ok := ParseScanListing(string(AppendScanListing(nil, s))); !ok || back != s {
			t.Fatalf("%v became %v", s, back)
		}
		if i := (pop3.IDListing{Number: number, ID: pop3.UniqueID(id)}); i.ID.Valid() {
			if back, ok := ParseIDListing(string(AppendIDListing(nil, i))); !ok || back != i {
				t.Fatalf("%v became %v", i, back)
			}
		}
	})
}

func TestParseListings(t *testing.T) {
	for line, want := range map[string]pop3.ScanListing{
		"1 120":        {Number: 1, Size: 120},
		"2 320 (x)":    {Number: 2, Size: 320},        // P3-STAT-04, P3-LIST-07
		"1 5000000000": {Number: 1, Size: 5000000000}, // P3-MSG-12
	} {
		if got, ok := ParseScanListing(line); !ok || got != want {
			t.Errorf("%q: %v %v", line, got, ok)
		}
	}
	for _, line := range []string{"", "1", "1 ", "x 1", "1 x", "-1 1", "1 -1", "1 1x", "4294967297 1", "1 9223372036854775808", "1\t1"} {
		if got, ok := ParseScanListing(line); ok {
			t.Errorf("%q: %v", line, got)
		}
	}
	long := strings.Repeat("x", 100)
	for line, want := range map[string]pop3.IDListing{
		"1 abc":     {Number: 1, ID: "abc"},
		"1 " + long: {Number: 1, ID: pop3.UniqueID(long)}, // P3-UIDL-11
		"1   a":     {Number: 1, ID: "a"},
	} {
		if got, ok := ParseIDListing(line); !ok || got != want {
			t.Errorf("%q: %v %v", line, got, ok)
		}
	}
}

func TestReadDataLine(t *testing.T) {
	r := NewReader(strings.NewReader("1 2\r\n..x\r\n.\r\n1 2"), 16)
	for _, want := range []string{"1 2", ".x"} {
		if line, done, err := r.ReadDataLine(100); string(line) != want || done || err != nil {
			t.Fatalf("%q %v %v", line, done, err)
		}
	}
	if _, done, err := r.ReadDataLine(100); !done || err != nil {
		t.Fatal(done, err)
	}
	if _, _, err := r.ReadDataLine(100); !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Fatal(err)
	}
}
