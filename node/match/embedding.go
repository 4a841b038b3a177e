package match

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"hash"
	"io"
	"math"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/asean-tmh/tmh/node/match/embed"
	"github.com/asean-tmh/tmh/protocol"
)

// An outside model may add a part to the ranking: how near its vectors of query and document are. Vectors of documents are
// computed in the background, and kept by what they are of, not by where it stands in the index: so segments may be merged,
// and the index may be built anew, without asking the model again. A query that it does not answer in time is ranked
// without the part.

// embedding is what an index has where an embedder is configured.
type embedding struct {
	embedder embed.Embedder
	timeout  time.Duration
	texts    func(Ref) (string, bool)
	store    *embed.Store
	faults   *embed.Faults
	seen     atomic.Int32 // dimensions of the last query's vector
	filling  sync.Mutex
}

const (
	embedTimeout  = 300 * time.Millisecond // of a query, by default
	embedSlowest  = time.Minute            // of a batch of documents
	embedBackoff  = time.Second            // before a busy embedder is asked again
	embedBatch    = 32                     // documents in one request
	embedFailures = 3                      // batches, after which the rest waits for the next upkeep
	embedRound    = 4096                   // documents after which it is looked again which are the newest
)

// EmbeddingText is the text of a listing that is embedded: title, value and abstract in English, else in its first language.
func EmbeddingText(l *protocol.Listing) string {
	_, t := l.Text()
	text := t.Title
	for _, s := range []string{t.Value, t.Abstract} {
		if s != "" {
			text += "\n" + s
		}
	}
	return embed.Cut(text, embed.MaxText)
}

// openEmbedding is nil where there is no embedder, or its part of the ranking is switched off.
func openEmbedding(o *Options) (*embedding, error) {
	if o.Embedder == nil || o.Weights.Embedding <= 0 {
		return nil, nil
	}
	store, err := embed.Open(o.Dir, o.Embedder.Name())
	if err != nil {
		return nil, err
	}
	e := &embedding{embedder: o.Embedder, timeout: o.EmbedTimeout, texts: o.Texts, store: store, faults: embed.NewFaults(o.Log)}
	if e.timeout <= 0 {
		e.timeout = embedTimeout
	}
	return e, nil
}

func (e *embedding) close() error {
	if e == nil {
		return nil
	}
	return e.store.Close()
}

// embedKey names what a document says: by its body, or by its ref where it has none.
func (p *part) embedKey(d uint16) embed.Key {
	body := p.seg.Body(d)
	if body == (protocol.Hash{}) {
		origin, id := p.seg.Ref(d)
		body = sha256.Sum256([]byte(origin + "\x00" + id))
	}
	return embed.Key(body[:16])
}

// lacking is a document without a vector.
type lacking struct {
	part      *part
	doc       uint16
	published int32
}

// embed computes the vectors of some documents that have none, the newest first, and reports whether there may be more.
// Those in passed cannot be had now.
func (x *Index) embed(ctx context.Context, passed map[embed.Key]bool) bool {
	e := x.embedding
	if e == nil || e.texts == nil || !e.filling.TryLock() {
		return false
	}
	defer e.filling.Unlock()
	if dims := e.store.Dims(); dims != 0 && e.seen.Load() != 0 && int(e.seen.Load()) != dims {
		x.log.Warn("all embeddings are computed anew: the endpoint's model answers other vectors than before", "model", e.embedder.Name(), "dimensions", e.seen.Load(), "before", dims)
		if err := e.store.Forget(); err != nil {
			e.faults.Report(err)
			return false
		}
	}
	list, err := x.unembedded(passed)
	if err != nil {
		e.faults.Report(err)
		return false
	}
	failed := 0 // batches, one after another: what fails with one may not with the next
	for batch := range slices.Chunk(list, embedBatch) {
		err := e.fill(ctx, batch, passed)
		switch {
		case ctx.Err() != nil:
			failed = embedFailures
		case err != nil:
			e.faults.Report(err)
			for _, l := range batch {
				passed[l.part.embedKey(l.doc)] = true
			}
			failed++
		default:
			failed = 0
		}
		if failed == embedFailures {
			break
		}
	}
	if err := e.store.Sync(); err != nil {
		e.faults.Report(err)
	}
	return failed < embedFailures && len(list) > 0
}

// unembedded are the next documents to compute vectors of. Vectors that nothing needs any more are dropped where they are
// the most.
func (x *Index) unembedded(passed map[embed.Key]bool) ([]lacking, error) {
	e := x.embedding
	var list []lacking
	s := x.snap.Load()
	_, records := e.store.Len()
	var living map[embed.Key]bool
	if records > 2*s.live+embedRound {
		living = make(map[embed.Key]bool, s.live)
	}
	for _, p := range s.parts {
		keys := make([]embed.Key, p.seg.Docs())
		for d := range keys {
			keys[d] = p.embedKey(uint16(d))
		}
		for d, has := range e.store.Has(keys) {
			switch {
			case !p.alive(uint16(d)):
				continue
			case living != nil:
				living[keys[d]] = true
			}
			if !has && !passed[keys[d]] {
				list = append(list, lacking{p, uint16(d), p.seg.Published()[d]})
			}
		}
	}
	slices.SortFunc(list, func(a, b lacking) int {
		return cmp.Or(cmp.Compare(b.published, a.published), a.part.ref(a.doc).Compare(b.part.ref(b.doc)))
	})
	list = slices.Clone(list[:min(embedRound, len(list))])
	if living == nil {
		return list, nil
	}
	return list, e.store.Trim(living)
}

