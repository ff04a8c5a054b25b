package tui

import (
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	"postfach/pop3test"
)

const withAttachment = "From: Ada <ada@example.org>\r\nSubject: the report\r\nMIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n" +
	"--b\r\nContent-Type: text/plain\r\n\r\nSee below.\r\n.a line that begins with a dot\r\n" +
	"--b\r\nContent-Type: application/octet-stream; name=\"../../r\u00e9port.bin\"\r\nContent-Transfer-Encoding: base64\r\nContent-Disposition: attachment; filename=\"../../report.bin\"\r\n\r\nAAECAw==\r\n--b--\r\n"

func TestAttachmentIsSavedAndNeverOverwrites(t *testing.T) {
	srv := pop3test.NewServer(t)
	put(t, srv, withAttachment)
	s := open(t, srv, 100, 30)
	s.keys("enter")
	s.until("See below.", "1 attachment", "report.bin")
	for _, name := range []string{"report.bin", "report-2.bin"} {
		s.keys("t")
		s.until("application/octet-stream")
		s.keys("end", "w")
		s.until("save as:", name)
		s.keys("enter")
		s.until("saved ")
		if got := mustRead(t, filepath.Join(s.a.saveTo, name)); got != "\x00\x01\x02\x03" {
			t.Errorf("%s holds %q", name, got)
		}
		s.keys("esc")
	}
	// A name that is taken meanwhile is no reason to overwrite.
	s.keys("t", "end", "w", "ctrl+u", filepath.Join(s.a.saveTo, "report.bin"), "enter")
	s.until("is there already", "report-3.bin")
}

func TestSourceShowsLineEndsAndStuffing(t *testing.T) {
	srv := pop3test.NewServer(t)
	put(t, srv, withAttachment)
	s := open(t, srv, 100, 40)
	s.keys("S")
	s.until("Subject: the report␍␊", "(.).a line that begins with a dot")
	s.keys("w")
	s.until("save as:", "message-1.eml")
	s.keys("enter")
	s.until("saved ")
	if got := mustRead(t, filepath.Join(s.a.saveTo, "message-1.eml")); got != withAttachment {
		t.Errorf("the message was not saved as it is: %q", got)
	}
}

func TestHugeSourceIsReadInWindows(t *testing.T) {
	srv := pop3test.NewServer(t)
	var b strings.Builder
	b.WriteString("Subject: huge\r\n\r\n")
	for i := range 30_000 {
		fmt.Fprintf(&b, "line %d\r\n", i)
	}
	put(t, srv, b.String())
	s := open(t, srv, 80, 24)
	s.keys("S")
	s.until("line 5␍␊")
	s.keys("pgdown")
	s.until("line 30␍␊")
	s.keys("end")
	s.until("line 29999␍␊", "to the end")
	s.keys("home")
	s.until("Subject: huge␍␊")
}

func TestServerPage(t *testing.T) {
	srv := pop3test.NewServer(t)
	s := open(t, srv, 100, 60)
	s.keys("i")
	s.until("POP3 server ready", "TLS 1.3", "signed by", "pin (SHA-256)", "UIDL", "PIPELINING")
	s.keys("c")
	s.until("Servers tried", "Findings")
}

func TestProtocolPaneExplains(t *testing.T) {
	srv := pop3test.NewServer(t)
	put(t, srv, plainMail("first"))
	for _, width := range []int{80, 160} {
		s := open(t, srv, width, 50)
		s.until("first")
		s.keys("P", "home")
		s.until("S +OK", "CAPA")
		s.keys("esc", "p")
		s.until("on the wire", "first")
		s.keys("l")
		s.until("QUIT", "AWAY") // the next one wants this maildrop, too
	}
}

func TestExport(t *testing.T) {
	srv := pop3test.NewServer(t)
	put(t, srv, plainMail("first"), plainMail("second"))
	s := open(t, srv, 100, 30)
	s.until("second")
	s.keys("x")
	s.until("Which messages?", "all: 2")
	s.keys("enter")
	s.until("Maildir", "mbox")
	s.keys("down", "enter")
	s.until("where to:")
	s.keys("enter")
	s.until("2 messages exported as mbox to ")
	if got := mustRead(t, filepath.Join(s.a.saveTo, "mail.mbox")); strings.Count(got, "\nSubject: ") != 2 {
		t.Errorf("the mbox holds %q", got)
	}
}
