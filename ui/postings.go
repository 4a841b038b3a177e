package ui

import (
	"html/template"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/asean-tmh/tmh/node/access"
	"github.com/asean-tmh/tmh/node/door"
	"github.com/asean-tmh/tmh/node/posting"
	"github.com/asean-tmh/tmh/protocol"
	"github.com/asean-tmh/tmh/ui/lang"
)

// The page that mails about a listing lead to: how it stands at its origin, and what can be done with it.

// postingPage is a listing as its organisation and the agency see it.
type postingPage struct {
	frame
	Heading   template.HTML
	Done      template.HTML // what was done just now
	Wrong     []mistake
	Waits     template.HTML // an action that is still to be signed
	Facts     []fact
	Catalogue string // address of its public page; "" where there is none
	API       string
	Edit      string // address of its tasks; "" for who may not, or while it cannot be edited
	Send      string
	Preview   string
	Begins    bool // a revision, by editing
	Ends      []deed
	Stands    uint64 // version of the posting, which the forms carry
	Deeds     []deed
	Review    *reviewShown
	History   []historyRow
	Older     int // entries that are not shown
}

// deed is a button.
type deed struct {
	Address       string
	Button, About template.HTML
}

type reviewShown struct {
	Facts   []fact
	Comment string
}

type historyRow struct {
	At, Note string
	What     template.HTML
}

// shownHistory is how many entries of the history stand on the page.
const shownHistory = 10

func (s *site) postingPages(get, post func(string, http.HandlerFunc)) {
	get("/postings/{id}", s.behind(s.own(func(_ http.ResponseWriter, r *http.Request, a access.Actor, h *posting.Posting) (view, error) {
		return s.postingView(r, a, h, nil), nil
	})))
	for _, action := range endings() {
		get("/postings/{id}/"+string(action), s.behind(s.own(func(w http.ResponseWriter, r *http.Request, a access.Actor, h *posting.Posting) (view, error) {
			return s.endPage(w, r, a, h, action)
		})))
		post("/postings/{id}/"+string(action), s.behind(s.own(func(w http.ResponseWriter, r *http.Request, a access.Actor, h *posting.Posting) (view, error) {
			return s.end(w, r, a, h, action)
		})))
	}
	for _, action := range []posting.Action{posting.Renew, posting.Hold, posting.Lift, posting.Recall} {
		post("/postings/{id}/"+string(action), s.behind(s.own(func(w http.ResponseWriter, r *http.Request, a access.Actor, h *posting.Posting) (view, error) {
			return s.act(w, r, a, h, action)
		})))
	}
}

// own hands on the listing that the address names, to who is signed in and may see it. For all others there is no listing, be
// it another's or none at all.
func (s *site) own(mk func(http.ResponseWriter, *http.Request, access.Actor, *posting.Posting) (view, error)) handler {
	return func(w http.ResponseWriter, r *http.Request) (view, error) {
		id, err := protocol.ParseListingID(r.PathValue("id"))
		if door.ActorOf(r.Context()).Session == "" && r.Method == http.MethodPost && err == nil {
			return moved(w, r, "/sign-in?from="+url.QueryEscape(postingPath(id)))
		}
		a, ok := s.signedIn(w, r)
		if !ok {
			return view{}, nil
		}
		if err != nil {
			return s.noPosting(r), nil
		}
		h, err := s.cfg.House.Postings.Get(a, id)
		switch protocol.CodeOf(err) {
		case protocol.CodeNotFound, protocol.CodeNotPermitted:
			return s.noPosting(r), nil
		}
		if err != nil {
			return view{}, err
		}
		return mk(w, r, a, h)
	}
}

func postingPath(id protocol.ListingID) string { return "/postings/" + url.PathEscape(string(id)) }

func (s *site) noPosting(r *http.Request) view {
	return s.problemView(r, http.StatusNotFound, "posting")
}

// act does what a button says, and leads back to the page.
func (s *site) act(w http.ResponseWriter, r *http.Request, a access.Actor, h *posting.Posting, action posting.Action) (view, error) {
	all, id, version := s.cfg.House.Postings, h.ID, formVersion(r)
	var err error
	switch action {
	case posting.Renew:
		_, err = all.Renew(r.Context(), a, id, version)
	case posting.Hold:
		_, err = all.Hold(r.Context(), a, id, version, "")
	case posting.Lift:
		_, err = all.Lift(r.Context(), a, id, version)
	case posting.Recall:
		_, err = all.Recall(r.Context(), a, id, version)
	}
	if err == nil {
		return moved(w, r, postingPath(id)+"?done="+string(action))
	}
	now, again := all.Get(a, id)
	if again != nil {
		return view{}, again
	}
	return s.postingView(r, a, now, err), nil
}

