package web

import (
	"net/http"
	"path"
	"strings"
)

// routes are all pages. What changes something is a POST.
func (f *Face) routes() *http.ServeMux {
	m := http.NewServeMux()
	m.HandleFunc("GET /style.css", page(static))
	m.HandleFunc("GET /script.js", page(static))

	m.HandleFunc("GET /{$}", page(showAccounts))
	m.HandleFunc("POST /open", page(openAccount))
	m.HandleFunc("POST /typed", page(openTyped))
	m.HandleFunc("GET /a/{account}/login", of(showLogin))
	m.HandleFunc("POST /a/{account}/login", of(login))
	m.HandleFunc("POST /a/{account}/connect", of(connect))
	m.HandleFunc("POST /a/{account}/release", of(release))
	m.HandleFunc("POST /a/{account}/seen", of(seen))
	m.HandleFunc("POST /a/{account}/close", of(closeAccount))

	m.HandleFunc("GET /a/{account}/{$}", of(showList))
	m.HandleFunc("POST /a/{account}/mark", of(mark))
	m.HandleFunc("POST /a/{account}/undo", of(undo))
	m.HandleFunc("GET /a/{account}/staged", of(showStaged))
	m.HandleFunc("POST /a/{account}/commit", of(commit))
	m.HandleFunc("GET /a/{account}/outcome", of(showOutcome))

	m.HandleFunc("GET /a/{account}/m/{key}", of(showMessage))
	m.HandleFunc("GET /a/{account}/m/{key}/preview", of(showPreview))
	m.HandleFunc("GET /a/{account}/m/{key}/frame", of(showFrame))
	m.HandleFunc("GET /a/{account}/m/{key}/part", of(downloadPart))
	m.HandleFunc("GET /a/{account}/m/{key}/raw", of(showRaw))
	m.HandleFunc("GET /a/{account}/m/{key}/eml", of(downloadMessage))
	m.HandleFunc("GET /a/{account}/export", of(showExport))
	m.HandleFunc("POST /a/{account}/export", of(showExport))
	m.HandleFunc("POST /a/{account}/export/file", of(downloadExport))

	m.HandleFunc("GET /a/{account}/protocol", of(showProtocol))
	m.HandleFunc("GET /a/{account}/protocol/lines", of(showLines))
	m.HandleFunc("GET /a/{account}/server", of(showServer))
	m.HandleFunc("POST /a/{account}/diagnose", of(diagnose))
	m.HandleFunc("GET /a/{account}/bar", of(showBar))
	m.HandleFunc("GET /a/{account}/changes", of(watch))
	return m
}

// static answers with one of our own files.
func static(v *visit) error {
	octets, err := files.ReadFile("static" + path.Clean(v.r.URL.Path))
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
