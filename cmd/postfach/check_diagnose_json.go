package main

import (
	"encoding/json"
	"io"
	"time"

	"postfach/internal/checkreport"
	"postfach/pop3"
	"postfach/pop3check"
)

// diagnosisJSON is what --json prints. Scripts rely on its names.
type diagnosisJSON struct {
	Verdict  string   `json:"verdict"`
	OK       bool     `json:"ok"`
	Cause    string   `json:"cause"`
	Whose    string   `json:"whose"`
	Advice   []string `json:"advice"`
	Exchange []string `json:"exchange"`

	Host       string           `json:"host"`
	User       string           `json:"user"`
	Time       time.Time        `json:"time"`
	Address    string           `json:"address"`  // host:port that was used
	Security   string           `json:"security"` // TLS, STLS, no TLS
	Lookups    []lookupJSON     `json:"lookups"`
	Candidates []candidateJSON  `json:"candidates"`
	Phases     []phaseJSON      `json:"phases"`
	Greeting   *greetingJSON    `json:"greeting"`
	Capability capabilitiesJSON `json:"capabilities"`
	TLS        *tlsJSON         `json:"tls"`

	CleartextLogin string        `json:"cleartext_login"`
	KeepsClear     string        `json:"octets_behind_stls"`
	Mechanism      string        `json:"mechanism"`
	LoggedIn       bool          `json:"logged_in"`
	Maildrop       *maildropJSON `json:"maildrop"`

	Results []checkreport.Row `json:"results"`
}

type lookupJSON struct {
	What    string  `json:"what"`
	Outcome string  `json:"outcome"`
	Seconds float64 `json:"seconds"`
}

type candidateJSON struct {
	Source    string        `json:"source"`
	Address   string        `json:"address"`
	Security  string        `json:"security"`
	Vouched   bool          `json:"vouched"`
	Works     bool          `json:"works"`
	Outcome   string        `json:"outcome"`
	Addresses []addressJSON `json:"addresses"`
}

type addressJSON struct {
	IP      string `json:"ip"`
	Outcome string `json:"outcome"`
}

type phaseJSON struct {
	Name    string  `json:"name"`
	Seconds float64 `json:"seconds"`
}

type greetingJSON struct {
	Line      string `json:"line"`
	Version   string `json:"version"`
	Timestamp string `json:"apop_timestamp"`
}

// capabilitiesJSON has null for what was not asked or is unknown.
type capabilitiesJSON struct {
	Clear []string `json:"clear"`
	TLS   []string `json:"tls"`
	Login []string `json:"login"`
}

type tlsJSON struct {
	Version  string            `json:"version"`
	Cipher   string            `json:"cipher"`
	Name     string            `json:"name"`
	Trusted  bool              `json:"trusted"`
	Problems []string          `json:"problems"`
	Days     int               `json:"days"`
	Pin      string            `json:"pin"`
	Chain    []certificateJSON `json:"chain"`
}

type certificateJSON struct {
	Subject   string    `json:"subject"`
	Issuer    string    `json:"issuer"`
	Names     []string  `json:"names"`
	NotBefore time.Time `json:"not_before"`
	NotAfter  time.Time `json:"not_after"`
	SHA256    string    `json:"sha256"`
}

type maildropJSON struct {
	Messages   int          `json:"messages"`
	Octets     int64        `json:"octets"`
	Listed     int          `json:"listed"`
	Sum        int64        `json:"sum"`
	UniqueIDs  int          `json:"unique_ids"` // -1: no UIDL
	Expire     string       `json:"expire"`
	LoginDelay string       `json:"login_delay"`
	Pipelining string       `json:"pipelining"`
	Samples    []sampleJSON `json:"samples"`
}

type sampleJSON struct {
	Number    int    `json:"number"`
	Announced int64  `json:"announced"`
	Octets    int64  `json:"octets"`
	Top       string `json:"top"`
}

func (r *diagnosisReport) json(w io.Writer) error {
	d := r.d
	out := diagnosisJSON{
		Verdict: d.Verdict, OK: d.OK, Cause: d.Cause, Whose: string(d.Whose), Advice: notNil(d.Advice), Exchange: notNil(d.Exchange),
		Host: d.Host, User: d.User, Time: r.began.UTC().Truncate(time.Second), LoggedIn: d.LoggedIn,
		Lookups: []lookupJSON{}, Candidates: []candidateJSON{}, Phases: []phaseJSON{},
		Maildrop: maildropOf(d.Maildrop), Results: checkreport.Rows(d.Findings),
	}
	for _, l := range d.Lookups {
		out.Lookups = append(out.Lookups, lookupJSON{l.What, l.Outcome, l.Time.Seconds()})
	}
	for _, c := range d.Candidates {
		one := candidateJSON{c.Source, c.Addr(), c.How(), c.Vouched, c.Works, c.Outcome, []addressJSON{}}
		for _, a := range c.Addresses {
			one.Addresses = append(one.Addresses, addressJSON{a.IP.String(), a.Outcome})
		}
		out.Candidates = append(out.Candidates, one)
	}
	if c := d.Used; c != nil {
		out.Address, out.Security, out.Mechanism = c.Addr(), c.How(), c.Mechanism
		out.CleartextLogin, out.KeepsClear = c.CleartextLogin, c.KeepsClear
		out.Capability = capabilitiesJSON{capaLines(c.Clear), capaLines(c.InTLS), capaLines(c.Inside)}
		out.TLS = tlsOf(c.TLS)
		if g := c.Greeting; g != nil {
			out.Greeting = &greetingJSON{g.Line, g.Version, g.Timestamp}
		}
		for _, p := range r.phases() {
			out.Phases = append(out.Phases, phaseJSON{p.Name, p.Time.Seconds()})
		}
	}
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	return enc.Encode(out)
}

// phases are those of the server that was used, and all together.
func (r *diagnosisReport) phases() []pop3check.Phase {
	var all []pop3check.Phase
	if r.d.Used != nil {
		all = append(all, r.d.Used.Phases...)
	}
	return append(all, pop3check.Phase{Name: "total", Time: r.took})
}

func notNil(lines []string) []string {
	if lines == nil {
		return []string{}
	}
	return lines
}

// capaLines are the lines of CAPA; nil stays nil.
func capaLines(capa pop3.Capabilities) []string {
	if capa == nil {
		return nil
	}
	lines := []string{}
	for _, c := range capa {
		lines = append(lines, c.String())
	}
	return lines
}

func tlsOf(r *pop3check.TLSReport) *tlsJSON {
	if r == nil {
		return nil
	}
	out := &tlsJSON{Version: r.Version, Cipher: r.Cipher, Name: r.Name, Trusted: r.Trusted, Problems: notNil(r.Problems), Days: r.Days, Pin: r.Pin}
	for _, c := range r.Chain {
		out.Chain = append(out.Chain, certificateJSON{c.Subject, c.Issuer, notNil(c.Names), c.NotBefore, c.NotAfter, c.SHA256})
	}
	return out
}

func maildropOf(m *pop3check.MaildropReport) *maildropJSON {
	if m == nil {
		return nil
	}
	out := &maildropJSON{
		Messages: m.Count, Octets: m.Octets, Listed: m.Listed, Sum: m.Sum, UniqueIDs: m.UniqueIDs,
		Expire: m.Expire, LoginDelay: m.LoginDelay, Pipelining: m.Pipelining, Samples: []sampleJSON{},
	}
	for _, s := range m.Samples {
		out.Samples = append(out.Samples, sampleJSON{s.Number, s.Announced, s.Octets, s.Top})
	}
	return out
}
