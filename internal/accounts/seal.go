package accounts

import (
	"crypto/aes"
	"crypto/cipher"
	"encoding/base64"
	"errors"

	"postfach/internal/vfs"
)

// A sealer seals APOP secrets, which a server must be able to read, with
// AES-256-GCM under a key in another file: the accounts file alone is of no
// use. The user name is sealed in, so that a secret moved to another line does
// not open.
type sealer struct{ aead cipher.AEAD }

func newSealer(key []byte) (*sealer, error) {
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil, err
	}
	aead, err := cipher.NewGCMWithRandomNonce(block)
	if err != nil {
		return nil, err
	}
	return &sealer{aead}, nil
}

// readSealer reads the key file. It returns an error for which errors.Is knows
// fs.ErrNotExist when there is none.
func readSealer(fsys vfs.FS, name string) (*sealer, error) {
	key, err := readKey(fsys, name)
	if err != nil {
		return nil, err
	}
	return newSealer(key)
}

// makeSealer reads the key file, and makes it where there is none.
func makeSealer(fsys vfs.FS, name string) (*sealer, error) {
	key, err := MakeKey(fsys, name)
	if err != nil {
		return nil, err
	}
	return newSealer(key)
}

func (s *sealer) seal(user, secret string) string {
	return base64.RawStdEncoding.EncodeToString(s.aead.Seal(nil, nil, []byte(secret), []byte(user)))
}

func (s *sealer) open(user, sealed string) (secret string, err error) {
	octets, err := base64.RawStdEncoding.DecodeString(sealed)
	if err != nil {
		return "", errors.New("expected base64")
	}
	plain, err := s.aead.Open(nil, nil, octets, []byte(user))
	if err != nil {
		return "", errors.New("the key does not fit")
	}
	return string(plain), nil
}
