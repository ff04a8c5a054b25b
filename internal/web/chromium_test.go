package web

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/chromedp"

	"postfach/internal/explore"
	"postfach/internal/peer"
	"postfach/pop3test"
)

// tracker is a host of somebody else's, as Chromium sees it.
const tracker = "tracker.example"

// A chromium is the browser that all tests share, and the tracker.
type chromium struct {
	ctx   context.Context
	close []func()
	err   error

	mu   sync.Mutex // guards hits
	hits []string   // what the tracker was asked for
}

var (
	startOnce sync.Once
	shared    *chromium
)

func startChromium(path string) *chromium {
	c := &chromium{}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		c.err = err
		return c
	}
	srv := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		c.mu.Lock()
		defer c.mu.Unlock()
		c.hits = append(c.hits, r.URL.Path)
		w.Header().Set("Access-Control-Allow-Origin", "*")
	})}
	done := make(chan struct{})
	go func() { srv.Serve(l); close(done) }()
	opts := append(chromedp.DefaultExecAllocatorOptions[:],
		chromedp.ExecPath(path), chromedp.Flag("disable-gpu", true),
		chromedp.Flag("host-resolver-rules", "MAP "+tracker+" "+l.Addr().String()),
	)
	if os.Getuid() == 0 {
		opts = append(opts, chromedp.NoSandbox)
	}
	alloc, cancel := chromedp.NewExecAllocator(context.Background(), opts...)
	c.ctx, _ = chromedp.NewContext(alloc)
	c.close = []func(){
		func() {
			ctx, cancel := context.WithTimeout(c.ctx, 20*time.Second)
			defer cancel()
			chromedp.Cancel(ctx)
		},
		cancel,
		func() { srv.Close(); <-done },
	}
	c.err = chromedp.Do(c.ctx) // starts the browser, with no timeout
	return c
}

func closeChromium() {
	if shared == nil {
		return
	}
	for _, f := range shared.close {
		f()
	}
}

// tracked returns what the tracker was asked for.
func (c *chromium) tracked() []string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return append([]string(nil), c.hits...)
}

// A tab is a page in Chromium that has come in.
type tab struct {
	t    *testing.T
	ctx  context.Context
	face *Face
	base string

	mu       sync.Mutex // guards what follows
	requests []string   // all that the page has asked for
}

// newTab opens the printed address, after before.
func newTab(t *testing.T, p explore.Picker, before ...chromedp.Action[chromedp.Void]) *tab {
	t.Helper()
	path := peer.Need(t, "chromium")
	startOnce.Do(func() { shared = startChromium(path) })
	if shared.err != nil {
		t.Fatal(shared.err)
	}
	f, addr := serve(t, p)
	ctx, cancel := chromedp.NewContext(shared.ctx, chromedp.WithNewBrowserContext())
	t.Cleanup(cancel)
	b := &tab{t: t, ctx: ctx, face: f, base: "http://" + addr.String() + f.home}
	if err := chromedp.Do(ctx); err != nil { // opens the tab, with no timeout
		t.Fatal(err)
	}
	b.ctx, cancel = context.WithTimeout(ctx, 60*time.Second)
	t.Cleanup(cancel)
	if err := chromedp.Listen(b.ctx, b.event); err != nil {
		t.Fatal(err)
	}
	b.do(before...)
	b.do(chromedp.EmulateViewport(1200, 900), chromedp.Navigate(f.Address(addr)))
	return b
}

// newTabAt is a tab at the list of a server's maildrop.
func newTabAt(t *testing.T, srv *pop3test.Server, before ...chromedp.Action[chromedp.Void]) *tab {
	t.Helper()
	a := accountOf(srv)
	return newTab(t, explore.Picker{Start: &a}, before...)
}

func (b *tab) event(ev any) {
	b.mu.Lock()
	defer b.mu.Unlock()
	switch ev := ev.(type) {
	case *network.EventRequestWillBeSent:
		b.requests = append(b.requests, ev.Request.URL)
	case network.EventRequestWillBeSent:
		b.requests = append(b.requests, ev.Request.URL)
	}
}

