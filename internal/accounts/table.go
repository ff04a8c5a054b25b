package accounts

import (
	"maps"
	"slices"
	"strings"

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

// parse understands a file. name is what errors call it.
func parse(name, content string) (*table, error) {
	accounts, bad := survey(name, content)
	if len(bad) > 0 {
		return nil, bad
	}
	return newTable(accounts), nil
}

func newTable(accounts []*account) *table {
	t := &table{byName: map[string]*account{}, inFile: accounts, byCertificate: map[string]string{}, classes: classes{}}
	for _, a := range accounts {
		a.made = a.makeEntry()
		t.byName[a.User] = a
		t.classes.saw(a.made.shape(), a.made)
		for _, c := range a.Certificates {
			t.byCertificate[c] = a.User
		}
	}
	t.countOffers()
	return t
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
