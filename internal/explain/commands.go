package explain

import (
	"strings"

	"postfach/internal/popwire"
	"postfach/pop3"
)

// A row is all that is known about one command: how help shows it, what it
// means when the client says it, and what the lines of its reply mean. A nil
// function has nothing to add to what all commands have in common.
type row struct {
	keyword string
	usage   phrase // what stands behind the keyword
	help    phrase

	least, most int  // arguments
	whole       bool // all behind the keyword is one argument
	numbered    bool // the first argument, if there is one, is a message number
	early, late bool // it works before the login; after it

	said    func(c *Conversation, a *asked, n *Note)
	ok      func(c *Conversation, a *asked, text string, n *Note)
	refused func(c *Conversation, a *asked, code pop3.Code, n *Note)

	longer  func(a *asked) bool // +OK is followed by more lines; nil: never
	content bool                // and they are a message
	item    func(c *Conversation, a *asked, line string, n *Note)
	end     func(c *Conversation, a *asked, n *Note)
}

// commands has all rows, in the order in which a person would learn them.
var commands = []*row{
	&userRow, &passRow, &statRow, &listRow, &retrRow, &deleRow, &quitRow, &rsetRow, &noopRow,
	&topRow, &uidlRow, &capaRow, &stlsRow, &apopRow, &authRow, &utf8Row, &langRow, &lastRow, &xtndRow,
}

// unknown is the row of everything else.
var unknown = row{most: 1, whole: true, early: true, late: true, said: unknownSaid, refused: unknownRefused, item: unknownItem}

// rowOf finds the row of a keyword, in any case; unknown where there is none.
func rowOf(keyword string) *row {
	for _, r := range commands {
		if strings.EqualFold(r.keyword, keyword) {
			return r
		}
	}
	return &unknown
}

// CommandHelp says how a command is written, "TOP message lines", and what it
// does. ok is false for a keyword that is not known; case does not matter.
func CommandHelp(lang Language, keyword string) (usage, meaning string, ok bool) {
	r := rowOf(keyword)
	if r == &unknown {
		return "", "", false
	}
	return r.written(lang), lang.say(r.help), true
}

// written says how the command is written.
func (r *row) written(lang Language) string {
	return join(r.keyword, lang.say(r.usage))
}

// Keywords returns the commands that CommandHelp knows, in the order in which a
// person would learn them.
func Keywords() []string {
	keywords := make([]string, len(commands))
	for i, r := range commands {
		keywords[i] = r.keyword
	}
	return keywords
}

// An asked command is one whose reply is not complete.
type asked struct {
	row     *row
	keyword string // upper case, shortened
	args    []string
	number  int  // the message; 0: none was named
	lines   int  // of TOP
	wrong   bool // the server must refuse it

	answer    counted // the lines behind +OK
	steps     int     // challenges in a SASL exchange
	cancelled bool    // the client has ended the exchange
}

// longestArgument is how much is remembered of an argument, and mostArguments
// how many.
const (
	longestArgument = 2 * longestQuote
	mostArguments   = 3
)

// ask takes a command line apart. Nothing of line is kept alive.
func ask(line string) *asked {
	word, rest, more := strings.Cut(line, " ")
	a := &asked{row: rowOf(word), keyword: strings.ToUpper(remembered(word))}
	switch {
	case a.row.whole && more && (rest != "" || a.row == &passRow):
		a.args = []string{remembered(rest)}
	case !a.row.whole:
		for field := range strings.FieldsSeq(rest) {
			if len(a.args) == mostArguments {
				break
			}
			a.args = append(a.args, remembered(field))
		}
	}
	if a.row.numbered && len(a.args) > 0 {
		a.number, _ = popwire.ParseMessageNumber(a.args[0])
	}
	if a.row == &topRow && len(a.args) > 1 {
		a.lines, _ = popwire.ParseMessageNumber(a.args[1])
	}
	return a
}

// remembered is a copy of the start of s, however long s is.
func remembered(s string) string {
	return strings.Clone(s[:min(len(s), longestArgument)])
}

// argument returns the i-th argument, "" when there is none.
func (a *asked) argument(i int) string {
	if i < len(a.args) {
		return a.args[i]
	}
	return ""
}

// command explains a command line, whose reply is awaited from here on.
func (c *Conversation) command(line string) (n Note) {
	a := ask(line)
	n.Place, n.Keyword = Command, a.name()
	c.checkForm(a, line, &n)
	if a.row.said != nil && !a.wrong {
		a.row.said(c, a, &n)
		c.checkState(a, &n)
	}
	switch {
	case !c.greeted:
		c.warn(&n, phrase{"It is sent before the server's greeting, for which a client has to wait.", "Das kommt vor der Begrüßung des Servers, auf die ein Client warten muss."})
	case c.awaits("STLS"):
		c.warn(&n, phrase{"It follows STLS before TLS is on: whoever listens could have slipped it in, and the server must not obey it.", "Das folgt auf STLS, bevor TLS begonnen hat: Wer mithört, könnte es eingeschoben haben, und der Server darf ihm nicht folgen."})
	case c.awaits("QUIT"):
		c.warn(&n, phrase{"After QUIT the server reads nothing any more.", "Nach QUIT liest der Server nichts mehr."})
		return n
	}
	c.enqueue(a)
	return n
}

