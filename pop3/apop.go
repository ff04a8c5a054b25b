package pop3

import (
	"crypto/md5"
	"encoding/hex"
	"strings"
)

// APOPDigest returns the digest that APOP sends: 32 lower-case hexadecimal
// digits of MD5 over the timestamp, angle brackets included, and the shared
// secret (RFC 1939 section 7, P3-APOP-01).
func APOPDigest(timestamp, secret string) string {
	sum := md5.Sum([]byte(timestamp + secret))
	return hex.EncodeToString(sum[:])
}

// Timestamp finds the APOP timestamp in a greeting's text and returns it with
// its angle brackets. ok is false when there is none, or when it is not a
// plain msg-id of printable ASCII with one "@": forged timestamps are how APOP
// gives away passwords (CVE-2007-1558, P3-GRT-09).
func Timestamp(greeting string) (timestamp string, ok bool) {
	_, rest, found := strings.Cut(greeting, "<")
	if !found {
		return "", false
	}
	id, _, found := strings.Cut(rest, ">")
	if !found {
		return "", false
	}
	left, right, found := strings.Cut(id, "@")
	if !found || !timestampPart(left) || !timestampPart(right) {
		return "", false
	}
	return "<" + id + ">", true
}

// timestampPart says whether s may stand on one side of the "@" (P3-GRT-03).
func timestampPart(s string) bool {
	for i := range len(s) {
		if c := s[i]; c < 0x21 || c > 0x7e || c == '<' || c == '>' || c == '@' {
			return false
		}
	}
	return s != ""
}
