package explore

import (
	"archive/zip"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"postfach/fetch"
	"postfach/fetch/deliver"
	"postfach/internal/hint"
	"postfach/pop3"
	"postfach/pop3client"
	"postfach/pop3test"
)

// exportMails are awkward for every format.
var exportMails = []string{
	"From: Ada <ada@example.org>\r\nDate: Fri, 31 May 2024 12:00:00 +0000\r\nSubject: Re: the =?utf-8?q?Gr=C3=BC=C3=9Fe?= / ../x\r\n\r\nFrom here\r\n>From there\r\n.\r\n\r\n",
	"Subject: Re: the =?utf-8?q?Gr=C3=BC=C3=9Fe?= / ../x\r\nDate: Fri, 31 May 2024 12:00:00 +0000\r\n\r\n\x00\xff\r alone\r\n" + strings.Repeat("x", 70000) + "\r\n",
	"From me@example.org now\r\nDate: Thu, 1 Jan 1880 00:00:00 +0000\r\nFrom \r\n>\r\n\r\n",
	largeMail,
}

func exportServer(t *testing.T) *pop3test.Server {
	t.Helper()
	return mailServer(t, exportMails...)
}

// export is Export into memory.
func export(t *testing.T, e *Explorer, f Format, keys []Key) string {
	t.Helper()
	var b bytes.Buffer
	var progress []int
	if err := e.Export(t.Context(), &b, f, keys, func(done int) { progress = append(progress, done) }); err != nil {
		t.Fatal(err)
	}
	for i, done := range progress {
		if done != i+1 || len(progress) != len(keys) {
			t.Errorf("progress %v", progress)
		}
	}
	return b.String()
}

// unzipped returns the files of an archive, folders with a final slash.
func unzipped(t *testing.T, octets string) (names []string, content map[string]string) {
	t.Helper()
	z, err := zip.NewReader(strings.NewReader(octets), int64(len(octets)))
	if err != nil {
		t.Fatal(err)
	}
	content = make(map[string]string)
	for _, f := range z.File {
		r, err := f.Open()
		if err != nil {
			t.Fatal(err)
		}
		octets, err := io.ReadAll(r)
		if err != nil {
			t.Fatal(err)
		}
		names = append(names, f.Name)
		content[f.Name] = string(octets)
	}
	return names, content
}

var quotedFrom = regexp.MustCompile(`(?m)^>(>*From )`)

// splitMbox reads an mbox as any mboxrd program does.
func splitMbox(t *testing.T, file string) (separators, mails []string) {
	t.Helper()
	if !strings.HasPrefix(file, "From ") || !strings.HasSuffix(file, "\n\n") {
		t.Fatalf("no mbox: %.100q", file)
	}
	for _, m := range strings.Split("\n"+strings.TrimSuffix(file, "\n"), "\nFrom ")[1:] {
		separator, body, _ := strings.Cut(m, "\n")
		body = quotedFrom.ReplaceAllString(body, "$1")
		if !strings.HasSuffix(body, "\n") {
			body += "\n"
		}
		separators = append(separators, separator)
		mails = append(mails, strings.ReplaceAll(body, "\n", "\r\n"))
	}
	return separators, mails
}

func TestExportEML(t *testing.T) {
	e, keys := opened(t, remoteOf(t, exportServer(t)))
	if got := export(t, e, EML, keys[1:2]); got != exportMails[1] {
		t.Errorf("%.100q", got)
	}
	for f, keys := range map[Format][]Key{EML: keys, "tar": keys[:1], "": nil} {
		if err := e.Export(t.Context(), io.Discard, f, keys, nil); !errors.Is(err, ErrFormat) || hint.Of(err) == "" {
			t.Errorf("%q: %v", f, err)
		}
	}
}

func TestExportMbox(t *testing.T) {
	e, keys := opened(t, remoteOf(t, exportServer(t)))
	separators, mails := splitMbox(t, export(t, e, Mbox, keys))
	if !slices.Equal(mails, exportMails) {
		t.Errorf("%.300q", mails)
	}
	if len(separators) < 1 || separators[0] != "ada@example.org Fri May 31 12:00:00 2024" {
		t.Errorf("%q", separators)
	}
	for _, s := range separators[1:] {
		if !strings.HasPrefix(s, "MAILER-DAEMON ") || strings.Contains(s, "1880") {
			t.Errorf("%q", s)
		}
	}
}

