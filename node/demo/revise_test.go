package demo_test

import (
	"strings"
	"testing"
	"time"

	"github.com/asean-tmh/tmh/node/exchange"
	"github.com/asean-tmh/tmh/node/match"
	"github.com/asean-tmh/tmh/protocol"
)

// alone is the desk of a federation's only node.
func alone(t *testing.T) *exchange.Desk {
	t.Helper()
	f := newFederation(t, smaller(0))
	f.start("SEC")
	return f.Node("SEC").Desk()
}

// one publishes one listing, with a full record where it is not nil.
func one(t *testing.T, d *exchange.Desk, l *protocol.Listing, full []byte) exchange.Result {
	t.Helper()
	r, err := d.PublishAll(t.Context(), []exchange.Publication{{Listing: l, Full: full}})
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
	d := alone(t)
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
		{"first", "first", `{"a":1}`, published, exchange.Published, `{"a":1}`, published},
		{"says neither", "second", "", 0, exchange.Revised, `{"a":1}`, published},
		{"says neither again", "second", "", 0, exchange.Unchanged, `{"a":1}`, published},
		{"only a new full record", "second", `{"a":2}`, 0, exchange.Revised, `{"a":2}`, published},
		{"only another date", "second", "", published + 9, exchange.Revised, `{"a":2}`, published + 9},
		{"keeps both", "third", "", 0, exchange.Revised, `{"a":2}`, published + 9},
	}
	for _, s := range steps {
		l := offer(s.said)
		l.Published = s.published
		var full []byte
		if s.full != "" {
			full = []byte(s.full)
		}
		if r := one(t, d, l, full); r.Err != nil || r.Outcome != s.outcome {
			t.Fatalf("%s: %s %v, want %s", s.name, r.Outcome, r.Err, s.outcome)
		}
		now := standing(t, d, l.ID)
		if now.Full != protocol.Sum([]byte(s.wantFull)) || now.Published != s.wantDate {
			t.Errorf("%s: full %s of %s, want that of %s of %s", s.name, now.Full, now.Published, s.wantFull, s.wantDate)
		}
		if b, err := d.FullRecord(t.Context(), match.Ref{Origin: "SEC", ID: l.ID}); err != nil || string(b) != s.wantFull {
			t.Errorf("%s: the full record is %s, %v; want %s", s.name, b, err, s.wantFull)
		}
	}
}

// TestPublishedToComeIsRefused: a listing dated 9999-12-31 was signed, and every node's table of months ended there.
func TestPublishedToComeIsRefused(t *testing.T) {
	d := alone(t)
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
