package explain

import (
	"strings"

	"postfach/internal/popwire"
	"postfach/pop3"
)

// strangers begin their first line in ways that show what they are.
var strangers = []struct {
	start string
	is    phrase
}{
	{"220", phrase{"Mail servers for sending (SMTP) and file servers (FTP) greet like this.", "So melden sich Server für den Versand (SMTP) und für Dateien (FTP)."}},
	{"* ", phrase{"IMAP servers greet like this.", "So melden sich IMAP-Server."}},
	{"SSH-", phrase{"SSH servers greet like this.", "So melden sich SSH-Server."}},
	{"HTTP/", phrase{"Web servers answer like this.", "So antworten Webserver."}},
	{"\x15\x03", phrase{"It is a message of TLS: the connection begins encrypted here.", "Das ist eine Nachricht von TLS: Die Verbindung ist hier von Anfang an verschlüsselt."}},
}

// greeting explains the server's first line.
func (c *Conversation) greeting(line string) Note {
	n := Note{Place: Greeting}
	c.greeted = true
	r, err := popwire.ParseReply([]byte(line), popwire.Lenient)
	switch {
	case err != nil:
		c.warn(&n, phrase{"This is no POP3 server's greeting, which would begin with +OK.", "Das ist nicht die Begrüßung eines POP3-Servers; sie beginnt mit +OK."})
		for _, s := range strangers {
			if strings.HasPrefix(line, s.start) {
				c.tell(&n, s.is)
			}
		}
		c.next(&n, phrase{"Check the name of the server and the port.", "Namen und Port des Servers prüfen."})
		return n
	case !r.OK:
		n.Refused = true
		c.tell(&n, phrase{"The server turns the client away.", "Der Server weist den Client ab."})
		n.Meaning = join(n.Meaning, Code(c.lang, r.Code))
		c.next(&n, phrase{"Try again later.", "Später noch einmal versuchen."})
	default:
		c.tell(&n, phrase{"The server greets.", "Der Server meldet sich."})
		n.Meaning = join(n.Meaning, Code(c.lang, r.Code))
		c.findTimestamp(r.Text, &n)
		c.nextLogin(&n)
	}
	c.checkReply(line, &n)
	return n
}

// findTimestamp looks for what APOP needs.
func (c *Conversation) findTimestamp(text string, n *Note) {
	c.timestamp, _ = pop3.Timestamp(text)
	switch {
	case c.timestamp != "" && len(c.timestamp) <= popwire.MaxReply:
		c.timestamp = strings.Clone(c.timestamp)
		c.tell(n, phrase{"Its timestamp %s lets the client log in with APOP, without showing the password.", "Mit dem Zeitstempel %s kann sich der Client per APOP anmelden, ohne das Kennwort zu zeigen."}, quoted(c.timestamp))
	case strings.Contains(text, "<"):
		c.timestamp = ""
		c.warn(n, phrase{"What begins with “<” is no timestamp that can be trusted: do not use APOP here.", "Was mit „<“ beginnt, ist kein Zeitstempel, dem man trauen kann: APOP hier nicht verwenden."})
	}
}

// nextLogin says how a session may go on that nobody has logged in to.
func (c *Conversation) nextLogin(n *Note) {
	login := []string{"USER"}
	if c.timestamp != "" {
		login = append(login, "APOP")
	}
	login = append(login, "AUTH")
	ways := c.lang.list(or, login)
	if c.encrypted {
		c.next(n, phrase{"Ask with CAPA what the server can do, log in with %s, or leave with QUIT.", "Mit CAPA fragen, was der Server kann, sich mit %s anmelden oder mit QUIT gehen."}, ways)
		return
	}
	c.next(n, phrase{"Ask with CAPA what the server can do, encrypt the connection with STLS, log in with %s, or leave with QUIT.", "Mit CAPA fragen, was der Server kann, die Verbindung mit STLS verschlüsseln, sich mit %s anmelden oder mit QUIT gehen."}, ways)
}
