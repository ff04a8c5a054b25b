package sql

import (
	"bytes"
	"context"
	"crypto/subtle"
	"errors"
	"fmt"
	"slices"

	"github.com/jackc/pgx/v5"

	"postfach/internal/accounts"
	"postfach/internal/hint"
	"postfach/sasl"
)

// An appPassword is a row of the second query.
type appPassword struct{ name, secret string }

// maxAppPasswords bounds the work of one login.
const maxAppPasswords = 32

// appPasswords returns the app passwords of an account.
func (s *Source) appPasswords(ctx context.Context, tx pgx.Tx, user string) ([]appPassword, error) {
	found, err := tx.Query(ctx, s.config.AppPasswords, named(user))
	if err != nil {
		return nil, err
	}
	defer found.Close()
	var apps []appPassword
	for found.Next() {
		if len(apps) == maxAppPasswords {
			s.log().Warn("an account has more app passwords than are looked at", "user", user, "looked at", maxAppPasswords)
			break
		}
		app, err := readAppPassword(found)
		if err != nil {
			return nil, err
		}
		apps = append(apps, app)
	}
	found.Close()
	return apps, found.Err()
}

func readAppPassword(found pgx.Rows) (app appPassword, err error) {
	values, err := found.Values()
	if err != nil {
		return app, err
	}
	r := row{}
	for i, f := range found.FieldDescriptions() {
		if f.Name != "name" && f.Name != "secret" {
			return app, hint.Add(fmt.Errorf("the query for app passwords returns a column %q that is not known", f.Name), "the columns are name and secret: rename one with AS")
		}
		r[f.Name] = values[i]
	}
	if app.name, err = r.text("name"); err != nil {
		return app, err
	}
	app.secret, err = r.text("secret")
	return app, err
}

// addApps makes app passwords credentials of an account. One that cannot be used
// is logged, and closes nothing but itself.
func (s *Source) addApps(e *accounts.Entry, apps []appPassword) {
	for _, app := range apps {
		if err := app.add(e); err != nil {
			s.log().Warn("the database has an app password that cannot be used", "user", e.User, "err", err)
		}
	}
}

func (app appPassword) add(e *accounts.Entry) error {
	if err := accounts.CheckAppName(app.name); err != nil {
		return err
	}
	if slices.ContainsFunc(e.Credentials, func(c accounts.Credential) bool { return c.Name == app.name }) {
		return fmt.Errorf("app password %q is there twice", app.name)
	}
	alone := accounts.Entry{User: e.User}
	if err := alone.SetSecret(app.secret); err != nil {
		return fmt.Errorf("app password %q: %w", app.name, err)
	}
	for _, c := range alone.Credentials {
		c.Name = app.name
		for h, one := range alone.Scram {
			if !merge(e, h, one.Verifier, app.name) && c.Check == nil {
				c.Check = derive(h, one.Verifier)
			}
		}
		e.Credentials = append(e.Credentials, c)
	}
	return nil
}

// addScram gives an account a verifier for SCRAM beside its password, which is of
// another scheme.
func addScram(e *accounts.Entry, verifier string) error {
	alone := accounts.Entry{User: e.User}
	if err := alone.SetSecret(verifier); err != nil {
		return err
	}
	for h, entry := range alone.Scram {
		if !merge(e, h, entry.Verifier, "") {
			return errors.New("there is another verifier for SCRAM already")
		}
	}
	if len(alone.Scram) == 0 {
		return fmt.Errorf("expected {%s}", accounts.ScramSHA256)
	}
	return nil
}

// merge adds a verifier to those that serve SCRAM, if it has their salt and work
// factor: a client hears only one of each, before it says which password it has.
func merge(e *accounts.Entry, h sasl.ScramHash, v sasl.ScramVerifier, name string) bool {
	have := e.Scram[h]
	if have == nil {
		have = &accounts.ScramEntry{Verifier: sasl.ScramVerifier{Salt: v.Salt, Iterations: v.Iterations}}
		if e.Scram == nil {
			e.Scram = map[sasl.ScramHash]*accounts.ScramEntry{}
		}
		e.Scram[h] = have
	}
	if have.Verifier.Iterations != v.Iterations || !bytes.Equal(have.Verifier.Salt, v.Salt) || slices.Contains(have.Names, name) {
		return false
	}
	for _, keys := range v.Keys {
		have.Verifier.Keys = append(have.Verifier.Keys, keys)
		have.Names = append(have.Names, name)
	}
	return true
}

// derive checks a password against a verifier that has a salt of its own.
func derive(h sasl.ScramHash, v sasl.ScramVerifier) func(context.Context, string) (bool, error) {
	return func(_ context.Context, password string) (bool, error) {
		if password == "" {
			return false, nil // which no key is made of
		}
		got, err := sasl.NewScramKeys(h, password, v.Salt, v.Iterations)
		if err != nil || len(v.Keys) == 0 {
			return false, err
		}
		return subtle.ConstantTimeCompare(got.StoredKey, v.Keys[0].StoredKey) == 1, nil
	}
}
