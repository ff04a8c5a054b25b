// Package transcript plays conversations written as C: and S: lines, against a
// server or against a client, and records conversations in the same form. It
// is test machinery and the form of the protocol logs.
//
// A script is text:
//
//	#! last: on                      a setting, for whoever plays the script
//	# DELE leaves a gap              a comment
//	S: +OK                           the server; bare +OK and -ERR match any text
//	C: DELE 1                        the client
//	S: +OK
//	C: LIST
//	S: +OK
//	S: 2 {size}                      a run of octets without space, the same later
//	S: ...                           any lines, up to the one that comes next here
//	S: .
//	C: QUIT
//	S: +OK {*}                       the rest of the line; {*name} remembers it
//	(close)                          the server closes
//
// Octets that are no printable text are written \xNN and a backslash \\. A
// line ends with CR LF on the wire; one with a single backslash at its end has
// no line end but what is escaped in it: "C: NOOP\x0a\" is NOOP and a bare LF.
// "C: STLS\x0d\x0aNOOP" is two commands in one segment.
//
// {repeat 300 x} is x three hundred times.
//
// In C: lines {name} is replaced, and {apop:secret} becomes the APOP digest of
// the greeting's timestamp and the secret. The lines in round brackets are
// (tls), where the handshake happens, (close), where the server closes,
// (hangup), where the client does, and (connection NAME): from here on another
// connection, which is opened when it is first named.
//
// The package spells line ends itself and shares no code with what it checks.
package transcript

import "fmt"

// A Script is one conversation.
type Script struct {
	Name     string
	Settings Settings
	Lines    []Line
}

// A Line is one line of a script.
type Line struct {
	Number int // in the file, from 1
	Kind   Kind
	// Parts are the octets of a Client or Server line, without line end.
	Parts []Part
	// NoEnd: no CR LF follows the octets.
	NoEnd bool
	// Text is the comment, or the connection's name.
	Text string
}

// Kind says what a line is.
type Kind uint8

// The kinds of lines.
const (
	Comment    Kind = iota
	Client          // C: the client says it
	Server          // S: the server says it
	Skip            // S: ... any lines up to the next Server line
	TLS             // (tls)
	Close           // (close)
	Hangup          // (hangup)
	Connection      // (connection NAME)
)

// A Part is a piece of a line: octets, or a placeholder.
type Part struct {
	Octets string
	Var    string // {name}
	Secret string // {apop:secret}
	Rest   bool   // {*}, or {*name} with Var
}

// A Mismatch says that the peer did not keep to the script.
type Mismatch struct {
	Script    string
	Line      int
	Want, Got string // as a script would write them
}

func (m *Mismatch) Error() string {
	return fmt.Sprintf("%s:%d:\n\twant %s\n\tgot  %s", m.Script, m.Line, m.Want, m.Got)
}

// A SyntaxError says that a line is no line of a script.
type SyntaxError struct {
	Script string
	Line   int
	Text   string
}

func (e *SyntaxError) Error() string { return fmt.Sprintf("%s:%d: %s", e.Script, e.Line, e.Text) }
