package explain

import "strings"

// A mechanism is a way to log in with AUTH.
type mechanism struct {
	name  string
	is    phrase
	shows phrase // what everybody on the way can read without TLS; empty: nothing worth having
	asks  func(c *Conversation, challenge string, step int, n *Note)
}

var (
	aPassword = phrase{"the password", "das Kennwort"}
	aToken    = phrase{"the token", "das Token"}
)

// mechanisms has those that are registered or in wide use.
var mechanisms = []mechanism{
	{"PLAIN", phrase{"name and password as they are", "Name und Kennwort, wie sie sind"}, aPassword, asksPlain},
	{"LOGIN", phrase{"name and password as they are, the old way", "Name und Kennwort, wie sie sind, auf die alte Art"}, aPassword, asksLogin},
	{"CRAM-MD5", phrase{"a code (MD5) instead of the password; old", "ein Code (MD5) statt des Kennworts; alt"}, phrase{}, asksCode},
	{"DIGEST-MD5", phrase{"a code (MD5) instead of the password; withdrawn", "ein Code (MD5) statt des Kennworts; zurückgezogen"}, phrase{}, asksCode},
	{"SCRAM-SHA-1", phrase{"a proof that both sides know the password, without sending it", "ein Beweis, dass beide Seiten das Kennwort kennen, ohne es zu senden"}, phrase{}, asksSCRAM},
	{"SCRAM-SHA-256", phrase{"a strong proof that both sides know the password, without sending it", "ein starker Beweis, dass beide Seiten das Kennwort kennen, ohne es zu senden"}, phrase{}, asksSCRAM},
	{"SCRAM-SHA-512", phrase{"a strong proof that both sides know the password, without sending it", "ein starker Beweis, dass beide Seiten das Kennwort kennen, ohne es zu senden"}, phrase{}, asksSCRAM},
	{"SCRAM-SHA-1-PLUS", phrase{"the same proof as SCRAM-SHA-1, bound to this TLS connection", "derselbe Beweis wie SCRAM-SHA-1, gebunden an diese TLS-Verbindung"}, phrase{}, asksSCRAM},
	{"SCRAM-SHA-256-PLUS", phrase{"the same proof as SCRAM-SHA-256, bound to this TLS connection", "derselbe Beweis wie SCRAM-SHA-256, gebunden an diese TLS-Verbindung"}, phrase{}, asksSCRAM},
	{"SCRAM-SHA-512-PLUS", phrase{"the same proof as SCRAM-SHA-512, bound to this TLS connection", "derselbe Beweis wie SCRAM-SHA-512, gebunden an diese TLS-Verbindung"}, phrase{}, asksSCRAM},
	{"OAUTHBEARER", phrase{"a token that the provider has handed out, instead of a password", "ein Token, das der Anbieter ausgegeben hat, statt eines Kennworts"}, aToken, asksToken},
	{"XOAUTH2", phrase{"a token that the provider has handed out, as Google and Microsoft began it", "ein Token, das der Anbieter ausgegeben hat, nach der Art von Google und Microsoft"}, aToken, asksToken},
	{"EXTERNAL", phrase{"the client's certificate, which TLS has shown", "das Zertifikat des Clients, das TLS gezeigt hat"}, phrase{}, asksNothing},
	{"ANONYMOUS", phrase{"no name at all", "ganz ohne Namen"}, phrase{}, asksNothing},
	{"GSSAPI", phrase{"the ticket of a Kerberos network", "das Ticket eines Kerberos-Netzes"}, phrase{}, nil},
	{"GS2-KRB5", phrase{"the ticket of a Kerberos network", "das Ticket eines Kerberos-Netzes"}, phrase{}, nil},
	{"GSS-SPNEGO", phrase{"the login of a Windows network", "die Anmeldung eines Windows-Netzes"}, phrase{}, nil},
	{"NTLM", phrase{"the old login of a Windows network", "die alte Anmeldung eines Windows-Netzes"}, phrase{}, nil},
	{"KERBEROS_V4", phrase{"the ticket of an old Kerberos network", "das Ticket eines alten Kerberos-Netzes"}, phrase{}, nil},
	{"OTP", phrase{"a password that is good for one time", "ein Kennwort, das nur einmal gilt"}, phrase{}, nil},
}

// unknownMechanism stands for all others.
var unknownMechanism = mechanism{is: phrase{"a way that is not known here", "ein Verfahren, das hier nicht bekannt ist"}}

// mechanismOf finds a mechanism by its name, in any case.
func mechanismOf(name string) mechanism {
	for _, m := range mechanisms {
		if strings.EqualFold(m.name, name) {
			return m
		}
	}
	return unknownMechanism
}
