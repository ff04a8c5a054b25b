package explain

import "postfach/pop3"

// A meaning is what a response code says.
type meaning struct {
	code pop3.Code
	is   phrase
}

// codes has the registered response codes, the finer before the coarser.
var codes = []meaning{
	{pop3.CodeInUse, phrase{"Name and password are right, but another program has the maildrop open.", "Name und Kennwort stimmen, aber ein anderes Programm hat das Postfach offen."}},
	{pop3.CodeLoginDelay, phrase{"The last login was too recent: wait a little.", "Die letzte Anmeldung ist noch nicht lange genug her: etwas warten."}},
	{pop3.CodeAuth, phrase{"Name or password is the problem: it is wrong, has expired, or this user may not log in like this.", "Es liegt an Name oder Kennwort: Etwas davon ist falsch oder abgelaufen, oder dieser Benutzer darf sich so nicht anmelden."}},
	{pop3.CodeSysTemp, phrase{"The server has trouble that will probably pass; it has nothing to do with name or password.", "Der Server hat eine Störung, die wohl vorübergeht; mit Name oder Kennwort hat sie nichts zu tun."}},
	{pop3.CodeSysPerm, phrase{"The server has trouble that will not pass by itself: somebody has to repair it.", "Der Server hat eine Störung, die nicht von selbst vorübergeht: Jemand muss sie beheben."}},
	{"SYS", phrase{"The server has trouble.", "Der Server hat eine Störung."}},
	{pop3.CodeUTF8, phrase{"The message has letters in its header that the client must allow first, with UTF8 before the login.", "Im Kopf der Nachricht stehen Buchstaben, die der Client erst erlauben muss, mit UTF8 vor der Anmeldung."}},
	{"XCLIENT", phrase{"Another server may say for whom it connects.", "Ein anderer Server darf sagen, für wen er sich verbindet."}},
}

// Code says what a response code means, in a sentence; "" for "".
func Code(lang Language, code pop3.Code) string {
	if code == "" {
		return ""
	}
	for _, m := range codes {
		if code.Is(m.code) {
			return lang.say(m.is)
		}
	}
	return lang.say(phrase{"The server adds the code %s, which is not known here.", "Der Server fügt den Code %s hinzu, der hier nicht bekannt ist."}, quoted(code))
}
