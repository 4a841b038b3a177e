package posting

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/asean-tmh/tmh/node/access"
	"github.com/asean-tmh/tmh/protocol"
	"github.com/asean-tmh/tmh/store"
)

// Anybody does anything in any order, the desk is cut off now and then, and time passes: no posting ever leaves the table,
// and what the catalogue, the index and the history say agrees with it after every step.
func TestRandomLives(t *testing.T) {
	seeds := 12
	if testing.Short() {
		seeds = 4
	}
	done := make(map[Action]int)
	for seed := range seeds {
		t.Run(fmt.Sprint(seed), func(t *testing.T) { randomLife(t, rand.New(rand.NewPCG(1, uint64(seed))), done) })
	}
	rare := []Action{Clear, Fault, PassOn, TakeAway, Discard, Supersede} // they want luck, and have tests of their own
	for _, a := range Actions() {
		if !slices.Contains(rare, a) && done[a] == 0 && !testing.Short() {
			t.Errorf("%s never happened: %v", a, done)
		}
	}
}

func randomLife(t *testing.T, r *rand.Rand, done map[Action]int) {
	h := newHouse(t, "")
	var ids []protocol.ListingID
	people := []access.Actor{editor, editor, editor, editor, editor, judge, judge, judge, judge2, admin, stranger, reader, {}}
	for step := range 400 {
		if len(ids) == 0 || (len(ids) < 6 && r.IntN(10) == 0) || (len(ids) < 30 && r.IntN(40) == 0) {
			ids = append(ids, h.create(randomContent(r)).ID)
		}
		id := ids[r.IntN(len(ids))]
		if before, _ := h.Get(admin, id); before == nil {
			ids = removed(ids, id)
			continue
		}
		before := h.must(h.Get(admin, id))
		h.gate.before, h.gate.after = nil, nil
		switch r.IntN(12) {
		case 0:
			h.gate.before = errCut
		case 1:
			h.gate.after = errCut
		}
		a := people[r.IntN(len(people))]
		after, err := h.anything(r, a, before, ids)
		switch c := protocol.CodeOf(err); {
		case err == nil && after != nil:
			if after.Version <= before.Version {
				t.Fatalf("version %d after %d", after.Version, before.Version)
			}
			last := after.History[len(after.History)-1]
			p := *before
			rule, err := find(last.Action, &p)
			if err != nil {
				t.Fatalf("%s happened to %s: %v", last.Action, before.states(), err)
			}
			if rule.move(&p); p.Live != after.Live || p.Draft != after.Draft {
				t.Fatalf("%s led from %s to %s", last.Action, before.states(), after.states())
			}
			if err := before.can(a, rule.who); err != nil && last.Action != Submit {
				t.Fatalf("%s was done by who may not: %v", last.Action, err)
			}
		case c == protocol.CodeInternal:
			t.Fatalf("%s: %v", before.states(), err)
		}
		h.gate.before, h.gate.after = nil, nil
		if r.IntN(3) > 0 {
			if err := h.Resume(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
		if r.IntN(10) == 0 {
			h.days(r.IntN(60))
			if _, err := h.Due(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
		if r.IntN(3) == 0 || step == 399 {
			h.sound()
		}
		if t.Failed() {
			t.Fatalf("after a step by %s", a.User)
		}
	}
	for _, id := range ids {
		if x, err := h.Get(admin, id); err == nil {
			for _, e := range x.History {
				done[e.Action]++
			}
		}
	}
}

func removed(ids []protocol.ListingID, id protocol.ListingID) (left []protocol.ListingID) {
	for _, x := range ids {
		if x != id {
			left = append(left, x)
		}
	}
	return left
}

func randomContent(r *rand.Rand) Content {
	c := titled(fmt.Sprint("Offer ", r.IntN(1000)))
	c.Record.Level = []protocol.Level{"", protocol.LevelRegistered, protocol.LevelRegistered, protocol.LevelInvited}[r.IntN(4)]
	if r.IntN(20) == 0 {
		c.Listing.Country = "XX"
	}
	return c
}

// anything does one thing that a person could try. A nil posting means that nothing was changed, or that it is gone.
func (h *house) anything(r *rand.Rand, a access.Actor, x *Posting, ids []protocol.ListingID) (*Posting, error) {
	ctx, id, v := context.Background(), x.ID, x.Version
	if r.IntN(20) == 0 {
		v--
	}
	most := []int{2, 6, 10, 10}[r.IntN(4)]
	score := func() int { return min(MaxScore, r.IntN(most)) }
	if slices.Contains([]State{Draft, Submitted}, x.Draft) && r.IntN(3) == 0 { // what leads on is tried more often
		if x.Draft == Submitted {
			return h.Take(ctx, a, id, v)
		}
		y, _, err := h.Submit(ctx, a, id, v)
		return y, err
	}
	switch r.IntN(16) {
	case 0, 1:
		return h.Edit(ctx, a, id, v, randomContent(r))
	case 2:
		if r.IntN(4) > 0 {
			return nil, nil
		}
		y, err := h.Discard(ctx, a, id, v)
		if err == nil && y.Live == None {
			return nil, nil
		}
		return y, err
	case 3, 4:
		y, _, err := h.Submit(ctx, a, id, v)
		return y, err
	case 5:
		return h.Recall(ctx, a, id, v)
	case 6, 7:
		return h.Take(ctx, a, id, v)
	case 8:
		if r.IntN(3) == 0 {
			return h.TakeAway(ctx, a, id, v, "away")
		}
		if r.IntN(2) == 0 {
			return h.Release(ctx, a, id, v, "")
		}
		return h.HandOver(ctx, a, id, v, judge2, "")
	case 9, 10, 11:
		if x.Reviewer != "" && r.IntN(2) == 0 {
			a = person(string(x.Reviewer[1:]), "oAGENCY", access.Reviewer)
		}
		y, err := h.Judge(ctx, a, id, v, Scores{score(), score(), score(), score()}, "mend it")
		if err == nil && y.Pending == nil && !canReview(a, x) {
			h.t.Fatalf("%s judged", a.User)
		}
		if err == nil {
			return nil, nil // who judged is checked here
		}
		return y, err
	case 12:
		return h.Renew(ctx, a, id, v)
	case 13:
		if x.Live == OnHold {
			return h.Lift(ctx, a, id, v)
		}
		return h.Hold(ctx, a, id, v, "")
	case 14:
		if r.IntN(3) > 0 {
			return nil, nil
		}
		if r.IntN(2) == 0 {
			return h.Supersede(ctx, a, id, v, ids[r.IntN(len(ids))], "")
		}
		return h.Withdraw(ctx, a, id, v, "other", "")
	}
	if r.IntN(4) > 0 {
		return nil, nil
	}
	return h.Revoke(ctx, a, id, v, "why")
}

func canReview(a access.Actor, x *Posting) bool { return x.can(a, access.ReviewPosting) == nil }

// The texts of an action on many postings at once stay apart: two that race for one posting do not both win.
func TestTwoAtOnce(t *testing.T) {
	h := newHouse(t, "")
	h.trust("oITC")
	for range 20 {
		x := h.submit(h.create(content()))
		var won [2]error
		done := make(chan int)
		for i := range won {
			go func() {
				if i == 0 {
					_, won[i] = h.Hold(context.Background(), editor, x.ID, x.Version, "")
				} else {
					_, won[i] = h.Withdraw(context.Background(), editor, x.ID, x.Version, "other", "")
				}
				done <- i
			}()
		}
		<-done
		<-done
		if (won[0] == nil) == (won[1] == nil) {
			t.Errorf("both or none: %v, %v", won[0], won[1])
		}
		h.sound()
	}
}

func BenchmarkPostings(b *testing.B) {
	h := newHouse(b, b.TempDir())
	const each, organisations = 100, 1000
	for o := range organisations {
		h.update(func(tx *store.Tx) error {
			for range each {
				c := content()
				x := &Posting{ID: newID(), Organisation: access.OrganisationID(fmt.Sprint("o", o)), Author: "u", Draft: Draft, Version: 1}
				prepare(&c, x)
				var err error
				if x.Serial, err = count(tx, keySerial); err != nil {
					return err
				}
				x.record(Entry{Action: Create, To: x.states()})
				if err := setDraft(tx, x.ID, &c); err != nil {
					return err
				}
				if err := put(tx, x, nil); err != nil {
					return err
				}
			}
			return nil
		})
	}
	who := person("bench", "o500", access.Editor)
	b.Run("list own page of 50", func(b *testing.B) {
		for b.Loop() {
			page, err := h.List(who, Filter{Organisation: "o500"}, "", 50)
			if err != nil || len(page.Postings) != 50 {
				b.Fatal(len(page.Postings), err)
			}
		}
	})
	b.Run("get with content", func(b *testing.B) {
		page, err := h.List(who, Filter{Organisation: "o500"}, "", 1)
		if err != nil {
			b.Fatal(err)
		}
		for b.Loop() {
			if _, _, err := h.Content(who, page.Postings[0].ID); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("create and submit", func(b *testing.B) {
		for b.Loop() {
			x, err := h.Create(who, "o500", "", content())
			if err != nil {
				b.Fatal(err)
			}
			if _, _, err = h.Submit(b.Context(), who, x.ID, x.Version); err != nil {
				b.Fatal(err)
			}
		}
	})
	h.trust("o500")
	b.Run("create and publish", func(b *testing.B) {
		for b.Loop() {
			x, err := h.Create(who, "o500", "", content())
			if err != nil {
				b.Fatal(err)
			}
			if _, _, err = h.Submit(b.Context(), who, x.ID, x.Version); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("nothing due", func(b *testing.B) {
		for b.Loop() {
			if _, err := h.Due(b.Context()); err != nil {
				b.Fatal(err)
			}
		}
	})
}
