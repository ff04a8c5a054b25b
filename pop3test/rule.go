package pop3test

import (
	"errors"
	"fmt"
	"regexp"
	"strings"
	"sync"
	"time"
)

// A Rule is a fault as data: which commands it touches, and what happens to
// them. It says in one line of JSON what would be ten lines of Fault:
//
//	{"on": "RETR", "after": 2, "times": 1, "drop-after": 100}
//
// cuts the connection in the middle of the third message, once. JSON has the
// fields' names in lower case, with hyphens, and durations such as "1.5s".
type Rule struct {
	// On is a keyword in any case, "greeting", "response" for a line that
	// answers a SASL challenge, or "*" for all commands and responses. Empty is
	// "*".
	On string
	// Match is a regular expression that the line must match, if it is not
	// empty. The line has no line end.
	Match string
	// Session is the only connection that is touched, by its number; 0: all.
	Session int
	// After so many matching ones that pass, the rule acts; Times so often, 0
	// for ever. Both count over all connections.
	After, Times int

	// Reply is sent instead of what the server would say, and the server does
	// not hear of the command. It is octets: the line end belongs to it.
	Reply string
	// Replace are pairs of octets in the reply: old, new, old, new.
	Replace []string
	// Append goes into the same segment, behind the reply.
	Append string

	// Delay passes before the reply, Drip between its segments.
	Delay, Drip time.Duration
	// SplitEvery is how many octets go into one segment; 0 with Drip is 1.
	// Without Drip the network may join them again.
	SplitEvery int
	// SplitTerminator puts the final "." and its CR LF into segments of their
	// own.
	SplitTerminator bool

	// DropAfter cuts the connection after so many octets of the reply, at most
	// the whole of it; the server has obeyed the command, even if it is 0.
	DropAfter *int
	// DropCommand cuts the connection at the command of this number, counted on
	// each connection from 1, which the server does not hear of. On and Match
	// are not looked at.
	DropCommand int
	// StallAfter sends so many octets of the reply, and then nothing any more.
	// The connection stays open until the client goes.
	StallAfter *int
}

// maxWait bounds Delay and Drip.
const maxWait = time.Hour

// What a Rule's On may be beside keywords.
const (
	onGreeting = "greeting"
	onResponse = "response"
	onAll      = "*"
)

var keywordForm = regexp.MustCompile(`^[!-~]{1,40}$`)

// Fault returns the rule as a fault. What it counts begins with this call.
func (r Rule) Fault() (Fault, error) {
	a := &acting{Rule: r}
	var err error
	if a.match, err = r.check(); err != nil {
		return Fault{}, err
	}
	switch lower := strings.ToLower(r.On); lower {
	case "":
		a.on = onAll
	case onGreeting, onResponse:
		a.on = lower
	default:
		a.on = strings.ToUpper(r.On)
	}
	name := "rule " + r.String()
	if a.on == onGreeting {
		return Fault{Name: name, Doc: "A rule on the greeting.", Greet: a.greet}, nil
	}
	return Fault{Name: name, Doc: "A rule on " + a.on + ".", Command: a.command, Edit: a.edit}, nil
}

// check finds what contradicts itself.
func (r Rule) check() (*regexp.Regexp, error) {
	match, err := regexp.Compile(r.Match)
	if err != nil {
		return nil, fmt.Errorf("match: %w", err)
	}
	drops := r.DropAfter != nil || r.StallAfter != nil
	for _, wrong := range []struct {
		is  bool
		why string
	}{
		{r.On != "" && !keywordForm.MatchString(r.On), `on: not a keyword, "greeting", "response" or "*"`},
		{r.Session < 0, "session: less than 0"},
		{r.After < 0, "after: less than 0"},
		{r.Times < 0, "times: less than 0"},
		{r.DropCommand < 0, "drop-command: less than 0"},
		{r.SplitEvery < 0, "split-every: less than 0"},
		{r.DropAfter != nil && *r.DropAfter < 0, "drop-after: less than 0"},
		{r.StallAfter != nil && *r.StallAfter < 0, "stall-after: less than 0"},
		{r.Delay < 0 || r.Delay > maxWait, "delay: from 0 to " + maxWait.String()},
		{r.Drip < 0 || r.Drip > maxWait, "drip: from 0 to " + maxWait.String()},
		{len(r.Replace)%2 != 0, "replace: an old text without a new one"},
		{r.DropAfter != nil && r.StallAfter != nil, "drop-after and stall-after: one of them"},
		{r.DropCommand > 0 && (drops || r.segments() || r.Delay > 0 || r.Reply != "" || r.Append != "" || len(r.Replace) > 0), "drop-command: there is no reply to change"},
		{r.DropCommand > 0 && r.On != "" && r.On != onAll, "drop-command counts all commands: no on"},
		{r.SplitTerminator && r.SplitEvery > 0, "split-every and split-terminator: one of them"},
		{!r.acts(), "the rule does nothing: give it a reply, a delay, or another thing to do"},
	} {
		if wrong.is {
			return nil, errors.New(wrong.why)
		}
	}
	return match, nil
}

