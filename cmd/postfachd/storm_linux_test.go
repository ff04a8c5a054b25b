package main

import (
	"bufio"
	"bytes"
	"crypto/tls"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
)

// The storm: what comes at once, while one client reads its mail.
const (
	stormSilent    = 1000     // connections that say nothing, half of them in front of a TLS handshake
	stormLine      = 64 << 20 // octets of a line without an end
	stormCommands  = 20_000   // at random, by stormTalkers
	stormTalkers   = 20
	stormGuesses   = 60 // wrong passwords, in parallel
	stormStrangers = 5  // accounts that nobody has logged in to before the storm

	// What promise 15 allows, in octets.
	beforeLogin = 64 << 10
	afterLogin  = 256 << 10
)

// Promises 13, 15 and 16 against the real program: under all of that a client that
// is logged in notices nothing, somebody new gets in, nobody with a wrong password
// does, and memory stays within its bounds.
func TestStormIsNotNoticed(t *testing.T) {
	data := begunData(t)
	config := filepath.Join(filepath.Dir(data), "postfachd.toml")
	must(t, os.WriteFile(config, []byte("limits.login = \"25s\"\n"), 0o644)) // guesses wait for each other until then
	p := serveIn(t, data, "--config", config)
	password := firstPassword(t, data)
	addAccount(t, data, "second", "p w")
	for i := range stormStrangers {
		addAccount(t, data, fmt.Sprint("stranger", i), fmt.Sprint("password ", i))
	}
	calm := p.dialTLS(data)
	calm.login("postfach", password)
	calm.conn.SetDeadline(time.Now().Add(5 * time.Minute))
	quiet := memory(t, p, "VmRSS:")

	over := make(chan struct{})
	reader := make(chan time.Duration, 1)
	go func() { reader <- calm.readOn(over) }()

	for i := range stormSilent {
		conn, err := from(i).Dial("tcp", p.address([]string{"pop3", "pop3s"}[i%2]))
		must(t, err)
		defer conn.Close()
	}
	t.Logf("memory with %d silent connections: %d KiB more", stormSilent, (memory(t, p, "VmRSS:")-quiet)>>10)
	fastest := time.Hour
	for range 5 {
		begun := time.Now()
		c := p.dialTLS(data)
		c.login("second", "p w")
		fastest = min(fastest, time.Since(begun))
		c.say("QUIT")
		c.conn.Close()
	}
	if fastest > time.Second {
		t.Errorf("with %d silent connections the fastest of five logins takes %s", stormSilent, fastest)
	}

	var storm sync.WaitGroup
	storm.Go(func() { p.longLine(t, "pop3", nil, "") })
	storm.Go(func() { p.longLine(t, "pop3", nil, "AUTH PLAIN\r\n") })
	storm.Go(func() { p.longLine(t, "pop3s", trusting(t, data), "USER x\r\nPASS ") })
	storm.Go(func() { p.longLine(t, "pop3s", trusting(t, data), "USER second\r\nPASS p w\r\n") })
	for i := range stormTalkers {
		storm.Go(func() { p.babble(t, rand.New(rand.NewPCG(1, uint64(i)))) })
	}
	for range stormGuesses {
		storm.Go(func() { p.guess(t) })
	}
	stranger := p.logInOnce(t, data)
	storm.Wait()
	close(over)
	slowest := <-reader

	t.Logf("login %s, slowest first login of an account in the storm %s, slowest answer %s, memory %d KiB more at most", fastest, stranger, slowest, (memory(t, p, "VmHWM:")-quiet)>>10)
	if stranger > 10*time.Second {
		t.Errorf("in the storm the slowest first login of an account takes %s", stranger)
	}
	if slowest > 3*time.Second {
		t.Errorf("the slowest answer takes %s", slowest)
	}
	connections := stormSilent + stormTalkers + stormGuesses + 4
	if grown, allowed := memory(t, p, "VmHWM:")-quiet, connections*beforeLogin+2*afterLogin; grown > allowed && !underRace {
		t.Errorf("memory grows by %d KiB, and %d are allowed", grown>>10, allowed>>10)
	}
	if answer := calm.say("QUIT"); !strings.HasPrefix(answer, "+OK") {
		t.Errorf("QUIT: %s", answer)
	}
	if log := p.stderr.String(); strings.Contains(log, "panic") {
		t.Error("a panic")
	}
}

// logInOnce logs in to accounts whose passwords have not been checked before, so
// that all the work is done, and returns how long the slowest took, from connect to
// the maildrop.
func (p *program) logInOnce(t *testing.T, data string) (slowest time.Duration) {
	t.Helper()
	for i := range stormStrangers {
		begun := time.Now()
		c := p.dialTLS(data)
		c.login(fmt.Sprint("stranger", i), fmt.Sprint("password ", i))
		slowest = max(slowest, time.Since(begun))
		c.say("QUIT")
		c.conn.Close()
	}
	return slowest
}

