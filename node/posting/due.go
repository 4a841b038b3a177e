package posting

import (
	"context"
	"fmt"
	"strconv"
	"strings"

	"github.com/asean-tmh/tmh/protocol"
	"github.com/asean-tmh/tmh/store"
)

// before the end of a validity, in days, its author is reminded.
func before() []protocol.Date { return []protocol.Date{30, 7, 1} }

// nextDue is the day on which the next reminder of a posting is due, or the notice that it has expired; 0 for none.
func nextDue(h *Posting) protocol.Date {
	if h.Live != Published || h.ValidUntil == 0 {
		return 0
	}
	for _, days := range before() {
		if day := h.ValidUntil - min(days, h.ValidUntil); day > h.Reminded {
			return day
		}
	}
	if day := h.ValidUntil + 1; day > h.Reminded {
		return day
	}
	return 0
}

// dueStep bounds the notices of one transaction.
const dueStep = 100

// Due sends what is due by now: reminders before a validity ends, and that it has ended; each once, in the transaction that
// notes that it was. Where a node slept over several reminders, only the last is sent. It returns how many were sent.
func (p *Postings) Due(ctx context.Context) (sent int, err error) {
	today := p.today()
	for ctx.Err() == nil {
		n := 0
		err := p.cfg.Store.Update(func(tx *store.Tx) error {
			keys, err := dueBy(tx, today)
			if err != nil {
				return err
			}
			for _, key := range keys {
				if err := p.remind(tx, key, today); err != nil {
					return err
				}
			}
			n = len(keys)
			return nil
		})
		if err != nil {
			return sent, fmt.Errorf("send reminders: %w", err)
		}
		if sent += n; n < dueStep {
			return sent, nil
		}
	}
	return sent, ctx.Err()
}

func dueBy(tx *store.Tx, today protocol.Date) (keys []string, _ error) {
	err := tx.Rows(store.TablePostingIndex, keyDue, "", func(key string, _ []byte) (bool, error) {
		day, _, _ := strings.Cut(strings.TrimPrefix(key, keyDue), "/")
		if n, err := strconv.ParseUint(day, 10, 32); err != nil || protocol.Date(n) > today {
			return false, err
		}
		keys = append(keys, key)
		return len(keys) < dueStep, nil
	})
	return keys, err
}

func (p *Postings) remind(tx *store.Tx, key string, today protocol.Date) error {
	_, id, _ := strings.Cut(strings.TrimPrefix(key, keyDue), "/")
	h, err := lookUp(tx, protocol.ListingID(id))
	if err != nil {
		return err
	}
	var was map[string]string
	if h != nil {
		was = index(h)
	}
	if _, ok := was[key]; !ok { // nobody's: it would be due for ever
		return tx.DeleteRow(store.TablePostingIndex, key)
	}
	h.Reminded = today // the version stays: nobody's form is out of date by this
	if err := put(tx, h, was); err != nil {
		return err
	}
	if h.Origin != "" {
		return p.remindOfImport(tx, h, today)
	}
	if h.expired(today) {
		return p.notify(tx, h, Notice{Occasion: OnExpired})
	}
	return p.notify(tx, h, Notice{Occasion: OnReminder, Days: int(h.ValidUntil - today)})
}
