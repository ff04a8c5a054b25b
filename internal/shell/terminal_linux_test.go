package shell

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"postfach/internal/awkward"
	"postfach/internal/transcript"
)

// The document's first session, typed at a terminal.
func TestDocumentSessionAtTerminal(t *testing.T) {
	for _, width := range []int{80, 132} {
		s, err := transcript.ParseFile("../../testdata/transcripts/netzprisma-plain.txt")
		if err != nil {
			t.Fatal(err)
		}
		srv := serve(t, s.Settings, awkward.Maildrop(s.Settings.Maildrop))
		p := openPTY(t, width, 24)
		end, _ := p.person(srv.addr, func(o *Options) { o.DialContext = stamped(t, s) })
		for line := range strings.Lines(documentScript(s)) {
			p.wait("pop3> ")
			p.send(strings.TrimSpace(line) + "\r")
		}
		p.wait("[y/N] ")
		p.send("y\r")
		if err := end(); err != nil {
			t.Error(err)
		}
		if strings.Contains(p.everything(), "meinkennwort") {
			t.Error("the password is shown")
		}
		if n := srv.left(t); n != 0 {
			t.Errorf("%d messages left", n)
		}
		name := "netzprisma-plain.terminal"
		if width < 100 {
			name += ".narrow"
		}
		golden(t, name, normal(p.text()))
	}
}

// No way to type a password shows it, logs it or remembers it.
func TestPasswordIsHiddenAtTerminal(t *testing.T) {
	for name, keys := range map[string][]string{
		"asked for":      {"pop3> ", "PASS\r", "(not shown): ", secretPassword + "\r"},
		"in the line":    {"pop3> ", "PASS " + secretPassword + "\r"},
		"in lower case":  {"pop3> ", "pass " + secretPassword + "\r"},
		"pasted":         {"pop3> ", "USER u\rPASS " + secretPassword + "\rNOOP\r"},
		"APOP":           {"pop3> ", "APOP u\r", "(not shown): ", "apop secret\r"},
		"no-break space": {"pop3> ", "PASS\u00a0" + secretPassword + "\r"},
		"space before":   {"pop3> ", " PASS " + secretPassword + "\r"},
		"APOP, line":     {"pop3> ", "APOP u apop secret\r"},
		"AUTH PLAIN":     {"pop3> ", "AUTH PLAIN\r", "user name (Enter: u): ", "\r", "(not shown): ", secretPassword + "\r"},
		"AUTH, made":     {"pop3> ", "AUTH PLAIN ", "makes it): ", "\r", "user name (Enter: u): ", "\r", "(not shown): ", secretPassword + "\r"},
		"AUTH, line":     {"pop3> ", "AUTH PLAIN AHUAZ2VoZWltIHVuZCBsYW5n\r"},
	} {
		t.Run(name, func(t *testing.T) {
			srv := serve(t, simple(), awkward.Maildrop("five"))
			history := filepath.Join(t.TempDir(), "state", "shell_history")
			p := openPTY(t, 80, 24)
			end, log := p.person(srv.addr, func(o *Options) { o.History = history })
			p.wait("pop3> ")
			p.send("USER u\r")
			for i := 0; i < len(keys); i += 2 {
				p.wait(keys[i])
				p.send(keys[i+1])
			}
			p.wait("pop3> ")
			p.send("STAT\r")
			p.wait("pop3> ")
			p.send("\x1b[A\x1b[A\x1b[A\x15/quit\r") // the history has no secret
			if err := end(); err != nil {
				t.Error(err)
			}
			if !strings.Contains(log.String(), "S: +OK 5 515") {
				t.Errorf("not logged in:\n%s", log)
			}
			kept, err := os.ReadFile(history)
			if err != nil {
				t.Fatal(err)
			}
			for _, secret := range []string{secretPassword, "geheim", "apop secret", "AHUAZ2V"} {
				for where, text := range map[string]string{"terminal": p.everything(), "log": log.String(), "history": string(kept)} {
					if strings.Contains(text, secret) {
						t.Errorf("the %s has %q:\n%q", where, secret, text)
					}
				}
			}
			if !strings.HasPrefix(string(kept), "USER u\n") || !strings.HasSuffix(string(kept), "STAT\n/quit\n") {
				t.Errorf("history %q", kept)
			}
			if info, err := os.Stat(history); err != nil || info.Mode().Perm() != 0o600 {
				t.Errorf("%v, %v", info.Mode(), err)
			}
		})
	}
}

