package posting

import (
	"strings"
	"testing"

	"github.com/asean-tmh/tmh/node/access"
	"github.com/asean-tmh/tmh/protocol"
	"github.com/asean-tmh/tmh/store"
)

func TestReviewPublishes(t *testing.T) {
	h := newHouse(t, "")
	x := h.take(h.submit(h.create(content())))
	wantState(t, x, None, InReview)
	if l, _ := h.listed(x.ID); l != nil {
		t.Fatal("listed before its review")
	}
	x = h.must(h.Judge(h.ctx(), judge, x.ID, x.Version, Scores{4, 4, 3, 3}, ""))
	wantState(t, x, Published, None)
	if x.Reference != "TO-KH-20260921-001" || x.ValidUntil.String() != "2027-09-21" || x.Review.Total() != 14 || x.Reviewer != "" {
		t.Errorf("published as %+v", x)
	}
	l, _ := h.listed(x.ID)
	if l == nil || l.ValidUntil != x.ValidUntil || l.Full != (protocol.Hash{}) || l.FullRegistered == (protocol.Hash{}) {
		t.Errorf("summary %+v", l)
	}
	if s := h.standingOf("oITC"); s.SelfPublish || s.LastScore != 14 {
		t.Errorf("standing after 14: %+v", s)
	}
	if n := h.notices[len(h.notices)-1]; n.Occasion != OnPublished || n.Author != editor.User || n.Reference != x.Reference || n.Score != 14 {
		t.Errorf("notice %+v", n)
	}
	var actions []string
	for _, e := range h.events {
		actions = append(actions, e.Action+" "+string(e.Actor))
	}
	if got, want := strings.Join(actions, ", "), "posting.create ueditor, posting.submit ueditor, posting.take ujudge, posting.pass ujudge"; got != want {
		t.Errorf("audited %s, want %s", got, want)
	}
	if again := h.publish(titled("A second offer of the same day")); again.Reference != "TO-KH-20260921-002" {
		t.Errorf("second reference %s", again.Reference)
	}
	if y := h.must(h.Find(editor, "TO-KH-20260921-001")); y.ID != x.ID {
		t.Errorf("found %s", y.ID)
	}
	h.sound()
}

func TestReviewReturnsAndRejects(t *testing.T) {
	h := newHouse(t, "")
	for _, tt := range []struct {
		scores Scores
		draft  State
		notice Occasion
	}{
		{Scores{3, 2, 2, 2}, Draft, OnReturned}, // 9
		{Scores{5, 5, 5, 0}, Draft, OnReturned}, // a zero
		{Scores{1, 1, 1, 0}, Rejected, OnRejected},
	} {
		x := h.take(h.submit(h.create(content())))
		_, err := h.Judge(h.ctx(), judge, x.ID, x.Version, tt.scores, " ")
		wantCode(t, "no comment", err, protocol.CodeRequired)
		if zero := tt.scores.Total() == 15; zero != strings.Contains(err.Error(), "a zero does not pass") {
			t.Errorf("%v: %v", tt.scores, err)
		}
		x = h.must(h.Judge(h.ctx(), judge, x.ID, x.Version, tt.scores, "Say what is better than a wood fire."))
		wantState(t, x, None, tt.draft)
		if n := h.notices[len(h.notices)-1]; n.Occasion != tt.notice || n.Comment == "" || n.Score != tt.scores.Total() {
			t.Errorf("notice %+v", n)
		}
		if x.Review == nil || x.Review.Comment == "" || x.Reference != "" {
			t.Errorf("returned as %+v", x)
		}
		if l, _ := h.listed(x.ID); l != nil {
			t.Error("listed")
		}
		if tt.draft == Rejected {
			_, _, err := h.Submit(h.ctx(), editor, x.ID, x.Version)
			wantCode(t, "submit a rejected draft", err, protocol.CodeConflict)
			h.must(h.Discard(h.ctx(), editor, x.ID, x.Version))
			_, err = h.Get(editor, x.ID)
			wantCode(t, "read a discarded posting", err, protocol.CodeNotFound)
			continue
		}
		// The second review.
		c := content()
		c.Record.Texts["en"] = protocol.RecordText{Description: "mended", Advantages: "Half the time, no smoke."}
		x = h.must(h.Edit(h.ctx(), editor, x.ID, x.Version, c))
		x = h.take(h.submit(x))
		x = h.must(h.Judge(h.ctx(), judge, x.ID, x.Version, Scores{4, 4, 4, 2}, ""))
		wantState(t, x, Published, None)
		all, err := h.Reviews(editor, x.ID)
		if err != nil || len(all) != 2 || all[0].Verdict != Return || all[1].Verdict != Pass {
			t.Errorf("reviews %+v, %v", all, err)
		}
	}
	h.sound()
}

