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
	"github.com/asean-tmh/tmh/ui/lang"
)

// One case of the desk: the listing, what speaks for and against it, and the form that decides.

// casePage is a listing as a reviewer judges it.
type casePage struct {
	frame
	Address   string
	Heading   template.HTML
	Wrong     []mistake
	Facts     []fact
	Listing   string // address of the page of the posting
	Notices   []template.HTML
	Stands    uint64 // version, which the forms carry
	Takes     bool
	TakeAbout template.HTML
	Hands     string        // address of the page by which the case gets into other hands
	HandsText template.HTML // what that is called
	Revokes   string        // address of the page that asks for the reason
	Note      string        // of who had the case before
	Form      *reviewForm
	Nothing   template.HTML // why there is no text
	Texts     []textView
	Summary   []fact
	Full      []recordTextView
	Sections  []recordSection
	Changes   []difference
	Unchanged bool // the new version says what the published one says
	Points    int
	Checks    []check
	Undone    int // of the checks
	Suspects  []suspectRow
	Unlooked  bool // whether there are suspects is not known
	Earlier   []earlierReview
	Parts     []option // of the page, to go to
}

// reviewForm has the scores that were given so far.
type reviewForm struct {
	Scores       []scoreField
	Comment      string
	CommentWrong template.HTML
	Most         int // characters of the comment
	Rules        []template.HTML
	Outcome      template.HTML // "" while a score is missing
	Class        string        // of the outcome
	Audit        bool
}

type scoreField struct {
	Name, ID string
	Label    template.HTML
	Wrong    template.HTML
	Choices  []option
}

type check struct {
	Name, How template.HTML
	Done      bool
}

type suspectRow struct {
	Href   string
	Title  template.HTML
	Member lang.Text
	Why    []template.HTML
}

type earlierReview struct {
	reviewShown
	Verdict, Reviewer template.HTML
}

// unscored is a criterion without a score.
const unscored = -1

func criteria() []string { return []string{"advantages", "clarity", "cooperation", "guidelines"} }

// scoresOf a form, or of the address of a page that is asked what they would lead to.
func scoresOf(sent url.Values) posting.Scores {
	n := make([]int, len(criteria()))
	for i, name := range criteria() {
		n[i] = unscored
		if v, err := strconv.Atoi(sent.Get(name)); err == nil && v >= 0 && v <= posting.MaxScore {
			n[i] = v
		}
	}
	return posting.Scores{Advantages: n[0], Clarity: n[1], Cooperation: n[2], Guidelines: n[3]}
}

func scoreList(x posting.Scores) []int {
	return []int{x.Advantages, x.Clarity, x.Cooperation, x.Guidelines}
}

// decide does what a button of the case says.
func (s *site) decide(w http.ResponseWriter, r *http.Request, a access.Actor, h *posting.Posting) (view, error) {
	version, _ := strconv.ParseUint(r.PostFormValue("version"), 10, 64) // none is the version of no listing
	all, scores, comment := s.cfg.House.Postings, scoresOf(r.PostForm), r.PostFormValue("comment")
	var err error
	to := casePath(h.ID)
	switch r.PostFormValue("deed") {
	case "take":
		_, err = all.Take(r.Context(), a, h.ID, version)
	case "review":
		_, err = all.Judge(r.Context(), a, h.ID, version, scores, comment)
		to = "/desk?done=review&case=" + url.QueryEscape(string(h.ID))
	default:
		return s.problemView(r, http.StatusBadRequest, "form"), nil
	}
	if err == nil {
		return moved(w, r, to)
	}
	now, again := all.Get(a, h.ID)
	if again != nil {
		return view{}, again
	}
	return s.caseView(r, a, now, scores, comment, err)
}

// caseView shows the case; err is why a button did not do what it says.
func (s *site) caseView(r *http.Request, a access.Actor, h *posting.Posting, scores posting.Scores, comment string, fault error) (view, error) {
	say := printer(r)
	title := h.Title
	if title == "" {
		title = say.T("posting.untitled")
	}
	p := casePage{
		frame: s.frame(r, "", say.T("form.fault", "Field", say.T("nav.desk"), "Fault", title)), Address: casePath(h.ID), Heading: titleOf(say, h),
		Listing: postingPath(h.ID), Stands: h.Version, Facts: s.caseFacts(say, a, h),
	}
	p.Live = true
	s.fillDeeds(say, &p, a, h)
	code := http.StatusOK
	if fault != nil {
		p.Title, code = say.T("layout.error", "Page", p.Title), status(fault)
		fault = s.fault(r, fault)
	}
	if slices.Contains(s.cfg.House.Postings.Allowed(a, h), posting.Pass) || slices.Contains(s.cfg.House.Postings.Allowed(a, h), posting.Clear) {
		p.Form = newReviewForm(say, h, scores, comment)
	}
	p.Wrong = p.dress(say, fault)
	if r.Header.Get("HX-Request") != "" { // what the scores lead to is all that is wanted
		return view{"desk-case", p, code}, nil
	}
	if err := s.fillCase(r, &p, a, h); err != nil {
		return view{}, err
	}
	return view{"desk-case", p, code}, nil
}

