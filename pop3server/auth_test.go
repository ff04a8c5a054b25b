package pop3server_test

import (
	"context"
	"encoding/base64"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	gosasl "github.com/emersion/go-sasl"

	"postfach/pop3"
	"postfach/pop3server"
	"postfach/sasl"
)

func b64(octets string) string { return base64.StdEncoding.EncodeToString([]byte(octets)) }

// P3-AUTH-01, P3-AUTH-05, P3-AUTH-10, P3-AUTH-18, P3-AUTH-21: each mechanism lets
// in, with an initial response and without, clients of ours and of others.
func TestEachMechanismLetsIn(t *testing.T) {
	for name, newClient := range map[string]func() sasl.Client{
		"PLAIN":            func() sasl.Client { return sasl.NewPlainClient("", "u", "p w") },
		"PLAIN as u":       func() sasl.Client { return sasl.NewPlainClient("u", "u", "p w") },
		"LOGIN":            func() sasl.Client { return sasl.NewLoginClient("u", "p w") },
		"CRAM-MD5":         func() sasl.Client { return sasl.NewCramMD5Client("u", "tanstaaf") },
		"CRAM-MD5, space":  func() sasl.Client { return sasl.NewCramMD5Client("a b", "tanstaaf") },
		"SCRAM-SHA-256":    func() sasl.Client { return sasl.NewScramClient(sasl.SHA256, false, "u", "p w") },
		"SCRAM-SHA-1":      func() sasl.Client { return sasl.NewScramClient(sasl.SHA1, false, "u", "p w") },
		"OAUTHBEARER":      func() sasl.Client { return sasl.NewOAuthBearerClient(sasl.Bearer{User: "u", Token: token}) },
		"OAUTHBEARER long": func() sasl.Client { return sasl.NewOAuthBearerClient(sasl.Bearer{User: "u", Token: longToken()}) },
		"OAUTHBEARER host": func() sasl.Client {
			return sasl.NewOAuthBearerClient(sasl.Bearer{Token: token, Host: "POP.example.com.", Port: 995})
		},
		"XOAUTH2":      func() sasl.Client { return sasl.NewXOAuth2Client("u", token) },
		"XOAUTH2 long": func() sasl.Client { return sasl.NewXOAuth2Client("u", longToken()) },
		"go-sasl's PLAIN": func() sasl.Client {
			return gosasl.NewPlainClient("", "u", "p w")
		},
		"go-sasl's LOGIN": func() sasl.Client { return gosasl.NewLoginClient("u", "p w") },
		"go-sasl's OAUTHBEARER": func() sasl.Client {
			return gosasl.NewOAuthBearerClient(&gosasl.OAuthBearerOptions{Username: "u", Token: token, Host: "pop.example.com", Port: 995})
		},
	} {
		for i, enter := range []func(*client, sasl.Client) string{(*client).enter, (*client).enterSlowly} {
			if i == 1 && name == "go-sasl's LOGIN" { // it always begins with the name
				continue
			}
			t.Run(name+[]string{"", ", in two steps"}[i], func(t *testing.T) {
				srv, log := newFullServer(three())
				heard := ""
				srv.LoggedIn = func(p *pop3server.Peer, who pop3server.Identity, mechanism string) {
					heard = who.User + " " + mechanism
					if p.TLS == nil {
						t.Error("a peer without TLS")
					}
				}
				var mu sync.Mutex
				var wire strings.Builder
				srv.Trace = func(e pop3.TraceEvent) {
					mu.Lock()
					defer mu.Unlock()
					wire.Write(e.Octets)
				}
				c, _ := connectFull(t, srv, trusting(0))
				m := newClient()
				mechanism, _, _ := m.Start()
				c.want(enter(c, newClient()), welcome)
				c.talk("C: STAT\nS: +OK 3 100\nC: QUIT\nS: +OK ...\n(close)")
				<-c.done
				if heard != "u "+mechanism || !strings.Contains(log.String(), "msg=login ") || !strings.Contains(log.String(), "mechanism="+mechanism) {
					t.Errorf("LoggedIn heard %q, log:\n%s", heard, log)
				}
				for _, secret := range []string{"p w", b64("p w"), "tanstaaf", token, b64(token)[:20], "tttttttt"} { // P3-USR-12, P3-OAUTH-10
					if strings.Contains(log.String()+wire.String(), secret) {
						t.Errorf("%q in\n%s\n%s", secret, log, wire.String())
					}
				}
			})
		}
	}
}

