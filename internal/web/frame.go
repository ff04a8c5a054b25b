package web

import (
	"html/template"
	"net/http"
	"strings"

	"postfach/internal/message"
)

// htmlLimit is how much HTML a frame shows, in octets.
const htmlLimit = 2 << 20

// framePolicy holds even if the frame's address is opened by itself: nothing is
// loaded, nothing runs, and links open windows of their own.
const framePolicy = "default-src 'none'; img-src data:; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; frame-ancestors 'self'; " +
	"sandbox allow-popups allow-popups-to-escape-sandbox"

// framePage is HTML mail, made harmless.
type framePage struct {
	HTML    template.HTML
	Fail    string
	Left    int // remote pictures that were left out
	Cut     bool
	Subject string
}

func showFrame(v *visit) error {
	e, err := v.entry()
	if err != nil {
		return err
	}
	s, err := v.load(e.Key)
	if err != nil {
		return err
	}
	defer s.Close()
	m := s.Message()
	one := m.Part(v.r.URL.Query().Get("p"))
	if one == nil || !isHTML(one) {
		return &failure{Status: http.StatusNotFound, Title: "This part is no HTML"}
	}
	h := v.w.Header()
	h.Set("Content-Security-Policy", framePolicy)
	h.Set("X-Frame-Options", "SAMEORIGIN")
	h.Del("Cross-Origin-Opener-Policy") // a sandboxed page may not have one
	v.render("frame", "frame.html", http.StatusOK, newFramePage(m, one))
	return nil
}

func newFramePage(m *message.Message, one *message.Part) *framePage {
	p := &framePage{Subject: message.PrintableLine(m.Summary.Subject)}
	text, cut, err := m.Text(one, htmlLimit)
	if err != nil {
		p.Fail = "This part cannot be read: " + message.PrintableLine(err.Error())
		return p
	}
	p.Cut = cut
	in := &inliner{message: m, octets: maxPictures, read: make(map[string]string)}
	c := &cleaner{pictures: in.picture}
	html, err := c.clean(strings.ToValidUTF8(text, "\uFFFD"))
	if err != nil {
		p.Fail = "This HTML is too tangled to be shown safely. Read it as text, or look at the raw message."
		return p
	}
	p.HTML, p.Left = template.HTML(html), c.left
	return p
}
