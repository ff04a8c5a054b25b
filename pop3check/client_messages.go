package pop3check

func clientMessages() []clientRow {
	return []clientRow{
		{"P3-MSG-10", []string{"list-size"}, completes("messages to end at the terminator, whatever LIST says of their size")},
		{"P3-MSG-11", []string{"long-line"}, completes("a message with a line of 100 000 octets")},
		{"P3-MSG-12", []string{"huge-size"}, completesAfterAny("sizes beyond 32 bits to be understood", "STAT", "LIST")},
		{"P3-MLT-03", []string{"dots"}, clientUnstuffs},
		{"P3-MLT-05", nil, clientSingleLine},
		{"P3-MLT-06", []string{"octet-by-octet"}, completes("replies that come octet by octet")},
		{"P3-MLT-07", []string{"bare-lf-dot"}, completes(`a "." behind a bare LF not to be taken for the end`)},
		{"P3-MLT-09", []string{"body-cut", "body-cut-tls"}, clientCutBody},
		{"P3-STAT-04", []string{"stat-text"}, completesAfter("STAT", "the text behind STAT's numbers to be ignored")},
		{"P3-LIST-07", []string{"list-text"}, completesAfter("LIST", "the text behind LIST's numbers to be ignored")},
		{"P3-RETR-04", nil, clientDeletesAfterRetr},
		{"P3-UIDL-10", []string{"uidl-double"}, completesAfter("UIDL", "both of two messages with one unique-id to be fetched")},
		{"P3-UIDL-11", []string{"uidl-odd"}, completesAfter("UIDL", "unique-ids to be told apart whatever their octets are")},
		{"P3-UIDL-12", []string{"no-uidl"}, clientWithoutUIDL},
		{"P3-LAST-06", []string{"last"}, clientIgnoresLast},
		{"P3-UPD-07", []string{"good", "good-stls", "good-tls", "quit-slow", "quit-lost"}, clientWaitsForQuit},
		{"P3-UTF-13", nil, clientFetchesOriginals},
		{"P3-TLS-18", []string{"body-cut-tls"}, clientCutBody},
	}
}

func completesAfterAny(want string, keywords ...string) func(*verdict) {
	return func(v *verdict) {
		if _, x := v.said(keywords...); x != nil {
			v.complete(want)
		}
	}
}

func clientUnstuffs(v *verdict) {
	if v.run.DeliveredKnown {
		v.complete("one dot to be removed from lines that begin with one")
	}
}

// clientSingleLine: LIST and UIDL with an argument have a reply of one line.
func clientSingleLine(v *verdict) {
	for _, t := range v.talks {
		for i, x := range t.turns {
			if !x.is("LIST", "UIDL") || x.args == "" || !x.ok() || !x.complete {
				continue
			}
			v.holds(i+1 < len(t.turns), t, "a reply of one line to "+x.keyword+" with a message number", "after %s: %s", x.show(), t.next(i))
		}
	}
}

// next is what the client said after its i-th line.
func (t *talk) next(i int) string {
	if i+1 < len(t.turns) {
		return t.turns[i+1].show()
	}
	return "nothing"
}

func clientCutBody(v *verdict) {
	const want = "a message that was cut off to stay on the server, and to be an error"
	var cut *talk
	v.each(func(t *talk, x *turn) {
		switch {
		case x.is("RETR") && x.answered && x.ok() && !x.complete:
			cut = t
		case x.is("DELE") && cut != nil:
			v.fail(t, want, "%s", x.show())
		}
	})
	if cut != nil {
		v.holds(!v.contented(), cut, want, "no DELE; an error: %t", !v.contented())
	}
}

// clientDeletesAfterRetr: DELE follows the whole message, of this connection or
// of an earlier one.
func clientDeletesAfterRetr(v *verdict) {
	fetched := make(map[string]bool)
	for _, t := range v.talks {
		whole := make(map[string]int) // by number: the event at which it was whole
		for _, x := range t.turns {
			switch {
			case x.is("RETR") && x.ok() && x.complete:
				whole[x.args] = x.completed
				fetched[x.args] = true
			case x.is("DELE"):
				at, here := whole[x.args]
				v.holds(here && at < x.at || !here && fetched[x.args], t, "DELE only after the whole message has come", "%s", x.show())
			}
		}
	}
}

func clientWithoutUIDL(v *verdict) {
	t, x := v.said("RETR")
	switch {
	case x != nil:
		v.pass(t, "without UIDL the client fetches by number")
	case len(v.talks) > 0 && v.run.Exit != nil:
		v.holds(*v.run.Exit != 0, v.last(), "messages to be fetched without UIDL, or an error", "nothing was fetched, and the exit status is %d", *v.run.Exit)
	}
}

// In this scenario LAST says that all messages were read, and UIDL works.
func clientIgnoresLast(v *verdict) {
	t, last := v.said("LAST")
	_, uidl := v.said("UIDL")
	switch {
	case last != nil && uidl == nil:
		v.fail(t, "unique-ids to tell what is new", "LAST, and no UIDL")
	case uidl != nil:
		v.complete("LAST not to decide what is fetched")
	}
}

func clientWaitsForQuit(v *verdict) {
	deleted := false
	for _, t := range v.talks {
		for _, x := range t.turns {
			deleted = deleted || x.is("DELE") && x.ok()
			if !x.is("QUIT") {
				continue
			}
			gone := -1
			for i, e := range t.rec.Events {
				if e.Kind == ClientClosed && gone < 0 {
					gone = i
				}
			}
			v.holds(gone < 0 || x.complete && x.completed < gone, t, "the reply to QUIT to be awaited", "after QUIT: the client closed the connection before the reply")
			if v.run.Scenario == "quit-lost" && deleted {
				v.holds(!v.contented(), t, "a QUIT without a reply to be an error, since messages were to be deleted", "QUIT was not answered")
			}
		}
	}
}

// clientFetchesOriginals: who deletes the only copy should have asked for the
// original.
func clientFetchesOriginals(v *verdict) {
	for _, t := range v.talks {
		offered, asked := false, false
		for _, x := range t.turns {
			lines, _ := t.announced(x)
			offered = offered || hasTag(lines, "UTF8")
			asked = asked || x.is("UTF8")
			if x.is("DELE") && offered {
				v.holds(asked, t, "UTF8 before messages are fetched and deleted", "%s without UTF8", x.show())
			}
		}
	}
}
