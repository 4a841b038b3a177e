package posting

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/asean-tmh/tmh/node/access"
	"github.com/asean-tmh/tmh/protocol"
	"github.com/asean-tmh/tmh/store"
)

var fromRepository = Batch{Organisation: "oITC", Origin: "repository"}

// item is a listing of a source; equal texts have equal hashes.
func item(source, title string) Imported {
	return Imported{Source: source, Content: titled(title), Hash: protocol.Sum([]byte(title))}
}

func (h *house) imports(b Batch, all ...Imported) []ImportResult {
	h.t.Helper()
	results, err := h.Import(h.ctx(), editor, b, all, nil)
	if err != nil || len(results) != len(all) {
		h.t.Fatalf("%d of %d results: %v", len(results), len(all), err)
	}
	h.sound()
	return results
}

func (h *house) wantOutcome(what string, r ImportResult, outcome ImportOutcome, state State) {
	h.t.Helper()
	if r.Outcome != outcome || r.State != state || (r.Err != nil) != (outcome == ImportRefused) {
		h.t.Errorf("%s: %s, now %q, %v; want %s, %q", what, r.Outcome, r.State, r.Err, outcome, state)
	}
}

// What becomes of a listing in each state that it can be in here: the source says the same, something new, or has it no more.
func TestImportByState(t *testing.T) {
	drafts := fromRepository
	drafts.DraftsOnly = true
	edit := func(h *house, x *Posting) *Posting {
		return h.must(h.Edit(h.ctx(), editor, x.ID, x.Version, titled("by hand")))
	}
	judged := func(h *house, x *Posting, n int) *Posting {
		x = h.take(x)
		return h.must(h.Judge(h.ctx(), judge, x.ID, x.Version, Scores{n, n, n, n}, "mend it"))
	}
	for _, tt := range []struct {
		name           string
		first          Batch
		trusted        bool
		to             func(h *house, x *Posting) *Posting // people's doings after the first import
		same           string
		changed, gone  string // outcome and state; changed is submitted for review, unless trusted
		changedTrusted string // where the organisation publishes by itself by then; "" not tried
	}{
		{"draft of the import", drafts, false, nil, "unchanged draft", "changed submitted", "withdrawn ", "changed published"},
		{"draft that people edited", drafts, false, edit, "unchanged draft", "refused draft", "refused draft", "refused draft"},
		{"submitted", fromRepository, false, nil, "unchanged submitted", "refused submitted", "withdrawn ", "refused submitted"},
		{"in review", fromRepository, false, (*house).take, "unchanged in-review", "refused in-review", "refused in-review", "refused in-review"},
		{"returned", fromRepository, false, func(h *house, x *Posting) *Posting { return judged(h, x, 2) }, "unchanged draft", "changed submitted", "withdrawn ", "changed published"},
		{"rejected", fromRepository, false, func(h *house, x *Posting) *Posting { return judged(h, x, 1) }, "unchanged rejected", "changed submitted", "withdrawn ", "changed published"},
		{"passed", fromRepository, false, func(h *house, x *Posting) *Posting { return judged(h, x, 3) }, "unchanged published", "changed published", "withdrawn withdrawn", "changed published"},
		{"published", fromRepository, true, nil, "unchanged published", "changed published", "withdrawn withdrawn", ""},
		{"expired", fromRepository, true, func(h *house, x *Posting) *Posting { h.days(400); return x }, "changed published", "changed published", "withdrawn withdrawn", ""},
		{"published and edited", fromRepository, true, func(h *house, x *Posting) *Posting { return h.submit(edit(h, x)) }, "unchanged published", "changed published", "withdrawn withdrawn", ""},
		{"published with a draft", fromRepository, true, edit, "unchanged published", "refused published", "withdrawn withdrawn", ""},
		{"on hold", fromRepository, true, func(h *house, x *Posting) *Posting { return h.must(h.Hold(h.ctx(), editor, x.ID, x.Version, "")) }, "unchanged on-hold", "changed on-hold", "withdrawn withdrawn", ""},
		{"withdrawn by people", fromRepository, true, func(h *house, x *Posting) *Posting {
			return h.must(h.Withdraw(h.ctx(), editor, x.ID, x.Version, "other", ""))
		}, "ended withdrawn", "ended withdrawn", "ended withdrawn", ""},
		{"revoked", fromRepository, true, func(h *house, x *Posting) *Posting { return h.must(h.Revoke(h.ctx(), admin, x.ID, x.Version, "why")) }, "ended revoked", "ended revoked", "ended revoked", ""},
		{"discarded draft", drafts, false, func(h *house, x *Posting) *Posting { return h.must(h.Discard(h.ctx(), editor, x.ID, x.Version)) }, "created submitted", "created submitted", "unchanged ", "created published"},
		{"withdrawn by an import", fromRepository, true, func(h *house, x *Posting) *Posting {
			if _, err := h.WithdrawImported(h.ctx(), editor, fromRepository, []string{"a"}, nil); err != nil {
				h.t.Fatal(err)
			}
			return x
		}, "created published", "created published", "unchanged withdrawn", ""},
	} {
		for what, want := range map[string]string{"same": tt.same, "changed": tt.changed, "gone": tt.gone, "changed, trusted": tt.changedTrusted} {
			if want == "" {
				continue
			}
			t.Run(tt.name+"/"+what, func(t *testing.T) {
				h := newHouse(t, "")
				if tt.trusted {
					h.trust("oITC")
				}
				r := h.imports(tt.first, item("a", "one"))
				x := h.must(h.Get(admin, r[0].ID))
				if tt.to != nil {
					x = tt.to(h, x)
				}
				h.sound()
				if what == "changed, trusted" || tt.name == "passed" {
					h.trust("oITC")
				}
				signed := h.journal.Signed
				var err error
				var plan []ImportResult
				switch what {
				case "same":
					plan, err = h.Plan(editor, fromRepository, []Imported{item("a", "one")})
					r = h.imports(fromRepository, item("a", "one"))
				case "gone":
					r, err = h.WithdrawImported(h.ctx(), editor, fromRepository, []string{"a"}, nil)
				default:
					plan, err = h.Plan(editor, fromRepository, []Imported{item("a", "two")})
					r = h.imports(fromRepository, item("a", "two"))
				}
				h.sound()
				if err != nil {
					t.Fatal(err)
				}
				for _, got := range append(plan, r...) {
					if s := string(got.Outcome) + " " + string(got.State); s != want || (got.Err != nil) != (got.Outcome == ImportRefused) {
						t.Errorf("%s (%v), want %s", s, got.Err, want)
					}
				}
				if got := r[0].Outcome; (got == ImportUnchanged || got == ImportRefused || got == ImportEnded) && h.journal.Signed != signed {
					t.Errorf("%s, and something was signed", got)
				}
				if r[0].Outcome == ImportCreated && r[0].ID == x.ID || r[0].Outcome == ImportChanged && r[0].ID != x.ID {
					t.Errorf("%s as %s, was %s", r[0].Outcome, r[0].ID, x.ID)
				}
				if r[0].Outcome == ImportChanged && r[0].State == Published {
					if l, _ := h.listed(x.ID); l == nil || l.Texts["en"].Title != map[bool]string{true: "one", false: "two"}[what == "same"] {
						t.Errorf("the catalogue has %+v", l)
					}
				}
				// Sent once more, it changes nothing.
				if what != "gone" && r[0].Outcome != ImportRefused && r[0].Outcome != ImportEnded {
					again := h.imports(fromRepository, item("a", map[string]string{"same": "one"}[what]+map[bool]string{true: "two"}[what != "same"]))
					h.wantOutcome("again", again[0], ImportUnchanged, r[0].State)
				}
				for _, n := range h.notices {
					if n.Occasion == OnPublished && tt.name != "passed" {
						t.Errorf("a mail for an import: %+v", n)
					}
				}
			})
		}
	}
}

