package lexicon

import (
	"cmp"
	"math"
	"slices"
)

// BilingualText is a text that stands in a listing in two languages. Its words come from the same analysis as the index.
type BilingualText struct {
	Lang    string   // of Foreign
	Foreign []string // words
	English []string // words
	Origin  string   // the member that published it
	Ref     string   // names the listing
}

// LearnOptions bound what is proposed; zero values take the defaults.
type LearnOptions struct {
	Probability float64 // at least this: .2
	Seen        int     // in this many texts: 3
	Origins     int     // of this many members: 2, so that no member alone can plant a word
}

// Proposal of a translation, for a person to judge.
type Proposal struct {
	Lang, Word, English string
	Probability         float64 // the geometric mean of both directions
	Seen, Origins       int
	Examples            []string // listings in which it was seen
}

const (
	learnRounds    = 6
	learnWords     = 64     // of one text in one language
	learnTexts     = 50_000 // of one language
	learnExamples  = 3
	leastLikely    = 1e-4
	maxProposals   = 10_000
	maxLearnedPair = 8 << 20 // pairs of words that are weighed at a time
)

// Learn finds translations of words that the lexicon lacks, by which words stand in the same texts (IBM model 1, in both
// directions). A word that it knows explains its own translations, and so keeps them from its neighbours.
func Learn(texts []BilingualText, known *Lexicon, opt LearnOptions) []Proposal {
	opt.Probability, opt.Seen, opt.Origins = cmp.Or(opt.Probability, .2), cmp.Or(opt.Seen, 3), cmp.Or(opt.Origins, 2)
	byLang := map[string][]BilingualText{}
	for _, t := range texts {
		if supported(t.Lang) && len(byLang[t.Lang]) < learnTexts {
			byLang[t.Lang] = append(byLang[t.Lang], t)
		}
	}
	var out []Proposal
	for _, lang := range sortedKeys(byLang) {
		out = append(out, learnLang(lang, byLang[lang], known, opt)...)
	}
	slices.SortFunc(out, func(a, b Proposal) int {
		return cmp.Or(cmp.Compare(b.Probability, a.Probability), cmp.Compare(a.Lang, b.Lang), cmp.Compare(a.Word, b.Word), cmp.Compare(a.English, b.English))
	})
	return out[:min(len(out), maxProposals)]
}

// numbered texts: words by their place in a sorted list, each once a text.
type numbered struct {
	foreign, english []string
	texts            [][2][]int
}

func number(texts []BilingualText, e *english) numbered {
	seen := [2]map[string]bool{{}, {}}
	bags := make([][2][]string, len(texts))
	for i, t := range texts {
		bags[i][0] = distinct(t.Foreign, func(w string) string { return headword(w) })
		bags[i][1] = distinct(t.English, func(w string) string {
			if terms := e.terms(w); len(terms) > 0 {
				return terms[0]
			}
			return ""
		})
		for side, bag := range bags[i] {
			for _, w := range bag {
				seen[side][w] = true
			}
		}
	}
	n := numbered{foreign: sortedKeys(seen[0]), english: sortedKeys(seen[1])}
	at := [2]map[string]int{places(n.foreign), places(n.english)}
	for _, bag := range bags {
		var t [2][]int
		for side := range bag {
			for _, w := range bag[side] {
				t[side] = append(t[side], at[side][w])
			}
		}
		n.texts = append(n.texts, t)
	}
	return n
}

func distinct(words []string, form func(string) string) []string {
	var out []string
	for _, w := range words[:min(len(words), learnWords)] {
		if w = form(w); w != "" {
			out = append(out, w)
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}

type wordPair struct{ from, to int }

// translation gives the probability of a word of one side, given one of the other.
func (n numbered) translation(from, to int) map[wordPair]float64 {
	t := map[wordPair]float64{}
	for _, text := range n.texts {
		for _, f := range text[from] {
			for _, e := range text[to] {
				if len(t) < maxLearnedPair {
					t[wordPair{f, e}] = 1
				}
			}
		}
	}
	for range learnRounds {
		count, total := map[wordPair]float64{}, map[int]float64{}
		for _, text := range n.texts {
			for _, e := range text[to] {
				sum := .2 // a word that translates nothing
				for _, f := range text[from] {
					sum += t[wordPair{f, e}]
				}
				for _, f := range text[from] {
					if p := t[wordPair{f, e}] / sum; p > 0 {
						count[wordPair{f, e}] += p
						total[f] += p
					}
				}
			}
		}
		for pair, c := range count {
			if p := c / total[pair.from]; p > leastLikely {
				t[pair] = p
			} else {
				delete(t, pair)
			}
		}
	}
	return t
}

func learnLang(lang string, texts []BilingualText, known *Lexicon, opt LearnOptions) []Proposal {
	slices.SortStableFunc(texts, func(a, b BilingualText) int {
		return cmp.Or(cmp.Compare(a.Origin, b.Origin), cmp.Compare(a.Ref, b.Ref))
	})
	stems := newEnglish()
	n := number(texts, stems)
	there, back := n.translation(0, 1), n.translation(1, 0)
	found := map[wordPair]*Proposal{}
	origins := map[wordPair]map[string]bool{}
	for i, text := range n.texts {
		for _, f := range text[0] {
			word := n.foreign[f]
			if known.Stop(lang, word) || len(known.Translate(nil, lang, word)) > 0 {
				continue
			}
			for _, e := range text[1] {
				pair := wordPair{f, e}
				p := math.Sqrt(there[pair] * back[wordPair{e, f}])
				if p <= opt.Probability || word == n.english[e] {
					continue
				}
				if found[pair] == nil {
					found[pair] = &Proposal{Lang: lang, Word: word, English: surface(stems, texts[i].English, n.english[e]), Probability: p}
					origins[pair] = map[string]bool{}
				}
				q := found[pair]
				q.Seen++
				origins[pair][texts[i].Origin] = true
				if len(q.Examples) < learnExamples {
					q.Examples = append(q.Examples, texts[i].Ref)
				}
			}
		}
	}
	var out []Proposal
	for pair, q := range found {
		if q.Origins = len(origins[pair]); q.Seen >= opt.Seen && q.Origins >= opt.Origins {
			out = append(out, *q)
		}
	}
	return out
}

// surface finds the word that a text has for a stem.
func surface(e *english, words []string, stem string) string {
	for _, w := range words {
		if t := e.terms(w); len(t) > 0 && t[0] == stem {
			return w
		}
	}
	return stem
}
