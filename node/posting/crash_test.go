package posting

import (
	"testing"

	"github.com/asean-tmh/tmh/protocol"
	"github.com/asean-tmh/tmh/store"
)

// A crash before the desk signed, or after it did and before the posting knew: the next start finishes it, once.
func TestCrashBetweenTheSteps(t *testing.T) {
	for _, tt := range []struct {
		name string
		cut  func(*gate)
	}{
		{"before the desk", func(g *gate) { g.before = errCut }},
		{"after the desk", func(g *gate) { g.after = errCut }},
	} {
		t.Run(tt.name, func(t *testing.T) {
			h := newHouse(t, t.TempDir())
			// at carries out one action that is cut off, starts anew, and gives the posting as it is then.
			at := func(what string, x *Posting, act func() (*Posting, error), sign int) *Posting {
				t.Helper()
				signed, events := h.journal.Signed, len(h.events)
				tt.cut(h.gate)
				_, err := act()
				wantCode(t, what, err, protocol.CodeUnavailable)
				signed = h.journal.Signed - signed
				y := h.must(h.Get(editor, x.ID))
				if y.Pending == nil || len(h.events) != events {
					t.Fatalf("%s: pending %+v, %d events", what, y.Pending, len(h.events)-events)
				}
				_, err = h.Edit(h.ctx(), editor, x.ID, y.Version, content())
				wantCode(t, "edit meanwhile", err, protocol.CodeConflict)
				h.sound()
				h.crash()
				for range 2 { // the second has nothing to do
					if err := h.Resume(h.ctx()); err != nil {
						t.Fatal(err)
					}
				}
				if n := signed + h.journal.Signed; n != sign {
					t.Errorf("%s: %d signed, want %d", what, n, sign)
				}
				y = h.must(h.Get(editor, x.ID))
				if y.Pending != nil || len(h.events) != events+1 {
					t.Errorf("%s: pending %+v, %d events", what, y.Pending, len(h.events)-events)
				}
				h.sound()
				return y
			}
			x := h.take(h.submit(h.create(content())))
			x = at("publish", x, func() (*Posting, error) {
				return h.Judge(h.ctx(), judge, x.ID, x.Version, Scores{4, 4, 4, 4}, "")
			}, 1)
			wantState(t, x, Published, None)
			if all, err := h.Reviews(editor, x.ID); len(all) != 1 || err != nil || x.Reference != "TO-KH-20260921-001" {
				t.Errorf("%d reviews, %v, %s", len(all), err, x.Reference)
			}
			x = h.must(h.Edit(h.ctx(), editor, x.ID, x.Version, titled("A revision")))
			x = at("revise", x, func() (*Posting, error) {
				y, _, err := h.Submit(h.ctx(), editor, x.ID, x.Version)
				return y, err
			}, 1)
			x = at("renew", x, func() (*Posting, error) { return h.Renew(h.ctx(), editor, x.ID, x.Version) }, 1)
			x = at("hold", x, func() (*Posting, error) { return h.Hold(h.ctx(), editor, x.ID, x.Version, "") }, 1)
			x = at("lift", x, func() (*Posting, error) { return h.Lift(h.ctx(), editor, x.ID, x.Version) }, 1)
			x = at("withdraw", x, func() (*Posting, error) { return h.Withdraw(h.ctx(), editor, x.ID, x.Version, "other", "") }, 1)
			wantState(t, x, Withdrawn, None)
		})
	}
}

// While the desk is at work on a posting, neither Resume nor anybody else hands it over a second time.
func TestOneAtATheDesk(t *testing.T) {
	h := newHouse(t, "")
	h.trust("oITC")
	x := h.create(content())
	calls := 0
	h.gate.during = func() {
		if calls++; calls > 1 {
			return
		}
		if err := h.Resume(h.ctx()); err != nil {
			t.Error(err)
		}
		_, err := h.Edit(h.ctx(), editor, x.ID, x.Version+1, content())
		wantCode(t, "edit meanwhile", err, protocol.CodeConflict)
	}
	x = h.submit(x)
	if calls != 1 || x.Publications != 1 {
		t.Errorf("the desk was called %d times for %d publications", calls, x.Publications)
	}
	h.sound()
}

