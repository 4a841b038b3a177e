package store

import (
	"bytes"
	"errors"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/asean-tmh/tmh/protocol"
	"github.com/asean-tmh/tmh/protocol/replica/replicatest"
)

var scrubRecords = flag.Int("scrub.records", 0, "records of TestScrubTime, for measuring")

// marker is text that stands in one body of one record only.
func marker(record, revision int) string { return fmt.Sprintf("<body %d.%d>", record, revision) }

func marked(record, revision, size int) draft {
	body := make([]byte, size)
	for i := range body {
		body[i] = byte('a' + rand.IntN(26))
	}
	copy(body, marker(record, revision))
	return draft{protocol.Put, replicatest.Key(record), body}
}

// raw reads every file of a database, as somebody who has the disk could.
func raw(t *testing.T, dir string) [][]byte {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	var all [][]byte
	for _, e := range entries {
		b, err := os.ReadFile(filepath.Join(dir, e.Name()))
		if errors.Is(err, os.ErrNotExist) {
			continue // a compaction was faster
		}
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, b)
	}
	return all
}

// onDisk are all markers that can be read from the files, with how often.
func onDisk(t *testing.T, dir string) map[string]int {
	t.Helper()
	found := make(map[string]int)
	for _, b := range raw(t, dir) {
		for {
			i := bytes.Index(b, []byte("<body "))
			if i < 0 {
				break
			}
			b = b[i:]
			if end := bytes.IndexByte(b[:min(len(b), 40)], '>'); end > 0 {
				found[string(b[:end+1])]++
			}
			b = b[1:]
		}
	}
	return found
}

// scrubbedOf fails where the files hold another body than the live ones, or lack one.
func scrubbedOf(t *testing.T, when, dir string, live map[int]int) {
	t.Helper()
	want := make(map[string]bool)
	for record, revision := range live {
		want[marker(record, revision)] = true
	}
	found := onDisk(t, dir)
	wrong := 0
	for m := range found {
		if !want[m] {
			if wrong++; wrong < 5 {
				t.Errorf("%s: %s can still be read from the files", when, m)
			}
		}
	}
	for m := range want {
		if found[m] == 0 {
			t.Errorf("%s: %s is live and not in the files", when, m)
		}
	}
	if wrong > 0 {
		t.Fatalf("%s: %d superseded bodies can be read", when, wrong)
	}
}

// histories of marked records: published, some revised up to three times, some withdrawn.
func markedHistory(t *testing.T, s *Store, f *replicatest.Federation, from, to int, live map[int]int) {
	t.Helper()
	var batch []draft
	write := func(d draft) {
		if batch = append(batch, d); len(batch) == 100 {
			mustAuthor(t, s, f, "KH", batch...)
			batch = nil
		}
	}
	for revision := range 4 {
		for record := from; record < to; record++ {
			if record%4 >= revision {
				write(marked(record, revision, 1400))
				live[record] = revision
			}
		}
	}
	for record := from; record < to; record += 5 {
		write(draft{protocol.Withdraw, replicatest.Key(record), []byte("gone")})
		delete(live, record)
	}
	mustAuthor(t, s, f, "KH", batch...)
}

func TestScrubErasesSupersededBodies(t *testing.T) {
	records := 8000 // some 28 MB: several memtables of 8 MiB
	if testing.Short() {
		records = 300
	}
	f := federation(t)
	dir := t.TempDir()
	s := open(t, Config{Dir: dir})
	live := make(map[int]int)
	markedHistory(t, s, f, 0, records, live)
	if n := len(onDisk(t, dir)); n <= len(live) {
		t.Fatalf("the files hold %d bodies before the scrub: the test shows nothing", n)
	}
	before := proven(t, s, "KH")
	update(t, s, func(tx *Tx) error { return tx.SetFull("listing/a", []byte("<body full>")) })
	update(t, s, func(tx *Tx) error { return tx.SetFull("listing/a", nil) })
	start := time.Now()
	if err := s.Scrub(t.Context()); err != nil {
		t.Fatal(err)
	}
	t.Logf("%d live records of %d scrubbed in %s", len(live), records, time.Since(start))
	scrubbedOf(t, "after the scrub", dir, live)
	if after := proven(t, s, "KH"); *after != *before {
		t.Error("the catalogue changed")
	}
	markedHistory(t, s, f, records, records+50, live) // the store goes on, and is scrubbed again
	if err := s.Scrub(t.Context()); err != nil {
		t.Fatal(err)
	}
	scrubbedOf(t, "after the second scrub", dir, live)
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	scrubbedOf(t, "after closing", dir, live)
	s = open(t, Config{Dir: dir})
	scrubbedOf(t, "after opening again", dir, live)
	proven(t, s, "KH")
}

