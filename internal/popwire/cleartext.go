package popwire

// A Way is what a client knows of its connection, and what its user allows.
type Way struct {
	TLS            bool
	Local          bool // both ends are this machine
	AllowCleartext bool
}

// MayCarry reports whether a credential may be written there (P3-TLS-11, P3-USR-08).
// A token is for TLS, on this machine, too: whoever reads it can use it elsewhere
// (P3-OAUTH-01).
func (w Way) MayCarry(token bool) bool {
	return w.TLS || w.AllowCleartext || w.Local && !token
}
