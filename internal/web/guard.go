package web

import (
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"runtime/debug"
	"slices"
	"strings"
	"time"
)

// policy is what our pages may do: show themselves and talk to us.
const policy = "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; img-src 'self' data:; frame-src 'self'; " +
	"form-action 'self'; frame-ancestors 'none'; base-uri 'none'"

// handler returns the pages for a server at addr, behind all guards.
func (f *Face) handler(addr net.Addr) http.Handler {
	g := &guard{face: f, hosts: ownHosts(addr), cookie: cookieName(addr), cross: http.NewCrossOriginProtection()}
	g.mux = f.routes()
	return g
}

// ownHosts are what a Host header may say, against names of others that lead to
// this machine (DNS rebinding).
func ownHosts(addr net.Addr) []string {
	_, port, _ := net.SplitHostPort(addr.String())
	hosts := []string{"127.0.0.1:" + port, "localhost:" + port, "[::1]:" + port, addr.String()}
	if port == "80" {
		hosts = append(hosts, "127.0.0.1", "localhost", "[::1]")
	}
	return hosts
}

// A guard lets requests through to the pages.
type guard struct {
	face   *Face
	hosts  []string
	cookie string
	cross  *http.CrossOriginProtection
	mux    *http.ServeMux
}

func (g *guard) ServeHTTP(rw http.ResponseWriter, r *http.Request) {
	w := &writer{ResponseWriter: rw, control: http.NewResponseController(rw), piece: g.face.limits.write}
	v := &visit{face: g.face, w: w, r: r}
	w.visit = v
	defer g.recover(v)
	setHeaders(w.Header())
	// Until it is let in nobody may keep a connection waiting, and net/http reads
	// the body of what was refused to its end. The next request sets its own.
	w.control.SetReadDeadline(time.Now().Add(g.face.limits.body))
	if err := g.admit(v); err != nil {
		v.fail(err)
		return
	}
	w.control.SetReadDeadline(time.Time{})
	if v.session == nil {
		return // was answered: the token has become a cookie
	}
	_, pattern := g.mux.Handler(r)
	if pattern == "" {
		v.fail(&failure{Status: http.StatusNotFound, Title: "There is no such page"})
		return
	}
	g.mux.ServeHTTP(w, r)
}

// admit says why a request may not come in. Without an error it has answered
// it, or given v its session.
func (g *guard) admit(v *visit) error {
	r := v.r
	if !slices.ContainsFunc(g.hosts, func(h string) bool { return strings.EqualFold(h, r.Host) }) {
		return forbidden("This is not the address of the explorer", "Use the address that postfach explore printed. With ssh -L, its port must be the same on both machines.")
	}
	if token := r.URL.Query().Get("token"); token != "" && r.Method == http.MethodGet && r.URL.Path == g.face.home+"/" {
		return g.exchange(v, token)
	}
	s := g.face.doors.session(r, g.cookie)
	if s == nil {
		return forbidden("Please come in by the printed address", "Open the address that postfach explore printed when it began. It works once, in one browser, which finds the way back in its history; start postfach explore again for a new one.")
	}
	if site := r.Header.Get("Sec-Fetch-Site"); site != "" && site != "same-origin" && site != "none" {
		return forbidden("Another page asked for this", "The explorer answers only its own pages. Type the address yourself.")
	}
	if err := g.cross.Check(r); err != nil {
		return forbidden("Another page asked for this", "The explorer answers only its own pages.")
	}
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		if err := g.readForm(v, s); err != nil {
			return err
		}
	} else if r.ContentLength != 0 {
		return badRequest("A page takes no form")
	}
	v.session = s
	return nil
}

// exchange makes a cookie of a token. A reload of the address by somebody who is
// in already is no error.
func (g *guard) exchange(v *visit, token string) error {
	if g.face.doors.session(v.r, g.cookie) == nil {
		cookie, ok := g.face.doors.enter(token)
		if !ok {
			return forbidden("This address was used already", "The printed address works once, in one browser. Start postfach explore again for a new one.")
		}
		http.SetCookie(v.w, newCookie(g.cookie, cookie, g.face.home))
	}
	http.Redirect(v.w, v.r, g.face.home+"/", http.StatusSeeOther)
	return nil
}

// readForm reads a form, which must carry the session's own token.
func (g *guard) readForm(v *visit, s *session) error {
	l := g.face.limits
	octets := l.bodyOctets
	if strings.HasSuffix(v.r.URL.Path, "/commit") || strings.HasSuffix(v.r.URL.Path, "/export/file") {
		octets = l.commitOctets
	}
	v.r.Body = http.MaxBytesReader(v.w, v.r.Body, octets)
	if err := v.r.ParseForm(); err != nil {
		if large := new(http.MaxBytesError); errors.As(err, &large) {
			return &failure{Status: http.StatusRequestEntityTooLarge, Title: "This form is too large", Text: fmt.Sprintf("At most %d octets are read.", large.Limit)}
		}
		return &failure{Status: http.StatusBadRequest, Title: "This form cannot be read"}
	}
	if !s.fits(v.r.PostForm.Get("form")) {
		return forbidden("This form is from another session", "Nothing was done. Go back, load the page again, and try once more.")
	}
	return nil
}

// recover keeps a panic to its request. The log gets neither the address, which
// may hold a token, nor the form.
func (g *guard) recover(v *visit) {
	p := recover()
	if p == nil {
		return
	}
	if p == http.ErrAbortHandler {
		panic(p) // net/http cuts the answer off
	}
	slog.Error("page failed", "panic", p, "stack", string(debug.Stack()))
	if v.w.begun {
		panic(http.ErrAbortHandler)
	}
	v.fail(&failure{Status: http.StatusInternalServerError, Title: "The explorer has made a mistake", Text: "This page could not be made. Nothing was deleted by it."})
}

// setHeaders sets what every answer has; frames and downloads change some.
func setHeaders(h http.Header) {
	h.Set("Content-Security-Policy", policy)
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("X-Frame-Options", "DENY")
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("Cross-Origin-Opener-Policy", "same-origin")
	h.Set("Cross-Origin-Resource-Policy", "same-origin")
	h.Set("Cache-Control", "no-store")
	h.Set("Permissions-Policy", "camera=(), geolocation=(), microphone=()")
}

// A writer gives the browser a time for each piece, not for the whole: a page
// may wait long for a mail server.
type writer struct {
	http.ResponseWriter
	control *http.ResponseController
	piece   time.Duration
	visit   *visit
	begun   bool // something was written: too late for an error page
}

func (w *writer) WriteHeader(status int) {
	w.begun = true
	w.ResponseWriter.WriteHeader(status)
}

func (w *writer) Write(p []byte) (int, error) {
	w.begun = true
	w.control.SetWriteDeadline(time.Now().Add(w.piece))
	return w.ResponseWriter.Write(p)
}

// Unwrap lets http.ResponseController through.
func (w *writer) Unwrap() http.ResponseWriter { return w.ResponseWriter }
