package ui

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/asean-tmh/tmh/configs/codes"
	"github.com/asean-tmh/tmh/node/exchange"
	"github.com/asean-tmh/tmh/node/match"
)

// why is an explanation: rows whose weights sum to the score.
type why struct {
	Sentence []speech
	Rows     []whyRow
	Score    string
	ID       string // unique on the page
}

type whyRow struct {
	What          []speech
	Kind          string // of part, and where it stands
	Weight, Share string
	Bar           string // width in percent of the heaviest
	Off           bool   // it takes from the score
}

func explain(h exchange.Hit, id string) *why {
	w := &why{Score: signed(h.Score), ID: id, Sentence: spoken(withoutVerdict(h.Explanation.Sentence, h.Verdict))}
	parts := together(h.Explanation.Parts)
	heaviest := 0.0
	for _, p := range parts {
		heaviest = max(heaviest, p.Weight, -p.Weight)
	}
	for _, p := range parts {
		what, kind := partWords(p)
		if len(p.Fields) > 0 {
			kind += " in " + strings.Join(p.Fields, ", ")
		}
		row := whyRow{What: spoken(what), Kind: kind, Weight: signed(p.Weight), Bar: "0", Off: p.Weight < 0}
		if h.Score > 0 {
			row.Share = strings.Replace(fmt.Sprintf("%.0f%%", 100*p.Weight/h.Score), "-", "−", 1)
		}
		if heaviest > 0 {
			row.Bar = fmt.Sprintf("%.1f", 100*max(p.Weight, -p.Weight)/heaviest)
		}
		w.Rows = append(w.Rows, row)
	}
	return w
}

// together makes one part of the many small ones that say the same: words that the best matches share.
func together(parts []match.Part) []match.Part {
	const named = 5
	var out []match.Part
	var words []string
	at := -1
	for _, p := range parts {
		if p.Kind != match.PartExpansion {
			out = append(out, p)
			continue
		}
		if w := translated(p); !slices.Contains(words, w) {
			words = append(words, w)
		}
		if at < 0 {
			at = len(out)
			out = append(out, match.Part{Kind: p.Kind})
		}
		out[at].Weight += p.Weight
	}
	if at >= 0 {
		out[at].Term = strings.Join(words[:min(named, len(words))], ", ")
		if n := len(words) - named; n > 0 {
			out[at].Term += " and " + strconv.Itoa(n) + " more"
		}
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

func signed(f float64) string { return strings.Replace(fmt.Sprintf("%.3f", f), "-", "−", 1) }

// withoutVerdict leaves out what stands beside the sentence already.
func withoutVerdict(sentence string, v match.Verdict) string {
	rest, ok := strings.CutPrefix(sentence, verdictWords(v)+": ")
	if !ok || rest == "" {
		return sentence
	}
	return strings.ToUpper(rest[:1]) + rest[1:] // our own words, which begin with an English letter
}

// partWords say what a part is, and of which kind.
func partWords(p match.Part) (what, kind string) {
	switch p.Kind {
	case match.PartTerm:
		return translated(p), "word"
	case match.PartBigram:
		return quote(p.Term), "neighbouring words"
	case match.PartExpansion:
		return p.Term, "words of the best matches"
	case match.PartTopic:
		if p.Term == "" || p.Found == "" {
			return "The same topic", "related words, all others together"
		}
		return translated(match.Part{Term: p.Term, Means: p.Means}) + " goes with " + quote(p.Found), "related words"
	case match.PartCode:
		return codeWords(p)
	case match.PartFit:
		return fitWords(p.Term), "fit"
	case match.PartStale:
		return "Its origin was not heard of for long, so it may be out of date", "taken off"
	case match.PartEmbedding:
		return "A language model finds the texts alike", "outside opinion"
	case match.PartOther:
		return "Lighter parts together", ""
	}
	return p.Term, p.Kind
}

func quote(s string) string { return "“" + s + "”" }

// translated names a word, what it means in English, and the listing's own word where it is another one.
func translated(p match.Part) string {
	s := quote(p.Term)
	if p.Means != "" && !strings.EqualFold(p.Means, p.Term) {
		s += " → " + p.Means
	}
	if p.Found != "" {
		s += ", here " + quote(p.Found)
	}
	return s
}

func codeWords(p match.Part) (what, kind string) {
	system, code, _ := strings.Cut(p.Term, " ")
	var list codes.List
	var name string
	levels := 1
	switch system {
	case "FORD":
		list, name, levels = codes.FORD(), "field of research", 2
	case "ISIC":
		list, name, levels = codes.ISIC(), "industry", 2
	case "IPC":
		list, name, levels = codes.IPC(), "patent class", 3
	case "SDG":
		list, name = codes.SDG(), "development goal"
	default:
		return p.Term, "shared code"
	}
	kind = "shared " + name
	if levels > 1 {
		kind += ", level " + strconv.Itoa(p.Level) + " of " + strconv.Itoa(levels)
	}
	return coded(list, code), kind
}

func fitWords(name string) string {
	switch name {
	case "readiness":
		return "The technology is as ready as wanted"
	case "cooperation":
		return "Both want to work together in the same way"
	case "partner":
		return "One is the kind of partner that the other seeks"
	case "country":
		return "One is in a country in which the other seeks partners"
	}
	return name
}
