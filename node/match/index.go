package match

import (
	"context"
	"errors"
	"hash/maphash"
	"log/slog"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/asean-tmh/tmh/node/match/embed"
	"github.com/asean-tmh/tmh/node/match/lexicon"
	"github.com/asean-tmh/tmh/node/match/segment"
	"github.com/asean-tmh/tmh/node/match/text"
	"github.com/asean-tmh/tmh/protocol"
)

// Options of an index.
type Options struct {
	Weights Weights          // zero: DefaultWeights
	Lexicon *lexicon.Lexicon // nil: nothing is translated
	Dir     string           // where segments are kept; "": in memory only
	Log     *slog.Logger     // nil: slog.Default

	Embedder     embed.Embedder           // an outside model that adds a part to the ranking; nil: none
	EmbedTimeout time.Duration            // how long a query waits for it; 0: 300 ms
	Texts        func(Ref) (string, bool) // what it embeds of a listing: EmbeddingText
}

// Index holds a catalogue and answers queries. It is safe for concurrent use: a change makes a new snapshot, and a query
// keeps to the one that it began with.
type Index struct {
	weights  Weights
	lexicon  *lexicon.Lexicon
	analyser *text.Analyser
	dir      string
	log      *slog.Logger
	settings protocol.Hash // of all that a segment depends on besides its documents
	scratch  sync.Pool     // *scratch
	snap     atomic.Pointer[snapshot]
	seed     maphash.Seed

	embedding *embedding // nil: none
	browses   browsing

	writing sync.Mutex // guards what follows, and who stores a snapshot
	where   directory
	fresh   *part  // not in a snapshot yet
	next    uint32 // number of the next segment
	merging bool
	closed  bool
	idle    *sync.Cond // merging ended
	looked  setSum     // the catalogue when learn looked last
	looks   int        // since it was learnt last

	filing   sync.Mutex // one manifest at a time
	training sync.Mutex // one training at a time
}

// Open makes an index of what Options.Dir holds. Damaged files, and files that were made with other weights or another
// lexicon, are left out and removed: their documents are to be put in again. It fails only where the folder cannot be used.
func Open(o Options) (*Index, error) {
	if o.Weights == (Weights{}) {
		o.Weights = DefaultWeights()
	}
	if o.Log == nil {
		o.Log = slog.Default()
	}
	x := &Index{weights: o.Weights, lexicon: o.Lexicon, dir: o.Dir, log: o.Log, seed: maphash.MakeSeed(), next: 1}
	var words text.Words
	if o.Lexicon != nil {
		words = o.Lexicon
	}
	x.analyser = text.NewAnalyser(words)
	x.idle = sync.NewCond(&x.writing)
	x.where = newDirectory()
	x.settings = x.settingsDigest()
	x.snap.Store(&snapshot{})
	var err error
	if x.embedding, err = openEmbedding(&o); err != nil {
		return nil, err
	}
	if x.dir == "" {
		return x, nil
	}
	return x, x.load()
}

// New makes an index in memory.
func New(o Options) *Index {
	o.Dir = ""
	x, err := Open(o)
	if err != nil {
		panic(err) // nothing is opened
	}
	return x
}

// Close waits for merges under way, and writes what is only in memory.
func (x *Index) Close() error {
	x.writing.Lock()
	x.closed = true
	for x.merging {
		x.idle.Wait()
	}
	x.writing.Unlock()
	if x.dir == "" {
		return x.embedding.close()
	}
	return errors.Join(x.save(), x.embedding.close())
}

// Holds reports whether the index has this body under ref.
func (x *Index) Holds(ref Ref, body protocol.Hash) bool {
	x.writing.Lock()
	defer x.writing.Unlock()
	p, d, ok := x.find(ref)
	return ok && p.seg.Body(d) == body
}

// Change of a catalogue: a valid listing that is put under a ref, in place of what stood there, or nil that removes it.
type Change struct {
	Ref     Ref
	Listing *protocol.Listing
	Body    protocol.Hash // of the listing's canonical form; zero: computed
}

