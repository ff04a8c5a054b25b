package pop3server

import (
	"context"

	"postfach/internal/popwire"
	"postfach/pop3"
)

// A row is one command in one state. Commands that work in both states have
// two rows. CAPA reads the same rows.
type row struct {
	state    pop3.State
	keyword  string
	usage    string // the arguments, for people
	min, max int    // how many arguments; raw: all after the first SP is one
	handle   func(*session, context.Context, []string) error
	works    func(*session) bool                                // nil: always
	capa     func(*session) (c pop3.Capability, announced bool) // nil: none
}

// raw marks rows whose argument is all that follows the first SP: passwords
// hold spaces, names may be UTF-8 (P3-USR-05, P3-UTF-07).
const raw = -1

// commands are all commands, in the order of CAPA. A handler answers or
// returns an error, not both.
func commands() []row {
	const authorization, transaction = pop3.Authorization, pop3.Transaction
	return []row{
		{transaction, "TOP", "message lines", 2, 2, (*session).top, nil, tag(pop3.CapTop)},
		{transaction, "UIDL", "[message]", 0, 1, (*session).uidl, nil, tag(pop3.CapUIDL)},
		{transaction, "LAST", "", 0, 0, (*session).last, (*session).lastWorks, historic("LAST", (*session).lastWorks)},
		{authorization, "USER", "name", 1, raw, (*session).userCommand, (*session).passwordWorks, tag(pop3.CapUser)},
		{authorization, "PASS", "password", 1, raw, (*session).pass, (*session).passwordWorks, nil},
		{authorization, "APOP", "name digest", 1, raw, (*session).apop, (*session).apopWorks, historic("APOP", (*session).apopWorks)},
		{authorization, "AUTH", "mechanism [initial-response]", 1, 2, (*session).auth, nil, (*session).saslCapability},
		{authorization, "STLS", "", 0, 0, (*session).stls, nil, (*session).stlsCapability},
		{authorization, "UTF8", "", 0, 0, (*session).utf8Command, nil, tag(pop3.CapUTF8, "USER")},
		{authorization, "LANG", "[language]", 0, 1, (*session).langCommand, nil, tag(pop3.CapLang)},
		{transaction, "LANG", "[language]", 0, 1, (*session).langCommand, nil, nil},
		{authorization, "CAPA", "", 0, 0, (*session).capa, nil, nil},
		{transaction, "CAPA", "", 0, 0, (*session).capa, nil, nil},
		{transaction, "STAT", "", 0, 0, (*session).stat, nil, nil},
		{transaction, "LIST", "[message]", 0, 1, (*session).list, nil, nil},
		{transaction, "RETR", "message", 1, 1, (*session).retr, nil, nil},
		{transaction, "DELE", "message", 1, 1, (*session).dele, nil, nil},
		{transaction, "NOOP", "", 0, 0, (*session).noop, nil, nil},
		{transaction, "RSET", "", 0, 0, (*session).rset, nil, nil},
		{authorization, "QUIT", "", 0, 0, (*session).quit, nil, nil},
		{transaction, "QUIT", "", 0, 0, (*session).quitTransaction, nil, nil},
	}
}

// obey finds the command's row and runs its handler.
func (s *session) obey(ctx context.Context, line []byte) error {
	s.lookForHeader(line)
	c, ok := popwire.ParseCommand(line)
	s.traceCommand(line)
	if !ok {
		s.name = ""
		return &refusal{text: textSyntax, bad: true}
	}
	if c.Keyword != "PASS" && c.Keyword != "CAPA" { // P3-USR-04, AMB-10
		s.name = ""
	}
	row, err := s.srv.row(s.state, c.Keyword)
	if err != nil {
		return err
	}
	if row.works != nil && !row.works(s) {
		return s.whyNot(row)
	}
	args, err := row.arguments(c, s.argsRoom(c))
	if err != nil {
		return err
	}
	return row.handle(s, ctx, args)
}

// argsRoom is where the arguments of short commands are put together without garbage.
// They stay there, so it is for numbers, and not for what is said before the login.
func (s *session) argsRoom(c popwire.Command) []string {
	const short = 32
	if s.state != pop3.Transaction || len(c.Args) > short {
		return nil
	}
	return s.args[:0]
}

// row returns the row of keyword in this state (P3-SYN-14, P3-SYN-16).
func (s *Server) row(state pop3.State, keyword string) (*row, error) {
	wrongState := false
	for i := range s.rows {
		if r := &s.rows[i]; r.keyword == keyword {
			if r.state == state {
				return r, nil
			}
			wrongState = true
		}
	}
	if wrongState {
		return nil, &refusal{text: textWrongState, bad: true}
	}
	return nil, &refusal{text: textUnknown, bad: true}
}

// arguments checks how many there are (P3-SYN-15, P3-SYN-23), and appends them to dst.
func (r *row) arguments(c popwire.Command, dst []string) ([]string, error) {
	if r.max == raw {
		if c.Args == "" {
			return nil, &refusal{text: textUsage, args: []any{r.keyword, r.usage}, bad: true}
		}
		return append(dst, c.Args), nil
	}
	args, ok := c.AppendFields(dst)
	switch {
	case !ok:
		return nil, &refusal{text: textSyntax, bad: true}
	case r.max == 0 && len(args) > 0:
		return nil, &refusal{text: textNoArguments, args: []any{r.keyword}, bad: true}
	case len(args) < r.min || len(args) > r.max:
		return nil, &refusal{text: textUsage, args: []any{r.keyword, r.usage}, bad: true}
	}
	return args, nil
}

// whyNot says why a command that exists does not work here.
func (s *session) whyNot(r *row) error {
	if s.srv.Auth != nil && (r.keyword == "USER" || r.keyword == "PASS") {
		return s.tellInsecure(r.keyword, s.insecure())
	}
	return &refusal{text: textNotHere, bad: true}
}
