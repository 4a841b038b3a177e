package ui

import (
	"html/template"
	"net/http"
	"slices"
	"strconv"
	"time"

	"github.com/asean-tmh/tmh/node/access"
	"github.com/asean-tmh/tmh/node/exchange"
	"github.com/asean-tmh/tmh/protocol"
	"github.com/asean-tmh/tmh/ui/lang"
)

// Administration of the node: how it is in one look, and the way to people, organisations, audit log, backup and checks.

const adminPath = "/administration"

// adminFrame is what every page of administration has.
type adminFrame struct {
	frame
	Places  []adminPlace // the pages that the visitor may open
	Heading template.HTML
	Done    template.HTML // what was done just now
	Wrong   []mistake
}

type adminPlace struct {
	Href, Name string
	Here       bool
}

// adminPage is the overview.
type adminPage struct {
	adminFrame
	Faults, Warnings []template.HTML // said by the node itself
	Steps            template.HTML   // how far the first steps are; "" where nothing is left of them
	Rows             []adminRow
}

// adminRow leads to a page, and says how things stand there.
type adminRow struct {
	ID, Href  string
	Name, How template.HTML
	Tag       template.HTML
	Class     string // of the tag: "good", "wait", "bad"
}

func (s *site) adminPages(get, post func(string, http.HandlerFunc)) {
	get(adminPath, s.administered(access.ReadSettings, s.adminOverview))
	s.adminPeople(get, post)
	s.adminOrganisations(get, post)
	get(auditPath, s.administered(access.ReadAudit, s.auditLog))
	get(auditPath+"/verify", s.sentTo(auditPath))
	post(auditPath+"/verify", s.administered(access.ReadAudit, s.verifyLog))
	get(adminPath+"/backup", s.administered(access.ReadSettings, s.backupPage))
	get(checksPath, s.administered(access.ReadSettings, s.checks))
	post(checksPath, s.administered(access.ReadSettings, s.checkAgain))
}

// administered makes a page for who may do that on this node; people without the right are told so.
func (s *site) administered(action access.Action, mk func(http.ResponseWriter, *http.Request, access.Actor) (view, error)) http.HandlerFunc {
	return s.mine(func(w http.ResponseWriter, r *http.Request, a access.Actor) (view, error) {
		if !may(a, action) {
			return s.closed(r, a, "admin.closed"), nil
		}
		return mk(w, r, a)
	})
}

// nothing is the page for an address of something that is not there; next leads to what is.
func (s *site) nothing(r *http.Request, what, to, name string) view {
	v := s.problemView(r, http.StatusNotFound, what)
	p := printer(r)
	page, _ := v.model.(problemPage)
	page.Next = p.HTML("admin.nothing.next", "Page", p.HTML(name), lang.NewSlot("a", "href", to))
	v.model = page
	return v
}

// closed says whose page it is, of the keys KEY.title and .text, and where the visitor's own is.
func (s *site) closed(r *http.Request, a access.Actor, key string) view {
	p := printer(r)
	to, name := "", ""
	switch {
	case may(a, access.ReadSettings):
		to, name = adminPath, "nav.admin"
	case slices.Contains(a.Roles, access.Reviewer):
		to, name = "/desk", "nav.desk"
	case slices.Contains(a.Roles, access.Editor) && a.Organisation != "":
		to, name = organisationPath(a.Organisation), "nav.organisation"
	}
	next := p.HTML("office.closed-find", lang.NewSlot("a", "href", "/"), lang.NewSlot("a2", "href", "/saved"))
	if to != "" {
		next = p.HTML("admin.closed.next", "Page", p.HTML(name), lang.NewSlot("a", "href", to))
	}
	return view{"problem", problemPage{frame: s.frame(r, "", p.T(key+".title")), Heading: p.HTML(key + ".title"), Text: p.HTML(key + ".text"), Next: next}, http.StatusForbidden}
}

// sentTo answers who opens the address of a form, such as by the language menu of its answer.
func (s *site) sentTo(path string) http.HandlerFunc {
	return s.mine(func(w http.ResponseWriter, r *http.Request, _ access.Actor) (view, error) { return moved(w, r, path) })
}

