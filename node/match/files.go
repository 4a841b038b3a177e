package match

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/asean-tmh/tmh/node/match/mapped"
	"github.com/asean-tmh/tmh/node/match/segment"
	"github.com/asean-tmh/tmh/protocol"
)

// A folder holds segments, a file each, and the manifest, which names those that count. Segments are written first, then
// the manifest takes the place of the old one, then what it does not name is removed: a crash at any moment leaves a
// folder that opens as it was at the last manifest.

const manifestName = "manifest.json"

type manifest struct {
	Settings protocol.Hash  `json:"settings"` // what the segments were made with
	Next     uint32         `json:"next"`
	Segments []savedSegment `json:"segments"`
	Model    string         `json:"model,omitempty"`
	Trained  int            `json:"trained,omitempty"` // documents when the model was trained
}

type savedSegment struct {
	Number uint32 `json:"number"`
	Dead   string `json:"dead,omitempty"` // bit set of documents, base64
}

func segmentName(n uint32) string { return fmt.Sprintf("%08d.segment", n) }

// analysis names the code's share of what a segment holds: change it with any change of how documents are analysed or
// weighed, and indexes are built anew.
const analysisVersion = "analysis-2"

// settingsDigest is of all that a segment depends on besides its documents.
func (x *Index) settingsDigest() protocol.Hash {
	w := x.weights
	h := sha256.New()
	h.Write([]byte(analysisVersion))
	for _, f := range []float64{w.K1, w.B, w.Title, w.Keywords, w.Abstract, w.Reference} {
		_ = binary.Write(h, binary.LittleEndian, f)
	}
	if x.lexicon != nil {
		d := x.lexicon.Digest()
		h.Write(d[:])
	}
	return protocol.Hash(h.Sum(nil))
}

// load reads the folder.
func (x *Index) load() error {
	if err := os.MkdirAll(x.dir, 0o700); err != nil {
		return fmt.Errorf("the folder of the match index: %w", err)
	}
	m, err := x.readManifest()
	if err != nil {
		x.log.Warn("the match index is built anew", "why", err)
	}
	parts := make([]*part, len(m.Segments))
	slots := make(chan struct{}, runtime.GOMAXPROCS(0))
	var wg sync.WaitGroup
	for i, saved := range m.Segments {
		wg.Go(func() {
			slots <- struct{}{}
			defer func() { <-slots }()
			p, err := x.open(saved)
			if err != nil {
				x.log.Warn("a part of the match index is built anew", "file", segmentName(saved.Number), "why", err)
				return
			}
			parts[i] = p
		})
	}
	wg.Wait()
	x.writing.Lock()
	defer x.writing.Unlock()
	s := &snapshot{parts: slices.DeleteFunc(parts, func(p *part) bool { return p == nil })}
	x.snap.Store(s)
	x.next = max(m.Next, 1)
	for _, saved := range m.Segments {
		x.next = max(x.next, saved.Number+1)
	}
	size := 0
	for _, p := range s.parts {
		size += p.seg.Docs()
	}
	x.where.at = make(map[uint64]place, size)
	for i, p := range s.parts {
		s.parts[i] = x.withoutTwins(p)
		x.settle(s, s.parts[i])
	}
	x.loadModel(s, &m)
	x.sweep(&m, math.MaxUint32, true) // nothing is being written yet
	x.sweepUnfinished()
	x.mergeSoon()
	return nil
}

// withoutTwins is a part without the documents that an earlier part has too. No manifest says so; a damaged one could.
func (x *Index) withoutTwins(p *part) *part {
	var twins []uint16
	for d := range p.seg.Docs() {
		if _, _, ok := x.find(p.ref(uint16(d))); ok && p.alive(uint16(d)) {
			twins = append(twins, uint16(d))
		}
	}
	if len(twins) == 0 {
		return p
	}
	return p.without(twins)
}

var errOther = errors.New("it was made by another version, with other weights or with another lexicon")

func (x *Index) readManifest() (m manifest, err error) {
	b, err := os.ReadFile(filepath.Join(x.dir, manifestName))
	if errors.Is(err, fs.ErrNotExist) {
		return m, nil
	}
	if err != nil {
		return m, err
	}
	text, sum, _ := strings.Cut(string(b), "\n")
	if protocol.Sum([]byte(text)).String() != strings.TrimSpace(sum) {
		return m, errors.New("its manifest is damaged")
	}
	if err := json.Unmarshal([]byte(text), &m); err != nil {
		return manifest{}, fmt.Errorf("its manifest: %w", err)
	}
	switch {
	case m.Settings != x.settings:
		return manifest{}, errOther
	}
	slices.SortFunc(m.Segments, func(a, b savedSegment) int { return int(a.Number) - int(b.Number) })
	m.Segments = slices.CompactFunc(m.Segments, func(a, b savedSegment) bool { return a.Number == b.Number })
	return m, nil
}

