package ui

import (
	"bytes"
	"encoding/json"
	"html/template"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/asean-tmh/tmh/node/access"
	"github.com/asean-tmh/tmh/node/intake"
	"github.com/asean-tmh/tmh/node/intake/mapping"
	"github.com/asean-tmh/tmh/protocol"
)

// A mapping that an organisation keeps: as a table of what fills what, and, for those who know its whole form, as JSON.

type mappingPage struct {
	frame
	Back, Action, Delete string
	Called               template.HTML
	May                  bool
	Wrong                []mistake
	Stands               uint64
	ID                   string
	Rules                []ruleRow
	Groups               []targetGroup
	JSON                 string
	Whole                bool // the JSON was sent, and is at fault
}

type ruleRow struct {
	N        int
	To       string
	Name     template.HTML
	From     string // a column a line
	Constant string
	More     bool // the rule says more, which stands in the JSON
	Wrong    []template.HTML
}

const (
	spareRules = 2
	rulesShown = 100
)

func mappingPath(org access.OrganisationID, name string) string {
	return organisationPath(org) + "/mappings/" + url.PathEscape(name)
}

func (s *site) savedMapping(r *http.Request, by importer) (intake.Saved, error) {
	return s.cfg.House.Imports.Mapping(by.Actor, by.org, r.PathValue("name"))
}

func (s *site) mappingPage(_ http.ResponseWriter, r *http.Request, by importer) (view, error) {
	m, err := s.savedMapping(r, by)
	if err != nil {
		return s.noNamed(r, err)
	}
	return s.mappingView(r, by, m.Name, m.Mapping, m.Version, "", nil), nil
}

// noNamed is the page for a mapping or repository that is not there.
func (s *site) noNamed(r *http.Request, err error) (view, error) {
	if protocol.CodeOf(err) == protocol.CodeNotFound {
		return s.noImport(r, "imports.none-named"), nil
	}
	return view{}, err
}

func (s *site) mappingView(r *http.Request, by importer, name string, m mapping.Mapping, version uint64, sent string, err error) view {
	p := printer(r)
	names := placeNames(p)
	page := mappingPage{
		frame: s.frame(r, "organisation", p.T("imports.mapping-title", "Name", voice(name))), Back: importsPath(by.org), Action: mappingPath(by.org, name), Delete: mappingPath(by.org, name) + "/delete",
		Called: voice(name), May: by.may, Stands: version, ID: strings.Join(m.ID, "\n"), JSON: sent, Whole: sent != "",
	}
	var used []string
	for i, x := range m.Rules[:min(len(m.Rules), rulesShown)] {
		used = append(used, x.To)
		row := ruleRow{N: i, To: x.To, Name: placeName(p, names, x.To), From: strings.Join(x.From, "\n"), Constant: x.Constant}
		row.More = x.Lang != "" || x.Join != "" || len(x.Values) > 0 || x.Only || x.Fit || x.Date != "" || x.Cut || x.Else != ""
		page.Rules = append(page.Rules, row)
	}
	if by.may && len(m.Rules) < rulesShown {
		for i := range spareRules {
			page.Rules = append(page.Rules, ruleRow{N: len(m.Rules) + i})
		}
	}
	page.Groups = choosable(p, names, by.Country, used)
	if sent == "" {
		if b, jerr := json.MarshalIndent(m, "", "  "); jerr == nil {
			page.JSON = string(b)
		}
	}
	code := http.StatusOK
	if err != nil {
		page.Title, code = p.T("layout.error", "Page", page.Title), status(err)
		if page.Wrong = ruleFaults(s, r, err); protocol.CodeOf(err) == protocol.CodeConflict {
			page.Wrong = meanwhile(r, form{}, err).Wrong
		}
		for i := range page.Rules {
			for _, e := range protocol.All(err) {
				if strings.HasPrefix(e.Field, "rules["+strconv.Itoa(page.Rules[i].N)+"].") {
					page.Rules[i].Wrong = append(page.Rules[i].Wrong, stated(p, e.Message))
				}
			}
		}
	}
	return view{"imports-mapping", page, code}
}

// ruleFaults lead to the rules that they are about.
func ruleFaults(s *site, r *http.Request, err error) (list []mistake) {
	p := printer(r)
	for _, e := range protocol.All(s.fault(r, err)) {
		m := mistake{Text: stated(p, e.Message)}
		if at, found := strings.CutPrefix(e.Field, "rules["); found {
			n, _, _ := strings.Cut(at, "]")
			if i, err := strconv.Atoi(n); err == nil {
				m.ID = "rule-" + strconv.Itoa(i)
				m.Text = p.HTML("imports.rule-fault", "N", i+1, "Fault", clause(p, e.Message))
			}
		}
		list = append(list, m)
	}
	return list
}