// A listing that was made by hand and comes from a source later is compared.
func TestImportMeetsHandmade(t *testing.T) {
	h := newHouse(t, "")
	h.trust("oITC")
	for _, source := range []string{"equal", "other"} {
		x, err := h.Create(editor, "oITC", source, titled("one"))
		if err != nil {
			t.Fatal(err)
		}
		h.submit(x)
	}
	all := []Imported{item("equal", "one"), item("other", "two")}
	plan, err := h.Plan(editor, fromRepository, all)
	if err != nil || !plan[1].Edited || plan[1].Before == nil || plan[1].Before.Listing.Texts["en"].Title != "one" {
		t.Errorf("plan %+v, %v", plan, err)
	}
	signed := h.journal.Signed
	r := h.imports(fromRepository, all...)
	h.wantOutcome("equal", r[0], ImportUnchanged, Published)
	h.wantOutcome("other", r[1], ImportChanged, Published)
	if h.journal.Signed != signed+1 {
		t.Errorf("%d signed", h.journal.Signed-signed)
	}
	if x := h.must(h.Get(editor, r[0].ID)); x.Origin != "repository" || x.ImportedHash != all[0].Hash {
		t.Errorf("not noted where it comes from: %+v", x)
	}
	from, err := h.ImportedFrom(editor, fromRepository, "", 10)
	if err != nil || !slices.Equal(from, []string{"equal", "other"}) {
		t.Errorf("from there came %v, %v", from, err)
	}
	if from, _ = h.ImportedFrom(editor, fromRepository, "equal", 1); !slices.Equal(from, []string{"other"}) {
		t.Errorf("after the first: %v", from)
	}
}

