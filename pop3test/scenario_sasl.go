package pop3test

import "strings"

// token is a bearer token that makes AUTH and its initial response longer than
// a command may be.
const (
	tokenPart = "abcdefghijklmnopqrstuvwxyz-ABCDEFGHIJKLMNOPQRSTUVWXYZ-0123456789-"
	token     = "ya29.4711-" + tokenPart + tokenPart + tokenPart
)

func saslScenarios() []Scenario {
	const digest = `realm="localhost",nonce="4711ab0815",qop="auth",charset=utf-8,algorithm=md5-sess`
	const both = "SCRAM-SHA-256 CRAM-MD5"
	otherNonce := inFirst(func(m string) string { return "r=another-" + m[len("r="):] })
	mandatory := inFirst(func(m string) string { return "m=tomorrow," + m })
	twoLines := bearerScenario("xoauth2", `XOAUTH2, with a token too long for the AUTH line; the empty challenge is a "+" alone.`, "XOAUTH2", "tls", true)
	twoLines.Faults = append(twoLines.Faults, edited("plus-alone", func(e *Exchange) {
		if e.Reply == "+ \r\n" {
			e.Reply = "+\r\n"
		}
	}))
	free := saslScenario("scram-sha-1", "SCRAM-SHA-1 is offered before SCRAM-SHA-256.", "SCRAM-SHA-1 SCRAM-SHA-256", scram{}.begin)
	free.Auth = nil // the choice is the client's
	bound := saslScenario("scram-plus", "SCRAM-SHA-256 is offered with channel binding and without.", "SCRAM-SHA-256-PLUS SCRAM-SHA-256", scram{}.begin)
	bound.Security = "tls"
	return []Scenario{
		{Name: "auth-plain", Doc: "SASL PLAIN in TLS.", Auth: []string{"PLAIN"}, Security: "tls"},
		saslScenario("auth-scram", "SASL SCRAM-SHA-256.", "SCRAM-SHA-256", scram{}.begin),
		free,
		saslScenario("scram-nonce", "The server's nonce does not begin with the client's.", "SCRAM-SHA-256", tampered(otherNonce)),
		saslScenario("scram-signature", "The server's signature is wrong, and it says +OK all the same.", "SCRAM-SHA-256", tampered(otherSignature)),
		saslScenario("scram-mandatory", "The server's first message has a mandatory extension.", "SCRAM-SHA-256", tampered(mandatory)),
		bound,
		saslScenario("auth-long", "A challenge has more than 8000 octets.", both, longChallenge),
		saslScenario("auth-garbage", "The challenge is no base64.", both, alwaysSays("+ %%%\r\n")),
		saslScenario("auth-padding", "The challenge has = in its middle.", both, alwaysSays("+ AAA=BBB=\r\n")),
		saslScenario("cram-md5", "SASL CRAM-MD5.", "CRAM-MD5", cramServer("<1896.697170952@localhost>")),
		saslScenario("digest-md5", "SASL DIGEST-MD5; the login is refused.", "DIGEST-MD5", alwaysSays(challengeOf(digest))),
		saslScenario("external", "SASL EXTERNAL; everybody is let in.", "EXTERNAL", externalServer),
		bearerScenario("oauthbearer", "OAUTHBEARER, with a token too long for the AUTH line.", "OAUTHBEARER", "tls", true),
		bearerScenario("oauthbearer-refused", "OAUTHBEARER; the token is refused.", "OAUTHBEARER", "tls", false),
		bearerScenario("oauthbearer-clear", "OAUTHBEARER is offered without TLS.", "OAUTHBEARER", "clear", true),
		twoLines,
	}
}

// saslScenario is a server with these mechanisms, parted by SP, and no others.
// The client is to use one of them.
func saslScenario(name, doc, announced string, begin func(*Session, string) conversation) Scenario {
	m := mechanisms{announced: func(*Session) string { return announced }, begin: begin}
	return Scenario{Name: name, Doc: doc, Auth: strings.Fields(announced), Faults: []Fault{{Name: name, Command: m.command}}}
}

// bearerScenario is for clients whose password is a token.
func bearerScenario(name, doc, mechanism, security string, good bool) Scenario {
	s := saslScenario(name, doc, mechanism, bearerServer(good))
	s.Security, s.Password = security, token
	return s
}

// alwaysSays has one challenge for everybody, and refuses whatever comes then.
// Mechanisms in which the client speaks first have its message before that.
func alwaysSays(line string) func(*Session, string) conversation {
	return func(_ *Session, mechanism string) conversation {
		said := false
		return func(_ *Session, response []byte) string {
			switch {
			case said:
				return "-ERR [AUTH] no\r\n"
			case response == nil && strings.HasPrefix(mechanism, "SCRAM-"):
				return "+ \r\n"
			}
			said = true
			return line
		}
	}
}

func longChallenge(s *Session, mechanism string) conversation {
	if mechanism == "CRAM-MD5" {
		return cramServer("<"+strings.Repeat("1896.", 1500)+"697170952@localhost>")(s, mechanism)
	}
	return tampered(inFirst(func(m string) string { return m + ",z=" + strings.Repeat("later", 1500) }))(s, mechanism)
}

// cramServer is one whose challenge is this.
func cramServer(stamp string) func(*Session, string) conversation {
	return cram{challenge: func() string { return stamp }}.mechanisms().begin
}

func externalServer(_ *Session, mechanism string) conversation {
	if mechanism != "EXTERNAL" {
		return nil
	}
	return func(s *Session, response []byte) string {
		if response == nil {
			return "+ \r\n"
		}
		return s.letIn(scenarioUser)
	}
}

// bearerServer takes a message of OAUTHBEARER or XOAUTH2, and lets its client
// in, or says why not.
func bearerServer(good bool) func(*Session, string) conversation {
	return func(_ *Session, mechanism string) conversation {
		if mechanism != "OAUTHBEARER" && mechanism != "XOAUTH2" {
			return nil
		}
		refused := false
		return func(s *Session, response []byte) string {
			switch {
			case refused:
				return "-ERR [AUTH] the token is not valid\r\n"
			case response == nil:
				return "+ \r\n"
			case good && strings.Contains(string(response), "auth=Bearer "+token+"\x01"):
				return s.letIn(scenarioUser)
			}
			refused = true
			return challengeOf(`{"status":"invalid_token","scope":"pop"}`)
		}
	}
}
