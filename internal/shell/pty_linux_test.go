package shell

import (
	"bytes"
	"fmt"
	"os"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"postfach/internal/explain"
	"postfach/internal/transcript"
)

// A ptyScreen is a terminal that a test looks at: the rows that a person sees,
// with those that have scrolled away.
type ptyScreen struct {
	t      *testing.T
	master *os.File
	slave  *os.File
	width  int

	mu      sync.Mutex // guards what is below
	changed chan struct{}
	raw     bytes.Buffer
	rows    [][]rune
	x, y    int
	pending []byte // an escape sequence, or a character, that is not complete
	done    chan struct{}
	drawn   chan struct{} // closed when the session's last octet is on the screen
}

func openPTY(t *testing.T, width, height int) *ptyScreen {
	t.Helper()
	master, err := os.OpenFile("/dev/ptmx", os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		t.Fatal(err)
	}
	if err := unix.IoctlSetPointerInt(fd(master), unix.TIOCSPTLCK, 0); err != nil {
		t.Fatal(err)
	}
	n, err := unix.IoctlGetInt(fd(master), unix.TIOCGPTN)
	if err != nil {
		t.Fatal(err)
	}
	slave, err := os.OpenFile("/dev/pts/"+strconv.Itoa(n), os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		t.Fatal(err)
	}
	size := &unix.Winsize{Row: uint16(height), Col: uint16(width)}
	if err := unix.IoctlSetWinsize(fd(master), unix.TIOCSWINSZ, size); err != nil {
		t.Fatal(err)
	}
	p := &ptyScreen{t: t, master: master, slave: slave, width: width, changed: make(chan struct{}, 1), done: make(chan struct{}), drawn: make(chan struct{}), rows: [][]rune{nil}}
	go p.pump()
	t.Cleanup(func() {
		slave.Close()
		master.Close()
		<-p.done
	})
	return p
}

func (p *ptyScreen) pump() {
	defer close(p.done)
	buffer := make([]byte, 4096)
	for {
		n, err := p.master.Read(buffer)
		p.mu.Lock()
		p.raw.Write(buffer[:n])
		p.draw(buffer[:n])
		p.mu.Unlock()
		select {
		case p.changed <- struct{}{}:
		default:
		}
		if err != nil {
			return
		}
	}
}

// draw knows the few sequences that the line editor and the shell use.
func (p *ptyScreen) draw(octets []byte) {
	octets = append(p.pending, octets...)
	p.pending = nil
	for len(octets) > 0 {
		switch c := octets[0]; {
		case c == 0: // the test's mark: all has been drawn
			close(p.drawn)
		case c == '\r':
			p.x = 0
		case c == '\n':
			p.down(1)
		case c == 0x1b:
			end := bytes.IndexFunc(octets, func(r rune) bool { return 'A' <= r && r <= 'Z' || 'a' <= r && r <= 'z' })
			if end < 0 {
				p.pending = append(p.pending, octets...)
				return
			}
			p.escape(string(octets[2:end]), octets[end])
			octets = octets[end:]
		default:
			r := []rune(string(octets[:1]))
			if c >= 0x80 {
				n := 2
				if c >= 0xe0 {
					n = 3
				}
				if len(octets) < n {
					p.pending = append(p.pending, octets...)
					return
				}
				r = []rune(string(octets[:n]))
				octets = octets[n-1:]
			}
			p.put(r[0])
		}
		octets = octets[1:]
	}
}

func (p *ptyScreen) down(n int) {
	p.y += n
	for len(p.rows) <= p.y {
		p.rows = append(p.rows, nil)
	}
}

func (p *ptyScreen) put(r rune) {
	if p.x == p.width {
		p.x = 0
		p.down(1)
	}
	for len(p.rows[p.y]) <= p.x {
		p.rows[p.y] = append(p.rows[p.y], ' ')
	}
	p.rows[p.y][p.x] = r
	p.x++
}

func (p *ptyScreen) escape(arg string, what byte) {
	n, err := strconv.Atoi(strings.TrimPrefix(arg, "["))
	if err != nil {
		n = 1
	}
	switch what {
	case 'A':
		p.y = max(0, p.y-n)
	case 'B':
		p.down(n)
	case 'C':
		p.x = min(p.width-1, p.x+n)
	case 'D':
		p.x = max(0, p.x-n)
	case 'J':
		p.rows = p.rows[:p.y+1]
		p.rows[p.y] = p.rows[p.y][:min(p.x, len(p.rows[p.y]))]
	case 'K':
		p.rows[p.y] = p.rows[p.y][:min(p.x, len(p.rows[p.y]))]
	case 'm':
	default:
		p.t.Errorf("unknown sequence ESC%s%c", arg, what)
	}
}

// text is what stands on the screen.
func (p *ptyScreen) text() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	var b strings.Builder
	for _, row := range p.rows {
		fmt.Fprintln(&b, strings.TrimRight(string(row), " "))
	}
	return strings.TrimRight(b.String(), "\n") + "\n"
}

// wait waits until the screen shows text at its end.
func (p *ptyScreen) wait(text string) {
	p.t.Helper()
	limit := time.After(20 * time.Second)
	for !strings.HasSuffix(strings.TrimRight(p.text(), "\n "), strings.TrimRight(text, " ")) {
		select {
		case <-p.changed:
		case <-limit:
			p.t.Fatalf("waited for %q, and there is\n%s", text, p.text())
		}
	}
}

func (p *ptyScreen) send(keys string) {
	p.t.Helper()
	if _, err := p.master.WriteString(keys); err != nil {
		p.t.Fatal(err)
	}
}

// everything is all that was ever written to the terminal.
func (p *ptyScreen) everything() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.raw.String()
}

// person starts a session at the terminal. end waits for it.
func (p *ptyScreen) person(addr string, change func(*Options)) (end func() error, log *bytes.Buffer) {
	p.t.Helper()
	log = new(bytes.Buffer)
	recorder := transcript.NewRecorder(log)
	o := Options{
		Target: target(p.t, addr), In: p.slave, Out: p.slave, Timeout: 10 * time.Second,
		Look: Look{Lang: explain.English, NoTimes: true}, Trace: recorder.Record,
	}
	if change != nil {
		change(&o)
	}
	ended := make(chan error, 1)
	go func() { ended <- Run(p.t.Context(), o) }()
	return func() error {
		err := <-ended
		if _, werr := p.slave.Write([]byte{0}); werr != nil {
			p.t.Error(werr)
		}
		<-p.drawn
		if cerr := recorder.Close(); cerr != nil {
			p.t.Error(cerr)
		}
		return err
	}, log
}
