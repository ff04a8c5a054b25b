package pop3test

func rsetFaults() []Fault {
	return []Fault{
		{
			Name: "rset-does-nothing", Doc: "RSET is answered +OK and leaves all marks.",
			Rules: []string{"P3-RSET-01"},
			Command: func(e *Exchange) bool {
				if !e.LoggedIn || !e.Is("RSET") {
					return false
				}
				e.Reply = "+OK no message is marked any more\r\n"
				return true
			},
		},
		{
			Name: "rset-needs-marks", Doc: "RSET is refused when nothing is marked.",
			Rules: []string{"P3-RSET-02"},
			Command: func(e *Exchange) bool {
				e.mark("deleted", e.numberOf("DELE"))
				if !e.LoggedIn || !e.Is("RSET") {
					return false
				}
				if len(e.marks("deleted")) == 0 {
					e.Reply = "-ERR no messages are marked\r\n"
					return true
				}
				delete(e.Values, "deleted")
				return false
			},
		},
	}
}
