package sasl

import "strings"

// NewXOAuth2Client returns XOAUTH2's client end. It is a Refusable (P3-OAUTH-08).
func NewXOAuth2Client(user, token string) Client {
	return &bearerClient{mechanism: XOAuth2, bearer: &Bearer{User: user, Token: token}, message: xoauth2Message}
}

func xoauth2Message(b Bearer) string {
	return "user=" + b.User + separator + "auth=Bearer " + b.Token + separator + separator
}

// NewXOAuth2Server returns XOAUTH2's server end. Errors of check are told to the
// client as by NewOAuthBearerServer, in the form that Google gave them.
func NewXOAuth2Server(check func(Bearer) error) Server {
	return &bearerServer{parse: parseXOAuth2, check: check, tell: func(e *TokenError) []byte {
		return tokenRefusal{Status: "401", Schemes: "bearer", Scope: e.Scope}.encode()
	}}
}

func parseXOAuth2(message string) (b Bearer, err error) {
	if !strings.HasPrefix(message, "user=") {
		return b, ErrMessage
	}
	all, err := pairs(message)
	if err != nil {
		return b, err
	}
	token, ok := bearerToken(all["auth"])
	if !ok {
		return b, ErrMessage
	}
	return Bearer{User: all["user"], Token: token}, nil
}
