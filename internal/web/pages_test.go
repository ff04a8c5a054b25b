package web

import (
	"archive/zip"
	"bytes"
	"errors"
	"fmt"
	"html"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"

	"postfach/internal/explore"
	"postfach/internal/hint"
	"postfach/pop3test"
)

func TestAccountsCanBeOpenedAndClosed(t *testing.T) {
	t.Parallel()
	one, two := server(t, letter("Ada", "one")), server(t, letter("Bob", "two"))
	second := accountOf(two)
	second.Name = "Second mailbox"
	b := visitor(t, explore.Picker{Accounts: []explore.Account{accountOf(one), second}})
	b.wants(200, "Test mailbox", "Second mailbox", "user at localhost")
	b.post("/open", "account", "0")
	b.wants(200, ">one</a>", "This mailbox is held")
	b.post("/open", "account", "1") // both at once
	b.wants(200, ">two</a>")
	b.post("/open", "account", "0") // open already: the same one
	if b.at.Path != "/a/1/" {
		t.Errorf("opened again at %s", b.at)
	}
	b.post("/a/2/close")
	b.wants(200, "Mailboxes")
	b.get("/a/2/")
	b.wants(404, "This account is not open")
	if err := two.WaitSessions(t.Context(), 1); err != nil {
		t.Error(err)
	}
	b.post("/open", "account", "7")
	b.wants(400)
}

func TestPasswordForm(t *testing.T) {
	t.Parallel()
	srv := server(t, letter("Ada", "one"))
	b := visitor(t, explore.Picker{Accounts: []explore.Account{asking(srv)}})
	b.post("/open", "account", "0")
	b.wants(200, "Password for Test mailbox", `type="password"`)
	b.post("/a/1/login", "password", "")
	b.wants(422, "The password is missing")
	b.post("/a/1/login", "password", pop3test.Password)
	b.wants(200, ">one</a>")
	b.post("/a/1/release")
	b.wants(200, "was let go")
	b.post("/a/1/connect") // the password is remembered
	b.wants(200, "This mailbox is held")
}

func TestTypedAccounts(t *testing.T) {
	t.Parallel()
	srv := server(t, letter("Ada", "one"))
	var typed string
	parse := func(s string) (explore.Account, error) {
		if typed = s; strings.Contains(s, "nowhere") {
			return explore.Account{}, hint.Add(errors.New("no such server"), "look at your mail program")
		}
		return asking(srv), nil
	}
	p := explore.Picker{Parse: parse, ParseSTLS: func(s string) (explore.Account, error) { return parse("STLS " + s) }}
	b := visitor(t, p)
	for _, c := range []struct{ server, security, user, want string }{
		{"pop.example.org", "tls", "me@example.org", "pop3s://me%40example.org@pop.example.org"},
		{"pop.example.org:1995", "tls", "me", "pop3s://me@pop.example.org:1995"},
		{"pop.example.org", "stls", "a/b", "STLS pop3://a%2Fb@pop.example.org"},
		{"::1", "stls", "me", "STLS pop3://me@[::1]"},
		{"[::1]:110", "stls", "me", "STLS pop3://me@[::1]:110"},
		{"localhost", "stls", "me", "STLS pop3://me@localhost"},
		{"localhost:1110", "tls", "me", "pop3s://me@localhost:1110"},
		{"LocalHost:110", "none", "me", "pop3://me@LocalHost:110"},
		{"127.0.0.1", "none", "me", "pop3://me@127.0.0.1"},
		{"", "tls", "me@example.org", "pop3s://me@example.org"},
		{"", "tls", "me@localhost:1110", "pop3s://me@localhost:1110"},
		{"", "stls", "a@b@example.org", "STLS pop3://a%40b@example.org"},
	} {
		b.post("/typed", "server", c.server, "security", c.security, "user", c.user, "password", pop3test.Password)
		b.wants(200, ">one</a>")
		if typed != c.want {
			t.Errorf("%+v became %q", c, typed)
		}
		b.post(b.at.Path + "close")
		b.wants(200)
	}
	for _, server := range []string{"pop.example.org/x", "a b", "x@y", "host:port", "host:99999", "pop3s://x"} {
		b.post("/typed", "server", server, "security", "tls", "user", "me", "password", "secret-typed")
		b.wants(422, "This names no mailbox", html.EscapeString(server))
		b.lacks("secret-typed")
	}
	b.post("/typed", "server", "nowhere", "security", "tls", "user", "me", "password", "x")
	b.wants(422, "no such server", "look at your mail program")
	b.post("/typed", "server", "pop.example.org", "security", "tls", "user", "me", "password", pop3test.Password)
	b.post("/typed", "server", "pop.example.org", "security", "tls", "user", "me", "password", pop3test.Password) // open already
	b.wants(200, ">one</a>")
	b.post("/typed", "server", "localhost", "security", "stls", "user", "me", "password", pop3test.Password) // the same one, in another way
	b.wants(409, "open here already")
	b.get("/")
	b.post("/a/10/close")
	b.post("/typed", "server", "pop.example.org", "security", "tls", "user", "me", "password", "wrong")
	b.wants(403, "does not accept", "pop.example.org", "app password")
	b.lacks("does not take this user name")
	typed = ""
	for _, server := range []string{"pop.example.org", "localhost.example.org", "192.0.2.1"} {
		b.post("/typed", "server", server, "security", "none", "user", "me", "password", "secret-typed")
		b.wants(422, "only a server on this machine", server)
		b.lacks("secret-typed")
	}
	b.post("/typed", "server", "localhost", "user", "me", "password", "x")
	b.wants(422, "choose an encryption")
	if typed != "" {
		t.Errorf("%q was parsed", typed)
	}
	b.post("/typed", "server", "pop.example.org", "user", "")
	b.wants(422, "the user name is missing")
}

