package explore

import (
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// A search is Query.Search, taken apart.
type search struct {
	words  []string // lower case
	limits []sizeLimit
}

// A sizeLimit is a word such as ">1M".
type sizeLimit struct {
	over   bool // else under
	octets float64
}

// maxWords bounds what each message is searched for.
const maxWords = 20

func parseSearch(text string) search {
	var s search
	for _, word := range strings.Fields(text) {
		if limit, ok := parseSize(word); ok {
			s.limits = append(s.limits, limit)
		} else if len(s.words) < maxWords {
			s.words = append(s.words, strings.ToLower(word))
		}
	}
	return s
}

// parseSize reads ">1M", "<20k" and ">1000"; k, M and G are powers of 1024.
func parseSize(word string) (l sizeLimit, ok bool) {
	number, over := strings.CutPrefix(word, ">")
	if !over {
		if number, ok = strings.CutPrefix(word, "<"); !ok {
			return l, false
		}
	}
	unit := 1.0
	number = strings.TrimRight(number, "bB")
	if n := len(number); n > 0 {
		switch number[n-1] {
		case 'k', 'K':
			unit = 1 << 10
		case 'm', 'M':
			unit = 1 << 20
		case 'g', 'G':
			unit = 1 << 30
		}
		if unit > 1 {
			number = number[:n-1]
		}
	}
	if number == "" || strings.Trim(number, "0123456789.") != "" {
		return l, false
	}
	octets, err := strconv.ParseFloat(number, 64)
	return sizeLimit{over, octets * unit}, err == nil
}

// fits reports whether the size is asked for.
func (s *search) fits(size int64) bool {
	for _, l := range s.limits {
		if l.over && float64(size) <= l.octets || !l.over && float64(size) >= l.octets {
			return false
		}
	}
	return true
}

// found reports whether all words occur in the row. number is its number as
// people see it, 0 for none; a word that is one means that message alone.
func (s *search) found(r *row, number int) bool {
	for _, w := range s.words {
		if !r.has(w, number) {
			return false
		}
	}
	return true
}

func (r *row) has(word string, number int) bool {
	if containsFold(string(r.id), word) || number > 0 && word == strconv.Itoa(number) {
		return true
	}
	h := r.summary
	return h != nil && (containsFold(h.From, word) || containsFold(h.Subject, word) || containsFold(h.Address, word) || containsFold(h.To, word))
}

// containsFold reports whether word, which is lower case, occurs in text in any
// case. Most text is ASCII, and then nothing is copied.
func containsFold(text, word string) bool {
	if word == "" {
		return true
	}
	first := word[0]
	if first >= utf8.RuneSelf || !ascii(text) {
		return strings.Contains(strings.ToLower(text), word)
	}
	for i := 0; i+len(word) <= len(text); i++ {
		if lower(text[i]) == first && prefixFold(text[i:], word) {
			return true
		}
	}
	return false
}

func prefixFold(text, word string) bool {
	for i := range len(word) {
		if lower(text[i]) != word[i] {
			return false
		}
	}
	return true
}

func ascii(text string) bool {
	for i := range len(text) {
		if text[i] >= utf8.RuneSelf {
			return false
		}
	}
	return true
}

func lower(b byte) byte {
	if 'A' <= b && b <= 'Z' {
		return b + ('a' - 'A')
	}
	return b
}

// compareFold orders texts as a person looks for them: in any case.
func compareFold(a, b string) int {
	for a != "" && b != "" {
		x, y := rune(lower(a[0])), rune(lower(b[0]))
		n, m := 1, 1
		if x >= utf8.RuneSelf || y >= utf8.RuneSelf {
			x, n = utf8.DecodeRuneInString(a)
			y, m = utf8.DecodeRuneInString(b)
			x, y = unicode.ToLower(x), unicode.ToLower(y)
		}
		if x != y {
			return int(x) - int(y)
		}
		a, b = a[n:], b[m:]
	}
	return len(a) - len(b)
}
