package explain

import (
	"bytes"
	"time"

	"postfach/internal/transcript"
	"postfach/pop3"
)

// Limits of what a Follower keeps.
const (
	// longestLine is how many octets of a line are shown; of the rest only
	// their number, so that a line without end costs no memory.
	longestLine = 16 << 10
	// mostSessions is how many connections are followed at once. When there
	// are more, the one that was silent the longest is forgotten.
	mostSessions = 1024
	// mostShown is how many lines of a message are shown where Unfolded is 0.
	mostShown = 3
)

// A Follower turns trace events into explained lines. One goroutine uses it, or
// the caller's lock is held.
type Follower struct {
	// Unfolded is how many lines of a message are shown before the rest folds
	// into one Line. 0: three; negative: all.
	Unfolded int
	// Items is the same for lines of LIST, UIDL and the like; 0: all of them.
	// Lines with a Warning are always shown.
	Items int

	lang     Language
	emit     func(Line)
	sessions map[string]*followed
}

// A followed connection.
type followed struct {
	name           string
	talk           *Conversation
	client, server piece
	last           time.Time

	shown  int  // lines of the message that is coming
	folded fold // those that are not shown
	crlf   bool // the server's last line ended with CR LF
	bare   bool // its last reply began with a line that did not
}

// A fold is the lines that one Line stands for.
type fold struct {
	place  Place // Content, or Item
	lines  int
	octets int64 // of Content
}

// NewFollower returns a Follower that calls emit for each line that is complete.
func NewFollower(lang Language, emit func(Line)) *Follower {
	return &Follower{lang: lang, emit: emit, sessions: make(map[string]*followed)}
}

// Event adds what crossed a connection.
func (f *Follower) Event(ev pop3.TraceEvent) {
	s := f.session(ev.Session)
	s.last = ev.Time
	if ev.TLS {
		f.event(s, s.talk.TLS())
		return
	}
	p := &s.server
	if ev.Client {
		p = &s.client
	}
	for octets := ev.Octets; len(octets) > 0; {
		line, rest, complete := bytes.Cut(octets, []byte{'\n'})
		if !complete {
			p.keep(line)
			return
		}
		octets = rest
		f.line(s, ev.Client, p.end(line))
	}
}

// Closed says that a session's connection has ended. A session that is not
// known, or has been closed already, is none.
func (f *Follower) Closed(session string, byClient bool, at time.Time) {
	s := f.sessions[session]
	if s == nil {
		return
	}
	s.last = at
	f.unfold(s)
	f.unfinished(s, false, &s.server)
	f.unfinished(s, true, &s.client)
	f.event(s, s.talk.Closed(byClient))
	delete(f.sessions, session)
}

// Conversation returns the conversation of a session as far as it was followed;
// nil when there is none. It is the Follower's: ask it, but tell it nothing.
func (f *Follower) Conversation(session string) *Conversation {
	if s := f.sessions[session]; s != nil {
		return s.talk
	}
	return nil
}

// session finds a session, or begins it.
func (f *Follower) session(name string) *followed {
	if s := f.sessions[name]; s != nil {
		return s
	}
	if len(f.sessions) >= mostSessions {
		f.forgetOldest()
	}
	s := &followed{name: name, talk: NewConversation(f.lang), crlf: true}
	f.sessions[name] = s
	return s
}

func (f *Follower) forgetOldest() {
	var oldest *followed
	for _, s := range f.sessions {
		if oldest == nil || s.last.Before(oldest.last) {
			oldest = s
		}
	}
	f.unfold(oldest)
	delete(f.sessions, oldest.name)
}

// line explains a complete line.
func (f *Follower) line(s *followed, client bool, l said) {
	inMessage := !client && s.talk.Expect() == Content
	if inMessage && !s.isEnd(l) {
		f.content(s, l)
		return
	}
	if !client && f.Items > 0 && s.shown >= f.Items && s.talk.Expect() == Item && !s.isEnd(l) && l.crlf {
		f.item(s, l)
		return
	}
	f.unfoldBefore(s, client)
	n := s.talk.LongLine(client, string(l.octets), l.cut)
	if !l.crlf {
		s.talk.warn(&n, phrase{"The line ends wrongly, with LF alone instead of CR LF.", "Die Zeile endet falsch, nur mit LF statt mit CR LF."})
	}
	f.say(s, client, l, n)
	if client {
		return
	}
	s.crlf = l.crlf
	switch n.Place {
	case Reply:
		s.bare = !l.crlf
		s.shown = 0
	case Item:
		s.shown++
	}
}

