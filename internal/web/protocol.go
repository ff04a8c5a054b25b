package web

import (
	"math"
	"net/http"

	"postfach/internal/explain"
)

// protocolWindow is how many lines the page shows unless all are asked for.
const protocolWindow = 500

// protocolPage is what was said, explained.
type protocolPage struct {
	Lines    []explain.Line
	Next     int
	Left     int // older lines that are not shown
	Language explain.Language
	Address  string // of the lines behind Next, for the script
}

func (v *visit) protocol(after int) *protocolPage {
	lines, next := v.account.e.Log(after)
	return &protocolPage{Lines: lines, Next: next, Language: v.language(), Address: v.account.path("protocol/lines")}
}

func showProtocol(v *visit) error {
	p := v.protocol(0)
	if p.Left = len(p.Lines) - protocolWindow; p.Left > 0 && v.r.URL.Query().Get("all") == "" {
		p.Lines = p.Lines[p.Left:]
	} else {
		p.Left = 0
	}
	v.show("protocol", "What is said on the wire", http.StatusOK, p)
	return nil
}

// showLines answers with the lines behind one, for the script.
func showLines(v *visit) error {
	v.render("protocol", "lines", http.StatusOK, v.protocol(v.number("after", 0, math.MaxInt)))
	return nil
}
