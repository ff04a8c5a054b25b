package pop3check

import (
	"strings"

	"postfach/pop3"
)

// A phrase is part of what servers say when they refuse a login, in lower case,
// and the cause that it speaks of.
type phrase struct {
	words string
	cause string
}

// phrases are searched in this order. Many servers have no response codes, and
// big providers say more in words than in codes.
func phrases() []phrase {
	return []phrase{
		// Gmail, Yahoo, AOL, Zoho, Fastmail, Yandex.
		{"application-specific password", "app-password"},
		{"app-specific password", "app-password"},
		{"app password", "app-password"},
		{"application password", "app-password"},
		{"two-factor", "app-password"},
		{"two factor", "app-password"},
		{"2fa", "app-password"},

		// Microsoft, and Gmail for organisations.
		{"basicauthblocked", "oauth-only"},
		{"basic authentication", "oauth-only"},
		{"basic auth", "oauth-only"},
		{"oauth", "oauth-only"},
		{"modern authentication", "oauth-only"},
		{"less secure app", "oauth-only"},

		// Gmail, Microsoft, GMX and web.de, Dovecot with its settings for users.
		{"not enabled for pop", "pop-off"},
		{"disabled for pop", "pop-off"},
		{"pop is disabled", "pop-off"},
		{"pop3 is disabled", "pop-off"},
		{"pop3 disabled", "pop-off"},
		{"pop disabled", "pop-off"},
		{"pop access", "pop-off"},
		{"pop3 access", "pop-off"},
		{"pop3 service is not", "pop-off"},
		{"pop not enabled", "pop-off"},
		{"pop3 not enabled", "pop-off"},
		{"nicht aktiviert", "pop-off"},
		{"nicht freigeschaltet", "pop-off"},
		{"deaktiviert", "pop-off"},

		// Gmail, Yahoo.
		{"web login required", "web-login"},
		{"log in via your web browser", "web-login"},
		{"login via your web browser", "web-login"},
		{"verify your account", "web-login"},
		{"suspicious", "web-login"},
		{"captcha", "web-login"},

		// Locks: Qpopper, Courier, Exchange, Cyrus.
		{"in use", "in-use"},
		{"lock busy", "in-use"},
		{"is locked by", "in-use"},
		{"mailbox locked", "in-use"},
		{"maildrop locked", "in-use"},
		{"already locked", "in-use"},
		{"maildrop is locked", "in-use"},
		{"another session", "in-use"},
		{"another pop", "in-use"},

		// GMX, Yahoo, Exchange, 163.com, many firewalls of mail servers.
		{"login delay", "login-delay"},
		{"too frequent", "login-delay"},
		{"minimum login", "login-delay"},
		{"too many", "too-many"},
		{"exceeded", "too-many"},
		{"rate limit", "too-many"},
		{"try again later", "sys-temp"},
		{"temporar", "sys-temp"},

		// Everybody else, without codes.
		{"password", "password"},
		{"authentication fail", "password"},
		{"authentication unsuccessful", "password"},
		{"credentials", "password"},
		{"invalid login", "password"},
		{"incorrect login", "password"},
		{"login fail", "password"},
		{"logon failure", "password"},
		{"unknown user", "password"},
		{"no such user", "password"},
	}
}

// clearPhrases speak of a connection without TLS, and mean something only
// there.
func clearPhrases() []string {
	return []string{
		"plaintext auth", "plain text auth", "cleartext", "clear text", "clear-text", "stls", "starttls", "tls required", "ssl required",
		"encrypt", "secure connection", "insecure", "without tls", "must use tls", "must use ssl", "use ssl", "use tls",
	}
}

// whyRefused says why a login was refused: codes that speak of time come first,
// then the words, since Gmail says [SYS/PERM] of a switch that the user can
// turn, then the other codes.
func whyRefused(r reply, inTLS bool, capa pop3.Capabilities) string {
	switch {
	case r.code.Is(pop3.CodeInUse):
		return "in-use"
	case r.code.Is(pop3.CodeLoginDelay):
		return "login-delay"
	case r.code.Is(pop3.CodeSysTemp):
		return "sys-temp"
	}
	text := strings.ToLower(r.text)
	if !inTLS {
		for _, words := range clearPhrases() {
			if strings.Contains(text, words) {
				return "tls-wanted"
			}
		}
	}
	for _, p := range phrases() {
		if strings.Contains(text, p.words) {
			return p.cause
		}
	}
	switch {
	case r.code.Is(pop3.CodeSysPerm):
		return "sys-perm"
	case !r.code.Is(pop3.CodeAuth) && capa.Has(pop3.CapAuthRespCode):
		return "login" // it would say [AUTH] (P3-RSP-09)
	}
	return "password"
}

// A provider is one whose refusals say less than people need.
type provider struct {
	hosts string // ends of host names, separated by spaces
	says  string
}

func providers() []provider {
	return []provider{
		{"gmail.com googlemail.com google.com", "Gmail takes an app password (it needs two-step verification) or OAuth, never the account's own password; POP is switched on in the settings under Forwarding and POP/IMAP."},
		{"outlook.com office365.com hotmail.com live.com msn.com", "Microsoft takes OAuth only; POP is switched on in the settings of Outlook on the web, or by the organisation's administrator."},
		{"yahoo.com yahoo.de yahoo.co.uk yahoo.fr aol.com", "Yahoo and AOL take an app password from the account's security settings, not the account's own."},
		{"gmx.net gmx.de gmx.at gmx.ch gmx.com web.de mail.com", "GMX and web.de have POP3 off until it is switched on in the settings on the web, and off again when it was not used for long; with two-factor authentication they take an app password."},
		{"icloud.com me.com mac.com", "iCloud has no POP3. Use IMAP: imap.mail.me.com."},
		{"t-online.de", "T-Online wants a password of its own for e-mail programs, made in its customer centre."},
		{"yandex.ru yandex.com mail.ru zoho.com zoho.eu fastmail.com", "This provider takes an app password, and POP3 is switched on in the settings on the web."},
	}
}

// providerSays returns what is known about the provider that a host, or the
// domain of an address, belongs to; "" for nothing.
func providerSays(hosts ...string) string {
	for _, p := range providers() {
		for _, end := range strings.Fields(p.hosts) {
			for _, host := range hosts {
				if host = strings.ToLower(host); host == end || strings.HasSuffix(host, "."+end) {
					return p.says
				}
			}
		}
	}
	return ""
}
