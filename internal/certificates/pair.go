package certificates

import (
	"crypto/tls"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"time"

	"postfach/internal/hint"
	"postfach/internal/vfs"
)

// A pair is a certificate that was read.
type pair struct {
	file string
	cert *tls.Certificate // with its Leaf
	key  string
	open fs.FileMode // of the key, where everybody on the machine may use it; else 0
}

func readPair(names Pair, private string) (*pair, error) {
	cert, err := tls.LoadX509KeyPair(names.Certificate, names.Key)
	if err != nil {
		return nil, explain(names, fmt.Errorf("certificate %s with key %s: %w", names.Certificate, names.Key, err))
	}
	open, err := checkKey(names.Key, private)
	if err != nil {
		return nil, err
	}
	return &pair{file: names.Certificate, cert: &cert, key: names.Key, open: open}, nil
}

// checkKey looks whether others may read a private key, or put another one in
// its place. In the folder that is ours they must not. Elsewhere the site has
// its own order, such as a group for all servers, and is only told: open is the
// mode then.
func checkKey(name, private string) (open fs.FileMode, err error) {
	info, err := os.Stat(name)
	if err != nil {
		return 0, err
	}
	const ours, anywhere = fs.FileMode(0o640), fs.FileMode(0o770)
	mode := info.Mode().Perm()
	switch {
	case mode&^ours == 0:
	case within(name, private):
		return 0, hint.Add(fmt.Errorf("the private key %s has mode %04o: others can use it", name, mode), "chmod 600 %s; and if it was so for long, get a new one", name)
	case mode&^anywhere != 0:
		return mode, nil
	}
	return 0, nil
}

// within reports whether a file is in a folder. What cannot be found out is.
func within(name, dir string) bool {
	if dir == "" {
		return false
	}
	in, err := vfs.Inside(dir, name)
	return in || err != nil
}

// warn says that everybody may use the key, and that the certificate ends soon, has ended, or is not valid yet.
// Whoever renews in time, at a third of the lifetime, never reads it.
func (p *pair) warn(log *slog.Logger, now time.Time) {
	if p.open != 0 {
		log.Warn("a private key is open to everybody on this machine", "file", p.key, "mode", fmt.Sprintf("%04o", p.open), "hint", "chmod o= "+p.key)
	}
	leaf := p.cert.Leaf
	soon := min(30*24*time.Hour, leaf.NotAfter.Sub(leaf.NotBefore)/4)
	switch {
	case now.Before(leaf.NotBefore):
		log.Warn("certificate is not valid yet", "file", p.file, "from", leaf.NotBefore, "hint", "is this machine's clock right?")
	case p.ended(now):
		log.Error("certificate has ended", "file", p.file, "until", leaf.NotAfter, "hint", newOne)
	case leaf.NotAfter.Sub(now) < soon:
		log.Warn("certificate ends soon", "file", p.file, "until", leaf.NotAfter, "hint", newOne)
	}
}

const newOne = "put a new one there, which is read within a minute; one that the first start made: remove both files and start again"

// ended reports whether no client takes the certificate any more that looks.
func (p *pair) ended(now time.Time) bool { return now.After(p.cert.Leaf.NotAfter) }
