package pop3check

// A cause is why something does not work, in the user's terms.
type cause struct {
	says  string // completes the verdict: "does not work: ..."
	whose Whose
	do    string
}

// causes has them by the ids that their findings have, too. In the texts HOST,
// PORT and ADDR are the server's.
func causes() map[string]cause {
	return map[string]cause{
		// The name and the network.
		"name-unknown":     {"there is no host HOST", Settings, "Check the spelling. With a mail address the server is looked for: postfach check me@example.org"},
		"name-lookup":      {"the name HOST could not be looked up", Network, "The name service does not answer. Check whether this machine is online, then try again."},
		"not-found":        {"no POP3 server was found for HOST", Settings, "Ask the provider for the name of its POP3 server, and check that: postfach check HOST. Some providers have no POP3 at all."},
		"port-refused":     {"HOST refuses connections to port PORT", Settings, "No program listens on this port. Check host and port; 995 is for TLS and 110 for STLS. If they are right, the server is down."},
		"port-filtered":    {"nobody answers on port PORT of HOST", Network, "A firewall drops the connection: on this machine, in your network, or at the provider. Try another network; ask who runs the firewall for port PORT."},
		"unreachable":      {"there is no way to HOST", Network, "Check the network connection of this machine, and that of the server."},
		"connect":          {"no connection to ADDR", Network, "Look at what the system says below."},
		"silent":           {"ADDR takes connections and says nothing", Server, "The program on this port does not answer like a POP3 server. If the port is right, the server is overloaded or broken."},
		"hangup":           {"ADDR closes the connection before it says anything", Server, "Some servers do that to addresses that they block. Try from another network, or ask the provider."},
		"refused-greeting": {"ADDR takes no sessions now", Server, "The server says why in its first line. Try again later."},

		// The wrong kind of connection.
		"tls-on-plain": {"port PORT of HOST wants TLS from the first octet", Settings, "Use --tls. In a mail program: SSL/TLS, not STARTTLS."},
		"plain-on-tls": {"port PORT of HOST begins without TLS", Settings, "Use --stls. In a mail program: STARTTLS, not SSL/TLS."},
		"not-pop3":     {"ADDR is no POP3 server", Settings, "Check host and port; POP3 is on 995 (TLS) and 110 (STLS)."},
		"smtp":         {"ADDR is an SMTP server, for sending mail", Settings, "POP3 is on port 995 (TLS) and 110 (STLS), often of another host."},
		"imap":         {"ADDR is an IMAP server", Settings, "POP3 is on port 995 (TLS) and 110 (STLS). Or set the mail program to IMAP."},
		"http":         {"ADDR is a web server", Settings, "POP3 is on port 995 (TLS) and 110 (STLS), often of another host."},

		// TLS.
		"stls-missing": {"ADDR does not offer STLS", Server, "Use port 995 (--tls), if it is there. If the provider says that STLS works, somebody on the way may have removed it: do not send the password without TLS."},
		"stls-refused": {"ADDR offers STLS and refuses it", Server, "Use port 995 (--tls), and tell the provider."},
		"stls-octets":  {"octets that nobody asked for came before TLS", Network, "Somebody on the way puts words into the server's mouth, or the server is broken. Nothing was sent to it."},
		"tls-old":      {"ADDR speaks only TLS that is not safe any more", Server, "The server must be updated: TLS 1.2 is the least that mail programs take."},
		"tls":          {"TLS with ADDR fails", Server, "Look at what TLS says below, and tell the provider."},

		// The certificate.
		"certificate-name":    {"the certificate of ADDR is for another name", Settings, "Use the name that the certificate is for, if it is your provider's. Else somebody may be between you and the server."},
		"certificate-expired": {"the certificate of ADDR has expired", Server, "The server needs a new certificate: tell the provider. Check the clock of this machine, too."},
		"certificate-early":   {"the certificate of ADDR is not valid yet", Server, "Check the clock of this machine. If it is right, tell the provider."},
		"certificate-issuer":  {"nobody vouches for the certificate of ADDR", Server, "If you know this server, name its root with --cafile FILE, or pin what is shown below with --pin HEX. Else somebody may be between you and the server."},
		"certificate-chain":   {"the certificate of ADDR is not one for a server", Server, "The server needs another certificate: tell the provider."},
		"certificate-pin":     {"the certificate of ADDR is not the one that was pinned", Server, "If the server has a new certificate, check its SHA-256 with the provider and use the new pin. Else somebody is between you and the server."},

		// Before the login.
		"login-cleartext":   {"the password is not sent without TLS", Settings, "Use --tls or --stls. If the server really has no TLS, --allow-cleartext sends the password so that everybody on the way can read it."},
		"login-unvouched":   {"nothing proves that ADDR is the server of this account", Settings, "The name service says so, and that can be forged. If your provider names this server, say it yourself: postfach check HOST:PORT --user NAME"},
		"login-certificate": {"the password is not sent to a server with such a certificate", Server, "See what is said about the certificate."},

		// The login.
		"password":     {"the server refuses this user name or password", Account, "Check both, letter by letter. The user name is the whole address at some providers, the part before the @ at others."},
		"app-password": {"the server wants an app password", Account, "Make an app password in the provider's security settings, and use it here instead of your own."},
		"oauth-only":   {"the server takes no passwords, only OAuth", Account, "Use a program that logs in with OAuth. The provider may have a setting that allows passwords or app passwords."},
		"pop-off":      {"POP3 is switched off for this account", Account, "Switch POP3 on in the provider's settings on the web; many have it off until then."},
		"web-login":    {"the provider wants you to log in on the web first", Account, "Log in on the provider's web page and confirm what it asks, then try again."},
		"in-use":       {"another session has the maildrop", Temporary, "Close other programs that fetch mail, or wait some minutes until the server gives it free."},
		"login-delay":  {"the server allows a login only now and then", Temporary, "Wait, and let programs look for mail less often."},
		"too-many":     {"the server has had too many logins", Temporary, "Wait half an hour, and let programs look for mail less often."},
		"sys-temp":     {"the server has a problem that should pass", Temporary, "Try again later. User name and password may be right."},
		"sys-perm":     {"the server has a problem that its operator must solve", Server, "Tell the provider what the server says below."},
		"tls-wanted":   {"the server takes no password without TLS", Settings, "Use --tls or --stls."},
		"no-mechanism": {"the server offers no way to log in that is known here", Server, "Known are SCRAM-SHA-256, PLAIN, and USER with PASS."},
		"unproved":     {"the server says yes without proof that it knows the password", Server, "This may not be the server that it claims to be. Check the certificate, and ask the provider."},
		"unsendable":   {"POP3 cannot carry this user name or password", Account, "They may have no line ends and no NUL, and without UTF8 only ASCII."},
		"login":        {"the login fails", Server, "The server does not say that user name or password are wrong. Look at its reply below, and tell the provider."},
		"session":      {"the session breaks after the login", Server, "Look at the exchange below, and tell the provider."},
		"interrupted":  {"the check was interrupted", Nobodys, ""},
	}
}

