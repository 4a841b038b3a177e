package posting

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/asean-tmh/tmh/store"
)

// run lets days pass, and gives the reminders of each posting as "day:days left".
func (h *house) run(days int) map[string]string {
	h.t.Helper()
	got := make(map[string]string)
	for range days {
		h.days(1)
		for range 2 { // twice a day, once each
			n := len(h.notices)
			sent, err := h.Due(h.ctx())
			if err != nil || sent != len(h.notices)-n {
				h.t.Fatalf("%d sent, %d notices, %v", sent, len(h.notices)-n, err)
			}
			for _, x := range h.notices[n:] {
				left := fmt.Sprint(x.Days)
				if x.Occasion == OnExpired {
					left = "expired"
				}
				got[x.Title] = strings.TrimSpace(got[x.Title] + " " + h.today().String() + ":" + left)
			}
		}
	}
	return got
}

func TestReminders(t *testing.T) {
	h := newHouse(t, "")
	h.trust("oITC")
	whole := h.submit(h.create(titled("Whole year"))) // valid until 2027-09-21
	c := titled("Five days")
	c.Listing.ValidUntil = h.today() + 5
	short := h.submit(h.create(c))
	hold := h.submit(h.create(titled("On hold")))
	hold = h.must(h.Hold(h.ctx(), editor, hold.ID, hold.Version, ""))
	gone := h.submit(h.create(titled("Gone")))
	h.must(h.Withdraw(h.ctx(), editor, gone.ID, gone.Version, "other", ""))
	renewed := h.submit(h.create(titled("Renewed")))
	h.create(titled("A draft"))

	got := h.run(340) // to 2027-08-27
	if want := "2026-09-25:1 2026-09-27:expired"; got["Five days"] != want || short.ValidUntil.String() != "2026-09-26" {
		t.Errorf("five days: %s, want %s", got["Five days"], want)
	}
	if want := "2027-08-22:30"; got["Whole year"] != want || got["Renewed"] != want || len(got) != 3 {
		t.Errorf("after 340 days %v", got)
	}
	h.must(h.Renew(h.ctx(), editor, renewed.ID, renewed.Version))
	h.must(h.Lift(h.ctx(), editor, hold.ID, hold.Version))
	got = h.run(60)
	for name, want := range map[string]string{
		"Whole year": "2027-09-14:7 2027-09-20:1 2027-09-22:expired",
		"On hold":    "2027-09-14:7 2027-09-20:1 2027-09-22:expired", // lifted inside of the 30 days
		"Renewed":    "",
	} {
		if got[name] != want {
			t.Errorf("%s: %s, want %s", name, got[name], want)
		}
	}
	x := h.must(h.Get(editor, whole.ID))
	if x.State(h.today()) != Expired || x.Live != Published || x.Version != whole.Version {
		t.Errorf("expired: %+v", x)
	}
	x = h.must(h.Renew(h.ctx(), editor, x.ID, x.Version)) // from today on, not from the day on which it ended
	if want := later(h.today(), 12); x.ValidUntil != want || x.State(h.today()) != Published {
		t.Errorf("renewed until %s, want %s", x.ValidUntil, want)
	}
	if got := h.run(700); got["Whole year"] == "" || strings.Count(got["Renewed"], ":") != 4 {
		t.Errorf("in the next two years %v", got)
	}
	h.sound()
}

// A node that slept sends the last reminder, not all of them.
func TestRemindersAfterSleep(t *testing.T) {
	h := newHouse(t, "")
	h.trust("oITC")
	for i := range dueStep + 3 {
		h.submit(h.create(titled(fmt.Sprint("Offer ", i))))
	}
	h.days(362) // three days are left
	got := h.run(1)
	if len(got) != dueStep+3 || got["Offer 0"] != "2027-09-19:2" {
		t.Errorf("%d reminded, %s", len(got), got["Offer 0"])
	}
	if got := h.run(1); got["Offer 0"] != "2027-09-20:1" {
		t.Errorf("then %s", got["Offer 0"])
	}
}

// A row of the index that belongs to no posting is cleared away.
func TestStrayDueRow(t *testing.T) {
	h := newHouse(t, "")
	h.update(func(tx *store.Tx) error { return tx.SetRow(store.TablePostingIndex, keyDue+"00000001/nothing", nil) })
	if _, err := h.Due(h.ctx()); err != nil || len(h.notices) != 0 {
		t.Errorf("%d notices, %v", len(h.notices), err)
	}
	h.sound()
}

// A reminder that could not be put into the mail's queue is not noted as sent.
func TestReminderIsSentAsOne(t *testing.T) {
	h := newHouse(t, "")
	h.trust("oITC")
	h.submit(h.create(content()))
	h.days(340)
	notify := h.cfg.Notify
	h.cfg.Notify = func(*store.Tx, Notice) error { return errors.New("the queue is full") }
	if n, err := h.Due(h.ctx()); n != 0 || err == nil {
		t.Errorf("%d sent, %v", n, err)
	}
	h.cfg.Notify = notify
	if n, err := h.Due(h.ctx()); n != 1 || err != nil {
		t.Errorf("%d sent, %v", n, err)
	}
	if n, err := h.Due(h.ctx()); n != 0 || err != nil {
		t.Errorf("%d sent again, %v", n, err)
	}
}

// A renewal while a revision is being written moves the day that the draft says too.
func TestRenewalReachesTheDraft(t *testing.T) {
	h := newHouse(t, "")
	h.trust("oITC")
	x := h.submit(h.create(content()))
	c := titled("Revised")
	c.Listing.ValidUntil = x.ValidUntil
	x = h.must(h.Edit(h.ctx(), editor, x.ID, x.Version, c))
	h.days(350)
	x = h.must(h.Renew(h.ctx(), editor, x.ID, x.Version))
	until := x.ValidUntil
	if x = h.submit(x); x.ValidUntil != until {
		t.Errorf("the revision is valid until %s, renewed was until %s", x.ValidUntil, until)
	}
	h.sound()
}
