package message

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"io"
	"strings"

	"golang.org/x/text/transform"
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
		return transform.NewReader(r, &base64Decoder{})
	case quotedPrintable:
		return transform.NewReader(r, &quotedDecoder{})
	}
	return r
}

// A base64Decoder forgives what encoding/base64 takes for the end: other octets in
// between are passed over, padding may be missing, and base64 may begin anew
// behind it. Anything else behind the padding is what a mailing list added.
type base64Decoder struct {
	group  [4]byte
	n      int // of group
	padded bool
	ended  bool
}

func (d *base64Decoder) Reset() { *d = base64Decoder{} }

// Transform implements [transform.Transformer].
func (d *base64Decoder) Transform(dst, src []byte, atEOF bool) (nDst, nSrc int, err error) {
	for _, c := range src {
		if len(dst)-nDst < len(d.group) {
			return nDst, nSrc, transform.ErrShortDst
		}
		nSrc++
		switch {
		case d.ended:
		case isBase64(c):
			d.group[d.n] = c
			if d.n++; d.n == len(d.group) {
				nDst += d.flush(dst[nDst:])
			}
		case c == '=' && d.n != 1: // else it pads nothing
			nDst += d.flush(dst[nDst:])
			d.padded = true
		case d.padded && c != '\r' && c != '\n':
			d.n, d.ended = 0, true
		}
	}
	if atEOF {
		if len(dst)-nDst < len(d.group) {
			return nDst, nSrc, transform.ErrShortDst
		}
		nDst += d.flush(dst[nDst:])
	}
	return nDst, nSrc, nil
}

// flush decodes the group, as far as it goes: one character alone says nothing.
func (d *base64Decoder) flush(dst []byte) int {
	n, _ := base64.RawStdEncoding.Decode(dst, d.group[:d.n])
	d.n = 0
	return n
}

func isBase64(c byte) bool {
	return c >= 'A' && c <= 'Z' || c >= 'a' && c <= 'z' || c >= '0' && c <= '9' || c == '+' || c == '/'
}

// decodeBase64 decodes a short text.
func decodeBase64(text []byte) []byte {
	d := base64Decoder{}
	octets := make([]byte, len(text)+len(d.group)) // never too short
	n, _, _ := d.Transform(octets, text, true)
	return octets[:n]
}

// A quotedDecoder decodes quoted-printable. What mime/quotedprintable takes for
// an error, and so for the end, stays as it is: an "=" alone, control characters.
type quotedDecoder struct {
	transform.NopResetter
	octet [1]byte
}

// Transform implements [transform.Transformer].
func (d *quotedDecoder) Transform(dst, src []byte, atEOF bool) (nDst, nSrc int, err error) {
	for nSrc < len(src) {
		out, n := d.next(src[nSrc:], atEOF)
		switch {
		case n == 0:
			return nDst, nSrc, transform.ErrShortSrc
		case len(out) > len(dst)-nDst:
			return nDst, nSrc, transform.ErrShortDst
		}
		nDst += copy(dst[nDst:], out)
		nSrc += n
	}
	return nDst, nSrc, nil
}

// next returns what the first n octets of text stand for. n is 0 if that cannot be
// told without more text; whole says that there is none.
func (d *quotedDecoder) next(text []byte, whole bool) (out []byte, n int) {
	const mostSpace = 1000 // more is no line's end
	for n < len(text) && text[n] != '=' && text[n] != ' ' && text[n] != '\t' {
		n++
	}
	if n > 0 {
		return text[:n], n
	}
	escape := text[0] == '='
	if escape && len(text) > 2 {
		if octet, ok := unhex(text[1], text[2]); ok {
			d.octet[0] = octet
			return d.octet[:], 3
		}
	}
	// White space at the end of a line stands for nothing; with an "=" before it, so
	// does the end.
	space := text[:min(len(text), mostSpace)]
	n = len(space) - len(bytes.TrimLeft(bytes.TrimPrefix(space, []byte("=")), " \t"))
	rest := text[n:]
	end := lineEndAt(rest)
	switch {
	case n < mostSpace && !whole && (len(rest) == 0 || len(rest) == 1 && rest[0] == '\r' || escape && len(text) < 3):
		return nil, 0
	case n < mostSpace && (end > 0 || len(rest) == 0):
		if escape {
			n += end
		}
		return nil, n
	case escape:
		n = 1
	}
	return text[:n], n
}

// lineEndAt returns the octets of the line end that text begins with.
func lineEndAt(text []byte) int {
	if len(text) > 1 && text[0] == '\r' && text[1] == '\n' {
		return 2
	}
	if len(text) > 0 && text[0] == '\n' {
		return 1
	}
	return 0
}

// unescape decodes octets that are written as mark and two hexadecimal digits.
// Others stay as they are.
func unescape(text []byte, mark byte) []byte {
	out := make([]byte, 0, len(text))
	for i := 0; i < len(text); i++ {
		c := text[i]
		if c == mark && i+2 < len(text) {
			if octet, ok := unhex(text[i+1], text[i+2]); ok {
				c = octet
				i += 2
			}
		}
		out = append(out, c)
	}
	return out
}

// unhex returns the octet that two hexadecimal digits stand for.
func unhex(high, low byte) (octet byte, ok bool) {
	var out [1]byte
	_, err := hex.Decode(out[:], []byte{high, low})
	return out[0], err == nil
}
