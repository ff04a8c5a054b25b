package explain

import "strconv"

// A number is written with the separators of the language: 25,750 and 25.750.
// The numbers of messages are names, not amounts, and are written plainly.
type number int64

func (n number) in(l Language) string {
	digits := strconv.FormatInt(int64(n), 10)
	sign := ""
	if n < 0 {
		sign, digits = "-", digits[1:]
	}
	separator := phrase{",", "."}.in(l)
	for i := len(digits) - 3; i > 0; i -= 3 {
		digits = digits[:i] + separator + digits[i:]
	}
	return sign + digits
}

// A noun is what can be counted: one of it, and several.
type noun struct{ one, several phrase }

// The nouns. German ones stand in a case that fits all sentences they are in.
var (
	messages  = noun{phrase{"message", "Nachricht"}, phrase{"messages", "Nachrichten"}}
	octets    = noun{phrase{"octet", "Byte"}, phrase{"octets", "Byte"}}
	lines     = noun{phrase{"line", "Zeile"}, phrase{"lines", "Zeilen"}}
	moreLines = noun{phrase{"more line", "weitere Zeile"}, phrase{"more lines", "weitere Zeilen"}}
	marks     = noun{phrase{"mark", "Vormerkung"}, phrase{"marks", "Vormerkungen"}}
	days      = noun{phrase{"day", "Tag"}, phrase{"days", "Tage"}}
	seconds   = noun{phrase{"second", "Sekunde"}, phrase{"seconds", "Sekunden"}}
	rounds    = noun{phrase{"round", "Runde"}, phrase{"rounds", "Runden"}}
	uniqueIDs = noun{phrase{"unique-id", "eindeutige Kennung"}, phrase{"unique-ids", "eindeutige Kennungen"}}
	abilities = noun{phrase{"capability", "Fähigkeit"}, phrase{"capabilities", "Fähigkeiten"}}
	ways      = noun{phrase{"mechanism", "Verfahren"}, phrase{"mechanisms", "Verfahren"}}
	tongues   = noun{phrase{"language", "Sprache"}, phrase{"languages", "Sprachen"}}
)

// A quantity is a number of something: "1 message", "25,750 octets".
type quantity struct {
	number
	noun
}

func (n noun) times(count int64) quantity { return quantity{number(count), n} }

func (q quantity) in(l Language) string {
	if q.number == 1 {
		return q.number.in(l) + " " + q.one.in(l)
	}
	return q.number.in(l) + " " + q.several.in(l)
}

// A selection names messages by their numbers: "message 2", "messages 1, 2
// and 3". Of many it names the first few. more counts those whose numbers are
// not known.
type selection struct {
	numbers []int
	more    int
}

// mostNamed is how many numbers a sentence bears.
const mostNamed = 8

func (s selection) count() int { return len(s.numbers) + s.more }

func (s selection) in(l Language) string {
	named := min(len(s.numbers), mostNamed)
	words := make([]string, 0, named+1)
	for _, n := range s.numbers[:named] {
		words = append(words, strconv.Itoa(n))
	}
	if rest := s.count() - named; rest > 0 {
		words = append(words, l.say(phrase{"%s more", "%s weitere"}, number(rest)))
	}
	return l.say(s.of(phrase{"message %s", "Nachricht %s"}, phrase{"messages %s", "die Nachrichten %s"}), l.list(and, words))
}

// of chooses between one and several.
func (s selection) of(one, several phrase) phrase {
	if s.count() == 1 {
		return one
	}
	return several
}
