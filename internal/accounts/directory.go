package accounts

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"runtime/debug"
	"slices"
	"sync"

	"postfach/maildrop"
	"postfach/pop3server"
	"postfach/sasl"
)

// A Directory decides who gets in: a pop3server.Authenticator, ScramSource,
// SecretSource, CertificateSource and TokenSource over any number of sources.
// Whoever does not get in cannot tell why: unknown names, wrong passwords, closed
// accounts and policies cost the same work and lead to the same error.
//
// Fields are not changed once it is used. Its methods may be called from many
// goroutines.
type Directory struct {
	// Sources are asked all at once; the first that knows a name has the last
	// word. Where an earlier one cannot answer, a later one is not believed.
	Sources []Source
	// Domains are policies of all accounts whose name ends in "@" and the key, and
	// of all accounts where the key is "*". They hold beside the account's own.
	Domains map[string]Policy
	// Mail is the folder of the Maildirs that have no path of their own.
	Mail string
	// Key makes that an unknown name always gets the same decoy, beyond the life
	// of the process. nil: as long as the Directory.
	Key []byte
	// ScramHashes are those that SCRAM is offered with, although not every account
	// has a verifier. nil: those for which every one has.
	ScramHashes []sasl.ScramHash
	// Tokens says whose bearer tokens are; nil: nobody's.
	Tokens Tokens
	// CertificateNames believes the names in client certificates: the e-mail
	// addresses and the common name in it are accounts. Without it, accounts say
	// which certificates are theirs.
	CertificateNames bool
	// Mechanisms are those that are offered beside SCRAM, for the log.
	Mechanisms []string
	Log        *slog.Logger // nil: slog.Default

	once     sync.Once
	computes *Pool  // checks that need a processor
	waits    *Pool  // checks that wait for others
	cache    *cache // passwords that were right
	found    *found // who has got in, of sources that cannot count

	telling sync.Mutex              // guards told
	told    map[sasl.ScramHash]bool // what the log says of SCRAM; nil: nothing
}

func (d *Directory) setUp() {
	d.once.Do(func() {
		d.computes, d.waits, d.cache, d.found = NewPool(processors()), NewPool(remoteChecks), newCache(), newFound()
		if d.Key == nil {
			d.Key = NewKey()
		}
	})
}

// Authenticate implements pop3server.Authenticator. Whether a name is unknown, the
// password wrong or the account not for this peer: the work is the same, and the
// policy is looked at before any password is, so that a right one shows in
// nothing (P3-USR-10).
func (d *Directory) Authenticate(ctx context.Context, p *pop3server.Peer, name, password string) (pop3server.Identity, error) {
	ctx = withPeer(ctx, p)
	e, err := d.named(ctx, name)
	if err != nil {
		return pop3server.Identity{}, err
	}
	refused, allowed := d.terms(e, p)
	if i := d.cache.find(orNobody(e, name), allowed, password); i >= 0 && refused == "" {
		return d.letIn(ctx, p, e, allowed[i].Name)
	}
	// From here on nobody gets in without a check, and the work is the same for all.
	decoy := d.decoy(ctx, name)
	if e == nil || len(e.Credentials) == 0 {
		if _, err := d.check(ctx, decoy, password); err != nil {
			return pop3server.Identity{}, err
		}
		return pop3server.Identity{}, pop3server.ErrCredentials
	}
	right, err := d.check(ctx, e, password)
	if err != nil {
		return pop3server.Identity{}, err
	}
	if len(right) == 0 {
		return pop3server.Identity{}, pop3server.ErrCredentials
	}
	i := slices.IndexFunc(allowed, func(c Credential) bool { return slices.Contains(right, c.Name) })
	if refused == "" && i < 0 {
		refused = notMain
	}
	if refused != "" {
		d.tell(e, p, refused)
		return pop3server.Identity{}, pop3server.ErrCredentials
	}
	d.cache.add(e, allowed[i], password)
	return d.letIn(ctx, p, e, allowed[i].Name)
}

// terms are why nobody gets in to an account from there, empty if somebody may, and with
// which of its credentials. nil has none.
func (d *Directory) terms(e *Entry, p *pop3server.Peer) (refused string, allowed []Credential) {
	if e == nil {
		return "", nil
	}
	allowed = e.Credentials
	if d.appsOnly(e) {
		allowed = slices.DeleteFunc(slices.Clone(allowed), func(c Credential) bool { return c.Name == "" })
	}
	return d.refuses(e, p), allowed
}

// orNobody is e, or an entry in its place with a name that is nobody's.
func orNobody(e *Entry, name string) *Entry {
	if e == nil {
		return &Entry{User: name, asked: name}
	}
	return e
}

