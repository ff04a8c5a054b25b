package message

import (
	"bytes"
	"slices"
	"strings"
	"unicode/utf8"

	"golang.org/x/net/html/charset"
	"golang.org/x/text/encoding"
	"golang.org/x/text/encoding/charmap"
	"golang.org/x/text/encoding/htmlindex"
	"golang.org/x/text/encoding/ianaindex"
	"golang.org/x/text/encoding/japanese"
	"golang.org/x/text/encoding/simplifiedchinese"
	"golang.org/x/text/encoding/unicode"
)

// lookup returns the encoding of this name, or nil. Browsers' names come first:
// they know which superset a name stands for in practice (iso-8859-1 is
// windows-1252, gb2312 is GBK).
func lookup(name string) encoding.Encoding {
	name = strings.ToLower(strings.TrimSpace(name))
	switch name {
	case "", "x-unknown", "unknown", "unknown-8bit":
		return nil
	case "utf-8", "utf8":
		return unicode.UTF8
	case "utf-16", "utf16", "csutf16", "iso-10646-ucs-2", "ucs-2":
		return anyUTF16
	case "cp932", "ms932", "x-ms-cp932":
		return japanese.ShiftJIS
	case "iso-2022-jp-1", "iso-2022-jp-2", "iso-2022-jp-3", "iso-2022-jp-ms", "cp50220", "cp50221":
		return japanese.ISO2022JP
	case "hz-gb-2312", "hz":
		return simplifiedchinese.HZGB2312
	case "utf-7", "utf7", "unicode-1-1-utf-7":
		return utf7{}
	}
	if enc, err := htmlindex.Get(name); err == nil && enc != encoding.Replacement {
		return enc
	}
	for _, prefix := range []string{"", "cs"} {
		if enc, err := ianaindex.IANA.Encoding(prefix + name); err == nil && enc != nil {
			return enc
		}
	}
	return nil
}

func isUnicode(charset string) bool { return strings.HasPrefix(strings.ToLower(charset), "utf") }

func isASCII(charset string) bool {
	switch charset {
	case "us-ascii", "ascii", "ansi_x3.4-1968", "ansi-x3.4-1968", "iso646-us", "iso_646.irv:1991":
		return true
	}
	return false
}

// decodeOctets decodes octets of this character set. One that nobody knows, and
// ASCII that is not, is guessed.
func decodeOctets(octets []byte, name string) string {
	name = strings.ToLower(name)
	if isASCII(name) {
		return decodeGuess(octets)
	}
	enc := lookup(name)
	if enc == nil {
		return decodeGuess(octets)
	}
	return decodeWith(enc, octets)
}

func decodeWith(enc encoding.Encoding, octets []byte) string {
	if _, ok := enc.(utf7); ok {
		return decodeUTF7(octets)
	}
	if enc == unicode.UTF8 {
		return string(bytes.ToValidUTF8(bytes.TrimPrefix(octets, []byte("\uFEFF")), []byte("\uFFFD")))
	}
	switch enc {
	case anyUTF16:
		enc = unicode.UTF16(utf16Order(octets), unicode.UseBOM)
	case japanese.ISO2022JP:
		enc = japaneseOf(octets)
	}
	text, err := enc.NewDecoder().Bytes(octets)
	if err != nil {
		return decodeGuess(octets)
	}
	return string(bytes.TrimPrefix(text, []byte("\uFEFF")))
}

// decodeGuess decodes octets whose character set nobody tells.
func decodeGuess(octets []byte) string {
	switch {
	case bytes.HasPrefix(octets, []byte{0xff, 0xfe}), bytes.HasPrefix(octets, []byte{0xfe, 0xff}):
		return decodeWith(lookup("utf-16"), octets)
	case isISO2022JP(octets):
		return decodeWith(japanese.ISO2022JP, octets)
	case utf8.Valid(octets):
		return decodeWith(unicode.UTF8, octets)
	}
	return decodeWith(charmap.Windows1252, octets)
}

// anyUTF16 is UTF-16 in the order that its first character tells.
var anyUTF16 = unicode.UTF16(unicode.BigEndian, unicode.UseBOM)

// utf16Order returns the order of UTF-16 that does not tell: RFC 2781, section
// 4.3, says the big end, programs for Windows send the small one. Western letters
// and white space show it.
func utf16Order(octets []byte) unicode.Endianness {
	big, little := 0, 0
	for i := 0; i+1 < len(octets); i += 2 {
		switch {
		case octets[i] == 0:
			big++
		case octets[i+1] == 0:
			little++
		}
	}
	if little > big {
		return unicode.LittleEndian
	}
	return unicode.BigEndian
}

// japaneseOf returns the encoding of text that should be ISO-2022-JP. That has
// seven bits: with eight it is one of its sisters.
func japaneseOf(octets []byte) encoding.Encoding {
	if !slices.ContainsFunc(octets, func(c byte) bool { return c >= 0x80 }) {
		return japanese.ISO2022JP
	}
	if text, err := japanese.EUCJP.NewDecoder().Bytes(octets); err == nil && !bytes.ContainsRune(text, utf8.RuneError) {
		return japanese.EUCJP
	}
	return japanese.ShiftJIS
}

// isISO2022JP recognises the escape sequences that begin Japanese text.
func isISO2022JP(octets []byte) bool {
	return bytes.Contains(octets, []byte("\x1b$B")) || bytes.Contains(octets, []byte("\x1b$@"))
}

// decodeHTML decodes HTML that says itself what its character set is, or does not.
func decodeHTML(octets []byte) string {
	enc, name, certain := charset.DetermineEncoding(octets, "")
	if name == "utf-8" || !certain && name == "windows-1252" {
		return decodeGuess(octets) // that is what it says when it found nothing
	}
	if strings.HasPrefix(name, "utf-16") {
		return decodeGuess(octets) // a meta element could not have been read then
	}
	return decodeWith(enc, octets)
}
