package testcontrol

import (
	"context"
	"net/http"
	"strconv"
	"time"

	"postfach/pop3test"
)

// How long a request waits for clients.
const (
	defaultWait = 10 * time.Second
	maxWait     = 10 * time.Minute
)

func (c *Control) wait(w http.ResponseWriter, r *http.Request) error {
	n, err := strconv.Atoi(r.PathValue("n"))
	if err != nil || n < 0 {
		return wrong(http.StatusBadRequest, "%q is no number of connections", r.PathValue("n"))
	}
	timeout := defaultWait
	if text := r.URL.Query().Get("timeout"); text != "" {
		if timeout, err = time.ParseDuration(text); err != nil || timeout < 0 || timeout > maxWait {
			return wrong(http.StatusBadRequest, "timeout: %q is no duration up to %v, such as 10s", text, maxWait)
		}
	}
	ctx, cancel := context.WithTimeout(r.Context(), timeout)
	defer cancel()
	if err := c.Server.WaitSessions(ctx, n); err != nil {
		return problem{err, http.StatusGatewayTimeout}
	}
	answer(w, http.StatusOK, map[string]int{"ended": n})
	return nil
}

func (c *Control) listTranscripts(w http.ResponseWriter, _ *http.Request) error {
	type entry struct {
		Number     int    `json:"number"`
		Transcript string `json:"transcript"`
	}
	all := []entry{}
	for _, rec := range c.Server.Recordings() {
		all = append(all, entry{rec.Number, pop3test.Transcript(rec)})
	}
	answer(w, http.StatusOK, all)
	return nil
}

func (c *Control) getTranscript(w http.ResponseWriter, r *http.Request) error {
	for _, rec := range c.Server.Recordings() {
		if strconv.Itoa(rec.Number) == r.PathValue("n") {
			octets(w, "text/plain; charset=utf-8", pop3test.Transcript(rec))
			return nil
		}
	}
	return wrong(http.StatusNotFound, "there is no connection %q", r.PathValue("n"))
}

// recordings answers with raw octets: secrets are in them.
func (c *Control) recordings(w http.ResponseWriter, _ *http.Request) error {
	type event struct {
		Time   time.Time `json:"time"`
		Kind   string    `json:"kind"`
		Octets []byte    `json:"octets,omitempty"`
		Error  string    `json:"error,omitempty"`
	}
	type recording struct {
		Number      int     `json:"number"`
		Scenario    string  `json:"scenario"`
		ImplicitTLS bool    `json:"implicit-tls"`
		Events      []event `json:"events"`
	}
	all := []recording{}
	for _, rec := range c.Server.Recordings() {
		r := recording{rec.Number, rec.Scenario, rec.ImplicitTLS, []event{}}
		for _, e := range rec.Events {
			r.Events = append(r.Events, event{e.Time, string(e.Kind), []byte(e.Octets), e.Err})
		}
		all = append(all, r)
	}
	answer(w, http.StatusOK, all)
	return nil
}

func (c *Control) assertions(w http.ResponseWriter, r *http.Request) error {
	type broken struct {
		Assertion  string `json:"assertion"`
		Doc        string `json:"doc"`
		Rule       string `json:"rule"`
		Connection int    `json:"connection"`
		Error      string `json:"error"`
	}
	names := r.URL.Query()["name"]
	known := make(map[string]bool)
	all := []broken{}
	for _, a := range pop3test.Assertions() {
		known[a.Name] = true
		if !named(names, a.Name) {
			continue
		}
		for _, rec := range c.Server.Recordings() {
			if err := a.Check(rec); err != nil {
				all = append(all, broken{a.Name, a.Doc, a.Rule, rec.Number, err.Error()})
			}
		}
	}
	for _, name := range names {
		if !known[name] {
			return wrong(http.StatusBadRequest, "there is no assertion %q", name)
		}
	}
	answer(w, http.StatusOK, map[string]any{"connections": len(c.Server.Recordings()), "broken": all})
	return nil
}
