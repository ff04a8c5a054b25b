package web

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	cdpbrowser "github.com/chromedp/cdproto/browser"
	"github.com/chromedp/chromedp"

	"postfach/internal/explore"
	"postfach/pop3test"
)

// What a person does, in Chromium.

func TestAPersonDeletesJustTheMessageThatBlocks(t *testing.T) {
	t.Parallel()
	srv := server(t, letter("Ada", "one"), letter("Bob", "two"), letter("Carl", "three"))
	for _, on := range []string{"RETR", "TOP"} {
		fault, err := pop3test.Rule{On: on, Match: "(?i)^" + on + " 2", DropAfter: new(10)}.Fault()
		if err != nil {
			t.Fatal(err)
		}
		srv.Use(fault)
	}
	b := newTab(t, explore.Picker{Accounts: []explore.Account{asking(srv)}})
	b.press("Open")
	b.do(chromedp.SendKeys(chromedp.ID("password"), pop3test.Password))
	b.press("Open the mailbox")
	b.until(`document.body.innerText.includes("cannot be read")`)
	b.message(1)
	b.sees("could not be loaded")
	b.press("Mark for deletion")
	b.press("Marked")
	b.sees("Exactly this message", "Delete 1 message for good")
	b.press("Delete 1 message for good")
	b.sees("1 message deleted", "DELE 2", "QUIT")
	if got := subjects(t, srv); !slices.Equal(got, []string{"one", "three"}) {
		t.Errorf("the store has %q", got)
	}
}

func TestMarkingAndUndoingNeedNoNewPage(t *testing.T) {
	t.Parallel()
	srv := server(t, letter("Ada", "one"), letter("Bob", "two"))
	b := newTabAt(t, srv)
	script[bool](b, `window.same = true`)
	b.do(chromedp.Click(chromedp.CSS(`#rows tr:nth-child(2) input[type=checkbox]`)))
	b.do(chromedp.Click(chromedp.CSS(`#rows tr:nth-child(1) td.do button`)))
	b.until(`document.querySelector("#rows tr.marked .badge") !== null`)
	b.sees("1 message marked")
	if !script[bool](b, `window.same === true && document.querySelector("#rows tr:nth-child(2) input").checked && document.getElementById("nav-marked").textContent === "1"`) {
		t.Error("the page was loaded anew, or lost the tick")
	}
	b.do(chromedp.Click(chromedp.CSS(`#undo button`)))
	b.until(`document.querySelector("#rows tr.marked") === null`)
	if !script[bool](b, `window.same === true`) {
		t.Error("the page was loaded anew")
	}
	if n := len(subjects(t, srv)); n != 2 {
		t.Errorf("%d messages are left", n)
	}
}

func TestTheListLives(t *testing.T) {
	t.Parallel()
	srv := server(t, letter("Ada", "one"), letter("Bob", "two"))
	b := newTabAt(t, srv)
	b.until(`document.querySelectorAll("#rows td.subject a.unknown").length === 0`)
	b.do(chromedp.Focus(chromedp.CSS(`#rows tr:nth-child(2) td.subject a`)))
	e := b.face.account("1").e
	if err := e.Mark(e.Page(explore.Query{}).Entries[1].Key); err != nil {
		t.Fatal(err)
	}
	b.until(`document.querySelector("#rows tr:nth-child(2).marked") !== null`)
	if _, err := srv.Put(pop3test.User, letter("Carl", "three")); err != nil {
		t.Fatal(err)
	}
	if err := e.Release(t.Context()); err != nil {
		t.Fatal(err)
	}
	b.until(`document.getElementById("state").textContent.includes("was let go")`)
	if err := e.Connect(t.Context(), ""); err != nil {
		t.Fatal(err)
	}
	b.until(`document.querySelectorAll("#rows tr").length === 3 && document.getElementById("rows").textContent.includes("three")`)
	if !script[bool](b, `document.activeElement.textContent === "two" && document.querySelector("#rows tr:nth-child(2).marked") !== null`) {
		t.Error("focus or mark were lost")
	}
}

func TestTheProtocolLives(t *testing.T) {
	t.Parallel()
	b := newTabAt(t, server(t, letter("Ada", "one")))
	b.open("protocol")
	before := script[int](b, `document.querySelectorAll("#lines li").length`)
	if err := b.face.account("1").e.Release(t.Context()); err != nil {
		t.Fatal(err)
	}
	b.until(fmt.Sprintf(`document.querySelectorAll("#lines li").length > %d && [...document.querySelectorAll("#lines code")].some(c => c.textContent === "QUIT")`, before))
	if !script[bool](b, `document.querySelectorAll("#lines li").length === Number(document.getElementById("lines").dataset.next)`) {
		t.Error("lines came twice, or are missing")
	}
}

func TestTheCountdownRuns(t *testing.T) {
	t.Parallel()
	b := newTabAt(t, server(t))
	b.until(`/\(in [0-9]:[0-9][0-9]\)/.test(document.getElementById("release").textContent)`)
}

