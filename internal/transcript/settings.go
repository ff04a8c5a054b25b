package transcript

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// Settings are the "#!" lines of a script: what the server needs so that the
// script can be played.
type Settings struct {
	// Maildrop names what is in the maildrop; the suite knows the names.
	Maildrop string
	// User and Password are the account. Secret is for APOP; without it there
	// is no APOP.
	User, Password, Secret string
	// Greeting and SignOff are the texts of the first and last reply.
	Greeting, SignOff string
	// Last and AnnounceHistoric switch the historic commands on.
	Last, AnnounceHistoric bool
	// STLS: the script has its own handshake; the certificate is needed.
	STLS bool
	// Not says where the script is not played, each with the reason:
	// "#! not dovecot: answers LAST only when a setting says so".
	Not map[string]string
	// Serve are values for placeholders when the script is played at a
	// client: "#! serve size: 120".
	Serve map[string]string
}

func (s *Settings) set(line string) (problem string) {
	key, value, found := strings.Cut(line, ":")
	key, value = strings.TrimSpace(key), strings.TrimSpace(value)
	if !found || value == "" {
		return `want "#! key: value"`
	}
	if where, ok := strings.CutPrefix(key, "not "); ok {
		return put(&s.Not, where, value)
	}
	if name, ok := strings.CutPrefix(key, "serve "); ok {
		return put(&s.Serve, name, value)
	}
	for _, t := range s.texts() {
		if t.key == key {
			v, ok := Unescape(value)
			if !ok {
				return `bad escape: want \\ or \xNN`
			}
			*t.value = v
			return ""
		}
	}
	for _, t := range s.switches() {
		if t.key == key {
			if value != "on" {
				return "want on"
			}
			*t.value = true
			return ""
		}
	}
	return fmt.Sprintf("unknown setting %q", key)
}

func put(m *map[string]string, key, value string) (problem string) {
	if !isName(key) {
		return "want a name: letters, digits and -"
	}
	if *m == nil {
		*m = make(map[string]string)
	}
	(*m)[key] = value
	return ""
}

type row[T any] struct {
	key   string
	value *T
}

func (s *Settings) texts() []row[string] {
	return []row[string]{
		{"maildrop", &s.Maildrop},
		{"user", &s.User},
		{"password", &s.Password},
		{"secret", &s.Secret},
		{"greeting", &s.Greeting},
		{"sign-off", &s.SignOff},
	}
}

func (s *Settings) switches() []row[bool] {
	return []row[bool]{
		{"last", &s.Last},
		{"announce-historic", &s.AnnounceHistoric},
		{"stls", &s.STLS},
	}
}

// String returns the "#!" lines.
func (s *Settings) String() string {
	var b strings.Builder
	for _, t := range s.texts() {
		if v := *t.value; v != "" {
			v = Escape(v)
			if strings.HasPrefix(v, " ") { // Parse trims what stands open
				v = `\x20` + v[1:]
			}
			fmt.Fprintf(&b, "#! %s: %s\n", t.key, v)
		}
	}
	for _, t := range s.switches() {
		if *t.value {
			fmt.Fprintf(&b, "#! %s: on\n", t.key)
		}
	}
	for _, key := range slices.Sorted(maps.Keys(s.Not)) {
		fmt.Fprintf(&b, "#! not %s: %s\n", key, s.Not[key])
	}
	for _, key := range slices.Sorted(maps.Keys(s.Serve)) {
		fmt.Fprintf(&b, "#! serve %s: %s\n", key, s.Serve[key])
	}
	return b.String()
}
