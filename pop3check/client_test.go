package pop3check_test

import (
	"bufio"
	"context"
	"crypto/hmac"
	"crypto/md5"
	"crypto/tls"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"io"
	"net"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"postfach/pop3check"
	"postfach/pop3test"
	"postfach/sasl"
)

// Every rule for clients is a check, or has a reason why it is none.
func TestEveryClientRuleIsCheckedOrHasAReason(t *testing.T) {
	t.Parallel()
	checked := make(map[string]bool)
	for _, c := range pop3check.ClientChecks() {
		checked[c.ID] = true
	}
	reasons := pop3check.ClientUnchecked()
	for _, r := range pop3check.Requirements() {
		forClients := strings.HasPrefix(r.Role, "client") || strings.HasPrefix(r.Role, "both")
		reason, listed := reasons[r.ID]
		switch {
		case !forClients && (checked[r.ID] || listed):
			t.Errorf("%s is not for clients", r.ID)
		case checked[r.ID] && listed:
			t.Errorf("%s is a check, and has a reason why it is none", r.ID)
		case forClients && !checked[r.ID] && reason == "":
			t.Errorf("%s is no check, and has no reason", r.ID)
		}
		delete(reasons, r.ID)
	}
	for id := range reasons {
		t.Errorf("%s is not in the catalogue", id)
	}
}

// Checks name scenarios that there are, and every scenario is there for some.
func TestScenariosAndChecksBelongTogether(t *testing.T) {
	t.Parallel()
	for _, c := range pop3check.ClientChecks() {
		for _, name := range c.Scenarios {
			if _, ok := pop3test.ScenarioNamed(name); !ok {
				t.Errorf("%s: no scenario %s", c.ID, name)
			}
		}
	}
	seen := make(map[string]bool)
	for _, s := range pop3test.Scenarios() {
		if seen[s.Name] {
			t.Errorf("two scenarios %s", s.Name)
		}
		seen[s.Name] = true
		general := s.Auth != nil || s.Name == "capa-lies" || s.Name == "utf8-user"
		if len(s.Rules()) == 0 && !general {
			t.Errorf("scenario %s is there for no rule", s.Name)
		}
	}
}

// An act is what a client does in a scenario. A script has a line a step:
//
//	C: NOOP      say it with CR LF, read the reply
//	& NOOP       say it together with what comes next
//	(raw) NOOP   say these octets, read nothing
//	(early) NOOP as (raw), before the greeting
//	(tls ...)    begin TLS; careless, nosni, alpn: how
//	(scram)      say AUTH SCRAM-SHA-256, and go on up to the server's proof
//	(close)      close the connection, TLS as it should be
//	(cut)        close it without close_notify
//	(again)      connect again
//
// Octets are written as in Go's strings. {user}, {pass}, {apop} and {cram} are
// filled in; what stands in {b64:...} is encoded. At its end the connection is
// closed.
type act struct {
	script    string
	exit      int
	delivered []string // what the client made of the messages, if not nil
	output    string
}

const (
	login    = "C: USER {user}\nC: PASS {pass}\n"
	fetchAll = "C: STAT\nC: LIST\nC: RETR 1\nC: RETR 2\nC: RETR 3\nC: QUIT\n"
	session  = login + fetchAll
	uidl     = login + "C: UIDL\n" + fetchAll
	starttls = "C: CAPA\nC: STLS\n(tls)\nC: CAPA\n"
)

// An example is a client that breaks a rule and one that keeps it, in one
// scenario.
type example struct {
	id, scenario string
	wrong, right act
}

func does(script string) act { return act{script: script} }

func fails(script string) act { return act{script: script, exit: 1} }

