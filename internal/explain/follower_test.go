package explain

import (
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"postfach/internal/transcript"
	"postfach/pop3"
)

func event(session string, client bool, octets string) pop3.TraceEvent {
	return pop3.TraceEvent{Session: session, Time: time.Unix(0, 0), Client: client, Octets: []byte(octets)}
}

// follow returns a Follower, and the lines that it emits.
func follow() (*Follower, *[]Line) {
	lines := new([]Line)
	return NewFollower(English, func(l Line) { *lines = append(*lines, l) }), lines
}

// Wherever the octets are cut, the lines are the same.
func TestPiecesCutAnywhere(t *testing.T) {
	said := []struct {
		client bool
		octets string
	}{
		{false, "+OK <1@h>\r\n"},
		{true, "USER u\r\nPASS <secret>\r\nLIST\r\nRETR 1\r\nQUIT\n"},
		{false, "+OK\r\n+OK\r\n+OK\r\n1 13\r\n.\r\n+OK\r\na\r\n..b\r\nc\r\nd\r\n.\r\n+OK\r\nBYE"},
	}
	var want []Line
	for _, size := range []int{1 << 10, 1, 2, 3, 5, 7} {
		f, lines := follow()
		for _, s := range said {
			for piece := range slices.Chunk([]byte(s.octets), size) {
				f.Event(event("s", s.client, string(piece)))
			}
		}
		f.Closed("s", false, time.Unix(0, 0))
		if want == nil {
			want = *lines
		}
		if !slices.Equal(*lines, want) {
			t.Errorf("in pieces of %d: %v\nwant %v", size, *lines, want)
		}
	}
	if len(want) != 20 {
		t.Errorf("%d lines: %v", len(want), want)
	}
}

// A line without end costs no memory, and its end is not lost.
func TestEndlessLine(t *testing.T) {
	f, lines := follow()
	f.Event(event("s", false, "+OK\r\n"))
	f.Event(event("s", true, "LIST\r\n"))
	chunk := strings.Repeat("x", 1<<16)
	f.Event(event("s", false, "+OK\r\n1 "))
	for range 64 {
		f.Event(event("s", false, chunk))
	}
	if kept := cap(f.sessions["s"].server.kept); kept > 2*longestLine {
		t.Errorf("keeps %d octets", kept)
	}
	f.Event(event("s", false, "\r\n.\r\n"))
	got := (*lines)[len(*lines)-2]
	if len(got.Text) > longestLine+100 || !strings.HasSuffix(got.Text, "x … (4,177,922 octets more)") {
		t.Errorf("%d octets: %s", len(got.Text), got.Text[len(got.Text)-100:])
	}
	if end := (*lines)[len(*lines)-1]; end.Note.Place != End {
		t.Errorf("%+v", end)
	}
}

// The octets of a line that is not shown whole are counted all the same.
func TestCutLineIsCounted(t *testing.T) {
	f, lines := follow()
	f.Unfolded = -1
	f.Event(event("s", false, "+OK\r\n"))
	f.Event(event("s", true, "RETR 1\r\n"))
	f.Event(event("s", false, "+OK\r\n"+strings.Repeat(".", 100_000)+"\r\n.\r\n"))
	if end := (*lines)[len(*lines)-1]; !strings.Contains(end.Note.Meaning, "1 line with 100,001 octets") {
		t.Error(end.Note.Meaning)
	}
}

func TestUnfolded(t *testing.T) {
	message := "+OK\r\n" + strings.Repeat("x\r\n", 10) + ".\r\n"
	for unfolded, folded := range map[int]int{0: 7, 1: 9, 10: 0, -1: 0} {
		f, lines := follow()
		f.Unfolded = unfolded
		f.Event(event("s", false, "+OK\r\n"))
		for range 2 {
			*lines = nil
			f.Event(event("s", true, "RETR 1\r\n"))
			f.Event(event("s", false, message))
			sum := 0
			for _, l := range *lines {
				sum += l.Folded
				if l.Folded > 0 && (l.Text != "" || !strings.Contains(l.Note.Meaning, fmt.Sprintf("%d more lines with %d octets", folded, 3*folded))) {
					t.Errorf("unfolded %d: %+v", unfolded, l)
				}
			}
			if sum != folded {
				t.Errorf("unfolded %d: folded %d, want %d", unfolded, sum, folded)
			}
		}
	}
}

// What was folded is said when the connection ends in the middle.
func TestClosedUnfolds(t *testing.T) {
	f, lines := follow()
	f.Event(event("s", false, "+OK\r\n"))
	f.Event(event("s", true, "RETR 1\r\n"))
	f.Event(event("s", false, "+OK\r\n"+strings.Repeat("x\r\n", 5)))
	f.Closed("s", false, time.Unix(1, 0))
	f.Closed("s", false, time.Unix(1, 0)) // which is nothing
	last := (*lines)[len(*lines)-2:]
	if last[0].Folded != 2 || last[1].Note.Place != Event || !last[1].Note.Warning || !last[1].Time.Equal(time.Unix(1, 0)) {
		t.Errorf("%+v", last)
	}
	if f.Conversation("s") != nil || len(*lines) != 8 {
		t.Errorf("%d lines", len(*lines))
	}
}

