package intake

import (
	"bytes"
	"context"
	"encoding/csv"
	"encoding/xml"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/asean-tmh/tmh/node/access"
	"github.com/asean-tmh/tmh/node/intake/mapping"
	"github.com/asean-tmh/tmh/node/oai/harvest"
	"github.com/asean-tmh/tmh/node/posting"
	"github.com/asean-tmh/tmh/protocol"
)

// repository speaks just enough OAI-PMH, three records to a page.
type repository struct {
	*httptest.Server
	mu      sync.Mutex
	clock   time.Time
	records []deposit
	forget  bool // the token that is asked for next is not known any more
	down    bool
	asked   []string // from of every list
	pages   int
}

type deposit struct {
	id, title string
	changed   time.Time
	deleted   bool
}

const perPage = 3

func newRepository(t *testing.T) *repository {
	r := &repository{clock: time.Date(2025, 1, 1, 0, 0, 0, 0, time.UTC)} // its clock is far behind
	r.Server = httptest.NewServer(http.HandlerFunc(r.serve))
	t.Cleanup(r.Close)
	return r
}

func (r *repository) put(id, title string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	d := deposit{id: id, title: title, changed: r.clock, deleted: title == ""}
	for i := range r.records {
		if r.records[i].id == id {
			r.records[i] = d
			return
		}
	}
	r.records = append(r.records, d)
}

func (r *repository) pass(d time.Duration) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.clock = r.clock.Add(d)
}

func text(s string) string {
	var b bytes.Buffer
	_ = xml.EscapeText(&b, []byte(s))
	return b.String()
}

func (r *repository) serve(w http.ResponseWriter, q *http.Request) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.down {
		w.WriteHeader(http.StatusNotFound)
		return
	}
	stamp := func(t time.Time) string { return t.Format("2006-01-02T15:04:05Z") }
	w.Header().Set("Content-Type", "text/xml; charset=utf-8")
	fmt.Fprintf(w, `<?xml version="1.0" encoding="UTF-8"?><OAI-PMH xmlns="http://www.openarchives.org/OAI/2.0/"><responseDate>%s</responseDate>`, stamp(r.clock))
	verb := q.FormValue("verb")
	fmt.Fprintf(w, `<request verb="%s">%s</request>`, text(verb), r.URL)
	defer fmt.Fprint(w, `</OAI-PMH>`)
	if verb == "Identify" {
		fmt.Fprintf(w, `<Identify><repositoryName>Invented</repositoryName><baseURL>%s</baseURL><protocolVersion>2.0</protocolVersion><adminEmail>a@example.org</adminEmail><earliestDatestamp>2020-01-01T00:00:00Z</earliestDatestamp><deletedRecord>persistent</deletedRecord><granularity>YYYY-MM-DDThh:mm:ssZ</granularity></Identify>`, r.URL)
		return
	}
	var from time.Time
	begin := 0
	if token := q.FormValue("resumptionToken"); token != "" {
		if r.forget {
			r.forget = false
			fmt.Fprint(w, `<error code="badResumptionToken">It has expired</error>`)
			return
		}
		a, b, _ := strings.Cut(token, "/")
		begin, _ = strconv.Atoi(a)
		from, _ = time.Parse(time.RFC3339, b)
	} else {
		r.asked = append(r.asked, q.FormValue("from"))
		from, _ = time.Parse(time.RFC3339, q.FormValue("from"))
	}
	r.pages++
	var list []deposit
	for _, d := range r.records {
		if !d.changed.Before(from) {
			list = append(list, d)
		}
	}
	if len(list) == 0 {
		fmt.Fprint(w, `<error code="noRecordsMatch">Nothing</error>`)
		return
	}
	fmt.Fprint(w, `<ListRecords>`)
	for _, d := range list[min(begin, len(list)):min(begin+perPage, len(list))] {
		if d.deleted {
			fmt.Fprintf(w, `<record><header status="deleted"><identifier>%s</identifier><datestamp>%s</datestamp></header></record>`, d.id, stamp(d.changed))
			continue
		}
		fmt.Fprintf(w, `<record><header><identifier>%s</identifier><datestamp>%s</datestamp></header><metadata><oai_dc:dc xmlns:oai_dc="http://www.openarchives.org/OAI/2.0/oai_dc/" xmlns:dc="http://purl.org/dc/elements/1.1/"><dc:title>%s</dc:title><dc:description>Dries a batch of nuts in six hours.</dc:description><dc:subject>drying; nuts</dc:subject></oai_dc:dc></metadata></record>`, d.id, stamp(d.changed), text(d.title))
	}
	if next := begin + perPage; next < len(list) {
		fmt.Fprintf(w, `<resumptionToken completeListSize="%d">%d/%s</resumptionToken>`, len(list), next, from.Format(time.RFC3339))
	}
	fmt.Fprint(w, `</ListRecords>`)
}

