package accounts

import (
	"errors"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/go-crypt/crypt/algorithm"
	"github.com/go-crypt/crypt/algorithm/argon2"
	"github.com/go-crypt/crypt/algorithm/bcrypt"
	"github.com/go-crypt/crypt/algorithm/md5crypt"
	"github.com/go-crypt/crypt/algorithm/scrypt"
	"github.com/go-crypt/crypt/algorithm/shacrypt"
)

// A cryptForm is one "$id$..." form of crypt(3) and its kin.
type cryptForm struct {
	schemes []string       // which schemes may have it
	form    *regexp.Regexp // what it looks like, work factors within reason
	decode  func(string) (algorithm.Digest, error)
}

// cryptForms are the forms that are read. The expressions are stricter than
// the decoders, which take work factors that would stop the server. They are made when
// the first hash is read: that takes a millisecond, which no other command should.
var cryptForms = sync.OnceValue(func() []cryptForm {
	return []cryptForm{
		{[]string{"CRYPT", "SHA512-CRYPT"}, regexp.MustCompile(`^\$6\$(rounds=[1-9][0-9]{3,6}\$)?[./A-Za-z0-9]{1,16}\$[./A-Za-z0-9]{86}$`), shacrypt.Decode},
		{[]string{"CRYPT", "SHA256-CRYPT"}, regexp.MustCompile(`^\$5\$(rounds=[1-9][0-9]{3,6}\$)?[./A-Za-z0-9]{1,16}\$[./A-Za-z0-9]{43}$`), shacrypt.Decode},
		{[]string{"CRYPT", "BLF-CRYPT"}, regexp.MustCompile(`^\$2[aby]\$(0[4-9]|1[0-9])\$[./A-Za-z0-9]{53}$`), bcrypt.Decode},
		{[]string{md5Crypt}, regexp.MustCompile(`^\$1\$[./A-Za-z0-9]{1,8}\$[./A-Za-z0-9]{22}$`), md5crypt.Decode},
		{[]string{"CRYPT"}, regexp.MustCompile(`^\$y\$j[7-9A-F][5T]\$[./A-Za-z0-9]{1,86}\$[./A-Za-z0-9]{43}$`), scrypt.Decode},
		{[]string{Argon2id}, regexp.MustCompile(`^\$argon2id` + argon2Form + `$`), argon2.Decode},
		{[]string{"ARGON2I"}, regexp.MustCompile(`^\$argon2i` + argon2Form + `$`), argon2.Decode},
	}
})

const argon2Form = `\$v=19\$m=([1-9][0-9]{0,6}),t=([1-9][0-9]?),p=([1-9][0-9]?)\$[A-Za-z0-9+/]{11,86}\$[A-Za-z0-9+/]{22,86}`

// maxArgon2Memory is in KiB: half a GiB a check is more than anybody uses.
const maxArgon2Memory = 512 * 1024

// A cryptVerifier checks with one of crypt's many hashes.
type cryptVerifier struct {
	digest algorithm.Digest
	work   string // its work factor
}

func (v cryptVerifier) matches(password string) bool { return v.digest.Match(password) }

func parseCrypt(scheme, secret string) (verifier, error) {
	for _, f := range cryptForms() {
		match := f.form.FindStringSubmatch(secret)
		if match == nil || !slices.Contains(f.schemes, scheme) {
			continue
		}
		if len(match) == 4 {
			if memory, err := strconv.Atoi(match[1]); err != nil || memory > maxArgon2Memory {
				return nil, errors.New("expected at most m=524288")
			}
		}
		digest, err := f.decode(secret)
		if err != nil {
			return nil, errors.New("the hash cannot be read")
		}
		return cryptVerifier{digest, workOf(secret)}, nil
	}
	return nil, errors.New("the hash does not have the scheme's form, or a work factor is beyond reason")
}

// workOf returns the part of a hash that says what a check costs: its kind, and
// the work factor where there is one.
func workOf(secret string) string {
	fields := strings.Split(secret, "$") // the first is empty
	last := 2
	switch {
	case strings.HasPrefix(fields[1], "argon2"):
		last = 3
	case len(fields[1]) == 1 && fields[1] != "y" && !strings.HasPrefix(fields[2], "rounds="):
		last = 1
	}
	return strings.Join(fields[1:last+1], "$")
}
