// Package sql finds accounts in PostgreSQL, with queries from the configuration.
package sql

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"postfach/internal/accounts"
	"postfach/maildrop"
)

// A Source is an accounts.Source over one database. A server that is away is an
// error of the moment, never an account that does not exist.
type Source struct {
	accounts.Unannounced // nobody knows what accounts there are

	config Config
	begin  string
	pool   *pgxpool.Pool
	decoys accounts.Decoys

	reminder accounts.Reminder
}

// New returns a Source. It asks the server nothing yet.
func New(c Config) (*Source, error) {
	if c.Timeout <= 0 {
		c.Timeout = 5 * time.Second
	}
	if c.AtOnce <= 0 {
		c.AtOnce = 4
	}
	if c.DecoyKey == nil {
		c.DecoyKey = accounts.NewKey()
	}
	c.Log = cmp.Or(c.Log, slog.Default())
	if err := checkQuery(c.Query); err != nil {
		return nil, fmt.Errorf("sql: %w", err)
	}
	if c.AppPasswords != "" {
		if err := checkQuery(c.AppPasswords); err != nil {
			return nil, fmt.Errorf("sql: app passwords: %w", err)
		}
	}
	config, err := c.pool()
	if err != nil {
		return nil, fmt.Errorf("sql: %w", err)
	}
	pool, err := pgxpool.NewWithConfig(context.Background(), config)
	if err != nil {
		return nil, fmt.Errorf("sql: %w", err)
	}
	s := &Source{config: c, pool: pool, decoys: accounts.Decoys{Key: c.DecoyKey}, reminder: accounts.NewReminder()}
	// In one go, and for the transaction only, so that it holds behind a
	// connection pooler, too.
	s.begin = fmt.Sprintf("begin read only; set local statement_timeout = %d", max(c.Timeout.Milliseconds(), 1))
	return s, nil
}

// Close ends the connections, when what they do is done.
func (s *Source) Close() error {
	s.pool.Close()
	return nil
}

// Probe looks whether the server answers, and understands the queries.
func (s *Source) Probe(ctx context.Context) error {
	_, err := s.Lookup(ctx, "postmaster")
	if errors.Is(err, maildrop.ErrNoUser) {
		return nil
	}
	return err
}

// Lookup implements accounts.Source.
func (s *Source) Lookup(ctx context.Context, user string) (*accounts.Entry, error) {
	ctx, cancel := context.WithTimeout(ctx, s.config.Timeout)
	defer cancel()
	var rows []row
	var apps []appPassword
	err := s.ask(ctx, func(tx pgx.Tx) (err error) {
		if rows, err = s.accounts(ctx, tx, user); err != nil || s.config.AppPasswords == "" {
			return err
		}
		// For unknown names, too: they must not be faster.
		apps, err = s.appPasswords(ctx, tx, user)
		return err
	})
	switch {
	case err != nil:
		return nil, fmt.Errorf("ask the database: %w", err)
	case len(rows) == 0:
		return nil, maildrop.ErrNoUser
	case len(rows) > 1:
		if s.reminder.Due("several rows") {
			s.config.Log.Error("the database has several rows for a name: nobody gets in", "user", user, "hint", "make the query narrower")
		}
		return s.closed(user, "several rows in the database"), nil
	}
	e, err := s.entry(user, rows[0], apps)
	if err != nil {
		if s.reminder.Due(err.Error()) {
			s.config.Log.Error("the database has an account that cannot be used", "user", user, "err", err)
		}
		return s.closed(user, "a row that cannot be used: "+err.Error()), nil
	}
	if e.Closed == "" {
		s.decoys.Saw(e)
	}
	return e, nil
}

// ask reads in one transaction. A connection that turns out to be dead, because the
// server was restarted since, is no error: the question is asked once more.
func (s *Source) ask(ctx context.Context, read func(pgx.Tx) error) error {
	for again := false; ; again = true {
		c, err := s.pool.Acquire(ctx)
		if err != nil {
			return err
		}
		err = pgx.BeginTxFunc(ctx, c, pgx.TxOptions{BeginQuery: s.begin}, read)
		dead := c.Conn().IsClosed()
		c.Release()
		if !dead || again || ctx.Err() != nil {
			return err
		}
		s.pool.Reset() // the others are as old
	}
}

// accounts returns the rows of an account: two at most.
func (s *Source) accounts(ctx context.Context, tx pgx.Tx, user string) ([]row, error) {
	found, err := tx.Query(ctx, s.config.Query, named(user))
	if err != nil {
		return nil, err
	}
	defer found.Close()
	var rows []row
	for len(rows) < 2 && found.Next() {
		r, err := readRow(found)
		if err != nil {
			return nil, err
		}
		rows = append(rows, r)
	}
	if len(rows) == 0 {
		if err := checkColumns(found.FieldDescriptions()); found.Err() == nil && err != nil {
			return nil, err
		}
	}
	found.Close()
	return rows, found.Err()
}

// closed is an account that is there and that nobody gets in to.
func (s *Source) closed(user, why string) *accounts.Entry {
	e := *s.decoys.For(user)
	e.User, e.Closed, e.Broken = user, why, true
	return &e
}

// Decoy implements accounts.Source: it looks like the accounts that were asked
// for so far.
func (s *Source) Decoy(_ context.Context, name string) *accounts.Entry { return s.decoys.For(name) }

var _ accounts.Source = (*Source)(nil)
