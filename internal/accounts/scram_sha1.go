package accounts

import (
	"crypto/sha256"
	"encoding/base64"
	"strings"

	"postfach/sasl"
)

// The extra field scram_sha_1 has a verifier for SCRAM-SHA-1 beside a password
// that is kept in another way: a tag, a comma and Dovecot's form. The tag is of the
// secret that it was made with: whoever changes the password by hand ends this
// one, too.

// tagLength is in octets: enough that no two secrets of a file have one tag.
const tagLength = 12

func secretTag(secret string) string {
	sum := sha256.Sum256([]byte(secret))
	return base64.RawURLEncoding.EncodeToString(sum[:tagLength])
}

func (a *account) setSHA1(value string) error {
	tag, text, _ := strings.Cut(value, ",")
	v, err := parseScram(scramSHA1, text)
	if err != nil {
		return err
	}
	if tag != secretTag(a.secret) {
		a.stale = true
		return nil
	}
	a.sha1, a.ScramSHA1 = v.(*scramVerifier), true
	return nil
}

// withSHA1 returns the line with a verifier of the password that it has by now.
func withSHA1(line, prepared string) (string, error) {
	v, err := newScram(sasl.SHA1, prepared, newSalt(), Iterations)
	if err != nil {
		return "", err
	}
	return withExtra(line, sha1Field, secretTag(splitLine(line)[secretIndex])+","+v.String()), nil
}