// Versions that an open reader holds back reach the last level beside their successors, where Badger leaves them for ever.
func TestScrubAfterAReaderHeldItBack(t *testing.T) {
	f := federation(t)
	dir := t.TempDir()
	s := open(t, Config{Dir: dir})
	live := make(map[int]int)
	for record := range 200 {
		mustAuthor(t, s, f, "KH", marked(record, 0, 1400))
	}
	view(t, s, func(tx *Tx) error {
		for record := range 200 {
			mustAuthor(t, s, f, "KH", marked(record, 1, 1400))
			live[record] = 1
		}
		for range 2 { // the second begins where everything is in one level
			if err := s.Scrub(t.Context()); protocol.CodeOf(err) != protocol.CodeUnavailable {
				t.Errorf("a scrub under an open view said %v", err)
			}
		}
		c, err := tx.Record("KH", replicatest.Key(7))
		if err != nil || !bytes.HasPrefix(c.Body, []byte(marker(7, 0))) {
			t.Errorf("the open view lost what it sees: %v", err)
		}
		return nil
	})
	if err := s.Scrub(t.Context()); err != nil {
		t.Fatal(err)
	}
	scrubbedOf(t, "after the reader", dir, live)
	proven(t, s, "KH")
}

func TestScrubInMemory(t *testing.T) {
	f := federation(t)
	s := open(t, Config{})
	live := make(map[int]int)
	markedHistory(t, s, f, 0, 200, live)
	if err := s.Scrub(t.Context()); err != nil {
		t.Fatal(err)
	}
	if found, _, err := s.superseded(nil, s.readTs()); err != nil || len(found) > 0 {
		t.Errorf("%d keys have old versions: %v", len(found), err)
	}
	proven(t, s, "KH")
}

// Writers and readers go on while the store is scrubbed again and again.
func TestScrubWhileWriting(t *testing.T) {
	rounds := 12
	if testing.Short() {
		rounds = 3
	}
	f := federation(t)
	dir := t.TempDir()
	s := open(t, Config{Dir: dir})
	live := make(map[int]int)
	markedHistory(t, s, f, 0, 2000, live)
	stop := make(chan struct{})
	var work sync.WaitGroup
	var slowest time.Duration
	work.Go(func() {
		for i := 0; ; i++ {
			select {
			case <-stop:
				return
			default:
			}
			start := time.Now()
			if _, err := author(s, f, "KH", marked(5000+i%700, 100+i, 1400)); err != nil {
				t.Error(err)
				return
			}
			live[5000+i%700] = 100 + i
			slowest = max(slowest, time.Since(start))
		}
	})
	work.Go(func() {
		for {
			select {
			case <-stop:
				return
			default:
				proven(t, s, "KH")
			}
		}
	})
	for range rounds {
		err := s.Scrub(t.Context())
		if err != nil && protocol.CodeOf(err) != protocol.CodeUnavailable { // readers overlap without end here
			t.Fatal(err)
		}
	}
	close(stop)
	work.Wait()
	t.Logf("slowest write %s", slowest)
	if err := s.Scrub(t.Context()); err != nil {
		t.Fatal(err)
	}
	scrubbedOf(t, "after the last scrub", dir, live)
	proven(t, s, "KH")
}

const scrubDir = "TMH_TEST_SCRUB_DIR"

// TestScrubChild is no test by itself but the process that TestKilledWhileScrubbing kills.
func TestScrubChild(t *testing.T) {
	dir := os.Getenv(scrubDir)
	if dir == "" {
		t.Skip("run by TestKilledWhileScrubbing")
	}
	s, err := Open(Config{Dir: dir, Memtable: 8 << 20, MinFree: 1})
	if err != nil {
		t.Fatal(err)
	}
	f := federation(t)
	go func() {
		for {
			if err := s.Scrub(t.Context()); err != nil {
				fmt.Println("scrub failed", err)
				os.Exit(1)
			}
			fmt.Println("scrubbed")
		}
	}()
	for {
		made, err := author(s, f, "KH", puts(0, 1+rand.IntN(40), strings.Repeat("x", 1400))...)
		if err != nil {
			t.Fatal(err)
		}
		fmt.Println("acknowledged", made[len(made)-1].Pos.Seq)
	}
}

