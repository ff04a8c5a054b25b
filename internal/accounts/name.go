package accounts

import (
	"errors"
	"fmt"
	"strings"

	"postfach/internal/hint"
	"postfach/sasl"
)

// maxName is the longest user name, in octets.
const maxName = 128

// CheckName says why a name cannot be a user's: names are parts of paths, and
// are told apart by machines and by people.
func CheckName(name string) error {
	err := checkName(name)
	return hint.Add(err, "use a-z 0-9 . _ + @ -, at most %d of them, no dot or dash at the start, no two dots in a row", maxName)
}

func checkName(name string) error {
	switch {
	case name == "":
		return errors.New("the user name is empty")
	case len(name) > maxName:
		return errors.New("the user name is too long")
	case name[0] == '.' || name[0] == '-' || strings.Contains(name, ".."):
		return fmt.Errorf("user name %q is not allowed", name)
	}
	for i := range len(name) {
		if !nameOctet(name[i]) {
			return fmt.Errorf("user name %q is not allowed", name)
		}
	}
	return nil
}

// SmallLetters makes the letters A to Z of a name small, for names that come from
// where case means nothing. It makes no other letter small: those of Unicode become
// letters of ASCII at times, as the Kelvin sign does, and so somebody else's name.
func SmallLetters(name string) string {
	return strings.Map(func(r rune) rune {
		if 'A' <= r && r <= 'Z' {
			r += 'a' - 'A'
		}
		return r
	}, name)
}

func nameOctet(c byte) bool {
	return 'a' <= c && c <= 'z' || '0' <= c && c <= '9' || strings.IndexByte("._+@-", c) >= 0
}

// lookupName returns the name as the file would spell it, or "", which is
// nobody's, when it cannot be a user's: from outside that looks like a name
// that is not there (P3-USR-10, P3-UTF-07).
func lookupName(name string) string {
	prepared, err := sasl.PrepareName(name)
	if err != nil || checkName(prepared) != nil {
		return ""
	}
	return prepared
}
