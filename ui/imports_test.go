package ui_test

import (
	"bytes"
	"context"
	"encoding/csv"
	"errors"
	"mime/multipart"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/textproto"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/net/html"

	"github.com/asean-tmh/tmh/node/access"
	"github.com/asean-tmh/tmh/node/exchange"
	"github.com/asean-tmh/tmh/node/exchange/exchangetest"
	"github.com/asean-tmh/tmh/node/house"
	"github.com/asean-tmh/tmh/node/intake"
	"github.com/asean-tmh/tmh/node/intake/mapping"
	"github.com/asean-tmh/tmh/node/oai/harvest"
	"github.com/asean-tmh/tmh/node/posting"
	"github.com/asean-tmh/tmh/ui/lang"
)

// importing is a home whose people import: an editor of an institute, and others who may not.
type importing struct {
	*home
	org                           access.OrganisationID
	editor, other, scout, manager *browser
	at                            string // the list of imports
}

func newImporting(t *testing.T, run bool, harvester ...*harvest.Client) *importing {
	t.Helper()
	o := &office{journal: &exchangetest.Journal{Member: "KH"}}
	o.home = newHome(t, func(c *house.Config) {
		o.journal.Store = c.Store
		c.Desk = exchange.NewDesk("KH", nil, o.journal, nil, c.Now)
		c.Imports = t.TempDir()
		if len(harvester) > 0 {
			c.Harvester = harvester[0]
		}
	})
	o.journal.Signer = o.seats["KH"].Record
	x := &importing{home: o.home, manager: o.setUp(), org: o.organisation("Institute")}
	x.editor = o.person("editor@institute.example.org", x.org, access.Editor)
	x.other = o.person("editor@college.example.org", o.organisation("College"), access.Editor)
	x.scout = o.person("scout@institute.example.org", x.org, access.Scout)
	x.at = "/organisations/" + string(x.org) + "/imports"
	if !run {
		return x
	}
	ctx, stop := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- x.house.Imports.Run(ctx) }()
	t.Cleanup(func() {
		stop()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
	return x
}

// settled waits for an import to end, or to wait for somebody.
func (x *importing) settled(at string) intake.Job {
	x.t.Helper()
	id := intake.JobID(strings.TrimPrefix(strings.TrimSuffix(at, "/columns"), "/imports/"))
	ctx, cancel := context.WithTimeout(x.t.Context(), time.Minute)
	defer cancel()
	var last intake.Job
	enough := errors.New("enough")
	err := x.house.Imports.Watch(ctx, access.Operator("KH"), id, func(j intake.Job) error {
		if last = j; j.State.Finished() || j.State == intake.Waiting {
			return enough
		}
		return nil
	})
	if !errors.Is(err, enough) {
		x.t.Fatalf("%s: %v, %+v", id, err, last)
	}
	return last
}

// sendFile sends the form of a page for a file, as a browser does: its fields in order.
func (b *browser) sendFile(target, filename, content string, fields ...string) *httptest.ResponseRecorder {
	b.t.Helper()
	var body bytes.Buffer
	form := multipart.NewWriter(&body)
	for i := 0; i+1 < len(fields); i += 2 {
		if err := form.WriteField(fields[i], fields[i+1]); err != nil {
			b.t.Fatal(err)
		}
	}
	part, err := form.CreatePart(textproto.MIMEHeader{"Content-Disposition": {`form-data; name="file"; filename="` + filename + `"`}, "Content-Type": {"text/csv"}})
	if err != nil {
		b.t.Fatal(err)
	}
	_, _ = part.Write([]byte(content))
	_ = form.Close()
	r := httptest.NewRequest(http.MethodPost, target, &body)
	r.Header.Set("Content-Type", form.FormDataContentType())
	r.RemoteAddr = b.address
	for name, value := range b.cookies {
		r.AddCookie(&http.Cookie{Name: name, Value: value})
	}
	return record(b.h, r)
}

// filled are the values of a page's text areas, with others in the place of some.
func filled(page *html.Node, values url.Values) url.Values {
	all := url.Values{}
	for _, n := range find(page, func(n *html.Node) bool { return n.Data == "textarea" && attr(n, "name") != "json" }) {
		all.Set(attr(n, "name"), text(n))
	}
	for name, v := range values {
		all[name] = v
	}
	return all
}

// sent is the import that an answer leads to.
func (x *importing) sent(w *httptest.ResponseRecorder) string {
	x.t.Helper()
	to := w.Header().Get("Location")
	if w.Code != http.StatusSeeOther || !strings.HasPrefix(to, "/imports/") {
		root, _ := html.Parse(w.Body)
		x.t.Fatalf("%d to %s\n%s", w.Code, to, text(root))
	}
	return to
}

const offers = "Nummer,Bezeichnung,Was es kann,TRL\nA-1,Solar dryer for fish,Dries 120 kg of fish in nine hours.,5\nA-2,Rice mill for villages,Mills 40 kg of rice an hour.,twelve\nA-3,,Keeps fruit cold without power.,4\nA-4,Water filter of clay,Filters 3 litres an hour.,6\n"

// What a person does with a file whose columns nobody knows: look at them, check, import, take the refused rows away.
func TestFileIsImportedByPages(t *testing.T) {
	x := newImporting(t, true)
	page := x.editor.look(x.at, 200, "Nothing imported yet", "Import a file", "Add a repository")
	if got := links(page)["Import a file"]; got != x.at+"/new" {
		t.Fatalf("the way in is %s", got)
	}
	x.editor.look(x.at+"/new", 200, "CSV, XLSX, JSON Lines, at most")
	at := x.sent(x.editor.sendFile(x.at+"/new", "offers.csv", offers, "drafts", "1"))
	if !strings.HasSuffix(at, "/columns") {
		t.Fatalf("leads to %s", at)
	}
	x.settled(at)
	page = x.editor.look(at, 200, "What the columns mean", "Nummer", "Solar dryer for fish", "Mills 40 kg of rice an hour.")
	selects := find(page, func(n *html.Node) bool { return n.Data == "select" && strings.HasPrefix(attr(n, "name"), "to-") })
	if len(selects) != 4 {
		t.Fatalf("%d columns", len(selects))
	}
	dry := x.editor.post(page, at, url.Values{
		"to-0": {"id"}, "to-1": {"listing.texts.en.title"}, "to-2": {"listing.texts.en.abstract"}, "to-3": {"listing.trl"}, "kind": {"TO"}, "name": {"annual list"},
	})
	job := x.sent(dry)
	j := x.settled(job)
	if want := (intake.Counts{Rows: 4, Created: 2, Refused: 2}); j.Counts != want || !j.DryRun || !j.DraftsOnly || j.Mapping != "annual list" {
		t.Fatalf("%+v", j)
	}
	if all, err := x.house.Postings.List(x.actor(x.editor), posting.Filter{Organisation: x.org}, "", 10); err != nil || len(all.Postings) > 0 {
		t.Errorf("a check made %d listings, %v", len(all.Postings), err)
	}
	page = x.editor.look(job, 200, "This was a check", "2 rows were refused", "New2", "Refused2", "Row 3", "Import now", "Water filter of clay", "Keep everything as drafts")
	x.editor.look(job+"?outcome=refused", 200, "Row 4", "Title")
	if got := text(x.editor.look(job+"?outcome=refused", 200)); strings.Contains(got, "Water filter of clay") {
		t.Error("a row that is new is among the refused ones")
	}
	// The columns say what is wrong with their values.
	x.editor.look(job+"/columns", 200, "twelve", "(1 row)", "Save this as a mapping named")

	real := x.sent(x.editor.post(page, job+"/apply", nil))
	if j = x.settled(real); j.Counts.Created != 2 || j.Counts.Refused != 2 || j.DryRun {
		t.Fatalf("%+v", j)
	}
	page = x.editor.look(real, 200, "The import is finished", "2 rows were refused", "Checked by")
	if has(find(page, func(n *html.Node) bool { return attr(n, "id") == "job" })[0], "hx-get") {
		t.Error("a finished import is fetched again and again")
	}
	if got := links(page)["Solar dryer for fish"]; !strings.HasPrefix(got, "/postings/") {
		t.Errorf("the listing is at %s", got)
	}
	w := x.editor.send(http.MethodGet, real+"/errors", nil)
	rows, err := csv.NewReader(strings.NewReader(strings.TrimPrefix(w.Body.String(), "\ufeff"))).ReadAll()
	if err != nil || len(rows) != 3 || strings.Join(rows[0], ",") != "Nummer,Bezeichnung,Was es kann,TRL,tmh_errors" || rows[1][0] != "A-2" || !strings.Contains(rows[1][4], "TRL") || rows[2][0] != "A-3" {
		t.Fatalf("%v\n%v", err, rows)
	}
	if got := w.Header().Get("Content-Disposition"); got != "attachment; filename=offers.errors.csv" || w.Header().Get("Content-Type") != "text/csv" {
		t.Errorf("the file is called %s, %s", got, w.Header().Get("Content-Type"))
	}
	w = x.editor.send(http.MethodGet, real+"/report.csv", nil)
	rows, err = csv.NewReader(strings.NewReader(strings.TrimPrefix(w.Body.String(), "\ufeff"))).ReadAll()
	if err != nil || len(rows) != 5 || rows[1][2] != "created" || rows[2][2] != "refused" || !strings.Contains(rows[2][6], "trl") {
		t.Errorf("%v\n%v", err, rows)
	}

	// The corrected rows, by the mapping that was saved; then a change, shown field by field.
	fixed := strings.NewReplacer("twelve", "7", "A-3,", "A-3,Cold store").Replace(offers)
	job = x.sent(x.editor.sendFile(x.at+"/new", "offers.csv", strings.Replace(fixed, "nine hours", "six hours", 1), "mapping", "annual list", "run", "dry"))
	if j = x.settled(job); j.Counts.Created != 2 || j.Counts.Changed != 1 || j.Counts.Unchanged != 1 {
		t.Fatalf("%+v", j)
	}
	x.editor.look(job+"?outcome=changed", 200, "Dries 120 kg of fish in nine hours.", "Dries 120 kg of fish in six hours.", "Summary (English)")
	job = x.sent(x.editor.sendFile(x.at+"/new", "offers.csv", fixed, "mapping", "annual list", "run", "now", "drafts", "1"))
	if j = x.settled(job); j.DryRun || j.Counts.Created != 2 {
		t.Fatalf("%+v", j)
	}
	x.editor.look(x.at, 200, "annual list", "Finished", "Refused 2", "you")
	// The administrator looks, and has no button.
	page = x.manager.look(x.at, 200, "offers.csv")
	if links(page)["Import a file"] != "" {
		t.Error("an administrator may import")
	}
	if got := buttons(x.manager.look(job, 200, "offers.csv")); len(got) > 0 {
		t.Errorf("an administrator has %v", got)
	}

	// The file goes, the counts stay.
	page = x.editor.look(job+"/discard", 200, "Delete the file and the report?")
	x.editor.follow(page, job+"/discard", nil, "The file and the report are deleted.", "The report is not here any more", "New2")
	x.editor.look(job+"/errors", 404, "not here any more")
	x.editor.look(job+"/columns", 404, "send it again")
}

func TestImportGoesOnAndIsCancelled(t *testing.T) {
	x := newImporting(t, false)
	at := x.sent(x.editor.sendFile(x.at+"/new", "offers.csv", offers))
	job := strings.TrimSuffix(at, "/columns")
	page := x.editor.look(job, 200, "Waiting its turn", "Look again", "No row is done yet")
	live := find(page, func(n *html.Node) bool { return attr(n, "id") == "job" })[0]
	if attr(live, "hx-get") != job || attr(live, "hx-trigger") != "every 2s" || attr(live, "hx-nonce") == "" || len(find(page, func(n *html.Node) bool { return n.Data == "script" && strings.Contains(attr(n, "src"), "htmx") })) != 1 {
		t.Error("the page does not go on by itself")
	}
	r := httptest.NewRequest(http.MethodGet, job, nil)
	r.Header.Set("HX-Request", "true")
	if w := record(x.h, r); w.Code != http.StatusUnauthorized || w.Body.Len() > 0 {
		t.Errorf("a page whose session is over becomes %d, %d bytes", w.Code, w.Body.Len())
	}
	x.editor.look(x.at, 200, "offers.csv", "Waiting its turn")
	if got := x.editor.send(http.MethodGet, job+"/errors", nil); got.Code != 409 {
		t.Errorf("errors of what is not finished: %d", got.Code)
	}
	page = x.editor.look(job+"/cancel", 200, "Cancel this import?", "offers.csv")
	x.editor.follow(page, job+"/cancel", nil, "It was cancelled.")
	x.editor.press(page, job+"/cancel", nil, 409, "This import is cancelled already.")
	w := x.editor.send(http.MethodPost, job+"/apply", url.Values{})
	x.editor.check("apply what was cancelled", w, 409, []string{"only one that is done can be applied"})
	if w := x.editor.send(http.MethodGet, job+"/confirm", nil); w.Code != 303 || w.Header().Get("Location") != job {
		t.Errorf("what cannot be confirmed leads to %d %s", w.Code, w.Header().Get("Location"))
	}
	for verb, want := range map[string]int{"confirm": 409, "discard": 303} {
		if w := x.editor.send(http.MethodPost, job+"/"+verb, url.Values{"gone": {"1"}}); w.Code != want {
			t.Errorf("%s: %d", verb, w.Code)
		}
	}
}

// A full synchronisation that would take many listings away waits for somebody who says their number.
func TestWithdrawalsAreConfirmed(t *testing.T) {
	x := newImporting(t, true)
	var file strings.Builder
	file.WriteString("id,title_en,trl\n")
	for i := range 14 {
		file.WriteString("B-" + string(rune('a'+i)) + ",Machine of the kind " + strings.Repeat("x", i+1) + ",5\n")
	}
	m := mapping.Suggest([]string{"id", "title_en", "trl"}, nil)
	m.SetConstant("listing.country", "KH")
	if _, err := x.house.Imports.SaveMapping(x.actor(x.editor), x.org, "list", m, 0); err != nil {
		t.Fatal(err)
	}
	job := x.sent(x.editor.sendFile(x.at+"/new", "all.csv", file.String(), "mapping", "list", "run", "now", "drafts", "1"))
	if j := x.settled(job); j.Counts.Created != 14 {
		t.Fatalf("%+v", j)
	}
	short := "id,title_en,trl\nB-a,Machine of the kind x,5\n"
	job = x.sent(x.editor.sendFile(x.at+"/new", "all.csv", short, "mapping", "list", "run", "now", "drafts", "1", "full_sync", "1"))
	if j := x.settled(job); j.State != intake.Waiting || j.Gone != 13 {
		t.Fatalf("%+v", j)
	}
	page := x.editor.look(job, 200, "To be confirmed", "13 listings would be withdrawn, of 14 that came from here.")
	if got := links(page)["Decide about the withdrawals"]; got != job+"/confirm" {
		t.Errorf("leads to %s", got)
	}
	page = x.editor.look(job+"/confirm", 200, "Withdraw these listings?", "13 listings would be withdrawn")
	x.editor.press(page, job+"/confirm", url.Values{"gone": {"12"}}, 409, "13")
	x.editor.follow(page, job+"/confirm", nil)
	if j := x.settled(job); j.State != intake.Done || j.Counts.Withdrawn != 13 {
		t.Fatalf("%+v", j)
	}
	x.editor.look(job+"?outcome=withdrawn", 200, "Withdrawn13", "B-b")
}

func TestMappingIsEdited(t *testing.T) {
	x := newImporting(t, false)
	m := mapping.Suggest([]string{"id", "title_en", "keywords_en"}, nil)
	if _, err := x.house.Imports.SaveMapping(x.actor(x.editor), x.org, "my list (2)", m, 0); err != nil {
		t.Fatal(err)
	}
	at := links(x.editor.look(x.at, 200))["my list (2)"]
	if at == "" {
		t.Fatal("it is not in the list")
	}
	first := x.editor.look(at, 200, "my list (2)", "What becomes what")
	var rule string
	for i, r := range m.Rules {
		if r.To == "listing.texts.en.title" {
			rule = string(rune('0' + i))
		}
	}
	x.editor.follow(first, at, filled(first, url.Values{"from-" + rule: {"Name\r\nNew name"}, "id": {"No."}, "to-3": {"listing.trl"}, "constant-3": {"4"}}), "The mapping is saved.")
	kept, err := x.house.Imports.Mapping(x.actor(x.editor), x.org, "my list (2)")
	if err != nil {
		t.Fatal(err)
	}
	i := slices.IndexFunc(kept.Mapping.Rules, func(r mapping.Rule) bool { return r.To == "listing.texts.en.title" })
	j := slices.IndexFunc(kept.Mapping.Rules, func(r mapping.Rule) bool { return r.To == "listing.trl" })
	if strings.Join(kept.Mapping.Rules[i].From, "|") != "Name|New name" || strings.Join(kept.Mapping.ID, "|") != "No." || kept.Mapping.Rules[j].Constant != "4" || kept.Version != 2 {
		t.Errorf("%+v", kept)
	}
	x.editor.press(first, at, filled(first, nil), 409, "Somebody changed this meanwhile", "New name")
	page := x.editor.look(at, 200)
	x.editor.press(page, at, filled(page, url.Values{"constant-3": {"forty"}, "to-" + rule: {"listing.nothing"}}), 422, "Line 1", "is nothing that can be filled")
	for body, want := range map[string]string{"{": "", `{"id":["x"],"rules":[{"to":"listing.trl","from":["a"],"else":"xx"}],"more":1}`: "more", "": "is empty", strings.Repeat("[", 300<<10): "256 KiB"} {
		w := x.editor.send(http.MethodPost, at, url.Values{"whole": {"1"}, "json": {body}, "version": {"2"}})
		x.editor.check("JSON "+body[:min(len(body), 20)], w, 422, []string{"Please correct", want})
	}
	if w := x.editor.send(http.MethodPost, at, url.Values{"whole": {"1"}, "json": {strings.Repeat("x", 2<<20)}}); w.Code != 400 {
		t.Errorf("two megabytes: %d", w.Code)
	}
	w := x.editor.send(http.MethodPost, at, url.Values{"whole": {"1"}, "json": {`{"id":["x"],"rules":[{"to":"listing.trl","from":["a"]}]}`}, "version": {"2"}})
	if w.Code != 303 {
		t.Errorf("JSON: %d", w.Code)
	}
	page = x.editor.look(at+"/delete", 200, "Delete this mapping?")
	x.editor.follow(page, at+"/delete", nil, "The mapping is deleted.")
	x.editor.look(at, 404, "There is nothing of this name")
}

func TestRepositoryIsKept(t *testing.T) {
	x := newImporting(t, false)
	add := strings.TrimSuffix(x.at, "imports") + "repositories"
	page := x.editor.look(add, 200, "Add a repository", "Dublin Core")
	// What is not of the public internet is not asked.
	for _, target := range []string{"http://127.0.0.1:8080/oai", "http://169.254.169.254/latest", "http://[::1]/oai", "http://10.0.0.1/oai"} {
		x.editor.press(page, add, url.Values{"name": {"theses"}, "url": {target}, "do": {"test"}}, 422, "not an address of the public internet")
	}
	x.editor.press(page, add, url.Values{"name": {"a/b"}, "url": {"file:///etc/passwd"}, "hours": {"9999"}, "do": {"save"}}, 422, "characters that a name cannot have", "hours", "Address for harvesting:")
	at := add + "/theses"
	x.editor.follow(page, add, url.Values{"name": {"theses"}, "url": {"https://repository.example.org/oai"}, "do": {"save"}}, "theses", "Last harvestNever")
	x.editor.press(page, add, url.Values{"name": {"theses"}, "url": {"https://repository.example.org/oai"}, "do": {"save"}}, 409, "take another name")
	first := x.editor.look(at, 200, "Next harvest")
	x.editor.follow(first, at, url.Values{"hours": {"0"}, "set": {"col_1"}, "keep_deleted": {"1"}, "do": {"save"}}, "The repository is saved.", "Only when somebody asks for it")
	x.editor.press(first, at, url.Values{"set": {"col_2"}, "do": {"save"}}, 409, "Somebody changed this meanwhile")
	kept, err := x.house.Imports.Source(x.actor(x.editor), x.org, "theses")
	if err != nil || kept.Set != "col_1" || kept.Hours != 0 || !kept.Keep {
		t.Errorf("%+v, %v", kept, err)
	}
	page = x.editor.look(at, 200)
	job := x.sent(x.editor.post(page, at+"/harvest", url.Values{"run": {"dry"}, "full_sync": {"1"}}))
	j, err := x.house.Imports.Job(x.actor(x.editor), intake.JobID(strings.TrimPrefix(job, "/imports/")))
	if err != nil || !j.DryRun || !j.FullSync || j.Repository != "theses" {
		t.Errorf("%+v, %v", j, err)
	}
	x.editor.look(job, 200, "theses", "Waiting its turn")
	x.editor.look(job+"/columns", 409, "came from a repository")
	x.editor.press(page, at+"/harvest", url.Values{"run": {"now"}}, 409, "is being harvested")
	page = x.editor.look(at+"/delete", 200, "Delete this repository?")
	x.editor.follow(page, at+"/delete", nil, "The repository is deleted.")
	x.editor.look(at, 404, "There is nothing of this name")
}

// repositoryOf one record, as OAI-PMH has it.
func repositoryOf(t *testing.T) string {
	t.Helper()
	const head = `<?xml version="1.0" encoding="UTF-8"?><OAI-PMH xmlns="http://www.openarchives.org/OAI/2.0/"><responseDate>2026-11-20T08:00:00Z</responseDate><request>http://x/oai</request>`
	answers := map[string]string{
		"Identify":            `<Identify><repositoryName>Theses &lt;b&gt;of Vientiane</repositoryName><baseURL>http://x/oai</baseURL><protocolVersion>2.0</protocolVersion><adminEmail>a@b.example</adminEmail><earliestDatestamp>2020-01-01</earliestDatestamp><deletedRecord>no</deletedRecord><granularity>YYYY-MM-DD</granularity></Identify>`,
		"ListRecords":         `<ListRecords><record><header><identifier>oai:theses:1</identifier><datestamp>2026-01-02</datestamp></header><metadata><oai_dc:dc xmlns:oai_dc="http://www.openarchives.org/OAI/2.0/oai_dc/" xmlns:dc="http://purl.org/dc/elements/1.1/"><dc:title>Stove for rice husks</dc:title><dc:description>It burns rice husks without smoke.</dc:description><dc:language>en</dc:language></oai_dc:dc></metadata></record></ListRecords>`,
		"ListSets":            `<ListSets><set><setSpec>col_1</setSpec><setName>Engineering</setName></set></ListSets>`,
		"ListMetadataFormats": `<ListMetadataFormats><metadataFormat><metadataPrefix>oai_dc</metadataPrefix><schema>http://x</schema><metadataNamespace>http://x</metadataNamespace></metadataFormat></ListMetadataFormats>`,
	}
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/xml")
		_, _ = w.Write([]byte(head + answers[r.FormValue("verb")] + `</OAI-PMH>`))
	}))
	t.Cleanup(s.Close)
	return s.URL + "/oai"
}

