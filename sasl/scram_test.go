package sasl_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"postfach/sasl"
)

var salt = []byte("salt of 16 octet")

// verifier has a key for each password.
func verifier(t testing.TB, h sasl.ScramHash, passwords ...string) *sasl.ScramVerifier {
	t.Helper()
	v := &sasl.ScramVerifier{Salt: salt, Iterations: 4096}
	for _, p := range passwords {
		keys, err := sasl.NewScramKeys(h, p, salt, v.Iterations)
		if err != nil {
			t.Fatal(err)
		}
		v.Keys = append(v.Keys, keys)
	}
	return v
}

// An ear is the server's side of a test: what lookup and proved were told.
type ear struct {
	verifier       *sasl.ScramVerifier
	identity, name string
	key            int
	lookupErr      error
	provedErr      error
}

func (e *ear) server(h sasl.ScramHash, plus bool, bindings ...sasl.ChannelBinding) sasl.Server {
	e.key = -1
	return sasl.NewScramServer(h, plus, bindings, func(identity, name string) (*sasl.ScramVerifier, error) {
		e.identity, e.name = identity, name
		return e.verifier, e.lookupErr
	}, func(key int) error {
		e.key = key
		return e.provedErr
	})
}

// talk lets both ends speak until one has enough. change may replace what the
// server says.
func talk(client sasl.Client, server sasl.Server, change func(string) string) (done bool, clientErr, serverErr error) {
	_, message, err := client.Start()
	if err != nil {
		return false, err, nil
	}
	if message == nil { // the server speaks first
		challenge, _, err := server.Next(nil)
		if err != nil {
			return false, nil, err
		}
		if message, err = client.Next(challenge); err != nil {
			return false, err, nil
		}
	}
	for range 5 {
		challenge, done, err := server.Next(message)
		if done || err != nil {
			return done, nil, err
		}
		if change != nil {
			challenge = []byte(change(string(challenge)))
		}
		if message, err = client.Next(challenge); err != nil {
			return false, err, nil
		}
	}
	return false, nil, errors.New("no end")
}

func finished(c sasl.Client) bool { return c.(sasl.Prover).Finished() }

var exporter = sasl.ChannelBinding{Type: sasl.TLSExporter, Data: []byte("32 octets that both ends know of")}

// P3-SCRAM-01, P3-SCRAM-05, P3-SCRAM-11: both ends prove that they know the
// password, with each hash, and whichever of the account's passwords it is.
func TestScramProvesBothEnds(t *testing.T) {
	unique := sasl.ChannelBinding{Type: sasl.TLSUnique, Data: []byte("twelve octet")}
	for _, h := range []sasl.ScramHash{sasl.SHA256, sasl.SHA1} {
		for i, password := range []string{"pencil", "app password", "third"} {
			e := &ear{verifier: verifier(t, h, "pencil", "app password", "third")}
			for name, test := range map[string]struct {
				client sasl.Client
				server sasl.Server
			}{
				"n":            {sasl.NewScramClient(h, false, "u,s=r", password), e.server(h, false, exporter)},
				"y":            {sasl.NewScramClient(h, true, "u,s=r", password), e.server(h, false)},
				"tls-exporter": {sasl.NewScramPlusClient(h, exporter, "u,s=r", password), e.server(h, true, unique, exporter)},
				"tls-unique":   {sasl.NewScramPlusClient(h, unique, "u,s=r", password), e.server(h, true, exporter, unique)},
			} {
				done, clientErr, serverErr := talk(test.client, test.server, nil)
				if !done || clientErr != nil || serverErr != nil || !finished(test.client) || e.name != "u,s=r" || e.identity != "" || e.key != i {
					t.Errorf("%s %s: %v, %v, %v, %+v", h.Mechanism(false), name, done, clientErr, serverErr, e)
				}
			}
		}
	}
}

