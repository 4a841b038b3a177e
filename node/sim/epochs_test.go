package sim

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	badger "github.com/dgraph-io/badger/v4"

	"github.com/asean-tmh/tmh/node"
	"github.com/asean-tmh/tmh/node/exchange"
	"github.com/asean-tmh/tmh/node/match"
	"github.com/asean-tmh/tmh/protocol"
)

// What becomes of a history that was lost, forked, stolen or damaged.

func (p *play) alone(m protocol.MemberID) error {
	p.f.alone[m] = true
	defer delete(p.f.alone, m)
	return start(p, m)
}

func readEpoch(a *args) act {
	m, reason := a.node(), a.reason()
	return func(p *play) error {
		n, err := p.running(m)
		if err != nil {
			return err
		}
		return p.epoch(m, n, reason)
	}
}

func (a *args) reason() string {
	w := a.word("a reason")
	if w != "" && !slices.Contains(protocol.EpochReasons(), w) {
		a.fail("%q is none of %v", w, protocol.EpochReasons())
	}
	return w
}

// epoch opens one, and notes the opening and what is published again after it.
func (p *play) epoch(m protocol.MemberID, n *node.Node, reason string) error {
	o, err := n.ProposeEpoch(reason, "played")
	if code := protocol.CodeOf(err); code == protocol.CodeUnavailable || code == protocol.CodeConflict {
		return unfit{err.Error()}
	} else if err != nil {
		return err
	}
	signed, err := protocol.SignOpening(p.f.seats[o.Origin].Governance, o)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(context.Background(), writeTimeout)
	defer cancel()
	start := time.Now()
	r, err := n.OpenEpoch(ctx, signed)
	if r.Position.Seq == 0 {
		return refused(m, err)
	}
	if err != nil {
		return err
	}
	p.opened = append(p.opened, r)
	p.f.probe.opens(o.Origin, r.Position, r.Base)
	all, err := n.Changes(o.Origin, r.Base)
	if err != nil {
		return err
	}
	saved := 0
	for _, c := range all {
		if c.Pos.Compare(r.Position) < 0 {
			return breach(notSigned, "%s opened an epoch from %s at %s, and holds %s", m, r.Base, r.Position, c.Pos)
		}
		p.f.probe.sent(o.Origin, c.Pos, start, 0)
		p.model.note(m, &c.SignedHeader)
		if c.Pos != r.Position {
			saved++
		}
	}
	if saved != r.Saved {
		return fmt.Errorf("%s says that it published %d records again, and %d are there", m, r.Saved, saved)
	}
	p.t.Logf("%s opened %s from %s by reason of %s, %d void changes listed, %d records published again", m, r.Position, r.Base, reason, len(r.Voided), r.Saved)
	return nil
}

func readMend(a *args) act {
	m := a.kept()
	return func(p *play) error {
		var why error
		for range 4 {
			if p.f.Node(m) == nil {
				if why = start(p, m); why != nil {
					return why
				}
			}
			why = p.until(30*time.Second, func() error { return p.publish(m, []*protocol.Listing{p.next(m, false)}) })
			n := p.f.Node(m)
			if why == nil {
				return nil
			}
			var no unfit
			if !errors.As(why, &no) {
				return why
			}
			for _, reason := range []string{"fork", "loss", "key"} {
				err := p.epoch(m, n, reason)
				if err == nil {
					break
				} else if !errors.As(err, &no) {
					return err
				}
			}
			if p.publish(m, []*protocol.Listing{p.next(m, false)}) == nil {
				return nil
			}
			if err := restart(p, m); err != nil {
				return err
			}
		}
		return why
	}
}

// readDamage turns over a byte where the database keeps it, which no program of ours would.
func readDamage(a *args) act {
	m, r := a.kept(), a.listing()
	return func(p *play) error {
		if err := p.resting(m); err != nil {
			return err
		}
		db, err := badger.Open(badger.DefaultOptions(p.f.dirs[m]).WithLoggingLevel(badger.ERROR).WithMemTableSize(8 << 20))
		if err != nil {
			return err
		}
		found := 0
		err = db.Update(func(txn *badger.Txn) error {
			var key, value []byte
			it := txn.NewIterator(badger.DefaultIteratorOptions)
			defer it.Close()
			for _, generation := range "rR" {
				prefix := append([]byte{byte(generation), byte(len(r.Origin))}, r.Origin...)
				for it.Seek(prefix); it.ValidForPrefix(prefix); it.Next() {
					if strings.HasSuffix(string(it.Item().Key()), string(r.ID.Key())) {
						found++
						key = it.Item().KeyCopy(nil)
						var err error
						if value, err = it.Item().ValueCopy(nil); err != nil {
							return err
						}
					}
				}
			}
			if found != 1 {
				return fmt.Errorf("%s holds %d records of %s", m, found, r.ID)
			}
			value[len(value)-1] ^= 1
			return txn.Set(key, value)
		})
		return errors.Join(err, db.Close())
	}
}

