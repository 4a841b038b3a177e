// Package ui is the node's own pages: search, one listing with its full record, the federation and its figures, and the doors
// to accounts: setup, invitation, sign-in, one's own account. They are made on the server with html/template, and are sent under
// a content security policy that allows no script, but for the two pages on which browsers ask for a passkey. Nothing else needs
// one: the rest of those pages works without.
//
// A page is one view model (a struct that embeds frame) and one template of the same name in pages/. Text that is not in
// English carries its language, so that it is shaped and read aloud as it should be. Style and icon are embedded and
// served under names made from their content, which browsers may keep for ever.
package ui

import (
	"bytes"
	"context"
	"embed"
	"html/template"
	"log/slog"
	"net/http"
	"path"
	"runtime/debug"
	"strconv"
	"strings"
	"time"

	"github.com/asean-tmh/tmh/node/door"
	"github.com/asean-tmh/tmh/node/exchange"
	"github.com/asean-tmh/tmh/node/house"
	"github.com/asean-tmh/tmh/node/interop"
	"github.com/asean-tmh/tmh/node/match"
	"github.com/asean-tmh/tmh/node/stats"
	"github.com/asean-tmh/tmh/protocol"
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
	Site          func(*http.Request) interop.Site // the node as links name it; nil: pages say nothing to search engines
	Description   []byte                           // of the API, in OpenAPI 3.1: its reference is served; nil: none
	Now           func() time.Time                 // nil: time.Now
	Log           *slog.Logger                     // nil: slog.Default
}

//go:embed pages/*.html
var pages embed.FS

//go:embed assets/icon.svg assets/passkey.js assets/style.css
var assets embed.FS

type site struct {
	cfg       Config
	templates map[string]*template.Template
	files     map[string]file // by the name they are served under
	style     string          // its path
	icon      string
	script    string // of passkeys
	reference template.HTML
}

type file struct {
	body        []byte
	contentType string
}

// New builds the handler of all pages; it starts nothing.
func New(cfg Config) http.Handler {
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	if cfg.Log == nil {
		cfg.Log = slog.Default()
	}
	s := &site{cfg: cfg, templates: parsePages(), files: map[string]file{}}
	s.style = s.asset("style.css", "text/css; charset=utf-8")
	s.icon = s.asset("icon.svg", "image/svg+xml")
	s.script = s.asset("passkey.js", "text/javascript; charset=utf-8")

	mux := http.NewServeMux()
	mux.HandleFunc("GET /{$}", s.page(s.search))
	mux.HandleFunc("GET /listings/{origin}/{id}", s.page(s.listing))
	mux.HandleFunc("GET /listings/{origin}/{id}/full", s.page(s.full))
	mux.HandleFunc("GET /federation", s.page(s.federation))
	mux.HandleFunc("GET /figures", s.page(s.figures))
	mux.HandleFunc("GET /figures.csv", s.figuresCSV)
	mux.HandleFunc("GET /assets/{file}", s.serveAsset)
	if cfg.Description != nil {
		var err error
		if s.reference, err = s.newReference(cfg.Description); err != nil {
			panic("ui: " + err.Error()) // a fault of the build
		}
		mux.HandleFunc("GET /developers", s.page(s.referencePage))
	}
	mux.HandleFunc("/", s.page(s.unknown))
	if s.cfg.House != nil && s.cfg.Door != nil {
		s.doors(mux)
	}
	return s.common(mux)
}

func parsePages() map[string]*template.Template {
	layout := template.Must(template.New("layout.html").Option("missingkey=error").Funcs(template.FuncMap{"spoken": spoken}).ParseFS(pages, "pages/layout.html", "pages/parts.html", "pages/fields.html"))
	all := map[string]*template.Template{}
	for _, name := range []string{"search", "listing", "full", "federation", "figures", "problem", "form", "sign-in", "account", "posting", "done", "reference"} {
		all[name] = template.Must(template.Must(layout.Clone()).ParseFS(pages, "pages/"+name+".html"))
	}
	return all
}

func (s *site) asset(name, contentType string) string {
	b, err := assets.ReadFile("assets/" + name)
	if err != nil {
		panic("ui: " + err.Error()) // a fault of the build
	}
	ext := path.Ext(name)
	hashed := strings.TrimSuffix(name, ext) + "-" + protocol.Sum(b).Short() + ext
	s.files[hashed] = file{b, contentType}
	return "/assets/" + hashed
}

func (s *site) serveAsset(w http.ResponseWriter, r *http.Request) {
	f, ok := s.files[r.PathValue("file")]
	if !ok {
		s.page(s.unknown)(w, r)
		return
	}
	w.Header().Set("Content-Type", f.contentType)
	w.Header().Set("Cache-Control", "public, max-age=31536000, immutable")
	_, _ = w.Write(f.body)
}

const policy = "default-src 'none'; style-src 'self'; img-src 'self' data:; form-action 'self'; frame-ancestors 'none'; base-uri 'none'"

func (s *site) common(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Content-Security-Policy", policy)
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Referrer-Policy", "same-origin")
		h.Set("Cross-Origin-Opener-Policy", "same-origin")
		h.Set("Cache-Control", "no-cache")
		h.Set("Vary", "Accept-Language, Cookie")
		defer func() {
			switch p := recover(); p {
			case nil:
			case http.ErrAbortHandler: //nolint:errorlint // the documented way to recognise it
				panic(p)
			default:
				s.cfg.Log.Error("page panicked", "path", r.URL.Path, "panic", p, "stack", string(debug.Stack()))
				s.write(w, r, s.problem(protocol.Errorf(protocol.CodeInternal, "", "panic")))
			}
		}()
		known, err := s.identify(w, r)
		if err != nil {
			s.write(w, r, s.problem(err))
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
	Version       string
	Style, Icon   string
	Script        string // "" on pages that need none
	Hidden        bool   // from search engines
	Links         []relation
	Data          template.JS // what the page is about, as JSON-LD; "" on most
}

func (s *site) frame(section, title string) frame {
	return frame{
		Title: title, Section: section, Name: s.cfg.Name, Demonstration: s.cfg.Demonstration, Version: s.cfg.Version,
		Style: s.style, Icon: s.icon, Hidden: s.hidden(section),
	}
}

// shell is what the layout is made of: the page, and who looks at it.
type shell struct {
	Page    any
	Visitor visitor
}

// view is a page ready to be written: its template, its view model and its status.
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
			v = s.problem(err)
		}
		s.write(w, r, v)
	}
}

// write executes the template before the first byte is sent, so that a fault is a page of its own and never half a page.
func (s *site) write(w http.ResponseWriter, r *http.Request, v view) {
	var b bytes.Buffer
	if err := s.templates[v.name].Execute(&b, shell{v.model, s.visitor(r)}); err != nil {
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

func (s *site) today() protocol.Date { return protocol.DateOf(s.cfg.Now()) }
