package node

import (
	"slices"
	"strings"

	"github.com/asean-tmh/tmh/node/exchange"
	"github.com/asean-tmh/tmh/protocol"
	"github.com/asean-tmh/tmh/store"
)

// Member implements exchange.Catalogue. What it tells beyond the state is read from the store, which would be too slow for
// every search.
func (n *Node) Member(id protocol.MemberID) (d exchange.MemberDetail, err error) {
	all := n.Members()
	i := slices.IndexFunc(all, func(s exchange.MemberState) bool { return s.ID == id })
	if i < 0 {
		return d, protocol.Errorf(protocol.CodeNotFound, "id", "%s is no member of this federation", id)
	}
	d = exchange.MemberDetail{MemberState: all[i], Forks: []exchange.Fork{}, Epochs: []exchange.Epoch{}, Faults: n.faultsOf(id)}
	if !d.Self {
		own := slices.IndexFunc(all, func(s exchange.MemberState) bool { return s.Self })
		d.Unacknowledged = lag(all[own].Position, d.Acknowledged)
	}
	err = n.store.View(func(tx *store.Tx) (err error) {
		set := tx.Origin(id)
		if d.Forks, err = forksOf(set, d.Position.Epoch); err != nil {
			return err
		}
		d.Epochs, err = epochsOf(set)
		return err
	})
	return d, err
}

// maxShown bounds the forks and epochs that are told of one member.
const maxShown = 32

func forksOf(set *store.Origin, epoch uint64) ([]exchange.Fork, error) {
	all, err := set.Evidence()
	if err != nil {
		return nil, err
	}
	forks := []exchange.Fork{}
	for _, e := range slices.Backward(all) {
		if len(forks) == maxShown {
			break
		}
		f := exchange.Fork{Over: e.A.Pos.Epoch < epoch}
		if f.One, err = nameHeader(set, e.A); err != nil {
			return nil, err
		}
		if f.Other, err = nameHeader(set, e.B); err != nil {
			return nil, err
		}
		forks = append(forks, f)
	}
	return forks, nil
}

func epochsOf(set *store.Origin) ([]exchange.Epoch, error) {
	epochs := []exchange.Epoch{}
	err := set.Records(protocol.EpochPrefix, func(c *protocol.Change) (bool, error) {
		if !strings.HasPrefix(string(c.RecordKey), protocol.EpochPrefix) || len(epochs) == maxShown {
			return false, nil
		}
		o, err := protocol.DecodeOpening(c.Body)
		if err != nil {
			return false, err
		}
		e := exchange.Epoch{Position: o.Pos, Base: o.Base, Last: o.Last, Reason: o.Reason, Note: o.Note, OpenedAt: o.IssuedAt}
		e.Void, err = nameVoid(set, o.Voided)
		epochs = append(epochs, e)
		return true, err
	})
	slices.SortFunc(epochs, func(a, b exchange.Epoch) int { return b.Position.Compare(a.Position) })
	return epochs, err
}

func nameVoid(set *store.Origin, void []protocol.Voided) ([]exchange.SignedChange, error) {
	all := []exchange.SignedChange{}
	for _, v := range void {
		c := exchange.SignedChange{Position: v.Pos, Kind: v.Kind.String(), Key: v.Key, Header: v.Header}
		if err := entitle(set, &c); err != nil {
			return nil, err
		}
		all = append(all, c)
	}
	return all, nil
}

func nameHeader(set *store.Origin, h *protocol.SignedHeader) (exchange.SignedChange, error) {
	c := exchange.SignedChange{Position: h.Pos, Kind: h.Kind.String(), Key: h.RecordKey, Header: h.Raw}
	return c, entitle(set, &c)
}

// entitle adds the title of a listing, where it is held and valid.
func entitle(set *store.Origin, c *exchange.SignedChange) error {
	if _, ok := protocol.ListingIDOf(c.Key); !ok {
		return nil
	}
	held, err := set.Record(c.Key)
	if err != nil || held == nil || held.Kind != protocol.Put {
		return err
	}
	if l, err := protocol.DecodeListing(held.Body); err == nil { // what it says is not judged here
		lang, text := l.Text("en")
		c.Lang, c.Title = lang, text.Title
	}
	return nil
}

// faultsOf reads what blame counted of a member.
func (n *Node) faultsOf(m protocol.MemberID) []exchange.MemberFault {
	faults := []exchange.MemberFault{}
	families, err := n.metrics.blamed.Gather()
	if err != nil {
		n.log.Error("faults of members not read", "error", err)
	}
	for _, f := range families {
		for _, x := range f.GetMetric() {
			label := make(map[string]string)
			for _, l := range x.GetLabel() {
				label[l.GetName()] = l.GetValue()
			}
			if label["member"] == string(m) {
				faults = append(faults, exchange.MemberFault{Code: label["fault"], Count: uint64(x.GetCounter().GetValue())})
			}
		}
	}
	return faults
}
