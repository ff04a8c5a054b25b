package web

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/chromedp/chromedp"

	"postfach/internal/explore"
	"postfach/pop3test"
)

// audit returns what is wrong with a page for people who cannot see it, or not
// well: contrast, labels, ids, headings, names, and what sticks out at the side.
const audit = `(() => {
  const wrong = [];
  const name = e => e.tagName.toLowerCase() + (e.id ? "#" + e.id : "") + (e.className ? "." + e.className : "");
  const shown = e => e.checkVisibility({ visibilityProperty: true, opacityProperty: true }) && !e.closest(".vh, .skip, dialog:not([open])");

  // Contrast: the text's colour on what lies below it.
  const rgba = c => { const m = c.match(/[\d.]+/g).map(Number); return { r: m[0], g: m[1], b: m[2], a: m.length > 3 ? m[3] : 1 }; };
  const over = (f, b) => ({ r: f.r * f.a + b.r * (1 - f.a), g: f.g * f.a + b.g * (1 - f.a), b: f.b * f.a + b.b * (1 - f.a), a: 1 });
  const ground = e => {
    const layers = [];
    for (let p = e; p; p = p.parentElement) {
      const s = getComputedStyle(p);
      if (s.backgroundImage !== "none") wrong.push("a picture lies below " + name(e));
      const c = rgba(s.backgroundColor);
      if (c.a > 0) layers.push(c);
      if (c.a === 1) break;
    }
    return layers.reverse().reduce((b, f) => over(f, b), rgba(matchMedia("(prefers-color-scheme: dark)").matches ? "rgb(18,18,18)" : "rgb(255,255,255)"));
  };
  const light = c => { const l = v => (v /= 255) <= .04045 ? v / 12.92 : ((v + .055) / 1.055) ** 2.4; return .2126 * l(c.r) + .7152 * l(c.g) + .0722 * l(c.b); };
  const ratio = (a, b) => { const [x, y] = [light(a), light(b)].sort((p, q) => q - p); return (x + .05) / (y + .05); };
  const contrast = (e, color, what) => {
    const s = getComputedStyle(e), b = ground(e), px = parseFloat(s.fontSize);
    const large = px >= 24 || px >= 18.66 && Number(s.fontWeight) >= 700;
    const r = ratio(over(rgba(color), b), b);
    if (r < (large ? 3 : 4.5)) wrong.push("contrast " + r.toFixed(2) + " of " + what + " in " + name(e));
  };
  let texts = 0;
  const walk = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  for (let n = walk.nextNode(); n; n = walk.nextNode()) {
    const e = n.parentElement;
    if (!n.data.trim() || !shown(e) || e.closest(":disabled, label:has(:disabled)")) continue;
    texts++;
    contrast(e, getComputedStyle(e).color, JSON.stringify(n.data.trim().slice(0, 30)));
  }
  if (texts < 3) wrong.push("only " + texts + " texts were looked at");
  for (const e of document.querySelectorAll("input:not([type=hidden])")) {
    if (!shown(e)) continue;
    contrast(e, getComputedStyle(e).color, "what is typed");
    if (e.placeholder) contrast(e, getComputedStyle(e, "::placeholder").color, "the placeholder");
  }

  // Names.
  for (const e of document.querySelectorAll("input:not([type=hidden]), select, textarea"))
    if (![...(e.labels ?? [])].some(l => l.textContent.trim()) && !e.getAttribute("aria-label")) wrong.push("no label at " + name(e));
  for (const e of document.querySelectorAll("a[href], button, summary"))
    if (!e.textContent.trim() && !e.getAttribute("aria-label")) wrong.push("nothing is said by " + name(e));
  for (const e of document.querySelectorAll("iframe")) if (!e.title) wrong.push("no title at " + name(e));
  for (const e of document.querySelectorAll("img")) if (!e.hasAttribute("alt")) wrong.push("no alt at " + name(e));
  for (const e of document.querySelectorAll("table")) if (!e.caption && !e.getAttribute("aria-label")) wrong.push("no caption at " + name(e));
  for (const e of document.querySelectorAll("thead th")) if (e.scope !== "col") wrong.push("no scope at " + name(e));
  const ids = new Set();
  for (const e of document.querySelectorAll("[id]")) { if (ids.has(e.id)) wrong.push("twice: id " + e.id); ids.add(e.id); }
  for (const a of ["aria-labelledby", "aria-describedby", "for"]) for (const e of document.querySelectorAll("[" + a + "]"))
    for (const id of e.getAttribute(a).split(" ")) if (!ids.has(id)) wrong.push(a + " names nothing: " + id);
  const both = new Set();
  for (const e of document.querySelectorAll("nav")) { const l = e.getAttribute("aria-label"); if (!l || both.has(l)) wrong.push("navigations cannot be told apart: " + l); both.add(l); }

  // Structure.
  if (document.querySelectorAll("h1").length !== 1) wrong.push(document.querySelectorAll("h1").length + " times h1");
  let last = 0;
  for (const h of document.querySelectorAll("main :is(h1,h2,h3,h4,h5,h6)")) { const n = Number(h.tagName[1]); if (n > last + 1) wrong.push("h" + last + " is followed by h" + n + ": " + h.textContent); last = n; }
  if (document.querySelectorAll("main").length !== 1) wrong.push("no main");
  if (!document.documentElement.lang) wrong.push("no language");
  if (!document.title.trim()) wrong.push("no title");
  if (document.querySelector("[style], main style, script:not([src])")) wrong.push("style or script in the page");

  // Width, and room for fingers.
  const wide = document.documentElement.scrollWidth - innerWidth;
  if (wide > 0) {
    const out = [...document.querySelectorAll("body *")].filter(e => shown(e) && e.getBoundingClientRect().right > innerWidth + 1).slice(0, 5).map(name);
    wrong.push(wide + " pixels too wide: " + out.join(", "));
  }
  if (innerWidth < 400) for (const e of document.querySelectorAll("button")) {
    if (shown(e) && e.getBoundingClientRect().height < 32) wrong.push("too small for a finger: " + name(e) + " " + e.textContent);
  }
  return wrong;
})()`

