package web

import (
	"fmt"
	"testing"

	"github.com/chromedp/chromedp"
)

// What people came for is on the first screen: rows are one or two lines high,
// and a telephone shows messages without scrolling.
func TestTheFirstScreenShowsMessages(t *testing.T) {
	t.Parallel()
	var all []string
	for n := range 20 {
		all = append(all, letter("Somebody.with.a.very.long.name.and.more.of.it", fmt.Sprintf("letter %d, whose subject goes on a little longer than a line of the list has room", n)))
	}
	b := newTabAt(t, server(t, all...))
	visible := `[...document.querySelectorAll("#rows tr")].filter(r => r.getBoundingClientRect().bottom <= innerHeight).length`
	for _, c := range []struct {
		set  chromedp.Action[chromedp.Void]
		want int
	}{
		{chromedp.EmulateViewport(1300, 800), 6},
		{chromedp.EmulateViewport(1100, 700), 5},
		{chromedp.EmulateViewport(390, 844, chromedp.EmulateMobile), 2},
	} {
		b.do(c.set)
		b.open("")
		b.until(`document.querySelectorAll("#rows td.subject a.unknown").length === 0`)
		if n := script[int](b, visible); n < c.want {
			t.Errorf("%d messages are visible at %d pixels, want %d", n, script[int](b, "innerWidth"), c.want)
		}
	}
	if script[bool](b, `document.getElementById("q").checkVisibility({ contentVisibilityAuto: true })`) {
		t.Error("the search is not folded on a telephone")
	}
	b.do(chromedp.KeyEvent("/"))
	b.until(`document.activeElement.id === "q"`)
}
