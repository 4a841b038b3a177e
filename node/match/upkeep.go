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
		live, docs := p.live(), p.seg.Docs()
		if 4*(docs-live) > docs && docs >= fanOut {
			return []*part{p} // a quarter is dead
		}
		if live < full {
			tiers[tier(p)] = append(tiers[tier(p)], p)
		}
	}
	for t := range 6 {
		list := tiers[t]
		slices.SortStableFunc(list, func(a, b *part) int { return a.live() - b.live() })
		var take []*part
		docs := 0
		for _, p := range list {
			if docs+p.live() > segment.MaxDocs {
				break
			}
			take = append(take, p)
			docs += p.live()
		}
		if len(take) >= 2 && (len(list) >= fanOut || docs >= full) {
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
	x.log.Error("segments of the match index are not merged: it works as it is, and is built anew after a restart", "error", err)
	x.writing.Lock()
	defer x.writing.Unlock()
	x.merging = false
	x.idle.Broadcast()
	return false
}

// mergeParts makes one part of several; of least documents or more, it is written to a file.
func (x *Index) mergeParts(parts []*part, least int) error {
	made, moved, err := x.merge(parts)
	if err != nil {
		return err
	}
	x.writing.Lock()
	number := x.next
	x.next++
	x.writing.Unlock()
	if made != nil {
		made.number = number
		if x.dir != "" && made.seg.Docs() >= least {
			if made, err = x.writePart(made); err != nil {
				return err
			}
			if err = x.fileVectors(made); err != nil {
				return err
			}
		}
	}
	x.writing.Lock()
	x.replace(parts, made, moved)
	x.writing.Unlock()
	if made != nil && made.onDisk || slices.ContainsFunc(parts, func(p *part) bool { return p.onDisk }) {
		return x.writeManifest()
	}
	return nil
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
		if s.model != nil && (made.vectors == nil || made.vectors.model != s.model.Digest()) { // trained meanwhile
			made.vectors = fold(s.model, made.seg)
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
	before := make(map[uint64]struct{})
	x.each(func(_ *part, _ uint16, ref Ref) { before[x.key(ref)] = struct{}{} })
	have := func(ref Ref, body protocol.Hash) bool {
		delete(before, x.key(ref))
		return x.Holds(ref, body)
	}
	if err := catalogue(have); err != nil {
		return err
	}
	var gone []Ref
	x.each(func(_ *part, _ uint16, ref Ref) {
		if _, ok := before[x.key(ref)]; ok {
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
