package match

// directory says where the living document of each ref stands. It keeps no refs, which the segments have: only their
// hashes under a seed of this process, and aside the few refs, if any, whose hash another one has.
type directory struct {
	at    map[uint64]place
	clash map[Ref]place
}

// place of a document.
type place struct {
	part uint32
	doc  uint16
}

func newDirectory() directory {
	return directory{at: make(map[uint64]place), clash: make(map[Ref]place)}
}

// refAt says which document stands at a place.
type refAt = func(place) (Ref, bool)

func (d *directory) get(ref Ref, key uint64, of refAt) (place, bool) {
	if at, ok := d.at[key]; ok {
		if there, ok := of(at); ok && there == ref {
			return at, true
		}
	}
	if len(d.clash) == 0 {
		return place{}, false
	}
	at, ok := d.clash[ref]
	return at, ok
}

// put enters a ref that is not in the directory, or moves one that is.
func (d *directory) put(ref Ref, key uint64, at place, of refAt) {
	if there, ok := d.at[key]; ok {
		if other, ok := of(there); ok && other != ref {
			d.clash[ref.clone()] = at
			return
		}
	}
	d.at[key] = at
}

// remove a ref that is in the directory.
func (d *directory) remove(ref Ref, key uint64) {
	if _, ok := d.clash[ref]; ok {
		delete(d.clash, ref)
		return
	}
	delete(d.at, key)
}

// move a living document from one place to another.
func (d *directory) move(ref Ref, key uint64, from, to place) {
	if d.at[key] == from {
		d.at[key] = to
	} else if d.clash[ref] == from {
		d.clash[ref] = to
	}
}
