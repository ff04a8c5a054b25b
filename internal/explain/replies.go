package explain

import (
	"strings"

	"postfach/internal/popwire"
	"postfach/pop3"
)

// A counted reply or message: the lines so far and their octets. Each line end
// counts two, byte-stuffing none, as LIST counts.
type counted struct {
	lines, octets int64
	text          bool // of a message: the header is over
}

// replyLine explains a line that should be the first of a reply.
func (c *Conversation) replyLine(line string) Note {
	if len(c.queue) > 0 && c.queue[0].row == &authRow {
		if _, is, _ := popwire.ParseChallenge([]byte(line), popwire.Lenient); is {
			return c.challenge(line)
		}
	}
	r, err := popwire.ParseReply([]byte(line), popwire.Lenient)
	switch {
	case c.lost:
		return c.unmatched(r, err)
	case err != nil && c.open != nil:
		// An unknown command can have a longer reply: what else could this be?
		c.queue = append([]*asked{c.open}, c.queue...)
		c.pending[c.open.row.keyword]++
		c.open, c.reading = nil, true
		return c.answerLine(line)
	case len(c.queue) == 0 || err != nil && c.over:
		return c.stray(line)
	}
	a := c.queue[0]
	n := Note{Place: Reply, Keyword: a.name(), Refused: err == nil && !r.OK}
	c.over, c.open = false, nil
	switch {
	case err != nil:
		c.warn(&n, phrase{"A reply must begin with +OK or -ERR; nobody knows what this one means.", "Eine Antwort muss mit +OK oder -ERR beginnen; was diese bedeutet, weiß niemand."})
		c.answered()
		return n
	case !r.OK:
		c.refusal(a, r, &n)
	default:
		c.success(a, r, &n)
	}
	c.checkReply(line, &n)
	return n
}

// name is the keyword that notes carry.
func (a *asked) name() string {
	if a.row.keyword != "" {
		return a.row.keyword
	}
	return plain(a.keyword) // which is the client's own word
}

// success explains +OK.
func (c *Conversation) success(a *asked, r popwire.Reply, n *Note) {
	if a.row.longer != nil && a.row.longer(a) {
		c.reading = true
	} else {
		c.answered()
	}
	if a.row.content {
		c.maildrop.fetching(a)
	}
	if a.row == &unknown || a.row == &xtndRow {
		c.open = a
	}
	if a.row.ok != nil {
		a.row.ok(c, a, r.Text, n)
	} else {
		c.tell(n, phrase{"The server agrees.", "Der Server ist einverstanden."})
	}
	n.Meaning = join(n.Meaning, Code(c.lang, r.Code))
}

// refusal explains -ERR.
func (c *Conversation) refusal(a *asked, r popwire.Reply, n *Note) {
	c.answered()
	switch {
	case a.wrong && a.row != &quitRow:
		c.tell(n, phrase{"The server refuses: the command is not written as the rules ask.", "Der Server lehnt ab: Der Befehl ist nicht so geschrieben, wie die Regeln es verlangen."})
	case !a.row.early && c.state == pop3.Authorization:
		c.tell(n, phrase{"The server refuses: this works only after the login.", "Der Server lehnt ab: Das geht erst nach der Anmeldung."})
	case !a.row.late && c.state == pop3.Transaction:
		c.tell(n, phrase{"The server refuses: this works only before the login.", "Der Server lehnt ab: Das geht nur vor der Anmeldung."})
	case a.row.refused != nil:
		a.row.refused(c, a, r.Code, n)
	default:
		c.tell(n, phrase{"The server refuses.", "Der Server lehnt ab."})
	}
	n.Meaning = join(n.Meaning, Code(c.lang, r.Code))
}

// checkReply warns about the form of a first line.
func (c *Conversation) checkReply(line string, n *Note) {
	if _, err := popwire.ParseReply([]byte(line), popwire.Strict); err != nil {
		c.warn(n, phrase{"By the rules +OK and -ERR are written in capitals.", "Laut den Regeln schreibt man +OK und -ERR groß."})
	}
	if len(line)+c.cut > popwire.MaxReply-2 {
		c.warn(n, phrase{"The line is longer than the %s that it may have.", "Die Zeile ist länger als die %s, die sie haben darf."}, octets.times(popwire.MaxReply))
	}
	if strings.ContainsFunc(line, func(r rune) bool { return r < ' ' || r == 0x7f }) {
		c.warn(n, phrase{"It contains control characters, which have no business there.", "Sie enthält Steuerzeichen, die dort nichts zu suchen haben."})
	}
}

// unmatched explains a line when nobody knows any more which command it answers.
func (c *Conversation) unmatched(r popwire.Reply, err error) Note {
	if err != nil {
		return Note{Place: Content}
	}
	n := Note{Place: Reply, Refused: !r.OK}
	c.tell(&n, phrase{"So many commands are waiting for an answer that this one cannot be matched to its command.", "So viele Befehle warten auf eine Antwort, dass diese keinem mehr zugeordnet werden kann."})
	return n
}

