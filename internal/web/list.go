package web

import (
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"time"

	"postfach/internal/explore"
)

// window is how many messages a page of the list has.
const window = 100

// A listing is which part of the list is looked at, as an address.
type listing struct{ explore.Query }

// sorts are the orders by their names in addresses.
func sorts() []struct {
	Name, Label string
	Sort        explore.Sort
} {
	return []struct {
		Name, Label string
		Sort        explore.Sort
	}{
		{"number", "No.", explore.ByNumber},
		{"subject", "Subject", explore.BySubject},
		{"from", "From", explore.ByFrom},
		{"date", "Date", explore.ByDate},
		{"size", "Size", explore.BySize},
	}
}

func parseListing(q url.Values) listing {
	var l listing
	for _, s := range sorts() {
		if s.Name == q.Get("sort") {
			l.Sort = s.Sort
		}
	}
	l.Descending = q.Get("down") == "1"
	l.Search = q.Get("q")
	l.MarkedOnly = q.Get("marked") == "1"
	if n, err := strconv.Atoi(q.Get("from")); err == nil && n > 0 {
		l.Offset = n / window * window
	}
	l.Limit = window
	return l
}

// values are the listing as a query; what is as usual is left out.
func (l listing) values() url.Values {
	q := url.Values{}
	for _, s := range sorts() {
		if s.Sort == l.Sort && l.Sort != explore.ByNumber {
			q.Set("sort", s.Name)
		}
	}
	if l.Descending {
		q.Set("down", "1")
	}
	if l.Search != "" {
		q.Set("q", l.Search)
	}
	if l.MarkedOnly {
		q.Set("marked", "1")
	}
	if l.Offset > 0 {
		q.Set("from", strconv.Itoa(l.Offset))
	}
	return q
}

// address returns the listing's address.
func (l listing) address(a *account) string {
	if q := l.values().Encode(); q != "" {
		return a.path("") + "?" + q
	}
	return a.path("")
}

// at returns the address of the message at a place in the listing, so that its
// page knows its neighbours.
func (l listing) at(a *account, k explore.Key, place int) string {
	q := l.values()
	q.Set("at", strconv.Itoa(place))
	return a.path("m/"+formatKey(k)) + "?" + q.Encode()
}

type listPage struct {
	listing
	Address     string // of this page
	Rows        []row
	Total       int
	First, Last int // which of Total are here, from 1
	Unknown     int
	Columns     []column
	SortName    string
	// Addresses of other windows; empty: there is none.
	Start, Previous, Next, End string
	All                        string // the list without search and filter
	Empty                      string // why there are no rows
}

// A row is a message in the list.
type row struct {
	explore.Entry
	Address, Preview, EML string
}

func newRow(a *account, e explore.Entry, address string) row {
	base := a.path("m/" + formatKey(e.Key))
	return row{Entry: e, Address: address, Preview: base + "/preview", EML: base + "/eml"}
}

// A column is a head of the list that sorts it.
type column struct {
	Label, Name, Address, Order string // Order: ascending, descending or none
}

func showList(v *visit) error {
	l := parseListing(v.r.URL.Query())
	found := v.headers(l)
	if l.Offset > 0 && l.Offset >= found.Total { // the list has become shorter
		l.Offset = max(0, found.Total-1) / window * window
		found = v.account.e.Page(l.Query)
	}
	v.show("list", v.account.name(), http.StatusOK, newListPage(v.account, l, found))
	return nil
}

// headers returns the listing when its headers are read, or patience is over: a
// page without script would else be empty at first.
func (v *visit) headers(l listing) explore.Page {
	e := v.account.e
	patience := v.face.limits.headers
	if v.face.picker.Options.NoHeaders || v.r.Header.Get(background) != "" {
		patience = 0
	}
	timer := time.NewTimer(patience)
	defer timer.Stop()
	for {
		changed := e.Changed()
		found := e.Page(l.Query)
		missing := slices.ContainsFunc(found.Entries, func(one explore.Entry) bool { return !one.Known && one.Problem == "" })
		if !missing || e.Status().State != explore.Held {
			return found
		}
		select {
		case <-changed:
		case <-timer.C:
			return found
		case <-v.r.Context().Done():
			return found
		}
	}
}

func newListPage(a *account, l listing, found explore.Page) *listPage {
	p := &listPage{listing: l, Address: l.address(a), Total: found.Total, Unknown: found.Unknown}
	for i, e := range found.Entries {
		p.Rows = append(p.Rows, newRow(a, e, l.at(a, e.Key, l.Offset+i)))
	}
	p.First, p.Last = l.Offset+1, l.Offset+len(found.Entries)
	for _, s := range sorts() {
		c := column{Label: s.Label, Name: s.Name, Order: "none"}
		next := l
		next.Sort, next.Offset, next.Descending = s.Sort, 0, false
		if l.Sort == s.Sort {
			p.SortName, c.Order = s.Name, "ascending"
			if l.Descending {
				c.Order = "descending"
			}
			next.Descending = !l.Descending
		}
		c.Address = next.address(a)
		p.Columns = append(p.Columns, c)
	}
	p.windows(a)
	p.All = a.path("")
	switch {
	case found.Total > 0:
	case l.Search != "":
		p.Empty = "No message matches."
	case l.MarkedOnly:
		p.Empty = "No message is marked."
	case a.e.Status().State == explore.Held:
		p.Empty = "The mailbox is empty."
	default:
		p.Empty = "The mailbox is not open."
	}
	return p
}

// windows sets the addresses of the other windows.
func (p *listPage) windows(a *account) {
	to := func(offset int) string {
		l := p.listing
		l.Offset = offset
		return l.address(a)
	}
	if p.Offset > 0 {
		p.Start, p.Previous = to(0), to(p.Offset-window)
	}
	if p.Offset+window < p.Total {
		p.Next, p.End = to(p.Offset+window), to((p.Total-1)/window*window)
	}
}
