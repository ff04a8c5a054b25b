package web

import (
	"context"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	cdppage "github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"

	"postfach/internal/explore"
	"postfach/pop3test"
)

// Mail that does what it can to be noticed by its sender.
func spy() string {
	return htmlMail(`<img src="cid:dot@example.org"><script>fetch("http://tracker.example/script"); document.title = "owned"; top.document.title = "owned"</script>` +
		`<img src="http://tracker.example/img.gif" onerror="fetch('http://tracker.example/onerror')"><img srcset="http://tracker.example/srcset.gif 1x">` +
		`<link rel=stylesheet href="http://tracker.example/link.css"><link rel=prefetch href="http://tracker.example/prefetch"><link rel=dns-prefetch href="//tracker.example">` +
		`<style>@import "http://tracker.example/import.css"; body { background: url(http://tracker.example/bg.gif) } @font-face { font-family: x; src: url(http://tracker.example/font) }</style>` +
		`<p style="background:url(http://tracker.example/style.gif); font-family: x">hello</p><iframe src="http://tracker.example/iframe"></iframe><object data="http://tracker.example/object"></object>` +
		`<video src="http://tracker.example/video" poster="http://tracker.example/poster"></video><table background="http://tracker.example/table.gif"><tr><td>x</table>` +
		`<meta http-equiv=refresh content="0;url=http://tracker.example/meta"><base href="http://tracker.example/"><svg><image href="http://tracker.example/svg"/></svg>` +
		`<input type=image src="http://tracker.example/input"><form action="http://tracker.example/form"><button autofocus>x</button></form><a href="http://tracker.example/link" ping="http://tracker.example/ping">bank.example</a>`)
}

func TestHTMLMailReachesNobody(t *testing.T) {
	t.Parallel()
	srv := server(t, spy(), letter("Ada", "two"))
	b := newTabAt(t, srv)
	path := strings.Split(script[string](b, `document.querySelector("#rows td.subject a").href`), "?")[0]
	b.do(chromedp.Navigate(path))
	b.until(`document.querySelector("iframe.mail") !== null`)
	if title := script[string](b, `document.title`); title != "html – Postfach" {
		t.Errorf("the title is %q", title)
	}
	// The frame cannot be looked into, not even by us: it has no origin.
	if script[bool](b, `document.querySelector("iframe").contentDocument !== null`) {
		t.Error("the frame has our origin")
	}
	// The same when its address is opened by itself.
	b.do(chromedp.Navigate(path + "/frame?p=1"))
	if !script[bool](b, `document.readyState === "complete" && document.images.length === 1 && document.images[0].naturalWidth === 1`) {
		t.Errorf("the message's own picture is not there:\n%s", b.source())
	}
	b.sees("hello", "[tracker.example]", "would have come from the network")
	if title := script[string](b, `document.title`); title != "html" {
		t.Errorf("the title is %q", title)
	}
	// The policy holds for what would slip through: a script of the test's own
	// puts a picture into the page.
	script[bool](b, `document.body.append(Object.assign(new Image(), { src: "http://tracker.example/policy.gif" })), true`)
	for !script[bool](b, `[...document.images].at(-1).complete`) { // no script runs there that could wait
	}
	b.do(chromedp.Navigate(b.base + "/")) // whatever was on its way is settled
	others := b.asked()
	others = slices.DeleteFunc(others, func(u string) bool { return u == "http://tracker.example/policy.gif" }) // asked for, and blocked
	if len(others) > 0 {
		t.Errorf("asked others for %q", others)
	}
	for _, hit := range shared.tracked() {
		if hit != "/control" && hit != "/favicon.ico" { // of the test below
			t.Errorf("the tracker was asked for %s", hit)
		}
	}
}

// Whatever the sender does to the link and to what is around it.
func TestTheHostBehindALinkCannotBeHidden(t *testing.T) {
	t.Parallel()
	b := newTabAt(t, server(t, htmlMail(`<div style="font-size:0; letter-spacing:-2em; margin-left:-999px; color:#555; background-color:#555; text-indent:-999px; line-height:0; white-space:nowrap; direction:rtl">`+
		`<a href="https://evil.example/" style="font-size:16px; margin-right:-999px; vertical-align:999px">bank.example</a></div>`)))
	b.do(chromedp.Navigate(strings.Split(script[string](b, `document.querySelector("#rows td.subject a").href`), "?")[0] + "/frame?p=1"))
	where := script[[]float64](b, `(() => { const r = document.querySelector(".postfach-host").getBoundingClientRect(); return [r.left, r.right, r.width, r.height, innerWidth] })()`)
	if left, right, width, height, screen := where[0], where[1], where[2], where[3], where[4]; left < 0 || right > screen || width < 80 || height < 10 {
		t.Errorf("the host is at %v to %v of %v, %v wide and %v high", left, right, screen, width, height)
	}
	look := script[[]string](b, `(() => { const s = getComputedStyle(document.querySelector(".postfach-host")); return [s.color, s.backgroundColor, s.letterSpacing, s.direction, s.textTransform] })()`)
	if want := []string{"rgb(85, 85, 85)", "rgb(255, 255, 255)", "normal", "ltr", "none"}; !slices.Equal(look, want) {
		t.Errorf("the host looks like %q, want %q", look, want)
	}
}

