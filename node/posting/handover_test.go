package posting

import (
	"slices"
	"strings"
	"testing"

	"github.com/asean-tmh/tmh/node/access"
	"github.com/asean-tmh/tmh/protocol"
	"github.com/asean-tmh/tmh/store"
)

// A case goes from hand to hand: nobody gets one whom the rules keep from it, and nobody loses one to who may not take it.
func TestCaseChangesHands(t *testing.T) {
	for _, audit := range []bool{false, true} {
		h := newHouse(t, "")
		x := h.take(h.submit(h.create(content())))
		waiting := func(x *Posting) bool { return x.Draft == Submitted }
		if audit {
			x = h.must(h.Judge(h.ctx(), judge, x.ID, x.Version, Scores{3, 3, 3, 3}, ""))
			x = h.due(x)
			x = h.must(h.Take(h.ctx(), judge, x.ID, x.Version))
			waiting = func(x *Posting) bool { return x.Audit == Due && x.Draft == None && x.Live == Published }
		}
		colleague := person("colleague", "oITC", access.Reviewer) // of the organisation whose listing it is
		_, err := h.HandOver(h.ctx(), judge, x.ID, x.Version, colleague, "")
		wantCode(t, "to a colleague of the author", err, protocol.CodeNotPermitted)
		_, err = h.HandOver(h.ctx(), judge, x.ID, x.Version, person("editor", "oAGENCY", access.Reviewer), "")
		wantCode(t, "to who wrote it", err, protocol.CodeNotPermitted)
		_, err = h.HandOver(h.ctx(), judge, x.ID, x.Version, admin, "")
		wantCode(t, "to who is no reviewer", err, protocol.CodeNotPermitted)
		_, err = h.HandOver(h.ctx(), judge, x.ID, x.Version, judge, "")
		wantCode(t, "to oneself", err, protocol.CodeConflict)
		_, err = h.HandOver(h.ctx(), judge2, x.ID, x.Version, judge2, "")
		wantCode(t, "another's case", err, protocol.CodeNotPermitted)
		_, err = h.HandOver(h.ctx(), judge, x.ID, x.Version, judge2, strings.Repeat("x", MaxNote+1))
		wantCode(t, "a long note", err, protocol.CodeTooLarge)
		for name, a := range map[string]access.Actor{
			"an editor": editor, "a stranger": stranger, "another reviewer": judge2, "nobody": {},
			"an administrator of the author's organisation": person("boss", "oITC", access.Admin), "an administrator who wrote it": person("editor", "oAGENCY", access.Admin),
		} {
			_, err = h.TakeAway(h.ctx(), a, x.ID, x.Version, "")
			wantCode(t, "taken away by "+name, err, protocol.CodeNotPermitted)
		}
		_, err = h.Release(h.ctx(), admin, x.ID, x.Version, "")
		wantCode(t, "given back by an administrator", err, protocol.CodeNotPermitted)

		x = h.must(h.HandOver(h.ctx(), judge, x.ID, x.Version, judge2, "Look at the <patent>"))
		if e := x.History[len(x.History)-1]; x.Reviewer != judge2.User || e.Note != "Look at the <patent>" {
			t.Errorf("%s has it, %+v", x.Reviewer, e)
		}
		h.heard(judge2.User)
		x = h.must(h.TakeAway(h.ctx(), admin, x.ID, x.Version, "On leave"))
		if !waiting(x) || x.Reviewer != "" || x.Taken != 0 {
			t.Errorf("taken away: %+v", x)
		}
		h.heard(judge2.User)
		if page, err := h.Queue(judge, map[bool]State{false: Submitted, true: Due}[audit], "", 10); err != nil || len(page.Postings) != 1 {
			t.Errorf("%d wait, %v", len(page.Postings), err)
		}
		_, err = h.TakeAway(h.ctx(), admin, x.ID, x.Version, "")
		wantCode(t, "taken away twice", err, protocol.CodeConflict)
		_, err = h.Take(h.ctx(), colleague, x.ID, x.Version)
		wantCode(t, "taken by a colleague of the author", err, protocol.CodeNotPermitted)
		x = h.must(h.Take(h.ctx(), judge, x.ID, x.Version))
		if all := h.Allowed(judge, x); !slices.Contains(all, Release) {
			t.Errorf("who took it may %v", all)
		}
		x = h.must(h.Release(h.ctx(), judge, x.ID, x.Version, "I know the author"))
		if e := x.History[len(x.History)-1]; !waiting(x) || x.Reviewer != "" || e.Note != "I know the author" {
			t.Errorf("given back: %+v", x)
		}

		// An administrator who reviews gives back the own case, as others do.
		both := person("both", "oAGENCY", access.Admin, access.Reviewer)
		x = h.must(h.Take(h.ctx(), both, x.ID, x.Version))
		if all := h.Allowed(both, x); slices.Contains(all, TakeAway) {
			t.Errorf("from oneself: %v", all)
		}
		_, err = h.TakeAway(h.ctx(), both, x.ID, x.Version, "")
		wantCode(t, "from oneself", err, protocol.CodeConflict)
		h.sound()
	}
}

// due puts a published posting aside for an audit, as sampling does.
func (h *house) due(x *Posting) *Posting {
	h.t.Helper()
	h.update(func(tx *store.Tx) error {
		y, err := get(tx, x.ID)
		if err != nil {
			return err
		}
		was := index(y)
		y.Audit, y.Submitted = Due, h.Postings.now()
		return put(tx, y, was)
	})
	y, err := h.Get(editor, x.ID)
	return h.must(y, err)
}

// heard fails where the log did not hear whom the last deed was about.
func (h *house) heard(who access.UserID) {
	h.t.Helper()
	if e := h.events[len(h.events)-1]; e.Reviewer != who {
		h.t.Errorf("the log hears %+v", e)
	}
}