// P3-AUTH-07, P3-AUTH-19: what was cancelled or refused leaves nothing behind.
func TestWhatFailedIsForgotten(t *testing.T) {
	srv, _ := newFullServer(three())
	for _, name := range everyMechanism {
		c, _ := connectFull(t, srv, showing(0, "u"))
		c.talk("C: AUTH " + name + "\nS: + ...\nC: *\nS: -ERR authentication cancelled")
		c.talk("C: AUTH " + name + "\nS: + ...\nC: !\nS: -ERR not base64")
		c.talk("C: USER u\nS: +OK send PASS\nC: PASS p w\nS: " + welcome + "\nC: QUIT\nS: +OK ...\n(close)")
	}
}

// P3-AUTH-14, P3-AUTH-15.
func TestBase64IsStrict(t *testing.T) {
	right := b64("\x00u\x00p w")
	for _, wrong := range []string{
		"!!!!", "AAA", "=AAA", "AAA=BBB", "A", "====", right[:4] + "=" + right[4:], right[:3] + "-" + right[3:], right + "=",
		"AB==", // bits that do not matter have to be zero
	} {
		srv, _ := newFullServer(three())
		c, _ := connectFull(t, srv, trusting(0))
		c.want(c.line("AUTH PLAIN "+wrong), "-ERR not base64")
		c.want(c.line("AUTH PLAIN"), "+ ")
		c.want(c.line(wrong), "-ERR not base64")
		for _, octet := range []string{" ", "\t", "\x00", "\r"} {
			c.want(c.line("AUTH PLAIN"), "+ ")
			c.want(c.line(right[:4]+octet+right[4:]), "-ERR not base64")
		}
		c.want(c.line("AUTH PLAIN "+right), welcome)
	}
}

// P3-AUTH-08: "=" is an empty response, not a missing one.
func TestEqualsSignIsAnEmptyResponse(t *testing.T) {
	srv, _ := newFullServer(three())
	c, _ := connectFull(t, srv, trusting(0))
	for _, name := range []string{"PLAIN", "SCRAM-SHA-256", "OAUTHBEARER", "XOAUTH2", "LOGIN"} {
		c.want(c.line("AUTH "+name+" ="), malformed)
	}
}

// P3-AUTH-13.
func TestServerFirstMechanismTakesNoInitialResponse(t *testing.T) {
	srv, _ := newFullServer(three())
	c, _ := connectFull(t, srv, trusting(0))
	c.want(c.line("AUTH CRAM-MD5 AAAA"), malformed)
	c.want(c.line("AUTH CRAM-MD5 ="), malformed)
	c.want(c.enter(sasl.NewCramMD5Client("u", "tanstaaf")), welcome)
}

// P3-AUTH-12, P3-AUTH-17, P3-AUTH-34.
func TestSASLLinesMayBeLongButNotEndless(t *testing.T) {
	long := strings.Repeat("x", 8000) // as base64 more than 10 KiB
	srv, log := newFullServer(three())
	c, _ := connectFull(t, srv, trusting(0))
	c.want(c.line("AUTH PLAIN "+b64("\x00u\x00"+long)), malformed)
	c.want(c.line("AUTH PLAIN"), "+ ")
	c.want(c.line(b64("\x00u\x00"+long)), malformed)
	c.want(c.line("AUTH PLAIN "+strings.Repeat("A", 13<<10)), "-ERR line too long")
	c.want(c.line("AUTH PLAIN"), "+ ")
	c.want(c.line(strings.Repeat("A", 13<<10)), "-ERR line too long")
	c.talk("(close)")
	<-c.done
	if !strings.Contains(log.String(), "SASL response too long") {
		t.Errorf("log:\n%s", log)
	}
}

