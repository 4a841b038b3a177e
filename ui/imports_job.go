package ui

import (
	"html/template"
	"net/http"
	"net/url"
	"strconv"

	"github.com/asean-tmh/tmh/node/intake"
	"github.com/asean-tmh/tmh/node/posting"
	"github.com/asean-tmh/tmh/protocol"
	"github.com/asean-tmh/tmh/ui/lang"
)

// One import: how far it is, what became of its rows, and what can be done about it now. While it goes on the page fetches itself
// anew; without script a link does.

// importPage is one import.
type importPage struct {
	frame
	Back, Here    string // the list; and the page as it stands, to be fetched again
	Heading       template.HTML
	Dry           bool
	Steps         []importStep
	Done          template.HTML
	Wrong         []mistake
	Fresh         bool // fetched by the page itself: what it says is said aloud
	Finished      bool
	State         jobTag
	Kind          string // of the notice
	Says          []template.HTML
	Progress, Max int64
	Rows          template.HTML
	Tallies       []tallyRow
	All           string // address with all rows
	Chosen        bool   // rows of one outcome are shown
	Deeds         importDeeds
	Report        []reportRow
	Gone          bool // the report is not here any more
	Prev, Next    string
	Asked         bool
	Facts         []fact
}

// importDeeds are addresses of what may be done now; "" for what may not.
type importDeeds struct {
	Apply, Columns, Confirm, Cancel, Discard, Errors, Report, Harvest string
}

type importStep struct {
	Name          template.HTML
	Done, Current bool
}

// tallyRow counts rows of one outcome.
type tallyRow struct {
	Name   template.HTML
	Count  int
	Href   string
	Chosen bool
}

// reportRow is what became of a row.
type reportRow struct {
	N       int
	Source  string
	Title   template.HTML
	Href    string
	Outcome template.HTML
	Class   string
	Edited  bool
	Faults  []template.HTML
	Diff    []changeRow
}

type changeRow struct {
	Field, Before, After template.HTML
}

const rowsOfPage = 25

func (s *site) importJob(_ http.ResponseWriter, r *http.Request, by importer, j intake.Job) (view, error) {
	return s.importView(r, by, j, nil)
}

// importView shows an import; err is why a button did not do what it says.
func (s *site) importView(r *http.Request, by importer, j intake.Job, err error) (view, error) {
	p, at := printer(r), importPath(j.ID)
	key := "imports.import"
	if j.DryRun {
		key = "imports.dry-run"
	}
	name := p.HTML(key, "Name", jobName(p, j))
	page := importPage{
		frame: s.frame(r, "organisation", p.T(key, "Name", jobName(p, j))), Back: importsPath(by.org), Here: at, Heading: jobName(p, j), Dry: j.DryRun, Steps: stepsOf(p, j),
		Finished: j.State.Finished(), State: jobState(p, j), Fresh: byItself(r), All: at, Deeds: importDeedsOf(by, j), Facts: s.importFacts(p, by, j),
	}
	page.Live = !page.Finished && j.State != intake.Waiting
	page.Kind, page.Says = jobSays(p, j)
	page.Progress, page.Max = progressOf(j)
	page.Rows = s.pace(p, j)
	q := r.URL.Query()
	if r.Method == http.MethodGet {
		page.Here = r.URL.RequestURI()
		switch done := q.Get("done"); {
		case done == "discard" && !j.Files, done == "cancel" && !page.Finished, done == "confirm" && j.Confirmed > 0:
			page.Done = p.HTML("imports.done." + done)
		}
	}
	outcome := posting.ImportOutcome(q.Get("outcome"))
	page.Tallies = talliesOf(p, j, outcome)
	if rerr := s.fillReport(p, &page, by, j, outcome, q.Get("after")); rerr != nil {
		return view{}, rerr
	}
	code := http.StatusOK
	if err != nil {
		page.Title, code = p.T("layout.error", "Page", name), status(err)
		for _, e := range protocol.All(s.fault(r, err)) {
			page.Wrong = append(page.Wrong, mistake{Text: stated(p, e.Message)})
		}
	}
	return view{"imports-job", page, code}, nil
}

// outcomesOf rows, in the order in which they matter.
func outcomesOf(c intake.Counts) []struct {
	of posting.ImportOutcome
	n  int
} {
	return []struct {
		of posting.ImportOutcome
		n  int
	}{
		{posting.ImportCreated, c.Created}, {posting.ImportChanged, c.Changed}, {posting.ImportUnchanged, c.Unchanged}, {posting.ImportRefused, c.Refused},
		{posting.ImportEnded, c.Ended}, {intake.Deleted, c.Deleted}, {posting.ImportWithdrawn, c.Withdrawn},
	}
}

