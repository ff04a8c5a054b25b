package main

import (
	"fmt"
	"os"
	"slices"
	"strings"

	"postfach/internal/accounts"
	"postfach/internal/accounts/sources"
	"postfach/internal/config"
)

// noteScheme says what a scheme costs everybody else.
func (d *dataFlag) noteScheme(scheme string) {
	if strings.EqualFold(scheme, accounts.Argon2id) && (d.cfg == nil || len(d.cfg.Mechanisms) == 0) {
		fmt.Fprintln(os.Stderr, "note: SCRAM-SHA-256 is offered while every open account can use it; with this account it is not, unless mechanisms in the server's configuration lists it")
	}
}

// noteOrder says which other sources have an earlier word about a name.
func (d *dataFlag) noteOrder(e accounts.Editor, user string) {
	specs := sources.Of(d.cfg)
	i := slices.IndexFunc(specs, func(s config.Source) bool {
		return s.Type == config.FileSource && sources.FilePath(s, d.folder()) == e.Path
	})
	for _, s := range specs[:max(i, 0)] {
		fmt.Fprintf(os.Stderr, "note: the server asks %s first: if that knows %s, what %s says of it is not looked at\n", s.Type, user, e.Path)
	}
}

// noteBad tells what else in a file keeps the server from reading it.
func noteBad(e accounts.Editor) {
	if _, err := e.List(); err != nil {
		fmt.Fprintf(os.Stderr, "note: the server cannot read the file yet, and goes on with the accounts that it has:\n%v\n", err)
	}
}
