package node

import (
	"context"
	"errors"

	"github.com/asean-tmh/tmh/node/exchange"
	"github.com/asean-tmh/tmh/protocol"
	"github.com/asean-tmh/tmh/protocol/replica"
	"github.com/asean-tmh/tmh/store"
)

// A writing is one call of Append on its way through the journal.
type writing struct {
	intents []exchange.Intent
	written []exchange.Written // of the intents that are carried out, durably
	err     error
	done    chan struct{}
}

// maxGroup bounds the intents that are gathered to share transactions, and with them a sync each.
const maxGroup = 256

// Room in a transaction, whose bytes are bounded (store.MaxWrite): for one intent at its largest, and for what an intent
// writes beside its body and full record (its header, once more as evidence when it is superseded, keys and index).
const (
	intentOverhead = 3 << 10
	intentMost     = protocol.MaxChange + protocol.MaxFullRecord + intentOverhead
)

// Append implements exchange.Journal: everything is committed, synced and guarded when it returns.
func (n *Node) Append(ctx context.Context, intents []exchange.Intent) ([]exchange.Written, error) {
	n.awaitOpen(ctx)
	var all []exchange.Written
	for len(intents) > 0 {
		part := intents[:min(len(intents), maxGroup)]
		intents = intents[len(part):]
		w := &writing{intents: part, done: make(chan struct{})}
		select {
		case n.writes <- w:
		case <-ctx.Done():
			return nil, stopping(ctx)
		}
		<-w.done // the journal answers everything that it took
		if w.err != nil {
			return nil, w.err
		}
		all = append(all, w.written...)
	}
	return all, nil
}

func stopping(ctx context.Context) error {
	return &protocol.Error{Code: protocol.CodeUnavailable, Message: "this node is stopping or too busy: try again", Err: ctx.Err()}
}

// journalLoop writes in groups: what came while the disk was busy shares the next transaction and its one sync.
func (n *Node) journalLoop(ctx context.Context) {
	for {
		var group []*writing
		select {
		case <-ctx.Done():
			return
		case w := <-n.writes:
			group = append(group, w)
		}
		size := len(group[0].intents)
	more:
		for size < maxGroup {
			select {
			case w := <-n.writes:
				group = append(group, w)
				size += len(w.intents)
			default:
				break more
			}
		}
		n.write(group)
	}
}

// write carries out a group, in as many transactions as its bytes want. What was written leaves as one: parts of a burst
// would be gossiped, where its head alone is to be announced.
func (n *Node) write(group []*writing) {
	var all []*protocol.Change
	for more := true; more; {
		var changes []*protocol.Change
		var err error
		if changes, more, err = n.commit(group); err != nil {
			n.log.Warn("changes not written", "error", err)
			for _, w := range group {
				if len(w.written) < len(w.intents) {
					w.err = err
				}
			}
		}
		all = append(all, changes...)
	}
	for _, w := range group {
		close(w.done)
	}
	if len(all) > 0 {
		n.outbox.add(all)
	}
}

// commit signs and stores what fits into a transaction of what is left of a group, and tells whether there is more. It
// returns when all of it is durable, the guard's mark included: only then may anybody hear of it.
func (n *Node) commit(group []*writing) (_ []*protocol.Change, more bool, _ error) {
	n.signing.Lock()
	defer n.signing.Unlock()
	if why := n.blocked.Load(); why != nil {
		return nil, false, protocol.Errorf(protocol.CodeReadOnly, "", "%s", *why)
	}
	type result struct {
		of      *writing
		written exchange.Written
	}
	var results []result
	var changes []*protocol.Change
	var own *store.Origin
	var c *replica.Copy
	err := n.store.Update(func(tx *store.Tx) (err error) {
		own = tx.Origin(n.cfg.Member)
		if c, err = loadCopy(own, n.cfg.Member); err != nil {
			return err
		}
		floor, err := n.raiseFloor(own)
		if err != nil {
			return err
		}
		room := n.store.MaxWrite() - int64(len(c.Encode())) - intentMost
		for _, w := range group {
			for _, intent := range w.intents[len(w.written):] {
				if more = room < 0 && len(results) > 0; more {
					break
				}
				r := result{of: w}
				ch, size, err := n.carryOut(tx, own, c, intent, floor, &r.written)
				if err != nil {
					return err
				}
				if ch != nil && len(changes) == 0 {
					if err := n.roster.Load().VerifyHeader(&ch.SignedHeader); err != nil {
						return protocol.Errorf(protocol.CodeReadOnly, "", "the card in force does not let this node's record key sign at %s: restore a backup of before the seal, or make a new card", ch.Pos)
					}
				}
				if ch != nil {
					changes, floor = append(changes, ch), 0
				}
				results = append(results, r)
				room -= size
			}
		}
		if len(changes) == 0 {
			return nil
		}
		return errors.Join(buryIn(tx, own.Replaced), own.SetFrontier(c.Encode()), own.TrimHeaders(c.Proven, 2*len(changes)))
	})
	if err != nil {
		return nil, false, err
	}
	if len(changes) > 0 {
		if err := n.advanceGuard(c); err != nil {
			return nil, false, err
		}
	}
	for _, r := range results {
		r.of.written = append(r.of.written, r.written)
	}
	if len(changes) > 0 {
		n.admitted(n.cfg.Member, own.Replaced, c)
		n.sawOwnPosition(c.Proven) // after what is held is shown: nothing may look lost in between
	}
	return changes, more, nil
}

