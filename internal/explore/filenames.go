package explore

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"
)

// fileNames gives each message a file name of its own, whatever its sender wrote.
type fileNames map[string]bool

func newFileNames() fileNames { return fileNames{} }

// file returns number, date and subject as a file name: "00012-2024-05-31-the
// subject.eml", with dashes for what is no letter and no digit.
func (n fileNames) file(m exported) string {
	name := fmt.Sprintf("%05d-%s", m.number, m.date.UTC().Format("2006-01-02"))
	if subject := slug(m.summary.Subject); subject != "" {
		name += "-" + subject
	}
	full := name + ".eml"
	for i := 2; n[full]; i++ {
		full = fmt.Sprintf("%s-%d.eml", name, i)
	}
	n[full] = true
	return full
}

// maxSlug is in octets.
const maxSlug = 60

// slug is what is left of a text in a file name.
func slug(text string) string {
	var b strings.Builder
	dash := false
	for _, r := range text {
		if r == utf8.RuneError || !unicode.IsLetter(r) && !unicode.IsDigit(r) {
			dash = b.Len() > 0
			continue
		}
		piece := string(r)
		if dash {
			piece = "-" + piece
		}
		if b.Len()+len(piece) > maxSlug {
			break
		}
		dash = false
		b.WriteString(piece)
	}
	return b.String()
}
