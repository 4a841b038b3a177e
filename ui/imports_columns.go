package ui

import (
	"bytes"
	"encoding/json"
	"html/template"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/asean-tmh/tmh/configs/codes"
	"github.com/asean-tmh/tmh/node/intake"
	"github.com/asean-tmh/tmh/node/intake/mapping"
	"github.com/asean-tmh/tmh/node/posting"
	"github.com/asean-tmh/tmh/protocol"
	"github.com/asean-tmh/tmh/ui/lang"
)

// The columns of a file that was sent: what each becomes, with some of its values, and what the dry run found wrong with them. The
// file lies at the node and is not sent again; another mapping is another dry run of it.

type importColumnsPage struct {
	frame
	Back, Action string
	File         template.HTML
	Steps        []importStep
	Wrong        []mistake
	Columns      []columnRow
	More         int // columns that are not shown, and stay as they are
	Groups       []targetGroup
	Lacks        []template.HTML
	Fields       []field
	Stands       uint64 // of the mapping that has the name; 0 for a new one
}

type columnRow struct {
	ID       string
	N        int
	Name     template.HTML
	Examples []template.HTML
	To       string
	Faults   []columnFault
}

type columnFault struct {
	Text template.HTML
	Rows int
}

const (
	columnsOfPage = 100
	columnValues  = 3
	columnFaults  = 2
	faultRows     = 200 // of the report that are looked through
	valueShown    = 80  // characters
	toID          = "id"
)

func (s *site) columnsPage(_ http.ResponseWriter, r *http.Request, by importer, j intake.Job) (view, error) {
	in, err := s.cfg.House.Imports.Look(r.Context(), by.Actor, j.ID)
	if err != nil {
		return s.noColumns(r, by, j, err)
	}
	return s.columnsView(r, by, j, in, j.Mapping, nil)
}

func (s *site) noColumns(r *http.Request, by importer, j intake.Job, err error) (view, error) {
	return s.importView(r, by, j, err)
}

func (s *site) columnsView(r *http.Request, by importer, j intake.Job, in intake.Inspection, name string, err error) (view, error) {
	p := printer(r)
	if !by.may {
		return view{}, protocol.Errorf(protocol.CodeNotPermitted, "", "importing is for the editors of this organisation: ask one of them")
	}
	names := placeNames(p)
	faults, ferr := s.faultsByPath(p, by, j)
	if ferr != nil {
		return view{}, ferr
	}
	var used []string
	for _, x := range in.Mapping.Rules {
		used = append(used, x.To)
	}
	page := importColumnsPage{
		frame: s.frame(r, "organisation", p.T("imports.columns.title")), Back: importPath(j.ID), Action: importPath(j.ID) + "/columns", File: jobName(p, j), Steps: importSteps(p, 1, false),
		More: max(len(in.Names)-columnsOfPage, 0), Groups: choosable(p, names, by.Country, used),
	}
	for i, column := range in.Names[:min(len(in.Names), columnsOfPage)] {
		to := becomes(in.Mapping, column)
		page.Columns = append(page.Columns, columnRow{ID: "to-" + strconv.Itoa(i), N: i, Name: voice(column), Examples: examplesOf(in, column), To: to, Faults: faults[to]})
	}
	for _, path := range in.Mapping.Lacks() {
		page.Lacks = append(page.Lacks, p.Say(names[path]))
	}
	f := form{ID: "all", Groups: []group{{Fields: []field{
		{Name: "kind", Label: p.HTML("field.kind"), Hint: p.HTML("imports.constant-hint"), Type: "select", Choices: choices(p, "kind", codes.Kind(), constantOf(in.Mapping, "listing.kind"), "form.not-said")},
		{Name: "country", Label: p.HTML("field.country"), Hint: p.HTML("imports.constant-hint"), Type: "select", Choices: choices(p, "country", codes.Country(), constantOf(in.Mapping, "listing.country"), "form.not-said")},
		{Name: "name", Label: p.HTML("imports.save-as"), Hint: p.HTML("imports.save-as-hint"), Type: "text", Autocomplete: "off", Value: name, Optional: true},
	}}}}
	f = meanwhile(r, f, err)
	page.Fields, page.Wrong, page.Stands = f.Groups[0].Fields, f.Wrong, j.MappingVersion
	code := http.StatusOK
	if err != nil {
		page.Title, code = p.T("layout.error", "Page", page.Title), status(err)
	}
	return view{"imports-columns", page, code}, nil
}

