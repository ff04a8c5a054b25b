package shell

import (
	"slices"
	"strconv"
	"strings"

	"postfach/internal/explain"
)

// words are what the shell itself says, in one language.
type words struct {
	connected, clear, certificate                                     string
	timeout, lineTooLong, cut                                         string
	tlsTwice, injection, handshake                                    string
	control, notText, tooLong                                         string
	cleartext, clearToken, perhapsSecret, noStamp, staleStamp, digest string
	passwordOf, apopSecretOf, tokenOf, somebody                       string
	userName, userNameOr, noUser, noPassword                          string
	emptySecret, cancelled, byHand, response, initial                 string
	mechanism, unproved, noPOP3, noText, untrusted                    string
	quitDelete, quitDeletes, quitAsk, quitNot                         string
	unknownLocal, unknownKeyword, nothing                             string
	saveWhere, saveExists, saved, languageIs, whichLanguage           string
	localUsage                                                        []string // how localCommands are written
	local                                                             []string // and what they mean

	separator    string // of thousands
	foldHint     string
	oneMessage   string
	manyMessages string
	oneLine      string
	manyLines    string
	oneOctet     string
	manyOctets   string
	agree        []string
}

func wordsOf(lang explain.Language) *words {
	if lang == explain.German {
		return german()
	}
	return english()
}

func english() *words {
	return &words{
		connected:   "connected to %s",
		clear:       "this connection is not encrypted: everybody on the way can read along. STLS begins TLS where the server offers it.",
		certificate: "certificate of %s, valid until %s",
		untrusted:   "The server could not prove who it is, and gets no password. It shows a certificate of %s, issued by %s, valid until %s. \nTo compare with what the server's operator says, its SHA-256 is\n%s",

		timeout:     "the server has not answered in time. What it says later would be taken for the answer to something else, so the connection ends here.",
		lineTooLong: "the server has sent a line that is longer than any that POP3 knows; the connection ends here.",
		cut:         "the reply is not complete: the line with only a dot has not come.",

		tlsTwice:  "the server agrees to TLS inside TLS. That is never right; the connection ends here.",
		injection: "together with its +OK the server, or somebody on the way, has sent %d octets that are not encrypted. A careless program would take them for something that was said inside TLS; that is an attack (STLS injection), and the connection ends here.",
		handshake: "TLS does not begin: %v. There is no way back to the connection in clear, so it ends here.",

		control: "not sent: the line has a control character (%U)",
		notText: "not sent: the line is no text in UTF-8",
		tooLong: "not sent: the line is too long",

		cleartext:     "not sent: the connection is not encrypted, and everybody on the way could read the password. Type STLS first, or connect with TLS; --allow-cleartext sends it all the same.",
		clearToken:    "not sent: a token is for TLS, to this machine as well, for whoever reads it can use it elsewhere. Type STLS first, or connect with TLS; --allow-cleartext sends it all the same.",
		perhapsSecret: "not sent: this is no command that is known here, so it may be a password; and the connection is not encrypted. Type STLS first, or connect with TLS; --allow-cleartext sends it all the same.",
		noStamp:       "not sent: APOP needs the timestamp of the greeting, and this greeting has none, or none that is safe to use. Use USER and PASS, or AUTH.",
		staleStamp:    "not sent: the greeting's timestamp came before TLS, so anybody may have written it. Connect with TLS from the start, or use USER and PASS, or AUTH.",
		digest:        "the shell has computed the digest: MD5 over the greeting's timestamp and the secret.",
		somebody:      "this account",
		passwordOf:    "password of %s (not shown): ",
		apopSecretOf:  "APOP secret of %s (not shown): ",
		tokenOf:       "access token of %s (not shown): ",
		userName:      "user name: ",
		userNameOr:    "user name (Enter: %s): ",
		noUser:        "not sent: which user? Say USER first, or name the user with --user.",
		noPassword:    "not sent: there is no password here. Write it behind the command, or use POSTFACH_PASSWORD or --password-command.",
		emptySecret:   "not sent: it was empty",
		cancelled:     "not sent",
		byHand:        "the server waits for a response: base64, typed by hand and not shown. Ctrl-C, or a line that is only *, ends the exchange.",
		initial:       "response in base64 (not shown; Enter: the shell makes it): ",
		response:      "response in base64 (not shown): ",
		mechanism:     "%v: the shell ends the exchange",
		unproved:      "the server says +OK, but has not proved that it knows the password. It may not be the one that it seems to be; the connection ends here.",

		noPOP3: "nothing here looks like POP3: lines of a server begin with +OK or -ERR, behind a mark such as S: or <",

		noText: "the recording has no text of the message",

		quitDelete:  "QUIT will delete message %s for good",
		quitDeletes: "QUIT will delete %s for good: %s",
		quitAsk:     "send QUIT? [y/N] ",
		quitNot:     "not sent. RSET takes the marks back; /quit hangs up, and nothing is deleted.",

		unknownLocal:   "%s is no command of the shell; /help shows them",
		unknownKeyword: "no help for %s; /help shows the commands",
		nothing:        "there is no long reply yet: RETR, TOP, LIST, UIDL and CAPA have one",
		saveWhere:      "save to which file? /save FILE",
		saveExists:     "%s is there already, and is not overwritten",
		saved:          "%s written to %s",
		languageIs:     "explanations are in English from here on",
		whichLanguage:  "which language? /lang en or /lang de",
		localUsage:     []string{"/help [COMMAND]", "/show", "/save FILE", "/lang en|de", "/quit"},
		local: []string{
			"Shows this, or one command.",
			"Shows the last long reply in full.",
			"Writes the last long reply, such as a message, to a new file, octet for octet.",
			"Changes the language of the explanations.",
			"Hangs up without QUIT: nothing is deleted.",
		},

		separator: ",", foldHint: " (/show, /save FILE)", oneMessage: "1 message", manyMessages: " messages",
		oneLine: "1 more line", manyLines: " more lines", oneOctet: "1 octet", manyOctets: " octets",
		agree: []string{"y", "yes"},
	}
}