// may reports whether the actor may do that on this node.
func may(a access.Actor, action access.Action) bool {
	return access.Can(a, action, access.Resource{}) == nil
}

// adminFrame of the page at that address of the menu.
func (s *site) adminFrame(r *http.Request, a access.Actor, here, title string) adminFrame {
	p := printer(r)
	f := adminFrame{frame: s.frame(r, "admin", title), Heading: voice(title)}
	for _, x := range []struct {
		path, key string
		needs     access.Action
	}{
		{adminPath, "admin.overview", access.ReadSettings}, {checksPath, "nav.checks", access.ReadSettings}, {peoplePath, "nav.people", access.InvitePerson},
		{organisationsPath, "admin.organisations", access.CreateOrganisation}, {auditPath, "nav.audit", access.ReadAudit}, {adminPath + "/backup", "nav.backup", access.ReadSettings},
		{welcomePath, "welcome.title", access.EditSettings},
	} {
		if may(a, x.needs) {
			f.Places = append(f.Places, adminPlace{x.path, p.T(x.key), x.path == here})
		}
	}
	return f
}

// keyed is adminFrame with the text of a key for its title.
func (s *site) keyed(r *http.Request, a access.Actor, here, key string) adminFrame {
	f := s.adminFrame(r, a, here, printer(r).T(key))
	f.Heading = printer(r).HTML(key)
	return f
}

// refused puts what was wrong above the page, and gives the page's status.
func (f *adminFrame) refused(p *lang.Printer, err error) int {
	if err == nil {
		return http.StatusOK
	}
	f.Title = p.T("layout.error", "Page", f.Title)
	for _, e := range protocol.All(err) {
		m := mistake{Text: stated(p, e.Message)}
		if e.Code == protocol.CodeConflict && e.Field == "version" {
			m.Text = p.HTML("form.changed")
		}
		f.Wrong = append(f.Wrong, m)
	}
	return status(err)
}

func (s *site) adminOverview(_ http.ResponseWriter, r *http.Request, a access.Actor) (view, error) {
	say := printer(r)
	p := adminPage{adminFrame: s.keyed(r, a, adminPath, "nav.admin")}
	h := s.cfg.Desk.Health()
	for _, x := range h.Faults {
		p.Faults = append(p.Faults, stated(say, x))
	}
	for _, x := range h.Warnings {
		p.Warnings = append(p.Warnings, stated(say, x))
	}
	if may(a, access.EditSettings) && cookie(r, stepsCookie) != "done" {
		w, err := s.steps(r, a)
		if err != nil {
			return view{}, err
		}
		if w.Left > 0 {
			p.Steps = say.HTML("welcome.sum", "Done", w.DoneOf, "All", len(w.Tasks))
		}
	}
	if s.cfg.Examine != nil {
		p.Rows = append(p.Rows, s.checksRow(r))
	}
	for _, row := range []func(*http.Request, access.Actor) (adminRow, error){s.peopleRow, s.organisationsRow, s.auditRow, s.backupRow, s.mailRow} {
		x, err := row(r, a)
		if err != nil {
			return view{}, err
		}
		if x.Href != "" {
			p.Rows = append(p.Rows, x)
		}
	}
	p.Rows = append(p.Rows, s.federationRow(r))
	return view{"admin", p, http.StatusOK}, nil
}

func (s *site) peopleRow(r *http.Request, a access.Actor) (x adminRow, err error) {
	if !may(a, access.InvitePerson) {
		return x, nil
	}
	p := printer(r)
	people, err := pagesOf(func(q access.Page) (int, string, error) {
		all, next, err := s.cfg.House.People.Users(a, access.UserFilter{}, q)
		return len(all), next, err
	})
	if err != nil {
		return x, err
	}
	open, err := pagesOf(func(q access.Page) (int, string, error) {
		all, next, err := s.cfg.House.People.Invitations(a, q)
		return len(all), next, err
	})
	x = adminRow{ID: "people", Href: peoplePath, Name: p.HTML("nav.people"), How: p.HTML("admin.people.sum", "People", p.TextN("count.people", people), "Open", open)}
	return x, err
}

// mostTallied pages of a list are counted, so that a very long one cannot hold the page up.
const mostTallied = 20