// stray explains a line that the server should not have said.
func (c *Conversation) stray(line string) Note {
	n := Note{Place: Stray}
	r, err := popwire.ParseReply([]byte(line), popwire.Lenient)
	switch {
	case c.ended:
		c.warn(&n, phrase{"After its answer to QUIT the server has nothing more to say.", "Nach seiner Antwort auf QUIT hat der Server nichts mehr zu sagen."})
	case c.over && err != nil:
		c.warn(&n, phrase{"This comes after the end and belongs to nothing. Perhaps a line of the message was only “.” and the server did not double it.", "Das kommt nach dem Ende und gehört zu nichts. Vielleicht bestand eine Zeile der Nachricht nur aus „.“, und der Server hat ihn nicht verdoppelt."})
	case err == nil && !r.OK:
		n.Refused = true
		c.warn(&n, phrase{"Nobody asked: the server speaks on its own, most often to end the connection, for example after a long silence.", "Niemand hat gefragt: Der Server spricht von sich aus, meist um die Verbindung zu beenden, zum Beispiel nach langer Stille."})
		n.Meaning = join(n.Meaning, Code(c.lang, r.Code))
	default:
		c.warn(&n, phrase{"Nobody asked: a POP3 server only answers.", "Niemand hat gefragt: Ein POP3-Server antwortet nur."})
	}
	return n
}

// answerLine explains a line behind +OK.
func (c *Conversation) answerLine(line string) Note {
	a := c.queue[0]
	n := Note{Place: Item, Keyword: a.name()}
	if line == "." && c.cut == 0 {
		n.Place, c.over = End, true
		c.answered()
		if a.row.end != nil {
			a.row.end(c, a, &n)
		} else {
			c.tell(&n, phrase{"End of the answer.", "Ende der Antwort."})
		}
		return n
	}
	a.answer.add(int64(len(line)+c.cut), strings.HasPrefix(line, "."))
	if a.row.content {
		n.Place = Content
		c.contentLine(a, line, &n)
		return n
	}
	if a.row.item != nil {
		a.row.item(c, a, strings.TrimPrefix(line, "."), &n)
	}
	return n
}

// add counts a line; octets are those on the wire, without the line end, and
// stuffed says that one of them is a dot that is not part of it.
func (k *counted) add(octets int64, stuffed bool) {
	k.lines++
	k.octets += octets + 2
	if stuffed {
		k.octets--
	}
}

// contentLine explains the few lines of a message that need it.
func (c *Conversation) contentLine(a *asked, line string, n *Note) {
	switch {
	case line == "" && c.cut == 0 && !a.answer.text:
		a.answer.text = true
		c.tell(n, phrase{"The empty line ends the header; the text follows.", "Die Leerzeile beendet den Kopf; danach kommt der Text."})
	case strings.HasPrefix(line, ".") && !strings.HasPrefix(line, "..") && c.cut+len(line) > 1:
		c.warn(n, phrase{"The server should have doubled the dot that this line begins with: the client takes it away, and the line loses it.", "Den Punkt, mit dem diese Zeile beginnt, hätte der Server verdoppeln müssen: Der Client nimmt ihn weg, und der Zeile fehlt er."})
	case strings.HasPrefix(line, "."):
		c.tell(n, phrase{"The first dot is not part of the message: the server has put it there because the line begins with one.", "Der erste Punkt gehört nicht zur Nachricht: Der Server hat ihn vorangestellt, weil die Zeile mit einem beginnt."})
	}
}

// refusedMessage explains -ERR to a command that names a message.
func refusedMessage(c *Conversation, a *asked, code pop3.Code, n *Note) {
	switch {
	case code.Is(pop3.CodeUTF8), code.Is(pop3.CodeSysTemp), code.Is(pop3.CodeSysPerm):
		c.tell(n, phrase{"The server cannot give out message %d.", "Der Server kann Nachricht %d nicht herausgeben."}, a.number)
	case a.number == 0:
		c.tell(n, phrase{"The server refuses.", "Der Server lehnt ab."})
	case c.maildrop.isMarked(a.number):
		c.tell(n, phrase{"The server refuses: message %d is marked for deletion.", "Der Server lehnt ab: Nachricht %d ist zum Löschen vorgemerkt."}, a.number)
	case c.maildrop.most >= 0 && a.number > c.maildrop.most:
		c.tell(n, phrase{"The server refuses: there is no message %d, there are only %s.", "Der Server lehnt ab: Es gibt keine Nachricht %d, sondern nur %s."}, a.number, messages.times(int64(c.maildrop.most)))
	default:
		c.tell(n, phrase{"The server refuses: most often there is no message %d, or it is marked for deletion.", "Der Server lehnt ab: Meist gibt es keine Nachricht %d, oder sie ist zum Löschen vorgemerkt."}, a.number)
	}
}
