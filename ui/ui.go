// Package ui is the node's own pages: search, one listing with its full record, the federation and its figures, and the doors
// to accounts: setup, invitation, sign-in, one's own account. They are made on the server with html/template, and are sent under
// a content security policy that allows only our own scripts. Every page works without them, but for passkeys, for which
// browsers want one.
//
// A page is one view model (a struct that embeds frame) and one template of the same name in pages/. Every text comes from
// ui/lang in the visitor's language: chosen by ?lang=, by the cookie that keeps that choice, or by the browser's header. Text in
// another language than the page, be it of a listing, of another part of the node or not translated yet, carries its language, so
// that it is shaped and read aloud as it should be; view models have such texts as template.HTML. How pages look is told by
// docs/design.md; style, scripts, fonts and pictures are embedded and served under names made from their content, which browsers
// may keep for ever.
package ui

import (
	"bytes"
	"context"
	"embed"
	"fmt"
	"html/template"
	"io"
	"log/slog"
	"net/http"
	"runtime/debug"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/klauspost/compress/gzhttp"
	"golang.org/x/sync/semaphore"

	"github.com/asean-tmh/tmh/node/door"
	"github.com/asean-tmh/tmh/node/exchange"
	"github.com/asean-tmh/tmh/node/house"
	"github.com/asean-tmh/tmh/node/interop"
	"github.com/asean-tmh/tmh/node/match"
	"github.com/asean-tmh/tmh/node/stats"
	"github.com/asean-tmh/tmh/protocol"
	"github.com/asean-tmh/tmh/ui/lang"
)

// Desk is what the pages ask of the node; its methods are those of api.Desk and safe for concurrent use.
type Desk interface {
	Entry(ref match.Ref) (exchange.Entry, error)
	Entries(f match.Filter, after match.Ref, limit int) (exchange.Page, error)
	Match(ctx context.Context, q match.Query) (exchange.MatchAnswer, error)
	Counterparts(ctx context.Context, ref match.Ref, f match.Filter, limit, offset int) (exchange.MatchAnswer, error)
	Members() []exchange.MemberState
	Member(id protocol.MemberID) (exchange.MemberDetail, error)
	Figures() stats.Report
	Health() exchange.Health
}

// Config of the pages.
type Config struct {
	Desk          Desk
	House         *house.House // people and full records; nil: nobody can sign in
	Door          *door.Keeper // who asks; nil: strangers alone
	Name          string       // of the member whose node this is
	Demonstration bool         // the federation is invented: every page says so
	Version       string
	Development   bool                                          // the build is nobody's release: the style guide is shown
	History       func(most int) ([]stats.Day, error)           // how the federation stood, at most so many days; nil: not recorded
	Site          func(*http.Request) interop.Site              // the node as links name it; nil: pages say nothing to search engines
	Description   []byte                                        // of the API, in OpenAPI 3.1: its reference is served; nil: none
	Examine       func() []exchange.Finding                     // the checks of tmh doctor; nil: administration shows none
	Backups       func() (Backups, error)                       // how those on schedule stand; nil: unknown
	Costly        func(page, refused http.Handler) http.Handler // bounds pages that take much work; nil: nothing does
	Now           func() time.Time                              // nil: time.Now
	Log           *slog.Logger                                  // nil: slog.Default
}

//go:embed pages
var pages embed.FS

type site struct {
	cfg       Config
	bundle    *lang.Bundle
	pages     map[string]*template.Template // by name, never executed: each language has a copy
	spoken    sync.Map                      // of spokenPage: the copies made so far
	static    *static
	land      landscape
	script    string // path of the one for passkeys
	reference template.HTML
	checkup   checkup
	recorded  recorded
	verifying sync.Mutex // of the audit log: one at a time
	beside    *semaphore.Weighted
}

// New builds the handler of all pages; it starts nothing. It panics on a fault of the build, which tests find.
func New(cfg Config) http.Handler {
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	if cfg.Log == nil {
		cfg.Log = slog.Default()
	}
	return newSite(cfg).handler()
}

func newSite(cfg Config) *site {
	must := func(err error) {
		if err != nil {
			panic("ui: " + err.Error())
		}
	}
	s := &site{cfg: cfg, beside: newBeside()}
	var err error
	s.bundle, err = lang.Open()
	must(err)
	s.static, err = newStatic()
	must(err)
	script, err := pages.ReadFile("pages/passkey.js")
	must(err)
	s.script = s.static.add("passkey.js", script)
	s.land, err = readLandscape(s.static.read("map.json"))
	must(err)
	s.pages, err = s.parsePages()
	must(err)
	if cfg.Description != nil {
		s.reference, err = s.newReference(cfg.Description)
		must(err)
	}
	return s
}

