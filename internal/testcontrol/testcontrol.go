// Package testcontrol lets programs in any language use a pop3test.Server: put
// mail in, ask for faults, read what clients did, over HTTP. Answers are JSON,
// but for mail and transcripts; an error is {"error": "..."}.
//
// It is for tests: whoever reaches it can do everything. It answers only
// requests for a loopback host, so that no web page can reach it under a name of
// its own, and none that a page of another origin sends.
package testcontrol

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"slices"
	"strings"
	"sync"

	"postfach/pop3test"
)

// Control steers one server. Fields are not changed once it serves.
type Control struct {
	Server *pop3test.Server
	// Setup, if not nil, puts the server into the state that it begins with,
	// after each reset: accounts, mail, faults.
	Setup func() error
	// AllowRemote answers requests for any host.
	AllowRemote bool

	resetting sync.Mutex // held from the reset to the end of Setup
}

// Bounds of what a request may bring.
const (
	maxMail = 64 << 20
	maxJSON = 1 << 20
)

// A route is a request that is understood.
type route struct {
	method, path, doc string
	serve             func(w http.ResponseWriter, r *http.Request) error
}

func (c *Control) routes() []route {
	return []route{
		{"GET", "/{$}", "addresses, account, root certificate, and these requests", c.index},
		{"GET", "/certificate", "the root certificate, PEM", c.certificate},
		{"POST", "/users", `make an account: {"name", "password", "apop"}; apop is a secret, optional`, c.addUser},
		{"POST", "/mail/{user}", "put the body into a maildrop as a message; answers its id", c.putMail},
		{"GET", "/mail/{user}", "the messages in a maildrop: ids and octets", c.listMail},
		{"GET", "/mail/{user}/{id}", "one message", c.getMail},
		{"GET", "/faults", "what the server can do wrong, and what it does", c.listFaults},
		{"PUT", "/faults", `what connections meet from now on, and nothing else: {"personalities": [], "break": [], "rules": []}`, c.putFaults},
		{"GET", "/wait/{n}", "wait until n connections have ended; ?timeout=10s", c.wait},
		{"GET", "/transcripts", "the connections, as transcripts without secrets", c.listTranscripts},
		{"GET", "/transcripts/{n}", "one transcript, text", c.getTranscript},
		{"GET", "/recordings", "the connections, each octet of them, base64", c.recordings},
		{"GET", "/assertions", "what clients did wrong; ?name=NAME for some of the assertions", c.assertions},
		{"POST", "/reset", "back to the beginning", c.reset},
	}
}

// A problem is an error with its status code.
type problem struct {
	error
	status int
}

func (p problem) Unwrap() error { return p.error }

func wrong(status int, format string, args ...any) error {
	return problem{fmt.Errorf(format, args...), status}
}

// Handler returns what answers the requests.
func (c *Control) Handler() http.Handler {
	mux := http.NewServeMux()
	methods := make(map[string][]string)
	for _, r := range c.routes() {
		mux.Handle(r.method+" "+r.path, answering(r.serve))
		methods[r.path] = append(methods[r.path], r.method)
	}
	for path, allowed := range methods {
		mux.Handle(path, answering(func(w http.ResponseWriter, r *http.Request) error {
			w.Header().Set("Allow", strings.Join(allowed, ", "))
			return wrong(http.StatusMethodNotAllowed, "%s is not for %s", r.Method, r.URL.Path)
		}))
	}
	mux.Handle("/", answering(func(_ http.ResponseWriter, r *http.Request) error {
		return wrong(http.StatusNotFound, "there is no %s; GET / lists what there is", r.URL.Path)
	}))
	origins := http.NewCrossOriginProtection()
	origins.SetDenyHandler(answering(func(http.ResponseWriter, *http.Request) error {
		return wrong(http.StatusForbidden, "a page of another origin may not do this")
	}))
	return c.ownHost(origins.Handler(mux))
}

// ownHost refuses requests for hosts that are not loopback: a name of somebody
// else's that leads here is an attack from a web page.
func (c *Control) ownHost(next http.Handler) http.Handler {
	return answering(func(w http.ResponseWriter, r *http.Request) error {
		if !c.AllowRemote && !Loopback(r.Host) {
			return wrong(http.StatusForbidden, "the host %q is not this machine", r.Host)
		}
		next.ServeHTTP(w, r)
		return nil
	})
}

