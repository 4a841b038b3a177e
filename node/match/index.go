package match

import (
	"math"
	"slices"
	"strings"
	"sync"

	"github.com/asean-tmh/tmh/protocol"
)

// Index holds a catalogue and answers queries from memory: about 8 bytes for each distinct term of a listing and 4 for
// each word of it. It is safe for concurrent use: queries share a lock, a change holds it alone, so that a query sees
// the catalogue as it is between two changes.
type Index struct {
	stemmer *stemmer
	weights Weights
	buffers sync.Pool // *[]float64: the accumulators of queries

	mu      sync.RWMutex // guards what follows
	dict    map[string]uint32
	terms   []term   // by term number
	free    []uint32 // term numbers to use again
	docs    []doc    // by document number, in order of arrival
	lengths []float64
	byRef   map[Ref]uint32
	origins []protocol.MemberID
	dead    int           // documents removed that still have a number
	total   [fields]int64 // field lengths summed over the documents that live
	set     protocol.SetHash

	languages   []protocol.Lang // seen so far
	perLanguage [maxLanguagesCounted]int
}

type field uint8

const (
	title field = iota
	keywords
	abstract
	fields
)

func (f field) String() string { return [fields]string{"title", "keywords", "abstract"}[f] }

// term is an entry of the dictionary. Its postings are in order of document number and may name dead documents; df
// counts the living ones only.
type term struct {
	postings []posting
	df       uint32
}

// posting says how often a term stands in each field of a document.
type posting struct {
	doc             uint32
	title, keywords uint8
	abstract        uint16
}

// doc is what an index keeps of a listing besides its postings.
type doc struct {
	id         protocol.ListingID
	sequence   []uint32 // term numbers as they stand in the text, newText after each text and newField after each field
	ford       []fordCode
	body       protocol.Hash // of the listing's canonical form
	validUntil protocol.Date
	lengths    [fields]uint16
	languages  languages
	origin     uint16
	country    [2]byte
	kind       kindSet
	trl        uint8
	live       bool
}

const (
	newText  = math.MaxUint32
	newField = math.MaxUint32 - 1
)

// analysed is a document as lists of terms: of each field the texts, in the order of their languages.
type analysed [fields][][]string

// New makes an empty index.
func New(w Weights) *Index {
	return &Index{weights: w, stemmer: newStemmer(), dict: make(map[string]uint32), byRef: make(map[Ref]uint32)}
}

// Put adds a valid listing to the catalogue, in place of what the catalogue holds under ref. It keeps no reference to l.
func (x *Index) Put(ref Ref, l *protocol.Listing) {
	body := protocol.Sum(l.Encode())
	text := analyseListing(l, x.stemmer)
	d := doc{
		body: body, validUntil: l.ValidUntil, kind: kindSetOf(l.Kind), trl: l.TRL, ford: fordCodes(l.FORD), country: countryCode(l.Country),
	}
	x.mu.Lock()
	defer x.mu.Unlock()
	if n, ok := x.byRef[ref]; ok {
		if x.docs[n].body == body {
			return
		}
		x.remove(ref, n)
	}
	d.languages = x.languagesOf(l.Languages())
	x.set.Add(element(ref, body))
	x.put(ref, d, text)
	x.purge()
}

// Remove takes what the catalogue holds under ref, if anything, out of it.
func (x *Index) Remove(ref Ref) {
	x.mu.Lock()
	defer x.mu.Unlock()
	if n, ok := x.byRef[ref]; ok {
		x.remove(ref, n)
		x.purge()
	}
}

// Len is the number of listings in the catalogue.
func (x *Index) Len() int {
	x.mu.RLock()
	defer x.mu.RUnlock()
	return len(x.byRef)
}

// Stats describe the size of an index.
type Stats struct {
	Documents int `json:"documents"`
	Terms     int `json:"terms"`    // distinct, of these documents
	Postings  int `json:"postings"` // pairs of a term and a document that has it
}

// Stats counts anew: it is for a page about the node, not for every query.
func (x *Index) Stats() Stats {
	x.mu.RLock()
	defer x.mu.RUnlock()
	s := Stats{Documents: len(x.byRef)}
	for i := range x.terms {
		if df := int(x.terms[i].df); df > 0 {
			s.Terms++
			s.Postings += df
		}
	}
	return s
}

func element(ref Ref, body protocol.Hash) protocol.Element {
	return protocol.Element{Origin: ref.Origin, Kind: protocol.Put, Key: ref.ID.Key(), Body: body}
}

func analyseListing(l *protocol.Listing, s *stemmer) (a analysed) {
	for _, lang := range l.Languages() {
		t, stem := l.Texts[lang], s.of(lang)
		a.add(title, t.Title, stem)
		for _, k := range t.Keywords {
			a.add(keywords, k, stem)
		}
		a.add(abstract, t.Value, stem)
		a.add(abstract, t.Abstract, stem)
	}
	return a
}

func (a *analysed) add(f field, text string, stem *stemmer) {
	tokens := analyse(normalise(text), stem)
	if len(tokens) == 0 {
		return
	}
	terms := make([]string, len(tokens))
	for i, t := range tokens {
		terms[i] = t.term
	}
	a[f] = append(a[f], terms)
}