// The tracker of these tests is there: else nothing above says anything.
func TestTheTrackerCanBeReached(t *testing.T) {
	t.Parallel()
	b := newTabAt(t, server(t))
	b.do(chromedp.Navigate("http://" + tracker + "/control"))
	if !slices.Contains(shared.tracked(), "/control") {
		t.Error("the tracker was not asked")
	}
	if others := b.asked(); len(others) == 0 {
		t.Error("the request was not seen")
	}
}

// No page has script or style in it that its policy would have to stop.
func TestNoPageBreaksItsOwnPolicy(t *testing.T) {
	t.Parallel()
	b := newTabAt(t, server(t, spy(), mixed, letter("Ada", "three")), chromedp.Func(func(ctx context.Context, _ *chromedp.Target) error {
		_, err := chromedp.Call(ctx, cdppage.AddScriptToEvaluateOnNewDocument, cdppage.AddScriptToEvaluateOnNewDocumentParams{
			Source: `window.broken = []; addEventListener("securitypolicyviolation", e => window.broken.push(e.violatedDirective + " " + e.blockedURI)); addEventListener("error", e => window.broken.push(e.message))`,
		})
		return err
	}))
	for _, path := range pagePaths(b) {
		b.open(path)
		if broken := script[[]string](b, `window.broken`); len(broken) > 0 {
			t.Errorf("%s: %q", path, broken)
		}
	}
}

// pagePaths are all kinds of pages of account 1, about its second message.
func pagePaths(b *tab) []string {
	b.t.Helper()
	b.open("")
	key := strings.TrimPrefix(script[string](b, `document.querySelector("#rows tr:nth-child(2)").id`), "m-")
	if err := b.face.account("1").e.Mark(mustKey(b.t, key)); err != nil {
		b.t.Fatal(err)
	}
	m := "m/" + key
	return []string{"", m + "?at=1", m + "?view=html", m + "?headers=all", m + "/raw", m + "/preview", "staged", "export", "protocol", "server", "login", "nowhere", "../../"}
}

// nested is a message of so many parts in each other.
func nested(depth int) string {
	var b strings.Builder
	b.WriteString("From: Ada <ada@example.org>\r\nSubject: deep\r\nMIME-Version: 1.0\r\n")
	for i := range depth {
		fmt.Fprintf(&b, "Content-Type: multipart/mixed; boundary=\"b%d\"\r\n\r\n--b%d\r\n", i, i)
	}
	b.WriteString("Content-Type: text/plain\r\n\r\nthe bottom\r\n")
	for i := range depth {
		fmt.Fprintf(&b, "--b%d--\r\n", depth-1-i)
	}
	return b.String()
}

func TestAMessageOf120NestedParts(t *testing.T) {
	t.Parallel()
	b := newTabAt(t, server(t, nested(120)))
	b.message(0)
	b.sees("the bottom", "121 parts")
	b.do(chromedp.Click(chromedp.CSS("summary")))
	b.until(`document.querySelector("details").open`)
	if n := script[int](b, `document.querySelectorAll(".parts li").length`); n != 121 {
		t.Errorf("%d parts", n)
	}
	b.do(phone())
	if wide := script[int](b, `document.documentElement.scrollWidth - innerWidth`); wide > 0 {
		t.Errorf("%d pixels too wide", wide)
	}
}

// One message of every character set of the corpus is text on the page.
func TestEveryCharsetIsRead(t *testing.T) {
	t.Parallel()
	all := corpus(t)
	table, err := os.ReadFile("../../../shared/corpus/manifest.tsv")
	if err != nil || len(all) == 0 {
		return
	}
	srv := pop3test.NewServer(t)
	seen := make(map[string]bool)
	var names []string
	for line := range strings.Lines(string(table)) {
		columns := strings.Split(strings.TrimSpace(line), "\t")
		charsets := columns[len(columns)-2]
		if columns[0] == "name" || charsets == "-" || seen[charsets] {
			continue
		}
		seen[charsets] = true
		names = append(names, columns[0]+" ("+charsets+")")
		if _, err := srv.Put(pop3test.User, all[columns[0]]); err != nil {
			t.Fatal(err)
		}
	}
	b := newTabAt(t, srv)
	addresses := script[[]string](b, `[...document.querySelectorAll("#rows td.subject a")].map(a => a.href)`)
	if len(addresses) != len(names) {
		t.Fatalf("%d rows for %d messages", len(addresses), len(names))
	}
	for i, address := range addresses {
		b.do(chromedp.Navigate(address + "&view=text"))
		if !script[bool](b, `document.characterSet === "UTF-8" && document.querySelector("h1").textContent !== "" && document.querySelector("pre.text, #text-title ~ p") !== null`) {
			t.Errorf("%s does not open:\n%s", names[i], b.source())
		}
	}
	t.Logf("%d character sets", len(names))
}

func mustKey(t testing.TB, s string) (k explore.Key) {
	t.Helper()
	k, err := parseKey(s)
	if err != nil {
		t.Fatal(err)
	}
	return k
}