// carryOut decides one intent against the record as it stands and signs what follows from it, which takes size bytes of
// the transaction. Its own refusal stands in w; an error ends the whole group.
func (n *Node) carryOut(tx *store.Tx, own *store.Origin, c *replica.Copy, intent exchange.Intent, floor uint64, w *exchange.Written) (ch *protocol.Change, size int64, _ error) {
	current, err := tx.Record(n.cfg.Member, intent.Key)
	if err != nil {
		return nil, 0, err
	}
	if current != nil {
		w.Header, w.Existed = &current.SignedHeader, true
	}
	if current == nil {
		buried, err := tx.Buried(intent.Key)
		if err != nil {
			return nil, 0, err
		}
		if t, err := protocol.DecodeTombstone(buried); buried != nil && (err != nil || t.Reason != protocol.OnHold) {
			w.Err = protocol.Errorf(protocol.CodeWithdrawn, "id", "%s was withdrawn, and a withdrawn id never returns: give the listing a new id", intent.Key)
			return nil, 0, nil
		}
		if buried != nil && intent.Ends != nil {
			return nil, int64(len(intent.Ends)) + intentOverhead, tx.BuryAs(intent.Key, intent.Ends)
		}
	}
	var full []byte
	if current != nil {
		if full, err = tx.Full(intent.Key); err != nil {
			return nil, 0, err
		}
	}
	act, refusal := intent.Decide(current, full)
	if refusal != nil || act == nil {
		w.Err = refusal
		return nil, 0, nil
	}
	size = int64(len(act.Body)+len(act.Full)) + intentOverhead
	if act.Kind == 0 {
		return nil, size, keep(tx, intent.Key, act)
	}
	roster := n.roster.Load()
	self, _ := roster.Member(n.cfg.Member)
	if current == nil && c.Count >= self.Quota.MaxRecords() {
		w.Err = protocol.Errorf(protocol.CodeQuota, "", "the charter grants %s %d records, withdrawn ones included, and they are used up: ask the members for more", n.cfg.Member, c.Count)
		return nil, 0, nil
	}
	if most := self.Quota.ChangesPerDay; most > 0 && !n.spend(n.cfg.Member, c.Proven.Seq+1, most) {
		w.Err = protocol.Errorf(protocol.CodeQuota, "", "the charter grants %s %d changes a day, and they are used up: go on tomorrow", n.cfg.Member, most)
		return nil, 0, nil
	}
	ch, err = c.Author(own, n.cfg.Record, protocol.Header{
		Federation: roster.Federation(), CharterVersion: roster.Charter().Version, RecordKey: intent.Key, Kind: act.Kind, Floor: floor,
	}, act.Body)
	if err != nil {
		return nil, 0, err
	}
	w.Header, w.Signed = &ch.SignedHeader, true
	if err = keep(tx, intent.Key, act); err == nil && current == nil {
		err = tx.Unbury(intent.Key)
	}
	return ch, size, err
}

func keep(tx *store.Tx, key protocol.RecordKey, act *exchange.Act) error {
	full, changes := act.Keeps()
	if !changes {
		return nil
	}
	return tx.SetFull(key, full)
}

func loadCopy(o *store.Origin, origin protocol.MemberID) (*replica.Copy, error) {
	b, err := o.Frontier()
	if err != nil {
		return nil, err
	}
	return replica.Decode(origin, b)
}
