package explain

import (
	"strings"

	"postfach/internal/popwire"
	"postfach/pop3"
)

var authRow = row{
	keyword: "AUTH", usage: phrase{"mechanism", "Verfahren"},
	help: phrase{"Logs in with a mechanism of those that CAPA lists behind SASL, for example AUTH SCRAM-SHA-256.", "Meldet mit einem der Verfahren an, die CAPA hinter SASL nennt, zum Beispiel AUTH SCRAM-SHA-256."},
	most: 2, early: true,
	said: authSaid,
	ok: func(c *Conversation, a *asked, _ string, n *Note) {
		if len(a.args) == 0 {
			c.tell(n, phrase{"The server lists its mechanisms.", "Der Server zählt seine Verfahren auf."})
			return
		}
		c.loggedIn(phrase{"The login has succeeded.", "Die Anmeldung ist gelungen."}, n)
	},
	refused: func(c *Conversation, a *asked, code pop3.Code, n *Note) {
		switch {
		case len(a.args) == 0:
			c.tell(n, phrase{"The server does not list its mechanisms here; CAPA does that today.", "Der Server zählt seine Verfahren hier nicht auf; das macht heute CAPA."})
		case a.cancelled:
			c.tell(n, phrase{"The login is cancelled, and the session goes on.", "Die Anmeldung ist abgebrochen, und die Sitzung geht weiter."})
			c.nextLogin(n)
		case a.steps == 0 && code == "":
			c.tell(n, phrase{"The server refuses the login: it does not know the mechanism, does not want it on this connection, or name and secret are wrong.", "Der Server lehnt die Anmeldung ab: Er kennt das Verfahren nicht, will es auf dieser Verbindung nicht, oder Name und Geheimnis sind falsch."})
			c.nextTry(code, n)
		default:
			loginRefused(c, a, code, n)
		}
	},
	longer: func(a *asked) bool { return len(a.args) == 0 },
	item: func(c *Conversation, _ *asked, line string, n *Note) {
		c.tell(n, phrase{"%s: %s.", "%s: %s."}, quoted(line), mechanismOf(strings.TrimSpace(line)).is)
	},
	end: func(c *Conversation, a *asked, n *Note) {
		c.tell(n, phrase{"End of the list: %s.", "Ende der Liste: %s."}, ways.times(a.answer.lines))
	},
}

func authSaid(c *Conversation, a *asked, n *Note) {
	name := a.argument(0)
	switch {
	case name == "":
		c.tell(n, phrase{"The client asks which mechanisms there are for logging in. This is an old habit; CAPA tells it today.", "Der Client fragt, welche Verfahren zur Anmeldung es gibt. Das ist ein alter Brauch; heute sagt es CAPA."})
		return
	case name == popwire.Secret:
		c.tell(n, phrase{"The client wants to log in with a mechanism that is hidden here because it is not known.", "Der Client will sich mit einem Verfahren anmelden, das hier nicht gezeigt wird, weil es nicht bekannt ist."})
		return
	}
	m := mechanismOf(name)
	c.tell(n, phrase{"The client wants to log in with %s: %s.", "Der Client will sich mit %s anmelden: %s."}, quoted(name), m.is)
	if len(a.args) > 1 {
		c.tell(n, phrase{"It sends the first part at once.", "Den ersten Teil sendet er gleich mit."})
		c.warnShown(m, n)
	}
}

// warnShown warns about a secret that everybody can read.
func (c *Conversation) warnShown(m mechanism, n *Note) {
	if !c.encrypted && m.shows != (phrase{}) {
		c.warn(n, phrase{"Without TLS everybody on the way can read %s.", "Ohne TLS kann unterwegs jeder %s mitlesen."}, m.shows)
	}
}

// challenge explains a line in which the server asks for the next part of a
// login.
func (c *Conversation) challenge(line string) Note {
	n := Note{Place: Challenge, Keyword: "AUTH"}
	a := c.queue[0]
	a.steps++
	c.over = false
	if len(c.queue) > 1 && !c.challenged {
		// What came behind AUTH was not a command: the server takes any line
		// for the response (P3-AUTH-31).
		c.dropSecond()
		c.warn(&n, phrase{"The line that the client has sent meanwhile counts as its answer to this.", "Die Zeile, die der Client inzwischen gesendet hat, zählt als seine Antwort darauf."})
	} else {
		c.challenged = true
	}
	challenge, _, ok := popwire.ParseChallenge([]byte(line), popwire.Lenient)
	hidden := strings.Contains(line, popwire.Secret)
	if !ok && !hidden {
		c.warn(&n, phrase{"The server asks for the next part of the login, but what follows “+” is not in the form (base64) that the rules ask for.", "Der Server fragt nach dem nächsten Teil der Anmeldung, aber was auf „+“ folgt, hat nicht die vorgeschriebene Form (Base64)."})
		return n
	}
	if m := mechanismOf(a.argument(0)); m.asks != nil && !hidden {
		m.asks(c, string(challenge), a.steps, &n)
	} else {
		c.tell(&n, phrase{"The server asks for the next part of the login.", "Der Server fragt nach dem nächsten Teil der Anmeldung."})
	}
	return n
}

