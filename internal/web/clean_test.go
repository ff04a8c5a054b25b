package web

import (
	"encoding/base64"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/net/html"

	"postfach/internal/message"
)

// dot is a picture of one pixel.
const dot = "R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAIBRAA7"

func cleaned(t testing.TB, text string) (string, int) {
	t.Helper()
	c := &cleaner{pictures: func(id string) (string, bool) {
		return "data:image/gif;base64," + dot, id == "dot@example.org"
	}}
	got, err := c.clean(text)
	if err != nil {
		t.Fatal(err)
	}
	return got, c.left
}

func TestWhatHTMLMailMayNotDo(t *testing.T) {
	t.Parallel()
	for _, text := range []string{
		`<script>evil()</script>`, `<img src=x onerror=evil()>`, `<a href="javascript:evil()">x</a>`, `<a href="JaVaScRiPt:evil()">x</a>`, "<a href=\"java\tscript:evil()\">x</a>",
		`<svg onload=evil()><script>evil()</script></svg>`, `<math><mi xlink:href="data:x,evil">x</mi></math>`, `<iframe src="//evil.example/"></iframe>`,
		`<object data="http://evil.example/"></object>`, `<embed src="http://evil.example/">`, `<form action="http://evil.example/"><input name=evil><button formaction="http://evil.example/">x</button></form>`,
		`<meta http-equiv=refresh content="0;url=http://evil.example/">`, `<base href="http://evil.example/">`, `<link rel=stylesheet href="http://evil.example/">`,
		`<style>@import "http://evil.example/"; p { background: url(http://evil.example/) }</style>`, `<p style="background:url(http://evil.example/)">x</p>`,
		`<p style="background-image:url('http://evil.example/')">x</p>`, `<p style="position:fixed;top:0">x</p>`, `<p style="color:red;width:expression(evil())">x</p>`,
		`<table background="http://evil.example/"><tr><td background="http://evil.example/">x</table>`, `<video src="http://evil.example/" poster="http://evil.example/"></video>`,
		`<img srcset="http://evil.example/ 2x" src="http://evil.example/">`, `<img src="//evil.example/">`, `<img src="data:image/svg+xml;base64,PHN2Zz4=" alt="">`, `<img src="data:text/html,evil" alt="">`,
		`<a href="data:text/html,evil">x</a>`, `<a href="vbscript:evil">x</a>`, `<a href="file:///evil">x</a>`, `<a ping="http://evil.example/" href="#x">x</a>`,
		`<noscript><p title="</noscript><img src=x onerror=evil()>"></noscript>`, `<template><img src="http://evil.example/"></template>`, `<select><option>evil()</select>`,
		`<p id=evil name=evil class=evil>x</p>`, `<!--[if gte mso 9]><img src="http://evil.example/"><![endif]-->`, `<frameset><frame src="http://evil.example/"></frameset>`,
		`<span class="postfach-host" onclick=evil()>[bank.example]</span>`, `<ul style="list-style:url(http://evil.example/)">x</ul>`, `<font face="x;evil">y</font>`,
		`<math><mtext><table><mglyph><style><!--</style><img title="--&gt;&lt;img src=1 onerror=evil()&gt;">`, `<p style="font-family:'evil'url(x)">x</p>`,
	} {
		got, _ := cleaned(t, text)
		if low := strings.ToLower(got); strings.Contains(low, "evil") || strings.Contains(low, "url(") || strings.Contains(got, hostClass) && !strings.Contains(text, "href") {
			t.Errorf("%s\nbecame %s", text, got)
		}
	}
}

func TestLinksShowWhereTheyLead(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		`<a href="https://evil.example/x?y=1" target=_self rel=opener>bank.example</a>`: `<a href="https://evil.example/x?y=1" rel="noreferrer noopener" target="_blank">bank.example</a><span class="postfach-host"> [evil.example]</span>`,
		`<a href="https://bank.example@evil.example/">x</a>`:                            `[evil.example]`,
		`<a href="http://b\u00fccher.example:8080/">x</a>`:                              ``,
		`<a href="HTTP://bücher.example:8080/">x</a>`:                                   `href="http://xn--bcher-kva.example:8080/"`,
		`<a href="https://xn--80ak6aa92e.example/">x</a>`:                               `[xn--80ak6aa92e.example]`,
		`<a href="mailto:ada@example.org?subject=x">x</a>`:                              `[ada@example.org]`,
		`<a href="https://bank.example\@evil.example/">x</a>`:                           `x`,
		`<a href="/relative">x</a>`:                                                     `x`,
	} {
		got, _ := cleaned(t, text)
		if !strings.Contains(got, want) || strings.Contains(got, "bank.example@") {
			t.Errorf("%s\nbecame %s\nwant   %s", text, got, want)
		}
		if strings.Contains(text, "relative") && strings.Contains(got, "href") {
			t.Errorf("a relative link survived: %s", got)
		}
	}
}

