package store

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

// The suite of package replica over the real store.
func TestHistoriesConverge(t *testing.T) {
	memory, disk := 20, 2
	if testing.Short() {
		memory, disk = 4, 1
	}
	t.Run("memory", func(t *testing.T) { replicatest.Histories(t, 2, memory, 200, shelves(open(t, Config{}))) })
	t.Run("disk", func(t *testing.T) {
		replicatest.Histories(t, 3, disk, 200, shelves(open(t, Config{Dir: t.TempDir()})))
	})
}

func TestWithheldChangesAreMissed(t *testing.T) {
	count := 12
	if testing.Short() {
		count = 3
	}
	replicatest.Withheld(t, 2, count, 60, passing(t))
}

func TestWalks(t *testing.T) {
	count := 100
	if testing.Short() {
		count = 10
	}
	if *walks > 0 {
		count = *walks
	}
	replicatest.Walks(t, *seed, count, *steps, passing(t))
}

func TestWalksThatFailed(t *testing.T) { replicatest.Failed(t, passing(t)) }

// TestSoakWalks is for make soak.
func TestSoakWalks(t *testing.T) {
	if os.Getenv("TMH_SOAK") == "" {
		t.Skip("takes minutes: set TMH_SOAK=1")
	}
	count := 4000
	if *walks > 0 {
		count = *walks
	}
	replicatest.Walks(t, *seed, count, *steps, passing(t))
}
