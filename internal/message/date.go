package message

import (
	"bytes"
	"strconv"
	"strings"
	"time"
)

// parseDate reads a Date field, in whatever form: RFC 5322 with its obsolete
// years and zones, what C's ctime writes, ISO 8601. It looks at each word for
// itself, so that garbage between them does no harm, as it does to net/mail. Zero:
// there is no day, month and year in it.
func parseDate(raw []byte) time.Time {
	const longest = 200
	d := dateWords{day: -1, year: -1}
	text := string(raw[:min(len(raw), longest)])
	for word := range strings.FieldsFuncSeq(stripComments(text), isDateSpace) {
		d.add(word)
	}
	return d.time()
}

func isDateSpace(r rune) bool { return r <= ' ' || r == ',' }

// stripComments replaces what is in brackets by a space.
func stripComments(s string) string {
	if !strings.ContainsRune(s, '(') {
		return s
	}
	depth := 0
	return strings.Map(func(r rune) rune {
		switch {
		case r == '(':
			depth++
		case r == ')' && depth > 0:
			depth--
		case depth == 0:
			return r
		}
		return ' '
	}, s)
}

// dateWords are the words of a date, as far as they are understood.
type dateWords struct {
	day, year            int // -1: not yet
	month                time.Month
	clock                bool // the time of day is known
	hour, minute, second int
	afternoon, forenoon  bool
	zone                 int // seconds east of Greenwich
}

func (d *dateWords) add(word string) {
	c := word[0]
	switch {
	case strings.Contains(word, ":"):
		d.addTime(word)
	case (c == '+' || c == '-') && d.clock:
		d.addOffset(word)
	case strings.Count(word, "-") == 2: // 2026-01-31, 31-Jan-2026
		for part := range strings.SplitSeq(word, "-") {
			if part != "" {
				d.add(part)
			}
		}
	case c >= '0' && c <= '9':
		d.addNumber(word)
	default:
		d.addName(word)
	}
}

// addTime takes "12:00:00.5", "12:00+0100" or "2026-01-31T12:00:00Z".
func (d *dateWords) addTime(word string) {
	if date, clock, ok := strings.Cut(word, "T"); ok && strings.Count(date, "-") == 2 {
		d.add(date)
		word = clock
	}
	if d.clock {
		return
	}
	if i := strings.IndexAny(word, "+-Zz"); i >= 0 {
		defer d.addOffset(word[i:])
		word = word[:i]
	}
	var numbers [3]int
	for i := range numbers {
		var part string
		part, word, _ = strings.Cut(word, ":")
		part, _, _ = strings.Cut(part, ".")
		n, err := strconv.Atoi(part)
		if err != nil {
			break
		}
		numbers[i] = n
	}
	d.hour, d.minute, d.second = numbers[0], numbers[1], numbers[2]
	d.clock = true
}

// addOffset takes "+0100", "-600" (an hour of one digit), "+01:00" or "Z".
func (d *dateWords) addOffset(word string) {
	digits := strings.ReplaceAll(word[1:], ":", "")
	n, err := strconv.Atoi(digits)
	if err != nil || n < 0 {
		return
	}
	hours, minutes := n/100, n%100
	switch {
	case len(digits) <= 2:
		hours, minutes = n, 0
	case minutes >= 60: // "+070": its last digit is missing
		hours, minutes = n/10, 0
	}
	if hours > 14 {
		return
	}
	d.zone = hours*3600 + minutes*60
	if word[0] == '-' {
		d.zone = -d.zone
	}
}

func (d *dateWords) addNumber(word string) {
	digits := strings.TrimRight(word, "stndrh.") // 1st, 2nd, 3rd, 4th
	n, err := strconv.Atoi(digits)
	switch {
	case err != nil:
	case len(digits) <= 2 && d.day < 0:
		d.day = n
	case len(digits) <= 2 && d.month == 0 && d.year >= 0 && d.day <= 12: // 2026-01-31
		d.month, d.day = time.Month(d.day), n
	case d.year >= 0:
	case len(digits) == 2 && n < 50: // RFC 5322, section 4.3
		d.year = 2000 + n
	case len(digits) <= 3:
		d.year = 1900 + n
	case len(digits) == 4:
		d.year = n
	}
}

const months = "janfebmaraprmayjunjulaugsepoctnovdec"

func (d *dateWords) addName(word string) {
	word = strings.ToLower(word)
	switch word {
	case "pm":
		d.afternoon = true
		return
	case "am":
		d.forenoon = true
		return
	}
	if name, offset, ok := strings.Cut(word, "+"); ok && name != "" && d.clock { // GMT+0100
		d.addOffset("+" + offset)
		return
	}
	if hours, ok := zoneHours(word); ok && d.clock {
		d.zone = hours * 3600
		return
	}
	if len(word) < 3 || d.month != 0 {
		return
	}
	if i := strings.Index(months, word[:3]); i >= 0 && i%3 == 0 {
		d.month = time.Month(i/3 + 1)
	}
}

// zoneHours knows the zones of RFC 5322, section 4.3, and a few that are met in
// mail. The others count as UTC, as the RFC says.
func zoneHours(name string) (hours int, ok bool) {
	switch name {
	case "edt", "ast":
		return -4, true
	case "est", "cdt":
		return -5, true
	case "cst", "mdt":
		return -6, true
	case "mst", "pdt":
		return -7, true
	case "pst":
		return -8, true
	case "cet", "met", "mez":
		return 1, true
	case "cest", "mest", "mesz", "eet":
		return 2, true
	case "eest", "msk":
		return 3, true
	case "jst", "kst":
		return 9, true
	}
	return 0, false
}

func (d *dateWords) time() time.Time {
	if d.day < 1 || d.month < 1 || d.month > 12 || d.year < 1900 {
		return time.Time{}
	}
	if d.afternoon && d.hour < 12 {
		d.hour += 12
	}
	if d.forenoon && d.hour == 12 {
		d.hour = 0
	}
	if d.hour > 24 || d.minute > 59 || d.second > 60 {
		return time.Time{}
	}
	zone := time.UTC
	if d.zone != 0 {
		zone = time.FixedZone("", d.zone)
	}
	t := time.Date(d.year, d.month, d.day, d.hour, d.minute, d.second, 0, zone)
	if d.hour < 24 && t.Day() != d.day && d.second < 60 {
		return time.Time{} // 31 February
	}
	return t
}

// isBlank says whether a value is white space only.
func isBlank(value []byte) bool { return len(bytes.TrimSpace(value)) == 0 }