// letIn has the last word about somebody who has proved who he is, and whom no policy
// refuses. Only now do sources show that they are asked once more.
func (d *Directory) letIn(ctx context.Context, p *pop3server.Peer, e *Entry, credential string) (pop3server.Identity, error) {
	refused := ""
	taken, err := d.taken(ctx, e)
	switch {
	case err != nil:
		return pop3server.Identity{}, err
	case taken:
		refused = "another source has an account of that name, and comes first"
	case e.Confirm != nil:
		if refused, err = e.Confirm(ctx); err != nil {
			return pop3server.Identity{}, err
		}
	}
	if refused != "" {
		d.tell(e, p, refused)
		return pop3server.Identity{}, pop3server.ErrCredentials
	}
	if _, counts := d.Sources[e.source].(accountCounter); !counts {
		d.found.add(e)
	}
	return d.identity(e, credential), nil
}

// taken reports whether an entry that another name led to has a name that an earlier
// source knows: that one has the last word about it, and may have closed the account.
func (d *Directory) taken(ctx context.Context, e *Entry) (bool, error) {
	if e.User == e.asked || e.source == 0 {
		return false, nil
	}
	_, err := d.lookup(ctx, e.User, d.Sources[:e.source])
	if errors.Is(err, maildrop.ErrNoUser) {
		return false, nil
	}
	return err == nil, err
}

// withPeer tells sources who asks.
func withPeer(ctx context.Context, p *pop3server.Peer) context.Context {
	if p == nil {
		return ctx
	}
	return WithRemote(ctx, p.Address())
}

// tell logs why somebody was kept out who has proved who he is. The client hears
// nothing of it.
func (d *Directory) tell(e *Entry, p *pop3server.Peer, why string) {
	args := []any{"user", e.User, "reason", why}
	if p != nil { // in the keys of the session's other lines
		args = append([]any{"session", p.Session, "rip", remoteOf(p)}, args...)
	}
	d.log().Warn("login refused in spite of the right password", args...)
}

// remoteOf is the peer's address without port and zone, as pop3server logs it.
func remoteOf(p *pop3server.Peer) string {
	switch a := p.Address(); {
	case a.IsValid():
		return a.String()
	case p.Remote != nil:
		return p.Remote.String()
	}
	return ""
}

// find asks the sources for a name, which has been prepared, or not. The entry is
// nil where there is no such account. The decoy is there in any case, so that
// making it does not tell.
func (d *Directory) find(ctx context.Context, name string) (e, decoy *Entry, err error) {
	d.setUp()
	decoy = d.decoy(ctx, name)
	e, err = d.named(ctx, name)
	return e, decoy, err
}

// named is find without a decoy.
func (d *Directory) named(ctx context.Context, name string) (*Entry, error) {
	d.setUp()
	user := lookupName(name)
	if user == "" {
		return nil, nil
	}
	e, err := d.lookup(ctx, user, d.Sources)
	if errors.Is(err, maildrop.ErrNoUser) {
		return nil, nil
	}
	return e, err
}

// lookup asks all sources at once: how long that takes is the same whether the
// first one knows the name or none.
func (d *Directory) lookup(ctx context.Context, user string, sources []Source) (*Entry, error) {
	if len(sources) == 1 {
		e, err := sources[0].Lookup(ctx, user)
		return chosen(user, []*Entry{e}, []error{err})
	}
	found := make([]*Entry, len(sources))
	errs := make([]error, len(sources))
	panics := make([]any, len(sources))
	ask := func(i int) {
		defer func() {
			if p := recover(); p != nil {
				panics[i] = fmt.Sprintf("%v\n%s", p, debug.Stack())
			}
		}()
		found[i], errs[i] = sources[i].Lookup(ctx, user)
	}
	var asked sync.WaitGroup
	for i := 1; i < len(sources); i++ {
		asked.Go(func() { ask(i) })
	}
	if len(sources) > 0 {
		ask(0)
	}
	asked.Wait()
	for _, p := range panics {
		if p != nil {
			panic(p) // here it costs a session, and in a goroutine of its own the process
		}
	}
	return chosen(user, found, errs)
}

// chosen is the first of what sources have found, or why none is.
func chosen(user string, found []*Entry, errs []error) (*Entry, error) {
	for i, e := range found {
		switch {
		case errors.Is(errs[i], maildrop.ErrNoUser):
			continue
		case errs[i] != nil:
			return nil, fmt.Errorf("look up %s: %w", user, errs[i])
		case checkName(e.User) != nil: // becomes part of paths
			return nil, fmt.Errorf("look up %s: the source says it is user %q, which is not allowed", user, e.User)
		}
		own := *e
		own.asked, own.source = user, i
		return &own, nil
	}
	return nil, maildrop.ErrNoUser
}

func (d *Directory) log() *slog.Logger {
	if d.Log == nil {
		return slog.Default()
	}
	return d.Log
}