func TestTheListHasWindowsOfAHundred(t *testing.T) {
	t.Parallel()
	var all []string
	for n := range 250 {
		all = append(all, letter("Ada", fmt.Sprintf("letter %d", n+1)))
	}
	b := opened(t, server(t, all...))
	b.wants(200, "Messages 1 to 100 of 250", "Next 100")
	if n := len(b.keys()); n != 100 {
		t.Errorf("%d rows", n)
	}
	b.get("/a/1/?from=200")
	b.wants(200, "Messages 201 to 250 of 250", "Previous 100")
	b.lacks("Next 100")
	b.get("/a/1/?from=9900") // the list was longer once
	b.wants(200, "Messages 201 to 250 of 250")
	b.get("/a/1/?sort=number&down=1")
	b.wants(200, ` data-live>250</td>`)
}

// settled waits until no header is left to read.
func settled(b *browser, path string) {
	b.t.Helper()
	b.until(path, func() bool {
		return !strings.Contains(b.html, "being read") && !strings.Contains(b.html, "headers read")
	})
}

func TestSearchAndOrder(t *testing.T) {
	t.Parallel()
	b := opened(t, server(t, letter("Carl", "zebra"), letter("Ada", "lion"), letter("Bob", "ant")+strings.Repeat("x", 2000)+"\r\n"))
	settled(b, "/a/1/?sort=subject")
	if i, j := strings.Index(b.html, ">ant<"), strings.Index(b.html, ">zebra<"); i < 0 || j < i {
		t.Error("not sorted by subject")
	}
	b.wants(200, `aria-sort="ascending"`)
	settled(b, "/a/1/?q=ada")
	b.wants(200, ">lion<", "Messages 1 to 1 of 1 found", `value="ada"`)
	b.lacks(">zebra<")
	b.get("/a/1/?q=%3E1k")
	b.wants(200, ">ant<")
	b.lacks(">lion<")
	b.get("/a/1/?q=nothing")
	b.wants(200, "No message matches.")
	b.get("/a/1/?marked=1")
	b.wants(200, "No message is marked.")
}

func TestMarkUndoAndCommitDeleteJustThat(t *testing.T) {
	t.Parallel()
	srv := server(t, letter("Ada", "one"), letter("Bob", "two"), letter("Carl", "three"))
	b := opened(t, srv)
	keys := b.keys()
	b.post("/a/1/mark", "key", keys[0], "key", keys[1], "do", "mark")
	b.wants(200, "2 messages marked", "Undo")
	b.post("/a/1/undo")
	b.wants(200, "2 messages unmarked")
	b.lacks("marked for deletion</strong>")
	b.post("/a/1/mark", "mark", keys[1], "key", keys[0]) // the button counts, not what is ticked
	b.wants(200, "1 message marked")
	b.post("/a/1/mark", "key", "") // nothing
	b.wants(400, "No message is ticked")
	b.get("/a/1/staged")
	b.wants(200, "Exactly this message", "two", "Delete 1 message for good", `name="keys" value="`+keys[1]+` "`)
	b.lacks(">one<", ">three<")
	if got := subjects(t, srv); len(got) != 3 {
		t.Fatalf("deleted before it was confirmed: %q", got)
	}
	b.post("/a/1/commit", "keys", keys[0])
	b.wants(409, "Other messages are marked than you were shown")
	b.post("/a/1/commit", "keys", "")
	b.wants(400)
	b.get("/a/1/staged")
	b.post("/a/1/commit", "keys", keys[1])
	b.wants(200, "1 message deleted. The server has confirmed it.", "two", "DELE 2", "QUIT")
	if got := subjects(t, srv); len(got) != 2 || got[0] != "one" || got[1] != "three" {
		t.Errorf("the store has %q", got)
	}
	b.get("/a/1/")
	b.wants(200, "was let go")
	b.post("/a/1/undo")
	b.wants(409, "nothing to undo")
	b.get("/a/1/outcome")
	b.wants(200, "1 message deleted")
}

