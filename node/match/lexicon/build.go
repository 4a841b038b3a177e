package lexicon

import (
	"bytes"
	"cmp"
	"crypto/sha256"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"
	"unicode"
)

// Builder collects headwords and translations and writes them as a pack. What it writes depends on what was added, not on
// the order. It is not safe for concurrent use.
type Builder struct {
	sources []Source
	heads   map[string]map[string]meanings // language → headword
	english *english
	size    int
}

// meanings of a headword, by gloss. A gloss that several sources have is the heaviest one's.
type meanings map[string]meaning

type meaning struct {
	weight int // of all sources together
	source string
	own    int // of source alone
}

const maxPairs = 4_000_000 // headwords and translations in one pack

// NewBuilder makes an empty one.
func NewBuilder() *Builder {
	return &Builder{heads: map[string]map[string]meanings{}, english: newEnglish()}
}

// AddSource makes a source known, by its name: a second time it changes nothing but the count of its entries.
func (b *Builder) AddSource(s Source) error {
	if s.Name == "" || len(s.Name) > 64 || len(s.Licence) > 300 || len(s.From) > 300 {
		return errors.New("a source wants a name of at most 64 bytes, and licence and origin of at most 300")
	}
	if i := slices.IndexFunc(b.sources, func(o Source) bool { return o.Name == s.Name }); i >= 0 {
		b.sources[i].Entries += s.Entries
		return nil
	}
	if len(b.sources) == maxSources {
		return fmt.Errorf("a pack can have %d sources: import the rest into another pack", maxSources)
	}
	b.sources = append(b.sources, s)
	return nil
}

// Why a word or a translation is left out.
var (
	errNoWord    = errors.New("the headword is empty")
	errSigns     = errors.New("the headword has signs that are no letters")
	errLongWord  = errors.New("the headword is too long")
	errBadLang   = errors.New("the language is unknown")
	errNoMeaning = errors.New("the English side has no word that the index keeps")
	errLongGloss = errors.New("the English side is too long")
	errFull      = errors.New("the pack is full")
)

// AddWord adds a headword without a meaning: where it begins and ends helps to find the words round it.
func (b *Builder) AddWord(lang, word string) error {
	_, err := b.head(lang, word)
	return err
}

func (b *Builder) head(lang, word string) (meanings, error) {
	if !supported(lang) {
		return nil, errBadLang
	}
	word = headword(word)
	switch {
	case word == "":
		return nil, errNoWord
	case len(word) > maxWord:
		return nil, errLongWord
	case unspaced(lang) && strings.ContainsFunc(word, func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsMark(r) }):
		return nil, errSigns
	}
	words := b.heads[lang]
	if words == nil {
		words = map[string]meanings{}
		b.heads[lang] = words
	}
	m, ok := words[word]
	if !ok {
		if b.size++; b.size > maxPairs {
			return nil, errFull
		}
		m = meanings{}
		words[word] = m
	}
	return m, nil
}

// Add adds a translation of a word, seen in a source that AddSource named. A translation met again weighs more.
func (b *Builder) Add(lang, word, gloss string, weight int, source string) error {
	gloss = strings.Join(strings.Fields(gloss), " ")
	if len(gloss) > maxWord {
		return errLongGloss
	}
	if len(b.english.terms(gloss)) == 0 {
		return errNoMeaning
	}
	m, err := b.head(lang, word)
	if err != nil {
		return err
	}
	now, ok := m[gloss]
	if !ok {
		if b.size++; b.size > maxPairs {
			return errFull
		}
	}
	now.weight += weight
	if weight > now.own || weight == now.own && source < now.source {
		now.own, now.source = weight, source
	}
	m[gloss] = now
	return nil
}

// Bytes of the pack.
func (b *Builder) Bytes() ([]byte, error) {
	w := writer{sources: slices.SortedFunc(slices.Values(b.sources), func(x, y Source) int { return cmp.Compare(x.Name, y.Name) })}
	if len(w.sources) == 0 {
		return nil, errors.New("a pack wants at least one source")
	}
	w.glossTexts, w.terms = b.texts()
	if len(b.heads) > maxLangs {
		return nil, fmt.Errorf("a pack can have %d languages", maxLangs)
	}
	for _, lang := range slices.Sorted(maps.Keys(b.heads)) {
		if err := w.language(lang, b.heads[lang]); err != nil {
			return nil, err
		}
	}
	return w.bytes(b.english)
}

// texts are the glosses in use and all of their terms, each sorted.
func (b *Builder) texts() (glosses, terms []string) {
	seen := map[string]bool{}
	for _, words := range b.heads {
		for _, m := range words {
			for gloss := range m {
				seen[gloss] = true
			}
		}
	}
	glosses = slices.Sorted(maps.Keys(seen))
	all := map[string]bool{}
	for _, g := range glosses {
		for _, t := range b.english.terms(g) {
			all[t] = true
		}
	}
	return glosses, slices.Sorted(maps.Keys(all))
}

type writer struct {
	sources                      []Source
	glossTexts, terms            []string
	langs, heads, parent, entry  []byte
	entries, headBlob            []byte
	langOf                       []int
	words                        []string
	glossAt, termAt              map[string]int
	nLangs, nHeads, entriesCount int
}

