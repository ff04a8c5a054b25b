package shell

import "postfach/internal/explain"

// A talk explains the session in all languages at once, so that a person can
// change theirs in the middle.
type talk struct {
	lang explain.Language
	all  map[explain.Language]*explain.Conversation
}

func newTalk(lang explain.Language) *talk {
	if lang != explain.German {
		lang = explain.English
	}
	return &talk{lang, map[explain.Language]*explain.Conversation{
		explain.English: explain.NewConversation(explain.English),
		explain.German:  explain.NewConversation(explain.German),
	}}
}

func (t *talk) each(say func(*explain.Conversation) explain.Note) (mine explain.Note) {
	for lang, c := range t.all {
		note := say(c)
		if lang == t.lang {
			mine = note
		}
	}
	return mine
}

func (t *talk) line(client bool, line string) explain.Note {
	return t.each(func(c *explain.Conversation) explain.Note { return c.Line(client, line) })
}

// body is line for a line of a long reply, of which cut octets are missing.
func (t *talk) body(line string, cut int) explain.Note {
	return t.each(func(c *explain.Conversation) explain.Note { return c.LongLine(false, line, cut) })
}

func (t *talk) tls() explain.Note { return t.each((*explain.Conversation).TLS) }

func (t *talk) closed(byClient bool) explain.Note {
	return t.each(func(c *explain.Conversation) explain.Note { return c.Closed(byClient) })
}

func (t *talk) expect() explain.Place { return t.all[t.lang].Expect() }
func (t *talk) waiting() int          { return t.all[t.lang].Waiting() }
func (t *talk) marked() []int         { return t.all[t.lang].Marked() }

func (t *talk) size(number int) (octets int64, known bool) { return t.all[t.lang].Size(number) }