func TestRepositoryIsTriedAndHarvested(t *testing.T) {
	x := newImporting(t, true, &harvest.Client{Allow: func(a netip.Addr) bool { return a.IsLoopback() }})
	target := repositoryOf(t)
	add := strings.TrimSuffix(x.at, "imports") + "repositories"
	page := x.editor.look(add, 200)
	page = x.editor.press(page, add, url.Values{"name": {"theses"}, "url": {target}, "hours": {"6"}, "do": {"test"}}, 200,
		"Theses <b>of Vientiane answers", "Nothing of it was saved.", "oai:theses:1", "Stove for rice husks", "col_1 Engineering")
	if value := attr(find(page, func(n *html.Node) bool { return attr(n, "name") == "url" })[0], "value"); value != target {
		t.Errorf("what was typed is lost: %q", value)
	}
	x.editor.look(add+"/theses", 404)
	page = x.editor.follow(page, add, url.Values{"do": {"save"}}, "theses", "Next harvest")
	job := x.sent(x.editor.post(page, add+"/theses/harvest", url.Values{"run": {"dry"}}))
	if j := x.settled(job); j.State != intake.Done || j.Counts.Created != 1 || !j.All {
		t.Fatalf("%+v", j)
	}
	page = x.editor.look(job, 200, "This was a check", "Stove for rice husks", "oai:theses:1", "The repository")
	job = x.sent(x.editor.post(page, job+"/apply", nil))
	if j := x.settled(job); j.Counts.Created != 1 {
		t.Fatalf("%+v", j)
	}
	x.editor.look(add+"/theses", 200, "The last import from it", "Last harvest without a fault")
	x.editor.look(x.at, 200, "theses", "Last harvest")
}

