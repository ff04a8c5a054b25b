package privilege

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"
	"kernel.org/pub/linux/libs/security/libcap/psx"
)

// inChild runs the rest of the test in a process of its own, because what it
// gives up is gone for good. True: this is that process.
func inChild(t *testing.T, who *syscall.SysProcAttr) bool {
	t.Helper()
	const child = "PRIVILEGE_TEST_CAPABILITIES"
	if os.Getenv(child) == t.Name() {
		return true
	}
	if os.Geteuid() != 0 {
		t.Skip("only root can give capabilities to somebody")
	}
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	// The test binary lies in a folder that only root may enter.
	octets, err := os.ReadFile(exe)
	if err != nil {
		t.Fatal(err)
	}
	dir, err := os.MkdirTemp("", "privilege")
	if err != nil {
		t.Fatal(err)
	}
	defer os.RemoveAll(dir)
	program := filepath.Join(dir, "test")
	for _, err := range []error{os.Chmod(dir, 0o755), os.WriteFile(program, octets, 0o755), os.Chmod(program, 0o755)} {
		if err != nil {
			t.Fatal(err)
		}
	}
	cmd := exec.Command(program, "-test.run=^"+t.Name()+"$")
	cmd.Env = append(os.Environ(), child+"="+t.Name())
	cmd.Dir = dir
	cmd.SysProcAttr = who
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	return false
}

// capabilities checks the sets of all threads. Each is 0, or is not.
func capabilities(t *testing.T, none bool) {
	t.Helper()
	tasks, err := os.ReadDir("/proc/self/task")
	if err != nil {
		t.Fatal(err)
	}
	for _, task := range tasks {
		status, err := os.ReadFile("/proc/self/task/" + task.Name() + "/status")
		if err != nil {
			t.Error(err)
			continue
		}
		for _, set := range []string{"CapInh", "CapPrm", "CapEff", "CapAmb"} {
			if got := regexp.MustCompile("\n" + set + ":\t0000000000000000\n").Match(status); got != none {
				t.Errorf("thread %s: %s is empty: %v, want %v\n%s", task.Name(), set, got, none, status)
			}
		}
	}
}

const bindService = unix.CAP_NET_BIND_SERVICE

// As with AmbientCapabilities= in a unit file.
func TestCapabilityOfAUserIsGivenUp(t *testing.T) {
	if !inChild(t, &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: 65534, Gid: 65534}, AmbientCaps: []uintptr{bindService}}) {
		return
	}
	capabilities(t, false)
	for range 2 { // and without any there is nothing to do
		if err := DropCapabilities(); err != nil {
			t.Fatal(err)
		}
		capabilities(t, true)
	}
	if fd, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM, 0); err == nil {
		defer unix.Close(fd)
		if err := unix.Bind(fd, &unix.SockaddrInet4{Port: 1, Addr: [4]byte{127, 0, 0, 1}}); err != unix.EACCES {
			if start, _ := os.ReadFile("/proc/sys/net/ipv4/ip_unprivileged_port_start"); string(start) != "0\n" {
				t.Errorf("bound to a low port: %v", err)
			}
		}
	}
}

// What root would hand on goes, too, even when whoever started the process has
// asked the kernel to let capabilities stay when the user changes.
func TestRootKeepsNoCapability(t *testing.T) {
	if !inChild(t, &syscall.SysProcAttr{AmbientCaps: []uintptr{bindService, unix.CAP_SETUID}}) {
		return
	}
	capabilities(t, false)
	const noSetuidFixup, keepCaps = 1 << 2, 1 << 4
	if _, _, errno := psx.Syscall6(unix.SYS_PRCTL, unix.PR_SET_SECUREBITS, noSetuidFixup|keepCaps, 0, 0, 0, 0); errno != 0 {
		t.Fatal(errno)
	}
	if err := Become(12345, 23456); err != nil {
		t.Fatal(err)
	}
	capabilities(t, true)
	if err := syscall.Setuid(0); err == nil {
		t.Error("root can be had back")
	}
}
