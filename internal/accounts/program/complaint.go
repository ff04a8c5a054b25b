//go:build unix

package program

import (
	"fmt"
	"strings"
)

// maxComplaint is how much of a program's words is told, in octets.
const maxComplaint = 200

// complaint is the first line that a program wrote, for an error: bounded, quoted,
// and without the password. It is empty where there is none.
func complaint(said []byte, password string) string {
	line, _, _ := strings.Cut(strings.TrimLeft(string(said), "\r\n"), "\n")
	switch {
	case password != "" && strings.Contains(string(said), password):
		return ": what it says has the password in it"
	case line == "":
		return ""
	case len(line) > maxComplaint:
		line = line[:maxComplaint]
	}
	return fmt.Sprintf(": %+q", strings.TrimRight(line, "\r"))
}
