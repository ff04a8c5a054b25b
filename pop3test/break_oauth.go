package pop3test

import (
	"net"
	"strings"
)

func oauthFaults() []Fault {
	return []Fault{
		oauthFault("oauth-in-clear", "OAUTHBEARER is announced and works without TLS.", "P3-OAUTH-01", oauth{clear: true}),
		oauthFault("oauth-lets-in-without-token", "A message of OAUTHBEARER without a token, or without its end, lets in.", "P3-OAUTH-02", oauth{anyMessage: true}),
		oauthFault("oauth-unknown-key-refused", "A key that the server does not know makes OAUTHBEARER fail at once.", "P3-OAUTH-03", oauth{knownKeys: true}),
		oauthFault("oauth-port-ignored", "OAUTHBEARER is taken for another port than the connection has.", "P3-OAUTH-04", oauth{anyPort: true}),
		oauthFault("oauth-failure-without-json", "A refused token gets no challenge that says why.", "P3-OAUTH-05", oauth{noChallenge: true}),
		oauthFault("oauth-failure-without-status", "The JSON after a refused token has no status.", "P3-OAUTH-05", oauth{noStatus: true}),
		oauthFault("oauth-failure-without-end", "The answer to the challenge after a refused token gets the same challenge again.", "P3-OAUTH-05", oauth{asksOn: true}),
		oauthFault("oauth-bare-separator-lets-in", "OAUTHBEARER takes a message of nothing but ^A.", "P3-OAUTH-06", oauth{bareIn: true}),
		oauthFault("oauth-bearer-case-matters", "The scheme is known as \"Bearer\" only.", "P3-OAUTH-07", oauth{exactBearer: true}),
		oauthFault("xoauth2-failure-in-words", "The challenge after a refused token of XOAUTH2 is no JSON.", "P3-OAUTH-08", oauth{words: true}),
	}
}

// An oauth is a server of OAUTHBEARER (RFC 7628) and XOAUTH2. An account's
// token is its password. The zero value is right.
type oauth struct {
	clear, anyMessage, knownKeys, anyPort, noChallenge, noStatus, bareIn, exactBearer, words, tells, asksOn bool
}

func oauthFault(name, doc, rule string, o oauth) Fault {
	return Fault{Name: name, Doc: doc, Rules: []string{rule}, Command: o.mechanisms().command}
}

func (o oauth) mechanisms() mechanisms {
	return mechanisms{
		announced: func(s *Session) string {
			if !s.TLS && !o.clear {
				return "PLAIN"
			}
			return "PLAIN OAUTHBEARER XOAUTH2"
		},
		begin: func(s *Session, mechanism string) conversation {
			switch {
			case !s.TLS && !o.clear:
				return nil
			case mechanism == "OAUTHBEARER":
				return o.converse(o.bearer)
			case mechanism == "XOAUTH2":
				return o.converse(o.xoauth2)
			}
			return nil
		},
	}
}

// converse asks for the message, and after a failure for the answer to the
// challenge, whatever that is.
func (o oauth) converse(judge func(s *Session, message string) string) conversation {
	failed, token := false, ""
	return func(s *Session, response []byte) string {
		switch {
		case response == nil:
			return "+ \r\n"
		case failed && o.asksOn:
			return bearerFailed
		case failed && o.tells:
			return "-ERR [AUTH] token refused: " + token + "\r\n"
		case failed:
			return "-ERR [AUTH] token refused\r\n"
		}
		token = tokenOf(string(response))
		reply := judge(s, string(response))
		failed = strings.HasPrefix(reply, "+ ")
		return reply
	}
}

// What a client hears that is not let in: {"status":"invalid_token",
// "scope":"mail"} and {"status":"401","schemes":"bearer","scope":"mail"}.
const (
	bearerFailed  = "+ eyJzdGF0dXMiOiJpbnZhbGlkX3Rva2VuIiwic2NvcGUiOiJtYWlsIn0=\r\n"
	xoauth2Failed = "+ eyJzdGF0dXMiOiI0MDEiLCJzY2hlbWVzIjoiYmVhcmVyIiwic2NvcGUiOiJtYWlsIn0=\r\n"
	inWords       = "+ aW52YWxpZCB0b2tlbg==\r\n" // invalid token
)

// bearer judges a message of OAUTHBEARER.
func (o oauth) bearer(s *Session, message string) string {
	if message == "\x01" {
		if o.bareIn {
			return s.letIn(User)
		}
		return "-ERR [AUTH] no token\r\n"
	}
	header, pairs, _ := strings.Cut(message, "\x01")
	name, _, whole := strings.Cut(strings.TrimPrefix(header, "n,a="), ",")
	fields, ended := strings.CutSuffix(pairs, "\x01\x01")
	whole = whole && ended && strings.HasPrefix(header, "n,a=")
	values := make(map[string]string)
	for pair := range strings.SplitSeq(fields, "\x01") {
		key, value, found := strings.Cut(pair, "=")
		values[key], whole = value, whole && found
		if o.knownKeys && key != "auth" && key != "host" && key != "port" {
			return "-ERR unknown key\r\n"
		}
	}
	if o.anyMessage && (!whole || values["auth"] == "") {
		return s.letIn(User)
	}
	_, port, _ := net.SplitHostPort(s.front.client.LocalAddr().String())
	samePort := values["port"] == "" || values["port"] == port || o.anyPort
	scheme, token, _ := strings.Cut(values["auth"], " ")
	switch {
	case o.exactBearer && scheme != "Bearer":
		return "-ERR unknown scheme\r\n"
	case whole && samePort && strings.EqualFold(scheme, "Bearer") && token != "" && token == s.password(name):
		return s.letIn(name)
	case o.noChallenge:
		return "-ERR [AUTH] token refused\r\n"
	case o.noStatus:
		return "+ eyJzY29wZSI6Im1haWwifQ==\r\n" // {"scope":"mail"}
	}
	return bearerFailed
}

// xoauth2 judges a message of XOAUTH2.
func (o oauth) xoauth2(s *Session, message string) string {
	rest, _ := strings.CutPrefix(message, "user=")
	name, rest, _ := strings.Cut(rest, "\x01auth=Bearer ")
	token, ended := strings.CutSuffix(rest, "\x01\x01")
	switch {
	case ended && token != "" && token == s.password(name):
		return s.letIn(name)
	case o.words:
		return inWords
	}
	return xoauth2Failed
}

// tokenOf finds the token in a message of either mechanism.
func tokenOf(message string) string {
	_, token, _ := strings.Cut(message, "auth=")
	_, token, _ = strings.Cut(token, " ")
	token, _, _ = strings.Cut(token, "\x01")
	return token
}
