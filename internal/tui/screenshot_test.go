package tui

import (
	"encoding/xml"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/charmbracelet/x/ansi"

	"postfach/pop3test"
)

const screenshot = "../../docs/screenshots/explore-terminal.svg"

// What the picture in the documentation shows: the message that a mail program
// chokes on is found and marked, and the protocol is seen.
func exampleMail() []string {
	mail := func(from, date, subject, text string) string {
		return "From: " + from + "\r\nTo: Grace <grace@example.org>\r\nDate: " + date + "\r\nSubject: " + subject +
			"\r\nMIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n" + text + "\r\n"
	}
	return []string{
		mail("Ada Lovelace <ada@example.org>", "Mon, 2 Mar 2026 08:15:00 +0000", "Notes on the engine", "Dear Grace,\r\n\r\nthe notes are ready.\r\n\r\nAda"),
		mail("=?utf-8?q?J=C3=BCrgen_M=C3=BCller?= <jm@example.net>", "Mon, 2 Mar 2026 19:40:12 +0100", "=?utf-8?b?R3LDvMOfZSBhdXMgS8O2bG4=?=", "Viele Grüße!"),
		mail("田中 <tanaka@example.jp>", "Tue, 3 Mar 2026 09:00:00 +0900", "=?iso-2022-jp?b?GyRCMnE1RCROJCpDTiRpJDsbKEI=?=", "明日の会議は十時からです。"),
		mail("Newsletter <news@example.com>", "Tue, 3 Mar 2026 10:20:30 +0000", "50 great offers", strings.Repeat("Buy now! ", 4000)),
		mail("Charles <cb@example.org>", "Wed, 4 Mar 2026 12:00:00 +0000", "Re: Notes on the engine", "Thank you."),
		mail("Scanner <scanner@example.org>", "Wed, 4 Mar 2026 16:45:10 +0000", "Scan of 212 pages", strings.Repeat("A line of a large scan.\r\n", 30_000)),
		mail("Ada Lovelace <ada@example.org>", "Thu, 5 Mar 2026 07:59:59 +0000", "One more thing", "Dear Grace,\r\n\r\nplease look at note G once more before it is printed:\r\nthe numbers of Bernoulli are easily got wrong.\r\n\r\nAda"),
	}
}

