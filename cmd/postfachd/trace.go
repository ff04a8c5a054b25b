package main

import (
	"errors"
	"fmt"
	"os"

	"postfach/internal/hint"
	"postfach/internal/transcript"
	"postfach/pop3"
)

// A protocolLog is the file of --protocol-log. nil: there is none.
type protocolLog struct {
	file     *os.File
	recorder *transcript.Recorder
}

// openProtocolLog opens the log, for its owner only: mail is in it.
func openProtocolLog(name string) (*protocolLog, error) {
	if name == "" {
		return nil, nil
	}
	file, err := os.OpenFile(name, os.O_WRONLY|os.O_APPEND|os.O_CREATE, 0o600)
	if err != nil {
		return nil, hint.Add(fmt.Errorf("open the protocol log: %w", err), "--protocol-log FILE must be writable")
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

// Close writes what is left. It returns the first error of all writes.
func (p *protocolLog) Close() error {
	if p == nil {
		return nil
	}
	return errors.Join(p.recorder.Close(), p.file.Close())
}
