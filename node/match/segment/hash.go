package segment

import (
	"encoding/binary"
	"math/bits"
	"unsafe"
)

// hash of a term. Who does not know the seed cannot make terms that collide: a peer chooses its terms, a node its seeds.
func hash(seed uint64, term string) uint64 {
	const odd1, odd2 = 0x9e3779b97f4a7c15, 0xd6e8feb86659fd93
	b := unsafe.Slice(unsafe.StringData(term), len(term))
	key := seed*odd2 | 1
	h := seed ^ uint64(len(b))*odd1
	for len(b) > 8 {
		h = fold(h^binary.LittleEndian.Uint64(b), key)
		b = b[8:]
	}
	var last uint64
	switch n := len(b); {
	case n >= 4: // the two halves overlap; with the length they are still distinct
		last = uint64(binary.LittleEndian.Uint32(b)) | uint64(binary.LittleEndian.Uint32(b[n-4:]))<<32
	case n > 0:
		last = uint64(b[0]) | uint64(b[n/2])<<8 | uint64(b[n-1])<<16
	}
	return fold(fold(h^last, key)^odd1, odd2)
}

func fold(a, b uint64) uint64 {
	hi, lo := bits.Mul64(a, b)
	return hi ^ lo
}

// dictionary numbers the terms of the documents that come into a segment, in the order in which it meets them.
type dictionary struct {
	seed   uint64
	table  []uint64 // high half of the hash, number + 1 in the low half; 0 is free; a power of two long
	names  []string
	hashes []uint64
	df     []uint32
	bytes  int
}

func newDictionary(seed uint64, expect int) *dictionary {
	size := 64
	for size < 2*expect {
		size *= 2
	}
	return &dictionary{
		seed: seed, table: make([]uint64, size),
		names: make([]string, 0, expect), hashes: make([]uint64, 0, expect), df: make([]uint32, 0, expect),
	}
}

// find gives the number of a term, and where it would stand if it has none.
func (d *dictionary) find(term string, h uint64) (number uint32, at int, ok bool) {
	mask := len(d.table) - 1
	for at = int(h) & mask; ; at = (at + 1) & mask {
		switch slot := d.table[at]; {
		case slot == 0:
			return 0, at, false
		case slot>>32 == h>>32 && d.names[uint32(slot)-1] == term:
			return uint32(slot) - 1, at, true
		}
	}
}

func (d *dictionary) number(term string) uint32 {
	h := hash(d.seed, term)
	number, at, ok := d.find(term, h)
	if ok {
		return number
	}
	number = uint32(len(d.names))
	d.names = append(d.names, term)
	d.hashes = append(d.hashes, h)
	d.df = append(d.df, 0)
	d.bytes += 1 + len(term)
	d.table[at] = h>>32<<32 | uint64(number+1)
	if 2*len(d.names) > len(d.table) {
		d.grow()
	}
	return number
}

func (d *dictionary) grow() {
	d.table = make([]uint64, 2*len(d.table))
	mask := len(d.table) - 1
	for i, h := range d.hashes {
		at := int(h) & mask
		for d.table[at] != 0 {
			at = (at + 1) & mask
		}
		d.table[at] = h>>32<<32 | uint64(i+1)
	}
}

// ranks numbers the terms anew, by descending document frequency; among equals the older number comes first.
func (d *dictionary) ranks() []uint32 {
	var most uint32
	for _, df := range d.df {
		most = max(most, df)
	}
	from := make([]uint32, most+1)
	for _, df := range d.df {
		from[most-df]++
	}
	var sum uint32
	for i, n := range from {
		from[i], sum = sum, sum+n
	}
	ranks := make([]uint32, len(d.df))
	for i, df := range d.df {
		ranks[i] = from[most-df]
		from[most-df]++
	}
	return ranks
}
