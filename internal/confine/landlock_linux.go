package confine

import (
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/landlock-lsm/go-landlock/landlock"
	ll "github.com/landlock-lsm/go-landlock/landlock/syscall"
	"golang.org/x/sys/unix"
)

// knownABI is the newest version of Landlock whose restrictions are asked for:
// those of later ones (unix sockets, UDP) would be in the way of name service
// and logs, and nobody has tried them here.
const knownABI = 7

// referABI is the first version in which files can be linked from one folder into
// another, which is how a Maildir gets its mail. Before, there is no confinement.
const referABI = 2

// Landlock gives up all files and TCP ports but those that rules name, as far as
// the kernel can; it sees neither Multipath TCP nor UDP. It returns in words what is
// in force, after having tried it. An error says why nothing is: the process goes on
// as before.
//
// Files and folders that do not exist are left out: they stay out of reach when
// they come to be.
func Landlock(rules Rules) (inForce string, err error) {
	abi, err := ll.LandlockGetABIVersion()
	switch {
	case errors.Is(err, unix.ENOSYS):
		return "", errors.New("this kernel has no Landlock")
	case errors.Is(err, unix.EOPNOTSUPP):
		return "", errors.New("Landlock is not switched on in this kernel (lsm=)")
	case err != nil:
		return "", fmt.Errorf("landlock: %w", err)
	case abi < referABI:
		return "", fmt.Errorf("the kernel's Landlock is too old for Maildirs (ABI %d, and not at least %d)", abi, referABI)
	}
	if err := restrict(rules); err != nil {
		return "", fmt.Errorf("landlock: %w", err)
	}
	return probe(rules, abi)
}

// restrict has rules for paths only: ports are given up all or not at all. With
// rules for what an older kernel does not know, best effort has once dropped more
// than that (GHSA-vv6c-69r6-chg9), and probe would tell.
func restrict(rules Rules) error {
	config := landlock.V7
	if rules.Connect {
		config.HandledAccessNet &^= ll.AccessNetConnectTCP
	}
	if rules.Bind {
		config.HandledAccessNet &^= ll.AccessNetBindTCP
	}
	if len(rules.Run) > 0 {
		// Up to ABI 7 each thread has a domain of its own: a program that one thread
		// has started could not be ended by another.
		config.Scoped &^= ll.ScopeSignal
	}
	var paths []landlock.Rule
	for _, list := range []struct {
		names        []string
		file, folder landlock.AccessFSSet
	}{
		{rules.Write, writeFile, writeFile | writeFolder},
		{rules.Read, readFile, readFile | readFolder},
		{rules.Run, readFile | runFile, readFile | readFolder | runFile},
		{[]string{"/dev/null"}, readFile | ll.AccessFSWriteFile, 0},
	} {
		for _, name := range list.names {
			info, err := os.Stat(name)
			if err != nil {
				continue // missing, or not to be had in any case
			}
			access := list.file
			if info.IsDir() {
				access = list.folder
			}
			paths = append(paths, landlock.PathAccess(access, name).IgnoreIfMissing())
		}
	}
	return config.BestEffort().Restrict(paths...)
}

// What may be done. Nobody may run what is written, and there are no devices.
const (
	readFile    = ll.AccessFSReadFile
	readFolder  = ll.AccessFSReadDir
	runFile     = ll.AccessFSExecute
	writeFile   = readFile | ll.AccessFSWriteFile | ll.AccessFSTruncate
	writeFolder = readFolder | ll.AccessFSRemoveDir | ll.AccessFSRemoveFile | ll.AccessFSMakeDir | ll.AccessFSMakeReg |
		ll.AccessFSMakeSym | ll.AccessFSMakeFifo | ll.AccessFSMakeSock | ll.AccessFSRefer
)

// probe tries what must not work any more, so that the log says what is so, and
// not what was asked for.
func probe(rules Rules, abi int) (inForce string, err error) {
	root, err := os.Open("/")
	if err == nil {
		root.Close()
		return "", errors.New("landlock: the system says that files are given up, and they are not")
	}
	force := []string{"files"}
	if !rules.Bind && refusedTCP(unix.Bind) {
		force = append(force, "TCP listening")
	}
	if !rules.Connect && refusedTCP(unix.Connect) {
		force = append(force, "TCP connecting")
	}
	// Where the kernel has not mended its signals (erratum 2), the library leaves
	// them alone. They cannot be tried without somebody who gets one.
	if errata, err := ll.LandlockGetErrata(); abi >= 6 && len(rules.Run) == 0 && err == nil && errata&2 != 0 {
		force = append(force, "signals")
	}
	return fmt.Sprintf("ABI %d: %s", min(abi, knownABI), strings.Join(force, ", ")), nil
}

// refusedTCP tries a system call with port 0 of this machine, which leads
// nowhere.
func refusedTCP(call func(fd int, to unix.Sockaddr) error) bool {
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM|unix.SOCK_CLOEXEC|unix.SOCK_NONBLOCK, 0)
	if err != nil {
		return false
	}
	defer unix.Close(fd)
	return errors.Is(call(fd, &unix.SockaddrInet4{Addr: [4]byte{127, 0, 0, 1}}), unix.EACCES)
}
