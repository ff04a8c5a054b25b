package config

import (
	"reflect"
	"strings"
	"testing"

	"postfach/internal/hint"
)

func TestMechanismsAndDomainsThatMakeNoSense(t *testing.T) {
	for text, want := range map[string]string{
		`mechanisms = ["SCRAM-SHA-512"]`:                              `f:1: mechanisms: "SCRAM-SHA-512" is no mechanism here`,
		`mechanisms = ["plain"]`:                                      `f:1: mechanisms: "plain" is no mechanism here`,
		`mechanisms = ["PLAIN", "SCRAM-SHA-256-PLUS"]`:                "f:1: mechanisms: SCRAM-SHA-256-PLUS is offered with SCRAM-SHA-256",
		`mechanisms = ["PLAIN-PLUS"]`:                                 "f:1: mechanisms: ",
		`mechanisms = ["PLAIN", "PLAIN"]`:                             "f:1: mechanisms: PLAIN is there twice",
		`mechanisms = ["EXTERNAL"]`:                                   "f:1: mechanisms: EXTERNAL needs client certificates",
		`mechanisms = ["OAUTHBEARER", "XOAUTH2"]`:                     "f:1: mechanisms: OAUTHBEARER needs somebody who makes tokens",
		`mechanisms = ["LOGIN"]`:                                      "f:1: mechanisms: LOGIN is offered beside PLAIN only",
		"client_certificate_names = true":                             "f:1: client_certificate_names: the server asks for no certificates",
		"[[domain]]\nname = \"Example.org\"":                          "f:2: domain.name: expected a domain in small letters",
		"[[domain]]\nrequire_tls = true":                              "f:1: domain.name: expected a domain",
		"[[domain]]\nname = \"a\"\n[[domain]]\nname = \"a\"":          "f:4: domain.name: a has a section already",
		"[[domain]]\nname = \"*\"\nnetworks = [\"10.0/8\"]":           "f:3: domain.networks: expected a network",
		"[[domain]]\nname = \"*\"\nnetworks = [\"fe80::1%0\"]":        "f:3: domain.networks: expected a network",
		"[[domain]]\nname = \"a\"\nrequire_client_certificate = true": "f:3: domain.require_client_certificate: nobody could log in",
	} {
		_, err := Parse("f", []byte(text))
		if err == nil || !strings.HasPrefix(err.Error(), want) || hint.Of(err) == "" {
			t.Errorf("%s\n got %v, hint %q\nwant %s", text, err, hint.Of(err), want)
		}
	}
}

func TestMechanismsAndDomainsArrive(t *testing.T) {
	c, err := Parse("f", []byte("mechanisms = [\"PLAIN\", \"LOGIN\", \"CRAM-MD5\"]\n[[domain]]\nname = \"*\"\nnetworks = [\"10.0.0.0/8\", \"::1\", \"local\"]\npop3 = false\n"))
	if err != nil {
		t.Fatal(err)
	}
	no := false
	if want := []Domain{{Name: "*", POP3: &no, Networks: []string{"10.0.0.0/8", "::1", "local"}}}; !reflect.DeepEqual(c.Domains, want) {
		t.Errorf("got %+v", c.Domains)
	}
	if len(c.Warnings) != 1 || !strings.Contains(c.Warnings[0], "CRAM-MD5") {
		t.Errorf("warnings %q", c.Warnings)
	}
	for mechanism, want := range map[string]bool{"PLAIN": true, "LOGIN": true, "CRAM-MD5": true, "SCRAM-SHA-256": false, "EXTERNAL": false} {
		if c.Offers(mechanism) != want {
			t.Errorf("%s: %v", mechanism, !want)
		}
	}
	for mechanism, want := range map[string]bool{"PLAIN": true, "LOGIN": false, "CRAM-MD5": false, "SCRAM-SHA-256": true, "SCRAM-SHA-1": true, "EXTERNAL": true, "OAUTHBEARER": true} {
		if Default().Offers(mechanism) != want {
			t.Errorf("without a list, %s: %v", mechanism, !want)
		}
	}
}
