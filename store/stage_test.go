package store

import (
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"

	"github.com/asean-tmh/tmh/protocol"
	"github.com/asean-tmh/tmh/protocol/replica"
	"github.com/asean-tmh/tmh/protocol/replica/replicatest"
)

// side is one of the two copies of an origin.
func side(tx *Tx, origin protocol.MemberID, staged bool) *Origin {
	if staged {
		return tx.Staged(origin)
	}
	return tx.Origin(origin)
}

// place makes the records of a copy without its rules: the newest of each key, in the order given.
func place(t testing.TB, s *Store, origin protocol.MemberID, staged bool, changes ...*protocol.Change) {
	t.Helper()
	update(t, s, func(tx *Tx) error {
		o := side(tx, origin, staged)
		for _, ch := range changes {
			old, held, err := o.Newest(ch.RecordKey)
			if err != nil {
				return err
			}
			e := &old
			if !held {
				e = nil
			}
			if err := o.Replace(ch, e); err != nil {
				return err
			}
		}
		return o.SetFrontier(fmt.Appendf(nil, "frontier of %d", len(changes)))
	})
}

// holds lists what a copy holds, by every way to read it.
func holds(t testing.TB, s *Store, origin protocol.MemberID, staged bool) (got map[protocol.RecordKey]protocol.Hash) {
	t.Helper()
	got = make(map[protocol.RecordKey]protocol.Hash)
	view(t, s, func(tx *Tx) error {
		o := side(tx, origin, staged)
		if err := o.Records("", func(c *protocol.Change) (bool, error) {
			got[c.RecordKey] = c.Raw
			return true, nil
		}); err != nil {
			return err
		}
		fed := 0
		if err := o.Feed(protocol.Position{}, func(pos protocol.Position, b []byte) (bool, error) {
			c, err := protocol.DecodeChange(b)
			if err == nil && (c.Pos != pos || got[c.RecordKey] != c.Raw) {
				t.Errorf("the feed of %s has another record at %s", origin, pos)
			}
			fed++
			return true, err
		}); err != nil {
			return err
		}
		gone, err := o.Withdrawn(1<<60, 1<<30)
		withdrawn := 0
		if errSeqs := o.Seqs(func(_ protocol.Position, kind protocol.ChangeKind, _ protocol.RecordKey) error {
			if kind == protocol.Withdraw {
				withdrawn++
			}
			return nil
		}); errSeqs != nil {
			return errSeqs
		}
		if fed != len(got) || len(gone) != withdrawn {
			t.Errorf("%s: %d records by key, %d in the feed; %d withdrawals in their index, %d in the feed's", origin, len(got), fed, len(gone), withdrawn)
		}
		return err
	})
	return got
}

func raws(changes ...*protocol.Change) map[protocol.RecordKey]protocol.Hash {
	all := make(map[protocol.RecordKey]protocol.Hash)
	for _, ch := range changes {
		all[ch.RecordKey] = ch.Raw
	}
	return all
}

func swap(t testing.TB, s *Store, origin protocol.MemberID, void func(protocol.Position) bool) []Replacement {
	t.Helper()
	if void == nil {
		void = func(protocol.Position) bool { return false }
	}
	var replaced []Replacement
	if err := s.Swap(origin, Swapping{
		Ready: func(_, _ *Origin) error { return nil },
		Fate:  func(_ *Origin, h *protocol.SignedHeader) Fate { return fateOf(void)(h) },
		Each:  func(r Replacement) { replaced = append(replaced, r) },
	}); err != nil {
		t.Fatal(err)
	}
	return replaced
}

// wipe in steps, and counts them.
func wipe(t testing.TB, s *Store, origin protocol.MemberID, limit int) (steps int) {
	t.Helper()
	for done := false; !done; steps++ {
		update(t, s, func(tx *Tx) (err error) {
			done, err = tx.Staged(origin).Wipe(limit)
			return err
		})
	}
	return steps
}

