package pop3check

import (
	"cmp"
	"context"
	"crypto/tls"
	"errors"
	"net"
	"net/http"
	"net/netip"
	"strconv"
	"strings"
	"time"

	"postfach/pop3"
	"postfach/pop3client"
)

// A Question is what a person knows who asks: does this POP3 connection work,
// and if not, whose fault is it? Only Host is needed.
type Question struct {
	// Host is a host, host:port, or a mail address whose server is to be found.
	Host string
	// Security says how connections may be made. None: TLS and STLS, as the
	// server has them.
	Security []pop3client.Security
	// TLS has the roots to trust and is copied before use. nil: the system's.
	TLS *tls.Config
	// Pin is the SHA-256 of the server's certificate in hexadecimal digits.
	// With it that certificate is trusted, and no other.
	Pin string

	// User and Password are the account. An empty User is the mail address
	// that Host is, and on [AUTH] once its local part (P3-DISC-05). Without
	// Password nobody logs in.
	User, Password string
	// AllowCleartext lets the password cross the network without TLS.
	AllowCleartext bool

	// Samples is how many messages are read. 0: 3. Negative: none.
	Samples int
	// SampleSize is the most that one of them may have, in octets. 0: 1 MiB.
	SampleSize int64

	// Timeout is how long one answer may take. 0: 30 s.
	Timeout time.Duration
	// Resolver looks names up. nil: the system's.
	Resolver *net.Resolver
	// HTTP asks for autoconfig files. nil: a client of its own.
	HTTP *http.Client
	// DialContext makes network connections to an address and a port. nil: a
	// net.Dialer.
	DialContext func(ctx context.Context, network, addr string) (net.Conn, error)
}

// ErrHost: Question.Host is no host, no host and port, and no mail address.
var ErrHost = errors.New("not a host, host:port or mail address")

// A Diagnosis is the answer to a Question. All text is fit for a terminal.
type Diagnosis struct {
	// Host and User are what was asked about. User is the name that got in, or
	// was tried last.
	Host, User string
	// Verdict is one line. OK: it works, and nothing was found.
	Verdict string
	OK      bool
	// Cause is the verdict for programs: "" when it works, else a word like
	// "port-filtered" or "app-password".
	Cause string
	// Whose says where the fault lies, "" if there is none.
	Whose Whose
	// Advice says what to do, a sentence each.
	Advice []string
	// Exchange is the conversation that shows the fault.
	Exchange []string

	// Lookups are the questions about names, Candidates the servers that came
	// of them, in the order in which they were tried. Used is the one that the
	// rest is about, nil if none answered.
	Lookups    []Lookup
	Candidates []*Candidate
	Used       *Candidate

	// LoginAsked: there were a name and a password. LoggedIn: they were taken.
	LoginAsked, LoggedIn bool
	// Maildrop is what is in it, nil without a login.
	Maildrop *MaildropReport
	// Findings are the single answers. Their ids are those of the catalogue
	// where it has the rule, else words like "connect", with the level
	// DIAGNOSIS.
	Findings []Result
}

// Whose says where a fault lies.
type Whose string

// Where faults lie.
const (
	Nobodys   Whose = ""
	Settings  Whose = "the settings: host, port or kind of TLS"
	Network   Whose = "the network between here and the server"
	Server    Whose = "the server"
	Account   Whose = "the account: user name, password, or how they may be used"
	Temporary Whose = "nobody's: it should pass by itself"
)

// A Lookup is one question about names and what came of it.
type Lookup struct {
	What    string // SRV _pop3s._tcp.example.org, or an address of autoconfig
	Outcome string
	Time    time.Duration
}

// A Candidate is one way to reach a server.
type Candidate struct {
	// Source says where it is from.
	Source   string
	Host     string
	Port     int
	Security pop3client.Security
	// Vouched: a person, or something that cannot be forged on the way, said
	// that the account is there (P3-DISC-04).
	Vouched bool
	// Secure: there is no TLS, or its certificate is that of Host.
	Secure bool
	// Login is the pattern of user names that autoconfig has, "" for none.
	Login string

	// Outcome is what came of it in a few words. Works: up to the login.
	Outcome string
	Works   bool

	Addresses []Address
	Phases    []Phase
	Greeting  *Greeting
	// Clear, InTLS and Inside are the capabilities before TLS, in it, and
	// after login; nil: not asked, or unknown.
	Clear, InTLS, Inside pop3.Capabilities
	TLS                  *TLSReport
	// CleartextLogin says whether a password would be taken without TLS.
	CleartextLogin string
	// KeepsClear says what happens to octets sent in clear behind STLS.
	KeepsClear string
	// Mechanism logged in, or was tried.
	Mechanism string

	cause    string // why it does not work, a key of causes
	trace    []string
	progress int
	findings []Result
}

