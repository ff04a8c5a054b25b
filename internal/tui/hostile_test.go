package tui

import (
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"errors"
	"fmt"
	"reflect"
	"strings"
	"testing"
	"time"

	tea "charm.land/bubbletea/v2"
	"github.com/charmbracelet/x/ansi"

	"postfach/internal/explain"
	"postfach/internal/explore"
	"postfach/internal/hint"
	"postfach/internal/message"
	"postfach/pop3"
	"postfach/pop3check"
)

// evil has all that a terminal might obey: ESC, C1 both as a character and as
// octets, control characters, marks that turn text around, a line end.
const evil = "e\x1b]0;PWNED\x07\x1b[2J\u009b31m\x9b31m\x00\x08\x7f\r\u202exe.gpj\u2066\u200f\x1bPq\x1b\\\tv\nil"

// fill puts evil into every string that can be reached from v.
func fill(v reflect.Value) {
	switch v.Kind() {
	case reflect.String:
		if v.CanSet() {
			v.SetString(evil)
		}
	case reflect.Struct:
		for i := range v.NumField() {
			fill(v.Field(i))
		}
	case reflect.Slice:
		if v.CanSet() && v.Len() == 0 && v.Type().Elem().Kind() != reflect.Pointer {
			v.Set(reflect.MakeSlice(v.Type(), 2, 2))
		}
		for i := range v.Len() {
			fill(v.Index(i))
		}
	}
}

func filled[T any]() T {
	var x T
	fill(reflect.ValueOf(&x).Elem())
	return x
}

// Whatever comes from a server, a message, a file or an error, in any field: no
// frame has an escape in it but colours, and all lines have the width of the
// window.
func TestNothingHostileReachesTheScreen(t *testing.T) {
	err := hint.Add(errors.New(evil), "%s", evil)
	entry := filled[explore.Entry]()
	entry.Number, entry.Known, entry.Problem = 1, true, ""
	problem := entry
	problem.Problem = evil
	part := filled[message.Part]()
	part.Type = "text/plain" + evil
	msg := filled[message.Message]()
	msg.Root = &part
	d := filled[pop3check.Diagnosis]()
	for i := range d.Findings {
		d.Findings[i].Status = pop3check.Fail
	}
	c := filled[pop3check.Candidate]()
	c.TLS = &pop3check.TLSReport{Problems: []string{evil}}
	d.Candidates, d.Used = []*pop3check.Candidate{&c}, &c
	server := explore.Server{Greeting: evil, Capabilities: pop3.Capabilities{{Tag: evil, Params: []string{evil}}}, TLS: &tls.ConnectionState{
		Version: tls.VersionTLS13,
		PeerCertificates: []*x509.Certificate{{
			Subject: pkix.Name{CommonName: evil}, Issuer: pkix.Name{CommonName: evil}, DNSNames: []string{evil}, NotAfter: time.Now().Add(time.Hour),
		}},
	}}
	r := &reader{entry: entry, msg: &msg, part: &part, text: block(evil + strings.Repeat("界e\u0301", 100)), why: line(evil), cut: true}
	r.build = r.page
	who := &untrusted{problem: &explore.UntrustedError{Pin: evil, Certificate: server.TLS.PeerCertificates[0], Err: err}}
	who.build = who.page
	st := &staged{entries: []explore.Entry{entry, problem}}
	st.build = st.page
	screens := map[string]screen{
		"accounts":  nil,
		"list":      nil,
		"reader":    r,
		"headers":   &reader{entry: entry, msg: &msg, part: &part, whole: true, pager: pager{build: (&reader{msg: &msg, part: &part, whole: true}).page}},
		"parts":     &tree{r: r, parts: []branch{{&part, 0}, {&part, 199}}},
		"source":    &rawView{r: r, lines: []explore.RawLine{{Text: evil, Stuffed: true, End: evil, Cut: 7}}},
		"failed":    &rawView{r: r, err: err},
		"staged":    st,
		"untrusted": who,
		"outcome": newOutcome(explore.Outcome{
			Deleted: []explore.Entry{entry}, Gone: []explore.Entry{entry}, Changed: []explore.Entry{problem}, Unknown: []explore.Entry{entry},
			Refused: map[explore.Key]error{entry.Key: err},
		}, err, []explore.Entry{entry}, "your mail program"),
		"server": newTextPage("server", func(t *theme, w int) []row {
			return append(encryption(t, server.TLS, explore.Account{}, time.Now(), w), capabilities(t, server, explain.English, w)...)
		}),
		"diagnosis": newTextPage("check", func(t *theme, w int) []row { return diagnosis(t, &d, w) }),
		"protocol":  nil,
	}
	for name, s := range screens {
		for _, size := range [][2]int{{40, 12}, {80, 24}, {160, 50}, {200, 60}} {
			t.Run(fmt.Sprintf("%s %dx%d", name, size[0], size[1]), func(t *testing.T) {
				account := explore.Account{Name: evil, User: evil, Host: evil}
				a := newApp(t.Context(), explore.Picker{Accounts: []explore.Account{account}}, Options{SaveTo: t.TempDir()})
				defer a.close()
				stage := &stage{t: t, a: a}
				a.width, a.height = size[0], size[1]
				if name != "accounts" {
					a.account, a.e = account, explore.New(account, explore.Options{})
					a.status = explore.Status{State: explore.Held, Notice: evil, Busy: evil, Messages: 2, Known: 1, Marked: 1}
					a.list = newList()
					a.list.query.Search = evil
					a.list.page = explore.Page{Total: 2, Entries: []explore.Entry{entry, problem}, Unknown: 1}
					a.list.preview.came(previewed{of: "", err: err})
					a.push(a.list)
					line := filled[explain.Line]()
					line.Folded = 0
					warned := line
					warned.Note.Warning, warned.Note.Refused = true, true
					a.protocol = protocol{shows: true, lines: []explain.Line{line, warned}}
				}
				if name == "protocol" {
					a.protocol.next = 2
					a.showWire()
				}
				if s != nil {
					a.push(s)
				}
				stage.check()
				a.fail(err)
				stage.check()
				a.prompt = &prompt{label: sayf("%s", evil), input: newInput(evil), err: err}
				stage.check()
				a.prompt = nil
				a.job = &job{what: line(evil), began: time.Now()}
				stage.check()
				a.job = nil
				if a.list != nil {
					a.list.at = 1 // the one with the problem
				}
				stage.check()
				if title := a.View().WindowTitle; unfit(title) != "" {
					t.Errorf("the title is %q", title)
				}
			})
		}
	}
}

