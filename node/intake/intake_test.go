package intake

import (
	"bufio"
	"bytes"
	"context"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/asean-tmh/tmh/node/access"
	"github.com/asean-tmh/tmh/node/intake/mapping"
	"github.com/asean-tmh/tmh/node/oai/harvest"
	"github.com/asean-tmh/tmh/node/posting"
	"github.com/asean-tmh/tmh/node/table"
	"github.com/asean-tmh/tmh/protocol"
	"github.com/asean-tmh/tmh/store"
)

// What a person does: a dry run, its differences, the import, the same file again, the rows that were refused.
func TestFileFromDryRunToCorrection(t *testing.T) {
	o := newOffice(t, t.TempDir())
	o.run()
	o.keep("annual list", simple())
	good := offers(0, 300)
	bad := []offer{{"B-1", "", "No title.", "3", ""}, {"B-2", "Readiness of its own", "", "eleven", ""}, {"", "Without an id", "", "3", ""}, {"A-00007", "The id of row 9", "", "3", ""}}
	f := file(append(good[:150:150], append(bad, good[150:]...)...)...)
	want := Counts{Rows: 304, Created: 300, Refused: 4}

	dry := o.importing(f, UploadOptions{Mapping: "annual list", DryRun: true})
	if dry.State != Done {
		t.Fatalf("dry run: %+v", dry)
	}
	wantCounts(t, dry, want)
	if n := o.listings(); n != 0 || o.journal.Signed != 0 {
		t.Fatalf("the dry run signed %d, and there are %d listings", o.journal.Signed, n)
	}
	if strings.Join(dry.Unused, ",") != "colour" || len(dry.Missing) != 0 {
		t.Errorf("unused %v, missing %v", dry.Unused, dry.Missing)
	}
	real, err := o.Apply(editor, dry.ID)
	if err != nil {
		t.Fatal(err)
	}
	done := o.until(real.ID, Done, Failed)
	wantCounts(t, done, want)
	if done.DryRunOf != dry.ID || o.listings() != 300 {
		t.Errorf("%d listings after %+v", o.listings(), done)
	}
	planned, did := o.rows(dry.ID), o.rows(done.ID)
	for i := range planned {
		if p, d := planned[i], did[i]; p.N != d.N || p.Source != d.Source || p.Outcome != d.Outcome || len(p.Faults) != len(d.Faults) {
			t.Fatalf("row %d: planned %+v, done %+v", i, p, d)
		}
	}
	refused := o.rows(done.ID, posting.ImportRefused)
	if len(refused) != 4 || refused[0].N != 152 || refused[0].Source != "B-1" || !refused[2].Unnamed || !strings.Contains(refused[3].Faults[0].Message, "row 9 ") {
		t.Fatalf("refused: %s", alike(refused))
	}
	if !strings.Contains(refused[1].Faults[0].Message, "readiness") {
		t.Errorf("the fault does not name the column: %+v", refused[1].Faults[0])
	}

	var list bytes.Buffer
	if err := o.Errors(editor, done.ID, &list); err != nil {
		t.Fatal(err)
	}
	text := strings.TrimPrefix(list.String(), "\ufeff")
	if head, _, _ := strings.Cut(text, "\n"); strings.TrimSpace(head) != "number,name,summary,readiness,details,colour,tmh_errors" || strings.Count(text, "\n") < 5 {
		t.Errorf("file of errors:\n%s", text)
	}
	fixed := strings.NewReplacer("B-1,,", "B-1,Now with a title,", "eleven", "8", "\n,Without", "\nB-3,Without", "A-00007", "B-4").Replace(list.String())
	again := o.importing(fixed, UploadOptions{Mapping: "annual list"})
	wantCounts(t, again, Counts{Rows: 4, Created: 4})

	signed := o.journal.Signed
	same := o.importing(f, UploadOptions{Mapping: "annual list"})
	wantCounts(t, same, Counts{Rows: 304, Unchanged: 300, Refused: 4})
	if o.journal.Signed != signed {
		t.Errorf("the same file again signed %d", o.journal.Signed-signed)
	}
	good[3].name, good[200].details = "Dryer with a fan", "A fan blows."
	dry = o.importing(file(good...), UploadOptions{Mapping: "annual list", DryRun: true})
	wantCounts(t, dry, Counts{Rows: 300, Changed: 2, Unchanged: 298})
	changed := o.rows(dry.ID, posting.ImportChanged)
	if len(changed) != 2 || len(changed[0].Diff) != 1 || changed[0].Diff[0] != (Change{"listing.texts.en.title", "Dryer number 3", "Dryer with a fan"}) ||
		len(changed[1].Diff) != 1 || changed[1].Diff[0].Path != "record.texts.en.description" {
		t.Errorf("differences: %s", alike(changed))
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	if len(o.bulk) != 6 || o.bulk[0] != true || o.bulk[5] != false {
		t.Errorf("bulk: %v", o.bulk)
	}
}

// What does not fit is refused before it is queued, with all that is wrong.
func TestUploadRefused(t *testing.T) {
	o := newOffice(t, t.TempDir())
	o.keep("annual list", simple())
	f := file(offers(0, 2)...)
	for _, tt := range []struct {
		what, file string
		o          UploadOptions
		code       protocol.Code
		says       string
	}{
		{"another header", "a,b\n1,2\n", UploadOptions{Mapping: "annual list"}, protocol.CodeConflict, "“number”, “name”, “summary”, “readiness”, “details”, and the file has “a”, “b”"},
		{"no such mapping", f, UploadOptions{Mapping: "monthly list"}, protocol.CodeNotFound, "no mapping of this name"},
		{"no mapping", f, UploadOptions{}, protocol.CodeRequired, "name a kept mapping"},
		{"full synchronisation by no name", f, UploadOptions{Inline: new(mapping.Mapping), FullSync: true}, protocol.CodeRequired, ""},
		{"a PDF", "%PDF-1.7", UploadOptions{Mapping: "annual list"}, protocol.CodeValue, "PDF"},
		{"nothing", "", UploadOptions{Mapping: "annual list"}, protocol.CodeValue, "empty"},
		{"an unknown format", f, UploadOptions{Mapping: "annual list", Format: "ods"}, protocol.CodeValue, "xlsx"},
	} {
		t.Run(tt.what, func(t *testing.T) {
			_, err := o.Upload(t.Context(), editor, org, strings.NewReader(tt.file), tt.o)
			if err == nil || !strings.Contains(err.Error(), tt.says) || tt.what != "full synchronisation by no name" && protocol.CodeOf(err) != tt.code {
				t.Errorf("%v, want %s with %q", err, tt.code, tt.says)
			}
		})
	}
	_, err := o.Upload(t.Context(), stranger, org, strings.NewReader(f), UploadOptions{Mapping: "annual list"})
	wantCode(t, "another organisation's editor", err, protocol.CodeNotPermitted)
	if all, err := o.Jobs(editor, org, "", 10); err != nil || len(all) != 0 {
		t.Errorf("jobs %v, %v", all, err)
	}
	if left := o.files(); len(left) != 0 {
		t.Errorf("files left: %v", left)
	}
	for i := range 5 {
		if _, err := o.Upload(t.Context(), editor, org, strings.NewReader(f), UploadOptions{Mapping: "annual list", DryRun: true}); err != nil {
			t.Fatal(i, err)
		}
	}
	_, err = o.Upload(t.Context(), editor, org, strings.NewReader(f), UploadOptions{Mapping: "annual list"})
	wantCode(t, "the sixth", err, protocol.CodeQuota)
	all, err := o.Jobs(editor, org, "", 3)
	if err != nil || len(all) != 3 || all[0].ID < all[1].ID || all[1].ID < all[2].ID {
		t.Fatalf("jobs %+v, %v", all, err)
	}
	rest, err := o.Jobs(editor, org, all[2].ID, 10)
	if err != nil || len(rest) != 2 || rest[0].ID > all[2].ID {
		t.Errorf("the next page: %+v, %v", rest, err)
	}
	_, err = o.Job(stranger, all[0].ID)
	wantCode(t, "another's job", err, protocol.CodeNotPermitted)
	_, err = o.Job(editor, "../../etc/passwd")
	wantCode(t, "no id of a job", err, protocol.CodeNotFound)
}

// Our own columns need no mapping: one is suggested.
func TestSuggestedDryRun(t *testing.T) {
	o := newOffice(t, t.TempDir())
	o.run()
	f := "id,kind,country,title_en,abstract_en,ford,ipr\nx1,TO,KH,Solar dryer,Dries nuts.,2.11,none\n"
	seen, err := o.Inspect(t.Context(), editor, org, strings.NewReader(f), "ours.csv", "")
	if err != nil || seen.Format != "csv" || len(seen.Sample) != 1 || len(seen.Mapping.Rules) < 3 {
		t.Fatalf("%+v, %v", seen, err)
	}
	if left := o.files(); len(left) != 0 {
		t.Errorf("files left: %v", left)
	}
	dry := o.importing(f, UploadOptions{DryRun: true})
	if dry.Counts.Created != 1 {
		t.Errorf("%+v: %s", dry, alike(o.rows(dry.ID)))
	}
}

// A full synchronisation withdraws what the file has no more, and asks where that is much.
func TestFullSync(t *testing.T) {
	o := newOffice(t, t.TempDir())
	o.run()
	o.keep("list", simple())
	o.keep("second list", simple())
	all := offers(0, 60)
	wantCounts(t, o.importing(file(all...), UploadOptions{Mapping: "list"}), Counts{Rows: 60, Created: 60})
	mine := offer{"C-1", "Of the other list", "", "3", ""}
	wantCounts(t, o.importing(file(mine), UploadOptions{Mapping: "second list"}), Counts{Rows: 1, Created: 1})

	j := o.importing(file(all[5:]...), UploadOptions{Mapping: "list"})
	wantCounts(t, j, Counts{Rows: 55, Unchanged: 55})
	unnamed := offer{"", "Whose row is it?", "", "3", ""}
	j = o.importing(file(append(all[5:len(all):len(all)], unnamed)...), UploadOptions{Mapping: "list", FullSync: true})
	wantCounts(t, j, Counts{Rows: 56, Unchanged: 55, Refused: 1})
	if !strings.Contains(j.Notice, "nothing was withdrawn") || o.listings() != 61 {
		t.Errorf("%q, %d listings", j.Notice, o.listings())
	}
	j = o.importing(file(all[5:]...), UploadOptions{Mapping: "list", FullSync: true, DryRun: true})
	wantCounts(t, j, Counts{Rows: 55, Unchanged: 55, Withdrawn: 5})
	if o.listings() != 61 {
		t.Errorf("the dry run left %d listings", o.listings())
	}
	j = o.importing(file(all[5:]...), UploadOptions{Mapping: "list", FullSync: true})
	wantCounts(t, j, Counts{Rows: 55, Unchanged: 55, Withdrawn: 5})
	if o.listings() != 56 {
		t.Errorf("%d listings", o.listings())
	}
	j = o.importing(file(), UploadOptions{Mapping: "list", FullSync: true})
	if j.State != Done || !strings.Contains(j.Notice, "empty") || o.listings() != 56 {
		t.Errorf("an empty file: %+v", j)
	}

	j = o.importing(file(all[20:]...), UploadOptions{Mapping: "list", FullSync: true}) // 15 of 55
	if j.State != Waiting || j.Gone != 15 || j.Stock != 55 || o.listings() != 56 {
		t.Fatalf("%+v, %d listings", j, o.listings())
	}
	wantCode(t, "confirm another number", o.Confirm(editor, j.ID, 14), protocol.CodeConflict)
	wantCode(t, "a stranger confirms", o.Confirm(stranger, j.ID, 15), protocol.CodeNotPermitted)
	if err := o.Cancel(editor, j.ID); err != nil {
		t.Fatal(err)
	}
	if j = o.until(j.ID, Cancelled); o.listings() != 56 {
		t.Errorf("%+v, %d listings", j, o.listings())
	}
	wantCode(t, "confirm what was cancelled", o.Confirm(editor, j.ID, 15), protocol.CodeConflict)
	j = o.importing(file(all[20:]...), UploadOptions{Mapping: "list", FullSync: true})
	o.crash() // it waits on
	o.run()
	if err := o.Confirm(editor, j.ID, j.Gone); err != nil {
		t.Fatal(err)
	}
	j = o.until(j.ID, Done, Failed)
	wantCounts(t, j, Counts{Rows: 40, Unchanged: 40, Withdrawn: 15})
	if o.listings() != 41 {
		t.Errorf("%d listings", o.listings())
	}
	if rows := o.rows(j.ID, posting.ImportWithdrawn); len(rows) != 15 || rows[0].Source != "A-00005" || rows[0].N != 0 {
		t.Errorf("withdrawn: %s", alike(rows))
	}
	j = o.importing(file(all...), UploadOptions{Mapping: "list"}) // they are there again
	wantCounts(t, j, Counts{Rows: 60, Created: 20, Unchanged: 40})
}

// Whoever may not import any more does not go on doing so by a job that he began.
func TestRightsWithdrawnMidway(t *testing.T) {
	o := newOffice(t, t.TempDir())
	o.keep("list", simple())
	n := 0
	o.Imports.hook = func(at string, _ JobID) error {
		if n++; at == "noted" {
			o.mu.Lock()
			o.gone[editor.User] = true
			o.mu.Unlock()
		}
		return nil
	}
	o.run()
	j := o.until(o.upload(file(offers(0, 600)...), UploadOptions{Mapping: "list"}).ID, Failed, Done)
	wantCounts(t, j, Counts{Rows: 256, Created: 256})
	if j.State != Failed || j.Error == nil || j.Error.Code != protocol.CodeNotPermitted || o.listings() != 256 {
		t.Errorf("%+v, %d listings", j, o.listings())
	}
}

// A job that is cancelled keeps what it did, in its report as well.
func TestCancel(t *testing.T) {
	o := newOffice(t, t.TempDir())
	o.keep("list", simple())
	reached, on := make(chan JobID), make(chan struct{})
	o.Imports.hook = func(at string, id JobID) error {
		if at == "noted" {
			reached <- id
			<-on
		}
		return nil
	}
	first := o.upload(file(offers(0, 600)...), UploadOptions{Mapping: "list", FullSync: true})
	second := o.upload(file(offers(0, 3)...), UploadOptions{Mapping: "list"})
	if err := o.Cancel(editor, second.ID); err != nil { // before it began
		t.Fatal(err)
	}
	o.run()
	id := <-reached
	if err := o.Cancel(editor, id); err != nil {
		t.Fatal(err)
	}
	close(on)
	j := o.until(first.ID, Cancelled, Done)
	wantCounts(t, j, Counts{Rows: 256, Created: 256})
	if rows := o.rows(j.ID); j.State != Cancelled || len(rows) != 256 || o.listings() != 256 {
		t.Errorf("%+v with %d lines", j, len(rows))
	}
	if j := o.until(second.ID, Cancelled, Done); j.State != Cancelled || j.Counts.Rows != 0 {
		t.Errorf("%+v", j)
	}
	wantCode(t, "cancel again", o.Cancel(editor, first.ID), protocol.CodeConflict)
}

// While the node cannot sign, a job waits, and goes on by itself.
func TestNodeCannotSign(t *testing.T) {
	o := newOffice(t, t.TempDir())
	o.keep("list", simple())
	o.journal.Broken = protocol.Errorf(protocol.CodeReadOnly, "", "the disk is full")
	delayed := make(chan struct{})
	o.run()
	j := o.upload(file(offers(0, 20)...), UploadOptions{Mapping: "list"})
	go func() {
		defer close(delayed)
		_ = o.Watch(t.Context(), editor, j.ID, func(x Job) error {
			if x.Delayed != "" {
				return errKilled
			}
			return nil
		})
	}()
	<-delayed
	o.halt()
	o.journal.Broken = nil
	if err := o.postings.Resume(t.Context()); err != nil {
		t.Fatal(err)
	}
	o.run()
	j = o.until(j.ID, Done, Failed)
	wantCounts(t, j, Counts{Rows: 20, Created: 20})
	if j.Delayed != "" || o.listings() != 20 {
		t.Errorf("%+v", j)
	}
}

// Files are bounded, and none is taken while the disk is nearly full.
func TestRoomForFiles(t *testing.T) {
	o := newOffice(t, t.TempDir())
	o.keep("list", simple())
	f := file(offers(0, 100)...)
	send := func() error {
		_, err := o.Upload(t.Context(), editor, org, strings.NewReader(f), UploadOptions{Mapping: "list"})
		return err
	}
	o.cfg.Limits.Table.File = 1000
	wantCode(t, "a file that is too long", send(), protocol.CodeTooLarge)
	o.cfg.Limits.Table.File = 1 << 20
	o.cfg.Limits.Files = 2 * (int64(len(f)) + 10)
	if err := send(); err != nil {
		t.Error(err)
	}
	wantCode(t, "no room beside the first", send(), protocol.CodeUnavailable)
	o.cfg.Limits.Files = 1 << 30
	low := uint64(1)
	s, err := store.Open(store.Config{MinFree: 1 << 30, Free: func() (uint64, uint64, error) { return low << 30, 1 << 40, nil }})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	was := o.cfg.Store
	o.cfg.Store = s
	if _, err := o.room(org); protocol.CodeOf(err) != protocol.CodeReadOnly {
		t.Errorf("a nearly full disk: %v", err)
	}
	low = 100
	if n, err := o.room(org); n != 1<<20 || err != nil {
		t.Errorf("%d, %v", n, err)
	}
	o.cfg.Store = was
	if all := o.files(); len(all) != 1 {
		t.Errorf("files: %v", all)
	}
	cut, broken := context.WithCancel(t.Context())
	broken()
	_, err = o.Upload(cut, editor, org, strings.NewReader(f), UploadOptions{Mapping: "list"})
	wantCode(t, "sending that is broken off", err, protocol.CodeTruncated)
}

// A file that breaks in the midst is imported up to there, and says so.
func TestFileWithManyFaults(t *testing.T) {
	o := newOffice(t, t.TempDir())
	o.keep("list", simple())
	o.run()
	f := file(offers(0, 30)...) + "X-1,one cell too few\n" + "X-2,\xe9t\xe9,s,3,d,c\n" + strings.TrimPrefix(file(offers(30, 40)...), "number,name,summary,readiness,details,colour\n")
	j := o.importing(f, UploadOptions{Mapping: "list"})
	wantCounts(t, j, Counts{Rows: 42, Created: 40, Refused: 2})
	for _, r := range o.rows(j.ID, posting.ImportRefused) {
		if !r.Unnamed || len(r.Faults) == 0 {
			t.Errorf("%+v", r)
		}
	}
	o.cfg.Limits.Table.Rows = 20
	j = o.importing(f, UploadOptions{Mapping: "list"})
	if j.State != Failed || j.Error == nil || j.Error.Code != protocol.CodeTooLarge || j.Counts.Unchanged != 20 {
		t.Errorf("%+v", j)
	}
}

// Nobody but the organisation's editors and the operator begins or changes an import; administrators see it.
func TestWhoMay(t *testing.T) {
	o := newOffice(t, t.TempDir())
	o.keep("list", simple())
	o.run()
	j := o.importing(file(offers(0, 2)...), UploadOptions{Mapping: "list", DryRun: true})
	var b bytes.Buffer
	for _, tt := range []struct {
		what    string
		a       access.Actor
		see, do bool
	}{
		{"an editor", editor, true, true}, {"the operator", access.Operator(member), true, true}, {"an administrator", admin, true, false},
		{"a stranger", stranger, false, false}, {"nobody", access.Actor{Member: member}, false, false},
		{"a reader of the organisation", access.Actor{User: "u", Organisation: org, Member: member, Roles: []access.Role{access.Reader}}, false, false},
		{"a token that only reads", access.Actor{User: editor.User, Organisation: org, Member: member, Roles: editor.Roles, Token: "t1", Scopes: []access.Scope{access.ScopeRead}}, true, false},
	} {
		sees := map[string]error{}
		_, sees["job"] = o.Job(tt.a, j.ID)
		_, sees["jobs"] = o.Jobs(tt.a, org, "", 1)
		_, sees["rows"] = o.Rows(tt.a, j.ID, nil, 0, 1)
		sees["errors"] = o.Errors(tt.a, j.ID, &b)
		_, sees["mapping of the job"] = o.MappingOf(tt.a, j.ID)
		_, sees["mapping"] = o.Mapping(tt.a, org, "list")
		_, sees["mappings"] = o.Mappings(tt.a, org)
		_, sees["sources"] = o.Sources(tt.a, org)
		sees["watch"] = o.Watch(t.Context(), tt.a, j.ID, func(Job) error { return nil })
		for what, err := range sees {
			if tt.see != (err == nil) || err != nil && protocol.CodeOf(err) != protocol.CodeNotPermitted {
				t.Errorf("%s: %s: %v", tt.what, what, err)
			}
		}
		if tt.do {
			continue
		}
		does := map[string]error{"cancel": o.Cancel(tt.a, j.ID), "confirm": o.Confirm(tt.a, j.ID, 1), "discard": o.Discard(tt.a, j.ID),
			"delete a mapping": o.DeleteMapping(tt.a, org, "list", 1), "delete a source": o.DeleteSource(tt.a, org, "x", 1)}
		_, does["apply"] = o.Apply(tt.a, j.ID)
		_, does["inspect"] = o.Inspect(t.Context(), tt.a, org, strings.NewReader("a\n"), "", "")
		_, does["harvest"] = o.Harvest(tt.a, org, "x", HarvestOptions{})
		_, does["save a source"] = o.SaveSource(tt.a, org, "x", Definition{}, 0)
		_, does["test"] = o.Test(t.Context(), tt.a, org, harvest.Source{})
		for what, err := range does {
			wantCode(t, tt.what+": "+what, err, protocol.CodeNotPermitted)
		}
	}
}

// Every format comes to the same listings.
func TestFormats(t *testing.T) {
	o := newOffice(t, t.TempDir())
	o.keep("list", simple())
	o.run()
	all := append(offers(0, 20), offer{"B-1", "=HYPERLINK(1)", "", "none", ""})
	first := o.importing(file(all...), UploadOptions{Mapping: "list"})
	wantCounts(t, first, Counts{Rows: 21, Created: 20, Refused: 1})
	for _, f := range []table.Format{table.XLSX, table.JSONL, table.CSV} {
		var b bytes.Buffer
		w, err := table.NewWriter(&b, f, []string{"number", "name", "summary", "readiness", "details"})
		if err != nil {
			t.Fatal(err)
		}
		for _, x := range all {
			if err := w.Write([]string{x.number, x.name, x.summary, x.readiness, x.details}); err != nil {
				t.Fatal(err)
			}
		}
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
		j := o.importing(b.String(), UploadOptions{Mapping: "list", Filename: "offers." + string(f)})
		wantCounts(t, j, Counts{Rows: 21, Unchanged: 20, Refused: 1})
		var errs bytes.Buffer
		if err := o.Errors(editor, j.ID, &errs); err != nil || j.Format != f {
			t.Errorf("%s: %v, %s", f, err, j.Format)
		}
		again := o.importing(errs.String(), UploadOptions{Mapping: "list", Filename: "errors." + string(f), DryRun: true})
		wantCounts(t, again, Counts{Rows: 1, Refused: 1})
	}
}

// Real descriptions of technologies, as far as they lie beside the project.
func TestOffersOfSBIR(t *testing.T) {
	f, err := os.Open("../../../shared/data/sbir_offers/docs.jsonl")
	if err != nil {
		t.Skip("the collection sbir_offers is not here: ", err)
	}
	defer f.Close()
	const rows = 300
	var b bytes.Buffer
	for s, n := bufio.NewReader(f), 0; n < rows; n++ {
		line, err := s.ReadString('\n')
		if err != nil {
			t.Fatal(err)
		}
		b.WriteString(line)
	}
	untitled := strings.Count(b.String(), `"title": ""`) // which the collection has
	o := newOffice(t, t.TempDir())
	o.keep("SBIR", mapping.Mapping{ID: []string{"id"}, Rules: []mapping.Rule{
		{To: "listing.kind", Constant: string(protocol.TechnologyOffer)}, {To: "listing.ford", Constant: "2.11"}, {To: "listing.ipr", Constant: "none"},
		{To: "listing.texts.en.title", From: []string{"title"}, Cut: true}, {To: "listing.texts.en.abstract", From: []string{"text"}, Cut: true},
		{To: "record.texts.en.description", From: []string{"text"}, Cut: true},
	}})
	o.run()
	j := o.importing(b.String(), UploadOptions{Mapping: "SBIR", Filename: "docs.jsonl"})
	wantCounts(t, j, Counts{Rows: rows, Created: rows - untitled, Refused: untitled})
	j = o.importing(b.String(), UploadOptions{Mapping: "SBIR", Filename: "docs.jsonl"})
	wantCounts(t, j, Counts{Rows: rows, Unchanged: rows - untitled, Refused: untitled})
}

// What a program began with a token ends with the token: its import, and the harvests of a repository that it entered.
func TestRevokedTokenGoesOnWithNothing(t *testing.T) {
	o := newOffice(t, t.TempDir())
	o.keep("list", simple())
	program := editor
	program.Token, program.Scopes = "t1", []access.Scope{access.ScopeRead, access.ScopeWrite}
	r := newRepository(t)
	r.put("oai:r:1", "Thesis 1")
	if _, err := o.SaveSource(program, org, "theses", Definition{Source: harvest.Source{URL: r.URL}, Hours: 1}, 0); err != nil {
		t.Fatal(err)
	}
	j, err := o.Upload(t.Context(), program, org, strings.NewReader(file(offers(0, 10)...)), UploadOptions{Filename: "offers.csv", Mapping: "list"})
	if err != nil {
		t.Fatal(err)
	}
	o.mu.Lock()
	o.revoked["t1"] = true
	o.mu.Unlock()
	o.run()
	if j = o.until(j.ID, Failed, Done); j.State != Failed || j.Error.Code != protocol.CodeNotPermitted || o.listings() != 0 {
		t.Errorf("%+v, %d listings", j, o.listings())
	}
	if err := o.Due(t.Context()); err != nil {
		t.Fatal(err)
	}
	if all, err := o.Jobs(editor, org, "", 10); err != nil || len(all) != 1 {
		t.Errorf("%d jobs, %v: want the upload alone", len(all), err)
	}
	s, err := o.Source(editor, org, "theses")
	if err != nil || s.LastError == nil || s.LastError.Code != protocol.CodeNotPermitted {
		t.Errorf("%+v, %v", s, err)
	}
	if _, err := o.SaveSource(editor, org, "theses", s.Definition, s.Version); err != nil { // a person makes it theirs
		t.Fatal(err)
	}
	o.pass(2 * time.Hour)
	if err := o.Due(t.Context()); err != nil {
		t.Fatal(err)
	}
	if all, _ := o.Jobs(editor, org, "", 10); len(all) != 2 {
		t.Errorf("%d jobs after a person saved the repository, want 2", len(all))
	}
}
