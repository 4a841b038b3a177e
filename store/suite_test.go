package store

import (
	"testing"

	"github.com/asean-tmh/tmh/protocol/replica/replicatest"
)

// The suite of package replica over the real store.
func TestHistoriesConverge(t *testing.T) {
	memory, disk := 40, 2
	if testing.Short() {
		memory, disk = 6, 1
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
	replicatest.Withheld(t, 2, count, 60, shelves(open(t, Config{})))
}