func TestWrongPeople(t *testing.T) {
	h := newHouse(t, "")
	_, err := h.Create(reader, "oITC", "", content())
	wantCode(t, "a reader creates", err, protocol.CodeNotPermitted)
	_, err = h.Create(editor, "oRUPP", "", content())
	wantCode(t, "for another organisation", err, protocol.CodeNotPermitted)
	_, err = h.Create(access.Actor{}, "oITC", "", content())
	wantCode(t, "nobody creates", err, protocol.CodeNotPermitted)
	x := h.create(content())
	_, err = h.Edit(h.ctx(), stranger, x.ID, x.Version, content())
	wantCode(t, "another organisation's editor", err, protocol.CodeNotPermitted)
	_, err = h.Get(stranger, x.ID)
	wantCode(t, "another organisation reads", err, protocol.CodeNotPermitted)
	_, _, err = h.Submit(h.ctx(), judge, x.ID, x.Version)
	wantCode(t, "a reviewer submits", err, protocol.CodeNotPermitted)
	token := editor
	token.Scopes = []access.Scope{access.ScopeRead}
	_, _, err = h.Submit(h.ctx(), token, x.ID, x.Version)
	wantCode(t, "a token that may only read", err, protocol.CodeNotPermitted)
	x = h.submit(x)

	colleague := person("colleague", "oITC", access.Reviewer)
	_, err = h.Take(h.ctx(), colleague, x.ID, x.Version)
	wantCode(t, "a reviewer of the own organisation", err, protocol.CodeNotPermitted)
	moved := person("editor", "oAGENCY", access.Reviewer) // who wrote it, in another organisation since
	_, err = h.Take(h.ctx(), moved, x.ID, x.Version)
	wantCode(t, "who wrote it", err, protocol.CodeNotPermitted)
	y := h.create(content()) // which a colleague submits, who moves then
	y, _, err = h.Submit(h.ctx(), person("mover", "oITC", access.Editor), y.ID, y.Version)
	h.must(y, err)
	_, err = h.Take(h.ctx(), person("mover", "oAGENCY", access.Reviewer), y.ID, y.Version)
	wantCode(t, "who submitted it", err, protocol.CodeNotPermitted)
	_, err = h.Take(h.ctx(), editor, x.ID, x.Version)
	wantCode(t, "an editor", err, protocol.CodeNotPermitted)

	_, err = h.Judge(h.ctx(), judge, x.ID, x.Version, Scores{5, 5, 5, 5}, "")
	wantCode(t, "a case that nobody took", err, protocol.CodeConflict)
	x = h.take(x)
	_, err = h.Judge(h.ctx(), judge2, x.ID, x.Version, Scores{5, 5, 5, 5}, "")
	wantCode(t, "another's case", err, protocol.CodeNotPermitted)
	_, err = h.Take(h.ctx(), judge2, x.ID, x.Version)
	wantCode(t, "take another's case", err, protocol.CodeConflict)
	_, err = h.HandOver(h.ctx(), judge, x.ID, x.Version, colleague, "")
	wantCode(t, "hand over to the own organisation", err, protocol.CodeNotPermitted)
	x = h.must(h.HandOver(h.ctx(), judge, x.ID, x.Version, judge2, ""))
	_, err = h.Judge(h.ctx(), judge, x.ID, x.Version, Scores{5, 5, 5, 5}, "")
	wantCode(t, "a case handed over", err, protocol.CodeNotPermitted)
	h.days(8)
	x = h.take(x) // it lay for a week
	if x.Reviewer != judge.User {
		t.Errorf("taken over by %s", x.Reviewer)
	}
	x = h.must(h.Release(h.ctx(), judge, x.ID, x.Version, ""))
	x = h.must(h.Take(h.ctx(), judge2, x.ID, x.Version))
	_, err = h.Judge(h.ctx(), judge2, x.ID, x.Version, Scores{6, -1, 5, 5}, strings.Repeat("x", MaxComment+1))
	if all := protocol.All(err); len(all) != 3 {
		t.Errorf("two scores and a comment at fault: %v", err)
	}
	x = h.must(h.Judge(h.ctx(), judge2, x.ID, x.Version, Scores{3, 3, 3, 3}, ""))
	_, err = h.Revoke(h.ctx(), editor, x.ID, x.Version, "no")
	wantCode(t, "an editor revokes", err, protocol.CodeNotPermitted)
	_, err = h.Withdraw(h.ctx(), judge, x.ID, x.Version, "other", "")
	wantCode(t, "a reviewer withdraws", err, protocol.CodeNotPermitted)
	_, err = h.List(reader, Filter{Organisation: "oITC"}, "", 10)
	wantCode(t, "a reader lists", err, protocol.CodeNotPermitted)
	_, err = h.List(editor, Filter{}, "", 10)
	wantCode(t, "an editor lists all of the node", err, protocol.CodeNotPermitted)
	_, err = h.Queue(editor, Submitted, "", 10)
	wantCode(t, "an editor reads the queue", err, protocol.CodeNotPermitted)
	h.sound()
}

