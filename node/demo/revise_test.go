package demo_test

import (
	"strings"
	"testing"
	"time"

	"github.com/asean-tmh/tmh/node"
	"github.com/asean-tmh/tmh/node/access"
	"github.com/asean-tmh/tmh/node/exchange"
	"github.com/asean-tmh/tmh/node/match"
	"github.com/asean-tmh/tmh/node/record"
	"github.com/asean-tmh/tmh/protocol"
)

// alone is a federation's only node.
func alone(t *testing.T) *node.Node {
	t.Helper()
	f := newFederation(t, smaller(0))
	f.start("SEC")
	return f.Node("SEC")
}

// one publishes one listing, with a full record where it is not nil.
func one(t *testing.T, d *exchange.Desk, l *protocol.Listing, full *protocol.Record) exchange.Result {
	t.Helper()
	r, err := d.PublishAll(t.Context(), []exchange.Publication{{Listing: l, Record: full}})
	if err != nil {
		t.Fatal(err)
	}
	return r[0]
}

func standing(t *testing.T, d *exchange.Desk, id protocol.ListingID) *protocol.Listing {
	t.Helper()
	e, err := d.Entry(match.Ref{Origin: "SEC", ID: id})
	if err != nil || e.Listing == nil {
		t.Fatalf("no listing %s: %v", id, err)
	}
	return e.Listing
}

// TestRevisionKeepsFullRecordAndDate: a revision that said neither once dropped the link to the full record without a word
// and moved the day of publication to its own.
func TestRevisionKeepsFullRecordAndDate(t *testing.T) {
	n := alone(t)
	d := n.Desk()
	offer := func(said string) *protocol.Listing { l := invented("ID", 1, said); l.Updated = 0; return l }
	published := protocol.DateOf(time.Now()) - 300
	steps := []struct {
		name      string
		said      string
		full      string
		published protocol.Date
		outcome   exchange.Outcome
		wantFull  string
		wantDate  protocol.Date
	}{
		{"first", "first", "lab", published, exchange.Published, "lab", published},
		{"says neither", "second", "", 0, exchange.Revised, "lab", published},
		{"says neither again", "second", "", 0, exchange.Unchanged, "lab", published},
		{"only a new full record", "second", "pilot", 0, exchange.Revised, "pilot", published},
		{"only another date", "second", "", published + 9, exchange.Revised, "pilot", published + 9},
		{"keeps both", "third", "", 0, exchange.Revised, "pilot", published + 9},
	}
	for _, s := range steps {
		l := offer(s.said)
		l.Published = s.published
		var full *protocol.Record
		if s.full != "" {
			full = &protocol.Record{Level: protocol.LevelPublic, Stage: s.full}
		}
		if r := one(t, d, l, full); r.Err != nil || r.Outcome != s.outcome {
			t.Fatalf("%s: %s %v, want %s", s.name, r.Outcome, r.Err, s.outcome)
		}
		now := standing(t, d, l.ID)
		if now.Published != s.wantDate {
			t.Errorf("%s: of %s, want %s", s.name, now.Published, s.wantDate)
		}
		if shown, err := n.House().Records.Get(t.Context(), record.Ref{Origin: "SEC", ID: l.ID}, access.Actor{}); err != nil || shown.Record.Stage != s.wantFull || !shown.Verified {
			t.Errorf("%s: the full record is %+v, %v; want %s", s.name, shown, err, s.wantFull)
		}
	}
}

// TestPublishedToComeIsRefused: a listing dated 9999-12-31 was signed, and every node's table of months ended there.
func TestPublishedToComeIsRefused(t *testing.T) {
	d := alone(t).Desk()
	today := protocol.DateOf(time.Now())
	for i, c := range []struct {
		published protocol.Date
		refused   bool
	}{{0, false}, {today - 1, false}, {today, false}, {today + 1, false}, {today + 3, true}, {2932896, true}} {
		l := invented("ID", i, "dated")
		l.Published = c.published
		r := one(t, d, l, nil)
		if !c.refused {
			if r.Err != nil {
				t.Errorf("%q: %v", c.published, r.Err)
			}
			continue
		}
		all := protocol.All(r.Err)
		if len(all) != 1 || all[0].Code != protocol.CodeValue || all[0].Field != "published" || !strings.Contains(all[0].Message, "still to come") {
			t.Errorf("%q: %v, want a refusal of published", c.published, r.Err)
		}
		if _, err := d.Entry(match.Ref{Origin: "SEC", ID: l.ID}); protocol.CodeOf(err) != protocol.CodeNotFound {
			t.Errorf("%q was written: %v", c.published, err)
		}
	}
	months := d.Figures().Months
	if len(months) == 0 || months[len(months)-1].Month != today.Month() || months[len(months)-1].Stock != 4 {
		t.Errorf("months %+v, want them to end in %s with a stock of 4", months, today.Month())
	}
}