func (s *site) caseFacts(p *lang.Printer, a access.Actor, h *posting.Posting) []fact {
	f := factList{p: p}
	f.add("field.organisation", s.organisationName(a, h.Organisation))
	f.add("field.kind", named(p, "kind", string(h.Kind)))
	var states []template.HTML
	for _, t := range s.tags(p, h) {
		states = append(states, t.Text)
	}
	f.add("field.state", states...)
	f.add("field.reference", voice(h.Reference))
	if h.Submitted != 0 {
		f.add("desk.waits", p.Say(s.agoOf(p, h.Submitted)))
	}
	if h.Draft == posting.InReview || h.Audit == posting.InReview {
		f.add("desk.has-it", p.HTML("desk.taken-by", "Person", s.personName(p, a, h.Reviewer), "Ago", s.agoOf(p, h.Taken)))
	}
	return f.list
}

// personName is somebody's name, where the rules show it.
func (s *site) personName(p *lang.Printer, a access.Actor, id access.UserID) template.HTML {
	if id == a.User {
		return p.HTML("word.you")
	}
	if u, err := s.cfg.House.People.User(a, id); err == nil && u.Name != "" {
		return voice(u.Name)
	}
	return p.HTML("desk.another")
}

// fillDeeds puts in what may be done, and says why the rest may not.
func (s *site) fillDeeds(p *lang.Printer, c *casePage, a access.Actor, h *posting.Posting) {
	for _, x := range s.cfg.House.Postings.Allowed(a, h) {
		switch x {
		case posting.Take, posting.Inspect:
			c.Takes, c.TakeAbout = true, p.HTML("desk.take-says")
			if h.Draft == posting.InReview || h.Audit == posting.InReview {
				c.TakeAbout = p.HTML("desk.take-over-says")
			}
		case posting.Release:
			c.Hands, c.HandsText = casePath(h.ID)+"/hand", p.HTML("desk.hand")
		case posting.TakeAway:
			c.Hands, c.HandsText = casePath(h.ID)+"/hand", p.HTML("deed.take-away")
		case posting.Revoke:
			c.Revokes = casePath(h.ID) + "/revoke"
		}
	}
	open := h.Draft == posting.Submitted || h.Draft == posting.InReview || h.Audit != posting.None
	taken := h.Draft == posting.InReview || h.Audit == posting.InReview
	if open {
		c.Note = handNote(h)
	}
	note := func(key string) { c.Notices = append(c.Notices, p.HTML(key)) }
	switch {
	case h.Pending != nil:
		c.Notices = append(c.Notices, p.HTML("posting.waits", "What", actionInWords(p, h.Pending.Action)))
	case !open && h.Ended():
		note("desk.over")
	case !open:
		note("desk.not-waiting")
	case !slices.Contains(a.Roles, access.Reviewer):
		note("desk.read-only")
	case !posting.MayReview(a, h):
		note("desk.own-says")
	case taken && h.Reviewer != a.User && !c.Takes:
		note("desk.other-has")
	}
}

func newReviewForm(p *lang.Printer, h *posting.Posting, scores posting.Scores, comment string) *reviewForm {
	f := &reviewForm{Comment: comment, Most: posting.MaxComment, Audit: h.Draft != posting.InReview}
	missing := false
	for i, name := range criteria() {
		given := scoreList(scores)[i]
		missing = missing || given == unscored
		x := scoreField{Name: name, ID: "review-" + name, Label: p.HTML("posting.score." + name)}
		for n := range posting.MaxScore + 1 {
			x.Choices = append(x.Choices, option{Value: strconv.Itoa(n), Label: p.Number(n), Selected: n == given})
		}
		f.Scores = append(f.Scores, x)
	}
	rules := []string{"desk.rule.pass", "desk.rule.reject", "desk.rule.return"}
	if f.Audit {
		rules = []string{"desk.rule.clear", "desk.rule.fault"}
	}
	for _, key := range rules {
		f.Rules = append(f.Rules, p.HTML(key))
	}
	if !missing {
		verdict := outcomeOf(scores.Verdict(), f.Audit)
		f.Class = map[posting.Action]string{posting.Pass: "good", posting.Clear: "good", posting.Return: "wait"}[verdict]
		if f.Class == "" {
			f.Class = "bad"
		}
		f.Outcome = p.HTML("desk.outcome", "Score", scores.Total(), "Most", 4*posting.MaxScore, "Verdict", p.HTML("desk.outcome."+string(verdict)))
	}
	return f
}

