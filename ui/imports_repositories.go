package ui

import (
	"context"
	"errors"
	"html/template"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/asean-tmh/tmh/node/access"
	"github.com/asean-tmh/tmh/node/intake"
	"github.com/asean-tmh/tmh/node/oai/harvest"
	"github.com/asean-tmh/tmh/protocol"
	"github.com/asean-tmh/tmh/ui/lang"
)

// Repositories that an organisation has harvested by OAI-PMH: where they are, how often, by which mapping, and how it went. They are
// tried before anything is kept.

type repositoryShown struct {
	frame
	Back, Heading, Action string
	Called                template.HTML
	Kept, May             bool
	Form                  form
	Trial                 *trialShown
	Facts                 []fact
	Wrong                 template.HTML // with the last harvest
	LastJob               string
}

// trialShown is what a repository answered.
type trialShown struct {
	Name    template.HTML
	Size    int
	Formats []string
	Sets    []setShown
	Records []recordShown
}

type setShown struct {
	Spec string
	Name template.HTML
}

type recordShown struct {
	ID     string
	Fields []fact
}

const (
	trialTime    = 45 * time.Second // that a repository has to answer
	trialRecords = 3
	trialFields  = 8
	trialSets    = 30
)

func repositoryPath(org access.OrganisationID, name string) string {
	return organisationPath(org) + "/repositories/" + url.PathEscape(name)
}

// repository that the address names; a new one where it names none.
func (s *site) repository(r *http.Request, by importer) (intake.Source, error) {
	if name := r.PathValue("name"); name != "" {
		return s.cfg.House.Imports.Source(by.Actor, by.org, name)
	}
	if !by.may {
		return intake.Source{}, protocol.Errorf(protocol.CodeNotPermitted, "", "importing is for the editors of this organisation: ask one of them")
	}
	return intake.Source{Definition: intake.Definition{Hours: 24}}, nil
}

func (s *site) repositoryPage(_ http.ResponseWriter, r *http.Request, by importer) (view, error) {
	x, err := s.repository(r, by)
	if err != nil {
		return s.noNamed(r, err)
	}
	return s.repositoryView(r, by, x, x.Name, nil, nil)
}

func (s *site) repositoryView(r *http.Request, by importer, x intake.Source, name string, trial *trialShown, err error) (view, error) {
	p := printer(r)
	mappings, merr := s.cfg.House.Imports.Mappings(by.Actor, by.org)
	if merr != nil {
		return view{}, merr
	}
	page := repositoryShown{frame: s.frame(r, "organisation", p.T("imports.repository-new")), Back: importsPath(by.org), Action: organisationPath(by.org) + "/repositories", May: by.may, Trial: trial}
	page.Heading = page.Title
	known := []option{{Label: p.T("imports.dublin-core")}}
	for _, m := range mappings {
		known = append(known, option{Value: m.Name, Label: m.Name, Selected: m.Name == x.Mapping})
	}
	fields := []field{
		{Name: "url", Label: p.HTML("imports.address"), Hint: p.HTML("imports.address-hint"), Type: "url", Autocomplete: "off", Value: x.URL},
		{Name: "prefix", Label: p.HTML("imports.prefix"), Hint: p.HTML("imports.prefix-hint"), Type: "text", Autocomplete: "off", Value: x.Prefix, Optional: true},
		{Name: "set", Label: p.HTML("imports.set"), Hint: p.HTML("imports.set-hint"), Type: "text", Autocomplete: "off", Value: x.Set, Optional: true},
		{Name: "mapping", Label: p.HTML("imports.mapping"), Type: "select", Choices: known},
		{Name: "hours", Label: p.HTML("imports.schedule"), Type: "select", Choices: schedules(p, x.Hours)},
		{Name: "keep_deleted", Label: p.HTML("imports.deleted"), Type: "checks", Choices: []option{{Value: "1", Label: p.T("imports.keep"), Selected: x.Keep}}},
		{Name: "drafts", Label: p.HTML("imports.ready"), Type: "checks", Choices: []option{{Value: "1", Label: p.T("imports.drafts-only"), Selected: x.DraftsOnly}}},
	}
	if x.Version == 0 {
		fields = append([]field{{Name: "name", Label: p.HTML("imports.name"), Hint: p.HTML("imports.name-hint"), Type: "text", Autocomplete: "off", Value: name}}, fields...)
	} else {
		page.Kept, page.Called, page.Action = true, voice(x.Name), repositoryPath(by.org, x.Name)
		page.Title, page.Heading = p.T("imports.repository-title", "Name", voice(x.Name)), x.Name
		f := factList{p: p}
		last := voice(p.Moment(x.LastRun))
		if x.LastRun == 0 {
			last = p.HTML("word.never")
		}
		f.add("imports.last-run", last)
		f.add("imports.last-success", voice(p.Moment(x.LastSuccess)))
		f.add("imports.next-run", voice(p.Moment(x.Next)))
		page.Facts = f.list
		if x.LastJob != "" {
			page.LastJob = importPath(x.LastJob)
		}
		if x.LastError != nil {
			page.Wrong = stated(p, x.LastError.Message)
		}
	}
	f := form{ID: "repository", Action: page.Action, Hidden: []option{{Value: strconv.FormatUint(x.Version, 10), Label: "version"}}, Groups: []group{{Fields: fields}}}
	page.Form = meanwhile(r, f, err)
	code := http.StatusOK
	if err != nil {
		page.Title, code = p.T("layout.error", "Page", page.Title), status(err)
	}
	return view{"imports-repository", page, code}, nil
}