// P3-SCRAM-05, P3-SCRAM-06, P3-SCRAM-12, P3-SCRAM-16.
func TestScramRefuses(t *testing.T) {
	other := sasl.ChannelBinding{Type: sasl.TLSExporter, Data: []byte("that of another connection......")}
	endPoint := sasl.ChannelBinding{Type: sasl.TLSServerEndPoint, Data: []byte("a hash")}
	empty := sasl.ChannelBinding{Type: sasl.TLSExporter}
	refusal := errors.New("no")
	for name, test := range map[string]struct {
		client    sasl.Client
		plus      bool
		bindings  []sasl.ChannelBinding
		ear       ear
		serverErr error
		clientErr error
	}{
		"wrong password":       {client: sasl.NewScramClient(sasl.SHA256, false, "u", "crayon"), serverErr: sasl.ErrProof},
		"downgrade":            {client: sasl.NewScramClient(sasl.SHA256, true, "u", "pencil"), bindings: []sasl.ChannelBinding{exporter}, serverErr: sasl.ErrBinding},
		"other connection":     {client: sasl.NewScramPlusClient(sasl.SHA256, other, "u", "pencil"), plus: true, bindings: []sasl.ChannelBinding{exporter}, serverErr: sasl.ErrBinding},
		"type not there":       {client: sasl.NewScramPlusClient(sasl.SHA256, endPoint, "u", "pencil"), plus: true, bindings: []sasl.ChannelBinding{exporter}, serverErr: sasl.ErrBinding},
		"PLUS without binding": {client: sasl.NewScramClient(sasl.SHA256, false, "u", "pencil"), plus: true, bindings: []sasl.ChannelBinding{exporter}, serverErr: sasl.ErrBinding},
		"binding without PLUS": {client: sasl.NewScramPlusClient(sasl.SHA256, exporter, "u", "pencil"), bindings: []sasl.ChannelBinding{exporter}, serverErr: sasl.ErrBinding},
		"no data to bind to":   {client: sasl.NewScramPlusClient(sasl.SHA256, exporter, "u", "pencil"), plus: true, bindings: []sasl.ChannelBinding{empty}, serverErr: sasl.ErrBinding},
		"no data at client":    {client: sasl.NewScramPlusClient(sasl.SHA256, empty, "u", "pencil"), plus: true, bindings: []sasl.ChannelBinding{exporter}, clientErr: sasl.ErrBinding},
		"lookup":               {client: sasl.NewScramClient(sasl.SHA256, false, "u", "pencil"), ear: ear{lookupErr: refusal}, serverErr: refusal},
		"proved":               {client: sasl.NewScramClient(sasl.SHA256, false, "u", "pencil"), ear: ear{provedErr: refusal}, serverErr: refusal},
	} {
		e := test.ear
		e.verifier = verifier(t, sasl.SHA256, "app password", "pencil")
		done, clientErr, serverErr := talk(test.client, e.server(sasl.SHA256, test.plus, test.bindings...), nil)
		if done || !errors.Is(serverErr, test.serverErr) || !errors.Is(clientErr, test.clientErr) || finished(test.client) {
			t.Errorf("%s: done %v, client %v, server %v", name, done, clientErr, serverErr)
		}
		if name != "proved" && e.key != -1 {
			t.Errorf("%s: key %d was said to fit", name, e.key)
		}
	}
}

