package web

import (
	"net/http"
	"net/url"
	"strings"
	"time"

	"postfach/internal/explore"
)

// exportPage asks what is to be saved, and how.
type exportPage struct {
	Selected int
	Keys     string // the selection
	Marked   int
	Found    int
	Unknown  int
	Search   string
	What     string
}

// showExport asks about the messages that were ticked, marked or found.
func showExport(v *visit) error {
	keys, err := v.formKeys("key")
	if err != nil {
		return err
	}
	q := v.r.URL.Query()
	if v.r.Method == http.MethodPost {
		if u, err := url.Parse(v.back()); err == nil {
			q = u.Query()
		}
	}
	l := parseListing(q)
	l.Offset, l.Limit = 0, 1
	found := v.account.e.Page(l.Query)
	p := &exportPage{Selected: len(keys), Marked: v.account.e.Status().Marked, Found: found.Total, Search: l.Search, What: "found"}
	if l.Search != "" {
		p.Unknown = found.Unknown
	}
	var words []string
	for _, k := range keys {
		words = append(words, formatKey(k))
	}
	p.Keys = strings.Join(words, " ")
	switch { // what was chosen by hand is most likely meant
	case p.Selected > 0:
		p.What = "selection"
	case p.Marked > 0:
		p.What = "marked"
	}
	v.show("export", "Save messages", http.StatusOK, p)
	return nil
}

// downloadExport answers with many messages in one file.
func downloadExport(v *visit) error {
	keys, err := v.exportKeys()
	if err != nil {
		return err
	}
	if len(keys) == 0 {
		return badRequest("There are no messages to save")
	}
	format := explore.Format(v.r.PostForm.Get("format"))
	end := ""
	switch format {
	case explore.EML:
		if len(keys) > 1 {
			return badRequest("An .eml file holds one message: choose another form for several")
		}
		end = ".eml"
	case explore.Mbox:
		end = ".mbox"
	case explore.Zip:
		end = ".zip"
	case explore.Maildir:
		end = "-maildir.zip"
	default:
		return badRequest("This form of file is not known")
	}
	v.attach("mail-" + time.Now().Format("2006-01-02") + end)
	return v.account.e.Export(v.r.Context(), v.w, format, keys, func(int) { v.account.e.Touch() })
}

// exportKeys returns what the form is about.
func (v *visit) exportKeys() ([]explore.Key, error) {
	e := v.account.e
	switch v.r.PostForm.Get("what") {
	case "selection":
		return v.formKeys("keys")
	case "marked":
		return keysOf(e.Marked()), nil
	case "found":
		found := e.Page(explore.Query{Search: v.r.PostForm.Get("q")})
		if v.r.PostForm.Get("q") != "" && found.Unknown > 0 {
			return nil, &failure{
				Status: http.StatusConflict, Title: "The search is not finished",
				Text: "The headers of " + plural(found.Unknown, "message", "messages") + " are not read yet, so that some might be missing. Wait a moment and try again.",
			}
		}
		return keysOf(found.Entries), nil
	}
	return nil, badRequest("Say which messages to save")
}
