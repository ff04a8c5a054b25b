package accounts

import (
	"cmp"
	"context"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"math"
	"slices"
	"sync"

	"postfach/sasl"
)

// A class is the accounts whose checks cost the same and whose challenges look
// alike.
type class struct {
	count int
	model *Entry // the first of them
}

// classes are all of a source, by what Entry.shape says.
type classes map[string]*class

// maxClasses bounds the work for a decoy. Sites have a few schemes and work
// factors.
const maxClasses = 64

func (c classes) saw(shape string, e *Entry) {
	known := c[shape]
	if known == nil {
		if len(c) == maxClasses {
			return
		}
		known = &class{model: e}
		c[shape] = known
	}
	known.count++
}

// rank orders the classes for a name. The first is the one that it belongs to: as
// often each as it is common, and always the same. A class that grows or is new
// takes names over, and changes nothing for the others (weighted rendezvous
// hashing): whoever asks for a name again and again learns nothing from accounts
// that come and go.
func (c classes) rank(key []byte, name string) []*class {
	type scored struct {
		*class
		score float64
	}
	all := make([]scored, 0, len(c))
	for shape, one := range c {
		all = append(all, scored{one, rendezvous(key, one.count, "class", shape, name)})
	}
	slices.SortFunc(all, func(a, b scored) int { return cmp.Compare(b.score, a.score) })
	ranked := make([]*class, 0, len(all))
	for _, s := range all {
		ranked = append(ranked, s.class)
	}
	return ranked
}

// rendezvous is how well a name and what is to have it fit: the highest score of all has
// it. That is chance, in proportion to the weights.
func rendezvous(key []byte, weight int, texts ...string) float64 {
	random := binary.BigEndian.Uint64(hmacSHA256(key, texts...))
	unit := (float64(random>>11) + 0.5) / (1 << 53) // between 0 and 1, and neither
	return float64(weight) / -math.Log(unit)
}

// decoy returns what a try at a name is checked against that does not exist.
func (c classes) decoy(key []byte, name string) *Entry {
	ranked := c.rank(key, name)
	model := newModel
	if len(ranked) > 0 {
		model = ranked[0].model
	}
	d := &Entry{User: name, Scram: map[sasl.ScramHash]*ScramEntry{}}
	for _, own := range model.Credentials {
		d.Credentials = append(d.Credentials, own.decoy())
	}
	d.apart = fakeScram(key, name, sasl.SHA256, model.apart)
	for _, h := range []sasl.ScramHash{sasl.SHA256, sasl.SHA1} {
		if like := model.Scram[h]; like != nil {
			d.Scram[h] = fakeScram(key, name, h, like)
			continue
		}
		// For challenges only: no password costs a derivation because of it.
		fake := fakeScram(key, name, h, challengeLike(ranked, h))
		fake.Names = make([]string, len(fake.Verifier.Keys))
		for i := range fake.Names {
			fake.Names[i] = noCredential
		}
		d.Scram[h] = fake
	}
	return d
}

// challengeLike returns a verifier of the first class that has one for a hash.
func challengeLike(ranked []*class, h sasl.ScramHash) *ScramEntry {
	for _, c := range ranked {
		if like := c.model.Scram[h]; like != nil {
			return like
		}
	}
	return newModel.Scram[h]
}

// noCredential is the name of a key that belongs to none.
const noCredential = "-"

// decoy returns a credential that costs the same and that nothing fits.
func (c Credential) decoy() Credential {
	d := Credential{Name: c.Name, Remote: c.Remote, cost: c.cost}
	if c.Check != nil {
		d.Check = func(ctx context.Context, password string) (bool, error) {
			_, err := c.Check(ctx, password)
			return false, err
		}
	}
	return d
}

// fakeScram returns a verifier that looks like another one, always the same for a
// name, and whose keys nobody knows (P3-SCRAM-18). With another work factor it has
// another salt, as after a new password.
func fakeScram(key []byte, name string, h sasl.ScramHash, like *ScramEntry) *ScramEntry {
	if like == nil {
		return nil
	}
	work := fmt.Sprint(like.Verifier.Iterations, len(like.Verifier.Salt))
	octets := func(what string, size int) []byte {
		var out []byte
		for i := byte('0'); len(out) < size; i++ {
			out = append(out, hmacSHA256(key, what, h.Mechanism(false), work, string(i), name)...)
		}
		return out[:size]
	}
	size := h.New().Size()
	keys := sasl.ScramKeys{StoredKey: octets("stored", size), ServerKey: octets("server", size)}
	s := &ScramEntry{Names: like.Names}
	s.Verifier.Salt = octets("salt", len(like.Verifier.Salt))
	s.Verifier.Iterations = like.Verifier.Iterations
	s.Verifier.Keys = slices.Repeat([]sasl.ScramKeys{keys}, len(like.Verifier.Keys))
	return s
}

// newModel is what new accounts look like, for sources without any.
var newModel = &Entry{
	Credentials: []Credential{{}},
	Scram: map[sasl.ScramHash]*ScramEntry{
		sasl.SHA256: newScramModel(),
		sasl.SHA1:   newScramModel(),
	},
}

func newScramModel() *ScramEntry {
	return &ScramEntry{
		Verifier: sasl.ScramVerifier{Salt: make([]byte, 16), Iterations: Iterations, Keys: make([]sasl.ScramKeys, 1)},
		Names:    []string{""},
	}
}

// Decoys makes decoys for a source that cannot look at all its accounts: they
// look like those that it has seen. Its methods may be called from many
// goroutines.
type Decoys struct {
	// Key makes that a name always gets the same decoy, and that nobody else can
	// tell which.
	Key []byte

	mu      sync.Mutex // guards what follows
	seen    classes
	counted map[[32]byte]bool // accounts, and how they looked
}

// maxCounted is how many accounts a Decoys counts. By then it knows how common each
// kind is.
const maxCounted = 10_000

// Saw takes note of what the check of an account costs. The entry is kept if it is the
// first of its kind. An account counts once, however often it is asked for: who asks
// for one again and again must not find out by the decoys that it is there.
func (d *Decoys) Saw(e *Entry) {
	shape := e.shape()
	account := [32]byte(hmacSHA256(d.Key, "seen", shape, e.User))
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.seen == nil {
		d.seen, d.counted = classes{}, map[[32]byte]bool{}
	}
	if d.counted[account] || len(d.counted) >= maxCounted && d.seen[shape] != nil {
		return
	}
	if len(d.counted) < maxCounted {
		d.counted[account] = true
	}
	d.seen.saw(shape, e)
}

// For returns the decoy of a name. Before any account was seen, it is like a new
// one of the accounts file.
func (d *Decoys) For(name string) *Entry {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.seen.decoy(d.Key, name)
}

// NobodysName returns letters and digits that are no account's name. They are for a
// source's decoys, which others get to see: with the same key, what and name they are
// always the same, and they tell nothing of the key.
func NobodysName(key []byte, what, name string) string {
	return hex.EncodeToString(hmacSHA256(key, "nobody", what, name)[:8])
}
