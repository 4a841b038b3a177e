package match

import (
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"hash/fnv"
	"math"
	"slices"
	"strings"

	"github.com/asean-tmh/tmh/protocol"
)

// sort puts the list into the wanted order. Orders other than by score are of the listings that are at least a fair match:
// sorted by date, a catalogue's thousand remotest matches would come first.
func (r *ranking) sort(by Sort, today int32) {
	if by == ByScore {
		return
	}
	r.list = slices.DeleteFunc(r.list, func(s *scored) bool { return s.verdict == Weak })
	slices.SortStableFunc(r.list, func(a, b *scored) int {
		pa, pb := r.snap.parts[a.part], r.snap.parts[b.part]
		switch by {
		case ByNewest:
			return int(pb.seg.Published()[b.doc]) - int(pa.seg.Published()[a.doc])
		case ByEnd:
			return int(ending(pa, a.doc, today)) - int(ending(pb, b.doc, today))
		case ByTRL:
			return int(pb.seg.TRLs()[b.doc]) - int(pa.seg.TRLs()[a.doc])
		}
		return int(pa.seg.Countries()[a.doc]) - int(pb.seg.Countries()[b.doc])
	})
}

// ending is the last day of a document; those without one, and those that are over, come last.
func ending(p *part, d uint16, today int32) int32 {
	if end := p.seg.ValidUntil()[d]; end > 0 && end >= today {
		return end
	}
	return math.MaxInt32
}

// A cursor says after which hit a page begins: the hit's score and ref, and a mark of the query that it belongs to. So a
// page never repeats what the one before had, though listings come and go between the two.
type cursor struct {
	mark  uint32
	place uint32
	score uint64 // bits
	ref   Ref
}

func (r *ranking) cursor(q *Query, to int) string {
	last := r.list[to-1]
	ref := r.snap.refOf(&last.candidate)
	b := binary.LittleEndian.AppendUint32(nil, q.mark())
	b = binary.LittleEndian.AppendUint32(b, uint32(to))
	b = binary.LittleEndian.AppendUint64(b, math.Float64bits(last.score))
	b = append(append(append(b, ref.Origin...), '/'), ref.ID...)
	return base64.RawURLEncoding.EncodeToString(b)
}

func parseCursor(s string) (c cursor, ok bool) {
	b, err := base64.RawURLEncoding.DecodeString(s)
	if err != nil || len(b) < 16 || len(b) > 256 {
		return c, false
	}
	origin, id, found := strings.Cut(string(b[16:]), "/")
	return cursor{
		mark: binary.LittleEndian.Uint32(b), place: binary.LittleEndian.Uint32(b[4:]), score: binary.LittleEndian.Uint64(b[8:]),
		ref: Ref{protocol.MemberID(origin), protocol.ListingID(id)},
	}, found
}

// mark tells queries apart by all but the page.
func (q *Query) mark() uint32 {
	p := *q
	p.Limit, p.Offset, p.After, p.Facets, p.Stale, p.Filter.Today = 0, 0, "", false, nil, 0
	h := fnv.New32a()
	_ = json.NewEncoder(h).Encode(p) // a hash does not fail, and a checked query can be written
	return h.Sum32()
}

// start is the place in the list at which the page begins.
func (r *ranking) start(q *Query) (int, error) {
	if q.After == "" {
		return min(q.Offset, len(r.list)), nil
	}
	c, ok := parseCursor(q.After)
	if !ok || c.mark != q.mark() {
		return 0, protocol.Errorf(protocol.CodeValue, "after", "is no place in the answer to this query: begin with its first page")
	}
	for i := range r.list {
		if r.snap.refOf(&r.list[i].candidate) == c.ref {
			return i + 1, nil
		}
	}
	if q.Sort != ByScore { // the hit is gone: go on where it stood
		return min(int(c.place)-min(1, int(c.place)), len(r.list)), nil
	}
	score := math.Float64frombits(c.score)
	for i := range r.list {
		if s := r.list[i]; s.score < score || s.score == score && r.snap.refOf(&s.candidate).Compare(c.ref) > 0 {
			return i, nil
		}
	}
	return len(r.list), nil
}
