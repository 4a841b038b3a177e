package intake

import (
	"strings"
	"testing"

	"github.com/asean-tmh/tmh/node/intake/mapping"
	"github.com/asean-tmh/tmh/node/table"
	"github.com/asean-tmh/tmh/protocol"
)

// A file is sent once: its columns are looked at where it lies, it is mapped anew, and what that dry run says is applied.
func TestFileIsMappedAnew(t *testing.T) {
	o := newOffice(t, t.TempDir())
	o.run()
	dry := o.importing("foo,bar\nX-1,Rice mill\nX-2,Cold store\n", UploadOptions{DryRun: true, DraftsOnly: true})
	wantCounts(t, dry, Counts{Rows: 2, Refused: 2}) // nothing of it could be read, and it is there all the same
	in, err := o.Look(t.Context(), editor, dry.ID)
	if err != nil || strings.Join(in.Names, ",") != "foo,bar" || len(in.Sample) != 2 || in.Format != table.CSV || len(in.Mapping.Rules) == 0 {
		t.Fatalf("%+v, %v", in, err)
	}
	m := in.Mapping
	m.ID = []string{"foo"}
	m.Rules = append(m.Rules, mapping.Rule{To: "listing.texts.en.title", From: []string{"bar"}})
	again, err := o.Again(t.Context(), editor, dry.ID, UploadOptions{Inline: &m, DraftsOnly: true, Filename: "other.csv"})
	if err != nil {
		t.Fatal(err)
	}
	again = o.until(again.ID, Done, Failed)
	wantCounts(t, again, Counts{Rows: 2, Created: 2})
	if !again.DryRun || !again.DraftsOnly || again.Filename != "offers.csv" || again.Size != dry.Size {
		t.Errorf("%+v", again)
	}
	real, err := o.Apply(editor, again.ID)
	if err != nil {
		t.Fatal(err)
	}
	wantCounts(t, o.until(real.ID, Done, Failed), Counts{Rows: 2, Created: 2})

	for what, u := range map[string]UploadOptions{"a mapping that reads other columns": {Inline: &mapping.Mapping{ID: []string{"z"}, Rules: []mapping.Rule{{To: "listing.texts.en.title", From: []string{"y"}}}}},
		"a full synchronisation without a name": {Inline: &m, FullSync: true}} {
		_, err := o.Again(t.Context(), editor, dry.ID, u)
		wantCode(t, what, err, protocol.CodeConflict)
	}
	_, err = o.Again(t.Context(), editor, dry.ID, UploadOptions{Mapping: "nobody's"})
	wantCode(t, "a mapping that is not there", err, protocol.CodeNotFound)
	_, err = o.Again(t.Context(), stranger, dry.ID, UploadOptions{Inline: &m})
	wantCode(t, "a stranger", err, protocol.CodeNotPermitted)
	_, err = o.Again(t.Context(), admin, dry.ID, UploadOptions{Inline: &m})
	wantCode(t, "who may only look", err, protocol.CodeNotPermitted)
	_, err = o.Look(t.Context(), stranger, dry.ID)
	wantCode(t, "a stranger who looks", err, protocol.CodeNotPermitted)
	if err := o.Discard(editor, dry.ID); err != nil {
		t.Fatal(err)
	}
	_, err = o.Look(t.Context(), editor, dry.ID)
	wantCode(t, "a file that was deleted", err, protocol.CodeNotFound)
	_, err = o.Again(t.Context(), editor, dry.ID, UploadOptions{Inline: &m})
	wantCode(t, "mapping a file that was deleted", err, protocol.CodeNotFound)
}
