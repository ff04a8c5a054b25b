package sql

import (
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"regexp"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"

	"postfach/internal/accounts"
	"postfach/internal/hint"
)

// A Config says where a database is and how accounts are found there.
type Config struct {
	// URL is that of the server, as PostgreSQL's programs take it:
	// postgres://user@host/database?sslmode=verify-full. It has no password.
	URL string
	// CA is a PEM file with the authorities that the server's certificate is
	// verified against. Empty: what the URL says, else those of the system.
	CA string
	// PasswordFile has the password. Empty: none is needed.
	PasswordFile string

	// Query finds an account. @user is its name. At most one row comes back; what
	// the columns are called says what they are: see docs/sources.md.
	Query string
	// AppPasswords finds its app passwords: rows of name and secret. Empty: there
	// are none.
	AppPasswords string
	// Maildir is where the maildrops of accounts without a path are: a path in
	// which {user} stands for the name.
	Maildir string
	// DecoyKey makes that an unknown name always gets the same decoy, beyond the life
	// of the process. nil: as long as the Source.
	DecoyKey []byte

	Timeout time.Duration // of each question; 0: 5 s
	AtOnce  int           // connections; 0: 4
	Log     *slog.Logger  // nil: slog.Default
}

// pool understands the URL. What is said there of a pool holds, but for its size.
func (c *Config) pool() (*pgxpool.Config, error) {
	p, err := pgxpool.ParseConfig(c.URL)
	if err != nil {
		// The error may have parts of the URL in it.
		return nil, hint.Add(errors.New("expected the URL of a PostgreSQL server"), `"postgres://postfach@db.example.org/mail?sslmode=verify-full"`)
	}
	if hasPassword(c.URL) {
		return nil, hint.Add(errors.New("there is a password in the URL"), "put it in a file of its own: password_file")
	}
	if c.PasswordFile != "" {
		if p.ConnConfig.Password, err = accounts.ReadSecret(c.PasswordFile); err != nil {
			return nil, err
		}
	}
	if err := c.trust(p.ConnConfig); err != nil {
		return nil, err
	}
	if err := checkTLS(p.ConnConfig); err != nil {
		return nil, err
	}
	if p.ConnConfig.DefaultQueryExecMode == pgx.QueryExecModeSimpleProtocol {
		return nil, hint.Add(errors.New("the simple protocol puts names into the text of queries"), `remove default_query_exec_mode, or use "exec"`)
	}
	p.MinConns, p.MaxConns = 0, int32(c.AtOnce) //nolint:gosec // checked
	p.ConnConfig.ConnectTimeout = c.Timeout
	return p, nil
}

// passwordWord is a password, or that of a key, in what is no URL: words like
// "host=db.example.org user = postfach".
var passwordWord = regexp.MustCompile(`password\s*=`)

// hasPassword reports whether there is a password in what ParseConfig has understood,
// which does not say whether it is from there or from the environment.
func hasPassword(connection string) bool {
	if !strings.Contains(connection, "://") {
		return passwordWord.MatchString(connection)
	}
	u, err := url.Parse(connection)
	if err != nil {
		return true // ParseConfig understands it in another way
	}
	_, has := u.User.Password()
	for key := range u.Query() {
		has = has || strings.HasSuffix(key, "password")
	}
	return has
}

// trust makes the authorities in CA those that are believed.
func (c *Config) trust(p *pgx.ConnConfig) error {
	roots, err := accounts.Roots(c.CA)
	if err != nil || roots == nil {
		return err
	}
	if p.TLSConfig != nil {
		p.TLSConfig.RootCAs = roots
	}
	for _, f := range p.Fallbacks {
		if f.TLSConfig != nil {
			f.TLSConfig.RootCAs = roots
		}
	}
	return nil
}

// checkTLS refuses connections on which somebody else could read along, or answer:
// what is told there lets people in.
func checkTLS(c *pgx.ConnConfig) error {
	hosts := []*pgconn.FallbackConfig{{Host: c.Host, TLSConfig: c.TLSConfig}}
	for _, h := range append(hosts, c.Fallbacks...) {
		if !local(h.Host) && (h.TLSConfig == nil || h.TLSConfig.InsecureSkipVerify) {
			return hint.Add(fmt.Errorf("the connection to %s would not be verified", h.Host), "add sslmode=verify-full; ca = FILE is for an authority of your own")
		}
	}
	return nil
}

// local reports whether a host is this machine: its loopback, or a socket.
func local(host string) bool {
	return strings.HasPrefix(host, "/") || strings.HasPrefix(host, "@") || accounts.Loopback(host)
}
