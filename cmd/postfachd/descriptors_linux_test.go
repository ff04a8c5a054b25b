package main

import (
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"postfach/internal/peer"
)

// Promise 17: with fewer descriptors than clients want there are errors, and no
// crash, no hang and no busy loop. Who has a password gets in, while a hundred say
// nothing; and when the limit came as a surprise, at the latest after that.
func TestFewDescriptors(t *testing.T) {
	for _, surprise := range []bool{false, true} {
		t.Run(fmt.Sprint("surprise ", surprise), func(t *testing.T) {
			data := newData(t)
			var p *program
			if surprise {
				p = serveIn(t, data)
				lower(t, p, 8)
			} else {
				exe, err := os.Executable()
				must(t, err)
				p = started(t, exec.Command("sh", "-c", `ulimit -n 136 && exec "$0" "$@"`, exe, "--data", data, "--pop3", "127.0.0.1:0", "--pop3s", "127.0.0.1:0"))
				p.stdout.wait(t, "listening pop3s ")
				if line := p.stderr.wait(t, "as many connections as the limit of open files is enough for"); !strings.Contains(line, "connections=12 ") {
					t.Errorf("logged: %s", line)
				}
			}
			password := firstPassword(t, data)
			before := cpu(t, p)
			var silent []net.Conn
			for range 100 {
				conn, err := net.Dial("tcp", p.address("pop3"))
				must(t, err)
				defer conn.Close()
				silent = append(silent, conn)
			}
			for _, conn := range silent { // a greeting, or the end: it was accepted
				must(t, conn.SetReadDeadline(time.Now().Add(patience)))
				if _, err := conn.Read(make([]byte, 512)); errors.Is(err, os.ErrDeadlineExceeded) {
					t.Fatal(err)
				}
			}
			if surprise {
				p.stderr.wait(t, "connection not accepted")
				for _, conn := range silent {
					conn.Close()
				}
				restore(t, p)
			}
			for range 3 {
				c := p.dialTLS(data)
				c.login("postfach", password)
				if answer := c.say("QUIT"); !strings.HasPrefix(answer, "+OK") {
					t.Errorf("QUIT: %s", answer)
				}
				c.conn.Close()
			}
			if used := cpu(t, p) - before; used > 2*time.Second {
				t.Errorf("%v of CPU for a hundred connections that say nothing", used)
			}
			log := p.stderr.String()
			if n := strings.Count(log, "connection not accepted"); n > 2 || strings.Contains(log, "panic") || !strings.Contains(log, "reason=evicted") {
				t.Errorf("%d lines about accepting, log:\n%s", n, log)
			}
			p.end()
		})
	}
}

// lower lets a process open so many more descriptors.
func lower(t *testing.T, p *program, more int) {
	t.Helper()
	open, err := os.ReadDir(fmt.Sprintf("/proc/%d/fd", p.cmd.Process.Pid))
	must(t, err)
	setFiles(t, p, len(open)+more)
}

func restore(t *testing.T, p *program) {
	t.Helper()
	setFiles(t, p, 1000)
}

// setFiles sets the soft limit of a process, as the user that it has become: root
// may lack the right to.
func setFiles(t *testing.T, p *program, files int) {
	t.Helper()
	cmd := exec.Command(peer.Need(t, "prlimit"), "--pid", strconv.Itoa(p.cmd.Process.Pid), fmt.Sprintf("--nofile=%d:", files))
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", p.cmd.Process.Pid))
	must(t, err)
	_, uid, _ := strings.Cut(string(status), "Uid:\t")
	if id, err := strconv.ParseUint(strings.Fields(uid)[0], 10, 32); err != nil || int(id) != os.Getuid() {
		must(t, err)
		cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: uint32(id), Gid: uint32(id)}}
	}
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
}

// cpu is the time that a process has computed.
func cpu(t *testing.T, p *program) time.Duration {
	t.Helper()
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", p.cmd.Process.Pid))
	must(t, err)
	_, rest, _ := strings.Cut(string(stat), ") ") // the name may have spaces
	fields := strings.Fields(rest)
	const tick = 10 * time.Millisecond // USER_HZ is 100 everywhere
	var sum time.Duration
	for _, field := range fields[11:13] { // utime, stime
		ticks, err := strconv.Atoi(field)
		must(t, err)
		sum += time.Duration(ticks) * tick
	}
	return sum
}
