//go:build unix

package ldap

import (
	"io"
	"log/slog"
	"net"
	"strings"
	"testing"

	ber "github.com/go-asn1-ber/asn1-ber"
	"github.com/go-ldap/ldap/v3"

	"postfach/internal/accounts"
	"postfach/internal/peer"
)

// People may be able to write what is in their entries. That must not give them the
// maildrop of somebody else.
func TestAttributeDoesNotGiveAwayAMaildrop(t *testing.T) {
	const more = `dn: uid=mallory,ou=people,dc=example,dc=org
objectClass: inetOrgPerson
uid: mallory
cn: M
sn: M
mail: mallory@example.org
displayName: anna
userPassword: mallory's secret

dn: uid=team,ou=people,dc=example,dc=org
objectClass: inetOrgPerson
uid: team
cn: T
sn: T
displayName: shared
userPassword: team's secret

`
	c := config(peer.StartSlapd(t, entries+more, ""))
	log := &strings.Builder{}
	source := func(attribute string) *accounts.Directory {
		c.UserAttribute = attribute
		return &accounts.Directory{Sources: []accounts.Source{open(t, c)}, Mail: "/var/mail", Log: slog.New(slog.NewTextHandler(log, nil))}
	}
	for _, test := range []struct{ attribute, name, password, want string }{
		{"displayName", "mallory", "mallory's secret", ""}, // says that she is anna
		{"displayName", "mallory@example.org", "mallory's secret", ""},
		{"displayName", "team", "team's secret", "shared"}, // with which nobody logs in
		{"uid", "anna@example.org", "anna's secret", "anna"},
		{"uid", "berta@example.org", "berta's secret", "berta"},
		{"mail", "anna", "anna's secret", "anna@example.org"},
	} {
		who, err := source(test.attribute).Authenticate(t.Context(), nil, test.name, test.password)
		if who.User != test.want || (test.want == "") != (err != nil) {
			t.Errorf("%+v: %+v, %v", test, who, err)
		}
	}
	if got := log.String(); strings.Count(got, `reason="another entry in the directory has the name anna"`) != 2 {
		t.Errorf("logged:\n%s", got)
	}
	log.Reset()
	if _, err := source("displayName").Authenticate(t.Context(), nil, "mallory", "wrong"); err == nil || log.Len() > 0 {
		t.Errorf("a wrong password: %v, logged:\n%s", err, log)
	}
}

// says is a server that answers each question with a result of its own.
func says(t *testing.T, result func(question ber.Tag) int) string {
	return fake(t, func(c net.Conn) {
		for {
			question, err := ber.ReadPacket(c)
			if err != nil || len(question.Children) < 2 {
				return
			}
			kind := question.Children[1].Tag
			kinds := map[ber.Tag]ber.Tag{
				ldap.ApplicationBindRequest: ldap.ApplicationBindResponse, ldap.ApplicationCompareRequest: ldap.ApplicationCompareResponse,
				ldap.ApplicationExtendedRequest: ldap.ApplicationExtendedResponse,
			}
			if _, known := kinds[kind]; !known {
				io.Copy(io.Discard, c)
				return
			}
			answer := ber.NewSequence("")
			answer.AppendChild(question.Children[0]) // its number
			said := ber.Encode(ber.ClassApplication, ber.TypeConstructed, kinds[kind], nil, "")
			said.AppendChild(ber.NewInteger(ber.ClassUniversal, ber.TypePrimitive, ber.TagEnumerated, result(kind), ""))
			said.AppendChild(ber.NewString(ber.ClassUniversal, ber.TypePrimitive, ber.TagOctetString, "", ""))
			said.AppendChild(ber.NewString(ber.ClassUniversal, ber.TypePrimitive, ber.TagOctetString, "", ""))
			answer.AppendChild(said)
			c.Write(answer.Bytes())
		}
	})
}

// What a server says before it hears the question is not its answer to that: a password
// that nobody has looked at is not wrong.
func TestConnectionThatDoesNotBeginIsNoWrongPassword(t *testing.T) {
	for name, test := range map[string]struct {
		startTLS, compare bool
		refuses           ber.Tag
		result            int
	}{
		"the service account's password is wrong": {false, true, ldap.ApplicationBindRequest, ldap.LDAPResultInvalidCredentials},
		"the service account is locked":           {false, true, ldap.ApplicationBindRequest, ldap.LDAPResultUnwillingToPerform},
		"STARTTLS is refused":                     {true, false, ldap.ApplicationExtendedRequest, ldap.LDAPResultUnwillingToPerform},
		"STARTTLS needs a login":                  {true, false, ldap.ApplicationExtendedRequest, ldap.LDAPResultInappropriateAuthentication},
	} {
		c := config(&peer.Slapd{Socket: says(t, func(question ber.Tag) int {
			if question == test.refuses {
				return test.result
			}
			return ldap.LDAPResultCompareTrue
		})})
		c.StartTLS = test.startTLS
		if test.compare {
			c.Verify, c.PasswordAttribute = compare, "userPassword"
			c.BindDN, c.PasswordFile = "cn=postfach,dc=example,dc=org", secretFile(t, "wrong")
		}
		right, err := open(t, c).Decoy(t.Context(), "anna").Credentials[0].Check(t.Context(), "anna's secret")
		if right || err == nil {
			t.Errorf("%s: %v, %v", name, right, err)
		}
	}
}