// postingView shows the listing as it stands; err is why a button did not do what it says.
func (s *site) postingView(r *http.Request, a access.Actor, h *posting.Posting, err error) view {
	say := printer(r)
	name, title := heading(say, h)
	allowed := s.cfg.House.Postings.Allowed(a, h)
	p := postingPage{
		frame: s.frame(r, "organisation", title), Heading: name, API: "/api/v1" + postingPath(h.ID), Stands: h.Version, Facts: s.standing(say, h),
		Deeds: deeds(say, h, allowed), Ends: ends(say, h, allowed),
	}
	if slices.Contains(allowed, posting.Edit) {
		p.Edit, p.Begins = postingPath(h.ID)+"/edit", h.Draft == posting.None
	}
	if slices.Contains(allowed, posting.Submit) {
		p.Send = postingPath(h.ID) + "/send"
	}
	if !h.Ended() {
		p.Preview = postingPath(h.ID) + "/preview"
	}
	if r.Method == http.MethodGet {
		p.Done = s.deedDone(say, h, posting.Action(r.URL.Query().Get("done")))
	}
	if h.Pending != nil {
		p.Waits = actionInWords(say, h.Pending.Action)
	}
	if h.Live == posting.Published && h.Level != protocol.LevelInvited {
		p.Catalogue = "/listings/" + url.PathEscape(string(a.Member)) + "/" + url.PathEscape(string(h.ID))
	}
	if h.Review != nil {
		p.Review = reviewOf(say, h.Review)
	}
	left := len(h.History) + h.Dropped
	for i, e := range slices.Backward(h.History) {
		if len(p.History) == shownHistory {
			break
		}
		left--
		if e.Action == posting.Edit && i+1 < len(h.History) && h.History[i+1].Action == posting.Edit {
			continue // saved again and again while it was written: the last time tells enough
		}
		p.History = append(p.History, historyOf(say, e))
	}
	p.Older = left
	code := http.StatusOK
	if err != nil {
		p.Title, code = say.T("layout.error", "Page", title), status(err)
		for _, e := range protocol.All(s.fault(r, err)) {
			m := mistake{Text: stated(say, e.Message)}
			if e.Code == protocol.CodeConflict && e.Field == "version" {
				m.Text = say.HTML("posting.changed")
			}
			p.Wrong = append(p.Wrong, m)
		}
	}
	return view{"posting", p, code}
}

// standing is what is said first of all about a listing.
func (s *site) standing(p *lang.Printer, h *posting.Posting) []fact {
	f := factList{p: p}
	reference := voice(h.Reference)
	if h.Reference == "" {
		reference = p.HTML("posting.reference-later")
	}
	f.add("field.reference", reference)
	f.add("field.state", stateInWords(p, h.State(s.today())))
	if h.Live != posting.None && h.Draft != posting.None {
		f.add("field.revision", stateInWords(p, h.Draft))
	}
	switch h.Audit {
	case posting.Due:
		f.add("posting.audit", p.HTML("state.due"))
	case posting.InReview:
		f.add("posting.audit", p.HTML("state.audited"))
	}
	f.add("field.published", voice(p.Date(h.PublishedOn)))
	until := voice(p.Date(h.ValidUntil))
	if h.ValidUntil == 0 && h.Live == posting.None {
		until = p.HTML("posting.valid-later")
	}
	f.add("field.valid-until", until)
	f.add("posting.replaced-by", voice(string(h.ReplacedBy)))
	f.add("field.updated", voice(p.Moment(h.Updated)))
	return f.list
}

// deeds are the buttons for what may be done now.
func deeds(p *lang.Printer, h *posting.Posting, allowed []posting.Action) (list []deed) {
	for _, action := range allowed {
		switch action {
		case posting.Renew, posting.Hold, posting.Lift, posting.Recall:
			word := string(action)
			list = append(list, deed{postingPath(h.ID) + "/" + word, p.HTML("deed." + word), p.HTML("deed." + word + ".says")})
		}
	}
	return list
}

