package pop3test

import (
	"crypto/hmac"
	"crypto/pbkdf2"
	"crypto/rand"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/subtle"
	"crypto/tls"
	"encoding/base64"
	"hash"
	"regexp"
	"strconv"
	"strings"
)

// A scram is what a server of SCRAM (RFC 5802) does wrong. The zero value is
// right: SHA-256 and SHA-1, in TLS with channel binding as well.
type scram struct {
	onlySHA256        bool // SCRAM-SHA-1 is not there
	orderTurned       bool // the salt before the nonce
	fewIterations     bool
	sameNonce         bool // the server's part of it
	anyNonce          bool // that of the client's last message is not compared
	anyHeader         bool // neither the GS2 header nor c= is looked at
	anyFlag           bool // of the GS2 header
	extensionsIgnored bool // m= is
	extensionsRefused bool // those that may be ignored
	namesLenient      bool // an equals sign escapes any octet, and one that escapes nothing is dropped
	namesUnprepared   bool // what is not printable ASCII is dropped
	plusInClear       bool // and in TLS nothing else
	takesY            bool // the flag of clients that would bind if the server could
	anyBinding        bool // types that nobody knows
	noExporter        bool
	otherLabel        bool // of the exporter
	endPointSHA1      bool
	bindsAgain        bool // after the login
	failsWithProof    bool // a failure has a server-final that is none
	tellsNames        bool // unknown ones are refused at once
	saltsAnew         bool // unknown names have another salt each time
	finalInOK         bool // server-final comes with +OK
}

// What the server tells and keeps; server-first spells the counts once more. The
// salt of a name depends on nothing else, so that those who exist and those who
// do not look alike.
const (
	scramIterations = 15000
	scramFew        = 1000
	scramSaltKey    = "postfach test salt"
	scramNonce      = "3rfcNHYJY1ZVvWVs7jqTNOT"
	scramFailed     = "-ERR [AUTH] login failed\r\n"
)

func (w scram) mechanisms() mechanisms {
	return mechanisms{announced: w.announced, begin: w.begin, again: w.bindsAgain}
}

// announced lists what works.
func (w scram) announced(s *Session) string {
	list := "SCRAM-SHA-256 SCRAM-SHA-1 PLAIN"
	switch {
	case w.onlySHA256 && s.TLS:
		return "SCRAM-SHA-256-PLUS SCRAM-SHA-256 PLAIN"
	case w.onlySHA256:
		return "SCRAM-SHA-256 PLAIN"
	case w.plusInClear && s.TLS:
		return "SCRAM-SHA-256-PLUS PLAIN"
	case w.plusInClear:
		return "SCRAM-SHA-256-PLUS " + list
	case s.TLS:
		return "SCRAM-SHA-256-PLUS SCRAM-SHA-1-PLUS " + list
	}
	return list
}

func (w scram) begin(s *Session, mechanism string) conversation {
	x := &scramExchange{scram: w}
	mechanism, x.binds = strings.CutSuffix(mechanism, "-PLUS")
	switch {
	case mechanism == "SCRAM-SHA-256":
		x.newHash = sha256.New
	case mechanism == "SCRAM-SHA-1" && !w.onlySHA256:
		x.newHash = sha1.New
	}
	if x.newHash == nil || x.binds && !s.TLS {
		return nil
	}
	x.next = x.first
	return func(s *Session, response []byte) string {
		if response == nil {
			return "+ \r\n"
		}
		return x.next(s, string(response))
	}
}

// A scramExchange is one exchange, as far as it has come.
type scramExchange struct {
	scram
	newHash func() hash.Hash
	binds   bool // the name of the mechanism ends in -PLUS
	next    func(s *Session, message string) string

	header      string // GS2
	binding     []byte // follows it in c=
	name        string
	nonce       string // both parts
	salt        []byte
	firstBare   string // client-first-message-bare
	serverFirst string
}