func (s *site) handler() http.Handler {
	mux := http.NewServeMux()
	mux.Handle("GET /{$}", s.costly(http.HandlerFunc(s.finds)))
	mux.Handle("GET /listings/{origin}/{id}", s.costly(s.page(s.listing)))
	mux.HandleFunc("GET /listings/{origin}/{id}/full", s.page(s.full))
	mux.HandleFunc("GET /federation", s.page(s.federation))
	mux.HandleFunc("GET /figures", s.page(s.figures))
	mux.HandleFunc("GET /figures.csv", s.figuresCSV)
	mux.HandleFunc("POST /language", s.chooseLanguage)
	mux.HandleFunc("POST /theme", s.chooseTheme)
	if s.cfg.Development {
		mux.HandleFunc("GET /styleguide", s.page(s.styleguide))
	}
	if s.cfg.Description != nil {
		mux.HandleFunc("GET /developers", s.page(s.referencePage))
	}
	mux.HandleFunc("/", s.page(s.unknown))
	if s.cfg.House != nil && s.cfg.Door != nil {
		s.doors(mux)
	}
	return s.squeeze(s.common(mux))
}

// costly gives a page a place among what takes much work, or says that the node is busy.
func (s *site) costly(page http.Handler) http.Handler {
	if s.cfg.Costly == nil {
		return page
	}
	return s.cfg.Costly(page, http.HandlerFunc(s.busy))
}

// busy is the page for who comes in a rush. It has no frame and is made once for a language, since a refusal that takes as long as a page
// would be no relief.
func (s *site) busy(w http.ResponseWriter, r *http.Request) {
	p := printer(r)
	at := spokenPage{"busy", p.Tag()}
	made, known := s.spoken.Load(at)
	if !known {
		made, _ = s.spoken.LoadOrStore(at, fmt.Sprintf(`<!doctype html><html lang="%s"><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1"><title>%s</title>`+
			`<link rel="stylesheet" href="%s"><body><main class="tmh-width"><h1>%s</h1><p>%s</p><p>%s</p></main></body></html>`,
			p.Tag(), p.HTML("trouble.busy.title"), s.static.path("theme.css"), p.HTML("trouble.busy.title"), p.HTML("trouble.busy.text"), p.HTML("trouble.busy.next")))
	}
	body, _ := made.(string)
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.Header().Set("Content-Length", strconv.Itoa(len(body)))
	w.WriteHeader(http.StatusServiceUnavailable)
	_, _ = io.WriteString(w, body)
}

// squeeze sends pages packed to who takes them so. Their length is blurred, by which a listener could otherwise guess what stands on a
// page that also shows what the guesser sent (the BREACH attack). What another site makes the browser of somebody who is signed in
// fetch, again and again until the blur is averaged out, is not packed at all.
func (s *site) squeeze(pages http.Handler) http.Handler {
	wrap, err := gzhttp.NewWrapper(gzhttp.ContentTypes([]string{"text/html"}), gzhttp.MinSize(1024), gzhttp.RandomJitter(32, 0, false))
	if err != nil {
		panic("ui: " + err.Error())
	}
	packed := wrap(pages)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		from := r.Header.Get("Sec-Fetch-Site")
		if (from == "cross-site" || from == "same-site") && s.cfg.Door != nil && s.cfg.Door.Session(r) != "" {
			pages.ServeHTTP(w, r)
			return
		}
		packed.ServeHTTP(w, r)
	})
}

// parsePages parses each page once, with functions that no page is executed with.
func (s *site) parsePages() (map[string]*template.Template, error) {
	base := template.New("layout.html").Option("missingkey=error").Funcs(s.bundle.Printer(lang.English).Funcs())
	base.Funcs(template.FuncMap{"static": s.static.path, "voice": voice})
	layout, err := base.ParseFS(pages, "pages/layout.html", "pages/parts.html", "pages/fields.html", "pages/work.html")
	if err != nil {
		return nil, err
	}
	all := map[string]*template.Template{}
	for _, name := range pageNames() {
		t, err := layout.Clone()
		if err != nil {
			return nil, err
		}
		if all[name], err = t.ParseFS(pages, "pages/"+name+".html"); err != nil {
			return nil, err
		}
	}
	return all, nil
}

// pageNames are those of the files in pages, but for what several pages share.
func pageNames() (names []string) {
	files, err := pages.ReadDir("pages")
	if err != nil {
		panic("ui: " + err.Error())
	}
	for _, f := range files {
		if name, is := strings.CutSuffix(f.Name(), ".html"); is && !slices.Contains([]string{"layout", "parts", "fields", "work"}, name) {
			names = append(names, name)
		}
	}
	return names
}

