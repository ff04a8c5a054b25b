package pop3test

import (
	"slices"
	"strconv"
	"strings"
)

// listingPersonalities are servers that number, measure and name messages in
// their own way.
func listingPersonalities() []Personality {
	return []Personality{
		one("window-250", "The maildrop seems to have only its newest 250 messages.", Fault{Command: numbered(window), Edit: windowReply}),
		one("renumbers", "After DELE the messages behind it move up.", Fault{Command: numbered(everything), Edit: renumber}),
		one("estimated-sizes", "LIST and STAT round sizes up to whole KiB.", Fault{Edit: estimate}),
		one("double-uidl", "The second message has the unique-id of the first.", Fault{Edit: doubleID}),
		one("uidl-over-70", "Unique-ids are longer than the 70 characters that are allowed.", Fault{Edit: func(e *Exchange) {
			reid(e, func(_ int, id string) string { return strings.Repeat("0123456789", 10) + id })
		}}),
		one("uidl-changes", "Unique-ids are others on each connection.", Fault{Edit: func(e *Exchange) {
			reid(e, func(_ int, id string) string { return "c" + itoa(e.Number) + "-" + id })
		}}),
	}
}

// windowSize is how many messages window-250 shows.
const windowSize = 250

func window(count int) (first int) { return max(1, count-windowSize+1) }

func everything(int) (first int) { return 1 }

// shown are the real server's numbers of the messages that the client can see,
// in order.
type shown struct{ real []int }

// shown returns the session's. first says which message is the first one.
func (e *Exchange) shown(first func(count int) int) *shown {
	if s, ok := e.Values["shown"].(*shown); ok {
		return s
	}
	s := new(shown)
	stat := strings.Fields(e.Ask("STAT"))
	if len(stat) > 1 {
		count, _ := strconv.Atoi(stat[1])
		for n := first(count); n <= count; n++ {
			s.real = append(s.real, n)
		}
	}
	e.Values["shown"] = s
	return s
}

// numbered replaces the client's message numbers by the real server's.
func numbered(first func(count int) int) func(*Exchange) bool {
	return func(e *Exchange) bool {
		if !e.LoggedIn || e.Response {
			return false
		}
		s := e.shown(first)
		switch e.Keyword {
		case "RETR", "TOP", "DELE", "LIST", "UIDL":
		default:
			return false
		}
		number, rest, more := strings.Cut(e.Args, " ")
		n, err := strconv.Atoi(number)
		if err != nil {
			return false // no argument, or one that the server will refuse
		}
		if n < 1 || n > len(s.real) {
			e.Reply = "-ERR there is no such message\r\n"
			return true
		}
		e.Line = e.Keyword + " " + itoa(s.real[n-1])
		if more {
			e.Line += " " + rest
		}
		e.Line += "\r\n"
		return false
	}
}

// client replaces the real server's numbers in a listing by the client's.
func (s *shown) client(e *Exchange) {
	for _, keyword := range []string{"LIST", "UIDL"} {
		switch {
		case e.listing(keyword):
			e.Reply = relist(e.Reply, func(n int, word string) string {
				if at := slices.Index(s.real, n); at >= 0 {
					return itoa(at+1) + " " + word + "\r\n"
				}
				return ""
			})
		case e.single(keyword):
			_, word := entry(e.Reply)
			e.Reply = "+OK " + itoa(e.number(0)) + " " + word + "\r\n"
		}
	}
}

func windowReply(e *Exchange) {
	if !e.LoggedIn {
		return
	}
	s := e.shown(window)
	s.client(e)
	if !e.Is("STAT") || !positive(e.Reply) {
		return
	}
	count, sum := 0, 0
	relist(e.Ask("LIST"), func(n int, word string) string {
		if octets, _ := strconv.Atoi(word); slices.Contains(s.real, n) {
			count, sum = count+1, sum+octets
		}
		return ""
	})
	e.Reply = "+OK " + itoa(count) + " " + itoa(sum) + "\r\n"
}

func renumber(e *Exchange) {
	if !e.LoggedIn {
		return
	}
	s := e.shown(everything)
	s.client(e)
	switch {
	case !positive(e.Reply):
	case e.Is("DELE"):
		if _, n, ok := strings.Cut(strings.TrimSpace(e.Line), " "); ok {
			deleted, _ := strconv.Atoi(n)
			s.real = slices.DeleteFunc(s.real, func(r int) bool { return r == deleted })
		}
	case e.Is("RSET"):
		delete(e.Values, "shown")
	}
}

func estimate(e *Exchange) {
	resize(e, func(_ int, octets int64) int64 { return (octets + 1023) / 1024 * 1024 })
}
