package pop3check

import (
	"crypto/hmac"
	"crypto/md5"
	"encoding/base64"
	"encoding/hex"
	"slices"
	"strings"
	"unicode/utf8"
)

func clientSASL() []clientRow {
	return []clientRow{
		{"P3-AUTH-01", nil, clientAuthLine},
		{"P3-AUTH-06", nil, clientResponses},
		{"P3-AUTH-08", nil, clientInitialResponse},
		{"P3-AUTH-09", nil, clientEmptyInitialResponse},
		{"P3-AUTH-11", nil, clientLongInitialResponse},
		{"P3-AUTH-15", []string{"auth-padding"}, clientCancels("a challenge with = in its middle to be refused with *")},
		{"P3-AUTH-16", []string{"auth-garbage"}, clientCancels("a challenge that is no base64 to be answered with *")},
		{"P3-AUTH-17", []string{"auth-long"}, clientAnswersLong},
		{"P3-AUTH-21", nil, clientFinalResponse},
		{"P3-AUTH-22", nil, clientServiceName},
		{"P3-AUTH-23", []string{"auth-plain"}, clientPlainWorks},
		{"P3-AUTH-28", nil, clientUnannouncedAuth},
		{"P3-PLAIN-01", nil, clientPlainMessage},
		{"P3-PLAIN-05", nil, clientProtectsPlain},
		{"P3-EXT-03", nil, clientExternal},
		{"P3-CRAM-01", []string{"cram-md5"}, clientCRAM},
		{"P3-SCRAM-01", nil, clientSCRAM},
		{"P3-SCRAM-02", []string{"scram-sha-1"}, clientPrefersSHA256},
		{"P3-SCRAM-04", []string{"scram-nonce"}, clientRefusesSCRAM("a nonce that does not begin with the client's to end the exchange")},
		{"P3-SCRAM-05", []string{"scram-signature"}, clientChecksSignature},
		{"P3-SCRAM-07", []string{"scram-mandatory"}, clientRefusesSCRAM("a mandatory extension to end the exchange")},
		{"P3-SCRAM-11", nil, clientBindingFlag},
		{"P3-OAUTH-01", nil, clientBearerInTLS},
		{"P3-OAUTH-02", nil, clientBearerMessage},
		{"P3-OAUTH-05", []string{"oauthbearer-refused"}, clientBearerRefused},
		{"P3-OAUTH-08", nil, clientXOAUTH2Message},
		{"P3-OAUTH-09", []string{"xoauth2"}, clientTwoLines},
	}
}

// A saslExchange is one AUTH and its responses.
type saslExchange struct {
	t         *talk
	auth      *turn
	mechanism string
	// responses are the client's messages, the initial one first if there is one.
	responses []saslMessage
	turns     []*turn // the lines that the responses were in
}

// A saslMessage is what base64 says.
type saslMessage struct {
	text  string
	valid bool
}

// exchanges returns those of all connections.
func (v *verdict) exchanges(mechanisms ...string) []*saslExchange {
	var all []*saslExchange
	for _, t := range v.talks {
		var now *saslExchange
		for _, x := range t.turns {
			switch {
			case x.is("AUTH") && x.args != "":
				word, initial, has := strings.Cut(x.args, " ")
				now = &saslExchange{t: t, auth: x, mechanism: strings.ToUpper(word)}
				if has {
					now.add(x, initial)
				}
				if len(mechanisms) == 0 || slices.Contains(mechanisms, now.mechanism) {
					all = append(all, now)
				}
			case x.response && now != nil:
				now.add(x, strings.TrimRight(x.line, "\r\n"))
			}
		}
	}
	return all
}

func (e *saslExchange) add(x *turn, coded string) {
	m := saslMessage{valid: true}
	if coded != "=" || !x.is("AUTH") {
		m.text, m.valid = fromBase64(coded)
	}
	e.responses = append(e.responses, m)
	e.turns = append(e.turns, x)
}

// fromBase64 is strict: nothing but the alphabet, and padding at the end.
func fromBase64(s string) (string, bool) {
	if strings.ContainsAny(s, "\r\n") {
		return "", false
	}
	text, err := base64.StdEncoding.Strict().DecodeString(s)
	return string(text), err == nil
}

// saslChallenge returns the one in the reply to x.
func saslChallenge(x *turn) (string, bool) {
	return fromBase64(strings.TrimPrefix(strings.TrimRight(x.reply, "\r\n"), "+ "))
}

func clientAuthLine(v *verdict) {
	for _, e := range v.exchanges() {
		v.holds(len(strings.Split(e.auth.args, " ")) <= 2 && allVisible(e.mechanism), e.t, "AUTH, a mechanism, and at most one initial response, parted by single SPs", "%s", e.auth.show())
	}
}