func TestImportsAreForTheirPeople(t *testing.T) {
	x := newImporting(t, false)
	job := strings.TrimSuffix(x.sent(x.editor.sendFile(x.at+"/new", "offers.csv", offers)), "/columns")
	a := x.actor(x.editor)
	if _, err := x.house.Imports.SaveSource(a, x.org, "theses", intake.Definition{Source: harvest.Source{URL: "https://repository.example.org/oai"}}, 0); err != nil {
		t.Fatal(err)
	}
	m := mapping.Suggest([]string{"id", "title_en"}, nil)
	if _, err := x.house.Imports.SaveMapping(a, x.org, "list", m, 0); err != nil {
		t.Fatal(err)
	}
	base := strings.TrimSuffix(x.at, "/imports")
	pages := []string{x.at, x.at + "/new", base + "/mappings/list", base + "/mappings/list/delete", base + "/repositories", base + "/repositories/theses", base + "/repositories/theses/delete"}
	posts := []string{base + "/mappings/list", base + "/mappings/list/delete", base + "/repositories", base + "/repositories/theses", base + "/repositories/theses/harvest", base + "/repositories/theses/delete"}
	of := []string{job, job + "/columns", job + "/errors", job + "/report.csv", job + "/cancel", job + "/confirm", job + "/discard"}
	for name, b := range map[string]*browser{"another organisation": x.other, "a scout": x.scout} {
		b.address = "192.0.2." + map[string]string{"another organisation": "8", "a scout": "9"}[name] + ":1"
		for _, target := range pages {
			b.look(target, 403)
		}
		for _, target := range of {
			b.look(target, 404, "There is no such import")
		}
		for _, target := range posts {
			if w := b.send(http.MethodPost, target, url.Values{"version": {"1"}, "name": {"x"}, "url": {"https://repository.example.org/oai"}, "hours": {"0"}}); w.Code != 403 {
				t.Errorf("%s: POST %s: %d", name, target, w.Code)
			}
		}
		for _, verb := range []string{"/columns", "/apply", "/cancel", "/confirm", "/discard"} {
			if w := b.send(http.MethodPost, job+verb, url.Values{}); w.Code != 404 {
				t.Errorf("%s: POST %s: %d", name, verb, w.Code)
			}
		}
		if w := b.sendFile(x.at+"/new", "offers.csv", offers); w.Code != 403 {
			t.Errorf("%s sends a file: %d", name, w.Code)
		}
	}
	stranger := x.browser()
	for _, target := range slices.Concat(pages, of) {
		if w := stranger.send(http.MethodGet, target, nil); w.Code != 303 || !strings.HasPrefix(w.Header().Get("Location"), "/sign-in?from=") {
			t.Errorf("a stranger at %s: %d", target, w.Code)
		}
	}
	if w := stranger.sendFile(x.at+"/new", "offers.csv", offers); w.Code != 303 || !strings.HasPrefix(w.Header().Get("Location"), "/sign-in") {
		t.Errorf("a stranger sends a file: %d", w.Code)
	}
	// The administrator may look, and nothing more.
	x.manager.address = "192.0.2.10:1"
	for _, target := range []string{x.at, base + "/mappings/list", base + "/repositories/theses", job} {
		if got := buttons(x.manager.look(target, 200)); len(got) > 0 {
			t.Errorf("an administrator has %v at %s", got, target)
		}
	}
	if w := x.manager.send(http.MethodPost, job+"/cancel", url.Values{}); w.Code != 403 {
		t.Errorf("an administrator cancels: %d", w.Code)
	}
	all, err := x.house.Imports.Jobs(a, x.org, "", 10)
	if err != nil || len(all) != 1 || all[0].State != intake.Queued {
		t.Errorf("%+v, %v", all, err)
	}
}

