package message

import (
	"io"
	"slices"
	"strings"
	"testing"
	"testing/iotest"
	"unicode/utf8"
)

func TestTextInItsCharacterSet(t *testing.T) {
	for _, c := range []struct{ charset, octets, want string }{
		{"", "plain", "plain"},
		{"", "gr\u00fcn", "grün"},
		{"", "gr\xfcn \x80", "grün €"},
		{"", "\uFEFFa", "a"},
		{"", "\xff\xfea\x00", "a"},
		{"", "\xfe\xff\x00a", "a"},
		{"", "\x1b$BF|K\\\x1b(B", "日本"},
		{"us-ascii", "gr\u00fcn", "grün"},
		{"us-ascii", "gr\xfcn", "grün"},
		{"ANSI_X3.4-1968", "gr\xfcn", "grün"},
		{"utf-8", "gr\u00fcn", "grün"},
		{"UTF8", "gr\u00fcn", "grün"},
		{"utf-8", "gr\xfcn", "gr�n"},
		{"iso-8859-1", "gr\xfcn \x80", "grün €"},
		{"latin1", "gr\xfcn", "grün"},
		{"iso-8859-2", "\xb3\xf3d\xbc", "łódź"},
		{"windows-1250", "\xb3\xf3d\x9f", "łódź"},
		{"iso-8859-5", "\xbf\xe0\xd8\xd2\xd5\xe2", "Привет"},
		{"iso-8859-7", "\xca\xe1\xeb\xe7", "Καλη"},
		{"iso-8859-8-i", "\xf9\xec\xe5\xed", "שלום"},
		{"windows-1255", "\xf9\xec\xe5\xed", "שלום"},
		{"windows-1256", "\xe3\xd1\xcd\xc8\xc7", "مرحبا"},
		{"iso-8859-9", "\xfe\xfd", "şı"},
		{"tis-620", "\xca\xc7\xd1\xca", "สวัส"},
		{"iso-8859-15", "\xa4", "€"},
		{"koi8-r", "\xf0\xd2\xc9\xd7\xc5\xd4", "Привет"},
		{"koi8-u", "\xf0\xd2\xc9\xd7\xa6\xd4", "Привіт"},
		{"windows-1251", "\xcf\xf0\xe8\xe2\xe5\xf2", "Привет"},
		{"cp1251", "\xcf\xf0\xe8\xe2\xe5\xf2", "Привет"},
		{"ibm866", "\x8f\xe0\xa8\xa2\xa5\xe2", "Привет"},
		{"cp850", "gr\x81n", "grün"},
		{"ibm437", "gr\x81n", "grün"},
		{"macintosh", "gr\x9fn", "grün"},
		{"iso-2022-jp", "\x1b$BF|K\\\x1b(B", "日本"},
		{"iso-2022-jp", "\xc6\xfc\xcb\xdc", "日本"}, // EUC-JP in truth
		{"iso-2022-jp", "\x93\xfa\x96\x7b", "日本"}, // Shift_JIS in truth
		{"euc-jp", "\xc6\xfc\xcb\xdc", "日本"},
		{"shift_jis", "\x93\xfa\x96\x7b", "日本"},
		{"shift-jis", "\x93\xfa\x96\x7b", "日本"},
		{"cp932", "\x93\xfa\x96\x7b\x87\x40", "日本①"},
		{"windows-31j", "\x93\xfa\x96\x7b", "日本"},
		{"gb2312", "\xc4\xe3\xba\xc3", "你好"},
		{"gbk", "\xc4\xe3\xba\xc3\x81\x40", "你好丂"},
		{"gb18030", "\xc4\xe3\xba\xc3\x81\x30\x81\x30", "你好\u0080"},
		{"hz-gb-2312", "~{Dc:C~}", "你好"},
		{"big5", "\xa7\x41\xa6\x6e", "你好"},
		{"euc-kr", "\xbe\xc8\xb3\xe7", "안녕"},
		{"ks_c_5601-1987", "\xbe\xc8\xb3\xe7", "안녕"},
		{"utf-7", "Hi +AOQ- 1+-1 +2D3eAA-.", "Hi ä 1+1 😀."},
		{"utf-7", "+AOQ", "ä"},
		{"utf-7", "\xfc+AOQ-\xfc", "�ä�"},
		{"utf-16", "\xff\xfe\xe4\x00", "ä"},
		{"utf-16", "\xfe\xff\x00\xe4", "ä"},
		{"utf-16", "a\x00b\x00", "ab"}, // no mark: Windows
		{"utf-16", "\x00a\x00b", "ab"},
		{"utf-16le", "a\x00\xe4\x00", "aä"},
		{"utf-16be", "\x00a\x00\xe4", "aä"},
		{"x-unknown", "gr\xfcn", "grün"},
		{"x-unknown", "gr\u00fcn", "grün"},
		{"iso-2022-kr", "abc", "abc"}, // not known: never replaced as a whole
		{"%invalid", "abc", "abc"},
	} {
		m := open("Content-Type: text/plain; charset=\"" + c.charset + "\"\n\n" + c.octets)
		text, cut, err := m.Text(m.Root, 1000)
		if text != c.want || cut || err != nil {
			t.Errorf("%s %q: %q, want %q (%v)", c.charset, c.octets, text, c.want, err)
		}
	}
}

