package shell

import (
	"regexp"
	"slices"
	"strings"

	"postfach/internal/explain"
)

// placeholderLine is how a book or a web page leaves a message out.
var placeholderLine = regexp.MustCompile(`^(\(.*\)|\[.*\]|<.*>|\.\.\.|…)`)

// pasted shows a line of a text that a person has written about a session: with
// remarks behind the commands, and without the messages. It returns whether line
// is such a one.
func (r *recorded) pasted(line string) bool {
	at := r.expect()
	switch hint := placeholderLine.MatchString(line); {
	case hint && at == explain.Reply && r.fetching && r.talk.Waiting() == 1:
		r.comment(line)
		r.leaveOut()
		return true
	case hint && at == explain.Content && r.shown == 0:
		r.placeholder = true
		r.comment(line)
		r.screen.say(r.screen.words().noText, faint)
		return true
	}
	command, remark, annotated := explain.CutRemark(line)
	switch {
	case at == explain.Greeting, at == explain.Item, at == explain.Response:
		return false
	case at == explain.Content && !r.placeholder:
		return false
	case !annotated && (!r.annotated && !r.placeholder || !isPlainCommand(line)):
		return false
	case !annotated:
		command = line
	}
	r.annotated = r.annotated || annotated
	switch {
	case r.placeholder:
		r.talk.Line(false, ".")
	case r.fetching && r.talk.Waiting() == 1:
		r.leaveOut() // in such a text nobody pipelines
	}
	r.client(command, remark)
	return true
}

// leaveOut goes on behind a message that the text leaves out, with its +OK.
func (r *recorded) leaveOut() {
	r.talk.Line(false, "+OK")
	r.talk.Line(false, ".")
	r.fetching = false
	r.screen.say(r.screen.words().noText, faint)
}

// isPlainCommand says that a line begins with a command in capitals.
func isPlainCommand(line string) bool {
	word, _, _ := strings.Cut(line, " ")
	return slices.Contains(explain.Keywords(), word)
}
