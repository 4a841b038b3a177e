package posting

import (
	"context"
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/asean-tmh/tmh/node/access"
	"github.com/asean-tmh/tmh/node/exchange"
	"github.com/asean-tmh/tmh/node/exchange/exchangetest"
	"github.com/asean-tmh/tmh/protocol"
	"github.com/asean-tmh/tmh/store"
)

const member = protocol.MemberID("KH")

// house is a node's postings over a real store, with the real desk and a journal that signs as a node does.
type house struct {
	t testing.TB
	*Postings
	store    *store.Store
	dir      string
	memtable int64
	clock    time.Time
	journal  *exchangetest.Journal
	gate     *gate

	events  []Event
	notices []Notice
	suspect []Suspect
	docs    map[protocol.ListingID]int
}

// gate stands before the desk: it can break off before or after the desk's work, as a crash would.
type gate struct {
	desk          *exchange.Desk
	before, after error
	during        func() // called while the desk is at work
}

func (g *gate) PublishAll(ctx context.Context, all []exchange.Publication) ([]exchange.Result, error) {
	if g.before != nil {
		return nil, g.before
	}
	if g.during != nil {
		g.during()
	}
	r, err := g.desk.PublishAll(ctx, all)
	return r, errors.Join(err, g.after)
}

func (g *gate) Withdraw(ctx context.Context, id protocol.ListingID, t protocol.Tombstone) (exchange.Receipt, error) {
	if g.before != nil {
		return exchange.Receipt{}, g.before
	}
	r, err := g.desk.Withdraw(ctx, id, t)
	return r, errors.Join(err, g.after)
}

var errCut = protocol.Errorf(protocol.CodeUnavailable, "", "the power was cut")

func newHouse(t testing.TB, dir string) *house { return newHouseOf(t, dir, 8<<20) }

func newHouseOf(t testing.TB, dir string, memtable int64) *house {
	t.Helper()
	h := &house{t: t, dir: dir, memtable: memtable, clock: time.Date(2026, 9, 21, 8, 0, 0, 0, time.UTC), docs: make(map[protocol.ListingID]int)}
	h.open()
	t.Cleanup(func() { _ = h.store.Close() })
	return h
}

func (h *house) open() {
	h.t.Helper()
	s, err := store.Open(store.Config{Dir: h.dir, Memtable: h.memtable, MinFree: 1})
	if err != nil {
		h.t.Fatal(err)
	}
	seed := sha256.Sum256([]byte("record key of KH"))
	h.store, h.journal = s, &exchangetest.Journal{Member: member, Store: s, Signer: protocol.NewSigner(ed25519.NewKeyFromSeed(seed[:]))}
	h.gate = &gate{desk: exchange.NewDesk(member, nil, h.journal, nil, h.now)}
	h.Postings, err = New(Config{
		Store: s, Member: member, Desk: h.gate, Now: h.now,
		Audit:       func(_ *store.Tx, e Event) error { h.events = append(h.events, e); return nil },
		Notify:      func(_ *store.Tx, n Notice) error { h.notices = append(h.notices, n); return nil },
		Standing:    standing,
		SetStanding: setStanding,
		Documents: func(_ *store.Tx, p *Posting, all []protocol.Document) error {
			h.docs[p.ID] = len(all)
			return nil
		},
		Similar: func(context.Context, *protocol.Listing, []string) ([]Suspect, error) { return h.suspect, nil },
	})
	if err != nil {
		h.t.Fatal(err)
	}
}

// crash closes the store and opens it again, as the next start does.
func (h *house) crash() {
	h.t.Helper()
	if err := h.store.Close(); err != nil {
		h.t.Fatal(err)
	}
	h.open()
}

func (h *house) now() time.Time       { return h.clock }
func (h *house) days(n int)           { h.clock = h.clock.AddDate(0, 0, n) }
func (h *house) ctx() context.Context { return h.t.Context() }
func (h *house) update(f func(*store.Tx) error) {
	h.t.Helper()
	if err := h.store.Update(f); err != nil {
		h.t.Fatal(err)
	}
}

