package sql

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"strings"

	"github.com/jackc/pgx/v5"

	"postfach/internal/hint"
)

// argument is the name of what a query is asked for.
const argument = "user"

// Other people's ways to put a value into a query.
var (
	ordinal   = regexp.MustCompile(`\$[0-9]`)
	percent   = regexp.MustCompile(`%([A-Za-z]\b|L?\{)`)
	brace     = regexp.MustCompile(`[$#]\{[^}]*\}|(?i)\{+\s*\.?(user|username|login|name|email|address|local|domain)\s*\}+`)
	colon     = regexp.MustCompile(`(^|[^:]):[A-Za-z_]`)
	question  = regexp.MustCompile(`[=(,]\s*\?`)
	parameter = regexp.MustCompile(`@user\b`)
)

const queryHint = `a name is given as @user, without quotes: "SELECT password FROM users WHERE name = @user"`

// checkQuery refuses a query that does not ask for a user, and one that somebody
// else's program would have to fill in. A name is a parameter, which the server
// gets beside the query; it is never put into one.
func checkQuery(query string) error {
	if strings.ContainsRune(query, 0) {
		return hint.Add(errors.New("the query has a zero octet"), "%s", queryHint)
	}
	for _, wrong := range []*regexp.Regexp{ordinal, percent, brace, colon, question} {
		if found := wrong.FindString(query); found != "" {
			return hint.Add(fmt.Errorf("the query has %q, which is no parameter of a query here", strings.TrimSpace(found)), "%s", queryHint)
		}
	}
	rewritten, args, err := named("").RewriteQuery(context.Background(), nil, query, nil)
	if err != nil || len(args) != 1 {
		return hint.Add(errors.New("the query needs @user, and no other parameter"), "%s", queryHint)
	}
	// Whoever writes '@user' means the parameter, and gets those six characters.
	if len(parameter.FindAllString(query, -1)) != len(ordinal.FindAllString(rewritten, -1)) {
		return hint.Add(errors.New("the query has @user in quotes, or in a comment"), "%s", queryHint)
	}
	return nil
}

// named are the arguments of a query.
func named(user string) pgx.StrictNamedArgs { return pgx.StrictNamedArgs{argument: user} }
