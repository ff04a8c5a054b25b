// Postfachd is the POP3 server.
package main

import (
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"runtime/debug"
	"syscall"

	"github.com/alecthomas/kong"

	"postfach/internal/config"
	"postfach/internal/confine"
	"postfach/internal/datafolder"
	"postfach/internal/hint"
	"postfach/internal/sockets"
)

// flags is the command line. What it says goes before the configuration.
type flags struct {
	Config      string  `help:"Configuration, in TOML. Without it, defaults hold." placeholder:"FILE" type:"path"`
	Data        string  `help:"Data folder (default: $$XDG_STATE_HOME/postfach, ~/.local/state/postfach; /var/lib/postfach for root)." placeholder:"DIR"`
	Pop3        *string `name:"pop3" help:"Listen here and on no other address without implicit TLS; TLS by STLS (default: 127.0.0.1:1110). Port 0: a free one. Empty: do not." placeholder:"ADDR"`
	Pop3s       *string `name:"pop3s" help:"Listen here and on no other address with implicit TLS (default: 127.0.0.1:1995). Empty: do not." placeholder:"ADDR"`
	ProtocolLog string  `help:"Append what crosses the wire, secrets replaced, to this file." placeholder:"FILE" type:"path"`
	Check       bool    `help:"Read configuration, accounts and certificates, say what is wrong with them, and end. Listens on nothing and changes nothing."`

	Version kong.VersionFlag `help:"Say which version this is, and end."`
}

const (
	exitFailed = 1
	exitUsage  = 2
)

func main() { os.Exit(run(os.Args[1:], os.Stdout, os.Stderr)) }

// run is the program. It returns the exit code: 0 after SIGTERM or SIGINT.
func run(args []string, stdout, stderr io.Writer) int {
	var f flags
	parser, err := kong.New(&f, kong.Name("postfachd"), kong.Writers(stdout, stderr), kong.Vars{"version": version()},
		kong.Description("A POP3 server. Without any flag it makes what it needs, listens on this machine only, and says how to connect.\n\n"+
			"SIGHUP reads configuration, accounts and certificate again; SIGTERM ends, and deletes nothing that no QUIT has asked for."))
	if err != nil {
		hint.Print(stderr, "postfachd", err)
		return exitUsage
	}
	if _, err := parser.Parse(args); err != nil {
		hint.Print(stderr, "postfachd", hint.Add(err, "postfachd --help"))
		return exitUsage
	}
	if err := f.addresses(); err != nil {
		hint.Print(stderr, "postfachd", err)
		return exitUsage
	}
	if f.Check {
		return check(&f, stdout, stderr)
	}
	signals := make(chan os.Signal, 4)
	signal.Notify(signals, syscall.SIGHUP, syscall.SIGTERM, syscall.SIGINT)
	defer signal.Stop(signals)
	// Nobody who stops reading the log ends the server. (SIGXFSZ does not, either:
	// Go has the write fail.)
	signal.Ignore(syscall.SIGPIPE)
	late := newLateWriter(stderr)
	defer late.Close()
	journal := isJournal(stderr)
	if err := serve(&f, signals, stdout, newLog(late, journal)); err != nil {
		hint.Print(failures(late, journal), "postfachd", err)
		return exitFailed
	}
	return 0
}

// serve is the life of the server, from top to bottom.
func serve(f *flags, signals <-chan os.Signal, stdout io.Writer, log *slog.Logger) error {
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
		log.Warn("whose mail is it", "err", err, "hint", hint.Of(err))
	}
	syscall.Umask(0o077) // whatever is made from now on is nobody else's business
	manager, err := sockets.FindManager()
	if err != nil {
		log.Warn("the service manager hears nothing", "err", err)
	}
	defer manager.Close()
	given := sockets.Inherit()
	opened, err := listenAll(cfg.Listeners, given)
	if err != nil {
		return err
	}
	defer closeAll(opened)
	challenges, err := listenChallenges(cfg, given)
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
	defer record.Close()
	can := checkDescriptors(cfg, log, capacity{})
	os.Remove(folder.Listeners()) // of a server that was killed
	os.Remove(folder.AccountFiles())
	if err := checkReach(f, cfg, folder); err != nil {
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
	d.capacity = can
	// All is open that must be; clients wait outside until here.
	d.manager, d.confined = manager, confineTo(cfg, f, folder, log)
	if err := d.tls.begin(cfg, folder, challenges, log); err != nil {
		return err
	}
	defer d.tls.close()
	d.start()
	if err := announce(folder, opened, stdout); err != nil {
		d.close()
		return err
	}
	logListening(opened, log)
	manager.Ready(d.status())
	d.tellAccountFiles()
	defer os.Remove(folder.Listeners())
	defer os.Remove(folder.AccountFiles())
	if first != nil {
		fmt.Fprint(stdout, first.next(folder, opened))
	}
	return d.run(signals)
}

// addresses looks at what the command line says of them. Empty is none.
func (f *flags) addresses() error {
	for _, l := range []struct {
		flag    string
		address *string
	}{{"--pop3", f.Pop3}, {"--pop3s", f.Pop3s}} {
		if l.address == nil || *l.address == "" {
			continue
		}
		if err := config.CheckAddress(*l.address); err != nil {
			return fmt.Errorf("%s %w", l.flag, err)
		}
	}
	return nil
}

// version is that of the module, as the build has it.
func version() string {
	if build, ok := debug.ReadBuildInfo(); ok && build.Main.Version != "" && build.Main.Version != "(devel)" {
		return build.Main.Version
	}
	return "devel"
}

// configuration is the file and, over it, the command line.
func (f *flags) configuration() (*config.Config, error) {
	cfg := config.Default()
	if f.Config != "" {
		var err error
		if cfg, err = config.Load(f.Config); err != nil {
			return nil, err
		}
	}
	if f.Data != "" {
		cfg.Data = kong.ExpandPath(f.Data) // not type:"path", which takes "" for the current folder
	}
	for _, l := range []struct {
		address  *string
		implicit bool
	}{{f.Pop3, false}, {f.Pop3s, true}} {
		if l.address == nil {
			continue
		}
		cfg.Listen(l.implicit, *l.address)
	}
	if len(cfg.Listeners) == 0 {
		return nil, hint.Add(fmt.Errorf("there is nothing to listen on"), "give --pop3 or --pop3s an address")
	}
	return cfg, nil
}
