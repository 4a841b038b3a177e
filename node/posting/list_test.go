package posting

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/asean-tmh/tmh/node/access"
	"github.com/asean-tmh/tmh/protocol"
	"github.com/asean-tmh/tmh/store"
)

func TestListsAndPages(t *testing.T) {
	h := newHouse(t, "")
	h.trust("oITC")
	var want []string
	for i := range 25 {
		name := fmt.Sprintf("Offer %02d", i)
		x := h.create(titled(name))
		if i%2 == 0 {
			h.submit(x)
		}
		want = append([]string{name}, want...) // the newest first
	}
	if _, err := h.Create(stranger, "oRUPP", "", titled("Theirs")); err != nil {
		t.Fatal(err)
	}
	walk := func(a access.Actor, f Filter, limit int) (got []string) {
		t.Helper()
		after := ""
		for range 100 {
			page, err := h.List(a, f, after, limit)
			if err != nil {
				t.Fatal(err)
			}
			if len(page.Postings) > limit {
				t.Errorf("%d on a page of %d", len(page.Postings), limit)
			}
			for _, x := range page.Postings {
				got = append(got, x.Title)
			}
			if after = page.Next; after == "" {
				break
			}
		}
		return got
	}
	for _, limit := range []int{1, 7, 25, 100} {
		if got := walk(editor, Filter{Organisation: "oITC"}, limit); strings.Join(got, ",") != strings.Join(want, ",") {
			t.Errorf("by %d: %v", limit, got)
		}
	}
	if got := walk(editor, Filter{Organisation: "oITC", State: Draft}, 5); len(got) != 12 || got[0] != "Offer 23" {
		t.Errorf("drafts %v", got)
	}
	if got := walk(judge, Filter{}, 10); len(got) != 26 || got[0] != "Theirs" {
		t.Errorf("all of the node %v", got)
	}
	h.days(100)
	x := h.submit(h.create(titled("Young")))
	h.must(h.Edit(h.ctx(), editor, x.ID, x.Version, titled("Young, revised")))
	h.days(300)
	if got := walk(editor, Filter{Organisation: "oITC", State: Published}, 5); len(got) != 1 || got[0] != "Young" {
		t.Errorf("published %v", got)
	}
	if got := walk(editor, Filter{Organisation: "oITC", State: Expired}, 5); len(got) != 13 {
		t.Errorf("expired %v", got)
	}
	if got := walk(editor, Filter{Organisation: "oITC", Revision: Draft}, 5); len(got) != 1 || got[0] != "Young" {
		t.Errorf("revisions %v", got)
	}
	for what, f := range map[string]Filter{"state": {State: "open"}, "revision": {Revision: Published}, "both": {State: Draft, Revision: Draft}} {
		_, err := h.List(judge, f, "", 10)
		wantCode(t, what, err, protocol.CodeValue)
	}
	for _, after := range []string{"\x00", "é", strings.Repeat("9", 101)} {
		_, err := h.List(judge, Filter{}, after, 10)
		wantCode(t, "cursor "+after, err, protocol.CodeValue)
	}
	if page, err := h.List(judge, Filter{}, "zzz", 10); err != nil || len(page.Postings) != 0 {
		t.Errorf("beyond the end: %+v, %v", page, err)
	}
	h.sound()
}

func TestQueue(t *testing.T) {
	h := newHouse(t, "")
	var want []string
	for i := range 3 {
		want = append(want, h.submit(h.create(titled(fmt.Sprint("Offer ", i)))).Title)
		h.days(1)
	}
	var got []string
	for after, turn := "", 0; turn < 5; turn++ {
		page, err := h.Queue(judge, Submitted, after, 1)
		if err != nil {
			t.Fatal(err)
		}
		for _, x := range page.Postings {
			got = append(got, x.Title)
		}
		if after = page.Next; after == "" {
			break
		}
	}
	if strings.Join(got, ",") != strings.Join(want, ",") { // the oldest first
		t.Errorf("queue %v", got)
	}
	_, err := h.Queue(judge, Published, "", 1)
	wantCode(t, "a queue that is none", err, protocol.CodeValue)
}