func examples() []example {
	return slices.Concat([]example{
		{"P3-SYN-01", "good", does("C: NOOP\n(raw) USER {user}\\n\n"), does(session)},
		{"P3-SYN-03", "good", does("C: USER  {user}\n"), does(session)},
		{"P3-SYN-03", "good", does("C: CAPA \n"), does(session)},
		{"P3-SYN-04", "good", does("C: HELLO\n"), does(session)},
		{"P3-SYN-05", "good", does("C: USER a\\x01b\n"), does(session)},
		{"P3-SYN-12", "bare-replies", fails("C: USER {user}\n"), does(session)},
		{"P3-SYN-17", "uidl-temporary", does("C: CAPA\n" + login + "C: UIDL\nC: LAST\n"), fails("C: CAPA\n" + login + "C: UIDL\nC: QUIT\n")},
		{"P3-SYN-18", "retr-text", fails(login + "C: RETR 1\n"), does(session)},
		{"P3-SYN-26", "crlf-in-user", does("& USER user\nC: NOOP 4711\n"), fails("C: CAPA\n")},
		{"P3-SYN-28", "no-status", does(session), fails(login)},
		{"P3-SYN-28", "lower-case", fails("C: USER {user}\n"), does(session)},
		{"P3-CAPA-03", "capa-odd", fails("C: CAPA\n"), does(starttls + session)},
		{"P3-CAPA-04", "no-capa", fails("C: CAPA\nC: QUIT\n"), does("C: CAPA\n" + session)},
		{"P3-CAPA-05", "minimal", fails(login + "C: UIDL\nC: QUIT\n"), does(session)},
		{"P3-GRT-08", "apop", does("C: APOP {user} {apop-inside}\n"), does("C: APOP {user} {apop}\n" + fetchAll)},
		{"P3-GRT-09", "apop-odd", does("C: APOP {user} {apop}\n"), fails("C: QUIT\n")},
		{"P3-GRT-10", "banner", does("C: XTND X\n" + session), does(session)},
		{"P3-GRT-13", "greeting-err", does(login), fails("C: QUIT\n")},
		{"P3-GRT-15", "good", does("(early) CAPA\\r\\n\n"), does(session)},
		{"P3-APOP-01", "apop", does("C: APOP {user} {APOP}\n"), does("C: APOP {user} {apop}\n" + fetchAll)},
		{"P3-APOP-09", "apop-stls", does(starttls + "C: APOP {user} {apop}\n"), does(starttls + session)},
		{"P3-LCK-10", "in-use", fails(login + "C: PASS another\n"), fails(login + "C: QUIT\n")},
		{"P3-RSP-09", "wrong-password", fails(login + "C: AUTH PLAIN {b64:\\x00{user}\\x00{pass}}\n"), fails(login + "C: QUIT\n")},
		{"P3-RSP-09", "sys-temp", does(login + "C: QUIT\n"), fails(login + "C: QUIT\n")},
		{"P3-USR-08", "good-stls", does(session), does(starttls + session)},
		{"P3-USR-12", "good", act{script: session, output: "logging in with open sesame 4711"}, act{script: session, output: "logging in"}},
		{"P3-OAUTH-10", "xoauth2", act{script: "(tls)\n" + xoauth2, output: "{pass}"}, act{script: "(tls)\n" + xoauth2, output: "fetching"}},
		{"P3-UTF-08", "utf8-user", does("C: CAPA\n" + session), fails("C: CAPA\nC: QUIT\n")},
	}, []example{
		{"P3-MSG-10", "list-size", fails(login + "C: LIST\nC: RETR 1\n"), does(session)},
		{"P3-MSG-11", "long-line", fails(login + "C: RETR 1\nC: RETR 2\n"), does(session)},
		{"P3-MSG-12", "huge-size", fails(login + "C: STAT\n"), does(session)},
		{"P3-MLT-03", "dots", act{script: session, delivered: instead("dots", "\r\n..\r\n...\r\n...two\r\n")}, act{script: session, delivered: messages("dots")}},
		{"P3-MLT-05", "good", fails(login + "C: LIST 1\n"), does(login + "C: LIST 1\n" + fetchAll)},
		{"P3-MLT-06", "octet-by-octet", fails(login + "C: RETR 1\n(close)\n"), does(session)},
		{"P3-MLT-07", "bare-lf-dot", act{script: session, delivered: instead("bare-lf-dot", "before it\r\n")}, act{script: session, delivered: messages("bare-lf-dot")}},
		{"P3-MLT-09", "body-cut", does(login + "C: RETR 1\nC: RETR 2\n"), fails(login + "C: RETR 1\nC: RETR 2\n")},
		{"P3-MLT-09", "body-cut", fails(login + "C: RETR 2\n(again)\n" + login + "C: DELE 2\nC: QUIT\n"), fails(login + "C: RETR 2\n")},
		{"P3-TLS-18", "body-cut-tls", does("(tls)\n" + login + "C: RETR 2\n"), fails("(tls)\n" + login + "C: RETR 2\n")},
		{"P3-STAT-04", "stat-text", fails(login + "C: STAT\n"), does(session)},
		{"P3-LIST-07", "list-text", fails(session + "C: RETR 77\n"), does(session)},
		{"P3-RETR-04", "good", does(login + "C: DELE 1\nC: RETR 1\nC: QUIT\n"), does(login + "C: RETR 1\nC: DELE 1\n" + fetchAll)},
		{"P3-RETR-04", "good", does(login + "& RETR 1\nC: DELE 1\nC: QUIT\n"), does(login + "C: RETR 1\nC: QUIT\n(again)\n" + login + "C: DELE 1\nC: QUIT\n")},
		{"P3-UIDL-10", "uidl-double", does(login + "C: UIDL\nC: RETR 1\nC: RETR 3\nC: QUIT\n"), does(uidl)},
		{"P3-UIDL-11", "uidl-odd", does(login + "C: UIDL\nC: RETR 1\nC: RETR 3\nC: QUIT\n"), does(uidl)},
		{"P3-UIDL-12", "no-uidl", does(login + "C: UIDL\nC: QUIT\n"), fails(login + "C: UIDL\nC: QUIT\n")},
		{"P3-LAST-06", "last", does(login + "C: LAST\nC: QUIT\n"), does(uidl)},
		{"P3-UPD-07", "quit-slow", does(login + "(raw) QUIT\\r\\n\n(close)\n"), does(session)},
		{"P3-UPD-07", "quit-lost", does(login + "C: RETR 1\nC: DELE 1\nC: QUIT\n"), fails(login + "C: RETR 1\nC: DELE 1\nC: QUIT\n")},
		{"P3-UTF-13", "good", does("C: CAPA\n" + login + "C: RETR 1\nC: DELE 1\nC: QUIT\n"), does("C: CAPA\nC: UTF8\n" + login + "C: RETR 1\nC: DELE 1\nC: QUIT\n")},
		{"P3-PIPE-02", "retr-refused", does("C: CAPA\n" + login + "& RETR 1\nC: RETR 2\nC: QUIT\n"), fails("C: CAPA\n" + login + "& RETR 1\n& RETR 2\nC: RETR 3\nC: QUIT\n")},
		{"P3-PIPE-04", "good", does("& USER {user}\nC: PASS {pass}\n"), does("C: CAPA\n& USER {user}\nC: PASS {pass}\n")},
		{"P3-PIPE-06", "good-stls", does("C: CAPA\n& STLS\nC: CAPA\n"), does(starttls + session)},
		{"P3-PIPE-07", "good", does("C: CAPA\n" + login + "& RETR 1\nC: DELE 1\nC: QUIT\n"), does("C: CAPA\n" + login + "& RETR 1\n& RETR 2\nC: DELE 3\nC: QUIT\n")},
		{"P3-PIPE-07", "good", does("C: CAPA\n" + login + "& QUIT\nC: NOOP\n"), does("C: CAPA\n& USER {user}\nC: PASS {pass}\n" + fetchAll)},
	}, tlsExamples(), saslExamples())
}

