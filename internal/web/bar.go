package web

import (
	"net/http"
	"slices"
	"strings"

	"postfach/internal/explore"
)

// A bar is the head of an account's pages: whose maildrop it is, whether it is
// ours now, and what a person can do about it.
type bar struct {
	explore.Status
	Name  string
	Path  string // of the list
	State string // away, connecting, held or committing
	Undo  string // what the last change of marks was; empty: nothing to undo
	// Asleep: Away, and there is a list of earlier.
	Asleep   bool
	ReadOnly bool
	Outcome  bool   // there is one to look at
	Mail     string // whose mail program is locked out
	Notices  []string
}

func newBar(a *account) *bar {
	s := a.e.Status()
	b := &bar{Status: s, Name: a.name(), Path: a.path(""), ReadOnly: a.about.ReadOnly, Mail: "your mail program", Notices: notices(s.Notice)}
	if a.about.Local {
		b.Mail = "its owner’s mail program"
	}
	switch s.State {
	case explore.Connecting:
		b.State = "connecting"
	case explore.Held:
		b.State = "held"
	case explore.Committing:
		b.State = "committing"
	default:
		b.State = "away"
	}
	b.Asleep = s.State == explore.Away && s.Messages > 0
	if step := a.lastStep(); step != nil {
		b.Undo = plural(len(step.keys), "message", "messages")
		if step.marked {
			b.Undo += " marked"
		} else {
			b.Undo += " unmarked"
		}
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	b.Outcome = a.outcome != nil
	return b
}

// notices are what the engine tells, each once.
func notices(all string) []string {
	var each []string
	for one := range strings.SplitSeq(all, "; ") {
		if one != "" && !slices.Contains(each, one) {
			each = append(each, one)
		}
	}
	return each
}

// showBar answers with the bar alone, for the script.
func showBar(v *visit) error {
	v.render("failure", "bar", http.StatusOK, &view{Form: v.session.form, Bar: newBar(v.account)})
	return nil
}
