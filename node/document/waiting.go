package document

import (
	"encoding/json"
	"strings"

	"github.com/asean-tmh/tmh/protocol"
	"github.com/asean-tmh/tmh/store"
)

// What was sent and is named by no listing yet lies here for a day. How many documents a sender sends in an hour is bounded at the
// doors; how many bytes of them may wait is bounded here.

// waitingPrefix: w/sender/hash → what waits. The row may outlive its document, and is dropped when the sender sends again.
const waitingPrefix = "w/"

type waitingRow struct {
	Size int64            `json:"size"`
	At   protocol.Instant `json:"at"`
}

// Reserve room for a document that a sender is about to have kept.
//
// Errors: CodeQuota where too much of what he sent is named by no listing yet.
func (a *Archive) Reserve(tx *store.Tx, c *Clean, sender string, limits Limits) error {
	limits = limits.withDefaults()
	prefix := waitingPrefix + sender + "/"
	row := waitingRow{Size: c.Size + c.small.Size, At: protocol.InstantOf(a.cfg.Now())}
	sum := row.Size
	type held struct {
		hash protocol.Hash
		size int64
	}
	var over []string
	var waits []held
	err := tx.Rows(store.TableDocument, prefix, "", func(key string, value []byte) (bool, error) {
		var w waitingRow
		h, ok := hashOf(strings.TrimPrefix(key, prefix))
		if !ok || json.Unmarshal(value, &w) != nil || a.cfg.Now().Sub(w.At.Time()) >= a.cfg.Grace {
			over = append(over, key)
		} else if h != c.Hash {
			waits = append(waits, held{h, w.Size})
		}
		return true, nil
	})
	if err != nil {
		return err
	}
	for _, w := range waits {
		kept, err := referenced(tx, w.hash)
		if err != nil {
			return err
		}
		if kept {
			over = append(over, prefix+w.hash.String())
			continue
		}
		sum += w.size
	}
	if sum > limits.Waiting {
		return protocol.Errorf(protocol.CodeQuota, "file", "your organisation has sent more than %s that no listing names: name those documents in their listings, or go on tomorrow", sizeText(limits.Waiting))
	}
	for _, key := range over {
		if err := tx.DeleteRow(store.TableDocument, key); err != nil {
			return err
		}
	}
	b, err := json.Marshal(row)
	if err != nil {
		return err
	}
	return tx.SetRow(store.TableDocument, prefix+c.Hash.String(), b)
}
