package ui

import (
	"context"
	"html/template"
	"net/http"
	"net/url"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/asean-tmh/tmh/node/access"
	"github.com/asean-tmh/tmh/node/door"
	"github.com/asean-tmh/tmh/node/match"
	"github.com/asean-tmh/tmh/node/saved"
	"github.com/asean-tmh/tmh/protocol"
	"github.com/asean-tmh/tmh/ui/lang"
)

// Searches that a person keeps.

// savedPage lists them, each with what it finds now.
type savedPage struct {
	frame
	Done template.HTML // what was done just now
	Undo string        // address that puts back what was deleted; "" for nothing
	List []savedSearch
}

type savedSearch struct {
	Name                 template.HTML
	Open, Rename, Delete string          // addresses
	Says                 []template.HTML // its words and choices
	Finds                template.HTML
	New                  template.HTML // "" for nothing new
	Looked               template.HTML
}

func (s *site) savedPages(get, post func(string, http.HandlerFunc)) {
	get("/saved", s.mine(s.savedList))
	get("/saved/new", s.mine(s.saveSearch))
	post("/saved/new", s.mine(s.savedNow))
	get("/saved/{id}", s.mine(s.runSaved))
	get("/saved/{id}/rename", s.mine(s.renameSaved))
	post("/saved/{id}/rename", s.mine(s.renamedSaved))
	post("/saved/{id}/delete", s.mine(s.deleteSaved))
	post("/saved/{id}/restore", s.mine(s.restoreSaved))
}

// saveAt is the page that saves a search, "" for who is not signed in.
func (s *site) saveAt(r *http.Request, in asked) string {
	if s.cfg.House == nil || door.ActorOf(r.Context()).Session == "" || len(in.values) == 0 {
		return ""
	}
	return "/saved/new?" + in.values.Encode()
}

func savedPath(id string) string { return "/saved/" + url.PathEscape(id) }

const (
	countWithin = 1500 * time.Millisecond // all counts of the page together; what takes longer is not counted
	countMost   = 100                     // listings of a search without words
	newMost     = 20
)

func (s *site) savedList(_ http.ResponseWriter, r *http.Request, a access.Actor) (view, error) {
	list, err := s.cfg.House.Searches.List(string(a.User))
	if err != nil {
		return view{}, err
	}
	p := printer(r)
	page := savedPage{frame: s.frame(r, "", p.T("nav.saved"))}
	page.Done, page.Undo = s.savedDone(r, a)
	ctx, cancel := context.WithTimeout(r.Context(), countWithin)
	defer cancel()
	for _, x := range list {
		at := savedPath(x.ID)
		row := savedSearch{Name: voice(x.Name), Open: at, Rename: at + "/rename", Delete: at + "/delete", Finds: p.HTML("saved.not-counted")}
		row.Looked = p.HTML("saved.looked", "Ago", p.AgoText(s.cfg.Now().Sub(x.Looked.Time())))
		if in, err := s.parseAddress(x.Address); err == nil {
			row.Says = s.inWords(p, in)
			if err := s.besides(ctx, func() error { return s.count(ctx, p, in, x.Looked, &row) }); err != nil && ctx.Err() == nil {
				s.cfg.Log.Warn("a saved search was not counted", "error", err)
			}
		}
		page.List = append(page.List, row)
	}
	return view{"saved", page, http.StatusOK}, nil
}

// parseAddress reads a search as it was saved. What it says may be understood no more.
func (s *site) parseAddress(address string) (asked, error) {
	q, err := url.ParseQuery(address)
	if err != nil {
		return asked{}, err
	}
	return s.parseSearch(q)
}

// inWords is what a search looks for.
func (s *site) inWords(p *lang.Printer, in asked) (list []template.HTML) {
	if in.q != "" {
		list = append(list, voice(quote(in.q)))
	}
	for _, c := range s.chosen(p, in) {
		list = append(list, c.Label)
	}
	return list
}

