package pop3test

import (
	"slices"
	"strings"
)

// lastFaults have LAST, which the real server has not, and do one thing wrong
// with it.
func lastFaults() []Fault {
	return []Fault{
		last{talks: true}.in(Fault{
			Name: "last-in-words", Doc: "LAST answers a sentence, and before login, too.",
			Rules: []string{"P3-LAST-01"},
		}),
		last{forgets: true}.in(Fault{
			Name: "last-forgets-sessions", Doc: "LAST is 0 at login, whatever earlier sessions read.",
			Rules: []string{"P3-LAST-02"},
		}),
		last{latest: true}.in(Fault{
			Name: "last-is-latest", Doc: "LAST is the number in the latest RETR, TOP or DELE.",
			Rules: []string{"P3-LAST-03"},
		}),
		last{keeps: true}.in(Fault{
			Name: "last-survives-rset", Doc: "RSET does not change what LAST answers.",
			Rules: []string{"P3-LAST-04"},
		}),
		last{announced: true}.in(Fault{
			Name: "last-in-capa", Doc: "LAST works without anybody's wish, and CAPA lists it.",
			Rules: []string{"P3-LAST-05"},
		}),
	}
}

// last is LAST of RFC 1460: the highest message number that RETR has sent. The
// zero value is right.
type last struct{ talks, forgets, latest, keeps, announced bool }

func (l last) in(f Fault) Fault {
	f.Command = l.answer
	f.Edit = l.follow
	return f
}

const (
	lastValue = "last"      // of this session
	lastRead  = "last read" // the unique-ids of what all sessions have read
)

func (l last) answer(e *Exchange) bool {
	if !e.Is("LAST") {
		return false
	}
	value, _ := e.Values[lastValue].(int)
	switch {
	case l.talks:
		e.Reply = "+OK " + itoa(value) + " is the last read message.\r\n"
	case !e.LoggedIn:
		e.Reply = "-ERR not before login\r\n"
	case e.Args != "":
		e.Reply = "-ERR LAST takes no arguments\r\n"
	default:
		e.Reply = "+OK " + itoa(value) + "\r\n"
	}
	return true
}

func (l last) follow(e *Exchange) {
	value, _ := e.Values[lastValue].(int)
	n := e.number(0)
	switch {
	case e.Is("CAPA") && l.announced:
		e.Reply = strings.TrimSuffix(e.Reply, ".\r\n") + "LAST\r\n.\r\n"
	case !positive(e.Reply):
	case e.login() && !l.forgets:
		for i, m := range e.messages() {
			if slices.Contains(kept[[]string](e.Session, lastRead), string(m.ID)) {
				e.Values[lastValue] = i + 1
			}
		}
	case e.Is("RETR"):
		e.Values[lastValue] = max(value, n)
		if all := e.messages(); 0 < n && n <= len(all) {
			keep(e.Session, lastRead, append(kept[[]string](e.Session, lastRead), string(all[n-1].ID)))
		}
	case e.Is("RSET") && !l.keeps:
		e.Values[lastValue] = 0
	}
	if l.latest && positive(e.Reply) && e.isOne("RETR", "TOP", "DELE") {
		e.Values[lastValue] = n
	}
}
