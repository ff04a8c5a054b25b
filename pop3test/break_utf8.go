package pop3test

import (
	"strings"
	"unicode/utf8"
)

func utf8Faults() []Fault {
	return []Fault{
		{
			Name: "utf8-only-after-login", Doc: "UTF8 is refused before login and taken after it, with any argument.",
			Rules: []string{"P3-UTF-01"},
			Command: func(e *Exchange) bool {
				if !e.Is("UTF8") {
					return false
				}
				e.Reply = "-ERR not before login\r\n"
				if e.LoggedIn {
					e.Reply = "+OK UTF-8 mode\r\n"
				}
				return true
			},
		},
		{
			Name: "utf8-with-anything", Doc: "UTF8 is taken with arguments, and after login.",
			Rules: []string{"P3-UTF-01"},
			Command: func(e *Exchange) bool {
				if !e.Is("UTF8") || !e.LoggedIn && e.Args == "" {
					return false
				}
				e.Reply = "+OK UTF-8 mode\r\n"
				return true
			},
		},
		inUTF8Mode(Fault{
			Name: "utf8-mode-changes-messages", Doc: "In UTF-8 mode what is not ASCII becomes question marks.",
			Rules: []string{"P3-UTF-03"},
		}, true, func(e *Exchange) {
			if e.isOne("RETR", "TOP") {
				e.Reply = rebody(e.Reply, sevenBit)
			}
		}),
		{
			// The real server does this by itself (see its design); a test of
			// this rule must find it in either.
			Name: "utf8-header-unasked", Doc: "Headers of UTF-8 are sent as they are to clients that did not say UTF8.",
			Rules: []string{"P3-UTF-04"},
		},
		{
			Name: "sends-binary", Doc: "RETR sends NUL and line ends that are no CR LF.",
			Rules: []string{"P3-UTF-05"},
			Edit: func(e *Exchange) {
				if e.Is("RETR") {
					e.Reply = rebody(e.Reply, func(body string) string { return body + "\x00\x01\x02 binary \n data\r\n" })
				}
			},
		},
		inUTF8Mode(Fault{
			Name: "refuses-without-utf8-code", Doc: "RETR of a message that needs UTF-8 mode is refused, with another code than [UTF8].",
			Rules: []string{"P3-UTF-06"},
		}, false, func(e *Exchange) {
			if e.Is("RETR") && needsUTF8(e.stored(e.number(0))) {
				e.Reply = "-ERR [SYS/PERM] message needs UTF-8\r\n"
			}
		}),
		{
			Name: "names-are-octets", Doc: "USER takes malformed UTF-8, and refuses names that are well-formed and not ASCII.",
			Rules: []string{"P3-UTF-07"},
			Command: func(e *Exchange) bool {
				if e.LoggedIn || !e.Is("USER") || !notASCII(e.Args) {
					return false
				}
				e.Reply = "+OK send PASS\r\n"
				if utf8.ValidString(e.Args) {
					e.Reply = "-ERR not a name\r\n"
				}
				return true
			},
		},
		{
			Name: "overlong-letters", Doc: "In names, letters in an overlong form of UTF-8 count as those letters.",
			Rules: []string{"P3-UTF-07"},
			Command: func(e *Exchange) bool {
				name := shortest(e.Args)
				if e.LoggedIn || !e.Is("USER") || name == e.Args {
					return false
				}
				e.Args = name
				e.Reply = e.Ask("USER " + e.Args)
				return true
			},
		},
		inUTF8Mode(Fault{
			Name: "question-marks-for-surrogates", Doc: "Without UTF-8 mode each octet of a header that is not ASCII is sent as a question mark, in addresses as well.",
			Rules: []string{"P3-UTF-10", "P3-UTF-11"},
		}, false, func(e *Exchange) {
			if e.isOne("RETR", "TOP") && needsUTF8(e.stored(e.number(0))) {
				e.Reply = rebody(e.Reply, sevenBit)
			}
		}),
		inUTF8Mode(Fault{
			Name: "surrogate-of-no-size", Doc: "Without UTF-8 mode header fields that are not ASCII are left out, and LIST gives the size of neither form.",
			Rules: []string{"P3-UTF-12"},
		}, false, func(e *Exchange) {
			if e.isOne("RETR", "TOP") {
				e.Reply = rebody(e.Reply, asciiHeader)
			}
			resize(e, func(n int, octets int64) int64 {
				if needsUTF8(e.stored(n)) {
					octets += 11
				}
				return octets
			})
		}),
		inUTF8Mode(Fault{
			Name: "utf8-mode-other-unique-ids", Doc: "In UTF-8 mode messages have other unique-ids.",
			Rules: []string{"P3-UTF-14"},
		}, true, func(e *Exchange) {
			reid(e, func(_ int, id string) string { return "utf8." + id })
		}),
	}
}

// inUTF8Mode lets a fault edit replies in UTF-8 mode only, or out of it only.
func inUTF8Mode(f Fault, mode bool, edit func(*Exchange)) Fault {
	f.Edit = func(e *Exchange) {
		if e.Is("UTF8") && positive(e.Reply) {
			e.Values["utf8"] = true
		}
		if on, _ := e.Values["utf8"].(bool); e.LoggedIn && on == mode {
			edit(e)
		}
	}
	return f
}

func notASCII(s string) bool { return strings.ContainsFunc(s, func(r rune) bool { return r >= 0x80 }) }

// needsUTF8 reports whether a message's header is not ASCII.
func needsUTF8(stored string) bool {
	header, _, _ := strings.Cut(onWire(stored), "\r\n\r\n")
	return notASCII(header)
}

// asciiHeader leaves out the lines of a header that are not ASCII.
func asciiHeader(message string) string {
	header, body, _ := strings.Cut(message, "\r\n\r\n")
	var b strings.Builder
	for line := range strings.Lines(header + "\r\n") {
		if !notASCII(line) {
			b.WriteString(line)
		}
	}
	return b.String() + "\r\n" + body
}

// shortest writes letters in the one form that UTF-8 has for them, in one octet.
func shortest(name string) string {
	var all []byte
	for i := 0; i < len(name); i++ {
		if name[i]|1 == 0xc1 && i+1 < len(name) {
			all = append(all, name[i]<<6|name[i+1]&0x3f)
			i++
			continue
		}
		all = append(all, name[i])
	}
	return string(all)
}
