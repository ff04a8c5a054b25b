package main

import (
	"testing"
	"time"
)

// P3-EXT-04: a certificate is for one server, and a mail address may lead to
// several.
func TestCheckShowsItsCertificate(t *testing.T) {
	cert, key, both, _ := holder(t)
	for name, test := range map[string]struct {
		cmd  checkCmd
		code int
	}{
		"server":       {checkCmd{Host: "pop.example.org", clientCertificate: clientCertificate{ClientCert: cert, ClientKey: key}}, 0},
		"one file":     {checkCmd{Host: "pop.example.org", clientCertificate: clientCertificate{ClientCert: both}}, 0},
		"mail address": {checkCmd{Host: "me@example.org", clientCertificate: clientCertificate{ClientCert: both}}, exitUsage},
		"key alone":    {checkCmd{Host: "pop.example.org", clientCertificate: clientCertificate{ClientKey: key}}, exitUsage},
	} {
		test.cmd.Timeout = time.Second
		q, err := test.cmd.question(t.Context())
		if exitCode(err) != test.code {
			t.Errorf("%s: %v", name, err)
		}
		if err == nil && len(q.TLS.Certificates) != 1 {
			t.Errorf("%s: %d certificates", name, len(q.TLS.Certificates))
		}
		conf, err := tlsConfig(test.cmd.CAFile, test.cmd.Pin, &test.cmd.clientCertificate)
		if name != "mail address" && (exitCode(err) != test.code || err == nil && len(conf.Certificates) != 1) {
			t.Errorf("%s, conformance: %v", name, err)
		}
	}
}

func TestShellShowsItsCertificate(t *testing.T) {
	cert, key, _, _ := holder(t)
	o, closeLog, err := (&shellCmd{Host: "pop.example.org", clientCertificate: clientCertificate{ClientCert: cert, ClientKey: key}}).options()
	if err != nil || len(o.TLS.Certificates) != 1 {
		t.Fatalf("%+v, %v", o, err)
	}
	if err := closeLog(); err != nil {
		t.Error(err)
	}
	if _, _, err := (&shellCmd{Host: "pop.example.org", clientCertificate: clientCertificate{ClientCert: key}}).options(); exitCode(err) != exitUsage {
		t.Error(err)
	}
}