// Rows with faults are refused with all of them and leave nothing behind; the others go on.
func TestImportRefusesRows(t *testing.T) {
	h := newHouse(t, "")
	h.trust("oITC")
	bad := item("bad", "one")
	bad.Content.Listing.Country, bad.Content.Listing.FORD = "XX", []string{"99.9"}
	papers := item("papers", "one")
	papers.Content.Record.Documents = []protocol.Document{{Hash: protocol.Hash{1}, Name: "a.pdf", Type: "application/pdf", Size: 1}}
	bare := item("bare", "one")
	bare.Hash = protocol.Hash{}
	r := h.imports(fromRepository, item("a", "one"), bad, item("a", "two"), item("", "one"), item("b\nc", "one"), papers, bare, item("b", "two"))
	for i, want := range map[int]protocol.Code{2: protocol.CodeRepeated, 3: protocol.CodeRequired, 4: protocol.CodeText, 5: protocol.CodeValue, 6: protocol.CodeRequired} {
		if wantCode(t, r[i].Source, r[i].Err, want); r[i].Outcome != ImportRefused || r[i].ID != "" {
			t.Errorf("%+v", r[i])
		}
	}
	if len(protocol.All(r[1].Err)) < 2 {
		t.Errorf("not all faults: %v", r[1].Err)
	}
	h.wantOutcome("first", r[0], ImportCreated, Published)
	h.wantOutcome("last", r[7], ImportCreated, Published)
	if page, err := h.List(editor, Filter{Organisation: "oITC"}, "", 10); len(page.Postings) != 2 || err != nil {
		t.Errorf("%d postings, %v", len(page.Postings), err)
	}
	h.journal.Refuse = protocol.Errorf(protocol.CodeQuota, "", "no more")
	events := len(h.events)
	r = h.imports(fromRepository, item("c", "three"), item("a", "new"))
	h.wantOutcome("new, over the quota", r[0], ImportRefused, None)
	h.wantOutcome("changed, over the quota", r[1], ImportRefused, Published)
	if r[0].ID != "" || len(h.events) != events {
		t.Errorf("left behind: %+v, %d events", r[0], len(h.events)-events)
	}
	h.journal.Refuse = nil
	r = h.imports(fromRepository, item("c", "three"), item("a", "new"))
	h.wantOutcome("new", r[0], ImportCreated, Published)
	h.wantOutcome("changed", r[1], ImportChanged, Published)
}