func (o *office) source(r *repository, d Definition) Source {
	o.t.Helper()
	d.URL = r.URL
	s, err := o.SaveSource(editor, org, "theses", d, 0)
	if err != nil {
		o.t.Fatal(err)
	}
	return s
}

func (o *office) harvesting(h HarvestOptions) Job {
	o.t.Helper()
	j, err := o.Harvest(editor, org, "theses", h)
	if err != nil {
		o.t.Fatal(err)
	}
	return o.until(j.ID, Done, Failed, Cancelled, Waiting)
}

// A repository from its trial through harvests of what changed, deleted records, and one that forgets its token.
func TestHarvest(t *testing.T) {
	o := newOffice(t, t.TempDir())
	r := newRepository(t)
	for i := range 20 {
		r.put(fmt.Sprintf("oai:r:%d", i), fmt.Sprintf("Thesis %d", i))
	}
	trial, err := o.Test(t.Context(), editor, org, harvest.Source{URL: r.URL})
	if err != nil || trial.Identity.Name != "Invented" || trial.Size != 20 || len(trial.Sample) != perPage || strings.Join(trial.Names, " ") != "dc:title dc:description dc:subject" {
		t.Fatalf("%+v, %v", trial, err)
	}
	o.source(r, Definition{})
	o.run()
	dry := o.harvesting(HarvestOptions{DryRun: true})
	wantCounts(t, dry, Counts{Rows: 20, Created: 20})
	if rows := o.rows(dry.ID); o.listings() != 0 || rows[0].Source != "oai:r:0" || rows[0].Title != "Thesis 0" {
		t.Errorf("%d listings, %+v", o.listings(), rows[0])
	}
	pages := r.pages
	j, err := o.Apply(editor, dry.ID)
	if err != nil {
		t.Fatal(err)
	}
	wantCounts(t, o.until(j.ID, Done, Failed), Counts{Rows: 20, Created: 20})
	if r.pages != pages {
		t.Error("what was fetched was fetched again")
	}

	r.pass(time.Hour)
	o.pass(time.Hour)
	r.put("oai:r:3", "Thesis 3, corrected")
	r.put("oai:r:4", "")
	r.put("oai:r:99", "")
	j = o.harvesting(HarvestOptions{})
	if j.All || r.asked[len(r.asked)-1] != "2024-12-31T23:59:59Z" {
		t.Errorf("all %v, from %q: want a second before the repository's clock then", j.All, r.asked[len(r.asked)-1])
	}
	wantCounts(t, j, Counts{Rows: 21, Changed: 1, Unchanged: 18, Deleted: 2, Withdrawn: 1})
	if o.listings() != 19 {
		t.Errorf("%d listings", o.listings())
	}

	r.pass(time.Hour)
	r.mu.Lock()
	r.forget = true
	r.mu.Unlock()
	r.put("oai:r:4", "Thesis 4 is back") // a new listing
	j = o.harvesting(HarvestOptions{All: true})
	wantCounts(t, j, Counts{Rows: 21, Created: 1, Unchanged: 19, Deleted: 1})
	if !j.All {
		t.Errorf("%+v", j)
	}
	s, err := o.Source(editor, org, "theses")
	if err != nil || s.LastError != nil || s.LastSuccess == 0 || !s.Since.Equal(r.clock) {
		t.Errorf("%+v, %v", s, err)
	}

	for i := range 15 { // much at once
		r.put(fmt.Sprintf("oai:r:%d", 5+i), "")
	}
	r.pass(time.Hour)
	j = o.harvesting(HarvestOptions{})
	if j.State != Waiting || j.Gone != 15 || j.Stock != 20 {
		t.Fatalf("%+v", j)
	}
	_, err = o.Harvest(editor, org, "theses", HarvestOptions{})
	wantCode(t, "harvest beside one that waits", err, protocol.CodeConflict)
	if dry := o.harvesting(HarvestOptions{DryRun: true}); dry.State != Done || dry.Gone != 15 { // the notice says: look at them in a dry run
		t.Errorf("dry run beside one that waits: %+v", dry)
	}
	_, err = o.Harvest(editor, org, "theses", HarvestOptions{})
	wantCode(t, "harvest after a dry run beside one that waits", err, protocol.CodeConflict)
	if now, _ := o.Source(editor, org, "theses"); !now.Since.Equal(s.Since) {
		t.Error("the next harvest begins where this one did not end")
	}
	if err := o.Confirm(admin, j.ID, 15); protocol.CodeOf(err) != protocol.CodeNotPermitted {
		t.Errorf("an administrator confirms: %v", err)
	}
	if err := o.Confirm(access.Operator(member), j.ID, 15); err != nil {
		t.Fatal(err)
	}
	if j = o.until(j.ID, Done, Failed); j.Counts.Withdrawn != 15 || o.listings() != 5 {
		t.Errorf("%+v, %d listings", j, o.listings())
	}

	r.mu.Lock() // a record goes without a word
	r.records = slices.DeleteFunc(r.records, func(d deposit) bool { return d.id == "oai:r:2" })
	r.mu.Unlock()
	r.pass(time.Hour)
	if j = o.harvesting(HarvestOptions{All: true}); j.Counts.Withdrawn != 0 || o.listings() != 5 {
		t.Errorf("%+v, %d listings", j, o.listings())
	}
	if j = o.harvesting(HarvestOptions{FullSync: true}); !j.All || j.Counts.Withdrawn != 1 || o.listings() != 4 {
		t.Errorf("%+v, %d listings", j, o.listings())
	}
}

