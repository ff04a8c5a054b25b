package config

import (
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"postfach/internal/hint"
	"postfach/internal/unprivileged"
)

func load(t *testing.T, name string) *Config {
	t.Helper()
	c, err := Load(name)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestReferenceHasTheDefaults(t *testing.T) {
	name := filepath.Join("..", "..", "docs", "postfachd.toml")
	want := Default()
	want.File, _ = filepath.Abs(name)
	if got := load(t, name); !reflect.DeepEqual(got, want) {
		t.Errorf("got  %+v\nwant %+v", got, want)
	}
}

// Sections that are not there by default are in the reference as comments: lines
// that begin with a "#" and no space. They have to make sense, too.
func TestReferenceHasAllKeys(t *testing.T) {
	name := filepath.Join("..", "..", "docs", "postfachd.toml")
	content, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	content = regexp.MustCompile(`(?m)^#([^ \n])`).ReplaceAll(content, []byte("$1"))
	if _, err := Parse(name, content); err != nil {
		t.Error(err, hint.Of(err))
	}
	doc, err := locate(name, content)
	if err != nil {
		t.Fatal(err)
	}
	seen := map[string]bool{}
	for _, e := range doc.keys {
		seen[plain(e.path)] = true
	}
	for key := range schema() {
		if !seen[key] {
			t.Errorf("the reference lacks %s", key)
		}
	}
}

func TestInstalledConfigurationHasTheStandardPorts(t *testing.T) {
	c := load(t, filepath.Join("..", "..", "packaging", "postfachd.toml"))
	want := []Listener{{Address: ":995", TLS: Implicit}, {Address: ":110", TLS: STLS}}
	if !reflect.DeepEqual(c.Listeners, want) || c.Data != "/var/lib/postfach" || len(c.Warnings) > 0 {
		t.Errorf("got %+v", c)
	}
}

func TestEmptyFileIsTheDefault(t *testing.T) {
	c, err := Parse("f", nil)
	if err != nil || !reflect.DeepEqual(c, Default()) {
		t.Errorf("got %+v, %v", c, err)
	}
}

func TestPathsAreRelativeToTheFile(t *testing.T) {
	dir := t.TempDir()
	name := filepath.Join(dir, "postfachd.toml")
	if err := os.WriteFile(name, []byte(`data = "d"
[tls]
certificate = "c.pem"
key = "/k.pem"
client_ca = "ca.pem"
acme = {hosts = ["a.example"], agree = true, ca = "root.pem", challenge = "dns-01", dns_hook = ["hook", "argument"]}
[[tls.more]]
certificate = "more.pem"
key = "/more.key"
`), 0o600); err != nil {
		t.Fatal(err)
	}
	c := load(t, name)
	if c.Data != filepath.Join(dir, "d") || c.Accounts != "" {
		t.Errorf("got %+v", c)
	}
	in := func(base string) string { return filepath.Join(dir, base) }
	if got, want := c.Files(), []string{name, in("c.pem"), "/k.pem", in("more.pem"), "/more.key", in("ca.pem"), in("root.pem")}; !slices.Equal(got, want) {
		t.Errorf("files  %q\nwanted %q", got, want)
	}
	if got, want := c.Programs(), []string{in("hook")}; !slices.Equal(got, want) || c.TLS.ACME.DNSHook[1] != "argument" {
		t.Errorf("programs %q, wanted %q; %q", got, want, c.TLS.ACME.DNSHook)
	}
}

// A relative path depends on where the server was started. So each key that
// looks like one says so in its tag, or is named here.
func TestPathKeysHaveTags(t *testing.T) {
	looks := regexp.MustCompile(`^(path|file|data|accounts|certificate|key|maildir|command)$|_(ca|crl|file|folder|hook|key)$`)
	var walk func(reflect.Type)
	walk = func(section reflect.Type) {
		for field := range section.Fields() {
			if inner := sectionOf(field.Type); inner != nil {
				walk(inner)
				continue
			}
			if kind := field.Type.Kind(); kind != reflect.String && kind != reflect.Slice {
				continue
			}
			if looks.MatchString(field.Tag.Get("toml")) && field.Tag.Get("path") == "" {
				t.Errorf("%s.%s looks like a path and has no tag for it", section, field.Name)
			}
		}
	}
	walk(reflect.TypeFor[Config]())
}

func TestMistakesAreNamed(t *testing.T) {
	for _, c := range []struct{ text, want, hint string }{
		{"\nlanguag = \"en\"", "f:2: unknown key languag", "did you mean language?"},
		{"[limits]\n# a comment\nidel = \"10m\"", "f:3: unknown key limits.idel", "did you mean limits.idle?"},
		{"idle = \"10m\"", "f:1: unknown key idle", "did you mean limits.idle?"},
		{"[limit]\nidle = \"10m\"", "f:1: unknown key limit", "did you mean limits?"},
		{"[[listener]]\nadress = \":1\"", "f:2: unknown key listener.adress", "did you mean listener.address?"},
		{"[tls]\nxyzzyxyzzy = 1", "f:2: unknown key tls.xyzzyxyzzy", "the keys there are acme, certificate"},
		{"[limits]\nfoo = 1", "f:2: unknown key limits.foo", "the keys there are address_delay, "},
		{"foo = 1", "f:1: unknown key foo", "the keys there are accounts, "},
		{"data = \"~/postfach\"", "f:1: data: ~ is no folder here", "in full"},
		{"[tls]\nkey = \"/k\"\ncertificate = \"~anna/c\"", "f:3: tls.certificate: ~ is no folder here", "in full"},
		{"language = 5", "f:1: language: expected a text in quotes", "docs"},
		{"last = \"yes\"", "f:1: last: expected true or false", ""},
		{"expire_days = \"5\"", "f:1: expire_days: expected a whole number", ""},
		{"expire_days = 1.5", "f:1: expire_days: expected a whole number", ""},
		{"expire_days = 99999999999999999999", "f:1: ", ""},
		{"[limits]\nidle = 600", "f:2: limits.idle: expected a duration in quotes", ""},
		{"[limits]\nidle = \"10 minutes\"", "f:2: limits.idle: expected a duration in quotes", ""},
		{"[limits]\n\nidle = \"9m59s\"", `f:3: limits.idle: expected at least "10m"`, "RFC 1939"},
		{"[limits]\nlogin = \"0s\"", `f:2: limits.login: expected at least "1s"`, ""},
		{"[limits]\nfailed_logins = 0", "f:2: limits.failed_logins: expected a number above 0", ""},
		{"shutdown_grace = \"-1s\"", "f:1: shutdown_grace: expected at least", ""},
		{"limits = 5", "f:1: limits: expected a section in brackets: [limits]", ""},
		{"[[limits]]\nidle = \"10m\"", "f:1: limits: expected a section in brackets: [limits]", ""},
		{"[listener]\naddress = \":1\"", "f:1: listener: expected a section in double brackets: [[listener]]", ""},
		{"listener = []", "f:1: listener: expected at least one", ""},
		{"[[listener]]\ntls = \"stls\"", "f:1: listener.address: expected host:port", ""},
		{"[[listener]]\naddress = \"localhost\"", "f:2: listener.address: expected host:port", ""},
		{"[[listener]]\naddress = \":pop3\"", "f:2: listener.address: expected host:port", ""},
		{"[[listener]]\naddress = \":1\"\n[[listener]]\naddress = \":1\"", "f:4: listener.address: :1 is listened on already", ""},
		{"[[listener]]\naddress = \":1\"\n[[listener]]\naddress = \":2\"\ntls = \"starttls\"", `f:5: listener.tls: expected "stls", "implicit" or "none"`, ""},
		{"[[listener]]\naddress = \":1\"\ntls = \"implicit\"\nallow_cleartext = true", "f:4: listener.allow_cleartext: nothing is in clear", ""},
		{"language = \"fr\"", `f:1: language: expected "en" or "de"`, ""},
		{"expire_days = -1", "f:1: expire_days: expected a number of days", ""},
		{"hostname = \"a b\"", "f:1: hostname: expected a host name", ""},
		{"greeting = \"a<b\"", "f:1: greeting: a greeting must not have a <", "APOP"},
		{"greeting = \"[ab\"", "f:1: greeting: a text must not begin with [", ""},
		{"greeting = \"a\\tb\"", "f:1: greeting: expected one line of text", ""},
		{"sign_off = \"a\\r\\nb\"", "f:1: sign_off: expected one line of text", ""},
		{"sign_off = \"" + strings.Repeat("x", 201) + "\"", "f:1: sign_off: expected at most 200 octets", ""},
		{"[tls]\ncertificate = \"c\"", "f:1: tls: expected both certificate and key", ""},
		{"mechanisms = \"PLAIN\"", `f:1: mechanisms: expected a list in brackets, such as ["a", "b"]`, ""},
		{"mechanisms = [1]", "f:1: mechanisms: expected a text in quotes", ""},
		{"[mechanisms]", "f:1: mechanisms: expected a list in brackets", ""},
		{"[[listener]]\naddress = \":1\"\nproxy_protocol = [\n\"10.0.0.0/8\", true]", "f:3: listener.proxy_protocol: expected a text in quotes", ""},
		{"[[listener]]\nproxy_protocol = true", "f:2: listener.proxy_protocol: expected a list in brackets", ""},
		{"[[domain]]\nname = \"a.example\"\npop3 = 1", "f:3: domain.pop3: expected true or false", ""},
		{"[tls]\n[tls.more]", "f:2: tls.more: expected a section in double brackets: [[tls.more]]", ""},
		{"[[tls.more]]\ncertificate = \"a\"\nkey = \"b\"\n[[tls.more]]\nkeys = \"c\"", "f:5: unknown key tls.more.keys", "did you mean tls.more.key?"},
		{"[[tls.more]]\ncertificate = \"a\"\nkey = \"b\"\n[[tls.more]]\nkey = \"c\"", "f:4: tls.more: expected both certificate and key", ""},
		{"[tls]\nclient_crl = \"c\"", "f:2: tls.client_crl: expected client_ca, too", ""},
		{"[tls.acme]\nhosts = [\"a.example\"]", "f:1: tls.acme.agree: expected true", "terms"},
		{"[tls.acme]\nagree = true\nhosts = [\"a.example\",\n\"localhost\"]", "f:3: tls.acme.hosts: localhost has no dot", "whole names"},
		{"[tls.acme]\nagree = true\nhosts = [\"a b.example\"]", "f:3: tls.acme.hosts: expected host names", ""},
		{"[tls.acme]\nagree = true\nhosts = [\"*.example.org\"]", `f:3: tls.acme.hosts: *.example.org needs challenge = "dns-01"`, ""},
		{"[tls.acme]\nagree = true\nhosts = [\"a.example\", \"A.example\"]", "f:3: tls.acme.hosts: A.example is there already", ""},
		{"[tls.acme]\ndirectory = \"http://a.example/\"", "f:2: tls.acme.directory: expected an address that begins with https://", ""},
		{"[tls.acme]\nemail = \"postmaster\"", "f:2: tls.acme.email: expected a mail address", ""},
		{"[tls.acme]\nchallenge = \"http\"", `f:2: tls.acme.challenge: expected "http-01", "tls-alpn-01" or "dns-01"`, "docs/tls.md"},
		{"[tls.acme]\nchallenge = \"dns-01\"", "f:1: tls.acme.dns_hook: expected a program", ""},
		{"[tls.acme]\ndns_hook = [\"/p\"]", `f:2: tls.acme.dns_hook: is for challenge = "dns-01" only`, ""},
		{"[tls.acme]\nchallenge = \"dns-01\"\ndns_hook = [\"/p\"]\nlisten = \":80\"", "f:4: tls.acme.listen: is not for", ""},
		{"[tls.acme]\nlisten = \"80\"", "f:2: tls.acme.listen: expected host:port", ""},
		{"[tls.acme]\nagree = true", "f:1: tls.acme.hosts: expected at least one", "remove"},
		{"[tls]\n[tls.acme]\nca = \"/root.pem\"", "f:2: tls.acme.hosts: expected at least one", "remove"},
		{"[tls.acme]\nhosts = []\nlisten = \":80\"", "f:2: tls.acme.hosts: expected at least one", "remove"},
		{"[oidc]\nclaim = \"sub\"", "f:1: oidc.issuer: expected an issuer", "no tokens"},
		{"[oidc]\ntrust_email = true", "f:1: oidc.issuer: expected an issuer", "no tokens"},
		{"[oidc]\nca = \"/ca.pem\"", "f:1: oidc.issuer: expected an issuer", "no tokens"},
		{"[oidc]\nleeway = \"1m\"", "f:1: oidc.issuer: expected an issuer", "no tokens"},
		{"[tls.acme]\ndns_hook_timeout = \"0s\"", "f:2: tls.acme.dns_hook_timeout: expected more than nothing", ""},
		{"last = true\nlast = false", "f:2: ", "TOML"},
		{"\n\nlast = ", "f:3: ", "TOML"},
		{"last = true\n= 3", "f:2: ", "TOML"},
		{"last = tru", "f:1: ", "TOML"},
	} {
		_, err := Parse("f", []byte(c.text))
		if err == nil || !strings.HasPrefix(err.Error(), c.want) {
			t.Errorf("%s\n got %v\nwant %s", c.text, err, c.want)
		}
		if h := hint.Of(err); h == "" || !strings.Contains(h, c.hint) {
			t.Errorf("%s\n hint %q, want %q", c.text, h, c.hint)
		}
	}
}

// Who mends a file hears of all that is wrong, and each once: a section that is not
// known says nothing of the keys in it.
func TestAllMistakesAreNamed(t *testing.T) {
	for text, want := range map[string]string{
		"[limit]\nidle = \"1h\"\nlogin = 5\n[tls]\nkye = 1\ncertificate = 5": "f:1: unknown key limit; f:5: unknown key tls.kye; f:6: tls.certificate: expected a text in quotes",
		"language = \"fr\"\n[limits]\nidle = \"1s\"\nlogin = \"0s\"":         `f:1: language: expected "en" or "de"; f:4: limits.login: expected at least "1s"; f:3: limits.idle: expected at least "10m"`,
	} {
		if _, err := Parse("f", []byte(text)); err == nil || err.Error() != want {
			t.Errorf("%s\n got %v\nwant %s", text, err, want)
		}
	}
}

func TestFileThatCannotBeReadHasAHint(t *testing.T) {
	if !unprivileged.Run(t) {
		return
	}
	dir := t.TempDir()
	closed := filepath.Join(dir, "f.toml")
	if err := os.WriteFile(closed, nil, 0); err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]string{closed: "must be able to read", dir: "name the file in it", filepath.Join(dir, "none"): "docs/postfachd.toml"} {
		if _, err := Load(name); !strings.Contains(hint.Of(err), want) {
			t.Errorf("%v, hint %q", err, hint.Of(err))
		}
	}
}

