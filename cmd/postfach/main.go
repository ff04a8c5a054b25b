// Postfach is the tool for people: it fetches mail, keeps accounts, delivers.
package main

import (
	"context"
	"errors"
	"os"
	"os/signal"
	"reflect"
	"slices"
	"strings"
	"syscall"

	"github.com/alecthomas/kong"

	"postfach/internal/hint"
	"postfach/internal/version"
)

// cli is the command line: a field a command, each in the file of its name.
type cli struct {
	Get        getCmd        `cmd:"" help:"Fetch the mail of a maildrop once."`
	Explore    exploreCmd    `cmd:"" help:"Show a maildrop on the terminal or in the browser: list, read, save, delete."`
	Check      checkCmd      `cmd:"" help:"Find out whether a POP3 connection works, or how well a server or a client keeps the rules."`
	Shell      shellCmd      `cmd:"" help:"Speak POP3 with a server by hand, and see what each line means."`
	Testserver testserverCmd `cmd:"" help:"Serve POP3 for tests, with faults on request."`
	User       userCmd       `cmd:"" help:"Keep the accounts of a data folder."`
	Deliver    deliverCmd    `cmd:"" help:"Put a message from standard input into a maildrop."`
	Bench      benchCmd      `cmd:"" help:"Measure how fast POP3 servers are."`

	Version kong.VersionFlag `help:"Say which version this is, and end."`
}

// Exit codes that all commands share; a command documents its own.
const (
	exitFailed = 1
	exitUsage  = 2
)

// An exitError gives an error its exit code. Others exit with exitFailed.
type exitError struct {
	error
	code int
}

func (e *exitError) Unwrap() error { return e.error }

// Error returns the error's text; an exitError may be nothing but a code.
func (e *exitError) Error() string {
	if e.error == nil {
		return ""
	}
	return e.error.Error()
}

// commandOf is the command that a person was about to type, as far as it is one.
func commandOf(err error) string {
	words := []string{"postfach"}
	var parse *kong.ParseError
	if errors.As(err, &parse) && parse.Context != nil {
		for _, p := range parse.Context.Path {
			if p.Command != nil {
				words = append(words, p.Command.Name)
			}
		}
	}
	return strings.Join(words, " ")
}

// usageCode is the exit code of a command line that is wrong. That of deliver
// stands in a mail server's configuration, where a slip must not make mail bounce.
func usageCode(args []string) int {
	if len(args) > 0 && args[0] == "deliver" {
		return exitTempFail
	}
	return exitUsage
}

func main() {
	collectLate()
	os.Exit(run(os.Args[1:]))
}

// grammar is a cli, with no other command than the one that is called, if that can be
// seen at once: to look at all of them takes longer than a short command runs.
func grammar(args []string) any {
	all := reflect.TypeFor[cli]()
	var called []reflect.StructField
	for f := range all.Fields() {
		if f.Type == reflect.TypeFor[kong.VersionFlag]() || len(args) > 0 && args[0] == strings.ToLower(f.Name) {
			called = append(called, f)
		}
	}
	if len(called) < 2 {
		return new(cli)
	}
	return reflect.New(reflect.StructOf(called)).Interface()
}

func run(args []string) int {
	parser, err := kong.New(grammar(args), kong.Name("postfach"), kong.UsageOnError(), kong.Vars{"version": version.String()},
		kong.Description("Everything about a POP3 mailbox. Each command explains itself with --help. Pages such as docs/accounts.md are in the source; installed, they are in /usr/share/doc/postfach."))
	if err != nil {
		hint.Print(os.Stderr, "postfach", err)
		return exitUsage
	}
	if len(args) > 0 && args[0] == "check" {
		for _, command := range parser.Model.Leaves(false) {
			if command.Name == args[0] {
				args = append([]string{args[0]}, together(command, args[1:])...)
			}
		}
	}
	kctx, err := parser.Parse(args)
	if err != nil {
		if slices.Contains(args, "--nagios") {
			return nagiosUsage(err)
		}
		hint.Print(os.Stderr, "postfach", hint.Add(hint.WithoutGuess(err), "%s --help", commandOf(err)))
		return usageCode(args)
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	kctx.BindTo(ctx, (*context.Context)(nil))
	if err := kctx.Run(); err != nil {
		var exit *exitError
		if !errors.As(err, &exit) {
			exit = &exitError{err, exitFailed}
		}
		if exit.error != nil { // nil: all has been said
			hint.Print(os.Stderr, "postfach", err)
		}
		return exit.code
	}
	return 0
}
