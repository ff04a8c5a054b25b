package main

import (
	"context"
	"fmt"
	"os/exec"
	"path/filepath"
	"strconv"
)

// pieceSize is what a server writes at once that reads files through a buffer.
const pieceSize = 64 << 10

// floors returns the server that answers from memory, in four ways.
func (l *lab) floors(context.Context) ([]*peer, error) {
	return []*peer{
		l.floor(floor, "Floor"),
		l.floor(lateFloor, "Floor, late timers", "--late-timers"),
		l.floor(pieces, fmt.Sprintf("Floor, pieces of %d KiB", pieceSize>>10), "--piece", strconv.Itoa(pieceSize)),
		l.floor(fromLF, fmt.Sprintf("Floor, LF to CRLF in pieces of %d KiB", pieceSize>>10), "--from-lf", "--piece", strconv.Itoa(pieceSize)),
	}, nil
}

func (l *lab) floor(id, name string, how ...string) *peer {
	return &peer{
		id: id, name: name, version: "postfach bench canned",
		start: func(ctx context.Context, s *site) (*server, error) {
			return serve(ctx, s, func(ports []string) (*process, error) {
				cmd := exec.Command(l.postfach, append([]string{
					"bench", "canned", "--listen", "127.0.0.1:" + ports[0], "--listen-tls", "127.0.0.1:" + ports[1],
					"--cert", l.cert, "--key", l.key, "--messages", strconv.Itoa(s.messages), "--size", strconv.Itoa(s.size),
				}, how...)...)
				return spawn(cmd, filepath.Join(s.dir, "log"))
			})
		},
		forget: func(*site) error { return nil },
	}
}
