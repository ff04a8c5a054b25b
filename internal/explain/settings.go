package explain

import (
	"strings"

	"postfach/internal/popwire"
	"postfach/pop3"
)

var noopRow = row{
	keyword: "NOOP",
	help:    phrase{"Does nothing, but keeps the connection open.", "Tut nichts, hält aber die Verbindung offen."},
	late:    true,
	said: func(c *Conversation, _ *asked, n *Note) {
		c.tell(n, phrase{"Nothing is to be done: the client only keeps the connection open.", "Es ist nichts zu tun: Der Client hält nur die Verbindung offen."})
	},
	ok: func(c *Conversation, _ *asked, _ string, n *Note) {
		c.tell(n, phrase{"The server is still there.", "Der Server ist noch da."})
	},
}

var capaRow = row{
	keyword: "CAPA",
	help:    phrase{"Asks what the server can do.", "Fragt, was der Server kann."},
	early:   true, late: true,
	said: func(c *Conversation, _ *asked, n *Note) {
		c.tell(n, phrase{"The client asks what the server can do.", "Der Client fragt, was der Server kann."})
	},
	ok: func(c *Conversation, _ *asked, _ string, n *Note) {
		c.expireNow = false
		c.tell(n, phrase{"The server lists what it can do on this connection at this time.", "Der Server zählt auf, was er auf dieser Verbindung jetzt kann."})
	},
	refused: func(c *Conversation, _ *asked, _ pop3.Code, n *Note) {
		c.tell(n, phrase{"The server does not know this question. The client goes on with what every server can do.", "Der Server kennt diese Frage nicht. Der Client macht mit dem weiter, was jeder Server kann."})
	},
	longer: always,
	item:   capaItem,
	end: func(c *Conversation, a *asked, n *Note) {
		c.tell(n, phrase{"End of the list: %s.", "Ende der Liste: %s."}, abilities.times(a.answer.lines))
	},
}

func capaItem(c *Conversation, _ *asked, line string, n *Note) {
	ability, ok := popwire.ParseCapability(line)
	if !ok {
		c.warn(n, phrase{"The name of a capability has to stand here.", "Hier muss der Name einer Fähigkeit stehen."})
		return
	}
	n.Meaning = Capability(c.lang, ability)
	if strings.EqualFold(ability.Tag, pop3.CapExpire) && ability.Has("0") {
		c.expireNow = true
	}
	if strings.EqualFold(ability.Tag, pop3.CapSTLS) && (c.encrypted || c.state != pop3.Authorization) {
		c.warn(n, phrase{"But it is too late for that here, so it may not be listed.", "Dafür ist es hier aber zu spät, also darf es nicht aufgeführt sein."})
	}
}

var stlsRow = row{
	keyword: "STLS",
	help:    phrase{"Switches the connection to TLS: from then on nobody on the way can read it.", "Schaltet die Verbindung auf TLS um: Von da an kann unterwegs niemand mitlesen."},
	early:   true,
	said: func(c *Conversation, _ *asked, n *Note) {
		c.tell(n, phrase{"The client asks to encrypt the connection with TLS.", "Der Client will die Verbindung mit TLS verschlüsseln."})
		if c.encrypted {
			c.warn(n, phrase{"But TLS is on already.", "TLS ist aber schon an."})
		}
	},
	ok: func(c *Conversation, _ *asked, _ string, n *Note) {
		c.tell(n, phrase{"The server is ready: TLS begins now.", "Der Server ist bereit: Jetzt beginnt TLS."})
	},
	refused: func(c *Conversation, _ *asked, _ pop3.Code, n *Note) {
		if c.encrypted {
			c.tell(n, phrase{"The server refuses: TLS is on already.", "Der Server lehnt ab: TLS ist schon an."})
			return
		}
		c.tell(n, phrase{"The server offers no TLS here: everybody on the way can still read the connection.", "Der Server bietet hier kein TLS: Unterwegs kann weiter jeder mitlesen."})
		c.next(n, phrase{"Leave with QUIT and look for port %d, where TLS is on from the start. Do not send a password here.", "Mit QUIT gehen und Port %d versuchen, wo TLS von Anfang an gilt. Hier kein Kennwort senden."}, pop3.PortTLS)
	},
}

