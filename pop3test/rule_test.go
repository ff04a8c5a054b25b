package pop3test_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"os"
	"reflect"
	"runtime"
	"strings"
	"testing"
	"time"

	"postfach/pop3test"
)

// use makes the server follow rules, given as JSON.
func use(t *testing.T, srv *pop3test.Server, rules ...string) {
	t.Helper()
	for _, text := range rules {
		rule, err := pop3test.ParseRule(text)
		if err != nil {
			t.Fatal(err)
		}
		fault, err := rule.Fault()
		if err != nil {
			t.Fatal(err)
		}
		srv.Use(fault)
	}
}

func TestRules(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ rule, script string }{
		"reply":            {`{"on":"retr","match":" 2$","reply":"-ERR [SYS/TEMP] later\r\n"}`, login + "C: RETR 1\nS: +OK\nS: ...\nS: .\nC: RETR 2\nS: -ERR [SYS/TEMP] later\n"},
		"reply-unheard":    {`{"on":"DELE","reply":"+OK\r\n"}`, login + "C: DELE 1\nS: +OK\nC: STAT\nS: +OK 2 50\n"},
		"after-and-times":  {`{"on":"NOOP","after":1,"times":2,"reply":"-ERR\r\n"}`, login + "C: NOOP\nS: +OK\nC: NOOP\nS: -ERR\nC: NOOP\nS: -ERR\nC: NOOP\nS: +OK\n"},
		"replace":          {`{"on":"LIST","replace":["1 28","1 99","2 22","2 0"]}`, login + "C: LIST\nS: +OK\nS: 1 99\nS: 2 0\nS: .\n"},
		"append":           {`{"on":"STLS","append":"+OK injected\r\n"}`, "S: +OK\nC: STLS\nS: +OK\nS: +OK injected\n(hangup)\n"},
		"drop-after":       {`{"on":"RETR","drop-after":9}`, login + "C: NOOP\nS: +OK\nC: RETR 1\nS: +OK 28 oc\\\n(close)\n"},
		"drop-before-any":  {`{"on":"QUIT","drop-after":0}`, login + "C: DELE 1\nS: +OK\nC: QUIT\n(close)\n"},
		"drop-command":     {`{"drop-command":4}`, login + "C: NOOP\nS: +OK\nC: NOOP\n(close)\n"},
		"greeting-reply":   {`{"on":"greeting","reply":"-ERR no\r\n"}`, "S: -ERR no\n"},
		"greeting-drop":    {`{"on":"greeting","drop-after":3}`, "S: +OK\\\n(close)\n"},
		"greeting-split":   {`{"on":"greeting","split-every":4}`, login},
		"split-every":      {`{"on":"*","split-every":1}`, login + "C: LIST\nS: +OK\nS: 1 28\nS: 2 22\nS: .\n"},
		"split-terminator": {`{"on":"LIST","split-terminator":true}`, login + "C: LIST\nS: +OK\nS: 1 28\nS: 2 22\nS: .\n"},
		"delay-and-drip":   {`{"delay":"2ms","drip":"1ms","split-every":9}`, login + "C: LIST\nS: +OK\nS: 1 28\nS: 2 22\nS: .\n"},
		"response":         {`{"on":"response","reply":"-ERR [AUTH] no\r\n"}`, "S: +OK\nC: AUTH PLAIN\nS: + \nC: AHVzZXIAcCB3\nS: -ERR [AUTH] no\nC: AUTH PLAIN AHVzZXIAcCB3\nS: +OK\n"},
		"challenge":        {`{"on":"AUTH","replace":["+ ","-ERR"]}`, "S: +OK\nC: AUTH PLAIN\nS: -ERR\nC: USER user\nS: +OK\nC: PASS p w\nS: +OK\n"},
		"another-session":  {`{"on":"STAT","session":2,"reply":"-ERR\r\n"}`, login + "C: STAT\nS: +OK 2 50\n"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			srv := newServer(t)
			use(t, srv, c.rule)
			play(t, srv, c.script)
		})
	}
}

// A command whose reply is lost was obeyed; one at which the connection is cut
// was not.
func TestDropAfterIsObeyedAndDropCommandIsNot(t *testing.T) {
	t.Parallel()
	for rule, left := range map[string]int{`{"on":"QUIT","drop-after":0}`: 1, `{"drop-command":4}`: 2} {
		srv := newServer(t)
		use(t, srv, rule)
		play(t, srv, login+"C: DELE 1\nS: +OK\nC: QUIT\n(close)\n")
		if got, err := srv.Messages(pop3test.User); err != nil || len(got) != left {
			t.Errorf("%s: %d messages are left (%v), want %d", rule, len(got), err, left)
		}
	}
}

// Rules and personalities go together.
func TestRuleOnTopOfPersonality(t *testing.T) {
	t.Parallel()
	srv := newServer(t)
	if err := srv.Be("no-capa"); err != nil {
		t.Fatal(err)
	}
	use(t, srv, `{"on":"CAPA","append":"+OK more\r\n"}`, `{"on":"CAPA","times":1,"replace":["unknown","what"]}`)
	play(t, srv, "S: +OK\nC: CAPA\nS: -ERR what command\nS: +OK more\nC: CAPA\nS: -ERR unknown command\nS: +OK more\n")
}

