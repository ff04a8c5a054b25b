package bench

import (
	"bufio"
	"os"
	"os/exec"
	"testing"
)

func pidIfKnown() int { return os.Getpid() }

// What a child used counts while it lives, and when it has ended.
func TestUsageHasChildrenThatHaveEnded(t *testing.T) {
	cmd := exec.Command("sh", "-c", `exec 3<&0 # what runs behind has no input else
work() { i=0; while [ $i -lt 100000 ]; do i=$((i+1)); done; }
(work)
echo ended
read line
(work; echo lives; read line <&3; :) &
wait`)
	in, err := cmd.StdinPipe()
	must(t, err)
	out, err := cmd.StdoutPipe()
	must(t, err)
	must(t, cmd.Start())
	lines := bufio.NewScanner(out)
	lines.Scan() // ended
	ended, err := ReadUsage(cmd.Process.Pid)
	must(t, err)
	if ended.CPU < 2*tick || ended.Processes != 1 {
		t.Errorf("the child that has ended: %+v", ended)
	}
	in.Write([]byte("\n"))
	lines.Scan() // lives
	both, err := ReadUsage(cmd.Process.Pid)
	must(t, err)
	if both.CPU < ended.CPU+2*tick || both.Processes != 2 {
		t.Errorf("then %+v, now %+v", ended, both)
	}
	m, err := ReadMemory(cmd.Process.Pid)
	must(t, err)
	if m.Octets < 64<<10 || m.Method != "pss" {
		t.Errorf("%+v", m)
	}
	in.Close()
	must(t, cmd.Wait())
	if _, err := ReadUsage(cmd.Process.Pid); err == nil {
		t.Error("reads what is not there")
	}
}