// Loopback reports whether a host, with or without a port, is a loopback
// address or localhost.
func Loopback(host string) bool {
	if h, _, err := net.SplitHostPort(host); err == nil {
		host = h
	}
	if strings.EqualFold(host, "localhost") {
		return true
	}
	ip, err := netip.ParseAddr(strings.Trim(host, "[]"))
	return err == nil && ip.Unmap().IsLoopback()
}

// answering serves, and answers an error.
func answering(serve func(http.ResponseWriter, *http.Request) error) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		err := serve(w, r)
		if err == nil {
			return
		}
		status := http.StatusInternalServerError
		var p problem
		var long *http.MaxBytesError
		switch {
		case errors.As(err, &long):
			status = http.StatusRequestEntityTooLarge
		case errors.As(err, &p):
			status = p.status
		}
		answer(w, status, map[string]string{"error": err.Error()})
	})
}

// answer writes JSON. A client that has gone hears nothing.
func answer(w http.ResponseWriter, status int, v any) {
	text, err := json.MarshalIndent(v, "", "  ")
	if err != nil {
		status, text = http.StatusInternalServerError, []byte(`{"error": "no JSON"}`)
	}
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("X-Content-Type-Options", "nosniff")
	w.WriteHeader(status)
	w.Write(append(text, '\n'))
}

// octets answers something that is no JSON.
func octets(w http.ResponseWriter, kind string, body string) {
	w.Header().Set("Content-Type", kind)
	w.Header().Set("X-Content-Type-Options", "nosniff")
	io.WriteString(w, body)
}

// read reads a JSON body. What it does not know is an error.
func read(w http.ResponseWriter, r *http.Request, v any) error {
	dec := json.NewDecoder(http.MaxBytesReader(w, r.Body, maxJSON))
	dec.DisallowUnknownFields()
	if err := dec.Decode(v); err != nil {
		return problem{fmt.Errorf("the body is not what is wanted: %w", err), http.StatusBadRequest}
	}
	if _, err := dec.Token(); !errors.Is(err, io.EOF) {
		return wrong(http.StatusBadRequest, "something stands behind the JSON value")
	}
	return nil
}

func (c *Control) index(w http.ResponseWriter, _ *http.Request) error {
	requests := make(map[string]string)
	for _, r := range c.routes() {
		requests[r.method+" "+strings.TrimSuffix(r.path, "{$}")] = r.doc
	}
	answer(w, http.StatusOK, map[string]any{
		"pop3": c.Server.Addr, "pop3s": c.Server.AddrTLS,
		"user": pop3test.User, "password": pop3test.Password,
		"certificate": string(c.Server.RootPEM()), "requests": requests,
	})
	return nil
}

func (c *Control) certificate(w http.ResponseWriter, _ *http.Request) error {
	octets(w, "application/x-pem-file", string(c.Server.RootPEM()))
	return nil
}

func (c *Control) reset(w http.ResponseWriter, _ *http.Request) error {
	c.resetting.Lock()
	defer c.resetting.Unlock()
	c.Server.Reset()
	if c.Setup != nil {
		if err := c.Setup(); err != nil {
			return err
		}
	}
	answer(w, http.StatusOK, map[string]any{})
	return nil
}

func (c *Control) addUser(w http.ResponseWriter, r *http.Request) error {
	var u struct{ Name, Password, APOP string }
	if err := read(w, r, &u); err != nil {
		return err
	}
	if u.Name == "" || u.Password == "" {
		return wrong(http.StatusBadRequest, "an account needs a name and a password")
	}
	c.Server.AddUser(u.Name, u.Password)
	if u.APOP != "" {
		c.Server.AllowAPOP(u.Name, u.APOP)
	}
	answer(w, http.StatusCreated, map[string]string{"name": u.Name})
	return nil
}

// named returns whether a list that may be empty allows a name.
func named(names []string, name string) bool { return len(names) == 0 || slices.Contains(names, name) }
