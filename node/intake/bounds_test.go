package intake

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/asean-tmh/tmh/node/access"
	"github.com/asean-tmh/tmh/node/oai/harvest"
	"github.com/asean-tmh/tmh/protocol"
	"github.com/asean-tmh/tmh/store"
)

// What one organisation sent and fetched leaves room to the others.
func TestHalfOfTheRoom(t *testing.T) {
	o := newOffice(t, t.TempDir())
	o.keep("list", simple())
	j := o.upload(file(offers(0, 100)...), UploadOptions{Mapping: "list"})
	o.cfg.Limits.Files = 2 * j.Size
	_, err := o.room(org)
	wantCode(t, "an organisation that has half", err, protocol.CodeQuota)
	_, err = o.Upload(t.Context(), editor, org, strings.NewReader(file(offers(0, 1)...)), UploadOptions{Mapping: "list"})
	wantCode(t, "its next file", err, protocol.CodeQuota)
	if n, err := o.room(other); err != nil || n != j.Size {
		t.Errorf("another one: %d, %v", n, err)
	}
	o.cfg.Limits.Files += 20
	if n, err := o.room(org); err != nil || n != 10 {
		t.Errorf("room for ten bytes: %d, %v", n, err)
	}
	if err := os.WriteFile(o.path(o.newID(), partEnd), make([]byte, j.Size+15), 0o600); err != nil { // nobody's yet
		t.Fatal(err)
	}
	if n, err := o.room(org); err != nil || n != 5 {
		t.Errorf("room for five bytes in all: %d, %v", n, err)
	}
	if _, err := o.room(other); err != nil {
		t.Error(err)
	}
	o.cfg.Limits.Files = 2*j.Size + 15 + 2 // half is a byte or so more, and all is taken up to two
	if err := o.Cancel(editor, j.ID); err != nil {
		t.Fatal(err)
	}
	if err := o.Discard(editor, j.ID); err != nil {
		t.Fatal(err)
	}
	if n, err := o.room(org); err != nil || n != j.Size+2 {
		t.Errorf("after its file is gone: %d, %v", n, err)
	}
}

// A harvest beyond that fails, and says what to do.
func TestHarvestWithoutRoom(t *testing.T) {
	o := newOffice(t, t.TempDir())
	o.keep("list", simple())
	o.run()
	o.importing(file(offers(0, 100)...), UploadOptions{Mapping: "list"})
	o.halt()
	used := int64(0)
	for _, name := range o.files() {
		info, err := os.Stat(filepath.Join(o.dir, "imports", name))
		if err != nil {
			t.Fatal(err)
		}
		used += info.Size()
	}
	o.cfg.Limits.Files = 2 * used
	r := newRepository(t)
	r.put("oai:r:1", "Thesis")
	o.source(r, Definition{})
	o.run()
	if h := o.harvesting(HarvestOptions{}); h.State != Failed || h.Error.Code != protocol.CodeQuota {
		t.Errorf("%+v", h)
	}
}

// interrupted is a harvest that was stopped after its first pages.
func interrupted(t *testing.T) (o *office, r *repository, id JobID) {
	o, r = newOffice(t, t.TempDir()), newRepository(t)
	for i := range 10 {
		r.put(fmt.Sprintf("oai:r:%d", i), fmt.Sprintf("Thesis %d", i))
	}
	o.source(r, Definition{})
	kept, dead := 0, make(chan struct{})
	o.Imports.hook = func(at string, _ JobID) error {
		if at == "kept" {
			kept++
		}
		if kept < 3 {
			return nil
		}
		if kept++; kept == 4 {
			close(dead)
		}
		return errKilled
	}
	j, err := o.Harvest(editor, org, "theses", HarvestOptions{})
	if err != nil {
		t.Fatal(err)
	}
	o.run()
	<-dead
	o.crash()
	return o, r, j.ID
}

// The time of a harvest is counted from its beginning, however often it begins again.
func TestTimeOfHarvest(t *testing.T) {
	for _, c := range []struct {
		pass time.Duration
		want State
	}{{5 * time.Hour, Done}, {7 * time.Hour, Failed}} {
		o, r, id := interrupted(t)
		o.pass(c.pass)
		pages := r.pages
		o.run()
		j := o.until(id, Done, Failed)
		if j.State != c.want || c.want == Failed && (j.Error.Code != protocol.CodeTooLarge || r.pages != pages) {
			t.Errorf("after %v: %+v, %d pages", c.pass, j, r.pages-pages)
		}
	}
}

