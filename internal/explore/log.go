package explore

import (
	"sync"
	"time"
	"unicode/utf8"

	"postfach/internal/explain"
	"postfach/pop3"
)

// Limits of the protocol that is kept.
const (
	maxLines    = 4000 // forgotten from the oldest on
	maxLineText = 2000 // octets
	maxItems    = 40   // of a list; without it, one of 100,000 messages would be all that is kept
)

// A protocol keeps the newest lines of the conversations, explained.
type protocol struct {
	changed func()

	mu       sync.Mutex // guards what follows
	follower *explain.Follower
	lines    []explain.Line // a ring when it is full
	next     int            // how many there ever were
}

func newProtocol(lang explain.Language, changed func()) *protocol {
	if lang == "" {
		lang = explain.English
	}
	p := &protocol{changed: changed}
	p.follower = explain.NewFollower(lang, p.add)
	p.follower.Items = maxItems
	return p
}

// add is called by the follower, under the lock.
func (p *protocol) add(l explain.Line) {
	l.Text = clip(l.Text, maxLineText)
	if len(p.lines) < maxLines {
		p.lines = append(p.lines, l)
	} else {
		p.lines[p.next%maxLines] = l
	}
	p.next++
}

func (p *protocol) event(ev pop3.TraceEvent) {
	p.mu.Lock()
	defer p.mu.Unlock()
	before := p.next
	p.follower.Event(ev)
	if p.next != before {
		p.changed()
	}
}

func (p *protocol) closed(session string, byClient bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.follower.Closed(session, byClient, time.Now())
	p.changed()
}

func (p *protocol) from(after int) (lines []explain.Line, next int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for n := max(after, p.next-len(p.lines)); n < p.next; n++ {
		lines = append(lines, p.lines[n%maxLines])
	}
	return lines, p.next
}

// Log returns the explained protocol from line after on, and the number to ask
// with next time. Old lines are forgotten.
func (e *Explorer) Log(after int) (lines []explain.Line, next int) { return e.protocol.from(after) }

// clip shortens text to limit octets and leaves characters whole.
func clip(text string, limit int) string {
	if len(text) <= limit {
		return text
	}
	for limit > 0 && !utf8.RuneStart(text[limit]) {
		limit--
	}
	return text[:limit] + "…"
}