// mapColumns takes what every column becomes, and begins another dry run where that differs from the one that was made.
func (s *site) mapColumns(w http.ResponseWriter, r *http.Request, by importer, j intake.Job) (view, error) {
	all := s.cfg.House.Imports
	in, err := all.Look(r.Context(), by.Actor, j.ID)
	if err != nil {
		return s.noColumns(r, by, j, err)
	}
	was := in.Mapping
	in.Mapping = chosenMapping(was, in.Names, r)
	name := strings.TrimSpace(r.PostFormValue("name"))
	next, err := s.again(r, by, j, was, in.Mapping, name)
	if err != nil {
		return s.columnsView(r, by, j, in, name, s.fault(r, err))
	}
	return moved(w, r, importPath(next))
}

// again keeps the mapping, where it has a name, and begins a dry run by it. One that goes on by another mapping ends.
func (s *site) again(r *http.Request, by importer, j intake.Job, was, is mapping.Mapping, name string) (intake.JobID, error) {
	all := s.cfg.House.Imports
	same := slices.EqualFunc(was.Rules, is.Rules, func(a, b mapping.Rule) bool {
		return a.To == b.To && a.Lang == b.Lang && a.Constant == b.Constant && slices.Equal(a.From, b.From)
	}) && slices.Equal(was.ID, is.ID)
	if same && name == j.Mapping && j.State != intake.Failed {
		return j.ID, nil
	}
	o := intake.UploadOptions{Mapping: name, FullSync: j.FullSync && name != "", DraftsOnly: j.DraftsOnly}
	if name == "" {
		o.Inline = &is
	} else {
		from := uint64(0)
		if name == j.Mapping {
			from = version(r)
		}
		if is.Title == "Suggested" {
			is.Title = name
		}
		if _, err := all.SaveMapping(by.Actor, by.org, name, is, from); err != nil && !s.keptAlready(by, name, is) {
			return "", err
		}
	}
	if !j.State.Finished() {
		if err := all.Cancel(by.Actor, j.ID); err != nil && protocol.CodeOf(err) != protocol.CodeConflict { // it ended meanwhile
			return "", err
		}
	}
	next, err := all.Again(r.Context(), by.Actor, j.ID, o)
	return next.ID, err
}

// keptAlready reports whether that is what the name stands for: the form was sent before, and only the dry run did not begin.
func (s *site) keptAlready(by importer, name string, m mapping.Mapping) bool {
	kept, err := s.cfg.House.Imports.Mapping(by.Actor, by.org, name)
	if err != nil {
		return false
	}
	is, err1 := json.Marshal(m)
	was, err2 := json.Marshal(kept.Mapping)
	return err1 == nil && err2 == nil && bytes.Equal(is, was)
}

// chosenMapping is the mapping with what the form says of every column that it showed.
func chosenMapping(m mapping.Mapping, names []string, r *http.Request) mapping.Mapping {
	m.ID, m.Rules = slices.Clone(m.ID), slices.Clone(m.Rules)
	for i := range m.Rules {
		m.Rules[i].From = slices.Clone(m.Rules[i].From)
	}
	for i, column := range names[:min(len(names), columnsOfPage)] {
		if to, sent := r.PostForm["to-"+strconv.Itoa(i)]; sent {
			letBecome(&m, column, to[0])
		}
	}
	for _, x := range []string{"kind", "country"} {
		if v, sent := r.PostForm[x]; sent && v[0] != constantOf(m, "listing."+x) {
			m.SetConstant("listing."+x, v[0])
		}
	}
	m.Rules = slices.DeleteFunc(m.Rules, func(x mapping.Rule) bool { return len(x.From) == 0 && x.Constant == "" })
	return m
}