// Two tabs confirm at the same moment, while others are
// busy: what is deleted is what was shown, once.
func TestTwoTabsDeleteOnce(t *testing.T) {
	t.Parallel()
	srv := server(t, letter("Ada", "one"), letter("Bob", "two"), letter("Carl", "three"))
	b := opened(t, srv)
	keys, form := b.keys(), b.token()
	b.post("/a/1/mark", "mark", keys[1])
	post := func(path, name, value string) *http.Request {
		return b.request("POST", path, url.Values{"form": {form}, name: {value}})
	}
	requests := []*http.Request{
		post("/a/1/commit", "keys", keys[1]), post("/a/1/commit", "keys", keys[1]), b.request("GET", "/a/1/m/"+keys[0], nil),
		post("/a/1/mark", "mark", keys[0]), post("/a/1/undo", "", ""), post("/a/1/connect", "", ""), post("/a/1/release", "", ""),
	}
	statuses := make([]int, len(requests))
	var all sync.WaitGroup
	for i, r := range requests {
		all.Go(func() {
			answer, err := b.client.Do(r)
			if err != nil {
				t.Error(err)
				return
			}
			answer.Body.Close()
			statuses[i] = answer.StatusCode
		})
	}
	all.Wait()
	if slices.Contains(statuses, 500) {
		t.Error("a mistake of ours")
	}
	if got := subjects(t, srv); !slices.Equal(got, []string{"one", "three"}) && !slices.Equal(got, []string{"one", "two", "three"}) {
		t.Errorf("the store has %q", got)
	}
}

func TestNothingIsMarkedInAMailboxForReading(t *testing.T) {
	t.Parallel()
	srv := server(t, letter("Ada", "one"))
	a := accountOf(srv)
	a.ReadOnly = true
	b := visitor(t, explore.Picker{Start: &a})
	b.wants(200, "for reading only")
	b.lacks(`name="mark"`)
	b.post("/a/1/mark", "mark", b.keys()[0])
	b.wants(403, "for reading only")
}

// A form leads back into its account and nowhere else.
func TestFormsLeadNowhereElse(t *testing.T) {
	t.Parallel()
	b := opened(t, server(t, letter("Ada", "one")))
	key := b.keys()[0]
	for _, back := range []string{"http://evil.example/", "//evil.example/", `/\evil.example/`, b.home + "/a/1/../../x", "javascript:1", b.home + "/a/12/", "/", b.home + `/a/1/\..`, "http://" + b.home + "/a/1/", "/a/1/x"} {
		b.post("/a/1/mark", "mark", key, "back", back)
		b.wants(200, "Messages")
		if b.at.Path != "/a/1/" || !strings.HasPrefix(b.base, "http://"+b.at.Host+"/") {
			t.Errorf("%q leads to %s", back, b.at)
		}
	}
	b.post("/a/1/mark", "unmark", key, "back", b.home+"/a/1/?sort=size&down=1")
	if b.at.RawQuery != "sort=size&down=1" {
		t.Errorf("leads back to %s", b.at)
	}
}

const mixed = "From: Ada <ada@example.org>\r\nTo: me@example.org\r\nSubject: =?utf-8?q?Gr=C3=BC=C3=9Fe?=\r\nX-Other: yes\r\nMIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n" +
	"--b\r\nContent-Type: multipart/alternative; boundary=c\r\n\r\n" +
	"--c\r\nContent-Type: text/plain; charset=iso-8859-1\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\nSch=F6ne Gr=FC=DFe <b>\r\n" +
	"--c\r\nContent-Type: text/html; charset=utf-8\r\n\r\n<p>Sch\u00f6ne <b>Gr\u00fc\u00dfe</b></p>\r\n--c--\r\n" +
	"--b\r\nContent-Type: text/html; name=\"../../a b\u00fc.html\"\r\nContent-Disposition: attachment; filename=\"../../r\u00e9sum\u00e9 \\\"x\\\".html\"\r\n\r\n<script>alert(1)</script>\r\n--b--\r\n"