// first takes client-first, and sends server-first.
func (x *scramExchange) first(s *Session, message string) string {
	flag, rest, _ := strings.Cut(message, ",")
	identity, bare, found := strings.Cut(rest, ",")
	x.header, x.firstBare = flag+","+identity+",", bare
	if !found || identity != "" && !strings.HasPrefix(identity, "a=") || !x.mayBind(s, flag) {
		return scramFailed
	}
	if strings.HasPrefix(bare, "m=") && x.extensionsIgnored {
		_, bare, _ = strings.Cut(bare, ",")
	}
	attributes := strings.Split(bare, ",")
	if len(attributes) < 2 || len(attributes) > 2 && x.extensionsRefused {
		return scramFailed
	}
	name, hasName := strings.CutPrefix(attributes[0], "n=")
	nonce, hasNonce := strings.CutPrefix(attributes[1], "r=")
	var legal bool
	if x.name, legal = x.decodeName(name); !legal || !hasName || !hasNonce || nonce == "" {
		return scramFailed
	}
	if x.tellsNames && s.password(x.name) == "" {
		return "-ERR [AUTH] no such user\r\n"
	}
	x.nonce = nonce + rand.Text()
	if x.sameNonce {
		x.nonce = nonce + scramNonce
	}
	x.salt = x.saltOf(s)
	x.serverFirst = "r=" + x.nonce + ",s=" + base64.StdEncoding.EncodeToString(x.salt) + ",i=15000"
	switch {
	case x.orderTurned:
		x.serverFirst = "s=" + base64.StdEncoding.EncodeToString(x.salt) + ",r=" + x.nonce + ",i=15000"
	case x.fewIterations:
		x.serverFirst = strings.TrimSuffix(x.serverFirst, "15000") + "1000"
	}
	x.next = x.final
	return challengeOf(x.serverFirst)
}

// mayBind judges the GS2 flag, and finds the data of the binding.
func (x *scramExchange) mayBind(s *Session, flag string) bool {
	kind, binds := strings.CutPrefix(flag, "p=")
	switch {
	case x.anyHeader, x.anyFlag && strings.Trim(flag, "nyp=") != "" && !binds:
		return true
	case flag == "n":
		return !x.binds
	case flag == "y": // the client would bind, and thinks that this server cannot
		return !x.binds && (!s.TLS || x.takesY)
	case !binds:
		return false
	}
	x.binding = x.bindingOf(s, kind)
	return x.binds && x.binding != nil || x.anyBinding
}

// bindingOf returns the connection's data of a type of binding, nil for a type
// that is not supported.
func (x *scramExchange) bindingOf(s *Session, kind string) []byte {
	tc, ok := s.front.client.(*tls.Conn)
	if !ok {
		return nil
	}
	state := tc.ConnectionState()
	switch {
	case kind == "tls-exporter" && !x.noExporter:
		label := "EXPORTER-Channel-Binding"
		if x.otherLabel {
			label = "EXPORTER-channel-binding"
		}
		data, err := state.ExportKeyingMaterial(label, []byte{}, 32)
		if err != nil {
			return nil
		}
		return data
	case kind == "tls-server-end-point" && x.endPointSHA1:
		sum := sha1.Sum(s.Server.cert.good.Certificate[0])
		return sum[:]
	case kind == "tls-server-end-point": // the certificate is signed with SHA-256
		sum := sha256.Sum256(s.Server.cert.good.Certificate[0])
		return sum[:]
	}
	return nil
}

// decodeName undoes the escapes of a name, and refuses what SASLprep might
// change: it knows ASCII only.
func (x *scramExchange) decodeName(name string) (string, bool) {
	if x.namesUnprepared {
		name = strings.Map(func(r rune) rune {
			if r < ' ' || r > '~' {
				return -1
			}
			return r
		}, name)
	}
	if x.namesLenient {
		name = strings.ReplaceAll(hexEscapes(name), "=", "")
	}
	name = strings.NewReplacer("=2C", ",", "=3D", "\x00").Replace(name)
	if strings.Contains(name, "=") {
		return "", false
	}
	name = strings.ReplaceAll(name, "\x00", "=")
	legal := name != "" && !strings.ContainsFunc(name, func(r rune) bool { return r < ' ' || r > '~' })
	return name, legal
}

