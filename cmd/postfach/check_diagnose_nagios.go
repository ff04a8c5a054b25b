package main

import (
	"errors"
	"fmt"
	"io"
	"strings"
)

// Exit codes of --nagios, which are those of its plugins.
const (
	nagiosWarning  = 1
	nagiosCritical = 2
	nagiosUnknown  = 3
)

// nagiosText is text fit for the line. A bar would begin the performance data.
func nagiosText(s string) string { return strings.ReplaceAll(visibleLine(s), "|", "/") }

// nagiosTrouble writes the line of a check that did not come about, and returns
// its exit code. What has said all, or is no error, stays as it is.
func nagiosTrouble(w io.Writer, err error) error {
	var exit *exitError
	if err == nil || errors.As(err, &exit) && exit.error == nil {
		return err
	}
	state, code := "UNKNOWN", nagiosUnknown
	if exit != nil && exit.code == exitUnreachable {
		state, code = "CRITICAL", nagiosCritical
	}
	if _, err := fmt.Fprintf(w, "POP3 %s - %s\n", state, nagiosText(err.Error())); err != nil {
		return err
	}
	return &exitError{nil, code}
}

// nagios writes one line: state, verdict, performance data.
func (r *diagnosisReport) nagios(w io.Writer) error {
	state, code := "OK", 0
	switch {
	case r.d.Unreachable():
		state, code = "CRITICAL", nagiosCritical
	case !r.d.OK:
		state, code = "WARNING", nagiosWarning
	}
	if _, err := fmt.Fprintf(w, "POP3 %s - %s | %s\n", state, nagiosText(r.d.Verdict), strings.Join(r.performance(), " ")); err != nil {
		return err
	}
	if code == 0 {
		return nil
	}
	return &exitError{nil, code}
}

// performance is the performance data: label=value[unit];warn;crit;min.
func (r *diagnosisReport) performance() []string {
	var all []string
	for _, p := range r.phases() {
		all = append(all, fmt.Sprintf("%s=%.6fs;;;0", p.Name, p.Time.Seconds()))
	}
	if m := r.d.Maildrop; m != nil {
		all = append(all, fmt.Sprintf("messages=%d;;;0", m.Count), fmt.Sprintf("octets=%dB;;;0", m.Octets))
	}
	if c := r.d.Used; c != nil && c.TLS != nil {
		all = append(all, fmt.Sprintf("cert_days=%d", c.TLS.Days))
	}
	return append(all, fmt.Sprintf("findings=%d;;;0", r.findings()))
}
