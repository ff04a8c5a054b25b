package confine

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"

	ll "github.com/landlock-lsm/go-landlock/landlock/syscall"
	"golang.org/x/sys/unix"
)

// inChild runs the rest of the test in a process of its own, in a folder of its
// own, because what it gives up is gone for good. Empty: it is over.
func inChild(t *testing.T) string {
	t.Helper()
	const child = "CONFINE_TEST_FOLDER"
	if dir := os.Getenv(child); dir != "" {
		return dir
	}
	exe, err := os.Executable()
	must(t, err)
	cmd := exec.Command(exe, "-test.run=^"+t.Name()+"$", "-test.v")
	cmd.Env = append(os.Environ(), child+"="+t.TempDir())
	out, err := cmd.CombinedOutput()
	if err != nil || !strings.Contains(string(out), "--- PASS: "+t.Name()) {
		t.Fatalf("%v\n%s", err, out)
	}
	return ""
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// denied reports an error that a process hears for what it has given up.
func denied(err error) bool { return errors.Is(err, fs.ErrPermission) }

// without reports whether this kernel has no Landlock, or too little; then
// Landlock has to say so.
func without(t *testing.T, inForce string, err error) bool {
	t.Helper()
	abi, missing := ll.LandlockGetABIVersion()
	if missing == nil && abi >= referABI {
		must(t, err)
		if !strings.HasPrefix(inForce, fmt.Sprintf("ABI %d: files", min(abi, knownABI))) {
			t.Errorf("in force: %s", inForce)
		}
		return false
	}
	if err == nil || inForce != "" {
		t.Errorf("no Landlock, and in force: %q, %v", inForce, err)
	}
	return true
}

func TestOnlyWhatIsNeededStays(t *testing.T) {
	dir := inChild(t)
	if dir == "" {
		return
	}
	mail, conf, bin, secret := filepath.Join(dir, "mail"), filepath.Join(dir, "conf"), filepath.Join(dir, "bin"), filepath.Join(dir, "secret")
	for _, folder := range []string{mail, conf, bin, secret, filepath.Join(mail, "tmp"), filepath.Join(mail, "new")} {
		must(t, os.Mkdir(folder, 0o700))
	}
	for _, folder := range []string{mail, conf, secret} {
		must(t, os.WriteFile(filepath.Join(folder, "file"), []byte("x"), 0o600))
	}
	script := []byte("#!/bin/sh\nexit 0\n")
	must(t, os.WriteFile(filepath.Join(bin, "helper"), script, 0o700))
	must(t, os.WriteFile(filepath.Join(mail, "helper"), script, 0o700))
	must(t, os.Symlink(secret, filepath.Join(mail, "link")))
	open, err := os.Open(filepath.Join(secret, "file"))
	must(t, err)
	defer open.Close()
	listening, err := net.Listen("tcp", "127.0.0.1:0")
	must(t, err)
	defer listening.Close()

	inForce, err := Landlock(Rules{
		Write: []string{mail}, Read: []string{conf, filepath.Join(dir, "missing")}, Run: []string{bin, "/bin", "/usr", "/lib", "/lib64"}, Connect: true,
	}.Existing())
	if without(t, inForce, err) {
		return
	}

	// What the server does goes on.
	must(t, os.WriteFile(filepath.Join(mail, "tmp", "1"), []byte("mail"), 0o600))
	must(t, os.Link(filepath.Join(mail, "tmp", "1"), filepath.Join(mail, "new", "1")))
	must(t, os.Remove(filepath.Join(mail, "tmp", "1")))
	must(t, os.Rename(filepath.Join(mail, "new", "1"), filepath.Join(mail, "1")))
	must(t, os.Truncate(filepath.Join(mail, "1"), 2))
	must(t, os.MkdirAll(filepath.Join(mail, "anna", "cur"), 0o700))
	must(t, os.RemoveAll(filepath.Join(mail, "anna")))
	_, err = os.ReadFile(filepath.Join(conf, "file"))
	must(t, err)
	_, err = os.ReadDir(conf)
	must(t, err)
	mailbox, err := os.Open(mail)
	must(t, err)
	defer mailbox.Close()
	message, err := unix.Openat2(int(mailbox.Fd()), "new/2", &unix.OpenHow{
		Flags: unix.O_CREAT | unix.O_CLOEXEC, Mode: 0o600, Resolve: unix.RESOLVE_BENEATH | unix.RESOLVE_NO_SYMLINKS,
	})
	if !errors.Is(err, unix.ENOSYS) {
		must(t, err)
		must(t, unix.Close(message))
	}
	_, err = open.Read(make([]byte, 1)) // it was open before
	must(t, err)
	must(t, exec.Command(filepath.Join(bin, "helper")).Run())
	conn, err := net.Dial("tcp", listening.Addr().String())
	must(t, err)
	defer conn.Close()
	got, err := listening.Accept()
	must(t, err)
	got.Close()

	// What it never does is refused.
	for what, err := range map[string]error{
		"read a file":          readFileOf(filepath.Join(secret, "file")),
		"read it by a link":    readFileOf(filepath.Join(mail, "link", "file")),
		"read the passwords":   readFileOf("/etc/passwd"),
		"read its own memory":  readFileOf("/proc/self/environ"),
		"list a folder":        listOf(secret),
		"list the root":        listOf("/"),
		"write a file":         os.WriteFile(filepath.Join(dir, "new"), nil, 0o600),
		"write configuration":  os.WriteFile(filepath.Join(conf, "file"), nil, 0o600),
		"make configuration":   os.WriteFile(filepath.Join(conf, "more"), nil, 0o600),
		"remove configuration": os.Remove(filepath.Join(conf, "file")),
		"change a program":     os.WriteFile(filepath.Join(bin, "helper"), script, 0o700),
		"remove a file":        os.Remove(filepath.Join(secret, "file")),
		"link a file out":      os.Link(filepath.Join(mail, "file"), filepath.Join(secret, "more")),
		"link a file in":       os.Link(filepath.Join(secret, "file"), filepath.Join(mail, "more")),
		"run what it wrote":    exec.Command(filepath.Join(mail, "helper")).Run(),
		"make a device":        unix.Mknod(filepath.Join(mail, "device"), unix.S_IFCHR|0o600, int(unix.Mkdev(1, 3))),
	} {
		if !denied(err) && !errors.Is(err, unix.EXDEV) { // links into what has fewer rights
			t.Errorf("to %s: %v", what, err)
		}
	}
	if abi, err := ll.LandlockGetABIVersion(); err == nil && abi >= 4 {
		if _, err := listen(); !denied(err) {
			t.Errorf("it listens: %v", err)
		}
		if !strings.Contains(inForce, "TCP listening") || strings.Contains(inForce, "TCP connecting") {
			t.Errorf("in force: %s", inForce)
		}
	}
	// On all threads.
	for range 20 {
		done := make(chan error)
		go func() { done <- readFileOf("/etc/passwd") }()
		if err := <-done; !denied(err) {
			t.Errorf("another thread: %v", err)
		}
	}
}

// listen does so by TCP: Landlock does not see Multipath TCP, which is what Go
// listens with when it is not told otherwise.
func listen() (net.Listener, error) {
	var tcp net.ListenConfig
	tcp.SetMultipathTCP(false)
	return tcp.Listen(context.Background(), "tcp4", "127.0.0.1:0")
}

func readFileOf(name string) error {
	_, err := os.ReadFile(name)
	return err
}

func listOf(name string) error {
	_, err := os.ReadDir(name)
	return err
}

// Helper programs that take too long are ended, from whatever thread. Each thread
// has a confinement of its own in older kernels.
func TestProgramsCanBeEnded(t *testing.T) {
	dir := inChild(t)
	if dir == "" {
		return
	}
	// Threads that are there when the confinement begins.
	kill, killed, ready := make(chan int), make(chan error), make(chan bool)
	for range 8 {
		go func() {
			runtime.LockOSThread()
			ready <- true
			for pid := range kill {
				killed <- syscall.Kill(-pid, syscall.SIGKILL)
			}
		}()
		<-ready
	}
	defer close(kill)
	inForce, err := Landlock(Rules{Write: []string{dir}, Run: []string{"/bin", "/usr", "/lib", "/lib64"}})
	if without(t, inForce, err) {
		return
	}
	for range 20 {
		program := exec.Command("/bin/sleep", "3600")
		program.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
		must(t, program.Start())
		kill <- program.Process.Pid
		if err := <-killed; err != nil {
			t.Errorf("in force: %s; and ended from another thread: %v", inForce, err)
			must(t, program.Process.Kill())
		}
		program.Wait()
	}
}

func TestNobodyConnectsWhoNeedsNobody(t *testing.T) {
	dir := inChild(t)
	if dir == "" {
		return
	}
	listening, err := net.Listen("tcp", "127.0.0.1:0")
	must(t, err)
	defer listening.Close()
	inForce, err := Landlock(Rules{Write: []string{dir}, Bind: true})
	if without(t, inForce, err) {
		return
	}
	abi, _ := ll.LandlockGetABIVersion()
	if abi < 4 {
		if strings.Contains(inForce, "TCP connecting") {
			t.Errorf("in force: %s", inForce)
		}
		return
	}
	if _, err := net.Dial("tcp", listening.Addr().String()); !denied(err) || !strings.Contains(inForce, "TCP connecting") {
		t.Errorf("connected: %v; in force: %s", err, inForce)
	}
	other, err := listen()
	must(t, err)
	other.Close()
	if strings.Contains(inForce, "signals") {
		if err := syscall.Kill(os.Getppid(), 0); !errors.Is(err, syscall.EPERM) {
			t.Errorf("a signal for somebody else: %v", err)
		}
		must(t, syscall.Kill(os.Getpid(), 0))
	}
}

func TestHardenedForGood(t *testing.T) {
	if inChild(t) == "" {
		return
	}
	status, err := OpenStatus()
	must(t, err)
	defer status.Close()
	must(t, Harden())
	must(t, Harden()) // nothing left to do
	values, err := status.Values()
	must(t, err)
	if got := fmt.Sprint(values); !strings.Contains(got, "capeff 0000000000000000") || !strings.Contains(got, "nonewprivs 1") || !strings.Contains(got, "uid ") || !strings.Contains(got, "seccomp ") {
		t.Errorf("in force: %s", got)
	}
	if dumpable, err := unix.PrctlRetInt(unix.PR_GET_DUMPABLE, 0, 0, 0, 0); dumpable != 0 || err != nil {
		t.Errorf("dumpable: %d, %v", dumpable, err)
	}
	var core unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_CORE, &core); err != nil || core != (unix.Rlimit{}) {
		t.Errorf("core dumps: %+v, %v", core, err)
	}
	for range 5 { // on all threads
		tasks, err := os.ReadDir("/proc/self/task")
		must(t, err)
		for _, task := range tasks {
			if got, err := os.ReadFile("/proc/self/task/" + task.Name() + "/status"); err == nil && !strings.Contains(string(got), "NoNewPrivs:\t1\n") {
				t.Errorf("thread %s may gain privileges", task.Name())
			}
		}
	}
}

