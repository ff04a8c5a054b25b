package explain

import (
	"slices"

	"postfach/pop3"
)

// TLS says that the handshake has succeeded here, at the start or behind STLS.
// Said twice, the second note is empty.
func (c *Conversation) TLS() Note {
	n := Note{Place: Event}
	if c.encrypted {
		return n
	}
	c.encrypted = true
	c.tell(&n, phrase{"TLS is on: from here nobody on the way can read or change what is said.", "TLS ist an: Ab hier kann unterwegs niemand mitlesen oder etwas ändern."})
	if !c.greeted {
		return n
	}
	// Nothing that was said in clear holds any more (P3-TLS-08, P3-TLS-09).
	c.forget()
	c.tell(&n, phrase{"The server forgets what was said before.", "Der Server vergisst, was vorher gesagt wurde."})
	c.next(&n, phrase{"Ask with CAPA again what the server can do: the list from before TLS may have been forged. Then log in.", "Mit CAPA noch einmal fragen, was der Server kann: Die Liste von vorher kann gefälscht sein. Dann anmelden."})
	return n
}

// forget begins anew behind the greeting.
func (c *Conversation) forget() {
	c.stale = c.timestamp != ""
	c.timestamp = ""
	c.named, c.expireNow = false, false
	c.queue, c.open = nil, nil
	clear(c.pending)
	c.reading, c.challenged, c.over, c.lost = false, false, false, false
}

// Closed says that the connection has ended here, and what that means for marked
// messages.
func (c *Conversation) Closed(byClient bool) Note {
	n := Note{Place: Event}
	doomed := c.doomed()
	quit := slices.ContainsFunc(c.queue, func(a *asked) bool { return a.row.keyword == "QUIT" })
	switch {
	case c.ended && byClient:
		c.tell(&n, phrase{"The connection is closed.", "Die Verbindung ist beendet."})
		return n
	case c.ended:
		c.tell(&n, phrase{"The server closes the connection, as it should after QUIT.", "Der Server schließt die Verbindung, wie es nach QUIT sein soll."})
		return n
	case !c.greeted:
		c.tell(&n, phrase{"The connection ended before the server had greeted.", "Die Verbindung endete, bevor sich der Server gemeldet hat."})
		return n
	case quit && doomed.count() > 0:
		c.warn(&n, phrase{"The connection ended before QUIT was answered: nobody knows whether the server has deleted what was marked (%s). The next login will show.", "Die Verbindung endete, bevor QUIT beantwortet war: Niemand weiß, ob der Server das Vorgemerkte gelöscht hat (%s). Die nächste Anmeldung wird es zeigen."}, doomed)
		return n
	case quit && c.mayExpire():
		c.warn(&n, phrase{"The connection ended before QUIT was answered: nobody knows whether the server has deleted what was fetched. The next login will show.", "Die Verbindung endete, bevor QUIT beantwortet war: Niemand weiß, ob der Server das Geholte gelöscht hat. Die nächste Anmeldung wird es zeigen."})
		return n
	case quit:
		c.tell(&n, phrase{"The connection ended before QUIT was answered. Nothing was marked, so nothing is deleted.", "Die Verbindung endete, bevor QUIT beantwortet war. Nichts war vorgemerkt, also ist nichts gelöscht."})
		return n
	}
	c.tellHangup(&n, byClient)
	if c.reading && c.queue[0].row.content {
		c.warn(&n, phrase{"Message %d has not come to its end: what there is of it must not be taken for the whole.", "Nachricht %d ist nicht zu Ende gekommen: Was davon da ist, darf nicht für das Ganze gehalten werden."}, c.queue[0].number)
	}
	c.maildrop.unmark()
	return n
}

// tellHangup says what an end without QUIT means.
func (c *Conversation) tellHangup(n *Note, byClient bool) {
	switch count := c.maildrop.marked().count(); {
	case c.state != pop3.Transaction:
		c.tell(n, phrase{"The connection ended before anybody had logged in.", "Die Verbindung endete, bevor sich jemand angemeldet hat."})
	case count == 0:
		c.tell(n, phrase{"The connection ended without QUIT: nothing is deleted.", "Die Verbindung endete ohne QUIT: Nichts ist gelöscht."})
	case count == 1:
		c.tell(n, phrase{"The connection ended without QUIT: nothing is deleted, the mark is forgotten.", "Die Verbindung endete ohne QUIT: Nichts ist gelöscht, die Vormerkung ist vergessen."})
	default:
		c.tell(n, phrase{"The connection ended without QUIT: nothing is deleted, the %s are forgotten.", "Die Verbindung endete ohne QUIT: Nichts ist gelöscht, die %s sind vergessen."}, marks.times(int64(count)))
	}
	if byClient {
		c.tell(n, phrase{"The client hung up.", "Der Client hat aufgelegt."})
		return
	}
	c.tell(n, phrase{"The server hung up.", "Der Server hat aufgelegt."})
}
