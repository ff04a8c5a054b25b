package pop3check

import (
	"context"
	"fmt"
	"strings"
	"time"

	"postfach/pop3client"
)

// bySRV asks for the records of RFC 6186. Those of TLS come first, whatever
// priority the others have (P3-DISC-01, P3-DISC-03).
func (x *course) bySRV(ctx context.Context) {
	for _, service := range []struct {
		name  string
		kinds []pop3client.Security // those that the question allows are taken
	}{
		{"pop3s", []pop3client.Security{pop3client.ImplicitTLS}},
		{"pop3", []pop3client.Security{pop3client.RequireSTLS, pop3client.Cleartext}},
	} {
		what := "SRV _" + service.name + "._tcp." + x.where.domain
		began := time.Now()
		found, err := x.srv(ctx, what, service.name, service.kinds)
		if len(found) == 0 && err != nil {
			x.looked(what, began, nameTrouble(err))
			continue
		}
		x.looked(what, began, strings.Join(found, ", "))
	}
}

// srv asks for one service. found says what there was, in the order of
// priority and weight (P3-DISC-02).
func (x *course) srv(ctx context.Context, source, service string, kinds []pop3client.Security) (found []string, err error) {
	ctx, cancel := context.WithTimeout(ctx, lookupTime(x.q))
	defer cancel()
	_, records, err := x.q.resolver().LookupSRV(ctx, service, "tcp", x.where.domain)
	for i, r := range records {
		if i == maxCandidates {
			break
		}
		if r.Target == "." {
			found = append(found, "not offered") // P3-DISC-02
			continue
		}
		host := strings.TrimSuffix(r.Target, ".")
		found = append(found, fmt.Sprintf("%s:%d", host, r.Port))
		for _, kind := range kinds {
			x.add(Candidate{
				Source: source, Host: host, Port: int(r.Port), Security: kind,
				Vouched: x.inDomain(host), // P3-DISC-04
			})
		}
	}
	return found, err
}

// lookupTime bounds one lookup.
func lookupTime(q *Question) time.Duration { return min(q.timeout(), 10*time.Second) }