func tlsExamples() []example {
	careless := func(id, scenario, before string) example {
		return example{id, scenario, does(before + "(tls careless)\n" + session), fails(before + "(tls)\n")}
	}
	const stls = "C: CAPA\nC: STLS\n"
	return []example{
		careless("P3-AUTH-25", "wrong-name", ""),
		careless("P3-TLS-13", "wrong-name-stls", stls),
		careless("P3-TLS-19", "unknown-root", ""),
		careless("P3-TLS-19", "expired", ""),
		careless("P3-TLS-02", "old-tls", stls),
		{"P3-CAPA-08", "good-stls", does("C: CAPA\nC: STLS\n(tls)\n" + uidl), does(starttls + uidl)},
		{"P3-TLS-01", "good-tls", fails("(tls)\n" + login), does("(tls)\n" + session)},
		{"P3-TLS-05", "good-stls", does("C: CAPA\n& STLS\nC: CAPA\n"), does(starttls + session)},
		{"P3-TLS-05", "good-stls", fails("C: CAPA\nC: STLS\nC: CAPA\n"), does(starttls + session)},
		{"P3-TLS-07", "stls-injected", does(starttls + session), fails("C: STLS\n")},
		{"P3-TLS-08", "capa-lies", does("C: CAPA\nC: STLS\n(tls)\nC: AUTH PLAIN {b64:\\x00{user}\\x00{pass}}\n"), does(starttls + session)},
		{"P3-TLS-10", "stls-broken", does("C: STLS\n(tls)\n(again)\n" + session), fails("C: STLS\n(tls)\n")},
		{"P3-TLS-11", "stls-stripped", does("C: CAPA\n" + session), fails("C: CAPA\nC: QUIT\n")},
		{"P3-TLS-11", "stls-refused", does("C: CAPA\nC: STLS\n" + session), fails("C: CAPA\nC: STLS\nC: QUIT\n")},
		{"P3-TLS-16", "good-tls", does("(tls nosni)\n" + session), does("(tls)\n" + session)},
		{"P3-TLS-17", "quit-open", does("(tls)\n" + session + "(cut)\n"), does("(tls)\n" + session + "(close)\n")},
		{"P3-TLS-22", "good-stls", does("C: UTF8\nC: STLS\n"), does(starttls + "C: UTF8\n" + session)},
		{"P3-TLS-23", "good-tls", does("(tls)\n" + session), does("(tls alpn)\n" + session)},
		{"P3-LANG-06", "good-stls", does("C: LANG\nC: STLS\n(tls)\n" + session), does(starttls + "C: LANG\n" + session)},
	}
}

