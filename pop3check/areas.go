package pop3check

import "maps"

// areas lists the rows of all areas; each is in the file of its name.
func areas() [][]row {
	return [][]row{
		syntaxChecks(),
		greetingChecks(),
		statesChecks(),
		lockChecks(),
		messageChecks(),
		multilineChecks(),
		statChecks(),
		listChecks(),
		retrChecks(),
		deleChecks(),
		noopChecks(),
		rsetChecks(),
		topChecks(),
		uidlChecks(),
		lastChecks(),
		quitChecks(),
		userChecks(),
		apopChecks(),
		authChecks(),
		plainChecks(),
		externalChecks(),
		cramChecks(),
		scramChecks(),
		oauthChecks(),
		capaChecks(),
		pipeliningChecks(),
		codesChecks(),
		stlsChecks(),
		utf8Checks(),
		langChecks(),
	}
}

// Unchecked returns the rules of the catalogue for servers that are no checks,
// by their ids, and for each the reason.
func Unchecked() map[string]string {
	all := make(map[string]string)
	for _, area := range []map[string]string{
		syntaxUnchecked(),
		greetingUnchecked(),
		statesUnchecked(),
		lockUnchecked(),
		messageUnchecked(),
		multilineUnchecked(),
		statUnchecked(),
		listUnchecked(),
		retrUnchecked(),
		deleUnchecked(),
		noopUnchecked(),
		rsetUnchecked(),
		topUnchecked(),
		uidlUnchecked(),
		lastUnchecked(),
		quitUnchecked(),
		userUnchecked(),
		apopUnchecked(),
		authUnchecked(),
		plainUnchecked(),
		externalUnchecked(),
		cramUnchecked(),
		scramUnchecked(),
		oauthUnchecked(),
		capaUnchecked(),
		pipeliningUnchecked(),
		codesUnchecked(),
		stlsUnchecked(),
		utf8Unchecked(),
		langUnchecked(),
		elsewhereUnchecked(),
	} {
		maps.Copy(all, area)
	}
	return all
}

// elsewhereUnchecked says why rules of areas that have no checks have none.
func elsewhereUnchecked() map[string]string {
	const lmtp = "LMTP is another protocol: a POP3 connection does not show how mail came in"
	return map[string]string{
		"P3-DISC-12": "samples of DNS records and autoconfig files are no part of a POP3 connection",
		"P3-LMTP-01": lmtp,
		"P3-LMTP-02": lmtp,
		"P3-LMTP-03": lmtp,
		"P3-LMTP-04": lmtp,
		"P3-LMTP-05": lmtp,
		"P3-LMTP-06": lmtp,
		"P3-LMTP-08": lmtp,
		"P3-LMTP-09": lmtp,
	}
}
