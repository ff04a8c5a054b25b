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

// A decoder turns octets of one character set into UTF-8. What cannot be decoded
// becomes U+FFFD.
type decoder func(octets []byte) string

// lookup returns the decoder of the character set with this name, or nil.
func lookup(name string) decoder {
	name = strings.ToLower(strings.TrimSpace(name))
	switch name {
	case "utf-7", "utf7", "unicode-1-1-utf-7":
		return decodeUTF7
	case "utf-16", "utf16", "csutf16", "iso-10646-ucs-2", "ucs-2":
		return decodeUTF16
	}
	switch enc := encodingOf(name); enc {
	case nil:
		return nil
	case unicode.UTF8:
		return decodeUTF8
	case japanese.ISO2022JP:
		return decodeJapanese
	default:
		return func(octets []byte) string { return decodeWith(enc, octets) }
	}
}

// encodingOf returns the encoding of this name, or nil. Browsers' names come first:
// they know which superset a name stands for in practice (iso-8859-1 is
// windows-1252, gb2312 is GBK).
func encodingOf(name string) encoding.Encoding {
	switch name {
	case "", "x-unknown", "unknown", "unknown-8bit":
		return nil
	case "cp932", "ms932", "x-ms-cp932":
		return japanese.ShiftJIS
	case "iso-2022-jp-1", "iso-2022-jp-2", "iso-2022-jp-3", "iso-2022-jp-ms", "cp50220", "cp50221":
		return japanese.ISO2022JP
	case "hz-gb-2312", "hz":
		return simplifiedchinese.HZGB2312
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
	if decode := lookup(name); decode != nil {
		return decode(octets)
	}
	return decodeGuess(octets)
}

func decodeWith(enc encoding.Encoding, octets []byte) string {
	text, err := enc.NewDecoder().Bytes(octets)
	if err != nil {
		return decodeUTF8(octets)
	}
	return string(bytes.TrimPrefix(text, []byte("\uFEFF")))
}

func decodeUTF8(octets []byte) string {
	return strings.ToValidUTF8(string(bytes.TrimPrefix(octets, []byte("\uFEFF"))), "\uFFFD")
}

// decodeGuess decodes octets whose character set nobody tells.
func decodeGuess(octets []byte) string {
	switch {
	case bytes.HasPrefix(octets, []byte{0xff, 0xfe}), bytes.HasPrefix(octets, []byte{0xfe, 0xff}):
		return decodeUTF16(octets)
	case isISO2022JP(octets):
		return decodeJapanese(octets)
	case utf8.Valid(octets):
		return decodeUTF8(octets)
	}
	return decodeWith(charmap.Windows1252, octets)
}

// decodeUTF16 decodes UTF-16 in the order that its first character tells.
func decodeUTF16(octets []byte) string {
	return decodeWith(unicode.UTF16(utf16Order(octets), unicode.UseBOM), octets)
}

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

// decodeJapanese decodes what should be ISO-2022-JP. That has seven bits: with
// eight it is one of its sisters.
func decodeJapanese(octets []byte) string {
	if !slices.ContainsFunc(octets, func(c byte) bool { return c >= utf8.RuneSelf }) {
		return decodeWith(japanese.ISO2022JP, octets)
	}
	if text := decodeWith(japanese.EUCJP, octets); !strings.ContainsRune(text, utf8.RuneError) {
		return text
	}
	return decodeWith(japanese.ShiftJIS, octets)
}

// isISO2022JP recognises the escape sequences that begin Japanese text.
func isISO2022JP(octets []byte) bool {
	return bytes.Contains(octets, []byte("\x1b$B")) || bytes.Contains(octets, []byte("\x1b$@"))
}

// decodeHTML decodes HTML that says itself what its character set is, or does not.
func decodeHTML(octets []byte) string {
	_, name, certain := charset.DetermineEncoding(octets, "")
	switch {
	case name == "utf-8", name == "windows-1252" && !certain: // it found nothing
	case strings.HasPrefix(name, "utf-16"): // a meta element could not have been read then
	default:
		return decodeOctets(octets, name)
	}
	return decodeGuess(octets)
}
