package pop3server

import (
	"bytes"
	"errors"
	"io"
	"net"
	"testing"
)

// A scripted connection has these octets, and no more.
type scripted struct {
	net.Conn
	r io.Reader
}

func (c *scripted) Read(p []byte) (int, error) { return c.r.Read(p) }

func record(length int) []byte {
	return append([]byte{23, 3, 3, byte(length >> 8), byte(length)}, bytes.Repeat([]byte{'x'}, length)...)
}

// A read ends where a record does, and all octets arrive.
func TestTLSInputEndsAtRecords(t *testing.T) {
	var all []byte
	for _, n := range []int{0, 1, 5, 600, 0, 16_000, 3} {
		all = append(all, record(n)...)
	}
	in := newTLSInput(&scripted{r: bytes.NewReader(all)})
	in.quiet = -1 << 20
	var got []byte
	var ends []int
	for p := make([]byte, 20_000); ; {
		n, err := in.Read(p)
		if errors.Is(err, io.EOF) {
			break
		}
		if got = append(got, p[:n]...); in.left == 0 && len(in.header) == 0 {
			ends = append(ends, len(got))
		}
	}
	if !bytes.Equal(got, all) || len(ends) != 7 {
		t.Errorf("%d octets of %d, records end at %v", len(got), len(all), ends)
	}
}

// What becomes no octet of POP3 is not kept: after the handshake, not even one
// large record.
func TestQuietTLSIsCutOff(t *testing.T) {
	for _, test := range []struct {
		open bool
		size int
		want int // records that are read
	}{{false, 4000, 6}, {true, 4000, 1}, {true, 100, 10}} {
		in := newTLSInput(&scripted{r: bytes.NewReader(bytes.Repeat(record(test.size), 20))})
		in.open = test.open
		n, err := io.Copy(io.Discard, struct{ io.Reader }{in})
		if records := (int(n) + tlsHeader + test.size - 1) / (tlsHeader + test.size); !errors.Is(err, errQuiet) || records != test.want {
			t.Errorf("%+v: %d octets, %d records, %v", test, n, records, err)
		}
	}
}
