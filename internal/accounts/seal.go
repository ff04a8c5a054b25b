package accounts

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path/filepath"
	"strings"

	"postfach/internal/hint"
	"postfach/internal/vfs"
)

// A sealer seals APOP secrets, which a server must be able to read, with
// AES-256-GCM under a key in another file: the accounts file alone is of no
// use. The user name is sealed in, so that a secret moved to another line does
// not open.
type sealer struct{ aead cipher.AEAD }

const keySize = 32

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

// readSealer reads the key file: 32 octets in base64. It returns an error for
// which errors.Is knows fs.ErrNotExist when there is none.
func readSealer(fsys vfs.FS, name string) (*sealer, error) {
	text, _, err := readSecretFile(fsys, name)
	if err != nil {
		return nil, err
	}
	key, err := base64.StdEncoding.DecodeString(strings.TrimSpace(string(text)))
	if err != nil || len(key) != keySize {
		return nil, hint.Add(fmt.Errorf("%s: expected %d octets in base64", name, keySize), "restore the file from a backup")
	}
	return newSealer(key)
}

// makeSealer reads the key file, and makes it where there is none.
func makeSealer(fsys vfs.FS, name string) (*sealer, error) {
	s, err := readSealer(fsys, name)
	if !errors.Is(err, fs.ErrNotExist) {
		return s, err
	}
	key := make([]byte, keySize)
	rand.Read(key)
	if err := vfs.MkdirAll(fsys, filepath.Dir(name), 0o700); err != nil {
		return nil, err
	}
	text := base64.StdEncoding.EncodeToString(key) + "\n"
	if err := vfs.WriteFile(fsys, name, []byte(text), 0o600); err != nil {
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

// maxSecretFile bounds what is read into memory: half a million accounts.
const maxSecretFile = 128 << 20

// readSecretFile reads a file that nobody but its owner may touch, and tells
// what was read.
func readSecretFile(fsys vfs.FS, name string) ([]byte, vfs.Info, error) {
	file, err := fsys.Open(name)
	if err != nil {
		return nil, vfs.Info{}, err
	}
	defer file.Close()
	info, err := file.Info()
	if err != nil {
		return nil, vfs.Info{}, err
	}
	if err := closed(name, info); err != nil {
		return nil, info, err
	}
	content, err := io.ReadAll(io.LimitReader(file, maxSecretFile+1))
	if err == nil && len(content) > maxSecretFile {
		err = fmt.Errorf("%s is larger than %d octets", name, maxSecretFile)
	}
	return content, info, err
}
