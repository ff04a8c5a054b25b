package pop3test

import (
	"regexp"
	"strconv"
	"strings"
)

func syntaxFaults() []Fault {
	return []Fault{
		{
			Name: "segment-is-a-command", Doc: "What one read gives is taken for a whole command.",
			Rules: []string{"P3-SYN-01"},
			Greet: func(s *Session, greeting string) string {
				s.Packets = true
				return greeting
			},
			Line: func(_ *Session, line string) string { return strings.TrimRight(line, "\r\n") + "\r\n" },
		},
		{
			Name: "keyword-case-matters", Doc: "Keywords are known in upper case only.",
			Rules: []string{"P3-SYN-02"},
			Command: func(e *Exchange) bool {
				if e.Response || strings.HasPrefix(e.Line, e.Keyword) {
					return false
				}
				e.Reply = "-ERR unknown command\r\n"
				return true
			},
		},
		{
			Name: "uidl-case-matters", Doc: "UIDL is known in upper case only, other keywords in any.",
			Rules: []string{"P3-SYN-02"},
			Command: func(e *Exchange) bool {
				if e.Response || !e.Is("UIDL") || strings.HasPrefix(e.Line, "UIDL") {
					return false
				}
				e.Reply = "-ERR unknown command\r\n"
				return true
			},
		},
		{
			Name: "separator-is-anything", Doc: "Between keyword and number there may be tabs, many spaces or nothing.",
			Rules: []string{"P3-SYN-03"},
			Line: func(_ *Session, line string) string {
				m := numberedCommand.FindStringSubmatch(line)
				if m == nil {
					return line
				}
				return m[1] + " " + strings.ReplaceAll(m[2], "\t", " ") + "\r\n"
			},
		},
		{
			Name: "keywords-by-their-beginning", Doc: "The first letters of a keyword do for it, and letters behind it are ignored.",
			Rules: []string{"P3-SYN-04"},
			Line:  guessKeyword,
		},
		{
			Name: "control-octets-ignored", Doc: "Control octets in arguments are thrown away or taken for spaces.",
			Rules: []string{"P3-SYN-05"},
			Line: func(_ *Session, line string) string {
				var kept []byte
				for _, o := range []byte(line) {
					switch {
					case o == '\t':
						kept = append(kept, ' ')
					case o >= ' ' && o != 0x7f:
						kept = append(kept, o)
					}
				}
				return string(kept) + "\r\n"
			},
		},
		{
			Name: "arguments-of-forty", Doc: "Arguments longer than 40 octets are refused.",
			Rules: []string{"P3-SYN-06"},
			Command: func(e *Exchange) bool {
				if e.Response || e.Is("AUTH") || len(e.Args) <= 40 {
					return false
				}
				e.Reply = "-ERR argument too long\r\n"
				return true
			},
		},
		{
			Name: "names-of-a-hundred", Doc: "A USER with a name of more than 100 octets is refused as a line that is too long.",
			Rules: []string{"P3-SYN-06"},
			Command: func(e *Exchange) bool {
				if !e.Is("USER") || len(e.Args) <= 100 {
					return false
				}
				e.Reply = "-ERR line too long\r\n"
				return true
			},
		},
		{
			Name: "rest-of-the-line-is-a-command", Doc: "What is behind the 200th octet of a line is read as the next line.",
			Rules: []string{"P3-SYN-06"},
			Command: func(e *Exchange) bool {
				if e.Response || e.Is("AUTH") || len(e.Line) <= 200 || len(e.Line) > 1000 {
					return false
				}
				e.Reply = e.Ask(e.Line[:200]) + "-ERR unknown command\r\n"
				return true
			},
		},
		{
			Name: "long-line-in-pieces", Doc: "A line longer than 1024 octets is read as several lines.",
			Rules:   []string{"P3-SYN-08"},
			Command: piecewise,
		},
		{
			Name: "status-in-lower-case", Doc: "Replies begin with +ok and -err.",
			Rules: []string{"P3-SYN-09"},
			Edit: func(e *Exchange) {
				switch {
				case strings.HasPrefix(e.Reply, "+OK"):
					e.Reply = "+ok" + e.Reply[3:]
				case strings.HasPrefix(e.Reply, "-ERR"):
					e.Reply = "-err" + e.Reply[4:]
				}
			},
		},
		{
			Name: "first-line-too-long", Doc: "Negative replies, and those to long commands, have more than 512 octets in their first line.",
			Rules: []string{"P3-SYN-10"},
			Edit: func(e *Exchange) {
				if !negative(e.Reply) && len(e.Line) < 100 || challenge(e.Reply) {
					return
				}
				first, rest := parts(e.Reply)
				e.Reply = first + strings.Repeat(" and further explanations", 25) + "\r\n" + rest
			},
		},
		{
			Name: "capability-line-too-long", Doc: "A line of CAPA has more than 512 octets.",
			Rules: []string{"P3-SYN-11"},
			Edit: func(e *Exchange) {
				if e.Is("CAPA") && positive(e.Reply) {
					e.Reply = strings.TrimSuffix(e.Reply, ".\r\n") + "IMPLEMENTATION " + strings.Repeat("LongName-", 60) + "\r\n.\r\n"
				}
			},
		},
		{
			Name: "bare-ok", Doc: "Positive replies have no text and no space.",
			Rules: []string{"P3-SYN-13"},
			Edit: func(e *Exchange) {
				if positive(e.Reply) && e.isOne("USER", "PASS", "DELE", "NOOP", "RSET", "QUIT", "RETR", "TOP") {
					_, rest := parts(e.Reply)
					e.Reply = "+OK\r\n" + rest
				}
			},
		},
		{
			Name: "unknown-commands-work", Doc: "Commands that do not exist are answered +OK.",
			Rules: []string{"P3-SYN-14"},
			Command: func(e *Exchange) bool {
				if e.Response || e.Keyword == "" || known(e.Keyword) {
					return false
				}
				e.Reply = "+OK whatever you say\r\n"
				return true
			},
		},
		{
			Name: "arguments-guessed", Doc: "Missing and senseless arguments are replaced by likely ones.",
			Rules:   []string{"P3-SYN-15"},
			Command: guessArguments,
		},
		{
			Name: "apop-by-name", Doc: "APOP with the name of an account and no digest lets in.",
			Rules: []string{"P3-SYN-15", "P3-APOP-03"},
			Command: func(e *Exchange) bool {
				if !e.Is("APOP") || e.LoggedIn || e.password(e.Args) == "" {
					return false
				}
				e.Reply = e.letIn(e.Args)
				return true
			},
		},
		{
			Name: "transaction-before-login", Doc: "A session begins in the TRANSACTION state: its commands work before login.",
			Rules: []string{"P3-SYN-16", "P3-ST-01"},
			Command: func(e *Exchange) bool {
				return !e.LoggedIn && !e.Response && asEmpty(e)
			},
		},
		{
			Name: "replies-in-latin-1", Doc: "The text of negative replies is 8-bit, and nobody has asked for a language.",
			Rules: []string{"P3-SYN-19"},
			Edit: func(e *Exchange) {
				if negative(e.Reply) && !strings.HasPrefix(e.Reply, "-ERR [") {
					e.Reply = "-ERR ung\xfcltig\r\n"
				}
			},
		},
		{
			Name: "echoes-everything", Doc: "Negative replies repeat what the client sent, whatever it is.",
			Rules: []string{"P3-SYN-20"},
			Edit: func(e *Exchange) {
				if negative(e.Reply) && !e.login() {
					e.Reply = "-ERR invalid: " + strings.TrimRight(e.Line, "\r\n") + "\r\n"
				}
			},
		},
		{
			Name: "numbers-in-hexadecimal", Doc: "Message numbers may be hexadecimal.",
			Rules: []string{"P3-SYN-21"},
			Line: func(_ *Session, line string) string {
				return hexadecimal.ReplaceAllStringFunc(line, func(word string) string {
					n, err := strconv.ParseUint(word[3:], 16, 31)
					if err != nil {
						return word
					}
					return " " + strconv.FormatUint(n, 10)
				})
			},
		},
		{
			Name: "numbers-by-atoi", Doc: "Numbers have 32 bits, may have a sign and a tail, and 0 is the first message.",
			Rules: []string{"P3-SYN-22"},
			Line: func(_ *Session, line string) string {
				m := withNumber.FindStringSubmatch(line)
				if m == nil {
					return line
				}
				n := atoi32(m[2])
				if strings.EqualFold(m[1], "TOP") {
					return m[1] + " " + n + m[3] + "\r\n"
				}
				return m[1] + " " + n + "\r\n"
			},
		},
		{
			Name: "second-number-ignored", Doc: "LIST, RETR, DELE and UIDL take the first number of several.",
			Rules: []string{"P3-SYN-22"},
			Line: func(_ *Session, line string) string {
				m := withNumber.FindStringSubmatch(line)
				if m == nil || strings.EqualFold(m[1], "TOP") || !strings.HasPrefix(m[3], " ") {
					return line
				}
				return m[1] + " " + m[2] + "\r\n"
			},
		},
		{
			Name: "superfluous-arguments-ignored", Doc: "Commands without arguments are obeyed when they have some.",
			Rules: []string{"P3-SYN-23"},
			Line: func(_ *Session, line string) string {
				word, _, _ := strings.Cut(strings.TrimRight(line, "\r\n"), " ")
				switch strings.ToUpper(word) {
				case "STAT", "NOOP", "RSET", "QUIT", "CAPA", "STLS", "UTF8", "LAST":
					return word + "\r\n"
				}
				return line
			},
		},
		{
			Name: "any-line-end", Doc: "A bare CR ends a command, and who ends lines with a bare LF is answered with a bare LF.",
			Rules: []string{"P3-SYN-24"},
			Command: func(e *Exchange) bool {
				text := strings.TrimRight(e.Line, "\r\n")
				if !strings.Contains(text, "\r") {
					return false
				}
				for command := range strings.SplitSeq(text, "\r") {
					e.Reply += e.Ask(command)
				}
				return true
			},
			Edit: func(e *Exchange) {
				if !strings.HasSuffix(e.Line, "\r\n") {
					e.Reply = strings.ReplaceAll(e.Reply, "\r\n", "\n")
				}
			},
		},
		{
			Name: "answers-twice", Doc: "NOOP, RSET, DELE and what is refused get two replies.",
			Rules: []string{"P3-SYN-25"},
			Edit: func(e *Exchange) {
				if e.isOne("NOOP", "RSET", "DELE") || negative(e.Reply) {
					e.Reply += e.Reply
				}
			},
		},
	}
}

