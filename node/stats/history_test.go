package stats_test

import (
	"testing"
	"time"

	"github.com/asean-tmh/tmh/node/stats"
	"github.com/asean-tmh/tmh/protocol"
	"github.com/asean-tmh/tmh/store"
)

func newHistory(t *testing.T) (*stats.History, *store.Store) {
	t.Helper()
	s, err := store.Open(store.Config{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return stats.NewHistory(s), s
}

func dayOf(y int, m time.Month, d int) protocol.Date {
	return protocol.DateOf(time.Date(y, m, d, 12, 0, 0, 0, time.UTC))
}

func with(day protocol.Date, offers int) stats.Day {
	return stats.Day{Day: day, Members: map[protocol.MemberID]stats.MemberDay{"TH": {Kinds: map[string]int{"TO": offers, "TR": 2}, Lag: 3, Heard: true}}}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func TestADayIsRecordedOnce(t *testing.T) {
	h, _ := newHistory(t)
	day := dayOf(2026, 11, 23)
	if is, err := h.Recorded(day); is || err != nil {
		t.Fatal(is, err)
	}
	must(t, h.Record(with(day, 5)))
	must(t, h.Record(with(day, 9)))
	if is, err := h.Recorded(day); !is || err != nil {
		t.Fatal(is, err)
	}
	days, err := h.Days(day, 10)
	if err != nil || len(days) != 1 || days[0].Day != day || days[0].Listings() != 7 {
		t.Fatalf("got %+v, %v", days, err)
	}
	if m := days[0].Members["TH"]; m.Listings() != 7 || m.Kinds["TO"] != 5 || m.Lag != 3 || !m.Heard {
		t.Errorf("got %+v", m)
	}
}

func TestMissedDaysAreGaps(t *testing.T) {
	h, _ := newHistory(t)
	first := dayOf(2026, 11, 1)
	for _, d := range []protocol.Date{0, 1, 4, 5} {
		must(t, h.Record(with(first+d, int(d))))
	}
	days, err := h.Days(first+10, 10)
	must(t, err)
	for i, gap := range []bool{false, false, true, false} {
		if days[i].Gap != gap {
			t.Errorf("day %s: gap %v", days[i].Day, days[i].Gap)
		}
	}
}

// A clock that stands wrong for a while neither erases nor shows anything.
func TestTheClockJumps(t *testing.T) {
	h, _ := newHistory(t)
	today := dayOf(2026, 11, 23)
	must(t, h.Record(with(today, 1)))
	must(t, h.Record(with(dayOf(1970, 1, 1), 1)))
	must(t, h.Record(with(dayOf(2099, 1, 1), 1)))
	must(t, h.Record(with(today+1, 2)))
	if is, err := h.Recorded(dayOf(1970, 1, 1)); !is || err != nil {
		t.Error("a day before the program existed is to be recorded")
	}
	days, err := h.Days(today+1, 10)
	if err != nil || len(days) != 2 || days[0].Day != today || days[1].Day != today+1 || days[1].Gap {
		t.Errorf("got %+v, %v", days, err)
	}
}

func TestManyDaysAreThinned(t *testing.T) {
	h, s := newHistory(t)
	first := dayOf(2026, 1, 1)
	for d := range protocol.Date(3700) {
		if d != 100 {
			must(t, h.Record(with(first+d, int(d))))
		}
	}
	rows := 0
	must(t, s.View(func(tx *store.Tx) error {
		return tx.Rows(store.TableHistory, "", "", func(string, []byte) (bool, error) { rows++; return true, nil })
	}))
	if rows != 3660 {
		t.Errorf("%d days are kept", rows)
	}
	for _, most := range []int{2, 3, 60, 61} {
		days, err := h.Days(first+3699, most)
		if err != nil || len(days) > most || len(days) < most/2 || days[0].Day != first+39 || days[len(days)-1].Day != first+3699 {
			t.Fatalf("%d: %d days, %v", most, len(days), err)
		}
		gaps := 0
		for i, d := range days {
			if d.Gap {
				gaps++
			}
			if i > 0 && d.Day <= days[i-1].Day {
				t.Errorf("%s after %s", d.Day, days[i-1].Day)
			}
		}
		if gaps != 1 {
			t.Errorf("%d: %d gaps, one day was missed", most, gaps)
		}
	}
	if days, err := h.Days(first+38, 10); len(days) != 0 || err != nil {
		t.Errorf("before the first: %+v, %v", days, err)
	}
}
