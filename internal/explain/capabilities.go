package explain

import (
	"strings"

	"postfach/internal/popwire"
	"postfach/pop3"
)

// An ability is what a line of CAPA says. detail, if not nil, adds what its
// parameters say.
type ability struct {
	tag    string
	is     phrase
	detail func(lang Language, params []string) string
}

// capabilityLines has the registered tags, and others that servers list.
var capabilityLines = []ability{
	{pop3.CapTop, phrase{"TOP works: the client can look at the beginning of a message without fetching all of it.", "TOP geht: Der Client kann den Anfang einer Nachricht ansehen, ohne sie ganz zu holen."}, nil},
	{pop3.CapUIDL, phrase{"UIDL works: each message has a name that stays the same in all sessions.", "UIDL geht: Jede Nachricht hat eine Kennung, die in allen Sitzungen gleich bleibt."}, nil},
	{pop3.CapUser, phrase{"USER and PASS work: login with name and password.", "USER und PASS gehen: Anmeldung mit Name und Kennwort."}, nil},
	{pop3.CapSASL, phrase{"AUTH works.", "AUTH geht."}, saslDetail},
	{pop3.CapRespCodes, phrase{"Answers can carry codes in square brackets that programs understand.", "Antworten können Codes in eckigen Klammern tragen, die Programme verstehen."}, nil},
	{pop3.CapAuthRespCode, phrase{"When a login fails because of name or password, the answer says so with the code [AUTH]; without it something else is the reason.", "Scheitert eine Anmeldung an Name oder Kennwort, so sagt es die Antwort mit dem Code [AUTH]; ohne ihn ist der Grund ein anderer."}, nil},
	{pop3.CapLoginDelay, phrase{}, delayDetail},
	{pop3.CapPipelining, phrase{"The client may send several commands without waiting for the answers.", "Der Client darf mehrere Befehle senden, ohne auf die Antworten zu warten."}, nil},
	{pop3.CapExpire, phrase{}, expireDetail},
	{pop3.CapImplementation, phrase{}, implementationDetail},
	{pop3.CapSTLS, phrase{"STLS works: the connection can be encrypted with TLS.", "STLS geht: Die Verbindung lässt sich mit TLS verschlüsseln."}, nil},
	{pop3.CapUTF8, phrase{"UTF8 works: messages with letters of all scripts in their headers can come as they are.", "UTF8 geht: Nachrichten mit Buchstaben aller Schriften im Kopf können kommen, wie sie sind."}, utf8Detail},
	{pop3.CapLang, phrase{"LANG works: the language of the server's texts can be chosen.", "LANG geht: Die Sprache der Texte des Servers ist wählbar."}, nil},
	{"APOP", phrase{"APOP works: login without showing the password. The official list of capabilities does not have this one; the timestamp in the greeting says it.", "APOP geht: Anmeldung, ohne das Kennwort zu zeigen. Im amtlichen Verzeichnis der Fähigkeiten steht das nicht; der Zeitstempel der Begrüßung sagt es schon."}, nil},
	{"LAST", phrase{"LAST works, an old command that is no longer in the standard.", "LAST geht, ein alter Befehl, der nicht mehr im Standard steht."}, nil},
	{"CAPA", phrase{"CAPA works, as is plain to see.", "CAPA geht, wie man sieht."}, nil},
	{"NOOP", phrase{"NOOP works, as everywhere.", "NOOP geht, wie überall."}, nil},
	{"XTND", phrase{"XTND works, an old private extension.", "XTND geht, eine alte private Erweiterung."}, nil},
	{"XOIP", phrase{"Another server may say for whom it connects (a private extension).", "Ein anderer Server darf sagen, für wen er sich verbindet (eine private Erweiterung)."}, nil},
	{"XCLIENT", phrase{"Another server may say for whom it connects (a private extension).", "Ein anderer Server darf sagen, für wen er sich verbindet (eine private Erweiterung)."}, nil},
	{"XAUTHLIST", phrase{"A private list of ways to log in.", "Eine private Liste von Arten der Anmeldung."}, nil},
}

