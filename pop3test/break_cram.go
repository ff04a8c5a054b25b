package pop3test

import (
	"crypto/hmac"
	"crypto/md5"
	"crypto/rand"
	"encoding/hex"
	"strings"
)

func cramFaults() []Fault {
	return []Fault{
		cramFault("cram-md5-same-challenge", "CRAM-MD5 sends the same challenge to everybody.", "P3-CRAM-01",
			cram{challenge: func() string { return "<1896.697170952@postoffice.reston.mci.net>" }}),
		cramFault("cram-md5-digest-turned-round", "CRAM-MD5 takes the challenge for the key and the password for the text.", "P3-CRAM-01",
			cram{digest: func(secret, challenge string) string { return hmacMD5(challenge, secret) }}),
		cramFault("cram-md5-takes-any-digest", "CRAM-MD5 lets in with any digest.", "P3-CRAM-01",
			cram{anyDigest: true}),
		cramFault("cram-md5-splits-at-first-space", "CRAM-MD5 takes the name to end at its first space.", "P3-CRAM-02",
			cram{split: strings.Index}),
		cramFault("cram-md5-initial-response-ignored", "CRAM-MD5 takes an initial response, and forgets it.", "P3-AUTH-13",
			cram{takesInitial: true}),
	}
}

// A cram is a server of CRAM-MD5 (RFC 2195). The zero value is right.
type cram struct {
	challenge    func() string                         // nil: a fresh msg-id
	digest       func(secret, challenge string) string // nil: the right one
	split        func(response, separator string) int  // nil: at the last space
	anyDigest    bool
	takesInitial bool
}

func cramFault(name, doc, rule string, c cram) Fault {
	return Fault{Name: name, Doc: doc, Rules: []string{rule}, Command: c.mechanisms().command}
}

func (c cram) mechanisms() mechanisms {
	return mechanisms{
		announced: func(*Session) string { return "CRAM-MD5 PLAIN" },
		begin: func(_ *Session, mechanism string) conversation {
			if mechanism != "CRAM-MD5" {
				return nil
			}
			return c.converse()
		},
	}
}

func (c cram) converse() conversation {
	fresh, digest, split := c.challenge, c.digest, c.split
	if fresh == nil {
		fresh = func() string { return "<" + rand.Text() + "@localhost>" }
	}
	if digest == nil {
		digest = hmacMD5
	}
	if split == nil {
		split = strings.LastIndex
	}
	challenge := ""
	return func(s *Session, response []byte) string {
		if challenge == "" {
			if response != nil && !c.takesInitial {
				return "-ERR CRAM-MD5 has no initial response\r\n"
			}
			challenge = fresh()
			return challengeOf(challenge)
		}
		i := split(string(response), " ")
		if i < 0 {
			return "-ERR [AUTH] name and digest wanted\r\n"
		}
		name, said := string(response[:i]), string(response[i+1:])
		password := s.password(name)
		if password == "" || said != digest(password, challenge) && !c.anyDigest {
			return "-ERR [AUTH] login failed\r\n"
		}
		return s.letIn(name)
	}
}

func hmacMD5(key, text string) string {
	mac := hmac.New(md5.New, []byte(key))
	mac.Write([]byte(text))
	return hex.EncodeToString(mac.Sum(nil))
}
