package message

import (
	"bytes"
	"encoding/binary"
	"strings"
	"unicode/utf16"

	"golang.org/x/text/encoding"
)

// utf7 stands for UTF-7 (RFC 2152), which x/text does not have.
type utf7 struct{ encoding.Encoding }

func decodeUTF7(octets []byte) string {
	var b strings.Builder
	for {
		plus := bytes.IndexByte(octets, '+')
		if plus < 0 {
			b.Write(octets)
			return b.String()
		}
		b.Write(octets[:plus])
		octets = octets[plus+1:]
		n := 0
		for n < len(octets) && base64Value(octets[n]) < 64 {
			n++
		}
		if n == 0 {
			b.WriteByte('+') // "+-"
		}
		var d base64Decoder
		shifted := d.finish(d.decode(nil, octets[:n]))
		units := make([]uint16, 0, len(shifted)/2)
		for ; len(shifted) >= 2; shifted = shifted[2:] {
			units = append(units, binary.BigEndian.Uint16(shifted))
		}
		b.WriteString(string(utf16.Decode(units)))
		octets = bytes.TrimPrefix(octets[n:], []byte("-"))
	}
}
