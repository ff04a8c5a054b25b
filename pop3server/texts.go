package pop3server

import (
	"fmt"
	"strconv"
	"strings"
)

// A language is one that LANG can select; it indexes a text.
type language int

const (
	english language = iota
	german
)

// languages are what LANG lists: the tag and, in the language itself, its name.
var languages = [...]struct{ tag, name string }{
	english: {"en", "English"},
	german:  {"de", "Deutsch"},
}

// A text is what a reply says to people, in each language. Status, response
// codes and numbers are never translated (P3-LANG-05).
type text [len(languages)]string

func (t text) in(l language, args ...any) string {
	if len(args) == 0 {
		return t[l]
	}
	return fmt.Sprintf(t[l], args...)
}

// append appends the text, with numbers in the places of its verbs, which are all %d.
func (t text) append(dst []byte, l language, numbers ...int64) []byte {
	rest := t[l]
	for _, n := range numbers {
		before, after, _ := strings.Cut(rest, "%d")
		dst = strconv.AppendInt(append(dst, before...), n, 10)
		rest = after
	}
	return append(dst, rest...)
}

// Positive replies.
var (
	textReady      = "POP3 server ready" // the greeting is ASCII: nobody has chosen a language yet
	textBye        = text{"POP3 server signing off", "POP3-Server meldet sich ab"}
	textSendPass   = text{"send PASS", "weiter mit PASS"}
	textHasOne     = text{"maildrop has 1 message (%d octets)", "im Postfach ist 1 Nachricht (%d Oktette)"}
	textHas        = text{"maildrop has %d messages (%d octets)", "im Postfach sind %d Nachrichten (%d Oktette)"}
	textCapa       = text{"Capability list follows", "Liste der Fähigkeiten folgt"}
	textBeginTLS   = text{"begin TLS negotiation", "TLS-Aushandlung beginnt"}
	textUTF8       = text{"UTF-8 mode", "UTF-8-Modus"}
	textLanguages  = text{"languages follow", "Liste der Sprachen folgt"}
	textLanguageIs = text{"replies are in English now", "Antworten sind jetzt deutsch"}
	textListing    = text{"scan listing follows", "Auflistung folgt"}
	textIDs        = text{"unique-id listing follows", "Liste der eindeutigen Kennungen folgt"}
	textOctets     = text{"%d octets", "%d Oktette"}
	textTop        = text{"top of message follows", "Anfang der Nachricht folgt"}
	textDeleted    = text{"message %d deleted", "Nachricht %d gelöscht"}
	textNoop       = text{"nothing done", "nichts getan"}
)

// Negative replies.
var (
	textTooLong     = text{"line too long", "Zeile zu lang"}
	textSyntax      = text{"not a command", "kein Befehl"}
	textUnknown     = text{"unknown command", "unbekannter Befehl"}
	textWrongState  = text{"not in this state of the session", "nicht in diesem Zustand der Sitzung"}
	textNotHere     = text{"not available here", "hier nicht verfügbar"}
	textUsage       = text{"usage: %s %s", "Aufruf: %s %s"}
	textNoArguments = text{"%s takes no arguments", "%s hat keine Argumente"}
	textNoNumber    = text{"not a number", "keine Zahl"}
	textNoMessage   = text{"no such message", "keine solche Nachricht"}
	textMarked      = text{"message %d is deleted", "Nachricht %d ist gelöscht"}
	textGone        = text{"another program has removed message %d", "ein anderes Programm hat Nachricht %d entfernt"}
	textUnreadable  = text{"message %d cannot be read", "Nachricht %d ist nicht lesbar"}
	textNeedTLS     = text{"TLS required, use STLS", "TLS nötig, STLS verwenden"}
	textNoCleartext = text{"no passwords without TLS, and there is none here", "keine Kennwörter ohne TLS, und TLS gibt es hier nicht"}
	textNeedUser    = text{"send USER first", "erst USER senden"}
	textBadName     = text{"not a name", "kein Name"}
	textLoginFailed = text{"login failed", "Anmeldung fehlgeschlagen"}
	textBadResponse = text{"malformed authentication data", "fehlerhafte Anmeldedaten"}
	textUnproved    = text{"too many exchanges were not finished", "zu viele Anmeldungen wurden nicht zu Ende gebracht"}
	textCancelled   = text{"authentication cancelled", "Anmeldung abgebrochen"}
	textNoMechanism = text{"mechanism not available", "Verfahren nicht verfügbar"}
	textNoCertShown = text{"no verified client certificate on this connection", "kein geprüftes Client-Zertifikat auf dieser Verbindung"}
	textBadBase64   = text{"not base64", "kein Base64"}
	textInUse       = text{"another session has this maildrop", "eine andere Sitzung hat dieses Postfach"}
	textNoMaildrop  = text{"this account has no maildrop", "dieses Konto hat kein Postfach"}
	textInternal    = text{"internal error, try again later", "interner Fehler, später noch einmal versuchen"}
	textNotRemoved  = text{"%d deleted messages not removed", "%d gelöschte Nachrichten nicht entfernt"}
	textTLSActive   = text{"TLS is active already", "TLS ist schon aktiv"}
	textNoTLS       = text{"no TLS here", "hier gibt es kein TLS"}
	textNoSTLSAfter = text{"not after UTF8", "nicht nach UTF8"}
	textInjected    = text{"nothing may follow STLS before TLS", "nach STLS darf vor TLS nichts kommen"}
	textNoLanguage  = text{"no such language", "keine solche Sprache"}
	textTooMany     = text{"too many connections, try again later", "zu viele Verbindungen, später noch einmal versuchen"}
)
