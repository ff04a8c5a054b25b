package explain

// A Conversation follows one connection, line by line. Commands may be
// pipelined: replies are matched to them in their order.
type Conversation struct {
	lang Language
}

// NewConversation returns one that stands before the greeting.
func NewConversation(lang Language) *Conversation {
	return &Conversation{lang: lang}
}

// Line explains the next line, which has no line end and no secrets any more
// (popwire.Redact). It takes lines of any length and any octets.
func (c *Conversation) Line(client bool, line string) Note { return Note{} }

// TLS says that the handshake has succeeded here, at the start or behind STLS.
func (c *Conversation) TLS() Note { return Note{} }

// Closed says that the connection has ended here, and what that means for marked
// messages.
func (c *Conversation) Closed(byClient bool) Note { return Note{} }
