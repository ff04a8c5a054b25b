package explain

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"postfach/internal/popwire"
	"postfach/internal/transcript"
	"postfach/pop3"
)

const crlf = "\r\n"

// A stage plays a transcript to a Follower, as a program would trace it.
type stage struct {
	*Follower
	session string
	lines   []Line
	size    map[int]int // of LIST
	number  int         // of the last RETR
	at      time.Time
}

func newStage(lang Language) *stage {
	s := &stage{session: "1", size: make(map[int]int), at: time.Unix(0, 0)}
	s.Follower = NewFollower(lang, func(l Line) { s.lines = append(s.lines, l) })
	return s
}

// play plays a whole script.
func (s *stage) play(script *transcript.Script) {
	for _, l := range script.Lines {
		s.at = s.at.Add(time.Second)
		switch l.Kind {
		case transcript.Client, transcript.Server:
			s.speak(l)
		case transcript.Skip:
			s.fill()
		case transcript.TLS:
			s.Event(pop3.TraceEvent{Session: s.session, Time: s.at, TLS: true})
		case transcript.Close, transcript.Hangup:
			s.Closed(s.session, l.Kind == transcript.Hangup, s.at)
		case transcript.Connection:
			s.session = l.Text
		}
	}
}

// speak says a line of the script, with something for each placeholder.
func (s *stage) speak(l transcript.Line) {
	var octets strings.Builder
	for _, p := range l.Parts {
		switch {
		case p.Rest:
			octets.WriteString("text")
		case p.Secret != "":
			octets.WriteString(pop3.APOPDigest("<1@h>", p.Secret))
		case p.Var == "stamp":
			octets.WriteString("1686.1095545686")
		case p.Var == "host":
			octets.WriteString("mail.example.com")
		case p.Var != "":
			fmt.Fprint(&octets, len(p.Var))
		default:
			octets.WriteString(p.Octets)
		}
	}
	if !l.NoEnd {
		octets.WriteString(crlf)
	}
	if l.Kind == transcript.Client {
		s.client(octets.String())
		return
	}
	var number, size int
	if _, err := fmt.Sscanf(octets.String(), "%d %d", &number, &size); err == nil {
		s.size[number] = size
	}
	s.octets(false, octets.String())
}

// client says what a client says, without secrets.
func (s *stage) client(octets string) {
	for line := range strings.Lines(octets) {
		text := strings.TrimRight(line, crlf)
		end := line[len(text):]
		talk := s.Conversation(s.session)
		switch {
		case talk != nil && talk.Expect() == Response && text != popwire.Cancel && text != "":
			text = popwire.Secret
		default:
			text = string(popwire.Redact([]byte(text)))
		}
		fmt.Sscanf(text, "RETR %d", &s.number)
		s.octets(true, text+end)
	}
}

func (s *stage) octets(client bool, octets string) {
	s.Event(pop3.TraceEvent{Session: s.session, Time: s.at, Client: client, Octets: []byte(octets)})
}

// fill says what a script leaves out: a message of the size that was listed.
func (s *stage) fill() {
	if s.Conversation(s.session).Expect() != Content {
		return
	}
	body := "From: a@example.com" + crlf + "Subject: " + strings.Repeat("x", 20) + crlf + crlf
	for left := s.size[s.number] - len(body); left > 0; left = s.size[s.number] - len(body) {
		if left > 76 {
			body += strings.Repeat("a", 62) + crlf
			continue
		}
		body += strings.Repeat("b", left-2) + crlf
	}
	s.octets(false, body)
}

// both plays a script in both languages.
func both(script *transcript.Script) (english, german []Line) {
	en, de := newStage(English), newStage(German)
	en.play(script)
	de.play(script)
	return en.lines, de.lines
}

// annotated writes a script's lines with what they mean.
func annotated(script *transcript.Script) string {
	english, german := both(script)
	var b strings.Builder
	for i, en := range english {
		de := german[i]
		switch {
		case en.Note.Place == Event:
			b.WriteString("--\n")
		case en.Folded > 0:
			b.WriteString("S: ...\n")
		case en.Client:
			fmt.Fprintln(&b, strings.TrimRight("C: "+en.Text, " "))
		default:
			fmt.Fprintln(&b, strings.TrimRight("S: "+en.Text, " "))
		}
		sign := " "
		if en.Note.Warning {
			sign = "!"
		}
		for _, t := range []struct{ what, text string }{
			{sign + " en  ", en.Note.Meaning},
			{sign + " de  ", de.Note.Meaning},
			{"  en> ", en.Note.Next},
			{"  de> ", de.Note.Next},
		} {
			if t.text != "" {
				fmt.Fprintf(&b, "   %s%s\n", t.what, t.text)
			}
		}
	}
	return b.String()
}

func parse(t *testing.T, file string) *transcript.Script {
	t.Helper()
	script, err := transcript.ParseFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return script
}

// The sessions of the document that Postfach began with, and one for each part
// of the protocol, explained in both languages. POSTFACH_UPDATE=1 writes what
// is wanted anew.
func TestSessions(t *testing.T) {
	files, _ := filepath.Glob("testdata/*.txt")
	document, _ := filepath.Glob("../../testdata/transcripts/netzprisma-*.txt")
	if len(files) == 0 || len(document) != 3 {
		t.Fatalf("%d and %d scripts", len(files), len(document))
	}
	for _, file := range append(document, files...) {
		name := strings.TrimSuffix(filepath.Base(file), ".txt")
		t.Run(name, func(t *testing.T) {
			golden := filepath.Join("testdata", name+".golden")
			got := annotated(parse(t, file))
			if os.Getenv("POSTFACH_UPDATE") != "" {
				if err := os.WriteFile(golden, []byte(got), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(golden)
			if err != nil {
				t.Fatal(err)
			}
			if diff := firstDifference(got, string(want)); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func firstDifference(got, want string) string {
	g, w := strings.Split(got, "\n"), strings.Split(want, "\n")
	for i := range max(len(g), len(w)) {
		switch {
		case i >= len(g):
			return fmt.Sprintf("line %d: nothing, want %s", i+1, w[i])
		case i >= len(w):
			return fmt.Sprintf("line %d: %s, want nothing", i+1, g[i])
		case g[i] != w[i]:
			return fmt.Sprintf("line %d:\n%s\nwant\n%s", i+1, g[i], w[i])
		}
	}
	return ""
}
