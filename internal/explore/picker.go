package explore

// A Picker is what a face needs so that a person can choose an account.
type Picker struct {
	// Accounts are those that are known, in their order.
	Accounts []Account
	// Parse makes an account of what a person typed: pop3s://user@host[:port]
	// (TLS), pop3://user@host[:port] (STLS; in clear to this machine only), or
	// user@host. Its errors have hints. nil: nothing can be typed in.
	Parse func(typed string) (Account, error)
	// ParseSTLS is Parse, but pop3:// is STLS to this machine, too, and never in
	// clear. nil: a person cannot choose that.
	ParseSTLS func(typed string) (Account, error)
	// Start, if not nil, is opened at once.
	Start *Account
	// Options are for each Explorer.
	Options Options
}
