package awkward

import (
	"bytes"
	"strings"
)

// Maildrop returns the messages of a maildrop that transcripts name, in their
// order. nil means that there is none of this name.
func Maildrop(name string) []Message {
	switch name {
	case "", "box3": // the requirements catalogue's: 54 + 700 + 700 octets
		return []Message{
			{"dots", []byte("From: a@example.com\r\nSubject: dots\r\n\r\n.\r\n..two\r\nlast\r\n")},
			sized("stored with LF", "\n", 700),
			{"no line end at the end", bytes.TrimSuffix(sized("no line end at the end", "\r\n", 700).Octets, []byte("\r\n"))},
		}
	case "rfc1939": // RFC 1939 section 10: 120 + 200 octets
		return []Message{small("one", 120), small("two", 200)}
	case "netzprisma": // the document that Postfach began with
		return []Message{
			sized("Rechnung", "\r\n", 1856),
			sized("Urlaubsbilder", "\n", 19500),
			sized("Termin", "\r\n", 4394),
		}
	case "headers": // a header only, with and without the empty line
		return []Message{
			{"no empty line", []byte("Subject: no empty line\n")},
			{"no body", []byte("Subject: no body\n\n")},
			{"no body, no line end", []byte("Subject: cut")},
		}
	case "five":
		return []Message{small("1", 101), small("2", 102), small("3", 103), small("4", 104), small("5", 105)}
	case "empty":
		return []Message{}
	}
	return nil
}

// sized returns a message of so many octets on the wire, which is at least
// 300, stored with line ends eol.
func sized(subject, eol string, octets int) Message {
	lines := strings.Split(strings.TrimSuffix(header(subject), "\n"), "\n")
	return fill(subject, lines, eol, octets)
}

// small is sized for messages of at least 60 octets.
func small(subject string, octets int) Message {
	return fill(subject, []string{"Subject: " + subject, ""}, "\r\n", octets)
}

func fill(name string, lines []string, eol string, octets int) Message {
	const text = "Dies ist ein Satz, der nur da ist, damit etwas da ist. "
	left := octets
	for _, l := range lines {
		left -= len(l) + 2
	}
	for left > 0 {
		n := min(left, 72)
		if left-n > 0 && left-n < 3 { // no room for another line
			n -= 3
		}
		lines = append(lines, (text + text)[:n-2])
		left -= n
	}
	return Message{name, []byte(strings.Join(lines, eol) + eol)}
}