// Faults of a draft are named all at once, and drafts may have any.
func TestSubmitNamesEveryFault(t *testing.T) {
	h := newHouse(t, "")
	c := content()
	c.Listing.Country = "XX"
	c.Listing.Texts = nil
	c.Listing.FORD = []string{"2.99"}
	c.Listing.ValidUntil = h.today() - 1
	c.Record.Rights[0].Office = "kh"
	c.Record.Level = "secret"
	x := h.create(c)
	_, _, err := h.Submit(h.ctx(), editor, x.ID, x.Version)
	fields := make(map[string]bool)
	for _, e := range protocol.All(err) {
		fields[e.Field] = true
	}
	for _, f := range []string{"texts", "country", "ford", "valid_until", "record.rights[0].office", "record.level"} {
		if !fields[f] {
			t.Errorf("%s is not among the faults: %v", f, err)
		}
	}
	if y := h.must(h.Get(editor, x.ID)); y.Version != x.Version || y.Draft != Draft {
		t.Errorf("a refused submission changed the posting: %+v", y)
	}
	c = content()
	c.Listing.ValidUntil = later(h.today(), 25)
	x = h.must(h.Edit(h.ctx(), editor, x.ID, x.Version, c))
	_, _, err = h.Submit(h.ctx(), editor, x.ID, x.Version)
	wantCode(t, "valid for over two years", err, protocol.CodeValue)
	c.Listing.Texts = map[protocol.Lang]protocol.Text{"en": {Title: strings.Repeat("<", MaxDraft)}}
	_, err = h.Edit(h.ctx(), editor, x.ID, x.Version, c)
	wantCode(t, "an enormous draft", err, protocol.CodeTooLarge)
	_, err = h.Edit(h.ctx(), editor, x.ID, x.Version-1, content())
	wantCode(t, "an old version", err, protocol.CodeConflict)
	_, err = h.Get(editor, "../x")
	wantCode(t, "no id", err, protocol.CodeValue)
	h.sound()
}

