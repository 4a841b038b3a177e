package match

import (
	"context"
	"crypto/rand"
	"encoding/binary"
	"runtime"
	"slices"
	"sync"

	"github.com/asean-tmh/tmh/node/match/segment"
	"github.com/asean-tmh/tmh/node/match/topics"
	"github.com/asean-tmh/tmh/protocol"
)

// Segments are merged by size: as soon as fanOut of one tier have gathered, they become one, so that a document is copied
// a few times in its life and a query meets a few dozen segments at most.
const (
	fanOut = 8
	full   = segment.MaxDocs * 3 / 4 // living documents; not merged any more, unless many died
	onDisk = 4096                    // documents from which a segment is written to a file
)

// Documents may be many times as large as usual, and have no word in common. Segments stay below what package segment can
// hold, and a merge below what a small machine has.
const (
	mostBytes = 512 << 20
	mostTerms = 16_000_000
)

// room is what parts that become one take together.
type room struct{ docs, bytes, terms int }

// takes reports whether a part fits in, too, and enters it.
func (r *room) takes(p *part) bool {
	s := room{r.docs + p.live(), r.bytes + len(p.seg.Bytes()), r.terms + p.seg.Terms()}
	if s.docs > segment.MaxDocs || r.docs > 0 && (s.bytes > mostBytes || s.terms > mostTerms) {
		return false
	}
	*r = s
	return true
}

// grown reports whether a part is not merged with others any more.
func grown(p *part) bool {
	return p.live() >= full || len(p.seg.Bytes()) >= mostBytes/2 || p.seg.Terms() >= mostTerms/2
}

// unmergeable marks, in part.keep, a part whose file was changed under a running node: it is found out by a merge, which
// checks what it copies, and left alone until a restart leaves it out.
type unmergeable struct{ keep any }

// tier of a part: the number of times that fanOut goes into it.
func tier(p *part) (n int) {
	for docs := p.live(); docs >= fanOut; docs /= fanOut {
		n++
	}
	return n
}

// due are the parts that are to become one now, nil if none.
func (s *snapshot) due() []*part {
	tiers := make(map[int][]*part)
	for _, p := range s.parts {
		if _, ok := p.keep.(unmergeable); ok {
			continue
		}
		live, docs := p.live(), p.seg.Docs()
		if 4*(docs-live) > docs && docs >= fanOut {
			return []*part{p} // a quarter is dead
		}
		if !grown(p) {
			tiers[tier(p)] = append(tiers[tier(p)], p)
		}
	}
	for t := range 6 {
		list := tiers[t]
		slices.SortStableFunc(list, func(a, b *part) int { return a.live() - b.live() })
		var take []*part
		var together room
		for _, p := range list {
			if !together.takes(p) {
				break
			}
			take = append(take, p)
		}
		if len(take) >= 2 && (len(list) >= fanOut || together.docs >= full) {
			return take
		}
	}
	return nil
}

// mergeSoon starts to merge in the background where something is due. The caller holds the lock.
func (x *Index) mergeSoon() {
	if x.merging || x.closed || x.snap.Load().due() == nil {
		return
	}
	x.merging = true
	go func() {
		for x.mergeOnce() {
		}
	}()
}

// mergeOnce merges what is due, or says that nothing is.
func (x *Index) mergeOnce() bool {
	x.writing.Lock()
	due := x.snap.Load().due()
	if x.closed || due == nil {
		x.merging = false
		x.idle.Broadcast()
		x.writing.Unlock()
		return false
	}
	x.writing.Unlock()
	err := x.mergeParts(due, onDisk)
	if err == nil {
		return true
	}
	x.log.Error("segments of the match index are not merged or not written: it works as it is, and is built anew after a restart", "error", err)
	x.writing.Lock()
	defer x.writing.Unlock()
	x.merging = false
	x.idle.Broadcast()
	return false
}

// mergeParts makes one part of several; of least documents or more, it is written to a file. Where that fails, the part
// stays in memory: tried again with every change, the merge would keep a processor busy as long as the disk is full.
func (x *Index) mergeParts(parts []*part, least int) error {
	made, moved, err := x.merge(parts)
	if err != nil {
		x.setAside(parts)
		return err
	}
	if err := x.file(parts, made, moved, least); err != nil {
		return err
	}
	if made != nil && made.seg.Docs() >= least || slices.ContainsFunc(parts, func(p *part) bool { return p.onDisk }) {
		return x.writeManifest()
	}
	return nil
}

// file writes a merged part and puts it in the place of the old ones. No manifest is written meanwhile, which would sweep
// the file away.
func (x *Index) file(parts []*part, made *part, moved []segment.Moved, least int) (unwritten error) {
	x.filing.Lock()
	defer x.filing.Unlock()
	x.writing.Lock()
	number := x.next
	x.next++
	x.writing.Unlock()
	if made != nil {
		made.number = number
		if x.dir != "" && made.seg.Docs() >= least {
			var written *part
			if written, unwritten = x.writePart(made); unwritten == nil {
				made, unwritten = written, x.fileVectors(written)
			}
		}
	}
	x.lockFolded(made)
	x.replace(parts, made, moved)
	x.writing.Unlock()
	return unwritten
}

// lockFolded takes the lock at a moment when a part has its vectors under the model of the snapshot: to compute them takes
// too long for queries to wait.
func (x *Index) lockFolded(p *part) {
	for {
		x.writing.Lock()
		model := x.snap.Load().model
		if p == nil || model == nil || p.vectors != nil && p.vectors.model == model.Digest() {
			return
		}
		x.writing.Unlock()
		p.vectors = fold(model, p.seg)
	}
}

