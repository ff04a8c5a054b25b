package accounts

import (
	"os/exec"
	"slices"
	"strings"
	"testing"

	"postfach/internal/hint"
	"postfach/internal/peer"
)

// passwords that hashes are tried with: with a space, not ASCII, longer than a
// block of most hashes.
func passwords() []string {
	return []string{"p w", "grün", strings.Repeat("0123456789", 14)}
}

// doveadmPW has Dovecot hash a password.
func doveadmPW(t *testing.T, scheme, password string) string {
	t.Helper()
	out, err := exec.Command(peer.Need(t, "doveadm"), "pw", "-s", scheme, "-u", "anna", "-p", password).Output()
	if err != nil {
		t.Fatalf("doveadm pw -s %s: %v", scheme, err)
	}
	return strings.TrimSuffix(string(out), "\n")
}

// What Dovecot writes is read, and what is refused is refused on purpose.
func TestEverySchemeOfDovecot(t *testing.T) {
	out, err := exec.Command(peer.Need(t, "doveadm"), "pw", "-l").Output()
	if err != nil {
		t.Fatal(err)
	}
	refused := []string{
		"DES-CRYPT",   // eight characters, and all of them can be tried
		"PLAIN-MD4",   // MD4
		"PLAIN-TRUNC", // the password, cut off: longer ones fit, too
		"DIGEST-MD5",  // depends on a realm
		"OTP",         // changes with each login
	}
	all := strings.Fields(string(out))
	if len(all) < 25 {
		t.Fatalf("Dovecot has only %q", all)
	}
	for _, scheme := range all {
		for _, password := range passwords() {
			secret := doveadmPW(t, scheme, password)
			k, err := parseSecret(secret)
			switch {
			case slices.Contains(refused, scheme):
				if err == nil || hint.Of(err) == "" {
					t.Errorf("%s is read: %v, hint %q", scheme, err, hint.Of(err))
				}
			case err != nil:
				t.Errorf("%s: %v", scheme, err)
			case !k.matches(password) || k.matches(password+"x") && !truncates(scheme, password) || k.matches(""):
				t.Errorf("%s: %q fits, or does not, another password than %q", scheme, secret, password)
			}
		}
	}
}

// truncates reports whether a scheme looks at the beginning of a password only:
// bcrypt at 72 octets.
func truncates(scheme, password string) bool {
	return (scheme == "BLF-CRYPT" || scheme == "CRYPT") && len(password) > 72
}

func TestSuffixesOfDovecot(t *testing.T) {
	for _, scheme := range []string{
		"SHA.HEX", "sha256.hex", "SHA512.B64", "SSHA.HEX", "SSHA256.BASE64", "SSHA512.HEX", "SMD5.HEX", "SMD5.B64",
		"PLAIN-MD5.B64", "PLAIN-MD5.HEX", "LDAP-MD5.HEX", "LDAP-MD5.B64", "PLAIN.B64", "PLAIN.HEX", "CRYPT.B64", "CRYPT.HEX",
		"SHA512-CRYPT.B64", "BLF-CRYPT.HEX", "MD5-CRYPT.B64", "SCRAM-SHA-256.B64", "SCRAM-SHA-1.HEX", "PBKDF2.B64", "CRAM-MD5.B64",
	} {
		secret := doveadmPW(t, scheme, "p w")
		k, err := parseSecret(secret)
		if err != nil || !k.matches("p w") || k.matches("p  w") {
			t.Errorf("%s: %s: %v", scheme, secret, err)
		}
	}
}

// Courier's authlib has no -t of its own; these are from openssl(1) and crypt(3).
func TestSchemesOfCourier(t *testing.T) {
	for _, secret := range []string{
		"$1$abcdefgh$5y/Qv9FLcJaEUPn3dFrTd1",
		"{CRYPT}$1$abcdefgh$5y/Qv9FLcJaEUPn3dFrTd1",
		"{MD5}$1$abcdefgh$5y/Qv9FLcJaEUPn3dFrTd1",
		"{MD5}eCIT1etR7beql8z8c4jhjg==",
		"{MD5}eCIT1etR7beql8z8c4jhjg",
		"{MD5RAW}782213d5eb51edb7aa97ccfc7388e18e",
		"{SHA}w7KRnu3KEsxyIfWz5vwrVLq0y4k=",
		"{SHA256}mJE+bLSld2w427wy8oUyrojwHO0IhTqRwbvcvjIQ9o4=",
		"{SHA512}n10ovybgXGBEsHzaQU8ENiOEF3RwUcnCFdbtEGQqfGvGOYCvPSmeSxb7vA35rqOYmjdc/ATnBU40/+wKg9RuHg==",
		"{SSHA}z+Xjt5xAiPqrxmFckz96jhWQhP/uPDYt",
		"$6$rounds=5000$abcdefgh$068UmzN7VcvrwYqbl9lSMW6PWDfunJi2Kz6QgIYQ4Zc8iHMi9TGLsuIZH1/QXKG2UgETQlmIS3kjLDSGvMk0T0",
	} {
		k, err := parseSecret(secret)
		if err != nil || !k.matches("p w") || k.matches("p  w") {
			t.Errorf("%s: %v", secret, err)
		}
	}
}

