package ui

import (
	"crypto/rand"
	"encoding/hex"
	"html/template"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"

	"github.com/asean-tmh/tmh/configs/codes"
	"github.com/asean-tmh/tmh/node/access"
	"github.com/asean-tmh/tmh/node/posting"
	"github.com/asean-tmh/tmh/protocol"
	"github.com/asean-tmh/tmh/ui/lang"
)

// A section is saved by its button, and with script while it is written. Whatever is typed is kept, with its faults; what a listing
// has no room for, such as a day that does not exist, is shown again and named.

type sectionPage struct {
	frame
	draftHead
	Task     template.HTML
	Language string
	Lang     protocol.Lang
	Action   string
	Page     string // tells this page from another of the same section
	Wrong    []mistake
	Kept     bool // though something is wrong
	Groups   []entryGroup
	Aside    livePart
}

// livePart follows what is written.
type livePart struct {
	Version   string // of the section, which its form sends
	Saved     string // time of day
	SignedOut bool
	Conflict  bool
	Trouble   template.HTML
	Unkept    []mistake // what could not be saved as it was typed
	Path      string    // of the section
	Show      bool      // the checklist
	Checklist checklistView
	Suspects  []suspectView
	Twins     []twinView
}

// lastWriters remember which open page saved a section last, so that its next saving is not taken for another's: the answer to the
// one before may still be on its way. It is forgotten in a restart, and then the page's own version decides.
type lastWriters struct {
	mu   sync.Mutex
	last map[string]string // by listing and section: page and digest
}

// Bounds of what is remembered: sections, and letters of what tells a page from another, which whoever sends it could make up.
const (
	keptWriters = 4096
	pageLetters = 16
)

func (l *lastWriters) set(section, page, digest string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(page) != pageLetters {
		delete(l.last, section)
		return
	}
	if l.last == nil || len(l.last) >= keptWriters {
		l.last = map[string]string{}
	}
	l.last[section] = page + " " + digest
}

func (l *lastWriters) was(section, page, digest string) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return page != "" && l.last[section] == page+" "+digest
}

func findSection(h *posting.Posting, c *posting.Content, id string) (section, bool) {
	all := sections(h, c)
	i := slices.IndexFunc(all, func(x section) bool { return x.ID == id })
	if i < 0 {
		return section{}, false
	}
	return all[i], true
}

func (s *site) sectionPage(_ http.ResponseWriter, r *http.Request, _ access.Actor, h *posting.Posting, c *posting.Content) (view, error) {
	x, ok := findSection(h, c, r.PathValue("section"))
	if !ok {
		return s.unknown(r)
	}
	return s.sectionView(r, h, c, x, &writing{}, nil, http.StatusOK), nil
}

// sectionView shows a section; read is what came of what was sent.
func (s *site) sectionView(r *http.Request, h *posting.Posting, c *posting.Content, x section, read *writing, wrong []mistake, code int) view {
	say := printer(r)
	w := &writing{p: say, typed: read.typed, refused: read.refused}
	x.draw(w, c)
	name, _ := heading(say, h)
	p := sectionPage{
		draftHead: draftHead{name, postingPath(h.ID), "", true}, Task: say.HTML(x.Title), Action: sectionPath(h, x), Lang: x.Lang,
		Page: r.PostFormValue("page"), Wrong: wrong,
	}
	title := say.T(x.Title)
	if x.Lang != "" {
		p.Language = languageName(x.Lang)
		title += " – " + p.Language
	}
	if len(p.Page) != pageLetters {
		var b [pageLetters / 2]byte
		_, _ = rand.Read(b[:]) // never fails
		p.Page = hex.EncodeToString(b[:])
	}
	faults := s.faults(h, c)
	if len(w.said) == 0 && r.Method == http.MethodGet {
		faults = nil // nobody wrote anything yet
	}
	p.Wrong = append(p.Wrong, w.dress(faults)...)
	p.Groups = w.groups
	p.frame = s.frame(r, "organisation", title)
	p.Live = true
	if len(p.Wrong) > 0 && r.Method == http.MethodPost {
		p.Title = say.T("layout.error", "Page", title)
		p.Kept = code == http.StatusUnprocessableEntity
	}
	p.Aside = s.livePart(r, h, c, x, w.digest())
	return view{"write-section", p, code}
}

