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

// Whose socket is whose decides who may send passwords in clear: an address that is
// just the same goes before one that is as good as the same.
func TestSocketsAreNotSwapped(t *testing.T) {
	four, port := family(t, "tcp4", "0")
	six, _ := family(t, "tcp6", port)
	for _, files := range [][]*os.File{{four, six}, {six, four}} {
		expect(t, hand(t, "own", "", files, "pop3=0.0.0.0:"+port, "pop3=[::]:"+port), "pop3: 0.0.0.0:"+port, "pop3: [::]:"+port)
		expect(t, hand(t, "own", "", files, "pop3=:"+port, "pop3=0.0.0.0:"+port), "pop3: [::]:"+port, "pop3: 0.0.0.0:"+port)
		expect(t, hand(t, "own", "", files, "pop3=127.0.0.1:"+port, "pop3=0.0.0.0:"+port), "pop3: none", "pop3: 0.0.0.0:"+port, "left: LISTEN_FD_"+ordinal(files, six)+": [::]:"+port+unwanted)
	}
}

func ordinal(files []*os.File, f *os.File) string { return strconv.Itoa(3 + slices.Index(files, f)) }

// family returns a socket for all addresses of one kind, as with BindIPv6Only=ipv6-only.
func family(t *testing.T, network, port string) (*os.File, string) {
	t.Helper()
	l, err := net.Listen(network, ":"+port)
	must(t, err)
	t.Cleanup(func() { l.Close() })
	file, err := l.(*net.TCPListener).File()
	must(t, err)
	t.Cleanup(func() { file.Close() })
	_, port, err = net.SplitHostPort(l.Addr().String())
	must(t, err)
	return file, port
}

// A name that another kind of address has is a contradiction, whether or not anybody
// wants an address of that kind.
func TestSocketForChallengesIsNoListeners(t *testing.T) {
	a, at := listening(t, "127.0.0.1:0")
	files := []*os.File{a}
	expect(t, hand(t, "own", "acme", files, "pop3="+at), "pop3: none", "left: acme: "+at+unwanted)
	expect(t, hand(t, "own", "acme", files, "pop3="+at, "acme=:80"), "pop3: none", "acme: "+at)
	expect(t, hand(t, "own", "pop3", files, "pop3=127.0.0.1:110", "acme="+at), "pop3: "+at, "acme: none")
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
	l, err := Listen("127.0.0.1:0")
	must(t, err)
	given := &Inherited{sockets: []inherited{{l, "x"}}}
	if rest := given.Rest(); len(rest) != 1 {
		t.Errorf("%q", rest)
	}
	if _, err := l.Accept(); !errors.Is(err, net.ErrClosed) {
		t.Error("it listens")
	}
}
