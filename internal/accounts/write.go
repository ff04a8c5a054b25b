package accounts

import (
	"crypto/rand"
	"fmt"
	"strings"

	"github.com/go-crypt/crypt/algorithm/argon2"

	"postfach/internal/hint"
	"postfach/sasl"
)

// Iterations is the work factor of new SCRAM verifiers: about 10 ms a check,
// for the server and for each SCRAM client (P3-SCRAM-03).
const Iterations = 32_768

// The work factor of new argon2id hashes: 19 MiB, some 20 ms.
const (
	argon2Memory = 19_456 // KiB
	argon2Time   = 2
	argon2Lanes  = 1
)

// maxPassword is the longest password that fits into a line of POP3 with room
// to spare, in octets (P3-SYN-04).
const maxPassword = 240

// newSecret returns "{SCHEME}secret" for a password that is usable. work is the
// salt and the work factor of SCRAM.
func newSecret(scheme, prepared string, work func() ([]byte, int)) (string, error) {
	switch strings.ToUpper(scheme) {
	case "", ScramSHA256:
		salt, iterations := work()
		v, err := newScram(sasl.SHA256, prepared, salt, iterations)
		if err != nil {
			return "", err
		}
		return "{" + ScramSHA256 + "}" + v.String(), nil
	case Argon2id:
		hasher, err := argon2.New(argon2.WithVariantID(), argon2.WithM(argon2Memory), argon2.WithT(argon2Time), argon2.WithP(argon2Lanes))
		if err != nil {
			return "", err
		}
		digest, err := hasher.Hash(prepared)
		if err != nil {
			return "", err
		}
		return "{" + Argon2id + "}" + digest.Encode(), nil
	}
	return "", hint.Add(fmt.Errorf("scheme %q is not written here", scheme), "scram-sha-256 or argon2id")
}

// freshWork is that of an account without app passwords.
func freshWork() (salt []byte, iterations int) { return newSalt(), Iterations }

// usable prepares a password that is to be stored (P3-PLAIN-04).
func usable(password string) (string, error) {
	refuse := func(why string) (string, error) {
		return "", hint.Add(fmt.Errorf("%w: %s", ErrPassword, why), "any text of at most %d octets, without control characters", maxPassword)
	}
	if password == "" {
		return refuse("it is empty")
	}
	prepared, err := sasl.PreparePassword(password)
	switch {
	case err != nil:
		return refuse("it has characters that clients cannot agree on")
	case len(prepared) > maxPassword || len(password) > maxPassword:
		return refuse("it is too long")
	}
	return prepared, nil
}

// NewAPOPSecret returns a secret that nobody will guess (P3-APOP-10).
func NewAPOPSecret() string { return strings.ToLower(rand.Text()) }

// WeakAPOPSecret reports whether a secret is shorter than APOP needs, which
// shows to everybody a digest to try guesses on (P3-APOP-10).
func WeakAPOPSecret(secret string) bool { return len(secret) < 16 }
