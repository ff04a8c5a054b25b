package pop3test

func loginScenarios() []Scenario {
	apop := []string{"APOP"}
	return []Scenario{
		{Name: "apop", Doc: "The greeting has a timestamp.", Auth: apop, APOP: true, Security: "clear"},
		{Name: "apop-odd", Doc: "The greeting's timestamp is no msg-id.", Auth: apop, APOP: true, Security: "clear", Faults: []Fault{{
			Name:  "apop-odd",
			Greet: func(*Session, string) string { return "+OK ready <\x80\x81\xff1234@@localhost>\r\n" },
		}}},
		{Name: "apop-stls", Doc: "The greeting before STLS has a timestamp. The client should not be told to use it.", APOP: true, Security: "stls"},
		{Name: "crlf-in-user", Doc: "The user name has a line end with a command behind it.", User: "user\r\nNOOP 4711", Security: "clear"},
		{
			Name: "utf8-user", Doc: "Name and password are not ASCII; the server has UTF8, but not for them.",
			User: "j\u00fcrgen", Password: "gr\u00fc\u00dfe 4711", Security: "clear", Faults: []Fault{edited("utf8-user", func(e *Exchange) {
				if e.Is("CAPA") {
					e.announceNot("SASL", "UTF8")
					e.announce("UTF8")
				}
			})},
		},
	}
}
