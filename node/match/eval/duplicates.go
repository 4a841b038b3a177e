package eval

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"unicode"

	"github.com/asean-tmh/tmh/node/match"
	"github.com/asean-tmh/tmh/node/match/lexicon"
	"github.com/asean-tmh/tmh/protocol"
)

// Near-copies are made of a collection's documents by a generator with a fixed seed, each in the ways in which a
// technology is listed a second time, and entered as drafts. A copy is found where the document that it was made of is
// among the suspects. A false alarm is a document of the collection, entered as it is, that is called suspicious for
// another one that is no re-listing of it.

// Concept is one thing in the words of several languages, by their tags.
type Concept map[string][]string

// Copying is a way to list a document a second time.
type Copying struct {
	Name string
	Of   func(*Copier, Document) Document
}

// Copyings are the ways that are measured.
func Copyings() []Copying {
	return []Copying{
		{"a tenth of the words replaced", func(c *Copier, d Document) Document { return c.replace(d, 0.1) }},
		{"a quarter of the words replaced", func(c *Copier, d Document) Document { return c.replace(d, 0.25) }},
		{"four tenths of the words replaced", func(c *Copier, d Document) Document { return c.replace(d, 0.4) }},
		{"sentences shuffled", (*Copier).shuffle},
		{"first half kept", func(_ *Copier, d Document) Document { return keep(d, 0, 0.5) }},
		{"last quarter kept", func(_ *Copier, d Document) Document { return keep(d, 0.75, 1) }},
		{"standing paragraphs added", (*Copier).pad},
		{"another title", (*Copier).retitle},
		{"paraphrased with synonyms", (*Copier).paraphrase},
		{"title translated", (*Copier).translateTitle},
		{"shuffled, a seventh replaced, padded, another title", func(c *Copier, d Document) Document {
			return c.retitle(c.pad(c.shuffle(c.replace(d, 1.0/7))))
		}},
	}
}

// Copier makes near-copies.
type Copier struct {
	r            *rand.Rand
	vocabulary   []string // words of the collection as often as they occur
	titles       []string
	synonyms     map[string][]string
	translations map[string]map[string]string // by language and English
}

// NewCopier of a collection's documents; concepts are what it paraphrases and translates by.
func NewCopier(seed uint64, docs []Document, concepts []Concept) *Copier {
	c := &Copier{r: rand.New(rand.NewPCG(seed, 5)), synonyms: make(map[string][]string), translations: make(map[string]map[string]string)}
	for _, d := range docs {
		c.vocabulary = append(c.vocabulary, strings.Fields(d.Text)...)
		c.titles = append(c.titles, d.Title)
	}
	for _, concept := range concepts {
		c.learn(concept)
	}
	return c
}

func (c *Copier) learn(concept Concept) {
	for _, en := range concept["en"] {
		for _, other := range concept["en"] {
			if other != en && !slices.Contains(c.synonyms[en], other) {
				c.synonyms[en] = append(c.synonyms[en], other)
			}
		}
		for lang, words := range concept {
			if lang == "en" || len(words) == 0 {
				continue
			}
			if c.translations[lang] == nil {
				c.translations[lang] = make(map[string]string)
			}
			if c.translations[lang][en] == "" {
				c.translations[lang][en] = words[0]
			}
		}
	}
}

func (c *Copier) replace(d Document, part float64) Document {
	words := strings.Fields(d.Text)
	for i := range words {
		if c.r.Float64() < part {
			words[i] = c.vocabulary[c.r.IntN(len(c.vocabulary))]
		}
	}
	d.Text = strings.Join(words, " ")
	return d
}

func (c *Copier) shuffle(d Document) Document {
	sentences := strings.SplitAfter(d.Text, ". ")
	for i := range sentences {
		sentences[i] = strings.TrimSpace(sentences[i])
	}
	c.r.Shuffle(len(sentences), func(i, j int) { sentences[i], sentences[j] = sentences[j], sentences[i] })
	d.Text = strings.Join(sentences, " ")
	return d
}

func keep(d Document, from, to float64) Document {
	words := strings.Fields(d.Text)
	n := float64(len(words))
	d.Text = strings.Join(words[int(from*n):int(to*n)], " ")
	return d
}

// paragraphs that an office puts under its listings.
//
//nolint:gochecknoglobals // a table, never changed
var paragraphs = []string{
	"Our office supports companies from first contact to the signed licence, and arranges visits to the laboratory on request.",
	"The university welcomes partners from industry for joint development, licensing and pilot projects in the region.",
	"The inventors are members of a research group with many years of experience, national awards and a wide network of partners.",
	"A prototype can be shown at our premises; samples and data sheets are available once a confidentiality agreement is signed.",
	"The technology addresses the needs of small and medium enterprises and contributes to several sustainable development goals.",
	"For further information please contact the technology transfer office through this listing, in English or in the national language.",
}