func standing(tx *store.Tx, id access.OrganisationID) (s Standing, _ error) {
	b, err := tx.Row(store.TableOrganisation, "o/"+string(id))
	if err != nil || b == nil {
		return s, err
	}
	return s, json.Unmarshal(b, &s)
}

func setStanding(tx *store.Tx, id access.OrganisationID, s Standing) error {
	b, err := json.Marshal(s)
	if err != nil {
		return err
	}
	return tx.SetRow(store.TableOrganisation, "o/"+string(id), b)
}

func (h *house) trust(org access.OrganisationID) {
	h.t.Helper()
	h.update(func(tx *store.Tx) error { return setStanding(tx, org, Standing{LastScore: 15, SelfPublish: true}) })
}

func (h *house) standingOf(org access.OrganisationID) (s Standing) {
	h.t.Helper()
	if err := h.store.View(func(tx *store.Tx) (err error) { s, err = standing(tx, org); return err }); err != nil {
		h.t.Fatal(err)
	}
	return s
}

func person(name string, org access.OrganisationID, roles ...access.Role) access.Actor {
	return access.Actor{User: access.UserID("u" + name), Organisation: org, Member: member, Roles: roles}
}

var (
	editor   = person("editor", "oITC", access.Editor)
	stranger = person("other-editor", "oRUPP", access.Editor)
	judge    = person("judge", "oAGENCY", access.Reviewer)
	judge2   = person("judge2", "oAGENCY", access.Reviewer)
	admin    = person("admin", "oAGENCY", access.Admin)
	reader   = person("reader", "oITC", access.Reader)
)

// content of a technology offer that can be published.
func content() Content {
	return Content{
		Listing: protocol.Listing{
			Kind: protocol.TechnologyOffer, Country: "KH", TRL: 5,
			Texts: map[protocol.Lang]protocol.Text{"en": {Title: "Solar dryer for cashew nuts", Abstract: "Dries a batch in six hours."}},
			FORD:  []string{"2.11"}, IPR: []string{"patent-granted"},
		},
		Record: protocol.Record{
			Texts:  map[protocol.Lang]protocol.RecordText{"en": {Description: "Air is heated below a black plate."}},
			Rights: []protocol.Right{{Type: "patent-granted", Office: "KH", Number: "2024/00017"}},
		},
	}
}

func titled(name string) Content {
	c := content()
	c.Listing.Texts = map[protocol.Lang]protocol.Text{"en": {Title: name}}
	return c
}

func (h *house) create(c Content) *Posting {
	h.t.Helper()
	x, err := h.Create(editor, editor.Organisation, "", c)
	if err != nil {
		h.t.Fatal(err)
	}
	return x
}

func (h *house) must(x *Posting, err error) *Posting {
	h.t.Helper()
	if err != nil {
		h.t.Fatal(err)
	}
	return x
}

func (h *house) submit(x *Posting) *Posting {
	h.t.Helper()
	x, _, err := h.Submit(h.ctx(), editor, x.ID, x.Version)
	if err != nil {
		h.t.Fatal(err)
	}
	return x
}

func (h *house) take(x *Posting) *Posting {
	h.t.Helper()
	return h.must(h.Take(h.ctx(), judge, x.ID, x.Version))
}

func (h *house) publish(c Content) *Posting {
	h.t.Helper()
	x := h.take(h.submit(h.create(c)))
	return h.must(h.Judge(h.ctx(), judge, x.ID, x.Version, Scores{4, 4, 3, 3}, ""))
}

// listed is the newest change of a listing in the catalogue: its summary, or the reason of its withdrawal.
func (h *house) listed(id protocol.ListingID) (*protocol.Listing, string) {
	h.t.Helper()
	var c *protocol.Change
	if err := h.store.View(func(tx *store.Tx) (err error) { c, err = tx.Record(member, id.Key()); return err }); err != nil {
		h.t.Fatal(err)
	}
	if c == nil {
		return nil, ""
	}
	l, t, err := exchange.Open(c)
	if err != nil {
		h.t.Fatal(err)
	}
	if t != nil {
		return nil, t.Reason
	}
	return l, ""
}

