package pop3test

import (
	"regexp"
	"strconv"
	"strings"
)

func messageFaults() []Fault {
	return []Fault{
		{
			Name: "numbers-begin-at-101", Doc: "The first message has the number 101.",
			Rules: []string{"P3-MSG-01"},
			Line: func(_ *Session, line string) string {
				m := withNumber.FindStringSubmatch(line)
				if m == nil {
					return line
				}
				n, _ := strconv.Atoi(m[2])
				return m[1] + " " + itoa(max(0, n-100)) + m[3] + "\r\n"
			},
			Edit: func(e *Exchange) {
				switch {
				case e.listing("LIST"), e.listing("UIDL"):
					e.Reply = relist(e.Reply, func(n int, word string) string {
						return itoa(n+100) + " " + word + "\r\n"
					})
				case e.single("LIST"), e.single("UIDL"):
					n, word := entry(e.Reply)
					e.Reply = "+OK " + itoa(n+100) + " " + word + "\r\n"
				}
			},
		},
		{
			Name: "renumbers-after-dele", Doc: "LIST and UIDL without argument count through what is not marked.",
			Rules: []string{"P3-MSG-02"},
			Edit: func(e *Exchange) {
				if e.listing("LIST") || e.listing("UIDL") {
					line := 0
					e.Reply = relist(e.Reply, func(_ int, word string) string {
						line++
						return itoa(line) + " " + word + "\r\n"
					})
				}
			},
		},
		{
			Name: "dele-closes-the-gap", Doc: "After DELE all higher numbers are one less, in every command.",
			Rules: []string{"P3-MSG-02"},
			Line:  withoutGaps,
			Edit: func(e *Exchange) {
				line := 0
				switch {
				case e.listing("LIST"), e.listing("UIDL"):
					e.Reply = relist(e.Reply, func(_ int, word string) string {
						line++
						return itoa(line) + " " + word + "\r\n"
					})
				case e.single("LIST"), e.single("UIDL"):
					n, word := entry(e.Reply)
					relist(e.Ask("LIST"), func(there int, _ string) string {
						if there <= n {
							line++
						}
						return ""
					})
					e.Reply = "+OK " + itoa(line) + " " + word + "\r\n"
				}
			},
		},
		{
			Name: "line-ends-count-one", Doc: "Sizes count a line end as one octet.",
			Rules: []string{"P3-MSG-03", "P3-MSG-05"},
			Edit: func(e *Exchange) {
				resize(e, func(n int, octets int64) int64 { return octets - int64(strings.Count(onWire(e.stored(n)), "\r\n")) })
			},
		},
		{
			Name: "stuffing-counts", Doc: "Sizes count the dots that byte-stuffing adds.",
			Rules: []string{"P3-MSG-04", "P3-MSG-05"},
			Edit: func(e *Exchange) {
				resize(e, func(n int, octets int64) int64 {
					return octets + int64(strings.Count("\r\n"+onWire(e.stored(n)), "\r\n."))
				})
			},
		},
		{
			Name: "sizes-in-blocks", Doc: "Sizes are those of whole blocks of 512 octets.",
			Rules: []string{"P3-MSG-05"},
			Edit: func(e *Exchange) {
				resize(e, func(_ int, octets int64) int64 { return octets/512*512 + 512 })
			},
		},
		{
			Name: "one-line-end-too-many", Doc: "RETR sends an empty line behind the message.",
			Rules: []string{"P3-MSG-05"},
			Edit: func(e *Exchange) {
				if e.Is("RETR") {
					e.Reply = rebody(e.Reply, func(body string) string { return body + "\r\n" })
				}
			},
		},
		{
			Name: "utf8-mode-other-sizes", Doc: "In UTF-8 mode sizes are not what RETR sends.",
			Rules: []string{"P3-MSG-06"},
			Edit: func(e *Exchange) {
				if e.Is("UTF8") && positive(e.Reply) {
					e.Values["utf8"] = true
				}
				if e.Values["utf8"] != nil {
					resize(e, func(_ int, octets int64) int64 { return octets + 3 })
				}
			},
		},
		{
			Name: "last-line-end-not-counted", Doc: "The line end that a last line lacks is sent and not counted.",
			Rules: []string{"P3-MSG-07", "P3-MSG-05"},
			Edit: func(e *Exchange) {
				resize(e, func(n int, octets int64) int64 {
					if strings.HasSuffix(e.stored(n), "\n") {
						return octets
					}
					return octets - 2
				})
			},
		},
		{
			Name: "sends-mbox-separator", Doc: "Messages begin with the \"From \" line of an mbox.",
			Rules: []string{"P3-MSG-08"},
			Edit: func(e *Exchange) {
				if e.isOne("RETR", "TOP") {
					e.Reply = rebody(e.Reply, func(body string) string {
						return "From a@example.com Thu Jan  1 00:00:00 2026\r\n" + body
					})
				}
			},
		},
		{
			Name: "seven-bit-only", Doc: "Octets above 127 become question marks, and NUL becomes a space.",
			Rules: []string{"P3-MSG-09"},
			Edit: func(e *Exchange) {
				if e.isOne("RETR", "TOP") {
					e.Reply = rebody(e.Reply, sevenBit)
				}
			},
		},
		{
			Name: "nul-ends-a-line", Doc: "What follows a NUL in a line is not sent.",
			Rules: []string{"P3-MSG-09"},
			Edit: func(e *Exchange) {
				if e.isOne("RETR", "TOP") {
					e.Reply = rebody(e.Reply, func(body string) string { return behindNUL.ReplaceAllString(body, "") })
				}
			},
		},
		{
			Name: "stuffs-before-line-ends", Doc: "Lines that are stored with a bare LF are sent with it, and their dots unstuffed.",
			Rules: []string{"P3-MSG-13"},
			Edit: func(e *Exchange) {
				n := max(e.numberOf("RETR"), e.numberOf("TOP"))
				if n == 0 || !bareLF(e.stored(n)) {
					return
				}
				e.Reply = rebody(e.Reply, func(body string) string {
					return strings.ReplaceAll(strings.ReplaceAll(body, "\r\n..", "\n."), "\r\n", "\n")
				})
			},
		},
		{
			Name: "retr-shows-status", Doc: "From the second time on RETR sends a Status field that the message does not have.",
			Rules: []string{"P3-MSG-14"},
			Edit: func(e *Exchange) {
				n := e.numberOf("RETR")
				for _, read := range e.marks("read") {
					if read == n {
						e.Reply = rebody(e.Reply, func(body string) string { return "Status: RO\r\n" + body })
					}
				}
				e.mark("read", n)
			},
		},
	}
}

var behindNUL = regexp.MustCompile(`\x00[^\r\n]*`)

// withoutGaps makes a number one of the real server: that of the n-th message
// that is not marked.
func withoutGaps(s *Session, line string) string {
	m := withNumber.FindStringSubmatch(line)
	if m == nil || !s.LoggedIn {
		return line
	}
	wanted, _ := strconv.Atoi(m[2])
	shown, found := 0, 0
	relist(s.Ask("LIST"), func(n int, _ string) string {
		if shown++; shown == wanted {
			found = n
		}
		return ""
	})
	return m[1] + " " + itoa(found) + m[3] + "\r\n"
}

// sevenBit is what some relays of the last century made of mail.
func sevenBit(body string) string {
	octets := []byte(body)
	for i, o := range octets {
		switch {
		case o >= 0x80:
			octets[i] = '?'
		case o == 0:
			octets[i] = ' '
		}
	}
	return string(octets)
}

// bareLF reports whether a message has a line end that is no CR LF.
func bareLF(stored string) bool {
	return strings.Count(stored, "\n") > strings.Count(stored, "\r\n")
}
