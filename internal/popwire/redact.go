package popwire

import "bytes"

// Secret stands in traces where a secret was said (P3-USR-12).
const Secret = "<secret>"

// Redact returns a client's line, without line end, as a trace may show it:
// nothing behind PASS, no digest behind APOP, no initial response behind AUTH.
// Lines that are no command but begin like these three are hidden, too.
func Redact(line []byte) []byte {
	if len(line) < 4 {
		return line
	}
	keep := 4
	switch upper(line[:4]) {
	case "PASS":
	case "APOP", "AUTH": // the word after the keyword is a name
		if len(line) > 5 && line[4] == ' ' {
			if end := bytes.IndexByte(line[5:], ' '); end >= 0 {
				keep = 5 + end
			} else {
				keep = len(line)
			}
		}
	default:
		return line
	}
	if len(line) <= keep {
		return line
	}
	redacted := append([]byte(nil), line[:keep]...)
	return append(redacted, " "+Secret...)
}
