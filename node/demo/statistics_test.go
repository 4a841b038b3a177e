package demo_test

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/asean-tmh/tmh/node/exchange"
	"github.com/asean-tmh/tmh/node/founding"
	"github.com/asean-tmh/tmh/node/match"
	"github.com/asean-tmh/tmh/node/stats"
	"github.com/asean-tmh/tmh/protocol"
)

// recount counts a node's store as package stats says, by other code.
func (f *federation) recount(at protocol.MemberID) stats.Report {
	f.t.Helper()
	r := stats.Report{
		ByMember: map[string]int{}, ByCountry: map[string]int{}, ByKind: map[string]int{}, ByFORD: map[string]int{},
		ByTRL: map[string]int{}, ByLang: map[string]int{}, Months: []stats.Month{}, Matrix: []stats.MemberKindCell{},
	}
	months := make(map[string]*stats.Month)
	month := func(s string) *stats.Month {
		if months[s] == nil {
			months[s] = &stats.Month{Month: s}
		}
		return months[s]
	}
	cells := make(map[[2]string]int)
	err := f.Node(at).Desk().Scan(match.Ref{}, func(c *protocol.Change) bool {
		l, gone, err := exchange.Open(c)
		switch {
		case err != nil:
			f.t.Errorf("%s holds something unusable: %v", at, err)
		case gone != nil:
			month(gone.Published.Time().Format("2006-01")).Published++
			month(gone.At.Time().Format("2006-01")).Withdrawn++
		default:
			r.Listings++
			r.ByMember[string(c.Origin)]++
			r.ByCountry[string(l.Country)]++
			r.ByKind[string(l.Kind)]++
			r.ByTRL[strings.TrimPrefix(fmt.Sprint(l.TRL), "0")]++
			for lang := range l.Texts {
				r.ByLang[string(lang)]++
			}
			fields := map[string]bool{}
			for _, code := range l.FORD {
				fields[strings.Split(code, ".")[0]] = true
			}
			if len(l.FORD) == 0 {
				fields[""] = true
			}
			for field := range fields {
				r.ByFORD[field]++
			}
			cells[[2]string{string(c.Origin), string(l.Kind)}]++
			month(l.Published.Time().Format("2006-01")).Published++
		}
		return true
	})
	if err != nil {
		f.t.Fatal(err)
	}
	for _, key := range slices.SortedFunc(maps.Keys(cells), func(a, b [2]string) int { return slices.Compare(a[:], b[:]) }) {
		r.Matrix = append(r.Matrix, stats.MemberKindCell{Member: key[0], Kind: key[1], Count: cells[key]})
	}
	if len(months) == 0 {
		return r
	}
	names := slices.Sorted(maps.Keys(months))
	at0, err := time.Parse("2006-01", names[0])
	if err != nil {
		f.t.Fatal(err)
	}
	for stock := 0; !at0.After(time.Now()); at0 = at0.AddDate(0, 1, 0) {
		m := *month(at0.Format("2006-01"))
		stock += m.Published - m.Withdrawn
		m.Stock = stock
		r.Months = append(r.Months, m)
	}
	return r
}

// paged counts the entries that a reader of all pages sees.
func (f *federation) paged(at protocol.MemberID) (n int) {
	f.t.Helper()
	for after := (match.Ref{}); ; {
		page, err := f.Node(at).Desk().Entries(match.Filter{IncludeExpired: true}, after, 37)
		if err != nil {
			f.t.Fatal(err)
		}
		n += len(page.Entries)
		if after = page.Next; after == (match.Ref{}) {
			return n
		}
	}
}