func TestWhatMayBeAMistakeIsAWarning(t *testing.T) {
	for text, want := range map[string]string{
		"greeting = \"Grüß Gott\"":                                      "f:1: greeting: not ASCII",
		"[[listener]]\naddress = \":110\"\nallow_cleartext = true":      "f:3: listener.allow_cleartext: passwords may cross",
		"[[listener]]\naddress = \"10.0.0.1:110\"\ntls = \"none\"":      "f:3: listener.tls: nobody but this machine",
		"[[listener]]\naddress = \"127.0.0.1:110\"\ntls = \"none\"":     "",
		"[[listener]]\naddress = \"[::1]:110\"\nallow_cleartext = true": "",
		"sign_off = \"a < b\"":                                          "",
		"[[listener]]\naddress = \":995\"":                              "f:1: listener.tls: clients begin with TLS on port 995",
		"[[listener]]\naddress = \":995\"\ntls = \"implicit\"":          "",
		"[[listener]]\naddress = \":110\"\ntls = \"implicit\"":          "f:3: listener.tls: clients begin without TLS on port 110",
	} {
		c, err := Parse("f", []byte(text))
		if err != nil {
			t.Errorf("%s: %v", text, err)
			continue
		}
		if got := strings.Join(c.Warnings, "\n"); !strings.HasPrefix(got, want) || want == "" && got != "" {
			t.Errorf("%s\n got %s\nwant %s", text, got, want)
		}
	}
}

