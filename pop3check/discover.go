package pop3check

import (
	"context"
	"errors"
	"net"
	"strings"
	"time"

	"postfach/pop3"
	"postfach/pop3client"
)

// maxCandidates bounds how many ways to a server are tried: records of the
// name service can hold many.
const maxCandidates = 24

// A course is a diagnosis on its way.
type course struct {
	q     *Question
	where where
	d     *Diagnosis
	now   time.Time

	names map[string]*resolved
}

// find looks for ways to the server and tries them, until one works.
func (x *course) find(ctx context.Context) {
	if x.where.domain == "" {
		x.given(ctx)
		x.choose()
		return
	}
	x.bySRV(ctx)
	x.byAutoconfig(ctx)
	if x.tryAll(ctx, 0) {
		return
	}
	tried := len(x.d.Candidates)
	for _, prefix := range []string{"pop.", "pop3.", "mail.", ""} {
		for _, c := range usualPorts("common name", prefix+x.where.domain) {
			x.add(c)
		}
	}
	x.tryAll(ctx, tried)
	x.choose()
}

// given tries the host that was named. Without a port both usual ones are
// tried, so that the report has both.
func (x *course) given(ctx context.Context) {
	host, port := x.where.host, x.where.port
	if port == 0 {
		for _, c := range usualPorts("named", host) {
			x.examine(ctx, x.add(c))
		}
		return
	}
	kinds := x.q.Security
	if len(kinds) == 0 {
		kinds = []pop3client.Security{pop3client.ImplicitTLS, pop3client.RequireSTLS}
		if port == pop3.Port {
			kinds = []pop3client.Security{pop3client.RequireSTLS, pop3client.ImplicitTLS}
		}
	}
	for _, kind := range kinds {
		c := x.add(Candidate{Source: "named", Host: host, Port: port, Security: kind, Vouched: true})
		x.examine(ctx, c)
		if c.cause != "plain-on-tls" && c.cause != "tls-on-plain" {
			return
		}
	}
}

// usualPorts are a host's candidates on the registered ports.
func usualPorts(source, host string) []Candidate {
	return []Candidate{
		{Source: source, Host: host, Port: pop3.PortTLS, Security: pop3client.ImplicitTLS, Vouched: true},
		{Source: source, Host: host, Port: pop3.Port, Security: pop3client.RequireSTLS, Vouched: true},
		{Source: source, Host: host, Port: pop3.Port, Security: pop3client.Cleartext, Vouched: true}, // if it is asked for
	}
}

// add adds a candidate, unless its kind of TLS is not wanted or it is there
// already: then what the new source knows is added to that. It returns the one
// that was added, or nil.
func (x *course) add(c Candidate) *Candidate {
	if !x.q.allows(c.Security) || len(x.d.Candidates) == maxCandidates {
		return nil
	}
	c.Host = strings.ToLower(strings.TrimSuffix(c.Host, "."))
	if c.Host == "" || c.Port == 0 {
		return nil
	}
	for _, old := range x.d.Candidates {
		if old.Host == c.Host && old.Port == c.Port && old.Security == c.Security {
			old.Vouched = old.Vouched || c.Vouched
			if old.Login == "" {
				old.Login = c.Login
			}
			return nil
		}
	}
	x.d.Candidates = append(x.d.Candidates, &c)
	return &c
}

// tryAll examines the candidates from this one on until one works and may be
// used, and reports whether there is one.
func (x *course) tryAll(ctx context.Context, from int) bool {
	for _, c := range x.d.Candidates[from:] {
		x.examine(ctx, c)
		if c.Works && c.Secure && c.Vouched {
			x.d.Used = c
			break
		}
	}
	for _, c := range x.d.Candidates {
		if c.Outcome == "" && x.d.Used != nil {
			c.Outcome = "not tried: " + x.d.Used.Addr() + " works"
		}
	}
	return x.d.Used != nil
}

// choose takes the best of those that were tried.
func (x *course) choose() {
	worth := func(c *Candidate) int {
		n := 0
		for i, yes := range []bool{c.Vouched, c.Secure, c.Works} {
			if yes {
				n += 1 << i
			}
		}
		return n
	}
	for _, c := range x.d.Candidates {
		if c.Works && (x.d.Used == nil || worth(c) > worth(x.d.Used)) {
			x.d.Used = c
		}
	}
}

// inDomain reports whether a host belongs to the mail address's domain: who
// can forge the one name can forge the other (P3-DISC-04).
func (x *course) inDomain(host string) bool {
	host, domain := strings.ToLower(strings.TrimSuffix(host, ".")), strings.ToLower(x.where.domain)
	return host == domain || strings.HasSuffix(host, "."+domain)
}

// looked notes a lookup.
func (x *course) looked(what string, since time.Time, outcome string) {
	x.d.Lookups = append(x.d.Lookups, Lookup{What: printable(what), Outcome: printable(outcome), Time: time.Since(since)})
}

// nameTrouble says in a few words what the name service said.
func nameTrouble(err error) string {
	var dns *net.DNSError
	switch {
	case errors.As(err, &dns) && dns.IsNotFound:
		return "no such record"
	case errors.As(err, &dns) && dns.IsTimeout:
		return "the name service does not answer"
	case errors.As(err, &dns):
		return dns.Err
	}
	return err.Error()
}