// The two copies of every origin are apart from each other and from those of origins whose ids begin alike, whichever of
// the two is in force.
func TestGenerationsAreApart(t *testing.T) {
	f := federation(t)
	both(t, func(t *testing.T, s *Store) {
		rnd := rand.New(rand.NewPCG(1, 1))
		origins := []protocol.MemberID{"A", "AB", "ABC", "KH"}
		pool := make(map[protocol.MemberID][]*protocol.Change)
		maker := open(t, Config{})
		for _, o := range []protocol.MemberID{"AB", "ABC", "KH"} {
			pool[o] = mustAuthor(t, maker, f, o, append(puts(0, 6, "first"),
				draft{protocol.Withdraw, replicatest.Key(2), protocol.Tombstone{Reason: "error"}.Encode()}, draft{protocol.Put, replicatest.Key(1), nil})...)
		}
		pool["A"] = pool["AB"] // a place is no signer
		want := make(map[string]map[protocol.RecordKey]protocol.Hash)
		at := func(o protocol.MemberID, staged bool) string { return fmt.Sprint(o, staged) }
		for range 60 {
			o := origins[rnd.IntN(len(origins))]
			switch rnd.IntN(4) {
			case 0:
				swap(t, s, o, nil)
				want[at(o, false)] = want[at(o, true)]
				wipe(t, s, o, 1+rnd.IntN(9))
				want[at(o, true)] = nil
			case 1:
				wipe(t, s, o, 1+rnd.IntN(9))
				want[at(o, true)] = nil
			default:
				staged := rnd.IntN(3) > 0
				n := 1 + rnd.IntN(len(pool[o]))
				have := maps.Clone(want[at(o, staged)])
				if have == nil {
					have = make(map[protocol.RecordKey]protocol.Hash)
				}
				if len(have) > 0 {
					continue
				}
				place(t, s, o, staged, pool[o][:n]...)
				maps.Copy(have, raws(pool[o][:n]...))
				want[at(o, staged)] = have
			}
			for _, o := range origins {
				for _, staged := range []bool{false, true} {
					if got := holds(t, s, o, staged); !maps.Equal(got, want[at(o, staged)]) {
						t.Fatalf("%s, staged %v: %d records, want %d", o, staged, len(got), len(want[at(o, staged)]))
					}
				}
			}
		}
	})
}

// Wipe takes at most limit keys a step, the frontier first, so that what is left of an interrupted one is no copy.
func TestWipe(t *testing.T) {
	f := federation(t)
	both(t, func(t *testing.T, s *Store) {
		maker := open(t, Config{})
		made := mustAuthor(t, maker, f, "AB", append(puts(0, 9, "x"), draft{protocol.Withdraw, replicatest.Key(3), protocol.Tombstone{Reason: "error"}.Encode()})...)
		place(t, s, "AB", false, made[:5]...)
		place(t, s, "ABC", true, made...)
		for _, x := range []struct{ limit, steps int }{{1, 20}, {5, 4}, {19, 2}, {20, 1}, {1000, 1}} { // 9 records, 9 positions, 1 withdrawal
			place(t, s, "AB", true, made...)
			var done bool
			update(t, s, func(tx *Tx) (err error) { done, err = tx.Staged("AB").Wipe(x.limit); return err })
			view(t, s, func(tx *Tx) error {
				b, err := tx.Staged("AB").Frontier()
				if b != nil {
					t.Errorf("limit %d: a frontier stands over what is half deleted", x.limit)
				}
				return err
			})
			steps := 1
			if !done {
				steps += wipe(t, s, "AB", x.limit)
			}
			if steps != x.steps {
				t.Errorf("limit %d: %d steps, want %d", x.limit, steps, x.steps)
			}
			if got := holds(t, s, "AB", true); len(got) != 0 {
				t.Errorf("limit %d: %d records are left", x.limit, len(got))
			}
		}
		if !maps.Equal(holds(t, s, "AB", false), raws(made[:5]...)) || !maps.Equal(holds(t, s, "ABC", true), raws(made...)) {
			t.Error("another copy was touched")
		}
		if err := s.Update(func(tx *Tx) error { _, err := tx.Origin("AB").Wipe(1); return err }); err == nil {
			t.Error("a copy in force was wiped")
		}
	})
}

