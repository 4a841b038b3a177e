package replicatest

import (
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/asean-tmh/tmh/protocol"
)

// Withheld serves feeds from which one change was dropped, every one in turn, and feeds in which an old version of a
// record stands in place of the newest. None may end in proof, and an honest holder must mend each of them.
func Withheld(t *testing.T, seed uint64, count, changes int, open func(testing.TB) Store) {
	t.Helper()
	var dropped, outdated, behind int
	for i := range count {
		rnd := rand.New(rand.NewPCG(seed, uint64(i)))
		a := newAuthor(t, rnd, open(t))
		if err := a.some(changes); err != nil {
			t.Fatal(err)
		}
		known := rnd.IntN(changes) // how far every replica follows by gossip before
		w := &withholding{t, a, open, known}
		full := w.feed()
		for j, ch := range full {
			feed := slices.Delete(slices.Clone(full), j, j+1)
			w.refused(seed, i, "without "+ch.Pos.String(), feed, 1+rnd.IntN(len(full)))
			dropped++
			if ch == a.head() {
				w.behind(feed)
				behind++
			}
			if old := w.version(ch.PrevSeq); old != nil {
				feed = append(feed, old)
				slices.SortFunc(feed, func(x, y *protocol.Change) int { return x.Pos.Compare(y.Pos) })
				w.refused(seed, i, "old version "+old.Pos.String()+" for "+ch.Pos.String(), feed, 1+rnd.IntN(len(full)))
				outdated++
			}
		}
	}
	t.Logf("seed %d: %d histories; %d feeds without one change and %d with an old version refused, all mended by an honest holder; %d times only the head was unknown",
		seed, count, dropped, outdated, behind)
}

type withholding struct {
	testing.TB
	*author
	open  func(testing.TB) Store
	known int
}

// feed is what an honest holder serves the replica.
func (w *withholding) feed() (feed []*protocol.Change) {
	newest := make(map[protocol.RecordKey]*protocol.Change)
	for _, ch := range w.all {
		newest[ch.RecordKey] = ch
	}
	for _, ch := range w.all[w.known:] {
		if newest[ch.RecordKey] == ch {
			feed = append(feed, ch)
		}
	}
	return feed
}

// version at a seq, nil where the replica has proven it anyway.
func (w *withholding) version(seq uint64) *protocol.Change {
	if seq <= uint64(w.known) {
		return nil
	}
	return w.all[seq-1]
}

func (w *withholding) replica() *Node {
	n := &Node{w.open(w), w.Origin}
	for _, ch := range w.all[:w.known] {
		if err := n.Next(ch); err != nil {
			w.Fatal(err)
		}
	}
	return n
}

func (w *withholding) draw(n *Node, head *protocol.Change, feed []*protocol.Change, most int) error {
	for {
		k := min(most, len(feed))
		if err := n.Draw(Batch{&head.SignedHeader, feed[:k], k == len(feed)}); err != nil || k == len(feed) {
			return err
		}
		feed = feed[k:]
	}
}

func (w *withholding) refused(seed uint64, history int, what string, feed []*protocol.Change, most int) {
	w.Helper()
	n := w.replica()
	err := w.draw(n, w.head(), feed, most)
	c, errCopy := n.Copy()
	switch {
	case errCopy != nil:
		w.Fatal(errCopy)
	case err == nil || c.Proven.Seq != uint64(w.known):
		w.Fatalf("seed %d, history %d: a feed %s was proven", seed, history, what)
	}
	switch code := protocol.CodeOf(err); code {
	case protocol.CodeUnprovenFinal, protocol.CodeChain, protocol.CodePrevious:
	default:
		w.Fatalf("seed %d, history %d: a feed %s was refused as %s: %v", seed, history, what, code, err)
	}
	if err := n.Rewind(); err != nil {
		w.Fatal(err)
	}
	w.mended(n, seed, history, what)
}

// mended: the origin serves what the copy asks for, and that is proven.
func (w *withholding) mended(n *Node, seed uint64, history int, what string) {
	w.Helper()
	c, err := n.Copy()
	if err != nil {
		w.Fatal(err)
	}
	b, err := w.Serve(c.Ask(), len(w.all))
	if err == nil {
		err = n.Draw(b)
	}
	if err != nil {
		w.Fatalf("seed %d, history %d: an honest feed after one %s: %v", seed, history, what, err)
	}
	if c, err = n.Copy(); err != nil || c.CatchingUp() || c.Header != w.head().Raw || c.Digest() != w.head().Digest {
		w.Fatalf("seed %d, history %d: not proven after a feed %s and an honest one: %v", seed, history, what, err)
	}
}

// behind: a holder that does not know the head names the one before. Its copy is an honest one of an earlier time, if
// the head was a new record; else the record that the head replaced is missing. In both cases nothing false is proven.
func (w *withholding) behind(feed []*protocol.Change) {
	w.Helper()
	if len(w.all)-2 < w.known {
		return
	}
	head := w.all[len(w.all)-2]
	n := w.replica()
	err := w.draw(n, head, feed, len(w.all))
	c, errCopy := n.Copy()
	switch {
	case errCopy != nil:
		w.Fatal(errCopy)
	case err != nil && c.Proven.Seq != uint64(w.known):
		w.Fatalf("proven at %s though refused: %v", c.Proven, err)
	case err == nil && (c.Proven != head.Pos || c.Digest() != head.Digest):
		w.Fatalf("proven at %s with another digest than was signed", c.Proven)
	}
	w.mended(n, 0, 0, "without its head")
}