func TestLifeOfAPublishedListing(t *testing.T) {
	h := newHouse(t, "")
	x := h.publish(content())
	full := string(h.full(x.ID))

	h.days(300)
	x = h.must(h.Renew(h.ctx(), editor, x.ID, x.Version))
	if l, _ := h.listed(x.ID); x.ValidUntil.String() != "2028-09-21" || l.ValidUntil != x.ValidUntil || x.Renewals != 1 || l.Published.String() != "2026-09-21" {
		t.Errorf("renewed until %s, the catalogue says %+v", x.ValidUntil, l)
	}
	if string(h.full(x.ID)) != full {
		t.Error("a renewal changed the full record")
	}
	_, err := h.Renew(h.ctx(), editor, x.ID, x.Version)
	wantCode(t, "renew twice", err, protocol.CodeConflict)

	x = h.must(h.Hold(h.ctx(), editor, x.ID, x.Version, "the patent is being sold"))
	wantState(t, x, OnHold, None)
	if l, reason := h.listed(x.ID); l != nil || reason != protocol.OnHold || h.full(x.ID) != nil {
		t.Errorf("on hold it is listed as %+v, %q", l, reason)
	}
	h.sound()
	c := titled("Solar dryer for cashew nuts, second model")
	x = h.must(h.Edit(h.ctx(), editor, x.ID, x.Version, c)) // a revision on hold
	x = h.take(h.submit(x))
	x = h.must(h.Judge(h.ctx(), judge, x.ID, x.Version, Scores{4, 4, 4, 4}, ""))
	wantState(t, x, OnHold, None)
	if l, _ := h.listed(x.ID); l != nil {
		t.Error("a revision lifted the hold")
	}
	h.sound()
	x = h.must(h.Lift(h.ctx(), editor, x.ID, x.Version))
	if l, _ := h.listed(x.ID); l == nil || l.Texts["en"].Title != c.Listing.Texts["en"].Title || l.Published.String() != "2026-09-21" {
		t.Errorf("lifted as %+v", l)
	}
	h.sound()

	// From here on the organisation publishes by itself (16).
	x = h.must(h.Edit(h.ctx(), editor, x.ID, x.Version, titled("Third model")))
	if _, now, err := h.LiveContent(editor, x.ID); err != nil || now.Listing.Texts["en"].Title != c.Listing.Texts["en"].Title {
		t.Errorf("a draft shows through: %+v, %v", now, err)
	}
	if _, now, err := h.Content(editor, x.ID); err != nil || now.Listing.Texts["en"].Title != "Third model" {
		t.Errorf("the draft to edit: %+v, %v", now, err)
	}
	x = h.submit(x)
	wantState(t, x, Published, None)
	if l, _ := h.listed(x.ID); l.Texts["en"].Title != "Third model" || x.Reference != "TO-KH-20260921-001" {
		t.Errorf("revised as %+v", l)
	}

	_, err = h.Withdraw(h.ctx(), editor, x.ID, x.Version, "because", "")
	wantCode(t, "an unknown reason", err, protocol.CodeValue)
	if s := err.Error(); !strings.Contains(s, "take agreement") || strings.Contains(s, protocol.OnHold) {
		t.Errorf("an unknown reason: %s", s)
	}
	_, err = h.Withdraw(h.ctx(), editor, x.ID, x.Version, protocol.OnHold, "")
	wantCode(t, "withdraw on hold", err, protocol.CodeValue)
	x = h.must(h.Hold(h.ctx(), editor, x.ID, x.Version, ""))
	x = h.must(h.Withdraw(h.ctx(), editor, x.ID, x.Version, "agreement", "licensed"))
	if _, reason := h.listed(x.ID); reason != "agreement" || x.State(h.today()) != Withdrawn {
		t.Errorf("withdrawn for %q", reason)
	}
	_, err = h.Lift(h.ctx(), editor, x.ID, x.Version)
	wantCode(t, "lift a withdrawal", err, protocol.CodeConflict)
	h.sound()
}

