package store

import (
	"errors"
	"fmt"
	"testing"

	"github.com/asean-tmh/tmh/protocol"
	"github.com/asean-tmh/tmh/protocol/replica"
	"github.com/asean-tmh/tmh/protocol/replica/replicatest"
)

// open a store and close it after the test. dir "" is in memory.
func open(t testing.TB, cfg Config) *Store {
	t.Helper()
	if cfg.Memtable == 0 {
		cfg.Memtable = 8 << 20
	}
	if cfg.MinFree == 0 {
		cfg.MinFree = 1
	}
	s, err := Open(cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

// both runs a test in memory and on disk.
func both(t *testing.T, f func(t *testing.T, s *Store)) {
	t.Run("memory", func(t *testing.T) { f(t, open(t, Config{})) })
	t.Run("disk", func(t *testing.T) { f(t, open(t, Config{Dir: t.TempDir()})) })
}

func update(t testing.TB, s *Store, f func(tx *Tx) error) {
	t.Helper()
	if err := s.Update(f); err != nil {
		t.Fatal(err)
	}
}

func view(t testing.TB, s *Store, f func(tx *Tx) error) {
	t.Helper()
	if err := s.View(f); err != nil {
		t.Fatal(err)
	}
}

// shelf is one origin's place in a store, as replicatest wants it. The name may differ from the origin that signs, so
// that one database holds many copies.
type shelf struct {
	s    *Store
	name protocol.MemberID
}

func (o shelf) Update(f func(replicatest.Set) error) error {
	return o.s.Update(func(tx *Tx) error { return f(tx.Origin(o.name)) })
}

func (o shelf) View(f func(replicatest.Set) error) error {
	return o.s.View(func(tx *Tx) error { return f(tx.Origin(o.name)) })
}

func (o shelf) Staged() replicatest.Transactions { return stagedShelf(o) }

func (o shelf) Wipe(limit int) (done bool, err error) {
	err = o.s.Update(func(tx *Tx) (err error) {
		done, err = tx.Staged(o.name).Wipe(limit)
		return err
	})
	return done, err
}

func (o shelf) Swap(ready func(staged, held replicatest.Set) (func(protocol.Position) bool, error)) error {
	var void func(protocol.Position) bool
	return o.s.Swap(o.name, Swapping{
		Ready: func(staged, held *Origin) (err error) {
			void, err = ready(staged, held)
			return err
		},
		Fate: func(_ *Origin, h *protocol.SignedHeader) Fate { return fateOf(void)(h) },
		Each: func(Replacement) {},
	})
}

// Forget drops the retained header of a superseded record, as the ring does in time.
func (o shelf) Forget(pos protocol.Position) {
	if err := o.s.Update(func(tx *Tx) error { return tx.delete(posKey(keyHeader, o.name, pos)) }); err != nil {
		panic(err)
	}
}

// stagedShelf is the place beside it.
type stagedShelf shelf

func (o stagedShelf) Update(f func(replicatest.Set) error) error {
	return o.s.Update(func(tx *Tx) error { return f(tx.Staged(o.name)) })
}

func (o stagedShelf) View(f func(replicatest.Set) error) error {
	return o.s.View(func(tx *Tx) error { return f(tx.Staged(o.name)) })
}

// shelves gives out places in one store.
func shelves(s *Store) func(testing.TB) replicatest.Store {
	n := 0
	return func(testing.TB) replicatest.Store {
		n++
		return shelf{s, protocol.MemberID(fmt.Sprintf("KH%d", n))}
	}
}

func federation(t testing.TB) *replicatest.Federation {
	t.Helper()
	f, err := replicatest.NewFederation("AB", "ABC", "KH", "LA")
	if err != nil {
		t.Fatal(err)
	}
	return f
}

// draft of a change in a batch.
type draft struct {
	kind protocol.ChangeKind
	key  protocol.RecordKey
	body []byte
}

// author signs and stores a batch in one transaction, as a node does.
func author(s *Store, f *replicatest.Federation, origin protocol.MemberID, batch ...draft) (made []*protocol.Change, err error) {
	err = s.Update(func(tx *Tx) error {
		o := tx.Origin(origin)
		b, err := o.Frontier()
		if err != nil {
			return err
		}
		c, err := replica.Decode(origin, b)
		if err != nil {
			return err
		}
		for _, d := range batch {
			ch, err := c.Author(o, replicatest.RecordSigner(origin), f.Draft(d.kind, d.key), d.body)
			if err != nil {
				return err
			}
			made = append(made, ch)
		}
		return o.SetFrontier(c.Encode())
	})
	return made, err
}

// puts is a batch of new bodies for records from .. to.
func puts(from, to int, say string) (batch []draft) {
	for i := from; i < to; i++ {
		batch = append(batch, draft{protocol.Put, replicatest.Key(i), fmt.Appendf(nil, "%s %d", say, i)})
	}
	return batch
}

func mustAuthor(t testing.TB, s *Store, f *replicatest.Federation, origin protocol.MemberID, batch ...draft) []*protocol.Change {
	t.Helper()
	made, err := author(s, f, origin, batch...)
	if err != nil {
		t.Fatal(err)
	}
	return made
}

// passing gives out places in stores in memory that follow one another, because none gives back what was deleted.
func passing(t testing.TB) func(testing.TB) replicatest.Store {
	var now, before *Store
	var give func(testing.TB) replicatest.Store
	n := 0
	return func(tb testing.TB) replicatest.Store {
		if n%256 == 0 {
			if before != nil { // its walk is over
				if err := before.Close(); err != nil {
					t.Fatal(err)
				}
			}
			now, before = openMemory(t), now
			give = shelves(now)
		}
		n++
		return give(tb)
	}
}

func openMemory(t testing.TB) *Store {
	t.Helper()
	s, err := Open(Config{})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// frozen is a shelf within one view.
type frozen struct {
	tx   *Tx
	name protocol.MemberID
}

func (o frozen) Update(func(replicatest.Set) error) error { return errors.ErrUnsupported }

func (o frozen) View(f func(replicatest.Set) error) error { return f(o.tx.Origin(o.name)) }

// frontier as it is stored.
func frontier(t testing.TB, s *Store, origin protocol.MemberID) *replica.Copy {
	t.Helper()
	n := replicatest.Node{Store: shelf{s, origin}, Origin: origin}
	c, err := n.Copy()
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// proven checks in one view that the stored records are exactly what the stored frontier says, and gives it.
func proven(t testing.TB, s *Store, origin protocol.MemberID) (c *replica.Copy) {
	t.Helper()
	view(t, s, func(tx *Tx) (err error) {
		n := replicatest.Node{Store: frozen{tx, origin}, Origin: origin}
		if c, err = n.Copy(); err != nil {
			return err
		}
		records, digest, err := n.Records()
		if err != nil {
			return err
		}
		if uint64(len(records)) != c.Count || digest != c.Digest() {
			t.Errorf("%d records, but the frontier counts %d, or another digest", len(records), c.Count)
		}
		count := uint64(0)
		err = tx.Records(origin, "", func(ch *protocol.Change) (bool, error) {
			count++
			if records[ch.RecordKey] != ch.Raw {
				t.Errorf("record %s is not the one in the feed", ch.RecordKey)
			}
			return true, nil
		})
		if count != c.Count {
			t.Errorf("%d records by key, want %d", count, c.Count)
		}
		return err
	})
	return c
}