// What is pasted at a prompt is a line without control characters.
func TestPasteIsOneCleanLine(t *testing.T) {
	in := newInput("")
	in.paste("\nab\x1b[31mc\u202ed\r\nsecond")
	if got := in.value(); got != "ab[31mcd" {
		t.Errorf("the input is %q", got)
	}
}

func TestInputEdits(t *testing.T) {
	in := newInput("")
	for _, k := range []tea.KeyPressMsg{
		{Code: 'a', Text: "a"},
		{Code: 'c', Text: "c"},
		{Code: tea.KeyLeft},
		{Code: 'b', Text: "b"},
		{Code: tea.KeyEnd},
		{Code: tea.KeySpace, Text: " "},
		{Code: 'x', Text: "x"},
		{Code: 'w', Mod: tea.ModCtrl},
		{Code: tea.KeyHome},
		{Code: tea.KeyDelete},
	} {
		if !in.key(k) {
			t.Errorf("%v is not for the input", k)
		}
	}
	if got := in.value(); got != "bc " {
		t.Errorf("the input is %q", got)
	}
	if in.key(tea.KeyPressMsg{Code: tea.KeyUp}) {
		t.Error("the input takes keys that are for the screen")
	}
}

// Wide and combining characters fill the cells that they are said to.
func TestWidths(t *testing.T) {
	th := newTheme(true)
	for _, method := range []ansi.Method{ansi.WcWidth, ansi.GraphemeWidth} {
		th.cells = method
		for _, s := range []shown{"plain", "日本語のメール", "e\u0301e\u0301e\u0301", "👩‍👩‍👧‍👦 family", "한국어", "ไทย", ""} {
			for n := range 20 {
				if w := th.width(th.fit(s, n)); w != n {
					t.Errorf("%q in %d cells takes %d", s, n, w)
				}
				if w := ansi.Strip(th.draw(row{{s, accent}, {s, dim}}, n+1, plain)); method.StringWidth(w) != n+1 {
					t.Errorf("%q drawn in %d cells is %q", s, n+1, w)
				}
			}
			for _, l := range th.wrap(s, 5) {
				if w := th.width(l); w > 5 {
					t.Errorf("%q wrapped to 5 cells has a line of %d", s, w)
				}
			}
		}
	}
}

// A message cannot stop the screen by piling up marks, or by one long line.
func TestPilesAreDrawnInTime(t *testing.T) {
	th := newTheme(true)
	for _, s := range []string{
		"e" + strings.Repeat("\u0301", 500_000), strings.Repeat("👩\u200d", 140_000), strings.Repeat("x", 1_000_000), strings.Repeat("界", 300_000), strings.Repeat("x ", 500_000),
	} {
		began := time.Now()
		for _, l := range block(s) {
			for _, part := range th.wrap(l, 80) {
				if w := th.width(part); w > 80 {
					t.Fatalf("a line of %d cells", w)
				}
			}
		}
		if d := time.Since(began); d > 5*time.Second {
			t.Errorf("%.20q… takes %v", s, d)
		}
	}
}

// Light or dark, the words are the same.
func TestColoursMeanNothingAlone(t *testing.T) {
	dark, light := newTheme(true), newTheme(false)
	r := row{{"a", plain}, {"b", warning}, {"c", accent}, {"d", good}, {"e", sign}}
	for over := range looks {
		if d, l := ansi.Strip(dark.draw(r, 9, over)), ansi.Strip(light.draw(r, 9, over)); d != l {
			t.Errorf("%q and %q", d, l)
		}
	}
}

func TestNumbers(t *testing.T) {
	for n, want := range map[int64]shown{0: "0", 999: "999", 25_750: "25,750", 100_000: "100k", 1_234_567: "1.2M", 999_999_999_999: "1000G"} {
		if got := octets(n); got != want && !(n == 999_999_999_999 && got == "1000G") {
			t.Errorf("octets(%d) = %q, want %q", n, got, want)
		}
	}
}