func TestValuesArrive(t *testing.T) {
	c, err := Parse("f", []byte("limits.idle = \"1h\"\nlast = true\nlistener = [{address = \"[::1]:110\", tls = \"none\"}]\n"))
	if err != nil {
		t.Fatal(err)
	}
	if c.Limits.Idle.Duration != time.Hour || !c.Last || c.Limits.FailedLogins != 3 || len(c.Listeners) != 1 || !reflect.DeepEqual(c.Listeners[0], Listener{Address: "[::1]:110", TLS: NoTLS}) {
		t.Errorf("got %+v", c)
	}
}

func TestCommandLineReplacesListeners(t *testing.T) {
	c := Default()
	c.Listeners[0].AllowCleartext = true
	c.Listen(false, "127.0.0.1:0")
	c.Listen(true, "")
	want := []Listener{{Address: "127.0.0.1:0", TLS: STLS}} // and no cleartext: that was said of another address
	if !reflect.DeepEqual(c.Listeners, want) {
		t.Errorf("got %+v", c.Listeners)
	}
	c.Listen(true, "[::1]:0")
	if want = append(want, Listener{Address: "[::1]:0", TLS: Implicit}); !reflect.DeepEqual(c.Listeners, want) {
		t.Errorf("got %+v", c.Listeners)
	}
}