func (s *site) livePart(r *http.Request, h *posting.Posting, c *posting.Content, x section, version string) livePart {
	say := printer(r)
	l := livePart{Version: version, Path: sectionPath(h, x), Show: true, Checklist: checklistOf(say, only(posting.Completeness(&c.Listing, &c.Record), x.items))}
	if x.Part == "words" {
		l.Suspects, l.Twins = s.suspects(r, c), s.twins(r, h, c)
	}
	return l
}

// only these items of a checklist, with the points of all.
func only(c posting.Checklist, items []string) posting.Checklist {
	c.Items = slices.DeleteFunc(slices.Clone(c.Items), func(i posting.Item) bool { return !slices.Contains(items, i.Field) })
	return c
}

func (s *site) saveSection(writers *lastWriters, w http.ResponseWriter, r *http.Request, a access.Actor, h *posting.Posting, c *posting.Content) (view, error) {
	x, ok := findSection(h, c, r.PathValue("section"))
	if !ok {
		return s.unknown(r)
	}
	before := &writing{p: printer(r), light: true}
	x.draw(before, c)
	read := &writing{p: printer(r), light: true, sent: r.PostForm}
	x.draw(read, c)
	after := &writing{p: printer(r), light: true}
	x.draw(after, c)
	stood, stands := before.digest(), after.digest()
	key := string(h.ID) + " " + x.ID
	sent, page := r.PostFormValue("version"), r.PostFormValue("page")
	if sent != stood && stands != stood && r.PostFormValue("keep") != "mine" && !writers.was(key, page, stood) {
		return s.sectionConflict(w, r, h, c, x, read)
	}
	if stands != stood && r.Context().Err() == nil {
		now, err := s.cfg.House.Postings.Edit(r.Context(), a, h.ID, h.Version, *c)
		if err != nil {
			return s.notSaved(w, r, h, c, x, read, s.fault(r, err))
		}
		h = now
		writers.set(key, page, stands)
	}
	if live(r) {
		l := s.livePart(r, h, c, x, stands)
		l.Saved = s.cfg.Now().UTC().Format("15:04")
		shown := &writing{p: printer(r), typed: read.typed, refused: read.refused}
		x.draw(shown, c)
		l.Unkept = shown.dress(nil)
		s.writeLive(w, r, l)
		return view{}, nil
	}
	if r.PostFormValue("stay") != "" || r.PostFormValue("drop") != "" {
		if len(read.refused) == 0 {
			return moved(w, r, sectionPath(h, x)+"?done=saved")
		}
	}
	wrong := len(read.refused) > 0
	for _, f := range s.faults(h, c) {
		_, mine := after.about(f.Field)
		wrong = wrong || mine
	}
	if wrong {
		return s.sectionView(r, h, c, x, read, nil, http.StatusUnprocessableEntity), nil
	}
	return moved(w, r, postingPath(h.ID)+"/edit?done=saved#task-"+url.QueryEscape(x.ID))
}

// sectionConflict: somebody else, or another tab, wrote the same section meanwhile. Nothing is saved, and both ways on are named.
func (s *site) sectionConflict(w http.ResponseWriter, r *http.Request, h *posting.Posting, c *posting.Content, x section, read *writing) (view, error) {
	if live(r) {
		if r.PostFormValue("stopped") != "" { // it was said already
			w.WriteHeader(http.StatusNoContent)
			return view{}, nil
		}
		s.writeLive(w, r, livePart{Version: asCode(r.PostFormValue("version")), Conflict: true, Path: sectionPath(h, x)})
		return view{}, nil
	}
	v := s.sectionView(r, h, c, x, read, []mistake{{Text: printer(r).HTML("write.conflict")}}, http.StatusConflict)
	p, _ := v.model.(sectionPage)
	p.Aside.Version, p.Aside.Conflict, p.Aside.Show, p.Aside.Suspects, p.Aside.Twins = asCode(r.PostFormValue("version")), true, false, nil, nil
	v.model = p
	return v, nil
}

