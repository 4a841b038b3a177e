package topics

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"math/bits"

	"github.com/cespare/xxhash/v2"
)

// A model's bytes, all numbers little-endian:
//
//	8   "tmhtopic"
//	4   version, 1
//	4   clusters K, 1 to 48
//	4   terms T, at most 2¹⁸
//	4   rows R: term vectors, over all clusters
//	4   bytes of all terms' names B
//	4   hash places H, a power of two above T
//	    T+1 · 4    where each term's name begins; the names are in the order of the alphabet
//	    B          the names
//	    H · 4      hash table: 1 + the number of the term whose xxhash64 leads here or before, 0 for none
//	    T · 68     coarse vectors: scale (float32), 64 signed bytes
//	    K · 256    the clusters' centres: 64 float32
//	    T+1 · 4    where each term's rows begin
//	    T · 8      the clusters of each term's rows: bit c for cluster c
//	    R · 104    rows: scale (float32), 100 signed bytes; within a term in the order of the clusters
//	32  SHA-256 of all before
const (
	magic       = "tmhtopic"
	version     = 1
	headerSize  = 32
	coarseSize  = 4 + coarseDimensions
	centreSize  = 4 * coarseDimensions
	rowSize     = 4 + Dimensions
	maxModel    = 1 << 30
	maxRowCount = maxClusters * maxRows
)

// Model is what Train learnt. It reads its bytes in place; it is safe for concurrent use.
type Model struct {
	raw      []byte
	clusters int
	terms    uint32
	places   uint32
	nameAt   []byte
	names    []byte
	hash     []byte
	coarse   []byte
	centres  []float32
	rowAt    []byte
	within   []byte
	rows     []byte
}

// Bytes are the model as Parse reads it. They must not be changed.
func (m *Model) Bytes() []byte { return m.raw }

// Digest names the model: equal digests, equal vectors.
func (m *Model) Digest() [sha256.Size]byte {
	return [sha256.Size]byte(m.raw[len(m.raw)-sha256.Size:])
}

// Clusters is how many there are.
func (m *Model) Clusters() int { return m.clusters }

// Terms is how many terms the model knows.
func (m *Model) Terms() int { return int(m.terms) }

// ErrDamaged says that bytes are not a whole model: train anew.
var ErrDamaged = errors.New("topics: the model is damaged or of another version: train it anew")

func damaged(format string, args ...any) error {
	return fmt.Errorf("%w (%s)", ErrDamaged, fmt.Sprintf(format, args...))
}

// Parse reads a model in place: b must not change afterwards. It checks everything, so that no bytes can lead a later call
// out of bounds. Its error is ErrDamaged.
func Parse(b []byte) (*Model, error) {
	if len(b) < headerSize+sha256.Size || len(b) > maxModel || string(b[:8]) != magic {
		return nil, damaged("%d bytes are no model", len(b))
	}
	var head [6]int64
	for i := range head {
		head[i] = int64(binary.LittleEndian.Uint32(b[8+4*i:]))
	}
	clusters, terms, rows, names, places := head[1], head[2], head[3], head[4], head[5]
	switch {
	case head[0] != version:
		return nil, damaged("version %d", head[0])
	case clusters < 1 || clusters > maxClusters || terms > maxTerms || rows > maxRowCount || names > terms*maxTermSize:
		return nil, damaged("%d clusters, %d terms, %d rows", clusters, terms, rows)
	case places <= terms || places > 8*maxTerms || places&(places-1) != 0:
		return nil, damaged("%d hash places", places)
	}
	m := &Model{raw: b, clusters: int(clusters), terms: uint32(terms), places: uint32(places)}
	rest, short := b[headerSize:len(b)-sha256.Size], false
	take := func(n int64) []byte {
		if short = short || n > int64(len(rest)); short {
			return nil
		}
		part := rest[:n:n]
		rest = rest[n:]
		return part
	}
	m.nameAt, m.names, m.hash = take((terms+1)*4), take(names), take(places*4)
	m.coarse = take(terms * coarseSize)
	centres := take(clusters * centreSize)
	m.rowAt, m.within, m.rows = take((terms+1)*4), take(terms*8), take(rows*rowSize)
	if short || len(rest) > 0 {
		return nil, damaged("%d bytes do not hold %d terms and %d rows", len(b), terms, rows)
	}
	if sum := sha256.Sum256(b[:len(b)-sha256.Size]); !bytes.Equal(sum[:], b[len(b)-sha256.Size:]) {
		return nil, damaged("its checksum is wrong")
	}
	m.centres = make([]float32, clusters*coarseDimensions)
	for i := range m.centres {
		m.centres[i] = float(centres, i*4)
		if !(math.Abs(float64(m.centres[i])) <= 2) {
			return nil, damaged("a centre is off the sphere")
		}
	}
	if err := m.check(); err != nil {
		return nil, err
	}
	return m, nil
}

