package ui

import (
	"errors"
	"html/template"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"github.com/asean-tmh/tmh/node/access"
	"github.com/asean-tmh/tmh/node/door"
	"github.com/asean-tmh/tmh/node/intake"
	"github.com/asean-tmh/tmh/node/interop"
	"github.com/asean-tmh/tmh/node/table"
	"github.com/asean-tmh/tmh/protocol"
	"github.com/asean-tmh/tmh/ui/lang"
)

// Imports of an organisation: files and repositories, mappings, how a job goes on, what it refused.

func (s *site) importPages(_ *http.ServeMux, get, post func(string, http.HandlerFunc)) {
	if s.cfg.House.Imports == nil {
		return
	}
	const org, job = "/organisations/{org}", "/imports/{job}"
	get(org+"/imports", s.ofOrganisation(s.imports))
	get(org+"/imports/template.csv", s.mine(importTemplate(table.CSV)))
	get(org+"/imports/template.xlsx", s.mine(importTemplate(table.XLSX)))
	get(org+"/imports/new", s.ofOrganisation(s.uploadPage))
	post(org+"/imports/new", s.upload)
	get(job, stillSignedIn(s.ofImport(s.importJob)))
	get(job+"/columns", s.ofImport(s.columnsPage))
	post(job+"/columns", s.ofImport(s.mapColumns))
	get(job+"/errors", s.ofImport(s.importErrors))
	get(job+"/report.csv", s.ofImport(s.importReport))
	post(job+"/apply", s.ofImport(s.applyImport))
	for _, verb := range []string{"cancel", "confirm", "discard"} {
		get(job+"/"+verb, s.ofImport(s.importActPage(verb)))
		post(job+"/"+verb, s.ofImport(s.importAct(verb)))
	}
	get(org+"/mappings/{name}", s.ofOrganisation(s.mappingPage))
	post(org+"/mappings/{name}", wide(s.ofOrganisation(s.saveMapping)))
	get(org+"/mappings/{name}/delete", s.ofOrganisation(s.deleteMappingPage))
	post(org+"/mappings/{name}/delete", s.ofOrganisation(s.deleteMapping))
	get(org+"/repositories", s.ofOrganisation(s.repositoryPage))
	post(org+"/repositories", s.ofOrganisation(s.saveRepository))
	get(org+"/repositories/{name}", s.ofOrganisation(s.repositoryPage))
	post(org+"/repositories/{name}", s.ofOrganisation(s.saveRepository))
	post(org+"/repositories/{name}/harvest", s.ofOrganisation(s.harvestRepository))
	get(org+"/repositories/{name}/delete", s.ofOrganisation(s.deleteRepositoryPage))
	post(org+"/repositories/{name}/delete", s.ofOrganisation(s.deleteRepository))
}

// importer is who asks, and for which organisation.
type importer struct {
	access.Actor
	org access.OrganisationID
	may bool // import, and not only look
}

func importsPath(org access.OrganisationID) string { return organisationPath(org) + "/imports" }

func importPath(id intake.JobID) string { return "/imports/" + url.PathEscape(string(id)) }

// ofOrganisation makes a page for who may see the imports of the organisation in the address.
func (s *site) ofOrganisation(mk func(http.ResponseWriter, *http.Request, importer) (view, error)) http.HandlerFunc {
	return s.mine(func(w http.ResponseWriter, r *http.Request, a access.Actor) (view, error) {
		by, err := s.importer(a, access.OrganisationID(r.PathValue("org")))
		if err != nil {
			return view{}, err
		}
		return mk(w, r, by)
	})
}

func (s *site) importer(a access.Actor, org access.OrganisationID) (importer, error) {
	of := access.Resource{Member: a.Member, Organisation: org}
	return importer{a, org, access.Can(a, access.ImportPosting, of) == nil}, access.Can(a, access.ReadImport, of)
}

// ofImport hands on the import that the address names. Whose it is not learns nothing of it, not even that it is.
func (s *site) ofImport(mk func(http.ResponseWriter, *http.Request, importer, intake.Job) (view, error)) http.HandlerFunc {
	return s.mine(func(w http.ResponseWriter, r *http.Request, a access.Actor) (view, error) {
		j, err := s.cfg.House.Imports.Job(a, intake.JobID(r.PathValue("job")))
		switch protocol.CodeOf(err) {
		case protocol.CodeNotFound, protocol.CodeNotPermitted:
			return s.noImport(r, "imports.none"), nil
		}
		if err != nil {
			return view{}, err
		}
		by, err := s.importer(a, j.Organisation)
		if err != nil {
			return view{}, err
		}
		return mk(w, r, by, j)
	})
}