func TestMessagePage(t *testing.T) {
	t.Parallel()
	b := opened(t, server(t, letter("Ada", "one"), mixed, letter("Bob", "three")))
	path := b.message(1)
	b.get(path + "?at=1")
	b.wants(200, "<h1>Grüße</h1>", "Schöne Grüße &lt;b&gt;", "As HTML", `rel="prev"`, `rel="next"`, "multipart/alternative", "iso-8859-1", "quoted-printable", "Raw message")
	b.lacks("X-Other", "<iframe")
	b.get(path + "?headers=all")
	b.wants(200, "X-Other")
	b.get(path + "?view=html")
	b.wants(200, `<iframe class="mail"`, `sandbox="allow-popups allow-popups-to-escape-sandbox"`)
	b.lacks("allow-scripts", "allow-same-origin")
	b.get(path + "?p=2&view=text")
	b.wants(200, "Text of the message")
	b.lacks("<script>alert")
	b.get(path + "?p=77")
	b.wants(200, "This message has no text.")
}

func TestNeighboursStayInTheirList(t *testing.T) {
	t.Parallel()
	b := opened(t, server(t, letter("Ada", "one"), letter("Bob", "two"), letter("Carl", "three")))
	settled(b, "/a/1/?sort=subject&down=1") // two, three, one
	keys := b.keys()
	b.get("/a/1/m/" + keys[1] + "?at=1&down=1&sort=subject")
	b.wants(200, "<h1>three</h1>", "/a/1/m/"+keys[0]+"?at=0&amp;down=1&amp;sort=subject", "/a/1/m/"+keys[2]+"?at=2&amp;down=1&amp;sort=subject")
	b.get("/a/1/m/" + keys[1] + "?at=0") // not there any more
	b.wants(200, "<h1>three</h1>")
}

func TestAttachmentsAreDownloads(t *testing.T) {
	t.Parallel()
	b := opened(t, server(t, mixed))
	path := b.message(0)
	for _, part := range []string{"2", "1.2"} {
		b.get(path + "/part?p=" + part)
		b.wants(200)
		for name, want := range map[string]string{"Content-Type": "application/octet-stream", "X-Content-Type-Options": "nosniff"} {
			if got := b.header.Get(name); got != want {
				t.Errorf("%s is %q", name, got)
			}
		}
		if csp := b.header.Get("Content-Security-Policy"); !strings.Contains(csp, "sandbox;") || !strings.Contains(csp, "default-src 'none'") {
			t.Errorf("policy %q", csp)
		}
		disposition := b.header.Get("Content-Disposition")
		if !strings.HasPrefix(disposition, "attachment; filename") || strings.ContainsAny(disposition, "/\\") || strings.Contains(disposition, "..") {
			t.Errorf("disposition %q", disposition)
		}
	}
	b.get(path + "/part?p=2")
	if strings.TrimSpace(b.html) != "<script>alert(1)</script>" {
		t.Errorf("got %q", b.html)
	}
	b.get(path + "/part?p=9")
	b.wants(404, "no such part")
	b.get("/a/1/m/bm93aGVyZQ/part?p=1")
	b.wants(410, "not there any more")
	b.get("/a/1/m/!!!")
	b.wants(400)
}

func TestSaveWithoutReading(t *testing.T) {
	t.Parallel()
	raw := "this is: no header\r\n\x00\xff\r\n..dots\r\nno line end"
	srv := server(t, raw)
	stored, err := srv.Messages(pop3test.User)
	if err != nil {
		t.Fatal(err)
	}
	b := opened(t, srv)
	path := b.message(0)
	for range 2 { // from the server, then what is loaded
		b.get(path + "/eml")
		b.wants(200)
		if got, want := strings.TrimSuffix(b.html, "\r\n"), strings.TrimSuffix(stored[0].Octets, "\r\n"); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
		if d := b.header.Get("Content-Disposition"); !strings.HasPrefix(d, "attachment; filename=message-") || !strings.HasSuffix(d, ".eml") {
			t.Errorf("disposition %q", d)
		}
		b.get(path)
		b.wants(200)
	}
}