// Where a password or an answer is asked for there is no history: an arrow key
// would send an earlier line as the password.
func TestPromptsHaveNoHistory(t *testing.T) {
	srv := serve(t, simple(), awkward.Maildrop("five"))
	p := openPTY(t, 80, 24)
	end, log := p.person(srv.addr, nil)
	p.wait("pop3> ")
	p.send("USER u\r")
	p.wait("pop3> ")
	p.send("PASS\r")
	p.wait("(not shown): ")
	p.send("\x1b[A\x1b[A" + secretPassword + "\r")
	p.wait("pop3> ")
	p.send("/quit\r")
	if err := end(); err != nil {
		t.Error(err)
	}
	if !strings.Contains(log.String(), "S: +OK maildrop") {
		t.Error(log)
	}
}

// What the line editor could not take as it was typed is not sent changed: an
// umlaut in another charset, a token longer than a line of the editor.
func TestTypedLineIsNotChanged(t *testing.T) {
	srv := serve(t, simple(), awkward.Maildrop("five"))
	p := openPTY(t, 80, 24)
	end, log := p.person(srv.addr, func(o *Options) { o.AllowCleartext = true }) // a token
	p.wait("pop3> ")
	p.send("USER j\xfcrgen\r")
	p.wait("no text in UTF-8\npop3> ")
	p.send("AUTH XOAUTH2\r")
	p.wait("user name: ")
	p.send("u\r")
	p.wait("(not shown): ")
	for range 5 { // a terminal takes no more than 4096 octets at once
		p.send(strings.Repeat("x", 1000))
	}
	p.send("\r")
	p.wait("the line is too long\npop3> ")
	p.send("/quit\r")
	if err := end(); err != nil {
		t.Error(err)
	}
	if strings.Contains(log.String(), "C: ") {
		t.Error(log)
	}
}

// On a terminal that knows no escape sequences none are sent.
func TestDumbTerminal(t *testing.T) {
	srv := serve(t, simple(), awkward.Maildrop("five"))
	p := openPTY(t, 80, 24)
	end, _ := p.person(srv.addr, func(o *Options) { o.Look.Dumb = true })
	p.wait("pop3> ")
	p.send("USER u\r")
	p.wait("pop3> ")
	p.send("PASS " + secretPassword + "\r")
	p.wait("pop3> ")
	p.send("/quit\r")
	if err := end(); err != nil {
		t.Error(err)
	}
	if all := p.everything(); strings.Contains(all, "\x1b") || strings.Contains(all, secretPassword) {
		t.Errorf("%q", all)
	}
}

// At a terminal QUIT after DELE asks, and nothing but yes is yes.
func TestQuitAsks(t *testing.T) {
	srv := serve(t, simple(), awkward.Maildrop("five"))
	p := openPTY(t, 100, 24)
	end, _ := p.person(srv.addr, func(o *Options) { o.Look.Lang = "de" })
	for _, line := range []string{"USER u", "PASS", "", "LIST", "DELE 2", "DELE 4"} {
		if line == "" {
			p.wait("angezeigt): ")
			p.send(secretPassword + "\r")
			continue
		}
		p.wait("pop3> ")
		p.send(line + "\r")
	}
	for _, answer := range []string{"\r", "n\r", "\x03", "\x04"} {
		p.wait("pop3> ")
		p.send("quit\r")
		p.wait("[j/N] ")
		if !strings.Contains(p.text(), "QUIT löscht 2 Nachrichten endgültig: 2 (102 Byte), 4 (104 Byte)") {
			t.Errorf("no list of messages:\n%s", p.text())
		}
		p.send(answer)
	}
	p.wait("pop3> ")
	p.send("\x04")
	if err := end(); err != nil {
		t.Error(err)
	}
	if n := srv.left(t); n != 5 {
		t.Errorf("%d messages left, want all", n)
	}
}

