package testcontrol_test

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/textproto"
	"os/exec"
	"runtime"
	"strings"
	"sync"
	"testing"

	"go.uber.org/goleak"

	"postfach/internal/peer"
	"postfach/internal/testcontrol"
	"postfach/pop3test"
)

func TestMain(m *testing.M) {
	goleak.VerifyTestMain(m, goleak.Cleanup(func(code int) {
		http.DefaultClient.CloseIdleConnections()
	}))
}

// A bench is a server, and its control.
type bench struct {
	t    *testing.T
	srv  *pop3test.Server
	http *httptest.Server
}

func newBench(t *testing.T) *bench {
	t.Helper()
	srv := pop3test.NewServer(t)
	control := &testcontrol.Control{Server: srv, Setup: func() error {
		_, err := srv.Put(pop3test.User, "Subject: always here\r\n\r\n")
		return err
	}}
	h := httptest.NewServer(control.Handler())
	t.Cleanup(h.Close)
	return &bench{t, srv, h}
}

// asks makes a request and returns the status and the body.
func (b *bench) asks(method, path, body string, change ...func(*http.Request)) (int, string) {
	b.t.Helper()
	r, err := http.NewRequestWithContext(b.t.Context(), method, b.http.URL+path, strings.NewReader(body))
	if err != nil {
		b.t.Fatal(err)
	}
	for _, c := range change {
		c(r)
	}
	resp, err := b.http.Client().Do(r)
	if err != nil {
		b.t.Fatal(err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		b.t.Fatal(err)
	}
	if resp.Header.Get("Access-Control-Allow-Origin") != "" {
		b.t.Errorf("%s %s allows other origins", method, path)
	}
	return resp.StatusCode, string(text)
}

// wants is asks, with what the answer must be and contain.
func (b *bench) wants(status int, contains, method, path, body string, change ...func(*http.Request)) {
	b.t.Helper()
	if got, text := b.asks(method, path, body, change...); got != status || !strings.Contains(text, contains) {
		b.t.Errorf("%s %s: %d %s\nwant %d with %s", method, path, got, text, status, contains)
	}
}

// session has a client log in, say lines, and QUIT.
func (b *bench) session(lines ...string) (last string) {
	b.t.Helper()
	c, err := textproto.Dial("tcp", b.srv.Addr)
	if err != nil {
		b.t.Fatal(err)
	}
	defer c.Close()
	c.ReadLine()
	for _, line := range append([]string{"USER user", "PASS p w"}, append(lines, "QUIT")...) {
		c.PrintfLine("%s", line)
		reply, err := c.ReadLine()
		if err != nil {
			b.t.Fatal(err)
		}
		if line != "QUIT" {
			last = reply
		}
	}
	return last
}

func TestMail(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.wants(201, `"id": "1"`, "POST", "/mail/user", "Subject: one\n\n")
	b.wants(200, `"octets": 14`, "GET", "/mail/user", "")
	b.wants(200, "Subject: one\n\n", "GET", "/mail/user/1", "")
	b.wants(404, `"error"`, "GET", "/mail/user/2", "")
	b.wants(404, `"error"`, "POST", "/mail/nobody", "x")
	b.wants(404, `"error"`, "GET", "/mail/nobody", "")
	b.wants(201, `"name": "a/b c"`, "POST", "/users", `{"name":"a/b c","password":"x","apop":"y"}`)
	b.wants(201, `"id": "1"`, "POST", "/mail/a%2Fb%20c", "Subject: two\n\n")
	b.wants(400, "needs a name", "POST", "/users", `{"name":"a"}`)
	if got := b.session("STAT"); got != "+OK 1 16" {
		t.Errorf("STAT: %s", got)
	}
}

func TestFaults(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.wants(200, `"using": []`, "GET", "/faults", "")
	b.wants(200, `"window-250"`, "GET", "/faults", "")
	b.wants(200, `"no-uidl"`, "PUT", "/faults", `{"personalities":["no-uidl"],"break":["p3-top-03","list-wrong-sizes"],"rules":[{"on":"STAT","reply":"+OK 7 7\r\n"}]}`)
	if got := b.session("STAT"); got != "+OK 7 7" {
		t.Errorf("STAT: %s", got)
	}
	if got := b.session("UIDL"); !strings.HasPrefix(got, "-ERR") {
		t.Errorf("UIDL: %s", got)
	}
	// A wrong request changes nothing.
	for body, problem := range map[string]string{
		`{"personalities":["nobody"]}`: `no personality \"nobody\"`,
		`{"break":["P3-ABC-99"]}`:      "P3-ABC-99",
		`{"rules":[{"on":"RETR"}]}`:    "does nothing",
		`{"rules":[{"no":1}]}`:         "unknown field",
		`{"rule":[]}`:                  "unknown field",
		`{} {}`:                        "behind",
		`no JSON`:                      "not what is wanted",
	} {
		b.wants(400, problem, "PUT", "/faults", body)
	}
	if got := b.session("STAT"); got != "+OK 7 7" {
		t.Errorf("STAT after wrong requests: %s", got)
	}
	b.wants(200, `"using": []`, "PUT", "/faults", `{}`)
	if got := b.session("STAT"); got != "+OK 0 0" {
		t.Errorf("STAT: %s", got)
	}
}

func TestWhatClientsDid(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.session("NOOP ")
	b.wants(200, `"ended": 1`, "GET", "/wait/1?timeout=10s", "")
	b.wants(504, "1 of 2 sessions", "GET", "/wait/2?timeout=1ms", "")
	b.wants(400, "timeout", "GET", "/wait/1?timeout=1y", "")
	b.wants(400, "no number", "GET", "/wait/x", "")
	b.wants(200, "C: PASS <secret>\n", "GET", "/transcripts/1", "")
	b.wants(404, `"error"`, "GET", "/transcripts/2", "")
	b.wants(200, `C: NOOP\\x20\n`, "GET", "/transcripts", "")
	b.wants(200, `"rule": "P3-SYN-03"`, "GET", "/assertions", "")
	b.wants(200, `"broken": []`, "GET", "/assertions?name=QuitAtEnd", "")
	b.wants(400, "Nonsense", "GET", "/assertions?name=Nonsense", "")

	_, text := b.asks("GET", "/recordings", "")
	var all []struct {
		Number int
		Events []struct {
			Kind   string
			Octets []byte
		}
	}
	if err := json.Unmarshal([]byte(text), &all); err != nil || len(all) != 1 || all[0].Number != 1 {
		t.Fatalf("%v\n%s", err, text)
	}
	if e := all[0].Events[1]; e.Kind != "client" || string(e.Octets) != "USER user\r\n" {
		t.Errorf("%q", e)
	}

	b.wants(200, "{}", "POST", "/reset", "")
	b.wants(200, "[]", "GET", "/transcripts", "")
	b.wants(200, `"octets": 24`, "GET", "/mail/user", "") // what Setup puts there
}

// Resets at the same time leave one beginning, not several.
func TestResetsAtTheSameTime(t *testing.T) {
	t.Parallel()
	srv := pop3test.NewServer(t)
	control := &testcontrol.Control{Server: srv, Setup: func() error {
		for range 100 { // others get their turn
			runtime.Gosched()
		}
		_, err := srv.Put(pop3test.User, "Subject: always here\r\n\r\n")
		return err
	}}
	handler := control.Handler()
	var all sync.WaitGroup
	for range 20 {
		all.Go(func() {
			handler.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest("POST", "http://localhost/reset", nil))
		})
	}
	all.Wait()
	if messages, err := srv.Messages(pop3test.User); err != nil || len(messages) != 1 {
		t.Errorf("%d messages, %v", len(messages), err)
	}
}