// Capability says what a line of CAPA promises, with its parameters, in a
// sentence or two.
func Capability(lang Language, c pop3.Capability) string {
	for _, a := range capabilityLines {
		if strings.EqualFold(a.tag, c.Tag) {
			if a.detail == nil {
				return lang.say(a.is)
			}
			return join(lang.say(a.is), a.detail(lang, c.Params))
		}
	}
	if len(c.Tag) > 1 && strings.EqualFold(c.Tag[:1], "X") {
		return lang.say(phrase{"%s is a private extension of this server.", "%s ist eine private Erweiterung dieses Servers."}, quoted(c.Tag))
	}
	return lang.say(phrase{"%s is a capability that is not known here.", "%s ist eine Fähigkeit, die hier nicht bekannt ist."}, quoted(c.Tag))
}

// mostMechanisms is how many a sentence explains.
const mostMechanisms = 20

func saslDetail(lang Language, params []string) string {
	if len(params) == 0 {
		return lang.say(phrase{"But no mechanism is named.", "Es ist aber kein Verfahren genannt."})
	}
	words := make([]string, 0, len(params))
	for i, name := range params {
		if i == mostMechanisms {
			words = append(words, lang.say(phrase{"%s more", "%s weitere"}, number(len(params)-i)))
			break
		}
		words = append(words, lang.say(phrase{"%s (%s)", "%s (%s)"}, plain(name), mechanismOf(name).is))
	}
	return lang.say(phrase{"Mechanisms for logging in: %s.", "Verfahren zur Anmeldung: %s."}, lang.list(and, words))
}

// delayDetail reads "seconds [USER]".
func delayDetail(lang Language, params []string) string {
	least, ok := firstParam(params)
	if !ok {
		return lang.say(phrase{"Some time has to pass between two logins; how much cannot be read here.", "Zwischen zwei Anmeldungen muss einige Zeit vergehen; wie viel, ist hier nicht zu lesen."})
	}
	return join(
		lang.say(phrase{"Between two logins this much time has to pass: %s.", "Zwischen zwei Anmeldungen muss so viel Zeit vergehen: %s."}, seconds.times(least)),
		varies(lang, params))
}

// expireDetail reads "days [USER]" or "NEVER [USER]".
func expireDetail(lang Language, params []string) string {
	count, ok := firstParam(params)
	switch {
	case ok && count == 0:
		return join(
			lang.say(phrase{"The server keeps no mail that was fetched: it may delete it at QUIT.", "Der Server bewahrt Geholtes nicht auf: Er darf es bei QUIT löschen."}),
			varies(lang, params))
	case ok:
		return join(
			lang.say(phrase{"The server may delete messages that it has had for this long: %s.", "Der Server darf Nachrichten löschen, wenn er sie so lange hatte: %s."}, days.times(count)),
			varies(lang, params))
	case len(params) > 0 && strings.EqualFold(params[0], "NEVER"):
		return join(
			lang.say(phrase{"The server never deletes messages on its own.", "Der Server löscht Nachrichten nie von sich aus."}),
			varies(lang, params))
	}
	return lang.say(phrase{"The server may delete messages after some time; after how much cannot be read here.", "Der Server darf Nachrichten nach einiger Zeit löschen; nach wie viel, ist hier nicht zu lesen."})
}

// varies reads the word USER behind a number.
func varies(lang Language, params []string) string {
	if len(params) > 1 && strings.EqualFold(params[1], "USER") {
		return lang.say(phrase{"That can be otherwise for a particular user; after the login it is exact.", "Für einzelne Benutzer kann es anders sein; nach der Anmeldung steht es genau da."})
	}
	return ""
}

func implementationDetail(lang Language, params []string) string {
	return lang.say(phrase{"The server calls itself %s.", "Der Server nennt sich %s."}, quoted(strings.Join(params, " ")))
}

func utf8Detail(lang Language, params []string) string {
	if len(params) > 0 && strings.EqualFold(params[0], "USER") {
		return lang.say(phrase{"Name and password may contain such letters, too.", "Auch Name und Kennwort dürfen solche Buchstaben enthalten."})
	}
	return ""
}

// firstParam reads the number that the parameters begin with.
func firstParam(params []string) (int64, bool) {
	if len(params) == 0 {
		return 0, false
	}
	return popwire.ParseNumber(params[0])
}
