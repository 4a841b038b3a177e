package match

import (
	"bytes"
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"unsafe"

	"github.com/asean-tmh/tmh/node/match/mapped"
	"github.com/asean-tmh/tmh/node/match/segment"
	"github.com/asean-tmh/tmh/node/match/topics"
)

// trainedFrom is the most documents that topics are learnt from. More bring little, and take long.
const trainedFrom = 60_000

// sampled is a document of the sample.
type sampled struct {
	hash uint64
	part *part
	doc  uint16
}

// sample picks the documents to learn from, in an order that depends on the catalogue only.
func (s *snapshot) sample() []sampled {
	list := make([]sampled, 0, s.live)
	for _, p := range s.parts {
		for d := range p.seg.Docs() {
			if p.alive(uint16(d)) {
				body := p.seg.Body(uint16(d))
				origin, id := p.seg.Ref(uint16(d))
				list = append(list, sampled{hashTerm(origin + "\x00" + id + "\x00" + string(body[:])), p, uint16(d)})
			}
		}
	}
	slices.SortFunc(list, func(a, b sampled) int {
		return cmp.Or(cmp.Compare(a.hash, b.hash), a.part.ref(a.doc).Compare(b.part.ref(b.doc)))
	})
	return list[:min(trainedFrom, len(list))]
}

// Train learns the vocabulary and the topics of the catalogue as it is now, and waits until every document has its place among them. Queries
// and changes go on meanwhile. The error is ctx's, or of the disk.
func (x *Index) Train(ctx context.Context) error {
	x.spell()
	x.training.Lock()
	defer x.training.Unlock()
	s := x.snap.Load()
	var docs []topics.Doc
	var buf []segment.Weight
	shared := make(map[*part][]bool)
	for _, c := range s.sample() {
		if shared[c.part] == nil {
			shared[c.part] = commonTerms(c.part.seg)
		}
		buf = c.part.seg.Vector(buf[:0], c.doc)
		docs = append(docs, topics.Doc{Terms: termsOf(c.part.seg, shared[c.part], buf)})
	}
	model, err := topics.Train(ctx, docs, topics.Options{Seed: s.set[0]})
	if err != nil {
		return err
	}
	if err := x.keepModel(&model); err != nil {
		return err
	}
	return x.adopt(ctx, model, s)
}

// adopt gives every document its vector and publishes the model.
func (x *Index) adopt(ctx context.Context, model *topics.Model, from *snapshot) error {
	known := make(map[uint32]*vectors)
	for {
		x.writing.Lock()
		s := *x.snap.Load()
		var missing []*part
		for _, p := range s.parts {
			if known[p.number] == nil {
				missing = append(missing, p)
			}
		}
		if len(missing) == 0 {
			s.model, s.trainedOn, s.trained = model, from.live, from.set
			s.parts = slices.Clone(s.parts)
			for i, p := range s.parts {
				q := *p
				q.vectors = known[p.number]
				s.parts[i] = &q
			}
			x.looks = 0
			x.snap.Store(&s)
			x.writing.Unlock()
			return x.writeManifest()
		}
		x.writing.Unlock()
		for _, p := range missing {
			if err := ctx.Err(); err != nil {
				return err
			}
			v, err := x.vectorsOf(model, p)
			if err != nil {
				return err
			}
			known[p.number] = v
		}
	}
}

// commonTerms marks the terms of a segment that all languages share.
func commonTerms(seg *segment.Segment) []bool {
	marks := make([]bool, seg.Terms())
	for t := range marks {
		marks[t] = spaceOf(seg.TermString(uint32(t))) == common
	}
	return marks
}

func termsOf(seg *segment.Segment, shared []bool, vector []segment.Weight) []topics.Term {
	terms := make([]topics.Term, 0, len(vector))
	for _, w := range vector {
		if shared[w.Term] {
			terms = append(terms, topics.Term{Term: seg.TermString(w.Term), Weight: topics.ImpactWeight(w.Impact)})
		}
	}
	return terms
}

// vectors of the documents of a part under one model.
type vectors struct {
	model [sha256.Size]byte
	of    []topics.Vector
	keep  any    // what of is part of
	file  string // name; "" where they are in memory only
}

// fold computes the vectors of a segment.
func fold(model *topics.Model, seg *segment.Segment) *vectors {
	numbers := make([]uint32, seg.Terms())
	for t := range numbers {
		numbers[t] = topics.Unknown
		if term := seg.TermString(uint32(t)); spaceOf(term) == common {
			if n, ok := model.Number(term); ok {
				numbers[t] = n
			}
		}
	}
	v := &vectors{model: model.Digest(), of: make([]topics.Vector, seg.Docs())}
	var buf []segment.Weight
	var of []uint32
	var weights []float32
	for d := range v.of {
		buf = seg.Vector(buf[:0], uint16(d))
		of, weights = of[:0], weights[:0]
		for _, w := range buf {
			if n := numbers[w.Term]; n != topics.Unknown {
				of, weights = append(of, n), append(weights, topics.ImpactWeight(w.Impact))
			}
		}
		v.of[d] = model.FoldNumbers(of, weights)
	}
	return v
}

// vectorsOf reads a part's vectors, or computes them, and writes them for parts that are on disk.
func (x *Index) vectorsOf(model *topics.Model, p *part) (*vectors, error) {
	if x.dir == "" || !p.onDisk {
		return fold(model, p.seg), nil
	}
	name := vectorsName(p.number, model)
	if v := x.readVectors(name, model, p.seg.Docs()); v != nil {
		return v, nil
	}
	v := fold(model, p.seg)
	if err := x.writeVectors(name, v); err != nil {
		return nil, err
	}
	if read := x.readVectors(name, model, p.seg.Docs()); read != nil {
		return read, nil
	}
	return v, nil
}

