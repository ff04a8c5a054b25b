package message

import (
	"bytes"
	"strings"
	"unicode/utf8"
)

// decodeText decodes the value of a header field: its encoded words (RFC 2047),
// and octets that should not be there, which are most likely in the character set
// of the text; other may be nil. The result is neither printable nor unfolded.
//
// mime.WordDecoder decodes each word for itself: a character cut in two is lost.
func decodeText(raw []byte, other decoder) string {
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
			d.out.WriteString(decodeRaw(between, other))
		}
		d.add(word)
		i += n
		literal = i
	}
	d.flush()
	d.out.WriteString(decodeRaw(raw[literal:], other))
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
}

func (d *wordDecoder) add(w word) {
	if d.open && !strings.EqualFold(d.charset, w.charset) {
		d.flush()
	}
	d.open, d.charset = true, w.charset
	octets := w.text
	if w.base64 {
		octets = decodeBase64(octets)
	} else {
		octets = unescape(bytes.ReplaceAll(octets, []byte("_"), []byte(" ")), '=')
	}
	d.octets = append(d.octets, octets...)
}

func (d *wordDecoder) flush() {
	if !d.open {
		return
	}
	d.out.WriteString(decodeOctets(d.octets, d.charset))
	d.octets, d.open = d.octets[:0], false
}

// decodeRaw decodes text without encoded words. It should be ASCII or UTF-8; if
// not, it is most likely in the other character set.
func decodeRaw(raw []byte, other decoder) string {
	switch {
	case isISO2022JP(raw):
		return decodeJapanese(raw)
	case utf8.Valid(raw):
		return string(raw)
	case other != nil:
		return other(raw)
	}
	return decodeGuess(raw)
}

// otherCharset returns how to decode raw octets in the header of a text with this
// Content-Type. It looks when it has to, once.
func otherCharset(contentType []byte) decoder {
	var decode decoder
	return func(octets []byte) string {
		if decode == nil {
			_, params := parseParams(contentType)
			decode = lookup(params.charset())
			if decode == nil || isUnicode(params.charset()) {
				decode = decodeGuess
			}
		}
		return decode(octets)
	}
}