func TestExportZip(t *testing.T) {
	e, keys := opened(t, remoteOf(t, exportServer(t)))
	names, content := unzipped(t, export(t, e, Zip, append(keys, keys[0])))
	if len(names) != 5 || len(content) != 5 {
		t.Fatalf("%q", names)
	}
	for i, mail := range append(exportMails, exportMails[0]) {
		if content[names[i]] != mail {
			t.Errorf("%s: %.100q", names[i], content[names[i]])
		}
		if strings.ContainsAny(names[i], "/\\ :") || !strings.HasSuffix(names[i], ".eml") {
			t.Errorf("%q", names[i])
		}
	}
	if !strings.HasPrefix(names[0], "00001-2024-05-31") || !strings.HasPrefix(names[1], "00002-2024-05-31") || strings.Contains(names[2], "1880") {
		t.Errorf("%q", names)
	}
}

func TestExportMaildir(t *testing.T) {
	e, keys := opened(t, remoteOf(t, exportServer(t)))
	names, content := unzipped(t, export(t, e, Maildir, keys))
	if len(content) != 7 || !slices.Equal(names[:3], []string{"Maildir/tmp/", "Maildir/new/", "Maildir/cur/"}) {
		t.Fatalf("%q", names)
	}
	name := regexp.MustCompile(`^Maildir/new/\d+\.M\d+P\d\.postfach,S=\d+$`)
	for i, mail := range exportMails {
		if n := names[3+i]; !name.MatchString(n) || content[n] != mail {
			t.Errorf("%s: %.100q", n, content[n])
		}
	}
}

func TestFileNamesAreSafeAndTheirOwn(t *testing.T) {
	n := newFileNames()
	seen := make(map[string]bool)
	for subject, want := range map[string]string{
		"":                       "00007-2024-05-31.eml",
		"../../etc/passwd\x00":   "00007-2024-05-31-etc-passwd.eml",
		"  Grüße, 日本!  ":         "00007-2024-05-31-Grüße-日本.eml",
		"\xff\xfe":               "00007-2024-05-31-2.eml",
		strings.Repeat("é", 100): "00007-2024-05-31-" + strings.Repeat("é", 30) + ".eml",
	} {
		m := exported{content: &content{}, number: 7}
		m.date = m.date.AddDate(2023, 4, 30)
		m.summary.Subject = subject
		got := n.file(m)
		if strings.TrimSuffix(strings.TrimSuffix(got, ".eml"), "-2") != strings.TrimSuffix(strings.TrimSuffix(want, ".eml"), "-2") || seen[got] {
			t.Errorf("%q: %q", subject, got)
		}
		seen[got] = true
	}
}

// messages returns what is in a place, as any program reads it.
func messages(t *testing.T, spec string) (found []string) {
	t.Helper()
	kind, name, _ := strings.Cut(spec, ":")
	patterns := map[string][]string{"maildir": {"/new/*", "/cur/*"}, "dir": {"/*.eml"}, "mbox": {""}, "zip": {""}}
	for _, p := range patterns[kind] {
		files, err := filepath.Glob(name + p)
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range files {
			octets, err := os.ReadFile(f)
			if err != nil {
				t.Fatal(err)
			}
			switch kind {
			case "mbox":
				if len(octets) > 0 {
					_, mails := splitMbox(t, string(octets))
					found = append(found, mails...)
				}
			case "zip":
				_, content := unzipped(t, string(octets))
				for _, c := range content {
					found = append(found, c)
				}
			default:
				found = append(found, string(octets))
			}
		}
	}
	slices.Sort(found)
	return found
}

func sortedMails(mails ...string) []string {
	mails = slices.Clone(mails)
	slices.Sort(mails)
	return mails
}

func TestRepeatedExportWritesNothingTwice(t *testing.T) {
	srv := exportServer(t)
	e, keys := opened(t, remoteOf(t, srv))
	dir := t.TempDir()
	t.Setenv("HOME", dir)
	for _, kind := range []string{"maildir", "mbox", "dir"} {
		place := kind + ":" + dir + "/" + kind
		for run, want := range []struct {
			keys    []Key
			written int
		}{{keys[1:3], 2}, {keys, 2}, {keys, 0}} {
			before, done := said(srv, "RETR"), 0
			n, err := e.ExportTo(t.Context(), strings.Replace(place, dir, "~", 1), want.keys, func(d int) { done = d })
			if err != nil || n != want.written || done != len(want.keys) {
				t.Errorf("%s, run %d: %d written, %d done, %v", kind, run, n, done, err)
			}
			if asked := said(srv, "RETR") - before; run == 2 && asked != 0 {
				t.Errorf("%s: %d messages were read that are there", kind, asked)
			}
		}
		if got := messages(t, place); !slices.Equal(got, sortedMails(exportMails...)) {
			t.Errorf("%s: %.300q", kind, got)
		}
	}
}