// dropSecond takes the command behind the oldest away, which was none.
func (c *Conversation) dropSecond() {
	a := c.queue[1]
	if !a.wrong {
		c.pending[a.row.keyword]--
	}
	c.queue[1] = c.queue[0]
	c.queue[0] = nil
	c.queue = c.queue[1:]
}

// response explains what the client answers to a challenge. Whatever it is, it
// is no command.
func (c *Conversation) response(line string) Note {
	n := Note{Place: Response, Keyword: "AUTH"}
	c.challenged = false
	a := c.queue[0]
	m := mechanismOf(a.argument(0))
	switch line {
	case popwire.Cancel:
		a.cancelled = true
		c.tell(&n, phrase{"The client cancels the login.", "Der Client bricht die Anmeldung ab."})
		return n
	case "":
		c.tell(&n, phrase{"The client answers with nothing, which can be right here.", "Der Client antwortet mit nichts, was hier richtig sein kann."})
		return n
	}
	c.tell(&n, phrase{"The client answers.", "Der Client antwortet."})
	if m.name != "LOGIN" || a.steps > 1 {
		c.warnShown(m, &n)
	}
	return n
}

func asksPlain(c *Conversation, _ string, _ int, n *Note) {
	c.tell(n, phrase{"The server waits for name and password.", "Der Server wartet auf Name und Kennwort."})
}

func asksLogin(c *Conversation, challenge string, _ int, n *Note) {
	c.tell(n, phrase{"The server asks: %s.", "Der Server fragt: %s."}, quoted(challenge))
}

func asksCode(c *Conversation, _ string, step int, n *Note) {
	if step > 1 {
		c.tell(n, phrase{"The server proves that it knows the password, too; an empty answer is enough.", "Der Server beweist, dass auch er das Kennwort kennt; eine leere Antwort genügt."})
		return
	}
	c.tell(n, phrase{"The server sends a text that is used only once. The client answers with a code computed from it and the password.", "Der Server sendet einen Text, der nur einmal verwendet wird. Der Client antwortet mit einem Code, der daraus und aus dem Kennwort berechnet ist."})
}

func asksSCRAM(c *Conversation, challenge string, _ int, n *Note) {
	switch {
	case challenge == "":
		c.tell(n, phrase{"The server waits for the name.", "Der Server wartet auf den Namen."})
	case strings.HasPrefix(challenge, "v="):
		c.tell(n, phrase{"The server proves that it knows the password, too. The client checks that and answers with an empty line.", "Der Server beweist, dass auch er das Kennwort kennt. Der Client prüft das und antwortet mit einer leeren Zeile."})
	case strings.HasPrefix(challenge, "e="):
		c.tell(n, phrase{"The server says what is wrong: %s.", "Der Server sagt, was nicht stimmt: %s."}, quoted(challenge[2:]))
	default:
		_, i, _ := strings.Cut(challenge, ",i=")
		if count, ok := popwire.ParseNumber(i); ok {
			c.tell(n, phrase{"The server says how the proof is computed: with a salt and %s. The client answers with its proof.", "Der Server sagt, wie der Beweis zu berechnen ist: mit einem Salz und %s. Der Client antwortet mit seinem Beweis."}, rounds.times(count))
			return
		}
		c.tell(n, phrase{"The server says how the proof is computed. The client answers with its proof.", "Der Server sagt, wie der Beweis zu berechnen ist. Der Client antwortet mit seinem Beweis."})
	}
}

func asksToken(c *Conversation, challenge string, _ int, n *Note) {
	if challenge == "" {
		c.tell(n, phrase{"The server waits for the token.", "Der Server wartet auf das Token."})
		return
	}
	c.tell(n, phrase{"The server does not take the token, and says why: %s. The client answers once more, then -ERR follows.", "Der Server nimmt das Token nicht an und sagt, warum: %s. Der Client antwortet noch einmal, dann folgt -ERR."}, quoted(challenge))
}

func asksNothing(c *Conversation, _ string, _ int, n *Note) {
	c.tell(n, phrase{"The server waits; the answer can be empty.", "Der Server wartet; die Antwort kann leer sein."})
}
