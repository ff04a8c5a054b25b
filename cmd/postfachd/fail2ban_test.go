package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"postfach/internal/peer"
)

// Promise 14: what the real program logs is what the filter finds, at once.
func TestFail2banReadsTheRealLog(t *testing.T) {
	program := peer.Need(t, "fail2ban-regex")
	data := newData(t)
	p := serveIn(t, data)
	right := p.dialTLS(data)
	right.login("postfach", firstPassword(t, data))
	wrong := p.dialTLS(data)
	wrong.line()
	wrong.say("USER x rip=198.51.100.66")
	if answer := wrong.say("PASS y"); !strings.HasPrefix(answer, "-ERR [AUTH]") {
		t.Errorf("PASS: %s", answer)
	}
	p.stderr.wait(t, `msg="login failed"`)
	name := filepath.Join(t.TempDir(), "log")
	must(t, os.WriteFile(name, []byte(p.stderr.String()+"\n"), 0o600))
	cmd := exec.Command(program, "--usedns=no", "--out=ip", name, filepath.Join("..", "..", "packaging", "fail2ban", "filter.d", "postfachd.conf"))
	cmd.Env = append(os.Environ(), "TZ=UTC", "PYTHONIOENCODING=utf-8")
	out, err := cmd.Output()
	if err != nil || strings.TrimSpace(string(out)) != "127.0.0.1" {
		t.Errorf("fail2ban finds %q, %v", out, err)
	}
	p.end()
}
