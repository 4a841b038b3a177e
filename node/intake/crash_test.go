package intake

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"testing"
	"time"

	"github.com/asean-tmh/tmh/node/posting"
	"github.com/asean-tmh/tmh/store"
)

// story is one job, carried out over what was imported before.
func (o *office) story() (begin func() Job) {
	o.t.Helper()
	if _, err := o.Imports.Mapping(editor, org, "list"); err != nil {
		o.keep("list", simple())
	}
	o.Imports.group, o.group = 32, 32
	old := offers(0, 60)
	o.run()
	first := o.importing(file(old...), UploadOptions{Mapping: "list"})
	if first.State != Done {
		o.t.Fatalf("%+v", first)
	}
	o.halt()
	news := offers(8, 140) // 8 are gone, 52 as they were, or changed, 80 are new
	for i := range news[:52] {
		if i%3 == 0 {
			news[i].name += ", improved"
		}
	}
	news[10].readiness, news[90].name, news[77].number = "high", "", news[60].number
	return func() Job { return o.upload(file(news...), UploadOptions{Mapping: "list", FullSync: true}) }
}

// A job that is killed at any of its checkpoints, before or after what it did is durable, ends as one that was not: nothing
// twice, nothing lost, the counts exact, the report the same.
func TestKilledAnywhere(t *testing.T) {
	plain := newOffice(t, t.TempDir())
	begin := plain.story()
	var points int64
	plain.Imports.hook = func(string, JobID) error { points++; return nil }
	signed := plain.journal.Signed
	job := begin()
	plain.run()
	want := plain.until(job.ID, Done, Failed)
	report, left := alike(plain.rows(want.ID)), plain.listings()
	signed = plain.journal.Signed - signed
	if want.State != Done || points < 12 || want.Counts.Withdrawn != 8 || want.Counts.Created != 78 || want.Counts.Refused != 3 {
		t.Fatalf("undisturbed, over %d points: %+v", points, want)
	}
	rng := rand.New(rand.NewPCG(6, 1))
	runs := [][]int64{}
	for n := int64(1); n <= points; n++ {
		runs = append(runs, []int64{n})
	}
	for range 4 { // and several times in one job
		runs = append(runs, []int64{1 + rng.Int64N(4), 1 + rng.Int64N(5), 1 + rng.Int64N(5), 1 + rng.Int64N(5)})
	}
	if testing.Short() {
		runs = runs[len(runs)-2:]
	}
	for _, kills := range runs {
		t.Run(fmt.Sprint(kills), func(t *testing.T) {
			t.Parallel()
			o := newOffice(t, t.TempDir())
			begin := o.story()
			before := o.journal.Signed
			job, total := begin(), 0
			for _, n := range kills {
				hook, reached := after(n)
				o.hook = hook
				o.Imports.hook = hook
				o.run()
				for reached.Load() < n {
					wait := o.Imports.changed.wait()
					if j, err := o.Job(editor, job.ID); err != nil || j.State.Finished() {
						break
					}
					select {
					case <-wait:
					case <-o.poll():
					}
				}
				total += o.journal.Signed - before
				o.hook = nil
				o.crash()
				total += o.journal.Signed // by Resume, as the node does at its start
				before = o.journal.Signed
			}
			o.run()
			j := o.until(job.ID, Done, Failed)
			total += o.journal.Signed - before
			wantCounts(t, j, want.Counts)
			if got := alike(o.rows(j.ID)); got != report {
				t.Errorf("the report differs:\n%s", firstDifference(got, report))
			}
			if n := o.listings(); n != left || total != signed {
				t.Errorf("%d listings and %d changes signed, want %d and %d", n, total, left, signed)
			}
			o.unique()
		})
	}
}

// unique checks that no source has two listings.
func (o *office) unique() {
	o.t.Helper()
	seen := map[string]bool{}
	for _, r := range o.report() {
		if r.N > 0 && r.Outcome != posting.ImportRefused && seen[r.Source] {
			o.t.Errorf("%s twice", r.Source)
		}
		seen[r.Source] = true
	}
	n := 0
	err := o.store.View(func(tx *store.Tx) error {
		return tx.Rows(store.TablePosting, "p/", "", func(string, []byte) (bool, error) { n++; return true, nil })
	})
	if err != nil || n != 60+78 {
		o.t.Errorf("%d postings, %v; want %d", n, err, 60+78)
	}
}