func TestCompletion(t *testing.T) {
	srv := serve(t, simple(), awkward.Maildrop("empty"))
	p := openPTY(t, 80, 24)
	end, _ := p.person(srv.addr, nil)
	p.wait("pop3> ")
	p.send("ca\t\r")
	p.wait("pop3> ")
	p.send("AUTH \t")
	p.wait("pop3> AUTH PLAIN") // the only one that CAPA announced
	p.send("\x15u\t")
	p.wait("pop3> u")
	p.send("\t")
	p.wait("UIDL  USER  UTF8\npop3> u")
	p.send("\x15/la\tde\r")
	p.wait("pop3> ")
	p.send("/quit\r")
	if err := end(); err != nil {
		t.Error(err)
	}
	for _, want := range []string{"C: CAPA", "von hier an deutsch"} {
		if !strings.Contains(p.text(), want) {
			t.Errorf("no %q in\n%s", want, p.text())
		}
	}
}

// Ctrl-C empties a line; while a server is silent it hangs up.
func TestCtrlC(t *testing.T) {
	addr := fake(t, "S: +OK hello\nC: NOOP\n(hangup)\n", transcript.Options{})
	p := openPTY(t, 80, 24)
	end, _ := p.person(addr, nil)
	p.wait("pop3> ")
	p.send("QUIT\x03")
	p.wait("pop3>\npop3> ")
	p.send("NOOP\r")
	p.wait("after the login.")
	p.send("\x03")
	if err := end(); err == nil || !strings.Contains(err.Error(), "interrupted") {
		t.Error(err)
	}
}

// What a server says on its own is shown while somebody types.
func TestServerSpeaksWhileTyping(t *testing.T) {
	addr := fake(t, "S: +OK hello\nC: NOOP\nS: +OK\nS: -ERR idle too long\n(close)\n", transcript.Options{})
	p := openPTY(t, 100, 24)
	end, _ := p.person(addr, nil)
	p.wait("pop3> ")
	p.send("NOOP\rSTA")
	if err := end(); !errors.Is(err, ErrLost) {
		t.Error(err)
	}
	contains(t, p.text(), "S: -ERR idle too long", "hung up")
}

// A terminal without a screen would echo the password by itself.
func TestTypingNeedsScreen(t *testing.T) {
	p := openPTY(t, 80, 24)
	var out strings.Builder
	err := Run(t.Context(), Options{Target: target(t, "127.0.0.1:1"), In: p.slave, Out: &out})
	if !errors.Is(err, ErrScript) {
		t.Error(err)
	}
}

// Home and End are known as all terminals send them.
func TestHomeAndEnd(t *testing.T) {
	srv := serve(t, simple(), awkward.Maildrop("five"))
	for _, keys := range [][2]string{{"\x1b[H", "\x1b[F"}, {"\x1b[1~", "\x1b[4~"}, {"\x1b[7~", "\x1b[8~"}, {"\x1bOH", "\x1bOF"}} {
		p := openPTY(t, 80, 24)
		end, log := p.person(srv.addr, nil)
		p.wait("pop3> ")
		p.send("AP" + keys[0] + "C" + keys[1] + "A\r")
		p.wait("pop3> ")
		p.send("\x1b[1\x04") // a sequence that breaks off swallows no Ctrl-D
		p.send("~/quit\r")
		if err := end(); err != nil {
			t.Error(err)
		}
		if !strings.Contains(log.String(), "C: CAPA\n") {
			t.Errorf("%q: %s", keys, log)
		}
	}
}