func german() *words {
	return &words{
		connected:   "verbunden mit %s",
		clear:       "Diese Verbindung ist nicht verschlüsselt: Unterwegs kann jeder mitlesen. STLS beginnt TLS, wenn der Server es anbietet.",
		certificate: "Zertifikat von %s, gültig bis %s",
		untrusted:   "Der Server konnte nicht beweisen, wer er ist; ein Kennwort bekommt er nicht. Er zeigt ein Zertifikat von %s, ausgestellt von %s, gültig bis %s. \nZum Vergleich mit dem, was der Betreiber des Servers sagt, sein SHA-256:\n%s",

		timeout:     "Der Server hat nicht rechtzeitig geantwortet. Was er später sagt, würde für die Antwort auf etwas anderes gehalten; darum endet die Verbindung hier.",
		lineTooLong: "Der Server hat eine Zeile geschickt, die länger ist als alle, die POP3 kennt; die Verbindung endet hier.",
		cut:         "Die Antwort ist nicht vollständig: Die Zeile, die nur ein Punkt ist, kam nicht.",

		tlsTwice:  "Der Server ist mit TLS innerhalb von TLS einverstanden. Das ist nie richtig; die Verbindung endet hier.",
		injection: "Zusammen mit seinem +OK hat der Server, oder jemand unterwegs, %d unverschlüsselte Byte geschickt. Ein leichtsinniges Programm hielte sie für etwas, das innerhalb von TLS gesagt wurde; das ist ein Angriff (STLS-Injektion), und die Verbindung endet hier.",
		handshake: "TLS kommt nicht zustande: %v. Zur unverschlüsselten Verbindung führt kein Weg zurück; sie endet hier.",

		control: "nicht gesendet: Die Zeile enthält ein Steuerzeichen (%U)",
		notText: "nicht gesendet: Die Zeile ist kein Text in UTF-8",
		tooLong: "nicht gesendet: Die Zeile ist zu lang",

		cleartext:     "nicht gesendet: Die Verbindung ist nicht verschlüsselt, und unterwegs könnte jeder das Kennwort lesen. Zuerst STLS eingeben oder mit TLS verbinden; --allow-cleartext sendet es trotzdem.",
		clearToken:    "nicht gesendet: Ein Token ist nur für TLS, auch zu diesem Rechner: Wer es liest, kann es anderswo verwenden. Zuerst STLS eingeben oder mit TLS verbinden; --allow-cleartext sendet es trotzdem.",
		perhapsSecret: "nicht gesendet: Das ist kein Befehl, der hier bekannt ist; es könnte ein Kennwort sein, und die Verbindung ist nicht verschlüsselt. Zuerst STLS eingeben oder mit TLS verbinden; --allow-cleartext sendet es trotzdem.",
		noStamp:       "nicht gesendet: APOP braucht den Zeitstempel der Begrüßung, und diese hat keinen, oder keinen, der sicher ist. Es bleiben USER und PASS, oder AUTH.",
		staleStamp:    "nicht gesendet: Der Zeitstempel der Begrüßung kam vor TLS; jeder könnte ihn geschrieben haben. Von Anfang an mit TLS verbinden, oder USER und PASS, oder AUTH verwenden.",
		digest:        "Die Shell hat den Hash-Wert berechnet: MD5 über den Zeitstempel der Begrüßung und das Geheimnis.",
		somebody:      "diesem Konto",
		passwordOf:    "Kennwort von %s (wird nicht angezeigt): ",
		apopSecretOf:  "APOP-Geheimnis von %s (wird nicht angezeigt): ",
		tokenOf:       "Zugriffstoken von %s (wird nicht angezeigt): ",
		userName:      "Benutzername: ",
		userNameOr:    "Benutzername (Eingabetaste: %s): ",
		noUser:        "nicht gesendet: Welcher Benutzer? Zuerst USER eingeben, oder ihn mit --user nennen.",
		noPassword:    "nicht gesendet: Hier gibt es kein Kennwort. Es kann hinter dem Befehl stehen, in POSTFACH_PASSWORD, oder von --password-command kommen.",
		emptySecret:   "nicht gesendet: Es war leer",
		cancelled:     "nicht gesendet",
		byHand:        "Der Server wartet auf eine Antwort: Base64, von Hand eingegeben und nicht angezeigt. Strg-C, oder eine Zeile, die nur * ist, bricht die Anmeldung ab.",
		initial:       "Antwort in Base64 (wird nicht angezeigt; Eingabetaste: die Shell macht sie): ",
		response:      "Antwort in Base64 (wird nicht angezeigt): ",
		mechanism:     "%v: Die Shell bricht die Anmeldung ab",
		unproved:      "Der Server sagt +OK, hat aber nicht bewiesen, dass er das Kennwort kennt. Er ist vielleicht nicht der, der er zu sein scheint; die Verbindung endet hier.",

		noPOP3: "Nichts hier sieht nach POP3 aus: Zeilen eines Servers beginnen mit +OK oder -ERR, hinter einer Marke wie S: oder <",

		noText: "Die Aufzeichnung enthält den Text der Nachricht nicht",

		quitDelete:  "QUIT löscht Nachricht %s endgültig",
		quitDeletes: "QUIT löscht %s endgültig: %s",
		quitAsk:     "QUIT senden? [j/N] ",
		quitNot:     "nicht gesendet. RSET nimmt die Vormerkungen zurück; /quit legt auf, und nichts wird gelöscht.",

		unknownLocal:   "%s ist kein Befehl der Shell; /help zeigt sie",
		unknownKeyword: "keine Hilfe zu %s; /help zeigt die Befehle",
		nothing:        "Es gibt noch keine lange Antwort: RETR, TOP, LIST, UIDL und CAPA haben eine",
		saveWhere:      "In welche Datei? /save DATEI",
		saveExists:     "%s gibt es schon und wird nicht überschrieben",
		saved:          "%s in %s geschrieben",
		languageIs:     "Die Erklärungen sind von hier an deutsch",
		whichLanguage:  "Welche Sprache? /lang en oder /lang de",
		localUsage:     []string{"/help [BEFEHL]", "/show", "/save DATEI", "/lang en|de", "/quit"},
		local: []string{
			"Zeigt dies, oder einen Befehl.",
			"Zeigt die letzte lange Antwort ganz.",
			"Schreibt die letzte lange Antwort, etwa eine Nachricht, in eine neue Datei, Byte für Byte.",
			"Wechselt die Sprache der Erklärungen.",
			"Legt ohne QUIT auf: Nichts wird gelöscht.",
		},

		separator: ".", foldHint: " (/show, /save DATEI)", oneMessage: "1 Nachricht", manyMessages: " Nachrichten",
		oneLine: "1 weitere Zeile", manyLines: " weitere Zeilen", oneOctet: "1 Byte", manyOctets: " Byte",
		agree: []string{"j", "ja", "y", "yes"},
	}
}

func (w *words) yes(answer string) bool { return slices.Contains(w.agree, strings.ToLower(answer)) }

func (w *words) messages(n int) string { return w.count(int64(n), w.oneMessage, w.manyMessages) }

func (w *words) octets(n int64) string { return w.count(n, w.oneOctet, w.manyOctets) }

func (w *words) moreLines(n int) string {
	return "… " + w.count(int64(n), w.oneLine, w.manyLines) + w.foldHint
}

// moreRecorded is moreLines where no command can show them.
func (w *words) moreRecorded(n int) string {
	return "… " + w.count(int64(n), w.oneLine, w.manyLines)
}

// count writes a number with its noun.
func (w *words) count(n int64, one, many string) string {
	if n == 1 {
		return one
	}
	digits := strconv.FormatInt(n, 10)
	for i := len(digits) - 3; i > 0 && digits[i-1] != '-'; i -= 3 {
		digits = digits[:i] + w.separator + digits[i:]
	}
	return digits + many
}