func TestKeys(t *testing.T) {
	t.Parallel()
	srv := server(t, letter("Ada", "one"), letter("Bob", "two"), letter("Carl", "three"))
	b := newTabAt(t, srv)
	b.until(`document.querySelectorAll("#rows td.subject a.unknown").length === 0`)
	at := func(want string) {
		t.Helper()
		if got := script[string](b, `document.activeElement.textContent`); got != want {
			t.Errorf("the focus is at %q, not %q", got, want)
		}
	}
	b.do(chromedp.KeyEvent("jjjj"))
	at("three")
	b.do(chromedp.KeyEvent("k"))
	at("two")
	b.do(chromedp.KeyEvent("x"))
	b.until(`document.querySelector("#rows tr:nth-child(2).marked") !== null`)
	at("two")
	b.do(chromedp.KeyEvent("x"))
	b.until(`document.querySelector("#rows tr.marked") === null`)
	b.do(chromedp.KeyEvent("?"))
	b.until(`document.getElementById("keys").open`)
	b.do(chromedp.KeyEvent("j"), chromedp.KeyEvent("\u001b"))
	b.until(`!document.getElementById("keys").open`)
	at("two")
	b.follow(chromedp.KeyEvent("\r"))
	b.until(`document.querySelector("h1").textContent === "two"`)
	b.follow(chromedp.KeyEvent("j"))
	b.until(`document.querySelector("h1").textContent === "three"`)
	b.follow(chromedp.KeyEvent("k"))
	b.until(`document.querySelector("h1").textContent === "two"`)
	b.follow(chromedp.KeyEvent("x"))
	b.until(`document.querySelector("main .badge") !== null && document.querySelector("h1").textContent === "two"`)
	b.follow(chromedp.KeyEvent("u"))
	b.until(`document.activeElement.textContent === "two"`)
	b.do(chromedp.KeyEvent("/"))
	b.follow(chromedp.KeyEvent("jx?\r")) // text, here
	if got := script[string](b, `location.search`); !strings.Contains(got, "jx%3F") {
		t.Errorf("searched at %s", got)
	}
}

// The order of Tab begins with the skip link, and shows where it is.
func TestTabOrder(t *testing.T) {
	t.Parallel()
	b := newTabAt(t, server(t, letter("Ada", "one")))
	b.do(chromedp.KeyEvent("\t"))
	if got := script[string](b, `document.activeElement.className`); got != "skip" {
		t.Errorf("first is %q", got)
	}
	seen := make(map[string]bool)
	for range 40 {
		b.do(chromedp.KeyEvent("\t"))
		at := script[string](b, `(e => e === document.body ? "" : (e.name || e.id || e.textContent.trim()) + "|" + (getComputedStyle(e).outlineStyle !== "none"))(document.activeElement)`)
		if at == "" {
			break
		}
		what, outlined, _ := strings.Cut(at, "|")
		if seen[what] = true; outlined != "true" {
			t.Errorf("the focus at %q cannot be seen", what)
		}
	}
	for _, want := range []string{"q", "key", "mark", "Let go", "Protocol"} {
		if !seen[want] {
			t.Errorf("Tab does not reach %q: %v", want, seen)
		}
	}
}

func TestEverythingWorksWithoutScript(t *testing.T) {
	t.Parallel()
	srv := server(t, letter("Ada", "one"), letter("Bob", "two"), mixed)
	b := newTabAt(t, srv, scriptless())
	if hidden := script[bool](b, `"clock" in (document.querySelector("time[data-until]")?.dataset ?? {})`); hidden {
		t.Fatal("script runs")
	}
	b.sees("This mailbox is held", "one", "two")
	b.follow(chromedp.Click(chromedp.CSS(`#rows tr:nth-child(2) td.do button`)))
	b.sees("1 message marked", "marked for deletion")
	b.follow(chromedp.Click(chromedp.CSS(`#undo button`)))
	b.sees("1 message unmarked")
	b.follow(chromedp.Click(chromedp.CSS(`#rows tr:nth-child(3) td.subject a`)))
	b.sees("Grüße", "Schöne Grüße", "Attachments")
	b.press("As HTML")
	b.press("Raw message")
	b.sees("CRLF")
	b.open("protocol")
	b.sees("UIDL")
	b.press("Load again")
	b.open("")
	b.do(chromedp.Click(chromedp.CSS(`#rows tr:nth-child(1) input`)))
	b.press("Mark for deletion")
	b.press("Marked")
	b.press("Delete 1 message for good")
	b.sees("1 message deleted")
	if got := subjects(t, srv); len(got) != 2 || got[0] != "two" {
		t.Errorf("the store has %q", got)
	}
	b.press("Come back")
	b.sees("This mailbox is held")
	b.press("Let go")
	b.sees("was let go")
}

func TestAnAttachmentIsDownloaded(t *testing.T) {
	t.Parallel()
	b := newTabAt(t, server(t, mixed))
	folder := t.TempDir()
	progress := chromedp.BrowserEvents(b.ctx, cdpbrowser.DownloadProgress)
	_, err := chromedp.CallBrowser(b.ctx, cdpbrowser.SetDownloadBehavior, cdpbrowser.SetDownloadBehaviorParams{
		Behavior: cdpbrowser.SetDownloadBehaviorBehaviorAllow, DownloadPath: folder, EventsEnabled: new(true),
		BrowserContextID: chromedp.FromContext(b.ctx).BrowserContextID,
	})
	if err != nil {
		t.Fatal(err)
	}
	b.message(0)
	b.do(chromedp.Click(chromedp.CSS(`.attachments a[download]`)))
	for ev, err := range progress {
		if err != nil {
			t.Fatal(err)
		}
		if ev.State == cdpbrowser.DownloadProgressStateCanceled {
			t.Fatal("the download was cancelled")
		}
		if ev.State == cdpbrowser.DownloadProgressStateCompleted {
			break
		}
	}
	files, err := filepath.Glob(folder + "/*")
	if err != nil || len(files) != 1 {
		t.Fatalf("%q %v", files, err)
	}
	octets, err := os.ReadFile(files[0])
	if err != nil || strings.TrimSpace(string(octets)) != "<script>alert(1)</script>" || !strings.Contains(filepath.Base(files[0]), "résumé") {
		t.Errorf("%q holds %q, %v", files[0], octets, err)
	}
	if n := script[int](b, `document.querySelectorAll(".attachments a").length`); n == 0 {
		t.Error("the page went away")
	}
}
