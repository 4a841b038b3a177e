package match

import (
	"encoding/binary"
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
	kinds     [6]int
	countries map[uint16]int
	origins   map[string]int
	ford      [7]int
	trl       [10]int
	languages map[spaceSet]int
}

// count enters a document under each criterion of which no other fails.
func (t *tally) count(c *columns, d uint16, failed uint32) {
	if failed&(failed-1) != 0 {
		return // two fail: no single change of the filter lets it in
	}
	only := func(by criterion) bool { return failed&^(1<<by) == 0 }
	if only(byKind) {
		for i := range t.kinds {
			if c.kinds[d]&(1<<i) != 0 {
				t.kinds[i]++
			}
		}
	}
	if only(byTRL) && int(c.trls[d]) < len(t.trl) {
		t.trl[c.trls[d]]++
	}
	if only(byCountry) {
		if t.countries == nil {
			t.countries = make(map[uint16]int)
		}
		t.countries[c.countries[d]]++
	}
	if only(byOrigin) {
		if t.origins == nil {
			t.origins = make(map[string]int)
		}
		t.origins[c.names[c.origins[d]]]++
	}
	if only(byLanguage) {
		if t.languages == nil {
			t.languages = make(map[spaceSet]int)
		}
		t.languages[spaceSet(c.languages[d])]++
	}
	if only(byFORD) {
		t.countFORD(c.seg.Codes(d))
	}
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
	t.countries = merged(t.countries, o.countries)
	t.origins = merged(t.origins, o.origins)
	t.languages = merged(t.languages, o.languages)
}

func merged[K comparable](a, b map[K]int) map[K]int {
	if a == nil {
		a = make(map[K]int)
	}
	for k, n := range b {
		a[k] += n
	}
	return a
}

// facets in a fixed order: by count, then by value.
func (t *tally) facets() *Facets {
	f := new(Facets)
	kinds := protocol.Kinds()
	f.Kinds = numbered(t.kinds[:], func(i int) string { return string(kinds[i]) })
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
	countries := make(map[string]int)
	for c, n := range t.countries {
		if c != 0 {
			countries[string(binary.BigEndian.AppendUint16(nil, c))] += n
		}
	}
	f.Countries = counted(countries)
	f.Origins = counted(t.origins)
	languages := make(map[string]int)
	for set, n := range t.languages {
		for _, lang := range set.languages() {
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