// alike reports whether a mapping takes two names of columns for one.
func alike(a, b string) bool {
	return strings.EqualFold(strings.Join(strings.Fields(a), " "), strings.Join(strings.Fields(b), " "))
}

// becomes is what a column fills first; "" where it is not read.
func becomes(m mapping.Mapping, column string) string {
	reads := func(all []string) bool {
		return slices.ContainsFunc(all, func(s string) bool { return alike(s, column) })
	}
	for _, x := range m.Rules {
		if reads(x.From) {
			return x.To
		}
	}
	if reads(m.ID) {
		return toID
	}
	return ""
}

// letBecome changes what a column fills. What it fills besides stays.
func letBecome(m *mapping.Mapping, column, to string) {
	was := becomes(*m, column)
	name := strings.Join(strings.Fields(column), " ")
	if was == to || name == "" || utf8.RuneCountInString(name) > mapping.MaxName {
		return
	}
	without := func(all []string) []string {
		return slices.DeleteFunc(all, func(s string) bool { return alike(s, column) })
	}
	if was == toID {
		m.ID = without(m.ID)
	}
	for i := range m.Rules {
		if m.Rules[i].To == was {
			m.Rules[i].From = without(m.Rules[i].From)
		}
	}
	switch to {
	case "":
	case toID:
		m.ID = append(m.ID, name)
	default:
		if i := slices.IndexFunc(m.Rules, func(x mapping.Rule) bool { return x.To == to && x.Lang == "" }); i >= 0 {
			m.Rules[i].From = append(m.Rules[i].From, name)
			return
		}
		m.Rules = append(m.Rules, newRule(to, name))
	}
}

// newRule for a column: a list has its values between semicolons or commas, but where these stand within a value.
func newRule(to, column string) mapping.Rule {
	x := mapping.Rule{To: to, From: []string{column}}
	for _, t := range mapping.Targets() {
		if t.Path == to && t.List && !slices.Contains([]mapping.Value{mapping.ValuePerson, mapping.ValueRight, mapping.ValuePartner}, t.Value) {
			x.Split = "; ,"
		}
	}
	return x
}

func constantOf(m mapping.Mapping, to string) string {
	for _, x := range m.Rules {
		if x.To == to && x.Lang == "" {
			return x.Constant
		}
	}
	return ""
}

// examplesOf the values of a column, each once.
func examplesOf(in intake.Inspection, column string) (list []template.HTML) {
	var seen []string
	for _, row := range in.Sample {
		for _, f := range row.Fields {
			v := strings.TrimSpace(f.Value)
			if len(seen) == columnValues || v == "" || f.Name != column || slices.Contains(seen, v) {
				continue
			}
			seen = append(seen, v)
			list = append(list, voice(shorter(v)))
		}
	}
	return list
}

func shorter(s string) string {
	s = strings.ToValidUTF8(s, "\uFFFD")
	if utf8.RuneCountInString(s) <= valueShown {
		return s
	}
	return string([]rune(s)[:valueShown]) + "…"
}

// faultsByPath are the faults that a dry run has found so far, by the member that they are about.
func (s *site) faultsByPath(p *lang.Printer, by importer, j intake.Job) (map[string][]columnFault, error) {
	page, err := s.cfg.House.Imports.Rows(by.Actor, j.ID, []posting.ImportOutcome{posting.ImportRefused}, 0, faultRows)
	if c := protocol.CodeOf(err); c == protocol.CodeNotFound || c == protocol.CodeValue {
		return nil, nil //nolint:nilnil // there is no report yet, or no more
	}
	if err != nil {
		return nil, err
	}
	of := map[string][]columnFault{}
	for _, x := range page.Rows {
		for _, e := range x.Faults {
			text, path := stated(p, e.Message), e.Field
			if path == "source_id" {
				path = toID
			}
			at := slices.IndexFunc(of[path], func(c columnFault) bool { return c.Text == text })
			if at < 0 {
				if len(of[path]) == columnFaults {
					continue
				}
				at, of[path] = len(of[path]), append(of[path], columnFault{Text: text})
			}
			of[path][at].Rows++
		}
	}
	return of, nil
}
