package match

import (
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/asean-tmh/tmh/protocol"
)

// Facets count the listings that share a term with the query, by what could be filtered for next: each count is what the
// answer's total would be with that one value as the filter's, all other conditions as they are.
type Facets struct {
	Kinds     []FacetCount `json:"kinds"`
	Countries []FacetCount `json:"countries"`
	Origins   []FacetCount `json:"origins"`
	FORD      []FacetCount `json:"ford"` // fields of one digit
	TRL       []FacetCount `json:"trl"`
	Languages []FacetCount `json:"languages"`
}

// FacetCount is a value and the number of listings that have it.
type FacetCount struct {
	Value string `json:"value"`
	Count int    `json:"count"`
}

// tally counts for facets.
type tally struct {
	kinds     [1 << 6]int // by set
	origins   map[string]int
	ford      [7]int
	trl       [10]int
	languages [1 << 14]int // by set of claims
	// of the part that is being counted
	country [26 * 26]int
	origin  []int
}

// count enters a document under each criterion of which no other fails.
func (t *tally) count(c *columns, d uint16, failed uint32) {
	if failed&(failed-1) != 0 {
		return // two fail: no single change of the filter lets it in
	}
	only := func(by criterion) bool { return failed&^(1<<by) == 0 }
	if only(byKind) {
		t.kinds[c.kinds[d]&(1<<6-1)]++
	}
	if only(byTRL) && int(c.trls[d]) < len(t.trl) {
		t.trl[c.trls[d]]++
	}
	if only(byCountry) {
		if a, b := c.countries[d]>>8-'A', c.countries[d]&0xff-'A'; a < 26 && b < 26 {
			t.country[a*26+b]++
		}
	}
	if only(byOrigin) {
		t.origin[c.origins[d]]++
	}
	if only(byLanguage) {
		t.languages[c.languages[d]>>claimed&(1<<14-1)]++
	}
	if only(byFORD) {
		t.countFORD(c.seg.Codes(d))
	}
}

// begin counts a part; end enters what was counted.
func (t *tally) begin(c *columns) {
	t.origin = append(t.origin[:0], make([]int, len(c.names))...)
}

func (t *tally) end(c *columns) {
	if t.origins == nil {
		t.origins = make(map[string]int)
	}
	for i, n := range t.origin {
		if n > 0 {
			t.origins[strings.Clone(c.names[i])] += n
		}
	}
	t.origin = t.origin[:0]
}

func (t *tally) countFORD(codes []uint32) {
	last := Code(0)
	for _, n := range codes { // ascending: those of one field stand together
		if c := Code(n); c.system() == systemFORD && c>>8&7 != last {
			last = c >> 8 & 7
			t.ford[last]++
		}
	}
}

func (t *tally) add(o *tally) {
	for i, n := range o.kinds {
		t.kinds[i] += n
	}
	for i, n := range o.ford {
		t.ford[i] += n
	}
	for i, n := range o.trl {
		t.trl[i] += n
	}
	for i, n := range o.country {
		t.country[i] += n
	}
	for i, n := range o.languages {
		t.languages[i] += n
	}
	if t.origins == nil {
		t.origins = make(map[string]int)
	}
	for k, n := range o.origins {
		t.origins[k] += n
	}
}

// facets in a fixed order: by count, then by value.
func (t *tally) facets() *Facets {
	f := new(Facets)
	kinds := protocol.Kinds()
	byKind := make([]int, len(kinds))
	for set, n := range t.kinds {
		for i := range kinds {
			if set&(1<<i) != 0 {
				byKind[i] += n
			}
		}
	}
	f.Kinds = numbered(byKind, func(i int) string { return string(kinds[i]) })
	f.FORD = numbered(t.ford[:], func(i int) string {
		if i == 0 {
			return ""
		}
		return strconv.Itoa(i)
	})
	f.TRL = numbered(t.trl[:], func(i int) string {
		if i == 0 {
			return ""
		}
		return strconv.Itoa(i)
	})
	slices.SortFunc(f.TRL, func(a, b FacetCount) int { return strings.Compare(a.Value, b.Value) })
	f.Countries = numbered(t.country[:], func(i int) string { return string([]byte{'A' + byte(i/26), 'A' + byte(i%26)}) })
	f.Origins = counted(t.origins)
	languages := make(map[string]int)
	for set, n := range t.languages {
		if n == 0 {
			continue
		}
		for _, lang := range (spaceSet(set) << claimed).languages() {
			languages[lang] += n
		}
	}
	f.Languages = counted(languages)
	return f
}

func numbered(counts []int, name func(int) string) []FacetCount {
	m := make(map[string]int)
	for i, n := range counts {
		if s := name(i); s != "" && n > 0 {
			m[s] = n
		}
	}
	return counted(m)
}

func counted(m map[string]int) []FacetCount {
	list := []FacetCount{}
	for _, v := range slices.Sorted(maps.Keys(m)) {
		list = append(list, FacetCount{Value: v, Count: m[v]})
	}
	slices.SortStableFunc(list, func(a, b FacetCount) int { return b.Count - a.Count })
	return list
}
