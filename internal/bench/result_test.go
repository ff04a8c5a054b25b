package bench

import (
	"bytes"
	"encoding/json"
	"testing"
	"time"

	"postfach/internal/popwire"
)

// Programs read this form: fields may be added, and none may go or change its name.
func TestJSONKeepsItsForm(t *testing.T) {
	latency := Latency{N: 1, Mean: 2, P50: 3, P90: 4, P99: 5, P999: 6, Max: 7, Sampled: true}
	r := Result{
		Version: 1, Scenario: "login", Started: time.Unix(0, 0).UTC(), Seconds: 1, Unit: session, Operations: 2, Sessions: 3, Messages: 4,
		Resumed: 5, Octets: 6, Delivered: 7, PerSecond: PerSecond{1, 2, 3}, LatencyMS: map[string]Latency{session: latency},
		Settings: Settings{STLS, true, 1, 2, 3, "5s", 4, 5, 6, 7, 8, 9, true},
		Server:   &ServerUsage{1, 2, 3, 4, 5, "pss", 6, 7, 8, 9}, Client: ClientUsage{1, 2},
		Intervals: []Interval{{1, 2, Latency{N: 1}, 3, 4, 5}}, Mistakes: Mistakes{1, []string{"x"}},
	}
	const want = `{"version":1,"scenario":"login",` +
		`"settings":{"tls":"stls","resume":true,"at_once":1,"users":2,"count":3,"for":"5s","warm_up":4,"window":5,"messages":6,"lines":7,"rate":8,"size":9,"delete":true},` +
		`"started":"1970-01-01T00:00:00Z","seconds":1,"unit":"session","operations":2,"sessions":3,"messages":4,"resumed":5,"octets":6,"delivered":7,` +
		`"per_second":{"operations":1,"sessions":2,"octets":3},` +
		`"latency_ms":{"session":{"n":1,"mean":2,"p50":3,"p90":4,"p99":5,"p999":6,"max":7,"sampled":true}},` +
		`"server":{"pid":1,"processes":2,"cpu_seconds":3,"cpu_us_per_operation":4,"cpu_s_per_gb":5,"memory_method":"pss","memory_before":6,"memory_peak":7,"memory_after":8,"memory_per_session":9},` +
		`"client":{"cpu_seconds":1,"cpu_us_per_operation":2},` +
		`"intervals":[{"seconds":1,"sessions":2,"latency_ms":{"n":1,"mean":0,"p50":0,"p90":0,"p99":0,"p999":0,"max":0},"mistakes":3,"server_cpu_seconds":4,"server_memory":5}],` +
		`"mistakes":{"count":1,"first":["x"]}}`
	if got, err := json.Marshal(r); err != nil || string(got) != want {
		t.Errorf("%v\n%s\nwant\n%s", err, got, want)
	}
}

// What the fast parsers take, the careful ones take, and for the same.
func FuzzListings(f *testing.F) {
	f.Add([]byte("1 200\r\n2 300 more\r\n.\r\n"))
	f.Add([]byte("1 0A\r\n.\r\n"))
	f.Add([]byte("1 a\r\n2 b\r\n.\r\n"))
	f.Fuzz(func(t *testing.T, raw []byte) {
		if !complete(raw) {
			return
		}
		body := bytes.Split(bytes.TrimSuffix(raw, []byte(".\r\n")), []byte("\r\n"))
		if sizes, err := parseSizes(raw, nil); err == nil {
			for i, size := range sizes {
				l, ok := popwire.ParseScanListing(string(body[i]))
				if !ok || l.Number != i+1 || l.Size != size {
					t.Errorf("%q: %+v %v, %d", body[i], l, ok, size)
				}
			}
			if len(sizes) != len(body)-1 {
				t.Errorf("%d of %d lines", len(sizes), len(body)-1)
			}
		}
		i := 0
		parseIDs(raw, func(id []byte) {
			l, ok := popwire.ParseIDListing(string(body[i]))
			if i++; !ok || l.Number != i || string(l.ID) != string(id) {
				t.Errorf("%q: %+v %v, %q", body[i-1], l, ok, id)
			}
		})
	})
}
