package replay

import (
	"encoding/json"
	"fmt"
	"strconv"
	"strings"

	"github.com/asean-tmh/tmh/store"
)

// Rows of the log, and how they end.

func read(tx *store.Tx, id string) (*row, error) {
	b, err := tx.Row(store.TableReplay, id)
	if b == nil || err != nil {
		return nil, err
	}
	w := new(row)
	if err := json.Unmarshal(b, w); err != nil {
		return nil, fmt.Errorf("read key: %w", err)
	}
	return w, nil
}

func counted(tx *store.Tx, count string) (int, error) {
	b, err := tx.Row(store.TableReplay, count)
	if b == nil || err != nil {
		return 0, err
	}
	n, err := strconv.Atoi(string(b))
	if err != nil {
		return 0, fmt.Errorf("read count of keys: %w", err)
	}
	return n, nil
}

// drop a row, and count it off.
func drop(tx *store.Tx, id string) error {
	w, err := tx.Row(store.TableReplay, id)
	if w == nil || err != nil {
		return err
	}
	if err := tx.DeleteRow(store.TableReplay, id); err != nil {
		return err
	}
	actor, _, _ := strings.Cut(strings.TrimPrefix(id, "k/"), "/")
	n, err := counted(tx, "n/"+actor)
	if err != nil {
		return err
	}
	if n <= 1 {
		return tx.DeleteRow(store.TableReplay, "n/"+actor)
	}
	return tx.SetRow(store.TableReplay, "n/"+actor, strconv.AppendInt(nil, int64(n-1), 10))
}

const (
	lookedAt = 5000 // rows in one view
	swept    = 200  // rows in one transaction
)

// Sweep deletes the keys whose time is up. Once an hour is often enough: a key that is over counts for nothing but its place.
func (l *Log) Sweep() error {
	l.sweeping.Lock()
	defer l.sweeping.Unlock()
	after := ""
	for {
		var ended []string
		seen := 0
		now := l.now()
		err := l.store.View(func(tx *store.Tx) error {
			return tx.Rows(store.TableReplay, "k/", after, func(key string, value []byte) (bool, error) {
				after = key
				seen++
				w := new(row)
				if json.Unmarshal(value, w) != nil || w.over(now) {
					ended = append(ended, key)
				}
				return seen < lookedAt && len(ended) < swept, nil
			})
		})
		if err != nil {
			return err
		}
		if len(ended) > 0 {
			err := l.store.Update(func(tx *store.Tx) error {
				for _, id := range ended {
					w, err := read(tx, id)
					if err == nil && w != nil && !w.over(now) { // taken anew meanwhile
						continue
					}
					if err := drop(tx, id); err != nil {
						return err
					}
				}
				return nil
			})
			if err != nil {
				return err
			}
		}
		if seen < lookedAt && len(ended) < swept {
			return nil
		}
	}
}
