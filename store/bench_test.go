package store

import (
	"crypto/rand"
	"testing"

	"github.com/asean-tmh/tmh/protocol"
	"github.com/asean-tmh/tmh/protocol/replica/replicatest"
)

// durable authors n changes of 1.4 KB in batches of 500, each batch synced to disk.
func durable(b *testing.B, n int) *Store {
	b.Helper()
	s := open(b, Config{Dir: b.TempDir(), Memtable: 64 << 20})
	f := federation(b)
	body := make([]byte, 1400)
	if _, err := rand.Read(body); err != nil {
		b.Fatal(err)
	}
	b.ResetTimer()
	for from := 0; from < n; from += 500 {
		var batch []draft
		for i := from; i < min(n, from+500); i++ {
			batch = append(batch, draft{protocol.Put, replicatest.Key(i), body})
		}
		mustAuthor(b, s, f, "KH", batch...)
	}
	return s
}

func BenchmarkAuthorDurable(b *testing.B) {
	durable(b, b.N)
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "changes/s")
}

func BenchmarkFeed(b *testing.B) {
	s := durable(b, b.N)
	b.ResetTimer()
	size, n := 0, 0
	view(b, s, func(tx *Tx) error {
		return tx.Origin("KH").Feed(protocol.Start, func(_ protocol.Position, change []byte) (bool, error) {
			size += len(change)
			n++
			return true, nil
		})
	})
	if n != b.N {
		b.Fatalf("%d changes of %d", n, b.N)
	}
	b.ReportMetric(float64(n)/b.Elapsed().Seconds(), "changes/s")
	b.SetBytes(int64(size / b.N))
}

// BenchmarkDrawDurable pulls what another store holds, without network and signatures: batches of 64 KiB, each one
// transaction.
func BenchmarkDrawDurable(b *testing.B) {
	origin := replicatest.Node{Store: shelf{durable(b, b.N), "KH"}, Origin: "KH"}
	n := replicatest.Node{Store: shelf{open(b, Config{Dir: b.TempDir(), Memtable: 64 << 20}), "KH"}, Origin: "KH"}
	b.ResetTimer()
	for {
		c, err := n.Copy()
		if err != nil {
			b.Fatal(err)
		}
		batch, err := origin.Serve(c.Ask(), protocol.MaxBatch/1700)
		if err == nil {
			err = n.Draw(batch)
		}
		if err != nil {
			b.Fatal(err)
		}
		if batch.Last {
			break
		}
	}
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "changes/s")
}
