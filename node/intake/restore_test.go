package intake

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/asean-tmh/tmh/node/access"
	"github.com/asean-tmh/tmh/node/oai/harvest"
	"github.com/asean-tmh/tmh/protocol"
	"github.com/asean-tmh/tmh/store"
)

// After a restore nothing of the backup's day goes on by itself, and the next harvest asks for everything.
func TestAfterRestore(t *testing.T) {
	r := newRepository(t)
	for i := range 4 {
		r.put(fmt.Sprint("oai:r:", i), fmt.Sprint("Thesis ", i))
	}
	o := newOffice(t, t.TempDir())
	saved := o.source(r, Definition{Hours: 24})
	if _, err := o.SaveSource(editor, org, "by hand", Definition{Source: harvest.Source{URL: r.URL, Prefix: "oai_dc"}}, 0); err != nil {
		t.Fatal(err)
	}
	o.run()
	wantCounts(t, o.harvesting(HarvestOptions{}), Counts{Rows: 4, Created: 4})
	o.halt()
	before, err := o.Source(editor, org, "theses")
	if err != nil || before.Since.IsZero() || before.LastAll == 0 {
		t.Fatalf("%+v, %v", before, err)
	}
	o.pass(48 * time.Hour)
	if err := o.Due(t.Context()); err != nil { // one is begun,
		t.Fatal(err)
	}
	mine := simple()
	sent := o.upload(file(offers(0, 2)...), UploadOptions{Inline: &mine}) // and a file is here

	if err := AfterRestore(o.store, o.now); err != nil {
		t.Fatal(err)
	}
	for again := range 2 { // also where it is done twice
		jobs, err := o.Jobs(editor, org, "", 10)
		if err != nil || len(jobs) != 3 {
			t.Fatalf("%d jobs, %v", len(jobs), err)
		}
		for _, j := range jobs[:2] {
			want := "harvest the repository again"
			if j.ID == sent.ID {
				want = "send the file again"
			}
			if j.State != Failed || j.Ended == 0 || j.Error == nil || !strings.Contains(j.Error.Message, "restored from a backup on 2026-09-23") || !strings.Contains(j.Error.Message, want) {
				t.Errorf("%+v, error %v", j, j.Error)
			}
		}
		if jobs[2].State != Done {
			t.Errorf("%+v", jobs[2])
		}
		s, err := o.Source(editor, org, "theses")
		if err != nil || s.Hours != 0 || s.Next != 0 || s.Version != saved.Version+1 || !s.Since.IsZero() || s.LastAll != 0 || s.LastSuccess != before.LastSuccess {
			t.Errorf("%+v, %v", s, err)
		}
		if s.LastError == nil || !strings.Contains(s.LastError.Message, map[int]string{0: "every 24 hours", 1: "then harvest"}[again]) {
			t.Errorf("%v", s.LastError)
		}
		if s, err := o.Source(editor, org, "by hand"); err != nil || s.Version != 1 || s.LastError == nil || strings.Contains(s.LastError.Message, "hours") {
			t.Errorf("%+v, %v", s, err)
		}
		if again == 0 {
			o.pass(time.Hour)
			if err := AfterRestore(o.store, o.now); err != nil {
				t.Fatal(err)
			}
		}
	}
	o.pass(30 * 24 * time.Hour)
	if err := o.Due(t.Context()); err != nil {
		t.Fatal(err)
	}
	if jobs, _ := o.Jobs(editor, org, "", 10); len(jobs) != 3 {
		t.Errorf("%d jobs: the clock harvests", len(jobs))
	}

	o.crash() // and the next start
	o.run()
	j := o.harvesting(HarvestOptions{})
	wantCounts(t, j, Counts{Rows: 4, Unchanged: 4})
	if s, err := o.Source(editor, org, "theses"); !j.All || err != nil || s.LastError != nil || s.Since.IsZero() {
		t.Errorf("%+v, %v", s, err)
	}
}

// TestAfterRestoreOfMany takes more than one transaction has.
func TestAfterRestoreOfMany(t *testing.T) {
	o := newOffice(t, t.TempDir())
	const n = 2*restoredAtOnce + 1
	err := o.store.Update(func(tx *store.Tx) error {
		for i := range n {
			id := o.newID()
			if err := write(tx, &record{Job: Job{ID: id, Organisation: org, State: Waiting}}); err != nil {
				return err
			}
			s := Source{Organisation: access.OrganisationID(fmt.Sprint("o", i)), Name: "x", Version: 1, Definition: Definition{Hours: 1}, Since: o.now()}
			if err := save(tx, sourceKey(s.Organisation, s.Name), &s); err != nil {
				return err
			}
		}
		return tx.SetRow(store.TableIntake, "u/"+string(o.newID()), []byte(org)) // of a job that is no more
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := AfterRestore(o.store, o.now); err != nil {
		t.Fatal(err)
	}
	err = o.store.View(func(tx *store.Tx) error {
		left, err := under(tx, "u/")
		if err != nil || left != 0 {
			t.Errorf("%d jobs are not finished, %v", left, err)
		}
		all, err := sources(tx, "")
		if len(all) != n {
			t.Errorf("%d repositories", len(all))
		}
		for _, s := range all {
			if s.Hours != 0 || !s.Since.IsZero() || s.LastError.Code != protocol.CodeConflict {
				t.Errorf("%+v", s)
				break
			}
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}
