// Package lexicon holds language packs: headwords of the region's languages and what they mean in English, with the
// source and licence of every translation. English stems are the common tongue of the index: a text in any language
// becomes the stems of its words' translations, each with a weight, so one index answers in all languages.
//
// A pack is one run of bytes that is mapped, not loaded (see pack.go for the layout). A Lexicon is the built-in pack and
// those of a folder as one: translations of a word that several packs have are added up. It does not depend on the order
// in which packs were imported.
package lexicon

import (
	"bytes"
	"cmp"
	"crypto/sha256"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"sort"
	"strings"
	"sync"

	"github.com/asean-tmh/tmh/node/match/mapped"
)

// Extension of the files that hold a pack.
const Extension = ".tmhlex"

// Target is one thing that a word can mean.
type Target struct {
	Term    string  // English stem as the index has it
	Weight  float32 // of all targets of a word at most 1
	English string  // the gloss that people are shown: "solar cell" for the term "cell"
	Source  uint8   // place in Sources
}

// Source of translations or headwords.
type Source struct {
	Name    string `json:"name"`
	Licence string `json:"licence"`
	From    string `json:"from,omitempty"` // where it was had
	Entries int    `json:"entries"`        // translations and headwords taken
}

// Problem is a pack that could not be used.
type Problem struct {
	File string
	Err  error
}

func (p Problem) Error() string { return p.File + ": " + p.Err.Error() }
func (p Problem) Unwrap() error { return p.Err }

// Lexicon is safe for concurrent use. The strings that it hands out are valid as long as it can be reached.
type Lexicon struct {
	packs   []*pack
	sources []Source
	stop    map[stopWord]bool
	digest  [sha256.Size]byte
}

// Builtin is what comes with the program.
func Builtin() *Lexicon { return builtinOnce() }

//nolint:gochecknoglobals // made once, never changed
var builtinOnce = sync.OnceValue(func() *Lexicon {
	l, err := merge([]*pack{ownPack().pack})
	if err != nil {
		panic(err) // a test makes it, too
	}
	return l.withStop()
})

// withStop adds the stop words, which no pack has.
func (l *Lexicon) withStop() *Lexicon {
	own := ownPack()
	l.stop = own.stop
	l.digest = sha256.Sum256(append(l.digest[:], own.sum[:]...))
	return l
}

// Stop says whether a word carries no topic in its language: it is neither translated nor looked up.
func (l *Lexicon) Stop(lang, word string) bool { return l.stop[stopWord{lang, word}] }

// Open joins the built-in pack with those of a folder. A pack that cannot be used is named among the problems and left
// out. A folder that is not there holds none.
func Open(dir string) (*Lexicon, []Problem, error) {
	paths, err := filepath.Glob(filepath.Join(escapeGlob(dir), "*"+Extension))
	if err != nil {
		return nil, nil, err
	}
	packs := []*pack{ownPack().pack}
	var problems []Problem
	for _, path := range paths {
		p, err := openPack(path)
		if err != nil {
			problems = append(problems, Problem{path, err})
			continue
		}
		if _, err := merge(append(slices.Clone(packs), p)); err != nil {
			problems = append(problems, Problem{path, err})
			continue
		}
		packs = append(packs, p)
	}
	l, err := merge(packs)
	if err != nil {
		return nil, problems, err
	}
	return l.withStop(), problems, nil
}

