package archtest

import (
	"encoding/json"
	"errors"
	"io"
	"os/exec"
	"slices"
	"strings"
	"testing"
)

const module = "postfach"

// A rule is what one package of ours may import directly: packages of ours,
// and others by their prefix. The standard library is allowed to all, but for
// what "no" lists.
type rule struct {
	ours   string   // separated by spaces
	others string   // separated by spaces: module paths
	no     []string // standard library packages that it must do without
}

// noNetwork and noFiles: what a package does not know it cannot depend on.
var (
	noNetwork = []string{"net", "net/http", "crypto/tls"}
	noFiles   = []string{"os", "path/filepath", "io/ioutil", "os/exec"}
)

// rules is the tree: vocabulary <- wire <- {client, server} <- tools <-
// programs. A package that is not here fails the test: decide first.
func rules() map[string]rule {
	const x = "golang.org/x/"
	return map[string]rule{
		"pop3":             {no: []string{"os", "net/http", "crypto/tls"}}, // net: for addresses in URLs
		"internal/popwire": {ours: "pop3", no: slices.Concat(noNetwork, noFiles)},
		"sasl":             {others: x + " github.com/xdg-go/scram github.com/xdg-go/stringprep github.com/emersion/go-sasl", no: slices.Concat(noNetwork, noFiles)},
		"maildrop":         {ours: "pop3", no: slices.Concat(noNetwork, noFiles)},

		"maildrop/maildroptest": {ours: "pop3 maildrop internal/popwire internal/vfs internal/awkward", others: x},
		"maildrop/memory":       {ours: "pop3 maildrop internal/popwire", others: x, no: noNetwork},
		"maildrop/maildir":      {ours: "pop3 maildrop internal/popwire internal/vfs", others: x, no: noNetwork},

		// The server knows no file system and no store.
		"pop3server": {ours: "pop3 sasl maildrop internal/popwire", others: x},
		"pop3client": {ours: "pop3 sasl internal/popwire", others: x},

		"pop3check": {ours: "pop3 pop3client sasl internal/popwire", others: x},
		// It writes its faults octet by octet: popwire and transcript are for its
		// transcripts only.
		"pop3test": {ours: "pop3 pop3check pop3server maildrop maildrop/memory internal/popwire internal/transcript", others: x},

		"fetch":         {ours: "pop3 pop3client maildrop sasl fetch/deliver internal/popwire internal/vfs", others: x},
		"fetch/deliver": {ours: "pop3 maildrop maildrop/maildir internal/popwire internal/vfs internal/hint", others: x},

		"internal/testcontrol":  {ours: "pop3test maildrop"},
		"internal/checkreport":  {ours: "pop3check"},
		"internal/hint":         {},
		"internal/version":      {no: slices.Concat(noNetwork, noFiles)},
		"internal/vfs":          {others: x, no: noNetwork},
		"internal/unprivileged": {},
		"internal/awkward":      {no: slices.Concat(noNetwork, noFiles)},
		"internal/transcript":   {ours: "pop3"},                                 // not popwire: it checks popwire
		"internal/peer":         {others: x + " github.com/go-jose/go-jose/v4"}, // a DNS server and an OpenID provider of the tests
		"internal/archtest":     {},
		"internal/playtest":     {},
		"internal/faults":       {},

		// What people see. The faces know no wire; explain knows its words only.
		"internal/explain": {ours: "pop3 internal/popwire internal/transcript", no: slices.Concat(noNetwork, noFiles)},
		"internal/message": {others: x, no: slices.Concat(noNetwork, noFiles)},
		"internal/remotes": {ours: "pop3 pop3client sasl internal/hint", others: "github.com/pelletier/go-toml/v2"},
		"internal/shell":   {ours: "pop3 sasl internal/popwire internal/explain internal/transcript internal/hint", others: x},
		"internal/explore": {
			ours:   "pop3 pop3client pop3server pop3check maildrop fetch fetch/deliver internal/explain internal/message internal/remotes internal/vfs internal/hint",
			others: x,
		},
		"internal/tui": {
			ours:   "pop3 pop3check internal/explore internal/explain internal/message internal/hint",
			others: x + " charm.land/bubbletea/v2 charm.land/lipgloss/v2 github.com/charmbracelet/x/ansi",
		},
		"internal/web": {
			ours:   "pop3 pop3check internal/explore internal/explain internal/message internal/hint",
			others: x + " github.com/microcosm-cc/bluemonday",
		},
		// The client that measures is one of its own, with large buffers: pop3client is
		// for programs that care about more than time.
		"internal/bench":   {ours: "pop3 internal/popwire internal/timers"},
		"internal/interop": {},
		// psx reaches all threads, with C code in the program, too.
		"internal/privilege":  {others: x + " kernel.org/pub/linux/libs/security/libcap/psx", no: noNetwork},
		"internal/datafolder": {ours: "internal/hint internal/privilege internal/vfs", others: x},
		"internal/config":     {ours: "pop3server sasl internal/hint", others: "github.com/pelletier/go-toml/v2"},
		"internal/accounts": {
			ours:   "pop3 pop3server maildrop sasl internal/hint internal/vfs",
			others: x + " github.com/go-crypt/crypt github.com/go-crypt/x github.com/xdg-go/scram github.com/xdg-go/stringprep",
		},
		// The places that a configuration names, for both programs. The program source
		// runs programs: only the server's main package makes it.
		"internal/accounts/sources": {ours: "internal/accounts internal/accounts/ldap internal/accounts/sql internal/config internal/datafolder internal/hint"},
		// Each driver in one package.
		"internal/accounts/ldap":    {ours: "internal/accounts internal/hint maildrop sasl", others: x + " github.com/go-ldap/ldap/v3"},
		"internal/accounts/sql":     {ours: "internal/accounts internal/hint maildrop sasl", others: x + " github.com/jackc/pgx/v5"},
		"internal/accounts/program": {ours: "internal/accounts internal/hint maildrop sasl", others: x},
		"internal/accounts/oidc": {
			ours:   "internal/accounts internal/hint maildrop pop3server sasl",
			others: x + " github.com/coreos/go-oidc/v3 github.com/golang-jwt/jwt/v5 github.com/go-jose/go-jose/v4",
		},
		"internal/lastlogin":    {ours: "internal/hint internal/vfs", others: x, no: noNetwork},
		"internal/certificates": {ours: "internal/hint internal/vfs", others: x + " github.com/caddyserver/certmagic github.com/mholt/acmez/v3 go.uber.org/zap"}, // certmagic logs with zap
		"internal/timers":       {others: x},
		"internal/sockets":      {ours: "internal/hint", others: x + " github.com/pires/go-proxyproto github.com/coreos/go-systemd/v22"},
		"internal/confine":      {ours: "internal/hint internal/privilege internal/vfs", others: x + " github.com/landlock-lsm/go-landlock"},
		"scripts/plant-faults":  {ours: "internal/faults"},
		// The only one that draws; no program links it.
		"bench/compare": {ours: "internal/bench", others: "gonum.org/v1/plot"},
		"cmd/postfachd": {
			ours: "pop3 pop3server maildrop maildrop/maildir sasl internal/accounts internal/accounts/sources internal/accounts/program internal/accounts/oidc internal/lastlogin " +
				"internal/certificates internal/sockets internal/confine internal/config internal/datafolder internal/hint internal/timers internal/version internal/vfs internal/transcript",
			others: x + " github.com/alecthomas/kong github.com/coreos/go-systemd/v22",
		},
		"cmd/postfach": {
			ours:   "pop3 pop3client maildrop maildrop/maildir fetch fetch/deliver sasl internal/accounts internal/accounts/sources internal/config internal/lastlogin internal/datafolder internal/hint internal/version internal/vfs internal/transcript pop3check pop3test internal/bench internal/checkreport internal/testcontrol internal/explain internal/explore internal/remotes internal/shell internal/timers internal/tui internal/web",
			others: x + " github.com/alecthomas/kong github.com/schollz/progressbar/v3 github.com/emersion/go-smtp",
		},
	}
}

