package web

import (
	"encoding/base64"

	"postfach/internal/explore"
)

// Keys hold whatever octets a server likes; in addresses and forms they are
// base64url.

func formatKey(k explore.Key) string { return base64.RawURLEncoding.EncodeToString([]byte(k)) }

func parseKey(s string) (explore.Key, error) {
	octets, err := base64.RawURLEncoding.Strict().DecodeString(s)
	if err != nil || len(octets) == 0 {
		return "", badRequest("This address names no message")
	}
	return explore.Key(octets), nil
}
