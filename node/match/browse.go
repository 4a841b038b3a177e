package match

import (
	"cmp"
	"context"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"math"
	"slices"
	"strings"
	"sync"

	"github.com/asean-tmh/tmh/protocol"
)

// Browsing is a query without words: all that passes the filter, in an order by what the listings say of themselves. It goes
// through the columns of the index, of which it reads nothing else, and keeps what it made until the catalogue changes.

// browseKey is where a document stands in an order: the smaller comes first, then the newer, then the smaller ref.
type browseKey uint64

func (s Sort) browseKey(p *part, d uint16, today int32) browseKey {
	later := func(day int32) uint64 { return uint64(^(uint32(day) ^ 1<<31)) }
	key := later(p.seg.Published()[d])
	switch s {
	case ByEnd:
		key |= uint64(uint32(ending(p, d, today))^1<<31) << 32
	case ByTRL:
		key |= uint64(math.MaxUint8-p.seg.TRLs()[d]) << 32
	case ByCountry:
		key |= uint64(p.seg.Countries()[d]) << 32
	}
	return browseKey(key)
}

// browseHit is a document of a page.
type browseHit struct {
	key browseKey
	ref Ref
}

func (a browseHit) compare(b browseHit) int {
	return cmp.Or(cmp.Compare(a.key, b.key), a.ref.Compare(b.ref))
}

// browsed is one page, as it is kept. It points into no segment.
type browsed struct {
	hits   []browseHit
	place  int // hits before the page
	total  int
	facets *Facets
}

// mostBrowsed bounds the pages that are kept.
const mostBrowsed = 256

// browsing keeps the pages made of one state of the catalogue.
type browsing struct {
	sync.Mutex
	of    setSum
	pages map[string]*browsed
}

func (b *browsing) get(of setSum, key string) *browsed {
	b.Lock()
	defer b.Unlock()
	if b.of != of {
		return nil
	}
	return b.pages[key]
}

func (b *browsing) put(of setSum, key string, page *browsed) {
	b.Lock()
	defer b.Unlock()
	if b.of != of || len(b.pages) >= mostBrowsed || b.pages == nil {
		b.of, b.pages = of, make(map[string]*browsed)
	}
	b.pages[key] = page
}

// browse answers a query that wants all.
func (x *Index) browse(ctx context.Context, q *Query) (Answer, error) {
	at, err := parseBrowseCursor(q)
	if err != nil {
		return Answer{}, err
	}
	s := x.snap.Load()
	page, err := x.browsed(ctx, s, q, at)
	if err != nil {
		return Answer{}, err
	}
	a := Answer{Hits: []Hit{}, Total: page.total, Listed: page.total, Place: page.place, Verdict: None, Languages: []string{}, Facets: page.facets}
	for _, h := range page.hits {
		a.Hits = append(a.Hits, Hit{Ref: h.ref})
	}
	if n := len(page.hits); n > 0 {
		if page.place+n < page.total {
			a.Next = q.browseCursor(page.hits[n-1], false)
		}
		if page.place > 0 {
			a.Prev = q.browseCursor(page.hits[0], true)
		}
	}
	return a, nil
}

func (x *Index) browsed(ctx context.Context, s *snapshot, q *Query, at browseCursor) (*browsed, error) {
	key, err := json.Marshal(struct {
		Filter Filter
		Sort   Sort
		Facets bool
		Limit  int
		After  string
	}{q.Filter, q.Sort, q.Facets, q.limit(), q.After})
	if err != nil {
		return nil, err
	}
	if page := x.browses.get(s.set, string(key)); page != nil {
		return page, nil
	}
	b := browser{sort: q.Sort, today: int32(q.Filter.Today), limit: q.limit(), at: at}
	if q.Facets {
		b.tally = new(tally)
	}
	v := q.Filter.sieve(q)
	for _, p := range s.parts {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		b.read(p, &v)
	}
	page := b.page()
	x.browses.put(s.set, string(key), page)
	return page, nil
}

