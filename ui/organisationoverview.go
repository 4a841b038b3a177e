package ui

import (
	"html/template"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/asean-tmh/tmh/node/access"
	"github.com/asean-tmh/tmh/node/intake"
	"github.com/asean-tmh/tmh/node/posting"
	"github.com/asean-tmh/tmh/protocol"
	"github.com/asean-tmh/tmh/ui/lang"
)

// The organisation at a glance: how its listings stand, and what is to be done.

type officeOverview struct {
	Facts   []fact
	Reads   bool
	Counts  []officeCount
	Tasks   []officeTask
	Ending  []endingRow
	Ended   bool          // there are more that end soon than are shown
	Nothing template.HTML // what to do where there is no listing yet
}

type officeCount struct {
	Href          string
	Number, State template.HTML
}

type officeTask struct {
	Href, ID    string
	Title, Hint template.HTML
	Tag         stateTag
}

// endingRow is a listing whose validity ends soon, or has ended.
type endingRow struct {
	Href, ID, Version string
	Title, Until      template.HTML
	Tag               stateTag
	Renews            bool
}

const (
	mostCounted = posting.MaxPage // postings of one state
	mostLooked  = 1000            // published ones, for those that end soon
	mostTasks   = 8
	mostEnding  = 10
	soon        = 60 // days
	mostJobs    = 20
)

func (s *site) officeOverview(_ http.ResponseWriter, r *http.Request, a access.Actor, o office) (view, error) {
	return s.overviewView(r, a, o, nil)
}

func (s *site) overviewView(r *http.Request, a access.Actor, o office, fault error) (view, error) {
	say := printer(r)
	p := s.officePage(r, a, o, "office.overview", "")
	p.Overview = &officeOverview{Facts: officeFacts(say, o), Reads: o.reads}
	code := http.StatusOK
	if fault != nil {
		p.Title, code = say.T("layout.error", "Page", p.Title), status(fault)
		p.Wrong = s.postingFaults(r, fault)
	}
	if r.Method == http.MethodGet && o.reads {
		p.Done = s.renewed(say, a, o, r.URL.Query().Get("renewed"))
	}
	if !o.reads {
		return view{"organisation", p, code}, nil
	}
	if err := s.fillOverview(say, p.Overview, a, o); err != nil {
		return view{}, err
	}
	return view{"organisation", p, code}, nil
}

func officeFacts(p *lang.Printer, o office) []fact {
	f := factList{p: p}
	f.add("field.organisation-type", named(p, "organisation", o.Type))
	f.add("field.size", named(p, "size", o.Size))
	f.add("field.country", named(p, "country", string(o.Country)))
	f.add("field.contact", voice(o.Contact.Name), voice(o.Contact.Email), voice(o.Contact.Phone), voice(o.Contact.URL))
	how := p.HTML("office.reviewed")
	if o.SelfPublish {
		how = p.HTML("office.self-publish")
	}
	f.add("office.publication", how)
	if o.Scored {
		f.add("office.last-score", p.HTML("posting.score", "Score", o.LastScore, "Most", 4*posting.MaxScore))
	}
	if o.Disabled {
		f.add("field.state", p.HTML("office.disabled"))
	}
	return f.list
}

func (s *site) fillOverview(say *lang.Printer, v *officeOverview, a access.Actor, o office) error {
	for _, state := range posting.States() {
		most := mostCounted
		if state == posting.Published || state == posting.Expired {
			most = mostLooked
		}
		all, more, err := s.gather(a, posting.Filter{Organisation: o.ID, State: state}, most)
		if err != nil {
			return err
		}
		if len(all) == 0 && !more {
			continue
		}
		number := template.HTML(say.Number(len(all))) //nolint:gosec // figures
		if more {
			number = say.HTML("office.count-more", "N", len(all))
		}
		v.Counts = append(v.Counts, officeCount{o.path + "/listings?state=" + string(state), number, stateInWords(say, state)})
		for _, h := range all {
			s.mind(say, v, a, h, state)
		}
	}
	if err := s.mindRevisions(say, v, a, o); err != nil {
		return err
	}
	s.mindImports(say, v, a, o)
	if len(v.Counts) == 0 {
		v.Nothing = say.HTML("office.nothing")
		if o.posts {
			v.Nothing = say.HTML("office.nothing-post")
		}
	}
	return nil
}

// mind notes what is to be done about a posting.
func (s *site) mind(p *lang.Printer, v *officeOverview, a access.Actor, h *posting.Posting, state posting.State) {
	switch {
	case returned(h) && h.Live == posting.None:
		v.task(p, h, "did.return")
	case h.Draft == posting.Rejected && h.Live == posting.None:
		v.task(p, h, "did.reject")
	case faulted(h):
		v.task(p, h, "did.fault")
	}
	left := int(h.ValidUntil) - int(s.today())
	if h.ValidUntil == 0 || state != posting.Published && state != posting.Expired || left > soon {
		return
	}
	if len(v.Ending) == mostEnding {
		v.Ended = true
		return
	}
	row := endingRow{
		Href: postingPath(h.ID), ID: string(h.ID), Version: strconv.FormatUint(h.Version, 10), Title: titleOf(p, h), Until: voice(p.Date(h.ValidUntil)),
		Tag: stateTag{"wait", p.HTMLN("when.days-left", left)},
	}
	if state == posting.Expired {
		row.Tag = tagOf(p, posting.Expired)
	}
	for _, x := range s.cfg.House.Postings.Allowed(a, h) {
		row.Renews = row.Renews || x == posting.Renew
	}
	v.Ending = append(v.Ending, row)
}

