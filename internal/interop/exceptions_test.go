//go:build unix

package interop

import "bytes"

// An exception forgives one client one message. Nothing else is forgiven, and
// an exception that is no longer needed is a failure.
type exception struct {
	client, message string
	reason          string
	// change says whether the client's octets differ in the way that is
	// forgiven. nil: the client does not deliver the message at all.
	change func(got, want []byte) bool
}

// forgiven returns the exception for a client and a message, or nil.
func forgiven(client, message string) *exception {
	for _, e := range exceptions() {
		if e.client == client && e.message == message {
			return &e
		}
	}
	return nil
}

// The reasons, and what each of them changes.
const (
	lineLimit   = "poplib takes no line of more than 2048 octets"
	fromLine    = "fetchmail removes a first line that begins with \"From \": it takes it for mbox's"
	headerEnd   = "fetchmail ends a header that has no empty line with one"
	noHeader    = "fetchmail puts a header of its own in front of a message that begins with the empty line"
	longLine    = "fetchmail cuts lines of more than 8190 octets and puts other octets there"
	firstOctet  = "Dovecot does not stuff a dot that is the first octet of a message, so that the client takes it away"
	senderASCII = "getmail6 fails to call its delivery program when the sender's address is not ASCII"
	refolded    = "getmail6 writes the header anew with Python's email package: Return-Path and a first \"From \" go, lines are folded elsewhere, and bare CR become line ends"
	reparsed    = "getmail6 takes messages apart with Python's email package, which repairs or garbles what is odd in them"
)