// schedules to choose from, with the one that is kept.
func schedules(p *lang.Printer, hours int) (list []option) {
	all := []int{0, 6, 12, 24, 72, 168, 720}
	if !slices.Contains(all, hours) && hours > 0 {
		all = append(all, hours)
		slices.Sort(all)
	}
	for _, h := range all {
		o := option{Value: strconv.Itoa(h), Selected: h == hours}
		switch {
		case h == 0:
			o.Label = p.T("imports.by-hand")
		case h == 24:
			o.Label = p.T("imports.every-day")
		case h%24 == 0:
			o.Label = p.N("imports.every-days", h/24)
		default:
			o.Label = p.N("imports.every-hours", h)
		}
		list = append(list, o)
	}
	return list
}

// saveRepository keeps what was sent, or tries it where that was asked.
func (s *site) saveRepository(w http.ResponseWriter, r *http.Request, by importer) (view, error) {
	x, err := s.repository(r, by)
	if err != nil {
		return s.noNamed(r, err)
	}
	field := func(name string) string { return strings.TrimSpace(r.PostFormValue(name)) }
	name := x.Name
	if x.Version == 0 {
		name = field("name")
	}
	hours, err := strconv.Atoi(field("hours"))
	if err != nil {
		hours = -1 // is refused in words
	}
	x.Definition = intake.Definition{
		Source:  harvest.Source{URL: field("url"), Prefix: field("prefix"), Set: field("set")},
		Mapping: r.PostFormValue("mapping"), Hours: hours, First: x.First, Keep: field("keep_deleted") == "1", DraftsOnly: field("drafts") == "1",
	}
	if r.PostFormValue("do") == "test" {
		trial, err := s.tryRepository(w, r, by, x.Source)
		return s.repositoryView(r, by, x, name, trial, err)
	}
	kept, err := s.cfg.House.Imports.SaveSource(by.Actor, by.org, name, x.Definition, version(r))
	if err != nil {
		if x.Version > 0 && protocol.CodeOf(err) == protocol.CodeConflict && x.Version != version(r) { // the page shows how it stands now
			if x, _ = s.repository(r, by); x.Version == 0 {
				return s.noImport(r, "imports.none-named"), nil
			}
		}
		return s.repositoryView(r, by, x, name, nil, s.fault(r, err))
	}
	if x.Version == 0 {
		return moved(w, r, repositoryPath(by.org, kept.Name))
	}
	return moved(w, r, importsPath(by.org)+"?done=repository")
}

func (s *site) tryRepository(w http.ResponseWriter, r *http.Request, by importer, x harvest.Source) (*trialShown, error) {
	rc := http.NewResponseController(w)
	_ = rc.SetWriteDeadline(time.Now().Add(2 * trialTime)) // not all connections have deadlines
	ctx, cancel := context.WithTimeout(r.Context(), trialTime)
	defer cancel()
	t, err := s.cfg.House.Imports.Test(ctx, by.Actor, by.org, x)
	if err != nil {
		if errors.Is(ctx.Err(), context.DeadlineExceeded) {
			err = protocol.Errorf(protocol.CodeUnavailable, "url", "the repository did not answer in time: try again, or ask its keepers")
		}
		return nil, s.fault(r, err)
	}
	out := &trialShown{Name: voice(t.Identity.Name), Size: t.Size}
	for _, f := range t.Formats[:min(len(t.Formats), trialSets)] {
		out.Formats = append(out.Formats, f.Prefix)
	}
	for _, set := range t.Sets[:min(len(t.Sets), trialSets)] {
		out.Sets = append(out.Sets, setShown{set.Spec, voice(set.Name)})
	}
	for _, row := range t.Sample[:min(len(t.Sample), trialRecords)] {
		record := recordShown{ID: row.ID}
		for _, f := range row.Fields[:min(len(row.Fields), trialFields)] {
			record.Fields = append(record.Fields, fact{Name: voice(f.Name), Items: []template.HTML{voice(shorter(f.Value))}})
		}
		out.Records = append(out.Records, record)
	}
	return out, nil
}

func (s *site) harvestRepository(w http.ResponseWriter, r *http.Request, by importer) (view, error) {
	x, err := s.repository(r, by)
	if err != nil {
		return s.noNamed(r, err)
	}
	o := intake.HarvestOptions{DryRun: r.PostFormValue("run") != "now", All: r.PostFormValue("all") == "1", FullSync: r.PostFormValue("full_sync") == "1"}
	j, err := s.cfg.House.Imports.Harvest(by.Actor, by.org, x.Name, o)
	if err != nil {
		return s.repositoryView(r, by, x, x.Name, nil, s.fault(r, err))
	}
	return moved(w, r, importPath(j.ID))
}

func (s *site) deleteRepositoryPage(_ http.ResponseWriter, r *http.Request, by importer) (view, error) {
	x, err := s.repository(r, by)
	if err != nil {
		return s.noNamed(r, err)
	}
	return s.deleteView(r, "repository", x.Name, repositoryPath(by.org, x.Name), x.Version, nil), nil
}

func (s *site) deleteRepository(w http.ResponseWriter, r *http.Request, by importer) (view, error) {
	x, err := s.repository(r, by)
	if err != nil {
		return s.noNamed(r, err)
	}
	if err := s.cfg.House.Imports.DeleteSource(by.Actor, by.org, x.Name, version(r)); err != nil {
		return s.deleteView(r, "repository", x.Name, repositoryPath(by.org, x.Name), x.Version, s.fault(r, err)), nil
	}
	return moved(w, r, importsPath(by.org)+"?done=repository-deleted")
}
