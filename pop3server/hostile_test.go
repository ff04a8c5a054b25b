package pop3server_test

import (
	"context"
	"encoding/base64"
	"strings"
	"testing"

	"postfach/pop3server"
	"postfach/sasl"
)

// exchangeUntilProof plays SCRAM until the server has proved itself, which it does for
// the right password only.
func exchangeUntilProof(c *client, name, password string) {
	c.t.Helper()
	m := sasl.NewScramClient(sasl.SHA256, false, name, password)
	_, first, err := m.Start()
	if err != nil {
		c.t.Fatal(err)
	}
	got := c.line("AUTH SCRAM-SHA-256 " + b64(string(first)))
	for range 2 {
		challenge, err := base64.StdEncoding.DecodeString(strings.TrimPrefix(got, "+ "))
		if err != nil {
			c.t.Fatal(err)
		}
		response, err := m.Next(challenge)
		if err != nil {
			c.t.Fatal(err)
		}
		if m.(sasl.Prover).Finished() {
			return
		}
		got = c.line(b64(string(response)))
	}
	c.t.Fatal("the server proved nothing")
}

// Promise 14: whoever tries a stolen password by SCRAM knows that it is right before
// the login, and may go then. That is in the log.
func TestProofWithoutLoginIsLogged(t *testing.T) {
	for what, leave := range map[string]func(*client){
		"cancel":  func(c *client) { c.talk("C: *\nS: -ERR authentication cancelled") },
		"garbage": func(c *client) { c.want(c.line("AAAA"), malformed) },
		"hang up": func(c *client) { c.conn.Close() },
	} {
		srv, log := newFullServer(three())
		c, _ := connectFull(t, srv, trusting(0))
		exchangeUntilProof(c, "u", "p w")
		leave(c)
		c.conn.Close()
		<-c.done
		if n := strings.Count(log.String(), `user=u mechanism=SCRAM-SHA-256 tls="TLS 1.3"`); n != 1 {
			t.Errorf("%s: logged %d times:\n%s", what, n, log)
		}
	}
}

// What looks like a proof and is none counts like the exchanges that have none.
func TestExchangesWithABrokenProofAreCounted(t *testing.T) {
	srv, _ := newFullServer(three())
	c, _ := connectFull(t, srv, trusting(0))
	for range 20 {
		c.announced()
		c.want(c.line("AUTH SCRAM-SHA-256 "+b64("n,,n=u,r=a")), "+ ")
		c.want(c.line(b64("c=biws,r=b,p=AAAA")), malformed)
	}
	c.announced()
	c.want(c.line("AUTH SCRAM-SHA-256 "+b64("n,,n=u,r=a")), "-ERR too many exchanges were not finished")
}

// Who has the right password and finds the maildrop locked is in the log, too.
func TestLockedMaildropIsLogged(t *testing.T) {
	d := three()
	srv, log := newServer(d)
	first := connect(t, srv)
	first.talk(login)
	second := connect(t, srv)
	second.talk("S: +OK ...\nC: USER u\nS: +OK ...\nC: PASS p w\nS: -ERR [IN-USE] ...")
	if !strings.Contains(log.String(), `msg="right credentials, and no login" session=`) || !strings.Contains(log.String(), " user=u mechanism=PASS ") {
		t.Errorf("log:\n%s", log)
	}
}

// revoking is a source in which an account is closed when its challenge is out.
type revoking struct {
	verifiers
	asked int
}

func (r *revoking) Scram(ctx context.Context, p *pop3server.Peer, h sasl.ScramHash, name string) (*pop3server.ScramAccount, error) {
	if r.asked++; r.asked > 1 {
		name = "nosuch"
	}
	return r.verifiers.Scram(ctx, p, h, name)
}

// What was changed when a challenge was out holds for its proof: whoever has a stolen
// password must not be able to keep a challenge in store.
func TestProofIsOfTheAccountAsItIsNow(t *testing.T) {
	srv, _ := newFullServer(three())
	srv.SCRAM = &revoking{}
	c, _ := connectFull(t, srv, trusting(0))
	c.want(c.enter(sasl.NewScramClient(sasl.SHA256, false, "u", "p w")), refused)
}