// Both ways to save mail know of each other.
func TestExportKnowsWhatGetHasFetched(t *testing.T) {
	srv := exportServer(t)
	place := "dir:" + t.TempDir()
	target, err := deliver.Open(nil, place)
	if err != nil {
		t.Fatal(err)
	}
	c, err := pop3client.Dial(t.Context(), srv.Addr, &pop3client.Options{Security: pop3client.Cleartext})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if err := c.Login(t.Context(), pop3test.User, pop3test.Password); err != nil {
		t.Fatal(err)
	}
	if _, err := fetch.Get(t.Context(), c, target, fetch.Options{Host: fetch.Host(srv.Addr), User: pop3test.User}); err != nil {
		t.Fatal(err)
	}
	target.Close()
	e, keys := opened(t, remoteOf(t, srv))
	if n, err := e.ExportTo(t.Context(), place, keys, nil); n != 0 || err != nil {
		t.Errorf("%d written, %v", n, err)
	}
}

// Messages that no unique-id tells apart are told apart by their content, not by
// their size.
func TestExportWithoutUniqueIDs(t *testing.T) {
	for _, personality := range []string{"no-uidl", "unique-id-twice"} {
		srv := mailServer(t, "Subject: a\r\n\r\n", "Subject: b\r\n\r\n", "Subject: a\r\n\r\n")
		if err := srv.Be(personality); err != nil {
			t.Fatal(err)
		}
		e, keys := opened(t, remoteOf(t, srv))
		place := "maildir:" + t.TempDir()
		for run, part := range []struct {
			keys []Key
			want int
		}{{keys[1:2], 1}, {keys, 2}, {keys, 0}} {
			if n, err := e.ExportTo(t.Context(), place, part.keys, nil); n != part.want || err != nil {
				t.Errorf("%s, run %d: %d written, %v", personality, run, n, err)
			}
		}
		if got := messages(t, place); !slices.Equal(got, []string{"Subject: a\r\n\r\n", "Subject: a\r\n\r\n", "Subject: b\r\n\r\n"}) {
			t.Errorf("%s: %q", personality, got)
		}
	}
}

func TestExportToZipNeverOverwrites(t *testing.T) {
	e, keys := opened(t, remoteOf(t, exportServer(t)))
	dir := t.TempDir()
	place := "zip:" + filepath.Join(dir, "mail.zip")
	if n, err := e.ExportTo(t.Context(), place, keys, nil); n != 4 || err != nil {
		t.Fatalf("%d written, %v", n, err)
	}
	if got := messages(t, place); !slices.Equal(got, sortedMails(exportMails...)) {
		t.Errorf("%.300q", got)
	}
	if n, err := e.ExportTo(t.Context(), place, keys[:1], nil); n != 0 || !errors.Is(err, ErrExists) || hint.Of(err) == "" {
		t.Errorf("%d, %v", n, err)
	}
	if got := entries(t, dir); len(got) != 1 || len(messages(t, place)) != 4 {
		t.Errorf("%q", got)
	}
	if info, err := os.Stat(filepath.Join(dir, "mail.zip")); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("%v, %v", info.Mode(), err)
	}
}

func TestCancelledExportLeavesNothingHalf(t *testing.T) {
	for _, kind := range []string{"maildir", "mbox", "dir", "zip"} {
		e, keys := opened(t, remoteOf(t, exportServer(t)))
		dir := t.TempDir()
		place := kind + ":" + filepath.Join(dir, "x")
		ctx, cancel := context.WithCancel(t.Context())
		n, err := e.ExportTo(ctx, place, keys, func(done int) {
			if done == 2 {
				cancel()
			}
		})
		if !errors.Is(err, context.Canceled) {
			t.Errorf("%s: %v", kind, err)
		}
		if kind == "zip" {
			if got := entries(t, dir); n != 0 || len(got) != 0 {
				t.Errorf("%d written, %q", n, got)
			}
			continue
		}
		if got := messages(t, place); n != 2 || !slices.Equal(got, sortedMails(exportMails[:2]...)) {
			t.Errorf("%s: %d written, %.200q", kind, n, got)
		}
		if n, err := e.ExportTo(t.Context(), place, keys, nil); n != 2 || err != nil || len(messages(t, place)) != 4 {
			t.Errorf("%s: repeated, %d written, %v", kind, n, err)
		}
	}
}

// refusing makes the server refuse one message, and connections ends it there.
func refusing(t *testing.T, srv *pop3test.Server, n int, rule pop3test.Rule) {
	t.Helper()
	rule.On, rule.Match = "RETR", fmt.Sprintf("(?i)^RETR %d$", n)
	fault, err := rule.Fault()
	if err != nil {
		t.Fatal(err)
	}
	srv.Use(fault)
}

