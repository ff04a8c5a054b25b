package sasl

import "bytes"

type plainClient struct {
	identity string
	*login
}

// NewPlainClient returns PLAIN's client end (RFC 4616). identity is the user to
// act as; empty, as nearly always, means user.
func NewPlainClient(identity, user, password string) Client {
	return &plainClient{identity, &login{user, password}}
}

func (c *plainClient) Start() (mech string, ir []byte, err error) {
	if c.user == "" || c.password == "" || !sendable(c.identity, c.user, c.password) { // P3-PLAIN-01
		return "", nil, ErrCredential
	}
	return Plain, []byte(c.identity + "\x00" + c.user + "\x00" + c.password), nil
}

func (c *plainClient) Next([]byte) ([]byte, error) { return nil, ErrMessage }

type plainServer struct {
	check func(identity, user, password string) error
	asked bool
}

// NewPlainServer returns PLAIN's server end (RFC 4616). check decides about the
// three fields, which follow the grammar but are not prepared; identity may be
// empty. Its error is what Next returns.
func NewPlainServer(check func(identity, user, password string) error) Server {
	return &plainServer{check: check}
}

func (s *plainServer) Next(response []byte) (challenge []byte, done bool, err error) {
	if response == nil && !s.asked { // P3-AUTH-10
		s.asked = true
		return nil, false, nil
	}
	fields := bytes.Split(response, []byte{0})
	if len(fields) != 3 || len(fields[1]) == 0 || len(fields[2]) == 0 { // P3-PLAIN-01
		return nil, false, ErrMessage
	}
	identity, user, password := string(fields[0]), string(fields[1]), string(fields[2])
	if !acceptable(identity, user, password) {
		return nil, false, ErrMessage
	}
	return nil, true, s.check(identity, user, password)
}
