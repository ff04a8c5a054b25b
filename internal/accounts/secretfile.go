package accounts

import (
	"errors"
	"fmt"
	"io"
	"strings"

	"postfach/internal/hint"
	"postfach/internal/vfs"
)

// ReadSecret returns the first line of a file that nobody but its owner may
// touch, such as one with the password for a database.
func ReadSecret(name string) (string, error) {
	content, _, err := readSecretFile(vfs.OS{}, name, false)
	if err != nil {
		return "", err
	}
	line, _, _ := strings.Cut(string(content), "\n")
	line = strings.TrimSuffix(line, "\r")
	if line == "" {
		return "", hint.Add(errors.New(name+": expected a secret in the first line"), "the file must not be empty")
	}
	return line, nil
}

// maxSecretFile bounds what is read into memory: half a million accounts.
const maxSecretFile = 128 << 20

// readSecretFile reads a file that nobody but its owner may touch, and tells
// what was read. A shared one may be read by its group, too.
func readSecretFile(fsys vfs.FS, name string, shared bool) ([]byte, vfs.Info, error) {
	file, err := fsys.Open(name)
	if err != nil {
		return nil, vfs.Info{}, err
	}
	defer file.Close()
	info, err := file.Info()
	if err != nil {
		return nil, vfs.Info{}, err
	}
	if err := closed(name, info, shared); err != nil {
		return nil, info, err
	}
	var content []byte
	if info.Size <= maxSecretFile { // it may grow meanwhile
		content, err = io.ReadAll(io.LimitReader(file, maxSecretFile+1))
	}
	if err == nil && max(info.Size, int64(len(content))) > maxSecretFile {
		err = fmt.Errorf("%s is larger than %d octets", name, maxSecretFile)
	}
	return content, info, err
}
