package shell

import (
	"bytes"
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"postfach/internal/awkward"
	"postfach/internal/transcript"
)

// Long replies fold; /show shows them in full, /save writes them octet for
// octet, for their owner only, and never over another file.
func TestBodies(t *testing.T) {
	srv := serve(t, simple(), awkward.Maildrop("box3"))
	file := filepath.Join(t.TempDir(), "message")
	p := play(t, srv.addr, login+"RETR 1\n/save "+file+"\nRETR 2\nUIDL\n/show\n", nil)
	if p.err != nil {
		t.Error(p.err)
	}
	got, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if want := awkward.Maildrop("box3")[0].Wire(); !bytes.Equal(got, want) {
		t.Errorf("saved %q, want %q", got, want)
	}
	if info, err := os.Stat(file); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("%v, %v", info.Mode(), err)
	}
	contains(t, p.out, "54 octets written to", "\nS: ...two ", "more lines (/show, /save FILE)")
	p = play(t, srv.addr, login+"RETR 2\n/save "+file+"\n", nil)
	if !errors.Is(p.err, ErrScript) {
		t.Error(p.err)
	}
	if again, err := os.ReadFile(file); err != nil || !bytes.Equal(again, got) {
		t.Errorf("overwritten: %q, %v", again, err)
	}
	p = play(t, srv.addr, login+"RETR 2\n/show\n", nil)
	text := bytes.ReplaceAll(awkward.Maildrop("box3")[1].Wire(), []byte("\r"), nil)
	contains(t, p.out, "\n"+string(text))
	if p := play(t, srv.addr, "/show\n", nil); !errors.Is(p.err, ErrScript) {
		t.Error(p.err)
	}
}

// The lines of a message are shown as they came, and counted in full, however
// long they are and however wrongly they are stuffed.
func TestBodyLinesAsTheyCame(t *testing.T) {
	long := strings.Repeat("x", 5000)
	p := play(t, fake(t, "S: +OK\nC: USER u\nS: +OK\nC: PASS p\nS: +OK\nC: LIST 1\nS: +OK 1 5016\nC: RETR 1\nS: +OK\nS: .dot\nS: ..two\nS: ..\nS: "+long+"\nS: .\n(hangup)\n", transcript.Options{}),
		"USER u\nPASS p\nLIST 1\nRETR 1\n", nil)
	contains(t, p.out, "S: .dot ", "should have doubled", "S: ..two ", "S: .. ", "4 lines with 5,016 octets")
	if strings.Contains(p.out, "But LIST") || strings.Contains(p.out, strings.Repeat("x", 3000)) {
		t.Error(p.out)
	}
}

// A long reply that scrolls by can be interrupted, as all that takes long.
func TestShowIsInterrupted(t *testing.T) {
	addr := fake(t, "S: +OK\nC: USER u\nS: +OK\nC: PASS p\nS: +OK\nC: RETR 1\nS: +OK\nS: a\nS: b\nS: c\nS: d\nS: e\nS: f\nS: g\nS: h\nS: i\nS: stop here\nS: never shown\nS: .\n(hangup)\n", transcript.Options{})
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	out := &stopper{at: "stop here", stop: cancel}
	err := Run(ctx, Options{
		Target: target(t, addr), In: strings.NewReader("USER u\nPASS p\nRETR 1\n/show\n"), Out: out,
		Timeout: 10 * time.Second, Look: Look{NoTimes: true},
	})
	if !errors.Is(err, ErrLost) || !strings.Contains(out.String(), "stop here") || strings.Contains(out.String(), "never shown") {
		t.Errorf("%v\n%s", err, out)
	}
}

// A stopper interrupts when a text is shown.
type stopper struct {
	bytes.Buffer
	at   string
	stop func()
}

func (s *stopper) Write(p []byte) (int, error) {
	if bytes.Contains(p, []byte(s.at)) {
		s.stop()
	}
	return s.Buffer.Write(p)
}