func clientResponses(v *verdict) {
	for _, e := range v.exchanges() {
		for i, x := range e.turns {
			if x.response && strings.TrimRight(x.line, "\r\n") != "*" {
				v.holds(e.responses[i].valid, e.t, "responses in base64", "a response of %d octets", len(x.line))
			}
		}
	}
}

func clientInitialResponse(v *verdict) {
	for _, e := range v.exchanges() {
		if len(e.turns) > 0 && e.turns[0] == e.auth {
			v.holds(e.responses[0].valid, e.t, `an initial response in base64, or "="`, "%s", e.auth.show())
		}
	}
}

func clientEmptyInitialResponse(v *verdict) {
	for _, e := range v.exchanges() {
		_, initial, has := strings.Cut(e.auth.args, " ")
		if has && (initial == "" || initial == "=") {
			v.holds(initial == "=", e.t, `an empty initial response as "="`, "%q", "AUTH "+e.auth.args)
		}
	}
}

// longestAuth is how many octets an AUTH line with an initial response may have.
const longestAuth = 255

func clientLongInitialResponse(v *verdict) {
	for _, e := range v.exchanges() {
		switch {
		case len(e.auth.line) > longestAuth:
			v.fail(e.t, "no AUTH line of more than 255 octets", "AUTH %s and an initial response, %d octets in all", e.mechanism, len(e.auth.line))
		case len(e.turns) > 0 && len(e.turns[0].line) > longestAuth-len("AUTH ")-len(e.mechanism):
			v.pass(e.t, "a response of %d octets came in a line of its own", len(e.turns[0].line))
		}
	}
}

// clientCancels: the challenge makes no sense.
func clientCancels(want string) func(*verdict) {
	return func(v *verdict) {
		for _, t := range v.talks {
			for i, x := range t.turns {
				if (x.is("AUTH") || x.response) && strings.HasPrefix(x.reply, "+ ") && x.complete {
					if _, fine := saslChallenge(x); !fine {
						v.holds(strings.TrimSpace(strings.TrimPrefix(t.next(i), "a SASL response")) == "" && i+1 < len(t.turns) && t.turns[i+1].line == "*\r\n",
							t, want, "after the challenge: %s", t.next(i))
					}
				}
			}
		}
	}
}

func clientAnswersLong(v *verdict) {
	for _, e := range v.exchanges() {
		for _, x := range append([]*turn{e.auth}, e.turns...) {
			if len(x.reply) < 8000 || !x.complete {
				continue
			}
			after := slices.Index(e.t.turns, x) + 1
			fine := after < len(e.t.turns) && e.t.turns[after].response && e.t.turns[after].line != "*\r\n"
			if stamp, _ := saslChallenge(x); fine && e.mechanism == "CRAM-MD5" {
				fine = len(e.responses) > 0 && e.responses[0].text == v.responseCRAM(stamp)
			}
			v.holds(fine, e.t, "a challenge of 8000 octets to be answered", "after it: %s", e.t.next(after-1))
			return
		}
	}
}

// clientFinalResponse: what the server says last is a challenge; the answer is
// an empty line.
func clientFinalResponse(v *verdict) {
	for _, e := range v.exchanges() {
		for _, x := range e.turns {
			text, fine := saslChallenge(x)
			if !x.complete || !fine || !strings.HasPrefix(x.reply, "+ ") || !strings.HasPrefix(text, "v=") {
				continue
			}
			after := slices.Index(e.t.turns, x) + 1
			if v.run.Scenario == "scram-signature" {
				continue
			}
			v.holds(after < len(e.t.turns) && e.t.turns[after].line == "\r\n", e.t, "an empty line after the server's last message", "%s", e.t.next(after-1))
		}
	}
}

// clientServiceName: DIGEST-MD5 is the one mechanism here that names it.
func clientServiceName(v *verdict) {
	for _, e := range v.exchanges("DIGEST-MD5") {
		for _, m := range e.responses {
			if _, uri, found := strings.Cut(m.text, `digest-uri="`); found {
				v.holds(strings.HasPrefix(uri, "pop/"), e.t, `the service name "pop"`, "digest-uri=%q", uri[:strings.IndexByte(uri+`"`, '"')])
			}
		}
	}
}

func clientPlainWorks(v *verdict) {
	for _, e := range v.exchanges("PLAIN") {
		if e.auth.tls {
			_, stat := v.said("STAT", "LIST", "UIDL", "RETR", "QUIT")
			v.holds(len(e.turns) > 0 && e.turns[len(e.turns)-1].ok() && stat != nil, e.t, "a login with PLAIN over TLS", "%s", e.auth.show())
		}
	}
}

