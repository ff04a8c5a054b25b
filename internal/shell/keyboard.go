package shell

import (
	"io"
	"os"
	"strings"
	"sync/atomic"
	"time"
	"unicode/utf8"
)

// A keyboard hands keys to the terminal one by one, so that what follows a key
// can still be changed. While nobody reads, Ctrl-C interrupts.
type keyboard struct {
	in        *os.File
	keys      chan byte
	closed    chan struct{}
	done      chan struct{}
	reading   atomic.Bool
	pushed    []byte
	hidden    bool // the line is not shown
	cancelled bool // Ctrl-C was pressed in the line
	ended     bool // Ctrl-D was pressed, and there was no line
	partial   []byte
	garbled   bool // something was typed that is no UTF-8
}

// otherKeys are Home and End as tmux, PuTTY, rxvt and others send them, and as
// the line editor knows them.
var otherKeys = map[string]string{
	"\x1b[1~": "\x1b[H", "\x1b[7~": "\x1b[H", "\x1bOH": "\x1b[H",
	"\x1b[4~": "\x1b[F", "\x1b[8~": "\x1b[F", "\x1bOF": "\x1b[F",
}

const (
	ctrlC = 3
	ctrlD = 4
	ctrlE = 5
	ctrlU = 21

	escape = 27

	// keyEnd stands for Ctrl-D, which the terminal would take for an end that
	// nothing comes after.
	keyEnd = '\ue004'
)

func newKeyboard(in *os.File, interrupt func()) *keyboard {
	const ahead = 64 << 10 // keys that are typed, or pasted, before they are wanted
	k := &keyboard{in: in, keys: make(chan byte, ahead), closed: make(chan struct{}), done: make(chan struct{})}
	go k.pump(interrupt)
	return k
}

// pump takes keys until the terminal is gone or close is called.
func (k *keyboard) pump(interrupt func()) {
	defer close(k.done)
	defer close(k.keys)
	buffer := make([]byte, 1024)
	var last byte
	for {
		n, err := k.in.Read(buffer)
		for _, key := range buffer[:n] {
			if key == ctrlC && !k.reading.Load() {
				interrupt()
				continue
			}
			if key == '\n' && last == '\r' { // one Enter, pasted
				last = key
				continue
			}
			last = key
			select {
			case k.keys <- key:
			case <-k.closed:
				return
			}
		}
		if err != nil {
			return
		}
	}
}

// push puts a key before those that were typed.
func (k *keyboard) push(keys ...byte) { k.pushed = append(k.pushed, keys...) }

// Read returns one key.
func (k *keyboard) Read(p []byte) (int, error) {
	if len(k.pushed) == 0 {
		key, err := k.next()
		if err != nil {
			return 0, err
		}
		if key == escape {
			if key, err = k.sequence(); key == 0 {
				return k.pop(p), err
			}
		}
		k.check(key)
		switch {
		case key == ctrlC: // empties the line and ends it
			k.cancelled = true
			k.push(ctrlE, ctrlU, '\r')
		case key == ctrlD && k.hidden:
			k.ended = true
			k.push(ctrlE, ctrlU, '\r')
		case key == ctrlD:
			k.pushed = utf8.AppendRune(k.pushed, keyEnd)
		default:
			k.push(key)
		}
	}
	return k.pop(p), nil
}

func (k *keyboard) pop(p []byte) int {
	n := copy(p[:1], k.pushed)
	k.pushed = k.pushed[n:]
	return n
}

// sequence pushes what an Escape begins, translated where the line editor does
// not know it. next is a key behind it that has not been looked at; 0: none.
func (k *keyboard) sequence() (next byte, err error) {
	k.check(escape)
	keys := []byte{escape}
	for {
		key, err := k.next()
		if err != nil {
			return 0, err
		}
		longer := string(append(keys, key))
		if known := otherKeys[longer]; known != "" {
			k.push([]byte(known)...)
			return 0, nil
		}
		if !beginsOtherKey(longer) {
			k.push(keys...)
			return key, nil
		}
		keys = append(keys, key)
	}
}

func beginsOtherKey(keys string) bool {
	for known := range otherKeys {
		if strings.HasPrefix(known, keys) {
			return true
		}
	}
	return false
}

// check notices octets that are no UTF-8, such as an umlaut in another charset.
func (k *keyboard) check(key byte) {
	if key < utf8.RuneSelf {
		k.garbled = k.garbled || len(k.partial) > 0
		k.partial = nil
		return
	}
	if k.partial = append(k.partial, key); utf8.FullRune(k.partial) {
		r, _ := utf8.DecodeRune(k.partial)
		k.garbled = k.garbled || r == utf8.RuneError
		k.partial = nil
	}
}

func (k *keyboard) next() (byte, error) {
	select {
	case key, ok := <-k.keys:
		if !ok {
			return 0, io.EOF
		}
		return key, nil
	case <-k.closed:
		return 0, io.EOF
	}
}

// close ends the pump where the system can: a read of a terminal that cannot be
// interrupted ends with the program.
func (k *keyboard) close() {
	close(k.closed)
	if k.in.SetReadDeadline(time.Now()) == nil {
		<-k.done
		_ = k.in.SetReadDeadline(time.Time{})
	}
}