func (h *house) full(id protocol.ListingID) (b []byte) {
	h.t.Helper()
	if err := h.store.View(func(tx *store.Tx) (err error) { b, err = tx.Full(id.Key()); return err }); err != nil {
		h.t.Fatal(err)
	}
	return b
}

func wantCode(t testing.TB, what string, err error, code protocol.Code) {
	t.Helper()
	if protocol.CodeOf(err) != code {
		t.Errorf("%s: %v, want %q", what, err, code)
	}
}

func wantState(t testing.TB, x *Posting, live, draft State) {
	t.Helper()
	if x.Live != live || x.Draft != draft {
		t.Errorf("live %q, draft %q; want %q, %q", x.Live, x.Draft, live, draft)
	}
}

// sound checks what must hold of every posting at any time, its index and what the catalogue says of it.
func (h *house) sound() {
	h.t.Helper()
	want := make(map[string]string)
	err := h.store.View(func(tx *store.Tx) error {
		err := tx.Rows(store.TablePosting, "p/", "", func(_ string, b []byte) (bool, error) {
			x := new(Posting)
			if err := json.Unmarshal(b, x); err != nil {
				return false, err
			}
			for k, v := range index(x) {
				want[k] = v
			}
			h.soundPosting(tx, x)
			return true, nil
		})
		if err != nil {
			return err
		}
		return tx.Rows(store.TablePostingIndex, "", "", func(key string, v []byte) (bool, error) {
			if key == keySample || key == keySerial || key[0] == 'n' {
				return true, nil
			}
			if w, ok := want[key]; !ok || w != string(v) {
				h.t.Errorf("index row %q is %q, want %q", key, v, w)
			}
			delete(want, key)
			return true, nil
		})
	})
	if err != nil {
		h.t.Fatal(err)
	}
	for k := range want {
		h.t.Errorf("index row %q is missing", k)
	}
}

func (h *house) soundPosting(tx *store.Tx, x *Posting) {
	fail := func(format string, args ...any) {
		h.t.Helper()
		h.t.Errorf("%s (%s): %s", x.ID, x.states(), fmt.Sprintf(format, args...))
	}
	d, err := draft(tx, x.ID)
	if err != nil {
		h.t.Fatal(err)
	}
	if (d != nil) != (x.Draft != None && !x.arriving()) {
		fail("draft row %v", d != nil)
	}
	if x.Pending != nil {
		return
	}
	if n, err := tx.Row(store.TablePosting, rowOf("n", x.ID)); n != nil || err != nil {
		fail("something to publish is left over: %v", err)
	}
	live, err := readPrinted(tx, "l", x.ID)
	if err != nil {
		h.t.Fatal(err)
	}
	if (live != nil) != (x.Live == Published || x.Live == OnHold) {
		fail("live row %v", live != nil)
	}
	l, reason := h.listed(x.ID)
	full, err := tx.Full(x.ID.Key())
	if err != nil {
		h.t.Fatal(err)
	}
	switch {
	case x.Level == protocol.LevelInvited || x.Live == None:
		if l != nil {
			fail("it is in the catalogue")
		}
	case x.Live == Published:
		c, _, err := live.content(x.ID)
		if err != nil {
			h.t.Fatal(err)
		}
		if l == nil || !sameText(l, &c.Listing) || l.ValidUntil != x.ValidUntil {
			fail("the catalogue has %+v", l)
		} else if l.HasFull() && !holds(full, l) {
			fail("the parts that the summary names are not kept")
		}
	default:
		if l != nil {
			fail("it is still in the catalogue")
		}
		want := map[State]string{OnHold: protocol.OnHold, Superseded: "superseded", Revoked: "revoked"}[x.Live]
		if want != "" && reason != want && reason != "" { // "": it was by invitation until it was revised on hold
			fail("the catalogue says %q, want %q", reason, want)
		}
	}
	if (full != nil) != (x.Live == Published) {
		fail("full record kept: %v", full != nil)
	}
	to := ""
	for i, e := range x.History {
		if e.From != to && (i != 1 || x.Dropped == 0) {
			fail("history entry %d begins in %q, the one before ended in %q", i, e.From, to)
		}
		to = e.To
	}
	if to != x.states() {
		fail("history ends in %q", to)
	}
}
