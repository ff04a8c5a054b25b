// Package popwire spells POP3: lines, commands, replies, multi-line data,
// byte-stuffing. It is the only code that writes CRLF, and it knows no state.
// Each form has its format function and its parser side by side; fuzz tests
// hold the two together.
package popwire

import "errors"

// Strictness says what a parser does with what the grammar refuses.
type Strictness uint8

const (
	// Strict refuses what the grammar refuses, save what a server is told to
	// let through: a bare LF as line end (P3-SYN-24), more than one SP before
	// an argument (AMB-01) and leading zeros (AMB-02).
	Strict Strictness = iota
	// Lenient also takes what real peers get wrong without doing harm
	// (P3-SYN-28).
	Lenient
)

// Limits of lines, in octets, CRLF included.
const (
	// MaxCommand is the longest command line that a client may send (RFC 2449
	// section 4, P3-SYN-06).
	MaxCommand = 255
	// MaxReply is the longest first line of a reply and the longest line of
	// CAPA (P3-SYN-10, P3-SYN-11).
	MaxReply = 512
)

const crlf = "\r\n"

var (
	// ErrLineTooLong: the line was longer than the limit. It has been read
	// to its end and thrown away, so that the next one is a line again
	// (P3-SYN-08).
	ErrLineTooLong = errors.New("line too long")
	// ErrUnsafe: a value that goes into a line holds an octet that could end
	// the line or would be no text (P3-SYN-26).
	ErrUnsafe = errors.New("value cannot be part of a line")
)
