package shell

import (
	"crypto/hmac"
	"crypto/md5" // CRAM-MD5 is what it says
	"encoding/hex"
	"maps"
	"slices"

	"postfach/sasl"
)

// mechanisms are those that the shell can run, each from a user name and a
// password or token.
func mechanisms() map[string]func(user, secret string) sasl.Client {
	return map[string]func(user, secret string) sasl.Client{
		sasl.Plain:       func(user, secret string) sasl.Client { return sasl.NewPlainClient("", user, secret) },
		sasl.ScramSHA256: sasl.NewScramSHA256Client,
		"LOGIN": func(user, secret string) sasl.Client {
			return &answers{name: "LOGIN", next: [][]byte{[]byte(user), []byte(secret)}}
		},
		"CRAM-MD5": func(user, secret string) sasl.Client { return &cramMD5{user, secret} },
		"XOAUTH2": func(user, secret string) sasl.Client {
			first := []byte("user=" + user + "\x01auth=Bearer " + secret + "\x01\x01")
			return &answers{name: "XOAUTH2", first: first, next: [][]byte{{}}}
		},
		"OAUTHBEARER": func(user, secret string) sasl.Client { // RFC 7628
			first := []byte("n,a=" + saslName(user) + ",\x01auth=Bearer " + secret + "\x01\x01")
			return &answers{name: "OAUTHBEARER", first: first, next: [][]byte{{1}}}
		},
	}
}

// mechanismNames are the names of mechanisms, sorted.
func mechanismNames() []string { return slices.Sorted(maps.Keys(mechanisms())) }

// saslName is a name as GS2 carries it (RFC 5801 section 4).
func saslName(name string) string {
	var out []byte
	for _, c := range []byte(name) {
		switch c {
		case ',':
			out = append(out, "=2C"...)
		case '=':
			out = append(out, "=3D"...)
		default:
			out = append(out, c)
		}
	}
	return string(out)
}

// answers is a mechanism whose responses do not depend on the challenges. The
// last of OAUTHBEARER and XOAUTH2 ends a failed exchange.
type answers struct {
	name  string
	first []byte // nil: the server speaks first
	next  [][]byte
}

func (a *answers) Start() (mech string, ir []byte, err error) { return a.name, a.first, nil }

func (a *answers) Next([]byte) ([]byte, error) {
	if len(a.next) == 0 {
		return nil, sasl.ErrMessage
	}
	response := a.next[0]
	a.next = a.next[1:]
	return response, nil
}

// cramMD5 is RFC 2195.
type cramMD5 struct{ user, secret string }

func (c *cramMD5) Start() (mech string, ir []byte, err error) { return "CRAM-MD5", nil, nil }

func (c *cramMD5) Next(challenge []byte) ([]byte, error) {
	mac := hmac.New(md5.New, []byte(c.secret))
	mac.Write(challenge)
	return []byte(c.user + " " + hex.EncodeToString(mac.Sum(nil))), nil
}