// Records that are refused have a list of their own; a repository that is gone has an error.
func TestHarvestFaults(t *testing.T) {
	o := newOffice(t, t.TempDir())
	o.Imports.pause = time.Microsecond
	r := newRepository(t)
	r.put("oai:r:1", "Fine")
	r.put("oai:r:2", " ") // without a title
	o.source(r, Definition{})
	o.run()
	j := o.harvesting(HarvestOptions{})
	wantCounts(t, j, Counts{Rows: 2, Created: 1, Refused: 1})
	var b bytes.Buffer
	if err := o.Errors(editor, j.ID, &b); err != nil {
		t.Fatal(err)
	}
	list, err := csv.NewReader(strings.NewReader(strings.TrimPrefix(b.String(), "\ufeff"))).ReadAll()
	if err != nil || len(list) != 2 || list[1][1] != "oai:r:2" || list[1][3] == "" {
		t.Errorf("%v, %v", list, err)
	}
	if rows := o.rows(j.ID, posting.ImportRefused); len(rows) != 1 || rows[0].Unnamed {
		t.Errorf("%s", alike(rows))
	}
	r.mu.Lock()
	r.down = true
	r.mu.Unlock()
	j = o.harvesting(HarvestOptions{})
	s, err := o.Source(editor, org, "theses")
	if j.State != Failed || j.Error == nil || err != nil || s.LastError == nil || s.LastError.Message != j.Error.Message {
		t.Errorf("%+v; %+v, %v", j, s, err)
	}
}

// A harvest that is killed between pages goes on at the page where it was.
func TestHarvestKilled(t *testing.T) {
	for _, n := range []int64{2, 3, 4, 5, 8, 9, 12} {
		t.Run(fmt.Sprint(n), func(t *testing.T) {
			t.Parallel()
			o := newOffice(t, t.TempDir())
			r := newRepository(t)
			for i := range 10 {
				r.put(fmt.Sprintf("oai:r:%d", i), fmt.Sprintf("Thesis %d", i))
			}
			o.source(r, Definition{})
			hook, reached := after(n)
			o.Imports.hook = hook
			j, err := o.Harvest(editor, org, "theses", HarvestOptions{})
			if err != nil {
				t.Fatal(err)
			}
			o.run()
			for reached.Load() < n {
				<-o.poll()
			}
			o.crash()
			o.run()
			j = o.until(j.ID, Done, Failed)
			wantCounts(t, j, Counts{Rows: 10, Created: 10})
			if r.pages > 5 || o.listings() != 10 || len(o.rows(j.ID)) != 10 {
				t.Errorf("%d pages for 4, %d listings", r.pages, o.listings())
			}
		})
	}
}

