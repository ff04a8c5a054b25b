package web

import (
	"bytes"
	"context"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"postfach/internal/explore"
	"postfach/internal/message"
)

const (
	textLimit    = 1 << 20 // octets of a text on a page
	previewLines = 30      // of the body, by TOP
)

// messagePage is a message, loaded or (preview) only looked at.
type messagePage struct {
	Entry      explore.Entry
	Base       string // the message's address
	List       string // the list that it was chosen from
	Back       string // where mark buttons lead back to
	Previous   string
	Next       string
	Fields     []message.Field
	AllHeaders bool
	Problem    string

	View     string // text or html
	HasText  bool
	HasHTML  bool
	Part     string // the path of the text part that is shown
	Frame    string // address of the HTML
	Text     string
	Cut      bool
	TextFail string

	Parts       []part
	Attachments []part
	Preview     bool
	Failure     *failure // it could not be loaded
	listing     url.Values
}

// A part is one of a message, in a list: the tree may be 200 deep.
type part struct {
	*message.Part
	Depth    int // from 1
	Indent   int // Depth, as far as a screen has room
	FileName string
	Text     bool // it can be read on a page
	Leaf     bool
	Address  string // of its download
	View     string // of its text
}

// entry returns the message that the address names.
func (v *visit) entry() (explore.Entry, error) {
	k, err := parseKey(v.r.PathValue("key"))
	if err != nil {
		return explore.Entry{}, err
	}
	e, ok := v.account.e.Entry(k)
	if !ok {
		return explore.Entry{}, explore.ErrGone
	}
	return e, nil
}

// load returns the message, loaded; the engine keeps it for a while, so that
// its frame and its parts cost no further RETR. The caller closes it.
func (v *visit) load(k explore.Key) (*explore.Stored, error) {
	ctx, cancel := context.WithTimeout(v.r.Context(), v.face.limits.load)
	defer cancel()
	return v.account.e.Open(ctx, k)
}

// newMessagePage returns what all pages about a message have.
func (v *visit) newMessagePage(e explore.Entry) *messagePage {
	q := v.r.URL.Query()
	l := parseListing(q)
	p := &messagePage{Entry: e, Base: v.account.path("m/" + formatKey(e.Key)), List: l.address(v.account)}
	p.Back = v.r.URL.RequestURI()
	if at := v.number("at", -1, 1<<30); at >= 0 {
		p.neighbours(v.account, l, e.Key, at)
		near := l.values()
		near.Set("at", q.Get("at"))
		p.listing = near
	}
	return p
}

// With returns the message's address with more in its query, in pairs of name
// and value. The place in the list stays.
func (p *messagePage) With(pairs ...string) string {
	q := url.Values{}
	maps.Copy(q, p.listing)
	for pair := range slices.Chunk(pairs, 2) {
		q.Set(pair[0], pair[1])
	}
	if len(q) == 0 {
		return p.Base
	}
	return p.Base + "?" + q.Encode()
}

// neighbours finds the messages before and behind this one in its list, where
// it still stands there.
func (p *messagePage) neighbours(a *account, l listing, k explore.Key, at int) {
	l.Offset = at / window * window
	p.List = l.address(a)
	near := l.Query
	near.Offset, near.Limit = max(0, at-1), 3
	found := a.e.Page(near).Entries
	i := slices.IndexFunc(found, func(e explore.Entry) bool { return e.Key == k })
	if i > 0 {
		p.Previous = l.at(a, found[i-1].Key, near.Offset+i-1)
	}
	if i >= 0 && i+1 < len(found) {
		p.Next = l.at(a, found[i+1].Key, near.Offset+i+1)
	}
}

func showMessage(v *visit) error {
	e, err := v.entry()
	if err != nil {
		return err
	}
	p := v.newMessagePage(e)
	s, err := v.load(e.Key)
	if ownPage(err) {
		return err
	}
	if err != nil {
		// It can still be marked, deleted and looked at without being loaded.
		p.Failure = failureOf(err, v.language())
		v.show("message", subject(e), p.Failure.Status, p)
		return nil
	}
	defer s.Close()
	m := s.Message()
	p.Entry, _ = v.account.e.Entry(e.Key)
	p.Problem = message.PrintableLine(m.Problem)
	p.AllHeaders = v.r.URL.Query().Get("headers") == "all"
	p.Fields = fields(m.Header, p.AllHeaders)
	p.list(m)
	p.body(m, v.r.URL.Query())
	v.show("message", subject(e), http.StatusOK, p)
	return nil
}