// setAside marks the parts that cannot be merged, so that they do not keep others from it.
func (x *Index) setAside(parts []*part) {
	var bad []uint32
	for _, p := range parts {
		if _, _, err := x.merge([]*part{p}); err != nil || len(parts) == 1 {
			bad = append(bad, p.number)
		}
	}
	x.writing.Lock()
	defer x.writing.Unlock()
	s := *x.snap.Load()
	s.parts = slices.Clone(s.parts)
	for i, p := range s.parts {
		if slices.Contains(bad, p.number) || len(bad) == 0 && slices.ContainsFunc(parts, func(o *part) bool { return o.number == p.number }) {
			q := *p
			q.keep = unmergeable{p.keep}
			s.parts[i] = &q
		}
	}
	x.snap.Store(&s)
}

// merge makes one part of several as they were in a snapshot; nil where nothing lives in them.
func (x *Index) merge(parts []*part) (*part, []segment.Moved, error) {
	var in []segment.Part
	for _, p := range parts {
		in = append(in, segment.Part{Segment: p.seg, Dropped: func(d uint16) bool { return !p.alive(d) }})
	}
	b, moved, err := segment.Merge(in, randomSeed())
	if err != nil || len(moved) == 0 {
		return nil, nil, err
	}
	made, err := x.partOf(b, nil)
	if err != nil {
		return nil, nil, err
	}
	first := parts[0].vectors
	for _, p := range parts {
		if first == nil || p.vectors == nil || p.vectors.model != first.model {
			return made, moved, nil
		}
	}
	made.vectors = &vectors{model: first.model, of: make([]topics.Vector, len(moved))}
	for _, m := range moved {
		made.vectors.of[m.New] = parts[m.Part].vectors.of[m.Old]
	}
	return made, moved, nil
}

// replace puts the merged part in the place of the old ones; documents that died meanwhile die in it. The caller holds the
// lock.
func (x *Index) replace(old []*part, made *part, moved []segment.Moved) {
	s := *x.snap.Load()
	now := make([]*part, len(old))
	for i, p := range old {
		now[i] = s.part(p.number)
	}
	s.parts = slices.DeleteFunc(slices.Clone(s.parts), func(p *part) bool {
		return slices.ContainsFunc(old, func(o *part) bool { return o.number == p.number })
	})
	if made != nil {
		var dead []uint16
		for _, m := range moved {
			if now[m.Part] == nil || !now[m.Part].alive(m.Old) {
				dead = append(dead, m.New)
			}
		}
		if len(dead) > 0 {
			made = made.without(dead)
		}
		x.fresh = made
		for _, m := range moved {
			if made.alive(m.New) {
				ref := made.ref(m.New)
				x.where.move(ref, x.key(ref), place{old[m.Part].number, m.Old}, place{made.number, m.New})
			}
		}
		x.fresh = nil
		s.parts = append(s.parts, made)
	}
	x.snap.Store(&s)
}

func randomSeed() uint64 {
	var b [8]byte
	_, _ = rand.Read(b[:]) // never fails
	return binary.LittleEndian.Uint64(b[:])
}

// addAll analyses on all processors and puts in batches, whose order does not matter to any answer.
func (x *Index) addAll(ctx context.Context, docs func(yield func(Document) bool)) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	in := make(chan Document, 256)
	var wg sync.WaitGroup
	for range runtime.GOMAXPROCS(0) {
		wg.Go(func() {
			gathered := make([]segment.Doc, 0, batch)
			for d := range in {
				gathered = append(gathered, x.docOf(&d))
				if len(gathered) == batch {
					x.commit(gathered, nil)
					gathered = gathered[:0]
				}
			}
			x.commit(gathered, nil)
		})
	}
	docs(func(d Document) bool {
		select {
		case in <- d:
			return true
		case <-ctx.Done():
			return false
		}
	})
	close(in)
	wg.Wait()
	return ctx.Err()
}

// Settle waits until no merge is due: measurements begin after it.
func (x *Index) Settle() {
	x.writing.Lock()
	defer x.writing.Unlock()
	for x.merging {
		x.idle.Wait()
	}
}

// Reconcile compares the index with a catalogue after a start. The catalogue asks of each of its listings whether the index
// has it as it is, and puts in what it has not; what it did not ask for by the end is removed. What others put in meanwhile
// stays.
func (x *Index) Reconcile(catalogue func(have func(Ref, protocol.Hash) bool) error) error {
	before := make(map[uint64]uint64) // what was there, and a part of its body's digest
	sum := func(p *part, d uint16) uint64 {
		body := p.seg.Body(d)
		return binary.LittleEndian.Uint64(body[:])
	}
	x.each(func(p *part, d uint16, ref Ref) { before[x.key(ref)] = sum(p, d) })
	have := func(ref Ref, body protocol.Hash) bool {
		delete(before, x.key(ref))
		return x.Holds(ref, body)
	}
	if err := catalogue(have); err != nil {
		return err
	}
	var gone []Ref
	x.each(func(p *part, d uint16, ref Ref) {
		if was, ok := before[x.key(ref)]; ok && was == sum(p, d) {
			gone = append(gone, ref.clone())
		}
	})
	x.commit(nil, gone)
	return nil
}

// each calls f for every living document of the snapshot that is current at the start.
func (x *Index) each(f func(p *part, d uint16, ref Ref)) {
	for _, p := range x.snap.Load().parts {
		for d := range p.seg.Docs() {
			if p.alive(uint16(d)) {
				f(p, uint16(d), p.ref(uint16(d)))
			}
		}
	}
}