// What a swap says that it replaced is exactly what differs: new, gone, of another position, and of the same position with
// another content; the latest first.
func TestSwapTellsTheDifference(t *testing.T) {
	f := federation(t)
	both(t, func(t *testing.T, s *Store) {
		maker := open(t, Config{})
		made := mustAuthor(t, maker, f, "KH", puts(0, 6, "first")...)
		newer := mustAuthor(t, maker, f, "KH", puts(2, 4, "second")...)
		h := made[4].Header
		h.Digest = protocol.Sum([]byte("other"))
		other, err := protocol.SignChange(replicatest.RecordSigner("KH"), h, made[4].Body)
		if err != nil {
			t.Fatal(err)
		}
		place(t, s, "KH", false, made[0], made[1], made[2], made[3], made[4])
		next := []*protocol.Change{made[0], newer[0], newer[1], other, made[5]}
		place(t, s, "KH", true, next...)
		var got, want []string
		say := func(old, is *protocol.Change) string {
			name := func(c *protocol.Change) string {
				if c == nil {
					return "nothing"
				}
				return c.Pos.String() + " " + c.Raw.Short()
			}
			return name(old) + " by " + name(is)
		}
		for _, r := range swap(t, s, "KH", nil) {
			got = append(got, say(r.Old, r.New))
			if r.Of() == nil {
				t.Error("a replacement of nothing by nothing")
			}
		}
		for _, r := range [][2]*protocol.Change{{made[3], newer[1]}, {made[2], newer[0]}, {nil, made[5]}, {made[4], other}, {made[1], nil}} {
			want = append(want, say(r[0], r[1]))
		}
		slices.Sort(got)
		slices.Sort(want)
		if !slices.Equal(got, want) {
			t.Errorf("got %q\nwant %q", got, want)
		}
		if !maps.Equal(holds(t, s, "KH", false), raws(next...)) {
			t.Error("another copy is in force")
		}
		view(t, s, func(tx *Tx) error {
			b, err := tx.Origin("KH").Frontier()
			if staged, errStaged := tx.Staged("KH").Frontier(); string(b) != "frontier of 5" || staged != nil {
				t.Errorf("frontier %q, staged %q: %v", b, staged, errStaged)
			}
			return err
		})
		wipe(t, s, "KH", 3)
		if again := swap(t, s, "KH", nil); len(again) != len(next) {
			t.Errorf("a swap with nothing replaced %d records of %d", len(again), len(next))
		}
	})
}

// Headers of what an epoch left behind are kept apart, also those that were superseded before; what was merely superseded
// or forgotten goes into the ring, where it was kept already it stays. void may read both copies. Before it was asked within their
// view, it read a transaction that was over, and everything counted as superseded.
func TestSwapKeepsHeaders(t *testing.T) {
	f := federation(t)
	s := open(t, Config{})
	old := mustAuthor(t, s, f, "KH", puts(0, 4, "first")...)                 // 1.1 to 1.4
	old = append(old, mustAuthor(t, s, f, "KH", puts(0, 2, "second")...)...) // 1.5 and 1.6
	old = append(old, mustAuthor(t, s, f, "KH", puts(0, 1, "third")...)...)  // 1.7
	// The base is 1.5; 1.6 and 1.7 are void, and so is 1.5's successor only.
	maker := replicatest.Node{Store: shelf{open(t, Config{}), "KH"}, Origin: "KH"}
	for _, ch := range old[:5] {
		if err := maker.Next(ch); err != nil {
			t.Fatal(err)
		}
	}
	if err := maker.Step(func(c *replica.Copy, set replicatest.Set) error {
		d, body, err := f.Open(c, "loss", old[6].Pos, nil)
		if err == nil {
			_, err = c.Author(set, replicatest.RecordSigner("KH"), d, body)
		}
		return err
	}); err != nil {
		t.Fatal(err)
	}
	head, err := maker.Author(f, protocol.Put, replicatest.Key(3), []byte("new"))
	if err != nil {
		t.Fatal(err)
	}
	b, err := maker.Serve(replica.New("KH").Ask(), 100)
	if err != nil {
		t.Fatal(err)
	}
	staged := replicatest.Node{Store: stagedShelf{s, "KH"}, Origin: "KH"}
	if err := staged.Draw(b); err != nil {
		t.Fatal(err)
	}
	if err := s.Swap("KH", Swapping{
		Ready: func(_, _ *Origin) error { return nil },
		Fate: func(staged *Origin, h *protocol.SignedHeader) Fate {
			kept, err := replica.OnPath(staged, 2, h.Pos)
			if err != nil {
				t.Errorf("whether %s is void: %v", h.Pos, err)
			}
			if !kept {
				return Void
			}
			return Kept
		},
		Each: func(Replacement) {},
	}); err != nil {
		t.Fatal(err)
	}
	if c := proven(t, s, "KH"); c.Header != head.Raw {
		t.Errorf("proven at %s", c.Proven)
	}
	view(t, s, func(tx *Tx) error {
		void, err := tx.Origin("KH").Voided()
		if len(void) != 2 || void[0].Raw != old[5].Raw || void[1].Raw != old[6].Raw {
			t.Errorf("%d void headers are kept: %v", len(void), err)
		}
		for seq := range uint64(7) {
			pos := protocol.Position{Epoch: 1, Seq: seq + 1}
			h, err := tx.Origin("KH").HeaderAt(pos)
			if kept := seq < 5; err != nil || kept != (h != nil) || kept && h.Raw != old[seq].Raw {
				t.Errorf("header at %s: kept %v, %v", pos, h != nil, err)
			}
		}
		return err
	})
}