// fill computes the vectors of a batch.
func (e *embedding) fill(ctx context.Context, batch []lacking, passed map[embed.Key]bool) error {
	ctx, cancel := context.WithTimeout(ctx, embedSlowest)
	defer cancel()
	var keys []embed.Key
	var texts []string
	for _, l := range batch {
		key := l.part.embedKey(l.doc)
		text, ok := e.texts(l.part.ref(l.doc).clone())
		if !ok || text == "" {
			passed[key] = true
			continue
		}
		keys, texts = append(keys, key), append(texts, embed.Cut(text, embed.MaxText))
	}
	if len(texts) == 0 {
		return nil
	}
	ask := func(texts []string) ([][]float32, error) {
		return embed.Patiently(ctx, e.embedder, texts, embedBackoff)
	}
	vectors, err := ask(texts)
	var refused *embed.Refused
	if errors.As(err, &refused) { // for one of the texts, perhaps
		vectors = make([][]float32, len(texts))
		for i := range texts {
			if vectors[i], err = embed.Shortened(texts[i], ask); errors.As(err, &refused) {
				e.faults.Report(err)
				passed[keys[i]] = true
			} else if err != nil {
				return err
			}
		}
		err = nil
	}
	if err != nil {
		return err
	}
	var entries []embed.Entry
	for i, v := range vectors {
		if v != nil {
			entries = append(entries, embed.Entry{Key: keys[i], Vector: embed.Quantise(v)})
		}
	}
	return e.store.Put(entries)
}

// embeddingShare is what the outside model said of the candidates.
type embeddingShare struct {
	asked bool // and answered
	sum   [sha256.Size]byte
}

// scoreEmbedding scores the candidates by the cosine of their vectors and the query's.
func (r *ranking) scoreEmbedding(ctx context.Context) {
	e := r.x.embedding
	if e == nil {
		return
	}
	keys := make([]embed.Key, len(r.list))
	for i, s := range r.list {
		keys[i] = r.snap.parts[s.part].embedKey(s.doc)
	}
	if !slices.Contains(e.store.Has(keys), true) {
		return
	}
	v, err := e.query(ctx, r.query)
	if err != nil {
		if ctx.Err() == nil {
			e.faults.Report(err)
		}
		return
	}
	bits := make([]byte, 0, 8*len(keys))
	for i, cosine := range e.store.Cosines(v, keys) {
		r.list[i].values.embedding = cosine
		bits = binary.LittleEndian.AppendUint64(bits, math.Float64bits(cosine))
	}
	r.second.embedding = embeddingShare{asked: true, sum: sha256.Sum256(bits)}
}

var errDims = errors.New("the embedding endpoint's vectors have another dimension than those of the listings, which will be computed anew")

// query embeds what is asked.
func (e *embedding) query(ctx context.Context, q *Query) (v embed.Vector, err error) {
	ctx, cancel := context.WithTimeout(ctx, e.timeout)
	defer cancel()
	text := q.Text
	if q.Listing != nil {
		text = EmbeddingText(q.Listing)
	}
	f, err := embed.Shortened(embed.Cut(text, embed.MaxText), func(texts []string) ([][]float32, error) {
		return embed.Ask(ctx, e.embedder, texts)
	})
	if err != nil {
		return v, err
	}
	e.seen.Store(int32(len(f)))
	if len(f) != e.store.Dims() {
		return v, errDims
	}
	return embed.Quantise(f), nil
}

// name adds to a digest what an outside model had to say: another node's model may say it otherwise, or of other documents,
// so the digest covers its share of the answer itself.
func (s *embeddingShare) name(h hash.Hash, e *embedding) {
	if e == nil {
		return
	}
	_, _ = io.WriteString(h, "\x00embedding\x00"+e.embedder.Name()+"\x00") // a hash does not fail
	if s.asked {
		h.Write(s.sum[:])
	}
}

// Upkeep brings what is learnt from the whole catalogue up to date, where the catalogue has changed enough: the vocabulary
// of typeahead, and the topics. Where an embedder is configured, it computes the vectors that are missing. It takes from
// nothing to minutes, with an embedder hours, beside everything else; the error is ctx's, or of the disk.
func (x *Index) Upkeep(ctx context.Context) error {
	passed := make(map[embed.Key]bool)
	for {
		if err := x.learn(ctx); err != nil || !x.embed(ctx, passed) {
			return err
		}
	}
}