func pagesOf(page func(access.Page) (int, string, error)) (count int, err error) {
	q := access.Page{Limit: 500}
	for range mostTallied {
		n, next, err := page(q)
		if count += n; err != nil || next == "" {
			return count, err
		}
		q.Cursor = next
	}
	return count, nil
}

func (s *site) organisationsRow(r *http.Request, a access.Actor) (x adminRow, err error) {
	if !may(a, access.CreateOrganisation) {
		return x, nil
	}
	p := printer(r)
	n, err := pagesOf(func(q access.Page) (int, string, error) {
		all, next, err := s.cfg.House.People.Organisations(a, q)
		return len(all), next, err
	})
	return adminRow{ID: "organisations", Href: organisationsPath, Name: p.HTML("admin.organisations"), How: p.HTMLN("count.organisations", n)}, err
}

func (s *site) auditRow(r *http.Request, a access.Actor) (x adminRow, err error) {
	if !may(a, access.ReadAudit) {
		return x, nil
	}
	p := printer(r)
	head, err := s.cfg.House.LogHead(a)
	x = adminRow{ID: "audit", Href: auditPath, Name: p.HTML("nav.audit"), How: p.HTML("admin.audit.empty")}
	if head.Seq > 0 {
		x.How = p.HTML("admin.audit.sum", "N", strconv.FormatUint(head.Seq, 10), "Hash", shortHash(head.Hash), lang.NewSlot("code"))
	}
	return x, err
}

func (s *site) mailRow(r *http.Request, a access.Actor) (x adminRow, err error) {
	p := printer(r)
	h, err := s.cfg.House.Mail.Health()
	if err != nil {
		return x, err
	}
	x = adminRow{ID: "mail", Href: checksPath, Name: p.HTML("admin.mail"), How: p.HTML("admin.mail.off")}
	if may(a, access.EditSettings) {
		x.Href = welcomePath + "/mail"
	}
	if h.Enabled {
		x.How = p.HTML("admin.mail.sum", "Waiting", h.Waiting, "Sent", h.Sent, "Failed", h.Failed)
		x.Tag, x.Class = levelInWords(p, exchange.Fine), levelClass(exchange.Fine)
		if h.Trouble != "" || h.Failed > 0 {
			x.Tag, x.Class = levelInWords(p, exchange.Warning), levelClass(exchange.Warning)
		}
	}
	return x, nil
}

func (s *site) federationRow(r *http.Request) adminRow {
	p := printer(r)
	heard, others := s.heard()
	x := adminRow{ID: "federation", Href: "/federation", Name: p.HTML("nav.federation"), How: p.HTML("admin.federation.sum", "Heard", heard, "Members", others)}
	x.Tag, x.Class = levelInWords(p, exchange.Fine), levelClass(exchange.Fine)
	if heard < others {
		x.Tag, x.Class = levelInWords(p, exchange.Warning), levelClass(exchange.Warning)
	}
	return x
}

// heard counts the other members, and those whose newest sign of life is not out of date.
func (s *site) heard() (heard, others int) {
	now := protocol.InstantOf(s.cfg.Now())
	for _, m := range s.cfg.Desk.Members() {
		if m.Self {
			continue
		}
		others++
		if m.LastHeard != 0 && now < m.LeaseUntil {
			heard++
		}
	}
	return heard, others
}

func levelInWords(p *lang.Printer, l exchange.Level) template.HTML {
	switch l {
	case exchange.Fault:
		return p.HTML("admin.level.fault")
	case exchange.Warning:
		return p.HTML("admin.level.warning")
	}
	return p.HTML("admin.level.fine")
}

func levelClass(l exchange.Level) string {
	switch l {
	case exchange.Fault:
		return "bad"
	case exchange.Warning:
		return "wait"
	}
	return "good"
}

// moment in words, and how long ago that is; both empty for none.
func (s *site) moment(p *lang.Printer, t time.Time) (at string, ago template.HTML) {
	if t.IsZero() {
		return "", ""
	}
	return p.Moment(protocol.InstantOf(t)), p.Say(p.AgoText(s.cfg.Now().Sub(t)))
}

func shortHash(h protocol.Hash) string { return h.Short() }