func clientUnannouncedAuth(v *verdict) {
	v.each(func(t *talk, x *turn) {
		if !x.is("AUTH") {
			return
		}
		lines, _ := t.announced(x)
		initial := strings.Contains(x.args, " ")
		v.holds(hasTag(lines, "SASL") || !initial, t, "no initial response when CAPA has not announced SASL", "%s", x.show())
	})
	if v.status == Skip && (v.run.Scenario == "no-capa" || v.run.Scenario == "minimal") && len(v.talks) > 0 {
		v.pass(v.last(), "no AUTH without SASL in CAPA")
	}
}

func clientPlainMessage(v *verdict) {
	for _, e := range v.exchanges("PLAIN") {
		if len(e.responses) == 0 || e.turns[0].line == "*\r\n" {
			continue
		}
		f := strings.Split(e.responses[0].text, "\x00")
		v.holds(len(f) == 3 && f[1] != "" && f[2] != "" && utf8.ValidString(e.responses[0].text), e.t,
			"authorization identity, NUL, name, NUL, password", "%d fields", len(f))
	}
}

func clientProtectsPlain(v *verdict) {
	if v.run.Security != "stls" && v.run.Security != "tls" {
		return
	}
	for _, e := range v.exchanges("PLAIN", "LOGIN") {
		v.holds(e.auth.tls, e.t, "PLAIN only in TLS", "%s", e.auth.show())
	}
}

func clientExternal(v *verdict) {
	for _, e := range v.exchanges("EXTERNAL") {
		if len(e.responses) > 0 && e.turns[0].line != "*\r\n" {
			m := e.responses[0]
			v.holds(m.valid && utf8.ValidString(m.text) && !strings.Contains(m.text, "\x00"), e.t, "an identity in UTF-8, or nothing", "%d octets", len(m.text))
		}
	}
}

func clientCRAM(v *verdict) {
	for _, e := range v.exchanges("CRAM-MD5") {
		stamp, fine := saslChallenge(e.auth)
		if !fine || len(e.responses) == 0 || e.turns[0].line == "*\r\n" {
			continue
		}
		v.holds(e.responses[0].text == v.responseCRAM(stamp), e.t,
			"name, SP, and the HMAC-MD5 of the challenge as lower-case hexadecimal digits", "a response of %d octets", len(e.responses[0].text))
	}
}

// responseCRAM is the right answer to a challenge of CRAM-MD5.
func (v *verdict) responseCRAM(stamp string) string {
	mac := hmac.New(md5.New, []byte(v.run.Password))
	mac.Write([]byte(stamp))
	return v.run.User + " " + hex.EncodeToString(mac.Sum(nil))
}

// scramAttributes parts a SCRAM message at its commas.
func scramAttributes(m string) []string { return strings.Split(m, ",") }

func isSCRAM(mechanism string) bool { return strings.HasPrefix(mechanism, "SCRAM-") }

func clientSCRAM(v *verdict) {
	for _, e := range v.exchanges() {
		if !isSCRAM(e.mechanism) || len(e.responses) == 0 {
			continue
		}
		f := scramAttributes(e.responses[0].text)
		first := len(f) >= 4 && strings.HasPrefix(f[2], "n=") && strings.HasPrefix(f[3], "r=") && len(f[3]) > len("r=")
		v.holds(first, e.t, "a first message with GS2 header, n= and r=, in this order", "%d attributes", len(f))
		if len(e.responses) < 2 || e.responses[1].text == "" || !first {
			continue
		}
		g := scramAttributes(e.responses[1].text)
		final := len(g) >= 3 && strings.HasPrefix(g[0], "c=") && strings.HasPrefix(g[1], "r="+strings.TrimPrefix(f[3], "r=")) && strings.HasPrefix(g[len(g)-1], "p=")
		v.holds(final, e.t, "a final message with c=, the whole nonce in r=, and p= at the end", "%d attributes", len(g))
	}
}

// clientPrefersSHA256: both are offered.
func clientPrefersSHA256(v *verdict) {
	for _, e := range v.exchanges() {
		if isSCRAM(e.mechanism) {
			v.holds(strings.HasPrefix(e.mechanism, "SCRAM-SHA-256"), e.t, "SCRAM-SHA-256 where it is offered beside SCRAM-SHA-1", "%s", e.mechanism)
			return
		}
	}
}