func readWatch(a *args) act {
	d := a.duration()
	return func(p *play) error {
		for end := time.Now().Add(d); time.Now().Before(end); time.Sleep(look / 5) {
			if err := p.look(); err != nil {
				return err
			}
		}
		return nil
	}
}

// look holds everybody to the model, and what is counted and staged to what is shown.
func (p *play) look() error {
	if err := p.check(); err != nil {
		return err
	}
	for _, id := range p.f.up() {
		for _, s := range p.f.Node(id).Members() {
			if s.Staging != nil {
				p.staged[id]++
			}
			if s.Digest == (protocol.Hash{}) || s.Position.Seq == 0 {
				continue
			}
			h, err := p.model.proven(id, s)
			if err != nil {
				return err
			}
			if live := p.model.count(h); s.Listings != live {
				return breach(notSaid, "%s shows %d listings of %s at %s, of %d", id, s.Listings, s.ID, s.Position, live)
			}
		}
	}
	return nil
}

// count of the listings that are not withdrawn as of h.
func (m *model) count(h *protocol.SignedHeader) (live int) {
	for key, r := range m.set(h) {
		if _, ok := protocol.ListingIDOf(key); ok && r.Kind == protocol.Put {
			live++
		}
	}
	return live
}

func readSteal(a *args) act {
	thief, m := a.liar(), a.member()
	return func(p *play) error {
		l := p.liars[thief]
		l.mu.Lock()
		defer l.mu.Unlock()
		l.stolen[m] = p.f.seats[m].Record
		return nil
	}
}

func (a *args) liar() protocol.MemberID {
	m := a.member()
	if m != "" && !slices.Contains(a.script.cfg.Liars, m) {
		a.fail("%s is no liar: say so at the top", m)
	}
	return m
}

func readForge(a *args) act {
	thief, m, pos, n := a.liar(), a.member(), a.position(), a.count(1, 1000)
	return func(p *play) error { return p.liars[thief].forge(m, pos, n) }
}

// forge signs on from the state before pos, which it must have drawn, with a key that it stole.
func (l *liar) forge(m protocol.MemberID, pos protocol.Position, n int) error {
	l.mu.Lock()
	key := l.stolen[m]
	if key == nil {
		l.mu.Unlock()
		return fmt.Errorf("%s has no key of %s", l.id, m)
	}
	s := newShelf()
	for _, c := range l.shelves[m].above(protocol.Start) {
		if c.Pos.Compare(pos) < 0 {
			s.put(c)
		}
	}
	if s.head != nil && s.head.Digest != s.hash.Digest() || s.pos().Seq+1 != pos.Seq {
		l.mu.Unlock()
		return fmt.Errorf("%s does not hold the state of %s before %s", l.id, m, pos)
	}
	var fresh []*protocol.Change
	for range n {
		l.made++
		id := protocol.ListingID(fmt.Sprintf("%s-%d", m, 9000+l.made))
		listing := &protocol.Listing{ID: id, Kind: protocol.TechnologyOffer, Country: "XX", Demonstration: true,
			Texts: map[protocol.Lang]protocol.Text{"en": {Title: fmt.Sprintf("Forged claim %d", l.made)}}}
		c, err := l.changeOf(m, key, s, id.Key(), listing.Encode())
		if err != nil {
			l.mu.Unlock()
			return err
		}
		l.p.f.probe.sent(m, c.Pos, time.Now(), 0)
		fresh = append(fresh, c)
	}
	l.shelves[m], l.keeps[m] = s, true
	l.mu.Unlock()
	for _, c := range fresh {
		_ = l.net.PublishChanges(context.Background(), []*protocol.Change{c}) // gossip promises nothing
	}
	return nil
}

// What can be expected of epochs.

