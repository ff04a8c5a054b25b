package message

import (
	"bytes"
	"strings"
	"unicode/utf8"
)

// decodeText decodes the value of a header field: its encoded words (RFC 2047),
// and octets that should not be there. contentType is the message's field, whose
// character set raw octets are most likely in; it may be nil. The result is
// neither printable nor unfolded.
func decodeText(raw, contentType []byte) string {
	if !bytes.Contains(raw, []byte("=?")) {
		return decodeRaw(raw, contentType)
	}
	var d wordDecoder
	literal := 0 // what is before it is written
	for i := 0; i < len(raw); {
		j := bytes.Index(raw[i:], []byte("=?"))
		if j < 0 {
			break
		}
		i += j
		word, n := parseWord(raw[i:])
		if n == 0 {
			i += 2
			continue
		}
		if between := raw[literal:i]; !d.open || len(bytes.TrimSpace(between)) > 0 {
			d.flush()
			d.out.WriteString(decodeRaw(between, contentType))
		}
		d.add(word)
		i += n
		literal = i
	}
	d.flush()
	d.out.WriteString(decodeRaw(raw[literal:], contentType))
	return d.out.String()
}

// A word is an encoded word in its pieces.
type word struct {
	charset string
	base64  bool
	text    []byte
}

// parseWord parses the encoded word at the start of raw. n is its length; 0: it
// is none. Spaces in it are forgiven.
func parseWord(raw []byte) (w word, n int) {
	const longestCharset = 64
	rest := raw[len("=?"):]
	i := bytes.IndexByte(rest[:min(len(rest), longestCharset)], '?')
	if i <= 0 || len(rest) < i+3 || rest[i+2] != '?' || bytes.ContainsAny(rest[:i], " \t\r\n=") {
		return word{}, 0
	}
	switch rest[i+1] | 0x20 {
	case 'b':
		w.base64 = true
	case 'q':
	default:
		return word{}, 0
	}
	language := bytes.IndexByte(rest[:i], '*') // RFC 2231, section 5
	if language < 0 {
		language = i
	}
	w.charset = string(rest[:language])
	text := rest[i+3:]
	for j, c := range text {
		switch {
		case c != '?':
		case j+1 < len(text) && text[j+1] == '=':
			w.text = text[:j]
			return w, len(raw) - len(text) + j + 2
		case j > 0 && text[j-1] == '=':
			return word{}, 0 // the next one begins, this one has no end
		}
	}
	return word{}, 0
}

// A wordDecoder puts encoded words together. Words of one character set that
// stand side by side are one text: some programs cut within a character.
type wordDecoder struct {
	out     strings.Builder
	open    bool // the words before are not written yet
	charset string
	octets  []byte
	base64  base64Decoder
}

func (d *wordDecoder) add(w word) {
	if d.open && !strings.EqualFold(d.charset, w.charset) {
		d.flush()
	}
	d.open, d.charset = true, w.charset
	if !w.base64 {
		d.octets = d.base64.finish(d.octets)
		d.octets = appendQ(d.octets, w.text)
		return
	}
	d.octets = d.base64.decode(d.octets, w.text)
	if d.base64.complete() {
		d.octets = d.base64.finish(d.octets) // only the padding is missing
	}
}

func (d *wordDecoder) flush() {
	if !d.open {
		return
	}
	d.octets = d.base64.finish(d.octets)
	d.out.WriteString(decodeOctets(d.octets, d.charset))
	d.octets, d.open = d.octets[:0], false
}

// appendQ decodes the Q encoding: quoted-printable with "_" for a space.
func appendQ(dst, text []byte) []byte {
	for i := 0; i < len(text); i++ {
		c := text[i]
		switch {
		case c == '_':
			c = ' '
		case c == '=' && i+2 < len(text):
			if octet, ok := unhex(text[i+1], text[i+2]); ok {
				c = octet
				i += 2
			}
		}
		dst = append(dst, c)
	}
	return dst
}

// decodeRaw decodes text without encoded words. It should be ASCII or UTF-8.
func decodeRaw(raw, contentType []byte) string {
	switch {
	case isISO2022JP(raw):
		return decodeOctets(raw, "iso-2022-jp")
	case utf8.Valid(raw):
		return string(raw)
	}
	if contentType != nil {
		_, params := parseParams(contentType)
		if enc := lookup(params.charset()); enc != nil && !isUnicode(params.charset()) {
			return decodeWith(enc, raw)
		}
	}
	return decodeOctets(raw, "windows-1252")
}