func TestSupersedeAndRevoke(t *testing.T) {
	h := newHouse(t, "")
	a, b := h.publish(titled("First model")), h.publish(titled("Second model"))
	_, err := h.Supersede(h.ctx(), editor, a.ID, a.Version, a.ID, "")
	wantCode(t, "supersede by itself", err, protocol.CodeValue)
	_, err = h.Supersede(h.ctx(), editor, a.ID, a.Version, "nothing", "")
	wantCode(t, "supersede by nothing", err, protocol.CodeValue)
	theirs, err := h.Create(stranger, "oRUPP", "", content())
	h.must(theirs, err)
	h.trust("oRUPP")
	theirs, _, err = h.Submit(h.ctx(), stranger, theirs.ID, theirs.Version)
	h.must(theirs, err)
	_, err = h.Supersede(h.ctx(), editor, a.ID, a.Version, theirs.ID, "")
	wantCode(t, "supersede by another organisation's", err, protocol.CodeValue)
	a = h.must(h.Supersede(h.ctx(), editor, a.ID, a.Version, b.ID, ""))
	if _, reason := h.listed(a.ID); reason != "superseded" || a.ReplacedBy != b.ID {
		t.Errorf("superseded: %q, %+v", reason, a)
	}
	_, err = h.Revoke(h.ctx(), admin, b.ID, b.Version, "")
	wantCode(t, "revoke without a word", err, protocol.CodeRequired)
	b = h.must(h.Revoke(h.ctx(), admin, b.ID, b.Version, "The patent belongs to somebody else."))
	if _, reason := h.listed(b.ID); reason != "revoked" || h.notices[len(h.notices)-1].Occasion != OnRevoked {
		t.Errorf("revoked: %q", reason)
	}
	h.sound()
}

// What is by invitation is in no catalogue, and its record is there for grants as long as it is published.
func TestInvited(t *testing.T) {
	h := newHouse(t, "")
	c := content()
	c.Record.Level = protocol.LevelInvited
	x := h.publish(c)
	wantState(t, x, Published, None)
	if l, reason := h.listed(x.ID); l != nil || reason != "" || h.journal.Signed != 0 || h.full(x.ID) == nil || x.Reference == "" {
		t.Fatalf("invited and listed: %+v, %d signed", l, h.journal.Signed)
	}
	h.sound()
	x = h.must(h.Hold(h.ctx(), editor, x.ID, x.Version, ""))
	if h.full(x.ID) != nil {
		t.Error("served on hold")
	}
	x = h.must(h.Lift(h.ctx(), editor, x.ID, x.Version))
	h.days(200)
	x = h.must(h.Renew(h.ctx(), editor, x.ID, x.Version))
	h.sound()
	if h.journal.Signed != 0 {
		t.Errorf("%d signed of an invited listing", h.journal.Signed)
	}
	x = h.take(h.submit(h.must(h.Edit(h.ctx(), editor, x.ID, x.Version, content())))) // now for everybody
	x = h.must(h.Judge(h.ctx(), judge, x.ID, x.Version, Scores{3, 3, 3, 3}, ""))
	if l, _ := h.listed(x.ID); l == nil {
		t.Error("not listed")
	}
	h.sound()
	x = h.must(h.Edit(h.ctx(), editor, x.ID, x.Version, c))
	_, _, err := h.Submit(h.ctx(), editor, x.ID, x.Version)
	wantCode(t, "back to invited", err, protocol.CodeValue)

	y := h.publish(c)
	h.must(h.Withdraw(h.ctx(), editor, y.ID, y.Version, "other", ""))
	if h.full(y.ID) != nil {
		t.Error("served after its withdrawal")
	}
	h.sound()

	// Revised for everybody while it is on hold, and withdrawn: the catalogue never had it.
	z := h.publish(c)
	z = h.must(h.Hold(h.ctx(), editor, z.ID, z.Version, ""))
	z = h.take(h.submit(h.must(h.Edit(h.ctx(), editor, z.ID, z.Version, content()))))
	z = h.must(h.Judge(h.ctx(), judge, z.ID, z.Version, Scores{3, 3, 3, 3}, ""))
	z = h.must(h.Withdraw(h.ctx(), editor, z.ID, z.Version, "other", ""))
	wantState(t, z, Withdrawn, None)
	h.sound()
}

