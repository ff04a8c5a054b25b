package sasl

type externalClient struct{ identity string }

// NewExternalClient returns EXTERNAL's client end (RFC 4422 appendix A): the
// server knows already who this is. identity is whom to act as; empty: that one.
func NewExternalClient(identity string) Client { return &externalClient{identity} }

// Start always has an initial response: "nobody in particular" is said, too
// (P3-AUTH-09).
func (c *externalClient) Start() (mech string, ir []byte, err error) {
	if !sendable(c.identity) {
		return "", nil, ErrCredential
	}
	return External, []byte(c.identity), nil
}

func (c *externalClient) Next([]byte) ([]byte, error) { return nil, ErrMessage }

type externalServer struct {
	check func(identity string) error
	asked bool
}

// NewExternalServer returns EXTERNAL's server end. check decides about the
// identity, which is not prepared and may be empty (P3-EXT-03). Its error is what
// Next returns.
func NewExternalServer(check func(identity string) error) Server {
	return &externalServer{check: check}
}

func (s *externalServer) Next(response []byte) (challenge []byte, done bool, err error) {
	if response == nil && !s.asked { // P3-AUTH-10
		s.asked = true
		return nil, false, nil
	}
	if !acceptable(string(response)) {
		return nil, false, ErrMessage
	}
	return nil, true, s.check(string(response))
}
