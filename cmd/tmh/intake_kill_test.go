package main

import (
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/asean-tmh/tmh/node/api"
	"github.com/asean-tmh/tmh/node/exchange"
	"github.com/asean-tmh/tmh/node/intake"
	"github.com/asean-tmh/tmh/node/posting"
	"github.com/asean-tmh/tmh/protocol"
)

// importedFile is one file of the test: which of its rows are good, and the import that it became.
type importedFile struct {
	name string
	rows int
	job  intake.JobID // "" while it is not known to be taken
}

const (
	killRows    = 2000 // of a file
	badEvery    = 50   // every so many rows one is at fault
	unnamed     = 3    // which of them
	mappingName = "kills"
)

func (f *importedFile) bad(i int) bool { return i%badEvery == unnamed }

func (f *importedFile) refused() (n int) {
	for i := range f.rows {
		if f.bad(i) {
			n++
		}
	}
	return n
}

// csv of the file. A row at fault has no title.
func (f *importedFile) csv() string {
	var b strings.Builder
	b.WriteString("number,title,summary,readiness\n")
	for i := range f.rows {
		title := fmt.Sprintf("Offer %d of %s", i, f.name)
		if f.bad(i) {
			title = ""
		}
		fmt.Fprintf(&b, "%s-%d,%s,%s,%d\n", f.name, i, title, padding(200+i%400), 1+i%9)
	}
	return b.String()
}

// TestKillDuringOrganisationImport kills a node at random points while it imports files of an organisation: while they are
// sent, while rows are carried out, and while it starts. The imports go on by themselves, and in the end every row is there once.
func TestKillDuringOrganisationImport(t *testing.T) {
	if testing.Short() {
		t.Skip("kills a node many times")
	}
	t.Parallel()
	const hits, most = 20, 40 // kills of an import, and kills
	seed := uint64(time.Now().UnixNano())
	if s := os.Getenv("TMH_SEED"); s != "" {
		if _, err := fmt.Sscan(s, &seed); err != nil {
			t.Fatal(err)
		}
	}
	t.Logf("TMH_SEED=%d", seed)
	rng := rand.New(rand.NewPCG(seed, 3))
	dir := filepath.Join(t.TempDir(), "kh")
	lonelyNode(t, dir)
	k := &killing{t: t, p: start(t, dir), point: idle}
	k.p.ready(t)
	k.settle()
	var points [4]int
	kills := 0
	for ; kills-points[idle] < hits && kills < most; kills++ {
		k.point = k.kill(rng)
		points[k.point]++
	}
	k.p.ready(t)
	for _, f := range k.files {
		k.send(f)
		k.finished(f)
	}
	ids := map[protocol.ListingID]bool{}
	for _, f := range k.files {
		k.report(f, posting.ImportCreated, ids)
	}
	k.catalogue(ids)
	again := *k.files[0]
	again.job = ""
	k.send(&again)
	k.finished(&again)
	k.report(&again, posting.ImportUnchanged, ids)
	k.p.stop(t)
	t.Logf("%d kills: %d while sending, %d while importing, %d while starting, %d with nothing to do; %d files of %d rows; %s",
		kills, points[sending], points[importing], points[starting], points[idle], len(k.files), killRows, verified(t, dir))
	if kills-points[idle] < hits {
		t.Error("too few kills hit an import: the test shows little")
	}
}

// The points of a kill.
const (
	sending = iota
	importing
	starting
	idle
)

// killing is a node with its organisation, over many deaths.
type killing struct {
	t     *testing.T
	p     *process
	org   string
	files []*importedFile
	point int // of the last kill
}

// call asks over the socket; want is the status that has to come.
func (k *killing) call(method, path string, header map[string]string, body io.Reader, want int, into any) {
	k.t.Helper()
	status, b, err := k.ask(method, path, header, body)
	if err != nil {
		k.t.Fatalf("%s %s: %v", method, path, err)
	}
	if status != want {
		k.t.Fatalf("%s %s: %d %s, want %d", method, path, status, b, want)
	}
	if into != nil {
		if err := json.Unmarshal(b, into); err != nil {
			k.t.Fatalf("%s %s: %v: %s", method, path, err, b)
		}
	}
}

