package store

import (
	"bufio"
	"encoding/binary"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/asean-tmh/tmh/protocol"
	"github.com/asean-tmh/tmh/protocol/replica/replicatest"
)

var seed = flag.Uint64("seed", 1, "of random kill points")

const crashDir = "TMH_TEST_CRASH_DIR"

func TestMain(m *testing.M) {
	flag.Parse()
	if dir := os.Getenv(crashDir); dir != "" {
		if err := writeUntilKilled(dir); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
	}
	os.Exit(m.Run())
}

// writeUntilKilled is the child: it writes batches and says of each, once it is in the store and the guard, how far it
// came. It ends when it is killed or nobody listens.
func writeUntilKilled(dir string) error {
	s, err := Open(Config{Dir: filepath.Join(dir, "db"), Memtable: 8 << 20, MinFree: 1})
	if err != nil {
		return err
	}
	g, err := OpenGuard(filepath.Join(dir, "guard"))
	if err != nil {
		return err
	}
	f, err := replicatest.NewFederation("AB", "ABC", "KH", "LA")
	if err != nil {
		return err
	}
	for {
		var batch []draft
		for range 1 + rand.IntN(60)*rand.IntN(6) {
			kind, body := protocol.Put, make([]byte, 1400)
			binary.BigEndian.PutUint64(body, rand.Uint64())
			batch = append(batch, draft{kind, replicatest.Key(rand.IntN(5000)), body})
		}
		made, err := author(s, f, "KH", batch...)
		if err != nil {
			return err
		}
		head := made[len(made)-1]
		if err := g.Advance(Mark{head.Pos, head.Raw}); err != nil {
			return err
		}
		if _, err := fmt.Println("acknowledged", head.Pos.Seq, head.Raw); err != nil {
			return err
		}
	}
}

// ack is one line of the child.
type ack struct {
	seq  uint64
	hash string
}

// runAndKill lets a child write until it acknowledged some batches, and kills it a moment later, wherever it is.
func runAndKill(t *testing.T, dir string, batches int, moment time.Duration) (acks []ack) {
	t.Helper()
	child := exec.Command(os.Args[0])
	child.Env = append(os.Environ(), crashDir+"="+dir)
	child.Stderr = os.Stderr
	out, err := child.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := child.Start(); err != nil {
		t.Fatal(err)
	}
	kill := func() { _ = child.Process.Signal(syscall.SIGKILL) }
	if batches == 0 {
		time.AfterFunc(moment, kill)
	}
	lines := bufio.NewScanner(out)
	for lines.Scan() {
		var a ack
		if _, err := fmt.Sscanf(lines.Text(), "acknowledged %d %s", &a.seq, &a.hash); err != nil {
			t.Errorf("the child said %q", lines.Text())
			continue
		}
		if acks = append(acks, a); len(acks) == batches {
			time.AfterFunc(moment, kill)
		}
	}
	if err := child.Wait(); err == nil || child.ProcessState.Sys().(syscall.WaitStatus).Signal() != syscall.SIGKILL {
		t.Fatalf("the child ended by itself: %v", err)
	}
	return acks
}

// What was acknowledged before a kill -9 is there after it, and the guard never says more than the store holds. It says
// nothing about power cuts: the page cache survives.
func TestKilled(t *testing.T) {
	points := 24
	if testing.Short() {
		points = 6
	}
	rnd := rand.New(rand.NewPCG(*seed, 1))
	dir := t.TempDir()
	var total, beyond int
	var last ack
	for point := range points {
		batches, moment := rnd.IntN(25), time.Duration(rnd.IntN(4000))*time.Microsecond
		if batches == 0 {
			moment *= 3 // while it opens
		}
		acks := runAndKill(t, dir, batches, moment)
		total += len(acks)
		if len(acks) > 0 {
			last = acks[len(acks)-1]
		}

		if survived(t, fmt.Sprintf("seed %d, kill %d", *seed, point), dir, acks, last.seq) {
			beyond++
		}
	}
	t.Logf("seed %d: %d kills, %d acknowledged batches, up to seq %d; %d times the store was beyond the last acknowledgement", *seed, points, total, last.seq, beyond)
}

// survived checks store and guard after a kill, and reports whether the store went beyond the last acknowledgement.
func survived(t *testing.T, when, dir string, acks []ack, last uint64) (beyond bool) {
	t.Helper()
	s, err := Open(Config{Dir: filepath.Join(dir, "db"), Memtable: 8 << 20, MinFree: 1})
	if err != nil {
		t.Fatalf("%s: %v", when, err)
	}
	defer s.Close()
	g := openGuard(t, filepath.Join(dir, "guard"))
	defer g.Close()
	c, m := proven(t, s, "KH"), g.Mark()
	if c.Proven.Seq < last {
		t.Errorf("%s: the store ends at %s, but %d was acknowledged", when, c.Proven, last)
	}
	if m.Pos.Seq < last || m.Pos.Compare(c.Proven) > 0 {
		t.Errorf("%s: the guard says %s, acknowledged was %d, the store has %s", when, m.Pos, last, c.Proven)
	}
	if m.Pos.Seq > 0 {
		acks = append(acks, ack{m.Pos.Seq, m.Header.String()})
	}
	view(t, s, func(tx *Tx) error {
		for _, a := range acks {
			if a.seq+EvidenceRing < c.Proven.Seq {
				continue
			}
			h, err := tx.Origin("KH").HeaderAt(protocol.Position{Epoch: 1, Seq: a.seq})
			if err != nil || h == nil || h.Raw.String() != a.hash {
				t.Errorf("%s: %d was acknowledged but is not there: %v", when, a.seq, err)
			}
		}
		return nil
	})
	return c.Proven.Seq > last
}