// noImport is the page for what is not there.
func (s *site) noImport(r *http.Request, key string) view {
	p := printer(r)
	return view{"problem", problemPage{frame: s.frame(r, "", p.T(key)), Heading: p.HTML(key), Next: p.HTML("imports.none-next")}, http.StatusNotFound}
}

// stillSignedIn keeps a page that fetches itself anew from showing the page for signing in as a part of it, once the session is over.
func stillSignedIn(next http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if byItself(r) && door.ActorOf(r.Context()).Session == "" {
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		next(w, r)
	}
}

// byItself: a page asks for a part of itself.
func byItself(r *http.Request) bool { return r.Header.Get("HX-Request") == "true" }

// maxWide bounds forms that have a whole mapping in them.
const maxWide = 1 << 20

// wide lets a form be larger than others.
func wide(next http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		r.Body = http.MaxBytesReader(w, r.Body, maxWide)
		if err := r.ParseForm(); err != nil {
			r.PostForm, r.Form = nil, nil // whoever reads it next says so
		}
		next(w, r)
	}
}

// importsPage lists what an organisation imports, and how.
type importsPage struct {
	frame
	Back, At     string // the organisation's page, and this one
	May          bool
	Done         template.HTML
	Jobs         []jobRow
	Prev, Next   string
	Asked        bool
	Mappings     []namedRow
	Repositories []repositoryRow
}

// jobRow is an import in a list.
type jobRow struct {
	Href          string
	Name          template.HTML
	Dry           bool
	State         jobTag
	Counts        []template.HTML
	Rows          int
	By            template.HTML
	At            string
	Max, Progress int64 // 0: nothing to show
}

// jobTag is the state of an import in a word, with the look of a label.
type jobTag struct {
	Class string // of tmh-tag
	Word  template.HTML
}

type namedRow struct {
	Href    string
	Name    template.HTML
	Updated string
}

type repositoryRow struct {
	namedRow
	URL, Last, Next string
	LastJob         string
	Wrong           template.HTML
}

const jobsOfPage = 20

func (s *site) imports(_ http.ResponseWriter, r *http.Request, by importer) (view, error) {
	p, all := printer(r), s.cfg.House.Imports
	after := intake.JobID(r.URL.Query().Get("after"))
	jobs, err := all.Jobs(by.Actor, by.org, after, jobsOfPage+1)
	if err != nil {
		return view{}, err
	}
	page := importsPage{frame: s.frame(r, "organisation", p.T("nav.imports")), Back: organisationPath(by.org), At: importsPath(by.org), May: by.may}
	switch done := r.URL.Query().Get("done"); done {
	case "mapping", "mapping-deleted", "repository", "repository-deleted":
		page.Done = p.HTML("imports.done." + done)
	}
	if len(jobs) > jobsOfPage {
		jobs = jobs[:jobsOfPage]
		page.Next = page.At + "?after=" + url.QueryEscape(string(jobs[jobsOfPage-1].ID))
	}
	if after != "" {
		page.Prev = page.At
	}
	for _, j := range jobs {
		page.Jobs = append(page.Jobs, s.jobRow(p, by, j))
	}
	mappings, err := all.Mappings(by.Actor, by.org)
	if err != nil {
		return view{}, err
	}
	for _, m := range mappings {
		page.Mappings = append(page.Mappings, namedRow{mappingPath(by.org, m.Name), voice(m.Name), p.Moment(m.Updated)})
	}
	sources, err := all.Sources(by.Actor, by.org)
	if err != nil {
		return view{}, err
	}
	for _, x := range sources {
		row := repositoryRow{namedRow: namedRow{repositoryPath(by.org, x.Name), voice(x.Name), p.Moment(x.Updated)}, URL: x.URL, Last: p.Moment(x.LastRun), Next: p.Moment(x.Next)}
		if x.LastJob != "" {
			row.LastJob = importPath(x.LastJob)
		}
		if x.LastError != nil {
			row.Wrong = stated(p, x.LastError.Message)
		}
		page.Repositories = append(page.Repositories, row)
	}
	return view{"imports", page, http.StatusOK}, nil
}