func TestHTMLThatTellsItsCharacterSet(t *testing.T) {
	for octets, want := range map[string]string{
		"<meta charset=koi8-r>\xf0":   "<meta charset=koi8-r>П",
		"<meta charset=utf-8>\u00fc":  "<meta charset=utf-8>ü",
		"<meta charset=utf-16>\u00fc": "<meta charset=utf-16>ü",
		`<META http-equiv="content-type" content="text/html; charset=windows-1251">` + "\xcf": `<META http-equiv="content-type" content="text/html; charset=windows-1251">П`,
		"<p>\u00fc":                             "<p>ü",
		"<p>\xfc":                               "<p>ü",
		strings.Repeat(" ", 2000) + "<p>\u00fc": strings.Repeat(" ", 2000) + "<p>ü",
	} {
		m := open("Content-Type: text/html\n\n" + octets)
		if text, _, _ := m.Text(m.Root, 10_000); text != want {
			t.Errorf("%q: %q, want %q", octets, text, want)
		}
	}
	m := open("Content-Type: text/html; charset=iso-8859-1\n\n<meta charset=koi8-r>\xfc")
	if text, _, _ := m.Text(m.Root, 1000); !strings.HasSuffix(text, "ü") {
		t.Errorf("the header does not come first: %q", text)
	}
}

func TestTextIsCutBetweenCharacters(t *testing.T) {
	for _, charset := range []string{"", "utf-8", "iso-8859-1", "utf-16", "shift_jis"} {
		m := open("Content-Type: text/plain; charset=" + charset + "\n\n" + strings.Repeat("aü€😀", 100))
		whole, cut, _ := m.Text(m.Root, 100_000)
		if cut || !utf8.ValidString(whole) {
			t.Errorf("%s: whole: cut %v", charset, cut)
		}
		for limit := range int64(50) {
			text, cut, err := m.Text(m.Root, limit)
			if !cut || err != nil || int64(len(text)) > limit || !utf8.ValidString(text) {
				t.Errorf("%s to %d: %q, cut %v, %v", charset, limit, text, cut, err)
			}
		}
	}
	m := open("\n12345")
	if text, cut, _ := m.Text(m.Root, 5); text != "12345" || cut {
		t.Errorf("%q, cut %v", text, cut)
	}
	if text, cut, _ := m.Text(m.Root, -1); text != "" || !cut {
		t.Errorf("%q, cut %v", text, cut)
	}
	if text, cut, _ := m.Text(m.Root, 1<<63-1); text != "12345" || cut {
		t.Errorf("%q, cut %v", text, cut)
	}
}

func TestTransferEncodings(t *testing.T) {
	for _, c := range []struct{ encoding, body, want string }{
		{"", "a=C3\n", "a=C3\n"},
		{"7bit", "a", "a"},
		{"BINARY", "a\x00b", "a\x00b"},
		{"x-unknown", "a=41", "a=41"},
		{"base64", "YWJj\nZGVm\n", "abcdef"},
		{"BASE64", "YWI=\n", "ab"},
		{"\"base64\"", "YQ==\n", "a"},
		{"base64;", "YQ==\n", "a"},
		{"base64 (what else)", "YQ\n", "a"},
		{"base64", "YWI=YWI=", "abab"},
		{"base64", "YQ==\n\n______\nSent to the list list@example.org\n", "a"},
		{"base64", strings.Repeat("YWJj", 20) + "Y=WJj-YWJj", strings.Repeat("abc", 22)},
		{"base64", "YWJjYQ", "abca"},
		{"base64", "YWJjY", "abc"},
		{"base64", strings.Repeat("Y\nW\r\nJ\nj", 50), strings.Repeat("abc", 50)},
		{"base64", strings.Repeat("YWJj", 20) + "\xff!", strings.Repeat("abc", 20)},
		{"base64", "Not base64 at all. It is text.", "Not base64 at all. It is text."},
		{"base64", "", ""},
		{"quoted-printable", "a=C3=bc=3D\n", "aü=\n"},
		{"quoted-printable", "soft=\nbreak=\r\nhere= \t\n.\r\n", "softbreakhere.\r\n"},
		{"quoted-printable", "trailing \t\nspace  ", "trailing\nspace"},
		{"quoted-printable", "=ZZ =4 =\xfc\xfc", "=ZZ =4 =\xfc\xfc"},
		{"quoted-printable", "a=", "a"},
		{"quoted-printable", "a= b =\rc\r\nd =\t", "a= b =\rc\r\nd "},
		{"quoted-printable", "\x00\x1b==41=3D=\n=\n", "\x00\x1b=A="},
		{"quoted-printable", "a=4", "a=4"},
		{"quoted-printable", strings.Repeat("x", 4095) + "=41", strings.Repeat("x", 4095) + "A"},
		{"quoted-printable", strings.Repeat("x", 4094) + "=41", strings.Repeat("x", 4094) + "A"},
		{"quoted-printable", strings.Repeat("x", 4093) + "=41", strings.Repeat("x", 4093) + "A"},
		{"quoted-printable", strings.Repeat("x", 4090) + "    \ny", strings.Repeat("x", 4090) + "\ny"},
		{"quoted-printable", strings.Repeat(" ", 10_000) + "y", strings.Repeat(" ", 10_000) + "y"},
		{"quoted-printable", strings.Repeat("=C3=BC", 2000), strings.Repeat("ü", 2000)},
	} {
		m := open("Content-Transfer-Encoding: " + c.encoding + "\n\n" + c.body)
		if got := content(t, m, m.Root); got != c.want {
			t.Errorf("%s %.100q: %.100q, want %.100q", c.encoding, c.body, got, c.want)
		}
		r := m.Root.transfer.reader(iotest.OneByteReader(strings.NewReader(c.body)))
		if octets, err := io.ReadAll(iotest.OneByteReader(r)); string(octets) != c.want || err != nil {
			t.Errorf("octet by octet: %.100q, %v", octets, err)
		}
	}
}

