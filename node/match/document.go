package match

import (
	"cmp"
	"maps"
	"slices"
	"strings"

	"github.com/asean-tmh/tmh/node/match/segment"
	"github.com/asean-tmh/tmh/node/match/text"
	"github.com/asean-tmh/tmh/protocol"
)

type field uint8

const (
	title field = iota
	keywords
	abstract
	fields
)

func (f field) String() string { return [fields]string{"title", "keywords", "abstract"}[f] }

// Document is what is indexed of a listing, or of a document of a test collection, which may be of any length.
type Document struct {
	Ref   Ref
	Body  protocol.Hash // of the listing's canonical form: a document of the same body is not analysed anew
	Texts []DocText
	Facts Facts
}

// DocText is what a document says in one language.
type DocText struct {
	Lang            protocol.Lang
	Title, Abstract string
	Keywords        []string
}

// Facts of a document are what filters, sorting and fit look at.
type Facts struct {
	Kind                  protocol.Kind
	Country               protocol.Country
	TRL                   uint8
	Published, ValidUntil protocol.Date
	Codes                 []Code
	terms                 cooperation
}

// DocumentOf a valid listing.
func DocumentOf(ref Ref, l *protocol.Listing) Document {
	return documentOf(ref, l, protocol.Sum(l.Encode()))
}

func documentOf(ref Ref, l *protocol.Listing, body protocol.Hash) Document {
	d := Document{Ref: ref, Body: body, Facts: factsOf(l)}
	for _, lang := range l.Languages() {
		t := l.Texts[lang]
		both := t.Value
		if both != "" && t.Abstract != "" {
			both += "\n"
		}
		d.Texts = append(d.Texts, DocText{Lang: lang, Title: t.Title, Keywords: t.Keywords, Abstract: both + t.Abstract})
	}
	return d
}

// weighing are the term frequencies of one text of a document, each occurrence weighted by its field.
type weighing struct {
	length float64
	tf     map[string]float64
}

// analysis of a document: its terms field by field, and what each weighs in it.
type analysis struct {
	sequence  []string
	impacts   map[string]uint8
	languages spaceSet
	surfaces  []string
}

// maxSequence is what a segment keeps of a document's sequence; beyond it no neighbours are counted.
const maxSequence = 1 << 15

// analyse makes a document into terms. Its languages say the same thing, so each weighs on its own, and a term weighs
// what it weighs where it weighs most: a listing in three languages is no longer than one in one.
func (x *Index) analyse(d *Document) analysis {
	a := analysis{impacts: make(map[string]uint8, 128)}
	bodies := make([][fields][]string, len(d.Texts))
	english := englishOf(d.Texts)
	var tokens []text.Token
	for i, t := range d.Texts {
		plain := [fields][]string{{text.Normalise(t.Title)}, nil, {text.Normalise(t.Abstract)}}
		for _, k := range t.Keywords {
			plain[keywords] = append(plain[keywords], text.Normalise(k))
		}
		lang := languageOf(plain[title][0]+"\n"+plain[abstract][0], primary(t.Lang))
		a.languages |= inSpaceOf(lang) | inSpaceOf(primary(t.Lang)) | claims(primary(t.Lang))
		own, translated := weighing{tf: make(map[string]float64, 128)}, weighing{tf: make(map[string]float64)}
		for f, texts := range plain {
			weight := x.weights.field(field(f))
			for _, s := range texts {
				tokens = x.tokens(tokens[:0], s, lang)
				for n, t := range tokens {
					if len(t.Term) > segment.MaxTerm {
						continue
					}
					if field(f) == title {
						a.surface(s, tokens, n)
					}
					own.tf[t.Term] += weight
					own.length += weight
					bodies[i][f] = append(bodies[i][f], strings.Clone(t.Term))
					if !english {
						x.translate(&translated, t, weight)
					}
				}
				bodies[i][f] = append(bodies[i][f], segment.EndText)
			}
		}
		translated.length = own.length
		a.weigh(&x.weights, own)
		a.weigh(&x.weights, translated)
		for _, k := range plain[keywords] {
			a.phrase(k)
		}
	}
	a.sequence = joinFields(bodies)
	return a
}