func modelName(m *topics.Model) string {
	d := m.Digest()
	return hex.EncodeToString(d[:8]) + ".model"
}

func vectorsName(part uint32, m *topics.Model) string {
	return strings.TrimSuffix(segmentName(part), ".segment") + "-" + modelName(m)[:16] + ".vectors"
}

func (x *Index) writeVectors(name string, v *vectors) error {
	b := make([]byte, 0, len(v.of)*topics.VectorSize+sha256.Size)
	for i := range v.of {
		b = append(b, v.of[i][:]...)
	}
	sum := sha256.Sum256(b)
	return mapped.Write(filepath.Join(x.dir, name), append(b, sum[:]...))
}

// readVectors is nil where the file is absent, damaged or of other documents.
func (x *Index) readVectors(name string, model *topics.Model, docs int) *vectors {
	f, err := mapped.Open(filepath.Join(x.dir, name))
	if err != nil || len(f.Bytes()) != docs*topics.VectorSize+sha256.Size {
		return nil
	}
	b := f.Bytes()
	data, sum := b[:len(b)-sha256.Size], b[len(b)-sha256.Size:]
	if got := sha256.Sum256(data); !bytes.Equal(got[:], sum) {
		x.log.Warn("vectors of the match index are computed anew: their file is damaged", "file", name)
		return nil
	}
	v := &vectors{model: model.Digest(), keep: f, file: name}
	if docs > 0 {
		v.of = unsafe.Slice((*topics.Vector)(unsafe.Pointer(&data[0])), docs)
	}
	return v
}

// keepModel writes a model, and goes on with the mapped file.
func (x *Index) keepModel(m **topics.Model) error {
	if x.dir == "" {
		return nil
	}
	name := modelName(*m)
	if err := mapped.Write(filepath.Join(x.dir, name), (*m).Bytes()); err != nil {
		return err
	}
	if read, err := x.openModel(name); err == nil {
		*m = read
	}
	return nil
}

func (x *Index) openModel(name string) (*topics.Model, error) {
	if name == "" || filepath.Base(name) != name {
		return nil, errors.New("it has no name")
	}
	f, err := mapped.Open(filepath.Join(x.dir, name))
	if err != nil {
		return nil, err
	}
	m, err := topics.Parse(f.Bytes())
	if err != nil {
		return nil, err
	}
	runtime.AddCleanup(m, func(*mapped.File) {}, f) // the file stays mapped as long as the model is used
	return m, nil
}

// fileVectors writes the vectors of a part that was just written, and goes on with the mapped file.
func (x *Index) fileVectors(p *part) error {
	model := x.snap.Load().model
	if p.vectors == nil || model == nil || p.vectors.model != model.Digest() {
		return nil
	}
	name := vectorsName(p.number, model)
	if err := x.writeVectors(name, p.vectors); err != nil {
		return err
	}
	if read := x.readVectors(name, model, p.seg.Docs()); read != nil {
		p.vectors = read
	}
	return nil
}

// loadModel reads the topics that a manifest names. The caller holds the lock.
func (x *Index) loadModel(s *snapshot, m *manifest) {
	if m.Model == "" {
		return
	}
	model, err := x.openModel(m.Model)
	if err == nil && modelName(model) != m.Model {
		err = errors.New("it is another one")
	}
	if err != nil {
		x.log.Warn("topics are learnt anew", "why", err)
		return
	}
	for _, p := range s.parts {
		if p.vectors, err = x.vectorsOf(model, p); err != nil {
			x.log.Warn("topics are learnt anew", "why", err)
			return
		}
	}
	s.model, s.trainedOn = model, m.Trained
}

// votersAmong is how many of the best by text show what field a query is about.
const votersAmong = 20

// topicQuery is a query among the topics.
type topicQuery struct{ query *topics.Query }

// scoreTopics scores the candidates by the cosine of what they and the query are about.
func (r *ranking) scoreTopics() {
	model := r.snap.model
	if model == nil {
		return
	}
	var first []topics.Vector
	for i := range r.list[:min(votersAmong, len(r.list))] {
		if v := r.vector(&r.list[i].candidate); v != nil {
			first = append(first, *v)
		}
	}
	r.second.topics = &topicQuery{query: model.Query(r.topicTerms(), first)}
	for i := range r.list {
		if v := r.vector(&r.list[i].candidate); v != nil {
			r.list[i].values.topics = r.second.topics.query.Score(v)
		}
	}
}

func (r *ranking) vector(c *candidate) *topics.Vector {
	if r.second.vectors == nil {
		r.second.vectors = make([][]topics.Vector, len(r.snap.parts))
		digest := r.snap.model.Digest()
		for i, p := range r.snap.parts {
			if p.vectors != nil && p.vectors.model == digest {
				r.second.vectors[i] = p.vectors.of
			}
		}
	}
	if v := r.second.vectors[c.part]; v != nil {
		return &v[c.doc]
	}
	return nil
}

// topicTerms are the English stems that the query can mean: of a listing's languages the one that has most of them.
func (r *ranking) topicTerms() (best []topics.Term) {
	for _, p := range r.plans {
		var terms []topics.Term
		for i := range p.wants {
			w := &p.wants[i]
			for _, f := range w.terms {
				terms = append(terms, topics.Term{Term: p.terms[f.term], Weight: topics.CountWeight(w.wish.times) * float32(f.weight)})
			}
		}
		if len(terms) > len(best) {
			best = terms
		}
	}
	return best
}