// Put adds a listing to the catalogue, in place of what the catalogue holds under ref. It keeps no reference to l.
func (x *Index) Put(ref Ref, l *protocol.Listing) { x.Apply(Change{Ref: ref, Listing: l}) }

// Remove takes what the catalogue holds under ref, if anything, out of it.
func (x *Index) Remove(ref Ref) { x.Apply(Change{Ref: ref}) }

// Apply makes changes at once: every query sees all of them or none. Of several of one ref the last counts. Together is
// cheaper than one by one.
func (x *Index) Apply(changes ...Change) {
	last := make(map[Ref]int, len(changes))
	for i, c := range changes {
		last[c.Ref] = i
	}
	var add []segment.Doc
	var remove []Ref
	for i, c := range changes {
		if last[c.Ref] != i {
			continue
		}
		if c.Listing == nil {
			remove = append(remove, c.Ref)
			continue
		}
		body := c.Body
		if body == (protocol.Hash{}) {
			body = protocol.Sum(c.Listing.Encode())
		}
		if x.Holds(c.Ref, body) {
			continue
		}
		d := documentOf(c.Ref, c.Listing, body)
		add = append(add, x.docOf(&d))
	}
	x.commit(add, remove)
}

// Add puts a document in; see Document.
func (x *Index) Add(docs ...Document) {
	var add []segment.Doc
	for i := range docs {
		add = append(add, x.docOf(&docs[i]))
	}
	x.commit(add, nil)
}

// commit publishes a snapshot with new documents, one a ref, and without those removed.
func (x *Index) commit(add []segment.Doc, remove []Ref) {
	last := make(map[Ref]int, len(add))
	for i := range add {
		last[refOf(&add[i])] = i
	}
	if len(last) < len(add) {
		kept := add[:0]
		for i := range add {
			if last[refOf(&add[i])] == i {
				kept = append(kept, add[i])
			}
		}
		add = kept
	}
	for len(add) > 0 || len(remove) > 0 {
		n := min(len(add), batch)
		made, rest := x.build(add[:n])
		if model := x.snap.Load().model; made != nil && model != nil {
			made.vectors = fold(model, made.seg)
		}
		x.writing.Lock()
		x.publish(made, remove)
		x.writing.Unlock()
		add, remove = append(rest, add[n:]...), nil
	}
}

func refOf(d *segment.Doc) Ref {
	return Ref{Origin: protocol.MemberID(d.Origin), ID: protocol.ListingID(d.ID)}
}

// batch is the most documents that go into one new segment.
const batch = 8192

// build makes a segment. Documents that do not fit into it together are left over.
func (x *Index) build(docs []segment.Doc) (*part, []segment.Doc) {
	for n := len(docs); n > 0; n /= 2 {
		b, err := segment.Build(docs[:n], randomSeed())
		if err == nil {
			p, err := x.partOf(b, nil)
			if err == nil {
				return p, docs[n:]
			}
		}
		if n == 1 {
			x.log.Error("a listing cannot be indexed", "origin", docs[0].Origin, "id", docs[0].ID, "error", err)
			return nil, docs[1:]
		}
	}
	return nil, nil
}

// partOf reads a segment's bytes, which are part of keep.
func (x *Index) partOf(b []byte, keep any) (*part, error) {
	seg, err := segment.Parse(b)
	if err != nil {
		return nil, err
	}
	return &part{seg: seg, keep: keep}, nil
}

