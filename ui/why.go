package ui

import (
	"cmp"
	"html/template"
	"slices"
	"strings"

	"github.com/asean-tmh/tmh/configs/codes"
	"github.com/asean-tmh/tmh/node/exchange"
	"github.com/asean-tmh/tmh/node/match"
	"github.com/asean-tmh/tmh/ui/lang"
)

// why is an explanation: words that a search and a listing share, what else speaks for it, and rows whose weights sum to the score.
type why struct {
	Pairs []pair
	Says  []template.HTML // sentences
	Rows  []whyRow
	Score string
	ID    string // unique on the page
}

// pair is a word of the search and what stands for it in the listing.
type pair struct{ Asked, Means, Found template.HTML }

type whyRow struct {
	What          template.HTML
	Kind          template.HTML // of part, and where it stands
	Weight, Share string
	Bar           string // width in percent of the heaviest
	Off           bool   // it takes from the score
}

const mostPairs = 6

func explain(p *lang.Printer, h exchange.Hit, id string) *why {
	w := &why{Score: signed(p, h.Score), ID: id}
	w.Pairs, w.Says = inShort(p, h.Explanation.Parts)
	parts := together(h.Explanation.Parts)
	heaviest := 0.0
	for _, x := range parts {
		heaviest = max(heaviest, x.Weight, -x.Weight)
	}
	named := slices.ContainsFunc(parts, func(x match.Part) bool { return x.Kind == match.PartTopic && x.Term != "" })
	for _, x := range parts {
		what, kind := partWords(p, x)
		if x.Kind == match.PartTopic && !named {
			kind = p.HTML("why.kind.related") // there are no others
		}
		if len(x.Fields) > 0 {
			kind = p.HTML("why.kind-in", "Kind", kind, "Fields", listOf(p, fieldNames(p, x.Fields)))
		}
		row := whyRow{What: what, Kind: kind, Weight: signed(p, x.Weight), Bar: "0", Off: x.Weight < 0}
		if h.Score > 0 {
			row.Share = minus(p.Decimal(100*x.Weight/h.Score, 0)) + "%"
		}
		if heaviest > 0 {
			row.Bar = percent(100 * max(x.Weight, -x.Weight) / heaviest)
		}
		w.Rows = append(w.Rows, row)
	}
	return w
}

// inShort says in one breath why a listing was found.
func inShort(p *lang.Printer, parts []match.Part) (pairs []pair, says []template.HTML) {
	var related, codesOf, fits []template.HTML
	words := 0
	heavy := slices.ContainsFunc(parts, func(x match.Part) bool { return x.Kind == match.PartTerm && !x.Light })
	for _, x := range parts {
		switch x.Kind {
		case match.PartTerm:
			if words++; len(pairs) < mostPairs && !(heavy && x.Light) {
				one := pair{Asked: voice(x.Term), Found: voice(x.Found)}
				if x.Means != "" && !strings.EqualFold(x.Means, x.Term) && !strings.EqualFold(x.Means, x.Found) {
					one.Means = english(p, x.Means)
				}
				pairs = append(pairs, one)
			}
		case match.PartTopic:
			if len(related) == 0 && x.Term != "" && x.Found != "" {
				related = append(related, p.HTML("why.says-related", "Word", voice(quote(x.Term)), "Other", voice(quote(x.Found))))
			}
		case match.PartCode:
			if len(codesOf) < 2 {
				what, _ := codeWords(p, x)
				codesOf = append(codesOf, what)
			}
		case match.PartFit:
			if what := fitWords(p, x.Term, ".short"); what != "" {
				fits = append(fits, what)
			}
		}
	}
	if words > len(pairs) {
		says = append(says, p.HTMLN("why.says-more", words-len(pairs)))
	}
	says = append(says, related...)
	if len(codesOf) > 0 {
		says = append(says, p.HTML("why.says-codes", "Codes", listOf(p, codesOf)))
	}
	if len(fits) > 0 {
		says = append(says, p.HTML("why.says-fits", "What", listOf(p, fits)))
	}
	if len(pairs) == 0 {
		says = append([]template.HTML{p.HTML("why.says-none")}, says...)
	}
	return pairs, says
}

func fieldNames(p *lang.Printer, fields []string) (list []template.HTML) {
	for _, f := range fields {
		switch f {
		case "title", "keywords", "abstract":
			list = append(list, p.HTML("why.field."+f))
		default:
			list = append(list, english(p, f))
		}
	}
	return list
}

