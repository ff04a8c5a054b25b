package transcript

import "strings"

// String returns the script as Parse reads it.
func (s *Script) String() string {
	var b strings.Builder
	b.WriteString(s.Settings.String())
	for _, l := range s.Lines {
		b.WriteString(l.String())
		b.WriteByte('\n')
	}
	return b.String()
}

// String returns the line as it stands in a script, without line end.
func (l Line) String() string {
	switch l.Kind {
	case Comment:
		return "#" + l.Text
	case Skip:
		return "S: ..."
	case TLS:
		return "(tls)"
	case Close:
		return "(close)"
	case Hangup:
		return "(hangup)"
	case Connection:
		return connectionLine(l.Text)
	}
	var text strings.Builder
	for i, p := range l.Parts {
		switch {
		case p.Rest:
			text.WriteString("{*" + p.Var + "}")
		case p.Var != "":
			text.WriteString("{" + p.Var + "}")
		case p.Secret != "":
			text.WriteString("{apop:" + strings.ReplaceAll(Escape(p.Secret), "}", `\x7d`) + "}")
		case i == len(l.Parts)-1:
			text.WriteString(Escape(p.Octets))
		default: // a space here is not at the line's end
			text.WriteString(strings.TrimSuffix(Escape(p.Octets+"|"), "|"))
		}
	}
	return formatLine(l.Kind == Client, text.String(), l.NoEnd)
}

// formatLine puts the side in front of text, which is escaped.
func formatLine(client bool, text string, noEnd bool) string {
	side := "S:"
	if client {
		side = "C:"
	}
	if side == "S:" && text == "..." && !noEnd {
		text = `\x2e..` // not "any lines"
	}
	if text != "" {
		text = " " + text
	}
	if noEnd {
		if text == "" {
			text = " "
		}
		text += `\`
	}
	return side + text
}

func connectionLine(name string) string {
	return "(connection " + strings.ReplaceAll(Escape(name), ")", `\x29`) + ")"
}