var (
	numberedCommand = regexp.MustCompile(`^(?i)(RETR|LIST|DELE|TOP|UIDL)[ \t]*([0-9][0-9 \t]*)\r?\n$`)
	withNumber      = regexp.MustCompile(`^(?i)(RETR|LIST|DELE|TOP|UIDL) +(\S+)([^\r\n]*)\r?\n$`)
	hexadecimal     = regexp.MustCompile(` 0[xX][0-9a-fA-F]+`)
)

// known reports whether a keyword is one of POP3's.
func known(keyword string) bool {
	switch keyword {
	case "USER", "PASS", "APOP", "AUTH", "STLS", "CAPA", "UTF8", "LANG", "QUIT", "STAT",
		"LIST", "RETR", "DELE", "NOOP", "RSET", "TOP", "UIDL":
		return true
	}
	return false
}

// guessKeyword completes and cuts keywords.
func guessKeyword(_ *Session, line string) string {
	word, args, _ := strings.Cut(strings.TrimRight(line, "\r\n"), " ")
	upper := strings.ToUpper(word)
	if len(upper) < 2 || known(upper) {
		return line
	}
	for _, k := range []string{"TOP", "UIDL", "LIST", "RETR", "DELE", "STAT", "NOOP", "RSET", "CAPA", "QUIT", "USER"} {
		if strings.HasPrefix(upper, k) || strings.HasPrefix(k, upper) {
			if args != "" {
				k += " " + args
			}
			return k + "\r\n"
		}
	}
	return line
}