func TestBodyAndAttachments(t *testing.T) {
	const (
		plain = "Content-Type: text/plain\n\nplain text\n"
		html  = "Content-Type: text/html\n\n<p>some text\n"
		pic   = "Content-Type: image/png\n\npng\n"
		file  = "Content-Type: text/plain\nContent-Disposition: attachment; filename=a.txt\n\nfile text\n"
	)
	multi := func(subtype string, parts ...string) string {
		s := "Content-Type: multipart/" + subtype + "; boundary=" + subtype[:2] + "\n\n"
		for _, p := range parts {
			s += "--" + subtype[:2] + "\n" + p
		}
		return s + "--" + subtype[:2] + "--\n"
	}
	inner := "Content-Type: message/rfc822\n\n" + plain
	for name, c := range map[string]struct {
		message     string
		plain, html string // paths; "-": none
		attachments string
	}{
		"text":                        {plain, "", "", ""},
		"HTML":                        {html, "", "", ""},
		"a picture":                   {pic, "-", "-", "root"},
		"a file":                      {file, "", "", ""},
		"alternatives":                {multi("alternative", plain, html), "1", "2", ""},
		"alternatives, the other way": {multi("alternative", html, plain), "2", "1", ""},
		"a third alternative":         {multi("alternative", plain, html, "Content-Type: text/calendar\n\nBEGIN\n"), "1", "2", "3"},
		"text and files":              {multi("mixed", plain, pic, file), "1", "1", "2 3"},
		"a file before the text":      {multi("mixed", file, plain), "2", "2", "1"},
		"an empty text first":         {multi("mixed", "\n\n", html), "2", "2", "1"},
		"HTML with pictures":          {multi("related", html, pic), "1", "1", "2"},
		"alternatives with pictures":  {multi("mixed", multi("alternative", plain, multi("related", html, pic)), pic), "1.1", "1.2.1", "1.2.2 2"},
		"the start named":             {strings.Replace(multi("related", plain, "Content-ID: <s>\n"+html), "boundary", "start=\"<s>\"; boundary", 1), "2", "2", "1"},
		"the start without text":      {strings.Replace(multi("related", plain, "Content-ID: <s>\n"+pic), "boundary", "start=\"<s>\"; boundary", 1), "1", "1", "2"},
		"signed":                      {multi("signed", plain, "Content-Type: application/pgp-signature\n\nx\n"), "1", "1", "2"},
		"a forwarded message":         {multi("mixed", plain, inner), "1", "1", "2"},
		"only a forwarded message":    {multi("mixed", pic, inner), "2.1", "2.1", "1 2"},
		"a message as a whole":        {inner, "1", "1", ""},
	} {
		t.Run(name, func(t *testing.T) {
			m := open(c.message)
			if got := path(m.Body(true)); got != c.plain {
				t.Errorf("text: %s, want %s", got, c.plain)
			}
			if got := path(m.Body(false)); got != c.html {
				t.Errorf("HTML: %s, want %s", got, c.html)
			}
			var paths []string
			for _, p := range m.Attachments() {
				paths = append(paths, p.Path)
			}
			want := strings.Fields(c.attachments)
			if c.attachments == "root" {
				want = []string{""}
			}
			if !slices.Equal(paths, want) {
				t.Errorf("attachments %q, want %q", paths, want)
			}
		})
	}
}

func path(p *Part) string {
	if p == nil {
		return "-"
	}
	return p.Path
}
