package pop3

import (
	"errors"
	"fmt"
	"testing"
)

// Codes are hierarchical and case does not matter (P3-RSP-02).
func TestCodeIs(t *testing.T) {
	for _, tt := range []struct {
		code, parent Code
		want         bool
	}{
		{"SYS/TEMP", "SYS/TEMP", true},
		{"sys/temp/disk/42", CodeSysTemp, true},
		{"SYS/TEMP", "SYS", true},
		{"AUTH/EXPIRED", CodeAuth, true},
		{"SYS/TEMPORARY", CodeSysTemp, false},
		{"SYS", CodeSysTemp, false},
		{"SYS/PERM", CodeSysTemp, false},
		{"", CodeAuth, false},
	} {
		if got := tt.code.Is(tt.parent); got != tt.want {
			t.Errorf("%q is %q: %v", tt.code, tt.parent, got)
		}
	}
}

func TestCodeValid(t *testing.T) {
	for code, want := range map[Code]bool{
		"IN-USE": true, "SYS/TEMP": true, "a[b": true, "1.2.3.4": true,
		"": false, "/": false, "SYS/": false, "/TEMP": false, "a b": false, "a]": false, "a\x7f": false, "ä": false, "a\x01": false,
	} {
		if got := code.Valid(); got != want {
			t.Errorf("%q: %v", code, got)
		}
	}
}

func TestErrorIsItsCode(t *testing.T) {
	err := fmt.Errorf("login: %w", &Error{Code: "SYS/TEMP/DISK", Text: "full"})
	for code, want := range map[Code]bool{CodeSysTemp: true, "SYS": true, CodeSysPerm: false, CodeAuth: false} {
		if got := errors.Is(err, &Error{Code: code}); got != want {
			t.Errorf("%s: %v", code, got)
		}
	}
	if errors.Is(err, &Error{}) {
		t.Error("an error without code is every error")
	}
	if got := CodeOf(err); got != "SYS/TEMP/DISK" {
		t.Errorf("code %q", got)
	}
	if got := CodeOf(errors.New("x")); got != "" {
		t.Errorf("code %q", got)
	}
}

func TestErrorReadsAsOnTheWire(t *testing.T) {
	for want, e := range map[string]*Error{
		"[AUTH] no": {Code: CodeAuth, Text: "no"},
		"[AUTH]":    {Code: CodeAuth},
		"no":        {Text: "no"},
	} {
		if e.Error() != want {
			t.Errorf("%q, want %q", e.Error(), want)
		}
	}
}

func TestCapabilities(t *testing.T) {
	cs := Capabilities{{Tag: "sasl", Params: []string{"PLAIN", "SCRAM-SHA-256"}}, {Tag: "X-ODD"}}
	if !cs.Has("SASL") || cs.Has("TOP") || len(cs.Mechanisms()) != 2 { // P3-CAPA-03
		t.Errorf("%v", cs)
	}
	c, _ := cs.Lookup(CapSASL)
	if !c.Has("plain") || c.Has("LOGIN") || c.String() != "sasl PLAIN SCRAM-SHA-256" {
		t.Errorf("%v", c)
	}
	if Capabilities(nil).Mechanisms() != nil {
		t.Error("mechanisms out of nothing")
	}
}

// A unique-id is 1 to 70 octets from 0x21 to 0x7E (P3-UIDL-03).
func TestUniqueIDValid(t *testing.T) {
	long := UniqueID(make([]byte, 0, 71))
	for range MaxUniqueID {
		long += "x"
	}
	for id, want := range map[UniqueID]bool{
		"!": true, "~": true, long: true,
		"": false, long + "x": false, "a b": false, "a\x7f": false, "ä": false, "a\x00": false,
	} {
		if id.Valid() != want {
			t.Errorf("%q: %v", id, !want)
		}
	}
}