func (c *Copier) pad(d Document) Document {
	order := c.r.Perm(len(paragraphs))
	d.Text = paragraphs[order[0]] + " " + d.Text + " " + paragraphs[order[1]] + " " + paragraphs[order[2]]
	return d
}

func (c *Copier) retitle(d Document) Document {
	for {
		if other := c.titles[c.r.IntN(len(c.titles))]; !strings.EqualFold(other, d.Title) {
			d.Title = other
			return d
		}
	}
}

// paraphrase says every word that has a synonym by that, and moves what stands before a sentence's first comma to its end.
func (c *Copier) paraphrase(d Document) Document {
	d.Title = c.reword(d.Title, c.synonym)
	sentences := strings.SplitAfter(c.reword(d.Text, c.synonym), ". ")
	for i, s := range sentences {
		s = strings.TrimSuffix(strings.TrimSpace(s), ".")
		if first, rest, ok := strings.Cut(s, ", "); ok {
			s = rest + ", " + first
		}
		sentences[i] = s + "."
	}
	d.Text = strings.Join(sentences, " ")
	return d
}

func (c *Copier) synonym(phrase string) (string, bool) {
	list := c.synonyms[phrase]
	if len(list) == 0 {
		return "", false
	}
	return list[c.r.IntN(len(list))], true
}

func (c *Copier) translateTitle(d Document) Document {
	langs := []string{"id", "ms", "vi", "fil", "th", "km"}
	words := c.translations[langs[c.r.IntN(len(langs))]]
	d.Title = c.reword(d.Title, func(phrase string) (string, bool) {
		w, ok := words[phrase]
		return w, ok
	})
	return d
}

// reword replaces the longest phrases of up to three words that a dictionary has, in the singular if not as they stand.
func (c *Copier) reword(s string, of func(string) (string, bool)) string {
	words := strings.Fields(s)
	var out []string
	for i := 0; i < len(words); {
		n, said := 0, ""
		for k := min(3, len(words)-i); k > 0 && n == 0; k-- {
			phrase := strings.ToLower(strings.TrimFunc(strings.Join(words[i:i+k], " "), func(r rune) bool { return !unicode.IsLetter(r) }))
			for _, p := range []string{phrase, strings.TrimSuffix(phrase, "s")} {
				if w, ok := of(p); ok && n == 0 {
					n, said = k, w
				}
			}
		}
		if n == 0 {
			n, said = 1, words[i]
		}
		out = append(out, said)
		i += n
	}
	return strings.Join(out, " ")
}

// Duplicates is what Similar made of near-copies and of genuine documents.
type Duplicates struct {
	Found    []int // copies, by the way they were made
	Copies   int   // of each way
	Genuine  int   // documents entered as they are
	Relisted int   // of them, called suspicious for a re-listing
	Borrowed int   // of them, called suspicious for a document that is none, but has a passage of theirs letter for letter
	Alarms   int   // of them, called suspicious for any other document: false alarms
	Pairs    []FalseAlarm
}

// FalseAlarm is a pair of documents of which one was called suspicious for the other without a cause.
type FalseAlarm struct {
	A, B  string // titles
	Why   string
	Score float64
}

// Recall of a way of copying.
func (d *Duplicates) Recall(way int) float64 {
	return float64(d.Found[way]) / float64(max(d.Copies, 1))
}

// AlarmsPer1000 genuine documents.
func (d *Duplicates) AlarmsPer1000() float64 {
	return 1000 * float64(d.Alarms) / float64(max(d.Genuine, 1))
}

// minCopied is how long, in bytes, a document's text is that copies are made of.
const minCopied = 200

