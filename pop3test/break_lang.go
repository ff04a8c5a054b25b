package pop3test

import "strings"

func langFaults() []Fault {
	return []Fault{
		{
			Name: "lang-lists-no-tags", Doc: "LANG lists the names of locales, with descriptions that are not UTF-8.",
			Rules: []string{"P3-LANG-01"},
			Command: func(e *Exchange) bool {
				if !e.Is("LANG") || e.Args != "" {
					return false
				}
				e.Reply = "+OK languages follow\r\nen_US.ISO8859-1 English\r\nfr_FR.ISO8859-1 Fran\xe7ais\r\n.\r\n"
				return true
			},
		},
		{
			Name: "lang-without-tag", Doc: "LANG does not say which language it has chosen, and does not know ranges with a region.",
			Rules: []string{"P3-LANG-02"},
			Edit: func(e *Exchange) {
				switch {
				case !e.Is("LANG") || e.Args == "" || !positive(e.Reply):
				case strings.Contains(e.Args, "-"):
					e.Reply = "-ERR no such language\r\n"
				default:
					e.Reply = "+OK Language changed.\r\n"
				}
			},
		},
		{
			Name: "lang-fails-and-changes", Doc: "LANG with a language that is not there is refused, and another language than before is used.",
			Rules: []string{"P3-LANG-03"},
			Edit: func(e *Exchange) {
				switch now, _ := e.Values["language"].(string); {
				case !e.Is("LANG") || e.Args == "":
				case positive(e.Reply):
					first, _ := parts(e.Reply)
					e.Values["language"] = strings.Fields(first + " en")[1]
				case now == "de":
					e.Ask("LANG en")
				default:
					e.Ask("LANG de")
				}
			},
		},
		{
			Name: "lang-never-fails", Doc: "LANG with a language that is not there is answered +OK, with its tag.",
			Rules: []string{"P3-LANG-03"},
			Edit: func(e *Exchange) {
				if word := strings.TrimSpace(e.Args); e.Is("LANG") && word != "" && negative(e.Reply) {
					e.Reply = "+OK " + word + " language changed\r\n"
				}
			},
		},
		{
			Name: "lang-by-user", Doc: "Before login LANG * chooses the language of the name in USER, if there is such a user.",
			Rules: []string{"P3-LANG-04"},
			Command: func(e *Exchange) bool {
				if e.LoggedIn || !e.Is("LANG") || e.Args != "*" {
					return false
				}
				choice := "LANG en"
				if (accounts{e.Server}).find(e.Name).password != "" {
					choice = "LANG de"
				}
				e.Reply = e.Ask(choice)
				return true
			},
		},
		{
			Name: "status-translated", Doc: "After LANG de codes and status indicators are German.",
			Rules: []string{"P3-LANG-05"},
			Edit: func(e *Exchange) {
				switch german, _ := e.Values["german"].(bool); {
				case e.Is("LANG") && strings.HasPrefix(e.Reply, "+OK de"):
					e.Values["german"] = true
				case german && negative(e.Reply):
					e.Reply = strings.Replace(e.Reply, "-ERR [AUTH]", "-ERR [ANMELDUNG]", 1)
					e.Reply = strings.Replace(e.Reply, "-ERR ", "-FEHLER ", 1)
				}
			},
		},
	}
}
