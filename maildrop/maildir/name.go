package maildir

import (
	"cmp"
	"crypto/sha256"
	"encoding/base32"
	"strings"

	"postfach/internal/popwire"
	"postfach/pop3"
)

// A name is what the name of a message's file says:
// SECONDS.UNIQUE.HOST[,S=octets][,W=octets][:2,FLAGS].
type name struct {
	whole string
	end   int // of the base
}

func parseName(whole string) name { return name{whole, len(baseOf(whole))} }

// base is what stands before the first "," or ":". It does not change when flags do.
func (n name) base() string { return n.whole[:n.end] }

// suffix is the rest.
func (n name) suffix() string { return n.whole[n.end:] }

// seconds returns the decimal digits that the name begins with, empty without.
func (n name) seconds() string { return digits(n.base()) }

// micros returns those of the microseconds, empty without.
func (n name) micros() string {
	_, unique, _ := strings.Cut(n.base(), ".")
	unique, _, _ = strings.Cut(unique, ".")
	for {
		_, after, found := strings.Cut(unique, "M")
		if micros := digits(after); !found || micros != "" {
			return micros
		}
		unique = after
	}
}

// digits returns the decimal digits that s begins with.
func digits(s string) string {
	n := 0
	for n < len(s) && '0' <= s[n] && s[n] <= '9' {
		n++
	}
	return s[:n]
}

// compareNames puts messages in the order of their numbers: by time, as numbers
// because not every MTA pads them, then by name (P3-MSG-01).
func compareNames(a, b name) int {
	if c := compareDigits(a.seconds(), b.seconds()); c != 0 {
		return c
	}
	if c := compareDigits(a.micros(), b.micros()); c != 0 {
		return c
	}
	return cmp.Or(strings.Compare(a.base(), b.base()), strings.Compare(a.whole, b.whole))
}

// compareDigits compares numbers of any length.
func compareDigits(a, b string) int {
	a, b = strings.TrimLeft(a, "0"), strings.TrimLeft(b, "0")
	return cmp.Or(cmp.Compare(len(a), len(b)), strings.Compare(a, b))
}

// uniqueID returns the id of the only file with this base (P3-UIDL-03).
func (n name) uniqueID() pop3.UniqueID {
	if id := pop3.UniqueID(n.base()); id.Valid() {
		return id
	}
	return hashID(n.base())
}

// hashID makes a legal unique-id of any text.
func hashID(s string) pop3.UniqueID {
	sum := sha256.Sum256([]byte(s))
	text := base32.StdEncoding.WithPadding(base32.NoPadding).EncodeToString(sum[:])
	return pop3.UniqueID("h" + strings.ToLower(text))
}

// size returns what the name of a file says of the message's size on the wire; -1: it
// says nothing that can be believed. A name is only a hint: S= that is not the file's
// length says that the whole name cannot be believed, and W= must be possible.
func (n name) size(octets int64) int64 {
	length, wire := n.hints()
	if wire < octets || wire > 2*octets+2 || length >= 0 && length != octets {
		return -1
	}
	return wire
}

// hints returns what the name says of the file's length (S=) and of the
// message's size on the wire (W=); -1 where it says nothing that is a number.
func (n name) hints() (length, wire int64) {
	length, wire = -1, -1
	fields, _, _ := strings.Cut(n.suffix(), ":")
	for field := range strings.SplitSeq(fields, ",") {
		key, value, _ := strings.Cut(field, "=")
		number, ok := popwire.ParseNumber(value)
		if !ok {
			continue
		}
		switch key {
		case "S":
			length = number
		case "W":
			wire = number
		}
	}
	return length, wire
}