type spokenPage struct {
	name string
	tag  lang.Tag
}

// template of a page in a language, made when it is asked for first: most nodes are read in a few languages.
func (s *site) template(name string, tag lang.Tag) (*template.Template, error) {
	at := spokenPage{name, tag}
	if t, ok := s.spoken.Load(at); ok {
		return t.(*template.Template), nil
	}
	t, err := s.pages[name].Clone()
	if err != nil {
		return nil, err
	}
	made, _ := s.spoken.LoadOrStore(at, t.Funcs(s.bundle.Printer(tag).Funcs()))
	return made.(*template.Template), nil
}

func (s *site) common(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("X-Content-Type-Options", "nosniff")
		if (r.Method == http.MethodGet || r.Method == http.MethodHead) && s.static.serve(w, r) {
			return
		}
		r = s.ask(w, r)
		h.Set("Content-Security-Policy", policy(askingOf(r).nonce))
		h.Set("Referrer-Policy", "same-origin")
		h.Set("Cross-Origin-Opener-Policy", "same-origin")
		h.Set("Cache-Control", "no-cache")
		h.Add("Vary", "Accept-Language, Cookie")
		h.Set("Content-Language", string(printer(r).Tag()))
		defer func() {
			switch p := recover(); p {
			case nil:
			case http.ErrAbortHandler: //nolint:errorlint // the documented way to recognise it
				panic(p)
			default:
				s.cfg.Log.Error("page panicked", "path", r.URL.Path, "panic", p, "stack", string(debug.Stack()))
				s.write(w, r, s.problem(r, protocol.Errorf(protocol.CodeInternal, "", "panic")))
			}
		}()
		known, err := s.identify(w, r)
		if err != nil {
			s.write(w, r, s.problem(r, err))
			return
		}
		next.ServeHTTP(w, known)
	})
}

// frame is what every page has.
type frame struct {
	Title         string // of the document; the name of the node follows it
	Section       string // the entry of the menu that this page belongs to
	Name          string
	Demonstration bool
	Release       string
	Script        string // "" on pages that need none of their own
	Live          bool   // parts of the page are fetched anew while it is open
	Nonce         string
	Reference     bool // there is one of the API
	Hidden        bool // from search engines
	Links         []relation
	Data          template.JS // what the page is about, as JSON-LD; "" on most
}

func (s *site) frame(r *http.Request, section, title string) frame {
	return frame{
		Title: title, Section: section, Name: s.cfg.Name, Demonstration: s.cfg.Demonstration, Release: s.cfg.Version,
		Nonce: askingOf(r).nonce, Reference: s.cfg.Description != nil, Hidden: s.hidden(section),
	}
}

// shell is what the layout is made of: the page, and who looks at it.
type shell struct {
	Page      any
	Visitor   visitor
	Theme     string
	Languages []languageChoice
	Own       string // name of the page's language
	Here      string // address of the page, for forms that lead back to it
}

// view is a page ready to be written: its template, its view model and its status. The name "search#found" is that of the part
// "found" of the page "search", which a page that is open fetches anew.
type view struct {
	name   string
	model  any
	status int
}

// page writes what make returns, or the page that says why it could not.
func (s *site) page(mk func(*http.Request) (view, error)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		v, err := mk(r)
		if err != nil {
			v = s.problem(r, err)
		}
		s.write(w, r, v)
	}
}

// write executes the template before the first byte is sent, so that a fault is a page of its own and never half a page.
func (s *site) write(w http.ResponseWriter, r *http.Request, v view) {
	var b bytes.Buffer
	if err := s.render(&b, r, v); err != nil {
		s.cfg.Log.Error("page failed", "page", v.name, "path", r.URL.Path, "error", err)
		http.Error(w, "A fault of this node. Its log says more; please try again.", http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	if v.status == http.StatusMethodNotAllowed {
		w.Header().Set("Allow", "GET, HEAD")
	}
	w.Header().Set("Content-Length", strconv.Itoa(b.Len()))
	w.WriteHeader(v.status)
	_, _ = w.Write(b.Bytes())
}

func (s *site) render(b *bytes.Buffer, r *http.Request, v view) error {
	a := askingOf(r)
	tag := a.printer.Tag()
	name, part, _ := strings.Cut(v.name, "#")
	t, err := s.template(name, tag)
	if err != nil {
		return err
	}
	if part != "" {
		return t.ExecuteTemplate(b, part, v.model)
	}
	return t.Execute(b, shell{v.model, s.visitor(r), a.theme, languageChoices(r), tag.Own(), hereOf(r)})
}

func (s *site) today() protocol.Date { return protocol.DateOf(s.cfg.Now()) }