// A listed package is what go list says about it.
type listed struct {
	ImportPath   string
	Dir          string
	GoFiles      []string
	TestGoFiles  []string
	XTestGoFiles []string
	Imports      []string
	Deps         []string
	Standard     bool
}

func list(t *testing.T, args ...string) []listed {
	t.Helper()
	cmd := exec.Command("go", append([]string{"list", "-e", "-json"}, args...)...)
	cmd.Dir = "../.."
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("go list: %v", err)
	}
	var all []listed
	for dec := json.NewDecoder(strings.NewReader(string(out))); ; {
		var p listed
		err := dec.Decode(&p)
		if errors.Is(err, io.EOF) {
			return all
		}
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, p)
	}
}

func TestImportsFollowTheArrows(t *testing.T) {
	all := rules()
	for _, p := range list(t, "./...") {
		name := strings.TrimPrefix(p.ImportPath, module+"/")
		r, known := all[name]
		if !known {
			t.Errorf("%s: is not in the rules: say what it may import", name)
			continue
		}
		for _, i := range p.Imports {
			if !r.allows(i) {
				t.Errorf("%s imports %s", name, i)
			}
		}
	}
}

func (r rule) allows(path string) bool {
	if ours, ok := strings.CutPrefix(path, module+"/"); ok {
		return slices.Contains(strings.Fields(r.ours), ours)
	}
	if first, _, _ := strings.Cut(path, "/"); !strings.Contains(first, ".") {
		return !slices.Contains(r.no, path)
	}
	return slices.ContainsFunc(strings.Fields(r.others), func(o string) bool {
		return path == o || strings.HasPrefix(path, strings.TrimSuffix(o, "/")+"/")
	})
}

// What a program links is more than what it imports. postfachd has no screen,
// no HTML and no MIME parser in it; the tests' packages are in no program.
func TestProgramsDoNotLink(t *testing.T) {
	tests := []string{
		module + "/internal/awkward", module + "/internal/faults", module + "/internal/peer", module + "/internal/unprivileged", module + "/maildrop/maildroptest",
		"testing", "go.uber.org/goleak",
	}
	for program, not := range map[string][]string{
		"./cmd/postfachd": slices.Concat(tests, []string{
			"html", "html/template", "text/html", "net/mail", "golang.org/x/net/html",
			"github.com/charmbracelet", "charm.land", "github.com/emersion/go-message", "github.com/microcosm-cc", "github.com/gdamore/tcell", "github.com/rivo/tview", "github.com/schollz/progressbar",
			module + "/pop3client", module + "/fetch",
		}),
		"./cmd/postfach": tests,
	} {
		for _, p := range list(t, "-deps", program) {
			for _, n := range not {
				if p.ImportPath == n || strings.HasPrefix(p.ImportPath, n+"/") && !p.Standard {
					t.Errorf("%s links %s", program, p.ImportPath)
				}
			}
		}
	}
}
