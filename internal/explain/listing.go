package explain

import (
	"strings"

	"postfach/internal/popwire"
	"postfach/pop3"
)

var statRow = row{
	keyword: "STAT",
	help:    phrase{"Says how many messages there are, and how large they are together.", "Sagt, wie viele Nachrichten da sind und wie groß sie zusammen sind."},
	late:    true,
	said: func(c *Conversation, _ *asked, n *Note) {
		c.tell(n, phrase{"How many messages are in the maildrop?", "Wie viele Nachrichten sind im Postfach?"})
	},
	ok: func(c *Conversation, _ *asked, text string, n *Note) {
		l, ok := popwire.ParseDropListing(text)
		if !ok {
			c.warn(n, phrase{"Two numbers have to follow: how many messages there are, and their octets.", "Es müssen zwei Zahlen folgen: wie viele Nachrichten es sind und wie viele Byte."})
			return
		}
		c.tellDrop(n, l)
		c.maildrop.stat(c, l, n)
	},
}

// tellDrop says what is in the maildrop.
func (c *Conversation) tellDrop(n *Note, l pop3.DropListing) {
	if l.Count == 0 {
		c.tell(n, phrase{"The maildrop is empty.", "Das Postfach ist leer."})
		return
	}
	c.tell(n, phrase{"%s with %s in the maildrop.", "%s mit insgesamt %s im Postfach."}, messages.times(int64(l.Count)), octets.times(l.Size))
}

var listRow = row{
	keyword: "LIST", usage: phrase{"[message]", "[Nachricht]"},
	help: phrase{"Says how large each message is, or one of them, by the numbers that messages have in this session.", "Sagt, wie groß jede Nachricht ist oder eine einzelne. Die Nummern der Nachrichten gelten für diese Sitzung."},
	most: 1, numbered: true, late: true,
	said: func(c *Conversation, a *asked, n *Note) {
		if len(a.args) > 0 {
			c.tell(n, phrase{"How large is message %d?", "Wie groß ist Nachricht %d?"}, a.number)
			return
		}
		c.tell(n, phrase{"Which messages are there, and how large is each?", "Welche Nachrichten gibt es, und wie groß ist jede?"})
	},
	ok: func(c *Conversation, a *asked, text string, n *Note) {
		if a.row.longer(a) {
			c.maildrop.beginList()
			c.tell(n, phrase{"A line for each message follows: its number and its size in octets.", "Es folgt eine Zeile für jede Nachricht: ihre Nummer und ihre Größe in Byte."})
			return
		}
		c.scanListing(a, text, n)
	},
	refused: refusedMessage,
	longer:  withoutArguments,
	item: func(c *Conversation, a *asked, line string, n *Note) {
		c.scanListing(a, line, n)
	},
	end: func(c *Conversation, _ *asked, n *Note) {
		l := c.maildrop.listed
		if l.Count == 0 {
			c.tell(n, phrase{"End of the list: there is no message.", "Ende der Liste: Es gibt keine Nachricht."})
		} else {
			c.tell(n, phrase{"End of the list: %s with %s.", "Ende der Liste: %s mit insgesamt %s."}, messages.times(int64(l.Count)), octets.times(l.Size))
		}
		c.maildrop.endList(c, n)
	},
}

func withoutArguments(a *asked) bool { return len(a.args) == 0 }

// scanListing explains the number and the size of a message.
func (c *Conversation) scanListing(a *asked, text string, n *Note) {
	l, ok := popwire.ParseScanListing(text)
	if !ok {
		c.warn(n, phrase{"A message number and a size in octets have to stand here.", "Hier müssen die Nummer einer Nachricht und ihre Größe in Byte stehen."})
		return
	}
	c.tell(n, phrase{"Message %d has %s.", "Nachricht %d hat %s."}, l.Number, octets.times(l.Size))
	if l.Size == 0 {
		c.tell(n, phrase{"That is odd: it is empty.", "Das ist seltsam: Sie ist leer."})
	}
	c.checkNumber(a, l.Number, n)
	c.maildrop.list(l, a.row.longer(a))
}

