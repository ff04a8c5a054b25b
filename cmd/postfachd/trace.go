package main

import (
	"errors"
	"fmt"
	"log/slog"
	"os"

	"postfach/internal/hint"
	"postfach/internal/transcript"
	"postfach/internal/vfs"
	"postfach/pop3"
)

// A protocolLog is the file of --protocol-log. nil: there is none.
type protocolLog struct {
	file     vfs.File
	recorder *transcript.Recorder
}

// openProtocolLog opens the log, for its owner only: mail is in it. Nothing but
// a regular file will do, by its own name: whoever can put a link or a pipe in
// its place would have the mail, or another file of the server's written to.
func openProtocolLog(name string) (*protocolLog, error) {
	if name == "" {
		return nil, nil
	}
	file, err := vfs.OS{}.Append(name, 0o600)
	if err != nil {
		return nil, hint.Add(fmt.Errorf("open the protocol log: %w", err),
			"--protocol-log FILE must be a regular file, or none yet, where uid %d may write", os.Getuid())
	}
	info, err := file.Info()
	if mode := info.Mode.Perm(); err == nil && mode&0o077 != 0 {
		err = hint.Add(fmt.Errorf("the protocol log %s is open to others (mode %#o), and mail is to be written there", name, mode), "chmod 600 %s", name)
	}
	if err != nil {
		return nil, errors.Join(err, file.Close())
	}
	return &protocolLog{file, transcript.NewRecorder(file)}, nil
}

// trace is for pop3server.Server.Trace.
func (p *protocolLog) trace() func(pop3.TraceEvent) {
	if p == nil {
		return nil
	}
	return p.recorder.Record
}

// end writes what is left, and says if that, or something before, could not be
// written.
func (p *protocolLog) end(log *slog.Logger) {
	if p == nil {
		return
	}
	if err := errors.Join(p.recorder.Close(), p.file.Close()); err != nil {
		log.Error("the protocol log is not whole", "err", err)
	}
}