func (x *Index) open(saved savedSegment) (*part, error) {
	f, err := mapped.Open(filepath.Join(x.dir, segmentName(saved.Number)))
	if err != nil {
		return nil, err
	}
	p, err := x.partOf(f.Bytes(), f)
	if err != nil {
		return nil, err
	}
	p.number, p.onDisk = saved.Number, true
	dead, err := base64.StdEncoding.DecodeString(saved.Dead)
	if err != nil || len(dead) > segment.MaxDocs/8 {
		return nil, errors.New("the set of its removed documents is damaged")
	}
	var docs []uint16
	for d := range p.seg.Docs() {
		if d/8 < len(dead) && dead[d/8]&(1<<(d%8)) != 0 {
			docs = append(docs, uint16(d))
		}
	}
	if len(docs) > 0 {
		p = p.without(docs)
	}
	return p, nil
}

// save writes all that is only in memory, as few segments. The index is closed.
func (x *Index) save() error {
	for {
		var small []*part
		var together room
		for _, p := range x.snap.Load().parts {
			if !p.onDisk && together.takes(p) {
				small = append(small, p)
			}
		}
		if len(small) == 0 {
			x.filing.Lock()
			defer x.filing.Unlock()
			return x.fileManifest()
		}
		if err := x.mergeParts(small, 0); err != nil {
			return err
		}
	}
}

// writeManifest makes what is on disk count. A closed index has written its last: another one may be at work in its folder.
func (x *Index) writeManifest() error {
	x.filing.Lock()
	defer x.filing.Unlock()
	x.writing.Lock()
	closed := x.closed
	x.writing.Unlock()
	if closed {
		return nil
	}
	return x.fileManifest()
}

// fileManifest is called by who holds the lock on filing.
func (x *Index) fileManifest() error {
	x.writing.Lock()
	s, next := x.snap.Load(), x.next
	x.writing.Unlock()
	if x.dir == "" {
		return nil
	}
	m := manifest{Settings: x.settings, Next: next, Trained: s.trainedOn}
	if s.model != nil {
		m.Model = modelName(s.model)
	}
	for _, p := range s.parts {
		if !p.onDisk {
			continue
		}
		saved := savedSegment{Number: p.number}
		if p.dead != nil {
			saved.Dead = p.dead.encode(p.seg.Docs())
		}
		m.Segments = append(m.Segments, saved)
	}
	b, err := json.Marshal(m)
	if err != nil {
		return err
	}
	b = append(append(b, '\n'), protocol.Sum(b).String()+"\n"...)
	if err := mapped.Write(filepath.Join(x.dir, manifestName), b); err != nil {
		return err
	}
	untrained := x.training.TryLock() // else there are files of a model that is not published yet
	x.sweep(&m, next, untrained)
	if untrained {
		x.training.Unlock()
	}
	return nil
}

// writePart puts a part's segment into a file and goes on with the mapped file, so that the memory is given back.
func (x *Index) writePart(p *part) (*part, error) {
	path := filepath.Join(x.dir, segmentName(p.number))
	if err := mapped.Write(path, p.seg.Bytes()); err != nil {
		return nil, err
	}
	f, err := mapped.Open(path)
	if err != nil {
		return nil, err
	}
	q, err := x.partOf(f.Bytes(), f)
	if err != nil {
		return nil, err
	}
	q.number, q.onDisk, q.dead, q.gone, q.vectors = p.number, true, p.dead, p.gone, p.vectors
	return q, nil
}

// sweep removes the files that a manifest does not name, and that were not begun after it; those of topics only if wanted.
func (x *Index) sweep(m *manifest, next uint32, topics bool) {
	named := map[string]bool{manifestName: true, m.Model: true}
	for _, s := range m.Segments {
		named[segmentName(s.Number)] = true
		if len(m.Model) == 22 {
			named[strings.TrimSuffix(segmentName(s.Number), ".segment")+"-"+m.Model[:16]+".vectors"] = true
		}
	}
	entries, err := os.ReadDir(x.dir)
	if err != nil {
		return
	}
	for _, e := range entries {
		name := e.Name()
		digits, _, _ := strings.Cut(strings.TrimSuffix(name, ".segment"), "-")
		n, err := strconv.ParseUint(digits, 10, 32)
		numbered := strings.HasSuffix(name, ".segment") || topics && strings.HasSuffix(name, ".vectors")
		ours := numbered && err == nil && uint32(n) < next || topics && strings.HasSuffix(name, ".model")
		if ours && !named[name] && e.Type().IsRegular() {
			_ = os.Remove(filepath.Join(x.dir, name))
		}
	}
}

// sweepUnfinished removes what a crash cut short: files that did not get their names yet.
func (x *Index) sweepUnfinished() {
	entries, err := os.ReadDir(x.dir)
	if err != nil {
		return
	}
	for _, e := range entries {
		name := e.Name()
		ours := slices.ContainsFunc([]string{".segment.", ".vectors.", ".model.", "." + manifestName + "."}, func(part string) bool {
			return strings.Contains(name, part)
		})
		if strings.HasPrefix(name, ".") && ours && e.Type().IsRegular() {
			_ = os.Remove(filepath.Join(x.dir, name))
		}
	}
}

func (b *bitmap) encode(docs int) string {
	out := make([]byte, (docs+7)/8)
	for d := range docs {
		if b.has(uint16(d)) {
			out[d/8] |= 1 << (d % 8)
		}
	}
	return base64.StdEncoding.EncodeToString(out)
}