var utf8Row = row{
	keyword: "UTF8",
	help:    phrase{"Allows messages with letters of all scripts in their headers, as they are. It comes before the login.", "Erlaubt Nachrichten mit Buchstaben aller Schriften im Kopf, so wie sie sind. Der Befehl kommt vor der Anmeldung."},
	early:   true,
	said: func(c *Conversation, _ *asked, n *Note) {
		c.tell(n, phrase{"The client can handle messages with letters of all scripts in their headers (UTF-8).", "Der Client kommt mit Nachrichten zurecht, in deren Kopf Buchstaben aller Schriften stehen (UTF-8)."})
	},
	ok: func(c *Conversation, _ *asked, _ string, n *Note) {
		c.tell(n, phrase{"The server will send such messages as they are.", "Der Server wird solche Nachrichten senden, wie sie sind."})
	},
	refused: func(c *Conversation, _ *asked, _ pop3.Code, n *Note) {
		c.tell(n, phrase{"The server refuses: such messages come changed or not at all.", "Der Server lehnt ab: Solche Nachrichten kommen verändert oder gar nicht."})
	},
}

var langRow = row{
	keyword: "LANG", usage: phrase{"[language]", "[Sprache]"},
	help: phrase{"Chooses the language of the server's texts, or asks which there are.", "Wählt die Sprache der Texte des Servers oder fragt, welche es gibt."},
	most: 1, early: true, late: true,
	said: func(c *Conversation, a *asked, n *Note) {
		switch tag := a.argument(0); tag {
		case "":
			c.tell(n, phrase{"In which languages can the server write?", "In welchen Sprachen kann der Server schreiben?"})
		case "*":
			c.tell(n, phrase{"The client leaves the language to the server.", "Der Client überlässt die Sprache dem Server."})
		default:
			c.tell(n, phrase{"The client asks for texts in the language %s.", "Der Client wünscht Texte in der Sprache %s."}, quoted(tag))
		}
	},
	ok: func(c *Conversation, a *asked, text string, n *Note) {
		if len(a.args) == 0 {
			c.tell(n, phrase{"A line for each language follows.", "Es folgt eine Zeile für jede Sprache."})
			return
		}
		tag, _, _ := strings.Cut(text, " ")
		c.tell(n, phrase{"The server's texts are in the language %s from now on.", "Die Texte des Servers sind ab jetzt in der Sprache %s."}, quoted(tag))
	},
	refused: func(c *Conversation, _ *asked, _ pop3.Code, n *Note) {
		c.tell(n, phrase{"The server refuses; the language stays as it is.", "Der Server lehnt ab; die Sprache bleibt, wie sie ist."})
	},
	longer: withoutArguments,
	item: func(c *Conversation, _ *asked, line string, n *Note) {
		tag, name, _ := strings.Cut(line, " ")
		if name == "" {
			c.tell(n, phrase{"A language: %s.", "Eine Sprache: %s."}, quoted(tag))
			return
		}
		c.tell(n, phrase{"A language: %s, which is %s.", "Eine Sprache: %s, das ist %s."}, quoted(tag), quoted(name))
	},
	end: func(c *Conversation, a *asked, n *Note) {
		c.tell(n, phrase{"End of the list: %s.", "Ende der Liste: %s."}, tongues.times(a.answer.lines))
	},
}

var xtndRow = row{
	keyword: "XTND", usage: phrase{"extension …", "Erweiterung …"},
	help: phrase{"An old private extension, for example for sending mail. Hardly any server has it.", "Eine alte private Erweiterung, zum Beispiel zum Versenden. Kaum ein Server hat sie."},
	most: 1, whole: true, late: true,
	said: func(c *Conversation, a *asked, n *Note) {
		c.tell(n, phrase{"The client asks for the private extension %s.", "Der Client verlangt die private Erweiterung %s."}, quoted(a.argument(0)))
	},
	refused: unknownRefused,
	item:    unknownItem,
}