// checkForm warns about a command that is not written as it should be.
func (c *Conversation) checkForm(a *asked, line string, n *Note) {
	if len(line)+c.cut > popwire.MaxCommand-2 {
		c.warn(n, phrase{"The line is longer than the %s that a command may have.", "Die Zeile ist länger als die %s, die ein Befehl haben darf."}, octets.times(popwire.MaxCommand))
	}
	if a.row == &unknown {
		return
	}
	before := n.Meaning
	switch r := a.row; {
	case !a.legible(line):
		c.warn(n, phrase{"%s with octets that no command may contain: the server should refuse it.", "%s mit Zeichen, die in keinem Befehl stehen dürfen: Der Server sollte das ablehnen."}, r.keyword)
	case len(a.args) < r.least || len(a.args) > r.most:
		c.warn(n, phrase{"This command is written %s: like this the server should refuse it.", "Dieser Befehl wird %s geschrieben: So sollte der Server ihn ablehnen."}, quoted(r.written(c.lang)))
	case r.numbered && len(a.args) > 0 && a.number == 0:
		c.warn(n, phrase{"%s is no message number; they begin with 1. The server must refuse it.", "%s ist keine Nachrichtennummer; sie beginnen bei 1. Der Server muss das ablehnen."}, quoted(a.args[0]))
	case r == &topRow && !isNumber(a.args[1]):
		c.warn(n, phrase{"%s is no number of lines. The server must refuse it.", "%s ist keine Anzahl von Zeilen. Der Server muss das ablehnen."}, quoted(a.args[1]))
	}
	a.wrong = n.Meaning != before
}

// legible says whether a line has only octets that its command may have.
func (a *asked) legible(line string) bool {
	command, ok := popwire.ParseCommand([]byte(line))
	if ok && !a.row.whole {
		_, ok = command.Fields()
	}
	return ok
}

// checkState warns about a command that comes at the wrong time.
func (c *Conversation) checkState(a *asked, n *Note) {
	switch r := a.row; {
	case !r.late && c.state == pop3.Transaction:
		c.warn(n, phrase{"After the login the rules do not allow this command any more.", "Nach der Anmeldung ist dieser Befehl laut den Regeln nicht mehr erlaubt."})
	case !r.early && c.state == pop3.Authorization && !c.loggingIn():
		c.warn(n, phrase{"By the rules this works only after the login.", "Laut den Regeln geht das erst nach der Anmeldung."})
	case a.number > 0 && c.maildrop.isMarked(a.number) && !c.awaits("RSET"):
		c.tell(n, phrase{"But it is marked for deletion already, so the server will refuse.", "Sie ist aber schon zum Löschen vorgemerkt, also wird der Server ablehnen."})
	}
}

func isNumber(s string) bool {
	_, ok := popwire.ParseMessageNumber(s)
	return ok
}

func unknownSaid(c *Conversation, a *asked, n *Note) {
	switch word := a.keyword; {
	case word == strings.ToUpper(popwire.Secret):
		c.warn(n, phrase{"This is no command. It is hidden here because it may be a password that was typed at the wrong moment.", "Das ist kein Befehl. Es wird hier nicht gezeigt, weil es ein Kennwort sein kann, das im falschen Moment getippt wurde."})
	case word == "":
		c.warn(n, phrase{"This line has no command: the server must refuse it.", "In dieser Zeile steht kein Befehl: Der Server muss sie ablehnen."})
	case len(word) < 3 || len(word) > 4:
		c.warn(n, phrase{"%s is no command of POP3: they have three or four letters. The server must refuse it.", "%s ist kein Befehl von POP3: Sie haben drei oder vier Buchstaben. Der Server muss ablehnen."}, quoted(word))
	default:
		c.tell(n, phrase{"%s is no command of POP3 that is known here; most servers will refuse it.", "%s ist kein Befehl von POP3, der hier bekannt ist; die meisten Server werden ihn ablehnen."}, quoted(word))
	}
}

func unknownRefused(c *Conversation, _ *asked, _ pop3.Code, n *Note) {
	c.tell(n, phrase{"The server does not know this command, or does not want it now.", "Der Server kennt diesen Befehl nicht oder will ihn jetzt nicht."})
}

func unknownItem(c *Conversation, _ *asked, _ string, n *Note) {
	c.tell(n, phrase{"Part of the answer to a command that is not known here.", "Teil der Antwort auf einen Befehl, der hier nicht bekannt ist."})
}
