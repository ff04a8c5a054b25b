package pop3test

import "strings"

func scramFaults() []Fault {
	return []Fault{
		scramFault("scram-order-turned", "Server-first has the salt before the nonce.", "P3-SCRAM-01", scram{orderTurned: true}),
		scramFault("scram-only-sha-256", "SCRAM-SHA-256 is there, and SCRAM-SHA-1 is not.", "P3-SCRAM-02", scram{onlySHA256: true}),
		scramFault("scram-few-iterations", "The iteration count is 1000.", "P3-SCRAM-03", scram{fewIterations: true}),
		scramFault("scram-nonce-not-compared", "The nonce of client-final may be another one.", "P3-SCRAM-04", scram{anyNonce: true}),
		scramFault("scram-same-nonce", "The server's part of the nonce is always the same.", "P3-SCRAM-04", scram{sameNonce: true}),
		scramFault("scram-header-ignored", "Client-first may begin with anything, and c= may say anything.", "P3-SCRAM-06 P3-SCRAM-14 P3-SCRAM-15", scram{anyHeader: true}),
		scramFault("scram-any-flag", "Client-first may begin with any letter.", "P3-SCRAM-06", scram{anyFlag: true}),
		scramFault("scram-optional-extension-refused", "An attribute that may be ignored makes the exchange fail.", "P3-SCRAM-07", scram{extensionsRefused: true}),
		scramFault("scram-mandatory-extension-ignored", "An extension that must be understood is passed over.", "P3-SCRAM-07", scram{extensionsIgnored: true}),
		scramFault("scram-equals-sign-in-name", "An equals sign in a name escapes any octet, and is dropped where it escapes none.", "P3-SCRAM-08", scram{namesLenient: true}),
		scramFault("scram-name-unprepared", "What SASLprep forbids is dropped from the name instead.", "P3-SCRAM-09", scram{namesUnprepared: true}),
		scramFault("scram-plus-without-tls", "Channel binding is announced in clear, and in TLS nothing but it.", "P3-SCRAM-10", scram{plusInClear: true}),
		scramFault("scram-downgrade-not-seen", "A client that could bind and was told that the server cannot is let in.", "P3-SCRAM-12", scram{takesY: true}),
		scramFault("scram-any-binding", "A type of channel binding that nobody knows counts as none.", "P3-SCRAM-12", scram{anyBinding: true}),
		scramFault("scram-without-exporter", "Channel binding on TLS 1.3 does not know tls-exporter.", "P3-SCRAM-13", scram{noExporter: true}),
		scramFault("scram-exporter-label", "The label of tls-exporter is written in another case.", "P3-SCRAM-14", scram{otherLabel: true}),
		scramFault("scram-end-point-sha-1", "The binding tls-server-end-point hashes the certificate with SHA-1.", "P3-SCRAM-15", scram{endPointSHA1: true}),
		scramFault("scram-binds-again", "A connection's channel binding is taken a second time, after the login.", "P3-SCRAM-16", scram{bindsAgain: true}),
		scramFault("scram-failure-without-e", "A wrong proof gets a server-final that looks like success.", "P3-SCRAM-17", scram{failsWithProof: true}),
		scramFault("scram-tells-names", "A name that nobody has is refused before the challenge.", "P3-SCRAM-18", scram{tellsNames: true}),
		scramFault("scram-salts-unknown-names-anew", "A name that nobody has gets another salt each time.", "P3-SCRAM-18", scram{saltsAnew: true}),
		scramFault("scram-final-with-ok", "Server-final comes behind +OK instead of in a challenge.", "P3-AUTH-21", scram{finalInOK: true}),
	}
}

func scramFault(name, doc, rules string, wrong scram) Fault {
	return Fault{Name: name, Doc: doc, Rules: strings.Fields(rules), Command: wrong.mechanisms().command}
}
