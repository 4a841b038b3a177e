package stats

import (
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"github.com/asean-tmh/tmh/protocol"
	"github.com/asean-tmh/tmh/store"
)

// The counts of a day tell what is; how it came about is told by the days before, of which a row each is kept. A clock that stands
// wrong can neither erase what was kept nor be noticed for sure: rows are bounded by their number, days before the program existed
// are refused, and days to come are kept and not shown.

// Day is how the federation stood when a day was recorded.
type Day struct {
	Day     protocol.Date                   `json:"-"`
	Gap     bool                            `json:"-"` // of days that were not recorded lies before it
	Members map[protocol.MemberID]MemberDay `json:"members"`
}

// MemberDay is a member's catalogue on a day, as this node held it.
type MemberDay struct {
	Kinds map[string]int `json:"k,omitempty"` // listings by kind
	Lag   uint64         `json:"l,omitempty"` // changes that it was seen to have signed and that were not proven here
	Heard bool           `json:"h,omitempty"` // within its lease
}

// Listings of the member.
func (m MemberDay) Listings() (sum int) {
	for _, n := range m.Kinds {
		sum += n
	}
	return sum
}

// Listings of the federation.
func (d Day) Listings() (sum int) {
	for _, m := range d.Members {
		sum += m.Listings()
	}
	return sum
}

// maxDays are kept: ten years.
const maxDays = 3660

// History of the federation in a store.
type History struct{ store *store.Store }

// NewHistory over a store.
func NewHistory(s *store.Store) *History { return &History{s} }

// firstDay is the first that a clock can show which stands right.
func firstDay() protocol.Date { return protocol.DateOf(time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)) }

// Recorded reports whether there is nothing to record on a day: it is there, or no clock that stands right shows it.
func (h *History) Recorded(day protocol.Date) (is bool, err error) {
	if day < firstDay() {
		return true, nil
	}
	err = h.store.View(func(tx *store.Tx) error {
		b, err := tx.Row(store.TableHistory, day.String())
		is = b != nil
		return err
	})
	return is, err
}

// Record a day, once: what was recorded stays. The oldest days beyond ten years of them go.
func (h *History) Record(d Day) error {
	if d.Day < firstDay() {
		return nil
	}
	b, err := json.Marshal(d)
	if err != nil {
		return err
	}
	return h.store.Update(func(tx *store.Tx) error {
		if old, err := tx.Row(store.TableHistory, d.Day.String()); err != nil || old != nil {
			return err
		}
		var days []string
		if err := tx.Rows(store.TableHistory, "", "", func(key string, _ []byte) (bool, error) {
			days = append(days, key)
			return true, nil
		}); err != nil {
			return err
		}
		for _, day := range days[:max(0, len(days)+1-maxDays)] {
			if err := tx.DeleteRow(store.TableHistory, day); err != nil {
				return err
			}
		}
		return tx.SetRow(store.TableHistory, d.Day.String(), b)
	})
}

// Days that were recorded up to one, ascending, at most so many. Of more some are left out, evenly, but never the first and the last.
func (h *History) Days(until protocol.Date, most int) (list []Day, err error) {
	err = h.store.View(func(tx *store.Tx) error {
		var days []protocol.Date
		if err := tx.Rows(store.TableHistory, "", "", func(key string, _ []byte) (bool, error) {
			var day protocol.Date
			if err := day.UnmarshalText([]byte(key)); err != nil {
				return false, fmt.Errorf("read history: %w", err)
			}
			if day <= until {
				days = append(days, day)
			}
			return day < until, nil
		}); err != nil {
			return err
		}
		for _, d := range thinned(days, most) {
			b, err := tx.Row(store.TableHistory, d.Day.String())
			if err != nil {
				return err
			}
			if err := json.Unmarshal(b, &d); err != nil {
				return fmt.Errorf("read history of %s: %w", d.Day, err)
			}
			list = append(list, d)
		}
		return nil
	})
	return list, err
}

// thinned keeps every so many of the days, counted from the last, and the first.
func thinned(days []protocol.Date, most int) (kept []Day) {
	step := 1
	if len(days) > most {
		step = (len(days)-1)/max(1, most-1) + 1
	}
	for i := len(days) - 1; i >= 0; {
		before := max(0, i-step)
		kept = append(kept, Day{Day: days[i], Gap: int(days[i]-days[before]) > i-before})
		if i == 0 {
			break
		}
		i = before
	}
	slices.Reverse(kept)
	return kept
}
