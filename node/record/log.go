package record

import (
	"encoding/json"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/asean-tmh/tmh/protocol"
	"github.com/asean-tmh/tmh/store"
)

// The log of what was shown to whom, which caps are counted by.

// LogDays is how long the log of what was shown to whom is kept.
const LogDays = 400

// Reading is an entry of the log: on this day, this reader was shown this for the first time.
type Reading struct {
	Day      protocol.Date      `json:"-"`
	Way      Way                `json:"-"`
	Member   protocol.MemberID  `json:"-"` // who vouched for the reader; of FromCopy, the origin
	Level    protocol.Level     `json:"-"` // the highest that was shown
	Listing  protocol.ListingID `json:"-"`
	Reader   string             `json:"-"` // a pseudonym; of this node's own people, their id
	Document protocol.Hash      `json:"-"` // of ServedDocument

	At           protocol.Instant `json:"at"`
	Organisation protocol.Hash    `json:"organisation,omitzero"` // a pseudonym
	Type         string           `json:"type,omitempty"`        // of the organisation
	Country      protocol.Country `json:"country,omitempty"`
}

// Way in which something was shown.
type Way string

// The ways.
const (
	Served         Way = "s" // the parts of an own record
	ServedDocument Way = "d"
	FromCopy       Way = "c" // the copy of another member's record, which could not be asked
)

// key of the row. Readers of level public have no pseudonym.
func (r *Reading) key() string {
	k := r.prefix() + string(r.Listing) + "/" + r.Reader
	if r.Way == ServedDocument {
		k += "/" + r.Document.String()
	}
	return k
}

// prefix of the rows that a cap counts.
func (r *Reading) prefix() string {
	return fmt.Sprintf("%s/%s/%s/%s/", r.Day, r.Way, r.Member, r.Level)
}

func readingOf(key string, value []byte) (Reading, error) {
	var r Reading
	f := strings.Split(key, "/")
	if len(f) < 6 || len(f) > 7 {
		return r, fmt.Errorf("log row %q has %d fields", key, len(f))
	}
	if err := json.Unmarshal(value, &r); err != nil {
		return r, fmt.Errorf("log row %q: %w", key, err)
	}
	if err := r.Day.UnmarshalText([]byte(f[0])); err != nil {
		return r, fmt.Errorf("log row %q: %w", key, err)
	}
	r.Way, r.Member, r.Level = Way(f[1]), protocol.MemberID(f[2]), protocol.Level(f[3])
	r.Listing, r.Reader = protocol.ListingID(f[4]), f[5]
	if len(f) == 7 {
		if err := r.Document.UnmarshalText([]byte(f[6])); err != nil {
			return r, fmt.Errorf("log row %q: %w", key, err)
		}
	}
	return r, nil
}

// Readings calls f for the entries from day on, in the order of days, until f reports false.
func Readings(tx *store.Tx, day protocol.Date, f func(Reading) (bool, error)) error {
	return tx.Rows(store.TableAccessLog, "", day.String(), func(key string, value []byte) (bool, error) {
		r, err := readingOf(key, value)
		if err != nil {
			return false, err
		}
		return f(r)
	})
}

// ledger writes the log. What is noted is durable before it is shown.
type ledger struct {
	store *store.Store
	now   func() time.Time

	turn sync.Mutex // held by who commits

	mu     sync.Mutex
	next   *batch         // guarded by mu: gathers what comes while another is committed
	day    protocol.Date  // guarded by mu: of the counts
	counts map[string]int // guarded by mu: rows by Reading.prefix, of capped levels
}

type batch struct {
	rows []row
	done chan struct{}
	err  error
}

type row struct {
	key   string
	value []byte
}

// note writes down a reading, unless the day's log has it. most bounds the rows of its kind on one day; 0 does not.
//
// Errors: CodeUnavailable beyond that bound; the store's.
func (l *ledger) note(r Reading, most int) error {
	now := l.now()
	r.Day, r.At = protocol.DateOf(now), protocol.InstantOf(now)
	key := r.key()
	known := false
	if err := l.store.View(func(tx *store.Tx) error {
		b, err := tx.Row(store.TableAccessLog, key)
		known = b != nil
		return err
	}); err != nil || known {
		return err
	}
	value, err := json.Marshal(&r)
	if err != nil {
		return fmt.Errorf("log row: %w", err)
	}
	if most > 0 {
		if err := l.count(&r, most); err != nil {
			return err
		}
	}
	if err = l.write(row{key, value}); err != nil && most > 0 {
		l.mu.Lock()
		l.counts[r.prefix()]--
		l.mu.Unlock()
	}
	return err
}

// count takes one of the day's places.
func (l *ledger) count(r *Reading, most int) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.day != r.Day {
		l.day, l.counts = r.Day, make(map[string]int)
	}
	p := r.prefix()
	n, ok := l.counts[p]
	if !ok {
		if err := l.store.View(func(tx *store.Tx) error {
			return tx.Rows(store.TableAccessLog, p, "", func(string, []byte) (bool, error) { n++; return true, nil })
		}); err != nil {
			return err
		}
	}
	if l.counts[p] = n; n >= most {
		return protocol.Errorf(protocol.CodeUnavailable, "", "the readers of %s were shown %d records of level %s today, which is all for one day: ask again tomorrow",
			r.Member, n, r.Level)
	}
	l.counts[p] = n + 1
	return nil
}

// write puts a row into the next transaction and waits for it. Who comes first commits for all who come meanwhile.
func (l *ledger) write(x row) error {
	l.mu.Lock()
	b := l.next
	first := b == nil
	if first {
		b = &batch{done: make(chan struct{})}
		l.next = b
	}
	b.rows = append(b.rows, x)
	l.mu.Unlock()
	if !first {
		<-b.done
		return b.err
	}
	l.turn.Lock()
	defer l.turn.Unlock()
	l.mu.Lock()
	l.next = nil
	l.mu.Unlock()
	defer close(b.done)
	b.err = l.store.Update(func(tx *store.Tx) error {
		for _, x := range b.rows {
			if err := tx.SetRow(store.TableAccessLog, x.key, x.value); err != nil {
				return err
			}
		}
		return nil
	})
	return b.err
}

// prune deletes what is older than LogDays.
func (l *ledger) prune() error {
	oldest := (protocol.DateOf(l.now()) - LogDays).String()
	for {
		var old []string
		if err := l.store.View(func(tx *store.Tx) error {
			return tx.Rows(store.TableAccessLog, "", "", func(key string, _ []byte) (bool, error) {
				if key >= oldest {
					return false, nil
				}
				old = append(old, key)
				return len(old) < sweepAtOnce, nil
			})
		}); err != nil || len(old) == 0 {
			return err
		}
		if err := deleteRows(l.store, store.TableAccessLog, old); err != nil {
			return err
		}
	}
}

// sweepAtOnce is how many rows one transaction deletes.
const sweepAtOnce = 1000

func deleteRows(s *store.Store, table store.Table, keys []string) error {
	return s.Update(func(tx *store.Tx) error {
		for _, k := range keys {
			if err := tx.DeleteRow(table, k); err != nil {
				return err
			}
		}
		return nil
	})
}