// P3-AUTH-34: whoever is silent in an exchange has the login deadline.
func TestDeadlineHoldsInAnExchange(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		srv, log := newServer(three())
		offerAll(srv)
		c := connect(t, srv)
		begun := time.Now()
		c.talk("S: +OK ...\nC: AUTH SCRAM-SHA-256\nS: + ...\nC: " + b64("n,,n=u,r=abc") + "\nS: + ...\n(close)")
		<-c.done
		if time.Since(begun) != time.Minute || !strings.Contains(log.String(), "login deadline") {
			t.Errorf("after %v, log:\n%s", time.Since(begun), log)
		}
	})
}

// P3-AUTH-31.
func TestLinesOfAnExchangeAreNoCommands(t *testing.T) {
	srv, _ := newFullServer(three())
	for _, name := range everyMechanism {
		for _, word := range []string{"QUIT", "CAPA", "NOOP", "STLS"} { // base64, all of them
			c, _ := connectFull(t, srv, showing(0, "u"))
			c.want(c.line("AUTH "+name), "+ ")
			got := c.line(word)
			if name == sasl.Login { // a name like any other: three octets that are no UTF-8, or are
				got = strings.Replace(got, "+ "+b64("Password:"), "-ERR", 1)
			}
			c.want(got, "-ERR")
			c.conn.Close()
		}
	}
}

// P3-AUTH-27, P3-PLAIN-03: nobody acts as somebody else, and the refusal is that
// of a wrong password.
func TestNobodyActsAsSomebodyElse(t *testing.T) {
	srv, _ := newFullServer(three())
	for _, identity := range []string{"other", "U", "\x07", "\u00ad", "u\u00ad\x07"} {
		c, _ := connectFull(t, srv, showing(0, "u"))
		c.want(c.line("AUTH PLAIN "+b64(identity+"\x00u\x00p w")), refused)
		c.want(c.line("AUTH EXTERNAL "+b64(identity)), refused)
		c.want(c.enter(&actAs{sasl.NewScramClient(sasl.SHA256, false, "u", "p w"), identity}), refused)
		c.want(c.line("AUTH OAUTHBEARER "+b64("n,a="+identity+",\x01auth=Bearer "+token+"\x01\x01")), "+ ")
		c.want(c.line("AQ=="), refused)
	}
	for _, identity := range []string{"", "u", "u\u00ad"} { // SASLprep maps U+00AD to nothing
		c, _ := connectFull(t, srv, trusting(0))
		c.want(c.line("AUTH PLAIN "+b64(identity+"\x00u\x00p w")), welcome)
		c.talk("C: QUIT\nS: +OK ...\n(close)")
	}
	// Whoever does not know the password learns nothing by it.
	c, _ := connectFull(t, srv, trusting(0))
	c.want(c.line("AUTH PLAIN "+b64("u\x00u\x00wrong")), refused)
}

// actAs puts an authorization identity into SCRAM's first message, which is not
// part of what is signed but of the header that is sent again.
type actAs struct {
	sasl.Client
	identity string
}

func (a *actAs) Start() (string, []byte, error) {
	name, ir, err := a.Client.Start()
	return name, []byte(strings.Replace(string(ir), "n,,", "n,a="+a.identity+",", 1)), err
}

func (a *actAs) Next(challenge []byte) ([]byte, error) {
	response, err := a.Client.Next(challenge)
	return []byte(strings.Replace(string(response), "c=biws", "c="+b64("n,a="+a.identity+","), 1)), err
}