const (
	clientFirst = "n,,n={user},r=fyko+d2lbbFgONRv9qkxdawL"
	bearer      = "n,a={user},\\x01host=localhost\\x01auth=Bearer {pass}\\x01\\x01"
	xoauth2     = "C: AUTH XOAUTH2\nC: {b64:user={user}\\x01auth=Bearer {pass}\\x01\\x01}\n" + fetchAll
)

func saslExamples() []example {
	plain := "\\x00{user}\\x00{pass}"
	scram := "C: AUTH SCRAM-SHA-256 {b64:" + clientFirst + "}\n"
	return []example{
		{"P3-AUTH-01", "good", does("C: AUTH PLAIN {b64:" + plain + "} again\n"), does("C: CAPA\nC: AUTH PLAIN {b64:" + plain + "}\n" + fetchAll)},
		{"P3-AUTH-06", "good", does("C: AUTH PLAIN\nC: secret!\n"), does("C: AUTH PLAIN\nC: {b64:" + plain + "}\n" + fetchAll)},
		{"P3-AUTH-08", "good", does("C: AUTH PLAIN secret!\n"), does("C: AUTH PLAIN {b64:" + plain + "}\n" + fetchAll)},
		{"P3-AUTH-09", "external", does("C: CAPA\nC: AUTH EXTERNAL \n"), does("C: CAPA\nC: AUTH EXTERNAL =\n" + fetchAll)},
		{"P3-AUTH-11", "oauthbearer", does("(tls)\nC: AUTH OAUTHBEARER {b64:" + bearer + "}\n"), does("(tls)\nC: AUTH OAUTHBEARER\nC: {b64:" + bearer + "}\n" + fetchAll)},
		{"P3-AUTH-15", "auth-padding", does("C: AUTH CRAM-MD5\nC: {b64:{user} 1234}\n"), fails("C: AUTH CRAM-MD5\nC: *\n")},
		{"P3-AUTH-16", "auth-garbage", does("C: AUTH CRAM-MD5\n(close)\n"), fails("C: AUTH CRAM-MD5\nC: *\n")},
		{"P3-AUTH-17", "auth-long", does("C: AUTH CRAM-MD5\nC: *\n"), does("C: AUTH CRAM-MD5\nC: {b64:{user} {cram}}\n")},
		{"P3-AUTH-22", "digest-md5", fails("C: AUTH DIGEST-MD5\nC: {b64:username=\"u\",digest-uri=\"pop3/localhost\"}\n"), fails("C: AUTH DIGEST-MD5\nC: {b64:username=\"u\",digest-uri=\"pop/localhost\"}\n")},
		{"P3-AUTH-23", "auth-plain", fails("(tls)\nC: AUTH PLAIN {b64:\\x00{user}}\n"), does("(tls)\nC: AUTH PLAIN {b64:" + plain + "}\n" + fetchAll)},
		{"P3-AUTH-28", "no-capa", does("C: CAPA\nC: AUTH PLAIN {b64:" + plain + "}\n"), does("C: CAPA\nC: AUTH PLAIN\nC: {b64:" + plain + "}\n" + fetchAll)},
		{"P3-PLAIN-01", "good", does("C: AUTH PLAIN {b64:{user}\\x00{pass}}\n"), does("C: AUTH PLAIN {b64:" + plain + "}\n" + fetchAll)},
		{"P3-PLAIN-05", "good-stls", does("C: AUTH PLAIN {b64:" + plain + "}\n"), does(starttls + "C: AUTH PLAIN {b64:" + plain + "}\n" + fetchAll)},
		{"P3-EXT-03", "external", does("C: AUTH EXTERNAL {b64:\\x00{user}}\n"), does("C: AUTH EXTERNAL {b64:{user}}\n" + fetchAll)},
		{"P3-CRAM-01", "cram-md5", does("C: AUTH CRAM-MD5\nC: {b64:{cram} {user}}\n"), does("C: AUTH CRAM-MD5\nC: {b64:{user} {cram}}\n" + fetchAll)},
		{"P3-SCRAM-01", "auth-scram", does("C: AUTH SCRAM-SHA-256 {b64:n,,r=abc,n={user}}\n"), does(scram)},
		{"P3-SCRAM-02", "scram-sha-1", does("C: AUTH SCRAM-SHA-1 {b64:" + clientFirst + "}\n"), does(scram)},
		{"P3-SCRAM-04", "scram-nonce", does(scram + "C: {b64:c=biws,r=x,p=AAAA}\n"), fails(scram + "C: *\n")},
		{"P3-SCRAM-05", "scram-signature", does("(scram)\nC: \n" + fetchAll), fails("(scram)\n(close)\n")},
		{"P3-AUTH-21", "auth-scram", does("(scram)\nC: *\n"), does("(scram)\nC: \n" + fetchAll)},
		{"P3-SCRAM-07", "scram-mandatory", does(scram + "C: {b64:c=biws,r=x,p=AAAA}\n"), fails(scram + "C: *\n")},
		{"P3-SCRAM-11", "scram-plus", does("(tls)\nC: CAPA\nC: AUTH SCRAM-SHA-256 {b64:y,,n={user},r=abc}\n"), does("(tls)\nC: CAPA\n" + scram)},
		{"P3-OAUTH-01", "oauthbearer-clear", does("C: AUTH OAUTHBEARER\nC: {b64:" + bearer + "}\n"), fails("C: CAPA\nC: QUIT\n")},
		{"P3-OAUTH-02", "oauthbearer", does("(tls)\nC: AUTH OAUTHBEARER\nC: {b64:n,a={user},\\x01auth={pass}\\x01}\n"), does("(tls)\nC: AUTH OAUTHBEARER\nC: {b64:" + bearer + "}\n" + fetchAll)},
		{"P3-OAUTH-05", "oauthbearer-refused", fails("(tls)\nC: AUTH OAUTHBEARER\nC: {b64:" + bearer + "}\nC: \n"), fails("(tls)\nC: AUTH OAUTHBEARER\nC: {b64:" + bearer + "}\nC: AQ==\n")},
		{"P3-OAUTH-08", "xoauth2", does("(tls)\nC: AUTH XOAUTH2\nC: {b64:user={user},auth=Bearer {pass}}\n"), does("(tls)\n" + xoauth2)},
		{"P3-OAUTH-09", "xoauth2", does("(tls)\nC: AUTH XOAUTH2\n(close)\n"), does("(tls)\n" + xoauth2)},
	}
}