// Addr returns host:port.
func (c *Candidate) Addr() string { return net.JoinHostPort(c.Host, strconv.Itoa(c.Port)) }

// How names the kind of TLS: TLS, STLS or no TLS.
func (c *Candidate) How() string { return securityName(c.Security) }

func securityName(s pop3client.Security) string {
	switch s {
	case pop3client.ImplicitTLS:
		return "TLS"
	case pop3client.RequireSTLS:
		return "STLS"
	}
	return "no TLS"
}

// An Address is one of a host's, and what a connection to it came to.
type Address struct {
	IP      netip.Addr
	Outcome string
}

// A Phase is how long something took: name, connect, tls, greeting, login,
// stat, list, uidl, retr, or all together, total.
type Phase struct {
	Name string
	Time time.Duration
}

// Greeting is the server's first line, and what it gives away.
type Greeting struct {
	Line string
	// Version is what looks like the number of a version, "" for none.
	Version string
	// Timestamp is APOP's, "" for none.
	Timestamp string
}

// MaildropReport is what an account's maildrop holds.
type MaildropReport struct {
	// Count and Octets are STAT's.
	Count  int
	Octets int64
	// Listed and Sum are LIST's.
	Listed int
	Sum    int64
	// UniqueIDs are UIDL's, -1: the server has no UIDL.
	UniqueIDs int
	Samples   []Sample
	// Expire, LoginDelay and Pipelining say in words what holds.
	Expire, LoginDelay, Pipelining string
}

// A Sample is a message that was read.
type Sample struct {
	Number            int
	Announced, Octets int64
	// Top says how TOP with 0 compares.
	Top string
}

// Diagnose finds out. It removes nothing, and no session in which a message was
// read ends with QUIT. The password is written over TLS with a certificate that
// is the server's, to loopback addresses, or with AllowCleartext. The error is
// ErrHost; all else is in the Diagnosis.
func Diagnose(ctx context.Context, q Question) (*Diagnosis, error) {
	w, err := parseWhere(q.Host)
	if err != nil {
		return nil, err
	}
	x := &course{q: &q, where: w, d: &Diagnosis{Host: q.Host}, now: time.Now()}
	// Each answer has its time; all together must end, too.
	limited, cancel := context.WithTimeout(ctx, 20*q.timeout())
	defer cancel()
	x.d.User = cmp.Or(q.User, w.address())
	x.d.LoginAsked = x.d.User != "" && q.Password != ""
	x.find(limited)
	if used := x.d.Used; used != nil && x.d.LoginAsked && x.mayLogin(limited, used) {
		x.session(limited, used)
	}
	x.judge(ctx.Err() != nil)
	x.conceal()
	return x.d, nil
}

// where is Question.Host, parted.
type where struct {
	local, domain string // of a mail address
	host          string // else
	port          int    // 0: not given
}

func (w where) address() string {
	if w.domain == "" {
		return ""
	}
	return w.local + "@" + w.domain
}

func parseWhere(s string) (where, error) {
	if i := strings.LastIndexByte(s, '@'); i >= 0 {
		w := where{local: s[:i], domain: strings.TrimSuffix(s[i+1:], ".")}
		if w.local == "" || strings.ContainsFunc(w.local, unfit) || !hostName(w.domain) {
			return where{}, ErrHost
		}
		return w, nil
	}
	if ip, err := netip.ParseAddr(strings.Trim(s, "[]")); err == nil {
		return where{host: ip.String()}, nil
	}
	host, port, err := net.SplitHostPort(s)
	if err != nil {
		host, port = s, ""
	}
	w := where{host: host}
	if port != "" {
		n, err := strconv.ParseUint(port, 10, 16)
		if err != nil || n == 0 {
			return where{}, ErrHost
		}
		w.port = int(n)
	}
	if _, err := netip.ParseAddr(host); err != nil && !hostName(host) {
		return where{}, ErrHost
	}
	return w, nil
}

// hostName reports whether s can be the name of a host.
func hostName(s string) bool {
	return s != "" && len(s) <= 253 && !strings.ContainsFunc(s, unfit) && !strings.ContainsAny(s, "/:[]@?#%")
}

func unfit(r rune) bool { return r <= ' ' || r == 0x7f }

func (q *Question) timeout() time.Duration { return cmp.Or(q.Timeout, 30*time.Second) }
func (q *Question) samples() int           { return cmp.Or(q.Samples, 3) }
func (q *Question) sampleSize() int64      { return cmp.Or(q.SampleSize, 1<<20) }

func (q *Question) resolver() *net.Resolver { return cmp.Or(q.Resolver, net.DefaultResolver) }

// allows reports whether connections may be made like this.
func (q *Question) allows(s pop3client.Security) bool {
	if len(q.Security) == 0 {
		return s != pop3client.Cleartext
	}
	for _, one := range q.Security {
		if one == s {
			return true
		}
	}
	return false
}
