package posting

import (
	"strings"
	"testing"

	"github.com/asean-tmh/tmh/protocol"
	"github.com/asean-tmh/tmh/store"
)

// lose what a backup from before x does not have: the catalogue has its summary again, from the other members.
func (h *house) lose(x *Posting, record bool) {
	h.t.Helper()
	h.update(func(tx *store.Tx) error {
		if record {
			if err := tx.SetFull(x.ID.Key(), nil); err != nil {
				return err
			}
		}
		if err := tx.DeleteRow(store.TablePosting, rowOf("l", x.ID)); err != nil {
			return err
		}
		return remove(tx, x, index(x))
	})
}

// A listing that was imported after the backup comes back without its id at the source. Adopted with it, the next import finds it.
func TestImportAfterRestore(t *testing.T) {
	adoption := Adoption{Organisation: "oITC", SourceID: " oai:b ", Origin: "repository"}
	for _, tt := range []struct {
		name    string
		adopt   []Adoption
		record  bool // is lost as well
		outcome ImportOutcome
	}{
		{"not adopted: the doubling that is prevented", nil, true, ImportCreated},
		{"adopted without the id: likewise", []Adoption{{Organisation: "oITC"}}, true, ImportCreated},
		{"adopted", []Adoption{adoption}, true, ImportChanged},
		{"adopted, and the full record is here", []Adoption{adoption}, false, ImportUnchanged},
		{"adopted twice", []Adoption{{Organisation: "oITC"}, adoption}, true, ImportChanged},
		{"adopted with a wrong id first", []Adoption{{Organisation: "oITC", SourceID: "oai:x", Origin: "elsewhere"}, adoption}, false, ImportUnchanged},
		{"adopted without a word of where from", []Adoption{{Organisation: "oITC", SourceID: "oai:b"}}, false, ImportUnchanged},
	} {
		t.Run(tt.name, func(t *testing.T) {
			h := newHouse(t, "")
			h.trust("oITC")
			all := []Imported{item("oai:a", "Dryer"), item("oai:b", "Burner")}
			b := h.must(h.Get(editor, h.imports(fromRepository, all...)[1].ID))
			h.lose(b, tt.record)
			for _, d := range tt.adopt {
				x := h.must(h.Adopt(h.ctx(), admin, b.ID, d))
				wantState(t, x, Published, None)
			}
			if tt.adopt != nil && !tt.record {
				h.sound()
			}
			plan, err := h.Plan(editor, fromRepository, all)
			if err != nil {
				t.Fatal(err)
			}
			results := h.importsUnsound(fromRepository, all...)
			h.wantOutcome("the one of the backup", results[0], ImportUnchanged, Published)
			h.wantOutcome("the one after it", results[1], tt.outcome, Published)
			h.wantOutcome("planned", plan[1], tt.outcome, Published)
			if (results[1].ID == b.ID) != (tt.outcome != ImportCreated) {
				t.Errorf("%s is %s now, was %s", tt.outcome, results[1].ID, b.ID)
			}
			if tt.outcome == ImportCreated {
				if l, _ := h.listed(b.ID); l == nil {
					t.Error("the first one is not in the catalogue: nothing is doubled")
				}
				return
			}
			h.sound()
			h.wantOutcome("again", h.imports(fromRepository, all...)[1], ImportUnchanged, Published)
			if from, err := h.ImportedFrom(editor, fromRepository, "", 10); err != nil || strings.Join(from, " ") != "oai:a oai:b" {
				t.Errorf("imported from there: %v, %v", from, err)
			}
			gone, err := h.WithdrawImported(h.ctx(), editor, fromRepository, []string{"oai:b"}, nil)
			if err != nil || gone[0].Outcome != ImportWithdrawn || gone[0].ID != b.ID {
				t.Errorf("withdrawn: %+v, %v", gone, err)
			}
			h.sound()
		})
	}
}

// importsUnsound is imports where listings of the catalogue have lost their postings.
func (h *house) importsUnsound(b Batch, all ...Imported) []ImportResult {
	h.t.Helper()
	results, err := h.Import(h.ctx(), editor, b, all, nil)
	if err != nil || len(results) != len(all) {
		h.t.Fatalf("%d of %d results: %v", len(results), len(all), err)
	}
	return results
}