// messages are those of a scenario.
func messages(scenario string) []string {
	s, _ := pop3test.ScenarioNamed(scenario)
	return s.Messages
}

// instead are those messages with another second one.
func instead(scenario, second string) []string {
	all := slices.Clone(messages(scenario))
	all[1] = second
	return all
}

// Each check of clients fails for a client that breaks its rule, and passes for
// one that keeps it.
func TestEachClientCheckFailsForAWrongClient(t *testing.T) {
	t.Parallel()
	shown := make(map[string]bool)
	for _, x := range examples() {
		shown[x.id] = true
		t.Run(x.id+"/"+x.scenario, func(t *testing.T) {
			t.Parallel()
			for want, a := range map[pop3check.Status]act{pop3check.Fail: x.wrong, pop3check.Pass: x.right} {
				r := judged(t, x.id, x.scenario, a)
				if r.Status != want {
					t.Errorf("%s, want %s: want %s; got %s\n\t%s", r.Status, want, r.Want, r.Got, strings.Join(r.Trace, "\n\t"))
				}
				if s := fmt.Sprint(r.Trace); strings.Contains(s, "open sesame") {
					t.Errorf("the trace has the password: %s", s)
				}
			}
		})
	}
	for _, c := range pop3check.ClientChecks() {
		if !shown[c.ID] {
			t.Errorf("nothing shows that %s can fail", c.ID)
		}
	}
}

