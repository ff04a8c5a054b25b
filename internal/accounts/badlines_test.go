package accounts

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"postfach/internal/hint"
	"postfach/pop3server"
)

// A line that cannot be read is repaired line by line, by the tools that its error
// names, with other bad lines around it.
func TestBadLinesAreRepairedOneByOne(t *testing.T) {
	const content = "anna:{DES-CRYPT}x\nberta:{PLAIN}p\ncarl:{LANMAN}y::::::nologin\nnonsense\notto:{PLAIN}p::::::allow_nets=here\n"
	f := newFile(t, content)
	e := editorOf(f)
	must(t, e.SetPassword("anna", "new", "", false))
	must(t, e.SetPassword("berta", "new", "", false))
	got := read(t, f.Path)
	if !strings.HasPrefix(got, "anna:{SCRAM-SHA-256}") || !strings.HasSuffix(got, content[strings.Index(content, "carl"):]) {
		t.Errorf("after two passwords:\n%s", got)
	}
	// Neither is what is bad about this line the password, nor is that left bad.
	for name, err := range map[string]error{
		"a bad field":     e.SetPassword("otto", "p", "", false),
		"no line":         e.SetPassword("nonsense", "p", "", false),
		"a new account":   e.Add(NewAccount{User: "dora", Password: "p"}),
		"an app password": func() error { _, err := e.AddApp("carl", "phone"); return err }(),
	} {
		if err == nil || read(t, f.Path) != got {
			t.Errorf("%s: %v\n%s", name, err, read(t, f.Path))
		}
	}
	must(t, e.SetPassword("carl", "new", "", false))
	must(t, e.Remove("nonsense"))
	if _, err := e.List(); err == nil || !strings.Contains(err.Error(), f.Path+":4: user otto: ") || strings.Contains(err.Error(), "\n") {
		t.Errorf("what is left: %v", err)
	}
	must(t, e.Remove("otto"))
	login(t, f, "anna", "new", nil)
	login(t, f, "carl", "new", pop3server.ErrCredentials) // still closed
}

// Both lines of a user go: the one that stays would be good from then on.
func TestUserWhoIsThereTwiceCanBeRemoved(t *testing.T) {
	f := newFile(t, "x:{PLAIN}p\nanna:{PLAIN}1\nberta:{PLAIN}p\nanna:{PLAIN}2\nberta:{PLAIN}q\ncarl:{PLAIN}p\n")
	must(t, editorOf(f).Remove("x")) // lines move
	must(t, editorOf(f).Remove("anna"))
	if err := editorOf(f).SetPassword("berta", "new", "", false); err == nil {
		t.Error("a password of which nobody knows whether it is in force")
	}
	must(t, editorOf(f).Remove("berta"))
	if got := read(t, f.Path); got != "carl:{PLAIN}p\n" {
		t.Errorf("left:\n%s", got)
	}
}

func TestAllBadLinesAreToldAtOnce(t *testing.T) {
	content := "anna:{PLAIN}p\n"
	for i := range 51 {
		content += fmt.Sprintf("u%d:{LANMAN}x\n", i)
	}
	f := newFile(t, content)
	err := f.Load()
	if err == nil || hint.Of(err) == "" {
		t.Fatalf("%v, without a hint", err)
	}
	lines := strings.Split(err.Error(), "\n")
	if len(lines) != 11 || !strings.HasPrefix(lines[9], f.Path+":11: user u9: ") || lines[10] != "and 41 more" {
		t.Errorf("told:\n%v", err)
	}
	var bad badLines
	if !errors.As(err, &bad) {
		t.Errorf("%T", err)
	}
}

// Of several accounts with one certificate any can be removed: the others are bad
// for the same reason then, if by another one's name.
func TestCertificateThatIsThereThriceStopsNobodysRemoval(t *testing.T) {
	cert := "::::::cert=" + strings.Repeat("ab", 32) + "\n"
	f := newFile(t, blf("anna")+cert+blf("berta")+cert+blf("carl")+cert)
	must(t, editorOf(f).Remove("anna"))
	must(t, editorOf(f).Remove("berta"))
	login(t, f, "carl", "p w", nil)
}
