package sockets

import (
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
)

// actAsChild makes the test binary a process that was handed sockets.
const actAsChild = "SOCKETS_TEST_CHILD"

// child says what it has been handed, for wishes on its command line.
func child() int {
	if pid := os.Getenv("LISTEN_PID"); pid == "own" { // what a service manager knows, and a test does not
		os.Setenv("LISTEN_PID", strconv.Itoa(os.Getpid()))
	}
	given := Inherit()
	var wishes []Wish
	for _, arg := range os.Args[1:] {
		name, address, _ := strings.Cut(arg, "=")
		wishes = append(wishes, Wish{address, name})
	}
	for i, l := range given.Assign(wishes) {
		if l == nil {
			fmt.Printf("%s: none\n", wishes[i].Name)
			continue
		}
		fmt.Printf("%s: %s\n", wishes[i].Name, l.Addr())
		raw, err := l.(*net.TCPListener).SyscallConn()
		if err != nil {
			return 1
		}
		raw.Control(func(fd uintptr) {
			flags, _, _ := syscall.Syscall(syscall.SYS_FCNTL, fd, syscall.F_GETFD, 0)
			fmt.Printf("closed in programs: %v\n", flags&syscall.FD_CLOEXEC != 0)
		})
	}
	for _, left := range given.Rest() {
		fmt.Printf("left: %s\n", left)
	}
	for _, name := range []string{"LISTEN_PID", "LISTEN_FDS", "LISTEN_FDNAMES"} {
		if _, set := os.LookupEnv(name); set {
			fmt.Printf("%s is still set\n", name)
		}
	}
	for fd := 3; fd < 10; fd++ { // those that were handed over, and nothing listens on them any more
		var stat syscall.Stat_t
		if syscall.Fstat(fd, &stat) == nil && stat.Mode&syscall.S_IFMT == syscall.S_IFSOCK {
			if v, err := syscall.GetsockoptInt(fd, syscall.SOL_SOCKET, syscall.SO_TYPE); err == nil && v == syscall.SOCK_DGRAM {
				fmt.Println("a descriptor is open that nobody uses")
			}
		}
	}
	return 0
}

// hand starts the child with files and returns what it says.
func hand(t *testing.T, pid, names string, files []*os.File, wishes ...string) []string {
	t.Helper()
	exe, err := os.Executable()
	must(t, err)
	cmd := exec.Command(exe, wishes...)
	cmd.ExtraFiles = files
	cmd.Env = append(os.Environ(), actAsChild+"=1", "LISTEN_PID="+pid, fmt.Sprintf("LISTEN_FDS=%d", len(files)))
	if names != "" {
		cmd.Env = append(cmd.Env, "LISTEN_FDNAMES="+names)
	}
	cmd.Stderr = os.Stderr
	out, err := cmd.Output()
	must(t, err)
	return strings.Split(strings.TrimSpace(string(out)), "\n")
}

// listening returns a socket as a service manager opens it.
func listening(t *testing.T, address string) (file *os.File, at string) {
	t.Helper()
	l, err := net.Listen("tcp", address)
	must(t, err)
	t.Cleanup(func() { l.Close() })
	file, err = l.(*net.TCPListener).File()
	must(t, err)
	t.Cleanup(func() { file.Close() })
	return file, l.Addr().String()
}

func expect(t *testing.T, got []string, want ...string) {
	t.Helper()
	got = slices.DeleteFunc(got, func(line string) bool { return line == "closed in programs: true" })
	if !slices.Equal(got, want) {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

func TestSocketsAreFoundByName(t *testing.T) {
	a, at := listening(t, "127.0.0.1:0")
	b, bt := listening(t, "127.0.0.1:0")
	files := []*os.File{a, b}
	expect(t, hand(t, "own", "pop3s:pop3", files, "pop3=127.0.0.1:110", "pop3s=:995"), "pop3: "+bt, "pop3s: "+at)
	expect(t, hand(t, "own", "pop3s:other", files, "pop3=127.0.0.1:110", "pop3s=:995"), "pop3: none", "pop3s: "+at, "left: other: "+bt+unwanted)
}

// The name is the unit's where the unit does not give one.
func TestSocketsAreFoundByAddress(t *testing.T) {
	a, at := listening(t, "127.0.0.1:0")
	b, bt := listening(t, "[::]:0")
	_, port, _ := net.SplitHostPort(bt)
	files := []*os.File{a, b}
	expect(t, hand(t, "own", "postfachd.socket:postfachd.socket", files, "pop3=:"+port, "pop3s="+at), "pop3: [::]:"+port, "pop3s: "+at)
	expect(t, hand(t, "own", "", files, "pop3=0.0.0.0:"+port, "pop3s=127.0.0.1:1"), "pop3: [::]:"+port, "pop3s: none", "left: LISTEN_FD_3: "+at+unwanted)
	// A name that says the contrary is a mistake: nobody guesses.
	expect(t, hand(t, "own", "pop3s:x", files, "pop3="+at, "pop3s=:"+port), "pop3: none", "pop3s: [::]:"+port, "left: pop3s: "+at+unwanted)
	// Two of a kind go by their addresses first.
	expect(t, hand(t, "own", "pop3:pop3", files, "pop3=:"+port, "pop3="+at), "pop3: [::]:"+port, "pop3: "+at)
}

func TestWhatIsNotForUsIsLeft(t *testing.T) {
	a, at := listening(t, "127.0.0.1:0")
	expect(t, hand(t, "1", "pop3", []*os.File{a}, "pop3="+at), "pop3: none")
	expect(t, hand(t, "own", "", nil, "pop3="+at), "pop3: none")
}

func TestWhatDoesNotListenIsComplainedAbout(t *testing.T) {
	dir, err := os.MkdirTemp("", "sockets")
	must(t, err)
	defer os.RemoveAll(dir)
	unixListener, err := net.ListenUnix("unix", &net.UnixAddr{Name: filepath.Join(dir, "s"), Net: "unix"})
	must(t, err)
	defer unixListener.Close()
	u, err := unixListener.File()
	must(t, err)
	defer u.Close()
	udp, err := net.ListenUDP("udp", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	must(t, err)
	defer udp.Close()
	d, err := udp.File()
	must(t, err)
	defer d.Close()
	f, err := os.Open(os.DevNull)
	must(t, err)
	defer f.Close()
	expect(t, hand(t, "own", "pop3:pop3:pop3", []*os.File{u, d, f}, "pop3=:110"), "pop3: none",
		"left: pop3: it is no TCP socket, but unix",
		"left: pop3: it does not listen, so it is one connection and no address",
		"left: pop3: getsockopt: socket operation on non-socket")
}

func TestDescriptorsAreClosedInPrograms(t *testing.T) {
	a, at := listening(t, "127.0.0.1:0")
	got := hand(t, "own", "pop3", []*os.File{a}, "pop3="+at)
	if !slices.Contains(got, "closed in programs: true") {
		t.Errorf("%q", got)
	}
}

const unwanted = ": no listener has this address or name"

func TestRestIsClosed(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	must(t, err)
	given := &Inherited{sockets: []inherited{{l, "x"}}}
	if rest := given.Rest(); len(rest) != 1 {
		t.Errorf("%q", rest)
	}
	if _, err := l.Accept(); !errors.Is(err, net.ErrClosed) {
		t.Error("it listens")
	}
}
