package explain

import "strings"

// leastRemark is how many words make a remark. A single one more than a command
// has is rather a mistake of who typed it.
const leastRemark = 2

// CutRemark parts a command from the words behind it that a book or a web page
// puts there in a column of its own: "STAT How many are there?". ok is false
// where line is no command with fitting arguments in capitals, or has no such
// words.
func CutRemark(line string) (command, remark string, ok bool) {
	fields := strings.Fields(line)
	if len(fields) == 0 {
		return "", "", false
	}
	r := rowOf(fields[0])
	if r.keyword != fields[0] || !r.fixed() {
		return "", "", false
	}
	rest := fields[1:]
	n := 0
	for n < r.most && n < len(rest) && (!r.numbered || isNumber(rest[n])) {
		n++
	}
	if n < r.least || len(rest)-n < leastRemark {
		return "", "", false
	}
	return strings.Join(fields[:1+n], " "), strings.Join(rest[n:], " "), true
}

// fixed says whether it can be seen where the arguments of a command end. Behind
// PASS and APOP all may be a secret.
func (r *row) fixed() bool {
	return r.numbered || r.most == 0 || r == &userRow
}
