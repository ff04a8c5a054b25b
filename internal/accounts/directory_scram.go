package accounts

import (
	"context"

	"postfach/pop3server"
	"postfach/sasl"
)

// Scram implements pop3server.ScramSource. A name that is unknown, or has no
// verifier for this hash, has a salt that is always the same for it and a work
// factor like those of others (P3-SCRAM-18). Where an account is not for this
// peer, the challenge and the keys are its own, too: it must not look different from
// elsewhere, and whoever knows the password is refused behind the proof.
func (d *Directory) Scram(ctx context.Context, p *pop3server.Peer, h sasl.ScramHash, name string) (*pop3server.ScramAccount, error) {
	e, decoy, err := d.find(withPeer(ctx, p), name)
	if err != nil {
		return nil, err
	}
	s, who := d.fake(name, h, decoy), d.identity(decoy, "") // which costs the same
	if e != nil && e.Scram[h] != nil && len(e.Scram[h].Names) > 0 {
		s, who = e.Scram[h], d.identity(e, "")
	} else {
		e, who = nil, pop3server.Identity{}
	}
	account := &pop3server.ScramAccount{
		Verifier:   s.Verifier,
		Identities: make([]pop3server.Identity, 0, maxApps+1), // for all the same
		Admit: func(ctx context.Context, who pop3server.Identity) error {
			if e == nil {
				return pop3server.ErrCredentials
			}
			return d.admit(withPeer(ctx, p), p, e, who.Credential)
		},
	}
	for _, who.Credential = range s.Names {
		account.Identities = append(account.Identities, who)
	}
	return account, nil
}

// notMain is why an account's own password lets nobody in.
const notMain = "not with the account's own password"

// admit has the word about somebody who has proved to know a credential of an account.
func (d *Directory) admit(ctx context.Context, p *pop3server.Peer, e *Entry, credential string) error {
	refused := d.refuses(e, p)
	if refused == "" && credential == "" && d.appsOnly(e) {
		refused = notMain
	}
	if refused != "" {
		d.tell(e, p, refused)
		return pop3server.ErrCredentials
	}
	_, err := d.letIn(ctx, p, e, credential)
	return err
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
