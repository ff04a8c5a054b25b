package pop3test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"time"
)

// ruleText is a Rule as JSON has it.
type ruleText struct {
	On      string `json:"on,omitempty"`
	Match   string `json:"match,omitempty"`
	Session int    `json:"session,omitempty"`
	After   int    `json:"after,omitempty"`
	Times   int    `json:"times,omitempty"`

	Reply   string   `json:"reply,omitempty"`
	Replace []string `json:"replace,omitempty"`
	Append  string   `json:"append,omitempty"`

	Delay           string `json:"delay,omitempty"`
	Drip            string `json:"drip,omitempty"`
	SplitEvery      int    `json:"split-every,omitempty"`
	SplitTerminator bool   `json:"split-terminator,omitempty"`

	DropAfter   *int `json:"drop-after,omitempty"`
	DropCommand int  `json:"drop-command,omitempty"`
	StallAfter  *int `json:"stall-after,omitempty"`
}

// ParseRule reads a rule, which may be wrong in itself: Fault tells.
func ParseRule(text string) (Rule, error) {
	var r Rule
	return r, json.Unmarshal([]byte(text), &r)
}

// String returns the rule as JSON.
func (r Rule) String() string {
	text, err := json.Marshal(r)
	if err != nil {
		return err.Error()
	}
	return string(text)
}

// MarshalJSON implements json.Marshaler.
func (r Rule) MarshalJSON() ([]byte, error) {
	return json.Marshal(ruleText{
		On: r.On, Match: r.Match, Session: r.Session, After: r.After, Times: r.Times,
		Reply: r.Reply, Replace: r.Replace, Append: r.Append,
		Delay: durationText(r.Delay), Drip: durationText(r.Drip),
		SplitEvery: r.SplitEvery, SplitTerminator: r.SplitTerminator,
		DropAfter: r.DropAfter, DropCommand: r.DropCommand, StallAfter: r.StallAfter,
	})
}

func durationText(d time.Duration) string {
	if d == 0 {
		return ""
	}
	return d.String()
}

// UnmarshalJSON implements json.Unmarshaler. A field that it does not know is
// an error: a misspelt fault would be none.
func (r *Rule) UnmarshalJSON(text []byte) error {
	var t ruleText
	dec := json.NewDecoder(bytes.NewReader(text))
	dec.DisallowUnknownFields()
	err := dec.Decode(&t)
	var kind *json.UnmarshalTypeError
	switch {
	case errors.As(err, &kind):
		return fmt.Errorf("rule: %s: a %s, where a %s is wanted", kind.Field, kind.Value, kind.Type)
	case err != nil:
		return fmt.Errorf("rule: %w", err)
	}
	delay, err := parseDuration("delay", t.Delay)
	if err != nil {
		return err
	}
	drip, err := parseDuration("drip", t.Drip)
	if err != nil {
		return err
	}
	*r = Rule{
		On: t.On, Match: t.Match, Session: t.Session, After: t.After, Times: t.Times,
		Reply: t.Reply, Replace: t.Replace, Append: t.Append,
		Delay: delay, Drip: drip, SplitEvery: t.SplitEvery, SplitTerminator: t.SplitTerminator,
		DropAfter: t.DropAfter, DropCommand: t.DropCommand, StallAfter: t.StallAfter,
	}
	return nil
}

func parseDuration(field, text string) (time.Duration, error) {
	if text == "" {
		return 0, nil
	}
	d, err := time.ParseDuration(text)
	if err != nil {
		return 0, fmt.Errorf("rule: %s: %q is no duration such as 1.5s", field, text)
	}
	return d, nil
}