func (k *killing) ask(method, path string, header map[string]string, body io.Reader) (int, []byte, error) {
	r, err := http.NewRequest(method, "http://node/api/v1"+path, body)
	if err != nil {
		return 0, nil, err
	}
	for name, value := range header {
		r.Header.Set(name, value)
	}
	resp, err := k.p.http.Do(r)
	if err != nil {
		return 0, nil, err
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	return resp.StatusCode, b, err
}

// settle an organisation with its mapping.
func (k *killing) settle() {
	k.t.Helper()
	var o struct{ ID string }
	body := `{"name":"Institute","type":"university","country":"KH","self_publish":true,"contact":{"email":"desk@example.org"}}`
	asJSON := map[string]string{"Content-Type": "application/json"}
	k.call(http.MethodPost, "/organisations", asJSON, strings.NewReader(body), http.StatusCreated, &o)
	k.org = "/organisations/" + o.ID
	m := `{"id":["number"],"rules":[{"to":"listing.kind","constant":"TO"},{"to":"listing.country","constant":"KH"},{"to":"listing.ford","constant":"2.11"},
		{"to":"listing.ipr","constant":"none"},{"to":"listing.texts.en.title","from":["title"]},{"to":"listing.texts.en.abstract","from":["summary"]},
		{"to":"listing.trl","from":["readiness"]},{"to":"record.texts.en.description","from":["summary"]}]}`
	asJSON["If-None-Match"] = "*"
	k.call(http.MethodPut, k.org+"/mappings/"+mappingName, asJSON, strings.NewReader(m), http.StatusCreated, nil)
}

func (k *killing) upload(f *importedFile) (intake.JobID, error) {
	q := url.Values{"mapping": {mappingName}, "filename": {f.name + ".csv"}}
	status, b, err := k.ask(http.MethodPost, k.org+"/imports?"+q.Encode(), map[string]string{"Content-Type": "text/csv"}, strings.NewReader(f.csv()))
	if err != nil {
		return "", err
	}
	var j api.ImportJob
	if status != http.StatusAccepted {
		return "", refused{status, string(b)}
	}
	return j.ID, json.Unmarshal(b, &j)
}

// find the import of a file whose sender was not told of it.
func (k *killing) find(f *importedFile) bool {
	var page api.ImportsPage
	k.call(http.MethodGet, k.org+"/imports?limit=100", nil, nil, http.StatusOK, &page)
	for _, j := range page.Imports {
		if j.Filename == f.name+".csv" {
			f.job = j.ID
			return true
		}
	}
	return false
}

// send a file, unless it arrived already.
func (k *killing) send(f *importedFile) {
	k.t.Helper()
	if f.job != "" || len(k.files) > 0 && f == k.files[len(k.files)-1] && k.find(f) {
		return
	}
	id, err := k.upload(f)
	if err == nil {
		var j api.ImportJob
		k.call(http.MethodGet, "/imports/"+string(id), nil, nil, http.StatusOK, &j)
		f.job = id
	}
	if err != nil {
		k.t.Fatal(err)
	}
}

func (k *killing) state(f *importedFile) intake.State {
	k.t.Helper()
	var j api.ImportJob
	k.call(http.MethodGet, "/imports/"+string(f.job), nil, nil, http.StatusOK, &j)
	return j.State
}

// kill the node once, and start it again.
func (k *killing) kill(rng *rand.Rand) (point int) {
	k.t.Helper()
	switch {
	case k.point != idle && rng.IntN(6) == 0: // in the midst of starting, when the import under way goes on already
		point = starting
		if err := k.p.end(os.Kill); err == nil {
			k.t.Fatal("a killed node exited with 0")
		}
		k.p = start(k.t, k.p.dir)
		<-time.After(time.Duration(rng.IntN(400)) * time.Millisecond) // not a wait for anything: the point of the kill
	default:
		k.p.ready(k.t)
		n := len(k.files)
		if n == 0 || k.files[n-1].job != "" && k.state(k.files[n-1]).Finished() {
			k.files = append(k.files, &importedFile{name: fmt.Sprintf("F%d", n), rows: killRows})
			n++
		}
		f := k.files[n-1]
		if f.job == "" && !k.find(f) && rng.IntN(3) == 0 {
			point = sending
			done := make(chan struct{})
			go func() {
				defer close(done)
				_, _ = k.upload(f) // whether it was taken shows later
			}()
			<-time.After(time.Duration(rng.IntN(40)) * time.Millisecond) // as above
			_ = k.p.end(os.Kill)
			<-done
		} else {
			point = importing
			k.send(f)
			<-time.After(time.Duration(rng.IntN(350)) * time.Millisecond) // as above
			if k.state(f).Finished() {
				point = idle
			}
		}
	}
	if err := k.p.end(os.Kill); err == nil {
		k.t.Fatal("a killed node exited with 0")
	}
	k.p = start(k.t, k.p.dir)
	return point
}

// finished waits until an import is over by itself, and looks at its counts.
func (k *killing) finished(f *importedFile) {
	k.t.Helper()
	var j api.ImportJob
	for end := time.Now().Add(2 * patience); ; time.Sleep(pollEvery) {
		if k.call(http.MethodGet, "/imports/"+string(f.job), nil, nil, http.StatusOK, &j); j.State.Finished() {
			break
		}
		if time.Now().After(end) {
			k.t.Fatalf("the import of %s does not end: %+v", f.name, j.Job)
		}
	}
	if j.State != intake.Done {
		k.t.Fatalf("the import of %s: %s, %v", f.name, j.State, j.Error)
	}
}

// report of a file has every row once and in order, as it should have ended; the listings that were created are added to ids.
func (k *killing) report(f *importedFile, want posting.ImportOutcome, ids map[protocol.ListingID]bool) {
	k.t.Helper()
	next, n := "", 0
	for more := true; more; more = next != "" {
		var page api.ImportRowsPage
		k.call(http.MethodGet, "/imports/"+string(f.job)+"/rows?"+url.Values{"limit": {"100"}, "cursor": {next}}.Encode(), nil, nil, http.StatusOK, &page)
		next = page.Next
		for _, row := range page.Rows {
			outcome := want
			if f.bad(n) {
				outcome = posting.ImportRefused
			}
			if id := fmt.Sprintf("%s-%d", f.name, n); row.N != n+2 || row.Source != id || row.Outcome != outcome {
				k.t.Fatalf("the report's line %d is row %d, %s, %s: want row %d, %s, %s", n, row.N, row.Source, row.Outcome, n+2, id, outcome)
			}
			switch {
			case outcome == posting.ImportRefused:
			case want == posting.ImportCreated && ids[row.Listing]:
				k.t.Fatalf("listing %s was made of two rows", row.Listing)
			case want == posting.ImportUnchanged && !ids[row.Listing]:
				k.t.Fatalf("row %d is said to be listing %q, which is none of those made", row.N, row.Listing)
			default:
				ids[row.Listing] = true
			}
			n++
		}
	}
	var j api.ImportJob
	k.call(http.MethodGet, "/imports/"+string(f.job), nil, nil, http.StatusOK, &j)
	counts := intake.Counts{Rows: f.rows, Refused: f.refused()}
	if want == posting.ImportCreated {
		counts.Created = f.rows - f.refused()
	} else {
		counts.Unchanged = f.rows - f.refused()
	}
	if n != f.rows || j.Counts != counts {
		k.t.Fatalf("%s: %d lines, %+v; want %d, %+v", f.name, n, j.Counts, f.rows, counts)
	}
}

// catalogue has exactly the listings that the reports name.
func (k *killing) catalogue(ids map[protocol.ListingID]bool) {
	k.t.Helper()
	next, n := "", 0
	for more := true; more; more = next != "" {
		var page struct {
			Entries []exchange.Entry
			Next    string
		}
		k.call(http.MethodGet, "/listings?"+url.Values{"limit": {"100"}, "cursor": {next}}.Encode(), nil, nil, http.StatusOK, &page)
		for _, e := range page.Entries {
			if n++; !ids[e.Ref.ID] {
				k.t.Fatalf("the catalogue has %s, of which no report knows", e.Ref.ID)
			}
		}
		next = page.Next
	}
	if n != len(ids) {
		k.t.Fatalf("%d listings in the catalogue, %d in the reports", n, len(ids))
	}
}
