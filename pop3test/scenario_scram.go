package pop3test

import (
	"encoding/base64"
	"strings"
)

// tampered is a server of SCRAM that changes what it says in its challenges,
// once all is computed.
func tampered(change func(message string) string) func(*Session, string) conversation {
	return func(s *Session, mechanism string) conversation {
		talk := scram{}.begin(s, mechanism)
		if talk == nil {
			return nil
		}
		return func(s *Session, response []byte) string {
			reply := talk(s, response)
			coded, found := strings.CutPrefix(strings.TrimRight(reply, "\r\n"), "+ ")
			message, err := base64.StdEncoding.DecodeString(coded)
			if !found || err != nil || len(message) == 0 {
				return reply
			}
			return challengeOf(change(string(message)))
		}
	}
}

// inFirst changes the server's first message only.
func inFirst(change func(string) string) func(string) string {
	return func(message string) string {
		if strings.HasPrefix(message, "r=") {
			return change(message)
		}
		return message
	}
}

// otherSignature proves nothing.
func otherSignature(message string) string {
	if strings.HasPrefix(message, "v=") {
		return "v=" + base64.StdEncoding.EncodeToString(make([]byte, 32))
	}
	return message
}