// piecewise answers each 1024 octets of a line.
func piecewise(e *Exchange) bool {
	const piece = 1024
	if e.Response || e.Is("AUTH") || len(e.Line) <= piece {
		return false
	}
	tail := strings.TrimRight(e.Line[len(e.Line)/piece*piece:], "\r\n")
	e.Reply = "-ERR line too long\r\n" + e.Ask(tail)
	return true
}

// guessArguments knows what a client must have meant.
func guessArguments(e *Exchange) bool {
	if e.Response {
		return false
	}
	switch {
	case e.Keyword == "" && e.Args == "":
		e.Reply = "+OK still there\r\n"
	case e.Is("USER") && e.Args == "":
		e.Reply = "+OK anonymous\r\n"
	case e.Is("APOP") && !strings.Contains(e.Args, " "):
		e.Reply = "+OK digest is missing\r\n"
	case e.Is("DELE") && e.number(0) == 0:
		e.Reply = "+OK nothing to delete\r\n"
	case e.Is("RETR") && e.number(0) == 0:
		e.Reply = e.Ask("RETR 1")
	case e.Is("TOP") && (len(strings.Fields(e.Args)) < 2 || e.number(1) <= 0 && !strings.HasSuffix(e.Args, " 0")):
		e.Reply = e.Ask("TOP " + itoa(max(1, e.number(0))) + " 0")
	default:
		return false
	}
	return true
}

// atoi32 reads a number as careless C does.
func atoi32(word string) string {
	word = strings.TrimPrefix(word, "+")
	var n uint32
	for _, c := range []byte(word) {
		if c < '0' || c > '9' {
			break
		}
		n = n*10 + uint32(c-'0')
	}
	return strconv.FormatUint(uint64(max(n, 1)), 10)
}
