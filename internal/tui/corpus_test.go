package tui

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"postfach/internal/explore"
	"postfach/internal/message"
	"postfach/maildrop/memory"
)

// corpus returns the awkward messages, or none where they are not there.
func corpus(t *testing.T) []string {
	all, _ := filepath.Glob("../../../shared/corpus/*.eml")
	if len(all) == 0 {
		t.Log("the corpus is not here")
	}
	return all
}

// Every awkward message opens: as text, or as its source. No frame of it has an
// escape (stage.check).
func TestCorpusOpens(t *testing.T) {
	all := corpus(t)
	if len(all) == 0 {
		return
	}
	store := memory.New()
	store.Create("someone")
	for _, path := range all {
		f, err := os.Open(path)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := store.Deliver(t.Context(), "someone", f); err != nil {
			t.Fatal(err)
		}
		f.Close()
	}
	a := explore.Local(store, "someone", "memory", false)
	s := newStage(t, explore.Picker{Start: &a}, 100, 30)
	s.until("HELD")
	s.when("all headers are read", func() bool { return s.a.status.Known == len(all) })
	asSource := 0
	for i, path := range all {
		s.a.list.at, s.a.list.on = i, ""
		s.a.refresh()
		s.keys("enter")
		s.when(filepath.Base(path)+" opens", func() bool { return s.a.job == nil && s.a.top() != screen(s.a.list) })
		switch top := s.a.top().(type) {
		case *reader:
			if top.why != "" && len(top.msg.Attachments()) == 0 {
				t.Errorf("%s: %s", filepath.Base(path), top.why)
			}
			s.keys("h", "end", "t", "end")
			s.keys("esc", "S")
		case *rawView:
			asSource++
		}
		s.when(filepath.Base(path)+" has a source", func() bool {
			raw, ok := s.a.top().(*rawView)
			return ok && (len(raw.lines) > 0 || raw.err != nil || raw.r.stored.Size() == 0)
		})
		if raw := s.a.top().(*rawView); raw.err != nil {
			t.Errorf("%s: %v", filepath.Base(path), raw.err)
		}
		s.a.popTo(s.a.list)
		if s.a.said != nil && s.a.said.err != nil {
			t.Errorf("%s: %v", filepath.Base(path), s.a.said.err)
		}
	}
	t.Logf("%d of %d were shown as their source", asSource, len(all))
}

// oneOfEachCharset returns a message of the corpus for each character set that is
// named in it.
func oneOfEachCharset(t *testing.T) map[string]string {
	one := map[string]string{}
	for _, path := range corpus(t) {
		b, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range charsetParameter.FindAllStringSubmatch(string(b), -1) {
			if name := strings.ToLower(m[1]); one[name] == "" && !strings.ContainsRune(string(b), '\uFFFD') {
				one[name] = path
			}
		}
	}
	return one
}

// One message of each character set is read, and no character is lost.
func TestCharsetsOfTheCorpus(t *testing.T) {
	one := oneOfEachCharset(t)
	for name, path := range one {
		f, err := os.Open(path)
		if err != nil {
			t.Fatal(err)
		}
		info, _ := f.Stat()
		m := message.Open(f, info.Size())
		r := &reader{msg: m}
		r.build = r.page
		r.turnTo(m.Body(true))
		rows := r.all(newTheme(true), 80)
		if len(rows) == 0 {
			t.Errorf("%s (%s): nothing is shown", name, filepath.Base(path))
		}
		for _, l := range r.text {
			if strings.ContainsRune(string(l), '\uFFFD') {
				t.Errorf("%s (%s): characters are lost: %s", name, filepath.Base(path), l)
			}
		}
		f.Close()
	}
	if len(one) > 0 {
		t.Logf("%d character sets", len(one))
	}
}

var charsetParameter = regexp.MustCompile(`(?i)charset="?([a-z0-9_:.-]+)`)
