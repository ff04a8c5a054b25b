package message

import (
	"strings"
	"testing"
	"time"
)

func TestHTMLText(t *testing.T) {
	for page, want := range map[string]string{
		"":                         "",
		"plain":                    "plain",
		"a\n  b\tc":                "a b c",
		"a<b>b</b> c":              "ab c",
		"<p>a<p>b":                 "a\n\nb",
		"<p>a</p><p>b":             "a\n\nb",
		"<div>a</div><div>b</div>": "a\nb",
		"<div><div><div>a</div></div></div><div>b":                              "a\nb",
		"a<br>b<br/>c<BR><br>d":                                                 "a\nb\nc\n\nd",
		"<div>a</div><div><br></div><div>b</div>":                               "a\n\nb",
		"<h1>T</h1>text":                                                        "T\n\ntext",
		"<ul><li>a<li>b</ul>c":                                                  "• a\n• b\n\nc",
		"<ol><li>a</li><li>b</li></ol>":                                         "1. a\n2. b",
		"<ul><li>a<ol><li>b</ol><li>c</ul>":                                     "• a\n  1. b\n• c",
		"<ul><li><p>a</p><p>b</p></ul>":                                         "• a\n\n  b",
		"<li>a":                                                                 "• a",
		"<dl><dt>a<dd>b</dl>":                                                   "a\n  b",
		"<blockquote>a<br>b<blockquote>c</blockquote></blockquote>d":            "> a\n> b\n\n> > c\n\nd",
		"<table><tr><th>a<th>b<tr><td>1</td><td>2</td></table>":                 "a | b\n1 | 2",
		"<table><tr><td><p>a</p></td><td><p>b</p></td></table>":                 "a\n\nb",
		"<table><tr><td></td><td>a</td></tr></table>":                           "a",
		"<pre>a  b\r\n  c\n</pre>d":                                             "a  b\n  c\n\nd",
		"a<hr>b":                                                                "a\n\n--------\n\nb",
		"<a href='https://x.example/a'>here</a>.":                               "here <https://x.example/a>.",
		"<a href='https://x.example/'>x.example</a>":                            "x.example",
		"<a href='https://x.example/'>https://x.example</a>":                    "https://x.example",
		"<a href='mailto:a@b.c'>a@b.c</a>":                                      "a@b.c",
		"<a href='https://evil.example/'>https://bank.example/</a>":             "https://bank.example/ <https://evil.example/>",
		"<a href='https://x/1'><img alt=pic></a><a href='https://x/1'>text</a>": "[pic] <https://x/1>text",
		"<a href='javascript:alert(1)'>a</a>":                                   "a",
		"<a href='#top'>a</a>":                                                  "a",
		"<a href='java\nscript:x'>a</a>":                                        "a",
		"<a href='https://x/1'>a":                                               "a <https://x/1>",
		"<a>a</a>":                                                              "a",
		"<img src=x alt='a  cat'>":                                              "[a cat]",
		"<img src=x>":                                                           "",
		"a<script>alert('<p>')</script>b":                                       "ab",
		"a<style>p{}</style>b":                                                  "ab",
		"<head><title>t</title><meta x></head><body>b":                          "b",
		"a<!-- c -->b<!--[if mso]>x<![endif]-->":                                "ab",
		"&lt;p&gt; &amp;amp; &euro; &#8364; &#x1F600; &nosuch;":                 "<p> &amp; € € 😀 &nosuch;",
		"a&nbsp;&nbsp;b":                                                        "a b",
		"hid&#847;&zwnj;&nbsp;&#847;&zwnj;&nbsp;den":                            "hid\u034f\u200c den",
		"<textarea>a\n b</textarea>":                                            "a\n b",
		"<p>unclosed <b":                                                        "unclosed",
		"1 < 2 & 3 > 2":                                                         "1 < 2 & 3 > 2",
		"</p></ul></blockquote></pre></a>a":                                     "a",
		"<?xml version='1.0'?><!DOCTYPE html>a":                                 "a",
	} {
		if got := HTMLText(page); got != want {
			t.Errorf("%s\n got %q\nwant %q", page, got, want)
		}
	}
}

// A megabyte of anything must not hang the program, nor fill the memory.
func TestHostileHTMLCostsLinearTime(t *testing.T) {
	begin := time.Now()
	for _, piece := range []string{
		"<", "<div>", "<ul><li>x", "<a href=http://x/y>z", "<table><tr><td>", "</", "&", "&amp", "<!--", "<a b=", "<a \"",
		"<pre>\n", "<script>", "<script><!--", "<textarea></", "<blockquote>x<br>", "x ", "\u200c ", "<![CDATA[", "<?", "<title></titl", "<svg>", "<plaintext>",
	} {
		text := HTMLText(strings.Repeat(piece, 1<<20/len(piece)))
		if len(text) > longestHTMLText+longestLink {
			t.Errorf("%q: %d octets", piece, len(text))
		}
	}
	if d := time.Since(begin); d > time.Minute { // seconds; what is not linear takes hours
		t.Errorf("took %v", d)
	}
	if text := HTMLText(strings.Repeat("x ", longestHTMLText)); !strings.HasSuffix(text, " […]") {
		t.Error("nobody is told of the cut")
	}
}
