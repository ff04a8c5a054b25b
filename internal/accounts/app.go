package accounts

import (
	"crypto/rand"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"

	"postfach/internal/hint"
	"postfach/sasl"
)

// An AppPassword is what may be told about one of an account's app passwords.
type AppPassword struct {
	Name string `json:"name"`
	Made string `json:"made,omitempty"` // the day, as in 2026-11-23; empty: nobody wrote it down
}

// An app is an app password: the extra field "app:NAME=DAY,{SCRAM-SHA-256}…". All
// of an account have one salt and one work factor, so that one derivation serves
// all of them.
type app struct {
	AppPassword
	*scramVerifier
}

var (
	appNameForm = regexp.MustCompile(`^[a-z0-9][a-z0-9._-]{0,31}$`)
	dayForm     = regexp.MustCompile(`^[0-9]{4}-[0-9]{2}-[0-9]{2}$`)
)

// CheckAppName says why an app password cannot have a name.
func CheckAppName(name string) error {
	if !appNameForm.MatchString(name) || slices.Contains(takenNames, name) {
		return hint.Add(fmt.Errorf("an app password cannot have the name %q", name),
			"use a-z 0-9 . _ -, at most 32 of them, beginning with a letter or a digit, and none of %s", strings.Join(takenNames, ", "))
	}
	return nil
}

// The names that the log and the last logins have for credentials that are no app
// passwords.
const (
	apopCredential        = "apop"
	certificateCredential = "certificate"
	tokenCredential       = "token"
)

var takenNames = []string{"main", apopCredential, certificateCredential, tokenCredential}

// maxApps is how many app passwords an account has at most.
const maxApps = 64

func (a *account) addApp(name, value string) error {
	if err := CheckAppName(name); err != nil {
		return err
	}
	day, secret, dated := strings.Cut(value, ",{")
	if !dated {
		day, secret = "", strings.TrimPrefix(value, "{")
	}
	scheme, text, _ := strings.Cut(secret, "}")
	if scheme != ScramSHA256 || dated && !dayForm.MatchString(day) {
		return hint.Add(fmt.Errorf("app password %s: expected a day and {%s}", name, ScramSHA256), "make a new one with postfach user app add")
	}
	v, err := parseScram(ScramSHA256, text)
	if err != nil {
		return fmt.Errorf("app password %s: %w", name, err)
	}
	one := app{AppPassword{Name: name, Made: day}, v.(*scramVerifier)}
	switch {
	case slices.ContainsFunc(a.apps, func(o app) bool { return o.Name == name }):
		return hint.Add(fmt.Errorf("app password %s is there twice", name), "remove one of the two")
	case len(a.apps) == maxApps:
		return hint.Add(errors.New("there are too many app passwords"), "at most %d: remove those that nobody uses", maxApps)
	case len(a.apps) > 0 && !one.sameWork(a.apps[0].scramVerifier):
		return hint.Add(fmt.Errorf("app password %s has another salt or work factor than %s", name, a.apps[0].Name), "make a new one with postfach user app add")
	}
	a.apps = append(a.apps, one)
	a.AppPasswords = append(a.AppPasswords, one.AppPassword)
	return nil
}

// AddApp makes an app password and returns it: it can never be asked for again.
// ErrNoUser, ErrAppExists: there is no such account, or it has one of that name.
func (e Editor) AddApp(user, name string) (password string, err error) {
	if err := CheckAppName(name); err != nil {
		return "", err
	}
	password = newAppPassword()
	return password, e.slowly(user, func(line string) (string, error) {
		a, err := parseLine(line)
		if err != nil {
			return "", err
		}
		if slices.ContainsFunc(a.apps, func(o app) bool { return o.Name == name }) {
			return "", fmt.Errorf("app password %s of %s: %w", name, user, ErrAppExists)
		}
		salt, iterations := a.work()
		v, err := newScram(sasl.SHA256, password, salt, iterations)
		if err != nil {
			return "", err
		}
		return withExtra(line, appPrefix+name, e.today()+",{"+ScramSHA256+"}"+v.String()), nil
	})
}

// RemoveApp takes an app password away: from now on nobody logs in with it.
// ErrNoUser, ErrNoApp: there is no such account, or no such app password.
func (e Editor) RemoveApp(user, name string) error {
	return e.change(user, func(line string) (string, error) {
		without := withExtra(line, appPrefix+name, "")
		if len(extraFields(splitLine(without))) == len(extraFields(splitLine(line))) {
			return "", fmt.Errorf("app password %s of %s: %w", name, user, ErrNoApp)
		}
		return without, nil
	})
}

// SetMain says whether the account's own password lets somebody in. ErrNoApp: it
// would be off, and nothing else would let anybody in.
func (e Editor) SetMain(user string, on bool) error {
	return e.change(user, func(line string) (string, error) {
		if on {
			return withExtra(line, mainField, ""), nil
		}
		a, err := parseLine(line)
		if err != nil {
			return "", err
		}
		if len(a.apps) == 0 && len(a.Certificates) == 0 {
			return "", hint.Add(fmt.Errorf("user %s: %w", user, ErrNoApp), "make one first: postfach user app add %s NAME", user)
		}
		return withExtra(line, mainField, optionOff), nil
	})
}

// work returns the salt and the work factor of SCRAM keys that come to an account:
// those that it has, else new ones.
func (a *account) work() (salt []byte, iterations int) {
	switch main := a.scram(); {
	case len(a.apps) > 0:
		return a.apps[0].salt, a.apps[0].iterations
	case main != nil && main.hash == sasl.SHA256:
		return main.salt, main.iterations
	}
	return newSalt(), Iterations
}

func newSalt() []byte {
	salt := make([]byte, 16)
	rand.Read(salt)
	return salt
}

// newAppPassword returns 100 random bits that can be copied by hand.
func newAppPassword() string {
	letters := strings.ToLower(rand.Text())
	return strings.Join([]string{letters[:4], letters[4:8], letters[8:12], letters[12:16], letters[16:20]}, "-")
}

func (e Editor) today() string {
	now := e.Now
	if now == nil {
		now = time.Now
	}
	return now().Format(time.DateOnly)
}
