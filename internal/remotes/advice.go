package remotes

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"net"
	"os"
	"syscall"

	"postfach/internal/hint"
	"postfach/pop3"
	"postfach/pop3client"
)

// ConnectHint adds what to do when there is no connection to u, or none that is
// protected as it must be.
func ConnectHint(err error, u *pop3.URL) error {
	switch {
	case errors.Is(err, context.Canceled):
		return err
	case is[x509.UnknownAuthorityError](err):
		return hint.Add(err, "if you know this server, save its certificate and name the file with --cafile")
	case is[x509.HostnameError](err):
		return hint.Add(err, "use the name that the certificate is for")
	case is[x509.CertificateInvalidError](err):
		return hint.Add(err, "the server needs a new certificate; or name the one that you trust with --cafile")
	case is[tls.RecordHeaderError](err):
		return hint.Add(err, "there is no TLS on this port; with pop3:// TLS begins with STLS")
	case is[*net.DNSError](err):
		return hint.Add(err, "check the host name, and the network")
	case errors.Is(err, syscall.ECONNREFUSED):
		return hint.Add(err, "no program answers on this port; pop3s:// uses 995 and pop3:// uses 110 unless the URL says :PORT")
	case errors.Is(err, os.ErrDeadlineExceeded), errors.Is(err, context.DeadlineExceeded):
		return hint.Add(err, "the server does not answer; a firewall may be in the way, or the port is for pop3s:// and the URL says pop3://")
	case errors.Is(err, pop3client.ErrNoSTLS):
		return hint.Add(err, "use pop3s:// instead; if the server really has no TLS, --allow-cleartext does without")
	case is[*pop3.Error](err):
		return hint.Add(err, "the server takes no sessions now; try again later")
	case u.TLS:
		return hint.Add(err, "is this a server for pop3s:// ? pop3:// begins TLS with STLS")
	}
	return err
}

// is reports whether an error of this type is in err's chain.
func is[T error](err error) bool {
	_, ok := errors.AsType[T](err)
	return ok
}

// LoginHint adds what to do when the login was refused (P3-RSP-09).
func LoginHint(err error) error {
	switch code := pop3.CodeOf(err); {
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
	case errors.Is(err, pop3client.ErrUnproved):
		return hint.Add(err, "this may not be the server that it claims to be; nothing was fetched")
	case is[*pop3.Error](err):
		return hint.Add(err, "check user name and password")
	}
	return err
}
