package replica_test

import (
	"flag"
	"testing"

	"github.com/asean-tmh/tmh/protocol/replica/replicatest"
)

var seed = flag.Uint64("seed", 1, "of random histories")

func openMap(testing.TB) replicatest.Store { return new(replicatest.Map) }

// However changes travel, copies converge to what the origin signed, and no honest holder is refused.
func TestHistoriesConverge(t *testing.T) {
	count := 60
	if testing.Short() {
		count = 15
	}
	replicatest.Histories(t, *seed, count, 200, openMap)
}

// What a holder withholds is missed, and nothing is proven but what was signed.
func TestWithheldChangesAreMissed(t *testing.T) {
	count := 30
	if testing.Short() {
		count = 8
	}
	replicatest.Withheld(t, *seed, count, 60, openMap)
}