// browser goes through the parts of a catalogue for one page.
type browser struct {
	sort         Sort
	today        int32
	limit        int
	at           browseCursor
	tally        *tally // nil where facets are not wanted
	hits         []browseHit
	total, place int
}

func (b *browser) read(p *part, v *sieve) {
	c := v.columns(p.seg)
	if b.tally != nil {
		b.tally.begin(&c)
		defer b.tally.end(&c)
	}
	for i := range p.seg.Docs() {
		d := uint16(i)
		if !p.alive(d) {
			continue
		}
		failed := c.fails(d)
		if b.tally != nil {
			b.tally.count(&c, d, failed)
		}
		if failed == 0 {
			b.total++
			b.offer(p, d)
		}
	}
}

// offer a document that passes. Refs are looked at only where keys are equal.
func (b *browser) offer(p *part, d uint16) {
	h := browseHit{key: b.sort.browseKey(p, d, b.today)}
	if b.at.is {
		c := cmp.Compare(h.key, b.at.key)
		if c == 0 {
			c = p.ref(d).Compare(b.at.ref)
		}
		if c < 0 {
			b.place++
		}
		if c == 0 && !b.at.backwards {
			b.place++
		}
		if !b.at.backwards && c <= 0 || b.at.backwards && c >= 0 {
			return
		}
	}
	n := len(b.hits)
	if n == b.limit {
		worst := b.hits[n-1].key
		if b.at.backwards && h.key < b.hits[0].key || !b.at.backwards && h.key > worst {
			return
		}
	}
	h.ref = p.ref(d)
	i, _ := slices.BinarySearchFunc(b.hits, h, browseHit.compare)
	switch {
	case n < b.limit:
		b.hits = slices.Insert(b.hits, i, h)
	case b.at.backwards && i > 0: // the first goes
		copy(b.hits, b.hits[1:i])
		b.hits[i-1] = h
	case !b.at.backwards && i < n: // the last goes
		copy(b.hits[i+1:], b.hits[i:n-1])
		b.hits[i] = h
	}
}

func (b *browser) page() *browsed {
	page := &browsed{hits: b.hits, total: b.total, place: b.place}
	if b.at.backwards {
		page.place -= len(b.hits)
	}
	for i := range page.hits {
		page.hits[i].ref = page.hits[i].ref.clone()
	}
	if b.tally != nil {
		page.facets = b.tally.facets()
	}
	return page
}

// browseCursor is the hit that a page comes after, or, backwards, before. It need not be there any more.
type browseCursor struct {
	is, backwards bool
	browseHit
}

func (q *Query) browseCursor(h browseHit, backwards bool) string {
	b := []byte{byte(slices.Index(sorts(), q.Sort)), 0}
	if backwards {
		b[1] = 1
	}
	b = binary.BigEndian.AppendUint64(b, uint64(h.key))
	b = append(append(append(b, h.ref.Origin...), '/'), h.ref.ID...)
	return base64.RawURLEncoding.EncodeToString(b)
}

func parseBrowseCursor(q *Query) (browseCursor, error) {
	if q.After == "" {
		return browseCursor{}, nil
	}
	fault := protocol.Errorf(protocol.CodeValue, "after", "is no place in this order: begin with its first page")
	if len(q.After) > maxCursor {
		return browseCursor{}, fault
	}
	b, err := base64.RawURLEncoding.DecodeString(q.After)
	if err != nil || len(b) < 10 || int(b[0]) != slices.Index(sorts(), q.Sort) || b[1] > 1 {
		return browseCursor{}, fault
	}
	origin, id, _ := strings.Cut(string(b[10:]), "/")
	ref, err := ParseRef(origin, id)
	if err != nil {
		return browseCursor{}, fault
	}
	return browseCursor{is: true, backwards: b[1] == 1, browseHit: browseHit{key: browseKey(binary.BigEndian.Uint64(b[2:])), ref: ref}}, nil
}

// maxCursor is more than the longest cursor.
const maxCursor = 400
