package ui

import (
	"bytes"
	"errors"
	"net/http"
	"slices"
	"strconv"

	"github.com/asean-tmh/tmh/configs/codes"
	"github.com/asean-tmh/tmh/node/access"
	"github.com/asean-tmh/tmh/node/door"
	"github.com/asean-tmh/tmh/node/posting"
	"github.com/asean-tmh/tmh/protocol"
	"github.com/asean-tmh/tmh/ui/lang"
)

// Posting: a listing is written as a list of tasks, looked at as others will see it, and sent.

// maxWriting bounds a section: its longest texts in a script that takes nine characters for a letter in an address.
const maxWriting = 256 << 10

func (s *site) writePages(get, post func(string, http.HandlerFunc)) {
	type page = func(http.ResponseWriter, *http.Request, access.Actor, *posting.Posting, *posting.Content) (view, error)
	get("/post", s.mine(s.newListing))
	post("/post", s.mine(s.begin))
	for path, mk := range map[string]page{
		"edit": s.tasks, "edit/{section}": s.sectionPage, "languages": s.languagesPage, "languages/{lang}/remove": s.dropLanguagePage, "send": s.sendPage,
	} {
		get("/postings/{id}/"+path, s.behind(s.written(true, mk)))
	}
	get("/postings/{id}/preview", s.behind(s.written(false, s.preview)))
	s.documentPages(get, post)
	writers := &lastWriters{}
	post("/postings/{id}/edit/{section}", s.wide(s.behind(s.aloud(s.written(true, func(w http.ResponseWriter, r *http.Request, a access.Actor, h *posting.Posting, c *posting.Content) (view, error) {
		return s.saveSection(writers, w, r, a, h, c)
	})))))
	for path, mk := range map[string]page{"languages": s.addLanguage, "languages/{lang}/remove": s.dropLanguage, "send": s.send} {
		post("/postings/{id}/"+path, s.behind(s.written(true, mk)))
	}
}

// wide is for forms with long texts. What it reads is not read again.
func (s *site) wide(next http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		r.Body = http.MaxBytesReader(w, r.Body, maxWriting)
		if err := r.ParseForm(); err != nil {
			s.write(w, r, s.problemView(r, http.StatusBadRequest, "form"))
			return
		}
		if live(r) && door.ActorOf(r.Context()).Session == "" {
			w.Header().Set("Cache-Control", "no-store")
			s.writeLive(w, r, livePart{SignedOut: true})
			return
		}
		next(w, r)
	}
}

// aloud tells an open page in words why it is not saved any more, where it would get another page. What it cannot be told that way (the
// node is not reached, or at fault) its script tells.
func (s *site) aloud(mk handler) handler {
	return func(w http.ResponseWriter, r *http.Request) (view, error) {
		v, err := mk(w, r)
		if !live(r) || err != nil || v.name == "" {
			return v, err
		}
		key := map[int]string{http.StatusForbidden: "gone", http.StatusNotFound: "gone", http.StatusConflict: "stands"}[v.status]
		if key == "" {
			return v, nil
		}
		s.trouble(w, r, key)
		return view{}, nil
	}
}

// trouble is what stands in a section's page in place of the time when it was saved.
func (s *site) trouble(w http.ResponseWriter, r *http.Request, key string) {
	var to []any
	if key != "often" {
		to = append(to, lang.NewSlot("a", "href", postingPath(protocol.ListingID(r.PathValue("id")))))
	}
	s.writeLive(w, r, livePart{Version: asCode(r.PostFormValue("version")), Trouble: printer(r).HTML("write.trouble."+key, to...)})
}

// refusedLive tells an open page that it saves too often. Nobody reads what it sent but for the version.
func (s *site) refusedLive(w http.ResponseWriter, r *http.Request) bool {
	if !live(r) || r.PathValue("section") == "" {
		return false
	}
	r.Body = http.MaxBytesReader(w, r.Body, maxWriting)
	w.Header().Set("Cache-Control", "no-store")
	s.trouble(w, r, "often")
	return true
}

// live reports whether the page's script asks, which puts the answer into the page.
func live(r *http.Request) bool { return r.Header.Get("HX-Request") == "true" }