// The backup is of when an import had ended the listing; its source came back after it, under a new id.
func TestAdoptWhatCameBackToItsSource(t *testing.T) {
	h := newHouse(t, "")
	h.trust("oITC")
	old := h.imports(fromRepository, item("a", "Dryer"))[0].ID
	if _, err := h.WithdrawImported(h.ctx(), editor, fromRepository, []string{"a"}, nil); err != nil {
		t.Fatal(err)
	}
	x := h.must(h.Get(editor, h.imports(fromRepository, item("a", "Dryer"))[0].ID))
	h.lose(x, true)
	h.update(func(tx *store.Tx) error {
		o, err := get(tx, old)
		if err != nil {
			return err
		}
		was := index(o)
		o.ReplacedBy = ""
		return put(tx, o, was)
	})
	h.must(h.Adopt(h.ctx(), admin, x.ID, Adoption{Organisation: "oITC", SourceID: "a"}))
	if o := h.must(h.Get(editor, old)); o.ReplacedBy != x.ID {
		t.Errorf("the one before is replaced by %q, want %s", o.ReplacedBy, x.ID)
	}
	if r := h.imports(fromRepository, item("a", "Dryer"))[0]; r.Outcome != ImportChanged || r.ID != x.ID {
		t.Errorf("%+v, want that %s is changed", r, x.ID)
	}
}

// An older backup has the posting with an older text: what it knows of its source stays.
func TestAdoptNewerTextOfAnImport(t *testing.T) {
	h := newHouse(t, "")
	h.trust("oITC")
	x := h.must(h.Get(editor, h.imports(fromRepository, item("a", "Dryer"))[0].ID))
	var live *printed
	h.update(func(tx *store.Tx) (err error) {
		live, err = readPrinted(tx, "l", x.ID)
		return err
	})
	h.imports(fromRepository, item("a", "Solar dryer"))
	h.update(func(tx *store.Tx) error {
		now, err := get(tx, x.ID)
		if err != nil {
			return err
		}
		live.row = nil
		return put(tx, x, index(now))
	})
	h.update(func(tx *store.Tx) error { return live.write(tx, "l", x.ID) })
	if all, _, err := h.Missing(admin, "", 10); len(all) != 1 || all[0].What != LacksRevision || err != nil {
		t.Fatalf("missing: %+v, %v", all, err)
	}
	y := h.must(h.Adopt(h.ctx(), admin, x.ID, Adoption{SourceID: "a", Origin: "repository"}))
	if y.SourceID != "a" || y.Origin != "repository" || y.ImportedHash != x.ImportedHash || y.Title != "Solar dryer" {
		t.Errorf("adopted: %+v", y)
	}
	if r := h.imports(fromRepository, item("a", "Solar dryer"))[0]; r.ID != x.ID || r.Outcome != ImportChanged {
		t.Errorf("%+v", r)
	}
}

func TestAdoptionsThatAreRefused(t *testing.T) {
	h := newHouse(t, "")
	h.trust("oITC")
	results := h.imports(fromRepository, item("a", "Dryer"), item("b", "Burner"))
	x := h.must(h.Get(editor, results[1].ID))
	h.lose(x, true)
	for _, tt := range []struct {
		name string
		d    Adoption
		code protocol.Code
		n    int
	}{
		{"another listing's source", Adoption{Organisation: "oITC", SourceID: "a"}, protocol.CodeConflict, 1},
		{"no source", Adoption{Organisation: "oITC", Origin: "repository"}, protocol.CodeRequired, 1},
		{"two lines", Adoption{Organisation: "oITC", SourceID: "b\nc"}, protocol.CodeText, 1},
		{"too long", Adoption{Organisation: "oITC", SourceID: strings.Repeat("b", MaxSource+1)}, protocol.CodeTooLarge, 1},
		{"too many bytes", Adoption{Organisation: "oITC", SourceID: strings.Repeat("ក", MaxSource)}, protocol.CodeTooLarge, 1},
		{"not text, either", Adoption{Organisation: "oITC", SourceID: "b\x00", Origin: "\xff"}, protocol.CodeText, 2},
	} {
		_, err := h.Adopt(h.ctx(), admin, x.ID, tt.d)
		wantCode(t, tt.name, err, tt.code)
		if n := len(protocol.All(err)); n != tt.n {
			t.Errorf("%s: %d faults, want %d: %v", tt.name, n, tt.n, err)
		}
		if _, err := h.Get(admin, x.ID); protocol.CodeOf(err) != protocol.CodeNotFound {
			t.Errorf("%s: something was kept: %v", tt.name, err)
		}
	}
}
