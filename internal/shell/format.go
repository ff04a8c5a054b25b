package shell

import (
	"regexp"
	"slices"
	"strconv"
	"strings"

	"postfach/internal/explain"
	"postfach/internal/transcript"
)

// A side is who said a line.
type side uint8

const (
	nobody side = iota // it is no part of the conversation
	client
	server
	event
)

// A said is what a line of a recording says.
type said struct {
	side  side
	text  string
	again bool // in the log's second way to say it
}

// A format is the way one program writes down a conversation.
type format struct {
	parse func(line string, expected explain.Place) said
	// omits: bodies are left out. chunks: what came in one piece is written
	// down in one, so that only its first line is marked. twice: some lines
	// are written down twice. late: the greeting may be missing.
	// pasted: no side is marked, as on a terminal or in a book. mixed: a
	// message may stand among what the program says of itself, not marked.
	omits, chunks, twice, late, pasted, mixed bool
	// begins is in lines that come before a connection.
	begins string
}

// formats are those that mark each line.
func formats() []format {
	return []format{
		{parse: ours, chunks: true}, // chunks: as MailKit writes them
		// pop3.log of Outlook Express
		{parse: marked(`POP3: \d\d:\d\d:\d\d \[([rt])x\] ?(.*)$`, "t"), omits: true, chunks: true, late: true},
		// Thunderbird, up to version 101 and after it
		{parse: marked(`\bPOP3\b.*?\b(SEND|RECV): ?(.*)$`, "SEND"), omits: true, late: true},
		{parse: marked(`(?i:\bpop3)\S* (?:.*?\s)?([CS]): ?(.*)$`, "C"), omits: true, chunks: true, late: true},
		// fetchmail -v
		{parse: marked(`\bPOP3([<>]) ?(.*)$`, ">"), omits: true, late: true, begins: ": poll started"},
		// curl -v
		{parse: marked(`^([<>]) ?(.*)$`, ">"), omits: true, late: true, mixed: true, begins: "* Connected to "},
		// mpop --debug
		{parse: marked(`^(-->|<--) ?(.*)$`, "-->"), late: true},
		// Python's poplib, and so getmail
		{parse: poplib, omits: true, twice: true, late: true},
	}
}

// formatOf guesses from the start of a recording: the format in which the most
// lines look like POP3. Where there is none, no line is marked.
func formatOf(start string) format {
	best, most := format{parse: unmarked, late: true, pasted: true}, 0
	for _, f := range formats() {
		n := 0
		for line := range strings.Lines(start) {
			s := f.parse(strings.TrimRight(line, "\r\n"), explain.Greeting)
			if s.side == server && isReply(s.text) || s.side == client && isCommand(s.text) {
				n++
			}
		}
		if n > most {
			best, most = f, n
		}
	}
	return best
}

func isReply(text string) bool {
	return strings.HasPrefix(text, "+OK") || strings.HasPrefix(text, "-ERR")
}

func isCommand(text string) bool {
	word, _, _ := strings.Cut(text, " ")
	return slices.Contains(explain.Keywords(), strings.ToUpper(word))
}

// marked parses lines that an expression matches: who, and what. own is the
// client's mark.
func marked(expression, own string) func(string, explain.Place) said {
	re := regexp.MustCompile(expression)
	return func(line string, _ explain.Place) said {
		m := re.FindStringSubmatch(line)
		switch {
		case m == nil:
			return said{}
		case m[1] == own:
			return said{side: client, text: m[2]}
		}
		return said{side: server, text: m[2]}
	}
}

// ours parses the project's protocol logs.
func ours(line string, _ explain.Place) said {
	switch {
	case line == eventTLS, line == eventClose, line == eventHangup, strings.HasPrefix(line, eventConnection+" "):
		return said{side: event, text: line}
	}
	who, text, ok := strings.Cut(line, ":")
	if !ok || who != "C" && who != "S" || text != "" && text[0] != ' ' {
		return said{}
	}
	text = strings.TrimPrefix(text, " ")
	if n := len(text) - len(strings.TrimRight(text, `\`)); n%2 == 1 {
		text = text[:len(text)-1] // a line without its end
	}
	if octets, ok := transcript.Unescape(text); ok {
		text = octets
	}
	if who == "C" {
		return said{side: client, text: text}
	}
	return said{side: server, text: text}
}

var poplibLine = regexp.MustCompile(`\*(cmd|put|get|resp)\* b?(['"].*['"])$`)

// poplib parses what Python's poplib prints with set_debuglevel.
func poplib(line string, _ explain.Place) said {
	m := poplibLine.FindStringSubmatch(line)
	if m == nil {
		return said{}
	}
	text := strings.TrimRight(unquote(m[2]), "\r\n")
	switch m[1] {
	case "cmd", "put":
		return said{side: client, text: text, again: m[1] == "put"}
	}
	return said{side: server, text: text, again: m[1] == "resp"}
}

// unquote reads a string as Python writes it.
func unquote(s string) string {
	quote := s[0]
	s = s[1 : len(s)-1]
	var b strings.Builder
	for s != "" {
		if s[0] == '\\' && len(s) > 1 && s[1] == '\'' {
			b.WriteByte('\'')
			s = s[2:]
			continue
		}
		r, multi, rest, err := strconv.UnquoteChar(s, quote)
		if err != nil { // as it stands
			b.WriteByte(s[0])
			s = s[1:]
			continue
		}
		if multi {
			b.WriteRune(r)
		} else {
			b.WriteByte(byte(r))
		}
		s = rest
	}
	return b.String()
}

// unmarked guesses who said a line from its shape and from what comes next in
// the conversation: what a terminal shows of telnet or openssl s_client.
func unmarked(line string, expected explain.Place) said {
	fromServer, fromClient := said{side: server, text: line}, said{side: client, text: line}
	if strings.HasPrefix(line, "Connected to ") || strings.HasPrefix(line, "CONNECTED(") {
		return said{side: event, text: "# " + line}
	}
	switch expected {
	case explain.Item, explain.Content:
		return fromServer
	case explain.Response:
		if !isReply(line) && !strings.HasPrefix(line, "+") {
			return fromClient
		}
		return fromServer
	}
	switch {
	case isReply(line), strings.HasPrefix(line, "+ "), line == "+":
		return fromServer
	case expected != explain.Greeting && isCommand(line):
		return fromClient
	}
	return said{}
}
