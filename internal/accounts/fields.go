package accounts

import (
	"fmt"
	"slices"
	"strings"

	"postfach/internal/hint"
)

// ofDovecot are extra fields that mean something to Dovecot's passdb and nothing here;
// those of its userdb begin with "userdb_".
var ofDovecot = []string{
	"user", "username", "original_user", "login_user", "password", "pass", "nodelay", "delay_until", "reason", "master", "domain",
	"proxy", "proxy_maybe", "proxy_always", "proxy_mech", "proxy_nopipelining", "proxy_not_trusted", "proxy_timeout", "proxy_refresh", "proxy_redirect_host_next_hop",
	"host", "hostip", "source_ip", "port", "protocol", "destuser", "ssl", "starttls", "director_tag", "director_proxy_maybe", "k5principals", "event_user", "temp", "fail",
}

// misread says what is odd about an extra field that means nothing here: it may be
// one that does, misspelt, and then the account is not as closed as its owner thinks.
// Empty: nothing, it is another program's.
func misread(key string) string {
	if strings.HasPrefix(key, "userdb_") || strings.HasPrefix(key, "forward_") || strings.HasPrefix(key, "event_") || slices.Contains(ofDovecot, key) {
		return ""
	}
	best, least := "", 3
	for _, own := range slices.Concat(once, []string{certField}, closing) {
		if len(key) > 2*len(own) { // nothing like it, and perhaps millions of octets
			continue
		}
		if n := hint.Edits(strings.ToLower(key), own); n < least {
			best, least = own, n
		}
	}
	word, _, colon := strings.Cut(strings.ToLower(key), ":")
	if colon && hint.Edits(word+":", appPrefix) < 3 {
		best = appPrefix + "NAME"
	}
	if best == "" {
		return fmt.Sprintf("%.40q", key)
	}
	return fmt.Sprintf("%.40q, did you mean %s?", key, best)
}

// misplaced says which of the columns that are other programs' has a "=" in it, as
// extra fields have, which are the eighth. Empty: none.
func misplaced(fields []string) string {
	for i, field := range fields[:min(len(fields), extraIndex)] {
		if i > secretIndex && strings.Contains(field, "=") {
			return fmt.Sprintf("= in column %d, extra fields are in column %d", i+1, extraIndex+1)
		}
	}
	return ""
}

// maxOdd is how many accounts a warning names.
const maxOdd = 10

// odd tells what is read in the file and means nothing here, and should perhaps.
// Empty: nothing.
func (t *table) odd() string {
	var told []string
	count := 0
	for _, a := range t.inFile {
		for _, what := range a.odd {
			if count++; count <= maxOdd {
				told = append(told, a.User+": "+what)
			}
		}
	}
	if count > maxOdd {
		told = append(told, fmt.Sprintf("and %d more", count-maxOdd))
	}
	return strings.Join(told, "; ")
}
