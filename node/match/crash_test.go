package match

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/asean-tmh/tmh/node/match/lexicon"
	"github.com/asean-tmh/tmh/protocol"
	gocmp "github.com/google/go-cmp/cmp"
)

// The test binary is its own victim: with this variable it changes an index until it is killed.
const victim = "TMH_MATCH_VICTIM"

func TestMain(m *testing.M) {
	if args := strings.Fields(os.Getenv(victim)); len(args) == 3 {
		from, _ := strconv.Atoi(args[1])
		seed, _ := strconv.ParseUint(args[2], 10, 64)
		if err := suffer(args[0], from, seed); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

// crowd is enough documents for segments that are written while the index is open.
const crowd = onDisk + 1000

// chapter is the catalogue after n steps of a history that the seed decides; apply is called with what each step changes.
func chapter(seed uint64, n int, apply func(step int, changes []Change)) catalogue {
	c := make(catalogue)
	for step := range n {
		r := rand.New(rand.NewPCG(seed, uint64(step)))
		var changes []Change
		put := func(id string, l *protocol.Listing) {
			ref := Ref{Origin: "KH", ID: protocol.ListingID(id)}
			if changes = append(changes, Change{Ref: ref, Listing: l}); l == nil {
				delete(c, ref)
			} else {
				c[ref] = l
			}
		}
		switch {
		case step == 0:
			for i := range crowd {
				id := fmt.Sprint("C", i)
				put(id, listing(id, "TO", "en", protocol.Text{Title: phrase(r, 3)}))
			}
		case r.IntN(8) == 0: // many die at once
			from := r.IntN(crowd)
			for i := range min(700, crowd-from) {
				put(fmt.Sprint("C", from+i), nil)
			}
		default:
			for range 1 + r.IntN(20) {
				if id := r.IntN(60); r.IntN(4) == 0 {
					put(fmt.Sprint("L", id), nil)
				} else {
					put(fmt.Sprint("L", id), randomListing(r, id))
				}
			}
		}
		apply(step, changes)
	}
	return c
}

func suffer(dir string, from int, seed uint64) error {
	o := Options{Lexicon: lexicon.Builtin(), Dir: dir, Log: slog.New(slog.DiscardHandler)}
	x, err := Open(o)
	if err != nil {
		return err
	}
	c := chapter(seed, from, func(int, []Change) {})
	var missing []Change
	if err := x.Reconcile(func(have func(Ref, protocol.Hash) bool) error {
		for _, ref := range c.refs() {
			if !have(ref, protocol.Sum(c[ref].Encode())) {
				missing = append(missing, Change{Ref: ref, Listing: c[ref]})
			}
		}
		x.Apply(missing...)
		return nil
	}); err != nil {
		return err
	}
	r := rand.New(rand.NewPCG(seed, uint64(from)))
	var fault error
	chapter(seed, from+400, func(step int, changes []Change) {
		if step < from || fault != nil {
			return
		}
		x.Apply(changes...)
		fmt.Println(step + 1)
		switch r.IntN(12) {
		case 0:
			x.Settle()
		case 1:
			fault = x.Train(context.Background())
		case 2, 3:
			if fault = x.Close(); fault == nil {
				x, fault = Open(o)
			}
		}
	})
	return fault
}

func TestKilledAtAnyMoment(t *testing.T) {
	kills := 20
	if testing.Short() {
		kills = 4
	}
	seed := uint64(11)
	r := rand.New(rand.NewPCG(seed, 99))
	dir := filepath.Join(t.TempDir(), "index")
	if err := os.Mkdir(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	steps := 0
	for kill := range kills {
		steps = max(steps, killed(t, r, dir, steps, seed))
		o := Options{Lexicon: lexicon.Builtin(), Dir: filepath.Join(t.TempDir(), "copy"), Log: slog.New(slog.DiscardHandler)}
		if err := os.CopyFS(o.Dir, os.DirFS(dir)); err != nil {
			t.Fatal(err)
		}
		x, err := Open(o)
		if err != nil {
			t.Fatalf("after kill %d: %v", kill, err)
		}
		opened := x.Stats()
		c := chapter(seed, steps, func(int, []Change) {})
		c.reconcile(t, x)
		fresh := New(Options{Lexicon: lexicon.Builtin()})
		var all []Change
		for ref, l := range c {
			all = append(all, Change{Ref: ref, Listing: l})
		}
		fresh.Apply(all...)
		if kill%4 == 3 || opened.Trained {
			if err := errors.Join(x.Train(t.Context()), fresh.Train(t.Context())); err != nil {
				t.Fatal(err)
			}
		}
		for range 6 {
			q := randomQuery(r)
			if diff := gocmp.Diff(ask(t, fresh, q), ask(t, x, q)); diff != "" {
				t.Fatalf("kill %d, after %d steps, %+v: built afresh (-), after the kill (+):\n%s", kill, steps, opened, diff)
			}
		}
		if err := x.Close(); err != nil {
			t.Fatal(err)
		}
		if left, _ := filepath.Glob(filepath.Join(o.Dir, ".*")); len(left) > 0 {
			t.Fatalf("kill %d leaves %v for ever", kill, left)
		}
	}
	if steps < 3*kills {
		t.Fatalf("only %d steps between %d kills", steps, kills)
	}
}

// killed runs a victim and kills it some steps later; it says how many it made.
func killed(t *testing.T, r *rand.Rand, dir string, from int, seed uint64) (steps int) {
	t.Helper()
	//nolint:gosec // itself
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), fmt.Sprintf("%s=%s %d %d", victim, dir, from, seed))
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	wanted, moment := 1+r.IntN(25), time.Duration(r.IntN(30_000))*time.Microsecond
	steps = from
	lines := bufio.NewScanner(out)
	for steps < from+wanted && lines.Scan() {
		if steps, err = strconv.Atoi(lines.Text()); err != nil {
			t.Fatal(err)
		}
	}
	time.AfterFunc(moment, func() { _ = cmd.Process.Signal(syscall.SIGKILL) }) // the moment is what the test is about
	for lines.Scan() {
		if steps, err = strconv.Atoi(lines.Text()); err != nil {
			break
		}
	}
	var exit *exec.ExitError
	if err := cmd.Wait(); !errors.As(err, &exit) || !strings.Contains(exit.Error(), "killed") {
		t.Fatalf("the victim was not killed: %v", err)
	}
	return steps
}

// A full disk stops no query and no change, and costs nothing once there is room again.
func TestFullDisk(t *testing.T) {
	if runtime.GOOS != "linux" || os.Geteuid() != 0 {
		t.Skip("a small file system of its own can be mounted by root on Linux only")
	}
	dir := t.TempDir()
	if err := syscall.Mount("tmpfs", dir, "tmpfs", 0, "size=768k"); err != nil {
		t.Skipf("no small file system can be mounted here: %v", err)
	}
	t.Cleanup(func() { _ = syscall.Unmount(dir, syscall.MNT_DETACH) })
	o := Options{Lexicon: lexicon.Builtin(), Dir: filepath.Join(dir, "index"), Log: slog.New(slog.DiscardHandler)}
	x, err := Open(o)
	if err != nil {
		t.Fatal(err)
	}
	ballast := filepath.Join(dir, "ballast")
	if err := fill(ballast); err == nil {
		t.Fatal("the disk is not full")
	}
	c := chapter(5, 20, func(_ int, changes []Change) {
		x.Apply(changes...)
		x.Settle()
	})
	if err := x.Train(t.Context()); err == nil {
		t.Error("a model was written to a full disk")
	}
	fresh := New(Options{Lexicon: o.Lexicon})
	for ref := range maps.Keys(c) {
		fresh.Put(ref, c[ref])
	}
	same := func(when string, y *Index) {
		t.Helper()
		for _, x := range []*Index{y, fresh} {
			x.spell()
		}
		if diff := gocmp.Diff(ask(t, fresh, Query{Text: "membrane filter water"}), ask(t, y, Query{Text: "membrane filter water"})); diff != "" {
			t.Errorf("%s: afresh (-), here (+):\n%s", when, diff)
		}
	}
	same("disk full", x)
	if err := x.Close(); err == nil {
		t.Error("all was written to a full disk")
	}
	y, err := Open(o)
	if err != nil {
		t.Fatal(err)
	}
	c.reconcile(t, y)
	same("opened on a full disk", y)
	if err := os.Truncate(ballast, 0); err != nil {
		t.Fatal(err)
	}
	if err := y.Close(); err != nil {
		t.Fatalf("there is room again: %v", err)
	}
	z, err := Open(o)
	if err != nil || z.Len() != len(c) {
		t.Fatalf("%d listings after a restart, want %d: %v", z.Len(), len(c), err)
	}
	same("room again", z)
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
}

// fill writes until nothing more fits.
func fill(name string) error {
	f, err := os.Create(name)
	if err != nil {
		return err
	}
	defer f.Close()
	for _, size := range []int{64 << 10, 4 << 10, 1} {
		for range 1 << 12 {
			if _, err = f.Write(make([]byte, size)); err != nil {
				break
			}
		}
	}
	return err
}
