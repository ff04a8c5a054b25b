package web

import (
	"context"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"encoding/hex"
	"fmt"
	"net/http"
	"strings"
	"time"

	"postfach/internal/explain"
	"postfach/internal/message"
	"postfach/pop3"
	"postfach/pop3check"
)

// serverPage is what is known of the server.
type serverPage struct {
	Known        bool // there was a connection
	Greeting     string
	TLS          *tlsFacts
	Capabilities []capability
	CanDiagnose  bool
	Diagnosis    *diagnosis
	Language     explain.Language
}

// A capability is a line of CAPA with what it promises.
type capability struct{ Line, Meaning string }

// tlsFacts are a connection's certificate and how it is protected.
type tlsFacts struct {
	Version, Cipher string
	Days            int
	Chain           []certificate
}

type certificate struct {
	Subject, Issuer, Names, SHA256 string
	From, Until                    time.Time
}

func showServer(v *visit) error {
	s := v.account.e.Server()
	p := &serverPage{
		Known: s.Greeting != "" || s.Capabilities != nil || s.TLS != nil, Greeting: message.PrintableLine(s.Greeting),
		TLS: newTLSFacts(s.TLS), CanDiagnose: v.account.about.Question != nil, Language: v.language(),
	}
	for _, c := range s.Capabilities {
		p.Capabilities = append(p.Capabilities, capability{message.PrintableLine(c.String()), explain.Capability(p.Language, c)})
	}
	v.account.mu.Lock()
	if d := v.account.diagnosis; d != nil {
		p.Diagnosis = newDiagnosis(d)
	}
	v.account.mu.Unlock()
	v.show("server", "The server of "+v.account.name(), http.StatusOK, p)
	return nil
}

func newTLSFacts(s *tls.ConnectionState) *tlsFacts {
	if s == nil {
		return nil
	}
	f := &tlsFacts{Version: tls.VersionName(s.Version), Cipher: tls.CipherSuiteName(s.CipherSuite)}
	for i, c := range s.PeerCertificates {
		if i == 0 {
			f.Days = int(time.Until(c.NotAfter).Hours() / 24)
		}
		f.Chain = append(f.Chain, newCertificate(c))
	}
	return f
}

func newCertificate(c *x509.Certificate) certificate {
	sum := sha256.Sum256(c.Raw)
	return certificate{
		Subject: message.PrintableLine(c.Subject.String()), Issuer: message.PrintableLine(c.Issuer.String()),
		Names: message.PrintableLine(strings.Join(names(c), ", ")), SHA256: hex.EncodeToString(sum[:]), From: c.NotBefore, Until: c.NotAfter,
	}
}

// names are the hosts that a certificate is for.
func names(c *x509.Certificate) []string {
	all := append([]string(nil), c.DNSNames...)
	for _, ip := range c.IPAddresses {
		all = append(all, ip.String())
	}
	return all
}

// diagnose examines the connection, as postfach check does.
func diagnose(v *visit) error {
	if v.account.about.Question == nil {
		return badRequest("There is no server to examine")
	}
	ctx, cancel := context.WithTimeout(v.r.Context(), v.face.limits.diagnose)
	defer cancel()
	d, err := v.account.e.Diagnose(ctx)
	if err != nil {
		return err
	}
	v.account.mu.Lock()
	v.account.diagnosis = d
	v.account.mu.Unlock()
	v.redirect(v.account.path("server") + "#diagnosis")
	return nil
}

// A diagnosis is a pop3check.Diagnosis in the order in which people read it.
type diagnosis struct {
	*pop3check.Diagnosis
	Whose    string
	Exchange []string
	Stages   []stage
	Findings []finding
	Checks   int
	Phases   []pop3check.Phase
}

// A stage is what the server announced at a moment of the connection.
type stage struct{ Name, Lines string }

type finding struct{ Kind, ID, Text string }

// exchangeLines is how much of a conversation that failed is shown.
const exchangeLines = 30

func newDiagnosis(d *pop3check.Diagnosis) *diagnosis {
	p := &diagnosis{Diagnosis: d, Whose: string(d.Whose), Checks: len(d.Findings)}
	if !d.OK {
		p.Exchange = d.Exchange[max(0, len(d.Exchange)-exchangeLines):]
	}
	if c := d.Used; c != nil {
		p.Phases = c.Phases
		for _, s := range []struct {
			name string
			capa pop3.Capabilities
		}{{"in clear", c.Clear}, {"in TLS", c.InTLS}, {"after login", c.Inside}} {
			if s.capa != nil {
				p.Stages = append(p.Stages, stage{s.name, capabilityLines(s.capa)})
			}
		}
	}
	for _, r := range d.Findings {
		if r.Status == pop3check.Fail && d.Used != nil { // else the servers that were tried say it
			p.Findings = append(p.Findings, newFinding(d, r))
		}
	}
	return p
}

func newFinding(d *pop3check.Diagnosis, r pop3check.Result) finding {
	f := finding{Kind: "finding", ID: r.ID, Text: r.Got}
	if !d.Counts(r) {
		f.Kind = "note"
	}
	if strings.HasPrefix(r.ID, "P3-") {
		f.Text = fmt.Sprintf("want %s; got %s", r.Want, r.Got)
	}
	return f
}

func capabilityLines(all pop3.Capabilities) string {
	var lines []string
	for _, c := range all {
		lines = append(lines, c.String())
	}
	return message.PrintableLine(strings.Join(lines, ", "))
}
