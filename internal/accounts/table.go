package accounts

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"postfach/internal/hint"
	"postfach/sasl"
)

// A table is a whole accounts file, understood. It does not change.
type table struct {
	byName        map[string]*account
	inFile        []*account // in the order of the file
	byCertificate map[string]string
	classes       classes
	offers        map[sasl.ScramHash]bool // whether every open account can use it
}

// parse understands a file. name is what errors call it. A last line without
// an end may be half of one, from somebody who writes in place: the half could
// be an account without the field that closes it.
func parse(name, content string) (*table, error) {
	t, bad := survey(name, content)
	if len(bad) > 0 {
		return nil, bad
	}
	return t, nil
}

// survey understands as much of a file as it can, and says which lines are bad.
func survey(name, content string) (*table, badLines) {
	t := &table{byName: map[string]*account{}, byCertificate: map[string]string{}, classes: classes{}}
	at := map[string]int{}
	var bad badLines
	number := 0
	for line := range strings.Lines(content) {
		number++
		wrong := func(err error) {
			bad = append(bad, badLine{name, number, splitLine(strings.TrimRight(line, "\r\n"))[0], err})
		}
		if !strings.HasSuffix(line, "\n") {
			wrong(hint.Add(errNoEnd, "end it with a line feed: without one it may be cut off"))
			continue
		}
		line = strings.TrimRight(line, "\r\n")
		if blank(line) {
			continue
		}
		a, err := parseLine(line)
		if err == nil {
			err = t.claim(a)
		}
		if err != nil {
			wrong(err)
			continue
		}
		if first, again := at[a.User]; again {
			wrong(hint.Add(&againError{a.User, first}, "remove one of the two lines"))
			continue
		}
		at[a.User] = number
		t.byName[a.User] = a
		t.inFile = append(t.inFile, a)
		e := a.makeEntry()
		t.classes.saw(e.shape(), e)
	}
	t.countOffers()
	return t, bad
}

// claim makes certificates an account's. No two accounts have the same one.
func (t *table) claim(a *account) error {
	for _, c := range a.Certificates {
		if other, taken := t.byCertificate[c]; taken {
			return hint.Add(fmt.Errorf("user %s: the certificate is %s's already", a.User, other), "give each account a certificate of its own")
		}
		t.byCertificate[c] = a.User
	}
	return nil
}

// countOffers looks which SCRAM every open account can use. In a file without
// accounts that is what new ones will have.
func (t *table) countOffers() {
	t.offers = map[sasl.ScramHash]bool{sasl.SHA256: true, sasl.SHA1: len(t.inFile) > 0}
	for h := range t.offers {
		for _, a := range t.inFile {
			if a.Closed == "" && !a.offers(h) {
				t.offers[h] = false
				break
			}
		}
	}
}

// weak returns the schemes in use that give passwords away to whoever gets hold of
// the file, and how many accounts have one.
func (t *table) weak() (schemes []string, accounts int) {
	found := map[string]bool{}
	for _, a := range t.inFile {
		if a.kept.weak {
			found[a.Scheme] = true
			accounts++
		}
	}
	return slices.Sorted(maps.Keys(found)), accounts
}

// blank reports whether a line of the file says nothing: empty, or a comment.
func blank(line string) bool {
	line = strings.TrimSpace(line)
	return line == "" || line[0] == '#'
}