// The kernel takes 16 of them, one upon the other. What it refuses is not told as
// if it were in force.
func TestRefusedConfinementIsAnError(t *testing.T) {
	dir := inChild(t)
	if dir == "" {
		return
	}
	for range 16 {
		if inForce, err := Landlock(Rules{Write: []string{dir}}); without(t, inForce, err) {
			return
		}
	}
	if inForce, err := Landlock(Rules{Write: []string{dir}}); err == nil || inForce != "" {
		t.Errorf("in force: %q, %v", inForce, err)
	}
}

// What Landlock does not see: sockets of other kinds than TCP. Those that are open go
// on.
func TestNoSocketsAreMade(t *testing.T) {
	dir := inChild(t)
	if dir == "" {
		return
	}
	tcp, err := net.Listen("tcp", "127.0.0.1:0")
	must(t, err)
	defer tcp.Close()
	name := filepath.Join(dir, "socket")
	path, err := net.Listen("unix", name)
	must(t, err)
	defer path.Close()
	must(t, Harden())
	other := make(chan func() error) // another thread
	result := make(chan error)
	go func() {
		runtime.LockOSThread()
		for f := range other {
			result <- f()
		}
	}()
	client, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	must(t, err)
	defer unix.Close(client)
	must(t, NoSockets())
	port := tcp.Addr().(*net.TCPAddr).Port
	must(t, unix.Connect(client, &unix.SockaddrInet4{Port: port, Addr: [4]byte{127, 0, 0, 1}}))
	got, err := tcp.Accept()
	must(t, err)
	got.Close()
	for kind, try := range map[string]func() error{
		"TCP":           func() error { return fdError(unix.Socket(unix.AF_INET, unix.SOCK_STREAM, 0)) },
		"Multipath TCP": func() error { return fdError(unix.Socket(unix.AF_INET6, unix.SOCK_STREAM, unix.IPPROTO_MPTCP)) },
		"UDP":           func() error { return fdError(unix.Socket(unix.AF_INET, unix.SOCK_DGRAM, 0)) },
		"netlink":       func() error { return fdError(unix.Socket(unix.AF_NETLINK, unix.SOCK_RAW, 0)) },
		"unix":          func() error { _, err := net.Dial("unix", name); return err },
		"io_uring": func() error {
			_, _, errno := unix.Syscall(unix.SYS_IO_URING_SETUP, 1, 0, 0)
			if errno == unix.EACCES {
				return errno
			}
			return nil
		},
	} {
		other <- try
		for _, err := range []error{try(), <-result} {
			if !denied(err) {
				t.Errorf("%s: %v", kind, err)
			}
		}
	}
	close(other)
}

func fdError(fd int, err error) error {
	if err == nil {
		unix.Close(fd)
	}
	return err
}
