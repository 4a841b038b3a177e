package ui

import (
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/asean-tmh/tmh/node/access"
	"github.com/asean-tmh/tmh/node/door"
	"github.com/asean-tmh/tmh/node/posting"
	"github.com/asean-tmh/tmh/protocol"
)

// The page that mails about a listing lead to: how it stands at its origin, and what one press of a button does to it.

// postingPage is a listing as its organisation and the agency see it.
type postingPage struct {
	frame
	Heading   string
	Done      string // what was done just now
	Wrong     []mistake
	Waits     string // an action that is still to be signed
	Facts     []saidFact
	Catalogue string // address of its public page; "" where there is none
	API       string
	Stands    uint64 // version of the posting, which the forms carry
	Deeds     []deed
	Review    *reviewShown
	History   []historyRow
	Older     int // entries that are not shown
}

// deed is a button.
type deed struct{ Address, Button, About string }

type reviewShown struct {
	Facts   []saidFact
	Comment string
}

type historyRow struct{ At, What, Note string }

// shownHistory is how many entries of the history stand on the page.
const shownHistory = 10

func (s *site) postingPages(get, post func(string, http.HandlerFunc)) {
	get("/postings/{id}", s.behind(s.own(func(_ http.ResponseWriter, r *http.Request, a access.Actor, h *posting.Posting) (view, error) {
		return s.postingView(r, a, h, nil), nil
	})))
	for _, action := range []posting.Action{posting.Renew, posting.Hold, posting.Lift} {
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
			return s.noPosting(), nil
		}
		h, err := s.cfg.House.Postings.Get(a, id)
		switch protocol.CodeOf(err) {
		case protocol.CodeNotFound, protocol.CodeNotPermitted:
			return s.noPosting(), nil
		}
		if err != nil {
			return view{}, err
		}
		return mk(w, r, a, h)
	}
}

func postingPath(id protocol.ListingID) string { return "/postings/" + url.PathEscape(string(id)) }

func (s *site) noPosting() view {
	return s.problemView(http.StatusNotFound, "There is no such listing",
		"This node has no listing of its own under that address, or it is not for you to see.",
		"Look whether you are signed in with the account of the organisation that it belongs to.")
}

