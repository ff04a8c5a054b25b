// Package faults is a list of mistakes that Postfach has not made: small edits of
// its code, each of which breaks one of its promises, and the test that fails then.
// A test that no fault makes fail proves nothing. scripts/plant-faults plants them
// one by one; internal/archtest holds the list, the tests and docs/SECURITY.md
// together.
package faults

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// A Fault breaks one promise.
type Fault struct {
	Promise int    // its number in docs/SECURITY.md
	Name    string // what is wrong then
	Package string // folder of the test, from the module's
	Test    string // its name, and perhaps that of a part of it: what go test -run takes
	Edits   []Edit
}

// An Edit replaces a text in a file, which has it once.
type Edit struct {
	File     string // from the module's folder
	Old, New string
}

// Plant returns the contents of the files that a fault changes, by their names. It
// changes nothing. The error says which edit does not fit its file any more.
func (f Fault) Plant(module string) (map[string]string, error) {
	files := map[string]string{}
	for _, e := range f.Edits {
		text, known := files[e.File]
		if !known {
			octets, err := os.ReadFile(filepath.Join(module, filepath.FromSlash(e.File)))
			if err != nil {
				return nil, err
			}
			text = string(octets)
		}
		if n := strings.Count(text, e.Old); n != 1 {
			return nil, fmt.Errorf("promise %d, %s: %s has this %d times: %q", f.Promise, f.Name, e.File, n, e.Old)
		}
		files[e.File] = strings.Replace(text, e.Old, e.New, 1)
	}
	return files, nil
}
