package web

import (
	"net/http"
	"strconv"

	"postfach/internal/explore"
)

// rawWindow is how many lines of the raw message a page has.
const rawWindow = 500

// rawPage is a message as it crossed the wire.
type rawPage struct {
	*messagePage
	Size     int64
	Lines    []rawLine
	Earlier  string // addresses; empty: there is nothing
	Later    string
	Stuffed  int // lines here that had one more "."
	LongLine bool
}

type rawLine struct {
	explore.RawLine
	Number int
}

func showRaw(v *visit) error {
	e, err := v.entry()
	if err != nil {
		return err
	}
	s, err := v.load(e.Key)
	if err != nil {
		return err
	}
	defer s.Close()
	first := v.number("line", 0, 1<<30)
	lines, err := s.RawLines(first, rawWindow+1)
	if err != nil {
		return err
	}
	p := &rawPage{messagePage: v.newMessagePage(e), Size: s.Size()}
	address := func(line int) string { return p.Base + "/raw?line=" + strconv.Itoa(line) }
	if first > 0 {
		p.Earlier = address(max(0, first-rawWindow))
	}
	if len(lines) > rawWindow {
		p.Later, lines = address(first+rawWindow), lines[:rawWindow]
	}
	for i, l := range lines {
		p.Lines = append(p.Lines, rawLine{RawLine: l, Number: first + i + 1})
		if l.Stuffed {
			p.Stuffed++
		}
	}
	v.show("raw", "Raw message: "+subject(e), http.StatusOK, p)
	return nil
}
