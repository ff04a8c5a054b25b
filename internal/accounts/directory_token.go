package accounts

import (
	"context"

	"postfach/pop3server"
)

// Token implements pop3server.TokenSource. The token has to be for an account that
// exists, and for the one that the client names, if it names one.
func (d *Directory) Token(ctx context.Context, p *pop3server.Peer, name, token string) (pop3server.Identity, error) {
	if d.Tokens == nil {
		return pop3server.Identity{}, pop3server.ErrCredentials
	}
	ctx = withPeer(ctx, p)
	owner, err := d.Tokens.User(ctx, token)
	if err != nil {
		return pop3server.Identity{}, err
	}
	// Letter by letter: SASLprep makes other people's names one of ours, such as those
	// in full-width letters, and issuers let people choose theirs.
	if checkName(owner) != nil {
		return pop3server.Identity{}, pop3server.ErrCredentials
	}
	e, _, err := d.find(ctx, owner)
	if err != nil {
		return pop3server.Identity{}, err
	}
	if e == nil || name != "" && lookupName(name) != owner {
		return pop3server.Identity{}, pop3server.ErrCredentials
	}
	if refused := d.refuses(e, p); refused != "" {
		d.tell(e, p, refused)
		return pop3server.Identity{}, pop3server.ErrCredentials
	}
	return d.letIn(ctx, p, e, tokenCredential)
}

// Discovery implements pop3server.TokenSource.
func (d *Directory) Discovery() (configuration, scope string) {
	if d.Tokens == nil {
		return "", ""
	}
	return d.Tokens.Discovery()
}
