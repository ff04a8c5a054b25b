package accounts

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"postfach/internal/hint"
)

// The extra fields that mean something here, spelled as Dovecot does where it
// has them. It ignores the others.
const (
	mailField  = "userdb_mail" // maildir:/path
	netsField  = "allow_nets"  // networks that may log in
	apopField  = "apop"        // a sealed secret
	sha1Field  = "scram_sha_1" // a verifier for SCRAM-SHA-1
	pop3Field  = "pop3"        // no: not by POP3
	tlsField   = "tls"         // required
	needField  = "client_cert" // required
	mainField  = "main"        // off: app passwords only
	certField  = "cert"        // the fingerprint of a client certificate
	appPrefix  = "app:"        // and a name: an app password
	optionNo   = "no"
	optionOff  = "off"
	optionMust = "required"
)

// closing are Dovecot's fields that keep people out under conditions that are
// not looked at here. An account with one is closed: a file must not let in
// more people here than there.
var closing = []string{"nologin", "noauthenticate", "nopassword", "allow_real_nets"}

// once are the fields that say one thing, which a second one could contradict.
var once = []string{mailField, netsField, apopField, sha1Field, pop3Field, tlsField, needField, mainField}

// An account is one line, understood.
type account struct {
	Account
	kept
	secret string // as the file has it
	sealed string // the APOP secret; empty: none
	apps   []app
	sha1   *scramVerifier // for SCRAM-SHA-1, beside the password; nil: none
	stale  bool           // there is one, of another password
	policy Policy
	odd    []string // what means nothing here, and should perhaps
	made   *Entry   // by newTable
}

// parseLine understands a line that is neither empty nor a comment.
func parseLine(line string) (*account, error) {
	fields := splitLine(line)
	if len(fields) < 2 {
		return nil, hint.Add(errors.New("expected user:{SCHEME}secret"), "fields are separated by colons; a comment begins with #")
	}
	user := fields[0]
	if err := CheckName(user); err != nil {
		return nil, err
	}
	a := &account{Account: Account{User: user}, secret: fields[secretIndex]}
	var err error
	if a.kept, err = parseSecret(a.secret); err != nil {
		return nil, fmt.Errorf("user %s: %w", user, err)
	}
	a.Scheme = a.scheme
	if odd := misplaced(fields); odd != "" {
		a.odd = append(a.odd, odd)
	}
	seen := map[string]bool{}
	for _, extra := range extraFields(fields) {
		key, value, _ := strings.Cut(extra, "=")
		if seen[key] && slices.Contains(once, key) {
			return nil, hint.Add(fmt.Errorf("user %s: the field %s is there twice", user, key), "remove one of the two")
		}
		seen[key] = true
		if err := a.setExtra(key, value); err != nil {
			return nil, fmt.Errorf("user %s: %w", user, err)
		}
		if a.restricts(key, value) {
			a.Restrictions = append(a.Restrictions, extra)
		}
	}
	a.Unknown = a.odd
	a.AppPasswordsOnly = a.policy.AppPasswordsOnly
	return a, nil
}

// setExtra understands one extra field. Those that it does not know are other
// programs'.
func (a *account) setExtra(key, value string) (err error) {
	switch {
	case key == mailField:
		a.Maildir, err = userdbMail(value)
	case key == apopField:
		a.sealed, a.APOP = value, true
	case key == sha1Field:
		err = a.setSHA1(value)
	case key == netsField:
		a.policy.Networks, err = ParseNetworks(value)
	case key == pop3Field:
		a.policy.NoPOP3, err = option(key, value, optionNo, "yes")
	case key == tlsField:
		a.policy.RequireTLS, err = option(key, value, optionMust, optionNo)
	case key == needField:
		a.policy.RequireCertificate, err = option(key, value, optionMust, optionNo)
	case key == mainField:
		a.policy.AppPasswordsOnly, err = option(key, value, optionOff, "on")
	case key == certField:
		err = a.addCertificate(value)
	case strings.HasPrefix(key, appPrefix):
		err = a.addApp(key[len(appPrefix):], value)
	case slices.Contains(closing, key):
		a.Closed = key
	default:
		if odd := misread(key); odd != "" && len(a.odd) < maxOdd {
			a.odd = append(a.odd, odd)
		}
	}
	return err
}

// restricts reports whether a field that was understood keeps out some who know the
// password. main=off and what closes the account have a place of their own.
func (a *account) restricts(key, value string) bool {
	switch key {
	case netsField:
		return true
	case pop3Field:
		return value == optionNo
	case tlsField, needField:
		return value == optionMust
	}
	return false
}

// option is a field with two values, the first of which is true. A slip of the
// hand must not open what was to be closed, so anything else is an error.
func option(key, value, yes, no string) (bool, error) {
	if value != yes && value != no {
		return false, hint.Add(fmt.Errorf("expected %s=%s", key, yes), "or %s=%s, which is as good as no such field", key, no)
	}
	return value == yes, nil
}

// The place of the extra fields, and how many fields there are with them. The
// last one has colons of its own.
const (
	secretIndex = 1
	extraIndex  = 7
	fieldCount  = 8
)

func splitLine(line string) []string { return strings.SplitN(line, ":", fieldCount) }

func extraFields(fields []string) []string {
	if len(fields) <= extraIndex {
		return nil
	}
	return strings.Fields(fields[extraIndex])
}

// withSecret returns the line with another password.
func withSecret(line, secret string) string {
	fields := splitLine(line)
	fields[secretIndex] = secret
	return strings.Join(fields, ":")
}

// withExtra returns the line with another value of an extra field, or without
// the field when value is empty. Others stay as they are.
func withExtra(line, key, value string) string {
	fields := splitLine(line)
	var extra []string
	for _, e := range extraFields(fields) {
		if k, _, _ := strings.Cut(e, "="); k != key {
			extra = append(extra, e)
		}
	}
	if value != "" {
		extra = append(extra, key+"="+value)
	}
	return withExtras(line, extra)
}

// withExtras returns the line with these extra fields and no others.
func withExtras(line string, extra []string) string {
	fields := splitLine(line)
	for len(fields) < fieldCount {
		fields = append(fields, "")
	}
	fields[extraIndex] = strings.Join(extra, " ")
	return strings.Join(fields, ":")
}
