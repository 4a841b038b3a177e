package replicatest

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/asean-tmh/tmh/protocol"
)

// author is an origin that makes random changes.
type author struct {
	Node
	federation *Federation
	rnd        *rand.Rand
	live       []protocol.RecordKey
	all, fresh []*protocol.Change // everything, and what the last call of some made
	made       int
	withdrawn  int
}

func newAuthor(t testing.TB, rnd *rand.Rand, s Store) *author {
	t.Helper()
	f, err := NewFederation("KH", "LA")
	if err != nil {
		t.Fatal(err)
	}
	return &author{Node: Node{s, "KH"}, federation: f, rnd: rnd}
}

func (a *author) head() *protocol.Change { return a.all[len(a.all)-1] }

// some makes n changes: half of them new records, a third revisions, the rest withdrawals.
func (a *author) some(n int) error {
	a.fresh = nil
	for range n {
		kind, key := protocol.Put, Key(a.made)
		body := fmt.Appendf(nil, "body %d of %s", len(a.all), key)
		switch what := a.rnd.IntN(6); {
		case len(a.live) == 0 || what < 3:
			a.made++
			a.live = append(a.live, key)
		case what < 5:
			key = a.live[a.rnd.IntN(len(a.live))]
		default:
			i := a.rnd.IntN(len(a.live))
			kind, key = protocol.Withdraw, a.live[i]
			a.live = append(a.live[:i], a.live[i+1:]...)
			body = protocol.Tombstone{Reason: "expired", At: 1}.Encode()
			a.withdrawn++
		}
		ch, err := a.Author(a.federation, kind, key, body)
		if err != nil {
			return err
		}
		a.all, a.fresh = append(a.all, ch), append(a.fresh, ch)
	}
	return nil
}