// fields returns the header as it is shown: what people read, or all of it.
func fields(all []message.Field, every bool) []message.Field {
	var shown []message.Field
	for _, f := range all {
		if every || slices.Contains([]string{"from", "to", "cc", "date", "subject", "reply-to"}, strings.ToLower(f.Name)) {
			shown = append(shown, message.Field{Name: message.PrintableLine(f.Name), Value: message.Printable(f.Value)})
		}
	}
	return shown
}

// list fills Parts and Attachments.
func (p *messagePage) list(m *message.Message) {
	if m.Root == nil {
		return
	}
	p.walk(m.Root, 1)
	for _, a := range m.Attachments() {
		p.Attachments = append(p.Attachments, p.part(a, 0))
	}
}

func (p *messagePage) walk(one *message.Part, depth int) {
	p.Parts = append(p.Parts, p.part(one, depth))
	for _, child := range one.Parts {
		p.walk(child, depth+1) // message.MaxDepth bounds it
	}
}

func (p *messagePage) part(one *message.Part, depth int) part {
	q := url.Values{"p": {one.Path}}.Encode()
	leaf := len(one.Parts) == 0
	return part{
		Part: one, Depth: depth, Indent: min(depth, 8), FileName: message.PrintableLine(one.FileName()), Leaf: leaf,
		Text:    leaf && strings.HasPrefix(one.Type, "text/"),
		Address: p.Base + "/part?" + q, View: p.Base + "?" + q,
	}
}

// body chooses what is read: the part that was asked for, the text, or the HTML
// in its frame.
func (p *messagePage) body(m *message.Message, q url.Values) {
	plain, html := m.Body(true), m.Body(false)
	p.HasText = plain != nil
	p.HasHTML = html != nil && isHTML(html)
	shown := plain
	p.View = "text"
	wanted := q.Get("view")
	if wanted == "html" || wanted == "" && plain != nil && isHTML(plain) {
		shown, p.View = html, "html"
	}
	if q.Has("p") {
		shown, p.View = m.Part(q.Get("p")), "text"
		if shown != nil && isHTML(shown) && wanted != "text" {
			p.View = "html"
		}
	}
	switch {
	case shown == nil:
		p.TextFail = "This message has no text."
		return
	case len(shown.Parts) > 0:
		p.TextFail = "This part holds other parts; choose one of them."
		return
	}
	p.Part = shown.Path
	if p.View == "html" && isHTML(shown) {
		p.Frame = p.Base + "/frame?" + url.Values{"p": {shown.Path}}.Encode()
		return
	}
	p.text(m, shown)
}

func (p *messagePage) text(m *message.Message, shown *message.Part) {
	text, cut, err := m.Text(shown, textLimit)
	if err != nil {
		p.TextFail = "This part cannot be read as text: " + message.PrintableLine(err.Error())
		return
	}
	if isHTML(shown) {
		text = message.HTMLText(text)
	}
	p.Text, p.Cut = message.Printable(text), cut
}

func isHTML(p *message.Part) bool { return p.Type == "text/html" || p.Type == "application/xhtml+xml" }

// showPreview shows header and first lines by TOP: for messages that one does
// not want to load, or that cannot be loaded.
func showPreview(v *visit) error {
	e, err := v.entry()
	if err != nil {
		return err
	}
	p := v.newMessagePage(e)
	p.Preview = true
	ctx, cancel := context.WithTimeout(v.r.Context(), v.face.limits.load)
	defer cancel()
	octets, err := v.account.e.Preview(ctx, e.Key, v.number("lines", previewLines, 1000))
	if ownPage(err) {
		return err
	}
	status := http.StatusOK
	if err != nil {
		p.Failure = failureOf(err, v.language())
		status = p.Failure.Status
	} else {
		p.preview(octets)
	}
	v.show("preview", "Preview: "+subject(e), status, p)
	return nil
}

// preview reads what TOP gave: a message that is cut off somewhere.
func (p *messagePage) preview(octets []byte) {
	m := message.Open(bytes.NewReader(octets), int64(len(octets)))
	p.Fields = fields(m.Header, true)
	if body := m.Body(true); body != nil && len(body.Parts) == 0 {
		p.text(m, body)
	}
	p.Cut = true
}
