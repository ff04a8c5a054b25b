// Postfach is the tool for people: it fetches mail, keeps accounts, delivers.
package main

import (
	"context"
	"errors"
	"os"
	"os/signal"
	"syscall"

	"github.com/alecthomas/kong"

	"postfach/internal/hint"
)

// cli is the command line: a field a command, each in the file of its name.
type cli struct {
	Get     getCmd     `cmd:"" help:"Fetch the mail of a maildrop once."`
	User    userCmd    `cmd:"" help:"Keep the accounts of a data folder."`
	Deliver deliverCmd `cmd:"" help:"Put a message from standard input into a maildrop."`
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

func main() { os.Exit(run(os.Args[1:])) }

func run(args []string) int {
	var c cli
	parser, err := kong.New(&c, kong.Name("postfach"), kong.UsageOnError(),
		kong.Description("Everything about a POP3 mailbox. Each command explains itself with --help."))
	if err != nil {
		hint.Print(os.Stderr, "postfach", err)
		return exitUsage
	}
	kctx, err := parser.Parse(args)
	if err != nil {
		hint.Print(os.Stderr, "postfach", hint.Add(err, "postfach --help"))
		return exitUsage
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	kctx.BindTo(ctx, (*context.Context)(nil))
	if err := kctx.Run(); err != nil {
		hint.Print(os.Stderr, "postfach", err)
		var exit *exitError
		if errors.As(err, &exit) {
			return exit.code
		}
		return exitFailed
	}
	return 0
}