// publish stores the snapshot after a part was added and documents were removed. The caller holds the lock.
func (x *Index) publish(made *part, remove []Ref) {
	s := *x.snap.Load()
	dead := make(map[uint32][]uint16)
	kill := func(ref Ref) {
		p, d, ok := x.find(ref)
		if !ok {
			return
		}
		dead[p.number] = append(dead[p.number], d)
		s.count(p, d, -1)
		x.where.remove(ref, x.key(ref))
	}
	for _, ref := range remove {
		kill(ref)
	}
	if made != nil {
		made.number = x.next
		x.next++
		for d := range made.seg.Docs() {
			kill(made.ref(uint16(d)))
		}
	}
	s.parts = slices.Clone(s.parts)
	for i, p := range s.parts {
		if docs := dead[p.number]; docs != nil {
			s.parts[i] = p.without(docs)
		}
	}
	if made != nil {
		if s.model != nil && (made.vectors == nil || made.vectors.model != s.model.Digest()) {
			made.vectors = fold(s.model, made.seg)
		}
		s.parts = append(s.parts, made)
		x.settle(&s, made)
	}
	s.parts = slices.DeleteFunc(s.parts, func(p *part) bool { return p.live() == 0 })
	x.snap.Store(&s)
	x.mergeSoon()
}

// settle enters the living documents of a new part into the directory and the counts.
func (x *Index) settle(s *snapshot, p *part) {
	x.fresh = p
	defer func() { x.fresh = nil }()
	for d := range p.seg.Docs() {
		if !p.alive(uint16(d)) {
			continue
		}
		ref := p.ref(uint16(d))
		x.where.put(ref, x.key(ref), place{p.number, uint16(d)}, x.refAt)
		s.count(p, uint16(d), 1)
	}
}

// count enters a document, or takes it out.
func (s *snapshot) count(p *part, d uint16, step int) {
	s.live += step
	languages := spaceSet(p.seg.Languages()[d])
	for a := range spaces {
		if languages.has(a) {
			s.inSpace[a] += step
		}
	}
	s.set.step(p.ref(d), p.seg.Body(d), step < 0)
}

// find a living document. The caller holds the lock.
func (x *Index) find(ref Ref) (*part, uint16, bool) {
	at, ok := x.where.get(ref, x.key(ref), x.refAt)
	if !ok {
		return nil, 0, false
	}
	return x.snap.Load().part(at.part), at.doc, true
}

func (s *snapshot) part(number uint32) *part {
	for _, p := range s.parts {
		if p.number == number {
			return p
		}
	}
	return nil
}

func (x *Index) key(ref Ref) uint64 { return maphash.Comparable(x.seed, ref) }

func (x *Index) refAt(at place) (Ref, bool) {
	p := x.fresh
	if p == nil || p.number != at.part {
		p = x.snap.Load().part(at.part)
	}
	if p == nil {
		return Ref{}, false
	}
	return p.ref(at.doc), true
}

// Len is the number of listings in the catalogue.
func (x *Index) Len() int { return x.snap.Load().live }

// Stats describe the size of an index.
type Stats struct {
	Documents int   `json:"documents"`
	Removed   int   `json:"removed"` // documents that still take room
	Segments  int   `json:"segments"`
	OnDisk    int   `json:"on_disk"` // segments
	Bytes     int64 `json:"bytes"`   // of all segments
	Trained   bool  `json:"trained"` // topics are known

	Embedded        int    `json:"embedded,omitempty"`         // vectors of an outside model, of documents that were removed, too
	EmbeddingFaults uint64 `json:"embedding_faults,omitempty"` // since the start
}

// Stats of the index as it is now.
func (x *Index) Stats() Stats {
	s := x.snap.Load()
	st := Stats{Documents: s.live, Segments: len(s.parts), Trained: s.model != nil}
	for _, p := range s.parts {
		st.Removed += p.seg.Docs() - p.live()
		st.Bytes += int64(len(p.seg.Bytes()))
		if p.onDisk {
			st.OnDisk++
		}
	}
	if x.embedding != nil {
		st.Embedded, _ = x.embedding.store.Len()
		st.EmbeddingFaults = x.embedding.faults.Count()
	}
	return st
}

// AddAll puts many documents in, analysing on all processors. The error is ctx's.
func (x *Index) AddAll(ctx context.Context, docs func(yield func(Document) bool)) error {
	return x.addAll(ctx, docs)
}