// together makes one part of the many small ones that say the same: words that the best matches share.
func together(parts []match.Part) []match.Part {
	var out []match.Part
	var words []string
	at := -1
	for _, p := range parts {
		if p.Kind != match.PartExpansion {
			out = append(out, p)
			continue
		}
		w := quote(p.Term)
		if p.Means != "" && !strings.EqualFold(p.Means, p.Term) {
			w += " → " + p.Means
		}
		if !slices.Contains(words, w) {
			words = append(words, w)
		}
		if at < 0 {
			at = len(out)
			out = append(out, match.Part{Kind: p.Kind})
		}
		out[at].Weight += p.Weight
	}
	if at >= 0 {
		out[at].Term, out[at].Level = strings.Join(words[:min(namedWords, len(words))], ", "), max(0, len(words)-namedWords)
	}
	slices.SortStableFunc(out, func(a, b match.Part) int {
		switch match.PartOther {
		case a.Kind:
			return 1
		case b.Kind:
			return -1
		}
		return cmp.Compare(max(b.Weight, -b.Weight), max(a.Weight, -a.Weight))
	})
	return out
}

// namedWords of the best matches are named, and the others counted.
const namedWords = 5

func signed(p *lang.Printer, f float64) string { return minus(p.Decimal(f, 3)) }

// minus is the sign of a negative number, as it is printed.
func minus(s string) string { return strings.Replace(s, "-", "−", 1) }

// partWords say what a part is, and of which kind.
func partWords(p *lang.Printer, x match.Part) (what, kind template.HTML) {
	switch x.Kind {
	case match.PartTerm:
		return translated(p, x), p.HTML("why.kind.word")
	case match.PartBigram:
		return voice(quote(x.Term)), p.HTML("why.kind.neighbours")
	case match.PartExpansion:
		if x.Level > 0 {
			return p.HTMLN("why.and-more", x.Level, "Words", voice(x.Term)), p.HTML("why.kind.expansion")
		}
		return voice(x.Term), p.HTML("why.kind.expansion")
	case match.PartTopic:
		if x.Term == "" || x.Found == "" {
			return p.HTML("why.topic"), p.HTML("why.kind.related-all")
		}
		return p.HTML("why.related", "Word", translated(p, match.Part{Term: x.Term, Means: x.Means}), "Other", voice(quote(x.Found))), p.HTML("why.kind.related")
	case match.PartCode:
		return codeWords(p, x)
	case match.PartFit:
		if what = fitWords(p, x.Term, ""); what == "" {
			what = english(p, x.Term)
		}
		return what, p.HTML("why.kind.fit")
	case match.PartStale:
		return p.HTML("why.stale"), p.HTML("why.kind.off")
	case match.PartEmbedding:
		return p.HTML("why.model"), p.HTML("why.kind.outside")
	case match.PartOther:
		return p.HTML("why.lighter"), ""
	}
	return english(p, x.Term), english(p, x.Kind)
}

func quote(s string) string { return "“" + s + "”" }

// translated names a word, what it means in English, and the listing's own word where it is another one.
func translated(p *lang.Printer, x match.Part) template.HTML {
	out := voice(quote(x.Term))
	if x.Means != "" && !strings.EqualFold(x.Means, x.Term) {
		out += " → " + english(p, x.Means)
	}
	if x.Found != "" {
		out = p.HTML("why.here", "Word", out, "Found", voice(quote(x.Found)))
	}
	return out
}

func codeWords(p *lang.Printer, x match.Part) (what, kind template.HTML) {
	system, code, _ := strings.Cut(x.Term, " ")
	var in codes.List
	levels := 1
	switch system {
	case "FORD":
		in, levels = codes.FORD(), 2
	case "ISIC":
		in, levels = codes.ISIC(), 2
	case "IPC":
		in, levels = codes.IPC(), 3
	case "SDG":
		in = codes.SDG()
	default:
		return english(p, x.Term), p.HTML("why.kind.code")
	}
	list := strings.ToLower(system)
	kind = p.HTML("why.kind." + list)
	if levels > 1 {
		kind = p.HTML("why.kind-level", "Kind", kind, "Level", x.Level, "Levels", levels)
	}
	return coded(p, list, in, code), kind
}

// fitWords say what fits; short as a part of a sentence.
func fitWords(p *lang.Printer, name, short string) template.HTML {
	switch name {
	case "readiness", "cooperation", "partner", "country":
		return p.HTML("why.fit." + name + short)
	}
	return ""
}
