package pop3check

import (
	"encoding/base64"
	"slices"
	"strconv"
	"strings"

	"postfach/internal/popwire"
)

// leastSecret is the length from which a secret is replaced wherever it occurs.
// A shorter one is part of many words, and tells by that where it was replaced.
const leastSecret = 3

// secrets returns what no trace and no finding shows: the account's password and
// APOP secret, as they are, as base64 and as a finding quotes them.
func (t *Target) secrets() []string {
	var all []string
	for _, octets := range []string{t.Password, t.Secret, "\x00" + t.User + "\x00" + t.Password, t.User + "\x00" + t.User + "\x00" + t.Password} {
		if len(strings.Trim(octets, "\x00")) < leastSecret || octets == "\x00"+t.User+"\x00" {
			continue
		}
		for _, form := range []string{
			octets, strings.Trim(strconv.Quote(octets), `"`), escape(octets), strings.Trim(strconv.Quote(escape(octets)), `"`),
			base64.StdEncoding.EncodeToString([]byte(octets)),
		} {
			if !slices.Contains(all, form) {
				all = append(all, form)
			}
		}
	}
	// The longest first: one may be part of another.
	slices.SortStableFunc(all, func(a, b string) int { return len(b) - len(a) })
	return all
}

// safe replaces the account's secrets.
func (p *probe) safe(text string) string {
	if p.secrets == nil {
		var pairs []string
		for _, s := range p.t.secrets() {
			pairs = append(pairs, s, popwire.Secret)
		}
		p.secrets = strings.NewReplacer(pairs...)
	}
	for _, secret := range p.hidden {
		text = strings.ReplaceAll(text, secret, popwire.Secret)
	}
	return p.secrets.Replace(text)
}

// hide returns what stands for a digest or a response. A server may repeat it.
func (p *probe) hide(secret string) string {
	const short = 8
	if len(secret) >= short && !slices.Contains(p.hidden, secret) {
		p.hidden = append(p.hidden, secret)
	}
	return popwire.Secret
}

// safeLine is what may be shown of a line that is sent: no password behind PASS,
// no digest behind APOP, no initial response behind AUTH, unless the check made
// it up.
func (p *probe) safeLine(line string) string {
	word, rest, _ := strings.Cut(line, " ")
	first, second, more := strings.Cut(rest, " ")
	switch strings.ToUpper(word) {
	case "PASS":
		if rest != "" {
			return word + " " + popwire.Secret
		}
	case "APOP":
		if more && second != "" && first != nobody {
			return word + " " + p.safe(first) + " " + p.hide(second)
		}
	case "AUTH":
		if more && !p.madeUp(second) {
			return word + " " + p.safe(first) + " " + p.hide(second)
		}
	}
	return p.safe(line)
}

// madeUp reports whether a SASL response tells nothing about the account: it is
// too short or no base64, or has credentials that the checks invent.
func (p *probe) madeUp(response string) bool {
	const fewOctets = 4
	data, err := base64.StdEncoding.DecodeString(response)
	text := string(data)
	for _, secret := range []string{p.t.Password, p.t.Secret} {
		if secret != "" && strings.Contains(text, secret) {
			return false
		}
	}
	switch {
	case strings.Contains(text, nobody), strings.Contains(text, wrongPassword), text == "" && err == nil:
		return true
	case err != nil:
		return len(response) <= fewOctets
	}
	return len(text) <= fewOctets && p.t.Password != "" // else nothing tells what is secret
}