func TestRawPage(t *testing.T) {
	t.Parallel()
	body := ".\r\n..two\r\n<b>\r\n" + strings.Repeat("line\r\n", 1000)
	b := opened(t, server(t, "Subject: dots\r\n\r\n"+body))
	b.get(b.message(0) + "/raw")
	b.wants(200, "<code>Subject: dots</code>", "CRLF", `<span class="dot" title="the wire had one more dot here">.</span>`, "&lt;b&gt;", "Further lines")
	b.get(b.message(0) + "/raw?line=1000")
	b.wants(200, `<th scope="row">1005</th>`, "Earlier lines")
	b.lacks("Further lines")
}

// A message that cannot be loaded can still be looked at, marked and deleted.
func TestAMessageThatBlocksIsDeletedUnread(t *testing.T) {
	t.Parallel()
	srv := server(t, letter("Ada", "one"), letter("Bob", "two"), letter("Carl", "three"))
	for _, on := range []string{"RETR", "TOP"} {
		fault, err := pop3test.Rule{On: on, Match: "(?i)^" + on + " 2", DropAfter: new(10)}.Fault()
		if err != nil {
			t.Fatal(err)
		}
		srv.Use(fault)
	}
	a := accountOf(srv)
	b := visitor(t, explore.Picker{Start: &a}) // the headers cost the connection already
	path := b.message(1)
	key := b.keys()[1]
	b.until("/a/1/", func() bool { return strings.Contains(b.html, "(cannot be read)") })
	b.get(path)
	if b.status < 500 {
		t.Errorf("status %d", b.status)
	}
	b.wants(b.status, "The message could not be loaded", "Mark for deletion", path+"/preview", path+"/eml")
	b.get(path + "/preview")
	b.wants(b.status, "Not even the header could be read", "Mark for deletion")
	b.post("/a/1/mark", "mark", key)
	b.wants(200, "1 message marked")
	b.get("/a/1/staged")
	b.post("/a/1/commit", "keys", key)
	b.wants(200, "1 message deleted")
	if got := subjects(t, srv); len(got) != 2 || got[0] != "one" || got[1] != "three" {
		t.Errorf("the store has %q", got)
	}
}

func TestPreviewDoesNotLoad(t *testing.T) {
	t.Parallel()
	srv := server(t, mixed)
	b := opened(t, srv)
	b.get(b.message(0) + "/preview")
	b.wants(200, "Preview: Grüße", "X-Other", "The message was not loaded", "Schöne Grüße")
	b.post("/a/1/close")
	if err := srv.WaitSessions(t.Context(), 1); err != nil {
		t.Fatal(err)
	}
	for _, talk := range srv.Transcripts() {
		if strings.Contains(talk, "RETR") {
			t.Errorf("the preview loaded the message:\n%s", talk)
		}
	}
}

func TestAMessageIsLoadedOnce(t *testing.T) {
	t.Parallel()
	srv := server(t, mixed)
	b := opened(t, srv)
	path := b.message(0)
	for _, page := range []string{"", "?view=html", "/frame?p=1.2", "/part?p=2", "/raw", "/eml"} {
		b.get(path + page)
		b.wants(200)
	}
	b.post("/a/1/close")
	if err := srv.WaitSessions(t.Context(), 1); err != nil {
		t.Fatal(err)
	}
	if n := strings.Count(strings.Join(srv.Transcripts(), ""), "C: RETR"); n != 1 {
		t.Errorf("%d times RETR", n)
	}
}

func TestExport(t *testing.T) {
	t.Parallel()
	b := opened(t, server(t, letter("Ada", "one"), letter("Bob", "two"), letter("Carl", "three")))
	keys := b.keys()
	b.post("/a/1/export", "key", keys[0], "key", keys[2])
	b.wants(200, "those that you ticked (2)", "all messages (3)")
	b.post("/a/1/export/file", "what", "selection", "keys", keys[0]+" "+keys[2], "format", "mbox")
	b.wants(200, "Subject: one", "Subject: three")
	b.lacks("Subject: two")
	if d := b.header.Get("Content-Disposition"); !strings.HasSuffix(d, ".mbox") {
		t.Errorf("disposition %q", d)
	}
	b.post("/a/1/mark", "mark", keys[1])
	b.post("/a/1/export/file", "what", "marked", "format", "eml")
	b.wants(200, "Subject: two")
	for _, format := range []string{"zip", "maildir"} {
		b.post("/a/1/export/file", "what", "found", "format", format)
		b.wants(200)
		z, err := zip.NewReader(bytes.NewReader([]byte(b.html)), int64(len(b.html)))
		if err != nil {
			t.Fatal(err)
		}
		files := 0
		for _, f := range z.File {
			if !strings.HasSuffix(f.Name, "/") {
				files++
			}
		}
		if files != 3 {
			t.Errorf("%s holds %d files", format, files)
		}
	}
	settled(b, "/a/1/?q=ada")
	b.post("/a/1/export/file", "what", "found", "q", "ada", "format", "mbox")
	b.wants(200, "Subject: one")
	b.lacks("Subject: two")
	for _, form := range [][]string{
		{"what", "found", "format", "eml"},
		{"what", "found", "format", "exe"},
		{"what", "nothing", "format", "zip"},
		{"what", "selection", "keys", "", "format", "zip"},
	} {
		b.post("/a/1/export/file", form...)
		b.wants(400)
	}
}

