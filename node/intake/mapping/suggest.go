package mapping

import (
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/asean-tmh/tmh/configs/codes"
	"github.com/asean-tmh/tmh/node/table"
	"github.com/asean-tmh/tmh/protocol"
)

// maxSample rows are looked at for languages and separators.
const maxSample = 50

// Suggest proposes a mapping for columns of these names. What it proposes can be compiled; what nothing tells, such as the country
// of a source that does not give it, is for people to add (Lacks). The columns of our own exports become what they were.
func Suggest(names []string, sample []table.Row) Mapping {
	s := suggester{words: dictionary(), langs: columnLanguages(), sample: sample[:min(len(sample), maxSample)], taken: map[string]int{}}
	m := Mapping{Title: "Suggested", Rules: []Rule{}}
	type guess struct {
		name, to, lang string
		exact          bool
	}
	var all []guess
	for _, name := range names[:min(len(names), 1000)] {
		if name = spaced(name); name == "" || utf8.RuneCountInString(name) > MaxName || !oneLine(name) ||
			slices.ContainsFunc(all, func(g guess) bool { return same(g.name) == same(name) }) {
			continue
		}
		if to, lang, exact := s.guess(name); to != "" {
			all = append(all, guess{name, to, lang, exact})
		}
	}
	abstract := slices.ContainsFunc(all, func(g guess) bool { return g.to == "abstract" })
	for _, exact := range []bool{true, false} { // a name of ours before others that mean the same
		for _, g := range all {
			if g.exact != exact {
				continue
			}
			if g.to == "id" {
				if len(m.ID) < 1 {
					m.ID = append(m.ID, g.name)
				}
				continue
			}
			s.add(&m, s.rule(g.name, g.to, g.lang, g.exact, abstract))
		}
	}
	s.untitled(&m)
	if !slices.ContainsFunc(m.Rules, func(r Rule) bool { return r.To == pathKind }) {
		m.Rules = append(m.Rules, Rule{To: pathKind, Constant: string(protocol.TechnologyOffer)})
	}
	return m
}

// untitled lets texts of a language that no column has titles of go where their own language is: with "*" they get the title that
// there is, where otherwise every row would be at fault.
func (s *suggester) untitled(m *Mapping) {
	for i := range m.Rules {
		r := &m.Rules[i]
		p := strings.Split(r.To, ".")
		if len(p) != 4 || p[0] != "listing" || p[2] == anyLang || isTitle(r.To) {
			continue
		}
		_, titled := s.taken["listing.texts."+p[2]+".title"]
		_, mixed := s.taken["listing.texts.*.title"]
		to := "listing.texts.*." + p[3]
		if _, ok := s.taken[to]; !ok && !titled && !mixed {
			s.taken[to] = i
			r.To, r.Else = to, protocol.Lang(p[2])
		}
	}
}

type suggester struct {
	words  map[string]synonym // by folded name
	langs  map[string]string
	sample []table.Row
	taken  map[string]int // targets to their rules
}

// dictionary of all names that are known for certain.
func dictionary() map[string]synonym {
	m := map[string]synonym{}
	for _, s := range synonyms() {
		for _, name := range strings.Split(s.names, ";") {
			if key := fold(name); m[key].to == "" {
				m[key] = s
			}
		}
	}
	for _, t := range Targets() { // also as "organisation_name" and "Organisation: name"
		if strings.Contains(t.Path, ".texts.") {
			continue
		}
		m[fold(t.Path)] = synonym{to: t.Path}
		m[fold(t.Label)] = synonym{to: t.Path}
		_, path, _ := strings.Cut(t.Path, ".")
		if key := fold(strings.ReplaceAll(path, "_", " ")); m[key].to == "" || strings.HasPrefix(t.Path, "listing.") {
			m[key] = synonym{to: t.Path}
		}
		if strings.HasPrefix(t.Path, "record.") {
			m[fold("full "+t.Path)] = synonym{to: t.Path}
		}
	}
	return m
}

// guess is what a column is: "id", a text without its language, or a path. exact is for the names of our own exports.
func (s *suggester) guess(name string) (to, lang string, exact bool) {
	key := fold(apart(name))
	plain := strings.ToLower(name)
	if plain == "id" || plain == "listing.id" {
		return "id", "", true
	}
	if part, tag, ok := strings.Cut(plain, "_"); ok && codes.Language().Has(tag) && slices.Contains([]string{"title", "value", "abstract", "keywords"}, part) {
		return part, tag, true
	}
	if w := strings.Fields(key); len(w) > 2 { // listing.texts.th.title
		at := slices.Index(w, "texts")
		if at >= 0 && at+3 == len(w) && codes.Language().Has(w[at+1]) && s.words[w[at+2]].to == w[at+2] {
			return w[at+2], w[at+1], true
		}
	}
	if known := s.words[key]; known.to != "" {
		return known.to, known.lang, strings.Contains(known.to, "."+key) || strings.Contains(known.to, "."+strings.ReplaceAll(key, " ", "_")) || strings.HasSuffix(fold(known.to), " "+key)
	}
	for _, prefix := range []string{"dc ", "dcterms ", "listing ", "item ", "technology ", "tech ", "project ", "full record ", "record "} {
		if rest, ok := strings.CutPrefix(key, prefix); ok && s.words[rest].to != "" {
			return s.words[rest].to, s.words[rest].lang, false
		}
	}
	words := strings.Fields(strings.TrimPrefix(strings.TrimPrefix(key, "dc "), "dcterms "))
	for n := min(2, len(words)-1); n >= 1; n-- { // "Title (Thai)", "dc.title[en_US]", "Judul Bahasa Indonesia", "EN title"
		for _, cut := range [][2][]string{{words[:len(words)-n], words[len(words)-n:]}, {words[n:], words[:n]}} {
			known := s.words[strings.Join(cut[0], " ")]
			tag := s.language(cut[1])
			if known.to != "" && !strings.Contains(known.to, ".") && known.to != "id" && tag != "" {
				return known.to, tag, false
			}
		}
	}
	return "", "", false
}