func TestHostileFiles(t *testing.T) {
	x := newImporting(t, false)
	for name, want := range map[string]string{"../../etc/passwd.csv": "passwd.csv", `C:\\x\\<b>list<b>.csv`: "<b>list<b>.csv", strings.Repeat("n", 400) + ".csv": strings.Repeat("n", 119) + "…", "\u202egnp.csv": "gnp.csv"} {
		job := strings.TrimSuffix(x.sent(x.editor.sendFile(x.at+"/new", name, offers)), "/columns")
		page := x.editor.look(job, 200, want)
		if n := find(page, tag("b")); slices.ContainsFunc(n, func(n *html.Node) bool { return strings.Contains(text(n), "list") }) {
			t.Errorf("%s is not escaped", name)
		}
		x.editor.follow(x.editor.look(job+"/cancel", 200), job+"/cancel", nil)
	}
	for what, w := range map[string]*httptest.ResponseRecorder{
		"no file":         x.editor.sendFile(x.at+"/new", "", ""),
		"an empty file":   x.editor.sendFile(x.at+"/new", "x.csv", ""),
		"a program":       x.editor.sendFile(x.at+"/new", "x.csv", "\x7fELF\x02\x01\x01\x00"+strings.Repeat("\x00\x01", 900)),
		"no form":         x.editor.send(http.MethodPost, x.at+"/new", url.Values{"file": {"x"}}),
		"many columns":    x.editor.sendFile(x.at+"/new", "x.csv", strings.Repeat("c,", 5000)+"\n"),
		"full without":    x.editor.sendFile(x.at+"/new", "x.csv", offers, "full_sync", "1"),
		"broken workbook": x.editor.sendFile(x.at+"/new", "x.xlsx", "PK\x03\x04"+strings.Repeat("x", 900)),
	} {
		x.editor.check(what, w, map[string]int{"full without": 409}[what]+map[bool]int{true: 422}[what != "full without"], []string{"Please correct the following"})
	}
	if w := x.editor.sendFile(x.at+"/new", "x.csv", offers, "mapping", "nobody's"); w.Code != 404 {
		t.Errorf("a mapping that is not there: %d", w.Code)
	}
	// A form whose fields before the file are endless is not read for ever.
	var many []string
	for range 20 {
		many = append(many, "drafts", strings.Repeat("x", 20<<10))
	}
	if w := x.editor.sendFile(x.at+"/new", "x.csv", offers, many...); w.Code != 422 {
		t.Errorf("many fields: %d", w.Code)
	}
}