// The clock starts harvests that are due, in the name of who set them up, while he may.
func TestSchedule(t *testing.T) {
	o := newOffice(t, t.TempDir())
	r := newRepository(t)
	r.put("oai:r:1", "Thesis 1")
	o.source(r, Definition{Hours: 24})
	due := func() int {
		t.Helper()
		if err := o.Due(context.Background()); err != nil {
			t.Fatal(err)
		}
		all, err := o.Jobs(editor, org, "", 10)
		if err != nil {
			t.Fatal(err)
		}
		return len(all)
	}
	if n := due() + due(); n != 2 {
		t.Errorf("%d jobs at once, want 1 both times", n-1)
	}
	o.run()
	all, _ := o.Jobs(editor, org, "", 10)
	j := o.until(all[0].ID, Done, Failed)
	wantCounts(t, j, Counts{Rows: 1, Created: 1})
	if !j.Scheduled || j.By != editor.User {
		t.Errorf("%+v", j)
	}
	if n := due(); n != 1 {
		t.Errorf("%d jobs before it is due", n)
	}
	o.pass(49*time.Hour + time.Minute) // a day was missed
	if n := due(); n != 2 {
		t.Errorf("%d jobs, want 2", n)
	}
	if s, err := o.Source(editor, org, "theses"); err != nil || s.Next != protocol.InstantOf(o.now().Add(23*time.Hour-time.Minute)) {
		t.Errorf("the next at %v, %v", s.Next.Time(), err)
	}
	all, _ = o.Jobs(editor, org, "", 10)
	o.until(all[0].ID, Done)
	o.mu.Lock()
	o.gone[editor.User] = true
	o.mu.Unlock()
	o.pass(24 * time.Hour)
	if n := due(); n != 2 {
		t.Errorf("%d jobs in the name of somebody who may not", n)
	}
	if s, err := o.Source(editor, org, "theses"); err != nil || s.LastError == nil || s.LastError.Code != protocol.CodeNotPermitted {
		t.Errorf("%+v, %v", s, err)
	}
}

// Mappings and repositories are changed from the version that was read, and bounded.
func TestKeeping(t *testing.T) {
	o := newOffice(t, t.TempDir())
	r := newRepository(t)
	s := o.keep("list", simple())
	_, err := o.SaveMapping(editor, org, "list", simple(), 0)
	wantCode(t, "the same name", err, protocol.CodeConflict)
	if s, err = o.SaveMapping(editor, org, "list", simple(), s.Version); err != nil || s.Version != 2 {
		t.Errorf("%+v, %v", s, err)
	}
	_, err = o.SaveMapping(editor, org, "list", simple(), 1)
	wantCode(t, "an old version", err, protocol.CodeConflict)
	_, err = o.SaveMapping(stranger, org, "mine", simple(), 0)
	wantCode(t, "a stranger's", err, protocol.CodeNotPermitted)
	_, err = o.SaveMapping(editor, org, "a/b", mapping.Mapping{Rules: []mapping.Rule{{To: "nowhere", Constant: "x"}}}, 0)
	if all := protocol.All(err); len(all) < 2 {
		t.Errorf("faults: %v", err)
	}
	for _, name := range []string{"", " x", "x\n", ".x", "a/b", strings.Repeat("x", 81), "a\xff"} {
		if checkName(name) == nil {
			t.Errorf("%q is taken as a name", name)
		}
	}
	for _, name := range []string{"annual list", "บัญชี", "Danh sách (2026)", "x.y_z-1"} {
		if err := checkName(name); err != nil {
			t.Errorf("%q: %v", name, err)
		}
	}
	d := Definition{Source: harvest.Source{URL: r.URL}, Mapping: "list"}
	_, err = o.SaveSource(editor, org, "theses", d, 0)
	wantCode(t, "ids that deleted records do not have", err, protocol.CodeConflict)
	d.Keep = true
	if _, err = o.SaveSource(editor, org, "theses", d, 0); err != nil {
		t.Fatal(err)
	}
	wantCode(t, "delete a mapping in use", o.DeleteMapping(editor, org, "list", 2), protocol.CodeConflict)
	_, err = o.SaveSource(editor, org, "bad", Definition{Source: harvest.Source{URL: "ftp://x", Set: "a b"}, Hours: -1, Mapping: "none"}, 0)
	if all := protocol.All(err); len(all) != 4 {
		t.Errorf("faults: %v", err)
	}
	wantCode(t, "delete an old version", o.DeleteSource(editor, org, "theses", 2), protocol.CodeConflict)
	if err := o.DeleteSource(editor, org, "theses", 1); err != nil {
		t.Error(err)
	}
	if err := o.DeleteMapping(editor, org, "list", 2); err != nil {
		t.Error(err)
	}
	for i := range 20 {
		if _, err := o.SaveSource(editor, org, fmt.Sprintf("s%d", i), Definition{Source: d.Source}, 0); err != nil {
			t.Fatal(err)
		}
	}
	_, err = o.SaveSource(editor, org, "one more", Definition{Source: d.Source}, 0)
	wantCode(t, "too many", err, protocol.CodeQuota)
	if all, err := o.Sources(editor, org); err != nil || len(all) != 20 {
		t.Errorf("%d, %v", len(all), err)
	}
	if _, err := o.Sources(stranger, org); protocol.CodeOf(err) != protocol.CodeNotPermitted {
		t.Error(err)
	}
}

