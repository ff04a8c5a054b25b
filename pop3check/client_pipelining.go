package pop3check

func clientPipelining() []clientRow {
	return []clientRow{
		{"P3-PIPE-02", []string{"retr-refused"}, clientMatchesReplies},
		{"P3-PIPE-04", nil, clientPipelinesAnnounced},
		{"P3-PIPE-06", nil, clientWaitsAfterSTLS},
		{"P3-PIPE-07", nil, clientWaitsWhereItMatters},
	}
}

// clientMatchesReplies: RETR of the second message is refused.
func clientMatchesReplies(v *verdict) {
	pipelined, refused := false, ""
	fetched := 0
	v.each(func(t *talk, x *turn) {
		pipelined = pipelined || len(x.early) > 0
		switch {
		case x.is("RETR") && x.complete && !x.ok():
			refused = x.args
		case x.is("RETR") && x.complete:
			fetched++
		case x.is("DELE") && x.args == refused:
			v.fail(t, "a message whose RETR was refused not to be deleted", "%s", x.show())
		}
	})
	if !pipelined || refused == "" {
		return
	}
	// A client may end its run at an error, but then it must not be content.
	v.holds(!v.contented() || fetched >= len(v.run.Messages)-1, v.last(),
		"the messages before and behind the one that was refused, or an error", "%d messages came", fetched)
}

func clientPipelinesAnnounced(v *verdict) {
	if v.run.Scenario == "crlf-in-user" {
		return // what is sent there is no command of the client's
	}
	v.each(func(t *talk, x *turn) {
		if len(x.early) == 0 {
			v.pass(t, "one command at a time")
			return
		}
		lines, _ := t.announced(x)
		v.holds(hasTag(lines, "PIPELINING"), t, "one command at a time unless PIPELINING is announced", "%s before the reply to %s", x.show(), x.early[0].show())
	})
}

func clientWaitsAfterSTLS(v *verdict) {
	v.each(func(t *talk, x *turn) {
		if x.is("STLS") {
			v.pass(t, "nothing behind STLS")
		}
		for _, open := range x.early {
			if open.is("STLS") {
				v.fail(t, "STLS to be the last command before a wait", "%s before the reply to STLS", x.show())
			}
		}
	})
}

func clientWaitsWhereItMatters(v *verdict) {
	v.each(func(t *talk, x *turn) {
		for _, open := range x.early {
			switch {
			case open.is("QUIT", "AUTH", "UTF8", "LANG") || open.response:
				v.fail(t, "the reply to be awaited", "%s before the reply to %s", x.show(), open.show())
			case open.is("RETR") && x.is("DELE") && open.args == x.args:
				v.fail(t, "DELE not to be sent before the message has come", "%s before the reply to %s", x.show(), open.show())
			}
		}
		if len(x.early) > 0 {
			v.pass(t, "%s before the reply to %s, which does not matter", x.show(), x.early[0].show())
		}
	})
}
