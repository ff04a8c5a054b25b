package pop3check

import "maps"

// ClientUnchecked returns the rules of the catalogue for clients that are no
// checks, by their ids, and for each the reason.
func ClientUnchecked() map[string]string {
	all := make(map[string]string)
	for _, part := range []map[string]string{notOnWire(), notPlayed(), notPOP3()} {
		maps.Copy(all, part)
	}
	return all
}

// notOnWire are rules that a server cannot see kept.
func notOnWire() map[string]string {
	return map[string]string{
		"P3-APOP-08":  "what a client does unless it is told to use APOP is P3-APOP-09's check; its default settings are not on the wire",
		"P3-AUTH-26":  "a client that does not show a mechanism may have been told not to use it",
		"P3-CAPA-12":  "how often a client comes by itself shows only in hours of watching",
		"P3-CAPA-15":  "the rule is about a warning to a person",
		"P3-DELE-04":  "whether a client means a message to be deleted is not on the wire",
		"P3-EXT-04":   "needs a client with certificates for some accounts and not for others; whose they are is not on the wire",
		"P3-PIPE-05":  "it permits; a client that does not make use of it breaks nothing",
		"P3-RSP-02":   "how a client reads a response code shows in what it tells a person",
		"P3-RSP-03":   "the rule is about what a person is shown",
		"P3-TLS-20":   "pinning is a setting of the client, and needs a person at set-up",
		"P3-UTF-09":   "it permits; a client that does not come again breaks nothing",
		"P3-SCRAM-16": "a client that has logged in with channel binding has no reason to do so again on the same connection",
	}
}

// notPlayed are rules that no scenario of the test server brings up.
func notPlayed() map[string]string {
	return map[string]string{
		"P3-APOP-06":  "no account of the scenarios has a name or password that SASLprep changes",
		"P3-SCRAM-09": "no account of the scenarios has a name or password that SASLprep changes",
		"P3-AUTH-30":  "the test server has no mechanism with a security layer",
		"P3-PIPE-03":  "needs a maildrop of many thousand messages, and minutes",
		"P3-SCRAM-13": "the test server does not offer channel binding",
		"P3-SCRAM-14": "the test server does not offer channel binding",
		"P3-SCRAM-15": "the test server does not offer channel binding",
		"P3-TLS-15":   "the test server is at localhost, a name for which no wildcard can stand",
	}
}

// notPOP3 are rules about other protocols, and about names and addresses.
func notPOP3() map[string]string {
	const (
		url       = "a URL is read before there is a connection"
		discovery = "needs a resolver, or web servers, that the client asks before it connects"
	)
	return map[string]string{
		"P3-URL-01": url, "P3-URL-02": url, "P3-URL-03": url, "P3-URL-04": url, "P3-URL-05": url,
		"P3-TLS-14": discovery, "P3-DISC-01": discovery, "P3-DISC-02": discovery, "P3-DISC-03": discovery,
		"P3-DISC-04": discovery, "P3-DISC-05": discovery, "P3-DISC-06": discovery, "P3-DISC-07": discovery,
		"P3-DISC-08": discovery, "P3-DISC-09": discovery, "P3-DISC-10": discovery, "P3-DISC-11": discovery,
		"P3-LMTP-07": "the rule is about LMTP",
	}
}
