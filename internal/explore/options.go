package explore

import (
	"time"

	"postfach/internal/explain"
	"postfach/pop3"
)

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
