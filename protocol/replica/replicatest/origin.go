package replicatest

import (
	"fmt"
	"maps"
	"slices"

	"github.com/asean-tmh/tmh/protocol"
	"github.com/asean-tmh/tmh/protocol/replica"
)

// origin signs the history that others copy, and remembers everything that was ever signed: the truth to compare with.
// Its own copy is kept as any other, so that it can be drawn back.
type origin struct {
	*follower
	federation *Federation
	signer     *protocol.Signer
	by         map[protocol.Hash]*protocol.Change // everything signed, by whichever copy of the origin
	signed     []*protocol.Change                 // the same in order
	states     map[protocol.Hash]state
	verified   map[protocol.Hash]bool
	made       int // listings
	reports    int
}

// state is the newest change of every record as of a change: what a copy that has proven it must hold.
type state map[protocol.RecordKey]*protocol.Change

func newOrigin(f *Federation, s Store, tally *Tally) *origin {
	o := &origin{
		federation: f, signer: RecordSigner("KH"), by: make(map[protocol.Hash]*protocol.Change), states: make(map[protocol.Hash]state),
		verified: make(map[protocol.Hash]bool),
	}
	o.follower = newFollower(s, "KH", tally, o.check)
	return o
}

// check verifies a change as a node does, each one once.
func (o *origin) check(ch *protocol.Change) error {
	if o.verified[ch.Raw] {
		return nil
	}
	if err := o.federation.Roster.VerifyChange(ch); err != nil {
		return err
	}
	o.verified[ch.Raw] = true
	return nil
}

// head is what the origin's own copy has proven; nil where that is nothing.
func (o *origin) head() (*protocol.Change, error) {
	c, err := o.Copy()
	if err != nil {
		return nil, err
	}
	return o.by[c.Header], nil
}

// path leads to a change, the first one first.
func (o *origin) path(to protocol.Hash) (all []*protocol.Change) {
	for ch := o.by[to]; ch != nil; ch = o.by[ch.Prev] {
		all = append(all, ch)
	}
	slices.Reverse(all)
	return all
}

// state as of a change.
func (o *origin) state(of protocol.Hash) state {
	if s, ok := o.states[of]; ok {
		return s
	}
	s := make(state)
	if ch := o.by[of]; ch != nil {
		s = maps.Clone(o.state(ch.Prev))
		if before := o.by[ch.Prev]; ch.Floor > 0 && (before == nil || ch.Floor > before.Floor) {
			maps.DeleteFunc(s, func(_ protocol.RecordKey, old *protocol.Change) bool {
				return old.Kind == protocol.Withdraw && old.Pos.Seq <= ch.Floor
			})
		}
		s[ch.RecordKey] = ch
	}
	o.states[of] = s
	return s
}

// live are the listings that can be revised, in order; gone are those withdrawn, forgotten or not.
func (o *origin) live() (live, gone []protocol.RecordKey, err error) {
	head, err := o.head()
	if err != nil || head == nil {
		return nil, nil, err
	}
	s := o.state(head.Raw)
	for n := range o.made {
		switch ch := s[Key(n)]; {
		case ch != nil && ch.Kind == protocol.Put:
			live = append(live, Key(n))
		default:
			gone = append(gone, Key(n))
		}
	}
	return live, gone, nil
}

// change signs and applies one change; floor 0 leaves the floor where it is.
func (o *origin) change(kind protocol.ChangeKind, key protocol.RecordKey, floor uint64) (*protocol.Change, error) {
	body := fmt.Appendf(nil, "body %d of %s", len(o.signed), key)
	if kind == protocol.Withdraw {
		body = protocol.Tombstone{Reason: "expired", At: protocol.Instant(len(o.signed))}.Encode()
	}
	d := o.federation.Draft(kind, key)
	d.Floor = floor
	return o.sign(&o.Node, d, body)
}

// sign with a copy of the origin.
func (o *origin) sign(n *Node, d protocol.Header, body []byte) (ch *protocol.Change, err error) {
	if err := n.Step(func(c *replica.Copy, s Set) (err error) {
		ch, err = c.Author(s, o.signer, d, body)
		return err
	}); err != nil {
		return nil, err
	}
	o.by[ch.Raw] = ch
	o.signed = append(o.signed, ch)
	return ch, nil
}

