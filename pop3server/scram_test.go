package pop3server_test

import (
	"context"
	"crypto/tls"
	"encoding/base64"
	"regexp"
	"strings"
	"testing"

	"github.com/xdg-go/scram"

	"postfach/pop3server"
	"postfach/sasl"
)

// foreign is SCRAM's client end by other people.
type foreign struct {
	name string
	conv *scram.ClientConversation
}

func (f *foreign) Start() (string, []byte, error) {
	first, err := f.conv.Step("")
	return f.name, []byte(first), err
}

func (f *foreign) Next(challenge []byte) ([]byte, error) {
	response, err := f.conv.Step(string(challenge))
	return []byte(response), err
}

// foreignScram binds to binding, if it is not nil.
func foreignScram(t *testing.T, h sasl.ScramHash, binding *sasl.ChannelBinding, name, password string) *foreign {
	t.Helper()
	generator := scram.SHA256
	if h == sasl.SHA1 {
		generator = scram.SHA1
	}
	client, err := generator.NewClient(name, password, "")
	if err != nil {
		t.Fatal(err)
	}
	f := &foreign{h.Mechanism(binding != nil), client.NewConversation()}
	if binding != nil {
		f.conv = client.NewConversationWithChannelBinding(scram.ChannelBinding{Type: scram.ChannelBindingType(binding.Type), Data: binding.Data})
	}
	return f
}

// P3-SCRAM-01, P3-SCRAM-02: with both hashes, our client and another one.
func TestScramLetsInAndProvesItself(t *testing.T) {
	for _, h := range []sasl.ScramHash{sasl.SHA256, sasl.SHA1} {
		srv, log := newFullServer(three())
		c, _ := connectFull(t, srv, trusting(0))
		ours := sasl.NewScramClient(h, false, "u", "p w")
		c.want(c.enter(ours), welcome)
		if !ours.(sasl.Prover).Finished() {
			t.Error("the server proved nothing")
		}
		c.talk("C: QUIT\nS: +OK ...\n(close)")
		c, _ = connectFull(t, srv, trusting(0))
		theirs := foreignScram(t, h, nil, "u", appPassword)
		c.want(c.enterSlowly(theirs), welcome)
		if !theirs.conv.Valid() {
			t.Error("the server proved nothing")
		}
		c.talk("C: QUIT\nS: +OK ...\n(close)")
		<-c.done
		// Which password it was is in the log.
		if want := "mechanism=" + h.Mechanism(false) + " credential=telephone"; !strings.Contains(log.String(), want) {
			t.Errorf("no %q in\n%s", want, log)
		}
		c, _ = connectFull(t, srv, trusting(0))
		c.want(c.enter(sasl.NewScramClient(h, false, "a,b", "p w")), welcome) // P3-SCRAM-08
	}
}

// P3-SCRAM-18, promise 12: a client sees no difference before its proof, and none
// behind it.
func TestScramLooksAlikeForNamesThatDoNotExist(t *testing.T) {
	srv, _ := newFullServer(three())
	c, _ := connectFull(t, srv, trusting(0))
	challenge := func(name string) (salt string) {
		c.want(c.line("AUTH SCRAM-SHA-256"), "+ ")
		got, err := base64.StdEncoding.DecodeString(strings.TrimPrefix(c.line(b64("n,,n="+name+",r=mine")), "+ "))
		shape := regexp.MustCompile(`^r=mine[A-Z2-7]{26},s=([A-Za-z0-9+/]{22}==),i=4096$`).FindStringSubmatch(string(got))
		if err != nil || shape == nil {
			t.Fatalf("%s: %q, %v", name, got, err)
		}
		c.talk("C: *\nS: -ERR authentication cancelled")
		return shape[1]
	}
	salts := map[string]string{}
	for _, name := range []string{"u", "nosuch", "other", "u", "nosuch", "other"} {
		salt := challenge(name)
		if before, known := salts[name]; known && before != salt {
			t.Errorf("another salt for %s", name)
		}
		salts[name] = salt
	}
	if salts["nosuch"] == salts["other"] {
		t.Error("one salt for all that do not exist")
	}
	for _, name := range []string{"u", "nosuch"} {
		c.want(c.enter(sasl.NewScramClient(sasl.SHA256, false, name, "wrong")), refused)
	}
	// Names that nobody can have: SASLprep refuses them (P3-SCRAM-09).
	for _, name := range []string{"u\x07", "u\ue000"} {
		c.want(c.line("AUTH SCRAM-SHA-256 "+b64("n,,n="+name+",r=mine")), refused)
	}
}

