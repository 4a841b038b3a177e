package match

import (
	"cmp"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/asean-tmh/tmh/protocol"
)

// What is kept is what sorting all gives, however many have equal sums.
func TestKeeperKeepsTheBest(t *testing.T) {
	x := New(Options{})
	var changes []Change
	for i := range 700 {
		l := listing(fmt.Sprintf("L%d", i), protocol.TechnologyOffer, "en", protocol.Text{Title: "Solar dryer"})
		changes = append(changes, Change{Ref: Ref{"KH", l.ID}, Listing: l})
	}
	x.Apply(changes...)
	s := x.snap.Load()
	compare := func(a, b candidate) int { return s.compare(&a, &b) }
	r := rand.New(rand.NewPCG(1, 1))
	var k keeper
	for range 200 {
		depth, different := 1+r.IntN(60), 1+r.IntN(400)
		k.begin(s, depth)
		all := make([]candidate, r.IntN(700))
		for i, d := range r.Perm(700)[:len(all)] {
			all[i] = candidate{doc: uint16(d), sum: 1 + uint32(r.IntN(different))}
			if all[i].sum >= k.floor {
				k.offer(all[i])
			}
		}
		k.cut()
		slices.SortFunc(k.list, compare)
		slices.SortFunc(all, compare)
		if want := all[:min(depth, len(all))]; !slices.Equal(k.list, want) {
			t.Fatalf("the best %d of %d with %d different sums: got %v, want %v", depth, len(all), different, k.list, want)
		}
	}
}

func TestBestFirstSortsTheFront(t *testing.T) {
	r := rand.New(rand.NewPCG(2, 2))
	for range 500 {
		list := r.Perm(r.IntN(300))
		n := r.IntN(310)
		bestFirst(list, n, cmp.Compare[int])
		for i, v := range list[:min(n, len(list))] {
			if v != i {
				t.Fatalf("first %d of %d: %v", n, len(list), list)
			}
		}
		if slices.Sort(list); len(list) > 0 && list[len(list)-1] != len(list)-1 {
			t.Fatalf("one is lost: %v", list)
		}
	}
}