func (b *tab) audit(what string) {
	b.t.Helper()
	for _, wrong := range script[[]string](b, audit) {
		b.t.Errorf("%s: %s", what, wrong)
	}
}

// looks are how a page may be looked at. Each builds on the one before.
func looks() []struct {
	name string
	set  []chromedp.Action[chromedp.Void]
} {
	return []struct {
		name string
		set  []chromedp.Action[chromedp.Void]
	}{
		{"light", []chromedp.Action[chromedp.Void]{light(), chromedp.EmulateViewport(1200, 900)}},
		{"dark", []chromedp.Action[chromedp.Void]{dark()}},
		{"dark telephone", []chromedp.Action[chromedp.Void]{phone()}},
		{"telephone", []chromedp.Action[chromedp.Void]{light()}},
	}
}

func TestEveryPageCanBeReadByEverybody(t *testing.T) {
	t.Parallel()
	long := letter("Somebody with a very long name and "+longWord(70), "A subject that goes on: "+longWord(90))
	known, other := accountOf(server(t, long, mixed, letter("Carl", "three"))), asking(server(t))
	other.Name = "Another mailbox"
	b := newTab(t, explore.Picker{Start: &known, Accounts: []explore.Account{other}, Parse: func(string) (explore.Account, error) { return other, nil }})
	look := func(what string) {
		t.Helper()
		for _, l := range looks() {
			b.do(l.set...)
			b.audit(what + ", " + l.name)
		}
	}
	for _, path := range pagePaths(b) {
		b.open(path)
		look(path)
	}
	b.open("staged")
	b.press("Delete 1 message for good")
	look("outcome")
}

func longWord(n int) string {
	var s string
	for i := range n {
		s += string(rune('a' + i%26))
	}
	return s
}

func TestDarkIsDark(t *testing.T) {
	t.Parallel()
	b := newTabAt(t, server(t, letter("Ada", "one")))
	color := `getComputedStyle(document.body).backgroundColor`
	light := script[string](b, color)
	b.do(dark())
	if now := script[string](b, color); now == light {
		t.Errorf("it stays %s", now)
	}
}

// The stranger's page has no style, and is still a page.
func TestStrangersCanReadWhy(t *testing.T) {
	t.Parallel()
	b := newTabAt(t, server(t))
	_, addr := serve(t, explore.Picker{})
	b.do(chromedp.Navigate("http://" + addr.String() + "/"))
	b.sees("printed")
	b.audit("403")
}

