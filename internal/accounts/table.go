package accounts

import (
	"fmt"
	"strings"

	"postfach/internal/hint"
)

// A table is a whole accounts file, understood. It does not change.
type table struct {
	byName map[string]*account
	inFile []*account // in the order of the file
}

// parse understands a file. name is what errors call it. A last line without
// an end may be half of one, from somebody who writes in place: the half could
// be an account without the field that closes it.
func parse(name, content string) (*table, error) {
	t := &table{byName: map[string]*account{}}
	at := map[string]int{}
	number := 0
	for line := range strings.Lines(content) {
		number++
		if !strings.HasSuffix(line, "\n") {
			return nil, hint.Add(fmt.Errorf("%s:%d: the last line has no end", name, number), "end it with a line feed: without one it may be cut off")
		}
		line = strings.TrimRight(line, "\r\n")
		if blank(line) {
			continue
		}
		a, err := parseLine(line)
		if err != nil {
			return nil, fmt.Errorf("%s:%d: %w", name, number, err)
		}
		if first, again := at[a.User]; again {
			return nil, hint.Add(fmt.Errorf("%s:%d: user %s again, first on line %d", name, number, a.User, first), "remove one of the two lines")
		}
		at[a.User] = number
		t.byName[a.User] = a
		t.inFile = append(t.inFile, a)
	}
	return t, nil
}

// blank reports whether a line of the file says nothing: empty, or a comment.
func blank(line string) bool {
	line = strings.TrimSpace(line)
	return line == "" || line[0] == '#'
}
