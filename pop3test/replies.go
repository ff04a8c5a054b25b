package pop3test

import (
	"slices"
	"strconv"
	"strings"
)

// What faults do to replies. A number that a client has written is read here as
// it is, and what is no number is 0.

// parts returns the first line of a reply, without its line end, and the rest.
func parts(reply string) (first, rest string) {
	first, rest, _ = strings.Cut(reply, "\r\n")
	return first, rest
}

// negative reports whether a reply is -ERR.
func negative(reply string) bool { return strings.HasPrefix(reply, "-ERR") }

// number returns the n-th argument of a command as a number, 0 if it is none.
func (e *Exchange) number(n int) int {
	words := strings.Fields(e.Args)
	if n >= len(words) {
		return 0
	}
	v, _ := strconv.Atoi(words[n])
	return v
}

// isOne reports whether the command is one of these.
func (e *Exchange) isOne(keywords ...string) bool { return slices.Contains(keywords, e.Keyword) }

// listing reports whether the reply is a listing of all messages.
func (e *Exchange) listing(keyword string) bool {
	return e.Is(keyword) && e.Args == "" && positive(e.Reply)
}

// single reports whether the reply is a listing of one message.
func (e *Exchange) single(keyword string) bool {
	return e.Is(keyword) && e.Args != "" && positive(e.Reply)
}

// relist puts other lines into a listing. write gets what stands in the real
// one, and returns lines with their ends.
func relist(reply string, write func(n int, word string) string) string {
	first, rest := parts(reply)
	var b strings.Builder
	b.WriteString(first + "\r\n")
	for line := range strings.Lines(rest) {
		left, right, found := strings.Cut(strings.TrimRight(line, "\r\n"), " ")
		n, err := strconv.Atoi(left)
		if !found || err != nil {
			break // the end
		}
		b.WriteString(write(n, right))
	}
	b.WriteString(".\r\n")
	return b.String()
}

// entry returns number and word of a listing of one message.
func entry(reply string) (n int, word string) {
	first, _ := parts(reply)
	words := strings.Fields(first)
	if len(words) < 3 {
		return 0, ""
	}
	n, _ = strconv.Atoi(words[1])
	return n, words[2]
}

// resize puts other sizes into LIST and STAT.
func resize(e *Exchange, size func(n int, octets int64) int64) {
	if !positive(e.Reply) {
		return
	}
	switch {
	case e.listing("LIST"):
		e.Reply = relist(e.Reply, func(n int, word string) string {
			octets, _ := strconv.ParseInt(word, 10, 64)
			return itoa(n) + " " + strconv.FormatInt(size(n, octets), 10) + "\r\n"
		})
	case e.Is("LIST"):
		n, word := entry(e.Reply)
		octets, _ := strconv.ParseInt(word, 10, 64)
		e.Reply = "+OK " + itoa(n) + " " + strconv.FormatInt(size(n, octets), 10) + "\r\n"
	case e.Is("STAT"):
		count, sum := 0, int64(0)
		relist(e.Ask("LIST"), func(n int, word string) string {
			octets, _ := strconv.ParseInt(word, 10, 64)
			count, sum = count+1, sum+size(n, octets)
			return ""
		})
		e.Reply = "+OK " + itoa(count) + " " + strconv.FormatInt(sum, 10) + "\r\n"
	}
}

// reid puts other unique-ids into UIDL.
func reid(e *Exchange, id func(n int, id string) string) {
	switch {
	case e.listing("UIDL"):
		e.Reply = relist(e.Reply, func(n int, word string) string {
			return itoa(n) + " " + id(n, word) + "\r\n"
		})
	case e.single("UIDL"):
		n, word := entry(e.Reply)
		e.Reply = "+OK " + itoa(n) + " " + id(n, word) + "\r\n"
	}
}

// rebody puts another body into a RETR or TOP. change gets and returns what
// stands between first line and terminator, stuffed.
func rebody(reply string, change func(body string) string) string {
	first, rest := parts(reply)
	body, whole := strings.CutSuffix(rest, ".\r\n")
	if !positive(reply) || !whole {
		return reply
	}
	return first + "\r\n" + change(body) + ".\r\n"
}

// asEmpty answers the commands of the TRANSACTION state as a session does whose
// maildrop is empty. It reports whether it is one of them.
func asEmpty(e *Exchange) bool {
	switch {
	case e.Is("STAT"):
		e.Reply = "+OK 0 0\r\n"
	case e.isOne("LIST", "UIDL") && e.Args == "":
		e.Reply = "+OK nothing\r\n.\r\n"
	case e.isOne("NOOP", "RSET"):
		e.Reply = "+OK done\r\n"
	case e.isOne("LIST", "UIDL", "RETR", "DELE", "TOP"):
		e.Reply = "-ERR no such message\r\n"
	default:
		return false
	}
	return true
}

// login reports whether the line ends an authentication: it may be the one
// after which the session is in the TRANSACTION state.
func (e *Exchange) login() bool { return e.Response || e.isOne("PASS", "APOP", "AUTH") }

// numberOf returns the message number in a command like RETR, 0 for none.
func (e *Exchange) numberOf(keyword string) int {
	if !e.Is(keyword) {
		return 0
	}
	return e.number(0)
}

// onWire is a message with CR LF at each line end, the last one too.
func onWire(stored string) string {
	lines := strings.ReplaceAll(strings.ReplaceAll(stored, "\r\n", "\n"), "\n", "\r\n")
	if !strings.HasSuffix(lines, "\r\n") {
		lines += "\r\n"
	}
	return lines
}

func itoa(n int) string { return strconv.Itoa(n) }
