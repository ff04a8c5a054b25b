package main

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"os"
	"slices"
	"sync"
	"time"

	"postfach/internal/config"
	"postfach/internal/datafolder"
	"postfach/internal/lastlogin"
	"postfach/internal/sockets"
	"postfach/internal/vfs"
	"postfach/maildrop/maildir"
	"postfach/pop3server"
)

// A daemon is a server that runs: what it holds for its whole life, and the
// servers that sessions belong to. One goroutine, that of run, uses it.
type daemon struct {
	flags   *flags
	cfg     *config.Config
	folder  datafolder.Folder
	sockets []*socket
	record  *protocolLog
	log     *slog.Logger

	guard    pop3server.Guard // one for all servers, those before a reload among them
	confined confinement
	capacity capacity
	manager  *sockets.Manager // nil: nobody wants to hear how it is
	tls      *tlsState
	accounts *directory
	decoyKey []byte
	logins   *lastlogin.Recorder // nil: nobody writes them down
	store    *maildir.Store

	serving []*service     // one for each socket
	retired []*service     // those that still have sessions
	running sync.WaitGroup // calls of Serve
	failed  chan error     // from those
}

// A service is a Server and its turn at a socket.
type service struct {
	server *pop3server.Server
	turn   net.Listener
	over   chan struct{} // closed when it accepts no more
}

// idle reports whether all that it ever accepted is over.
func (s *service) idle() bool {
	select {
	case <-s.over:
		return s.server.Sessions() == 0
	default:
		return false
	}
}

// newDaemon reads all that a server needs. It changes nothing on disk, save that
// it makes keys where there are none: of decoys, and of session tickets.
func newDaemon(f *flags, cfg *config.Config, folder datafolder.Folder, sockets []*socket, record *protocolLog, log *slog.Logger) (*daemon, error) {
	d := &daemon{flags: f, cfg: cfg, folder: folder, sockets: sockets, record: record, log: log, failed: make(chan error, 1)}
	var err error
	if d.tls, err = newTLS(cfg, folder, log); err != nil {
		return nil, err
	}
	cfg.Limits.Connections, d.capacity = checkDescriptors(cfg, log, capacity{})
	d.readDecoyKey(log)
	if d.accounts, err = d.newDirectory(cfg, nil); err != nil {
		return nil, err
	}
	if err := d.accounts.Load(); err != nil {
		return nil, err
	}
	d.accounts.probe(context.Background(), log)
	d.accounts.TellMechanisms()
	d.logins = lastlogin.NewRecorder(nil, folder.LastLogins(), log)
	d.store = d.newStore(cfg, d.accounts)
	return d, nil
}

// newStore is the store of some accounts' maildrops.
func (d *daemon) newStore(cfg *config.Config, who *directory) *maildir.Store {
	vfs.OS{}.Boot() // which the store needs, and which confinement puts out of reach
	s := &maildir.Store{Path: d.reach(who.Maildir), Missing: d.folder.NoMaildir, Hostname: hostname(cfg), Index: d.folder.Index(), Log: d.log}
	if cfg.CreateMaildirs {
		s.Missing = func(dir string) error {
			_, err := d.folder.MakeMaildir(dir, false, s.Create)
			return err
		}
	}
	return s
}

// server is the configuration, as a Server for one listener.
func (d *daemon) server(l config.Listener) *pop3server.Server {
	c := d.cfg
	s := &pop3server.Server{
		Store:            advising{d.store},
		AllowCleartext:   l.AllowCleartext,
		Hostname:         hostname(c),
		Greeting:         c.Greeting,
		SignOff:          c.SignOff,
		Implementation:   "Postfach", // and no version (P3-GRT-14)
		Language:         c.Language,
		ExpireDays:       c.ExpireDays,
		Last:             c.Last,
		AnnounceHistoric: c.AnnounceHistoric,
		Limits: pop3server.Limits{
			Login:        c.Limits.Login.Duration,
			Idle:         c.Limits.Idle.Duration,
			Write:        c.Limits.Write.Duration,
			FailureDelay: c.Limits.FailureDelay.Duration,
			FailedLogins: c.Limits.FailedLogins,
			BadCommands:  c.Limits.BadCommands,
			AddressDelay: c.Limits.AddressDelay.Duration,

			Connections:           c.Limits.Connections,
			ConnectionsPerAddress: c.Limits.ConnectionsPerAddress,
			SessionsPerUser:       c.Limits.SessionsPerUser,
			StoreCalls:            c.Limits.StoreCalls,
		},
		Guard: &d.guard,
		Log:   d.log,
		Trace: d.record.trace(),
	}
	d.letIn(s)
	mine(s)
	if l.TLS != config.NoTLS {
		s.TLS = d.tls.certificates.Config()
	}
	return s
}