// MeasureDuplicates copies documents of a collection in every way, and asks what looks like them. Of genuine documents it
// enters up to a number, spread over the collection.
func MeasureDuplicates(ctx context.Context, docs []Document, concepts []Concept, lex *lexicon.Lexicon, copies, genuine int) (*Duplicates, error) {
	listings := make([]*protocol.Listing, len(docs))
	x := match.New(match.Options{Lexicon: lex})
	defer x.Close() //nolint:errcheck // in memory
	changes := make([]match.Change, 0, len(docs))
	for i, d := range docs {
		listings[i] = listingOf(i, d)
		changes = append(changes, match.Change{Ref: refOf(i), Listing: listings[i]})
	}
	x.Apply(changes...)
	m := &measuring{x: x, docs: docs, listings: listings}
	out := &Duplicates{Copies: copies, Found: make([]int, len(Copyings()))}
	c := NewCopier(1, docs, concepts)
	chosen := c.choose(docs, copies)
	if len(chosen) < copies {
		return nil, fmt.Errorf("the collection has %d documents long enough to copy, not %d", len(chosen), copies)
	}
	for way, copying := range Copyings() {
		for _, i := range chosen {
			found, err := m.suspects(ctx, listingOf(len(docs), copying.Of(c, docs[i])), match.Ref{})
			if err != nil {
				return nil, err
			}
			if slices.ContainsFunc(found, func(s match.Suspect) bool { return s.Ref == refOf(i) }) {
				out.Found[way]++
			}
		}
	}
	step := max(1, len(docs)/max(genuine, 1))
	for i := 0; i < len(docs) && out.Genuine < genuine; i += step {
		if err := m.genuine(ctx, i, out); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// choose documents with enough text, no two alike.
func (c *Copier) choose(docs []Document, n int) (chosen []int) {
	seen := make(map[string]bool)
	for _, i := range c.r.Perm(len(docs)) {
		if start := opening(docs[i].Text); len(docs[i].Text) >= minCopied && !seen[start] && len(chosen) < n {
			seen[start] = true
			chosen = append(chosen, i)
		}
	}
	return chosen
}

type measuring struct {
	x        *match.Index
	docs     []Document
	listings []*protocol.Listing
}

func (m *measuring) suspects(ctx context.Context, l *protocol.Listing, self match.Ref) ([]match.Suspect, error) {
	return m.x.Similar(ctx, match.Draft{Listing: l, Self: self}, match.MaxSuspects, match.Sources{})
}

func (m *measuring) genuine(ctx context.Context, i int, out *Duplicates) error {
	out.Genuine++
	found, err := m.suspects(ctx, m.listings[i], refOf(i))
	if err != nil {
		return err
	}
	relisted, borrowed, alarm := false, false, false
	for _, s := range found {
		j, err := docOf(s.Ref)
		if err != nil {
			return err
		}
		switch {
		case relisting(m.docs[i], m.docs[j]):
			relisted = true
			continue
		case borrows(m.docs[i], m.docs[j]):
			borrowed = true
			continue
		}
		alarm = true
		out.Pairs = append(out.Pairs, FalseAlarm{A: m.docs[i].Title, B: m.docs[j].Title, Why: s.Why[0].Kind, Score: s.Score})
	}
	if alarm {
		out.Alarms++
	}
	if borrowed {
		out.Borrowed++
	}
	if relisted {
		out.Relisted++
	}
	return nil
}

func listingOf(i int, d Document) *protocol.Listing {
	return &protocol.Listing{ID: refOf(i).ID, Kind: protocol.TechnologyOffer, Country: "KH", Texts: map[protocol.Lang]protocol.Text{
		"en": {Title: cutAt(d.Title, protocol.MaxTitle), Abstract: cutAt(d.Text, protocol.MaxAbstract)},
	}}
}

func cutAt(s string, most int) string {
	if r := []rune(s); len(r) > most {
		return string(r[:most])
	}
	return s
}

// relisting tells whether two documents of a collection are one technology listed twice, by means of their own: their
// titles are the same letter for letter, or half of the shorter text's sentences stand in the other.
func relisting(a, b Document) bool {
	if plain(a.Title) == plain(b.Title) {
		return true
	}
	if len(a.Text) > len(b.Text) {
		a, b = b, a
	}
	other, same, all := plain(b.Text), 0, 0
	for _, s := range strings.SplitAfter(cutAt(a.Text, protocol.MaxAbstract), ". ") {
		if s = plain(s); s != "" {
			all += len(s)
			if strings.Contains(other, s) {
				same += len(s)
			}
		}
	}
	return 2*same >= all && all >= minCopied/2
}

// aPassage is how many letters in a row two texts must have in common for one to have borrowed from the other: some
// sixteen words.
const aPassage = 80

func borrows(a, b Document) bool {
	one, other := plain(cutAt(a.Text, protocol.MaxAbstract)), plain(cutAt(b.Text, protocol.MaxAbstract))
	runs := make(map[string]bool)
	for i := 0; i+aPassage <= len(one); i++ {
		runs[one[i:i+aPassage]] = true
	}
	for i := 0; i+aPassage <= len(other); i++ {
		if runs[other[i:i+aPassage]] {
			return true
		}
	}
	return false
}

// plain is a text's letters and digits in lower case, without spaces.
func plain(s string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsLetter(r) || unicode.IsDigit(r) {
			return unicode.ToLower(r)
		}
		return -1
	}, s)
}

func opening(s string) string {
	s = plain(s)
	return s[:min(len(s), 40)]
}