func TestPicturesComeFromTheMessageOnly(t *testing.T) {
	t.Parallel()
	got, left := cleaned(t, `<img src="cid:dot@example.org" width=10 alt=a><img src="cid:dot%40example.org"><img src="cid:other" alt="missing"><img src="https://evil.example/t.gif" alt="A cat"><img src="data:image/gif;base64,`+dot+`">`)
	if strings.Count(got, "data:image/gif;base64,"+dot) != 3 || !strings.Contains(got, "[A cat]") || !strings.Contains(got, "[missing]") || left != 1 {
		t.Errorf("%d left out of %s", left, got)
	}
}

func TestHTMLThatPeopleWriteSurvives(t *testing.T) {
	t.Parallel()
	got, _ := cleaned(t, `<html><head><title>no</title></head><body><h1 style="color: #f00; text-align:center">Hello</h1><table width="100%" cellpadding=2><tr><td bgcolor="#eee" colspan=2>cell</td></tr></table><ul><li>one</li></ul><blockquote>quoted</blockquote><font color=red size=2>old</font></body></html>`)
	for _, want := range []string{`<h1 style="color: #f00; text-align: center">Hello</h1>`, `bgcolor="#eee"`, `colspan="2"`, "<li>one</li>", "<blockquote>quoted</blockquote>", `<font color="red" size="2">`} {
		if !strings.Contains(got, want) {
			t.Errorf("%s is not in %s", want, got)
		}
	}
	if strings.Contains(got, "<title") || strings.Contains(got, ">no<") {
		t.Errorf("the title is text: %s", got)
	}
}

func TestTangledHTMLIsAnError(t *testing.T) {
	t.Parallel()
	c := &cleaner{pictures: func(string) (string, bool) { return "", false }}
	if _, err := c.clean(strings.Repeat("<div>", 10000)); err == nil {
		t.Error("no error")
	}
}

// To write a name in ASCII takes the square of its length.
func TestLongHostNamesAreNoLinks(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("\u4e00\u4e01\u4e02", 100_000)
	if got, _ := cleaned(t, `<a href="http://`+long+`.example/">x</a>`); strings.Contains(got, "href") {
		t.Errorf("a link to a host of %d octets", len(long))
	}
	if got, _ := cleaned(t, `<a href="http://`+long[:120]+`.example/">x</a>`); !strings.Contains(got, "href") {
		t.Error("no link to a host with a long name")
	}
}

// HTML may ask for one picture a hundred thousand times.
func TestAPictureIsReadOnce(t *testing.T) {
	t.Parallel()
	text := htmlMail("x")
	r := &counting{ReaderAt: strings.NewReader(text)}
	in := &inliner{message: message.Open(r, int64(len(text))), octets: maxPictures, read: make(map[string]string)}
	for id, want := range map[string]bool{"dot@example.org": true, "svg@example.org": false} {
		if _, ok := in.picture(id); ok != want {
			t.Errorf("%s is a picture: %v", id, ok)
		}
		before := r.reads
		if _, ok := in.picture(id); ok != want || r.reads != before {
			t.Errorf("%s is a picture: %v, after %d further reads", id, ok, r.reads-before)
		}
	}
}

// A counting reader counts.
type counting struct {
	io.ReaderAt
	reads int
}

func (c *counting) ReadAt(p []byte, off int64) (int, error) {
	c.reads++
	return c.ReaderAt.ReadAt(p, off)
}

// What is cleaned parses, and has nothing in it that loads or runs, whatever it
// was made of.
func FuzzCleanHTML(f *testing.F) {
	f.Add(`<p style="color:red">x<img src=cid:dot@example.org><a href=http://x/>y</a>`)
	f.Add(`<svg><style><!--</style><img src=x onerror=y></svg>`)
	f.Add(`<table><a href="https://x"><tr><td>`)
	names, _ := filepath.Glob("../../../shared/corpus/*.eml")
	for _, name := range names {
		if octets, err := os.ReadFile(name); err == nil && strings.Contains(string(octets), "<html") {
			f.Add(string(octets))
		}
	}
	f.Fuzz(func(t *testing.T, text string) {
		c := &cleaner{pictures: func(string) (string, bool) { return "data:image/gif;base64," + dot, true }}
		got, err := c.clean(text)
		if err != nil {
			return
		}
		doc, err := html.Parse(strings.NewReader(got))
		if err != nil {
			return // deeper than it was: the browser shows it, the text view too
		}
		for n := range doc.Descendants() {
			if why := forbiddenNode(n); why != "" {
				t.Errorf("%s in %q", why, got)
			}
		}
	})
}