// A message of a million lines costs no memory, and little time.
func TestMillionLines(t *testing.T) {
	f, lines := follow()
	f.Event(event("s", false, "+OK\r\n"))
	f.Event(event("s", true, "RETR 1\r\n"))
	f.Event(event("s", false, "+OK\r\nSubject: x\r\n\r\none\r\n"))
	piece := event("s", false, strings.Repeat(strings.Repeat("x", 70)+"\r\n..\r\n", 500))
	if allocated := testing.AllocsPerRun(999, func() { f.Event(piece) }); allocated > 0 {
		t.Errorf("%v allocations in 1,000 lines", allocated)
	}
	f.Event(event("s", false, ".\r\n"))
	last := (*lines)[len(*lines)-2:]
	if last[0].Folded != 1_000_000 || last[0].Note.Meaning != "… 1,000,000 more lines with 37,500,000 octets" {
		t.Errorf("%+v", last[0])
	}
	if len(*lines) != 8 {
		t.Errorf("%d lines", len(*lines))
	}
}

// Sessions do not disturb each other, and those never closed are bounded.
func TestSessionsAreBounded(t *testing.T) {
	f, _ := follow()
	for i := range 2 * mostSessions {
		name := fmt.Sprint(i)
		f.Event(pop3.TraceEvent{Session: name, Time: time.Unix(int64(i), 0), Octets: []byte("+OK\r\n")})
		f.Event(pop3.TraceEvent{Session: name, Time: time.Unix(int64(i), 0), Client: true, Octets: []byte("STAT\r\n")})
	}
	if len(f.sessions) != mostSessions || f.Conversation("0") != nil || f.Conversation(fmt.Sprint(2*mostSessions-1)).Waiting() != 1 {
		t.Errorf("%d sessions", len(f.sessions))
	}
}

// Text is safe on any screen.
func TestTextIsEscaped(t *testing.T) {
	f, lines := follow()
	f.Event(event("s", false, "+OK \x1b[31m\u202e\xff\r\r\n"))
	if got, want := (*lines)[0].Text, `+OK \x1b[31m\xe2\x80\xae\xff\x0d`; got != want {
		t.Errorf("%s, want %s", got, want)
	}
}

// Every transcript of the project can be explained to its end.
func TestTranscripts(t *testing.T) {
	files, err := filepath.Glob("../../testdata/transcripts/*.txt")
	if err != nil || len(files) < 50 {
		t.Fatalf("%d transcripts, %v", len(files), err)
	}
	for _, file := range files {
		t.Run(filepath.Base(file), func(t *testing.T) {
			english, german := both(parse(t, file))
			if len(english) != len(german) {
				t.Fatalf("%d lines in English, %d in German", len(english), len(german))
			}
			for i, en := range english {
				de := german[i]
				silent := en.Note.Place == Content
				if !silent && (en.Note.Meaning == "" || de.Note.Meaning == "" || en.Note.Meaning == de.Note.Meaning) {
					t.Errorf("%s: %q, %q", en.Text, en.Note.Meaning, de.Note.Meaning)
				}
				if (en.Note.Next == "") != (de.Note.Next == "") || strings.Contains(en.Note.Meaning+de.Note.Meaning+en.Note.Next+de.Note.Next, "%!") {
					t.Errorf("%s: %+v, %+v", en.Text, en.Note, de.Note)
				}
				if en.Note.Place == Stray && !en.Client {
					t.Errorf("%s: %s", en.Text, en.Note.Meaning)
				}
			}
		})
	}
}

// What a Recorder has written reads the same as what it heard.
func TestTranscriptOfTranscript(t *testing.T) {
	script, err := transcript.Parse("x", "S: +OK\nC: NOOP\\x0a\\\nS: +OK\n")
	if err != nil {
		t.Fatal(err)
	}
	english, _ := both(script)
	if english[1].Text != `NOOP\x0a` || !english[1].Note.Warning {
		t.Errorf("%+v", english[1])
	}
}

// A list of 100,000 messages is one line, but for its beginning and for what is
// wrong in it; what it says is counted all the same.
func TestListsFold(t *testing.T) {
	f, lines := follow()
	f.Items = 2
	f.Event(event("s", false, "+OK\r\n"))
	f.Event(event("s", true, "USER u\r\nPASS <secret>\r\nLIST\r\n"))
	f.Event(event("s", false, "+OK\r\n+OK\r\n+OK\r\n1 10\r\n2 20\r\n3 30\r\n4 40\r\nfive\r\n6 60\r\n.\r\n"))
	var got []string
	for _, l := range (*lines)[6:] {
		got = append(got, fmt.Sprint(l.Text, "|", l.Note.Meaning, "|", l.Folded))
	}
	want := []string{
		"+OK|A line for each message follows: its number and its size in octets.|0",
		"1 10|Message 1 has 10 octets.|0",
		"2 20|Message 2 has 20 octets.|0",
		"|… 2 more lines|2",
		"five|A message number and a size in octets have to stand here.|0",
		"|… 1 more line|1",
		".|End of the list: 5 messages with 160 octets.|0",
	}
	if !slices.Equal(got, want) {
		t.Errorf("%q\nwant %q", got, want)
	}
}