func TestTemplateFilesNeedNoMapping(t *testing.T) {
	x := newImporting(t, true)
	w := x.editor.send(http.MethodGet, x.at+"/template.csv", nil)
	head := strings.TrimSpace(strings.TrimPrefix(w.Body.String(), "\ufeff"))
	names := strings.Split(head, ",")
	if w.Code != 200 || !slices.Contains(names, "title_en") || w.Header().Get("Content-Type") != "text/csv" {
		t.Fatalf("%d: %s", w.Code, head)
	}
	cells := make([]string, len(names))
	for i, n := range names {
		cells[i] = map[string]string{"id": "N-1", "kind": "TO", "country": "KH", "title_en": "Rice husk stove", "trl": "6"}[n]
	}
	job := x.sent(x.editor.sendFile(x.at+"/new", "filled.csv", head+"\n"+strings.Join(cells, ",")+"\n"))
	if j := x.settled(job); j.Counts.Created != 1 {
		x.editor.look(strings.TrimSuffix(job, "/columns"), 200)
		t.Errorf("%+v", j)
	}
	if w := x.editor.send(http.MethodGet, x.at+"/template.xlsx", nil); w.Code != 200 || !strings.HasPrefix(w.Body.String(), "PK") {
		t.Errorf("workbook: %d", w.Code)
	}
}