// The picture of the terminal face is made from a real screen. POSTFACH_UPDATE=1
// writes it.
func TestScreenshot(t *testing.T) {
	srv := pop3test.NewServer(t)
	put(t, srv, exampleMail()...)
	const w, h = 110, 38
	x := startTerminal(t, srv, w, h)
	x.press("Enter")
	x.until("HELD", "One more thing", "Scan of 212 pages")
	x.press("Home", "Down", "Down", "Down", "Down", "Down", "d", "p")
	x.until("1 marked D", "easily got wrong", "TOP 7 40", "That was the beginning of message 7")
	svg := picture(x.do("capture-pane", "-e", "-p", "-N", "-t", "s"), w, h)
	if err := xml.Unmarshal([]byte(svg), new(struct{})); err != nil {
		t.Fatalf("the picture is no XML: %v", err)
	}
	for _, want := range []string{"HELD", "Scan of 212 pages", "Jürgen Müller", "1 marked D"} {
		if !strings.Contains(svg, want) {
			t.Errorf("the picture does not show %q", want)
		}
	}
	if os.Getenv("POSTFACH_UPDATE") == "" {
		return
	}
	if err := os.MkdirAll(filepath.Dir(screenshot), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(screenshot, []byte(svg), 0o644); err != nil {
		t.Fatal(err)
	}
}

// Size of a cell in the picture.
const (
	cellWidth  = 8.4
	cellHeight = 18
	margin     = 12
)

// picture draws a screen that tmux captured as SVG, with the times of one run made
// those of every run.
func picture(capture string, w, h int) string {
	capture = regexp.MustCompile(`(?m)^((?:\x1b\[[0-9;]*m)*)\d\d:\d\d:\d\d`).ReplaceAllString(capture, "${1}10:20:30")
	capture = regexp.MustCompile(`for \d:\d\d more`).ReplaceAllString(capture, "for 1:59 more")
	var b strings.Builder
	width, height := float64(w)*cellWidth+2*margin, h*cellHeight+2*margin
	fmt.Fprintf(&b, `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %.0f %d" font-family="ui-monospace, 'DejaVu Sans Mono', Menlo, Consolas, monospace" font-size="14">`+"\n", width, height)
	fmt.Fprintf(&b, "<title>The terminal face of postfach explore</title>\n<rect width=\"100%%\" height=\"100%%\" rx=\"8\" fill=\"#1c1f26\"/>\n")
	p := pen{}
	for y, l := range strings.Split(capture, "\n") {
		p.line(&b, l, y)
	}
	b.WriteString("</svg>\n")
	return b.String()
}

// A pen is how tmux says that the next characters look.
type pen struct {
	bold, dim, underline, reverse bool
	fg                            int // 0 to 15, -1 the usual one; kept +1
}

// line draws one line: a rectangle and a text for each run that looks alike. Each
// text says how wide it is, so that fonts do not matter.
func (p *pen) line(b *strings.Builder, l string, y int) {
	x := 0
	for l != "" {
		if codes := colour.FindString(l); strings.HasPrefix(l, "\x1b") && codes != "" {
			p.set(strings.Trim(codes, "\x1b[m"))
			l = l[len(codes):]
			continue
		}
		run := l
		if i := strings.IndexByte(l, '\x1b'); i >= 0 {
			run = l[:i]
		}
		l = l[len(run):]
		p.run(b, run, x, y)
		x += ansi.StringWidth(run)
	}
}

func (p *pen) run(b *strings.Builder, s string, x, y int) {
	palette := []string{
		"#1c1f26", "#e06c75", "#98c379", "#d19a66", "#61afef", "#c678dd", "#56b6c2", "#d7dae0",
		"#7f848e", "#ff7b86", "#b5e890", "#ffd479", "#7cc4ff", "#e29bff", "#7fe3f0", "#ffffff",
	}
	cells := ansi.StringWidth(s)
	left, top := margin+float64(x)*cellWidth, margin+y*cellHeight
	fg, bg := "#d7dae0", ""
	if p.fg > 0 {
		fg = palette[p.fg-1]
	}
	if p.reverse {
		fg, bg = "#1c1f26", fg
	}
	if bg != "" {
		fmt.Fprintf(b, `<rect x="%.1f" y="%d" width="%.1f" height="%d" fill="%s"/>`+"\n", left, top, float64(cells)*cellWidth, cellHeight, bg)
	}
	extra := ""
	if p.bold {
		extra += ` font-weight="bold"`
	}
	if p.dim {
		extra += ` opacity="0.75"`
	}
	if p.underline {
		extra += ` text-decoration="underline"`
	}
	// Spaces in a row are one in SVG, so what stands between them is placed alone.
	for _, at := range regexp.MustCompile(`\S+( \S+)*`).FindAllStringIndex(s, -1) {
		words := s[at[0]:at[1]]
		var escaped strings.Builder
		xml.EscapeText(&escaped, []byte(words))
		fmt.Fprintf(b, `<text x="%.1f" y="%d" textLength="%.1f" fill="%s"%s>%s</text>`+"\n",
			left+float64(ansi.StringWidth(s[:at[0]]))*cellWidth, top+cellHeight-4, float64(ansi.StringWidth(words))*cellWidth, fg, extra, escaped.String())
	}
}

func (p *pen) set(codes string) {
	for _, code := range strings.Split(codes, ";") {
		n, _ := strconv.Atoi(code)
		switch {
		case n == 0:
			*p = pen{}
		case n == 1:
			p.bold = true
		case n == 2:
			p.dim = true
		case n == 4:
			p.underline = true
		case n == 7:
			p.reverse = true
		case n == 22:
			p.bold, p.dim = false, false
		case n == 24:
			p.underline = false
		case n == 27:
			p.reverse = false
		case n >= 30 && n <= 37:
			p.fg = n - 30 + 1
		case n >= 90 && n <= 97:
			p.fg = n - 90 + 8 + 1
		case n == 39:
			p.fg = 0
		}
	}
}