// ends are the links to the pages that ask before something is ended.
func ends(p *lang.Printer, h *posting.Posting, allowed []posting.Action) (list []deed) {
	for _, action := range endings() {
		if slices.Contains(allowed, action) {
			word := string(action)
			list = append(list, deed{postingPath(h.ID) + "/" + word, p.HTML("deed." + word), p.HTML("write.end." + word)})
		}
	}
	return list
}

// deedDone says what was done, as far as the listing bears it out: addresses can be made up.
func (s *site) deedDone(p *lang.Printer, h *posting.Posting, action posting.Action) template.HTML {
	switch {
	case action == posting.Renew && h.Renewals > 0 && h.Live == posting.Published:
		return p.HTML("posting.done.renewed", "Date", h.ValidUntil)
	case action == posting.Hold && h.Live == posting.OnHold:
		return p.HTML("posting.done.held")
	case action == posting.Lift && h.State(s.today()) == posting.Expired:
		return p.HTML("posting.done.lifted-expired")
	case action == posting.Lift && h.Live == posting.Published:
		return p.HTML("posting.done.lifted")
	case action == posting.Submit && (h.Draft == posting.Submitted || h.Draft == posting.InReview):
		return p.HTML("write.done.submit")
	case action == posting.Publish && h.Live == posting.Published:
		return p.HTML("write.done.publish")
	case action == posting.Recall && h.Draft == posting.Draft:
		return p.HTML("write.done.recall")
	case action == posting.Discard && h.Draft == posting.None && h.Live != posting.None,
		action == posting.Withdraw && h.Live == posting.Withdrawn, action == posting.Supersede && h.Live == posting.Superseded, action == posting.Revoke && h.Live == posting.Revoked:
		return p.HTML("write.done", "What", actionInWords(p, action))
	}
	return ""
}

func reviewOf(p *lang.Printer, v *posting.Review) *reviewShown {
	f := factList{p: p}
	verdict := v.Verdict
	if v.Audit {
		if verdict = posting.Clear; v.Verdict != posting.Pass {
			verdict = posting.Fault
		}
	}
	f.add("posting.verdict", actionInWords(p, verdict))
	score := func(key string, n, of int) { f.add(key, p.HTML("posting.score", "Score", n, "Most", of)) }
	score("posting.score.advantages", v.Advantages, posting.MaxScore)
	score("posting.score.clarity", v.Clarity, posting.MaxScore)
	score("posting.score.cooperation", v.Cooperation, posting.MaxScore)
	score("posting.score.guidelines", v.Guidelines, posting.MaxScore)
	score("posting.score.total", v.Total(), 4*posting.MaxScore)
	f.add("posting.reviewed", voice(p.Moment(v.At)))
	return &reviewShown{f.list, v.Comment}
}

func historyOf(p *lang.Printer, e posting.Entry) historyRow {
	row := historyRow{At: p.Moment(e.At), What: actionInWords(p, e.Action), Note: e.Note}
	// What the node could not sign stands there too, with the reason for a note.
	if why, refused := strings.CutPrefix(e.Note, "refused: "); refused && e.From == e.To {
		row.What, row.Note = p.HTML("did.refused", "What", row.What), why
	}
	return row
}

func stateInWords(p *lang.Printer, x posting.State) template.HTML {
	switch x {
	case posting.Draft, posting.Submitted, posting.InReview, posting.Rejected, posting.Published, posting.Expired, posting.OnHold, posting.Withdrawn,
		posting.Superseded, posting.Revoked:
		return p.HTML("state." + string(x))
	}
	return english(p, string(x))
}

func actionInWords(p *lang.Printer, x posting.Action) template.HTML {
	switch x {
	case posting.Create, posting.Edit, posting.Discard, posting.Submit, posting.Publish, posting.Recall, posting.Take, posting.Release, posting.HandOver, posting.TakeAway,
		posting.Pass, posting.Return, posting.Reject, posting.Renew, posting.Hold, posting.Lift, posting.Withdraw, posting.Supersede, posting.Revoke,
		posting.Inspect, posting.PassOn, posting.Clear, posting.Fault, posting.Adopt:
		return p.HTML("did." + string(x))
	}
	return english(p, string(x))
}