func TestImportIsPermitted(t *testing.T) {
	h := newHouse(t, "")
	h.trust("oITC")
	all := []Imported{item("a", "one")}
	for _, a := range []access.Actor{stranger, reader, judge, {}} {
		_, err := h.Import(h.ctx(), a, fromRepository, all, nil)
		wantCode(t, "import", err, protocol.CodeNotPermitted)
		_, err = h.Plan(a, fromRepository, all)
		wantCode(t, "plan", err, protocol.CodeNotPermitted)
		_, err = h.WithdrawImported(h.ctx(), a, fromRepository, []string{"a"}, nil)
		wantCode(t, "withdraw", err, protocol.CodeNotPermitted)
		_, err = h.ImportedFrom(a, fromRepository, "", 1)
		wantCode(t, "list", err, protocol.CodeNotPermitted)
	}
	r, err := h.Import(h.ctx(), access.Actor{Operator: true, Member: member}, fromRepository, all, nil)
	if err != nil || r[0].Outcome != ImportCreated {
		t.Errorf("the operator: %+v, %v", r, err)
	}
	_, err = h.Import(h.ctx(), editor, Batch{Organisation: "oITC"}, all, nil)
	wantCode(t, "no origin", err, protocol.CodeRequired)
	h.update(func(tx *store.Tx) error { return setStanding(tx, "oITC", Standing{Disabled: true}) })
	_, err = h.Import(h.ctx(), editor, fromRepository, all, nil)
	wantCode(t, "disabled", err, protocol.CodeNotPermitted)
}

// As many as may wait for a review do; one in ten of what is published at once is audited.
func TestImportWaitsAndSamples(t *testing.T) {
	h := newHouse(t, "")
	h.update(func(tx *store.Tx) error { // as if there were others
		for i := range MaxDrafts - 2 {
			if err := tx.SetRow(store.TablePostingIndex, fmt.Sprintf("o/oITC/s/draft/%016x/x", i), nil); err != nil {
				return err
			}
		}
		return nil
	})
	r, err := h.Import(h.ctx(), editor, fromRepository, []Imported{item("a", "one"), item("b", "two"), item("c", "three")}, nil)
	if err != nil || r[0].State != Submitted || r[1].State != Submitted || protocol.CodeOf(r[2].Err) != protocol.CodeConflict {
		t.Errorf("%+v, %v", r, err)
	}
	h.trust("oITC")
	var all []Imported
	for i := range 300 {
		all = append(all, item(fmt.Sprint("s", i), fmt.Sprint("offer ", i)))
	}
	if r, err = h.Import(h.ctx(), editor, fromRepository, all, nil); err != nil {
		t.Fatal(err)
	}
	due, references := 0, make(map[string]bool)
	for _, x := range r {
		p := h.must(h.Get(editor, x.ID))
		if references[p.Reference] = true; p.Audit == Due {
			due++
		}
	}
	if due < 8 || due > 70 || len(references) != 300 {
		t.Errorf("%d of 300 are to be audited, %d references", due, len(references))
	}
	events := make(map[string]int)
	for _, e := range h.events {
		events[e.Action]++
	}
	if events["posting.publish"] != 300 || events["posting.submit"] != 2 {
		t.Errorf("events %v", events)
	}
}