// Nothing is signed where nothing changed, and salts stay with it.
func TestSameAgainSignsNothing(t *testing.T) {
	h := newHouse(t, "")
	h.trust("oITC")
	x := h.submit(h.create(content()))
	l, _ := h.listed(x.ID)
	signed := h.journal.Signed
	c := content()
	c.Listing.ValidUntil = x.ValidUntil
	h.submit(h.must(h.Edit(h.ctx(), editor, x.ID, x.Version, c)))
	if again, _ := h.listed(x.ID); h.journal.Signed != signed || again.FullRegistered != l.FullRegistered {
		t.Errorf("%d signed for the same text", h.journal.Signed-signed)
	}
	h.sound()
}

// A record that goes to a higher level leaves nothing behind at the lower one: neither in the summary nor where readers are
// served from.
func TestRecordRaisesItsLevel(t *testing.T) {
	h := newHouse(t, "")
	h.trust("oITC")
	c := content()
	c.Record.Level = protocol.LevelPublic
	x := h.submit(h.create(c))
	if l, _ := h.listed(x.ID); l.Full == (protocol.Hash{}) {
		t.Fatal("no public part")
	}
	c.Record.Level = protocol.LevelRegistered
	x = h.submit(h.must(h.Edit(h.ctx(), editor, x.ID, x.Version, c)))
	r, parts, err := protocol.DecodeRecord(h.full(x.ID))
	if err != nil || len(parts) != 1 || parts[0].Level != protocol.LevelRegistered || r.Level != protocol.LevelRegistered {
		t.Errorf("served: %+v, %v", parts, err)
	}
	l, _ := h.listed(x.ID)
	if l.FullRegistered == (protocol.Hash{}) {
		t.Error("the summary does not name the registered part")
	}
	if l.Full != (protocol.Hash{}) {
		t.Error("the summary still names the public part")
	}
	h.sound()

	c.Record = protocol.Record{}
	x = h.submit(h.must(h.Edit(h.ctx(), editor, x.ID, x.Version, c)))
	if l, _ := h.listed(x.ID); l.HasFull() {
		t.Error("the summary still names parts of a record that is gone")
	}
	if all, _, err := h.Missing(editor, "", 10); len(all) != 0 || err != nil {
		t.Errorf("missing %+v, %v", all, err)
	}
}