func talliesOf(p *lang.Printer, j intake.Job, chosen posting.ImportOutcome) (list []tallyRow) {
	for i, x := range outcomesOf(j.Counts) {
		if i < 4 || x.n > 0 {
			list = append(list, tallyRow{outcomeInWords(p, x.of), x.n, importPath(j.ID) + "?outcome=" + url.QueryEscape(string(x.of)) + "#rows", x.of == chosen})
		}
	}
	return list
}

func outcomeInWords(p *lang.Printer, o posting.ImportOutcome) template.HTML {
	for _, known := range outcomesOf(intake.Counts{}) {
		if known.of == o {
			return p.HTML("imports.outcome." + string(o))
		}
	}
	return english(p, string(o))
}

// stepsOf the way from a file to its import. A harvest has none.
func stepsOf(p *lang.Printer, j intake.Job) []importStep {
	if j.Repository != "" {
		return nil
	}
	at := 2
	if !j.DryRun {
		at = 3
	}
	return importSteps(p, at, !j.DryRun && j.State == intake.Done)
}

func importSteps(p *lang.Printer, at int, done bool) (list []importStep) {
	for i, key := range []string{"form.file", "imports.step.columns", "imports.step.check", "act.import"} {
		list = append(list, importStep{p.HTML(key), i < at || done, i == at && !done})
	}
	return list
}

// importDeedsOf are the things that may be done now.
func importDeedsOf(by importer, j intake.Job) (d importDeeds) {
	at := importPath(j.ID)
	if j.Files && (j.State.Finished() || j.State == intake.Waiting) {
		if d.Report = at + "/report.csv"; j.Counts.Refused > 0 {
			d.Errors = at + "/errors"
		}
	}
	if !by.may {
		return d
	}
	switch {
	case j.State == intake.Waiting:
		d.Confirm, d.Cancel = at+"/confirm", at+"/cancel"
	case !j.State.Finished():
		d.Cancel = at + "/cancel"
	case j.Files:
		d.Discard = at + "/discard"
		if j.DryRun && j.State == intake.Done && j.Counts.Created+j.Counts.Changed+j.Counts.Withdrawn+j.Counts.Deleted > 0 {
			d.Apply = at + "/apply"
		}
		if j.Repository == "" && (j.DryRun || j.State == intake.Failed) {
			d.Columns = at + "/columns"
		}
	}
	if j.Repository != "" {
		d.Harvest = repositoryPath(by.org, j.Repository)
	}
	return d
}

// jobSays is what the state means and what to do next, and with which look.
func jobSays(p *lang.Printer, j intake.Job) (kind string, says []template.HTML) {
	c := j.Counts
	switch j.State {
	case intake.Queued:
		says = append(says, p.HTML("imports.says.queued"))
	case intake.Fetching:
		says = append(says, p.HTML("imports.says.fetching"))
	case intake.Running:
		key := "imports.says.running"
		if j.DryRun {
			key = "imports.says.checking"
		}
		says = append(says, p.HTML(key))
	case intake.Waiting:
		kind, says = "tmh-notice--wait", append(says, p.HTMLN("imports.says.waiting", j.Gone, "Stock", j.Stock))
	case intake.Cancelled:
		says = append(says, p.HTML("imports.says.cancelled"))
	case intake.Failed:
		kind = "tmh-notice--bad"
		if j.Error != nil {
			says = append(says, stated(p, j.Error.Message))
		}
		says = append(says, p.HTML("imports.says.failed"))
	case intake.Done:
		kind = "tmh-notice--good"
		if !j.DryRun {
			says = append(says, p.HTML("imports.says.done"))
			break
		}
		if says = append(says, p.HTML("imports.says.dry")); c.Created+c.Changed+c.Withdrawn+c.Deleted == 0 {
			kind, says = "", []template.HTML{p.HTML("imports.says.dry-none")}
		}
		if j.Gone > 0 {
			kind, says = "tmh-notice--wait", append(says, p.HTMLN("imports.says.would-wait", j.Gone, "Stock", j.Stock))
		}
	}
	if c.Refused > 0 && j.State == intake.Done {
		kind, says = "tmh-notice--wait", append(says, p.HTMLN("imports.says.refused", c.Refused))
	}
	if j.Notice != "" && j.State != intake.Waiting {
		says = append(says, stated(p, j.Notice))
	}
	if j.Delayed != "" {
		kind, says = "tmh-notice--wait", append(says, stated(p, j.Delayed))
	}
	return kind, says
}