func TestStatusOfOtherRequests(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.wants(200, "BEGIN CERTIFICATE", "GET", "/", "")
	b.wants(200, "BEGIN CERTIFICATE", "GET", "/certificate", "")
	b.wants(404, `"error"`, "GET", "/nothing", "")
	b.wants(405, `"error"`, "DELETE", "/faults", "")
	b.wants(413, `"error"`, "PUT", "/faults", `{"break":["`+strings.Repeat("x", 2<<20)+`"]}`)
}

// No web page can use the interface: not under a name that leads to this
// machine, and not by a request to another origin.
func TestWebPagesAreRefused(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	host := func(name string) func(*http.Request) { return func(r *http.Request) { r.Host = name } }
	for name, status := range map[string]int{
		"localhost": 200, "LOCALHOST:80": 200, "127.0.0.1": 200, "127.9.9.9:1": 200, "[::1]:80": 200, "[::1]": 200,
		"rebound.example": 403, "rebound.example:80": 403, "localhost.example": 403, "127.0.0.1.example": 403, "192.0.2.1": 403, "0.0.0.0": 403,
	} {
		b.wants(status, "", "GET", "/", "", host(name))
	}
	origin := func(r *http.Request) { r.Header.Set("Origin", "https://page.example") }
	b.wants(403, "another origin", "POST", "/reset", "", origin)
	b.wants(403, "another origin", "POST", "/mail/user", "x", func(r *http.Request) { r.Header.Set("Sec-Fetch-Site", "cross-site") })
}

func TestAllowRemoteTakesAnyHost(t *testing.T) {
	t.Parallel()
	control := &testcontrol.Control{Server: pop3test.NewServer(t), AllowRemote: true}
	w := httptest.NewRecorder()
	control.Handler().ServeHTTP(w, httptest.NewRequest("GET", "http://testserver:8080/", nil))
	if w.Code != 200 {
		t.Errorf("%d %s", w.Code, w.Body)
	}
}

// python is a test as somebody else would write it.
const python = `
import json, poplib, ssl, sys, urllib.request
control = sys.argv[1]
def ask(method, path, body=None):
    r = urllib.request.Request(control + path, data=body, method=method)
    with urllib.request.urlopen(r) as a:
        return json.load(a)
about = ask("GET", "/")
trust = ssl.create_default_context(cadata=about["certificate"])
def connect():
    host, port = about["pop3s"].rsplit(":", 1)
    p = poplib.POP3_SSL("localhost", int(port), context=trust)
    p.user(about["user"]); p.pass_(about["password"])
    return p
assert ask("POST", "/mail/user", b"Subject: hello\n\n.\n")["id"] == "1"
p = connect()
assert p.stat() == (1, 21), p.stat()
assert p.retr(1)[1] == [b"Subject: hello", b"", b"."]
p.dele(1); p.quit()
assert ask("GET", "/wait/1")["ended"] == 1
assert ask("GET", "/mail/user") == []
assert ask("GET", "/assertions")["broken"] == []
ask("PUT", "/faults", json.dumps({"personalities": ["in-use"]}).encode())
try:
    connect()
except poplib.error_proto as e:
    assert b"[IN-USE]" in e.args[0]
else:
    raise SystemExit("the login worked")
assert "[IN-USE]" in ask("GET", "/transcripts")[1]["transcript"]
print("done")
`

func TestPython(t *testing.T) {
	t.Parallel()
	program := peer.Need(t, "python3")
	b := newBench(t)
	out, err := exec.CommandContext(t.Context(), program, "-c", python, b.http.URL).CombinedOutput()
	if err != nil || string(out) != "done\n" {
		t.Errorf("%v\n%s", err, out)
		for _, rec := range b.srv.Transcripts() {
			fmt.Fprintln(t.Output(), rec)
		}
	}
}