// An error leaves everything as it is.
func TestSwapRefused(t *testing.T) {
	f := federation(t)
	both(t, func(t *testing.T, s *Store) {
		maker := open(t, Config{})
		made := mustAuthor(t, maker, f, "KH", puts(0, 6, "x")...)
		place(t, s, "KH", false, made[:3]...)
		place(t, s, "KH", true, made...)
		no := errors.New("no")
		told := false
		err := s.Swap("KH", Swapping{Each: func(Replacement) { told = true }, Ready: func(staged, held *Origin) error {
			a, errA := staged.Frontier()
			b, errB := held.Frontier()
			if string(a) != "frontier of 6" || string(b) != "frontier of 3" {
				t.Errorf("it was asked about %q and %q", a, b)
			}
			return errors.Join(no, errA, errB)
		}})
		if !errors.Is(err, no) || told {
			t.Errorf("got %v", err)
		}
		if !maps.Equal(holds(t, s, "KH", false), raws(made[:3]...)) || !maps.Equal(holds(t, s, "KH", true), raws(made...)) {
			t.Error("something was changed")
		}
	})
	d := newDisk(900 * mib)
	s := open(t, Config{Dir: t.TempDir(), MinFree: 300 * mib, Free: d.ask})
	d.free.Store(100 * mib)
	if err := s.Swap("KH", Swapping{}); protocol.CodeOf(err) != protocol.CodeReadOnly {
		t.Errorf("on a full disk: %v", err)
	}
}

// Whoever reads during swaps sees one copy or the other, whole.
func TestReadersOfASwap(t *testing.T) {
	f := federation(t)
	s := open(t, Config{})
	maker := open(t, Config{})
	made := mustAuthor(t, maker, f, "KH", append(puts(0, 40, "first"), puts(0, 40, "second")...)...)
	first, second := made[:40], made[40:]
	place(t, s, "KH", false, first...)
	var readers sync.WaitGroup
	stop := make(chan struct{})
	seen := make([][2]int, 2)
	for r := range 2 {
		readers.Go(func() {
			for {
				select {
				case <-stop:
					return
				default:
				}
				n := [2]int{}
				if err := s.View(func(tx *Tx) error {
					return tx.Records("KH", "", func(c *protocol.Change) (bool, error) {
						if c.Pos.Seq <= 40 {
							n[0]++
						} else {
							n[1]++
						}
						return true, nil
					})
				}); err != nil || n != [2]int{40, 0} && n != [2]int{0, 40} {
					t.Errorf("%d records of the one and %d of the other: %v", n[0], n[1], err)
					return
				}
				seen[r][n[1]/40]++
			}
		})
	}
	for i := range 40 {
		next := [][]*protocol.Change{second, first}[i%2]
		place(t, s, "KH", true, next...)
		swap(t, s, "KH", nil)
		wipe(t, s, "KH", 30)
	}
	close(stop)
	readers.Wait()
	t.Logf("seen by two readers: %v", seen)
}