// report of the newest job.
func (o *office) report() []Row {
	o.t.Helper()
	all, err := o.Jobs(editor, org, "", 1)
	if err != nil || len(all) != 1 {
		o.t.Fatal(all, err)
	}
	return o.rows(all[0].ID)
}

// A dry run that is killed says the same as one that was not.
func TestDryRunKilled(t *testing.T) {
	o := newOffice(t, t.TempDir())
	o.story()
	f := file(offers(30, 150)...)
	o.run()
	plain := o.importing(f, UploadOptions{Mapping: "list", DryRun: true, FullSync: true})
	if want := (Counts{Rows: 120, Created: 90, Unchanged: 30, Withdrawn: 30}); plain.Counts != want || plain.Gone != 30 || plain.Notice == "" {
		t.Fatalf("undisturbed: %+v", plain)
	}
	report := alike(o.rows(plain.ID))
	o.halt()
	for _, n := range []int64{2, 3, 5, 6, 9, 10, 11} {
		hook, reached := after(n)
		j := o.upload(f, UploadOptions{Mapping: "list", DryRun: true, FullSync: true})
		o.Imports.hook = hook
		o.run()
		for reached.Load() < n {
			<-o.poll()
		}
		o.crash()
		o.run()
		j = o.until(j.ID, Done, Failed)
		wantCounts(t, j, plain.Counts)
		if got := alike(o.rows(j.ID)); got != report {
			t.Errorf("killed at %d, the report differs:\n%s", n, firstDifference(got, report))
		}
		o.halt()
	}
	if o.journal.Signed != 0 {
		t.Errorf("dry runs signed %d", o.journal.Signed)
	}
}

// TestCarryOn is the process that TestKill9 kills.
func TestCarryOn(t *testing.T) {
	dir := os.Getenv("TMH_INTAKE_TEST")
	if dir == "" {
		t.Skip("only in a process of its own")
	}
	o := newOffice(t, dir)
	o.run()
	all, err := o.Jobs(editor, org, "", 1)
	if err != nil || len(all) != 1 {
		t.Fatal(all, err)
	}
	if j := o.until(all[0].ID, Done, Failed); j.State != Done {
		t.Fatalf("%+v", j)
	}
}

// A process that is killed again and again at moments of chance comes to its end, with nothing twice and nothing lost.
func TestKill9(t *testing.T) {
	if testing.Short() {
		t.Skip("processes are killed for some seconds")
	}
	t.Parallel()
	dir := t.TempDir()
	o := newOffice(t, dir)
	o.keep("list", simple())
	const rows = 2000
	job := o.upload(file(offers(0, rows)...), UploadOptions{Mapping: "list"})
	if err := o.store.Close(); err != nil {
		t.Fatal(err)
	}
	rng, kills := rand.New(rand.NewPCG(9, 9)), 0
	for done := false; !done; {
		c := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestCarryOn$", "-test.v")
		c.Env = append(os.Environ(), "TMH_INTAKE_TEST="+dir)
		var out bytes.Buffer
		c.Stdout, c.Stderr = &out, &out
		if err := c.Start(); err != nil {
			t.Fatal(err)
		}
		ended := make(chan error, 1)
		go func() { ended <- c.Wait() }()
		pause := time.Duration(30+rng.IntN(250)) * time.Millisecond
		if kills >= 12 {
			pause = time.Minute
		}
		select {
		case err := <-ended:
			if done = true; err != nil {
				t.Fatalf("after %d kills: %v\n%s", kills, err, out.String())
			}
		case <-time.After(pause):
			_ = c.Process.Kill()
			<-ended
			kills++
		}
	}
	o.open()
	j, err := o.Job(editor, job.ID)
	if err != nil {
		t.Fatal(err)
	}
	wantCounts(t, j, Counts{Rows: rows, Created: rows})
	report, sources := o.rows(j.ID), map[string]bool{}
	for i, r := range report {
		if r.N != i+2 || r.Outcome != posting.ImportCreated || sources[r.Source] {
			t.Fatalf("line %d: %+v", i, r)
		}
		sources[r.Source] = true
	}
	t.Logf("killed %d times", kills)
	if n := o.listings(); n != rows || len(report) != rows || kills == 0 {
		t.Errorf("%d listings and %d lines after %d kills, want %d", n, len(report), kills, rows)
	}
}