// Cut off anywhere and sent again, before the node resumed or after, an import has the same end: nothing is there twice, and
// each listing is told of once.
func TestImportAfterCrash(t *testing.T) {
	errNote := errors.New("the power was cut while noting")
	for _, cut := range []string{"before the desk", "after the desk", "while finishing"} {
		for _, resumed := range []bool{false, true} {
			t.Run(fmt.Sprint(cut, ", resumed ", resumed), func(t *testing.T) {
				h := newHouse(t, t.TempDir())
				h.trust("oITC")
				told := make(map[string]int)
				fail := false
				note := func(tx *store.Tx, all []ImportResult) error {
					if fail {
						return errNote
					}
					for _, r := range all {
						told[r.Source+" "+string(r.Outcome)]++
					}
					return tx.SetRow(store.TableIntake, "x", []byte{1})
				}
				// round is cut off first, and then sent again.
				round := func(do func() ([]ImportResult, error), want ...string) {
					t.Helper()
					clear(told)
					signed := -h.journal.Signed
					switch cut {
					case "before the desk":
						h.gate.before = errCut
					case "after the desk":
						h.gate.after = errCut
					default:
						fail = true
					}
					if r, err := do(); err == nil || len(r) > 0 || len(told) > 0 {
						t.Fatalf("it was not cut off: %v, %v", r, told)
					}
					h.sound()
					fail = false
					signed += h.journal.Signed
					h.crash()
					if resumed {
						if err := h.Resume(h.ctx()); err != nil {
							t.Fatal(err)
						}
						h.sound()
					}
					for range 2 {
						if r, err := do(); err != nil || len(r) != 3 {
							t.Fatalf("%v, %v", r, err)
						}
						h.sound()
					}
					if signed += h.journal.Signed; signed != 3 {
						t.Errorf("%d signed", signed)
					}
					for _, w := range want {
						if told[w] != 1 {
							t.Errorf("%q was told %d times: %v", w, told[w], told)
						}
					}
				}
				importAll := func(titles string) func() ([]ImportResult, error) {
					return func() ([]ImportResult, error) {
						return h.Import(h.ctx(), editor, fromRepository, []Imported{item("a", titles+"1"), item("b", titles+"2"), item("c", titles+"3")}, note)
					}
				}
				round(importAll("x"), "a created", "b created", "c created", "a unchanged")
				round(importAll("y"), "a changed", "b changed", "c changed", "c unchanged")
				round(func() ([]ImportResult, error) {
					return h.WithdrawImported(h.ctx(), editor, fromRepository, []string{"a", "b", "c"}, note)
				}, "a withdrawn", "b withdrawn", "c withdrawn", "b unchanged")
				round(importAll("y"), "a created", "b created", "c created", "a unchanged")
				page, err := h.List(editor, Filter{Organisation: "oITC", State: Published}, "", 10)
				if err != nil || len(page.Postings) != 3 {
					t.Errorf("%d published, %v", len(page.Postings), err)
				}
			})
		}
	}
}

// Of a listing that somebody else has in hand, an import waits a little, and says so.
func TestImportOfBusyListing(t *testing.T) {
	h := newHouse(t, "")
	h.trust("oITC")
	r := h.imports(fromRepository, item("a", "one"))
	h.claim(r[0].ID)
	r, err := h.Import(h.ctx(), editor, fromRepository, []Imported{item("a", "two"), item("b", "one")}, nil)
	if err != nil {
		t.Fatal(err)
	}
	h.wantOutcome("busy", r[0], ImportRefused, Published)
	h.wantOutcome("other", r[1], ImportCreated, Published)
	h.unclaim(r[0].ID)
	r = h.imports(fromRepository, item("a", "two"))
	h.wantOutcome("free again", r[0], ImportChanged, Published)
}

// While the desk is at work on a listing for somebody else, the import waits for it.
func TestImportAwaitsTheDesk(t *testing.T) {
	h := newHouse(t, "")
	h.trust("oITC")
	x := h.must(h.Get(editor, h.imports(fromRepository, item("a", "one"))[0].ID))
	x = h.must(h.Edit(h.ctx(), editor, x.ID, x.Version, titled("by hand")))
	type answer struct {
		all []ImportResult
		err error
	}
	answered := make(chan answer, 1)
	began := false
	h.gate.during = func() {
		if !began {
			began = true
			go func() {
				all, err := h.Import(h.ctx(), editor, fromRepository, []Imported{item("a", "two")}, nil)
				answered <- answer{all, err}
			}()
		}
	}
	x = h.submit(x)
	got := <-answered
	if got.err != nil {
		t.Fatal(got.err)
	}
	h.wantOutcome("after the other", got.all[0], ImportChanged, Published)
	if l, _ := h.listed(x.ID); l.Texts["en"].Title != "two" {
		t.Errorf("the catalogue has %+v", l)
	}
	h.sound()
}