// Times counts over all connections, so that the next try works.
func TestOnceIsOncePerServer(t *testing.T) {
	t.Parallel()
	srv := newServer(t)
	use(t, srv, `{"on":"RETR","times":1,"drop-after":20}`)
	play(t, srv, login+"C: RETR 1\nS: +OK\nS: Subje\\\n(close)\n")
	play(t, srv, login+"C: RETR 1\nS: +OK\nS: ...\nS: .\n")
}

func TestSplitTerminatorIsSeenInPieces(t *testing.T) {
	t.Parallel()
	srv := newServer(t)
	use(t, srv, `{"on":"CAPA","split-terminator":true}`)
	play(t, srv, "S: +OK\nC: CAPA\nS: +OK\nS: ...\nS: .\nC: QUIT\nS: +OK\n(close)\n")
	if err := srv.WaitSessions(t.Context(), 1); err != nil {
		t.Fatal(err)
	}
	var pieces []string
	for _, e := range srv.Recordings()[0].Events {
		if e.Octets == "." || e.Octets == "\r\n" {
			pieces = append(pieces, e.Octets)
		}
	}
	if len(pieces) != 2 {
		t.Errorf("pieces: %q", pieces)
	}
}

// After so many octets nothing comes any more, and the connection is open.
func TestStall(t *testing.T) {
	t.Parallel()
	for _, rule := range []string{`{"on":"CAPA","stall-after":5}`, `{"on":"greeting","stall-after":5}`} {
		srv := newServer(t)
		use(t, srv, rule)
		conn, err := net.Dial("tcp", srv.Addr)
		if err != nil {
			t.Fatal(err)
		}
		fmt.Fprint(conn, "CAPA\r\n")
		got := make([]byte, 1000)
		n := 0
		for conn.SetReadDeadline(time.Now().Add(50 * time.Millisecond)); err == nil; {
			var more int
			more, err = conn.Read(got[n:])
			n += more
		}
		if _, said, found := strings.Cut(string(got[:n]), "\n"); !errors.Is(err, os.ErrDeadlineExceeded) || found && said != "+OK C" {
			t.Errorf("%s: %q, then %v", rule, got[:n], err)
		}
		conn.Close()
		if err := srv.WaitSessions(t.Context(), 1); err != nil {
			t.Fatal(err)
		}
		if got := srv.Transcripts()[0]; !strings.Contains(got, "S: +OK ") || !strings.HasSuffix(got, "C: CAPA\n(hangup)\n") && !strings.HasSuffix(got, "S: +OK C\\\n(hangup)\n") {
			t.Errorf("%s:\n%s", rule, got)
		}
	}
}

// What waits for a long time ends with the server.
func TestCloseEndsWaits(t *testing.T) {
	t.Parallel()
	for _, rule := range []string{`{"delay":"1h"}`, `{"drip":"1h"}`, `{"stall-after":0}`, `{"on":"greeting","delay":"1h"}`, `{"on":"greeting","stall-after":0}`} {
		srv, err := pop3test.Start()
		if err != nil {
			t.Fatal(err)
		}
		use(t, srv, rule)
		conn, err := net.Dial("tcp", srv.Addr)
		if err != nil {
			t.Fatal(err)
		}
		fmt.Fprint(conn, "CAPA\r\n")
		for len(srv.Recordings()) == 0 {
			runtime.Gosched() // the connection is on its way to the server
		}
		srv.Close()
		conn.Close()
	}
}

func TestRulesThatAreWrong(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		`{"on":"RETR"}`:                             "does nothing",
		`{"on":"A B","reply":"x"}`:                  "on: not a keyword",
		`{"match":"(","reply":"x"}`:                 "match: ",
		`{"reply":"x","after":-1}`:                  "after: less than 0",
		`{"drop-after":-1}`:                         "drop-after: less than 0",
		`{"drop-after":1,"stall-after":1}`:          "one of them",
		`{"drop-command":1,"reply":"x"}`:            "there is no reply",
		`{"drop-command":1,"on":"RETR"}`:            "no on",
		`{"replace":["a"]}`:                         "without a new one",
		`{"delay":"2h"}`:                            "delay: from 0 to 1h",
		`{"split-every":1,"split-terminator":true}`: "one of them",
		`{"delay":"soon"}`:                          "no duration",
		`{"dropafter":1}`:                           "unknown field",
		`{"reply":"x"} {}`:                          "after top-level value",
		`{"on":1}`:                                  "on: a number, where a string is wanted",
		`RETR`:                                      "invalid character",
	} {
		rule, err := pop3test.ParseRule(text)
		if err == nil {
			_, err = rule.Fault()
		}
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want: %s", text, err, want)
		}
	}
}

func TestRuleIsJSON(t *testing.T) {
	t.Parallel()
	want := pop3test.Rule{
		On: "RETR", Match: "1", Session: 2, After: 3, Times: 4, Replace: []string{"a", "b"}, Append: "c",
		Delay: 1500 * time.Millisecond, Drip: time.Millisecond, SplitEvery: 5, DropAfter: new(0),
	}
	text, err := json.Marshal(want)
	if err != nil {
		t.Fatal(err)
	}
	got, err := pop3test.ParseRule(string(text))
	if err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("%s: %+v, %v", text, got, err)
	}
}
