package pop3test

// refusesClear reports whether it has answered a command as a server does that
// takes no password without TLS: USER and SASL are not announced there, and
// every login gets the same refusal, whoever tries it.
func refusesClear(e *Exchange) bool {
	if e.TLS {
		return false
	}
	switch e.Keyword {
	case "CAPA":
		e.Reply = withoutTag(withSASL(e.Forward(), ""), "USER")
		return true
	case "USER", "PASS", "APOP", "AUTH":
		e.Reply = "-ERR TLS required, use STLS\r\n"
		return true
	}
	return false
}
