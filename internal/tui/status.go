package tui

import "postfach/internal/explore"

// possession says whether the maildrop is ours. A person whose mail program cannot
// get in must see why.
func (a *app) possession(s explore.Status) row {
	var r row
	switch s.State {
	case explore.Held:
		r = row{{"HELD", warning}}
		if !s.ReleaseAt.IsZero() {
			r = append(r, span{a.firstThatFits(a.width-66, " for "+left(s.ReleaseAt.Sub(a.now()))+" more", " "+left(s.ReleaseAt.Sub(a.now()))), plain})
		}
		r = append(r, span{" – " + a.firstThatFits(a.width-13,
			a.mailProgram()+" can't get in while this is open",
			a.mailProgram()+" must wait"), plain})
	case explore.Connecting:
		r = row{{"CONNECTING", strong}, {" …", plain}}
	case explore.Committing:
		r = row{{"DELETING", warning}, {" …", plain}}
	default:
		r = row{{"AWAY", good}, {" – " + a.firstThatFits(a.width-7,
			"not connected, "+a.mailProgram()+" can get in; r comes back",
			"not connected; r comes back"), plain}}
	}
	if s.Busy != "" {
		r = append(r, span{" · " + line(s.Busy), dim})
	}
	return r
}

// mailProgram is whose the maildrop is taken from.
func (a *app) mailProgram() shown {
	if a.account.Local {
		return "its owner's mail program"
	}
	return "your mail program"
}

// counts says what is in the maildrop.
func (a *app) counts(s explore.Status) row {
	r := row{{many(s.Messages, "message") + ", " + octets(s.Octets) + " octets", plain}}
	if s.Marked > 0 {
		r = append(r, span{" · ", plain}, span{count(s.Marked) + " marked D", warning})
		if a.width >= 70 {
			r = append(r, span{" (" + octets(s.MarkedOctets) + " octets), nothing deleted yet", plain})
		}
	}
	unknown := 0
	if a.list != nil {
		unknown = a.list.page.Unknown
		r = append(r, a.list.standing(a)...)
	}
	if s.Known < s.Messages && unknown == 0 && a.width >= 60 {
		r = append(r, span{" · " + count(s.Known) + " headers read", dim})
	}
	return r
}

// firstThatFits returns the first text of at most n cells, or the last.
func (a *app) firstThatFits(n int, texts ...shown) shown {
	for _, s := range texts {
		if a.theme.width(s) <= n {
			return s
		}
	}
	return texts[len(texts)-1]
}
