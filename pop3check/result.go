package pop3check

// A Status is the outcome of a check.
type Status string

// The outcomes.
const (
	Pass Status = "pass"
	Fail Status = "fail"
	Skip Status = "skip" // could not be made, or does not apply: Got says why
)

// A Result is what a check found. All text is fit for a terminal: octets that
// are not printable are escaped as in a transcript, secrets are replaced.
type Result struct {
	Requirement
	Status Status
	// Want and Got say what differed. Of a check that passed, what was seen.
	Want, Got string
	// Trace is the conversation, as lines of a transcript ("C: ", "S: ").
	Trace []string
}

// Finding reports whether the result speaks against the server: a binding rule
// that is broken, or with strict any rule.
func (r Result) Finding(strict bool) bool {
	return r.Status == Fail && (strict || r.Binding())
}