func (s *suggester) language(words []string) string {
	all := strings.Join(words, " ")
	switch {
	case s.langs[all] != "":
		return s.langs[all]
	case codes.Language().Has(words[0]) && (len(words) == 1 || len(words[1]) == 2):
		return words[0]
	}
	return ""
}

// apart puts a space where small letters end: "titleEn".
func apart(name string) string {
	var b strings.Builder
	small := false
	for _, c := range name {
		if small && unicode.IsUpper(c) {
			b.WriteByte(' ')
		}
		small = unicode.IsLower(c) && c < 0x250
		b.WriteRune(c)
	}
	return b.String()
}

// rule for one column. A description alone is the abstract: that is what everybody reads.
func (s *suggester) rule(name, to, lang string, exact, abstract bool) Rule {
	r := Rule{To: to, From: []string{name}}
	if !strings.Contains(to, ".") {
		doc := "listing"
		switch {
		case to == "description" && !abstract && !exact:
			to, r.Cut = "abstract", true
		case slices.Contains([]string{"description", "problem", "advantages", "applications"}, to):
			doc = "record"
		}
		if !exact {
			lang = s.tongue(name, lang)
		}
		r.To = doc + ".texts." + lang + "." + to
	}
	if t := targetAt(r.To); t.List && exact && t.Value == ValueLine {
		r.Split = ";" // of ours, whatever else stands within
	} else if t.List {
		r.Split = s.separator(name, t)
	}
	return r
}

func targetAt(path string) Target {
	all := Targets()
	if i := slices.IndexFunc(all, func(t Target) bool { return t.Path == path }); i >= 0 {
		return all[i]
	}
	return Target{}
}

// tongue of a column's texts: as most of the sample is, where its letters tell; else as the name says.
func (s *suggester) tongue(name, lang string) string {
	votes, best := map[string]int{}, ""
	for _, v := range s.values(name) {
		if t := tongue(lang, plain(clipText(v), false)); t != "" && t != "-" {
			votes[t]++
		}
	}
	for _, t := range sortedTags(votes) {
		if votes[t] > votes[best] {
			best = t
		}
	}
	if len(votes) > 1 && votes[best]*3 < 2*len(s.values(name)) && lang == "" {
		return anyLang // it is mixed
	}
	if best != "" {
		return best
	}
	if lang != "" {
		return lang
	}
	return "en"
}

func sortedTags(votes map[string]int) []string {
	all := make([]string, 0, len(votes))
	for t := range votes {
		all = append(all, t)
	}
	slices.Sort(all)
	return all
}

func (s *suggester) values(name string) []string {
	var all []string
	for _, row := range s.sample {
		for _, f := range row.Fields {
			if same(f.Name) == same(name) && strings.TrimSpace(f.Value) != "" && !tooLong(f.Value) {
				all = append(all, f.Value)
			}
		}
	}
	return all
}

func clipText(s string) string {
	if len(s) > 4000 {
		s = strings.ToValidUTF8(s[:4000], "")
	}
	return s
}

// separator of the values in one cell, by the sample. Our own is the semicolon.
func (s *suggester) separator(name string, t Target) string {
	counts := map[string]int{}
	for _, v := range s.values(name) {
		for _, sep := range []string{"||", ";", "|", ",", "\n"} {
			if strings.Contains(clipText(v), sep) {
				counts[sep]++
			}
		}
	}
	parts := t.Value == ValueRight || t.Value == ValuePartner // a semicolon is within
	switch {
	case counts["||"] > 0:
		return "||"
	case parts && counts["|"] > 0:
		return "|"
	case parts:
		return "\n"
	case counts[";"] > 0:
		return ";"
	case counts["|"] > 0:
		return "|"
	case counts[","] > 0 && (t.Value == ValueNumber || (t.Value == ValueLine && !strings.HasSuffix(t.Path, "certifications")) || t.Codes == "ipc" || t.Codes == "ford" || t.Codes == "isic"):
		return ","
	case counts["\n"] > 0:
		return "\n"
	}
	return ";"
}

// add puts the rule in, unless its target is filled: a list takes another column too.
func (s *suggester) add(m *Mapping, r Rule) {
	i, ok := s.taken[r.To]
	switch {
	case !ok && len(m.Rules) < MaxRules:
		s.taken[r.To] = len(m.Rules)
		m.Rules = append(m.Rules, r)
	case ok && targetAt(r.To).List && m.Rules[i].Split == r.Split && len(m.Rules[i].From) < MaxFrom:
		m.Rules[i].From = append(m.Rules[i].From, r.From...)
	}
}