// P3-USR-10, promise 12: one answer to unknown names, wrong passwords and proofs,
// in each mechanism; and each try is one line in the log, with mechanism and name.
func TestRefusalsAreAlike(t *testing.T) {
	for _, test := range []struct {
		mechanism string
		client    func(name, secret string) sasl.Client
	}{
		{"PLAIN", func(n, s string) sasl.Client { return sasl.NewPlainClient("", n, s) }},
		{"LOGIN", func(n, s string) sasl.Client { return sasl.NewLoginClient(n, s) }},
		{"CRAM-MD5", func(n, s string) sasl.Client { return sasl.NewCramMD5Client(n, s) }},
		{"SCRAM-SHA-256", func(n, s string) sasl.Client { return sasl.NewScramClient(sasl.SHA256, false, n, s) }},
		{"SCRAM-SHA-1", func(n, s string) sasl.Client { return sasl.NewScramClient(sasl.SHA1, false, n, s) }},
		{"OAUTHBEARER", func(n, s string) sasl.Client { return sasl.NewOAuthBearerClient(sasl.Bearer{User: n, Token: s}) }},
		{"XOAUTH2", func(n, s string) sasl.Client { return sasl.NewXOAuth2Client(n, s) }},
	} {
		t.Run(test.mechanism, func(t *testing.T) {
			srv, log := newFullServer(three())
			c, _ := connectFull(t, srv, trusting(0))
			for _, name := range []string{"u", "nosuch", "empty"} {
				c.want(c.enter(test.client(name, "wrong")), refused)
			}
			if n := strings.Count(log.String(), `msg="login failed"`); n != 3 || strings.Count(log.String(), "mechanism="+test.mechanism+" name=nosuch ") != 1 {
				t.Errorf("%d lines:\n%s", n, log)
			}
			if strings.Contains(log.String(), "wrong") {
				t.Errorf("log:\n%s", log)
			}
			got := c.enter(test.client("broken", "x"))
			c.want(got, "-ERR [SYS/TEMP] internal error, try again later")
			if !strings.Contains(log.String(), "secret detail") {
				t.Errorf("log:\n%s", log)
			}
		})
	}
}

// What one client says wrong ends its own try, and nobody else's.
func TestBadInputEndsOneTry(t *testing.T) {
	srv, _ := newFullServer(three())
	good, _ := connectFull(t, srv, trusting(0))
	good.want(good.line("AUTH SCRAM-SHA-256"), "+ ")
	m := sasl.NewScramClient(sasl.SHA256, false, "u", "p w")
	_, first, err := m.Start()
	if err != nil {
		t.Fatal(err)
	}
	bad, _ := connectFull(t, srv, trusting(0))
	for _, line := range []string{"!", "=", "AAAA", b64("n,,n=u,r="), b64("n,,m=x,n=u,r=a"), b64("p=x,,n=u,r=a"), b64("n,,n=a=b,r=a"), b64("\x00\x00\x00")} {
		bad.want(bad.line("AUTH SCRAM-SHA-256"), "+ ")
		bad.want(bad.line(line), "-ERR")
	}
	challenge, err := base64.StdEncoding.DecodeString(strings.TrimPrefix(good.line(b64(string(first))), "+ "))
	if err != nil {
		t.Fatal(err)
	}
	response, err := m.Next(challenge)
	if err != nil {
		t.Fatal(err)
	}
	good.want(good.line(b64(string(response))), "+ ")
	good.want(good.line(""), welcome)
}

// Twenty lines that make no sense are too many, in an exchange, too (P3-ST-14).
func TestBadResponsesAreBadCommands(t *testing.T) {
	srv, _ := newFullServer(three())
	c, _ := connectFull(t, srv, trusting(0))
	for i := range 20 {
		c.talk("C: AUTH PLAIN\nS: + ...\nC: " + []string{"*", "!", "AAAA"}[i%3] + "\nS: -ERR ...")
	}
	c.talk("(close)")
}

// A name that no mechanism let in logs nobody in: the accounts have to have a
// word for it.
func TestEmptyIdentityIsNobody(t *testing.T) {
	srv, _ := newFullServer(three())
	srv.Auth = nobodies{}
	c, _ := connectFull(t, srv, trusting(0))
	c.want(c.line("AUTH PLAIN "+b64("\x00u\x00p w")), "-ERR [SYS/TEMP]")
}

type nobodies struct{}

func (nobodies) Authenticate(context.Context, *pop3server.Peer, string, string) (pop3server.Identity, error) {
	return pop3server.Identity{}, nil
}

func TestEveryMechanismIsListedOnce(t *testing.T) {
	names := slices.Clone(everyMechanism)
	slices.Sort(names)
	if len(slices.Compact(names)) != len(everyMechanism) || strings.Join(everyMechanism, " ") != allOf {
		t.Error(names)
	}
}
