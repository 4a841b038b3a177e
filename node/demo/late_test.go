package demo_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/asean-tmh/tmh/node/exchange"
	"github.com/asean-tmh/tmh/protocol"
)

// invented makes a listing for tests that count.
func invented(m protocol.MemberID, i int, said string) *protocol.Listing {
	return &protocol.Listing{
		ID: protocol.ListingID(fmt.Sprintf("TO-%s-%05d", m, i)), Kind: protocol.TechnologyOffer, Country: protocol.Country(m), Demonstration: true,
		Texts: map[protocol.Lang]protocol.Text{"en": {Title: fmt.Sprintf("Test listing %d, %s", i, said), Abstract: "Pump, filter and membrane number " + fmt.Sprint(i)}},
	}
}

// publishMany publishes listings from to to-1 at a member's node, 50 with each durable write.
func (f *federation) publishMany(m protocol.MemberID, from, to int, said string) {
	f.t.Helper()
	for from < to {
		var some []exchange.Publication
		for ; from < to && len(some) < 50; from++ {
			some = append(some, exchange.Publication{Listing: invented(m, from, said)})
		}
		results, err := f.Node(m).Desk().PublishAll(f.t.Context(), some)
		if err != nil {
			f.t.Fatal(err)
		}
		for _, r := range results {
			if r.Err != nil {
				f.t.Fatal(r.Err)
			}
		}
	}
}

// TestLateJoiner draws this:
//
//	BN   publish 400           publish 250                          equal
//	ID   publish 300   equal   stopped ..................   start   equal, and publishes on
//	KH                 equal   publish 245, withdraw 5              equal
//	LA   ......................................   first start       equal
//	SEC                equal                                        equal
func TestLateJoiner(t *testing.T) {
	f := newFederation(t, smaller(4))
	f.start("BN", "ID", "KH", "SEC")
	f.publishMany("BN", 0, 400, "first")
	f.publishMany("ID", 0, 300, "first")
	f.equal(30 * time.Second)

	if err := f.Stop("ID"); err != nil {
		t.Fatal(err)
	}
	f.publishMany("BN", 300, 550, "second") // 100 revisions and 150 new ones
	f.publishMany("KH", 0, 245, "second")
	for i := range 5 {
		if _, err := f.Node("KH").Desk().Withdraw(t.Context(), invented("KH", i, "").ID, protocol.Tombstone{Reason: "other"}); err != nil {
			t.Fatal(err)
		}
	}
	f.equal(30 * time.Second)

	begun := time.Now()
	f.start("LA")
	f.equal(30 * time.Second)
	t.Logf("a node started for the first time holds 1,095 records %.2f s later", time.Since(begun).Seconds())
	f.caughtUp("LA", 550+300+245, 650+300+250)
	f.sees("LA", 550+300+240)

	begun = time.Now()
	f.start("ID")
	f.equal(30 * time.Second)
	t.Logf("a node that was away during 500 changes holds them %.2f s later", time.Since(begun).Seconds())
	f.caughtUp("ID", 250+245, 500) // only what is newer than its own copy
	f.sees("ID", 550+300+240)
	f.publishMany("ID", 300, 301, "after")
	f.equal(30 * time.Second)
}

// caughtUp checks that a node applied each record since its start, and no change twice. How much of it comes by pull
// depends on the pace: gossip keeps the messages of the last seconds, and brings changes, of which a listing may have
// several.
func (f *federation) caughtUp(at protocol.MemberID, records, changes int) {
	f.t.Helper()
	pulled, gossiped := f.admitted(at)
	f.t.Logf("%s applied %d changes by pull and %d by gossip", at, pulled, gossiped)
	if sum := pulled + gossiped; sum < records || sum > changes || pulled == 0 {
		f.t.Errorf("%s applied %d changes by pull and %d by gossip, want %d to %d, by pull too", at, pulled, gossiped, records, changes)
	}
}

// sees checks that a member's node lists and has indexed so many listings.
func (f *federation) sees(at protocol.MemberID, listings int) {
	f.t.Helper()
	var got answer
	f.ask(at, "/api/v1/match", map[string]any{"text": "membrane"}, &got)
	if report := f.Node(at).Figures(); report.Listings != listings || got.Total != listings {
		f.t.Errorf("%s counts %d listings and finds %d, want %d", at, report.Listings, got.Total, listings)
	}
}