// hexEscapes undoes all escapes of an equals sign and two digits, not only those
// two that there are.
func hexEscapes(name string) string {
	return regexp.MustCompile(`=[0-9A-Fa-f]{2}`).ReplaceAllStringFunc(name, func(escape string) string {
		octet, err := strconv.ParseUint(escape[1:], 16, 8)
		if err != nil {
			return escape
		}
		return string(rune(octet))
	})
}

func (x *scramExchange) saltOf(s *Session) []byte {
	if x.saltsAnew && s.password(x.name) == "" {
		return []byte(rand.Text()[:16])
	}
	return sum(sha256.New, []byte(scramSaltKey), x.name)[:16]
}

// final takes client-final, and sends server-final.
func (x *scramExchange) final(s *Session, message string) string {
	i := strings.LastIndex(message, ",p=")
	if i < 0 {
		return scramFailed
	}
	without, proof := message[:i], message[i+len(",p="):]
	binding, rest, _ := strings.Cut(without, ",")
	nonce, _, _ := strings.Cut(rest, ",")
	signature, right := x.verify(s.password(x.name), without, proof)
	if !right || !x.boundRight(binding) || nonce != "r="+x.nonce && !x.anyNonce {
		if x.failsWithProof {
			x.next = func(*Session, string) string { return scramFailed }
			return challengeOf("v=AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=")
		}
		return scramFailed
	}
	if x.finalInOK {
		return x.letInWith(s, signature)
	}
	x.next = func(s *Session, empty string) string {
		switch {
		case empty != "":
			return scramFailed
		case s.LoggedIn:
			return "+OK\r\n"
		}
		return s.letIn(x.name)
	}
	return challengeOf("v=" + base64.StdEncoding.EncodeToString(signature))
}

// letInWith puts server-final where POP3 has no place for it.
func (x *scramExchange) letInWith(s *Session, signature []byte) string {
	reply := s.letIn(x.name)
	if !strings.HasPrefix(reply, "+OK") {
		return reply
	}
	final := "v=" + base64.StdEncoding.EncodeToString(signature)
	return "+OK " + base64.StdEncoding.EncodeToString([]byte(final)) + "\r\n"
}

// boundRight compares c= with the header of client-first and the binding.
func (x *scramExchange) boundRight(attribute string) bool {
	said, found := strings.CutPrefix(attribute, "c=")
	data, ok := unbase64(said)
	if !found || !ok {
		return false
	}
	if x.anyHeader {
		return true
	}
	return string(data) == x.header+string(x.binding)
}

// verify compares the proof, and returns the server's signature.
func (x *scramExchange) verify(password, without, proof string) (signature []byte, right bool) {
	iterations := scramIterations
	if x.fewIterations {
		iterations = scramFew
	}
	said, ok := unbase64(proof)
	length := x.newHash().Size()
	salted, err := pbkdf2.Key(x.newHash, password, x.salt, iterations, length)
	if err != nil || !ok || len(said) != length || password == "" {
		return nil, false
	}
	text := x.firstBare + "," + x.serverFirst + "," + without
	clientKey := sum(x.newHash, salted, "Client Key")
	digest := x.newHash()
	digest.Write(clientKey)
	claimed := make([]byte, length)
	subtle.XORBytes(claimed, said, sum(x.newHash, digest.Sum(nil), text))
	signature = sum(x.newHash, sum(x.newHash, salted, "Server Key"), text)
	return signature, hmac.Equal(claimed, clientKey)
}

// sum is HMAC.
func sum(newHash func() hash.Hash, key []byte, text string) []byte {
	mac := hmac.New(newHash, key)
	mac.Write([]byte(text))
	return mac.Sum(nil)
}
