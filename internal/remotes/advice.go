package remotes

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"net"
	"os"
	"strings"
	"syscall"

	"postfach/internal/hint"
	"postfach/pop3"
	"postfach/pop3client"
	"postfach/sasl"
)

// ConnectHint adds what to do when there is no connection to u, or none that is
// protected as it must be.
func ConnectHint(err error, u *pop3.URL) error {
	switch {
	case errors.Is(err, context.Canceled):
		return err
	case is[*PinError](err):
		return hint.Add(err, "nothing secret was sent to it; ask who runs the server whether it has a new certificate, and what its SHA-256 is")
	case is[x509.UnknownAuthorityError](err):
		return hint.Add(err, "if you know this server, save its certificate and name the file with --cafile")
	case is[x509.HostnameError](err):
		return hint.Add(err, "use the name that the certificate is for")
	case is[x509.CertificateInvalidError](err):
		return hint.Add(err, "the server needs a new certificate; or name the one that you trust with --cafile")
	case is[tls.RecordHeaderError](err) && u.TLS:
		return hint.Add(err, "this port does not begin with TLS; perhaps it is for STLS: %s", other(u))
	case is[tls.RecordHeaderError](err):
		return hint.Add(err, "the server agrees to STLS, but no TLS follows; perhaps another port begins with TLS: pop3s://")
	case refusedTLS(err) != "":
		return hint.Add(err, "%s", refusedTLS(err))
	case is[*net.DNSError](err):
		return hint.Add(err, "check the host name, and the network")
	case errors.Is(err, syscall.ECONNREFUSED):
		return hint.Add(err, "no program answers on this port; pop3s:// uses 995 and pop3:// uses 110 unless the URL says :PORT")
	case isTimeout(err) && u.TLS:
		return hint.Add(err, "the server does not answer; a firewall may be in the way")
	case isTimeout(err):
		return hint.Add(err, "the server does not answer; perhaps the port is for TLS: %s; or a firewall is in the way", other(u))
	case errors.Is(err, pop3client.ErrNoSTLS):
		return hint.Add(err, "use pop3s:// instead; if the server really has no TLS, --allow-cleartext does without")
	case is[*pop3.Error](err):
		return hint.Add(err, "the server takes no sessions now; try again later")
	case u.TLS:
		return hint.Add(err, "is this a server for pop3s:// ? pop3:// begins TLS with STLS")
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF), is[*pop3.ProtocolError](err):
		return hint.Add(err, "perhaps the port is for TLS: %s; or it is no POP3 server", other(u))
	}
	return err
}

// refusedTLS is what to do when the server ended TLS and said why. Empty: it did not.
// Alerts about certificates are about the client's: the server has seen no other.
func refusedTLS(err error) string {
	alert, ok := errors.AsType[*net.OpError](err)
	if !ok || alert.Op != "remote error" { // as crypto/tls has it
		return ""
	}
	switch text := alert.Err.Error(); {
	case strings.Contains(text, "certificate required"):
		return "the server wants a client certificate: --client-cert FILE"
	case strings.Contains(text, "certificate"), strings.Contains(text, "access denied"):
		return "the server does not take the client certificate: it may be revoked or too old, or its authority is not one of the server's; --client-cert names another one"
	}
	return "the server ended TLS; it may know only old versions, or want a client certificate: --client-cert FILE"
}

func isTimeout(err error) bool {
	return errors.Is(err, os.ErrDeadlineExceeded) || errors.Is(err, context.DeadlineExceeded)
}

// other is the URL with the other kind of TLS.
func other(u *pop3.URL) string {
	o := *u
	o.TLS = !u.TLS
	if s, ok := strings.CutPrefix(o.String(), "pop://"); ok {
		return "pop3://" + s // what people write
	}
	return o.String()
}

// is reports whether an error of this type is in err's chain.
func is[T error](err error) bool {
	_, ok := errors.AsType[T](err)
	return ok
}

// wantsTLS reports whether a server refuses a login that came without TLS. There is no
// code for that: servers say it in words.
func wantsTLS(err error) bool {
	refusal, ok := errors.AsType[*pop3.Error](err)
	return ok && strings.Contains(strings.ToUpper(refusal.Text), "TLS")
}

// LoginHint adds what to do when the login was refused (P3-RSP-09).
func LoginHint(err error) error {
	switch code := pop3.CodeOf(err); {
	case is[*sasl.TokenError](err):
		return hint.Add(err, "the token may be too old, too long, or not made for POP3; get a new one")
	case errors.Is(err, pop3client.ErrMechanism):
		return hint.Add(err, "a login is by %s or +APOP; without ;AUTH= the strongest is chosen", strings.Join(pop3client.Mechanisms(), ", "))
	case errors.Is(err, pop3client.ErrNoToken):
		return hint.Add(err, "this server takes a password")
	case errors.Is(err, pop3client.ErrNoExternal):
		return hint.Add(err, "perhaps it does not know the client certificate; without one it may take a password")
	case errors.Is(err, pop3client.ErrNoBinding):
		return hint.Add(err, "mechanisms with -PLUS need TLS")
	case code.Is(pop3.CodeAuth):
		return hint.Add(err, "check user name and password; many providers want an app password, and POP3 to be switched on")
	case code.Is(pop3.CodeInUse):
		return hint.Add(err, "another program holds the mailbox; close it, or try again in a few minutes")
	case code.Is(pop3.CodeLoginDelay):
		return hint.Add(err, "the server allows a login only now and then; wait")
	case code.Is(pop3.CodeSysTemp):
		return hint.Add(err, "the server has a problem that should pass; try again later")
	case code.Is(pop3.CodeSysPerm):
		return hint.Add(err, "the server has a problem that its operator must solve")
	case errors.Is(err, pop3client.ErrCleartext):
		return hint.Add(err, "use pop3s://, or --stls; --allow-cleartext sends the password unprotected")
	case errors.Is(err, pop3client.ErrNoTimestamp):
		return hint.Add(err, "the server does not offer APOP here; leave ;AUTH=+APOP out of the URL")
	case errors.Is(err, pop3client.ErrUnproved), errors.Is(err, sasl.ErrProof):
		return hint.Add(err, "this may not be the server that it claims to be; nothing was fetched")
	case wantsTLS(err):
		return hint.Add(err, "the server takes no login without TLS: leave --allow-cleartext out, or add --stls")
	case is[*pop3.Error](err):
		return hint.Add(err, "check user name and password")
	}
	return err
}
