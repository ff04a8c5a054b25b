package web

import (
	"errors"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"postfach/internal/explain"
	"postfach/internal/explore"
	"postfach/pop3"
)

// background marks requests that a script made by itself: nobody looks.
const background = "Postfach-Background"

// A visit is one request and its answer.
type visit struct {
	face    *Face
	w       *writer
	r       *http.Request
	session *session
	account *account // nil: the page is about none
}

// page makes a handler of a function that answers or returns an error.
func page(answer func(v *visit) error) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		v := w.(*writer).visit // http.ServeMux hands through what the guard made
		v.r = r                // it has the path's values
		if err := answer(v); err != nil {
			v.fail(err)
		}
	}
}

// of is page for pages about an account. A person who asks for one looks at it.
func of(answer func(v *visit) error) http.HandlerFunc {
	return page(func(v *visit) error {
		a := v.face.account(v.r.PathValue("account"))
		if a == nil {
			return &failure{Status: http.StatusNotFound, Title: "This account is not open", Text: "It was closed, or the explorer was started again."}
		}
		v.account = a
		if v.r.Header.Get(background) == "" {
			a.e.Touch()
		}
		return answer(v)
	})
}

// language is that of the explained protocol.
func (v *visit) language() explain.Language {
	if l := v.face.picker.Options.Language; l != "" {
		return l
	}
	return explain.English
}

// fail answers with an error: a page while that is possible, else the answer is
// cut off, so that half a file is not taken for a whole one.
func (v *visit) fail(err error) {
	if v.w.begun {
		panic(http.ErrAbortHandler)
	}
	if v.account != nil && errors.Is(err, explore.ErrPassword) {
		v.redirect(v.account.path("login"))
		return
	}
	if untrusted, ok := errors.AsType[*explore.UntrustedError](err); ok && v.account != nil {
		v.account.doubts(err, "")
		v.showUntrusted(untrusted)
		return
	}
	h := v.w.Header()
	h.Del("Content-Disposition")
	setHeaders(h)
	f := failureOf(err, v.language())
	if v.account != nil && pop3.CodeOf(err).Is(pop3.CodeAuth) {
		v.showLogin(f.Status, f)
		return
	}
	v.show("failure", f.Title, f.Status, f)
}

// ownPage reports whether an error has a page of its own, instead of a box.
func ownPage(err error) bool {
	untrusted := new(explore.UntrustedError)
	return errors.Is(err, explore.ErrGone) || errors.Is(err, explore.ErrPassword) || errors.As(err, &untrusted)
}

// redirect leads to a page of ours, behind a form that did something.
func (v *visit) redirect(path string) {
	http.Redirect(v.w, v.r, path, http.StatusSeeOther)
}

// back returns where a form came from, or the account's list. It is a path of
// this account and nothing else: a form field is no way out of the explorer.
func (v *visit) back() string {
	list := v.account.path("")
	u, err := url.Parse(v.r.PostForm.Get("back"))
	if err != nil || u.Scheme != "" || u.Host != "" || u.User != nil || !strings.HasPrefix(u.Path, list) || strings.Contains(u.Path, "..") || strings.ContainsAny(u.Path, `\`) {
		return list
	}
	return u.String()
}

// number returns a number of the query between low and high, or low.
func (v *visit) number(name string, low, high int) int {
	n, err := strconv.Atoi(v.r.URL.Query().Get(name))
	if err != nil {
		return low
	}
	return min(max(n, low), high)
}

// formKeys returns the keys that a form carries in fields of this name, each
// with one or, separated by spaces, many.
func (v *visit) formKeys(name string) ([]explore.Key, error) {
	var keys []explore.Key
	for _, field := range v.r.PostForm[name] {
		for word := range strings.FieldsSeq(field) {
			k, err := parseKey(word)
			if err != nil {
				return nil, err
			}
			keys = append(keys, k)
		}
	}
	return keys, nil
}