// notSaved says why nothing could be saved; what was typed stays.
func (s *site) notSaved(w http.ResponseWriter, r *http.Request, h *posting.Posting, c *posting.Content, x section, read *writing, err error) (view, error) {
	say := printer(r)
	var wrong []mistake
	for _, e := range protocol.All(err) {
		why := stated(say, e.Message)
		if e.Code == protocol.CodeConflict && e.Field == "version" {
			why = say.HTML("form.changed")
		}
		wrong = append(wrong, mistake{Text: say.HTML("write.not-saved", "Why", why)})
	}
	if live(r) {
		s.writeLive(w, r, livePart{Version: asCode(r.PostFormValue("version")), Trouble: wrong[0].Text, Path: sectionPath(h, x)})
		return view{}, nil
	}
	return s.sectionView(r, h, c, x, read, wrong, status(err)), nil
}

// languagesPage adds a language, and leads to where one is removed.
type languagesPage struct {
	frame
	draftHead
	Has   []option
	Can   []option
	Wrong []mistake
	Drops string // the language that is to be removed
}

func (s *site) languagesView(r *http.Request, h *posting.Posting, c *posting.Content, err error) view {
	say := printer(r)
	name, _ := heading(say, h)
	p := languagesPage{frame: s.frame(r, "organisation", say.T("field.languages")), draftHead: draftHead{name, postingPath(h.ID), "", true}}
	for _, l := range c.Listing.Languages() {
		p.Has = append(p.Has, option{Value: string(l), Label: languageName(l)})
	}
	for _, o := range languageOptions(say, nil) {
		if _, has := c.Listing.Texts[protocol.Lang(o.Value)]; !has {
			p.Can = append(p.Can, o)
		}
	}
	code := http.StatusOK
	if err != nil {
		code, p.Wrong = status(err), []mistake{{"language", say.HTML("write.choose-language")}}
		p.Title = say.T("layout.error", "Page", p.Title)
		if protocol.All(err)[0].Field != "language" {
			p.Wrong = []mistake{{Text: stated(say, protocol.All(s.fault(r, err))[0].Message)}}
		}
	}
	return view{"write-languages", p, code}
}

func (s *site) languagesPage(_ http.ResponseWriter, r *http.Request, _ access.Actor, h *posting.Posting, c *posting.Content) (view, error) {
	return s.languagesView(r, h, c, nil), nil
}

func (s *site) addLanguage(w http.ResponseWriter, r *http.Request, a access.Actor, h *posting.Posting, c *posting.Content) (view, error) {
	l := protocol.Lang(r.PostFormValue("language"))
	if !codes.Language().Has(string(l)) {
		return s.languagesView(r, h, c, protocol.Errorf(protocol.CodeValue, "language", "none of the list")), nil
	}
	if _, has := c.Listing.Texts[l]; !has {
		c.Listing.Texts[l] = protocol.Text{}
		if _, err := s.cfg.House.Postings.Edit(r.Context(), a, h.ID, h.Version, *c); err != nil {
			return s.languagesView(r, h, c, err), nil
		}
	}
	return moved(w, r, postingPath(h.ID)+"/edit/words-"+url.PathEscape(string(l)))
}

func (s *site) dropLanguagePage(_ http.ResponseWriter, r *http.Request, _ access.Actor, h *posting.Posting, c *posting.Content) (view, error) {
	l := protocol.Lang(r.PathValue("lang"))
	if _, has := c.Listing.Texts[l]; !has {
		return s.unknown(r)
	}
	say := printer(r)
	title := "write.drop-language"
	lead := []template.HTML{say.HTML("form.sure.for-ever")}
	v := s.formView(r, title, lead, form{
		ID: "drop", Action: postingPath(h.ID) + "/languages/" + url.PathEscape(string(l)) + "/remove", Danger: true, Hidden: []option{versionOf(h)},
		Button: say.HTML("act.remove-what", "What", lang.Text{Lang: string(l), Text: languageName(l)}),
	}, nil, link(say, postingPath(h.ID)+"/languages", "act.cancel"))
	return v, nil
}

func (s *site) dropLanguage(w http.ResponseWriter, r *http.Request, a access.Actor, h *posting.Posting, c *posting.Content) (view, error) {
	l := protocol.Lang(r.PathValue("lang"))
	if _, has := c.Listing.Texts[l]; has {
		delete(c.Listing.Texts, l)
		delete(c.Record.Texts, l)
		if _, err := s.cfg.House.Postings.Edit(r.Context(), a, h.ID, formVersion(r), *c); err != nil {
			return s.languagesView(r, h, c, err), nil
		}
	}
	return moved(w, r, strings.TrimSuffix(postingPath(h.ID)+"/languages", "/"))
}
