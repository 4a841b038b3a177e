package mail

import (
	"encoding/json"
	"time"

	"github.com/asean-tmh/tmh/store"
)

// How the sending of mail goes.

// Health is how the sending of mail goes, for doctor, pages and metrics.
type Health struct {
	Enabled  bool
	Waiting  int
	Oldest   time.Time // when the oldest that waits was made; zero: none
	Sent     uint64    // since the node started
	LastSent time.Time
	Trouble  string    // why the server takes nothing, with what to look at; "" where nothing is known to be wrong
	Since    time.Time // of the trouble
	Failed   int       // messages given up that are remembered
}

// Failure is a message that was given up.
type Failure struct {
	Kind     string // invitation, verification, reset, reminder, decision, notice
	To       string // for the administrator's eyes, not for logs
	Created  time.Time
	At       time.Time
	Attempts int
	Reason   string
}

// Health tells how it goes.
func (q *Queue) Health() (Health, error) {
	q.mu.Lock()
	h := Health{Enabled: q.Enabled(), Sent: q.sent, LastSent: q.lastSent, Trouble: q.trouble, Since: q.since}
	q.mu.Unlock()
	err := q.cfg.Store.View(func(tx *store.Tx) (err error) {
		if h.Waiting, err = waiting(tx); err != nil {
			return err
		}
		if h.Failed, err = countFailed(tx); err != nil || h.Waiting == 0 {
			return err
		}
		return tx.Rows(store.TableMail, rowWaits, "", func(_ string, value []byte) (bool, error) {
			var it item
			if json.Unmarshal(value, &it) == nil && (h.Oldest.IsZero() || it.Created.Before(h.Oldest)) {
				h.Oldest = it.Created
			}
			return true, nil
		})
	})
	return h, err
}

func countFailed(tx *store.Tx) (n int, err error) {
	err = tx.Rows(store.TableMail, rowFailed, "", func(string, []byte) (bool, error) { n++; return true, nil })
	return n, err
}

// Failures is what was given up, the newest last.
func (q *Queue) Failures(tx *store.Tx) (list []Failure, err error) {
	err = tx.Rows(store.TableMail, rowFailed, "", func(key string, value []byte) (bool, error) {
		var it item
		at, _, ok := dueOf(rowFailed, key)
		if ok && json.Unmarshal(value, &it) == nil {
			list = append(list, Failure{Kind: it.Kind, To: it.To, Created: it.Created, At: at, Attempts: it.Attempts, Reason: it.Reason})
		}
		return true, nil
	})
	return list, err
}