// task is about a posting that a reviewer had; the hint is what the reviewer wrote.
func (v *officeOverview) task(p *lang.Printer, h *posting.Posting, key string) {
	if len(v.Tasks) == mostTasks {
		return
	}
	t := officeTask{Href: postingPath(h.ID), ID: "task-" + strconv.Itoa(len(v.Tasks)+1), Title: titleOf(p, h), Tag: stateTag{"bad", p.HTML(key)}}
	if h.Review != nil && h.Review.Comment != "" {
		t.Hint = voice(shortened(h.Review.Comment, 140))
	}
	v.Tasks = append(v.Tasks, t)
}

// mindRevisions looks at new versions of what is published, which stand beside it.
func (s *site) mindRevisions(p *lang.Printer, v *officeOverview, a access.Actor, o office) error {
	for _, state := range []posting.State{posting.Draft, posting.Rejected} {
		all, _, err := s.gather(a, posting.Filter{Organisation: o.ID, Revision: state}, mostCounted)
		if err != nil {
			return err
		}
		for _, h := range all {
			switch {
			case h.Draft == posting.Rejected:
				v.task(p, h, "did.reject")
			case returned(h):
				v.task(p, h, "did.return")
			}
		}
	}
	return nil
}

// mindImports names those of the newest imports that failed or wait for somebody.
func (s *site) mindImports(p *lang.Printer, v *officeOverview, a access.Actor, o office) {
	if s.cfg.House.Imports == nil || access.Can(a, access.ReadImport, access.Resource{Organisation: o.ID}) != nil {
		return
	}
	jobs, err := s.cfg.House.Imports.Jobs(a, o.ID, "", mostJobs)
	if err != nil { // the page is worth showing without them
		s.cfg.Log.Warn("imports not listed", "organisation", o.ID, "error", err)
		return
	}
	recent := s.cfg.Now().Add(-14 * 24 * time.Hour)
	for _, j := range jobs {
		tag := stateTag{"bad", p.HTML("office.import-failed")}
		switch {
		case j.State == intake.Waiting:
			tag = stateTag{"wait", p.HTML("office.import-waits")}
		case j.State != intake.Failed || j.Ended.Time().Before(recent):
			continue
		}
		name := voice(j.Filename)
		if j.Repository != "" {
			name = voice(j.Repository)
		}
		v.Tasks = append(v.Tasks, officeTask{
			Href: importPath(j.ID), ID: "task-" + strconv.Itoa(len(v.Tasks)+1), Title: name, Hint: p.HTML("nav.imports"), Tag: tag,
		})
	}
}

// shortened text, on one line.
func shortened(text string, most int) string {
	text = strings.Join(strings.Fields(text), " ")
	runes := []rune(text)
	if len(runes) <= most {
		return text
	}
	for most > 1 && joined(runes[most-1], runes[most]) {
		most--
	}
	return string(runes[:most]) + "…"
}

// renewOne renews a listing from the list of those that end soon, and leads back to it.
func (s *site) renewOne(w http.ResponseWriter, r *http.Request, a access.Actor, o office) (view, error) {
	version, _ := strconv.ParseUint(r.PostFormValue("version"), 10, 64) // none is the version of no listing
	id, err := protocol.ParseListingID(r.PostFormValue("id"))
	var h *posting.Posting
	if err == nil {
		h, err = s.cfg.House.Postings.Get(a, id)
	}
	if err != nil || h.Organisation != o.ID {
		return s.noPosting(r), nil
	}
	if _, err := s.cfg.House.Postings.Renew(r.Context(), a, id, version); err != nil {
		return s.overviewView(r, a, o, err)
	}
	return moved(w, r, o.path+"?renewed="+url.QueryEscape(string(id)))
}

// renewed says so of the listing that the address names, as far as it bears it out: addresses can be made up.
func (s *site) renewed(p *lang.Printer, a access.Actor, o office, named string) template.HTML {
	id, err := protocol.ParseListingID(named)
	if err != nil {
		return ""
	}
	h, err := s.cfg.House.Postings.Get(a, id)
	if err != nil || h.Organisation != o.ID || h.Renewals == 0 || h.Live != posting.Published {
		return ""
	}
	return p.HTML("posting.done.renewed", "Date", h.ValidUntil)
}

// postingFaults are what was wrong with an action on a posting.
func (s *site) postingFaults(r *http.Request, err error) (list []mistake) {
	p := printer(r)
	for _, e := range protocol.All(s.fault(r, err)) {
		m := mistake{Text: stated(p, e.Message)}
		if e.Code == protocol.CodeConflict && e.Field == "version" {
			m.Text = p.HTML("posting.changed")
		}
		list = append(list, m)
	}
	return list
}