// saveMapping keeps the table, or the JSON where that was sent.
func (s *site) saveMapping(w http.ResponseWriter, r *http.Request, by importer) (view, error) {
	kept, err := s.savedMapping(r, by)
	if err != nil {
		return s.noNamed(r, err)
	}
	m, sent := ruledMapping(kept.Mapping, r), ""
	if r.PostFormValue("whole") == "1" {
		sent = r.PostFormValue("json")
		whole, err := decodeMapping(sent)
		if err != nil {
			return s.mappingView(r, by, kept.Name, kept.Mapping, version(r), sent, err), nil
		}
		m = *whole
	}
	if _, err := s.cfg.House.Imports.SaveMapping(by.Actor, by.org, kept.Name, m, version(r)); err != nil {
		now := version(r)
		if protocol.CodeOf(err) == protocol.CodeConflict { // the page shows how it stands now
			m, now, sent = kept.Mapping, kept.Version, ""
		}
		return s.mappingView(r, by, kept.Name, m, now, sent, s.fault(r, err)), nil
	}
	return moved(w, r, importsPath(by.org)+"?done=mapping")
}

func decodeMapping(text string) (*mapping.Mapping, error) {
	b := bytes.TrimSpace([]byte(text))
	switch {
	case len(b) == 0:
		return nil, protocol.Errorf(protocol.CodeRequired, "json", "the mapping is empty: load the page again to have it as it was")
	case len(b) > mapping.MaxMapping:
		return nil, protocol.Errorf(protocol.CodeTooLarge, "json", "the mapping is over %d KiB: shorten its lists of values", mapping.MaxMapping>>10)
	}
	return mapping.Decode(b)
}

// ruledMapping is the mapping with what the table says; what the table does not show stays.
func ruledMapping(m mapping.Mapping, r *http.Request) mapping.Mapping {
	was := m.Rules
	m.Rules = nil
	if id, sent := r.PostForm["id"]; sent {
		m.ID = linesOf(id[0])
	}
	for i := range len(was) + spareRules {
		n := strconv.Itoa(i)
		to, sent := r.PostForm["to-"+n]
		var x mapping.Rule
		if i < len(was) {
			x = was[i]
		}
		switch {
		case !sent && i < len(was):
		case !sent || to[0] == "":
			continue
		case to[0] != x.To:
			x = newRule(to[0], "")
			fallthrough
		default:
			x.From, x.Constant = linesOf(r.PostFormValue("from-"+n)), strings.TrimSpace(r.PostFormValue("constant-"+n))
		}
		m.Rules = append(m.Rules, x)
	}
	return m
}

func linesOf(text string) (all []string) {
	for line := range strings.Lines(text) {
		if line = strings.TrimSpace(line); line != "" {
			all = append(all, line)
		}
	}
	return slices.Clip(all)
}

func (s *site) deleteMappingPage(_ http.ResponseWriter, r *http.Request, by importer) (view, error) {
	m, err := s.savedMapping(r, by)
	if err != nil {
		return s.noNamed(r, err)
	}
	return s.deleteView(r, "mapping", m.Name, mappingPath(by.org, m.Name), m.Version, nil), nil
}

func (s *site) deleteView(r *http.Request, what, name, at string, version uint64, err error) view {
	p := printer(r)
	f := form{ID: "delete", Action: at + "/delete", Button: p.HTML("act.delete"), Danger: true, Hidden: []option{{Value: strconv.FormatUint(version, 10), Label: "version"}}}
	return s.formView(r, "imports.delete-"+what, []template.HTML{p.HTML("imports.about", "Name", voice(name)), p.HTML("imports.delete-" + what + ".says")}, f, err, link(p, at, "act.back"))
}

func (s *site) deleteMapping(w http.ResponseWriter, r *http.Request, by importer) (view, error) {
	m, err := s.savedMapping(r, by)
	if err != nil {
		return s.noNamed(r, err)
	}
	if err := s.cfg.House.Imports.DeleteMapping(by.Actor, by.org, m.Name, version(r)); err != nil {
		return s.deleteView(r, "mapping", m.Name, mappingPath(by.org, m.Name), m.Version, s.fault(r, err)), nil
	}
	return moved(w, r, importsPath(by.org)+"?done=mapping-deleted")
}
