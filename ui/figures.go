package ui

import (
	"encoding/csv"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/asean-tmh/tmh/configs/codes"
	"github.com/asean-tmh/tmh/node/exchange"
	"github.com/asean-tmh/tmh/node/stats"
)

// figuresPage shows the counts of the federation as charts, and the same numbers as tables.
type figuresPage struct {
	frame
	Total, Members, Countries, Languages string
	Charts                               []barChart
	Months                               monthChart
	Track                                int // percent of the width that the bars have
}

func (s *site) figures(*http.Request) (view, error) {
	f := s.cfg.Desk.Figures()
	p := figuresPage{
		frame: s.frame("figures", "Figures"), Total: number(f.Listings), Members: number(len(f.ByMember)),
		Track: track, Countries: number(len(f.ByCountry)), Languages: number(len(f.ByLang)),
	}
	for _, d := range dimensions(f, s.cfg.Desk.Members()) {
		p.Charts = append(p.Charts, bars(d))
	}
	p.Months = months(f.Months)
	return view{"figures", p, http.StatusOK}, nil
}

// dimension is one way to count the listings: the codes that have listings, in the order in which people are shown them.
type dimension struct {
	ID, Title, Note string
	Values          []value
}

type value struct {
	Code, Label string
	Count       int
	Missing     bool // not known, which is not zero
}

// number is the count in the wanted form; what is missing is not zero.
func (v value) number(form func(int) string) string {
	if v.Missing {
		return "missing"
	}
	return form(v.Count)
}

func dimensions(f stats.Report, members []exchange.MemberState) []dimension {
	byMember := dimension{ID: "member", Title: "By member"}
	for _, m := range members {
		if n, ok := f.ByMember[string(m.ID)]; ok || m.State == exchange.Unheard {
			v := value{Code: string(m.ID), Label: m.Name, Count: n, Missing: !ok}
			if v.Missing {
				v.Label += " (never heard)"
			}
			byMember.Values = append(byMember.Values, v)
		}
	}
	for _, id := range sortedKeys(f.ByMember) {
		if !slices.ContainsFunc(byMember.Values, func(v value) bool { return v.Code == id }) {
			byMember.Values = append(byMember.Values, value{Code: id, Label: id, Count: f.ByMember[id]})
		}
	}
	slices.SortStableFunc(byMember.Values, func(a, b value) int { return b.Count - a.Count })
	fields := listed("ford", "By field of research", f.ByFORD, codes.FORD(), "no field said")
	fields.Note = "A listing in two fields counts in both."
	levels := listed("trl", "By technology readiness", f.ByTRL, codes.TRL(), "not said")
	for i, v := range levels.Values {
		if v.Code != "" {
			levels.Values[i].Label = "TRL " + v.Code
		}
	}
	return []dimension{
		byMember, listed("kind", "By kind", f.ByKind, codes.Kind(), ""), fields, levels,
		listed("language", "By language", f.ByLang, codes.Language(), ""),
	}
}

// listed counts along the first level of a code list, zeros included where anything was counted; none names the listings
// that have no code of it.
func listed(id, title string, counts map[string]int, in codes.List, none string) dimension {
	d := dimension{ID: id, Title: title}
	for _, c := range in.All() {
		n, ok := counts[c.Code]
		if ok || (len(counts) > 0 && id != "language" && c.Parent == "") {
			d.Values = append(d.Values, value{Code: c.Code, Label: c.Label, Count: n})
		}
	}
	for _, code := range sortedKeys(counts) {
		if !in.Has(code) {
			name := code
			if code == "" {
				name = none
			}
			d.Values = append(d.Values, value{Code: code, Label: name, Count: counts[code]})
		}
	}
	return d
}

func sortedKeys(m map[string]int) []string {
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}

// figuresCSV is the same as one flat table.
func (s *site) figuresCSV(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "text/csv; charset=utf-8")
	w.Header().Set("Content-Disposition", `attachment; filename="tmh-figures.csv"`)
	f := s.cfg.Desk.Figures()
	_, _ = w.Write([]byte("\ufeff")) // spreadsheets read UTF-8 only with it
	c := csv.NewWriter(w)
	rows := [][]string{{"dimension", "code", "label", "count"}, {"total", "", "listings", strconv.Itoa(f.Listings)}}
	for _, d := range dimensions(f, s.cfg.Desk.Members()) {
		for _, v := range d.Values {
			rows = append(rows, []string{d.ID, cell(v.Code), cell(v.Label), v.number(strconv.Itoa)})
		}
	}
	for _, m := range f.Months {
		rows = append(rows, []string{"month", m.Month, "published", strconv.Itoa(m.Published)},
			[]string{"month", m.Month, "withdrawn", strconv.Itoa(m.Withdrawn)}, []string{"month", m.Month, "stock", strconv.Itoa(m.Stock)})
	}
	_ = c.WriteAll(rows) // fails only where the reader went away
}

// cell keeps a spreadsheet from taking a text for a formula.
func cell(s string) string {
	if s != "" && strings.ContainsRune("=+-@\t\r", rune(s[0])) {
		return "'" + s
	}
	return s
}