func TestWhatIsNoSecretIsRefused(t *testing.T) {
	for _, secret := range []string{
		"", "secret", "*", "!", "x", "{PLAIN", "{}x", "{PLAIN.ROT13}x", "{PLAIN.B64}?", "{PLAIN.HEX}0", "{SHA.HEX}00", "{SHA}AAAA",
		"{SSHA}w7KRnu3KEsxyIfWz5vwrVLq0y4k=", // no salt: Dovecot says no, too
		"{SMD5}", "{SSHA512}AAAA", "{MD5}x", "{CRAM-MD5}00", "{NTLM}x", "{LANMAN}x", "{CRYPT}abJnggxhB/yWI", "{CRYPT}", "$",
		"{PBKDF2}$1$salt$0$" + strings.Repeat("0", 40), "{PBKDF2}$1$salt$99999999$" + strings.Repeat("0", 40), "{PBKDF2}$2$salt$1000$" + strings.Repeat("0", 40),
		"{BLF-CRYPT}$2y$20$kRV0893kNMHJikz3m09Qwula0nM8dBBOaTAjkXXMBGuUQJHzyTDNq", // minutes of work
		"{SHA512-CRYPT}$6$rounds=10000000$abcdefgh$068UmzN7VcvrwYqbl9lSMW6PWDfunJi2Kz6QgIYQ4Zc8iHMi9TGLsuIZH1/QXKG2UgETQlmIS3kjLDSGvMk0T0",
		"{SSHA}" + strings.Repeat("A", 1000),
	} {
		if k, err := parseSecret(secret); err == nil || hint.Of(err) == "" {
			t.Errorf("%s is %s: %v, hint %q", secret, k.scheme, err, hint.Of(err))
		}
	}
}

func TestWeakSchemesAreToldOfOnce(t *testing.T) {
	f, log := newLogged(t, "anna:{PLAIN}p w\notto:{SSHA}z+Xjt5xAiPqrxmFckz96jhWQhP/uPDYt\n"+blf("berta")+"\n")
	for range 3 {
		login(t, f, "anna", "p w", nil)
		write(t, f.Path, read(t, f.Path)+"# another line\n", 0o600)
	}
	login(t, f, "otto", "p w", nil)
	if n := strings.Count(log.String(), `schemes="PLAIN, SSHA" accounts=2`); n != 1 || !strings.Contains(log.String(), "postfach user passwd") {
		t.Errorf("told %d times:\n%s", n, log)
	}
	strong, log := newLogged(t, blf("berta")+"\n")
	login(t, strong, "berta", "p w", nil)
	if log.Len() > 0 {
		t.Errorf("said of a file with good schemes:\n%s", log)
	}
}

// Whatever stands there: it is understood or refused with a hint, and the secret
// shows in no error.
func FuzzSecret(f *testing.F) {
	for line := range strings.Lines(dovecots) {
		f.Add(strings.SplitN(strings.TrimSuffix(line, "\n"), ":", 3)[1])
	}
	for _, s := range []string{"{SSHA}z+Xjt5xAiPqrxmFckz96jhWQhP/uPDYt", "{PBKDF2}$1$s$1000$00", "{PLAIN.HEX}702077", "{CRAM-MD5}2faa", "$1$a$b", "{MD5}x"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, secret string) {
		k, err := parseSecret(secret)
		if err != nil {
			if _, inside, _ := strings.Cut(secret, "}"); len(inside) > 12 && strings.Contains(err.Error(), inside) || hint.Of(err) == "" {
				t.Errorf("%q: %v, hint %q", secret, err, hint.Of(err))
			}
			return
		}
		e := &Entry{User: "a"}
		if err := e.AddSecret("", secret); err != nil || len(e.Credentials) != 1 || k.scram() == nil && e.work() != k.cost() || strings.Contains(e.work(), "$6$") {
			t.Errorf("%q: %+v, %v", secret, e, err)
		}
		switch v := k.verifier.(type) { // those without work cost nothing to try
		case *digestVerifier, plainVerifier, cramVerifier:
			v.matches("x")
		}
	})
}
