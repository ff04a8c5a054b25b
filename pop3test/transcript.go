package pop3test

import (
	"fmt"
	"strings"
	"unicode"

	"postfach/internal/popwire"
	"postfach/internal/transcript"
	"postfach/pop3check"
)

// Transcript returns a connection as text to read, in the form of Postfach's
// protocol logs: "C: " and "S: " lines, (tls), (close) by the server and
// (hangup) by the client. Passwords and what may be one are replaced.
func Transcript(rec pop3check.Recording) string {
	w := &writing{}
	title := fmt.Sprintf(" connection %d", rec.Number)
	if rec.ImplicitTLS {
		title += ", TLS from the first octet"
	}
	if rec.Scenario != "" {
		title += ", server with: " + printable(rec.Scenario)
	}
	w.add(transcript.Line{Kind: transcript.Comment, Text: title})
	for _, e := range rec.Events {
		w.event(e)
	}
	w.flush()
	return w.script.String()
}

// Transcripts returns all connections so far, in their order.
func (s *Server) Transcripts() []string {
	var all []string
	for _, rec := range s.Recordings() {
		all = append(all, Transcript(rec))
	}
	return all
}

// writing is a transcript that is being written.
type writing struct {
	script  transcript.Script
	pending string // of the server, a line that has not ended
	asked   bool   // the server's last line was a challenge
}

func (w *writing) event(e pop3check.Event) {
	if e.Kind != pop3check.ServerSaid {
		w.flush()
	}
	switch e.Kind {
	case pop3check.ClientSaid:
		w.client(e.Octets)
	case pop3check.ServerSaid:
		w.server(e.Octets)
	case pop3check.TLSBegun:
		w.add(transcript.Line{Kind: transcript.TLS})
	case pop3check.TLSFailed:
		w.add(transcript.Line{Kind: transcript.Comment, Text: " no TLS: " + printable(e.Err)})
	case pop3check.ClientClosed:
		if e.Err != "" {
			w.add(transcript.Line{Kind: transcript.Comment, Text: " " + printable(e.Err)})
		}
		w.add(transcript.Line{Kind: transcript.Hangup})
	case pop3check.ServerClosed:
		w.add(transcript.Line{Kind: transcript.Close})
	}
}

func (w *writing) client(octets string) {
	line, end := cutLineEnd(octets)
	switch {
	case !w.asked:
		line = string(popwire.Redact([]byte(line)))
	case line != "" && line != "*":
		line = popwire.Secret
	}
	w.asked = false
	w.line(transcript.Client, line, end)
}

func (w *writing) server(octets string) {
	w.pending += octets
	for {
		line, rest, found := strings.Cut(w.pending, "\n")
		if !found {
			return
		}
		w.pending = rest
		w.asked = challenge(line + "\n")
		text, end := cutLineEnd(line + "\n")
		w.line(transcript.Server, text, end)
	}
}

// flush writes a line that the server did not end.
func (w *writing) flush() {
	if w.pending != "" {
		w.line(transcript.Server, w.pending, "")
	}
	w.pending = ""
}

// line writes octets and their line end, which is CR LF, LF or nothing.
func (w *writing) line(kind transcript.Kind, text, end string) {
	noEnd := end != "\r\n"
	if noEnd {
		text += end
	}
	w.add(transcript.Line{Kind: kind, Parts: []transcript.Part{{Octets: text}}, NoEnd: noEnd})
}

func (w *writing) add(l transcript.Line) { w.script.Lines = append(w.script.Lines, l) }

// cutLineEnd parts a line from its end.
func cutLineEnd(octets string) (line, end string) {
	for _, end := range []string{"\r\n", "\n"} {
		if line, found := strings.CutSuffix(octets, end); found {
			return line, end
		}
	}
	return octets, ""
}

// printable is text that may stand in a comment.
func printable(text string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsPrint(r) {
			return r
		}
		return '?'
	}, text)
}