// So are its pages.
func TestPagesOfHarvest(t *testing.T) {
	o, _, id := interrupted(t)
	if err := o.store.Update(func(tx *store.Tx) error {
		r, err := read(tx, id)
		if err != nil {
			return err
		}
		if r.At.Pages == 0 || r.At.Token == "" {
			t.Errorf("it was not stopped between pages: %+v", r.At)
		}
		r.At.Pages = 99_999 // the next is the last that there may be
		return write(tx, r)
	}); err != nil {
		t.Fatal(err)
	}
	o.run()
	if j := o.until(id, Done, Failed); j.State != Failed || j.Error.Code != protocol.CodeConflict || !strings.Contains(j.Error.Message, "pages") {
		t.Errorf("%+v", j)
	}
}

// A trial says which formats and sets there are, and does not fail where the repository does not say it.
func TestChoicesOfTrial(t *testing.T) {
	o := newOffice(t, t.TempDir())
	lists := true
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, q *http.Request) {
		verb := q.FormValue("verb")
		if !lists && strings.HasPrefix(verb, "List") && verb != "ListRecords" {
			http.NotFound(w, q)
			return
		}
		fmt.Fprintf(w, `<OAI-PMH xmlns="http://www.openarchives.org/OAI/2.0/"><%s>`, verb)
		switch verb {
		case "Identify":
			fmt.Fprint(w, `<repositoryName>Invented</repositoryName><protocolVersion>2.0</protocolVersion>`)
		case "ListRecords":
			fmt.Fprint(w, `<record><header><identifier>a</identifier></header><metadata><dc><title>A</title></dc></metadata></record>`)
		case "ListSets":
			fmt.Fprint(w, `<set><setSpec>has space</setSpec><setName>Not to be asked for</setName></set>`)
			for i := range 150 {
				fmt.Fprintf(w, `<set><setSpec>%s%d</setSpec><setName>%s</setName></set>`, q.FormValue("resumptionToken"), i, strings.Repeat("n", 300))
			}
			fmt.Fprintf(w, `<resumptionToken>%sx</resumptionToken>`, q.FormValue("resumptionToken"))
		case "ListMetadataFormats":
			for i := range 300 {
				fmt.Fprintf(w, `<metadataFormat><metadataPrefix>f%d</metadataPrefix><metadataNamespace>urn:f</metadataNamespace></metadataFormat>`, i)
			}
		}
		fmt.Fprintf(w, `</%s></OAI-PMH>`, verb)
	}))
	defer srv.Close()
	tried, err := o.Test(t.Context(), editor, org, harvest.Source{URL: srv.URL})
	if err != nil || len(tried.Sample) != 1 {
		t.Fatalf("%+v, %v", tried, err)
	}
	if n := len(tried.Formats); n != trialList || tried.Formats[199] != (harvest.Format{Prefix: "f199", Namespace: "urn:f"}) {
		t.Errorf("%d formats: %+v", n, tried.Formats)
	}
	if n := len(tried.Sets); n < 150 || n > trialList || tried.Sets[0].Spec != "0" || len(tried.Sets[0].Name) > 210 || tried.Sets[150].Spec != "x0" {
		t.Errorf("%d sets: %+v", n, tried.Sets)
	}
	lists = false
	if tried, err = o.Test(t.Context(), editor, org, harvest.Source{URL: srv.URL}); err != nil || len(tried.Formats)+len(tried.Sets) > 0 || len(tried.Sample) != 1 {
		t.Errorf("a repository without lists: %+v, %v", tried, err)
	}
}

// One organisation tries one repository at a time, and leaves places to others.
func TestTrialsOfOneOrganisation(t *testing.T) {
	o := newOffice(t, t.TempDir())
	begun, stop := make(chan struct{}, trials), make(chan struct{})
	slow := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		begun <- struct{}{}
		<-stop
		http.NotFound(w, nil)
	}))
	defer slow.Close()
	r := newRepository(t)
	ends := make(chan error, trials)
	try := func(a access.Actor, of access.OrganisationID, url string) error {
		_, err := o.Test(t.Context(), a, of, harvest.Source{URL: url})
		return err
	}
	go func() { ends <- try(editor, org, slow.URL) }()
	<-begun
	wantCode(t, "a second one", try(editor, org, r.URL), protocol.CodeUnavailable)
	if err := try(stranger, other, r.URL); err != nil {
		t.Errorf("one of another organisation: %v", err)
	}
	o.Imports.mu.Lock()
	o.trying["o-third"] = true
	o.Imports.mu.Unlock()
	wantCode(t, "a third organisation's", try(stranger, other, r.URL), protocol.CodeUnavailable)
	close(stop)
	wantCode(t, "the slow one", <-ends, protocol.CodeValue)
	if err := try(editor, org, r.URL); err != nil {
		t.Errorf("afterwards: %v", err)
	}
}