// An export that breaks off must not look like a whole one.
func TestAnExportThatBreaksIsNoFile(t *testing.T) {
	t.Parallel()
	long := letter("Bob", "two") + strings.Repeat(strings.Repeat("x", 70)+"\r\n", 3000)
	srv := server(t, letter("Ada", "one"), long, letter("Carl", "three"))
	fault, err := pop3test.Rule{On: "RETR", Match: "3", DropAfter: new(20)}.Fault()
	if err != nil {
		t.Fatal(err)
	}
	srv.Use(fault)
	b := opened(t, srv)
	r := b.request("POST", "/a/1/export/file", map[string][]string{"form": {b.token()}, "what": {"found"}, "format": {"mbox"}})
	answer, err := b.client.Do(r)
	if err != nil {
		return // cut off before it began
	}
	defer answer.Body.Close()
	var got bytes.Buffer
	if _, err := got.ReadFrom(answer.Body); err == nil && answer.StatusCode == 200 {
		t.Errorf("%d octets look like a whole file", got.Len())
	}
}

func TestProtocolPage(t *testing.T) {
	t.Parallel()
	b := opened(t, server(t, letter("Ada", "one")))
	b.get("/a/1/protocol")
	b.wants(200, "<code>LIST</code>", "<code>CAPA</code>", `lang="en"`, "explorer</span>", "server</span>")
	b.lacks(pop3test.Password)
	b.get("/a/1/protocol/lines?after=3")
	b.wants(200, `data-next="`)
	b.lacks("<html")
}

func TestExplanationsSayTheirLanguage(t *testing.T) {
	t.Parallel()
	a := accountOf(server(t))
	b := visitor(t, explore.Picker{Start: &a, Options: explore.Options{Language: "de"}})
	b.get("/a/1/protocol")
	b.wants(200, `lang="de"`, `<html lang="en">`)
}

// What a server or a sender says stays text.
func TestHostileTextsAreEscaped(t *testing.T) {
	t.Parallel()
	evil := `"><script>x</script>` + "\x1b[31m\u202e"
	m := "From: =?utf-8?q?=3Cscript=3Ex=3C/script=3E=1B=E2=80=AE?= <a@example.org>\r\nSubject: " + evil + "\r\nX-" + "<script>x</script>: y\r\n\r\n" + evil + "\r\n"
	b := opened(t, server(t, m))
	path := b.message(0)
	settled(b, "/a/1/")
	for _, page := range []string{"/a/1/", path, path + "?headers=all", path + "/raw", path + "/preview", "/a/1/protocol"} {
		b.get(page)
		b.wants(200)
		b.lacks("<script>x", "\x1b", "\u202e")
	}
	b.get("/a/1/?q=%22%3E%3Cscript%3Ex")
	b.lacks("<script>x")
}

// A page that a script asks for is nobody who looks.
func TestBackgroundIsNotLooking(t *testing.T) {
	t.Parallel()
	b := opened(t, server(t, letter("Ada", "one")))
	settled(b, "/a/1/")
	release := func() string {
		_, after, _ := strings.Cut(b.html, `<time datetime="`)
		until, _, _ := strings.Cut(after, `" data-until`)
		return until
	}
	r := b.request("GET", "/a/1/bar", nil)
	r.Header.Set(background, "1")
	b.do(r)
	b.wants(200, "This mailbox is held")
	before := release()
	for range 3 {
		b.do(r.Clone(t.Context()))
	}
	if before == "" || release() != before {
		t.Errorf("from %q to %q", before, release())
	}
}