var uidlRow = row{
	keyword: "UIDL", usage: phrase{"[message]", "[Nachricht]"},
	help: phrase{"Gives each message's unique-id, or that of one: a name that stays the same in all sessions, so that a client knows what it has fetched already.", "Nennt die eindeutige Kennung jeder Nachricht oder einer einzelnen: einen Namen, der in allen Sitzungen gleich bleibt, damit ein Client weiß, was er schon geholt hat."},
	most: 1, numbered: true, late: true,
	said: func(c *Conversation, a *asked, n *Note) {
		if len(a.args) > 0 {
			c.tell(n, phrase{"Which unique-id does message %d have?", "Welche eindeutige Kennung hat Nachricht %d?"}, a.number)
			return
		}
		c.tell(n, phrase{"Which unique-id does each message have? It tells what is new since the last time.", "Welche eindeutige Kennung hat jede Nachricht? Daran erkennt man, was seit dem letzten Mal neu ist."})
	},
	ok: func(c *Conversation, a *asked, text string, n *Note) {
		if a.row.longer(a) {
			c.maildrop.beginIDs()
			c.tell(n, phrase{"A line for each message follows: its number and its unique-id.", "Es folgt eine Zeile für jede Nachricht: ihre Nummer und ihre eindeutige Kennung."})
			return
		}
		c.idListing(a, text, n)
	},
	refused: func(c *Conversation, a *asked, code pop3.Code, n *Note) {
		if len(a.args) > 0 {
			refusedMessage(c, a, code, n)
			return
		}
		c.tell(n, phrase{"The server refuses; perhaps it knows no unique-ids.", "Der Server lehnt ab; vielleicht kennt er keine eindeutigen Kennungen."})
	},
	longer: withoutArguments,
	item: func(c *Conversation, a *asked, line string, n *Note) {
		c.idListing(a, line, n)
	},
	end: func(c *Conversation, a *asked, n *Note) {
		c.tell(n, phrase{"End of the list: %s.", "Ende der Liste: %s."}, uniqueIDs.times(a.answer.lines))
	},
}

// idListing explains the number and the unique-id of a message.
func (c *Conversation) idListing(a *asked, text string, n *Note) {
	l, ok := popwire.ParseIDListing(text)
	if !ok {
		c.warn(n, phrase{"A message number and its unique-id have to stand here.", "Hier müssen die Nummer einer Nachricht und ihre eindeutige Kennung stehen."})
		return
	}
	if a.answer.lines > 1 { // the first line of the list has said the rest
		c.tell(n, phrase{"Message %d is %s.", "Nachricht %d heißt %s."}, l.Number, quoted(l.ID))
	} else {
		c.tell(n, phrase{"Message %d is %s, today and in every later session.", "Nachricht %d heißt %s, heute und in jeder späteren Sitzung."}, l.Number, quoted(l.ID))
	}
	c.checkNumber(a, l.Number, n)
	switch other := c.maildrop.id(l, a.row.longer(a)); {
	case len(l.ID) > pop3.MaxUniqueID:
		c.warn(n, phrase{"A unique-id may not be longer than %s.", "Eine eindeutige Kennung darf höchstens %s lang sein."}, octets.times(pop3.MaxUniqueID))
	case !l.ID.Valid():
		c.warn(n, phrase{"It contains octets that no unique-id may contain.", "Sie enthält Zeichen, die in keiner eindeutigen Kennung stehen dürfen."})
	case len(strings.Fields(text)) > 2:
		c.warn(n, phrase{"Nothing may follow it.", "Dahinter darf nichts mehr stehen."})
	case other > 0:
		c.warn(n, phrase{"Message %d has the same one: a client takes the two for one message and may fetch only one of them.", "Nachricht %d hat dieselbe: Ein Client hält beide für eine Nachricht und holt womöglich nur eine davon."}, other)
	}
}

// checkNumber warns about numbers that no message of this maildrop can have.
func (c *Conversation) checkNumber(a *asked, number int, n *Note) {
	switch most := c.maildrop.most; {
	case number < 1:
		c.warn(n, phrase{"Message numbers begin with 1.", "Die Nummern der Nachrichten beginnen bei 1."})
	case a.number > 0 && number != a.number:
		c.warn(n, phrase{"But the client asked for message %d.", "Der Client hat aber nach Nachricht %d gefragt."}, a.number)
	case most >= 0 && number > most:
		c.warn(n, phrase{"But there are only %s.", "Es gibt aber nur %s."}, messages.times(int64(most)))
	case c.maildrop.isMarked(number):
		c.warn(n, phrase{"But it is marked for deletion and may not be listed any more.", "Sie ist aber zum Löschen vorgemerkt und darf nicht mehr aufgeführt werden."})
	}
}

var lastRow = row{
	keyword: "LAST",
	help:    phrase{"Says the highest number of a message that was fetched. It was taken out of the standard in 1994; UIDL does it better.", "Nennt die höchste Nummer einer schon geholten Nachricht. Der Befehl wurde 1994 aus dem Standard gestrichen; UIDL kann es besser."},
	late:    true,
	said: func(c *Conversation, _ *asked, n *Note) {
		c.tell(n, phrase{"Which is the highest number of a message that was fetched already?", "Was ist die höchste Nummer einer schon geholten Nachricht?"})
	},
	ok: func(c *Conversation, _ *asked, text string, n *Note) {
		switch number, ok := firstNumber(text); {
		case !ok:
			c.warn(n, phrase{"A message number has to follow.", "Es muss die Nummer einer Nachricht folgen."})
		case number == 0:
			c.tell(n, phrase{"No message was fetched yet.", "Es wurde noch keine Nachricht geholt."})
		default:
			c.tell(n, phrase{"The highest number fetched is %d.", "Die höchste geholte Nummer ist %d."}, number)
		}
	},
	refused: func(c *Conversation, _ *asked, _ pop3.Code, n *Note) {
		c.tell(n, phrase{"The server does not have this old command, as most.", "Der Server hat diesen alten Befehl nicht, wie die meisten."})
	},
}
