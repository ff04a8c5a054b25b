package shell

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"regexp"
	"strings"

	"postfach/internal/explain"
	"postfach/internal/popwire"
	"postfach/sasl"
)

// mostSecrets bounds what Explain remembers of a recording.
const mostSecrets = 100

// Explain shows a conversation that was recorded elsewhere, with what its lines
// mean: a protocol log of Postfach, of a mail program, or what a terminal showed.
// Lines that are no part of it are shown as comments, secrets are replaced.
// ErrNoPOP3: there is no conversation in it.
func Explain(r io.Reader, out io.Writer, look Look) error {
	look.NoTimes = true
	lines := bufio.NewReaderSize(r, 256<<10)
	start, err := lines.Peek(64 << 10)
	if err != nil && !errors.Is(err, io.EOF) {
		return err
	}
	rec := &recorded{look: look, out: out, screen: newScreen(out, look), format: formatOf(string(start))}
	rec.screen.out = &rec.held
	rec.begin()
	for {
		line, err := lines.ReadSlice('\n')
		for errors.Is(err, bufio.ErrBufferFull) { // as much as is shown of a line has come
			line = append([]byte(nil), line...)
			_, err = lines.ReadSlice('\n')
		}
		if len(line) > 0 {
			rec.line(string(popwire.TrimLine(line)))
			rec.release()
		}
		switch {
		case errors.Is(err, io.EOF):
			return rec.end()
		case err != nil:
			return err
		}
	}
}

// mostHeld bounds, in octets, what is held back until the conversation begins.
const mostHeld = 1 << 20

// release shows what was held back, once there is a conversation, or too much.
func (r *recorded) release() {
	if r.screen.out == io.Writer(&r.held) && (r.found || r.held.Len() > mostHeld) {
		r.screen.out = r.out
		r.screen.print(r.held.String())
		r.held = bytes.Buffer{}
	}
}

// ErrNoPOP3 says that a recording is none.
var ErrNoPOP3 = errors.New("no POP3 in this file")

// recorded goes through a recording. It is one goroutine's.
type recorded struct {
	look    Look
	out     io.Writer
	held    bytes.Buffer // what comes before the conversation, for there may be none
	screen  *screen
	format  format
	talk    *explain.Conversation
	secrets secrets
	token   bool // the last AUTH was with a token, which the server may repeat
	last    said // for logs that say things twice

	shown, folded int  // lines of a body
	tls           bool // the last thing that was said led to TLS
	found         bool // a line of a conversation
	over          bool // QUIT was answered: what comes next is another session
	quit          bool
	text          bool // the message that is coming is in the recording, but not marked

	fetching    bool // the last command asks for a message, and nothing was answered
	annotated   bool // behind commands stand remarks
	placeholder bool // the message that is coming is only hinted at, as in "(text)"
}

// begin begins a session.
func (r *recorded) begin() {
	r.talk = explain.NewConversation(r.look.Lang)
	r.shown, r.folded, r.tls, r.over, r.quit, r.text = 0, 0, false, false, false, false
	r.fetching, r.placeholder = false, false
}

// end ends the recording.
func (r *recorded) end() error {
	r.unfold()
	r.sayOmitted()
	if !r.found {
		r.screen.out = r.out
		r.screen.say(r.screen.words().noPOP3, warning)
		return ErrNoPOP3
	}
	return nil
}

// line shows one line of the recording.
func (r *recorded) line(line string) {
	if r.format.pasted && r.pasted(line) {
		return
	}
	s := r.format.parse(line, r.expect())
	if s.side == nobody && r.format.chunks && r.last.side == server && r.inBody() {
		s = said{side: server, text: line} // the rest of what came in one piece
	}
	if s.side != nobody && r.format.twice && s.side == r.last.side && s.text == r.last.text && s.again != r.last.again {
		r.last = said{}
		return
	}
	if s.side != nobody {
		r.last = s
	}
	switch s.side {
	case nobody:
		r.comment(line)
	case event:
		r.event(s.text)
	case client:
		r.client(s.text, "")
	case server:
		r.server(s.text)
	}
}

// expect says what comes next: behind the answer to QUIT another session.
func (r *recorded) expect() explain.Place {
	if r.over {
		return explain.Greeting
	}
	return r.talk.Expect()
}

func (r *recorded) inBody() bool {
	at := r.talk.Expect()
	return at == explain.Item || at == explain.Content
}

// The events of the project's own logs.
const (
	eventTLS        = "(tls)"
	eventClose      = "(close)"
	eventHangup     = "(hangup)"
	eventConnection = "(connection"
)