func expectVoid(a *args, m protocol.MemberID) act {
	if !a.is("void") {
		a.fail("void is missing")
	}
	origin, n := a.member(), a.count(0, 1000)
	return a.expecting(func(p *play) error {
		d, err := p.f.Node(m).Member(origin)
		if err != nil {
			return err
		}
		if len(d.Epochs) == 0 || len(d.Epochs[0].Void) < n || n == 0 && len(d.Epochs[0].Void) > 0 {
			return fmt.Errorf("%s lists of %s: %+v", m, origin, d.Epochs)
		}
		return nil
	})
}

func expectEpoch(a *args, m protocol.MemberID) act {
	origin, n := a.member(), uint64(a.count(1, 1000))
	return a.expecting(func(p *play) error {
		if v := p.f.View(m, origin); v.Position.Epoch != n || v.State == exchange.Disputed || v.State == exchange.CatchingUp {
			return fmt.Errorf("%s sees %s as %s at %s: %s", m, origin, v.State, v.Position, v.Why)
		}
		return nil
	})
}

func expectTwin(a *args, m protocol.MemberID) act {
	return a.expecting(func(p *play) error {
		if p.f.Count(m, "tmh_twins_total") == 0 {
			return fmt.Errorf("%s noticed no other copy of itself; it tells: %q", m, p.f.Node(m).Health().Faults)
		}
		return nil
	})
}

// expectStaged is about what was ever drawn beside the one held since the node started.
func expectStaged(a *args, m protocol.MemberID) act {
	origin := a.member()
	return a.expecting(func(p *play) error {
		if p.f.Count(m, "tmh_staged_total", string(origin)) == 0 {
			return fmt.Errorf("%s never drew %s anew beside the copy it held", m, origin)
		}
		return nil
	})
}

func expectWatched(a *args, m protocol.MemberID) act {
	if !a.is("staged") {
		a.fail("staged is missing")
	}
	return func(p *play) error {
		if p.staged[m] == 0 {
			return fmt.Errorf("%s was never seen drawing a copy beside another", m)
		}
		return nil
	}
}

func expectSaved(a *args, m protocol.MemberID) act {
	n := a.count(0, 1000)
	return func(p *play) error {
		if len(p.opened) == 0 || p.opened[len(p.opened)-1].Saved < n || n == 0 && p.opened[len(p.opened)-1].Saved > 0 {
			return fmt.Errorf("the last epochs: %+v", p.opened)
		}
		return nil
	}
}

func (p *play) refusesEpoch(m protocol.MemberID, reason, words string) error {
	n, err := p.running(m)
	if err != nil {
		return err
	}
	if _, err := n.ProposeEpoch(reason, ""); err == nil || !strings.Contains(err.Error(), words) {
		return fmt.Errorf("%s was to refuse an epoch by reason of %s with %q and said: %s", m, reason, words, fmt.Sprint(err))
	}
	return nil
}

// neverReturns wants a withdrawn id refused.
func (p *play) neverReturns(m protocol.MemberID, r match.Ref) error {
	n, err := p.running(m)
	if err != nil {
		return err
	}
	l := p.texts[r]
	if l == nil {
		return fmt.Errorf("there was no %s", r.ID)
	}
	ctx, cancel := context.WithTimeout(context.Background(), writeTimeout)
	defer cancel()
	all, err := n.Desk().PublishAll(ctx, []exchange.Publication{{Listing: l}})
	if err == nil {
		err = all[0].Err
	}
	if protocol.CodeOf(err) != protocol.CodeWithdrawn {
		return fmt.Errorf("%s publishes %s, which was withdrawn: %s", m, r.ID, fmt.Sprint(err))
	}
	return nil
}

// expectForgot is about a withdrawal that left the set, or did not.
func expectForgot(want bool) func(*args, protocol.MemberID) act {
	return func(a *args, m protocol.MemberID) act {
		r := a.listing()
		return a.expecting(func(p *play) error {
			c, err := p.f.Node(m).Record(r)
			if err != nil {
				return err
			}
			if forgot := c == nil; forgot != want || !forgot && c.Kind != protocol.Withdraw {
				return fmt.Errorf("%s holds %s: %v", m, r.ID, c)
			}
			return nil
		})
	}
}

// expectWhole is about whether what is held of a member is proven as a whole.
func expectWhole(want bool) func(*args, protocol.MemberID) act {
	return func(a *args, m protocol.MemberID) act {
		about := a.member()
		return a.expecting(func(p *play) error {
			if v := p.f.View(m, about); (v.Digest != protocol.Hash{}) != want {
				return fmt.Errorf("%s holds %s at %s as %s: %s", m, about, v.Position, v.State, v.Why)
			}
			return nil
		})
	}
}
