package web

import (
	"net/http"
	"slices"
	"strings"
	"testing"

	"postfach/internal/explore"
)

func TestNoticesAreSeparateAndComeOnce(t *testing.T) {
	if got := notices("one; two; one"); !slices.Equal(got, []string{"one", "two"}) {
		t.Errorf("got %q", got)
	}
	if got := notices(""); got != nil {
		t.Errorf("nothing became %q", got)
	}
}

func TestMarkingDuringADeletionIsAConflict(t *testing.T) {
	f := failureOf(explore.ErrCommitting, "en")
	if f.Status != http.StatusConflict || !strings.Contains(f.Title, "being deleted") {
		t.Errorf("got %+v", f)
	}
}

func TestALocalMailboxHasAnOwner(t *testing.T) {
	t.Parallel()
	a := accountOf(server(t, letter("Ada", "one")))
	a.Local = true
	b := visitor(t, explore.Picker{Start: &a})
	b.wants(200, "its owner’s mail program can’t get in")
	b.lacks("your mail program")
	b.post("/a/1/release")
	b.wants(200, "its owner’s mail program can get in")
}

// All of a row names one message, with or without a session.
func TestAllLabelsOfARowNameOneMessage(t *testing.T) {
	t.Parallel()
	b := opened(t, server(t, letter("Ada", "one"), letter("Bob", "two")))
	settled(b, "/a/1/")
	name := "message 2 “two”"
	b.wants(200, "Mark<span class=\"vh\"> "+name, "Preview<span class=\"vh\"> "+name, "Save<span class=\"vh\"> "+name)
	b.post("/a/1/release")
	_, row, _ := strings.Cut(b.html, `id="m-`+b.keys()[1])
	if n := strings.Count(row, "message “two”") + strings.Count(row, name); n != 3 || strings.Count(row, name)%3 != 0 {
		t.Errorf("%d labels name it:\n%s", n, row)
	}
}

func TestSavingProposesWhatIsMarked(t *testing.T) {
	t.Parallel()
	b := opened(t, server(t, letter("Ada", "one"), letter("Bob", "two")))
	keys := b.keys()
	b.get("/a/1/export")
	b.wants(200, `value="found" checked`)
	b.get("/a/1/")
	b.post("/a/1/mark", "mark", keys[0])
	b.get("/a/1/export")
	b.wants(200, `value="marked" checked`)
	b.lacks(`value="found" checked`)
	b.post("/a/1/export", "key", keys[1])
	b.wants(200, `value="selection" checked`)
	b.lacks(`value="marked" checked`)
}
