package node

import (
	"testing"
	"time"

	"github.com/asean-tmh/tmh/protocol"
	"github.com/asean-tmh/tmh/store"
)

// What was given out by hand is known afterwards, the newest of it only.
func TestBackupsGivenOutAreKnown(t *testing.T) {
	s, err := store.Open(store.Config{})
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	}()
	at := time.Date(2026, 11, 23, 9, 0, 0, 0, time.UTC)
	n := &Node{store: s, cfg: Config{Now: func() time.Time { return at }}, backups: &backups{}}
	if b, err := n.backupsKept(); err != nil || len(b.Given) != 0 {
		t.Errorf("at first %v, %v", b.Given, err)
	}
	for range mostGiven + 3 {
		at = at.Add(time.Hour)
		if err := n.backupGiven(); err != nil {
			t.Fatal(err)
		}
	}
	b, err := n.backupsKept()
	if err != nil || len(b.Given) != mostGiven || protocol.InstantOf(b.Given[mostGiven-1]) != protocol.InstantOf(at) {
		t.Errorf("%v, %v", b.Given, err)
	}
}
