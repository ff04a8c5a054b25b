package explain

import "postfach/pop3"

var userRow = row{
	keyword: "USER", usage: phrase{"name", "Name"},
	help: phrase{"Says who wants to log in. The password follows with PASS.", "Nennt, wer sich anmelden will. Das Kennwort folgt mit PASS."},
	most: 1, least: 1, whole: true, early: true,
	said: func(c *Conversation, a *asked, n *Note) {
		c.tell(n, phrase{"The client gives the user name: %s.", "Der Client nennt den Benutzernamen: %s."}, quoted(a.argument(0)))
	},
	ok: func(c *Conversation, _ *asked, _ string, n *Note) {
		c.named = true
		c.tell(n, phrase{"The server takes the name and waits for the password. That does not mean that it knows the user.", "Der Server nimmt den Namen an und wartet auf das Kennwort. Dass er den Benutzer kennt, heißt das nicht."})
		c.next(n, phrase{"Send the password with PASS.", "Mit PASS das Kennwort senden."})
	},
	refused: func(c *Conversation, _ *asked, code pop3.Code, n *Note) {
		c.tell(n, phrase{"The server does not take this name.", "Der Server nimmt diesen Namen nicht an."})
		if !c.encrypted && code == "" {
			c.tell(n, phrase{"Many servers want no passwords without TLS.", "Viele Server wollen ohne TLS keine Kennwörter."})
		}
		c.nextTry(code, n)
	},
}

var passRow = row{
	keyword: "PASS", usage: phrase{"password", "Kennwort"},
	help: phrase{"Sends the password for the name given with USER, readable unless the connection is encrypted.", "Sendet das Kennwort zum Namen von USER, lesbar, wenn die Verbindung nicht verschlüsselt ist."},
	most: 1, least: 1, whole: true, early: true,
	said: func(c *Conversation, _ *asked, n *Note) {
		c.tell(n, phrase{"The client sends the password.", "Der Client sendet das Kennwort."})
		c.warnReadable(n)
		if !c.named && !c.awaits("USER") && c.state == pop3.Authorization {
			c.warn(n, phrase{"But USER has to come first.", "Vorher muss aber USER kommen."})
		}
	},
	ok: func(c *Conversation, _ *asked, _ string, n *Note) {
		c.loggedIn(phrase{"The server accepts name and password.", "Der Server bestätigt die Anmeldung."}, n)
	},
	refused: loginRefused,
}

var apopRow = row{
	keyword: "APOP", usage: phrase{"name digest", "Name Hash-Wert"},
	help: phrase{"Logs in without showing the password: the digest is MD5 over the greeting's timestamp and the password.", "Meldet an, ohne das Kennwort zu zeigen: Der Hash-Wert ist MD5 über den Zeitstempel der Begrüßung und das Kennwort."},
	most: 2, least: 2, early: true,
	said: func(c *Conversation, a *asked, n *Note) {
		c.tell(n, phrase{"The client logs in as %s. It does not send the password but a code computed from it and the greeting's timestamp.", "Der Client meldet sich als %s an. Er sendet nicht das Kennwort, sondern einen Code, der daraus und aus dem Zeitstempel der Begrüßung berechnet ist."}, quoted(a.argument(0)))
		switch {
		case c.stale:
			c.warn(n, phrase{"That timestamp came before TLS: anybody may have put it there, to find out the password with it.", "Dieser Zeitstempel kam vor TLS: Jeder kann ihn untergeschoben haben, um damit das Kennwort herauszufinden."})
		case c.greeted && c.timestamp == "" && c.state == pop3.Authorization:
			c.warn(n, phrase{"But the greeting had no timestamp that can be trusted.", "Die Begrüßung enthielt aber keinen Zeitstempel, dem man trauen kann."})
		}
	},
	ok: func(c *Conversation, _ *asked, _ string, n *Note) {
		c.loggedIn(phrase{"The server has computed the same code: the user is logged in.", "Der Server hat denselben Code berechnet: Der Benutzer ist angemeldet."}, n)
	},
	refused: loginRefused,
}

// warnReadable warns about a password that everybody can read.
func (c *Conversation) warnReadable(n *Note) {
	if !c.encrypted {
		c.warn(n, phrase{"Without TLS everybody on the way can read the password.", "Ohne TLS kann unterwegs jeder das Kennwort mitlesen."})
	}
}

// loggedIn explains that a login succeeded.
func (c *Conversation) loggedIn(how phrase, n *Note) {
	c.tell(n, how)
	if c.state != pop3.Authorization {
		c.warn(n, phrase{"But somebody was logged in already.", "Es war aber schon jemand angemeldet."})
		return
	}
	c.state = pop3.Transaction
	c.tell(n, phrase{"The maildrop is open, and locked for all others until the end.", "Das Postfach ist offen und bis zum Ende für alle anderen gesperrt."})
	c.next(n, phrase{"Count the messages with STAT, list them with LIST or UIDL, fetch one with RETR, mark it for deletion with DELE, or end with QUIT.", "Mit STAT die Nachrichten zählen, mit LIST oder UIDL auflisten, mit RETR eine holen, mit DELE zum Löschen vormerken oder mit QUIT beenden."})
}

// loginRefused explains that a login failed.
func loginRefused(c *Conversation, _ *asked, code pop3.Code, n *Note) {
	c.named = false
	c.tell(n, phrase{"The server refuses the login.", "Der Server lehnt die Anmeldung ab."})
	if code == "" {
		c.tell(n, phrase{"It does not say why: name or password may be wrong, or the maildrop is in use elsewhere.", "Warum, sagt er nicht: Name oder Kennwort können falsch sein, oder das Postfach wird gerade anderswo benutzt."})
	}
	c.nextTry(code, n)
}

// nextTry says what may be done behind a refused login.
func (c *Conversation) nextTry(code pop3.Code, n *Note) {
	switch {
	case c.state != pop3.Authorization:
	case code.Is(pop3.CodeInUse), code.Is(pop3.CodeLoginDelay), code.Is(pop3.CodeSysTemp):
		c.next(n, phrase{"Leave with QUIT and try again later.", "Mit QUIT gehen und es später noch einmal versuchen."})
	case code.Is(pop3.CodeSysPerm):
		c.next(n, phrase{"Leave with QUIT; only the people who run the server can help.", "Mit QUIT gehen; helfen kann nur, wer den Server betreibt."})
	default:
		c.next(n, phrase{"Try again with another name or password, beginning with USER, or leave with QUIT.", "Mit USER und anderem Namen oder Kennwort noch einmal beginnen oder mit QUIT gehen."})
	}
}