// judged plays an act and returns the result of one rule.
func judged(t *testing.T, id, scenario string, a act) pop3check.Result {
	t.Helper()
	var runs []pop3check.ClientRun
	if id == "P3-GRT-10" {
		runs = append(runs, perform(t, "good", does(session)))
	}
	runs = append(runs, perform(t, scenario, a))
	for _, r := range pop3check.JudgeClient(runs) {
		if r.ID == id {
			return r
		}
	}
	t.Fatalf("no check %s", id)
	return pop3check.Result{}
}

// perform plays an act at a server of its own.
func perform(t *testing.T, scenario string, a act) pop3check.ClientRun {
	t.Helper()
	sc, ok := pop3test.ScenarioNamed(scenario)
	if !ok {
		t.Fatalf("no scenario %s", scenario)
	}
	srv := pop3test.NewServer(t)
	if err := srv.Play(sc); err != nil {
		t.Fatal(err)
	}
	p := &player{t: t, srv: srv, sc: sc, script: strings.Split(strings.TrimSuffix(a.script, "\n"), "\n")}
	p.play()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	if err := srv.WaitSessions(ctx, 1+strings.Count(a.script, "(again)")); err != nil {
		t.Fatal(err)
	}
	run := pop3check.ClientRun{
		Scenario: sc.Name, Security: sc.Security, User: sc.User, Password: sc.Password,
		Recordings: srv.Recordings(), Messages: sc.Messages, Exit: &a.exit,
		Output: p.fill(a.output), Delivered: a.delivered, DeliveredKnown: a.delivered != nil,
	}
	return run
}

// A player plays a script. It goes on as long as the server does.
type player struct {
	t      *testing.T
	srv    *pop3test.Server
	sc     pop3test.Scenario
	script []string

	raw, conn net.Conn
	br        *bufio.Reader
	greeting  string
	challenge string
	queued    string
	over      bool
}

func (p *player) play() {
	p.connect()
	for i, step := range p.script {
		if rest, ok := strings.CutPrefix(step, "(early) "); ok {
			p.write(p.fill(rest))
			continue
		}
		if p.greeting == "" && !strings.HasPrefix(step, "(tls") {
			p.greeting = p.line()
		}
		p.step(step)
		if i+1 < len(p.script) && p.script[i+1] == "(again)" {
			p.conn.Close()
		}
	}
	p.conn.Close()
}

func (p *player) connect() {
	addr := p.srv.Addr
	if strings.HasPrefix(p.script[0], "(tls") {
		addr = p.srv.AddrTLS
	}
	conn, err := net.Dial("tcp", addr)
	if err != nil {
		p.t.Fatal(err)
	}
	conn.SetDeadline(time.Now().Add(10 * time.Second))
	p.raw, p.conn, p.br, p.greeting, p.over = conn, conn, bufio.NewReader(conn), "", false
}

func (p *player) step(step string) {
	word, rest, _ := strings.Cut(step, " ")
	switch word {
	case "C:":
		p.write(p.queued + p.fill(rest) + "\r\n")
		queued := strings.Count(p.queued, "\r\n")
		commands := strings.SplitAfter(p.queued+rest, "\r\n")
		p.queued = ""
		for n := range queued + 1 {
			p.reply(commands[n])
		}
	case "&":
		p.queued += p.fill(rest) + "\r\n"
	case "(raw)":
		p.write(p.fill(rest))
	case "(again)":
		p.connect()
		p.greeting = p.line()
	case "(scram)":
		p.scram()
	case "(close)":
		p.conn.Close()
	case "(cut)":
		p.raw.Close()
	default:
		p.handshake(step)
	}
}