func TestRefusedMessageIsNamedAndKeepsNoOtherBack(t *testing.T) {
	for _, kind := range []string{"maildir", "mbox", "dir"} {
		srv := exportServer(t)
		refusing(t, srv, 2, pop3test.Rule{Reply: "-ERR broken\r\n"})
		e, keys := opened(t, remoteOf(t, srv))
		place := kind + ":" + filepath.Join(t.TempDir(), "x")
		n, err := e.ExportTo(t.Context(), place, keys, nil)
		var no *pop3.Error
		if n != 3 || !errors.As(err, &no) || !strings.Contains(err.Error(), "message 2") || !strings.Contains(err.Error(), "1 of 4") {
			t.Errorf("%s: %d written, %v", kind, n, err)
		}
		if got := messages(t, place); !slices.Equal(got, sortedMails(exportMails[0], exportMails[2], exportMails[3])) {
			t.Errorf("%s: %.300q", kind, got)
		}
	}
}

func TestStreamEndsBeforeTheMessageThatFails(t *testing.T) {
	for name, rule := range map[string]pop3test.Rule{"refused": {Reply: "-ERR broken\r\n"}, "cut off": {DropAfter: new(40)}} {
		srv := exportServer(t)
		refusing(t, srv, 3, rule)
		e, keys := opened(t, remoteOf(t, srv))
		var b bytes.Buffer
		if err := e.Export(t.Context(), &b, Mbox, keys, nil); err == nil || !strings.Contains(err.Error(), "message 3") {
			t.Errorf("%s: %v", name, err)
		}
		if _, mails := splitMbox(t, b.String()); !slices.Equal(mails, exportMails[:2]) {
			t.Errorf("%s: %.300q", name, mails)
		}
		e.Close()
		// The server may hold the lock of a connection that was cut off a moment
		// longer.
		if err := srv.WaitSessions(t.Context(), len(srv.Recordings())); err != nil {
			t.Fatal(err)
		}
		e, keys = opened(t, remoteOf(t, srv))
		b.Reset()
		if err := e.Export(t.Context(), &b, Zip, keys, nil); err == nil {
			t.Errorf("%s: no error", name)
		}
		if _, err := zip.NewReader(bytes.NewReader(b.Bytes()), int64(b.Len())); err == nil {
			t.Errorf("%s: an archive without message 3 looks complete", name)
		}
		dir := t.TempDir()
		if n, err := e.ExportTo(t.Context(), "zip:"+dir+"/x", keys, nil); n != 0 || err == nil || len(entries(t, dir)) != 0 {
			t.Errorf("%s: %d written, %v, %q", name, n, err, entries(t, dir))
		}
	}
}

// One refused login is enough.
func TestRefusedLoginEndsTheExport(t *testing.T) {
	srv := exportServer(t)
	e, keys := opened(t, remoteOf(t, srv))
	if err := e.Release(t.Context()); err != nil {
		t.Fatal(err)
	}
	srv.Use(pop3test.Refuse("-ERR [AUTH] no\r\n"))
	tried := 0
	n, err := e.ExportTo(t.Context(), "dir:"+t.TempDir(), keys, func(done int) { tried = done })
	if n != 0 || tried != 0 || pop3.CodeOf(err) != pop3.CodeAuth {
		t.Errorf("%d written, %d tried, %v", n, tried, err)
	}
	if got := len(srv.Recordings()); got > 2 {
		t.Errorf("%d connections", got)
	}
}

func TestExportToSomewhereElse(t *testing.T) {
	e, keys := opened(t, remoteOf(t, exportServer(t)))
	dir := t.TempDir()
	for _, spec := range []string{"", "zip:", "imap:x", "mail", "maildir:"} {
		if _, err := e.ExportTo(t.Context(), spec, keys, nil); !errors.Is(err, ErrSpec) || hint.Of(err) == "" {
			t.Errorf("%q: %v", spec, err)
		}
	}
	if _, err := e.ExportTo(t.Context(), "zip:"+dir+"/no/such/folder", keys, nil); err == nil {
		t.Error("no error")
	}
	target, err := deliver.Open(nil, "dir:"+dir)
	if err != nil {
		t.Fatal(err)
	}
	defer target.Close()
	if _, err := e.ExportTo(t.Context(), "dir:"+dir, keys, nil); !errors.Is(err, deliver.ErrLocked) || hint.Of(err) == "" {
		t.Error(err)
	}
}