// some change, as n says: new listings, revisions, reports, withdrawals, floors, and now and then a listing that was
// withdrawn comes back, which the rules of copies allow.
func (o *origin) some(n int) (*protocol.Change, error) {
	live, gone, err := o.live()
	if err != nil {
		return nil, err
	}
	what := n % 32
	n /= 32
	switch {
	case what < 4 && len(live) > 0:
		o.tally.Withdrawn++
		return o.change(protocol.Withdraw, live[n%len(live)], 0)
	case what < 12 && len(live) > 0:
		return o.change(protocol.Put, live[n%len(live)], 0)
	case what < 15:
		if n%2 == 0 || o.reports == 0 {
			o.reports++
		}
		return o.change(protocol.Put, ReportKey(n%o.reports), 0)
	case what < 18:
		return o.raise(n)
	case what < 19 && len(gone) > 0:
		return o.change(protocol.Put, gone[n%len(gone)], 0)
	}
	return o.publish()
}

func (o *origin) publish() (*protocol.Change, error) {
	o.made++
	return o.change(protocol.Put, Key(o.made-1), 0)
}

// raise the floor by a change, to any seq from the floor to the head.
func (o *origin) raise(n int) (*protocol.Change, error) {
	c, err := o.Copy()
	if err != nil {
		return nil, err
	}
	before := len(o.state(c.Header))
	o.reports = max(o.reports, 1)
	ch, err := o.change(protocol.Put, ReportKey(n%o.reports), c.Floor+uint64(n)%(c.Proven.Seq-c.Floor+1))
	if err != nil {
		return nil, err
	}
	o.tally.Floors++
	after := o.state(ch.Raw)
	o.tally.Forgotten += before + added(ch) - len(after)
	return ch, nil
}

// back makes a copy of the origin that ends at a change of its path: what a backup holds.
func (o *origin) back(s Store, to protocol.Hash) error {
	n := Node{s, o.Origin}
	for _, ch := range o.path(to) {
		if err := n.Next(ch); err != nil {
			return fmt.Errorf("restore: %w", err)
		}
	}
	return nil
}

// epoch opens one on top of what is held. last is the furthest that the origin knows of, void what it leaves behind.
func (o *origin) epoch(reason string, last protocol.Position, void []*protocol.Change) (*protocol.Change, error) {
	c, err := o.Copy()
	if err != nil {
		return nil, err
	}
	d, body, err := o.federation.Open(c, reason, last, void)
	if err != nil {
		return nil, err
	}
	ch, err := o.sign(&o.Node, d, body)
	if err == nil {
		o.tally.Epochs++
		o.tally.Void += len(void)
	}
	return ch, err
}

// equal checks that a copy holds exactly what the origin signed up to the copy's proven head.
func (o *origin) equal(n *Node, whole bool) error {
	c, err := n.Copy()
	if err != nil || c.CatchingUp() {
		return err
	}
	head := o.by[c.Header]
	want := o.state(c.Header)
	switch {
	case c.Proven.Seq == 0:
		return nil
	case head == nil || head.Pos != c.Proven:
		return fmt.Errorf("%s was proven under a header that the origin never signed", c.Proven)
	case c.Digest() != head.Digest || c.Count != head.Count || c.Floor != head.Floor || c.Count != uint64(len(want)):
		return fmt.Errorf("%s was proven with another digest, count (%d, signed %d, made %d) or floor than was signed", c.Proven, c.Count, head.Count, len(want))
	}
	if whole {
		got, digest, err := n.Records()
		if err != nil {
			return err
		}
		if len(got) != len(want) || digest != head.Digest {
			return fmt.Errorf("at %s %d records are held, or others than the %d that were signed", c.Proven, len(got), len(want))
		}
	}
	return n.Store.View(func(s Set) error {
		for key, ch := range want {
			if e, held, err := s.Newest(key); err != nil || !held || e != ch.Element() {
				return fmt.Errorf("at %s record %s is not of %s: %w", c.Proven, key, ch.Pos, err)
			}
		}
		return nil
	})
}

// added is how many records a change adds to the set.
func added(ch *protocol.Change) int {
	if ch.PrevSeq == 0 {
		return 1
	}
	return 0
}
