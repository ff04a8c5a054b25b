package explain

import "postfach/pop3"

// A Conversation follows one connection, line by line. Commands may be
// pipelined: replies are matched to them in their order. What it remembers is
// bounded, whatever is said.
type Conversation struct {
	lang      Language
	state     pop3.State
	greeted   bool
	encrypted bool
	ended     bool // QUIT has been answered
	named     bool // USER was answered with +OK
	expireNow bool // CAPA has announced EXPIRE 0
	stale     bool // the greeting had a timestamp, but it came before TLS
	timestamp string

	queue      []*asked       // without complete replies, oldest first
	pending    map[string]int // how many of them there are of each keyword, but for those that must be refused
	lost       bool           // more commands are waiting than the queue holds: replies cannot be matched
	reading    bool           // the oldest has its +OK, and more lines are to come
	challenged bool           // the oldest is AUTH, and it is the client's turn
	open       *asked         // an unknown command with +OK: lines may follow it
	over       bool           // the server's last line was the end of a longer reply, or something lost behind it

	maildrop maildrop
	cut      int  // octets at the end of the line that are not shown
	brief    bool // nothing is told but warnings
}

// mostAsked bounds the commands that wait for their replies: more than any
// window of a client.
const mostAsked = 1 << 15

// NewConversation returns one that stands before the greeting.
func NewConversation(lang Language) *Conversation {
	return &Conversation{lang: lang, pending: make(map[string]int), maildrop: newMaildrop()}
}

// Line explains the next line, which has no line end and no secrets any more
// (popwire.Redact). It takes lines of any length and any octets.
func (c *Conversation) Line(client bool, line string) Note {
	switch {
	case client && c.ended:
		n := Note{Place: Stray}
		c.warn(&n, phrase{"After QUIT the server reads nothing any more.", "Nach QUIT liest der Server nichts mehr."})
		return n
	case client && c.challenged:
		return c.response(line)
	case client:
		c.over, c.open = false, nil
		return c.command(line)
	case !c.greeted:
		return c.greeting(line)
	case c.reading:
		return c.answerLine(line)
	}
	return c.replyLine(line)
}

// Encrypted says that TLS is on.
func (c *Conversation) Encrypted() bool { return c.encrypted }

// State returns the state that the session is in, as far as the replies show.
// Update: QUIT was said after the login, and the server has answered.
func (c *Conversation) State() pop3.State { return c.state }

// Timestamp returns the APOP timestamp of the greeting, with its angle brackets;
// "" when there is none to be trusted (pop3.Timestamp). One that came before
// STLS is none: anybody may have put it there.
func (c *Conversation) Timestamp() string { return c.timestamp }

// Marked returns the numbers of the messages that QUIT would delete, in
// ascending order: DELE was said and the server has agreed. It is nil behind
// the answer to QUIT.
func (c *Conversation) Marked() []int { return c.maildrop.marked().numbers }

// Size returns the size of a message in octets, where LIST has told it, or RETR
// has fetched the message. QUIT forgets it.
func (c *Conversation) Size(number int) (octets int64, known bool) {
	if octets, known = c.maildrop.sizes[int32(number)]; known {
		return octets, true
	}
	octets, known = c.maildrop.came[int32(number)]
	return octets, known
}

// Waiting returns how many commands have no complete reply yet. One that the
// server has answered with a challenge is still counted.
func (c *Conversation) Waiting() int { return len(c.queue) }

// Expect says what the next line of the server is: Greeting; Reply to the oldest
// command without one; Item or Content inside a longer reply (or its End);
// Response when it is the client's turn in a SASL exchange; Stray when the
// server has nothing to say.
func (c *Conversation) Expect() Place {
	switch {
	case !c.greeted:
		return Greeting
	case c.challenged:
		return Response
	case c.reading && c.queue[0].row.content:
		return Content
	case c.reading:
		return Item
	case len(c.queue) > 0:
		return Reply
	}
	return Stray
}

// enqueue makes a wait for its reply.
func (c *Conversation) enqueue(a *asked) {
	if len(c.queue) >= mostAsked {
		c.lost = true
		return
	}
	c.queue = append(c.queue, a)
	if !a.wrong {
		c.pending[a.row.keyword]++
	}
}

// answered takes the oldest command away: its reply is complete.
func (c *Conversation) answered() {
	if a := c.queue[0]; !a.wrong {
		c.pending[a.row.keyword]--
	}
	c.queue[0] = nil
	c.queue = c.queue[1:]
	c.reading, c.challenged = false, false
}

// awaits says whether a command that can succeed has no reply yet.
func (c *Conversation) awaits(keyword string) bool { return c.pending[keyword] > 0 }

// loggingIn says whether a login is on its way.
func (c *Conversation) loggingIn() bool {
	return c.awaits("PASS") || c.awaits("APOP") || c.awaits("AUTH")
}

// tell adds a sentence to a note.
func (c *Conversation) tell(n *Note, p phrase, args ...any) {
	if !c.brief {
		n.Meaning = join(n.Meaning, c.lang.say(p, args...))
	}
}

// warn adds one about a line that is not as it should be.
func (c *Conversation) warn(n *Note, p phrase, args ...any) {
	n.Meaning = join(n.Meaning, c.lang.say(p, args...))
	n.Warning = true
}

// next says what the client may do now.
func (c *Conversation) next(n *Note, p phrase, args ...any) {
	n.Next = join(n.Next, c.lang.say(p, args...))
}

// LongLine is Line for a line that was longer: cut octets are missing at its end.
func (c *Conversation) LongLine(client bool, line string, cut int) Note {
	c.cut = cut
	defer func() { c.cut = 0 }()
	return c.Line(client, line)
}

// pass counts a line of a message that nobody wants explained, and returns its
// octets.
func (c *Conversation) pass(l said) int64 {
	k := &c.queue[0].answer
	before := k.octets
	k.add(int64(len(l.octets)+l.cut), len(l.octets) > 0 && l.octets[0] == '.')
	if len(l.octets) == 0 {
		k.text = true
	}
	return k.octets - before
}