// P3-SCRAM-06 to P3-SCRAM-09: the grammar of client-first.
func TestScramClientFirst(t *testing.T) {
	long := strings.Repeat("x", 256)
	for _, test := range []struct {
		message, identity, name string
		want                    error
	}{
		{"n,,n=user,r=abc", "", "user", nil},
		{"n,a=other,n=user,r=abc", "other", "user", nil},
		{"n,a==2C=3D,n==3D2C=2C,r=abc", ",=", "=2C,", nil},
		{"n,,n=user,r=abc,z=1", "", "user", nil},
		{"n,,n=J\u00f6rg,r=abc", "", "J\u00f6rg", nil},
		{"", "", "", sasl.ErrMessage},
		{"n", "", "", sasl.ErrMessage},
		{"n,,n=user", "", "", sasl.ErrMessage},
		{"x,,n=user,r=abc", "", "", sasl.ErrMessage},
		{",,n=user,r=abc", "", "", sasl.ErrMessage},
		{"N,,n=user,r=abc", "", "", sasl.ErrMessage},
		{"p,,n=user,r=abc", "", "", sasl.ErrMessage},
		{"p=,,n=user,r=abc", "", "", sasl.ErrBinding},
		{"p=foo,,n=user,r=abc", "", "", sasl.ErrBinding},
		{"n,other,n=user,r=abc", "", "", sasl.ErrMessage},
		{"n,a=,n=user,r=abc", "", "", sasl.ErrMessage},
		{"n,a==41,n=user,r=abc", "", "", sasl.ErrMessage},
		{"n,,m=x,n=user,r=abc", "", "", sasl.ErrMessage},
		{"n,,n=user,r=abc,m=x", "", "", sasl.ErrMessage},
		{"n,,n=,r=abc", "", "", sasl.ErrMessage},
		{"n,,n=a=b,r=abc", "", "", sasl.ErrMessage},
		{"n,,n==2c,r=abc", "", "", sasl.ErrMessage},
		{"n,,n=a=,r=abc", "", "", sasl.ErrMessage},
		{"n,,n=user,r=", "", "", sasl.ErrMessage},
		{"n,,n=user,r=a c", "", "", sasl.ErrMessage},
		{"n,,n=user,r=" + strings.Repeat("x", 2000), "", "", sasl.ErrMessage},
		{"n,,r=abc,n=user", "", "", sasl.ErrMessage},
		{"n,,n=us\x00er,r=abc", "", "", sasl.ErrMessage},
		{"n,,n=us\ner,r=abc", "", "", sasl.ErrMessage},
		{"n,,n=us\rer,r=abc", "", "", sasl.ErrMessage},
		{"n,,n=\xff,r=abc", "", "", sasl.ErrMessage},
		{"n,,n=" + long + ",r=abc", "", "", sasl.ErrMessage},
		{"n,a=" + long + ",n=user,r=abc", "", "", sasl.ErrMessage},
		{"n,,n=user,r=abc,z=" + strings.Repeat("x", 1<<17), "", "", sasl.ErrMessage},
	} {
		e := &ear{verifier: verifier(t, sasl.SHA256, "pencil")}
		challenge, done, err := e.server(sasl.SHA256, false).Next([]byte(test.message))
		if done || !errors.Is(err, test.want) || e.name != test.name || e.identity != test.identity {
			t.Errorf("%.60q: %v, %q, %q", test.message, err, e.identity, e.name)
		}
		if test.want == nil && !strings.HasPrefix(string(challenge), "r=abc") {
			t.Errorf("%q: %q", test.message, challenge)
		}
	}
}

// edited is a client that says something else in its last message.
type edited struct {
	sasl.Client
	heard  int
	change func(string) string
}

func (e *edited) Next(challenge []byte) ([]byte, error) {
	response, err := e.Client.Next(challenge)
	if e.heard++; e.heard == 1 {
		response = []byte(e.change(string(response)))
	}
	return response, err
}

