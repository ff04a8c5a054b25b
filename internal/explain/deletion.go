package explain

import (
	"slices"

	"postfach/pop3"
)

var deleRow = row{
	keyword: "DELE", usage: phrase{"message", "Nachricht"},
	help:  phrase{"Marks a message for deletion. QUIT deletes it, and only QUIT; RSET takes the mark back.", "Merkt eine Nachricht zum Löschen vor. Gelöscht wird sie bei QUIT und nur bei QUIT; RSET nimmt die Vormerkung zurück."},
	least: 1, most: 1, numbered: true, late: true,
	said: func(c *Conversation, a *asked, n *Note) {
		c.tell(n, phrase{"The client marks message %d for deletion.", "Der Client merkt Nachricht %d zum Löschen vor."}, a.number)
	},
	ok: func(c *Conversation, a *asked, _ string, n *Note) {
		if a.number == 0 {
			c.warn(n, phrase{"The server agrees, but nobody knows which message is meant.", "Der Server ist einverstanden, aber niemand weiß, welche Nachricht gemeint ist."})
			return
		}
		c.maildrop.mark(a.number)
		c.tell(n, phrase{"Message %d is marked; it goes at QUIT and only then.", "Nachricht %d ist vorgemerkt; gelöscht wird sie bei QUIT und erst dann."}, a.number)
	},
	refused: refusedMessage,
}

var rsetRow = row{
	keyword: "RSET",
	help:    phrase{"Takes back all marks of DELE: nothing will be deleted.", "Nimmt alle Vormerkungen von DELE zurück: Nichts wird gelöscht."},
	late:    true,
	said: func(c *Conversation, _ *asked, n *Note) {
		c.tell(n, phrase{"The client takes back all marks.", "Der Client nimmt alle Vormerkungen zurück."})
	},
	ok: func(c *Conversation, _ *asked, _ string, n *Note) {
		switch count := c.maildrop.unmark(); count {
		case 0:
			c.tell(n, phrase{"No message was marked; nothing will be deleted.", "Keine Nachricht war vorgemerkt; nichts wird gelöscht."})
		case 1:
			c.tell(n, phrase{"The mark is taken back; nothing will be deleted.", "Die Vormerkung ist zurückgenommen; nichts wird gelöscht."})
		default:
			c.tell(n, phrase{"%s are taken back; nothing will be deleted.", "%s sind zurückgenommen; nichts wird gelöscht."}, marks.times(int64(count)))
		}
	},
}

var quitRow = row{
	keyword: "QUIT",
	help:    phrase{"Ends the session. After the login the server then deletes the marked messages for good.", "Beendet die Sitzung. Nach der Anmeldung löscht der Server dann die vorgemerkten Nachrichten endgültig."},
	early:   true, late: true,
	said:    quitSaid,
	ok:      quitOK,
	refused: quitRefused,
}

func quitSaid(c *Conversation, _ *asked, n *Note) {
	c.tell(n, phrase{"The client says goodbye.", "Der Client verabschiedet sich."})
	doomed := c.doomed()
	switch {
	case doomed.count() > 0:
		c.tell(n, phrase{"The server now deletes %s for good.", "Der Server löscht jetzt endgültig %s."}, doomed)
	case c.state == pop3.Transaction || c.loggingIn():
		c.tell(n, phrase{"No message is marked, so nothing is deleted.", "Keine Nachricht ist vorgemerkt, also wird nichts gelöscht."})
	}
	if c.mayExpire() {
		c.tell(n, phrase{"This server keeps no fetched mail (EXPIRE 0): it may delete all messages that were fetched, too.", "Dieser Server bewahrt Geholtes nicht auf (EXPIRE 0): Er darf auch alle geholten Nachrichten löschen."})
	}
}

// mayExpire says whether the server may delete what was fetched, without a mark.
func (c *Conversation) mayExpire() bool { return c.maildrop.fetched && c.expireNow }

// doomed returns what QUIT will delete if the commands on their way succeed.
func (c *Conversation) doomed() selection {
	s := c.maildrop.marked()
	for _, a := range c.queue {
		switch {
		case a.wrong:
		case a.row == &deleRow:
			s.numbers = append(s.numbers, a.number)
		case a.row.keyword == "RSET":
			s = selection{}
		}
	}
	slices.Sort(s.numbers)
	s.numbers = slices.Compact(s.numbers)
	return s
}

func quitOK(c *Conversation, _ *asked, _ string, n *Note) {
	c.tell(n, phrase{"The server says goodbye.", "Der Server verabschiedet sich."})
	if gone := c.maildrop.marked(); gone.count() > 0 && c.state == pop3.Transaction {
		c.tell(n, phrase{"It has deleted %s for good.", "Er hat %s endgültig gelöscht."}, gone)
	}
	c.finish(n)
}

func quitRefused(c *Conversation, a *asked, _ pop3.Code, n *Note) {
	if a.wrong {
		c.tell(n, phrase{"The server refuses: QUIT has to stand alone. The session goes on, and nothing is deleted.", "Der Server lehnt ab: QUIT muss allein stehen. Die Sitzung geht weiter, und nichts ist gelöscht."})
		return
	}
	if left := c.maildrop.marked(); left.count() > 0 {
		c.tell(n, phrase{"The server could not delete everything that was marked. These may still be there, some or all: %s.", "Der Server konnte nicht alles Vorgemerkte löschen. Davon kann noch einiges oder alles da sein: %s."}, left)
	} else {
		c.tell(n, phrase{"The server reports a mistake at the end.", "Der Server meldet am Ende einen Fehler."})
	}
	c.finish(n)
}

// finish ends the session behind the answer to QUIT.
func (c *Conversation) finish(n *Note) {
	if c.state == pop3.Transaction {
		c.state = pop3.Update
	}
	c.ended = true
	c.maildrop = newMaildrop()
	c.next(n, phrase{"Nothing: the server now closes the connection.", "Nichts mehr: Der Server schließt jetzt die Verbindung."})
}