func forbiddenNode(n *html.Node) string {
	if n.Type != html.ElementNode {
		return ""
	}
	if n.Namespace != "" || dropped(n.DataAtom) && n.Data != "head" {
		return "element " + n.Data
	}
	for _, a := range n.Attr {
		switch key := strings.ToLower(a.Key); {
		case strings.HasPrefix(key, "on"), key == "id", key == "srcset", key == "background", key == "action":
			return "attribute " + key
		case key == "src" && !strings.HasPrefix(a.Val, "data:image/"):
			return "picture " + a.Val
		case key == "href" && !strings.HasPrefix(a.Val, "http://") && !strings.HasPrefix(a.Val, "https://") && !strings.HasPrefix(a.Val, "mailto:"):
			return "link " + a.Val
		case key == "style" && strings.Contains(strings.ToLower(a.Val), "url("):
			return "style " + a.Val
		}
	}
	return ""
}

func TestFrameIsSealed(t *testing.T) {
	t.Parallel()
	b := opened(t, server(t, htmlMail(`<script>evil()</script><img src="http://evil.example/x.gif"><img src="cid:dot@example.org"><img src="cid:svg@example.org"><p>hello</p>`)))
	path := b.message(0)
	b.get(path)
	b.wants(200, `src="`+path+`/frame?p=1"`) // there is no text: HTML comes at once
	b.get(path + "/frame?p=1")
	b.wants(200, "<p>hello</p>", "data:image/gif;base64,"+dot, "One picture would have come from the network")
	b.lacks("evil", "svg+xml")
	csp := b.header.Get("Content-Security-Policy")
	for _, part := range []string{"default-src 'none'", "img-src data:", "style-src 'unsafe-inline'", "frame-ancestors 'self'", "sandbox allow-popups allow-popups-to-escape-sandbox"} {
		if !strings.Contains(csp, part) {
			t.Errorf("the policy %q lacks %s", csp, part)
		}
	}
	if strings.Contains(csp, "allow-scripts") || strings.Contains(csp, "allow-same-origin") || strings.Contains(csp, "script-src") {
		t.Errorf("policy %q", csp)
	}
	if b.header.Get("X-Frame-Options") != "SAMEORIGIN" || b.header.Get("X-Content-Type-Options") != "nosniff" || b.header.Get("Cross-Origin-Resource-Policy") != "same-origin" {
		t.Errorf("headers %v", b.header)
	}
	b.get(path + "/frame?p=2") // a picture is no page
	b.wants(404)
}

// htmlMail is HTML with two pictures, one of them no picture.
func htmlMail(body string) string {
	return "From: Ada <ada@example.org>\r\nSubject: html\r\nMIME-Version: 1.0\r\nContent-Type: multipart/related; boundary=b\r\n\r\n--b\r\nContent-Type: text/html\r\n\r\n" + body +
		"\r\n--b\r\nContent-Type: image/gif\r\nContent-ID: <dot@example.org>\r\nContent-Transfer-Encoding: base64\r\n\r\n" + dot +
		"\r\n--b\r\nContent-Type: image/png\r\nContent-ID: <svg@example.org>\r\nContent-Transfer-Encoding: base64\r\n\r\n" + base64.StdEncoding.EncodeToString([]byte("<svg onload=evil()>")) + "\r\n--b--\r\n"
}

func TestPicturesAreBounded(t *testing.T) {
	t.Parallel()
	big := "GIF89a" + strings.Repeat("x", maxPicture)
	small := "GIF89a" + strings.Repeat("x", maxPicture/2)
	m := "Subject: x\r\nContent-Type: multipart/related; boundary=b\r\n\r\n--b\r\nContent-Type: text/html\r\n\r\n<img src=cid:big alt=toobig>"
	for i := range 20 {
		m += fmt.Sprintf("<img src=cid:s alt=n%d>", i)
	}
	for id, octets := range map[string]string{"big": big, "s": small} {
		m += "\r\n--b\r\nContent-Type: image/gif\r\nContent-ID: <" + id + ">\r\nContent-Transfer-Encoding: base64\r\n\r\n" + base64.StdEncoding.EncodeToString([]byte(octets))
	}
	b := opened(t, server(t, m+"\r\n--b--\r\n"))
	b.get(b.message(0) + "/frame?p=1")
	b.wants(200, "[toobig]", "[n19]")
	if len(b.html) > maxPictures*9/8 {
		t.Errorf("%d octets", len(b.html))
	}
}