func escapeGlob(dir string) string {
	return strings.NewReplacer(`\`, `\\`, "*", `\*`, "?", `\?`, "[", `\[`).Replace(dir)
}

// OpenFile reads one pack, without the built-in one.
func OpenFile(path string) (*Lexicon, error) {
	p, err := openPack(path)
	if err != nil {
		return nil, err
	}
	return merge([]*pack{p})
}

func openPack(path string) (*pack, error) {
	f, err := mapped.Open(path)
	if err != nil {
		if errors.Is(err, os.ErrNotExist) {
			return nil, errors.New("there is no such file")
		}
		return nil, err
	}
	p, err := parse(f.Bytes())
	if err != nil {
		return nil, err
	}
	p.keep = f
	return p, nil
}

// merge joins packs, each counted once, in the order of their digests.
func merge(packs []*pack) (*Lexicon, error) {
	sorted := make([]*pack, 0, len(packs))
	for _, p := range packs {
		q := *p
		sorted = append(sorted, &q)
	}
	slices.SortFunc(sorted, func(a, b *pack) int { return bytes.Compare(a.digest[:], b.digest[:]) })
	sorted = slices.CompactFunc(sorted, func(a, b *pack) bool { return a.digest == b.digest })
	l := &Lexicon{packs: sorted}
	sum := sha256.New()
	for _, p := range sorted {
		p.base = len(l.sources)
		l.sources = append(l.sources, p.sources...)
		sum.Write(p.digest[:])
	}
	if len(l.sources) > 256 {
		return nil, fmt.Errorf("all packs together have %d sources, at most 256 can be told apart: remove one with tmh lexicon remove", len(l.sources))
	}
	sum.Sum(l.digest[:0])
	return l, nil
}

// kin is the language whose dictionary is asked, too: Indonesian and Malay share most of their words.
func kin(lang string) string {
	switch lang {
	case "id":
		return "ms"
	case "ms":
		return "id"
	}
	return ""
}

// Has says whether word is a headword.
func (l *Lexicon) Has(lang, word string) bool {
	for _, p := range l.packs {
		if p.find(lang, word) >= 0 {
			return true
		}
	}
	if k := kin(lang); k != "" {
		for _, p := range l.packs {
			if p.find(k, word) >= 0 {
				return true
			}
		}
	}
	return false
}

// English says whether an English stem is among the meanings of any headword.
func (l *Lexicon) English(stem string) bool {
	for _, p := range l.packs {
		n := int(p.counts[nTerms])
		if i := sort.Search(n, func(i int) bool { return piece(p.termBlob, p.term, i) >= stem }); i < n && piece(p.termBlob, p.term, i) == stem {
			return true
		}
	}
	return false
}

// Longest is the length in bytes of the longest headword that s begins with, 0 for none.
func (l *Lexicon) Longest(lang, s string) int {
	n, k := 0, kin(lang)
	for _, p := range l.packs {
		n = max(n, p.longest(lang, s))
		if k != "" {
			n = max(n, p.longest(k, s))
		}
	}
	return n
}

// Translate appends what word can mean, the likeliest first: none where no translation is known. Each term stands once.
func (l *Lexicon) Translate(dst []Target, lang, word string) []Target {
	var hits [8]hit
	found := l.hits(hits[:0], lang, word)
	total := 0
	for _, h := range found {
		for e := h.from; e < h.to; e++ {
			total += int(h.pack.weight(e))
		}
	}
	if total == 0 {
		return dst
	}
	start := len(dst)
	for _, h := range found {
		for e := h.from; e < h.to; e++ {
			dst = h.pack.appendTargets(dst, start, e, float64(h.pack.weight(e))/float64(total))
		}
	}
	slices.SortFunc(dst[start:], func(a, b Target) int {
		return cmp.Or(cmp.Compare(b.Weight, a.Weight), cmp.Compare(a.Term, b.Term))
	})
	return dst
}

// hit is the run of entries that a pack has for a word.
type hit struct {
	pack     *pack
	from, to int
}

func (l *Lexicon) hits(dst []hit, lang, word string) []hit {
	for _, tag := range [2]string{lang, kin(lang)} {
		if tag == "" {
			continue
		}
		for _, p := range l.packs {
			if h := p.find(tag, word); h >= 0 {
				dst = append(dst, hit{p, int(u32(p.entry, h)), int(u32(p.entry, h+1))})
			}
		}
	}
	return dst
}

// appendTargets shares the weight of a gloss among its terms. A term that stands in dst already gets its share, and
// keeps the gloss that came first.
func (p *pack) appendTargets(dst []Target, start, entry int, weight float64) []Target {
	g := int(u32(p.entries, 2*entry))
	from, to := int(u32(p.glossTerm, g)), int(u32(p.glossTerm, g+1))
	for i := from; i < to; i++ {
		t := Target{
			Term: piece(p.termBlob, p.term, int(u32(p.glossTerms, i))), Weight: float32(weight / float64(to-from)),
			English: piece(p.glossBlob, p.gloss, g), Source: uint8(p.base + int(p.entries[8*entry+6])), //nolint:gosec // merge bounds it
		}
		if at := slices.IndexFunc(dst[start:], func(o Target) bool { return o.Term == t.Term }); at >= 0 {
			dst[start+at].Weight += t.Weight
			continue
		}
		dst = append(dst, t)
	}
	return dst
}

// Sources of all packs; Target.Source is a place in it.
func (l *Lexicon) Sources() []Source { return slices.Clone(l.sources) }

// Digest names the content of all packs, in whatever order they were opened.
func (l *Lexicon) Digest() [sha256.Size]byte { return l.digest }

// Languages that have a headword, sorted.
func (l *Lexicon) Languages() []string {
	var out []string
	for _, p := range l.packs {
		out = append(out, p.languages()...)
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// Headwords counts the headwords of a language in all packs, those that several packs have more than once.
func (l *Lexicon) Headwords(lang string) (n int) {
	for _, p := range l.packs {
		if at, i := p.lang(lang); i >= 0 {
			n += at.last - at.first
		}
	}
	return n
}
