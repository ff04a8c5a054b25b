package accounts

import (
	"strings"
	"testing"
)

// Whatever is in the file: it is understood or refused, and what an edit does
// not concern stays as it is.
func FuzzFile(f *testing.F) {
	f.Add(hand, "berta")
	f.Add(dovecots, "anna")
	f.Add(blf("a")+"::::::allow_nets=10.0.0.0/8,local tls=required client_cert=required pop3=no main=off cert="+strings.Repeat("0a", 32)+" app:x=2026-11-23,{SCRAM-SHA-256}4096,YQ==,,\n", "b")
	f.Add(blf("a")+"::::::scram_sha_1=x,4096,lZOhxzScPsl/NRclAyY8fg==,DsqCdZSNV76AWiQ5HJta8JAe90Y=,U/4tWT00qRW6sk4fBNLnDzTYOPA= allow_nets=::ffff:1.2.3.4/97\n", "b")
	f.Add("a:{SCRAM-SHA-256}4096,YQ==,,\n\r\n#\n", "a")
	f.Add("a:{CRYPT}$y$j9T$.$\n", "b")
	f.Add(strings.TrimSuffix(hand, "\n"), "b")
	f.Fuzz(func(t *testing.T, content, user string) {
		d := newDocument(content)
		if d.String() != content {
			t.Fatalf("%q became %q", content, d)
		}
		before, err := parse("f", content)
		if err != nil {
			if !strings.HasPrefix(err.Error(), "f:") {
				t.Errorf("no line in %v", err)
			}
			return
		}
		if checkName(user) != nil || d.find(user) >= 0 {
			return
		}
		d.append(withExtra(blf(user), apopField, "x"))
		after, err := parse("f", d.String())
		if err != nil || len(after.inFile) != len(before.inFile)+1 || !strings.HasPrefix(d.String(), content) {
			t.Errorf("%q with %s added: %v\n%q", content, user, err, d)
		}
		i := d.find(user)
		d.lines = append(d.lines[:i], d.lines[i+1:]...)
		if got := d.String(); got != content {
			t.Errorf("%q after adding and removing is %q", content, got)
		}
	})
}

// Hashes at the edges of what is let through cost their check, and no panic.
func TestOddHashesDoNotPanic(t *testing.T) {
	for _, secret := range []string{
		"{CRYPT}$5$rounds=1000$a$" + strings.Repeat(".", 43),
		"{CRYPT}$6$a$" + strings.Repeat("z", 86),
		"{CRYPT}$2a$04$" + strings.Repeat("z", 53),
		"{CRYPT}$2b$04$" + strings.Repeat(".", 53),
		"{CRYPT}$y$j7T$.$" + strings.Repeat("z", 43),
		"{CRYPT}$y$j75$" + strings.Repeat("z", 86) + "$" + strings.Repeat(".", 43),
		"{ARGON2ID}$argon2id$v=19$m=1,t=1,p=99$AAAAAAAAAAA$" + strings.Repeat("A", 22),
		"{ARGON2I}$argon2i$v=19$m=8,t=1,p=1$" + strings.Repeat("/", 85) + "$" + strings.Repeat("A", 86),
		"{SCRAM-SHA-1}4096,YQ==,YWFhYWFhYWFhYWFhYWFhYWFhYWE=,YWFhYWFhYWFhYWFhYWFhYWFhYWE=",
	} {
		v, err := parseSecret(secret)
		if err != nil {
			t.Logf("%s is refused: %v", secret, err)
			continue
		}
		for _, password := range []string{"", "x", strings.Repeat("ü", 200)} {
			if v.matches(password) {
				t.Errorf("%s: %q fits %s", v.scheme, password, secret)
			}
		}
	}
}
