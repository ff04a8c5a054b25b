package pop3server_test

import (
	"context"
	"crypto/hmac"
	"crypto/md5" //nolint:gosec // CRAM-MD5 has it
	"encoding/base64"
	"encoding/hex"
	"strings"
	"testing"

	"postfach/pop3"
	"postfach/pop3server"
	"postfach/sasl"
)

// A doorman keeps u out, who knows the password or the secret. The operator hears of it
// when that was shown, and of nothing else.
type doorman struct {
	verifiers
	asked, admitted, told int
}

func (d *doorman) Scram(ctx context.Context, p *pop3server.Peer, h sasl.ScramHash, name string) (*pop3server.ScramAccount, error) {
	d.asked++
	a, err := d.verifiers.Scram(ctx, p, h, name)
	if err != nil {
		return nil, err
	}
	own := *a
	own.Admit = func(_ context.Context, who pop3server.Identity) error {
		d.admitted++
		if who.Credential == "telephone" {
			return nil
		}
		d.told++
		return pop3server.ErrCredentials
	}
	return &own, nil
}

func (d *doorman) Available() bool { return true }

func (d *doorman) Secret(_ context.Context, _ *pop3server.Peer, name string) (pop3server.Identity, string, error) {
	if name != "u" {
		return pop3server.Identity{}, "", &pop3server.RefusedError{Tell: func() { d.told += 1000 }}
	}
	return pop3server.Identity{}, "tanstaaf", &pop3server.RefusedError{Tell: func() { d.told++ }}
}

// Promise 12: whoever is kept out for another reason than the password hears the same,
// and the accounts are asked as often.
func TestRefusalBehindAProofLooksLikeAWrongPassword(t *testing.T) {
	srv, _ := newFullServer(three())
	d := &doorman{}
	srv.SCRAM = d
	c, _ := connectFull(t, srv, trusting(0))
	for _, test := range []struct {
		password    string
		told, asked int
	}{{"wrong", 0, 2}, {"p w", 1, 2}} {
		*d = doorman{}
		c.want(c.enter(sasl.NewScramClient(sasl.SHA256, false, "u", test.password)), refused)
		if d.told != test.told || d.admitted != test.told || d.asked != test.asked {
			t.Errorf("%s: %+v", test.password, d)
		}
	}
	c.want(c.enter(sasl.NewScramClient(sasl.SHA256, false, "u", appPassword)), welcome)
}

func TestRefusalBehindASecretLooksLikeAWrongSecret(t *testing.T) {
	srv, _ := newFullServer(three())
	d := &doorman{}
	srv.CRAM, srv.APOP = d, d
	digest := func(secret, challenge string) string {
		mac := hmac.New(md5.New, []byte(secret))
		mac.Write([]byte(challenge))
		return hex.EncodeToString(mac.Sum(nil))
	}
	for _, test := range []struct {
		name, secret string
		told         int
	}{{"u", "wrong", 0}, {"u", "tanstaaf", 1}, {"nosuch", "", 0}, {"u", "", 0}} {
		*d = doorman{}
		c := connectTLS(t, srv)
		c.handshake(trusting(0))
		_, timestamp, _ := strings.Cut(c.answer(), "<")
		c.want(c.line("APOP "+test.name+" "+pop3.APOPDigest("<"+timestamp, test.secret)), refused)
		challenge, err := base64.StdEncoding.DecodeString(strings.TrimPrefix(c.line("AUTH CRAM-MD5"), "+ "))
		if err != nil {
			t.Fatal(err)
		}
		c.want(c.line(b64(test.name+" "+digest(test.secret, string(challenge)))), refused)
		if d.told != 2*test.told {
			t.Errorf("%s with %q: told %d times", test.name, test.secret, d.told)
		}
	}
}

// RFC 4013 section 2.5: what is newer than Unicode 3.2 may be asked for. What cannot be
// prepared at all is in the log, without the password.
func TestNewCharactersReachTheAccounts(t *testing.T) {
	srv, log := newFullServer(three())
	taken := make(heard, 1)
	srv.Auth = taken
	c, _ := connectFull(t, srv, trusting(0))
	c.want(c.line("AUTH PLAIN "+b64("\x00u\x00key \U0001f511 \u1e9e")), refused)
	select {
	case got := <-taken:
		if got != "key \U0001f511 \u1e9e" {
			t.Errorf("the accounts hear %q", got)
		}
	default:
		t.Error("the accounts hear nothing")
	}
	c.want(c.line("AUTH PLAIN "+b64("\x00u\x00secret\ue000")), refused)
	if got := log.String(); strings.Count(got, `msg="password cannot be prepared"`) != 1 || !strings.Contains(got, `err="prohibited character"`) || strings.Contains(got, "secret") {
		t.Errorf("log:\n%s", got)
	}
}

// heard are passwords, all of them wrong.
type heard chan string

func (h heard) Authenticate(_ context.Context, _ *pop3server.Peer, _, password string) (pop3server.Identity, error) {
	h <- password
	return pop3server.Identity{}, pop3server.ErrCredentials
}
