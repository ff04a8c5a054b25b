package bench

import (
	"cmp"
	"fmt"
	"io"
	"maps"
	"slices"
	"text/tabwriter"
)

// Text writes the result for people.
func (r *Result) Text(w io.Writer) error {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintf(t, "%s\t%d sessions, %d at once, %d users, TLS %s, in %.2f s\n", r.Scenario, r.Sessions, r.Settings.AtOnce, r.Settings.Users, r.Settings.Security, r.Seconds)
	if r.Settings.Resume {
		fmt.Fprintf(t, "resumed\t%d of the handshakes\n", r.Resumed)
	}
	fmt.Fprintf(t, "rate\t%.1f sessions/s", r.PerSecond.Sessions)
	if r.Unit != "session" {
		fmt.Fprintf(t, ", %.0f %ss/s", r.PerSecond.Operations, r.Unit)
	}
	if r.Octets > 0 {
		fmt.Fprintf(t, ", %.1f MB/s", r.PerSecond.Octets/1e6)
	}
	fmt.Fprintln(t)
	if r.Delivered > 0 {
		fmt.Fprintf(t, "delivered\t%d messages meanwhile; %d of them fetched meanwhile\n", r.Delivered, r.Messages)
	}
	r.latencies(t)
	if s := r.Server; s != nil {
		fmt.Fprintf(t, "server CPU\t%.2f s, %.1f µs a %s", s.CPUSeconds, s.CPUUsPerOperation, r.Unit)
		if s.CPUSecondsPerGB > 0 {
			fmt.Fprintf(t, ", %.2f s a GB", s.CPUSecondsPerGB)
		}
		fmt.Fprintf(t, "; %d processes\n", s.Processes)
		fmt.Fprintf(t, "server memory\tbefore %s, peak %s, after %s (%s)", kib(s.MemoryBefore), kib(s.MemoryPeak), kib(s.MemoryAfter), s.MemoryMethod)
		if r.Scenario == "idle" {
			fmt.Fprintf(t, "; %.1f KiB a session", float64(s.MemoryPerSession)/1024)
		}
		fmt.Fprintln(t)
	}
	fmt.Fprintf(t, "client CPU\t%.2f s, %.1f µs a %s\n", r.Client.CPUSeconds, r.Client.CPUUsPerOperation, r.Unit)
	fmt.Fprintf(t, "mistakes\t%d\n", r.Mistakes.Count)
	for _, m := range r.Mistakes.First {
		fmt.Fprintf(t, "\t%s\n", m)
	}
	return t.Flush()
}

// latencies writes a line for each kind.
func (r *Result) latencies(w io.Writer) {
	kinds := slices.SortedFunc(maps.Keys(r.LatencyMS), func(a, b string) int {
		return cmp.Compare(r.LatencyMS[a].Mean, r.LatencyMS[b].Mean)
	})
	for _, k := range kinds {
		l := r.LatencyMS[k]
		fmt.Fprintf(w, "%s\tp50 %.3f ms, p90 %.3f, p99 %.3f, max %.3f (%d)\n", k, l.P50, l.P90, l.P99, l.Max, l.N)
	}
}

func kib(octets int64) string { return fmt.Sprintf("%d KiB", octets/1024) }
