package message

import (
	"bytes"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// corpus returns the awkward messages that lie beside the repository, by file
// name; none where they are missing.
func corpus(t *testing.T) map[string][]byte {
	t.Helper()
	names, err := filepath.Glob("../../../shared/corpus/*.eml")
	if err != nil {
		t.Fatal(err)
	}
	all := make(map[string][]byte, len(names))
	for _, name := range names {
		octets, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		all[filepath.Base(name)] = octets
	}
	if len(all) == 0 {
		t.Log("no corpus here: nothing is tested")
	}
	return all
}

func TestEveryMessageOfTheCorpusOpens(t *testing.T) {
	all := corpus(t)
	if len(all) == 0 {
		return
	}
	problems, incomplete := 0, 0
	for name, octets := range all {
		m := Open(bytes.NewReader(octets), int64(len(octets)))
		if m.Problem != "" {
			incomplete++
			t.Logf("%s: %s", name, m.Problem)
		}
		bad := false
		for p := range m.Parts() {
			look(t, m, p)
			bad = bad || p.Problem != ""
		}
		if bad {
			problems++
		}
		if got, want := m.Summary, ReadSummary(octets); !got.Date.Equal(want.Date) || got.Subject != want.Subject || got.From != want.From {
			t.Errorf("%s: Open and ReadSummary disagree", name)
		}
		if html := m.Body(false); html != nil && html.Type == "text/html" {
			text, _, _ := m.Text(html, 1<<20)
			assertPrintable(t, Printable(HTMLText(text)))
		}
	}
	t.Logf("of %d messages %d have a part with a problem, %d are not read to their end", len(all), problems, incomplete)
	// More than these would be a step back.
	if problems > 62 || incomplete > 0 {
		t.Errorf("%d messages have a part with a problem, %d are not read to their end", problems, incomplete)
	}
}

func TestStructuresOfTheCorpus(t *testing.T) {
	all := corpus(t)
	for name, want := range map[string][]string{
		"cpython-016.eml": {
			"multipart/mixed", "1 multipart/mixed", "1.1 multipart/alternative", "1.1.1 application/octet-stream", "1.1.2 application/octet-stream",
			"1.2 multipart/alternative", "1.2.1 application/octet-stream", "1.2.2 application/octet-stream",
			"1.3 multipart/alternative", "1.3.1 application/octet-stream", "1.3.2 application/octet-stream",
			"2 text/plain",
		},
		"mailparser-005.eml": {
			"multipart/mixed", "1 multipart/mixed", "1.1 message/rfc822", "1.1.1 text/plain", "1.2 message/rfc822", "1.2.1 text/plain",
			"2 message/rfc822", "2.1 text/plain",
		},
		"mime4j-003.eml": {"message/rfc822", "1 multipart/mixed", "1.1 text/plain"},
		"mime4j-005.eml": {"message/rfc822", "1 message/rfc822", "1.1 text/plain"},
		"enmime-010.eml": {"text/plain"},
	} {
		octets, ok := all[name]
		if !ok {
			continue
		}
		m := Open(bytes.NewReader(octets), int64(len(octets)))
		var got []string
		for p := range m.Parts() {
			got = append(got, strings.TrimSpace(p.Path+" "+p.Type))
		}
		if !slices.Equal(got, want) {
			t.Errorf("%s: got\n%s\nwant\n%s", name, strings.Join(got, "\n"), strings.Join(want, "\n"))
		}
	}
}

// Each character set of the corpus: a few words of one message.
func TestCharacterSetsOfTheCorpus(t *testing.T) {
	all := corpus(t)
	for name, want := range map[string]string{
		"commcentral-004.eml":  "Die Hasen und die Frösche",      // iso-8859-1
		"commcentral-006.eml":  "ここに本文がきます。",                     // cp932
		"commcentral-009.eml":  "más esta gran diferencias",      // none, UTF-8
		"commcentral-013.eml":  "ÁRVÍZTŰRŐ TÜKÖRFÚRÓGÉP",         // iso-8859-2
		"commcentral-021.eml":  "àèìòù",                          // windows-1252
		"commcentral-034.eml":  "現況",                             // shift-jis
		"commcentral-037.eml":  "Καλησπέρα",                      // iso-8859-7
		"cyrus-001.eml":        "シニアソフトウェアエンジニア",                 // none, ISO-2022-JP
		"cyrus-005.eml":        "Hello 😀, World",                 // utf-8
		"enmime-005.eml":       "∮ E⋅da = Q",                     // us-ascii, UTF-8 in truth
		"enmime-016.eml":       "Euro Sign",                      // windows-1250 in a meta element
		"mikelmail-022.eml":    "스티해",                            // ks_c_5601-1987
		"mikelmail-024.eml":    "Mobilité",                       // x-unknown
		"mikelmail-028.eml":    "제 이름은 Jamis입니다",                 // euc-kr
		"mimetools-008.eml":    "Grüße, Jörn",                    // iso-8859-15
		"rspamd-023.eml":       "Познавательная серия для детей", // windows-1251
		"spamassassin-007.eml": "永久網址",                           // big5
		"spamassassin-008.eml": "假设你的硬碟是IDE介面",                   // gb2312
		"spamassassin-010.eml": "心当たりがあります",                      // iso-2022-jp, EUC-JP in truth
		"spamassassin-030.eml": "Plastic: PP PA PE PPA",          // utf-16
	} {
		octets, ok := all[name]
		if !ok {
			continue
		}
		m := Open(bytes.NewReader(octets), int64(len(octets)))
		text, _, err := m.Text(m.Body(true), 1<<20)
		if err != nil || !strings.Contains(PrintableLine(text), want) {
			t.Errorf("%s: %q is not in %.300q (%v)", name, want, text, err)
		}
	}
}

func TestSummariesOfTheCorpus(t *testing.T) {
	all := corpus(t)
	for name, want := range map[string]Summary{
		"mikelmail-010.eml":    {From: "Formação Frenetikpolis", Address: "info@formacaofrenetik.info", Subject: "Formação FrenetikPolis: Mega Campanha Final Verão | Cursos de Setembro"},
		"mikelmail-030.eml":    {From: "Pete", Address: "pete@silly.test"},
		"rspamd-024.eml":       {From: "user@example.com", Address: "user@example.com"},
		"spamassassin-030.eml": {From: "Powstar", Address: "mould05@example.org", Subject: "Design and manufacturing"},
		"synthetic-014.eml":    {From: "Ada Example", Address: "ada@example.org", Subject: "␛[31mred␛[0m �exe.fdp"},
	} {
		octets, ok := all[name]
		if !ok {
			continue
		}
		got := ReadSummary(octets)
		if got.From != want.From || got.Address != want.Address || got.Subject != want.Subject {
			t.Errorf("%s: %+v", name, got)
		}
	}
}
