package intake

import (
	"testing"
	"time"
)

// The operator is told of what waits for a word, of a repository that fails, and of one that should have been harvested long ago.
func TestHealth(t *testing.T) {
	o := newOffice(t, t.TempDir())
	health := func() Health {
		t.Helper()
		h, err := o.Health()
		if err != nil {
			t.Fatal(err)
		}
		return h
	}
	if h := health(); h.Unfinished+h.Waiting+len(h.Failing)+len(h.Overdue) != 0 || !h.Oldest.IsZero() {
		t.Errorf("nothing was imported: %+v", h)
	}
	o.keep("list", simple())
	o.upload(file(offers(0, 40)...), UploadOptions{Mapping: "list"})
	if h := health(); h.Unfinished != 1 || !h.Oldest.Equal(o.now()) {
		t.Errorf("one import is queued: %+v", h)
	}
	o.run()
	o.importing(file(offers(0, 40)...), UploadOptions{Mapping: "list"})
	if j := o.importing(file(offers(20, 40)...), UploadOptions{Mapping: "list", FullSync: true}); j.State != Waiting {
		t.Fatalf("the import is %s", j.State)
	}
	if h := health(); h.Waiting != 1 || h.Unfinished != 0 {
		t.Errorf("one import waits for a word: %+v", h)
	}

	r := newRepository(t)
	r.put("oai:r:1", "Thesis")
	o.source(r, Definition{Hours: 24})
	r.mu.Lock()
	r.down = true
	r.mu.Unlock()
	o.harvesting(HarvestOptions{})
	if h := health(); len(h.Failing) != 1 || h.Failing[0].Repository != string(org)+"/theses" || h.Failing[0].Why == "" || len(h.Overdue) != 0 {
		t.Errorf("the repository is away: %+v", h)
	}
	r.mu.Lock()
	r.down = false
	r.mu.Unlock()
	if j := o.harvesting(HarvestOptions{}); j.State != Done {
		t.Fatalf("the harvest is %s", j.State)
	}
	if h := health(); len(h.Failing) != 0 || len(h.Overdue) != 0 {
		t.Errorf("the repository was harvested: %+v", h)
	}
	o.pass(24*time.Hour + overdue + time.Second) // and nobody looks at the clock
	if h := health(); len(h.Overdue) != 1 || !h.Overdue[0].Since.Before(o.now().Add(-overdue)) {
		t.Errorf("a harvest is late: %+v", h)
	}
}