func (w *writer) language(lang string, words map[string]meanings) error {
	sorted := slices.Sorted(maps.Keys(words))
	if len(sorted) == 0 {
		return nil
	}
	if w.glossAt == nil {
		w.glossAt, w.termAt = places(w.glossTexts), places(w.terms)
	}
	longest := 0
	for _, word := range sorted {
		longest = max(longest, len(word))
	}
	var tag [tagSize]byte
	copy(tag[:], lang)
	w.langs = put(append(w.langs, tag[:]...), w.nHeads, longest)
	first := w.nHeads
	var chain []int // headwords that the one at hand begins with, the longest last
	for _, word := range sorted {
		for len(chain) > 0 && !strings.HasPrefix(word, w.words[chain[len(chain)-1]]) {
			chain = chain[:len(chain)-1]
		}
		up := 0
		if len(chain) > 0 {
			up = chain[len(chain)-1] + 1
		}
		chain = append(chain, w.nHeads)
		w.words, w.langOf = append(w.words, word), append(w.langOf, w.nLangs)
		w.heads, w.parent, w.entry = put(w.heads, len(w.headBlob)), put(w.parent, up), put(w.entry, w.entriesCount)
		w.headBlob = append(w.headBlob, word...)
		w.meanings(words[word])
		w.nHeads++
	}
	if w.nHeads == first || len(w.headBlob) > maxPack/2 {
		return errFull
	}
	w.nLangs++
	return nil
}

// meanings writes the heaviest translations of a headword, by gloss.
func (w *writer) meanings(m meanings) {
	glosses := slices.SortedFunc(maps.Keys(m), func(x, y string) int {
		return cmp.Or(cmp.Compare(m[y].weight, m[x].weight), cmp.Compare(x, y))
	})
	glosses = glosses[:min(len(glosses), maxEntries)]
	slices.Sort(glosses)
	for _, g := range glosses {
		source, _ := slices.BinarySearchFunc(w.sources, m[g].source, func(s Source, name string) int { return cmp.Compare(s.Name, name) })
		w.entries = put(w.entries, w.glossAt[g])
		w.entries = binary.LittleEndian.AppendUint16(w.entries, uint16(min(m[g].weight, math.MaxUint16))) //nolint:gosec // bounded here
		w.entries = append(w.entries, uint8(source), 0)                                                   //nolint:gosec // at most maxSources
		w.entriesCount++
	}
}

func places(sorted []string) map[string]int {
	at := make(map[string]int, len(sorted))
	for i, s := range sorted {
		at[s] = i
	}
	return at
}

func put(dst []byte, numbers ...int) []byte {
	for _, n := range numbers {
		dst = binary.LittleEndian.AppendUint32(dst, uint32(n)) //nolint:gosec // all are below maxPack
	}
	return dst
}

func (w *writer) bytes(e *english) ([]byte, error) {
	var gloss, glossTerm, glossTerms, term, glossBlob, termBlob []byte
	pairs := 0
	for _, g := range w.glossTexts {
		gloss, glossTerm = put(gloss, len(glossBlob)), put(glossTerm, pairs)
		glossBlob = append(glossBlob, g...)
		for _, t := range e.terms(g) {
			glossTerms = put(glossTerms, w.termAt[t])
			pairs++
		}
	}
	for _, t := range w.terms {
		term = put(term, len(termBlob))
		termBlob = append(termBlob, t...)
	}
	slots, err := w.slots()
	if err != nil {
		return nil, err
	}
	sources, err := json.Marshal(w.sources)
	if err != nil {
		return nil, err
	}
	out := []byte(magic)
	out = put(out, analysisVersion, w.nLangs, w.nHeads, len(slots)/4, w.entriesCount, len(w.glossTexts), pairs, len(w.terms),
		len(w.headBlob), len(glossBlob), len(termBlob), len(sources))
	out = append(out, bytes.Join([][]byte{
		w.langs, put(w.heads, len(w.headBlob)), w.parent, put(w.entry, w.entriesCount), slots, w.entries,
		put(gloss, len(glossBlob)), put(glossTerm, pairs), glossTerms, put(term, len(termBlob)),
		w.headBlob, glossBlob, termBlob, sources,
	}, nil)...)
	sum := sha256.Sum256(out)
	return append(out, sum[:]...), nil
}

// slots is the hash table of headwords, at most half full.
func (w *writer) slots() ([]byte, error) {
	n := 2
	for n < 2*len(w.words) {
		n *= 2
	}
	out := make([]byte, 4*n)
	for h, word := range w.words {
		at := slot(word, w.langOf[h], uint32(n)) //nolint:gosec // at most twice maxPairs
		tries := 0
		for ; u32(out, int(at)) != 0; tries++ {
			at = (at + 1) & uint32(n-1) //nolint:gosec // as above
		}
		if tries >= maxProbe {
			return nil, errors.New("the headwords were chosen to collide with each other: no pack is made of them")
		}
		binary.LittleEndian.PutUint32(out[4*at:], uint32(h+1)) //nolint:gosec // as above
	}
	return out, nil
}