// Every template of imports in every language, with as much in it as there can be.
func TestImportsInEveryLanguage(t *testing.T) {
	x := newImporting(t, true)
	m := mapping.Suggest([]string{"id", "title_en", "trl"}, nil)
	if _, err := x.house.Imports.SaveMapping(x.actor(x.editor), x.org, "list", m, 0); err != nil {
		t.Fatal(err)
	}
	if _, err := x.house.Imports.SaveSource(x.actor(x.editor), x.org, "theses", intake.Definition{Source: harvest.Source{URL: "https://repository.example.org/oai"}, Hours: 24}, 0); err != nil {
		t.Fatal(err)
	}
	job := strings.TrimSuffix(x.sent(x.editor.sendFile(x.at+"/new", "offers.csv", offers)), "/columns")
	x.settled(job)
	base := strings.TrimSuffix(x.at, "/imports")
	for _, tagged := range lang.Tags() {
		x.editor.cookies["lang"] = string(tagged)
		for _, target := range []string{x.at, x.at + "?done=mapping", x.at + "/new", job, job + "?outcome=refused", job + "/columns", job + "/discard",
			base + "/mappings/list", base + "/mappings/list/delete", base + "/repositories", base + "/repositories/theses", base + "/repositories/theses/delete"} {
			root := x.editor.look(target, 200)
			if got := attr(find(root, tag("html"))[0], "lang"); got != string(tagged) {
				t.Errorf("%s %s: is in %s", tagged, target, got)
			}
			x.spoken(string(tagged)+" "+target, root)
		}
		for _, verb := range []string{"cancel", "confirm"} {
			w := x.editor.send(http.MethodPost, job+"/"+verb, url.Values{"gone": {"3"}})
			x.spoken(string(tagged)+" "+verb, x.editor.check(verb, w, 409, nil))
		}
	}
}

// spoken fails where a page shows a key or a hole.
func (x *importing) spoken(what string, root *html.Node) {
	x.t.Helper()
	got := text(root)
	if i := strings.Index(got, "imports."); i >= 0 || strings.Contains(got, "<no value>") || strings.Contains(got, "%!") {
		x.t.Errorf("%s: shows a key or a hole: %.80s", what, got[max(i, 0):])
	}
}
