package replicatest

import "testing"

// Failed replays walks that failed once, shrunk, each with what was wrong.
func Failed(t *testing.T, open func(testing.TB) Store) {
	t.Helper()
	for _, x := range []struct{ name, script string }{
		// A pull that began under a head which an epoch then left behind could be proven by no honest feed: Draw now says
		// restart. Seed 1, walk 1.
		{"epoch in the middle of a pull", "copies 4; floor 6; publish 0; floor 4; pull 38016; restore 6"},
		// A holder said restart for its floor before it compared headers, and a copy on another history took its state
		// without seeing the fork. Seed 1, walk 37.
		{"fork below the floor", "copies 4; report 7; gossip 66; floor 0; rollback 7; recover 6; publish 6; gossip 6; publish 2; revise 0; pull 29; floor 424; pull 17"},
		// A withdrawal that a floor forgets took its header out of the evidence, so that a fork at its position was seen by
		// nobody. Seed 1, walk 173 of an earlier mix of verbs.
		{"fork at a forgotten withdrawal", "copies 4; publish 7; gossip 4; revise 4; revise 7; revise 2; floor 7; restore 40834; gossip 50744; rollback 61138; gossip 24; withdraw 3; publish 3; publish 3; revise 4; gossip 4; floor 5"},
		// An epoch was opened twice, and the second one's floor was below what was proven in the first: the copy refused the
		// floor for ever and nobody saw the second opening. Seed 1, walk 3118.
		{"epoch opened twice", "epoch 4; floor 5; pull 153; rollback 3; publish 3; revise 0; epoch 0; report 2"},
		// A liar kept a head that everybody else had lost, and the copy waited for a holder as far as that. What helps is the
		// puller's rule to begin anew (follower.ask). Seed 1, walk 20.
		{"head that only a liar holds", "publish 7; gossip 156; revise 1; report 6; restore 7; lie 155; recover 0; rollback 3"},
	} {
		t.Run(x.name, func(t *testing.T) { Replay(t, x.script, open) })
	}
}