func (b *tab) do(actions ...chromedp.Action[chromedp.Void]) {
	b.t.Helper()
	for _, a := range actions {
		if err := chromedp.Do(b.ctx, a); err != nil {
			b.t.Fatalf("%v\n%s", err, b.source())
		}
	}
}

// source is the page as it is now, for what a failed test says.
func (b *tab) source() string {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(b.ctx), 5*time.Second)
	defer cancel()
	text, _ := chromedp.Run(ctx, chromedp.Evaluate[string](`location.href + "\n" + document.documentElement.outerHTML`))
	return text
}

// script returns what an expression is in the page.
func script[T any](b *tab, expression string) T {
	b.t.Helper()
	v, err := chromedp.Run(b.ctx, chromedp.Evaluate[T](expression))
	if err != nil {
		b.t.Fatalf("%s: %v", expression, err)
	}
	return v
}

// follow does what leads to another page, and waits for that.
func (b *tab) follow(a chromedp.Action[chromedp.Void]) {
	b.t.Helper()
	if _, err := chromedp.RunResponse(b.ctx, a); err != nil {
		b.t.Fatalf("%v\n%s", err, b.source())
	}
}

// press presses a button or link by its words, and waits for the next page.
func (b *tab) press(words string) {
	b.t.Helper()
	b.follow(chromedp.Click(chromedp.Search(fmt.Sprintf(`//main//*[self::a or self::button][contains(normalize-space(.), %q)] | //header//a[contains(., %q)] | //section[@id="bar"]//button[contains(., %q)] | //div[@id="undo"]//button[contains(., %q)]`, words, words, words, words))))
}

// open shows a page of account 1.
func (b *tab) open(path string) {
	b.t.Helper()
	b.do(chromedp.Navigate(b.base + "/a/1/" + path))
}

// until waits for an expression to be true.
func (b *tab) until(expression string) {
	b.t.Helper()
	_, err := chromedp.Run(b.ctx, chromedp.Poll[bool](expression, chromedp.WithPollingInterval(20*time.Millisecond), chromedp.WithPollingTimeout(20*time.Second)))
	if err != nil {
		b.t.Fatalf("%s: %v\n%s", expression, err, b.source())
	}
}

// sees fails the test unless the page says this.
func (b *tab) sees(texts ...string) {
	b.t.Helper()
	page := script[string](b, "document.body.innerText")
	for _, text := range texts {
		if !strings.Contains(page, text) {
			b.t.Errorf("the page lacks %q:\n%s", text, page)
		}
	}
}

// message shows the n-th message of the list, from 0.
func (b *tab) message(n int) {
	b.t.Helper()
	b.open("")
	b.do(chromedp.Navigate(script[string](b, fmt.Sprintf(`document.querySelectorAll("#rows td.subject a")[%d].href`, n))))
}

// asked returns the requests to others than the explorer.
func (b *tab) asked() []string {
	b.mu.Lock()
	defer b.mu.Unlock()
	if len(b.requests) == 0 {
		b.t.Error("no request was seen")
	}
	var others []string
	for _, r := range b.requests {
		if !strings.HasPrefix(r, b.base+"/") && !strings.HasPrefix(r, "data:") && r != "about:blank" {
			others = append(others, r)
		}
	}
	return others
}

// dark and light are what the person prefers.
func dark() chromedp.Action[chromedp.Void]  { return prefer("dark") }
func light() chromedp.Action[chromedp.Void] { return prefer("light") }

func prefer(scheme string) chromedp.Action[chromedp.Void] {
	return chromedp.Func(func(ctx context.Context, t *chromedp.Target) error {
		_, err := chromedp.Call(ctx, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: scheme}}})
		return err
	})
}

// scriptless switches script off.
func scriptless() chromedp.Action[chromedp.Void] {
	return chromedp.Func(func(ctx context.Context, t *chromedp.Target) error {
		_, err := chromedp.Call(ctx, emulation.SetScriptExecutionDisabled, emulation.SetScriptExecutionDisabledParams{Value: true})
		return err
	})
}

// phone makes the screen that of a small telephone.
func phone() chromedp.Action[chromedp.Void] {
	return chromedp.EmulateViewport(360, 740, chromedp.EmulateMobile)
}
