// Package clir is the baseline that our cross-lingual search has to beat: the plain dictionary method. A query's words,
// found by the longest match with headwords, become weighted sets of crude English stems (probabilistic structured
// queries), and BM25 ranks English sentences. It reads the published word lists itself and shares no code with the
// engine, so that a fault of the engine cannot hide in both.
package clir

import (
	"cmp"
	"math"
	"regexp"
	"slices"
	"strings"

	"golang.org/x/text/unicode/norm"
)

// Parameters of BM25, as in the method's first measurement.
const (
	k1 = 0.9
	b  = 0.4
)

//nolint:gochecknoglobals // tables
var (
	stopWords = func() map[string]bool {
		m := map[string]bool{}
		for _, w := range strings.Fields(`a an and are as at be but by for if in into is it no not of on or such that the their
			then there these they this to was will with i you he she we his her its our your my me him them us from have has
			had been were would could should can may might must do does did so than too very more most who whom which what
			when where why how also up out about over after before under again between both each few some any all one`) {
			m[w] = true
		}
		return m
	}()
	suffixes = strings.Fields("ations ation ingly edly ments ment ness ings ing ies ied ers er ed es ly s e y")
	latin    = regexp.MustCompile(`[a-z]+|\d[\d.,]*\d|\d`)
)

// stem takes one ending off.
func stem(w string) string {
	for _, s := range suffixes {
		if strings.HasSuffix(w, s) && len(w)-len(s) >= 3 {
			return w[:len(w)-len(s)]
		}
	}
	return w
}

// Stems are the terms of an English text.
func Stems(text string) []string {
	var out []string
	for _, w := range latin.FindAllString(norm.NFKC.String(strings.ToLower(text)), -1) {
		if !stopWords[w] {
			out = append(out, stem(w))
		}
	}
	return out
}

// Term of a query: a word and what it can mean.
type Term struct {
	Meanings map[string]float64
	Weight   float64
}

// Index ranks texts that are bags of terms.
type Index struct {
	postings map[string]map[int]float64
	length   []float64
	mean     float64
}

// NewIndex takes the terms of every text.
func NewIndex(texts [][]string) *Index {
	x := &Index{postings: map[string]map[int]float64{}}
	for i, text := range texts {
		x.length = append(x.length, float64(len(text)))
		x.mean += float64(len(text)) / float64(len(texts))
		for _, t := range text {
			if x.postings[t] == nil {
				x.postings[t] = map[int]float64{}
			}
			x.postings[t][i]++
		}
	}
	return x
}

// Rank gives the numbers of the best texts. The frequency of a query's word in a text is that of its meanings, each
// times its weight, and so is the number of texts that have it.
func (x *Index) Rank(query []Term, depth int) []int {
	score := make([]float64, len(x.length))
	for _, q := range query {
		tf := map[int]float64{}
		df := 0.0
		for _, t := range sortedKeys(q.Meanings) {
			p := q.Meanings[t]
			df += p * float64(len(x.postings[t]))
			for i, f := range x.postings[t] {
				tf[i] += p * f
			}
		}
		df = max(df, .5)
		idf := math.Log(1 + (float64(len(x.length))-df+.5)/(df+.5))
		for i, f := range tf {
			score[i] += q.Weight * idf * f / (f + k1*(1-b+b*x.length[i]/x.mean))
		}
	}
	var hits []int
	for i, s := range score {
		if s > 0 {
			hits = append(hits, i)
		}
	}
	slices.SortFunc(hits, func(i, j int) int { return cmp.Or(cmp.Compare(score[j], score[i]), cmp.Compare(i, j)) })
	return hits[:min(depth, len(hits))]
}

func sortedKeys(m map[string]float64) []string {
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}

// Query turns a foreign text into terms: its words by the dictionary, Latin words and numbers as they stand.
func (d *Dictionary) Query(text string) []Term {
	words := d.segment(text)
	count := map[string]int{}
	var order []string
	for _, w := range words {
		if count[w]++; count[w] == 1 {
			order = append(order, w)
		}
	}
	var out []Term
	for _, w := range order {
		meanings := map[string]float64{}
		for t, p := range d.stems[w] {
			meanings[t] += p
		}
		if c := w[0]; (c >= 'a' && c <= 'z' || c >= '0' && c <= '9') && (d.lang != "vi" || len(meanings) == 0) {
			own := 1.0
			if len(meanings) > 0 {
				own = .3
			}
			for _, t := range Stems(w) {
				meanings[t] += own
				own = min(own, .3) // the first only is new
			}
		}
		if len(meanings) == 0 {
			continue
		}
		sum := 0.0
		for _, t := range sortedKeys(meanings) {
			sum += meanings[t]
		}
		for t := range meanings {
			meanings[t] /= sum
		}
		out = append(out, Term{meanings, 1 + .3*float64(count[w]-1)})
	}
	return out
}

// Recall says how often the text that a query translates stands first, and how often among the first ten.
func Recall(rank func(i int) []int, n int) (at1, at10 float64) {
	for i := range n {
		switch place := slices.Index(rank(i), i); {
		case place == 0:
			at1++
			at10++
		case place > 0 && place < 10:
			at10++
		}
	}
	return at1 / float64(n), at10 / float64(n)
}

// Docs says in how many texts a term stands.
func (x *Index) Docs(term string) int { return len(x.postings[term]) }
