// Package stats counts what the federation lists. Counters change as changes are admitted and are always equal to what a
// recount of the store gives; they are held in memory and rebuilt at start by the scan that builds the match index.
//
// Stock and flow: a listing flows in, in the month it is published, and flows out in the month it is withdrawn. The stock
// at the end of a month is all that flowed in up to it less all that flowed out. Expired listings stay in the stock until
// they are withdrawn. A listing without a published date counts in the month of its signing. What is dated after the month
// in which a report is read counts in that month, so that a date to come neither hides a listing nor makes the table longer.
package stats

import (
	"cmp"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/asean-tmh/tmh/protocol"
)

// Report is a consistent reading of the counters.
type Report struct {
	Listings  int              `json:"listings"`
	ByMember  map[string]int   `json:"by_member"`
	ByCountry map[string]int   `json:"by_country"` // ISO 3166-1 alpha-2 of the listing
	ByKind    map[string]int   `json:"by_kind"`
	ByFORD    map[string]int   `json:"by_ford"` // first level "1" to "6"; a listing in two fields counts in both; "" is none
	ByTRL     map[string]int   `json:"by_trl"`  // "1" to "9"; "" is not said
	ByLang    map[string]int   `json:"by_language"`
	Months    []Month          `json:"months"` // ascending, without gaps, to the current one; none where nothing ever flowed
	Matrix    []MemberKindCell `json:"member_kind"`
}

// Month is the flow of one calendar month (UTC) and the stock at its end.
type Month struct {
	Month     string `json:"month"` // 2026-09
	Published int    `json:"published"`
	Withdrawn int    `json:"withdrawn"`
	Stock     int    `json:"stock"`
}

// MemberKindCell is one cell of the table of members by kind.
type MemberKindCell struct {
	Member string `json:"member"`
	Kind   string `json:"kind"`
	Count  int    `json:"count"`
}

type counter map[string]int

func (c counter) add(key string, n int) {
	if c[key] += n; c[key] == 0 {
		delete(c, key)
	}
}

// Counters is safe for concurrent use.
type Counters struct {
	mu                                     sync.Mutex
	total                                  int
	member, country, kind, ford, trl, lang counter
	in, out                                counter // by month
	cell                                   map[MemberKindCell]int
}

// New is an empty set of counters.
func New() *Counters {
	return &Counters{
		member: counter{}, country: counter{}, kind: counter{}, ford: counter{}, trl: counter{}, lang: counter{},
		in: counter{}, out: counter{}, cell: make(map[MemberKindCell]int),
	}
}

// Record is the countable content of one record: a listing, a withdrawal, or neither (absent, or unusable).
type Record struct {
	Listing   *protocol.Listing
	Tombstone *protocol.Tombstone
}

// Replace takes the old content of a record out of the counters and puts the new one in.
func (c *Counters) Replace(origin protocol.MemberID, old, now Record) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.count(origin, old, -1)
	c.count(origin, now, +1)
}

func (c *Counters) count(origin protocol.MemberID, r Record, n int) {
	switch {
	case r.Listing != nil:
		c.listing(origin, r.Listing, n)
	case r.Tombstone != nil:
		if m := r.Tombstone.Published.Month(); m != "" {
			c.in.add(m, n)
			c.out.add(protocol.DateOf(r.Tombstone.At.Time()).Month(), n)
		}
	}
}

func (c *Counters) listing(origin protocol.MemberID, l *protocol.Listing, n int) {
	c.total += n
	c.member.add(string(origin), n)
	c.country.add(string(l.Country), n)
	c.kind.add(string(l.Kind), n)
	c.trl.add(digit(l.TRL), n)
	fields := map[string]bool{}
	for _, f := range l.FORD {
		fields[f[:1]] = true
	}
	if len(fields) == 0 {
		fields[""] = true
	}
	for f := range fields {
		c.ford.add(f, n)
	}
	for lang := range l.Texts {
		c.lang.add(string(lang), n)
	}
	c.in.add(PublishedOn(l).Month(), n)
	cell := MemberKindCell{Member: string(origin), Kind: string(l.Kind)}
	if c.cell[cell] += n; c.cell[cell] == 0 {
		delete(c.cell, cell)
	}
}

// PublishedOn is the day on which a listing counts as published.
func PublishedOn(l *protocol.Listing) protocol.Date {
	if l.Published != 0 {
		return l.Published
	}
	return protocol.DateOf(l.Updated.Time())
}

func digit(n uint8) string {
	if n == 0 {
		return ""
	}
	return string(rune('0' + n))
}

// Total is how many listings there are.
func (c *Counters) Total() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.total
}

// Report reads the counters on the day of today, which may not be 0. The table of months ends with today's and has at most
// maxMonths: what flowed before its first month stands in that month's stock only.
func (c *Counters) Report(today protocol.Date) Report {
	c.mu.Lock()
	defer c.mu.Unlock()
	r := Report{
		Listings: c.total, ByMember: maps.Clone(c.member), ByCountry: maps.Clone(c.country), ByKind: maps.Clone(c.kind),
		ByFORD: maps.Clone(c.ford), ByTRL: maps.Clone(c.trl), ByLang: maps.Clone(c.lang), Months: c.months(today),
		Matrix: []MemberKindCell{},
	}
	for cell, n := range c.cell {
		cell.Count = n
		r.Matrix = append(r.Matrix, cell)
	}
	slices.SortFunc(r.Matrix, func(a, b MemberKindCell) int {
		return cmp.Or(cmp.Compare(a.Member, b.Member), cmp.Compare(a.Kind, b.Kind))
	})
	return r
}

// maxMonths bounds the table: an absurd date in one listing must not make it endless, nor push the real months out.
const maxMonths = 240

func (c *Counters) months(today protocol.Date) []Month {
	if len(c.in)+len(c.out) == 0 {
		return []Month{}
	}
	last := today.Month()
	first := last
	for _, flow := range []counter{c.in, c.out} {
		for m := range flow {
			if m != "" {
				first = min(first, m)
			}
		}
	}
	var all []Month // descending, until it is turned
	y, m, _ := today.Time().Date()
	for len(all) < maxMonths && (len(all) == 0 || all[len(all)-1].Month > first) {
		d := time.Date(y, m-time.Month(len(all)), 1, 0, 0, 0, 0, time.UTC)
		all = append(all, Month{Month: d.Format("2006-01")})
	}
	slices.Reverse(all)
	stock := 0
	flow := func(months counter, count func(m *Month) *int, sign int) {
		for name, n := range months {
			i, ok := slices.BinarySearchFunc(all, min(name, last), func(m Month, name string) int { return cmp.Compare(m.Month, name) })
			if !ok { // before the table
				stock += sign * n
				continue
			}
			*count(&all[i]) += n
		}
	}
	flow(c.in, func(m *Month) *int { return &m.Published }, +1)
	flow(c.out, func(m *Month) *int { return &m.Withdrawn }, -1)
	for i := range all {
		stock += all[i].Published - all[i].Withdrawn
		all[i].Stock = stock
	}
	return all
}
