package explore

// A plainError says what happened in words for people, in the place of the
// protocol's.
type plainError struct {
	text string
	err  error
}

// Error implements error.
func (e *plainError) Error() string { return e.text }

// Unwrap returns the protocol's error.
func (e *plainError) Unwrap() error { return e.err }
