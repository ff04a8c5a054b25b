// Package explain says what the lines of a POP3 conversation mean, in English or
// German, for people who do not know the protocol. It follows a conversation and
// takes no part in it.
package explain

import "strings"

// A Language is one that explanations are written in.
type Language string

// The languages.
const (
	English Language = "en"
	German  Language = "de"
)

// LanguageOf returns the language for a locale such as "de_AT.UTF-8", "de" or
// "C": German where it says so, else English.
func LanguageOf(locale string) Language {
	if tag := strings.ToLower(locale); tag == "de" || strings.HasPrefix(tag, "de_") || strings.HasPrefix(tag, "de-") || strings.HasPrefix(tag, "de.") {
		return German
	}
	return English
}

// A Place is where in a conversation a line stands.
type Place uint8

// The places.
const (
	Greeting  Place = iota // the server's first line
	Command                // a command line
	Reply                  // the first line of a reply
	Item                   // a line of LIST, UIDL, CAPA, LANG and the like
	Content                // a line of a message
	End                    // the line that is only "."
	Challenge              // a line of a SASL exchange from the server
	Response               // and from the client
	Event                  // nothing that was said: TLS began, the connection ended
	Stray                  // a line that belongs to nothing
)

// A Note says what one line means.
type Note struct {
	Place Place
	// Keyword is the command that the line is, or belongs to; upper case.
	Keyword string
	// Meaning is a sentence or two; empty where there is nothing to say, as for
	// the lines of a message.
	Meaning string
	// Next says what the client may do now, where that has changed.
	Next string
	// Refused: the reply is -ERR.
	Refused bool
	// Warning: the line breaks the rules, or gives something away that it
	// should not. Meaning says what.
	Warning bool
}
