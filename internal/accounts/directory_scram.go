package accounts

import (
	"context"
	"crypto/rand"

	"postfach/pop3server"
	"postfach/sasl"
)

// Scram implements pop3server.ScramSource. A name that is unknown, or has no
// verifier for this hash, has a salt that is always the same for it and a work
// factor like those of others (P3-SCRAM-18). Where an account is not for this
// peer, the challenge is its own, too, with keys that nobody has: it must not
// look different from elsewhere.
func (d *Directory) Scram(ctx context.Context, p *pop3server.Peer, h sasl.ScramHash, name string) (*pop3server.ScramAccount, error) {
	e, decoy, err := d.find(withPeer(ctx, p), name)
	if err != nil {
		return nil, err
	}
	s := d.fake(name, h, decoy)
	allowed := func(string) bool { return false }
	if e != nil && e.Scram[h] != nil && len(e.Scram[h].Names) > 0 {
		s = e.Scram[h]
		taken, err := d.taken(ctx, e)
		if err != nil {
			return nil, err
		}
		if d.refuses(e, p) == "" && !taken {
			appsOnly := d.appsOnly(e)
			allowed = func(credential string) bool { return credential != "" || !appsOnly }
		}
	}
	account := &pop3server.ScramAccount{Verifier: sasl.ScramVerifier{Salt: s.Verifier.Salt, Iterations: s.Verifier.Iterations}}
	account.Verifier.Keys = make([]sasl.ScramKeys, 0, maxApps+1) // for all the same
	account.Identities = make([]pop3server.Identity, 0, maxApps+1)
	nobodys := nobodysKeys(h)
	mine := d.identity(decoy, "") // which costs the same
	if e != nil {
		mine = d.identity(e, "")
	}
	for i, credential := range s.Names {
		keys, who := nobodys, pop3server.Identity{}
		if allowed(credential) {
			keys, who = s.Verifier.Keys[i], mine
			who.Credential = credential
		}
		account.Verifier.Keys = append(account.Verifier.Keys, keys)
		account.Identities = append(account.Identities, who)
	}
	return account, nil
}

// fake returns a verifier for a name that has none. It looks like those of the
// decoy's source, and has a salt by the Directory's own key, which outlives the
// process.
func (d *Directory) fake(name string, h sasl.ScramHash, decoy *Entry) *ScramEntry {
	like := decoy.Scram[h]
	if like == nil || len(like.Verifier.Salt) == 0 { // a source that knows nothing of SCRAM
		like = newModel.Scram[h]
	}
	return fakeScram(d.Key, name, h, like)
}

// nobodysKeys are keys that no password has.
func nobodysKeys(h sasl.ScramHash) sasl.ScramKeys {
	size := h.New().Size()
	both := make([]byte, 2*size)
	rand.Read(both)
	return sasl.ScramKeys{StoredKey: both[:size], ServerKey: both[size:]}
}