// count what a search finds, and what of it is new since it was looked at last.
func (s *site) count(ctx context.Context, p *lang.Printer, in asked, looked protocol.Instant, row *savedSearch) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	isNew := func(l *protocol.Listing) bool {
		return l != nil && l.Published >= protocol.DateOf(looked.Time()) && l.Updated > looked
	}
	var total, recent int
	newest, more := newMost, false
	if in.q != "" {
		a, err := s.cfg.Desk.Match(ctx, match.Query{Text: in.q, Lang: in.lang, Filter: in.filter, Sort: match.ByNewest, Limit: newMost})
		if err != nil {
			return err
		}
		total = a.Total
		for _, h := range a.Hits {
			if isNew(h.Listing) {
				recent++
			}
		}
	} else {
		page, err := s.cfg.Desk.Entries(in.filter, match.Ref{}, countMost)
		if err != nil {
			return err
		}
		total, newest, more = len(page.Entries), countMost, page.Next != match.Ref{}
		for _, e := range page.Entries {
			if isNew(e.Listing) {
				recent++
			}
		}
	}
	if row.Finds = p.HTMLN("count.listings", total); more {
		row.Finds = p.HTML("saved.at-least", "Count", row.Finds)
	}
	if recent > 0 {
		if row.New = p.HTMLN("count.unread", recent); more || recent == newest {
			row.New = p.HTML("saved.at-least", "Count", row.New)
		}
	}
	return nil
}

// savedDone says what was done, as far as it is so: addresses can be made up.
func (s *site) savedDone(r *http.Request, a access.Actor) (done template.HTML, undo string) {
	p, q := printer(r), r.URL.Query()
	switch code := q.Get("done"); code {
	case "saved", "renamed", "restored":
		return p.HTML("saved.done." + code), ""
	case "again": // it was saved anew after it was deleted
		if x, err := s.cfg.House.Searches.Deleted(string(a.User), q.Get("id")); err == nil {
			return p.HTML("saved.done.again", "Name", voice(x.Name)), ""
		}
	case "deleted":
		if x, err := s.cfg.House.Searches.Deleted(string(a.User), q.Get("id")); err == nil {
			return p.HTML("saved.done.deleted", "Name", voice(x.Name)), savedPath(x.ID) + "/restore"
		}
	}
	return "", ""
}

// saveSearch asks for the name of a search that is to be saved.
func (s *site) saveSearch(_ http.ResponseWriter, r *http.Request, _ access.Actor) (view, error) {
	in, err := s.parseSearch(r.URL.Query())
	if err != nil {
		return view{}, err
	}
	if len(in.values) == 0 {
		return s.unknown(r)
	}
	return s.saveView(r, in, suggestedName(printer(r), in), nil), nil
}

func (s *site) saveView(r *http.Request, in asked, name string, err error) view {
	p := printer(r)
	return s.formView(r, "act.save-search", []template.HTML{listOf(p, s.inWords(p, in))}, form{
		ID: "save", Action: "/saved/new", Button: p.HTML("act.save"), Hidden: []option{{Value: in.values.Encode(), Label: "search"}},
		Groups: []group{{Fields: []field{savedName(p, name)}}},
	}, err, link(p, in.address(nil), "act.cancel"))
}

func savedName(p *lang.Printer, value string) field {
	return field{Name: "name", Label: p.HTML("saved.name"), Hint: p.HTML("saved.name-hint"), Type: "text", Autocomplete: "off", Value: value}
}

// suggestedName are the words of the search, else its choices.
func suggestedName(p *lang.Printer, in asked) string {
	name := strings.Join(strings.Fields(in.q), " ")
	if name == "" {
		var said []string
		for _, of := range []string{"kind", "country", "ford"} {
			if v := in.values.Get(of); v != "" {
				said = append(said, p.Label(of, v).Text)
			}
		}
		name = strings.Join(said, ", ")
	}
	if utf8.RuneCountInString(name) <= saved.MaxName {
		return name
	}
	short := string([]rune(name)[:saved.MaxName-1])
	if i := strings.LastIndexByte(short, ' '); i > len(short)/2 {
		short = short[:i]
	}
	return short + "…"
}