// P3-SCRAM-04, P3-SCRAM-06, P3-SCRAM-07: nonce and c= of client-final are
// compared, and its grammar holds.
func TestScramClientFinal(t *testing.T) {
	for name, test := range map[string]struct {
		change func(string) string
		want   error
	}{
		"nothing":         {func(m string) string { return m }, nil},
		"other header":    {func(m string) string { return strings.Replace(m, "c=biws", "c=eSws", 1) }, sasl.ErrBinding},
		"no header":       {func(m string) string { return strings.Replace(m, "c=biws,", "", 1) }, sasl.ErrMessage},
		"shorter nonce":   {func(m string) string { i := strings.Index(m, ",p="); return m[:i-1] + m[i:] }, sasl.ErrMessage},
		"longer nonce":    {func(m string) string { return strings.Replace(m, ",p=", "x,p=", 1) }, sasl.ErrMessage},
		"an attribute":    {func(m string) string { return strings.Replace(m, ",p=", ",z=1,p=", 1) }, sasl.ErrProof}, // the proof covers it
		"mandatory":       {func(m string) string { return strings.Replace(m, ",p=", ",m=1,p=", 1) }, sasl.ErrMessage},
		"no proof":        {func(m string) string { return m[:strings.Index(m, ",p=")] }, sasl.ErrMessage},
		"empty proof":     {func(m string) string { return m[:strings.Index(m, "p=")+2] }, sasl.ErrMessage},
		"short proof":     {func(m string) string { return m[:strings.Index(m, "p=")+2] + "AAAA" }, sasl.ErrMessage},
		"proof of zeroes": {func(m string) string { return m[:strings.Index(m, "p=")+2] + strings.Repeat("A", 43) + "=" }, sasl.ErrProof},
		"line end":        {func(m string) string { return m + "\n" }, sasl.ErrMessage},
		"nothing at all":  {func(string) string { return "" }, sasl.ErrMessage},
		"too much":        {func(string) string { return strings.Repeat("x", 1<<17) }, sasl.ErrMessage},
	} {
		e := &ear{verifier: verifier(t, sasl.SHA256, "pencil")}
		client := &edited{Client: sasl.NewScramClient(sasl.SHA256, false, "u", "pencil"), change: test.change}
		done, _, err := talk(client, e.server(sasl.SHA256, false), nil)
		if done != (test.want == nil) || !errors.Is(err, test.want) {
			t.Errorf("%s: %v, %v", name, done, err)
		}
		if wantKey := map[bool]int{true: 0, false: -1}[test.want == nil]; e.key != wantKey {
			t.Errorf("%s: key %d", name, e.key)
		}
	}
}

// P3-AUTH-10, P3-AUTH-21: the first response may be missing, the last one is
// empty, and behind the end nothing works.
func TestScramResponses(t *testing.T) {
	e := &ear{verifier: verifier(t, sasl.SHA256, "pencil")}
	server := e.server(sasl.SHA256, false)
	if challenge, done, err := server.Next(nil); len(challenge) > 0 || done || err != nil {
		t.Errorf("nothing: %q, %v, %v", challenge, done, err)
	}
	if done, clientErr, err := talk(sasl.NewScramClient(sasl.SHA256, false, "u", "pencil"), server, nil); !done || clientErr != nil || err != nil {
		t.Errorf("%v, %v, %v", done, clientErr, err)
	}
	if _, done, err := server.Next([]byte("n,,n=user,r=abc")); done || !errors.Is(err, sasl.ErrMessage) {
		t.Errorf("behind the end: %v, %v", done, err)
	}

	server = e.server(sasl.SHA256, false)
	if _, done, err := server.Next([]byte{}); done || !errors.Is(err, sasl.ErrMessage) { // "=" in AUTH
		t.Errorf("empty: %v, %v", done, err)
	}
	if _, done, err := server.Next([]byte("n,,n=user,r=abc")); done || err == nil {
		t.Errorf("behind an error: %v, %v", done, err)
	}

	client := sasl.NewScramClient(sasl.SHA256, false, "u", "pencil")
	last := func(m string) string { return m }
	server = &answering{e.server(sasl.SHA256, false), "surplus"}
	if done, _, err := talk(client, server, last); done || !errors.Is(err, sasl.ErrMessage) {
		t.Errorf("an answer to the proof that is not empty: %v, %v", done, err)
	}
}

// answering replaces empty responses.
type answering struct {
	sasl.Server
	response string
}

func (a *answering) Next(response []byte) ([]byte, bool, error) {
	if response != nil && len(response) == 0 {
		response = []byte(a.response)
	}
	return a.Server.Next(response)
}