// readOn reads its mail again and again, and returns how long the slowest answer
// took. Each must be the same as the first.
func (c *client) readOn(over <-chan struct{}) (slowest time.Duration) {
	commands := []string{"NOOP", "STAT", "LIST", "UIDL", "RETR 1", "TOP 2 3"}
	first := map[string]string{}
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for i := 0; ; i++ {
		command := commands[i%len(commands)]
		begun := time.Now()
		fmt.Fprintf(c.conn, "%s\r\n", command)
		answer, err := readAnswer(c.r, i%len(commands) >= 2)
		slowest = max(slowest, time.Since(begun))
		if err != nil || !strings.HasPrefix(answer, "+OK") || first[command] != "" && answer != first[command] {
			c.t.Errorf("%s: %q, %v", command, answer[:min(len(answer), 80)], err)
			return slowest
		}
		first[command] = answer
		select {
		case <-over:
			return slowest
		case <-tick.C:
		}
	}
}

// longLine says something, and then a line that does not end. That the server
// hangs up is no error.
func (p *program) longLine(t *testing.T, protocol string, config *tls.Config, before string) {
	var conn net.Conn
	conn, err := from(0).Dial("tcp", p.address(protocol))
	if err != nil {
		t.Error(err)
		return
	}
	defer conn.Close()
	conn.SetDeadline(time.Now().Add(time.Minute))
	if config != nil {
		conn = tls.Client(conn, config)
	}
	go io.Copy(io.Discard, conn)
	io.WriteString(conn, before)
	piece := bytes.Repeat([]byte("x"), 64<<10)
	for sent := 0; sent < stormLine; sent += len(piece) {
		if _, err := conn.Write(piece); err != nil {
			return
		}
	}
}

// babble says commands at random, on as many connections as the server lets it
// have.
func (p *program) babble(t *testing.T, random *rand.Rand) {
	keywords := []string{"USER", "PASS", "APOP", "AUTH", "AUTH PLAIN", "STAT", "LIST", "RETR", "DELE", "NOOP", "RSET", "TOP", "UIDL", "CAPA", "LANG", "UTF8", "XYZZY", "", "user", "\x00", "AUTH SCRAM-SHA-256"}
	arguments := []string{"", " ", " 1", " -1", " 99999999999", " postfach", " en", " =", " *", " AAAA", " \xff\xfe", " a b c", " " + strings.Repeat("y", 3000)}
	for said := 0; said < stormCommands/stormTalkers; {
		conn, err := from(1).Dial("tcp", p.address("pop3"))
		if err != nil {
			t.Error(err)
			return
		}
		conn.SetDeadline(time.Now().Add(time.Minute))
		r := bufio.NewReader(conn)
		for said < stormCommands/stormTalkers {
			keyword := keywords[random.IntN(len(keywords))]
			if keyword == "PASS" || keyword == "AUTH PLAIN" || keyword == "APOP" {
				keyword = "CAPA" // a failed login waits: that is for those who guess
			}
			said++
			if _, err := fmt.Fprintf(conn, "%s%s\r\n", keyword, arguments[random.IntN(len(arguments))]); err != nil {
				break
			}
			if _, err := r.ReadString('\n'); err != nil {
				break
			}
		}
		conn.Close()
	}
}

// guess tries one wrong password.
func (p *program) guess(t *testing.T) {
	conn, err := (&net.Dialer{Timeout: patience, LocalAddr: &net.TCPAddr{IP: net.IPv4(127, 0, 2, 1)}}).Dial("tcp", p.address("pop3"))
	if err != nil {
		t.Error(err)
		return
	}
	defer conn.Close()
	conn.SetDeadline(time.Now().Add(2 * time.Minute))
	r := bufio.NewReader(conn)
	fmt.Fprint(conn, "USER postfach\r\nPASS guess\r\n")
	for {
		line, err := r.ReadString('\n')
		if strings.HasPrefix(line, "+OK") && strings.Contains(line, "maildrop") {
			t.Error("a wrong password lets in")
		}
		if err != nil || strings.HasPrefix(line, "-ERR") {
			return
		}
	}
}

// memory returns a line of /proc/PID/status, in octets.
func memory(t *testing.T, p *program, which string) int {
	t.Helper()
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", p.cmd.Process.Pid))
	must(t, err)
	fields := strings.Fields(string(status))
	i := slices.Index(fields, which)
	kib, err := strconv.Atoi(fields[i+1])
	must(t, err)
	return kib << 10
}