// The pictures of docs/screenshots, made anew with POSTFACH_UPDATE=1.
func TestScreenshots(t *testing.T) {
	if os.Getenv("POSTFACH_UPDATE") != "1" {
		t.Log("POSTFACH_UPDATE is not 1: no picture is made")
		return
	}
	t.Parallel()
	srv := pop3test.NewServer(t)
	for _, m := range exampleMail() {
		if _, err := srv.Put(pop3test.User, m); err != nil {
			t.Fatal(err)
		}
	}
	a := accountOf(srv)
	a.Name, a.User, a.Host = "Lisa at home", "lisa", "pop.example.org"
	b := newTab(t, explore.Picker{Start: &a})
	b.do(chromedp.EmulateViewport(1200, 760))
	b.until(`document.querySelectorAll("#rows td.subject a.unknown").length === 0`)
	e := b.face.account("1").e
	for _, n := range []int{3, 5} {
		if err := e.Mark(e.Page(explore.Query{}).Entries[n].Key); err != nil {
			t.Fatal(err)
		}
	}
	b.open("")
	b.shoot("list")
	b.message(1)
	b.until(`document.readyState === "complete"`)
	b.shoot("message")
	b.open("staged")
	b.shoot("staged")
	b.open("protocol")
	b.shoot("protocol")
	b.do(dark())
	b.open("")
	b.shoot("dark")
	b.do(chromedp.EmulateViewport(390, 844, chromedp.EmulateMobile, chromedp.EmulateScale(2)))
	b.open("")
	b.shoot("phone")
}

func (b *tab) shoot(name string) {
	b.t.Helper()
	picture, err := chromedp.Run(b.ctx, chromedp.CaptureScreenshot())
	if err != nil {
		b.t.Fatal(err)
	}
	if err := os.MkdirAll("../../docs/screenshots", 0o755); err != nil {
		b.t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join("../../docs/screenshots", "explore-web-"+name+".png"), picture, 0o644); err != nil {
		b.t.Fatal(err)
	}
}

// exampleMail is a friendly maildrop.
func exampleMail() []string {
	plain := func(day int, from, address, subject, text string) string {
		return fmt.Sprintf("Date: %02d Mar 2026 09:%02d:00 +0100\r\nFrom: %s <%s>\r\nTo: Lisa <lisa@example.org>\r\nSubject: %s\r\nMessage-ID: <%d@example.org>\r\nMIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n%s\r\n", day, day, from, address, subject, day, text)
	}
	trip := "Date: Tue, 03 Mar 2026 18:20:00 +0100\r\nFrom: Jonas Weber <jonas@example.org>\r\nTo: Lisa <lisa@example.org>\r\nSubject: Our trip to the lake\r\nMIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n" +
		"--b\r\nContent-Type: text/plain; charset=utf-8\r\n\r\nDear Lisa,\r\n\r\nthe boat is ours from Friday to Sunday. I have drawn a map of the way;\r\nit is attached. Bring a warm jacket: the evenings are still cold.\r\n\r\nSee you at the landing stage,\r\nJonas\r\n" +
		"--b\r\nContent-Type: image/gif; name=\"map.gif\"\r\nContent-Disposition: attachment; filename=\"map.gif\"\r\nContent-Transfer-Encoding: base64\r\n\r\n" + dot + "\r\n--b--\r\n"
	long := ""
	for range 4000 {
		long += "Another line of the very long list of the choir's recordings from 1998 on.\r\n"
	}
	return []string{
		plain(2, "Grandma Ruth", "ruth@example.org", "Your letter has arrived", "Thank you, dear! The photographs are lovely."),
		trip,
		plain(4, "Library", "library@example.net", "Two books are due on Friday", "Please bring them back, or renew them on our pages."),
		plain(5, "Cheap Watches", "offer@example.com", "You have won!!!", "No, you have not."),
		plain(6, "Amélie Durand", "amelie@example.org", "Recette de la tarte aux pommes", "Prends 500 g de pommes, et beaucoup de patience."),
		plain(7, "Choir", "choir@example.net", "All recordings since 1998", long),
		plain(8, "Ελένη Παππά", "eleni@example.org", "Χρόνια πολλά!", "Σε φιλώ, και του χρόνου."),
		plain(9, "Jonas Weber", "jonas@example.org", "Re: Our trip to the lake", "One more thing: the ferry leaves at ten."),
	}
}