// P3-SCRAM-03 to P3-SCRAM-05, P3-SCRAM-07: a client does not believe everything.
func TestScramClientDoubts(t *testing.T) {
	const wrong = "v=AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="
	first := func(change func(string) string) func(string) string {
		return func(m string) string {
			if strings.HasPrefix(m, "r=") {
				return change(m)
			}
			return m
		}
	}
	final := func(to string) func(string) string {
		return func(m string) string {
			if strings.HasPrefix(m, "v=") {
				return to
			}
			return m
		}
	}
	iterations := func(n string) func(string) string {
		return first(func(m string) string { return strings.Replace(m, "i=4096", "i="+n, 1) })
	}
	for name, change := range map[string]func(string) string{
		"another nonce":     first(func(m string) string { return "r=x" + m[2:] }),
		"mandatory":         first(func(m string) string { return "m=x," + m }),
		"mandatory, behind": first(func(m string) string { return m + ",m=x" }),
		"another order":     first(func(m string) string { f := strings.Split(m, ","); return f[1] + "," + f[0] + "," + f[2] }),
		"no salt":           first(func(m string) string { f := strings.Split(m, ","); return f[0] + ",s=," + f[2] }),
		"4095 iterations":   iterations("4095"),
		"10000001":          iterations("10000001"),
		"beyond all":        iterations("99999999999999999999999999"),
		"negative":          iterations("-4096"),
		"no number":         iterations("many"),
		"empty":             func(string) string { return "" },
		"e= at once":        first(func(string) string { return "e=unknown-user" }),
		"wrong signature":   final(wrong),
		"no signature":      final("v="),
		"an error":          final("e=other-error"),
		"something else":    final("x=y"),
		"server-first":      final("r=abc,s=AAAA,i=4096"),
		"mandatory, final":  final(wrong + ",m=x"),
	} {
		client := sasl.NewScramClient(sasl.SHA256, false, "u", "pencil")
		e := &ear{verifier: verifier(t, sasl.SHA256, "pencil")}
		done, clientErr, serverErr := talk(client, e.server(sasl.SHA256, false), change)
		if done || clientErr == nil || serverErr != nil || finished(client) {
			t.Errorf("%s: %v, %v, %v", name, done, clientErr, serverErr)
		}
		if strings.Contains(name, "signature") && !errors.Is(clientErr, sasl.ErrProof) {
			t.Errorf("%s: %v", name, clientErr)
		}
	}
	// A nonce that is the client's own, and no more.
	client := sasl.NewScramClient(sasl.SHA256, false, "u", "pencil")
	_, message, err := client.Start()
	if err != nil {
		t.Fatal(err)
	}
	_, own, _ := strings.Cut(string(message), ",r=")
	if _, err := client.Next([]byte("r=" + own + ",s=AAAA,i=4096")); !errors.Is(err, sasl.ErrMessage) {
		t.Errorf("the client's nonce alone: %v", err)
	}
	// An attribute that may be ignored.
	client = sasl.NewScramClient(sasl.SHA256, false, "u", "pencil")
	if _, message, err = client.Start(); err != nil {
		t.Fatal(err)
	}
	_, own, _ = strings.Cut(string(message), ",r=")
	if _, err := client.Next([]byte("r=" + own + "x,s=AAAA,i=4096,z=1")); err != nil {
		t.Errorf("an attribute to ignore: %v", err)
	}
	if _, _, err := sasl.NewScramClient(sasl.SHA256, false, "u", "a\x00b").Start(); err == nil {
		t.Error("a NUL went into a password")
	}
	if _, err := sasl.NewScramClient(sasl.SHA256, false, "u", "p").Next(nil); err == nil {
		t.Error("a challenge before Start")
	}
}

// P3-SCRAM-09: both ends prepare, so what people type differently fits.
func TestScramPrepares(t *testing.T) {
	e := &ear{verifier: verifier(t, sasl.SHA256, "1\u20442 IX")}
	client := sasl.NewScramClient(sasl.SHA256, false, "J\u00adO\u0308", "\u00bd \u2168")
	if done, clientErr, serverErr := talk(client, e.server(sasl.SHA256, false), nil); !done || clientErr != nil || serverErr != nil {
		t.Errorf("%v, %v, %v", done, clientErr, serverErr)
	}
	if e.name != "J\u00d6" {
		t.Errorf("the name is %q", e.name)
	}
	_, _, err := sasl.NewScramClient(sasl.SHA256, false, "u", "secret\U0001f511").Start()
	if err == nil || strings.Contains(err.Error(), "1f511") || strings.Contains(err.Error(), "secret") {
		t.Errorf("a password that cannot be prepared: %v", err)
	}
}

