package pop3test

func noopFaults() []Fault {
	return []Fault{
		{
			Name: "noop-before-login", Doc: "NOOP works before login.",
			Rules: []string{"P3-NOOP-01"},
			Command: func(e *Exchange) bool {
				if e.LoggedIn || !e.Is("NOOP") {
					return false
				}
				e.Reply = "+OK nothing done\r\n"
				return true
			},
		},
	}
}
