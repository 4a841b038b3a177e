package posting

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/asean-tmh/tmh/node/access"
	"github.com/asean-tmh/tmh/protocol"
	"github.com/asean-tmh/tmh/store"
)

func TestOwnerAndInvitedSummary(t *testing.T) {
	h := newHouse(t, "")
	h.trust(editor.Organisation)
	public := h.submit(h.create(titled("In the catalogue")))
	c := titled("By invitation")
	c.Record.Level = protocol.LevelInvited
	x := h.create(c)
	look := func(id protocol.ListingID) (owner access.OrganisationID, title string) {
		t.Helper()
		err := h.store.View(func(tx *store.Tx) (err error) {
			if owner, err = Owner(tx, id); err != nil {
				return err
			}
			l, err := InvitedSummary(tx, id)
			if l != nil {
				title = l.Texts["en"].Title
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		return owner, title
	}
	if o, s := look(x.ID); o != editor.Organisation || s != "" {
		t.Errorf("of a draft: %q, %q", o, s)
	}
	x = h.submit(x)
	if o, s := look(x.ID); o != editor.Organisation || s != "By invitation" {
		t.Errorf("published: %q, %q", o, s)
	}
	if o, s := look(public.ID); o != editor.Organisation || s != "" {
		t.Errorf("of what is in the catalogue: %q, %q", o, s)
	}
	h.must(h.Hold(h.ctx(), editor, x.ID, x.Version, ""))
	if _, s := look(x.ID); s != "" {
		t.Errorf("on hold: %q", s)
	}
	if o, s := look("nothing"); o != "" || s != "" {
		t.Errorf("of nothing: %q, %q", o, s)
	}
	if s, _ := h.Compare(h.ctx(), &c); len(s) != 0 {
		t.Errorf("suspects: %v", s)
	}
	h.suspect = []Suspect{{Origin: "LA", ID: "TO-1"}}
	if s, _ := h.Compare(h.ctx(), &c); len(s) != 1 {
		t.Errorf("suspects: %v", s)
	}
}

// TestAllowedIsWhatIsTaken: an action is allowed exactly where taking it is not refused for who asks or for the states.
func TestAllowedIsWhatIsTaken(t *testing.T) {
	h := newHouse(t, "")
	actors := map[string]access.Actor{"editor": editor, "stranger": stranger, "judge": judge, "judge2": judge2, "admin": admin, "reader": reader}
	verbs := map[Action]func(a access.Actor, x *Posting) error{
		Edit: func(a access.Actor, x *Posting) error {
			_, err := h.Edit(h.ctx(), a, x.ID, x.Version, content())
			return err
		},
		Discard: func(a access.Actor, x *Posting) error { _, err := h.Discard(h.ctx(), a, x.ID, x.Version); return err },
		Submit:  func(a access.Actor, x *Posting) error { _, _, err := h.Submit(h.ctx(), a, x.ID, x.Version); return err },
		Recall:  func(a access.Actor, x *Posting) error { _, err := h.Recall(h.ctx(), a, x.ID, x.Version); return err },
		Take:    func(a access.Actor, x *Posting) error { _, err := h.Take(h.ctx(), a, x.ID, x.Version); return err },
		Release: func(a access.Actor, x *Posting) error {
			_, err := h.Release(h.ctx(), a, x.ID, x.Version, "")
			return err
		},
		HandOver: func(a access.Actor, x *Posting) error {
			_, err := h.HandOver(h.ctx(), a, x.ID, x.Version, person("third", "oAGENCY", access.Reviewer), "")
			return err
		},
		TakeAway: func(a access.Actor, x *Posting) error {
			_, err := h.TakeAway(h.ctx(), a, x.ID, x.Version, "")
			return err
		},
		Pass: func(a access.Actor, x *Posting) error {
			_, err := h.Judge(h.ctx(), a, x.ID, x.Version, Scores{3, 3, 3, 3}, "")
			return err
		},
		Renew: func(a access.Actor, x *Posting) error { _, err := h.Renew(h.ctx(), a, x.ID, x.Version); return err },
		Hold:  func(a access.Actor, x *Posting) error { _, err := h.Hold(h.ctx(), a, x.ID, x.Version, ""); return err },
		Lift:  func(a access.Actor, x *Posting) error { _, err := h.Lift(h.ctx(), a, x.ID, x.Version); return err },
		Withdraw: func(a access.Actor, x *Posting) error {
			_, err := h.Withdraw(h.ctx(), a, x.ID, x.Version, "error", "")
			return err
		},
		Revoke: func(a access.Actor, x *Posting) error {
			_, err := h.Revoke(h.ctx(), a, x.ID, x.Version, "why")
			return err
		},
	}
	alias := map[Action]Action{Inspect: Take, PassOn: HandOver, Clear: Pass}
	draft := func() *Posting { return h.create(content()) }
	taken := func() *Posting {
		x := h.submit(draft())
		return h.must(h.Take(h.ctx(), judge, x.ID, x.Version))
	}
	published := func() *Posting {
		x := taken()
		return h.must(h.Judge(h.ctx(), judge, x.ID, x.Version, Scores{3, 3, 3, 3}, ""))
	}
	due := func() *Posting {
		x := published()
		h.update(func(tx *store.Tx) error {
			y, err := get(tx, x.ID)
			if err != nil {
				return err
			}
			was := index(y)
			y.Audit, y.Submitted = Due, h.Postings.now()
			return put(tx, y, was)
		})
		x, err := h.Get(editor, x.ID)
		return h.must(x, err)
	}
	for name, make := range map[string]func() *Posting{
		"draft": draft, "submitted": func() *Posting { return h.submit(draft()) }, "taken": taken, "published": published,
		"on hold": func() *Posting { x := published(); return h.must(h.Hold(h.ctx(), editor, x.ID, x.Version, "")) },
		"revised": func() *Posting {
			x := published()
			return h.must(h.Edit(h.ctx(), editor, x.ID, x.Version, titled("Mended")))
		},
		"withdrawn": func() *Posting {
			x := published()
			return h.must(h.Withdraw(h.ctx(), editor, x.ID, x.Version, "error", ""))
		},
		"to be audited":       due,
		"in audit":            func() *Posting { x := due(); return h.must(h.Take(h.ctx(), judge, x.ID, x.Version)) },
		"to be audited, left": func() *Posting { x := due(); return h.must(h.Edit(h.ctx(), editor, x.ID, x.Version, titled("Mended"))) },
	} {
		for who, a := range actors {
			for verb, do := range verbs {
				x := make()
				var allowed []Action
				for _, y := range h.Allowed(a, x) {
					if alias[y] != "" {
						y = alias[y]
					}
					allowed = append(allowed, y)
				}
				err := do(a, x)
				if may := slices.Contains(allowed, verb); may != (err == nil) && !(verb == Take && who == "judge" && (name == "taken" || name == "in audit")) {
					t.Errorf("%s: %s by %s: allowed %v, taken %v", name, verb, who, may, err)
				}
			}
		}
	}
	x := taken()
	if s := fmt.Sprint(h.Allowed(judge2, x)); s != "[]" {
		t.Errorf("another's case: %s", s)
	}
	h.clock = h.clock.Add(8 * 24 * time.Hour)
	if s := fmt.Sprint(h.Allowed(judge2, x)); s != "[take]" {
		t.Errorf("a case that lay for a week: %s", s)
	}
}