// randomListing takes one of the demonstration's, for its codes and languages, under an id and dates of its own.
func randomListing(rng *rand.Rand, from []*protocol.Listing, m protocol.MemberID, i int) *protocol.Listing {
	l := *from[rng.IntN(len(from))]
	l.ID, l.Country = protocol.ListingID(fmt.Sprintf("%s-%03d", m, i)), protocol.Country(m)
	if m == founding.Secretariat {
		l.Country = "ID"
	}
	l.TRL, l.Full, l.Region, l.Updated = uint8(rng.IntN(10)), protocol.Hash{}, "", 0
	l.Published = protocol.DateOf(time.Date(2025, time.Month(1+rng.IntN(20)), 1+rng.IntN(28), 0, 0, 0, 0, time.UTC))
	l.ValidUntil = 0
	if rng.IntN(3) == 0 {
		l.ValidUntil = l.Published + 30 // most of these are over
	}
	return &l
}

// TestStatistics publishes, revises and withdraws at random, restarts a node, and recounts every node's store.
func TestStatistics(t *testing.T) {
	const seed, rounds = 20261123, 3
	each := 40
	if testing.Short() {
		each = 20
	}
	t.Logf("seed %d", seed)
	rng := rand.New(rand.NewPCG(seed, 1))
	_, all := demonstration(t)
	var from []*protocol.Listing
	for _, id := range slices.Sorted(maps.Keys(all)) {
		from = append(from, all[id])
	}
	f := newFederation(t, nil)
	f.start()
	taken := make(map[string]bool) // withdrawn ids, which never return
	published, revised, withdrawn := 0, 0, 0
	for round := range rounds {
		for range each * len(f.Members()) / 4 {
			m := f.Members()[rng.IntN(len(f.Members()))]
			i := rng.IntN(each / 2)
			l := randomListing(rng, from, m, i)
			if taken[string(l.ID)] {
				continue
			}
			r, err := f.Node(m).Desk().Publish(t.Context(), l)
			if err != nil {
				t.Fatal(err)
			}
			if r.Outcome == exchange.Revised {
				revised++
			} else {
				published++
			}
			if rng.IntN(6) == 0 {
				if _, err := f.Node(m).Desk().Withdraw(t.Context(), l.ID, protocol.Tombstone{Reason: "agreement"}); err != nil {
					t.Fatal(err)
				}
				taken[string(l.ID)] = true
				withdrawn++
			}
		}
		if round == rounds-2 {
			restart(t, f, "VN")
		}
		f.equal(time.Minute)
		f.countsAgree(published - withdrawn)
	}
	t.Logf("%d published, %d revised, %d withdrawn at %d nodes", published, revised, withdrawn, len(f.Members()))
	if withdrawn < 20 || revised < 20 {
		t.Error("the seed makes too little of something")
	}
}

func restart(t *testing.T, f *federation, m protocol.MemberID) {
	t.Helper()
	if err := f.Stop(m); err != nil {
		t.Fatal(err)
	}
	f.start(m)
}

// countsAgree compares every node's counters with a recount of its store, and with the secretariat's.
func (f *federation) countsAgree(listings int) {
	f.t.Helper()
	var want stats.Report
	f.ask(founding.Secretariat, "/api/v1/statistics", nil, &want)
	if want.Listings != listings {
		f.t.Errorf("the secretariat counts %d listings, want %d", want.Listings, listings)
	}
	for _, at := range f.Members() {
		var said stats.Report
		f.ask(at, "/api/v1/statistics", nil, &said)
		if diff := cmp.Diff(want, said); diff != "" {
			f.t.Errorf("%s counts otherwise than the secretariat (-%s +%s):\n%s", at, founding.Secretariat, at, diff)
		}
		if diff := cmp.Diff(f.recount(at), said); diff != "" {
			f.t.Errorf("%s counts otherwise than its store (-store +said):\n%s", at, diff)
		}
		if n := f.paged(at); n != said.Listings {
			f.t.Errorf("%s lists %d entries and counts %d", at, n, said.Listings)
		}
		sum := 0
		for _, m := range f.Node(at).Members() {
			sum += m.Listings
			if m.Listings != said.ByMember[string(m.ID)] {
				f.t.Errorf("%s says %d listings of %s, and %d", at, m.Listings, m.ID, said.ByMember[string(m.ID)])
			}
		}
		if sum != said.Listings {
			f.t.Errorf("%s sums %d listings, and %d", at, sum, said.Listings)
		}
	}
}
