// Postfachd is the POP3 server.
package main

import (
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"runtime"
	"syscall"

	"github.com/alecthomas/kong"

	"postfach/internal/confine"
	"postfach/internal/datafolder"
	"postfach/internal/hint"
	"postfach/internal/sockets"
	"postfach/internal/timers"
	"postfach/internal/version"
)

const (
	exitFailed = 1
	exitUsage  = 2
)

func main() { os.Exit(run(os.Args[1:], os.Stdout, os.Stderr)) }

// run is the program. It returns the exit code: 0 after SIGTERM or SIGINT.
func run(args []string, stdout, stderr io.Writer) int {
	var f flags
	parser, err := kong.New(&f, kong.Name("postfachd"), kong.Writers(stdout, stderr), kong.Vars{"version": version.String()},
		kong.Description("A POP3 server. Without any flag it makes what it needs, listens on this machine only, and says how to connect.\n\n"+
			"SIGHUP reads configuration, accounts and certificate again; SIGTERM ends, and deletes nothing that no QUIT has asked for.\n\n"+
			"Pages such as docs/running.md are in the source; installed, they are in /usr/share/doc/postfach."))
	if err != nil {
		hint.Print(stderr, "postfachd", err)
		return exitUsage
	}
	if _, err := parser.Parse(args); err != nil {
		hint.Print(stderr, "postfachd", hint.Add(hint.WithoutGuess(err), "postfachd --help"))
		return exitUsage
	}
	if err := f.addresses(); err != nil {
		hint.Print(stderr, "postfachd", err)
		return exitUsage
	}
	if f.Check {
		return check(&f, stdout, stderr)
	}
	timers.Late(timers.Slack)
	useMemoryLimit()
	defer runtime.KeepAlive(keepHeadroom())
	heard, stop := hear()
	defer stop()
	// Nobody who stops reading the log ends the server. (SIGXFSZ does not, either:
	// Go has the write fail.)
	signal.Ignore(syscall.SIGPIPE)
	journal := isJournal(stderr)
	late := newLateWriter(stderr, journal)
	defer late.Close()
	if err := serve(&f, heard, stdout, newLog(late, journal)); err != nil {
		hint.Print(failures(late, journal), "postfachd", atStart(err))
		return exitFailed
	}
	return 0
}

// serve is the life of the server, from top to bottom.
func serve(f *flags, heard signals, stdout io.Writer, log *slog.Logger) error {
	cfg, err := f.configuration()
	if err != nil {
		return err
	}
	for _, w := range cfg.Warnings {
		log.Warn("configuration", "warning", w)
	}
	folder := datafolder.Or(cfg.Data)
	if err := folder.Make(); err != nil {
		return err
	}
	if err := folder.Doubt(); err != nil {
		log.Warn("whose mail is it", "err", err)
	}
	syscall.Umask(0o077) // whatever is made from now on is nobody else's business
	manager, err := sockets.FindManager()
	if err != nil {
		log.Warn("the service manager hears nothing", "err", err)
	}
	defer manager.Close()
	given := sockets.Inherit()
	ready, forChallenges := assigned(cfg, given)
	opened, err := listenAll(cfg.Listeners, ready)
	if err != nil {
		return err
	}
	defer closeAll(opened)
	challenges, err := listenChallenges(cfg, forChallenges)
	if err != nil {
		return err
	}
	if challenges != nil {
		defer challenges.Close()
	}
	refuseRest(given, log)

	// Nothing below needs root or a capability, and nothing above looks into the
	// folder or reads what a client says.
	if err := folder.Enter(); err != nil {
		return err
	}
	if err := confine.Harden(); err != nil {
		log.Warn("not as confined as it could be", "err", err)
	}
	if err := checkAccountsFile(cfg, folder); err != nil {
		return err
	}
	if err := folder.MakeParts(); err != nil {
		return err
	}
	lock, err := lockFolder(folder)
	if err != nil {
		return err
	}
	defer lock.Close()
	record, err := openProtocolLog(f.ProtocolLog)
	if err != nil {
		return err
	}
	defer record.end(log)
	withdraw(folder) // what a server that was killed has told
	if err := checkReach(cfg, folder, log); err != nil {
		return err
	}
	first, err := firstStart(cfg, folder, opened)
	if err != nil {
		return err
	}
	d, err := newDaemon(f, cfg, folder, opened, record, log)
	if err != nil {
		return err
	}
	// All is open that must be; clients wait outside until here.
	d.manager, d.confined = manager, confineTo(cfg, folder, log)
	if err := d.tls.begin(cfg, challenges); err != nil {
		return err
	}
	defer d.tls.close()
	d.start()
	defer withdraw(folder)
	if err := announce(folder, opened, stdout); err != nil {
		d.close()
		return err
	}
	logListening(opened, log)
	manager.Ready(d.status())
	d.tellAccountFiles()
	if first != nil {
		fmt.Fprint(stdout, first.next(folder, opened))
	}
	return d.run(heard)
}
