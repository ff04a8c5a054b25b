package message

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"strings"
)

// transfer is a transfer encoding that can be decoded.
type transfer uint8

const (
	identity transfer = iota
	base64Transfer
	quotedPrintable
)

// parseTransfer reads a Content-Transfer-Encoding. name is what it says, in lower
// case; known is false for one that is not decoded.
func parseTransfer(value []byte) (name string, t transfer, known bool) {
	const longest = 100
	name, _, _ = strings.Cut(string(value[:min(len(value), longest)]), ";")
	name, _, _ = strings.Cut(name, "(")
	name = strings.ToLower(strings.Trim(name, "\"' \t\r\n"))
	switch name {
	case "base64":
		return name, base64Transfer, true
	case "quoted-printable":
		return name, quotedPrintable, true
	case "", "7bit", "8bit", "binary", "7-bit", "8-bit":
		return name, identity, true
	}
	return PrintableLine(name), identity, false
}

// reader decodes what r has. It returns no errors but r's: octets that cannot be
// decoded are left out (base64) or stay as they are (quoted-printable).
func (t transfer) reader(r io.Reader) io.Reader {
	switch t {
	case base64Transfer:
		return &base64Reader{from: r}
	case quotedPrintable:
		return &quotedReader{from: bufio.NewReaderSize(r, 4096)}
	}
	return r
}

// base64Value returns the six bits that c stands for, else 64 or more.
func base64Value(c byte) byte {
	switch {
	case c >= 'A' && c <= 'Z':
		return c - 'A'
	case c >= 'a' && c <= 'z':
		return c - 'a' + 26
	case c >= '0' && c <= '9':
		return c - '0' + 52
	case c == '+':
		return 62
	case c == '/':
		return 63
	}
	return 64
}

// A base64Decoder decodes base64 that comes in pieces, and forgives: it passes
// over what is not base64, and takes up again after padding.
type base64Decoder struct {
	bits  uint32
	count int // characters in bits
}

func (d *base64Decoder) decode(dst, src []byte) []byte {
	for _, c := range src {
		v := base64Value(c)
		if v >= 64 {
			if c == '=' {
				dst = d.finish(dst)
			}
			continue
		}
		d.bits = d.bits<<6 | uint32(v)
		if d.count++; d.count == 4 {
			dst = append(dst, byte(d.bits>>16), byte(d.bits>>8), byte(d.bits))
			d.bits, d.count = 0, 0
		}
	}
	return dst
}

// finish decodes what is left: padding, or the end.
func (d *base64Decoder) finish(dst []byte) []byte {
	switch d.count {
	case 2:
		dst = append(dst, byte(d.bits>>4))
	case 3:
		dst = append(dst, byte(d.bits>>10), byte(d.bits>>2))
	}
	d.bits, d.count = 0, 0
	return dst
}

// complete says whether what is left looks like an end whose padding is missing.
func (d *base64Decoder) complete() bool {
	return d.count == 2 && d.bits&0xf == 0 || d.count == 3 && d.bits&0x3 == 0
}

type base64Reader struct {
	from    io.Reader
	decoder base64Decoder
	in      [4096]byte
	out     [4096]byte
	ready   []byte // of out, not read yet
	err     error
}

func (r *base64Reader) Read(p []byte) (int, error) {
	for len(r.ready) == 0 {
		if r.err != nil {
			return 0, r.err
		}
		var n int
		n, r.err = r.from.Read(r.in[:])
		r.ready = r.decoder.decode(r.out[:0], r.in[:n])
		if r.err != nil {
			r.ready = r.decoder.finish(r.ready)
		}
	}
	n := copy(p, r.ready)
	r.ready = r.ready[n:]
	return n, nil
}

// A quotedReader decodes quoted-printable.
type quotedReader struct {
	from  *bufio.Reader
	line  []byte
	out   []byte
	ready []byte // of out, not read yet
	err   error
}

func (r *quotedReader) Read(p []byte) (int, error) {
	for len(r.ready) == 0 {
		if r.err != nil {
			return 0, r.err
		}
		r.fill()
	}
	n := copy(p, r.ready)
	r.ready = r.ready[n:]
	return n, nil
}

// fill decodes a line, or a piece of a long one.
func (r *quotedReader) fill() {
	piece, err := r.from.ReadSlice('\n')
	r.line = append(r.line, piece...)
	if errors.Is(err, bufio.ErrBufferFull) {
		// What cannot be decided yet waits: white space that may be the line's end,
		// and an escape. Too much white space is no line's end.
		const most = 2000
		n := len(bytes.TrimRight(r.line, " \t"))
		if len(r.line)-n > most {
			n = len(r.line)
		}
		if i := bytes.LastIndexByte(r.line[:n], '='); i >= 0 && n-i < 3 {
			n = i
		}
		r.decode(r.line[:n])
		r.line = append(r.line[:0], r.line[n:]...)
		return
	}
	r.err = err
	text := bytes.TrimRight(r.line, "\r\n")
	end := r.line[len(text):]
	text = bytes.TrimRight(text, " \t")
	if soft := bytes.TrimSuffix(text, []byte("=")); len(soft) < len(text) {
		text, end = soft, nil
	}
	r.decode(text)
	r.ready = append(r.ready, end...)
	r.line = r.line[:0]
}

func (r *quotedReader) decode(text []byte) {
	out := r.out[:0]
	for i := 0; i < len(text); i++ {
		c := text[i]
		if c == '=' && i+2 < len(text) {
			if octet, ok := unhex(text[i+1], text[i+2]); ok {
				c = octet
				i += 2
			}
		}
		out = append(out, c)
	}
	r.out, r.ready = out, out
}

// unhex returns the octet that two hexadecimal digits stand for.
func unhex(high, low byte) (byte, bool) {
	h, l := hexDigit(high), hexDigit(low)
	return h<<4 | l, h < 16 && l < 16
}

func hexDigit(c byte) byte {
	switch {
	case c >= '0' && c <= '9':
		return c - '0'
	case c >= 'A' && c <= 'F':
		return c - 'A' + 10
	case c >= 'a' && c <= 'f':
		return c - 'a' + 10
	}
	return 16
}