// item folds a line of a list away, unless there is something wrong with it.
func (f *Follower) item(s *followed, l said) {
	s.crlf = l.crlf
	s.talk.brief = true
	n := s.talk.LongLine(false, string(l.octets), l.cut)
	s.talk.brief = false
	if !n.Warning {
		s.folded.place = Item
		s.folded.lines++
		return
	}
	f.unfold(s)
	f.say(s, false, l, n)
}

// content explains a line of a message, or folds it away.
func (f *Follower) content(s *followed, l said) {
	dot := len(l.octets) == 1 && l.octets[0] == '.' && l.cut == 0
	s.crlf = l.crlf
	if !dot && f.full(s) {
		s.folded.place = Content
		s.folded.lines++
		s.folded.octets += s.talk.pass(l)
		return
	}
	s.shown++
	if !dot {
		n := s.talk.LongLine(false, string(l.octets), l.cut)
		if !l.crlf {
			s.talk.warn(&n, phrase{"The line ends wrongly, with LF alone instead of CR LF.", "Die Zeile endet falsch, nur mit LF statt mit CR LF."})
		}
		f.say(s, false, l, n)
		return
	}
	f.unfold(s)
	s.talk.pass(l)
	n := Note{Place: Content, Keyword: s.talk.queue[0].name()}
	s.talk.warn(&n, phrase{"A lone dot, but without CR LF on both sides: a careful client does not take it for the end, a careless one does.", "Ein einzelner Punkt, aber ohne CR LF auf beiden Seiten: Ein sorgfältiger Client hält ihn nicht für das Ende, ein sorgloser schon."})
	f.say(s, false, l, n)
}

// isEnd says whether a line ends a message: only between proper line ends,
// unless the server knows no others.
func (s *followed) isEnd(l said) bool {
	return len(l.octets) == 1 && l.octets[0] == '.' && l.cut == 0 && (l.crlf && s.crlf || s.bare)
}

// full says whether the lines of a message that are to be shown have been.
func (f *Follower) full(s *followed) bool {
	switch {
	case f.Unfolded < 0:
		return false
	case f.Unfolded == 0:
		return s.shown >= mostShown
	}
	return s.shown >= f.Unfolded
}

// unfoldBefore ends a fold before a line of the server; what the client says
// meanwhile does not.
func (f *Follower) unfoldBefore(s *followed, client bool) {
	if !client {
		f.unfold(s)
	}
}

// unfold emits the line that stands for those not shown.
func (f *Follower) unfold(s *followed) {
	if s.folded.lines == 0 {
		return
	}
	n := Note{Place: s.folded.place}
	if len(s.talk.queue) > 0 {
		n.Keyword = s.talk.queue[0].name()
	}
	count := moreLines.times(int64(s.folded.lines))
	if s.folded.place == Item {
		s.talk.tell(&n, phrase{"… %s", "… %s"}, count)
	} else {
		s.talk.tell(&n, phrase{"… %s with %s", "… %s mit %s"}, count, octets.times(s.folded.octets))
	}
	f.emit(Line{Session: s.name, Time: s.last, Note: n, Folded: s.folded.lines})
	s.folded = fold{}
}

// unfinished emits a line that the end of the connection has cut off.
func (f *Follower) unfinished(s *followed, client bool, p *piece) {
	if len(p.kept) == 0 {
		return
	}
	n := Note{Place: Stray}
	s.talk.warn(&n, phrase{"The connection ended in the middle of this line: it does not count.", "Die Verbindung endete mitten in dieser Zeile: Sie zählt nicht."})
	f.say(s, client, said{octets: p.kept, cut: p.cut, crlf: true}, n)
}

func (f *Follower) event(s *followed, n Note) {
	if n.Meaning != "" {
		f.emit(Line{Session: s.name, Time: s.last, Note: n})
	}
}

// say emits a line with its text made safe.
func (f *Follower) say(s *followed, client bool, l said, n Note) {
	text := transcript.Escape(string(l.octets))
	switch {
	case l.cut > 0:
		text += f.lang.say(phrase{" … (%s more)", " … (%s mehr)"}, octets.times(int64(l.cut)))
	case !l.crlf:
		text = transcript.Escape(string(l.octets) + "\n")
	}
	f.emit(Line{Session: s.name, Time: s.last, Client: client, Text: text, Note: n})
}
