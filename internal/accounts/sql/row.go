package sql

import (
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"postfach/internal/accounts"
	"postfach/internal/hint"
)

// The columns that mean something. Others are refused: a slip in "closed" must
// not let people in.
const (
	passwordColumn = "password"      // "{SCHEME}secret"
	scramColumn    = "scram_sha_256" // the verifier beside a password of another scheme
	userColumn     = "user"          // the name that the account is known by here
	maildirColumn  = "maildir"
	netsColumn     = "allow_nets"
	closedColumn   = "closed"
)

func checkColumns(fields []pgconn.FieldDescription) error {
	known := []string{passwordColumn, scramColumn, userColumn, maildirColumn, netsColumn, closedColumn}
	var seen []string
	for _, f := range fields {
		if !slices.Contains(known, f.Name) {
			return hint.Add(fmt.Errorf("the query returns a column %q that is not known", f.Name), "the columns are %s: rename one with AS", strings.Join(known, ", "))
		}
		if slices.Contains(seen, f.Name) {
			return hint.Add(fmt.Errorf("the query returns the column %q twice", f.Name), "leave one of the two out")
		}
		seen = append(seen, f.Name)
	}
	if !slices.Contains(seen, passwordColumn) && !slices.Contains(seen, scramColumn) {
		return hint.Add(errors.New("the query returns no column password"), "rename one with AS password")
	}
	return nil
}

// A row is what the database says of an account, by the names of the columns. NULL
// is not in it.
type row map[string]any

func readRow(found pgx.Rows) (row, error) {
	fields := found.FieldDescriptions()
	if err := checkColumns(fields); err != nil {
		return nil, err
	}
	values, err := found.Values()
	if err != nil {
		return nil, err
	}
	r := row{}
	for i, f := range fields {
		if values[i] != nil {
			r[f.Name] = values[i]
		}
	}
	return r, nil
}

// text returns a column, empty when it is NULL.
func (r row) text(column string) (string, error) {
	switch v := r[column].(type) {
	case nil:
		return "", nil
	case string:
		return v, nil
	case []byte:
		return string(v), nil
	}
	return "", fmt.Errorf("column %s: expected text", column)
}

// closed returns why nobody gets in: true, a number other than 0, or any text
// that is not empty.
func (r row) closed() string {
	const why = "the database"
	switch v := r[closedColumn].(type) {
	case nil:
		return ""
	case bool:
		if !v {
			return ""
		}
	case int16, int32, int64:
		if fmt.Sprint(v) == "0" {
			return ""
		}
	case string:
		if v == "" {
			return ""
		}
		return why + ": " + v
	}
	return why
}

// nets returns the networks that may log in. NULL and an empty list are all.
func (r row) nets() ([]netip.Prefix, error) {
	var nets []netip.Prefix
	switch v := r[netsColumn].(type) {
	case nil:
	case netip.Prefix:
		return row{netsColumn: v.String()}.nets()
	case string:
		if strings.TrimSpace(v) == "" {
			return nil, nil
		}
		nets, err := accounts.ParseNetworks(v)
		if err != nil {
			return nil, fmt.Errorf("column %s: %q is no list of networks", netsColumn, v)
		}
		return nets, nil
	case []any:
		for _, element := range v {
			inner, err := row{netsColumn: element}.nets()
			if err != nil || len(inner) != 1 {
				return nil, fmt.Errorf("column %s: expected networks", netsColumn)
			}
			nets = append(nets, inner...)
		}
	default:
		return nil, fmt.Errorf("column %s: expected networks", netsColumn)
	}
	return nets, nil
}

// entry understands a row. Errors say why nobody gets in, and have nothing of a
// secret in them.
func (s *Source) entry(user string, r row, apps []appPassword) (*accounts.Entry, error) {
	e := &accounts.Entry{User: user, Closed: r.closed()}
	name, err := r.text(userColumn)
	if err != nil {
		return nil, err
	}
	if name != "" {
		e.User = name
		if err := accounts.CheckName(name); err != nil {
			return nil, fmt.Errorf("column %s: %w", userColumn, err)
		}
	}
	path, err := r.text(maildirColumn)
	if err != nil {
		return nil, err
	}
	e.Maildir = accounts.MaildirIn(s.config.Maildir, e.User)
	if path != "" {
		if e.Maildir, err = accounts.MaildirPath(path); err != nil {
			return nil, fmt.Errorf("column %s: %w", maildirColumn, err)
		}
	}
	if e.Policy.Networks, err = r.nets(); err != nil {
		return nil, err
	}
	if err := setPassword(e, r); err != nil {
		return nil, err
	}
	s.addApps(e, apps)
	if len(e.Credentials) == 0 {
		return nil, errors.New("the account has no password")
	}
	return e, nil
}

// setPassword gives an account its own password. NULL or empty: it has none.
func setPassword(e *accounts.Entry, r row) error {
	password, err := r.text(passwordColumn)
	if err != nil {
		return err
	}
	verifier, err := r.text(scramColumn)
	if err != nil {
		return err
	}
	if verifier != "" && !strings.HasPrefix(verifier, "{") {
		verifier = "{" + accounts.ScramSHA256 + "}" + verifier
	}
	if password == "" {
		password, verifier = verifier, ""
	}
	if password != "" {
		if err := e.AddSecret("", password); err != nil {
			return err
		}
	}
	if verifier != "" {
		if err := e.AddScram(verifier); err != nil {
			return fmt.Errorf("column %s: %w", scramColumn, err)
		}
	}
	return nil
}
