package web

import (
	"context"
	"crypto/tls"
	"errors"
	"io/fs"
	"net"
	"net/http"

	"postfach/internal/explain"
	"postfach/internal/explore"
	"postfach/internal/hint"
	"postfach/internal/message"
	"postfach/pop3"
)

// A failure is an error as a page.
type failure struct {
	Status int
	Title  string // what happened, in plain words
	Text   string // what that means, or what to do
	Detail string // in the words of the machine; printable
	Hint   string
}

func (f *failure) Error() string { return f.Title }

func forbidden(title, text string) *failure {
	return &failure{Status: http.StatusForbidden, Title: title, Text: text}
}

func badRequest(title string) *failure {
	return &failure{Status: http.StatusBadRequest, Title: title}
}

// failureOf puts an error into words for people.
func failureOf(err error, lang explain.Language) *failure {
	if f := new(failure); errors.As(err, &f) {
		return f
	}
	f := plainly(err, lang)
	f.Detail = message.PrintableLine(err.Error())
	if !pop3.CodeOf(err).Is(pop3.CodeAuth) { // its Text says what helps
		f.Hint = message.PrintableLine(hint.Of(err))
	}
	return f
}

func plainly(err error, lang explain.Language) *failure {
	switch {
	case errors.Is(err, explore.ErrPassword):
		return &failure{Status: http.StatusForbidden, Title: "The password is missing", Text: "The mailbox cannot be opened without it."}
	case errors.Is(err, explore.ErrGone):
		return &failure{Status: http.StatusGone, Title: "This message is not there any more", Text: "Perhaps a mail program has fetched and deleted it meanwhile. The list shows what is there now."}
	case errors.Is(err, explore.ErrReadOnly):
		return forbidden("This mailbox is open for reading only", "Nothing can be marked or deleted here.")
	case errors.Is(err, explore.ErrOtherMarks):
		return &failure{Status: http.StatusConflict, Title: "Other messages are marked than you were shown", Text: "Nothing was deleted. Look at the list of marked messages again."}
	case errors.Is(err, explore.ErrCommitting):
		return &failure{Status: http.StatusConflict, Title: "The marked messages are being deleted right now", Text: "Marks cannot be changed meanwhile. Wait for the outcome and try again."}
	case errors.Is(err, explore.ErrAway):
		return &failure{Status: http.StatusConflict, Title: "The mailbox is not open", Text: "It was let go. Come back to it first."}
	}
	if no := new(pop3.Error); errors.As(err, &no) {
		return refusal(no, lang)
	}
	if broken := new(pop3.ProtocolError); errors.As(err, &broken) {
		return &failure{Status: http.StatusBadGateway, Title: "The mail server said something that makes no sense", Text: "It broke the rules of POP3, and the connection was closed. The protocol shows what was said."}
	}
	if timeout := net.Error(nil); errors.Is(err, context.DeadlineExceeded) || errors.As(err, &timeout) && timeout.Timeout() {
		return &failure{Status: http.StatusGatewayTimeout, Title: "The mail server took too long", Text: "It did not answer in time. Try again; if that does not help, let the server page examine the connection."}
	}
	if bad := new(tls.CertificateVerificationError); errors.As(err, &bad) {
		return &failure{Status: http.StatusBadGateway, Title: "The mail server could not prove that it is the right one", Text: "Its certificate is not to be trusted, so nothing was sent to it, above all no password."}
	}
	if errors.Is(err, fs.ErrPermission) || errors.Is(err, fs.ErrNotExist) {
		return &failure{Status: http.StatusInternalServerError, Title: "A file or folder cannot be used"}
	}
	return &failure{Status: http.StatusBadGateway, Title: "This did not work", Text: "The connection to the mailbox may have failed or been lost. Marks are kept."}
}

// refusal is the server's -ERR.
func refusal(no *pop3.Error, lang explain.Language) *failure {
	f := &failure{Status: http.StatusBadGateway, Title: "The mail server said no", Text: explain.Code(lang, no.Code)}
	switch {
	case no.Code.Is(pop3.CodeAuth):
		f.Status, f.Title = http.StatusForbidden, "The mail server does not accept this name and password"
		f.Text = "Many providers want the whole mail address as the user name, and an app password, which is made on their pages. With some, POP3 must be switched on there first. Else look at how the password was typed."
	case no.Code.Is(pop3.CodeInUse):
		f.Status, f.Title = http.StatusConflict, "Another program has this mailbox open"
		f.Text = "Only one at a time can look into a POP3 mailbox. Close the mail program that has it open, here or on a telephone, or wait a minute, and try again."
	case no.Code.Is(pop3.CodeLoginDelay):
		f.Status, f.Title = http.StatusTooManyRequests, "The mail server wants you to wait before the next visit"
	}
	return f
}
