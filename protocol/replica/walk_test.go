package replica_test

import (
	"flag"
	"os"
	"testing"

	"github.com/asean-tmh/tmh/protocol/replica/replicatest"
)

var (
	walks = flag.Int("walks", 0, "random walks; 0: what the test says")
	steps = flag.Int("steps", 100, "of a random walk")
)

// One origin and its copies over maps, at random: what must hold holds after every step.
func TestWalks(t *testing.T) {
	count := 1000
	if testing.Short() {
		count = 100
	}
	if *walks > 0 {
		count = *walks
	}
	replicatest.Walks(t, *seed, count, *steps, openMap)
}

// TestSoakWalks is for make soak.
func TestSoakWalks(t *testing.T) {
	if os.Getenv("TMH_SOAK") == "" {
		t.Skip("takes minutes: set TMH_SOAK=1")
	}
	count := 20000
	if *walks > 0 {
		count = *walks
	}
	replicatest.Walks(t, *seed, count, *steps, openMap)
}

func TestWalksThatFailed(t *testing.T) { replicatest.Failed(t, openMap) }
