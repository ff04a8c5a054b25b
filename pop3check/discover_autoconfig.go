package pop3check

import (
	"context"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"

	"postfach/pop3client"
)

// An autoconfig is one place where a file with settings may be.
type autoconfig struct {
	url string
	// vouched: who answers there can be trusted to know the account's server.
	vouched bool
}

// maxAutoconfig bounds such a file, in octets.
const maxAutoconfig = 256 << 10

// byAutoconfig asks for a file with settings, in the order of P3-DISC-08, until
// one has a POP3 server.
func (x *course) byAutoconfig(ctx context.Context) {
	client := x.httpClient()
	for _, place := range autoconfigs(x.where.domain, x.where.address()) {
		if x.autoconfigAt(ctx, client, place) {
			return
		}
	}
	// What the MX records say can be forged: nothing that comes of it is
	// vouched for.
	domain := x.mxDomain(ctx)
	if domain == "" || strings.EqualFold(domain, x.where.domain) {
		return
	}
	for _, place := range autoconfigs(domain, x.where.address()) {
		place.vouched = false
		if strings.HasPrefix(place.url, "https:") && x.autoconfigAt(ctx, client, place) {
			return
		}
	}
}

// autoconfigs are the places for a domain.
func autoconfigs(domain, address string) []autoconfig {
	const file = "/mail/config-v1.1.xml"
	query := "?emailaddress=" + url.QueryEscape(address)
	return []autoconfig{
		{"https://autoconfig." + domain + file + query, true},
		{"https://" + domain + "/.well-known/autoconfig" + file, true},
		// In clear: anybody on the way can have written the answer.
		{"http://autoconfig." + domain + file, false},
		{"https://v1.ispdb.net/" + domain, true},
	}
}

// mxDomain returns the domain of the host that takes the domain's mail.
func (x *course) mxDomain(ctx context.Context) string {
	began := time.Now()
	ctx, cancel := context.WithTimeout(ctx, lookupTime(x.q))
	defer cancel()
	records, err := x.q.resolver().LookupMX(ctx, x.where.domain)
	what := "MX " + x.where.domain
	if len(records) == 0 {
		if err == nil {
			err = errors.New("none")
		}
		x.looked(what, began, nameTrouble(err))
		return ""
	}
	host := strings.TrimSuffix(records[0].Host, ".")
	x.looked(what, began, host)
	_, domain, _ := strings.Cut(host, ".")
	if !strings.Contains(domain, ".") {
		return ""
	}
	return domain
}

// httpClient is the question's, or one of our own that follows no way from
// HTTPS to HTTP.
func (x *course) httpClient() *http.Client {
	client := http.Client{}
	if x.q.HTTP != nil {
		client = *x.q.HTTP
	} else {
		dialer := &net.Dialer{Resolver: x.q.Resolver, Timeout: lookupTime(x.q)}
		client.Transport = &http.Transport{
			Proxy: http.ProxyFromEnvironment, DialContext: dialer.DialContext, DisableKeepAlives: true,
		}
	}
	if client.Timeout == 0 {
		client.Timeout = lookupTime(x.q)
	}
	client.CheckRedirect = func(to *http.Request, via []*http.Request) error {
		if len(via) > 4 {
			return errors.New("too many redirections")
		}
		if via[0].URL.Scheme == "https" && to.URL.Scheme != "https" {
			return errors.New("redirected from HTTPS to HTTP")
		}
		return nil
	}
	return &client
}

// autoconfigAt asks at one place and reports whether there were servers.
func (x *course) autoconfigAt(ctx context.Context, client *http.Client, place autoconfig) bool {
	began := time.Now()
	servers, err := x.readAutoconfig(ctx, client, place)
	shown, _, _ := strings.Cut(place.url, "?")
	if err != nil {
		x.looked(shown, began, err.Error())
		return false
	}
	var found []string
	for _, c := range servers {
		what := fmt.Sprintf("%s (%s)", c.Addr(), c.How())
		if c.Security == pop3client.Cleartext && !x.q.allows(c.Security) {
			what += ", not taken"
		}
		found = append(found, what)
		c.Source = "autoconfig"
		c.Vouched = place.vouched || x.inDomain(c.Host)
		if strings.HasPrefix(place.url, "http:") {
			c.Login = "" // somebody on the way would choose the name that goes with the password
		}
		x.add(c)
	}
	x.looked(shown, began, strings.Join(found, ", "))
	return true
}

func (x *course) readAutoconfig(ctx context.Context, client *http.Client, place autoconfig) ([]Candidate, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, place.url, nil)
	if err != nil {
		return nil, errors.New("no such place")
	}
	resp, err := client.Do(req)
	if err != nil {
		return nil, httpTrouble(err)
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("HTTP %d", resp.StatusCode)
	}
	octets, err := io.ReadAll(io.LimitReader(resp.Body, maxAutoconfig+1))
	if err != nil {
		return nil, httpTrouble(err)
	}
	if len(octets) > maxAutoconfig {
		return nil, errors.New("too long")
	}
	servers, err := parseAutoconfig(octets, x.where.local, x.where.domain)
	if err == nil && len(servers) == 0 {
		err = errors.New("names no POP3 server")
	}
	return servers, err
}

// httpTrouble is an error without the address, which stands beside it.
func httpTrouble(err error) error {
	var dns *net.DNSError
	if errors.As(err, &dns) && dns.IsNotFound {
		return errors.New("no such host")
	}
	var u *url.Error
	if errors.As(err, &u) {
		if u.Timeout() {
			return errors.New("no answer")
		}
		err = u.Err
	}
	return err
}

// parseAutoconfig reads the POP3 servers of a file, in its order. What is
// unknown is ignored, a server that cannot be used is left out (P3-DISC-09,
// P3-DISC-11).
func parseAutoconfig(octets []byte, local, domain string) ([]Candidate, error) {
	var file struct {
		XMLName xml.Name `xml:"clientConfig"`
		Servers []struct {
			Type       string `xml:"type,attr"`
			Host       string `xml:"hostname"`
			Port       int    `xml:"port"`
			SocketType string `xml:"socketType"`
			Username   string `xml:"username"`
		} `xml:"emailProvider>incomingServer"`
	}
	if err := xml.Unmarshal(octets, &file); err != nil {
		return nil, errors.New("no autoconfig file")
	}
	fill := strings.NewReplacer("%EMAILADDRESS%", local+"@"+domain, "%EMAILLOCALPART%", local, "%EMAILDOMAIN%", domain)
	kinds := map[string]pop3client.Security{
		"ssl": pop3client.ImplicitTLS, "starttls": pop3client.RequireSTLS, "plain": pop3client.Cleartext,
	}
	var all []Candidate
	for _, s := range file.Servers {
		kind, known := kinds[strings.ToLower(strings.TrimSpace(s.SocketType))]
		c := Candidate{
			Host: fill.Replace(strings.TrimSpace(s.Host)), Port: s.Port, Security: kind,
			Login: fill.Replace(strings.TrimSpace(s.Username)),
		}
		if !strings.EqualFold(s.Type, "pop3") || !known || !hostName(c.Host) || c.Port < 1 || c.Port > 65535 || len(all) == maxCandidates {
			continue
		}
		if strings.Contains(c.Login, "%") || strings.ContainsFunc(c.Login, unfit) {
			c.Login = ""
		}
		all = append(all, c)
	}
	return all, nil
}