func (s *site) jobRow(p *lang.Printer, by importer, j intake.Job) jobRow {
	row := jobRow{
		Href: importPath(j.ID), Name: jobName(p, j), Dry: j.DryRun, State: jobState(p, j), Rows: j.Counts.Rows, By: s.startedBy(p, by, j), At: p.Moment(j.Created),
	}
	row.Progress, row.Max = progressOf(j)
	for _, t := range talliesOf(p, j, "") {
		if t.Count > 0 {
			row.Counts = append(row.Counts, p.HTML("imports.tally", "Outcome", t.Name, "N", t.Count))
		}
	}
	return row
}

func jobName(p *lang.Printer, j intake.Job) template.HTML {
	switch {
	case j.Repository != "":
		return voice(j.Repository)
	case j.Filename != "":
		return voice(j.Filename)
	}
	return p.HTML("imports.unnamed")
}

func jobState(p *lang.Printer, j intake.Job) jobTag {
	class := ""
	switch j.State {
	case intake.Done:
		class = "tmh-tag--good"
	case intake.Failed:
		class = "tmh-tag--bad"
	case intake.Waiting:
		class = "tmh-tag--wait"
	case intake.Queued, intake.Fetching, intake.Running, intake.Cancelled:
		class = "tmh-tag--outline"
	default:
		return jobTag{class, english(p, string(j.State))}
	}
	return jobTag{class, p.HTML("imports.state." + string(j.State))}
}

// startedBy names who began an import, as far as the visitor may know it.
func (s *site) startedBy(p *lang.Printer, by importer, j intake.Job) template.HTML {
	switch {
	case j.Scheduled:
		return p.HTML("imports.by-clock")
	case j.Operator:
		return p.HTML("imports.by-operator")
	case j.By == by.User:
		return p.HTML("word.you")
	}
	if u, err := s.cfg.House.People.User(by.Actor, j.By); err == nil {
		return voice(u.Name)
	}
	return ""
}

// progressOf a job under way: so much of so much; 0 of 0 where nothing can be said.
func progressOf(j intake.Job) (done, of int64) {
	switch {
	case j.State == intake.Fetching && j.Expected > 0:
		return int64(min(j.Fetched, j.Expected)), int64(j.Expected)
	case j.State == intake.Running && j.Size > 0:
		return min(j.BytesRead, j.Size), j.Size
	}
	return 0, 0
}

// importTemplate is a file with the columns that need no mapping.
func importTemplate(f table.Format) func(http.ResponseWriter, *http.Request, access.Actor) (view, error) {
	return func(w http.ResponseWriter, r *http.Request, _ access.Actor) (view, error) {
		langs := []protocol.Lang{"en"}
		if own := protocol.Lang(printer(r).Tag()); own != "en" {
			langs = append(langs, own)
		}
		attachment(w, fileType(f), "tmh-listings."+string(f))
		t, err := table.NewWriter(w, f, interop.Columns(interop.ForImport, langs))
		if err == nil {
			err = t.Close()
		}
		if err != nil {
			panic(http.ErrAbortHandler) // so that its receiver sees it
		}
		return view{}, nil
	}
}

// patient reads what may take long as a whole, and does not stand still.
type patient struct {
	io.Reader
	rc *http.ResponseController
}

// stillness is how long sending and receiving a file may stand still.
const stillness = 2 * time.Minute

func (p patient) Read(b []byte) (int, error) {
	_ = p.rc.SetReadDeadline(time.Now().Add(stillness)) // not all connections have deadlines
	return p.Reader.Read(b)
}

func version(r *http.Request) uint64 {
	n, _ := strconv.ParseUint(r.PostFormValue("version"), 10, 64)
	return n
}

// meanwhile says what to do where another person was faster: for a new thing that is another name.
func meanwhile(r *http.Request, f form, err error) form {
	var e *protocol.Error
	if !errors.As(err, &e) || e.Code != protocol.CodeConflict || e.Field != "version" {
		return f.dress(printer(r), err)
	}
	if version(r) == 0 {
		return f.dress(printer(r), protocol.Errorf(protocol.CodeConflict, "name", "%s", e.Message))
	}
	f = f.dress(printer(r), nil)
	f.Wrong = []mistake{{Text: printer(r).HTML("form.changed")}}
	return f
}
