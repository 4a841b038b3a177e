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

// How a case that somebody has taken gets into other hands: back to the desk, to another reviewer, or taken away by an
// administrator while its reviewer is absent.

// handPage asks who has the case next.
type handPage struct {
	frame
	Address, Back    string
	Heading, Listing template.HTML
	Lead             template.HTML
	Away             bool // an administrator takes it away
	Allowed          bool
	Stands           uint64
	To               []option // reviewers who may judge it
	Note             string
	Most             int
	Wrong            []mistake
	ToWrong          template.HTML
	NoteWrong        template.HTML
}

// handed is what was chosen on the page.
type handed struct{ to, note string }

func (s *site) handView(r *http.Request, a access.Actor, h *posting.Posting, in handed, fault error) (view, error) {
	say, may := printer(r), s.cfg.House.Postings.Allowed(a, h)
	p := handPage{
		Address: casePath(h.ID) + "/hand", Back: casePath(h.ID), Heading: say.HTML("desk.hand"), Listing: titleOf(say, h), Lead: say.HTML("desk.hand.lead"),
		Away: slices.Contains(may, posting.TakeAway), Stands: h.Version, Note: in.note, Most: posting.MaxNote,
	}
	title := say.T("desk.hand")
	if p.Away {
		title, p.Heading = say.T("deed.take-away"), say.HTML("deed.take-away")
		p.Lead = say.HTML("desk.away.lead", "Person", s.personName(say, a, h.Reviewer), "Ago", s.agoOf(say, h.Taken))
	}
	p.frame = s.frame(r, "", title)
	p.Allowed = p.Away || slices.Contains(may, posting.Release)
	code := http.StatusOK
	if !p.Allowed {
		code = http.StatusConflict
	}
	others, err := s.cfg.House.Reviewers(a, h)
	if err != nil {
		return view{}, err
	}
	for _, u := range others {
		name := u.Name
		if o, err := s.cfg.House.People.Organisation(a, u.Organisation); err == nil {
			name = say.T("desk.within", "Field", name, "Part", o.Name)
		}
		p.To = append(p.To, option{Value: string(u.ID), Label: name, Selected: string(u.ID) == in.to})
	}
	if fault != nil {
		p.Title, code = say.T("layout.error", "Page", p.Title), status(fault)
		for _, e := range protocol.All(s.fault(r, fault)) {
			m := mistake{Text: stated(say, e.Message)}
			switch {
			case e.Code == protocol.CodeConflict && e.Field == "version":
				m.Text = say.HTML("posting.changed")
			case e.Field == "to" && p.Allowed && !p.Away:
				m.Text = say.HTML("desk.hand.wrong")
				m.ID, p.ToWrong = "to", m.Text
			case e.Field == "note" && p.Allowed:
				m.ID, p.NoteWrong = "note", m.Text
			}
			p.Wrong = append(p.Wrong, m)
		}
	}
	return view{"desk-hand", p, code}, nil
}

func (s *site) hand(w http.ResponseWriter, r *http.Request, a access.Actor, h *posting.Posting) (view, error) {
	version, _ := strconv.ParseUint(r.PostFormValue("version"), 10, 64) // none is the version of no listing
	all, in := s.cfg.House.Postings, handed{r.PostFormValue("to"), r.PostFormValue("note")}
	var err error
	done := "release"
	switch {
	case slices.Contains(all.Allowed(a, h), posting.TakeAway):
		_, err = all.TakeAway(r.Context(), a, h.ID, version, in.note)
	case in.to == "":
		_, err = all.Release(r.Context(), a, h.ID, version, in.note)
	default:
		done = "hand"
		to, unknown := s.cfg.House.Colleague(access.UserID(in.to))
		if unknown != nil && protocol.CodeOf(unknown) != protocol.CodeNotFound {
			return view{}, unknown
		} // nobody may not judge it either: said in the same words
		_, err = all.HandOver(r.Context(), a, h.ID, version, to, in.note)
	}
	if err == nil {
		return moved(w, r, "/desk?done="+done+"&case="+url.QueryEscape(string(h.ID)))
	}
	now, again := all.Get(a, h.ID)
	if again != nil {
		return view{}, again
	}
	return s.handView(r, a, now, in, err)
}

// handNote is what who had the case last wrote for the next one.
func handNote(h *posting.Posting) string {
	for _, e := range slices.Backward(h.History) {
		switch e.Action {
		case posting.Release, posting.HandOver, posting.PassOn, posting.TakeAway:
			return e.Note
		case posting.Submit, posting.Publish, posting.Return, posting.Reject, posting.Pass, posting.Clear, posting.Fault:
			return ""
		}
	}
	return ""
}
