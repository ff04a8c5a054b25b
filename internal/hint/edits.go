package hint

import (
	"errors"
	"regexp"
)

// Edits counts the letters to insert, remove or change between two words: what is
// near may be what somebody meant.
func Edits(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			cost := diagonal
			if a[i] != b[j] {
				cost++
			}
			diagonal = row[j+1]
			row[j+1] = min(cost, row[j]+1, diagonal+1)
		}
	}
	return row[len(b)]
}

// guess is what a command line's parser adds for a flag of one letter.
var guess = regexp.MustCompile(`^(unknown flag -[^-]), did you mean .*$`)

// WithoutGuess takes the guess off an error about an unknown flag of one letter: every
// other one is near.
func WithoutGuess(err error) error {
	if found := guess.FindStringSubmatch(err.Error()); found != nil {
		return errors.New(found[1])
	}
	return err
}