// dress gives what was wrong to the fields of the form, and all of it to the summary.
func (c *casePage) dress(p *lang.Printer, err error) (list []mistake) {
	if err == nil {
		return nil
	}
	for _, e := range protocol.All(err) {
		m := mistake{Text: stated(p, e.Message)}
		switch {
		case e.Code == protocol.CodeConflict && e.Field == "version":
			m.Text = p.HTML("posting.changed")
		case e.Field == "reviewer":
			m.Text = p.HTML("desk.other-has")
		case c.Form != nil && e.Field == "comment":
			if e.Code == protocol.CodeRequired {
				m.Text = p.HTML("desk.comment-wanted")
			}
			m.ID, c.Form.CommentWrong = "review-comment", m.Text
		case c.Form != nil:
			for i := range c.Form.Scores {
				if x := &c.Form.Scores[i]; x.Name == e.Field {
					x.Wrong = p.HTML("desk.score-wanted")
					m = mistake{x.ID + "-0", p.HTML("form.fault", "Field", x.Label, "Fault", x.Wrong)}
				}
			}
		}
		list = append(list, m)
	}
	return list
}

// fillCase puts in the texts and what they are judged by.
func (s *site) fillCase(r *http.Request, c *casePage, a access.Actor, h *posting.Posting) error {
	say, all := printer(r), s.cfg.House.Postings
	_, content, err := all.Content(a, h.ID)
	if err != nil {
		return err
	}
	if content == nil {
		c.Nothing = say.HTML("desk.over")
	} else {
		s.fillContent(say, c, h, content)
		if h.Live != posting.None && h.Draft != posting.None {
			_, live, err := all.LiveContent(a, h.ID)
			if err != nil {
				return err
			}
			c.Changes = differences(say, live, content)
			c.Unchanged = len(c.Changes) == 0
		}
		list := posting.Completeness(&content.Listing, &content.Record)
		c.Points, c.Checks = list.Points, checks(say, list)
		for _, x := range c.Checks {
			if !x.Done {
				c.Undone++
			}
		}
		like, err := s.alike(r.Context(), content)
		c.Unlooked = err != nil
		for _, x := range like {
			c.Suspects = append(c.Suspects, s.suspect(say, x))
		}
	}
	reviews, err := all.Reviews(a, h.ID)
	for _, v := range slices.Backward(reviews) {
		what := say.HTML("form.fault", "Field", voice(say.Date(protocol.DateOf(v.At.Time()))), "Fault", verdictOf(say, &v))
		c.Earlier = append(c.Earlier, earlierReview{*reviewOf(say, &v), what, s.personName(say, a, v.Reviewer)})
	}
	c.Parts = c.parts(say)
	return err
}

// parts of the page that one can go to, in their order.
func (c *casePage) parts(p *lang.Printer) (list []option) {
	add := func(there bool, id, key string) {
		if there {
			list = append(list, option{Value: "#" + id, Label: p.T(key)})
		}
	}
	add(len(c.Suspects) > 0 || c.Unlooked, "suspects", "desk.part.suspects")
	add(len(c.Checks) > 0, "checks", "nav.checks")
	add(len(c.Earlier) > 0, "earlier", "desk.earlier")
	add(len(c.Changes) > 0, "changes", "desk.part.changes")
	add(len(c.Texts) > 0, "summary", "desk.summary")
	add(len(c.Full)+len(c.Sections) > 0, "record", "record.heading")
	add(c.Form != nil, "review", "desk.judge")
	return list
}

func (s *site) suspect(p *lang.Printer, x posting.Suspect) suspectRow {
	row := suspectRow{Href: "/listings/" + url.PathEscape(string(x.Origin)) + "/" + url.PathEscape(string(x.ID)), Title: voice(x.Title), Member: s.memberName(p, x.Origin)}
	if x.Title == "" {
		row.Title = voice(string(x.ID))
	}
	for _, why := range x.Why {
		row.Why = append(row.Why, stated(p, why))
	}
	return row
}
