package explain

import "postfach/pop3"

var retrRow = row{
	keyword: "RETR", usage: phrase{"message", "Nachricht"},
	help:  phrase{"Fetches a message. It stays in the maildrop.", "Holt eine Nachricht. Sie bleibt im Postfach."},
	least: 1, most: 1, numbered: true, late: true,
	said: func(c *Conversation, a *asked, n *Note) {
		c.tell(n, phrase{"The client asks for message %d.", "Der Client fordert Nachricht %d an."}, a.number)
	},
	ok: func(c *Conversation, a *asked, _ string, n *Note) {
		c.tell(n, phrase{"The server sends message %d.", "Der Server sendet Nachricht %d."}, a.number)
	},
	refused: refusedMessage,
	longer:  always, content: true,
	end: func(c *Conversation, a *asked, n *Note) {
		c.tell(n, phrase{"End of message %d: %s with %s.", "Ende von Nachricht %d: %s mit insgesamt %s."}, a.number, lines.times(a.answer.lines), octets.times(a.answer.octets))
		c.maildrop.counted(a.number, a.answer.octets)
		if size, known := c.maildrop.sizes[int32(a.number)]; known && size != a.answer.octets {
			c.warn(n, phrase{"But LIST has announced %s.", "LIST hat aber %s angekündigt."}, octets.times(size))
		}
	},
}

func always(*asked) bool { return true }

var topRow = row{
	keyword: "TOP", usage: phrase{"message lines", "Nachricht Zeilen"},
	help:  phrase{"Fetches the header of a message and the first lines of its text; with 0 the header only.", "Holt den Kopf einer Nachricht und die ersten Zeilen ihres Textes; mit 0 nur den Kopf."},
	least: 2, most: 2, numbered: true, late: true,
	said: func(c *Conversation, a *asked, n *Note) {
		switch a.lines {
		case 0:
			c.tell(n, phrase{"The client asks for the header of message %d only.", "Der Client fordert nur den Kopf von Nachricht %d an."}, a.number)
		case 1:
			c.tell(n, phrase{"The client asks for the header of message %d and the first line of its text.", "Der Client fordert den Kopf von Nachricht %d und die erste Zeile ihres Textes an."}, a.number)
		default:
			c.tell(n, phrase{"The client asks for the header of message %d and the first %s of its text.", "Der Client fordert den Kopf von Nachricht %d und die ersten %s ihres Textes an."}, a.number, lines.times(int64(a.lines)))
		}
	},
	ok: func(c *Conversation, a *asked, _ string, n *Note) {
		c.tell(n, phrase{"The server sends the beginning of message %d.", "Der Server sendet den Anfang von Nachricht %d."}, a.number)
	},
	refused: func(c *Conversation, a *asked, code pop3.Code, n *Note) {
		refusedMessage(c, a, code, n)
		if code == "" {
			c.tell(n, phrase{"Not every server has TOP.", "Nicht jeder Server hat TOP."})
		}
	},
	longer: always, content: true,
	end: func(c *Conversation, a *asked, n *Note) {
		c.tell(n, phrase{"That was the beginning of message %d: %s with %s.", "Das war der Anfang von Nachricht %d: %s mit insgesamt %s."}, a.number, lines.times(a.answer.lines), octets.times(a.answer.octets))
	},
}