// A verifier that makes no sense is nobody's fault at the other end.
func TestScramVerifierMakesSense(t *testing.T) {
	good := verifier(t, sasl.SHA256, "pencil")
	sha1 := verifier(t, sasl.SHA1, "pencil")
	for name, v := range map[string]*sasl.ScramVerifier{
		"nil":           nil,
		"no keys":       {Salt: salt, Iterations: 4096},
		"no salt":       {Iterations: 4096, Keys: good.Keys},
		"no iterations": {Salt: salt, Keys: good.Keys},
		"another hash":  sha1,
		"second key":    {Salt: salt, Iterations: 4096, Keys: append(good.Keys[:1:1], sha1.Keys...)},
		"empty keys":    {Salt: salt, Iterations: 4096, Keys: []sasl.ScramKeys{{}}},
	} {
		e := &ear{verifier: v}
		_, done, err := e.server(sasl.SHA256, false).Next([]byte("n,,n=user,r=abc"))
		if done || err == nil || errors.Is(err, sasl.ErrMessage) {
			t.Errorf("%s: %v, %v", name, done, err)
		}
	}
	for _, bad := range []struct {
		password   string
		salt       []byte
		iterations int
	}{{"", salt, 1}, {"p", nil, 1}, {"p", salt, 0}} {
		if _, err := sasl.NewScramKeys(sasl.SHA256, bad.password, bad.salt, bad.iterations); err == nil {
			t.Errorf("%+v made keys", bad)
		}
	}
}

// A nonce serves once (P3-SCRAM-04).
func TestScramNoncesAreFresh(t *testing.T) {
	seen := make(map[string]bool)
	for range 50 {
		e := &ear{verifier: verifier(t, sasl.SHA1, "pencil")}
		challenge, _, err := e.server(sasl.SHA1, false).Next([]byte("n,,n=user,r=abc"))
		if err != nil || seen[string(challenge)] {
			t.Fatalf("%q, %v", challenge, err)
		}
		seen[string(challenge)] = true
		_, message, err := sasl.NewScramClient(sasl.SHA1, false, "user", "p").Start()
		if err != nil || seen[string(message)] {
			t.Fatalf("%q, %v", message, err)
		}
		seen[string(message)] = true
	}
}

// The wire's form of what a gs2 header says of a binding (P3-SCRAM-11).
func TestScramFlags(t *testing.T) {
	for want, client := range map[string]sasl.Client{
		"n,,":              sasl.NewScramClient(sasl.SHA256, false, "u", "p"),
		"y,,":              sasl.NewScramClient(sasl.SHA256, true, "u", "p"),
		"p=tls-exporter,,": sasl.NewScramPlusClient(sasl.SHA256, exporter, "u", "p"),
	} {
		mech, message, err := client.Start()
		if !strings.HasPrefix(string(message), want) || strings.HasSuffix(mech, "-PLUS") != (want[0] == 'p') || err != nil {
			t.Errorf("%s: %s, %q, %v", want, mech, message, err)
		}
	}
}

// What a client end holds is not printed with it.
func TestClientsShowNoSecrets(t *testing.T) {
	for _, client := range []sasl.Client{
		sasl.NewPlainClient("", "u", "sesame"), sasl.NewLoginClient("u", "sesame"), sasl.NewCramMD5Client("u", "sesame"),
		sasl.NewScramClient(sasl.SHA256, false, "u", "sesame"), sasl.NewScramPlusClient(sasl.SHA1, exporter, "u", "sesame"),
		sasl.NewOAuthBearerClient(sasl.Bearer{Token: "sesame"}), sasl.NewXOAuth2Client("u", "sesame"),
	} {
		for _, verb := range []string{"%v", "%+v", "%#v"} {
			if out := fmt.Sprintf(verb, client); strings.Contains(out, "sesame") {
				t.Errorf("%s: %s", verb, out)
			}
		}
	}
}
