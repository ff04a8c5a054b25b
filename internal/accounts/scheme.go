package accounts

import (
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"strings"

	"postfach/internal/hint"
)

// A verifier checks one password, in a time that depends on the verifier only.
type verifier interface {
	matches(password string) bool
}

// The schemes that are written. Others are only read.
const (
	ScramSHA256 = "SCRAM-SHA-256"
	Argon2id    = "ARGON2ID"
)

// A scheme is one way to keep a password, under all its names.
type scheme struct {
	names []string
	// size is that of a digest that is not salted, in octets: it may be in base64
	// or in hexadecimal digits, whichever fits. 0: the secret is text, or the
	// digest and its salt in base64.
	size  int
	coded bool // in base64 where size is 0
	// weak says that whoever gets hold of the file finds the passwords: they are
	// read so that a site can move.
	weak  bool
	parse func(name, secret string) (verifier, error)
}

// schemes are Dovecot's and Courier's, as far as they are safe to move from. MD5
// is MD5-CRYPT to the one and a bare MD5 to the other: they look different.
var schemes = []scheme{
	{names: []string{ScramSHA256}, parse: parseScram},
	{names: []string{scramSHA1}, parse: parseScram},
	{names: []string{"CRYPT", "SHA512-CRYPT", "SHA256-CRYPT", "BLF-CRYPT", "ARGON2I", Argon2id}, parse: parseCrypt},
	{names: []string{"PBKDF2"}, parse: parsePBKDF2},
	{names: []string{md5Crypt}, parse: parseCrypt, weak: true},
	{names: []string{"SSHA512"}, parse: parseDigest, coded: true, weak: true},
	{names: []string{"SSHA256"}, parse: parseDigest, coded: true, weak: true},
	{names: []string{"SSHA"}, parse: parseDigest, coded: true, weak: true},
	{names: []string{"SMD5"}, parse: parseDigest, coded: true, weak: true},
	{names: []string{"SHA512"}, size: 64, parse: parseDigest, weak: true},
	{names: []string{"SHA256"}, size: 32, parse: parseDigest, weak: true},
	{names: []string{"SHA", "SHA1"}, size: 20, parse: parseDigest, weak: true},
	{names: []string{"MD5", "PLAIN-MD5", "LDAP-MD5", "MD5RAW"}, size: 16, parse: parseDigest, weak: true},
	{names: []string{"CRAM-MD5", "HMAC-MD5"}, size: 32, parse: parseCramMD5, weak: true},
	{names: []string{"PLAIN", "CLEAR", "CLEARTEXT"}, parse: parsePlain, weak: true},
}

const (
	scramSHA1 = "SCRAM-SHA-1"
	md5Crypt  = "MD5-CRYPT"
)

// A kept password is "{SCHEME}secret", understood.
type kept struct {
	scheme string // in upper case, without .B64 or .HEX
	verifier
	weak bool
}

// scram returns the verifier for SCRAM; nil: there is none.
func (k kept) scram() *scramVerifier {
	v, _ := k.verifier.(*scramVerifier)
	return v
}

// parseSecret understands "{SCHEME}secret". What begins with a dollar sign is
// CRYPT, as for Dovecot. Its errors never have any of the secret in them.
func parseSecret(field string) (kept, error) {
	name, secret := "CRYPT", field
	if !strings.HasPrefix(field, "$") {
		rest, ok := strings.CutPrefix(field, "{")
		var closed bool
		name, secret, closed = strings.Cut(rest, "}")
		if !ok || !closed {
			return kept{}, hint.Add(errors.New("expected {SCHEME} before the secret"),
				"only what crypt(3) made, such as $6$…, needs no scheme; set the password anew with postfach user passwd, or write {PLAIN} if it is one")
		}
	}
	name, encoding, _ := strings.Cut(strings.ToUpper(name), ".")
	if strings.HasPrefix(secret, "$1$") && (name == "CRYPT" || name == "MD5") {
		name = md5Crypt
	}
	i := slices.IndexFunc(schemes, func(s scheme) bool { return slices.Contains(s.names, name) })
	if i < 0 {
		if len(name) > 32 {
			name = name[:32]
		}
		return kept{}, hint.Add(fmt.Errorf("scheme %q is unknown, or too weak", name),
			"set the password anew with postfach user passwd, which writes %s; docs/accounts.md lists what is read", ScramSHA256)
	}
	s := schemes[i]
	secret, err := s.decode(encoding, secret)
	var v verifier
	if err == nil {
		v, err = s.parse(name, secret)
	}
	if err != nil {
		return kept{}, hint.Add(fmt.Errorf("scheme %s: %w", name, err), "set the password anew with postfach user passwd")
	}
	return kept{name, v, s.weak}, nil
}

// decode undoes what the suffix of a scheme says, or what is usual with it.
func (s scheme) decode(encoding, secret string) (string, error) {
	switch {
	case encoding == "" && s.size > 0 && len(secret) == hex.EncodedLen(s.size):
		encoding = "HEX"
	case encoding == "" && (s.size > 0 || s.coded):
		encoding = "B64"
	}
	var octets []byte
	var err error
	switch encoding {
	case "":
		return secret, nil
	case "HEX":
		octets, err = hex.DecodeString(secret)
	case "B64", "BASE64":
		octets, err = base64.RawStdEncoding.DecodeString(strings.TrimRight(secret, "="))
	default:
		return "", errors.New("expected .B64, .HEX or nothing behind the scheme")
	}
	if err != nil || s.size > 0 && len(octets) != s.size {
		return "", errors.New("the digest has the wrong length, or a character that does not belong there")
	}
	return string(octets), nil
}
