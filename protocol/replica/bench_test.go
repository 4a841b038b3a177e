package replica_test

import (
	"math/rand/v2"
	"testing"

	"github.com/asean-tmh/tmh/protocol"
	"github.com/asean-tmh/tmh/protocol/replica"
	"github.com/asean-tmh/tmh/protocol/replica/replicatest"
)

// authored is a copy that made n changes of 1.4 KB, a fifth of them revisions.
func authored(b *testing.B, n int) (all []*protocol.Change) {
	b.Helper()
	f, err := replicatest.NewFederation("KH")
	if err != nil {
		b.Fatal(err)
	}
	var m replicatest.Map
	rnd := rand.New(rand.NewPCG(1, 1))
	body := make([]byte, 1400)
	c := replica.New("KH")
	b.ResetTimer()
	if err := m.Update(func(s replicatest.Set) error {
		for i := range n {
			key := i
			if i > 0 && rnd.IntN(5) == 0 {
				key = rnd.IntN(i)
			}
			ch, err := c.Author(s, replicatest.RecordSigner("KH"), f.Draft(protocol.Put, replicatest.Key(key)), body)
			if err != nil {
				return err
			}
			all = append(all, ch)
		}
		return nil
	}); err != nil {
		b.Fatal(err)
	}
	return all
}

func BenchmarkAuthor(b *testing.B) { authored(b, b.N) }

func BenchmarkNext(b *testing.B) {
	all := authored(b, b.N)
	c := replica.New("KH")
	b.ResetTimer()
	if err := new(replicatest.Map).Update(func(s replicatest.Set) error {
		for _, ch := range all {
			if err := c.Next(s, ch); err != nil {
				return err
			}
		}
		return nil
	}); err != nil {
		b.Fatal(err)
	}
}

// BenchmarkDraw draws a compacted feed in one pull and proves it.
func BenchmarkDraw(b *testing.B) {
	all := authored(b, b.N)
	newest := make(map[protocol.RecordKey]*protocol.Change)
	for _, ch := range all {
		newest[ch.RecordKey] = ch
	}
	var feed []*protocol.Change
	for _, ch := range all {
		if newest[ch.RecordKey] == ch {
			feed = append(feed, ch)
		}
	}
	c := replica.New("KH")
	b.ResetTimer()
	if err := new(replicatest.Map).Update(func(s replicatest.Set) error {
		proven, err := c.Draw(s, &all[len(all)-1].SignedHeader, feed, true)
		if err == nil && !proven {
			b.Fatal("not proven")
		}
		return err
	}); err != nil {
		b.Fatal(err)
	}
	b.ReportMetric(float64(len(feed))/float64(len(all)), "records/change")
}