func TestSelfPublishingAndAudits(t *testing.T) {
	h := newHouse(t, "")
	x := h.take(h.submit(h.create(content())))
	h.must(h.Judge(h.ctx(), judge, x.ID, x.Version, Scores{4, 4, 4, 3}, ""))
	if s := h.standingOf("oITC"); !s.SelfPublish {
		t.Fatalf("standing after 15: %+v", s)
	}
	const n = 300
	var due []*Posting
	for range n {
		x := h.submit(h.create(titled("An offer")))
		wantState(t, x, Published, None)
		if x.Audit == Due {
			due = append(due, x)
		}
		if h.sampled(&Posting{ID: x.ID}) != (x.Audit == Due) {
			t.Error("sampling is not the same for the same listing")
		}
	}
	if len(due) < n/20 || len(due) > n/5 { // 30 expected: outside of this once in millions
		t.Errorf("%d of %d are audited", len(due), n)
	}
	page, err := h.Queue(judge, Due, "", MaxPage)
	if err != nil || len(page.Postings) != len(due) {
		t.Errorf("%d in the queue of audits, %v; want %d", len(page.Postings), err, len(due))
	}
	x = h.take(due[0])
	_, err = h.Take(h.ctx(), judge2, x.ID, x.Version)
	wantCode(t, "take another's audit", err, protocol.CodeConflict)
	x = h.must(h.HandOver(h.ctx(), judge, x.ID, x.Version, judge2, ""))
	x = h.must(h.Judge(h.ctx(), judge2, x.ID, x.Version, Scores{3, 3, 3, 3}, ""))
	if s := h.standingOf("oITC"); !s.SelfPublish || s.LastScore != 12 || x.Audit != None {
		t.Errorf("after an audit that passed: %+v", s)
	}
	x = h.take(due[1])
	x = h.must(h.Judge(h.ctx(), judge, x.ID, x.Version, Scores{3, 2, 2, 2}, "The abstract is an advertisement."))
	if s := h.standingOf("oITC"); s.SelfPublish {
		t.Error("an audit failed, and the organisation still publishes by itself")
	}
	wantState(t, x, Published, None) // it stays
	if h.notices[len(h.notices)-1].Occasion != OnFault {
		t.Error("nobody was told of the failed audit")
	}
	y := h.submit(h.create(content()))
	wantState(t, y, None, Submitted)
	h.update(func(tx *store.Tx) error { return setStanding(tx, "oITC", Standing{Disabled: true}) })
	z := h.create(content())
	_, _, err = h.Submit(h.ctx(), editor, z.ID, z.Version)
	wantCode(t, "a disabled organisation", err, protocol.CodeNotPermitted)
	h.sound()
}

func TestSuspectsAreShownAndHinderNothing(t *testing.T) {
	h := newHouse(t, "")
	h.suspect = []Suspect{{Origin: "VN", ID: "a", Score: 0.9}}
	x := h.create(content())
	all, err := h.Similar(h.ctx(), editor, x.ID)
	if err != nil || len(all) != 1 {
		t.Errorf("%v, %v", all, err)
	}
	_, err = h.Similar(h.ctx(), stranger, x.ID)
	wantCode(t, "who may not read it", err, protocol.CodeNotPermitted)
	x, all, err = h.Submit(h.ctx(), editor, x.ID, x.Version)
	if err != nil || len(all) != 1 || x.Draft != Submitted {
		t.Errorf("%+v, %v, %v", x, all, err)
	}
	x = h.must(h.Recall(h.ctx(), editor, x.ID, x.Version))
	wantState(t, x, None, Draft)
}

func TestDocumentsAreTold(t *testing.T) {
	h := newHouse(t, "")
	h.trust("oITC")
	sheet := func(n byte) protocol.Document {
		return protocol.Document{Hash: protocol.Hash{n}, Name: "sheet.pdf", Type: "application/pdf", Size: 9}
	}
	c := content()
	c.Record.Documents = []protocol.Document{sheet(1)}
	x := h.submit(h.create(c))
	c.Record.Documents = []protocol.Document{sheet(2)}
	x = h.must(h.Edit(h.ctx(), editor, x.ID, x.Version, c))
	if h.docs[x.ID] != 2 {
		t.Errorf("%d documents of draft and live, want 2", h.docs[x.ID])
	}
	if x = h.submit(x); h.docs[x.ID] != 1 {
		t.Errorf("%d documents after the revision, want 1", h.docs[x.ID])
	}
	if h.must(h.Withdraw(h.ctx(), editor, x.ID, x.Version, "other", "")); h.docs[x.ID] != 0 {
		t.Errorf("%d documents after the end", h.docs[x.ID])
	}
}
