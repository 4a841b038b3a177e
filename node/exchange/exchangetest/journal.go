// Package exchangetest has a journal that signs into a real store in the way a node does, for tests of what stands on the desk
// and needs no node: no guard, no quotas, no network.
package exchangetest

import (
	"context"

	"github.com/asean-tmh/tmh/node/exchange"
	"github.com/asean-tmh/tmh/protocol"
	"github.com/asean-tmh/tmh/protocol/replica"
	"github.com/asean-tmh/tmh/store"
)

// Journal of a member.
type Journal struct {
	Member protocol.MemberID
	Store  *store.Store
	Signer *protocol.Signer
	Broken error // what Append fails with, for as long as it is set
	Refuse error // the refusal of every intent, for as long as it is set
	Signed int   // changes
}

// Append implements exchange.Journal.
func (j *Journal) Append(_ context.Context, intents []exchange.Intent) (all []exchange.Written, _ error) {
	if j.Broken != nil {
		return nil, j.Broken
	}
	err := j.Store.Update(func(tx *store.Tx) error {
		own := tx.Origin(j.Member)
		b, err := own.Frontier()
		if err != nil {
			return err
		}
		c, err := replica.Decode(j.Member, b)
		if err != nil {
			return err
		}
		for _, in := range intents {
			w, err := j.carryOut(tx, c, in)
			if err != nil {
				return err
			}
			all = append(all, w)
		}
		return own.SetFrontier(c.Encode())
	})
	return all, err
}

func (j *Journal) carryOut(tx *store.Tx, c *replica.Copy, in exchange.Intent) (w exchange.Written, _ error) {
	current, err := tx.Record(j.Member, in.Key)
	if err != nil {
		return w, err
	}
	if current != nil {
		w.Header, w.Existed = &current.SignedHeader, true
	}
	held, err := tx.Full(in.Key)
	if err != nil {
		return w, err
	}
	act, refusal := in.Decide(current, held)
	if j.Refuse != nil {
		refusal = j.Refuse
	}
	if w.Err = refusal; refusal != nil || act == nil {
		return w, nil
	}
	if act.Kind != 0 {
		ch, err := c.Author(tx.Origin(j.Member), j.Signer, protocol.Header{Federation: protocol.Hash{1}, CharterVersion: 1, RecordKey: in.Key, Kind: act.Kind}, act.Body)
		if err != nil {
			return w, err
		}
		w.Header, w.Signed = &ch.SignedHeader, true
		j.Signed++
	}
	if full, changes := act.Keeps(); changes {
		err = tx.SetFull(in.Key, full)
	}
	return w, err
}