// What the desk refuses for good is undone and stays with its author, also where that shows at the next start only.
func TestRefusalOfTheDesk(t *testing.T) {
	h := newHouse(t, t.TempDir())
	h.trust("oITC")
	x := h.create(content())
	full := protocol.Errorf(protocol.CodeQuota, "", "the charter grants KH 1 records: ask the members for more")
	h.journal.Refuse = full
	_, _, err := h.Submit(h.ctx(), editor, x.ID, x.Version)
	wantCode(t, "over the quota", err, protocol.CodeQuota)
	x = h.must(h.Get(editor, x.ID))
	wantState(t, x, None, Draft)
	if x.Pending != nil || x.History[len(x.History)-1].Note == "" {
		t.Errorf("after the refusal: %+v", x)
	}
	h.sound()

	h.gate.before = errCut
	_, _, err = h.Submit(h.ctx(), editor, x.ID, x.Version)
	wantCode(t, "cut off", err, protocol.CodeUnavailable)
	h.crash()
	h.journal.Refuse = full
	if err := h.Resume(h.ctx()); err != nil {
		t.Error(err)
	}
	x = h.must(h.Get(editor, x.ID))
	wantState(t, x, None, Draft)
	h.journal.Refuse = nil
	x = h.submit(x)
	wantState(t, x, Published, None)
	if x.Reference != "TO-KH-20260921-001" {
		t.Errorf("the reference changed with the attempts: %s", x.Reference)
	}
	h.sound()
}

// After a restore the catalogue comes back from the members; what an older backup lacks is listed, and can be adopted.
func TestMissingAfterRestore(t *testing.T) {
	h := newHouse(t, "")
	h.trust("oITC")
	lost, old, bare, fine := h.submit(h.create(titled("Lost"))), h.submit(h.create(titled("Older"))), h.submit(h.create(titled("Bare"))), h.submit(h.create(titled("Fine")))
	if all, _, err := h.Missing(admin, "", 100); len(all) != 0 || err != nil {
		t.Fatalf("missing before: %+v, %v", all, err)
	}
	var before *printed
	h.update(func(tx *store.Tx) (err error) {
		if err := remove(tx, lost, index(lost)); err != nil {
			return err
		}
		if err := tx.SetFull(bare.ID.Key(), nil); err != nil {
			return err
		}
		before, err = readPrinted(tx, "l", old.ID)
		return err
	})
	old = h.submit(h.must(h.Edit(h.ctx(), editor, old.ID, old.Version, titled("Newer"))))
	h.update(func(tx *store.Tx) error { return before.write(tx, "l", old.ID) })

	want := map[protocol.ListingID]What{lost.ID: LacksPosting, old.ID: LacksRevision, bare.ID: LacksRecord}
	var all []Lack
	for from, turn := protocol.ListingID(""), 0; turn < 10; turn++ {
		part, next, err := h.Missing(admin, from, 1)
		if err != nil {
			t.Fatal(err)
		}
		if all = append(all, part...); next == "" {
			break
		}
		from = next
	}
	if len(all) != len(want) {
		t.Errorf("missing %+v", all)
	}
	for _, x := range all {
		if want[x.ID] != x.What || x.Title == "" || x.ID == fine.ID {
			t.Errorf("missing %+v, want %s", x, want[x.ID])
		}
	}
	mine, _, err := h.Missing(editor, "", 100)
	if err != nil || len(mine) != 2 {
		t.Errorf("an editor sees %+v, %v; want those of the own organisation", mine, err)
	}
	if others, _, err := h.Missing(stranger, "", 100); len(others) != 0 || err != nil {
		t.Errorf("another organisation sees %+v, %v", others, err)
	}
	_, err = h.Adopt(h.ctx(), editor, lost.ID, Adoption{Organisation: "oITC"})
	wantCode(t, "an editor adopts", err, protocol.CodeNotPermitted)
	_, err = h.Adopt(h.ctx(), admin, "unknown", Adoption{Organisation: "oITC"})
	wantCode(t, "adopt nothing", err, protocol.CodeNotFound)
	x := h.must(h.Adopt(h.ctx(), admin, lost.ID, Adoption{Organisation: "oITC"}))
	wantState(t, x, Published, None)
	h.must(h.Adopt(h.ctx(), admin, old.ID, Adoption{}))
	if all, _, _ := h.Missing(admin, "", 100); len(all) != 1 || all[0].ID != bare.ID {
		t.Errorf("still missing: %+v", all)
	}
	// The editor writes the record anew.
	c := content()
	bare = h.submit(h.must(h.Edit(h.ctx(), editor, bare.ID, bare.Version, c)))
	if all, _, _ := h.Missing(admin, "", 100); len(all) != 0 {
		t.Errorf("still missing: %+v", all)
	}
	h.sound()
	if _, err := h.gate.desk.Withdraw(h.ctx(), fine.ID, protocol.Tombstone{Reason: "error"}); err != nil { // past the posting
		t.Fatal(err)
	}
	if all, _, _ := h.Missing(editor, "", 100); len(all) != 1 || all[0].What != LacksSummary || all[0].Title != "Fine" {
		t.Errorf("withdrawn past its posting: %+v", all)
	}
}
