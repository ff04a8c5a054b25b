package fetch

import (
	"fmt"
	"testing"

	"postfach/fetch/deliver"
	"postfach/internal/vfs"
	"postfach/pop3"
)

// BenchmarkPlan is what a run does between the listings and the first RETR, for
// messages that are all new.
func BenchmarkPlan(b *testing.B) {
	for _, n := range []int{5_000, 50_000} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			sizes, ids := make([]pop3.ScanListing, n), make([]pop3.IDListing, n)
			for i := range n {
				sizes[i] = pop3.ScanListing{Number: i + 1, Size: int64(i)}
				ids[i] = pop3.IDListing{Number: i + 1, ID: pop3.UniqueID(fmt.Sprintf("%d.M%dP1.example", 1_600_000_000+i, i))}
			}
			target, err := deliver.Open(vfs.NewStrict(), "maildir:/mail")
			if err != nil {
				b.Fatal(err)
			}
			defer target.Close()
			b.ReportAllocs()
			for b.Loop() {
				r := &run{target: target, o: Options{Host: "pop.example.org", User: "me"}}
				r.plan(r.merge(sizes, ids))
			}
		})
	}
}
