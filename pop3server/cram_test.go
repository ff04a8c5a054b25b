package pop3server_test

import (
	"crypto/hmac"
	"crypto/md5"
	"encoding/base64"
	"encoding/hex"
	"regexp"
	"strings"
	"testing"
)

// P3-CRAM-01, P3-CRAM-02.
func TestCramChallengesNeverRepeat(t *testing.T) {
	srv, _ := newFullServer(three())
	srv.Hostname = "pop.example.com"
	c, _ := connectFull(t, srv, trusting(0))
	msgID := regexp.MustCompile(`^<[0-9.A-Z]+@pop\.example\.com>$`)
	seen := map[string]bool{}
	challenge := func() string {
		got, err := base64.StdEncoding.DecodeString(strings.TrimPrefix(c.line("AUTH CRAM-MD5"), "+ "))
		if err != nil || !msgID.Match(got) || seen[string(got)] {
			t.Fatalf("%q, %v", got, err)
		}
		seen[string(got)] = true
		return string(got)
	}
	digest := func(secret, challenge string) string {
		mac := hmac.New(md5.New, []byte(secret))
		mac.Write([]byte(challenge))
		return hex.EncodeToString(mac.Sum(nil))
	}
	old := challenge()
	for _, response := range []string{
		"u " + digest("tanstaaf", old), // of another exchange
		"u " + digest("wrong", "x"),
		"u  " + digest("tanstaaf", old),
		"empty " + digest("", "x"),
		"u " + strings.Repeat("0", 32),
	} {
		c.line("*")
		challenge()
		c.want(c.line(b64(response)), refused)
	}
	for _, response := range []string{"", "u", "u ", " " + digest("x", "x"), "u 0123", "u " + digest("x", "x") + "0"} {
		challenge()
		c.want(c.line(b64(response)), malformed)
	}
	// An account whose secret is empty has none: anybody could make that digest.
	c.want(c.line(b64("empty "+digest("", challenge()))), refused)
	c.want(c.line(b64("a b "+digest("tanstaaf", challenge()))), welcome)
}
