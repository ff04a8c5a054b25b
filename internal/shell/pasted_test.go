package shell

import (
	"os"
	"strings"
	"testing"

	"postfach/internal/explain"
)

// annotated are three sessions as a web page shows them: what each line means
// stands behind it, and messages are left out.
const annotated = `How it works
USER name        The client names somebody
QUIT             The end
(The server waits)
+OK ready <1.2@pop.example.org> The server greets
USER ben The client names somebody
+OK
PASS geheim The client sends the password
+OK come in
STAT How many are there?
+OK 2 300 Two of them
LIST Which are there?
+OK
1 100
2 200
.
Those are there.
RETR 1 The client wants number one
(text of number one) The server sends it
DELE 1 The client wants it gone
+OK gone
RETR 2 The client wants number two
+OK
(text of number two)
DELE 2 The client wants it gone
+OK gone
QUIT The client leaves
+OK bye The server leaves
(The server hangs up)
Another way to log in
APOP is safer
+OK ready <3.4@pop.example.org>
APOP ben c4c9334bac560ecc979e58001b3e22fb The client logs in
+OK
STAT
+OK 0 0
QUIT
+OK bye
What it can
+OK ready
CAPA The client asks
+OK these
TOP
UIDL
.
USER ben The client names somebody
+OK
(and so on)
`

// A session in a book, copied with the remarks, is explained to its end.
func TestAnnotatedSessions(t *testing.T) {
	var b strings.Builder
	if err := Explain(strings.NewReader(annotated), &b, Look{Width: 200}); err != nil {
		t.Fatal(err)
	}
	out := b.String()
	contains(t, out, "C: USER ben  ", "# How many are there?", "2 messages with 300 octets", "deletes messages 1 and 2", "C: APOP ben <secret>", "C: CAPA  ", "# (and so on)")
	for text, n := range map[string]int{"The server greets.": 3, "has no text of the message": 2, "marked; it goes at QUIT": 2, "The server says goodbye": 2} {
		if got := strings.Count(out, text); got != n {
			t.Errorf("%q %d times, want %d", text, got, n)
		}
	}
	for _, wrong := range []string{"geheim", "c4c9334b", "Nobody asked", "S: DELE", "should refuse", "must begin with"} {
		if strings.Contains(out, wrong) {
			t.Errorf("%q in\n%s", wrong, out)
		}
	}
}

// The document that Postfach began with is explained as it stands there.
func TestDocumentAsItStands(t *testing.T) {
	text, err := os.ReadFile("../../../shared/reference/so-funktioniert-pop3.txt")
	if err != nil {
		t.Log(err)
		return
	}
	var out strings.Builder
	if err := Explain(strings.NewReader(string(text)), &out, Look{Width: 200, Lang: explain.German}); err != nil {
		t.Fatal(err)
	}
	for text, n := range map[string]int{
		"Der Server meldet sich. Mit": 3, "enthält den Text der Nachricht nicht": 3, "vorgemerkt; gelöscht wird": 3,
		"die Nachrichten 1, 2 und 3 endgültig gelöscht": 1, "Ende der Liste: 5 Fähigkeiten.": 1, "Der Client nennt den Benutzernamen: „meinusername“.": 2,
		"ablehnen": 0, "meinkennwort": 0, "Niemand hat gefragt": 0, "S: DELE": 0,
	} {
		if got := strings.Count(out.String(), text); got != n {
			t.Errorf("%q %d times, want %d, in\n%s", text, got, n, &out)
		}
	}
}

// In what a terminal showed nothing is taken for a remark that is none: neither
// the text of a message nor commands that were typed ahead.
func TestTerminalIsNoBook(t *testing.T) {
	out := explained(t, "+OK\nUSER u\nPASS p q r s\n+OK\n+OK\nRETR 1\nDELE 1\n+OK\nSubject: x\n\nQUIT said the man\n(or so)\nSTAT\n.\n+OK\nSTAT now\n-ERR\n")
	contains(t, out, "S: QUIT said the man", "S: STAT", "End of message 1: 5 lines", "Message 1 is marked", "C: STAT now")
	if strings.Contains(out, "q r s") {
		t.Error(out)
	}
}

// Logs that leave messages out say so; those that have them do not.
func TestMissingTextIsNamed(t *testing.T) {
	const missing = "the recording has no text of the message"
	for log, want := range map[string]bool{
		"< +OK\n> USER u\n< +OK\n> RETR 1\n< +OK\n{ [24 bytes data]\n\r100    24    0    24    0     0\n* closing\n> QUIT\n< +OK\n": true,
		"< +OK\n> USER u\n< +OK\n> RETR 1\n< +OK\n":                                       true,
		"< +OK\n> USER u\n< +OK\n> RETR 1\n< +OK\nSubject: hello\n\nyou\n> QUIT\n< +OK\n": false,
		"S: +OK\nC: RETR 1\nS: +OK\nS: Subject: hello\nS: .\nC: QUIT\nS: +OK\n":           false,
	} {
		if out := explained(t, log); strings.Contains(out, missing) != want {
			t.Errorf("want %t:\n%s", want, out)
		}
	}
}