// acts reports whether anything happens.
func (r Rule) acts() bool {
	return r.Reply != "" || r.Append != "" || len(r.Replace) > 0 || r.Delay > 0 || r.segments() ||
		r.DropAfter != nil || r.DropCommand > 0 || r.StallAfter != nil
}

// segments reports whether replies are sent in pieces.
func (r Rule) segments() bool { return r.Drip > 0 || r.SplitEvery > 0 || r.SplitTerminator }

// An acting rule counts what it has seen.
type acting struct {
	Rule
	on    string
	match *regexp.Regexp

	mu    sync.Mutex // guards count
	count int
}

// turn counts one that matches, and reports whether it is touched.
func (a *acting) turn() bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.count++
	return a.count > a.After && (a.Times == 0 || a.count <= a.After+a.Times)
}

// touches reports whether the rule acts on an exchange. Both hooks ask, and it
// is counted once.
func (a *acting) touches(e *Exchange) bool {
	if acts, known := e.rules[a]; known {
		return acts
	}
	if e.rules == nil {
		e.rules = make(map[*acting]bool)
	}
	e.rules[a] = a.matches(e) && a.turn()
	return e.rules[a]
}

func (a *acting) matches(e *Exchange) bool {
	if a.Session != 0 && a.Session != e.Number {
		return false
	}
	if a.DropCommand > 0 {
		return !e.Response && a.commands(e.Session) == a.DropCommand
	}
	on := e.Keyword
	if e.Response {
		on = onResponse
	}
	return (a.on == onAll || a.on == on) && a.match.MatchString(strings.TrimRight(e.Line, "\r\n"))
}

// commands counts the commands of a connection.
func (a *acting) commands(s *Session) int {
	n, _ := s.Values[a.key()].(int)
	n++
	s.Values[a.key()] = n
	return n
}

func (a *acting) key() string { return fmt.Sprintf("rule %p", a) }

// command takes the server's place if the rule says what comes instead.
func (a *acting) command(e *Exchange) bool {
	switch {
	case !a.touches(e):
		return false
	case a.DropCommand > 0:
		e.Hangup = true
		return true
	case a.Reply == "":
		return false
	}
	if e.Response {
		e.Ask("*") // the server waits for a response
	}
	e.Reply = a.Reply
	return true
}

// edit changes the reply, whoever made it.
func (a *acting) edit(e *Exchange) {
	if !a.touches(e) {
		return
	}
	if a.DropCommand > 0 {
		e.Reply, e.Hangup = "", true // although another fault had an answer
		return
	}
	if a.Delay > 0 && !e.Wait(a.Delay) {
		e.Reply, e.Hangup = "", true
		return
	}
	e.Reply = a.change(e.Reply)
	e.Stall = e.Stall || a.StallAfter != nil
	e.Hangup = e.Hangup || a.DropAfter != nil
	if a.segments() {
		e.SendNext = func(octets string) { a.send(e.Session, octets) }
	}
}

// greet changes the greeting. "" cuts the connection.
func (a *acting) greet(s *Session, greeting string) string {
	if a.Session != 0 && a.Session != s.Number || !a.match.MatchString(strings.TrimRight(greeting, "\r\n")) || !a.turn() {
		return greeting
	}
	if a.Delay > 0 && !s.Wait(a.Delay) {
		return ""
	}
	greeting = a.change(greeting)
	switch {
	case a.StallAfter != nil:
		a.send(s, greeting)
		s.Silence()
		return ""
	case a.DropAfter != nil:
		a.send(s, greeting)
		return ""
	case a.segments():
		s.SendNext = func(octets string) { a.send(s, octets) }
	}
	return greeting
}

// change returns the octets of a reply that are sent.
func (a *acting) change(reply string) string {
	if a.Reply != "" {
		reply = a.Reply // although another fault may have made one
	}
	if len(a.Replace) > 0 {
		reply = strings.NewReplacer(a.Replace...).Replace(reply)
	}
	reply += a.Append
	for _, cut := range []*int{a.DropAfter, a.StallAfter} {
		if cut != nil {
			reply = reply[:min(*cut, len(reply))]
		}
	}
	return reply
}

// send sends octets in the rule's segments.
func (a *acting) send(s *Session, octets string) {
	pause := a.Drip
	if a.SplitTerminator {
		pause = max(pause, time.Millisecond) // or the network would join them
	}
	for i, segment := range a.parts(octets) {
		if i > 0 && pause > 0 && !s.pause(pause) {
			return
		}
		s.Write(segment)
	}
}

// parts cuts octets into segments.
func (a *acting) parts(octets string) []string {
	if octets == "" {
		return nil
	}
	if a.SplitTerminator {
		if body, found := strings.CutSuffix(octets, ".\r\n"); found {
			return []string{body, ".", "\r\n"}
		}
		return []string{octets}
	}
	size := a.SplitEvery
	if size == 0 && a.Drip > 0 {
		size = 1
	}
	if size == 0 {
		return []string{octets}
	}
	var all []string
	for len(octets) > size {
		all = append(all, octets[:size])
		octets = octets[size:]
	}
	return append(all, octets)
}
