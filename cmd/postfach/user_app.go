package main

import (
	"errors"
	"fmt"
	"os"
	"text/tabwriter"

	"postfach/internal/accounts"
	"postfach/internal/hint"
	"postfach/internal/lastlogin"
)

// userAppCmd keeps the app passwords of an account: one for each program or
// device, so that one can be taken away without the others.
type userAppCmd struct {
	Add    userAppAddCmd    `cmd:"" help:"Make a password for one program, and show it once."`
	List   userAppListCmd   `cmd:"" help:"List the account's passwords, and when each was last used."`
	Remove userAppRemoveCmd `cmd:"" help:"Take a password away. It lets nobody in from then on."`
}

type userAppAddCmd struct {
	User string `arg:""`
	Name string `arg:"" help:"What it is for, such as phone: a-z 0-9 . _ -"`
	dataFlag
	AppPasswordsOnly bool `help:"Switch the account's own password off, too."`
}

func (c *userAppAddCmd) Run() error {
	editor, err := c.editor(c.User)
	if err != nil {
		return err
	}
	password, err := editor.AddApp(c.User, c.Name)
	if errors.Is(err, accounts.ErrAppExists) {
		return hint.Add(err, "choose another name, or take that one away with postfach user app remove %s %s", c.User, c.Name)
	}
	if err != nil {
		return c.hinted(err)
	}
	// Of an earlier one of that name.
	if err := lastlogin.Remove(nil, c.folder().LastLogins(), c.User, c.Name); err != nil {
		fmt.Fprintf(os.Stderr, "note: %v\n", err)
	}
	fmt.Printf("app password of %s for %s, shown only now: %s\n", c.User, c.Name, password)
	fmt.Fprintln(os.Stderr, "note: the dashes are part of it")
	if !c.AppPasswordsOnly {
		return nil
	}
	return c.setMain(editor, c.User, false)
}

type userAppListCmd struct {
	User string `arg:""`
	dataFlag
	JSON bool `name:"json" help:"As JSON."`
}

func (c *userAppListCmd) Run() error {
	editor, err := c.editor(c.User)
	if err != nil {
		return err
	}
	a, err := findAccount(editor, c.User)
	if err != nil {
		return c.hinted(err)
	}
	u := c.listed(a)
	if c.JSON {
		return printJSON(u)
	}
	out := tabwriter.NewWriter(os.Stdout, 0, 0, 2, ' ', 0)
	fmt.Fprintln(out, "NAME\tMADE\tLAST LOGIN\tFROM")
	main := "its own password"
	if u.AppPasswordsOnly {
		main += ", off"
	}
	fmt.Fprintf(out, "(%s)\t\t%s\t%s\n", main, when(u.LastLogins[""].Time), from(u.LastLogins[""]))
	for _, p := range u.AppPasswords {
		l := u.LastLogins[p.Name]
		fmt.Fprintf(out, "%s\t%s\t%s\t%s\n", p.Name, p.Made, when(l.Time), from(l))
	}
	return out.Flush()
}

type userAppRemoveCmd struct {
	User string `arg:""`
	Name string `arg:""`
	dataFlag
}

func (c *userAppRemoveCmd) Run() error {
	editor, err := c.editor(c.User)
	if err != nil {
		return err
	}
	err = editor.RemoveApp(c.User, c.Name)
	if errors.Is(err, accounts.ErrNoApp) {
		return hint.Add(err, "postfach user app list %s %s", c.User, c.flags())
	}
	if err != nil {
		return c.hinted(err)
	}
	fmt.Printf("app password of %s for %s removed\n", c.User, c.Name)
	noteBad(editor)
	if a, err := findAccount(editor, c.User); err == nil && a.AppPasswordsOnly && len(a.AppPasswords) == 0 {
		fmt.Fprintf(os.Stderr, "note: it was the last one, and the account's own password is off: no password lets anybody in to %s. postfach user app add %[1]s NAME makes a new one, postfach user main %[1]s on switches the old one on\n", c.User)
	}
	if err := lastlogin.Remove(nil, c.folder().LastLogins(), c.User, c.Name); err != nil {
		fmt.Fprintf(os.Stderr, "note: %v\n", err)
	}
	return nil
}

// userMainCmd switches the account's own password on and off.
type userMainCmd struct {
	User  string `arg:""`
	State string `arg:"" name:"on|off" enum:"on,off" help:"Whether it lets somebody in."`
	dataFlag
}

func (c *userMainCmd) Run() error {
	editor, err := c.editor(c.User)
	if err != nil {
		return err
	}
	return c.setMain(editor, c.User, c.State == "on")
}

func (d *dataFlag) setMain(editor accounts.Editor, user string, on bool) error {
	if err := editor.SetMain(user, on); err != nil {
		return d.hinted(err)
	}
	if on {
		fmt.Printf("%s can log in with the account's own password\n", user)
	} else {
		fmt.Printf("%s can log in with app passwords only\n", user)
	}
	return nil
}
