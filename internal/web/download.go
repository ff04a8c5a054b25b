package web

import (
	"context"
	"io"
	"mime"
	"net/http"
	"strconv"
	"strings"

	"postfach/internal/explore"
)

// attach makes the answer a download. No browser may show it, whatever it is:
// it comes from strangers and would come from our address.
func (v *visit) attach(name string) {
	h := v.w.Header()
	h.Set("Content-Type", "application/octet-stream")
	disposition := mime.FormatMediaType("attachment", map[string]string{"filename": name})
	if disposition == "" {
		disposition = "attachment" // never shown, even without a name
	}
	h.Set("Content-Disposition", disposition)
	h.Set("Content-Security-Policy", "default-src 'none'; sandbox; frame-ancestors 'none'; base-uri 'none'; form-action 'none'")
}

// downloadPart answers with a part, transfer encoding removed.
func downloadPart(v *visit) error {
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
	if one == nil {
		return &failure{Status: http.StatusNotFound, Title: "The message has no such part"}
	}
	r, err := m.Content(one)
	if err != nil {
		return err
	}
	v.attach(one.FileName())
	return v.copy(r)
}

// copy sends a file. An error behind its first octet cuts the answer off.
func (v *visit) copy(r io.Reader) error {
	_, err := io.CopyBuffer(struct{ io.Writer }{v.w}, r, make([]byte, 64<<10))
	return err
}

// downloadMessage answers with the message as it is, without reading it: also
// with one that cannot be shown.
func downloadMessage(v *visit) error {
	e, err := v.entry()
	if err != nil {
		return err
	}
	v.attach(messageName(e))
	ctx, cancel := context.WithTimeout(v.r.Context(), v.face.limits.load)
	defer cancel()
	_, err = v.account.e.Save(ctx, e.Key, v.w)
	return err
}

// messageName returns a file name made of the unique-id, as far as that is safe.
func messageName(e explore.Entry) string {
	id := strings.Map(func(r rune) rune {
		if r < 128 && (r == '-' || r == '_' || r >= '0' && r <= '9' || r >= 'A' && r <= 'Z' || r >= 'a' && r <= 'z') {
			return r
		}
		return '_'
	}, string(e.ID))
	if id = id[:min(len(id), 60)]; id == "" {
		id = strconv.Itoa(e.Number)
	}
	return "message-" + id + ".eml"
}