// put gives d the next document number. The caller holds the lock and has removed what was under ref.
func (x *Index) put(ref Ref, d doc, a analysed) {
	n := uint32(len(x.docs))
	d.live, d.origin, d.id = true, x.intern(ref.Origin), protocol.ListingID(strings.Clone(string(ref.ID)))
	d.sequence, d.lengths = x.number(a)
	var at field
	occurrences := make([]uint64, 0, len(d.sequence)) // term number and field, sorted to count them
	for _, t := range d.sequence {
		switch t {
		case newField:
			at++
		case newText:
		default:
			occurrences = append(occurrences, uint64(t)<<8|uint64(at))
		}
	}
	slices.Sort(occurrences)
	for i := 0; i < len(occurrences); {
		t := occurrences[i] >> 8
		p := posting{doc: n}
		for ; i < len(occurrences) && occurrences[i]>>8 == t; i++ {
			p.count(field(occurrences[i] & 0xff))
		}
		x.terms[t].df++
		x.terms[t].postings = append(x.terms[t].postings, p)
	}
	for f, length := range d.lengths {
		x.total[f] += int64(length)
	}
	x.countLanguages(d.languages, +1)
	x.docs = append(x.docs, d)
	x.lengths = append(x.lengths, x.weights.weigh(float64(d.lengths[title]), float64(d.lengths[keywords]), float64(d.lengths[abstract])))
	x.byRef[Ref{Origin: x.origins[d.origin], ID: d.id}] = n
}

// count adds one occurrence, up to what a posting can hold.
func (p *posting) count(f field) {
	switch {
	case f == title && p.title < math.MaxUint8:
		p.title++
	case f == keywords && p.keywords < math.MaxUint8:
		p.keywords++
	case f == abstract && p.abstract < math.MaxUint16:
		p.abstract++
	}
}

// number turns terms into their numbers, and counts the terms of each field.
func (x *Index) number(a analysed) (sequence []uint32, lengths [fields]uint16) {
	size := int(fields)
	for _, texts := range a {
		for _, t := range texts {
			size += len(t) + 1
		}
	}
	sequence = make([]uint32, 0, size)
	for f, texts := range a {
		for _, text := range texts {
			for _, t := range text {
				sequence = append(sequence, x.termNumber(t))
			}
			lengths[f] += uint16(min(len(text), math.MaxUint16-int(lengths[f])))
			sequence = append(sequence, newText)
		}
		sequence = append(sequence, newField)
	}
	return sequence, lengths
}

func (x *Index) termNumber(t string) uint32 {
	n, ok := x.dict[t]
	if ok {
		return n
	}
	if last := len(x.free) - 1; last >= 0 {
		n, x.free = x.free[last], x.free[:last]
	} else {
		n = uint32(len(x.terms))
		x.terms = append(x.terms, term{})
	}
	x.dict[strings.Clone(t)] = n
	return n
}

func (x *Index) intern(m protocol.MemberID) uint16 {
	n := slices.Index(x.origins, m)
	if n < 0 {
		n = len(x.origins)
		x.origins = append(x.origins, protocol.MemberID(strings.Clone(string(m))))
	}
	return uint16(n)
}

// remove forgets document n and corrects every count at once; its postings stay until the next purge.
func (x *Index) remove(ref Ref, n uint32) {
	d := &x.docs[n]
	slices.Sort(d.sequence)
	for _, t := range slices.Compact(d.sequence) {
		if t < newField {
			x.terms[t].df--
		}
	}
	for f, length := range d.lengths {
		x.total[f] -= int64(length)
	}
	x.countLanguages(d.languages, -1)
	x.set.Remove(element(ref, d.body))
	delete(x.byRef, ref)
	*d = doc{}
	x.dead++
}

// purge numbers the documents anew once a quarter of the numbers is dead: its cost, one pass over all postings, is a
// small constant for each removal.
func (x *Index) purge() {
	if x.dead < 64 || 4*x.dead < len(x.docs) {
		return
	}
	renumbered := make([]uint32, len(x.docs))
	live := uint32(0)
	for n, d := range x.docs {
		renumbered[n] = gone
		if d.live {
			renumbered[n] = live
			x.docs[live], x.lengths[live] = d, x.lengths[n]
			x.byRef[x.ref(live)] = live
			live++
		}
	}
	clear(x.docs[live:])
	x.docs, x.lengths, x.dead = x.docs[:live], x.lengths[:live], 0
	for i := range x.terms {
		x.terms[i].renumber(renumbered)
	}
	for t, n := range x.dict {
		if x.terms[n].df == 0 {
			delete(x.dict, t)
			x.terms[n] = term{}
			x.free = append(x.free, n)
		}
	}
}

// gone is the new number of a dead document.
const gone = math.MaxUint32

func (t *term) renumber(renumbered []uint32) {
	keep := t.postings[:0]
	for _, p := range t.postings {
		if p.doc = renumbered[p.doc]; p.doc != gone {
			keep = append(keep, p)
		}
	}
	t.postings = keep
}

func (x *Index) ref(n uint32) Ref {
	d := &x.docs[n]
	return Ref{Origin: x.origins[d.origin], ID: d.id}
}
