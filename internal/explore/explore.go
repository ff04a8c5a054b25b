// Package explore is what an explorer can do with a maildrop, without a screen:
// list, look, mark, save, delete. Its faces are internal/tui and internal/web.
//
// A POP3 session locks the maildrop against its owner's mail program, so the
// Explorer lets go of it when nobody looks, and comes back with a fresh listing.
// Marks therefore live here, by unique-id, and not on the server: DELE is sent
// only by Commit, all at once, directly before QUIT. A connection that is lost
// costs no marks and deletes nothing.
package explore

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"time"

	"postfach/internal/explain"
	"postfach/internal/message"
	"postfach/pop3"
	"postfach/pop3check"
	"postfach/pop3client"
)

// A Key names a message for as long as the Explorer lives: its unique-id, where
// the server has one for it that no other message has. Else it holds the number
// and ends with the session.
type Key string

// An Account is a maildrop, and the way to it.
type Account struct {
	Name string // what a person calls it
	User string
	Host string // where it is, for people: a host, or a folder
	// Dial connects and reads the greeting; it does not log in. trace sees the
	// conversation.
	Dial func(ctx context.Context, trace func(pop3.TraceEvent)) (*pop3client.Client, error)
	// Login logs in.
	Login func(ctx context.Context, c *pop3client.Client, password string) error
	// Password gets the password without asking a person. nil: a face asks.
	Password func(ctx context.Context) (string, error)
	// NoPassword: none is needed, as for a local maildrop.
	NoPassword bool
	// ReadOnly refuses marks.
	ReadOnly bool
	// Question is what Diagnose asks. nil: there is nothing to diagnose.
	Question *pop3check.Question
}

// Options say how an Explorer behaves. The zero value is good.
type Options struct {
	// Idle is how long nobody may look before the maildrop is let go. 0: two
	// minutes; negative: never.
	Idle time.Duration
	// NoHeaders lists without TOP: for servers that choke on it.
	NoHeaders bool
	// Ahead is how many messages beyond those that are looked at get their
	// headers read unasked. 0: 500.
	Ahead int
	// Language is that of the explained protocol. Empty: English.
	Language explain.Language
	// Trace, if not nil, sees the conversations too, for a protocol log.
	Trace func(pop3.TraceEvent)
}

// Errors that faces tell apart.
var (
	// ErrAway: the maildrop is not open, and this does not open it.
	ErrAway = errors.New("the maildrop is not open")
	// ErrReadOnly: marks are refused.
	ErrReadOnly = errors.New("this maildrop is open for reading only")
	// ErrGone: the message is not in the maildrop any more.
	ErrGone = errors.New("the message is not there any more")
	// ErrOtherMarks: Commit was given other messages than are marked.
	ErrOtherMarks = errors.New("other messages are marked than were shown")
	// ErrPassword: a password is needed first.
	ErrPassword = errors.New("the password is missing")
	// ErrExists: what would be written is there already.
	ErrExists = errors.New("the file exists")
)

// An Entry is a message in the list.
type Entry struct {
	Key    Key
	Number int // in this session; 0: the maildrop is not open
	Size   int64
	ID     pop3.UniqueID // as the server sent it; may be empty or repeat
	// Known: the header was read, and Summary is what it says.
	Known   bool
	Summary message.Summary
	Marked  bool
	// Problem says why the header cannot be read: the message can still be
	// marked and deleted.
	Problem string
}

// A Sort is an order of the list.
type Sort uint8

// The orders. ByNumber is the server's.
const (
	ByNumber Sort = iota
	BySize
	ByDate
	ByFrom
	BySubject
)

// A Query says which part of the list is looked at.
type Query struct {
	Sort       Sort
	Descending bool
	// Search keeps messages in whose From, To, Subject, unique-id or number
	// all its words occur, in any case. A word like ">1M" or "<20k" is about the
	// size. Headers that are needed for it are read, all of them.
	Search        string
	MarkedOnly    bool
	Offset, Limit int // Limit 0: none
}

// A Page is a part of the list.
type Page struct {
	Total   int // how many match
	Entries []Entry
	// Unknown counts messages whose header would matter for search or order and
	// is not read yet.
	Unknown int
}

// A State is whether the maildrop is ours.
type State uint8

// The states.
const (
	Away       State = iota // not connected; the owner's mail program can come in
	Connecting              // on the way
	Held                    // open, and locked against others
	Committing              // deleting
)

// A Status is what a person must know all the time.
type Status struct {
	State        State
	Account      Account
	TLS          bool
	Messages     int
	Octets       int64
	Known        int // headers read
	Marked       int
	MarkedOctets int64
	// ReleaseAt is when the maildrop is let go unless somebody looks. Zero:
	// never, or Away.
	ReleaseAt time.Time
	// Notice is the last thing that happened without being asked for: let go,
	// connection lost, marked messages gone. Empty when a person has seen it
	// (Seen).
	Notice string
	// Busy says what is going on, for example "reading headers"; often empty.
	Busy string
}

// A Server is what is known of the server.
type Server struct {
	Greeting     string
	Capabilities pop3.Capabilities // after login
	TLS          *tls.ConnectionState
}