func (s *site) savedNow(w http.ResponseWriter, r *http.Request, a access.Actor) (view, error) {
	in, err := s.parseAddress(r.PostFormValue("search"))
	if err != nil {
		return view{}, protocol.Errorf(protocol.CodeValue, "", "this search cannot be read: run it again, and save it then")
	}
	if len(in.values) == 0 {
		return moved(w, r, "/")
	}
	if _, err := s.cfg.House.Searches.Add(string(a.User), r.PostFormValue("name"), in.values.Encode()); err != nil {
		return s.saveView(r, in, r.PostFormValue("name"), s.fault(r, err)), nil
	}
	return moved(w, r, "/saved?done=saved")
}

// runSaved leads to what a search finds, and notes that it was looked at.
func (s *site) runSaved(w http.ResponseWriter, r *http.Request, a access.Actor) (view, error) {
	x, err := s.cfg.House.Searches.Look(string(a.User), r.PathValue("id"))
	if protocol.CodeOf(err) == protocol.CodeReadOnly { // it runs all the same
		x, err = s.cfg.House.Searches.Get(string(a.User), r.PathValue("id"))
	}
	if err != nil {
		return s.noSaved(r, err)
	}
	return moved(w, r, "/?"+x.Address)
}

// noSaved is the page where there is no such search.
func (s *site) noSaved(r *http.Request, err error) (view, error) {
	if protocol.CodeOf(err) != protocol.CodeNotFound {
		return view{}, err
	}
	p := printer(r)
	return s.doneView(r, http.StatusNotFound, "saved.none", link(p, "/saved", "nav.saved"), p.HTML("saved.none-says")), nil
}

func (s *site) renameSaved(_ http.ResponseWriter, r *http.Request, a access.Actor) (view, error) {
	x, err := s.cfg.House.Searches.Get(string(a.User), r.PathValue("id"))
	if err != nil {
		return s.noSaved(r, err)
	}
	return s.renameView(r, x.ID, x.Name, nil), nil
}

func (s *site) renameView(r *http.Request, id, name string, err error) view {
	p := printer(r)
	return s.formView(r, "saved.rename", nil, form{
		ID: "rename", Action: savedPath(id) + "/rename", Button: p.HTML("act.save"), Groups: []group{{Fields: []field{savedName(p, name)}}},
	}, err, link(p, "/saved", "act.cancel"))
}

func (s *site) renamedSaved(w http.ResponseWriter, r *http.Request, a access.Actor) (view, error) {
	err := s.cfg.House.Searches.Rename(string(a.User), r.PathValue("id"), r.PostFormValue("name"))
	switch {
	case protocol.CodeOf(err) == protocol.CodeNotFound:
		return s.noSaved(r, err)
	case err != nil:
		return s.renameView(r, r.PathValue("id"), r.PostFormValue("name"), s.fault(r, err)), nil
	}
	return moved(w, r, "/saved?done=renamed")
}

func (s *site) deleteSaved(w http.ResponseWriter, r *http.Request, a access.Actor) (view, error) {
	if err := s.cfg.House.Searches.Delete(string(a.User), r.PathValue("id")); err != nil {
		return s.noSaved(r, err)
	}
	return moved(w, r, "/saved?done=deleted&id="+url.QueryEscape(r.PathValue("id")))
}

func (s *site) restoreSaved(w http.ResponseWriter, r *http.Request, a access.Actor) (view, error) {
	switch err := s.cfg.House.Searches.Restore(string(a.User), r.PathValue("id")); {
	case protocol.CodeOf(err) == protocol.CodeConflict:
		return moved(w, r, "/saved?done=again&id="+url.QueryEscape(r.PathValue("id")))
	case err != nil:
		return s.noSaved(r, err)
	}
	return moved(w, r, "/saved?done=restored")
}