// Large listings take more transactions than small ones; they are told of in order, each once.
func TestImportOfLargeListings(t *testing.T) {
	h := newHouse(t, "")
	h.trust("oITC")
	var all []Imported
	for i := range 120 {
		in := item(fmt.Sprintf("%03d", i), fmt.Sprint("large ", i))
		for _, lang := range []protocol.Lang{"en", "th", "vi"} {
			if in.Content.Record.Texts[lang] = (protocol.RecordText{Description: strings.Repeat("ก", protocol.MaxDescription)}); lang != "en" {
				in.Content.Listing.Texts[lang] = protocol.Text{Title: "large"}
			}
		}
		switch i % 3 {
		case 1:
			in.Content.Record.Level = protocol.LevelInvited // wants no signature
		case 2:
			in.Content.Listing.Country = "XX"
		}
		all = append(all, in)
	}
	var told []string
	calls := 0
	for _, b := range []Batch{fromRepository, fromRepository, {Organisation: "oITC", Origin: "elsewhere"}} {
		told, calls = nil, calls+1
		parts := 0
		r, err := h.Import(h.ctx(), editor, b, all, func(_ *store.Tx, part []ImportResult) error {
			parts++
			for _, x := range part {
				told = append(told, x.Source)
			}
			return nil
		})
		if err != nil || len(r) != len(all) || !slices.IsSorted(told) || len(told) != len(all) {
			t.Fatalf("%d results, %d told: %v", len(r), len(told), err)
		}
		if calls == 1 && parts < 3 {
			t.Errorf("%d transactions for %d large listings", parts, len(all))
		}
		for i, x := range r {
			want := []ImportOutcome{ImportUnchanged, ImportUnchanged, ImportRefused}[i%3]
			if calls == 1 && want == ImportUnchanged {
				want = ImportCreated
			}
			if x.Outcome != want {
				t.Fatalf("%s: %+v, want %s", x.Source, x, want)
			}
		}
		h.sound()
	}
	if from, err := h.ImportedFrom(editor, fromRepository, "", 200); len(from) > 0 || err != nil {
		t.Errorf("still of the first: %d, %v", len(from), err)
	}
	if from, err := h.ImportedFrom(editor, Batch{Organisation: "oITC", Origin: "elsewhere"}, "", 200); len(from) != 80 || err != nil {
		t.Errorf("of the second: %d, %v", len(from), err)
	}
}

// Whatever happened here, Import does what Plan said, and Plan changes nothing.
func TestPlanIsWhatImportDoes(t *testing.T) {
	seeds := 8
	if testing.Short() {
		seeds = 3
	}
	done := make(map[ImportOutcome]int)
	for seed := range seeds {
		r := rand.New(rand.NewPCG(6, uint64(seed)))
		h := newHouse(t, "")
		people := []access.Actor{editor, editor, editor, judge, judge, admin}
		for range 60 {
			if r.IntN(4) == 0 {
				h.trust("oITC")
			}
			for range r.IntN(12) {
				page, err := h.List(admin, Filter{}, "", 50)
				if err != nil {
					t.Fatal(err)
				}
				if len(page.Postings) > 0 {
					x := page.Postings[r.IntN(len(page.Postings))]
					_, _ = h.anything(r, people[r.IntN(len(people))], x, []protocol.ListingID{x.ID})
				}
			}
			if r.IntN(10) == 0 {
				h.days(r.IntN(200))
			}
			b := fromRepository
			b.DraftsOnly = r.IntN(4) == 0
			if r.IntN(3) == 0 {
				source := fmt.Sprint("s", r.IntN(8))
				res, err := h.WithdrawImported(h.ctx(), editor, b, []string{source}, nil)
				if err != nil {
					t.Fatal(err)
				}
				done[res[0].Outcome]++
				h.sound()
			}
			var all []Imported
			for range 1 + r.IntN(4) {
				all = append(all, item(fmt.Sprint("s", r.IntN(8)), fmt.Sprint("text ", r.IntN(3))))
				if r.IntN(10) == 0 {
					all[len(all)-1].Content.Listing.Country = "XX"
				}
				if r.IntN(6) == 0 {
					all[len(all)-1].Content.Record.Level = protocol.LevelInvited
					all[len(all)-1].Hash = protocol.Sum(all[len(all)-1].Hash[:])
				}
			}
			signed, events := h.journal.Signed, len(h.events)
			plan, err := h.Plan(editor, b, all)
			if err != nil {
				t.Fatal(err)
			}
			if h.journal.Signed != signed || len(h.events) != events {
				t.Fatal("the plan changed something")
			}
			for i, got := range h.imports(b, all...) {
				done[got.Outcome]++
				if p := plan[i]; got.Outcome != p.Outcome || got.State != p.State || fmt.Sprint(got.Err) != fmt.Sprint(p.Err) || got.ID != p.ID && got.Outcome != ImportCreated {
					t.Fatalf("seed %d: %+v, planned %+v", seed, got, p)
				}
			}
			if t.Failed() {
				t.Fatalf("seed %d", seed)
			}
		}
	}
	for _, o := range []ImportOutcome{ImportCreated, ImportChanged, ImportUnchanged, ImportRefused, ImportEnded, ImportWithdrawn} {
		if done[o] == 0 {
			t.Errorf("%s never happened: %v", o, done)
		}
	}
}

