package tui

import (
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"encoding/hex"
	"fmt"
	"strings"
	"time"

	tea "charm.land/bubbletea/v2"

	"postfach/internal/explain"
	"postfach/internal/explore"
)

// server shows it.
func (a *app) server() tea.Cmd {
	known, account, now := a.e.Server(), a.account, a.now()
	lang := a.picker.Options.Language
	if lang == "" {
		lang = explain.English
	}
	var own []key
	if account.Question != nil {
		own = append(own, key{on: "c", does: "check the connection", help: "find out what is wrong with the connection, as postfach check does", run: (*app).diagnose})
	}
	return a.push(newTextPage("server", func(t *theme, w int) []row {
		rows := named(t, "account", line(account.Name), w)
		rows = append(rows, named(t, "host", line(account.Host), w)...)
		rows = append(rows, named(t, "greeting", orNone(line(known.Greeting), "(none yet)"), w)...)
		rows = append(rows, nil, text(strong, "Encryption"))
		rows = append(rows, encryption(t, known.TLS, account, now, w)...)
		rows = append(rows, nil, text(strong, "What the server can do, as it says itself (CAPA)"))
		return append(rows, capabilities(t, known, lang, w)...)
	}, own...))
}

func named(t *theme, name, value shown, w int) []row {
	if value == "" {
		return nil
	}
	return t.paragraph(row{{" " + t.fit(name, 13) + " ", dim}}, plain, value, w)
}

func encryption(t *theme, c *tls.ConnectionState, account explore.Account, now time.Time, w int) []row {
	if c == nil {
		if account.NoPassword {
			return remark("none is needed: these messages are on this machine")
		}
		return []row{text(warning, " none: what is said can be read on the way")}
	}
	rows := named(t, "TLS", line(tls.VersionName(c.Version)+", "+tls.CipherSuiteName(c.CipherSuite)), w)
	if len(c.PeerCertificates) == 0 {
		return append(rows, text(warning, " the server showed no certificate"))
	}
	return append(rows, certificate(t, c.PeerCertificates[0], now, w)...)
}

func remark(s shown) []row { return []row{text(plain, " "+s)} }

// maxNames bounds the names of a certificate that are shown.
const maxNames = 20

func certificate(t *theme, cert *x509.Certificate, now time.Time, w int) []row {
	names := append([]string{}, cert.DNSNames...)
	for _, ip := range cert.IPAddresses {
		names = append(names, ip.String())
	}
	if len(names) > maxNames {
		names = append(names[:maxNames], fmt.Sprintf("and %d more", len(names)-maxNames))
	}
	days := int(cert.NotAfter.Sub(now).Hours() / 24)
	until := sayf("%s, in %d days", cert.NotAfter.Format(time.DateOnly), days)
	switch {
	case now.After(cert.NotAfter):
		until = sayf("%s: it has expired", cert.NotAfter.Format(time.DateOnly))
	case now.Before(cert.NotBefore):
		until = sayf("%s, but only from %s on", cert.NotAfter.Format(time.DateOnly), cert.NotBefore.Format(time.DateOnly))
	}
	pin := sha256.Sum256(cert.Raw)
	var rows []row
	rows = append(rows, named(t, "certificate", line(cert.Subject.String()), w)...)
	rows = append(rows, named(t, "for", line(strings.Join(names, ", ")), w)...)
	rows = append(rows, named(t, "signed by", line(cert.Issuer.String()), w)...)
	rows = append(rows, named(t, "valid until", until, w)...)
	return append(rows, named(t, "pin (SHA-256)", line(hex.EncodeToString(pin[:])), w)...)
}

func capabilities(t *theme, known explore.Server, lang explain.Language, w int) []row {
	if len(known.Capabilities) == 0 {
		return remark("nothing: it does not know CAPA, or was not asked")
	}
	var rows []row
	for _, c := range known.Capabilities {
		rows = append(rows, row{{" " + line(c.String()), accent}})
		if meaning := explain.Capability(lang, c); meaning != "" {
			rows = append(rows, t.paragraph(row{{"    ", plain}}, plain, line(meaning), w)...)
		}
	}
	return rows
}