// check finds what a checksum cannot: that whoever wrote the model wrote nonsense.
func (m *Model) check() error {
	if at(m.nameAt, 0) != 0 || at(m.rowAt, 0) != 0 || int(at(m.nameAt, m.terms)) != len(m.names) || int(at(m.rowAt, m.terms)) != len(m.rows)/rowSize {
		return damaged("its parts do not fit together")
	}
	var before []byte
	for n := range m.terms {
		from, to := at(m.nameAt, n), at(m.nameAt, n+1)
		if from >= to || to-from > maxTermSize || int(to) > len(m.names) {
			return damaged("term %d has no name", n)
		}
		name := m.names[from:to]
		if n > 0 && bytes.Compare(before, name) >= 0 {
			return damaged("term %d is out of order", n)
		}
		before = name
		if !goodScale(float(m.coarse, int(n)*coarseSize)) {
			return damaged("term %d has no scale", n)
		}
		from, to = at(m.rowAt, n), at(m.rowAt, n+1)
		within := binary.LittleEndian.Uint64(m.within[8*n:])
		if from > to || int(to) > len(m.rows)/rowSize || int(to-from) != bits.OnesCount64(within) || within>>m.clusters != 0 {
			return damaged("term %d has no rows", n)
		}
		for r := from; r < to; r++ {
			if !goodScale(float(m.rows, int(r)*rowSize)) {
				return damaged("row %d of term %d has no scale", r-from, n)
			}
		}
	}
	used := uint32(0)
	for p := range m.places {
		n := at(m.hash, p)
		if n > m.terms {
			return damaged("hash place %d", p)
		}
		if n > 0 {
			used++
		}
	}
	if used != m.terms {
		return damaged("%d of %d terms can be looked up", used, m.terms)
	}
	return nil
}

func goodScale(x float32) bool { return x >= 0 && x <= maxWeight }

func at(part []byte, i uint32) uint32 { return binary.LittleEndian.Uint32(part[4*i:]) }

func float(part []byte, from int) float32 {
	return math.Float32frombits(binary.LittleEndian.Uint32(part[from:]))
}

// Unknown is the number of no term.
const Unknown uint32 = math.MaxUint32

// Number looks up a term.
func (m *Model) Number(term string) (number uint32, ok bool) {
	mask := m.places - 1
	for p, left := uint32(xxhash.Sum64String(term))&mask, m.places; left > 0; p, left = (p+1)&mask, left-1 {
		n := at(m.hash, p)
		if n == 0 {
			break
		}
		if string(m.name(n-1)) == term {
			return n - 1, true
		}
	}
	return Unknown, false
}

func (m *Model) name(number uint32) []byte {
	return m.names[at(m.nameAt, number):at(m.nameAt, number+1)]
}

// row is a term's vector in a cluster.
func (m *Model) row(number uint32, cluster int) (coded, bool) {
	within := binary.LittleEndian.Uint64(m.within[8*number:])
	if within>>cluster&1 == 0 {
		return coded{}, false
	}
	r := int(at(m.rowAt, number)) + bits.OnesCount64(within&(1<<cluster-1))
	return coded{float(m.rows, r*rowSize), m.rows[r*rowSize+4 : (r+1)*rowSize]}, true
}

// nearest is the cluster that terms belong to.
func (m *Model) nearest(terms []numbered) int {
	if m.clusters == 1 {
		return 0
	}
	var room [256]factored
	rows := room[:0]
	for _, t := range terms {
		from := int(t.number) * coarseSize
		if f := t.weight * float(m.coarse, from); f > 0 {
			rows = append(rows, factored{f, m.coarse[from+4 : from+coarseSize]})
		}
	}
	var sum [coarseDimensions]int64
	addUp(sum[:], rows)
	var point [coarseDimensions]float32
	for i, x := range sum {
		point[i] = float32(x)
	}
	return nearestCentre(m.centres, point[:])
}

// bytes writes what was learnt.
func (t *trainer) bytes() []byte {
	names := t.rows.names
	of := make([][]fine, len(names)) // rows by term
	within := make([]uint64, len(names))
	count, size := 0, 0
	for c, rows := range t.fine {
		for _, r := range rows {
			of[r.number] = append(of[r.number], r)
			within[r.number] |= 1 << c
			count++
		}
	}
	places := 16
	for places < 2*len(names) {
		places *= 2
	}
	hash := make([]uint32, places)
	nameAt, rowAt := make([]uint32, 1, len(names)+1), make([]uint32, 1, len(names)+1)
	for n, name := range names {
		size += len(name)
		nameAt = append(nameAt, uint32(size))
		rowAt = append(rowAt, rowAt[n]+uint32(len(of[n])))
		p := uint32(xxhash.Sum64String(name)) & uint32(places-1)
		for hash[p] != 0 {
			p = (p + 1) & uint32(places-1)
		}
		hash[p] = uint32(n + 1)
	}
	b := make([]byte, 0, headerSize+len(names)*(coarseSize+16)+size+4*places+count*rowSize+maxClusters*centreSize+64)
	b = append(b, magic...)
	b = appendAll(b, version, uint32(t.clusters), uint32(len(names)), uint32(count), uint32(size), uint32(places))
	b = appendAll(b, nameAt...)
	for _, name := range names {
		b = append(b, name...)
	}
	b = appendAll(b, hash...)
	var none [coarseDimensions]byte
	for n := range names {
		c := coded{0, none[:]}
		if t.coarse != nil && t.coarse[n].scale > 0 {
			c = t.coarse[n]
		}
		b = append(appendAll(b, math.Float32bits(c.scale)), c.values...)
	}
	centres := make([]float32, t.clusters*coarseDimensions)
	copy(centres, t.centres)
	for _, x := range centres {
		b = appendAll(b, math.Float32bits(x))
	}
	b = appendAll(b, rowAt...)
	for _, w := range within {
		b = binary.LittleEndian.AppendUint64(b, w)
	}
	for _, rows := range of {
		for _, r := range rows {
			b = append(appendAll(b, math.Float32bits(r.scale)), r.values...)
		}
	}
	sum := sha256.Sum256(b)
	return append(b, sum[:]...)
}

func appendAll(b []byte, numbers ...uint32) []byte {
	for _, n := range numbers {
		b = binary.LittleEndian.AppendUint32(b, n)
	}
	return b
}