// Withdrawals are found in the order of positions up to a seq, and no longer once they are replaced or dropped.
func TestWithdrawnAndDrop(t *testing.T) {
	f := federation(t)
	both(t, func(t *testing.T, s *Store) {
		gone := func(n int) draft {
			return draft{protocol.Withdraw, replicatest.Key(n), protocol.Tombstone{Reason: "error"}.Encode()}
		}
		made := mustAuthor(t, s, f, "AB", append(puts(0, 5, "x"), gone(4), gone(0), gone(2))...) // 1.6, 1.7, 1.8
		mustAuthor(t, s, f, "ABC", append(puts(0, 2, "x"), gone(1))...)                          // 1.3
		withdrawn := func(upTo uint64, limit int) (seqs []uint64) {
			view(t, s, func(tx *Tx) error {
				all, err := tx.Origin("AB").Withdrawn(upTo, limit)
				for _, e := range all {
					seqs = append(seqs, e.Pos.Seq)
				}
				return err
			})
			return seqs
		}
		for _, x := range []struct {
			upTo  uint64
			limit int
			want  []uint64
		}{{5, 9, nil}, {6, 9, []uint64{6}}, {7, 9, []uint64{6, 7}}, {99, 9, []uint64{6, 7, 8}}, {99, 2, []uint64{6, 7}}} {
			if got := withdrawn(x.upTo, x.limit); !slices.Equal(got, x.want) {
				t.Errorf("up to %d, at most %d: %v", x.upTo, x.limit, got)
			}
		}
		mustAuthor(t, s, f, "AB", puts(0, 1, "again")...)
		if got := withdrawn(99, 9); !slices.Equal(got, []uint64{6, 8}) {
			t.Errorf("after one came back: %v", got)
		}
		update(t, s, func(tx *Tx) error {
			o := tx.Origin("AB")
			if err := o.Drop(made[5].Element()); err != nil {
				return err
			}
			if len(o.Replaced) != 1 || o.Replaced[0].New != nil || o.Replaced[0].Of().Raw != made[5].Raw {
				t.Errorf("told: %+v", o.Replaced)
			}
			return nil
		})
		if got := withdrawn(99, 9); !slices.Equal(got, []uint64{8}) {
			t.Errorf("after one was dropped: %v", got)
		}
		if _, still := holds(t, s, "AB", false)[replicatest.Key(4)]; still {
			t.Error("the dropped one is still held")
		}
		view(t, s, func(tx *Tx) error { // as evidence, as that of any superseded record
			h, err := tx.Origin("AB").HeaderAt(made[5].Pos)
			if err != nil || h == nil || h.Raw != made[5].Raw {
				t.Errorf("the header of what was dropped: %v", err)
			}
			return nil
		})
		for _, e := range []protocol.Element{made[5].Element(), made[0].Element()} { // dropped already, replaced since
			if err := s.Update(func(tx *Tx) error { return tx.Origin("AB").Drop(e) }); protocol.CodeOf(err) != protocol.CodeInternal {
				t.Errorf("dropping %s, which is not held: %v", e.Pos, err)
			}
		}
	})
}

// The ids of own records that have left the set are remembered.
func TestBuried(t *testing.T) {
	f := federation(t)
	both(t, func(t *testing.T, s *Store) {
		made := mustAuthor(t, s, f, "KH", append(puts(0, 1, "x"), draft{protocol.Withdraw, replicatest.Key(0), protocol.Tombstone{Reason: "agreement"}.Encode()})...)
		update(t, s, func(tx *Tx) error { return tx.Bury(made[1]) })
		view(t, s, func(tx *Tx) error {
			b, err := tx.Buried(replicatest.Key(0))
			if d, errDecode := protocol.DecodeTombstone(b); errDecode != nil || d.Reason != "agreement" {
				t.Errorf("%+v: %v", d, errDecode)
			}
			if none, err := tx.Buried("listing/L000"); none != nil || err != nil { // the beginning of its key
				t.Errorf("a tombstone of nobody: %v", err)
			}
			return err
		})
	})
}

func fateOf(void func(protocol.Position) bool) func(*protocol.SignedHeader) Fate {
	return func(h *protocol.SignedHeader) Fate {
		if void(h.Pos) {
			return Void
		}
		return Kept
	}
}
