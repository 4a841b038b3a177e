package ui

import (
	"html/template"
	"net/http"
	"net/url"
	"slices"
	"strconv"

	"github.com/asean-tmh/tmh/node/access"
	"github.com/asean-tmh/tmh/node/posting"
	"github.com/asean-tmh/tmh/protocol"
)

// The page of the desk that ends a published listing.

// revokePage asks why a published listing is to end.
type revokePage struct {
	frame
	Address, Back string
	Heading       template.HTML
	Listing       template.HTML
	Allowed       bool
	Stands        uint64
	Note          string
	Most          int
	Wrong         []mistake
	NoteWrong     template.HTML
}

func (s *site) revokeView(r *http.Request, a access.Actor, h *posting.Posting, note string, fault error) view {
	say := printer(r)
	p := revokePage{
		frame: s.frame(r, "", say.T("desk.revoke.title")), Address: casePath(h.ID) + "/revoke", Back: casePath(h.ID), Heading: say.HTML("desk.revoke.title"),
		Listing: titleOf(say, h), Allowed: slices.Contains(s.cfg.House.Postings.Allowed(a, h), posting.Revoke), Stands: h.Version, Note: note, Most: posting.MaxNote,
	}
	code := http.StatusOK
	if !p.Allowed {
		code = http.StatusConflict
	}
	if fault != nil {
		p.Title, code = say.T("layout.error", "Page", p.Title), status(fault)
		for _, e := range protocol.All(s.fault(r, fault)) {
			m := mistake{Text: stated(say, e.Message)}
			switch {
			case e.Code == protocol.CodeConflict && e.Field == "version":
				m.Text = say.HTML("posting.changed")
			case e.Field == "note" && p.Allowed:
				if e.Code == protocol.CodeRequired {
					m.Text = say.HTML("desk.revoke.wanted")
				}
				m.ID, p.NoteWrong = "note", m.Text
			}
			p.Wrong = append(p.Wrong, m)
		}
	}
	return view{"desk-revoke", p, code}
}

func (s *site) revoke(w http.ResponseWriter, r *http.Request, a access.Actor, h *posting.Posting) (view, error) {
	version, _ := strconv.ParseUint(r.PostFormValue("version"), 10, 64) // none is the version of no listing
	note := r.PostFormValue("note")
	if _, err := s.cfg.House.Postings.Revoke(r.Context(), a, h.ID, version, note); err != nil {
		now, again := s.cfg.House.Postings.Get(a, h.ID)
		if again != nil {
			return view{}, again
		}
		return s.revokeView(r, a, now, note, err), nil
	}
	return moved(w, r, "/desk?done=revoke&case="+url.QueryEscape(string(h.ID)))
}