// englishOf reports whether a document says in English as much as in its other languages: then nothing is translated.
func englishOf(texts []DocText) bool {
	fullest, english := 0, 0
	for _, t := range texts {
		n := 0
		for _, s := range []string{t.Title, t.Abstract, strings.Join(t.Keywords, "")} {
			if s != "" {
				n++
			}
		}
		if fullest = max(fullest, n); primary(t.Lang) == "en" {
			english = n
		}
	}
	return english > 0 && english == fullest
}

// translate adds what a token means in English.
func (x *Index) translate(to *weighing, t text.Token, weight float64) {
	if t.Lang == "en" || t.Kind != text.Word {
		return
	}
	targets := x.meanings(t)
	for _, target := range targets {
		to.tf[target.Term] += float64(weight * float64(target.Weight))
	}
	if len(targets) == 0 {
		if stem, ok := x.borrowed(t.Word); ok {
			to.tf[stem] += weight
		}
	}
}

// weigh takes the impacts of a weighing where they are greater than those known so far.
func (a *analysis) weigh(w *Weights, of weighing) {
	norm := w.norm(of.length)
	for t, tf := range of.tf {
		if tf > 0 {
			a.impacts[t] = max(a.impacts[t], impact(tf, norm))
		}
	}
}

// joinFields lays the texts of all languages out field by field.
func joinFields(bodies [][fields][]string) (sequence []string) {
	size := int(fields)
	for _, b := range bodies {
		for _, f := range b {
			size += len(f)
		}
	}
	sequence = make([]string, 0, size)
	for f := range fields {
		for _, b := range bodies {
			sequence = append(sequence, b[f]...)
		}
		sequence = append(sequence[:min(len(sequence), maxSequence-int(fields-f))], segment.EndField)
	}
	return sequence
}

// Limits of what a document adds to the vocabulary of typeahead.
const (
	maxSurfaces = 64
	maxSurface  = 64
)

// surface adds word n of a title to the phrases that are offered to those who type, alone and with the word before it.
func (a *analysis) surface(title string, tokens []text.Token, n int) {
	t := tokens[n]
	if t.Kind != text.Word && t.Kind != text.Name {
		return
	}
	a.phrase(title[t.Start:t.End])
	if n > 0 && tokens[n-1].End < t.Start && t.Start-tokens[n-1].End <= 2 {
		a.phrase(title[tokens[n-1].Start:t.End])
	}
}

// phrase adds a keyword, or words of a title.
func (a *analysis) phrase(s string) {
	if s = strings.ToLower(strings.TrimSpace(s)); len(s) > 2 && len(s) <= maxSurface && len(a.surfaces) < maxSurfaces {
		a.surfaces = append(a.surfaces, strings.Clone(s))
	}
}

// docOf makes a document ready for a segment.
func (x *Index) docOf(d *Document) segment.Doc {
	a := x.analyse(d)
	out := segment.Doc{
		Origin: string(d.Ref.Origin), ID: string(d.Ref.ID), Body: d.Body,
		Kind: uint8(kindSetOf(d.Facts.Kind)), TRL: d.Facts.TRL, Country: countryCode(d.Facts.Country),
		Published: int32(d.Facts.Published), ValidUntil: int32(d.Facts.ValidUntil), Languages: uint32(a.languages),
		Sequence: a.sequence, Surfaces: unique(a.surfaces, maxSurfaces),
	}
	for _, c := range d.Facts.Codes {
		out.Codes = append(out.Codes, uint32(c))
	}
	out.Codes = unique(out.Codes, maxCodes)
	for _, t := range slices.Sorted(maps.Keys(a.impacts)) {
		out.Terms = append(out.Terms, segment.Impact{Term: t, Impact: a.impacts[t]})
	}
	sketch := sketchOf(out.Terms)
	out.Extra = d.Facts.terms.pack(sketch.pack(nil))
	return out
}

func unique[T cmp.Ordered](list []T, most int) []T {
	slices.Sort(list)
	list = slices.Compact(list)
	return list[:min(most, len(list))]
}

func primary(l protocol.Lang) string {
	p, _, _ := strings.Cut(string(l), "-")
	return p
}