func (r *recorded) event(text string) {
	r.unfold()
	switch text {
	case eventTLS:
		if !r.tls {
			r.screen.event(r.talk.TLS())
		}
		r.tls = false
	case eventClose, eventHangup:
		r.screen.event(r.talk.Closed(text == eventHangup))
		r.over = true
	default:
		r.screen.print(r.screen.paint(visible(cutLine(text)), faint), "\n")
		r.begin()
	}
}

// client shows a command. The remark behind it is no part of it, if it is not a
// secret after all.
func (r *recorded) client(text, remark string) {
	if r.over {
		r.begin()
	}
	if r.talk.Expect() == explain.Greeting && r.format.late {
		r.talk.Line(false, "+OK") // the log begins after it
	}
	if r.format.omits && r.inBody() {
		r.sayOmitted()
		r.talk.Line(false, ".") // the log leaves bodies out
	}
	r.unfold()
	command := text
	if remark != "" {
		text += " " + remark
	}
	shown := string(popwire.Redact([]byte(text)))
	if r.talk.Expect() == explain.Response && text != popwire.Cancel {
		shown = popwire.Secret
	}
	if shown != text && len(r.secrets) < mostSecrets {
		r.secrets.keepLine(text, shown)
		if !strings.HasPrefix(strings.ToUpper(text), "PASS ") {
			r.secrets.keepResponse(text[strings.LastIndexByte(text, ' ')+1:])
		}
	}
	if words := strings.Fields(text); len(words) > 0 && r.talk.Expect() != explain.Response {
		r.token = len(words) > 1 && strings.EqualFold(words[0], "AUTH") && sasl.TakesToken(words[1])
	}
	secret := shown != text
	if remark != "" {
		shown = command
	}
	r.found = true
	note := r.talk.Line(true, shown)
	r.quit = note.Keyword == "QUIT"
	r.fetching = note.Keyword == "RETR" || note.Keyword == "TOP"
	r.text, r.placeholder = false, false
	r.screen.show(true, shown, note)
	if remark != "" && !secret {
		r.comment(remark)
	}
}

// sayOmitted says that a log has left a body out, where it has.
func (r *recorded) sayOmitted() {
	if r.format.omits && r.shown == 0 && !r.text && r.talk.Expect() == explain.Content {
		r.screen.say(r.screen.words().noText, faint)
	}
}

func (r *recorded) server(text string) {
	if r.over && r.talk.Waiting() == 0 && strings.HasPrefix(text, "+OK") {
		r.begin()
	}
	r.found, r.fetching = true, false
	if !r.inBody() {
		text = string(popwire.RedactChallenge([]byte(text), r.token))
	}
	text = r.secrets.hide(text)
	note := r.talk.Line(false, text)
	if note.Place == explain.Content || note.Place == explain.Item {
		limit := unfoldedItems
		if note.Place == explain.Content {
			limit = unfoldedContent
		}
		if r.shown++; r.shown > limit {
			r.folded++
			return
		}
	} else {
		r.unfold()
	}
	r.screen.show(false, text, note)
	if note.Place != explain.Reply || note.Refused {
		return
	}
	switch {
	case note.Keyword == "STLS":
		r.screen.event(r.talk.TLS())
		r.tls = true
	case r.quit:
		r.over = true
	}
}

// unfold says how many lines of a body were not shown.
func (r *recorded) unfold() {
	if r.folded > 0 {
		r.screen.print("   ", r.screen.paint(r.screen.words().moreRecorded(r.folded), faint), "\n")
	}
	r.shown, r.folded = 0, 0
}

// commandWithSecret finds what looks like a command with a secret in lines that
// are none.
var commandWithSecret = regexp.MustCompile(`(\bAPOP \S+ |\bAUTH \S+ |(?i:\bpas+ )|(?i:\bpass\w*["']?\s*[=:]\s*))\S.*`)

// comment shows a line that is no part of the conversation.
func (r *recorded) comment(line string) {
	if strings.TrimSpace(line) == "" {
		return
	}
	if r.format.begins != "" && strings.Contains(line, r.format.begins) {
		r.unfold()
		r.begin()
	}
	r.text = r.text || r.format.mixed && r.inBody() && !strings.ContainsAny(line[:1], "*{} \r")
	line = r.secrets.hide(commandWithSecret.ReplaceAllString(line, "${1}"+popwire.Secret))
	if !strings.HasPrefix(line, "#") {
		line = "# " + line
	}
	r.screen.print(r.screen.paint(visible(cutLine(line)), faint), "\n")
}