// Files go after a month or when somebody says so, jobs after a year, and what nobody has at once.
func TestRetention(t *testing.T) {
	o := newOffice(t, t.TempDir())
	o.keep("list", simple())
	o.run()
	a := o.importing(file(offers(0, 2)...), UploadOptions{Mapping: "list", DryRun: true})
	b := o.importing(file(offers(0, 2)...), UploadOptions{Mapping: "list"})
	o.halt()
	waiting := o.upload(file(offers(0, 2)...), UploadOptions{Mapping: "list"})
	wantCode(t, "discard what is not finished", o.Discard(editor, waiting.ID), protocol.CodeConflict)
	if err := o.Discard(editor, a.ID); err != nil {
		t.Fatal(err)
	}
	if n := len(o.files()); n != 3 {
		t.Errorf("files: %v", o.files())
	}
	_, err := o.Apply(editor, a.ID)
	wantCode(t, "apply without its file", err, protocol.CodeNotFound)
	_, err = o.Rows(editor, a.ID, nil, 0, 10)
	wantCode(t, "a report that is gone", err, protocol.CodeNotFound)
	o.pass(31 * 24 * time.Hour)
	if err := o.Sweep(t.Context()); err != nil {
		t.Fatal(err)
	}
	if f := o.files(); len(f) != 1 || f[0] != string(waiting.ID)+spoolEnd {
		t.Errorf("files: %v", f)
	}
	if j, err := o.Job(editor, b.ID); err != nil || j.Files {
		t.Errorf("%+v, %v", j, err)
	}
	o.pass(400 * 24 * time.Hour)
	if err := o.Sweep(t.Context()); err != nil {
		t.Fatal(err)
	}
	if all, err := o.Jobs(editor, org, "", 10); err != nil || len(all) != 1 || all[0].ID != waiting.ID {
		t.Errorf("%+v, %v", all, err)
	}
}

// A repository's address is anybody's: this node's own networks are not dialled for it.
func TestOwnNetworksAreNotDialled(t *testing.T) {
	o := newOffice(t, t.TempDir())
	o.cfg.Harvester = new(harvest.Client)
	r := newRepository(t)
	if _, err := o.Test(t.Context(), editor, org, harvest.Source{URL: r.URL}); protocol.CodeOf(err) != protocol.CodeValue || r.pages > 0 {
		t.Errorf("%v, %d pages", err, r.pages)
	}
	o.source(r, Definition{})
	o.run()
	if j := o.harvesting(HarvestOptions{}); j.State != Failed || r.pages > 0 {
		t.Errorf("%+v, %d pages", j, r.pages)
	}
}
