package sasl

type loginClient struct {
	*login
	asked int
}

// NewLoginClient returns LOGIN's client end: name and password, each as the
// answer to a challenge, whatever that says.
func NewLoginClient(user, password string) Client {
	return &loginClient{login: &login{user, password}}
}

func (c *loginClient) Start() (mech string, ir []byte, err error) {
	if c.user == "" || c.password == "" || !sendable(c.user, c.password) {
		return "", nil, ErrCredential
	}
	return Login, nil, nil
}

func (c *loginClient) Next([]byte) ([]byte, error) {
	c.asked++
	switch c.asked {
	case 1:
		return []byte(c.user), nil
	case 2:
		return []byte(c.password), nil
	}
	return nil, ErrMessage
}

type loginServer struct {
	check func(user, password string) error
	user  string
	asked bool
}

// NewLoginServer returns LOGIN's server end. check decides about name and
// password, which are not prepared. Its error is what Next returns. An initial
// response is taken for the name: LOGIN is for clients that know nothing better,
// and many send one (P3-AUTH-33).
func NewLoginServer(check func(user, password string) error) Server {
	return &loginServer{check: check}
}

func (s *loginServer) Next(response []byte) (challenge []byte, done bool, err error) {
	if response == nil && !s.asked {
		s.asked = true
		return []byte("Username:"), false, nil
	}
	s.asked = true
	if len(response) == 0 || !acceptable(string(response)) {
		return nil, false, ErrMessage
	}
	if s.user == "" {
		s.user = string(response)
		return []byte("Password:"), false, nil
	}
	return nil, true, s.check(s.user, string(response))
}
