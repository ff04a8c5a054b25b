package accounts

import (
	"context"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"postfach/pop3server"
)

// Promise 12: whoever does not get in cannot tell why by the time that it takes.
// The tries are interleaved, so that a busy machine slows all kinds of them, and a
// permutation test says whether two kinds differ by more than chance.
func TestRefusalsTakeTheSameTime(t *testing.T) {
	f := newFile(t, blf("anna")+"\n"+blf("closed")+"::::::nologin\n"+blf("nets")+"::::::allow_nets=10.0.0.0/8\n"+blf("tls")+"::::::tls=required\n"+blf("apps")+"::::::main=off\n")
	d := dirOf(f)
	tries := []try{
		{d, "anna", "wrong"}, // what all others are compared with
		{d, "nobody", "wrong"},
		{d, "nobody2", "p w"},
		{d, "../anna", "p w"},
		{d, "closed", "p w"},
		{d, "closed", "wrong"},
		{d, "nets", "p w"},
		{d, "tls", "p w"},
		{d, "apps", "p w"},
	}
	samples := sample(t, tries, 60)
	for i := 1; i < len(tries); i++ {
		if p, ratio := compare(samples[0], samples[i]); differs(p, ratio) {
			t.Errorf("%q with %q takes %.2f times as long as a wrong password (p = %.4f)", tries[i].name, tries[i].password, ratio, p)
		}
	}
}

// The measurement above notices a server that saves itself the work.
func TestTimingTestNoticesMissingWork(t *testing.T) {
	f := newFile(t, blf("anna")+"\n")
	lazy := &Directory{Sources: []Source{&noDecoy{f}}, Log: f.Log}
	samples := sample(t, []try{{lazy, "anna", "wrong"}, {lazy, "nobody", "wrong"}}, 40)
	if p, ratio := compare(samples[0], samples[1]); !differs(p, ratio) {
		t.Errorf("no work for an unknown name takes %.2f times as long as a wrong password (p = %.4f)", ratio, p)
	}
}

// noDecoy is a source that does nothing for unknown names.
type noDecoy struct{ *File }

func (n *noDecoy) Decoy(_ context.Context, name string) *Entry { return &Entry{User: name} }

type try struct {
	d              *Directory
	name, password string
}

// sample measures each kind of try so many times, in an order that chance decides.
func sample(t *testing.T, tries []try, rounds int) [][]time.Duration {
	t.Helper()
	samples := make([][]time.Duration, len(tries))
	for round := range rounds + 1 {
		for _, i := range rand.Perm(len(tries)) {
			began := time.Now()
			who, err := tries[i].d.Authenticate(t.Context(), nil, tries[i].name, tries[i].password)
			took := time.Since(began)
			if err != pop3server.ErrCredentials || who != (pop3server.Identity{}) {
				t.Fatalf("%+v: %+v, %v", tries[i], who, err)
			}
			if round > 0 { // the first reads the file
				samples[i] = append(samples[i], took)
			}
		}
	}
	return samples
}

// compare returns how probable it is that chance makes the medians differ as much
// as they do, and their ratio.
func compare(a, b []time.Duration) (p, ratio float64) {
	distance := func(a, b []time.Duration) time.Duration { return (median(a) - median(b)).Abs() }
	want := distance(a, b)
	all := slices.Concat(a, b)
	const permutations = 2000
	as := 0
	for range permutations {
		rand.Shuffle(len(all), func(i, j int) { all[i], all[j] = all[j], all[i] })
		if distance(all[:len(a)], all[len(a):]) >= want {
			as++
		}
	}
	return float64(as) / permutations, float64(median(b)) / float64(median(a))
}

func median(d []time.Duration) time.Duration {
	d = slices.Clone(d)
	slices.Sort(d)
	return d[len(d)/2]
}

// differs is more than chance, and more than a machine with other work to do makes
// of nothing: a skipped hash is half of the time at the least.
func differs(p, ratio float64) bool { return p < 0.001 && (ratio < 0.8 || ratio > 1.25) }

// What the cache saves: a login with the hash of new accounts, and without.
func BenchmarkLogin(b *testing.B) {
	for _, scheme := range []string{ScramSHA256, Argon2id} {
		secret, err := newSecret(scheme, "p w", freshWork)
		if err != nil {
			b.Fatal(err)
		}
		e := &Entry{User: "anna"}
		if err := e.AddSecret("", secret); err != nil {
			b.Fatal(err)
		}
		source := &fake{entries: map[string]*Entry{"anna": e}}
		for name, fresh := range map[string]bool{"first": true, "cached": false} {
			b.Run(scheme+"/"+name, func(b *testing.B) {
				d := &Directory{Sources: []Source{source}}
				if _, err := d.Authenticate(b.Context(), nil, "anna", "p w"); err != nil {
					b.Fatal(err)
				}
				for b.Loop() {
					if fresh {
						d = &Directory{Sources: []Source{source}, Key: []byte("key")}
					}
					if _, err := d.Authenticate(b.Context(), nil, "anna", "p w"); err != nil {
						b.Fatal(err)
					}
				}
			})
		}
	}
}