// pace is how many rows are done, and how fast they are.
func (s *site) pace(p *lang.Printer, j intake.Job) template.HTML {
	if j.State == intake.Fetching {
		return p.HTMLN("imports.records", j.Fetched)
	}
	seconds := int(s.cfg.Now().Unix() - int64(j.Started))
	if j.State != intake.Running || j.Started == 0 || seconds < 1 || j.Counts.Rows == 0 {
		return p.HTMLN("count.rows", j.Counts.Rows)
	}
	return p.HTML("imports.pace", "Rows", p.HTMLN("count.rows", j.Counts.Rows), "Rate", j.Counts.Rows/seconds)
}

func (s *site) importFacts(p *lang.Printer, by importer, j intake.Job) []fact {
	f := factList{p: p}
	f.add("imports.began", voice(p.Moment(j.Created)))
	f.add("imports.ended", voice(p.Moment(j.Ended)))
	f.add("imports.by", s.startedBy(p, by, j))
	f.add("imports.mapping", voice(j.Mapping))
	f.add("imports.unused", voices(j.Unused)...)
	f.add("imports.missing", voices(j.Missing)...)
	var options []template.HTML
	if j.FullSync {
		options = append(options, p.HTML("imports.full-sync"))
	}
	if j.DraftsOnly {
		options = append(options, p.HTML("imports.drafts-only"))
	}
	f.add("imports.options", options...)
	if j.DryRunOf != "" {
		f.add("imports.checked", p.HTML("imports.checked-link", lang.NewSlot("a", "href", importPath(j.DryRunOf))))
	}
	return f.list
}

func voices(all []string) (out []template.HTML) {
	for _, s := range all {
		out = append(out, voice(s))
	}
	return out
}

// fillReport reads a page of the report. Outcomes that are not known, and places that are none, are those of addresses made up.
func (s *site) fillReport(p *lang.Printer, page *importPage, by importer, j intake.Job, outcome posting.ImportOutcome, after string) error {
	var want []posting.ImportOutcome
	here := importPath(j.ID)
	if outcome != "" {
		want, page.Chosen = []posting.ImportOutcome{outcome}, true
		here += "?outcome=" + url.QueryEscape(string(outcome))
	}
	from, _ := strconv.ParseInt(after, 10, 64)
	rows, err := s.cfg.House.Imports.Rows(by.Actor, j.ID, want, from, rowsOfPage)
	switch protocol.CodeOf(err) {
	case protocol.CodeNotFound:
		page.Gone = true
		return nil
	case protocol.CodeValue:
		return nil
	}
	if err != nil {
		return err
	}
	names := placeNames(p)
	for _, x := range rows.Rows {
		page.Report = append(page.Report, reportRowOf(p, names, j, x))
	}
	if from > 0 {
		page.Prev = here + "#rows"
	}
	if rows.Next > 0 && len(rows.Rows) > 0 && (j.State.Finished() || len(rows.Rows) == rowsOfPage) {
		sep := "?"
		if outcome != "" {
			sep = "&"
		}
		page.Next = here + sep + "after=" + strconv.FormatInt(rows.Next, 10) + "#rows"
	}
	return nil
}

func reportRowOf(p *lang.Printer, names map[string]lang.Text, j intake.Job, x intake.Row) reportRow {
	row := reportRow{N: x.N, Source: x.Source, Title: voice(x.Title), Outcome: outcomeInWords(p, x.Outcome), Edited: x.Edited}
	if x.Listing != "" && !j.DryRun {
		row.Href = postingPath(x.Listing)
	}
	switch x.Outcome {
	case posting.ImportCreated, posting.ImportChanged:
		row.Class = "tmh-tag--good"
	case posting.ImportRefused:
		row.Class = "tmh-tag--bad"
	case posting.ImportWithdrawn, posting.ImportEnded, intake.Deleted:
		row.Class = "tmh-tag--wait"
	default:
		row.Class = "tmh-tag--outline"
	}
	for _, e := range x.Faults {
		row.Faults = append(row.Faults, faultOf(p, names, e))
	}
	for _, d := range x.Diff {
		row.Diff = append(row.Diff, changeRow{placeName(p, names, d.Path), voice(d.Before), voice(d.After)})
	}
	return row
}

func faultOf(p *lang.Printer, names map[string]lang.Text, e *protocol.Error) template.HTML {
	if e.Field == "" {
		return stated(p, e.Message)
	}
	return p.HTML("form.fault", "Field", placeName(p, names, e.Field), "Fault", clause(p, e.Message))
}