// start lets a new server serve at each socket. Servers that did so before
// keep their sessions and accept no more; those without sessions are forgotten.
func (d *daemon) start() {
	d.retired = slices.DeleteFunc(d.retired, (*service).idle)
	before := d.serving
	d.serving = nil
	for _, socket := range d.sockets {
		s := &service{d.server(socket.spec), socket.turn(d.cfg.Limits.Login.Duration), make(chan struct{})}
		d.serving = append(d.serving, s)
		accept := s.server.Serve
		if socket.spec.TLS == config.Implicit {
			accept = s.server.ServeTLS
		}
		d.running.Go(func() {
			defer close(s.over)
			d.end(accept(s.turn))
		})
	}
	for _, s := range before {
		s.turn.Close()
		d.retired = append(d.retired, s)
	}
}

// end looks at how a call of Serve ended. That its turn is over is no failure.
func (d *daemon) end(err error) {
	if errors.Is(err, net.ErrClosed) || errors.Is(err, pop3server.ErrServerClosed) {
		return
	}
	select {
	case d.failed <- err:
	default: // one is enough to end the program
	}
}

// run obeys signals until one of them ends it. While a reload is being prepared,
// SIGHUP waits, and nothing else. It reads no file that a configuration names: whoever
// does must not be waited for.
func (d *daemon) run(heard signals) error {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	go giveMemoryBack(ctx)
	pulse := time.Tick(d.manager.Pulse()) // nil where there is no watchdog
	var plans <-chan *plan                // nil while none is being made
	var looks <-chan func() bool          // nil while nobody looks after certificates
	for {
		hup, minute := heard.hup, d.tls.minute
		if plans != nil {
			hup = nil
		}
		if looks != nil {
			minute = nil
		}
		select {
		case sig := <-heard.end:
			return d.shutdown(sig, heard.end)
		case <-hup:
			d.manager.Reloading()
			plans = d.reload(ctx)
		case p := <-plans:
			plans = nil
			d.use(p)
			d.manager.Ready(d.status())
		case <-pulse: // from the goroutine that has to live, and not from another one
			d.manager.Alive()
		case now := <-minute:
			looks = d.tls.look(now)
		case use := <-looks:
			looks = nil
			if use() {
				d.start()
			}
		case err := <-d.failed:
			d.close()
			return err
		}
	}
}

// shutdown lets what has begun end, for the grace period, or until a second
// signal. Nothing is deleted that no QUIT has asked for (P3-ST-15).
func (d *daemon) shutdown(sig os.Signal, again <-chan os.Signal) error {
	d.manager.Stopping(d.cfg.ShutdownGrace.Duration)
	d.log.Info("ending", "signal", sig.String(), "grace", d.cfg.ShutdownGrace.Duration)
	ctx, cancel := context.WithTimeout(context.Background(), d.cfg.ShutdownGrace.Duration)
	defer cancel()
	go func() {
		select {
		case <-again:
			cancel()
		case <-ctx.Done():
		}
	}()
	closeAll(d.sockets)
	var servers sync.WaitGroup
	for _, s := range d.all() {
		servers.Go(func() {
			if err := s.Shutdown(ctx); err != nil {
				d.log.Warn("sessions cut off", "err", err)
			}
		})
	}
	servers.Wait()
	d.running.Wait()
	d.closeAccounts()
	d.log.Info("ended")
	return nil
}

// close ends everything at once.
func (d *daemon) close() {
	closeAll(d.sockets)
	for _, s := range d.all() {
		s.Close()
	}
	d.running.Wait()
	d.closeAccounts()
}

// closeAccounts writes down the last logins and ends what the accounts' sources
// hold.
func (d *daemon) closeAccounts() {
	d.logins.Close()
	if err := d.accounts.closeExcept(nil); err != nil {
		d.log.Error("accounts not closed", "err", err)
	}
}

func (d *daemon) all() []*pop3server.Server {
	var all []*pop3server.Server
	for _, s := range slices.Concat(d.retired, d.serving) {
		all = append(all, s.server)
	}
	return all
}
