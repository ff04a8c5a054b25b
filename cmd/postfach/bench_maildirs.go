package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"

	"postfach/internal/bench"
	"postfach/internal/hint"
)

// benchMaildirsCmd makes Maildirs.
type benchMaildirsCmd struct {
	Dir      string `arg:"" help:"The folder that gets a Maildir for each user." type:"path"`
	User     string `help:"Their names; %d is a number, from 1." default:"user%d" placeholder:"PATTERN"`
	Users    int    `help:"How many." default:"1" placeholder:"N"`
	Messages int    `help:"Messages in each." default:"100" placeholder:"N"`
	Size     int    `help:"Octets of a message on the wire." default:"4000" placeholder:"N"`
	Sizes    string `help:"fixed, or real: half of the messages are smaller than --size, a few are very large." enum:"fixed,real" default:"fixed"`
	Names    string `help:"plain, or sizes: file names tell the message's size (,S= and ,W=)." enum:"plain,sizes" default:"plain"`
	Folder   string `help:"Where in the Maildir: cur or new." enum:"cur,new" default:"cur"`
	Seed     uint64 `help:"Other messages for each number." default:"1" placeholder:"N"`
	Owner    string `help:"Who gets the files, as numbers; for root." placeholder:"UID[:GID]"`
	JSON     bool   `name:"json" help:"Print JSON."`
}

// Help is what --help adds.
func (*benchMaildirsCmd) Help() string {
	return `The same flags make the same names and the same octets. Lines end with LF; some begin with a dot. The first line of each message, X-Bench-CRC32C, is a checksum of the rest, which postfach bench run verifies.

A Maildir that is there already is an error: no mail is touched.`
}

// Run makes the Maildirs.
func (c *benchMaildirsCmd) Run(ctx context.Context) error { return c.run(ctx, os.Stdout) }

func (c *benchMaildirsCmd) run(ctx context.Context, out io.Writer) error {
	if c.Users > 1 && !strings.Contains(c.User, "%d") {
		return &exitError{hint.Add(errors.New("all users would have the same name"), "put a %%d into --user"), exitUsage}
	}
	set := bench.MaildirSet{
		Dir: c.Dir, User: c.User, Users: c.Users, Messages: c.Messages, Size: c.Size,
		Real: c.Sizes == "real", Sizes: c.Names == "sizes", Folder: c.Folder, Seed: c.Seed,
	}
	if c.Owner != "" {
		var err error
		if set.Owner, err = parseOwner(c.Owner); err != nil {
			return &exitError{hint.Add(err, "for example --owner 65534:65534"), exitUsage}
		}
	}
	made, err := set.Make(ctx)
	if err != nil {
		if errors.Is(err, bench.ErrNotEmpty) {
			return hint.Add(err, "take a folder that is not there yet")
		}
		return err
	}
	if c.JSON {
		return json.NewEncoder(out).Encode(made)
	}
	_, err = fmt.Fprintf(out, "%d Maildirs in %s, %d messages, %d octets on the wire\n", made.Maildirs, c.Dir, made.Messages, made.Octets)
	return err
}

// parseOwner reads two numbers; the group is the user's where there is one.
func parseOwner(text string) (*[2]int, error) {
	user, group, both := strings.Cut(text, ":")
	if !both {
		group = user
	}
	uid, err := strconv.Atoi(user)
	gid, err2 := strconv.Atoi(group)
	if err := errors.Join(err, err2); err != nil || uid < 0 || gid < 0 {
		return nil, fmt.Errorf("--owner %q: not two numbers", text)
	}
	return &[2]int{uid, gid}, nil
}
