package accounts

import (
	"strings"

	"postfach/internal/hint"
)

// survey understands as much of a file as it can, and says which lines are bad: its
// accounts, in their order. name is what errors call the file. A last line without
// an end may be half of one, from somebody who writes in place: the half could
// be an account without the field that closes it.
func survey(name, content string) (good []*account, bad badLines) {
	at := map[string]int{}
	certificates := map[string]string{}
	number := 0
	for line := range strings.Lines(content) {
		number++
		text := strings.TrimRight(line, "\r\n")
		if blank(text) && strings.HasSuffix(line, "\n") {
			continue
		}
		a, err := understand(line, text, certificates, at)
		if err != nil {
			bad = append(bad, badLine{name, number, splitLine(text)[0], err})
			continue
		}
		at[a.User] = number
		good = append(good, a)
	}
	return good, bad
}

// understand returns the account of a line. Other lines may have its certificates or
// its name already.
func understand(line, text string, certificates map[string]string, at map[string]int) (*account, error) {
	if !strings.HasSuffix(line, "\n") {
		return nil, hint.Add(errNoEnd, "end it with a line feed: without one it may be cut off")
	}
	a, err := parseLine(text)
	if err == nil {
		err = claim(a, certificates)
	}
	if err != nil {
		return nil, err
	}
	if first, again := at[a.User]; again {
		return nil, hint.Add(&againError{a.User, first}, "remove one of the two lines")
	}
	return a, nil
}

// claim makes certificates an account's. No two accounts have the same one.
func claim(a *account, certificates map[string]string) error {
	for _, c := range a.Certificates {
		if other, taken := certificates[c]; taken {
			return hint.Add(&takenError{a.User, other}, "give each account a certificate of its own")
		}
		certificates[c] = a.User
	}
	return nil
}
