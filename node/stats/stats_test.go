package stats_test

import (
	"testing"

	"github.com/asean-tmh/tmh/node/stats"
	"github.com/asean-tmh/tmh/protocol"
	"github.com/google/go-cmp/cmp"
)

func day(t *testing.T, s string) (d protocol.Date) {
	t.Helper()
	if err := d.UnmarshalText([]byte(s)); err != nil {
		t.Fatal(err)
	}
	return d
}

// counted is a set of counters with one listing published on each day, and one withdrawn for each pair of days.
func counted(t *testing.T, published []string, withdrawn ...[2]string) *stats.Counters {
	t.Helper()
	c := stats.New()
	for _, d := range published {
		c.Replace("KH", stats.Record{}, stats.Record{Listing: &protocol.Listing{Kind: protocol.TechnologyOffer, Country: "KH", Published: day(t, d)}})
	}
	for _, w := range withdrawn {
		at := protocol.InstantOf(day(t, w[1]).Time())
		c.Replace("KH", stats.Record{}, stats.Record{Tombstone: &protocol.Tombstone{Published: day(t, w[0]), At: at}})
	}
	return c
}

// TestDateToComeDoesNotPushOutTheRealMonths: one listing dated 9999-12-31 once made a table of 95,000 months, of which the
// newest 240 were shown, all in the hundredth century.
func TestDateToComeDoesNotPushOutTheRealMonths(t *testing.T) {
	c := counted(t, []string{"2026-09-14", "2026-11-30", "9999-12-31"}, [2]string{"2026-10-02", "9998-01-01"})
	r := c.Report(day(t, "2026-11-23"))
	want := []stats.Month{
		{Month: "2026-09", Published: 1, Stock: 1},
		{Month: "2026-10", Published: 1, Stock: 2},
		{Month: "2026-11", Published: 2, Withdrawn: 1, Stock: 3},
	}
	if d := cmp.Diff(want, r.Months); d != "" {
		t.Errorf("months (-want +got):\n%s", d)
	}
	if r.Listings != 3 || c.Total() != 3 {
		t.Errorf("%d listings, in all %d, want 3", r.Listings, c.Total())
	}
}

func TestMonths(t *testing.T) {
	for _, c := range []struct {
		name        string
		published   []string
		withdrawn   [][2]string
		today       string
		n           int
		first, last stats.Month
	}{
		{name: "nothing", today: "2026-11-23"},
		{
			name: "ends today, over a new year", published: []string{"2025-11-30"}, today: "2026-01-31", n: 3,
			first: stats.Month{Month: "2025-11", Published: 1, Stock: 1}, last: stats.Month{Month: "2026-01", Stock: 1},
		},
		{
			name: "long ago stands in the stock", published: []string{"1970-01-02", "1980-05-05", "2026-11-01"},
			withdrawn: [][2]string{{"1971-01-01", "1972-01-01"}}, today: "2026-11-23", n: 240,
			first: stats.Month{Month: "2006-12", Stock: 2}, last: stats.Month{Month: "2026-11", Published: 1, Stock: 3},
		},
		{
			name: "the clock is behind everything", published: []string{"2026-09-14", "2026-10-01"}, today: "2000-01-01", n: 1,
			first: stats.Month{Month: "2000-01", Published: 2, Stock: 2}, last: stats.Month{Month: "2000-01", Published: 2, Stock: 2},
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			all := counted(t, c.published, c.withdrawn...).Report(day(t, c.today)).Months
			if all == nil || len(all) != c.n {
				t.Fatalf("%d months, want %d: %v", len(all), c.n, all)
			}
			if c.n > 0 && (all[0] != c.first || all[c.n-1] != c.last) {
				t.Errorf("from %+v to %+v, want %+v to %+v", all[0], all[c.n-1], c.first, c.last)
			}
		})
	}
}

func TestReplaceTakesOutWhatItPutIn(t *testing.T) {
	c := counted(t, []string{"2026-09-14", "9999-12-31"})
	for _, d := range []string{"2026-09-14", "9999-12-31"} {
		l := &protocol.Listing{Kind: protocol.TechnologyOffer, Country: "KH", Published: day(t, d)}
		c.Replace("KH", stats.Record{Listing: l}, stats.Record{})
	}
	today := day(t, "2026-11-23")
	if d := cmp.Diff(stats.New().Report(today), c.Report(today)); d != "" {
		t.Errorf("not as new (-want +got):\n%s", d)
	}
}