// diagnosisLevel is the level of findings that are no rules of the catalogue.
const diagnosisLevel = "DIAGNOSIS"

// noteLevel is the level of what is worth knowing and speaks against nobody.
const noteLevel = "NOTE"

// wanted says for findings that are no rules of the catalogue what is wanted.
func wanted() map[string]string {
	return map[string]string{
		"name":               "The host's name has addresses.",
		"addresses":          "All addresses of the host work that were tried.",
		"connect":            "The server takes connections on this port.",
		"greeting":           "The server greets as POP3 servers do.",
		"stls":               "The server offers STLS and does it.",
		"stls-octets":        "Nothing comes between the reply to STLS and TLS.",
		"tls":                "TLS 1.2 or newer comes about.",
		"certificate-name":   "The certificate is for the host's name.",
		"certificate-time":   "The certificate is valid now, and for some time to come.",
		"certificate-issuer": "Somebody that is trusted here vouches for the certificate.",
		"certificate-pin":    "The certificate is the one that was pinned.",
		"capa":               "The server says what it can do.",
		"login":              "User name and password are taken.",
		"stat":               "STAT says how many messages there are.",
		"list":               "LIST lists them.",
		"uidl":               "UIDL names them.",
		"retr":               "RETR sends a message.",
		"top":                "TOP sends a header.",
		"cleartext-password": "The server takes no password without TLS.",
	}
}

// requirement returns the rule with this id, from the catalogue or from here.
func requirement(id string) Requirement {
	for _, r := range Requirements() {
		if r.ID == id {
			return r
		}
	}
	level := diagnosisLevel
	if id == "addresses" || id == "capa" || id == "cleartext-password" {
		level = noteLevel
	}
	return Requirement{ID: id, Level: level, Role: "server", Source: "—", Rule: wanted()[id]}
}

// Counts reports whether a result of a diagnosis speaks against the connection:
// one that failed and is no mere note. Of good practice that no RFC asks for,
// only two count: octets kept over STLS are a hole, and a sum that is none
// makes people look for lost mail.
func (d *Diagnosis) Counts(r Result) bool {
	if r.Status != Fail {
		return false
	}
	return r.Binding() || r.Level == diagnosisLevel || r.ID == "P3-TLS-06" || r.ID == "P3-STAT-05"
}

// Unreachable reports whether there was no connection, or no login that was
// asked for.
func (d *Diagnosis) Unreachable() bool { return d.Used == nil || d.LoginAsked && !d.LoggedIn }
