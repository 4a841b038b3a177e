package ui

import (
	"encoding/csv"
	"html/template"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/asean-tmh/tmh/configs/codes"
	"github.com/asean-tmh/tmh/node/exchange"
	"github.com/asean-tmh/tmh/node/stats"
	"github.com/asean-tmh/tmh/ui/lang"
)

// figuresPage shows the counts of the federation as charts, and the same numbers as tables.
type figuresPage struct {
	frame
	Total, Members, Countries, Languages int
	Charts                               []barChart
	Months                               monthChart
}

func (s *site) figures(r *http.Request) (view, error) {
	f, say := s.cfg.Desk.Figures(), printer(r)
	p := figuresPage{
		frame: s.frame(r, "figures", say.T("nav.figures")), Total: f.Listings, Members: len(f.ByMember),
		Countries: len(f.ByCountry), Languages: len(f.ByLang),
	}
	for _, d := range dimensions(say, f, s.cfg.Desk.Members()) {
		p.Charts = append(p.Charts, bars(say, d))
	}
	p.Months = months(say, f.Months)
	return view{"figures", p, http.StatusOK}, nil
}

// dimension is one way to count the listings: the codes that have listings, in the order in which people are shown them.
type dimension struct {
	ID          string
	Title, Note template.HTML
	Values      []value
}

type value struct {
	Code    string
	Label   template.HTML
	Plain   string // Label for files
	Count   int
	Missing bool // not known, which is not zero
}

// number is the count in the wanted form; what is missing is not zero.
func (v value) number(form func(int) string, missing string) string {
	if v.Missing {
		return missing
	}
	return form(v.Count)
}

func valued(p *lang.Printer, code string, name lang.Text, n int) value {
	return value{Code: code, Label: p.Say(name), Plain: name.Text, Count: n}
}

func dimensions(p *lang.Printer, f stats.Report, members []exchange.MemberState) []dimension {
	byMember := dimension{ID: "member", Title: p.HTML("figures.by.member")}
	for _, m := range members {
		if n, ok := f.ByMember[string(m.ID)]; ok || m.State == exchange.Unheard {
			v := valued(p, string(m.ID), memberText(p, m), n)
			if v.Missing = !ok; v.Missing {
				v.Label = p.HTML("figures.never-heard", "Member", v.Label)
			}
			byMember.Values = append(byMember.Values, v)
		}
	}
	for _, id := range sortedKeys(f.ByMember) {
		if !slices.ContainsFunc(byMember.Values, func(v value) bool { return v.Code == id }) {
			byMember.Values = append(byMember.Values, valued(p, id, lang.Text{Text: id}, f.ByMember[id]))
		}
	}
	slices.SortStableFunc(byMember.Values, func(a, b value) int { return b.Count - a.Count })
	fields := listed(p, "ford", f.ByFORD, codes.FORD())
	fields.Note = p.HTML("figures.by.ford.note")
	levels := listed(p, "trl", f.ByTRL, codes.TRL())
	for i, v := range levels.Values {
		if v.Code != "" {
			levels.Values[i].Label, levels.Values[i].Plain = p.HTML("field.trl.short", "Level", v.Code), p.T("field.trl.short", "Level", v.Code)
		}
	}
	return []dimension{byMember, listed(p, "kind", f.ByKind, codes.Kind()), fields, levels, listed(p, "language", f.ByLang, codes.Language())}
}

// listed counts along the first level of a code list, zeros included where anything was counted, and last the listings that have
// no code of it.
func listed(p *lang.Printer, id string, counts map[string]int, in codes.List) dimension {
	d := dimension{ID: id, Title: p.HTML("figures.by." + id)}
	for _, c := range in.All() {
		n, ok := counts[c.Code]
		if ok || (len(counts) > 0 && id != "language" && c.Parent == "") {
			d.Values = append(d.Values, valued(p, c.Code, p.Label(id, c.Code), n))
		}
	}
	for _, code := range sortedKeys(counts) {
		if !in.Has(code) {
			name := lang.Text{Text: code}
			if code == "" {
				name = p.Text("word.not-said")
			}
			d.Values = append(d.Values, valued(p, code, name, counts[code]))
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

// figuresCSV is the same as one flat table, with the names of codes in the language of the pages.
func (s *site) figuresCSV(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Type", "text/csv; charset=utf-8")
	w.Header().Set("Content-Disposition", `attachment; filename="tmh-figures.csv"`)
	f := s.cfg.Desk.Figures()
	_, _ = w.Write([]byte("\ufeff")) // spreadsheets read UTF-8 only with it
	c := csv.NewWriter(w)
	rows := [][]string{{"dimension", "code", "label", "count"}, {"total", "", "listings", strconv.Itoa(f.Listings)}}
	for _, d := range dimensions(printer(r), f, s.cfg.Desk.Members()) {
		for _, v := range d.Values {
			rows = append(rows, []string{d.ID, cell(v.Code), cell(v.Plain), v.number(strconv.Itoa, "missing")})
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