// clientRefusesSCRAM: what the server has sent in the exchange must not be
// answered with a proof.
func clientRefusesSCRAM(want string) func(*verdict) {
	return func(v *verdict) {
		for _, e := range v.exchanges() {
			if !isSCRAM(e.mechanism) || len(e.responses) == 0 || !strings.HasPrefix(e.turns[0].reply, "+ ") {
				continue
			}
			proof := slices.ContainsFunc(e.responses[1:], func(m saslMessage) bool { return strings.Contains(m.text, "p=") })
			v.holds(!proof, e.t, want, "after the server's first message: %s", e.t.next(slices.Index(e.t.turns, e.turns[0])))
		}
	}
}

// clientChecksSignature: +OK follows a signature that is wrong.
func clientChecksSignature(v *verdict) {
	const want = "a wrong signature of the server to end the session"
	for _, e := range v.exchanges() {
		last := len(e.turns) - 1
		if !isSCRAM(e.mechanism) || last < 1 {
			continue
		}
		for _, x := range e.t.turns[slices.Index(e.t.turns, e.turns[last])+1:] {
			if !x.is("QUIT") {
				v.fail(e.t, want, "%s", x.show())
			}
		}
		v.holds(!v.contented(), e.t, want, "the session ended")
	}
}

func clientBindingFlag(v *verdict) {
	for _, e := range v.exchanges() {
		if !isSCRAM(e.mechanism) || len(e.responses) == 0 || e.responses[0].text == "" {
			continue
		}
		flag := e.responses[0].text[:1]
		lines, _ := e.t.announced(e.auth)
		offered := slices.ContainsFunc(lines, func(l string) bool { return strings.HasPrefix(l, "SASL ") && strings.Contains(l, "-PLUS") })
		plus := strings.HasSuffix(e.mechanism, "-PLUS")
		v.holds(plus == (flag == "p") && (flag != "y" || !offered), e.t,
			"the flag p with -PLUS, y only where the server offers no -PLUS, else n", "flag %s with %s, -PLUS offered: %t", flag, e.mechanism, offered)
	}
}

func clientBearerInTLS(v *verdict) {
	for _, e := range v.exchanges("OAUTHBEARER", "XOAUTH2") {
		if len(e.responses) > 0 && e.turns[0].line != "*\r\n" {
			v.holds(e.auth.tls, e.t, "no token without TLS", "%s in clear", e.mechanism)
		}
	}
	if v.run.Scenario == "oauthbearer-clear" && len(v.talks) > 0 {
		v.pass(v.last(), "no token was sent")
	}
}

func clientBearerMessage(v *verdict) {
	for _, e := range v.exchanges("OAUTHBEARER") {
		if len(e.responses) == 0 || e.turns[0].line == "*\r\n" {
			continue
		}
		f := strings.Split(e.responses[0].text, "\x01")
		gs2 := strings.Split(f[0], ",")
		fine := len(f) >= 4 && f[len(f)-1] == "" && f[len(f)-2] == "" && len(gs2) == 3 && gs2[0] == "n" && gs2[2] == "" &&
			slices.Contains(f, "auth=Bearer "+v.run.Password)
		v.holds(fine, e.t, `"n,a=NAME," and key=value pairs between 0x01, among them auth=Bearer and the token, and 0x01 at the end`, "%d parts", len(f))
	}
}

// clientBearerRefused: the server's challenge says why.
func clientBearerRefused(v *verdict) {
	for _, e := range v.exchanges("OAUTHBEARER") {
		for i, x := range e.turns {
			if text, _ := saslChallenge(x); !strings.HasPrefix(text, "{") {
				continue
			}
			answer := "nothing"
			if i+1 < len(e.turns) {
				answer = strings.TrimRight(e.turns[i+1].line, "\r\n")
			}
			if answer != "AQ==" && answer != "*" && answer != "nothing" {
				answer = "another response"
			}
			v.holds(answer == "AQ==" || answer == "*", e.t, "AQ== or * after the server's error", "%s", answer)
		}
	}
}

func clientXOAUTH2Message(v *verdict) {
	for _, e := range v.exchanges("XOAUTH2") {
		if len(e.responses) > 0 && e.turns[0].line != "*\r\n" {
			v.holds(e.responses[0].text == "user="+v.run.User+"\x01auth=Bearer "+v.run.Password+"\x01\x01", e.t,
				"user=NAME 0x01 auth=Bearer TOKEN 0x01 0x01", "a message of %d octets", len(e.responses[0].text))
		}
	}
}

// clientTwoLines: the token is too long for the AUTH line, and the empty
// challenge is a "+" alone.
func clientTwoLines(v *verdict) {
	for _, e := range v.exchanges("XOAUTH2") {
		if e.auth.reply == "+\r\n" {
			v.holds(len(e.turns) > 0 && e.turns[0].line != "*\r\n", e.t, `the token after a "+" without SP`, "%s", e.t.next(slices.Index(e.t.turns, e.auth)))
		}
	}
}
