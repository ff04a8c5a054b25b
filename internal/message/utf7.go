package message

import (
	"bytes"
	"strings"

	"golang.org/x/text/encoding/unicode"
)

// decodeUTF7 decodes UTF-7 (RFC 2152), which x/text does not have: UTF-16 in
// base64, from a "+" to the first octet that is not base64.
func decodeUTF7(octets []byte) string {
	var b strings.Builder
	for {
		before, rest, shift := bytes.Cut(octets, []byte("+"))
		b.WriteString(decodeUTF8(before))
		if !shift {
			return b.String()
		}
		n := 0
		for n < len(rest) && isBase64(rest[n]) {
			n++
		}
		if n == 0 {
			b.WriteByte('+') // "+-"
		}
		units := decodeBase64(rest[:n])
		b.WriteString(decodeWith(bigEndian, units[:len(units)&^1]))
		octets = bytes.TrimPrefix(rest[n:], []byte("-"))
	}
}

var bigEndian = unicode.UTF16(unicode.BigEndian, unicode.IgnoreBOM)
