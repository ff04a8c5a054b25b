package explain

import "bytes"

// A said line, without its line end.
type said struct {
	octets []byte // at most longestLine
	cut    int    // how many followed them
	crlf   bool   // it ended with CR LF; else with LF alone
}

// A piece is the part of a line that has come so far.
type piece struct {
	kept []byte
	cut  int  // octets behind kept that were not kept
	last byte // the last octet
}

// keep adds octets of a line that is not complete.
func (p *piece) keep(octets []byte) {
	if len(octets) == 0 {
		return
	}
	p.last = octets[len(octets)-1]
	room := min(len(octets), longestLine-len(p.kept))
	p.kept = append(p.kept, octets[:room]...)
	p.cut += len(octets) - room
}

// end adds the last octets of a line, up to its LF, and returns the line, which
// holds until the next call. The piece is empty then.
func (p *piece) end(octets []byte) said {
	if len(p.kept) > 0 || len(octets) > longestLine {
		p.keep(octets)
		octets = p.kept
	} else if len(octets) > 0 {
		p.last = octets[len(octets)-1]
	}
	l := said{octets: octets, cut: p.cut, crlf: p.last == '\r'}
	switch {
	case !l.crlf:
	case l.cut > 0:
		l.cut--
	default:
		l.octets = bytes.TrimSuffix(l.octets, []byte{'\r'})
	}
	p.kept, p.cut, p.last = p.kept[:0], 0, 0
	return l
}
