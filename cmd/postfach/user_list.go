package main

import (
	"cmp"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"text/tabwriter"
	"time"

	"postfach/internal/accounts"
	"postfach/internal/datafolder"
	"postfach/internal/lastlogin"
)

type userListCmd struct {
	dataFlag
	JSON bool `name:"json" help:"As JSON."`
}

// A listedUser is an account and when its passwords were last used.
type listedUser struct {
	accounts.Account
	Maildrop   string                     `json:"maildrop"`              // where it is, also in the usual place
	LastLogins map[string]lastlogin.Login `json:"last_logins,omitempty"` // "": with the account's own password
}

// listed adds to an account what other files say of it.
func (d *dataFlag) listed(a accounts.Account) listedUser {
	u := listedUser{a, a.Maildir, lastLogins(d.folder(), a.User)}
	if u.Maildrop == "" {
		u.Maildrop = filepath.Join(d.folder().Mail(), a.User)
	}
	return u
}

func (c *userListCmd) Run() error {
	editors, others, err := c.editors()
	if err != nil {
		return err
	}
	users := []listedUser{} // [] and not null
	known := map[string]bool{}
	for _, editor := range editors {
		list, err := editor.List()
		if err != nil {
			return c.hinted(err)
		}
		for _, a := range list {
			if !known[a.User] { // the first one is in force
				users = append(users, c.listed(a))
			}
			known[a.User] = true
		}
	}
	if len(others) > 0 {
		fmt.Fprintf(os.Stderr, "note: these are the accounts in files; those of %s are not listed\n", strings.Join(others, ", "))
	}
	for _, u := range users {
		if len(u.Unknown) > 0 {
			fmt.Fprintf(os.Stderr, "note: fields of %s that mean nothing here: %s\nhint: if one was to close the account, it does not; docs/accounts.md lists those that do\n", u.User, strings.Join(u.Unknown, "; "))
		}
	}
	if c.JSON {
		return printJSON(users)
	}
	out := tabwriter.NewWriter(os.Stdout, 0, 0, 2, ' ', 0)
	fmt.Fprintln(out, "USER\tPASSWORD\tAPOP\tAPPS\tLAST LOGIN\tMAILDIR\tRESTRICTED BY")
	for _, u := range users {
		apop := "no"
		if u.APOP {
			apop = "yes"
		}
		scheme := u.Scheme
		switch {
		case u.Closed != "":
			scheme = "closed by " + u.Closed
		case u.AppPasswordsOnly:
			scheme = "off"
		}
		fmt.Fprintf(out, "%s\t%s\t%s\t%d\t%s\t%s\t%s\n", u.User, scheme, apop, len(u.AppPasswords), latest(u.LastLogins), u.Maildrop, strings.Join(u.Restrictions, " "))
	}
	return out.Flush()
}

// lastLogins reads what is known of a user's last logins. They are for reading
// only: an error is a note, and the list goes on.
func lastLogins(folder datafolder.Folder, user string) map[string]lastlogin.Login {
	logins, err := lastlogin.Read(nil, folder.LastLogins(), user)
	if err != nil {
		fmt.Fprintf(os.Stderr, "note: the last logins of %s are not known: %v\n", user, err)
	}
	return logins
}

// latest is when the last of some logins was.
func latest(logins map[string]lastlogin.Login) string {
	var last time.Time
	for _, l := range logins {
		if l.Time.After(last) {
			last = l.Time
		}
	}
	return when(last)
}

// when is a time, to the minute, here.
func when(t time.Time) string {
	if t.IsZero() {
		return "never"
	}
	return t.Local().Format("2006-01-02 15:04")
}

// from is how and from where somebody has logged in.
func from(l lastlogin.Login) string {
	if l.Time.IsZero() {
		return ""
	}
	return fmt.Sprintf("%s by %s, %s", cmp.Or(visible(l.Address), "this machine"), visible(l.Mechanism), cmp.Or(visible(l.TLS), "no TLS"))
}

func printJSON(v any) error {
	out := json.NewEncoder(os.Stdout)
	out.SetIndent("", "  ")
	return out.Encode(v)
}
