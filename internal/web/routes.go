package web

import (
	"net/http"
	"path"
	"strings"
)

// routes are all pages. What changes something is a POST.
func (f *Face) routes() *http.ServeMux {
	m := http.NewServeMux()
	handle := func(method, path string, h http.HandlerFunc) { m.HandleFunc(method+" "+f.home+path, h) }
	handle("GET", "/style.css", page(static))
	handle("GET", "/script.js", page(static))

	handle("GET", "/{$}", page(showAccounts))
	handle("POST", "/open", page(openAccount))
	handle("POST", "/typed", page(openTyped))
	handle("GET", "/a/{account}/login", of(showLogin))
	handle("POST", "/a/{account}/login", of(login))
	handle("POST", "/a/{account}/trust", of(trust))
	handle("POST", "/a/{account}/distrust", of(distrust))
	handle("POST", "/a/{account}/connect", of(connect))
	handle("POST", "/a/{account}/release", of(release))
	handle("POST", "/a/{account}/seen", of(seen))
	handle("POST", "/a/{account}/close", of(closeAccount))

	handle("GET", "/a/{account}/{$}", of(showList))
	handle("POST", "/a/{account}/mark", of(mark))
	handle("POST", "/a/{account}/undo", of(undo))
	handle("GET", "/a/{account}/staged", of(showStaged))
	handle("POST", "/a/{account}/commit", of(commit))
	handle("GET", "/a/{account}/outcome", of(showOutcome))

	handle("GET", "/a/{account}/m/{key}", of(showMessage))
	handle("GET", "/a/{account}/m/{key}/preview", of(showPreview))
	handle("GET", "/a/{account}/m/{key}/frame", of(showFrame))
	handle("GET", "/a/{account}/m/{key}/part", of(downloadPart))
	handle("GET", "/a/{account}/m/{key}/raw", of(showRaw))
	handle("GET", "/a/{account}/m/{key}/eml", of(downloadMessage))
	handle("GET", "/a/{account}/export", of(showExport))
	handle("POST", "/a/{account}/export", of(showExport))
	handle("POST", "/a/{account}/export/file", of(downloadExport))

	handle("GET", "/a/{account}/protocol", of(showProtocol))
	handle("GET", "/a/{account}/protocol/lines", of(showLines))
	handle("GET", "/a/{account}/server", of(showServer))
	handle("POST", "/a/{account}/diagnose", of(diagnose))
	handle("GET", "/a/{account}/bar", of(showBar))
	handle("GET", "/a/{account}/changes", of(watch))
	return m
}

// static answers with one of our own files.
func static(v *visit) error {
	octets, err := files.ReadFile("static/" + path.Base(v.r.URL.Path))
	if err != nil {
		return err
	}
	kind := "text/css; charset=utf-8"
	if strings.HasSuffix(v.r.URL.Path, ".js") {
		kind = "text/javascript; charset=utf-8"
	}
	v.w.Header().Set("Content-Type", kind)
	_, err = v.w.Write(octets)
	return err
}
