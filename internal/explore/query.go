package explore

// A Sort is an order of the list.
type Sort uint8

// The orders. ByNumber is the server's.
const (
	ByNumber Sort = iota
	BySize
	ByDate
	ByFrom
	BySubject
)

// A Query says which part of the list is looked at.
type Query struct {
	Sort       Sort
	Descending bool
	// Search keeps messages in whose From, To, Subject, unique-id or number
	// all its words occur, in any case. A word like ">1M" or "<20k" is about the
	// size. Headers that are needed for it are read, all of them.
	Search        string
	MarkedOnly    bool
	Offset, Limit int // Limit 0: none
}

// A Page is a part of the list.
type Page struct {
	Total   int // how many match
	Entries []Entry
	// Unknown counts messages whose header would matter for search or order and
	// is not read yet.
	Unknown int
}

// looking is what a person looks at, so that the headers for it are read first.
type looking struct {
	at  Query
	yes bool // Page was called
}

// Page returns a part of the list. The headers of what it returns are read next;
// Changed tells when they have come. It never waits for the server.
//
// What has no header yet comes last where the order needs one. To ask for the
// same page again, as a face does when it draws, is not looking: see Touch.
func (e *Explorer) Page(q Query) Page {
	e.mu.Lock()
	defer e.mu.Unlock()
	if !e.looking.yes || e.looking.at != q {
		e.looking = looking{at: q, yes: true}
		e.idle.look()
		e.poke()
	}
	o := e.list.arrange(q, e.open())
	p := Page{Total: len(o.order)}
	if !e.headersOff {
		p.Unknown = o.waiting
	}
	lo, hi := q.span(len(o.order))
	if lo < hi {
		p.Entries = make([]Entry, 0, hi-lo)
	}
	for _, i := range o.order[lo:hi] {
		p.Entries = append(p.Entries, e.entry(&e.list.rows[i]))
	}
	return p
}

// span returns the part of n rows that is asked for.
func (q Query) span(n int) (lo, hi int) {
	lo = min(max(q.Offset, 0), n)
	if q.Limit <= 0 || q.Limit > n-lo {
		return lo, n
	}
	return lo, lo + q.Limit
}

// needsHeaders reports whether the order is made of headers.
func (s Sort) needsHeaders() bool { return s == ByDate || s == ByFrom || s == BySubject }
