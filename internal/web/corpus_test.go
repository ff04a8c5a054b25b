package web

import (
	"html"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"postfach/internal/explore"
	"postfach/internal/message"
	"postfach/pop3test"
)

// corpus returns the awkward messages, by name; none where they are not there.
func corpus(t testing.TB) map[string]string {
	t.Helper()
	names, err := filepath.Glob("../../../shared/corpus/*.eml")
	if err != nil {
		t.Fatal(err)
	}
	all := make(map[string]string)
	for _, name := range names {
		octets, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		all[filepath.Base(name)] = string(octets)
	}
	if len(all) == 0 {
		t.Log("there is no corpus")
	}
	return all
}

var frameAddress = regexp.MustCompile(`<iframe class="mail" src="([^"]+)"`)

// Every message opens, in all its views, and none brings anything of its own
// into a page.
func TestEveryMessageOfTheCorpusOpens(t *testing.T) {
	t.Parallel()
	all := corpus(t)
	if len(all) == 0 {
		return
	}
	srv := pop3test.NewServer(t)
	names := make(map[string]string) // by key
	for name, octets := range all {
		id, err := srv.Put(pop3test.User, octets)
		if err != nil {
			t.Fatal(err)
		}
		names[formatKey(explore.Key(id))] = name
	}
	b := opened(t, srv)
	var keys []string
	for _, from := range []string{"0", "100", "200", "300"} {
		b.get("/a/1/?from=" + from)
		keys = append(keys, b.keys()...)
	}
	if len(keys) != len(all) {
		t.Fatalf("%d rows, want %d", len(keys), len(all))
	}
	for _, key := range keys {
		path := "/a/1/m/" + key
		for _, view := range []string{"", "?view=html", "?view=text&headers=all", "/raw", "/preview"} {
			b.get(path + view)
			if b.status != 200 {
				t.Errorf("%s%s: status %d", names[key], view, b.status)
			}
			if strings.Contains(b.html, "<script>") || message.Printable(b.html) != b.html {
				t.Errorf("%s%s: what came in is on the page", names[key], view)
			}
			if frame := frameAddress.FindStringSubmatch(b.html); frame != nil {
				b.get(html.UnescapeString(frame[1]))
				b.wants(200)
				if strings.Contains(b.html, "<script") {
					t.Errorf("%s: a script is in the frame", names[key])
				}
			}
		}
	}
}