// P3-AUTH-21: the server's last message is a challenge, and its answer is empty.
func TestScramEndsWithAnEmptyResponse(t *testing.T) {
	for answer, want := range map[string]string{"": welcome, "AAAA": malformed, "*": "-ERR authentication cancelled", "!": "-ERR not base64"} {
		srv, _ := newFullServer(three())
		c, _ := connectFull(t, srv, trusting(0))
		m := sasl.NewScramClient(sasl.SHA256, false, "u", "p w")
		_, first, err := m.Start()
		if err != nil {
			t.Fatal(err)
		}
		got := c.line("AUTH SCRAM-SHA-256 " + b64(string(first)))
		for !m.(sasl.Prover).Finished() {
			challenge, err := base64.StdEncoding.DecodeString(strings.TrimPrefix(got, "+ "))
			if err != nil {
				t.Fatal(err)
			}
			response, err := m.Next(challenge)
			if err != nil {
				t.Fatal(err)
			}
			if m.(sasl.Prover).Finished() {
				break
			}
			got = c.line(b64(string(response)))
		}
		c.want(c.line(answer), want)
		if want != welcome {
			c.talk("C: STAT\nS: -ERR not in this state of the session")
		}
	}
}

// oneMoreKey has a key too many: whoever knows its password is nobody.
type oneMoreKey struct{ verifiers }

func (v oneMoreKey) Scram(ctx context.Context, p *pop3server.Peer, h sasl.ScramHash, name string) (*pop3server.ScramAccount, error) {
	a, err := v.verifiers.Scram(ctx, p, h, name)
	return &pop3server.ScramAccount{Verifier: a.Verifier, Identities: a.Identities[:1]}, err
}

func TestKeyOfNobodyLetsNobodyIn(t *testing.T) {
	srv, log := newFullServer(three())
	srv.SCRAM = oneMoreKey{}
	c, _ := connectFull(t, srv, trusting(0))
	c.want(c.enter(sasl.NewScramClient(sasl.SHA256, false, "u", appPassword)), "-ERR [SYS/TEMP]")
	c.want(c.enter(sasl.NewScramClient(sasl.SHA256, false, "u", "p w")), welcome)
	if !strings.Contains(log.String(), "a key that is nobody") {
		t.Errorf("log:\n%s", log)
	}
}

// An exchange that ends before the proof is no try. Whoever asks for names that
// way does not do it for ever.
func TestExchangesWithoutAProofAreCounted(t *testing.T) {
	srv, log := newFullServer(three())
	c, _ := connectFull(t, srv, trusting(0))
	for range 3 * 20 { // proofs are counted elsewhere
		c.want(c.enter(sasl.NewScramClient(sasl.SHA256, false, "u", "wrong")), refused)
	}
	for range 20 {
		c.announced() // and what lies between does not matter
		c.want(c.line("AUTH SCRAM-SHA-256 "+b64("n,,n=u,r=a")), "+ ")
		c.talk("C: *\nS: -ERR authentication cancelled")
	}
	c.announced()
	c.want(c.line("AUTH SCRAM-SHA-256 "+b64("n,,n=u,r=a")), "-ERR too many exchanges were not finished")
	c.talk("(close)")
	<-c.done
	if !strings.Contains(log.String(), "too many bad commands") {
		t.Errorf("log:\n%s", log)
	}
}

// P3-SCRAM-06, P3-SCRAM-12: a client that could bind and was told that the server
// cannot is refused, and the operator hears of it.
func TestDowngradeIsRefused(t *testing.T) {
	srv, log := newFullServer(three())
	c, state := connectFull(t, srv, trusting(tls.VersionTLS13))
	c.want(c.enter(sasl.NewScramClient(sasl.SHA256, true, "u", "p w")), refused)
	if !strings.Contains(log.String(), "perhaps somebody is in between") {
		t.Errorf("log:\n%s", log)
	}
	exported := exporterOf(t, state)
	for _, wrong := range []struct{ mechanism, first string }{
		{"SCRAM-SHA-256", "p=tls-exporter,,n=u,r=a"},
		{"SCRAM-SHA-256-PLUS", "n,,n=u,r=a"},
		{"SCRAM-SHA-256-PLUS", "y,,n=u,r=a"},
		{"SCRAM-SHA-256-PLUS", "p=tls-unique,,n=u,r=a"}, // TLS 1.3 has none
		{"SCRAM-SHA-256-PLUS", "p=postfach-none,,n=u,r=a"},
		{"SCRAM-SHA-256-PLUS", "p=,,n=u,r=a"},
		{"SCRAM-SHA-256-PLUS", "p=TLS-EXPORTER,,n=u,r=a"},
	} {
		c.want(c.line("AUTH "+wrong.mechanism+" "+b64(wrong.first)), "-ERR [AUTH]")
	}
	c.want(c.enter(sasl.NewScramPlusClient(sasl.SHA256, exported, "u", "p w")), welcome) // a retry is allowed (P3-SCRAM-16)
}
