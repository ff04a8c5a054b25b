package sql

import (
	"context"
	"fmt"
	"slices"

	"github.com/jackc/pgx/v5"

	"postfach/internal/accounts"
	"postfach/internal/hint"
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
			if s.reminder.Due("more app passwords") {
				s.config.Log.Warn("an account has more app passwords than are looked at", "user", user, "looked_at", maxAppPasswords)
			}
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
		if err := app.add(e); err != nil && s.reminder.Due(err.Error()) {
			s.config.Log.Warn("the database has an app password that cannot be used", "user", e.User, "err", err)
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
	if err := e.AddSecret(app.name, app.secret); err != nil {
		return fmt.Errorf("app password %q: %w", app.name, err)
	}
	return nil
}
