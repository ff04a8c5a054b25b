package pop3server

import (
	"strings"

	"postfach/pop3"
	"postfach/sasl"
)

// A mechanism is a way to log in with AUTH. CAPA reads the same rows.
type mechanism struct {
	name string
	// refusal is nil where the mechanism works, else what the client hears.
	refusal func(*session) error
	// begin returns the server's end of one exchange, in which it leaves what comes
	// of it.
	begin func(*session, *exchange) sasl.Server
}

// mechanisms are all of them, in the order of CAPA, for clients that take the
// first one they know. What gives least away comes first: bound to the
// connection, then what only proves that the client knows a password. A
// certificate proves as much, but stands behind them, because programs show one
// to whoever asks, and the person meant to log in by name. Then tokens, which
// expire; a digest, whose secret the server has to keep; at last the password
// itself.
func mechanisms() []mechanism {
	return []mechanism{
		{sasl.ScramSHA256Plus, scramPlusRefusal(sasl.SHA256), beginScram(sasl.SHA256, true)},
		{sasl.ScramSHA1Plus, scramPlusRefusal(sasl.SHA1), beginScram(sasl.SHA1, true)},
		{sasl.ScramSHA256, scramRefusal(sasl.SHA256), beginScram(sasl.SHA256, false)},
		{sasl.ScramSHA1, scramRefusal(sasl.SHA1), beginScram(sasl.SHA1, false)},
		{sasl.External, (*session).externalRefusal, (*session).beginExternal},
		{sasl.OAuthBearer, (*session).tokenRefusal, beginToken(sasl.NewOAuthBearerServer)},
		{sasl.XOAuth2, (*session).tokenRefusal, beginToken(sasl.NewXOAuth2Server)},
		{sasl.CramMD5, (*session).cramRefusal, (*session).beginCram},
		{sasl.Plain, (*session).plainRefusal, (*session).beginPlain},
		{sasl.Login, (*session).loginRefusal, (*session).beginLogin},
	}
}

// mechanism finds the one that AUTH names, in upper or lower case (P3-AUTH-02),
// if it works on this connection (P3-AUTH-03).
func (s *session) mechanism(name string) (m mechanism, err error) {
	for _, m := range mechanisms() {
		if strings.EqualFold(name, m.name) {
			return m, s.tellInsecure(m.name, m.refusal(s))
		}
	}
	return mechanism{}, noMechanism()
}

// saslCapability announces SASL with what can be used now, or not at all
// (P3-CAPA-09).
func (s *session) saslCapability() (c pop3.Capability, announced bool) {
	c.Tag = pop3.CapSASL
	for _, m := range mechanisms() {
		if m.refusal(s) == nil {
			c.Params = append(c.Params, m.name)
		}
	}
	return c, len(c.Params) > 0
}

// noMechanism is what a client hears of a mechanism that the server does not
// have, and of one that nobody has heard of.
func noMechanism() error { return &refusal{text: textNoMechanism} }

// inClear is nil in TLS, else the refusal of what works nowhere else.
func (s *session) inClear() error {
	switch {
	case s.tls != nil:
		return nil
	case s.srv.tlsConfig != nil:
		return &refusal{text: textNeedTLS}
	}
	return noMechanism()
}
