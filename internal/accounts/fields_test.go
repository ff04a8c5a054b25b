package accounts

import (
	"fmt"
	"log/slog"
	"strings"
	"testing"

	"postfach/sasl"
)

// A slip of the hand in a field's name opens an account that was to be closed.
func TestMisspeltFieldsAreTold(t *testing.T) {
	var log strings.Builder
	f := newFile(t, "anna:{PLAIN}p::::::alow_nets=10.0.0.0/8 userdb_quota=1G userdb_mial=x proxy=y host=z forward_x=1\n"+
		"berta:{PLAIN}p::::allow_nets=10.0.0.0/8::\ncarl:{PLAIN}p:1000:1000:Carl::/bin/sh:no_login pop3=no\ndora:{PLAIN}p::::::App:phone=x color=blue\n")
	f.Log = slog.New(slog.NewTextHandler(&log, nil))
	must(t, f.Load())
	for _, want := range []string{
		`anna: \"alow_nets\", did you mean allow_nets?`, `berta: = in column 6, extra fields are in column 8`, `carl: \"no_login\", did you mean nologin?`,
		`dora: \"App:phone\", did you mean app:NAME?`, `dora: \"color\"`,
	} {
		if !strings.Contains(log.String(), want) {
			t.Errorf("%s is not in\n%s", want, &log)
		}
	}
	for _, not := range []string{"quota", "mial", "proxy", "host", "forward", "pop3"} {
		if strings.Contains(log.String(), not) {
			t.Errorf("%s is in\n%s", not, &log)
		}
	}
	before := log.Len()
	must(t, editorOf(f).SetPassword("anna", "new", "", false))
	must(t, f.Load())
	if log.Len() < before || strings.Count(log.String(), "mean nothing here") != 1 {
		t.Errorf("told again:\n%s", &log)
	}
	var many strings.Builder
	for i := range 30 {
		fmt.Fprintf(&many, "u%d:{PLAIN}p::::::x%d\n", i, i)
	}
	write(t, f.Path, many.String(), 0o600)
	must(t, f.Load())
	if !strings.Contains(log.String(), "and 20 more") || strings.Contains(log.String(), "u11: ") {
		t.Errorf("unbounded:\n%s", &log)
	}
}

func TestWhoKeepsScramFromAllIsTold(t *testing.T) {
	var log strings.Builder
	f := newFile(t, "")
	e := editorOf(f)
	must(t, e.Add(NewAccount{User: "anna", Password: "p"}))
	d := dirOf(f)
	d.Log, d.Mechanisms = slog.New(slog.NewTextHandler(&log, nil)), []string{"PLAIN"}
	told := func(want string) {
		t.Helper()
		d.Offers(sasl.SHA256)
		d.Offers(sasl.SHA1)
		d.Offers(sasl.SHA256)
		if got := strings.TrimSpace(log.String()); strings.Count(got, "\n") > 0 || !strings.HasSuffix(got, want) {
			t.Errorf("logged:\n%s\nwant %s", got, want)
		}
		log.Reset()
	}
	d.TellMechanisms()
	told(`msg=mechanisms offered="PLAIN SCRAM-SHA-256"`)
	told("")
	must(t, e.Add(NewAccount{User: "carl", Password: "p", Scheme: Argon2id}))
	told(`msg=mechanisms offered=PLAIN not="SCRAM-SHA-256: 1 account has no verifier (carl)"`)
	must(t, e.SetPassword("carl", "p", "", false))
	told(`msg=mechanisms offered="PLAIN SCRAM-SHA-256"`)
	for i := range 7 {
		must(t, e.Add(NewAccount{User: fmt.Sprint("u", i), Password: "p", Scheme: Argon2id}))
	}
	told(`not="SCRAM-SHA-256: 7 accounts have no verifier (u0, u1, u2, u3, u4, and 2 more)"`)
	d.ScramHashes, d.told = []sasl.ScramHash{sasl.SHA256}, nil
	d.TellMechanisms()
	told(`offered="PLAIN SCRAM-SHA-256" fails_for="SCRAM-SHA-256: 7 accounts have no verifier (u0, u1, u2, u3, u4, and 2 more)"`)
}

func TestWrongNetworkIsNamed(t *testing.T) {
	if _, err := ParseNetworks("10.0.0.0/8,10.0.0.0/33"); err == nil || !strings.Contains(err.Error(), `"10.0.0.0/33"`) {
		t.Error(err)
	}
}
