package pop3test

func refusalScenarios() []Scenario {
	refused := func(name, doc, reply string) Scenario {
		return Scenario{Name: name, Doc: doc, Faults: []Fault{{
			Name: name,
			Command: func(e *Exchange) bool {
				if !e.isOne("PASS", "APOP", "AUTH") {
					return false
				}
				e.Reply = reply + "\r\n"
				return true
			},
		}}}
	}
	return []Scenario{
		{Name: "greeting-err", Doc: "The greeting is -ERR.", Faults: []Fault{{
			Name:  "greeting-err",
			Greet: func(*Session, string) string { return "-ERR [SYS/TEMP] busy, come again\r\n" },
		}}},
		refused("in-use", "The maildrop is in use.", "-ERR [IN-USE] another session has the maildrop"),
		refused("sys-temp", "Logins fail for a while.", "-ERR [SYS/TEMP] no logins at the moment"),
		refused("login-delay", "The last login was a moment ago.", "-ERR [LOGIN-DELAY] wait a minute between logins"),
		refused("wrong-password", "The password is wrong.", "-ERR [AUTH] wrong name or password"),
	}
}
