package popwire

import (
	"bytes"
	"encoding/base64"
)

// AppendChallenge appends a SASL challenge line with CRLF: "+" SP base64; "+"
// SP alone when it is empty (RFC 5034 section 4, P3-AUTH-04, P3-AUTH-05).
func AppendChallenge(dst, challenge []byte) []byte {
	dst = append(dst, "+ "...)
	dst = base64.StdEncoding.AppendEncode(dst, challenge)
	return append(dst, crlf...)
}

// ParseChallenge reads a challenge line. isChallenge is false when the line is
// none, so that it must be a reply. Lenient takes "+" without SP (AMB-12).
func ParseChallenge(line []byte, how Strictness) (challenge []byte, isChallenge, ok bool) {
	if how == Lenient && string(line) == "+" {
		return nil, true, true
	}
	rest, isChallenge := bytes.CutPrefix(line, []byte("+ "))
	if !isChallenge {
		return nil, false, false
	}
	challenge, ok = DecodeBase64(string(rest))
	return challenge, true, ok
}

// AppendResponse appends a SASL response line with CRLF. An empty response is
// an empty line (P3-AUTH-06).
func AppendResponse(dst, response []byte) []byte {
	dst = base64.StdEncoding.AppendEncode(dst, response)
	return append(dst, crlf...)
}

// Cancel is the response line that ends an exchange (P3-AUTH-07).
const Cancel = "*"

// AppendCancel appends the line that ends an exchange, with CRLF.
func AppendCancel(dst []byte) []byte { return append(dst, Cancel+crlf...) }

// EncodeInitial returns an initial response as AUTH carries it: "=" when it is
// empty (P3-AUTH-08, P3-AUTH-09).
func EncodeInitial(response []byte) string {
	if len(response) == 0 {
		return "="
	}
	return base64.StdEncoding.EncodeToString(response)
}

// DecodeInitial is the twin of EncodeInitial.
func DecodeInitial(s string) (response []byte, ok bool) {
	if s == "=" {
		return []byte{}, true
	}
	if s == "" {
		return nil, false
	}
	return DecodeBase64(s)
}

// DecodeBase64 decodes strictly: no octet outside the alphabet, no "=" but at
// the end, no stray bits (P3-AUTH-15).
func DecodeBase64(s string) (decoded []byte, ok bool) {
	for i := range len(s) {
		if s[i] == '\r' || s[i] == '\n' { // which the decoder skips
			return nil, false
		}
	}
	decoded, err := base64.StdEncoding.Strict().DecodeString(s)
	return decoded, err == nil
}
