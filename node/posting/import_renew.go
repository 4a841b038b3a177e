package posting

import (
	"github.com/asean-tmh/tmh/protocol"
	"github.com/asean-tmh/tmh/store"
)

// A source that still has a listing vouches for it: what it says the same of, and without an end, is renewed in time. So a
// repository that is harvested needs nobody who renews thousands of listings by hand.

// renewWithin so many days of its end a listing is renewed.
const renewWithin = 60

// renews reports whether an import that says nothing new prolongs the validity.
func (m *importer) renews(h *Posting, in *Imported) bool {
	return in.Content.Listing.ValidUntil == 0 && h.Live == Published && h.ValidUntil != 0 && h.ValidUntil < m.today()+renewWithin && !m.batch.DraftsOnly
}

// renew decides on a listing whose end is near. What people changed here stays.
func (m *importer) renew(tx *store.Tx, st *importStep) (*importStep, error) {
	h := st.h
	live, err := readPrinted(tx, "l", h.ID)
	if err != nil {
		return nil, err
	}
	c, before, err := live.content(h.ID)
	if err != nil {
		return nil, err
	}
	if c == nil {
		return nil, damaged("publication", h.ID, nil)
	}
	if m.plan {
		here := *c
		st.result.Before = &here
	}
	c.Listing.ValidUntil = later(max(h.ValidUntil, m.today()), renewed)
	x, err := c.print(h.ID, before)
	if err != nil {
		return st.orRefuse(err)
	}
	s := m.step(Renew, ImportChanged, h.ImportedHash)
	s.Content, s.Level = true, x.Level
	r, err := find(Renew, h)
	if err != nil {
		return st.refuse(err), nil
	}
	s.Sign = toSign(r, h, s)
	st.s, st.k.x, st.size = s, x, stepRoom+2*len(x.Summary)+3*len(x.Record)
	st.k.documents = len(c.Record.Documents) > 0
	st.result.Outcome, st.result.State = ImportChanged, Published
	return st, nil
}

// What is due of imported listings is told once a day and origin, not once a listing: they came at once, and end at once.
func (p *Postings) remindOfImport(tx *store.Tx, h *Posting, today protocol.Date) error {
	key := "e/" + originKey(h.Organisation, h.Origin)
	b, err := tx.Row(store.TablePostingIndex, key)
	if err != nil || string(b) == today.String() {
		return err
	}
	if err := tx.SetRow(store.TablePostingIndex, key, []byte(today.String())); err != nil {
		return err
	}
	return p.notify(tx, h, Notice{Occasion: OnImportEnds, Origin: h.Origin, Days: int(h.ValidUntil) - int(today)})
}