// act does what a button says, and leads back to the page.
func (s *site) act(w http.ResponseWriter, r *http.Request, a access.Actor, h *posting.Posting, action posting.Action) (view, error) {
	version, _ := strconv.ParseUint(r.PostFormValue("version"), 10, 64) // none is the version of no listing
	all, id := s.cfg.House.Postings, h.ID
	var err error
	switch action {
	case posting.Renew:
		_, err = all.Renew(r.Context(), a, id, version)
	case posting.Hold:
		_, err = all.Hold(r.Context(), a, id, version, "")
	case posting.Lift:
		_, err = all.Lift(r.Context(), a, id, version)
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
	heading := h.Title
	if heading == "" {
		heading = "A listing without a title"
	}
	p := postingPage{
		frame: s.frame("", heading), Heading: heading, API: "/api/v1" + postingPath(h.ID), Stands: h.Version, Facts: s.standing(h),
		Deeds: deeds(h, s.cfg.House.Postings.Allowed(a, h)),
	}
	if r.Method == http.MethodGet {
		p.Done = s.deedDone(h, posting.Action(r.URL.Query().Get("done")))
	}
	if h.Pending != nil {
		p.Waits = actionInWords(h.Pending.Action)
	}
	if h.Live == posting.Published && h.Level != protocol.LevelInvited {
		p.Catalogue = "/listings/" + url.PathEscape(string(a.Member)) + "/" + url.PathEscape(string(h.ID))
	}
	if h.Review != nil {
		p.Review = reviewOf(h.Review)
	}
	for _, e := range slices.Backward(h.History) {
		if len(p.History) == shownHistory {
			break
		}
		p.History = append(p.History, historyOf(e))
	}
	p.Older = len(h.History) + h.Dropped - len(p.History)
	code := http.StatusOK
	if err != nil {
		p.Title, code = "Error: "+heading, status(err)
		for _, e := range protocol.All(s.fault(r, err)) {
			m := mistake{Text: said(e.Message)}
			if e.Code == protocol.CodeConflict && e.Field == "version" {
				m.Text = "The listing was changed meanwhile, so nothing was done. Below it is shown as it stands now: look at it, then press the button again."
			}
			p.Wrong = append(p.Wrong, m)
		}
	}
	return view{"posting", p, code}
}

// standing is what is said first of all about a listing.
func (s *site) standing(h *posting.Posting) (list []saidFact) {
	add := func(name, value string) {
		if value != "" {
			list = append(list, saidFact{name, [][]speech{spoken(value)}})
		}
	}
	reference := h.Reference
	if reference == "" {
		reference = "given when it is published first"
	}
	add("Reference", reference)
	add("State", stateInWords(h.State(s.today())))
	if h.Live != posting.None && h.Draft != posting.None {
		add("Revision", stateInWords(h.Draft))
	}
	if h.Audit != posting.None {
		add("Audit", map[posting.State]string{posting.Due: "To be audited", posting.InReview: "Being audited"}[h.Audit])
	}
	add("Published on", day(h.PublishedOn))
	until := day(h.ValidUntil)
	if h.ValidUntil == 0 && h.Live == posting.None {
		until = "set when it is published"
	}
	add("Valid until", until)
	add("Replaced by", string(h.ReplacedBy))
	add("Last changed", moment(h.Updated))
	return list
}

// deeds are the buttons for what may be done now.
func deeds(h *posting.Posting, allowed []posting.Action) (list []deed) {
	for _, action := range allowed {
		d := deed{Address: postingPath(h.ID) + "/" + string(action)}
		switch action {
		case posting.Renew:
			d.Button, d.About = "Renew", "Adds a year to its validity."
		case posting.Hold:
			d.Button, d.About = "Put on hold", "Takes it out of the catalogue until the hold is lifted."
		case posting.Lift:
			d.Button, d.About = "Lift the hold", "Puts it back where it was before the hold."
		default:
			continue
		}
		list = append(list, d)
	}
	return list
}

// deedDone says what was done, as far as the listing bears it out: addresses can be made up.
func (s *site) deedDone(h *posting.Posting, action posting.Action) string {
	switch {
	case action == posting.Renew && h.Renewals > 0 && h.Live == posting.Published:
		return "Renewed: the listing is valid until " + day(h.ValidUntil) + "."
	case action == posting.Hold && h.Live == posting.OnHold:
		return "The listing is on hold."
	case action == posting.Lift && h.State(s.today()) == posting.Expired:
		return "The hold is lifted. The validity of the listing has ended meanwhile: renew it."
	case action == posting.Lift && h.Live == posting.Published:
		return "The hold is lifted: the listing is published again."
	}
	return ""
}

func reviewOf(v *posting.Review) *reviewShown {
	x := &reviewShown{Comment: v.Comment}
	add := func(name, value string) { x.Facts = append(x.Facts, saidFact{name, [][]speech{spoken(value)}}) }
	verdict := v.Verdict
	if v.Audit {
		if verdict = posting.Clear; v.Verdict != posting.Pass {
			verdict = posting.Fault
		}
	}
	add("Verdict", actionInWords(verdict))
	for _, score := range []struct {
		name   string
		number int
	}{
		{"Advantages, and what is new", v.Advantages}, {"Clarity", v.Clarity},
		{"What is expected of a partner", v.Cooperation}, {"Guidelines and language", v.Guidelines},
	} {
		add(score.name, strconv.Itoa(score.number)+" of "+strconv.Itoa(posting.MaxScore))
	}
	add("Total", strconv.Itoa(v.Total())+" of "+strconv.Itoa(4*posting.MaxScore))
	add("Reviewed", moment(v.At))
	return x
}

func historyOf(e posting.Entry) historyRow {
	row := historyRow{At: moment(e.At), What: actionInWords(e.Action), Note: e.Note}
	// What the node could not sign stands there too, with the reason for a note.
	if why, refused := strings.CutPrefix(e.Note, "refused: "); refused && e.From == e.To {
		row.What, row.Note = "Refused: "+row.What, why
	}
	return row
}

func stateInWords(x posting.State) string {
	if w := map[posting.State]string{
		posting.Draft: "Draft", posting.Submitted: "Submitted, waits for a reviewer", posting.InReview: "In review", posting.Rejected: "Rejected",
		posting.Published: "Published", posting.Expired: "Expired", posting.OnHold: "On hold", posting.Withdrawn: "Withdrawn",
		posting.Superseded: "Replaced by another listing", posting.Revoked: "Revoked by the agency",
	}[x]; w != "" {
		return w
	}
	return string(x)
}

func actionInWords(x posting.Action) string {
	if w := map[posting.Action]string{
		posting.Create: "Begun", posting.Edit: "Edited", posting.Discard: "Draft discarded", posting.Submit: "Submitted for review",
		posting.Publish: "Published", posting.Recall: "Submission recalled", posting.Take: "Taken by a reviewer", posting.Release: "Released by the reviewer",
		posting.HandOver: "Handed over to another reviewer", posting.Pass: "Passed the review", posting.Return: "Returned, to be revised",
		posting.Reject: "Rejected", posting.Renew: "Renewed", posting.Hold: "Put on hold", posting.Lift: "Hold lifted",
		posting.Withdraw: "Withdrawn", posting.Supersede: "Replaced by another listing", posting.Revoke: "Revoked by the agency",
		posting.Inspect: "Taken for an audit", posting.PassOn: "Audit handed over to another reviewer", posting.Clear: "Passed the audit",
		posting.Fault: "Found wanting by an audit", posting.Adopt: "Taken over from the catalogue",
	}[x]; w != "" {
		return w
	}
	return string(x)
}
