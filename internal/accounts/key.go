package accounts

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"strconv"
	"strings"

	"postfach/internal/hint"
	"postfach/internal/vfs"
)

// keySize is in octets.
const keySize = 32

// NewKey returns a key that nobody else has.
func NewKey() []byte {
	key := make([]byte, keySize)
	rand.Read(key)
	return key
}

// hmacSHA256 is the HMAC of some texts, each with its length before it.
func hmacSHA256(key []byte, texts ...string) []byte {
	mac := hmac.New(sha256.New, key)
	mac.Write(withLengths(texts))
	return mac.Sum(nil)
}

func withLengths(texts []string) []byte {
	var all []byte
	for _, text := range texts {
		all = append(strconv.AppendInt(all, int64(len(text)), 10), ':')
		all = append(all, text...)
	}
	return all
}

// MakeKey reads a key file, 32 octets in base64, and makes it where there is none,
// durably and closed to others. nil is the real file system.
func MakeKey(fsys vfs.FS, name string) ([]byte, error) {
	if fsys == nil {
		fsys = vfs.OS{}
	}
	key, err := readKey(fsys, name)
	if !errors.Is(err, fs.ErrNotExist) {
		return key, err
	}
	key = NewKey()
	if err := vfs.MkdirAll(fsys, filepath.Dir(name), 0o700); err != nil {
		return nil, err
	}
	text := base64.StdEncoding.EncodeToString(key) + "\n"
	if err := vfs.WriteFile(fsys, name, []byte(text), 0o600); err != nil {
		return nil, err
	}
	return key, nil
}

// readKey reads a key file. It returns an error for which errors.Is knows
// fs.ErrNotExist when there is none.
func readKey(fsys vfs.FS, name string) ([]byte, error) {
	text, _, err := readSecretFile(fsys, name, false)
	if err != nil {
		return nil, err
	}
	key, err := base64.StdEncoding.DecodeString(strings.TrimSpace(string(text)))
	if err != nil || len(key) != keySize {
		return nil, hint.Add(fmt.Errorf("%s: expected %d octets in base64", name, keySize), "restore the file from a backup")
	}
	return key, nil
}