func exceptions() []exception {
	var all []exception
	add := func(client, reason string, change func(got, want []byte) bool, messages ...string) {
		for _, m := range messages {
			all = append(all, exception{client, m, reason, change})
		}
	}
	add("poplib", lineLimit, nil,
		"line of 2048", "line of 8192", "line of 100000", "dots in one line", "long header",
		"mime4j-014.eml", "rspamd-008.eml", "rspamd-009.eml", "synthetic-010.eml", "synthetic-011.eml")
	add("fetchmail", fromLine, withoutFirstLine,
		"mbox line first", "commcentral-002.eml", "commcentral-011.eml", "cpython-010.eml", "cpython-019.eml",
		"flanker-014.eml", "mikelmail-004.eml", "mikelmail-016.eml", "mikelmail-017.eml", "mikelmail-028.eml",
		"mikelmail-029.eml", "mime4j-016.eml", "notmuch-018.eml", "spamassassin-008.eml", "spamassassin-009.eml",
		"spamassassin-011.eml", "spamassassin-012.eml", "spamassassin-013.eml", "spamassassin-014.eml",
		"spamassassin-015.eml", "spamassassin-020.eml", "spamassassin-021.eml", "spamassassin-026.eml")
	add("fetchmail", headerEnd, withEmptyLine,
		"no empty line", "no empty line and no line end", "enmime-010.eml")
	add("fetchmail", noHeader, endsAlike,
		"no header")
	add("fetchmail", longLine, anyChange,
		"line of 8192", "line of 100000", "synthetic-011.eml")
	add("getmail6", senderASCII, nil, "commcentral-005.eml")
	add("getmail6", refolded, sameButSpace,
		"CR CR LF", "CR at the end", "all octets", "bare CR", "commcentral-001.eml", "commcentral-002.eml",
		"commcentral-006.eml", "commcentral-009.eml", "commcentral-011.eml", "commcentral-013.eml",
		"commcentral-025.eml", "commcentral-026.eml", "commcentral-027.eml", "commcentral-028.eml",
		"commcentral-029.eml", "commcentral-030.eml", "commcentral-033.eml", "commcentral-034.eml",
		"commcentral-035.eml", "commcentral-044.eml", "commcentral-045.eml", "commcentral-046.eml", "cpython-001.eml",
		"cpython-002.eml", "cpython-006.eml", "cpython-007.eml", "cpython-009.eml", "cpython-010.eml",
		"cpython-011.eml", "cpython-016.eml", "cpython-019.eml", "cpython-020.eml", "cpython-021.eml",
		"cpython-022.eml", "enmime-001.eml", "enmime-002.eml", "enmime-003.eml", "enmime-010.eml", "enmime-012.eml",
		"enmime-013.eml", "enmime-019.eml", "enmime-020.eml", "enmime-024.eml", "enmime-027.eml", "flanker-003.eml",
		"flanker-008.eml", "flanker-010.eml", "flanker-011.eml", "flanker-012.eml", "flanker-013.eml",
		"flanker-014.eml", "inbucket-005.eml", "james-003.eml", "james-004.eml", "james-005.eml", "james-006.eml",
		"james-007.eml", "james-010.eml", "james-011.eml", "james-012.eml", "james-013.eml", "james-014.eml",
		"james-015.eml", "james-016.eml", "james-018.eml", "james-019.eml", "james-020.eml", "james-023.eml",
		"lkml-001.eml", "lkml-002.eml", "lkml-003.eml", "lkml-004.eml", "lkml-005.eml", "lkml-006.eml",
		"lkml-007.eml", "lkml-008.eml", "lkml-009.eml", "lkml-010.eml", "lkml-011.eml", "lkml-012.eml",
		"lkml-013.eml", "lkml-014.eml", "lkml-015.eml", "lkml-016.eml", "lkml-017.eml", "lkml-018.eml", "long header",
		"mailmimeparser-005.eml", "mailparser-007.eml", "mailparser-010.eml", "mailparser-011.eml",
		"mailparser-013.eml", "mailparser-014.eml", "mbox line first", "mikelmail-004.eml", "mikelmail-005.eml",
		"mikelmail-006.eml", "mikelmail-007.eml", "mikelmail-008.eml", "mikelmail-009.eml", "mikelmail-010.eml",
		"mikelmail-011.eml", "mikelmail-013.eml", "mikelmail-016.eml", "mikelmail-017.eml", "mikelmail-020.eml",
		"mikelmail-023.eml", "mikelmail-024.eml", "mikelmail-025.eml", "mikelmail-026.eml", "mikelmail-028.eml",
		"mikelmail-029.eml", "mikelmail-030.eml", "mime4j-001.eml", "mime4j-002.eml", "mime4j-003.eml",
		"mime4j-004.eml", "mime4j-005.eml", "mime4j-006.eml", "mime4j-007.eml", "mime4j-009.eml", "mime4j-011.eml",
		"mime4j-012.eml", "mime4j-016.eml", "mime4j-017.eml", "mimekit-003.eml", "mimekit-004.eml", "mimekit-005.eml",
		"mimekit-009.eml", "mimekit-011.eml", "mimekit-014.eml", "mimetools-006.eml", "mimetools-008.eml",
		"mimetools-012.eml", "no empty line", "no empty line and no line end", "nodemailerparser-001.eml",
		"notmuch-001.eml", "notmuch-002.eml", "notmuch-004.eml", "notmuch-007.eml", "notmuch-010.eml",
		"notmuch-015.eml", "notmuch-016.eml", "notmuch-018.eml", "notmuch-023.eml", "rspamd-003.eml",
		"rspamd-004.eml", "rspamd-005.eml", "rspamd-008.eml", "rspamd-009.eml", "rspamd-010.eml", "rspamd-011.eml",
		"rspamd-013.eml", "rspamd-014.eml", "rspamd-015.eml", "rspamd-023.eml", "rspamd-028.eml",
		"spamassassin-001.eml", "spamassassin-005.eml", "spamassassin-006.eml", "spamassassin-007.eml",
		"spamassassin-008.eml", "spamassassin-009.eml", "spamassassin-010.eml", "spamassassin-011.eml",
		"spamassassin-012.eml", "spamassassin-013.eml", "spamassassin-014.eml", "spamassassin-015.eml",
		"spamassassin-018.eml", "spamassassin-019.eml", "spamassassin-022.eml", "spamassassin-023.eml",
		"spamassassin-025.eml", "spamassassin-026.eml", "spamassassin-029.eml", "spamassassin-030.eml",
		"synthetic-005.eml", "synthetic-010.eml")
	add("getmail6", reparsed, anyChange,
		"commcentral-032.eml", "cpython-018.eml", "enmime-028.eml", "flanker-009.eml", "inbucket-001.eml",
		"james-001.eml", "james-008.eml", "mailparser-001.eml", "mailparser-003.eml", "mailparser-005.eml",
		"mailparser-006.eml", "mailparser-008.eml", "mikelmail-002.eml", "mikelmail-015.eml", "mime4j-010.eml",
		"mime4j-013.eml", "mime4j-014.eml", "mime4j-015.eml", "mimekit-001.eml", "mimekit-002.eml", "mimekit-007.eml",
		"mimekit-010.eml", "mimetools-009.eml", "mox-001.eml", "notmuch-014.eml", "notmuch-017.eml",
		"notmuch-024.eml", "rspamd-006.eml", "spamassassin-020.eml", "spamassassin-021.eml")
	add("Dovecot", firstOctet, nil, "a dot is the first octet")
	return all
}

func withoutFirstLine(got, want []byte) bool {
	_, rest, found := bytes.Cut(want, []byte("\n"))
	return found && bytes.HasPrefix(want, []byte("From ")) && bytes.Equal(got, rest)
}

func withEmptyLine(got, want []byte) bool {
	return bytes.Equal(got, append(bytes.Clone(want), "\r\n"...))
}

func endsAlike(got, want []byte) bool { return bytes.HasSuffix(got, bytes.TrimLeft(want, "\r\n")) }

// sameButSpace lets white space differ, and lines with Return-Path and mbox's
// From.
func sameButSpace(got, want []byte) bool { return bytes.Equal(words(got), words(want)) }

func words(message []byte) []byte {
	if bytes.HasPrefix(message, []byte("From ")) {
		_, message, _ = bytes.Cut(message, []byte("\n"))
	}
	var kept []byte
	for line := range bytes.Lines(message) {
		if len(line) < 12 || !bytes.EqualFold(line[:12], []byte("Return-Path:")) {
			kept = append(kept, bytes.Join(bytes.Fields(line), nil)...)
		}
	}
	return kept
}

// anyChange is for changes that follow no rule that could be checked.
func anyChange(_, _ []byte) bool { return true }
