package fetch

import (
	"context"
	"errors"
	"fmt"
	"net"
	"slices"
	"strings"

	"postfach/fetch/deliver"
	"postfach/pop3"
)

// A message is one entry of the maildrop.
type message struct {
	number    int
	id        pop3.UniqueID // "": the server gave none
	announced int64         // octets; -1: LIST did not say
	key       string
	alone     bool // no other one here has its key
}

// list asks what there is: LIST for numbers and sizes, UIDL for unique-ids,
// which not every server has (P3-UIDL-12).
func (r *run) list(ctx context.Context) ([]message, error) {
	sizes, err := r.c.List(ctx)
	if err != nil {
		return nil, err
	}
	ids, err := r.c.UIDL(ctx)
	var no *pop3.Error
	if errors.As(err, &no) && !r.c.Capabilities().Has(pop3.CapUIDL) && no.Code == "" {
		// A server that announces UIDL, or gives a reason, only fails now: its
		// messages have ids, and the next run will know them (P3-SYN-17).
		err = nil
		r.report(Event{Kind: Warning, Text: "the server has no UIDL: every run fetches all messages, to see which are new"})
	}
	if err != nil {
		return nil, err
	}
	if !r.o.Delete && r.c.Expires0() { // P3-CAPA-15
		r.report(Event{Kind: Warning, Text: "the server keeps no mail that has been fetched (EXPIRE 0)"})
	}
	return r.merge(sizes, ids), nil
}

// merge joins both listings by number. A message that stands in one of them
// only is there, too; a number that repeats counts once.
func (r *run) merge(sizes []pop3.ScanListing, ids []pop3.IDListing) []message {
	messages := make([]message, 0, len(sizes)+len(ids))
	for i := range max(len(sizes), len(ids)) { // by turns: then they are mostly sorted
		if i < len(sizes) {
			messages = append(messages, message{number: sizes[i].Number, announced: sizes[i].Size})
		}
		if i < len(ids) {
			messages = append(messages, message{number: ids[i].Number, announced: -1, id: ids[i].ID})
		}
	}
	slices.SortStableFunc(messages, func(a, b message) int { return a.number - b.number })
	joined := messages[:0]
	for _, m := range messages {
		last := len(joined) - 1
		switch {
		case last < 0 || joined[last].number != m.number:
			joined = append(joined, m)
		case m.announced >= 0:
			joined[last].announced = m.announced
		default:
			joined[last].id = m.id
		}
	}
	for i := range joined {
		joined[i].key = r.key(joined[i].id)
	}
	return joined
}

// key names a message for ever: by account and unique-id. All messages without
// one share a key, and are told apart by their content.
func (r *run) key(id pop3.UniqueID) string {
	return deliver.Key(strings.ToLower(r.o.Host), r.o.User, string(id))
}

// plan decides what is to be fetched. A message is known when it has a
// unique-id that no other one here has, and the target has that id with the
// size that is announced now. Anything else is fetched and judged by its
// content: ids that repeat (P3-UIDL-10), ids that were used again for another
// message, and no ids at all.
func (r *run) plan(messages []message) {
	copies := make(map[string]int, len(messages))
	for _, m := range messages {
		copies[m.key]++
	}
	r.wanted = make([]message, 0, len(messages))
	for _, m := range messages {
		m.alone = copies[m.key] == 1
		if m.id != "" && m.alone && r.known(m) {
			r.result.Known++
			r.safe = append(r.safe, m.number)
			continue
		}
		r.wanted = append(r.wanted, m)
	}
}

func (r *run) known(m message) bool {
	return slices.ContainsFunc(r.target.Records(m.key), func(have deliver.Record) bool {
		return have.Announced == m.announced || m.announced < 0
	})
}

// Host returns the name of a server in Options.Host: the port matters when it
// is not a registered one, as with tunnels.
func Host(addr string) string {
	host, port, err := net.SplitHostPort(addr)
	if err != nil {
		return addr
	}
	if port == fmt.Sprint(pop3.Port) || port == fmt.Sprint(pop3.PortTLS) {
		return host
	}
	return addr
}
