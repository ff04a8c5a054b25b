package transcript

import (
	"maps"
	"strings"

	"postfach/pop3"
)

// vars are the placeholders' values so far, and the greeting's timestamp.
type vars struct {
	values    map[string]string
	timestamp string
}

func newVars(given map[string]string) *vars {
	v := &vars{values: make(map[string]string)}
	maps.Copy(v.values, given)
	return v
}

// heard takes the timestamp from the first line that the server says.
func (v *vars) heard(greeting string) {
	if v.timestamp == "" {
		v.timestamp, _ = pop3.Timestamp(greeting)
	}
}

// match reports whether got is what parts say, and then remembers what the
// placeholders stood for. A bare +OK or -ERR allows any text (RFC 1939 section
// 9).
func (v *vars) match(parts []Part, got string) bool {
	if len(parts) == 1 && (parts[0].Octets == "+OK" || parts[0].Octets == "-ERR") {
		rest, ok := strings.CutPrefix(got, parts[0].Octets)
		return ok && (rest == "" || rest[0] == ' ')
	}
	found := make(map[string]string)
	if !v.matchParts(parts, got, found) {
		return false
	}
	maps.Copy(v.values, found)
	return true
}

func (v *vars) matchParts(parts []Part, got string, found map[string]string) bool {
	if len(parts) == 0 {
		return got == ""
	}
	p := parts[0]
	known, ok := v.value(p, found)
	if ok {
		rest, has := strings.CutPrefix(got, known)
		return has && v.matchParts(parts[1:], rest, found)
	}
	switch {
	case p.Rest:
		if p.Var != "" {
			found[p.Var] = got
		}
		return true
	case p.Var == "":
		return false
	}
	run := strings.IndexByte(got, ' ')
	if run < 0 {
		run = len(got)
	}
	for n := run; n > 0; n-- {
		found[p.Var] = got[:n]
		if v.matchParts(parts[1:], got[n:], found) {
			return true
		}
	}
	delete(found, p.Var)
	return false
}

// value returns what p stands for, if that is known.
func (v *vars) value(p Part, found map[string]string) (octets string, ok bool) {
	switch {
	case p.Secret != "":
		return pop3.APOPDigest(v.timestamp, p.Secret), v.timestamp != ""
	case p.Var != "":
		if octets, ok = found[p.Var]; !ok {
			octets, ok = v.values[p.Var]
		}
		return octets, ok
	}
	return p.Octets, !p.Rest
}

// fill returns the octets of a line to send. missing names a placeholder that
// has no value yet.
func (v *vars) fill(l Line) (octets []byte, missing string) {
	for _, p := range l.Parts {
		value, ok := v.value(p, nil)
		switch {
		case ok:
			octets = append(octets, value...)
		case p.Rest:
			return nil, "{*}"
		case p.Secret != "":
			return nil, "{apop:...}: the greeting had no timestamp"
		default:
			return nil, "{" + p.Var + "}"
		}
	}
	if !l.NoEnd {
		octets = append(octets, "\r\n"...)
	}
	return octets, ""
}
