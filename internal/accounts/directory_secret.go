package accounts

import (
	"context"
	"slices"

	"postfach/pop3server"
)

// Available implements pop3server.SecretSource (P3-GRT-05).
func (d *Directory) Available() bool { return slices.ContainsFunc(d.Sources, Source.Secrets) }

// Secret implements pop3server.SecretSource, for APOP and for CRAM-MD5. A secret
// of nobody's is opened for names that have none, and thrown away. An account that is
// not for this peer has its secret, so that the log can say why whoever knows it is
// refused.
func (d *Directory) Secret(ctx context.Context, p *pop3server.Peer, name string) (pop3server.Identity, string, error) {
	e, decoy, err := d.find(withPeer(ctx, p), name)
	if err != nil {
		return pop3server.Identity{}, "", err
	}
	if e == nil || e.Secret == nil {
		if decoy.Secret != nil {
			decoy.Secret()
		}
		return pop3server.Identity{}, "", pop3server.ErrCredentials
	}
	refused := d.refuses(e, p)
	secret, err := e.Secret()
	if err != nil || secret == "" { // an error was logged when the account was read
		return pop3server.Identity{}, "", pop3server.ErrCredentials
	}
	if refused != "" {
		return pop3server.Identity{}, secret, &pop3server.RefusedError{Tell: func() { d.tell(e, p, refused) }}
	}
	return d.identity(e, apopCredential), secret, nil
}