// An Outcome is what Commit did.
type Outcome struct {
	Deleted []Entry       // the server confirmed QUIT: they are gone
	Refused map[Key]error // the server refused to mark these: they stay
	Gone    []Entry       // they were not there any more
	Changed []Entry       // another size than was marked: left alone
	// Unknown are those of which nobody knows: the answer to QUIT did not come.
	// The next listing tells.
	Unknown []Entry
}

// A Format is a form of export in one stream.
type Format string

// The formats.
const (
	EML     Format = "eml" // one message as it is
	Mbox    Format = "mbox"
	Zip     Format = "zip"     // an .eml file for each message
	Maildir Format = "maildir" // a zip file that holds a Maildir
)

// An Explorer is one account's maildrop, held or not. Its methods may be called
// from many goroutines.
type Explorer struct{}

// New returns an Explorer that is Away. Close it.
func New(a Account, o Options) *Explorer { return &Explorer{} }

// Connect takes the maildrop and lists it. password is remembered for coming
// back until Close; empty: the remembered one, or Account.Password. What is
// marked stays marked where it is still there, and Status.Notice tells of what is
// not. While Held it lists anew. A *pop3.Error is the server's refusal.
func (e *Explorer) Connect(ctx context.Context, password string) error { return nil }

// Release lets go of the maildrop; marks stay, nothing is deleted.
func (e *Explorer) Release(ctx context.Context) error { return nil }

// Close releases and forgets everything.
func (e *Explorer) Close() error { return nil }

// Touch says that somebody looks: the idle time begins anew.
func (e *Explorer) Touch() {}

// Status returns where things stand.
func (e *Explorer) Status() Status { return Status{} }

// Seen clears Status.Notice.
func (e *Explorer) Seen() {}

// Changed returns a channel that is closed at the next change of anything that
// Status, Page or Log return.
func (e *Explorer) Changed() <-chan struct{} { return nil }

// Page returns a part of the list. The headers of what it returns are read next;
// Changed tells when they have come. It never waits for the server.
func (e *Explorer) Page(q Query) Page { return Page{} }

// Entry returns one message of the list.
func (e *Explorer) Entry(k Key) (Entry, bool) { return Entry{}, false }

// Preview returns the header and the first lines by TOP, without loading the
// message. It connects when Away, as all that need the server do.
func (e *Explorer) Preview(ctx context.Context, k Key, lines int) ([]byte, error) { return nil, nil }

// Open loads the whole message into a temporary file that nobody else sees. The
// caller closes the Stored.
func (e *Explorer) Open(ctx context.Context, k Key) (*Stored, error) { return nil, nil }

// Save copies the message as it is to w, unparsed, and returns its octets.
func (e *Explorer) Save(ctx context.Context, k Key, w io.Writer) (int64, error) { return 0, nil }

// Mark marks messages for deletion, here; Unmark takes marks away.
func (e *Explorer) Mark(keys ...Key) error { return nil }

// Unmark takes marks away; without keys all of them.
func (e *Explorer) Unmark(keys ...Key) error { return nil }

// Marked returns the staged list: what Commit will delete.
func (e *Explorer) Marked() []Entry { return nil }

// Commit deletes the marked messages, for good: DELE for each, then QUIT. keys
// are those that a person was shown; ErrOtherMarks if they are not the marked
// ones. It leaves the Explorer Away; an Outcome may come with an error.
func (e *Explorer) Commit(ctx context.Context, keys []Key) (Outcome, error) { return Outcome{}, nil }

// Export writes messages to w in this format. progress, if not nil, hears how
// many are done.
func (e *Explorer) Export(ctx context.Context, w io.Writer, f Format, keys []Key, progress func(done int)) error {
	return nil
}

// ExportTo delivers messages to a place: maildir:FOLDER, mbox:FILE, dir:FOLDER
// (one .eml each) or zip:FILE, durably. What is there already is not written
// again; n counts what was.
func (e *Explorer) ExportTo(ctx context.Context, spec string, keys []Key, progress func(done int)) (n int, err error) {
	return 0, nil
}

// Log returns the explained protocol from line after on, and the number to ask
// with next time. Old lines are forgotten.
func (e *Explorer) Log(after int) (lines []explain.Line, next int) { return nil, 0 }

// Server returns what is known of the server; zero before the first Connect.
func (e *Explorer) Server() Server { return Server{} }

// Diagnose runs what `postfach check` does, on connections of its own and
// without a login, so that it needs no maildrop.
func (e *Explorer) Diagnose(ctx context.Context) (*pop3check.Diagnosis, error) { return nil, nil }

// A Stored is a message that was loaded. Close frees it.
type Stored struct{ io.ReaderAt }

// Size returns its octets.
func (s *Stored) Size() int64 { return 0 }

// Message returns its parts.
func (s *Stored) Message() *message.Message { return nil }

// Close frees the message.
func (s *Stored) Close() error { return nil }

// A RawLine is a line of a message as it crossed the wire.
type RawLine struct {
	Text    string // printable; what is not is escaped, long lines are cut
	Stuffed bool   // the wire had one more "." in front
	End     string // "CRLF", "LF", "" (the last line has none)
	Cut     int64  // octets that Text leaves out
}

// RawLines returns up to count lines of the raw message from line first (from 0)
// on.
func (s *Stored) RawLines(first, count int) ([]RawLine, error) { return nil, nil }