func (p *player) handshake(step string) {
	conf := p.srv.ClientTLS()
	if strings.Contains(step, "careless") {
		conf.InsecureSkipVerify = true
		conf.MinVersion = tls.VersionTLS10
	}
	if strings.Contains(step, "nosni") {
		conf.InsecureSkipVerify, conf.ServerName = true, ""
	}
	if strings.Contains(step, "alpn") {
		conf.NextProtos = []string{"pop3"}
	}
	tc := tls.Client(p.raw, conf)
	if tc.Handshake() != nil {
		p.over = true
		p.raw.Close()
		return
	}
	p.conn, p.br = tc, bufio.NewReader(tc)
	if p.greeting == "" {
		p.greeting = p.line()
	}
}

// scram proves the password, and leaves the server's proof to the script.
func (p *player) scram() {
	c := sasl.NewScramClient(sasl.SHA256, false, p.sc.User, p.sc.Password)
	_, first, err := c.Start()
	if err != nil {
		p.t.Fatal(err)
	}
	p.step("C: AUTH SCRAM-SHA-256 " + base64.StdEncoding.EncodeToString(first))
	final, err := c.Next([]byte(p.challenge))
	if err != nil {
		p.t.Fatal(err)
	}
	p.step("C: " + base64.StdEncoding.EncodeToString(final))
}

func (p *player) write(octets string) {
	if !p.over {
		io.WriteString(p.conn, octets)
	}
}

// line reads a line. At the connection's end the rest of the script is not
// played.
func (p *player) line() string {
	if p.over {
		return ""
	}
	line, err := p.br.ReadString('\n')
	p.over = err != nil
	return line
}

func (p *player) reply(command string) {
	first := p.line()
	if coded, ok := strings.CutPrefix(first, "+ "); ok {
		octets, _ := base64.StdEncoding.DecodeString(strings.TrimSpace(coded))
		p.challenge = string(octets)
	}
	word, args, _ := strings.Cut(strings.TrimSpace(command), " ")
	many := slices.Contains([]string{"RETR", "CAPA", "TOP"}, word) || slices.Contains([]string{"LIST", "UIDL", "LANG"}, word) && args == ""
	for before := ""; many && strings.HasPrefix(strings.ToUpper(first), "+OK") && !p.over; {
		line := p.line()
		if line == ".\r\n" && !strings.HasSuffix(before, "it\n") {
			return
		}
		before = line
	}
}

// fill puts in what a script leaves open.
func (p *player) fill(s string) string {
	from, to := strings.IndexByte(p.greeting, '<'), strings.LastIndexByte(p.greeting, '>')
	stamp := ""
	if from >= 0 && to > from {
		stamp = p.greeting[from : to+1]
	}
	md := func(s string) string {
		sum := md5.Sum([]byte(s))
		return hex.EncodeToString(sum[:])
	}
	apop := md(stamp + p.sc.Password)
	s = strings.NewReplacer(
		"{user}", p.sc.User, "{pass}", p.sc.Password,
		"{apop}", apop, "{APOP}", strings.ToUpper(apop), "{apop-inside}", md(strings.Trim(stamp, "<>")+p.sc.Password),
		"{cram}", hmacOf(p.sc.Password, p.challenge),
	).Replace(s)
	for {
		before, rest, found := strings.Cut(s, "{b64:")
		if !found {
			return unquote(s)
		}
		inner, after, _ := strings.Cut(rest, "}")
		s = before + base64.StdEncoding.EncodeToString([]byte(unquote(inner))) + after
	}
}

func unquote(s string) string {
	octets, err := strconv.Unquote(`"` + strings.ReplaceAll(s, `"`, `\"`) + `"`)
	if err != nil {
		return s
	}
	return octets
}

func hmacOf(key, text string) string {
	mac := hmac.New(md5.New, []byte(key))
	mac.Write([]byte(text))
	return hex.EncodeToString(mac.Sum(nil))
}