// writeLive writes the part of a section's page that follows what is written.
func (s *site) writeLive(w http.ResponseWriter, r *http.Request, l livePart) {
	t, err := s.template("write-section", printer(r).Tag())
	var b bytes.Buffer
	if err == nil {
		err = t.ExecuteTemplate(&b, "live", l)
	}
	if err != nil {
		s.cfg.Log.Error("page failed", "page", "live", "path", r.URL.Path, "error", err)
		http.Error(w, "A fault of this node. Its log says more; please try again.", http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	_, _ = w.Write(b.Bytes())
}

// written hands on a listing with its content; edit is for those who may change it now. All others are shown how it stands.
func (s *site) written(edit bool, mk func(http.ResponseWriter, *http.Request, access.Actor, *posting.Posting, *posting.Content) (view, error)) handler {
	return s.own(func(w http.ResponseWriter, r *http.Request, a access.Actor, h *posting.Posting) (view, error) {
		if edit && !slices.Contains(s.cfg.House.Postings.Allowed(a, h), posting.Edit) {
			return s.postingView(r, a, h, refusedNow(a, h, posting.Edit)), nil
		}
		h, c, err := s.cfg.House.Postings.Content(a, h.ID)
		if err != nil {
			return view{}, err
		}
		if c == nil {
			return s.postingView(r, a, h, protocol.Errorf(protocol.CodeConflict, "state", "the listing has ended: write a new one")), nil
		}
		if c.Listing.Texts == nil {
			c.Listing.Texts = map[protocol.Lang]protocol.Text{}
		}
		return mk(w, r, a, h, c)
	})
}

// refusedNow says why somebody may not do that with a listing: never, or as it stands now.
func refusedNow(a access.Actor, h *posting.Posting, action posting.Action) error {
	may := access.EditDraft
	switch action {
	case posting.Discard:
		may = access.DiscardDraft
	case posting.Withdraw, posting.Supersede:
		may = access.WithdrawPosting
	case posting.Revoke:
		may = access.RevokePosting
	}
	if err := access.Can(a, may, access.Resource{Member: a.Member, Organisation: h.Organisation, Author: h.Author}); err != nil {
		return err
	}
	return protocol.Errorf(protocol.CodeConflict, "state", "this cannot be done with the listing as it stands now")
}

// newPage asks what is to be posted.
type newPage struct {
	frame
	Wrong     []mistake
	Kinds     []option
	Says      []string // keys
	Languages []option
	Trouble   string // key: why this person posts nothing
}

func (s *site) newListing(_ http.ResponseWriter, r *http.Request, a access.Actor) (view, error) {
	return s.newView(r, a, "", []string{string(printer(r).Tag()), "en"}, nil), nil
}

func (s *site) newView(r *http.Request, a access.Actor, kind string, langs []string, err error) view {
	say := printer(r)
	p := newPage{frame: s.frame(r, "organisation", say.T("nav.post"))}
	if access.Can(a, access.CreateDraft, access.Resource{Organisation: a.Organisation}) != nil {
		p.Trouble = "write.not-editor"
		return view{"write-new", p, http.StatusForbidden}
	}
	for _, k := range protocol.Kinds() {
		p.Kinds = append(p.Kinds, option{Value: string(k), Label: say.Label("kind", string(k)).Text, Selected: string(k) == kind})
		p.Says = append(p.Says, "write.kind."+string(k))
	}
	p.Languages = languageOptions(say, langs)
	code := http.StatusOK
	if err != nil {
		code = status(err)
		p.Title = say.T("layout.error", "Page", p.Title)
		for _, e := range protocol.All(s.fault(r, err)) {
			m := mistake{Text: stated(say, e.Message)}
			switch e.Field {
			case "kind":
				m = mistake{"kind-0", say.HTML("write.choose-kind")}
			case "languages":
				m = mistake{"language-0", say.HTML("write.choose-language")}
			}
			p.Wrong = append(p.Wrong, m)
		}
	}
	return view{"write-new", p, code}
}

// languageOptions are the languages in their own names, which their writers know.
func languageOptions(p *lang.Printer, chosen []string) (list []option) {
	for _, c := range codes.Language().All() {
		list = append(list, option{Value: c.Code, Label: languageName(protocol.Lang(c.Code)), Selected: slices.Contains(chosen, c.Code)})
	}
	lang.SortBy(p, list, func(o option) string { return o.Label })
	return list
}

func (s *site) begin(w http.ResponseWriter, r *http.Request, a access.Actor) (view, error) {
	kind, langs := r.PostFormValue("kind"), r.PostForm["languages"]
	var faults []error
	if !slices.Contains(protocol.Kinds(), protocol.Kind(kind)) {
		faults = append(faults, protocol.Errorf(protocol.CodeRequired, "kind", "none"))
	}
	c := posting.Content{Listing: protocol.Listing{Kind: protocol.Kind(kind), Texts: map[protocol.Lang]protocol.Text{}}}
	for _, l := range langs {
		if codes.Language().Has(l) {
			c.Listing.Texts[protocol.Lang(l)] = protocol.Text{}
		}
	}
	if len(c.Listing.Texts) == 0 {
		faults = append(faults, protocol.Errorf(protocol.CodeRequired, "languages", "none"))
	}
	if len(faults) > 0 {
		return s.newView(r, a, kind, langs, allOf(faults)), nil
	}
	if o, err := s.cfg.House.People.Organisation(a, a.Organisation); err == nil {
		c.Listing.Country, c.Listing.Organisation.Type, c.Listing.Organisation.Size = o.Country, o.Type, o.Size
	}
	h, err := s.cfg.House.Postings.Create(a, a.Organisation, "", c)
	if err != nil {
		return s.newView(r, a, kind, langs, err), nil
	}
	return moved(w, r, postingPath(h.ID)+"/edit")
}

func allOf(list []error) error {
	var all protocol.Errors
	for _, err := range list {
		var e *protocol.Error
		if errors.As(err, &e) {
			all = append(all, e)
		}
	}
	return all
}

func itoa(n uint16) string { return strconv.Itoa(int(n)) }

func atoi(s string) uint16 {
	n, _ := strconv.ParseUint(s, 10, 16)
	return uint16(n)
}
