package config

import (
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"postfach/internal/hint"
	"postfach/pop3server"
)

// check refuses values that make no sense, all of them, and notes warnings.
func (c *Config) check(d *document) error {
	var errs []error
	for _, check := range []func(*document) error{
		c.checkTexts, c.checkMechanisms, c.checkTLS, c.checkACME, c.checkLimits, c.checkListeners, c.checkProxies, c.checkConfine,
		c.checkSources, c.checkDomains, c.checkOIDC, c.checkHomes,
	} {
		errs = append(errs, check(d))
	}
	return hint.Join(errs...)
}

func (c *Config) checkTexts(d *document) error {
	var errs []error
	if c.Hostname != "" && !IsHostname(c.Hostname) {
		errs = append(errs, hint.Add(d.wrong("hostname", "expected a host name"), `letters, digits, dots and dashes, as in "mail.example.org"`))
	}
	for _, t := range []struct{ key, text string }{{"greeting", c.Greeting}, {"sign_off", c.SignOff}} {
		switch {
		case !utf8.ValidString(t.text) || strings.ContainsFunc(t.text, unicode.IsControl):
			errs = append(errs, hint.Add(d.wrong(t.key, "expected one line of text without control characters"), "tabs and line ends are control characters, too"))
		case len(t.text) > maxText:
			errs = append(errs, hint.Add(d.wrong(t.key, "expected at most %d octets", maxText), "a reply has 512 octets, and the APOP timestamp needs its part (P3-GRT-02)"))
		case strings.HasPrefix(t.text, "["):
			errs = append(errs, hint.Add(d.wrong(t.key, "a text must not begin with ["), "clients would take it for a response code (P3-CAPA-10)"))
		case t.key == "greeting" && strings.Contains(t.text, "<"):
			errs = append(errs, hint.Add(d.wrong(t.key, "a greeting must not have a <"), "clients would take it for an APOP timestamp (P3-GRT-05, P3-GRT-06)"))
		case strings.ContainsFunc(t.text, func(r rune) bool { return r > unicode.MaxASCII }):
			c.warn(d, t.key, "not ASCII: old clients may show something else")
		}
	}
	if !slices.Contains([]string{"en", "de"}, c.Language) {
		errs = append(errs, hint.Add(d.wrong("language", `expected "en" or "de"`), "it is what LANG * selects, and what sessions begin with"))
	}
	if c.ExpireDays < 0 {
		errs = append(errs, hint.Add(d.wrong("expire_days", "expected a number of days, or 0 for never"), "the server only announces it: it deletes nothing on its own"))
	}
	return hint.Join(errs...)
}

// maxText is the longest greeting or sign-off, in octets.
const maxText = 200

// IsHostname reports whether a name can be that of a machine.
func IsHostname(name string) bool {
	if len(name) > 253 {
		return false
	}
	for _, label := range strings.Split(name, ".") {
		if label == "" || len(label) > 63 || strings.Trim(label, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-") != "" || label[0] == '-' || label[len(label)-1] == '-' {
			return false
		}
	}
	return true
}

func (c *Config) checkLimits(d *document) error {
	var errs []error
	for _, l := range []struct {
		key   string
		value Duration
		least time.Duration
		why   string
	}{
		{"limits.login", c.Limits.Login, time.Second, "clients need time to log in"},
		{"limits.idle", c.Limits.Idle, pop3server.MinIdle, "RFC 1939 gives clients ten minutes (P3-ST-04)"},
		{"limits.write", c.Limits.Write, time.Second, "slow clients need time to read"},
		{"limits.failure_delay", c.Limits.FailureDelay, time.Millisecond, "guessing has to take time"},
		{"limits.address_delay", c.Limits.AddressDelay, time.Millisecond, "guessing has to take time, on many connections, too"},
		{"shutdown_grace", c.ShutdownGrace, 0, "0s ends all sessions at once"},
	} {
		if l.value.Duration < l.least {
			errs = append(errs, hint.Add(d.wrong(l.key, "expected at least %q", short(l.least)), "%s", l.why))
		}
	}
	for _, l := range []struct {
		key   string
		value int
	}{
		{"limits.failed_logins", c.Limits.FailedLogins},
		{"limits.bad_commands", c.Limits.BadCommands},
		{"limits.connections", c.Limits.Connections},
		{"limits.connections_per_address", c.Limits.ConnectionsPerAddress},
		{"limits.sessions_per_user", c.Limits.SessionsPerUser},
		{"limits.store_calls", c.Limits.StoreCalls},
	} {
		if l.value < 1 {
			errs = append(errs, hint.Add(d.wrong(l.key, "expected a number above 0"), "leave the key out to have the default"))
		}
	}
	if c.Limits.AddressDelay.Duration >= c.Limits.Login.Duration {
		c.warn(d, "limits.address_delay", "not shorter than limits.login: who has to wait so long never gets in")
	}
	return hint.Join(errs...)
}

// short is "10m" instead of "10m0s".
func short(d time.Duration) string {
	s := d.String()
	s = strings.TrimSuffix(s, "0s")
	if s == "" || !strings.HasSuffix(s, "m") {
		return d.String()
	}
	return s
}

func (c *Config) warn(d *document, path, text string) {
	c.Warnings = append(c.Warnings, d.wrong(path, "%s", text).Error())
}
