package main

import (
	"fmt"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
)

// While four clients publish and revise, every backup is one consistent state, proven at its frontier, and holds what was
// acknowledged before it began.
func TestBackupUnderWriters(t *testing.T) {
	t.Parallel()
	backups := 8
	if testing.Short() {
		backups = 2
	}
	tmp := t.TempDir()
	dir := filepath.Join(tmp, "kh")
	lonelyNode(t, dir)
	p := start(t, dir)
	p.ready(t)
	var acknowledged atomic.Uint64
	var work sync.WaitGroup
	stop := make(chan struct{})
	first := make(chan struct{})
	var once sync.Once
	for client := range 4 {
		work.Go(func() {
			for i := 0; ; i++ {
				select {
				case <-stop:
					return
				default:
				}
				r, err := p.publish(listing(fmt.Sprintf("S-%d-%d", client, i%40), fmt.Sprintf("Listing %d", i), 900))
				if err != nil {
					t.Error(err)
					return
				}
				for {
					have := acknowledged.Load()
					if have >= r.Position.Seq || acknowledged.CompareAndSwap(have, r.Position.Seq) {
						break
					}
				}
				once.Do(func() { close(first) })
			}
		})
	}
	<-first
	held := regexp.MustCompile(`(?m)^  KH +up to 1\.([0-9]+) `)
	var positions []uint64
	for i := range backups {
		before := acknowledged.Load()
		file := filepath.Join(tmp, fmt.Sprintf("%d.tmhbackup", i))
		tmh(t, "backup", "--dir", dir, "--out", file)
		out := tmh(t, "verify", file)
		m := held.FindStringSubmatch(out)
		if m == nil || !strings.Contains(out, ": 0 findings\n") {
			t.Fatalf("backup %d: %s", i, out)
		}
		seq, err := strconv.ParseUint(m[1], 10, 64)
		if err != nil {
			t.Fatal(err)
		}
		if seq < before {
			t.Errorf("backup %d ends at 1.%d, but 1.%d was acknowledged before it began", i, seq, before)
		}
		positions = append(positions, seq)
	}
	close(stop)
	work.Wait()
	p.stop(t)
	verified(t, dir)
	if positions[0] == positions[len(positions)-1] {
		t.Error("nothing was written between the backups: the test shows little")
	}
	t.Logf("%d backups at %v", backups, positions)
}
