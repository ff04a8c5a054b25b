package message

import "bytes"

// readFields calls each for the fields of the header at the start of octets. A
// value is as it came: folded and encoded, with its line ends. The header ends
// at an empty line, at the end of octets, or where somebody forgot the empty
// line.
//
// net/mail and go-message refuse a header for one wrong line.
//
// used is where the body begins; strange says that lines were left out because
// they are no fields.
func readFields(octets []byte, each func(name, value []byte)) (used int, strange bool) {
	octets0 := octets
	octets = bytes.TrimPrefix(octets, []byte("\uFEFF"))
	bom := len(octets0) - len(octets)

	var name []byte     // of the field that is being read; nil: none
	var from, until int // its value
	flush := func() {
		if name != nil {
			each(name, octets[from:until])
		}
	}
	junk := false // the lines since until are no fields
	pos := 0
	for pos < len(octets) {
		next := lineEnd(octets, pos)
		line := bytes.TrimRight(octets[pos:next], "\r\n")
		folded := len(line) > 0 && (line[0] == ' ' || line[0] == '\t')
		n := 0
		if !folded {
			n = nameLength(line)
		}
		switch {
		case len(line) == 0, endsHeader(line):
			flush()
			if junk {
				return bom + until, strange
			}
			if len(line) == 0 {
				pos = next
			}
			return bom + pos, strange
		case pos == 0 && isMboxLine(line):
			until = next
		case n > 0:
			flush()
			strange = strange || junk
			junk = false
			name = line[:n]
			from = pos + bytes.IndexByte(line, ':') + 1
			until = next
		case !junk && name != nil && (folded || isUnfinished(octets[from:until])):
			until = next
		default:
			junk = true
		}
		pos = next
	}
	flush()
	if junk {
		return bom + until, strange
	}
	return len(octets0), strange
}

func lineEnd(octets []byte, pos int) int {
	if i := bytes.IndexByte(octets[pos:], '\n'); i >= 0 {
		return pos + i + 1
	}
	return len(octets)
}

// nameLength returns the length of the field name that line begins with, 0 if
// line is no field.
func nameLength(line []byte) int {
	n := 0
	for n < len(line) && line[n] > ' ' && line[n] < 0x7f && line[n] != ':' {
		n++
	}
	colon := n
	for colon < len(line) && (line[colon] == ' ' || line[colon] == '\t') {
		colon++
	}
	if colon == len(line) || line[colon] != ':' || endsHeader(line) {
		return 0
	}
	return n
}

// endsHeader says whether the line belongs to a body, where the empty line
// between is missing: a boundary, or what PGP begins with.
func endsHeader(line []byte) bool { return bytes.HasPrefix(line, []byte("--")) }

// isMboxLine: "From ada@example.org Thu Jan 1 ..." comes from an mbox file and is
// no field.
func isMboxLine(line []byte) bool {
	return bytes.HasPrefix(bytes.TrimPrefix(line, []byte(">")), []byte("From "))
}

// isUnfinished says whether a value must go on in the next line, even though that
// is not folded.
func isUnfinished(value []byte) bool {
	value = bytes.TrimRight(value, " \t\r\n")
	return bytes.HasSuffix(value, []byte(";"))
}