// A source that still has a listing keeps it valid; one that says until when, or has it no more, does not. Reminders of imported
// listings come once a day and origin.
func TestImportRenews(t *testing.T) {
	h := newHouse(t, "")
	h.trust("oITC")
	until := item("until", "Says until when")
	until.Content.Listing.ValidUntil = h.today() + 300
	all := []Imported{item("a", "Solar dryer"), item("b", "Rice husk burner"), item("held", "On hold"), until}
	first := h.imports(fromRepository, all...)
	b := h.must(h.Get(editor, first[1].ID))
	h.must(h.Edit(h.ctx(), editor, b.ID, b.Version, titled("Being rewritten")))
	held := h.must(h.Get(editor, first[2].ID))
	h.must(h.Hold(h.ctx(), editor, held.ID, held.Version, ""))

	h.days(290)
	for i, r := range h.imports(fromRepository, all...) {
		if r.Outcome != ImportUnchanged {
			t.Errorf("%d: %s after 290 days", i, r.Outcome)
		}
	}
	h.days(16)
	for i, want := range []ImportOutcome{ImportChanged, ImportChanged, ImportUnchanged, ImportUnchanged} {
		if plan, err := h.Plan(editor, fromRepository, all[i:i+1]); err != nil || plan[0].Outcome != want {
			t.Errorf("%d: planned as %+v, %v; want %s", i, plan, err, want)
		}
	}
	for i, r := range h.imports(fromRepository, all...) {
		x := h.must(h.Get(editor, r.ID))
		want, renewals := "2028-09-21", 1
		switch i {
		case 2:
			want, renewals = "2027-09-21", 0
		case 3:
			want, renewals = "2027-07-18", 0
		}
		if x.ValidUntil.String() != want || x.Renewals != renewals || x.ImportedHash != all[i].Hash {
			t.Errorf("%d: valid until %s after %d renewals, want %s after %d", i, x.ValidUntil, x.Renewals, want, renewals)
		}
	}
	if b = h.must(h.Get(editor, b.ID)); b.Draft != Draft || b.ImportedDraft {
		t.Errorf("the draft beside is %q now, of an import: %t", b.Draft, b.ImportedDraft)
	}
	for i, r := range h.imports(fromRepository, all...) {
		if r.Outcome != ImportUnchanged {
			t.Errorf("%d: %s when it was renewed a moment ago", i, r.Outcome)
		}
	}
}

func TestImportedListingsAreRemindedOfTogether(t *testing.T) {
	h := newHouse(t, "")
	h.trust("oITC")
	var all []Imported
	for i := range 250 {
		all = append(all, item(fmt.Sprint(i), fmt.Sprint("Dryer ", i)))
	}
	h.imports(fromRepository, all...)
	other := fromRepository
	other.Origin = "another repository"
	h.imports(other, item("x", "Burner"))
	h.notices = nil
	for range 366 {
		h.days(1)
		if _, err := h.Due(h.ctx()); err != nil {
			t.Fatal(err)
		}
	}
	if got := len(h.notices); got != 2*4 { // 30, 7 and 1 days before, and the day after
		t.Errorf("%d notices for 251 listings of two origins, want 8: %+v", got, h.notices)
	}
}
