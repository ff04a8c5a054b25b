//go:build unix

package privilege

import (
	"fmt"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
)

func TestRootIsNotBecome(t *testing.T) {
	for _, id := range [][2]int{{0, 1}, {1, 0}, {-1, 1}, {1, -1}} {
		if err := Become(id[0], id[1]); err == nil {
			t.Fatalf("became %v", id)
		}
	}
}

func TestRootIsGivenUpForGood(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("only root can give root up")
	}
	const child, uid, gid = "PRIVILEGE_TEST_CHILD", 12345, 23456
	if os.Getenv(child) == "" {
		exe, err := os.Executable()
		if err != nil {
			t.Fatal(err)
		}
		cmd := exec.Command(exe, "-test.run=^"+t.Name()+"$")
		cmd.Env = append(os.Environ(), child+"=1")
		cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Groups: []uint32{0, 4}}}
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("%v\n%s", err, out)
		}
		return
	}
	if !Root() {
		t.Fatal("not root")
	}
	if err := Become(uid, gid); err != nil {
		t.Fatal(err)
	}
	if Root() {
		t.Error("still root")
	}
	if err := Become(1, 1); err == nil {
		t.Error("root can be had back")
	}
	tasks, err := os.ReadDir("/proc/self/task")
	if err != nil {
		return // not Linux
	}
	for _, task := range tasks {
		status, err := os.ReadFile("/proc/self/task/" + task.Name() + "/status")
		if err != nil {
			t.Error(err)
		}
		for _, want := range []string{
			fmt.Sprintf("Uid:\t%d\t%[1]d\t%[1]d\t%[1]d\n", uid),
			fmt.Sprintf("Gid:\t%d\t%[1]d\t%[1]d\t%[1]d\n", gid),
			fmt.Sprintf("Groups:\t%d \n", gid),
			"CapPrm:\t0000000000000000\n", "CapEff:\t0000000000000000\n",
		} {
			if !strings.Contains(string(status), want) {
				t.Errorf("thread %s is not %q:\n%s", task.Name(), want, status)
			}
		}
	}
}