func TestKilledWhileScrubbing(t *testing.T) {
	kills := 20
	if testing.Short() {
		kills = 4
	}
	dir := t.TempDir()
	var scrubs, total int
	for kill := range kills {
		child := exec.Command(os.Args[0], "-test.run=^TestScrubChild$")
		child.Env = append(os.Environ(), scrubDir+"="+dir)
		out, err := child.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := child.Start(); err != nil {
			t.Fatal(err)
		}
		time.AfterFunc(300*time.Millisecond+time.Duration(rand.IntN(900))*time.Millisecond, func() { _ = child.Process.Kill() })
		var b bytes.Buffer
		_, _ = b.ReadFrom(out)
		if err := child.Wait(); err == nil || child.ProcessState.ExitCode() != -1 {
			t.Fatalf("the child ended by itself: %v\n%s", err, b.String())
		}
		var last uint64
		for line := range strings.Lines(b.String()) {
			var seq uint64
			if !strings.HasSuffix(line, "\n") {
				break
			}
			if n, _ := fmt.Sscanf(line, "acknowledged %d", &seq); n == 1 {
				last = seq
				total++
			} else if strings.HasPrefix(line, "scrubbed") {
				scrubs++
			}
		}
		s := open(t, Config{Dir: dir})
		if c := proven(t, s, "KH"); c.Proven.Seq < last {
			t.Errorf("kill %d: the store ends at %s, but %d was acknowledged", kill, c.Proven, last)
		}
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
	}
	t.Logf("%d kills, %d scrubs completed, %d batches acknowledged", kills, scrubs, total)
	if scrubs == 0 || total == 0 {
		t.Error("nothing was scrubbed or written: the test shows little")
	}
}

// Maintain scrubs by itself, and counts the time over restarts.
func TestMaintainScrubs(t *testing.T) {
	f := federation(t)
	dir := t.TempDir()
	s := open(t, Config{Dir: dir, ScrubEvery: 50 * time.Millisecond})
	live := make(map[int]int)
	markedHistory(t, s, f, 0, 100, live)
	stop, done := make(chan struct{}), make(chan struct{})
	go func() { s.Maintain(stop); close(done) }()
	for end := time.Now().Add(20 * time.Second); len(onDisk(t, dir)) != len(live); {
		if time.Now().After(end) {
			t.Fatal("Maintain did not scrub")
		}
	}
	close(stop)
	<-done
	scrubbedOf(t, "after Maintain", dir, live)
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	s = open(t, Config{Dir: dir})
	if d := s.untilScrub(); d > scrubEvery || d < scrubEvery-time.Minute {
		t.Errorf("the next scrub is due in %s", d)
	}
}

// In simulated time an hour passes at once.
func TestMaintainScrubsInSimulatedTime(t *testing.T) {
	f := federation(t)
	synctest.Test(t, func(t *testing.T) {
		s, err := Open(Config{ScrubEvery: time.Hour})
		if err != nil {
			t.Fatal(err)
		}
		stop, done := make(chan struct{}), make(chan struct{})
		go func() { s.Maintain(stop); close(done) }()
		for range 3 {
			markedHistory(t, s, f, 0, 60, make(map[int]int))
			before := s.readTs()
			if found, _, err := s.superseded(nil, before); err != nil || len(found) == 0 {
				t.Errorf("nothing is superseded: %v", err)
			}
			time.Sleep(time.Hour + time.Minute)
			if found, _, err := s.superseded(nil, before); err != nil || len(found) > 0 {
				t.Errorf("%d keys have old versions after an hour: %v", len(found), err)
			}
		}
		close(stop)
		<-done
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
}

// TestScrubTime measures: go test ./store -run ScrubTime -scrub.records 100000 -v.
func TestScrubTime(t *testing.T) {
	if *scrubRecords == 0 {
		t.Skip("a measurement: run with -scrub.records 100000")
	}
	f := federation(t)
	dir := t.TempDir()
	s := open(t, Config{Dir: dir, Memtable: 64 << 20})
	for from := 0; from < *scrubRecords; from += 500 {
		var batch []draft
		for record := from; record < from+500; record++ {
			batch = append(batch, marked(record, 0, 1400))
		}
		mustAuthor(t, s, f, "KH", batch...)
	}
	for from := 0; from < *scrubRecords/10; from += 500 {
		var batch []draft
		for record := from; record < from+500; record++ {
			batch = append(batch, marked(record*10, 1, 1400))
		}
		mustAuthor(t, s, f, "KH", batch...)
	}
	for range 2 {
		stop, slow := make(chan struct{}), make(chan time.Duration)
		go func() {
			var slowest time.Duration
			for i := 0; ; i++ {
				select {
				case <-stop:
					slow <- slowest
					return
				default:
				}
				start := time.Now()
				if err := s.View(func(tx *Tx) error { _, err := tx.Record("KH", replicatest.Key(i%1000)); return err }); err != nil {
					t.Error(err)
				}
				slowest = max(slowest, time.Since(start))
			}
		}()
		start := time.Now()
		if err := s.Scrub(t.Context()); err != nil {
			t.Fatal(err)
		}
		took := time.Since(start)
		close(stop)
		t.Logf("scrub of %d records: %s; slowest read meanwhile %s; %d MiB of tables", *scrubRecords, took, <-slow, s.tables()>>20)
	}
}