func TestSourceID(t *testing.T) {
	h := newHouse(t, "")
	x, err := h.Create(editor, "oITC", "repo/17", content())
	if err != nil {
		t.Fatal(err)
	}
	_, err = h.Create(editor, "oITC", "repo/17", content())
	wantCode(t, "the same source twice", err, protocol.CodeConflict)
	if !strings.Contains(err.Error(), string(x.ID)) {
		t.Errorf("%v does not name the listing", err)
	}
	if _, err := h.Create(stranger, "oRUPP", "repo/17", content()); err != nil {
		t.Errorf("another organisation's: %v", err)
	}
	for _, bad := range []string{"a\nb", "a\x00", strings.Repeat("x", MaxSource+1), "\u202e"} {
		if _, err := h.Create(editor, "oITC", bad, content()); err == nil {
			t.Errorf("source %q was taken", bad)
		}
	}
	h.must(h.Discard(h.ctx(), editor, x.ID, x.Version))
	if _, err := h.Create(editor, "oITC", "repo/17", content()); err != nil {
		t.Errorf("after discarding: %v", err)
	}
	_, err = h.Find(editor, "TO-KH-20260921-001")
	wantCode(t, "an unused reference", err, protocol.CodeNotFound)
	_, err = h.Find(editor, "k")
	wantCode(t, "no reference", err, protocol.CodeValue)
	h.sound()
}

func TestTooManyDrafts(t *testing.T) {
	h := newHouse(t, "")
	h.create(content())
	h.update(func(tx *store.Tx) error {
		for i := range MaxDrafts - 1 {
			x := &Posting{ID: protocol.ListingID(fmt.Sprint("draft", i)), Organisation: "oITC", Draft: Draft, Serial: uint64(100 + i)}
			if err := put(tx, x, nil); err != nil {
				return err
			}
		}
		return nil
	})
	_, err := h.Create(editor, "oITC", "", content())
	wantCode(t, "one draft too many", err, protocol.CodeConflict)
	h.update(func(tx *store.Tx) error {
		x, err := get(tx, "draft0")
		if err != nil {
			return err
		}
		was := index(x)
		x.Draft = Submitted
		return put(tx, x, was)
	})
	_, err = h.Create(editor, "oITC", "", content())
	wantCode(t, "one more after a submission, which takes room too", err, protocol.CodeConflict)
	if _, err := h.Create(stranger, "oRUPP", "", content()); err != nil {
		t.Errorf("another organisation: %v", err)
	}
}

func TestHistoryIsBounded(t *testing.T) {
	h := newHouse(t, "")
	x := h.create(content())
	for range keptHistory + 20 {
		h.clock = h.clock.Add(sitting * time.Second)
		x = h.must(h.Edit(h.ctx(), editor, x.ID, x.Version, content()))
	}
	if len(x.History) != keptHistory || x.Dropped != 21 || x.History[0].Action != Create {
		t.Errorf("%d entries, %d dropped, the first is %s", len(x.History), x.Dropped, x.History[0].Action)
	}
	h.sound()
}

// What a page saves while somebody writes is one entry, until the hour is over, somebody else writes, or something else was done.
func TestOneSittingIsOneEntry(t *testing.T) {
	h := newHouse(t, "")
	x := h.create(content())
	edit := func(a access.Actor, after time.Duration, want int) {
		t.Helper()
		h.clock = h.clock.Add(after)
		version, logged := x.Version, len(h.events)
		x = h.must(h.Edit(h.ctx(), a, x.ID, x.Version, content()))
		if grew := len(h.events) - logged; len(x.History) != want || x.Version <= version || x.Updated != protocol.InstantOf(h.clock) || (grew == 0) != (x.History[len(x.History)-1].At != x.Updated) {
			t.Errorf("%d entries, want %d; %d more in the log, version %d", len(x.History), want, grew, x.Version)
		}
	}
	edit(editor, time.Minute, 2)
	edit(editor, time.Minute, 2)
	edit(editor, 57*time.Minute, 2)
	edit(editor, 2*time.Minute, 3) // an hour after the first
	other := editor
	other.User = "uOther"
	edit(other, time.Minute, 4)
	edit(editor, time.Minute, 5)
	x, _, err := h.Submit(h.ctx(), editor, x.ID, x.Version)
	if err != nil {
		t.Fatal(err)
	}
	x = h.must(h.Recall(h.ctx(), editor, x.ID, x.Version))
	edit(editor, time.Minute, 8)
	h.sound()
}
