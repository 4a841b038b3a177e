package ui

// What holds for one request: the language that the page is written in, light or dark, and the policy under which it is sent.

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"html/template"
	"net/http"
	"net/url"
	"strings"

	"github.com/asean-tmh/tmh/protocol"
	"github.com/asean-tmh/tmh/ui/lang"
)

// asking is what is known of a request before its page is made.
type asking struct {
	printer *lang.Printer
	nonce   string // new for every answer
	theme   string // "light", "dark", or "" as the device has it
}

type askingKey struct{}

func askingOf(r *http.Request) asking {
	a, _ := r.Context().Value(askingKey{}).(asking)
	return a
}

// printer speaks the language of the request.
func printer(r *http.Request) *lang.Printer { return askingOf(r).printer }

// Cookies that keep what a visitor chose. They hold a word of a short list and say nothing of who it is.
const (
	languageCookie = "lang"
	themeCookie    = "theme"
	choiceSeconds  = 365 * 24 * 60 * 60
)

// ask finds out how the page is wanted. A language in the address is kept, so that the pages after it are in it too.
func (s *site) ask(w http.ResponseWriter, r *http.Request) *http.Request {
	var random [18]byte
	_, _ = rand.Read(random[:]) // never fails
	a := asking{nonce: base64.RawURLEncoding.EncodeToString(random[:])}
	wanted := ""
	if r.URL.RawQuery != "" {
		wanted = r.URL.Query().Get("lang")
	}
	a.printer = s.bundle.Printer(s.bundle.Match(r.Header.Get("Accept-Language"), cookie(r, languageCookie), wanted))
	if lang.Known(wanted) && r.Method == http.MethodGet && cookie(r, languageCookie) != wanted {
		s.keep(w, r, languageCookie, wanted)
	}
	if t := cookie(r, themeCookie); t == "light" || t == "dark" {
		a.theme = t
	}
	return r.WithContext(context.WithValue(r.Context(), askingKey{}, a))
}

func cookie(r *http.Request, name string) string {
	if c, err := r.Cookie(name); err == nil {
		return c.Value
	}
	return ""
}

// keep a choice. Scripts may read it: the one of the pages sets the theme itself.
func (s *site) keep(w http.ResponseWriter, r *http.Request, name, value string) {
	secure := r.TLS != nil || s.cfg.House != nil && strings.HasPrefix(s.cfg.House.PublicURL(), "https:")
	http.SetCookie(w, &http.Cookie{Name: name, Value: value, Path: "/", MaxAge: choiceSeconds, Secure: secure, SameSite: http.SameSiteLaxMode})
}

// policy allows scripts of this node and of this answer, and to write into the page nothing but what htmx does.
func policy(nonce string) string {
	return "default-src 'none'; script-src 'self' 'nonce-" + nonce + "'; style-src 'self'; img-src 'self'; font-src 'self'; connect-src 'self'; " +
		"form-action 'self'; frame-ancestors 'none'; base-uri 'none'; require-trusted-types-for 'script'; trusted-types htmx"
}

// languageChoice is an entry of the language menu.
type languageChoice struct {
	Tag, Own, Href string
	Chosen         bool
}

// languageChoices lead to the same page in the other languages. What answers a form has no page to come back to but that of
// the form itself.
func languageChoices(r *http.Request) (list []languageChoice) {
	q, path := r.URL.Query(), r.URL.Path
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		switch {
		case strings.HasPrefix(path, "/account/") && path != "/account/erase":
			path = "/account"
		case strings.HasPrefix(path, "/postings/"):
			path = path[:strings.LastIndexByte(path, '/')]
		}
		if k := r.PostForm.Get("key"); k != "" {
			q = url.Values{"key": {k}}
		}
	}
	for _, t := range lang.Tags() {
		q.Set("lang", string(t))
		list = append(list, languageChoice{Tag: string(t), Own: t.Own(), Href: path + "?" + q.Encode(), Chosen: t == printer(r).Tag()})
	}
	return list
}

// hereOf is the page to come back to, "/" where that is the answer to a form.
func hereOf(r *http.Request) string {
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		return "/"
	}
	return local(r.URL.RequestURI())
}

// chooseLanguage and chooseTheme answer the forms of those who have no script, and lead back to where they stood.
func (s *site) chooseLanguage(w http.ResponseWriter, r *http.Request) {
	r.Body = http.MaxBytesReader(w, r.Body, maxForm)
	if v := r.PostFormValue("lang"); lang.Known(v) {
		s.keep(w, r, languageCookie, v)
	}
	s.goBack(w, r)
}

func (s *site) chooseTheme(w http.ResponseWriter, r *http.Request) {
	r.Body = http.MaxBytesReader(w, r.Body, maxForm)
	if v := r.PostFormValue("theme"); v == "light" || v == "dark" || v == "auto" {
		s.keep(w, r, themeCookie, v)
	}
	s.goBack(w, r)
}

// goBack to the page that the form says it stands on, without a language that it was opened in.
func (s *site) goBack(w http.ResponseWriter, r *http.Request) {
	to, err := url.Parse(local(r.PostFormValue("from")))
	if err != nil {
		to = &url.URL{Path: "/"}
	}
	if q := to.Query(); q.Has("lang") {
		q.Del("lang")
		to.RawQuery = q.Encode()
	}
	http.Redirect(w, r, local(to.String()), http.StatusSeeOther)
}

// voice is text that people wrote: each stretch carries the language that its script tells, so that it is shaped and read aloud
// as it should be.
func voice(s string) template.HTML {
	var b strings.Builder
	for _, part := range spoken(s) {
		if part.Lang == "" {
			b.WriteString(template.HTMLEscapeString(part.Text))
			continue
		}
		b.WriteString(`<span lang="` + template.HTMLEscapeString(string(part.Lang)) + `">` + template.HTMLEscapeString(part.Text) + `</span>`)
	}
	return template.HTML(b.String()) //nolint:gosec // all parts are escaped
}

// english is a text that other parts of the node made, which speak English.
func english(p *lang.Printer, s string) template.HTML {
	if s == "" || p.Tag() == lang.English {
		return voice(s)
	}
	return `<span lang="en">` + voice(s) + `</span>`
}

// joined texts, as a list of the language has them.
func listOf(p *lang.Printer, items []template.HTML) template.HTML {
	if len(items) < 2 {
		return template.HTML(strings.Join(strs(items), "")) //nolint:gosec // of escaped parts
	}
	return template.HTML(p.List(strs(items))) //nolint:gosec // of escaped parts, joined by our own words
}

func strs(items []template.HTML) (list []string) {
	for _, i := range items {
		list = append(list, string(i))
	}
	return list
}

// named is the name of a code, with its language where that is not the page's; nothing for no code.
func named(p *lang.Printer, list, code string) template.HTML {
	if code == "" {
		return ""
	}
	return p.Say(p.Label(list, code))
}

// contentLanguages are the languages in which the visitor wants to read listings, best first: that of the page, and what the
// browser names.
func contentLanguages(r *http.Request) []protocol.Lang {
	return append([]protocol.Lang{protocol.Lang(printer(r).Tag())}, preferred(r.Header.Get("Accept-Language"))...)
}
